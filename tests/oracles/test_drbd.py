"""The three drbdadm of drbd-utils 9.22 decide: that of 9, and those in /lib/drbd for 8.4 and 8.3.

No kernel module is needed: `-d` prints what drbdadm would do, as the host of `__DRBD_NODE__`.
"""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import evolve
from drbdadm import TOOLSETS, accepted, config, configs, sections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clusternas.core.command import Command
from clusternas.core.versions import Toolset
from clusternas.drbd import commands
from clusternas.drbd.kernellog import link_lost
from clusternas.drbd.migrate import migrate
from clusternas.drbd.model import DrbdConfig, DrbdResource
from clusternas.drbd.options import GENERATIONS, OPTIONS

EXAMPLES = int(os.environ.get("CLUSTERNAS_ORACLE_EXAMPLES", "60"))
CASES = Path(__file__).parent.parent / "data/drbd/edge-cases.json"

each_generation = pytest.mark.parametrize("generation", GENERATIONS)
random = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
fewer = settings(random, max_examples=max(EXAMPLES // 10, 30))


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


@each_generation
@random
@given(data=st.data())
def test_drbdadm_reads_what_we_render_and_means_the_same_after_an_edit(
    tools, generation: str, data: st.DataObject
) -> None:
    toolset, tool = TOOLSETS[generation], tools[generation]
    text = data.draw(configs(generation)).render(toolset)
    plan = tool.plan(text)
    assert plan
    read = DrbdConfig.parse(text)
    assert read.refused_by(toolset) == []
    assert read.render() == text
    edited = DrbdConfig.parse(
        evolve(read, resources=[changed(each, data, generation) for each in read.resources])
        .render(toolset)
    )  # fmt: skip
    undone = [
        evolve(new, **{name: getattr(old, name) for name in SECTIONS})
        for new, old in zip(edited.resources, read.resources, strict=True)
    ]
    assert tool.plan(evolve(edited, resources=undone).render(toolset)) == plan


SECTIONS = ("net", "disk", "options", "startup", "handlers", "proxy")


def changed(resource: DrbdResource, data: st.DataObject, generation: str) -> DrbdResource:
    """Other options in every section."""
    other = dict.fromkeys(SECTIONS) | data.draw(sections(generation))
    return evolve(resource, **other)


TOKEN = re.compile(r'"(?:\\.|[^"])*"|[\w./-]+|[{};:]')
OTHERS = ["", ";", "{", "}", "yes", "disk", "10", "30MB", '"a b"', "[0]"]


@each_generation
@fewer
@given(data=st.data())
def test_what_drbdadm_refuses_we_refuse(tools, generation: str, data: st.DataObject) -> None:
    """One token is taken out or replaced: drbdadm may take more than we do, never less."""
    text = data.draw(configs(generation)).render(TOOLSETS[generation])
    token = data.draw(st.sampled_from(list(TOKEN.finditer(text))))
    broken = text[: token.start()] + data.draw(st.sampled_from(OTHERS)) + text[token.end() :]
    if not DrbdConfig.parse(broken).refused_by(TOOLSETS[generation]):
        assert tools[generation].reads(broken), broken


# --- from one generation to another -------------------------------------------------------------

BARE = {"--set-defaults", "--create-device"}
NEW_NAMES = {row.place("8.3")[1]: row for row in OPTIONS.values() if row.place("8.3")}


def meaning(plan: list[list[str]], generation: str) -> set[str]:
    """The options of drbdsetup, whatever call they stand in, as DRBD 9 spells them."""
    words = {word for call in plan for word in call if word.startswith("--")} - BARE
    words = {word for word in words if not word.startswith("--_name=")}
    if generation != "8.3":
        return words
    protocols = {word for call in plan for word in call if word in ("A", "B", "C")}
    return set(map(modern, words)) | {f"--protocol={each}" for each in protocols}


def modern(word: str) -> str:
    """An option of drbdsetup of 8.3 as later ones have it."""
    name, equals, value = word.removeprefix("--").partition("=")
    row = NEW_NAMES[name]
    if row.kind == "boolean":
        value = "no" if name.startswith("no-") else "yes"
    return f"--{row.name}={value}" if equals or row.kind == "boolean" else f"--{row.name}"


def first_of(name: str, after: set[str]) -> set[str]:
    return {word for word in after if word.startswith(f"--{name}=")}


@pytest.mark.parametrize(("old", "new"), [("8.3", "8.4"), ("8.3", "9"), ("8.4", "9")])
@fewer
@given(data=st.data())
def test_a_migrated_file_means_the_same(tools, old: str, new: str, data: st.DataObject) -> None:
    """The same options for drbdsetup, but for those that are reported as lost."""
    text = data.draw(configs(old)).render(TOOLSETS[old])
    done = migrate(DrbdConfig.parse(text), TOOLSETS[new])
    assert accepted(tools[new].run(done.text, "dump")), done.text
    assert DrbdConfig.parse(done.text).refused_by(TOOLSETS[new]) == []
    gone = {each.statement.rstrip(";").split()[0] for each in done.losses}
    gone |= {NEW_NAMES[name].name for name in gone if name in NEW_NAMES}
    before, after = (
        {word for word in meaning(tools[g].plan(each), g) if word[2:].split("=")[0] not in gone}
        for g, each in ((old, text), (new, done.text))
    )
    assert after == before


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


def test_the_log_of_the_kernel_can_be_asked(oracle) -> None:
    oracle("journalctl", package="systemd")
    assert link_lost("no-such-resource").run().value is None
