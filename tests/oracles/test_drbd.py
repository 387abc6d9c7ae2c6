"""The three drbdadm of drbd-utils 9.22 decide: that of 9, and those in /lib/drbd for 8.4 and 8.3.

No kernel module is needed: `-d` prints what drbdadm would do, as the host of `__DRBD_NODE__`.
"""

import json
import os
import re
import shlex
import subprocess
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clusternas.core.command import Command
from clusternas.core.versions import Toolset
from clusternas.drbd import commands
from clusternas.drbd.migrate import migrate
from clusternas.drbd.model import (
    DrbdConfig,
    DrbdDisk,
    DrbdHandlers,
    DrbdHost,
    DrbdNet,
    DrbdOptions,
    DrbdResource,
    DrbdStartup,
)
from clusternas.drbd.options import GENERATIONS, OPTIONS, DrbdOption, readable
from clusternas.testing.strategies import models

PATHS = {"8.3": "/lib/drbd/drbdadm-83", "8.4": "/lib/drbd/drbdadm-84", "9": "drbdadm"}
SETUP = {"8.3": "/lib/drbd/drbdsetup-83", "8.4": "/lib/drbd/drbdsetup-84", "9": "drbdsetup"}
TOOLSETS = {
    "8.3": Toolset(drbd="8.3.16"),
    "8.4": Toolset(drbd="8.4.11"),
    "9": Toolset(drbd="9.1.19"),
}
EXAMPLES = int(os.environ.get("CLUSTERNAS_ORACLE_EXAMPLES", "60"))
CASES = Path(__file__).parent.parent / "data/drbd/edge-cases.json"

each_generation = pytest.mark.parametrize("generation", GENERATIONS)
random = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


