"""LVM reads what we write, refuses what we refuse, and filters devices as we say."""

from __future__ import annotations

import os
import re
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clusternas.core.command import Output
from clusternas.core.errors import ValidationError
from clusternas.lvm import commands, names, scan, values
from clusternas.lvm.filter import DeviceFilter
from clusternas.lvm.model import LvmActivation, LvmConf, LvmDevices, LvmGlobal, LvmLocal
from clusternas.lvm.settings import SETTINGS

Run = Callable[..., Output]


@pytest.fixture
def lvm(oracle, tmp_path: Path) -> Run:
    """Runs an LVM tool with a configuration of its own."""

    def run(*argv: str, conf: str = "") -> Output:
        (tmp_path / "lvm.conf").write_text(conf)
        done = subprocess.run(
            [oracle(argv[0], package="lvm2"), *argv[1:]],
            env={"LC_ALL": "C", "LVM_SYSTEM_DIR": str(tmp_path), "LVM_SUPPRESS_FD_WARNINGS": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=60,
        )
        return Output(done.returncode, done.stdout, done.stderr)

    return run


def check(lvm: Run, conf: str) -> scan.ConfigCheck:
    return scan.config_check(lvm(*commands.lvmconfig_validate().argv, conf=conf))


SOME_TEXT = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=20)
NAMES = st.lists(st.text(st.sampled_from("ab/_\\\"' #,]"), min_size=1, max_size=8), min_size=1)
FLAG = st.none() | st.booleans()
CONFS = st.builds(
    LvmConf,
    devices=st.builds(
        LvmDevices,
        directory=st.just("/dev"),
        scan=st.none() | NAMES.map(tuple),
        use_devicesfile=FLAG,
        filter=st.none() | st.just(("a|^/dev/drbd[0-9]+\\.x$|", "r|.*|")),
        scan_lvs=FLAG,
    ),
    global_=st.builds(
        LvmGlobal,
        use_lvmlockd=FLAG,
        wait_for_locks=st.just(True),
        lvmlockd_lock_retries=st.none() | st.integers(0, 99),
        locking_dir=st.none() | SOME_TEXT.filter(bool),
    ),
    activation=st.builds(
        LvmActivation, volume_list=st.none() | NAMES.map(tuple), monitoring=st.just(False)
    ),
    local=st.builds(LvmLocal, host_id=st.integers(0, 2000)),
)


@settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(CONFS)
def test_lvm_reads_what_we_write(lvm: Run, conf: LvmConf) -> None:
    text = conf.render()
    assert check(lvm, text).valid
    shown = lvm("lvmconfig", conf=text).text
    assert LvmConf.parse(shown) == conf


EDGES = [
    "global { use_lvmlockd = 1 }",
    "global/use_lvmlockd = 1",
    'global { use_lvmlockd = "yes" }',
    "global { use_lvmlockd = off }",
    'global { use_lvmlockd = "1" }',
    "global { use_lvmlockd = 1.0 }",
    "global { use_lvmlockd = maybe }",
    "global { bogus = 1 }",
    "devices { filter = 'a|x|' scan = [ \"/dev\" '/x' , ] # c\n }",
    'devices { filter = [ "a|x|" # "r|.*|"\n "r|y|" ] }',
    "devices { scan_lvs = 0 }\r\ndevices { scan_lvs = 1 }\r\n",
    "local { host_id = 07 }",
    'global { locking_dir = "a\\.b\\"c" }',
]


@pytest.mark.parametrize("text", EDGES)
def test_lvm_accepts_what_we_accept(lvm: Run, text: str) -> None:
    verdict = check(lvm, text + "\n")
    assert verdict.valid is not any(
        each.code in ("LVM900", "LVM901") for each in LvmConf.parse(text).validate()
    )


@pytest.mark.parametrize("text", EDGES[:3] + EDGES[8:])
def test_lvm_reads_what_we_read(lvm: Run, text: str) -> None:
    assert LvmConf.parse(lvm("lvmconfig", conf=text + "\n").text) == LvmConf.parse(text)


def test_a_broken_file_has_a_line(lvm: Run) -> None:
    verdict = check(lvm, "global {\n\tuse_lvmlockd\n}\n")
    assert (verdict.valid, verdict.line) == (False, 3)


def test_settings_are_those_of_lvm(lvm: Run) -> None:
    shown = lvm("lvmconfig", "--typeconfig", "list", "--showdeprecated", "--showunsupported").text
    known = [line.strip().partition("/")[::2] for line in shown.splitlines()]
    unknown = [
        f"{section}/{name}"
        for section, name in known
        if "<" not in name and name not in SETTINGS.get(section, ())
    ]
    assert unknown == []


