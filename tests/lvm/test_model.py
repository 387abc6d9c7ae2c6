"""lvm.conf, the sysconfig file of clvmd and the shared group as models, and their checks."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from clusternas.core.diagnostics import rules_of
from clusternas.core.errors import ParseError, UnsupportedError, ValidationError
from clusternas.core.text import apply
from clusternas.core.versions import Toolset
from clusternas.lvm import values
from clusternas.lvm.clvmd import ClvmdSysconfig
from clusternas.lvm.group import ClvmLogicalVolume, ClvmVolumeGroup
from clusternas.lvm.model import LvmActivation, LvmConf, LvmDevices, LvmGlobal, LvmLocal
from clusternas.lvm.status import LogicalVolume, PhysicalVolume, Report, VolumeGroup

DATA = Path(__file__).parents[1] / "data" / "lvm"
SAFE = ("a|^/dev/drbd.*|", "r|.*|")
TEXT = """\
# LVM on the NAS
global/use_lvmlockd = 1
devices {
	dir = "/dev"	# nodes
	filter = [ "a|^/dev/drbd.*|",
		# the rest
		"r|.*|" ] # keep
	bogus = 3
	sysfs_scan = 1
}
backup { backup = 1 }\r
devices { scan_lvs = 0 }
global { umask = 077 wait_for_locks = "yes" }
"""


def test_reading() -> None:
    conf = LvmConf.parse(TEXT)
    assert conf.render() == TEXT
    assert conf.devices is not None
    assert conf.global_ is not None
    assert (conf.devices.directory, conf.devices.scan_lvs) == ("/dev", False)
    assert conf.devices.filter == SAFE
    assert (conf.global_.use_lvmlockd, conf.global_.wait_for_locks) == (True, True)
    assert (conf.lvmlockd, conf.clvmd) == (True, False)
    assert conf.extra.keys() == ["backup"]
    assert conf.devices.extra.keys() == ["bogus", "sysfs_scan"]


def test_only_unknown_settings_are_reported() -> None:
    assert [(each.code, each.line) for each in LvmConf.parse(TEXT).validate()] == [("LVM901", 8)]


def test_a_change_touches_its_bytes() -> None:
    conf = LvmConf.parse(TEXT)
    assert conf.devices is not None
    assert conf.global_ is not None
    other = evolve(
        conf,
        devices=evolve(conf.devices, directory="/udev", scan_lvs=True),
        global_=evolve(conf.global_, use_lvmlockd=False),
    )
    expected = TEXT.replace('"/dev"', '"/udev"').replace("scan_lvs = 0", "scan_lvs = 1")
    assert other.render() == expected.replace("use_lvmlockd = 1", "use_lvmlockd = 0")


def test_the_last_setting_counts() -> None:
    conf = LvmConf.parse("devices { scan_lvs = 1 }\ndevices/scan_lvs = 0\n")
    assert conf.devices is not None
    assert conf.devices.scan_lvs is False
    conf = LvmConf.parse("devices/scan_lvs = 0\ndevices { scan_lvs = 1 }\n")
    assert conf.devices is not None
    assert conf.devices.scan_lvs is True


FULL = LvmConf(
    devices=LvmDevices(directory="/dev", scan=("/dev",), filter=SAFE, use_devicesfile=False),
    global_=LvmGlobal(use_lvmlockd=True, lvmlockd_lock_retries=3, system_id_source="none"),
    activation=LvmActivation(volume_list=("vg", "@tag"), monitoring=True),
    local=LvmLocal(host_id=7, extra_system_ids=()),
)


@pytest.mark.parametrize("toolset", [None, Toolset.DEBIAN12, Toolset.EL9])
def test_from_nothing(toolset: Toolset | None) -> None:
    assert LvmConf.parse(FULL.render(toolset)) == FULL
    assert pickle.loads(pickle.dumps(FULL)) == FULL


def test_what_a_generation_has_not() -> None:
    with pytest.raises(UnsupportedError):
        FULL.render(Toolset.EL6)
    clvmd = LvmConf(global_=LvmGlobal(locking_type=3))
    assert clvmd.clvmd
    assert clvmd.render(Toolset.EL6) == "global {\n\tlocking_type = 3\n}\n"
    with pytest.raises(UnsupportedError):
        clvmd.render(Toolset.DEBIAN12)
    found = [each.code for each in LvmConf.parse(clvmd.render()).validate(Toolset.DEBIAN12)]
    assert found == ["LVM003", "LVM903"]


def test_scanning() -> None:
    conf = LvmConf.parse(TEXT)
    assert conf.scans(["/dev/drbd1"])
    assert not conf.scans(["/dev/vda3"])
    assert LvmConf().scans(["/dev/vda3"])
    both = LvmConf(devices=LvmDevices(filter=("a|.*|",), global_filter=SAFE))
    assert not both.scans(["/dev/vda3"])
    listed = LvmConf(devices=LvmDevices(use_devicesfile=True))
    assert listed.filters_ignored()
    assert not listed.filters_ignored(Toolset.EL6)


def test_patterns_that_lvm_refuses_are_reported() -> None:
    conf = LvmConf.parse('devices {\n\tfilter = [ "drbd" ]\n\tglobal_filter = []\n}\n')
    assert [each.code for each in conf.validate()] == ["LVM902", "LVM902"]


@pytest.mark.parametrize(
    "rule",
    rules_of(LvmConf) + rules_of(LvmDevices) + rules_of(ClvmdSysconfig),
    ids=lambda rule: rule.code,
)
def test_rules_tell_bad_from_good(rule) -> None:
    whole = ClvmdSysconfig if rule.model is ClvmdSysconfig else LvmConf
    assert whole.parse(rule.good).validate() == []
    [found] = whole.parse(rule.bad).validate()
    assert (found.code, found.severity) == (rule.code, rule.severity)
    assert found.help
    if found.fix:
        assert whole.parse(apply(rule.bad, found.fix)).validate() == []


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ('"a\\.b\\"c\\\\"', 'a\\.b"c\\'),
        ("'a\"b\\'", 'a"b\\'),
        ("bare", "bare"),
        ("077", 63),
        ("-5", -5),
        ("089", 89),
        ("1.5", 1.5),
        ("[\"a\" 'b' c,]", ["a", "b", "c"]),
        ('[ "a", # no "b"\n 1 ]', ["a", 1]),
        ("[]", []),
    ],
)
def test_values(raw: str, value: object) -> None:
    assert values.parse(raw) == value


@pytest.mark.parametrize("raw", ["", "a b", "[", "]", '["a"', "[]]"])
def test_values_that_are_none(raw: str) -> None:
    with pytest.raises(ValueError, match="not a value"):
        values.parse(raw)


@pytest.mark.parametrize(
    ("raw", "value"),
    [("1", True), ("0", False), ("2", True), ('"yes"', True), ("off", False), ('"TRUE"', True)],
)
def test_booleans(raw: str, value: bool) -> None:
    assert values.boolean().decode([raw]) is value


@pytest.mark.parametrize("raw", ['"1"', "1.0", '""', "maybe", "[1]"])
def test_booleans_that_are_none(raw: str) -> None:
    with pytest.raises(ValueError, match="not 0 or 1"):
        values.boolean().decode([raw])


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))))
def test_strings_survive(items: list[str]) -> None:
    [word] = values.strings().encode(tuple(items)) or ()
    conf = LvmConf.parse(f"devices {{ scan = {word} }}\n")
    assert conf.devices is not None
    assert conf.devices.scan == tuple(items)


@pytest.mark.parametrize(
    ("section", "field", "value"),
    [
        (LvmDevices, "scan_lvs", 1),
        (LvmDevices, "scan", "/dev"),
        (LvmDevices, "directory", 5),
        (LvmGlobal, "locking_type", True),
        (LvmGlobal, "locking_type", "3"),
    ],
)
def test_values_of_a_wrong_type(section, field: str, value: object) -> None:
    with pytest.raises(ValidationError, match=field):
        section(**{field: value})


SYSCONFIG = "# of the article\nCLVMDOPTS='-I cman -T30' # stack\nexport LVM_VGS=\"drbd_vg other\"\n"


def test_clvmd() -> None:
    clvmd = ClvmdSysconfig.parse(SYSCONFIG)
    assert clvmd.render() == SYSCONFIG
    assert clvmd.validate() == []
    assert (clvmd.cluster_stack, clvmd.startup_timeout) == ("cman", 30)
    assert clvmd.volume_groups == ("drbd_vg", "other")
    other = evolve(clvmd, options=("-Icorosync",), stop_timeout=10)
    assert other.cluster_stack == "corosync"
    assert other.startup_timeout is None
    assert other.render() == SYSCONFIG.replace("'-I cman -T30'", '"-Icorosync"') + (
        "CLVMD_STOP_TIMEOUT=10\n"
    )
    assert ClvmdSysconfig(options=("-I", "cman")).render() == 'CLVMDOPTS="-I cman"\n'
    assert ClvmdSysconfig(cluster_interface="cman").cluster_stack == "cman"
    for wrong in ("-I cman", ("-I cman",)):
        with pytest.raises(ValidationError):
            ClvmdSysconfig(options=wrong)


LV = ClvmLogicalVolume(name="drbd_lv", size=900 * 1024**2)
VG = ClvmVolumeGroup(name="drbd_vg", pvs=["/dev/drbd1"], logical_volumes=[LV])


def lines(commands) -> list[str]:
    return [str(command) for command in commands]


def test_a_group_of_today() -> None:
    assert lines(VG.create()) == [
        "pvcreate /dev/drbd1",
        "vgcreate --shared --locktype dlm drbd_vg /dev/drbd1",
        "lvcreate -n drbd_lv -L 943718400b drbd_vg",
    ]
    assert lines(VG.start()) == ["vgchange --lockstart drbd_vg", "vgchange -asy drbd_vg"]
    assert lines(VG.stop()) == ["vgchange -an drbd_vg", "vgchange --lockstop drbd_vg"]
    assert VG.device_path("drbd_lv") == "/dev/drbd_vg/drbd_lv"
    assert VG.mapper_path("drbd_lv") == "/dev/mapper/drbd_vg-drbd_lv"


def test_a_group_of_2010() -> None:
    old = Toolset.EL6
    assert lines(VG.create(old))[1] == "vgcreate -c y drbd_vg /dev/drbd1"
    assert lines(VG.start(old)) == ["vgchange -ay drbd_vg"]
    assert lines(VG.stop(old)) == ["vgchange -aln drbd_vg"]


def test_a_group_from_a_backup() -> None:
    group = ClvmVolumeGroup.parse((DATA / "backup-drbd_vg.txt").read_bytes())
    assert group == evolve(VG, locking="clvmd")


@pytest.mark.parametrize("text", ["", "a { }\nb { }\n", "vg { extent_size = x }\n", "vg { }\n"])
def test_what_is_no_backup(text: str) -> None:
    with pytest.raises(ParseError):
        ClvmVolumeGroup.parse(text)


def test_a_group_from_a_report() -> None:
    report = Report(
        volume_groups=(VolumeGroup(name="drbd_vg", attr="wz--ns", lock_type="dlm"),),
        physical_volumes=(
            PhysicalVolume(device="/dev/drbd1", vg="drbd_vg"),
            PhysicalVolume(device="/dev/sdb", vg="other"),
        ),
        logical_volumes=(
            LogicalVolume(name="drbd_lv", vg="drbd_vg", size=900 * 1024**2),
            LogicalVolume(name="[lvmlock]", vg="drbd_vg", size=1),
        ),
    )
    assert ClvmVolumeGroup.from_report(report, "drbd_vg") == evolve(VG, locking="dlm")
    with pytest.raises(ParseError):
        ClvmVolumeGroup.from_report(report, "none")