class Drbdadm:
    """One of the three, with a configuration file of its own."""

    def __init__(self, path: str, generation: str, file: Path) -> None:
        self.path = path
        self.file = file
        version = "9.0.0" if generation == "9" else "8.4.0"
        self.env = {
            "PATH": os.defpath + ":/usr/sbin:/sbin",
            "LC_ALL": "C",
            "__DRBD_NODE__": "node1",
        }
        self.env["DRBD_DRIVER_VERSION_OVERRIDE"] = version

    def run(self, text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        self.file.write_bytes(text.encode("utf-8", "surrogateescape"))
        return subprocess.run(
            [self.path, "-c", str(self.file), "-d", *arguments],
            stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", errors="replace",
            env=self.env, check=False, timeout=30,
        )  # fmt: skip

    def reads(self, text: str) -> bool:
        """Whether it accepts a file; 1 only says that this host has no resources in it."""
        return self.run(text, "dump").returncode in (0, 1)

    def plan(self, text: str) -> list[list[str]]:
        """The calls of drbdsetup and drbdmeta for `up all`, the words of each in order."""
        done = self.run(text, "up", "all")
        assert done.returncode == 0, done.stderr
        calls = [line for line in done.stdout.splitlines() if re.search("drbd(setup|meta)", line)]
        return sorted(sorted(shlex.split(line)[1:]) for line in calls)


@pytest.fixture
def tools(oracle, tmp_path: Path) -> dict[str, Drbdadm]:
    return {
        generation: Drbdadm(oracle(path, package="drbd-utils"), generation, tmp_path / "drbd.conf")
        for generation, path in PATHS.items()
    }


def config(section: str = "", statement: str = "") -> str:
    """A resource that all three read, with one statement more."""
    top = f"global {{ {statement} }}\n" if section == "global" else ""
    inside = {"": "", "global": "", "resource": statement}.get(
        section, f"{section} {{ {statement} }}"
    )
    protocol = "" if statement.startswith("protocol") else "protocol C;"
    hosts = "".join(
        f"  on node{n} {{ device /dev/drbd1; disk /dev/sda5; address 10.0.0.{n}:7788;"
        " meta-disk internal; }\n"
        for n in (1, 2)
    )
    return f"{top}resource r0 {{\n  {protocol}\n{hosts}  {inside}\n}}\n"


# --- the option table ---------------------------------------------------------------------------

HELP = {
    "8.3": {"net": ("xml", "net"), "disk": ("xml", "disk"), "syncer": ("xml", "syncer")},
    "8.4": {
        "net": ("xml-help", "connect"),
        "disk": ("xml-help", "attach", "disk-options"),
        "options": ("xml-help", "resource-options"),
    },
    "9": {
        "net": ("xml-help", "new-peer"),
        "disk": ("xml-help", "attach", "disk-options", "peer-device-options"),
        "options": ("xml-help", "resource-options"),
    },
}
NOT_IN_FILES = {
    "set-defaults", "discard-my-data", "tentative", "dry-run", "alternate-address",
    "alternate-peer-address", "_name",
}  # fmt: skip
UNITS = {
    ("1", "bytes"): "bytes", ("k", "bytes/second"): "KiB/s", ("s", "bytes"): "sectors",
    ("s", "byte"): "sectors", ("1", "1/10 seconds"): "1/10 s", ("1", "seconds"): "s",
    ("1", "milliseconds"): "ms", ("1", ""): "",
}  # fmt: skip
KINDS = {"numeric": "number", "handler": "choice", "numeric-or-symbol": "number or choice"}


def described(tool: str, words: tuple[str, ...]) -> Iterator[ElementTree.Element]:
    kind, *verbs = words
    for verb in verbs:
        done = subprocess.run(
            [tool, kind, verb], capture_output=True, text=True, check=True, timeout=30
        )
        yield from ElementTree.fromstring(done.stdout).iter("option")


def compare(option: DrbdOption, found: ElementTree.Element, generation: str) -> Iterator[str]:
    """What the table says otherwise than the tool."""
    kind = KINDS.get(str(found.get("type")), found.get("type"))
    texts = {child.tag: child.text for child in found}
    if option.name == "resync-after":  # a number for the kernel, a name in the file
        return
    if kind != option.kind:
        yield f"kind {kind}"
    if kind == "number":
        bounds = option.ranges[generation]
        have = (str(bounds.minimum), str(bounds.maximum), str(bounds.default))
        if have != (texts["min"], texts["max"], texts["default"]):
            yield f"range {texts}"
        unit = UNITS[str(texts["unit_prefix"]), texts.get("unit") or ""]
        if unit != option.unit and option.name != "rs-discard-granularity":  # 8.4 says none
            yield f"unit {unit}"
    if kind == "choice":
        words = {child.text for child in found if child.tag == "handler"}
        if words != set(option.values[generation]) - {"panic"}:  # read, but not for drbdsetup
            yield f"values {words}"
    if kind == "boolean" and generation != "8.3" and texts["default"] != option.default:
        yield f"default {texts['default']}"


@each_generation
def test_the_table_is_what_drbdsetup_says(oracle, generation: str) -> None:
    tool = oracle(SETUP[generation], package="drbd-utils")
    for section, words in HELP[generation].items():
        found = {str(each.get("name")): each for each in described(tool, words)}
        table = {
            row.place(generation)[1]: row
            for row in OPTIONS.values()
            if (row.place(generation) or ("",))[0] == section and row.since != "9.2"
        }
        assert set(found) - NOT_IN_FILES == set(table) - {"use-bmbv" if generation == "8.4" else ""}
        wrong = {
            name: list(compare(row, found[name], generation))
            for name, row in table.items()
            if name in found
        }
        assert {name: what for name, what in wrong.items() if what} == {}


def sample(option: DrbdOption, generation: str) -> str:
    if option.kind.startswith("number"):
        return str(option.ranges[generation].minimum)
    return option.values[generation][0] if option.kind == "choice" else "abc"


@each_generation
def test_each_option_is_read_where_the_table_says(tools, generation: str) -> None:
    everywhere = {place for each in GENERATIONS for place in readable(each)}
    here = readable(generation)
    wrong = []
    for section, name in sorted(everywhere):
        option = here.get((section, name)) or next(
            readable(each)[section, name]
            for each in GENERATIONS
            if (section, name) in readable(each)
        )
        if option.since == "9.2" or section in ("proxy", "common"):
            continue
        bare = option.kind in ("boolean", "flag")
        value = (
            "" if bare else f" {sample(option, generation if generation in option.ranges else '9')}"
        )
        accepted = tools[generation].reads(config(section, f"{name}{value};"))
        if accepted is not ((section, name) in here):
            wrong.append((section, name, accepted))
    assert wrong == []


# --- the grammar --------------------------------------------------------------------------------


@each_generation
def test_the_recorded_verdicts_are_those_of_today(tools, generation: str) -> None:
    wrong = []
    for case in json.loads(CASES.read_text()):
        accepted = tools[generation].reads(case["text"])
        if accepted is (generation in case["refused"]):
            wrong.append(case["name"])
    assert wrong == []


# --- what we render -----------------------------------------------------------------------------


@st.composite
def resources(draw: st.DrawFn, generation: str) -> DrbdResource:
    """Two hosts, and any of the options of every section."""
    toolset = TOOLSETS[generation]
    hosts = [
        DrbdHost(
            name=f"node{n}", device="/dev/drbd1", disk="/dev/sda5", meta_disk="internal",
            address=f"10.0.0.{n}:7788",
        )
        for n in (1, 2)
    ]  # fmt: skip
    disk = draw(models(DrbdDisk, toolset))
    net = draw(models(DrbdNet, toolset))
    return DrbdResource(
        name=draw(st.sampled_from(["r0", "disk", "10", "a.b-c_d"])),
        hosts=hosts,
        net=evolve(net, protocol=net.protocol or "C"),
        disk=evolve(disk, resync_after=None),
        options=draw(models(DrbdOptions, toolset)),
        startup=evolve(draw(models(DrbdStartup, toolset)), become_primary_on=None),
        handlers=draw(models(DrbdHandlers, toolset)),
    )


@each_generation
@random
@given(data=st.data())
def test_drbdadm_reads_what_we_render(tools, generation: str, data: st.DataObject) -> None:
    text = data.draw(resources(generation)).render(TOOLSETS[generation])
    done = tools[generation].run(text, "dump")
    assert done.returncode == 0, done.stderr + text
    assert DrbdConfig.parse(text).refused_by(TOOLSETS[generation]) == []


TOKEN = re.compile(r'"(?:\\.|[^"])*"|[\w./-]+|[{};:]')
OTHERS = ["", ";", "{", "}", "yes", "disk", "10", "30MB", '"a b"', "[0]"]


@each_generation
@random
@given(data=st.data())
def test_what_drbdadm_refuses_we_refuse(tools, generation: str, data: st.DataObject) -> None:
    """One token is taken out or replaced: drbdadm may take more than we do, never less."""
    text = data.draw(resources(generation)).render(TOOLSETS[generation])
    token = data.draw(st.sampled_from(list(TOKEN.finditer(text))))
    broken = text[: token.start()] + data.draw(st.sampled_from(OTHERS)) + text[token.end() :]
    if not DrbdConfig.parse(broken).refused_by(TOOLSETS[generation]):
        assert tools[generation].reads(broken), broken


@each_generation
@random
@given(data=st.data())
def test_an_edit_and_its_undo_mean_the_same(tools, generation: str, data: st.DataObject) -> None:
    toolset, tool = TOOLSETS[generation], tools[generation]
    resource = data.draw(resources(generation))
    text = resource.render(toolset)
    read = DrbdResource.parse(text)
    edited = DrbdResource.parse(
        evolve(read, net=data.draw(models(DrbdNet, toolset))).render(toolset)
    )
    undone = evolve(edited, net=read.net).render(toolset)
    assert tool.plan(undone) == tool.plan(text)


def meaning(plan: list[list[str]]) -> set[str]:
    """The options of drbdsetup, whatever call they stand in."""
    bare = {"--set-defaults", "--create-device", "--_name=node2"}
    return {word for call in plan for word in call if word.startswith("--")} - bare


@random
@given(data=st.data())
def test_a_migrated_file_means_the_same(tools, data: st.DataObject) -> None:
    """From 8.4 to 9: the same options for drbdsetup, but for those that are reported as lost."""
    old = data.draw(resources("8.4"))
    text = old.render(TOOLSETS["8.4"])
    done = migrate(DrbdResource.parse(text), TOOLSETS["9"])
    lost = {f"--{each.statement.rstrip(';').split()[0]}" for each in done.losses}
    before = {word for word in meaning(tools["8.4"].plan(text)) if word.split("=")[0] not in lost}
    assert meaning(tools["9"].plan(done.text)) == before


@random
@given(data=st.data())
def test_what_is_migrated_from_8_3_is_read(tools, data: st.DataObject) -> None:
    text = data.draw(resources("8.3")).render(TOOLSETS["8.3"])
    for generation in ("8.4", "9"):
        done = migrate(DrbdConfig.parse(text), TOOLSETS[generation])
        assert tools[generation].reads(done.text), done.text
        assert DrbdConfig.parse(done.text).refused_by(TOOLSETS[generation]) == []


# --- commands -----------------------------------------------------------------------------------


def every_command(toolset: Toolset) -> Iterator[Command[object]]:
    """The commands that a generation has."""
    modern = toolset.has("drbd", since="8.4")
    nine = toolset.has("drbd", since="9")
    yield from (
        commands.up("r0"), commands.down("r0"), commands.adjust("r0"), commands.attach("r0"),
        commands.detach("r0", toolset=toolset), commands.connect("r0"), commands.disconnect("r0"),
        commands.detach("r0", force=True, toolset=toolset),
        commands.disconnect("r0", force=True, toolset=toolset),
        commands.connect("r0", discard_my_data=True, toolset=toolset),
        commands.primary("r0"), commands.primary("r0", overwrite_peer=True, toolset=toolset),
        commands.secondary("r0"), commands.create_md("r0"),
        commands.create_md("r0", overwrite=True, toolset=toolset), commands.wipe_md("r0"),
        commands.dump_md("r0"), commands.invalidate("r0"), commands.invalidate_remote("r0"),
        commands.new_current_uuid("r0", clear_bitmap=True, toolset=toolset),
        commands.outdate("r0"), commands.verify("r0"), commands.pause_sync("r0"),
        commands.resume_sync("r0"), commands.suspend_io("r0"), commands.resume_io("r0"),
        commands.resize("r0"), commands.check_resize("r0"), commands.wait_connect("r0"),
        commands.role("r0"), commands.cstate("r0"), commands.dstate("r0"), commands.dump("r0"),
        commands.dump_xml("r0"), commands.resources(), commands.get_gi("r0"),
        commands.show_gi("r0"), commands.status("r0", toolset=toolset),
    )  # fmt: skip
    if modern:
        yield commands.apply_al("r0", toolset=toolset)
        yield commands.net_options("r0", toolset=toolset)
        yield commands.disk_options("r0", toolset=toolset)
        yield commands.resource_options("r0", toolset=toolset)
        yield commands.invalidate("r0", 0)
    else:
        yield commands.syncer("r0", toolset=toolset)
    if nine:
        yield commands.wait_sync("r0", toolset=toolset)
        yield commands.connect("r0", "node2", toolset=toolset)
        yield commands.forget_peer("r0", "node2", toolset=toolset)
        yield commands.create_md("r0", max_peers=3, toolset=toolset)
    if nine or not modern:
        yield commands.resize("r0", to="10G", assume_clean=True, toolset=toolset)


@each_generation
def test_drbdadm_takes_every_command(tools, generation: str) -> None:
    tool = tools[generation]
    for command in every_command(TOOLSETS[generation]):
        done = tool.run(config(), *command.argv[1:])
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


@each_generation
def test_the_first_primary_overwrites_the_peer(tools, generation: str) -> None:
    command = commands.primary("r0", overwrite_peer=True, toolset=TOOLSETS[generation])
    done = tools[generation].run(config(), *command.argv[1:])
    option = "--overwrite-data-of-peer" if generation == "8.3" else "--force"
    assert done.stdout.strip().endswith(option)