@pytest.mark.parametrize("kind", ["default", "full"])
def test_every_setting_of_lvm_is_known(lvm: Run, kind: str) -> None:
    text = lvm("lvmconfig", "--typeconfig", kind, "--withcomments", "--unconfigured").text
    conf = LvmConf.parse(text)
    assert conf.render() == text
    assert conf.validate() == []


def test_an_edit_of_the_whole_default_file_is_one_line(lvm: Run) -> None:
    text = lvm("lvmconfig", "--typeconfig", "default", "--withcomments").text
    conf = LvmConf.parse(text)
    changed = evolve(
        conf,
        global_=evolve(conf.global_ or LvmGlobal(), use_lvmlockd=True),
        devices=evolve(conf.devices or LvmDevices(), filter=("a|^/dev/drbd.*|", "r|.*|")),
    )
    rows = [
        row
        for row in changed.diff().splitlines()
        if row[0] in "+-" and not row.startswith(("+++", "---"))
    ]
    assert len(rows) == 2, rows
    shown = LvmConf.parse(lvm("lvmconfig", conf=changed.render()).text)
    assert shown.lvmlockd
    assert not shown.scans(["/dev/vda3"])


@pytest.mark.parametrize(
    "raw", ["1", "077", "-3", "1.5", '"a\\.b"', "'x\"y'", "bare", '["a" "b",]']
)
def test_values_are_read_alike(lvm: Run, raw: str) -> None:
    shown = lvm("lvmconfig", "devices/cache_dir", conf=f"devices {{ cache_dir = {raw} }}\n").text
    assert values.parse(shown.partition("=")[2].strip()) == values.parse(raw)


@pytest.mark.parametrize(
    "name",
    ["vg", "a+b.c_d-e", "_a", ".a", "-x", "a b", "a/b", ".", "..", "é", "v" * 127, "v" * 128],
)
def test_names_are_refused_alike(lvm: Run, name: str) -> None:
    answer = lvm("vgcreate", "-t", "--", name, "/dev/null")
    try:
        names.vg_name(name)
        accepted = True
    except ValidationError:
        accepted = False
    assert ("is invalid" not in answer.error_text) is accepted


@pytest.mark.parametrize(
    "command", [commands.vgs(), commands.pvs(), commands.lvs(), commands.fullreport()]
)
def test_reports_have_fields_that_lvm_knows(lvm: Run, command) -> None:
    output = lvm(*command.argv)
    assert output.exit_code == 0, output.error_text
    command.decode(output)


DRBD_MAJOR = 147
DEVICES = {"drbd1": ("drbd1",), "sdx": ("sdx", "alias_drbd"), "sdy": ("sdy",)}
FILTERS = [
    ["a|drbd|", "r|.*|"],
    ["r|.*|"],
    ["a|sdy|"],
    ["r|alias|", "a|sdx|", "r|.*|"],
    ["r|sd[xz]$|"],
    ["r|sd[^xz]|"],
    ["r|sd(x|y)|"],
    ["r|sd{1}|"],
    ["r|sd?x*y|"],
    ["r|s**d|"],
    ["r|[]x]|"],
    ["r|^sdx|"],
    ["r|a\\|sdx|"],
    ["r[sdx]"],
    ["r{sdx}", "a(.)"],
    ["r||"],
    ["r|*|"],
    ["r|(|"],
    ["x|a|"],
    ["a|sd"],
    [" r|sdx|"],
]


@pytest.fixture
def nodes(tmp_path: Path) -> Path:
    """Device nodes that no driver answers for: LVM sees their names, and nothing behind them."""
    folder = tmp_path / "dev"
    folder.mkdir()
    try:
        for minor, name in enumerate(DEVICES, start=1_000_000):
            os.mknod(folder / name, stat.S_IFBLK | 0o600, os.makedev(DRBD_MAJOR, minor))
    except PermissionError:
        pytest.skip("making device nodes needs root")
    (folder / "alias_drbd").symlink_to("sdx")
    return folder


@pytest.mark.parametrize("patterns", FILTERS, ids=" ".join)
def test_lvm_filters_as_we_say(lvm: Run, nodes: Path, patterns: list[str]) -> None:
    conf = LvmConf(
        devices=LvmDevices(
            directory=str(nodes), scan=(str(nodes),), use_devicesfile=False, filter=tuple(patterns)
        )
    ).render()
    alone = "devices/sysfs_scan=0\ndevices/obtain_device_list_from_udev=0\n"
    answer = lvm("pvs", "-a", "-vvvv", conf=alone + conf)
    try:
        ours = DeviceFilter(patterns)
    except ValidationError:
        assert answer.exit_code != 0
        return
    assert answer.exit_code == 0, answer.error_text
    skipped = set(re.findall(r"/(\w+): Skipping \(regex\)", answer.error_text))
    for links in DEVICES.values():
        assert ours.accepts(f"{nodes}/{link}" for link in links) is not bool(skipped & set(links))
