"""The command lines of cman's tools, and what may not be put on them."""

from __future__ import annotations

import pytest

from clusternas.cman import commands
from clusternas.core.command import Command, Effect, Output
from clusternas.core.errors import ParseError, Refused, UnsupportedError, ValidationError
from clusternas.core.versions import Toolset

EL5 = Toolset(cman="2.0.115")


@pytest.mark.parametrize(
    ("command", "line"),
    [
        (commands.create("NASCluster"), "ccs_tool create NASCluster"),
        (
            commands.add_fence("linux-nas01", "fence_manual"),
            "ccs_tool addfence linux-nas01 fence_manual",
        ),
        (
            commands.add_node("linux-nas02", 2, fence="linux-nas02"),
            "ccs_tool addnode linux-nas02 -n 2 -v 1 -f linux-nas02",
        ),
        (
            commands.add_node("n", 1, fence="apc", params={"port": "1"}, path="/tmp/c"),
            "ccs_tool addnode -c /tmp/c n -n 1 -v 1 -f apc port=1",
        ),
        (commands.list_nodes(), "ccs_tool lsnode"),
        (commands.list_fences("/tmp/c"), "ccs_tool lsfence -c /tmp/c"),
        (commands.update(toolset=EL5), "ccs_tool update /etc/cluster/cluster.conf"),
        (commands.validate(), "ccs_config_validate"),
        (commands.status(), "cman_tool status"),
        (commands.nodes(), "cman_tool nodes -F id,type,votes,exp,state,name,addr"),
        (commands.version(), "cman_tool version"),
        (commands.reload(), "cman_tool version -r -S"),
        (commands.reload(sync=True, toolset=Toolset.EL6), "cman_tool version -r"),
        (commands.reload(7, toolset=EL5), "cman_tool version -r 7"),
        (commands.leave(), "cman_tool leave"),
        (commands.leave(remove=True, force=True), "cman_tool leave remove force"),
        (commands.expected(1), "cman_tool expected -e 1"),
        (commands.kill("nas02"), "cman_tool kill -n nas02"),
        (commands.wait_quorate(20), "cman_tool wait -q -t 20"),
        (commands.cluster_status(), "clustat -x"),
        (commands.fence_domain(), "fence_tool ls -n"),
        (commands.groups(), "group_tool ls"),
        (commands.fence_node("nas02"), "fence_node nas02"),
    ],
)
def test_command_lines(command: Command[object], line: str) -> None:
    assert command.shell() == line


@pytest.mark.parametrize(
    "build",
    [
        lambda: commands.create("a" * 16),
        lambda: commands.create("-2"),
        lambda: commands.add_node("nas", 0, fence="x"),
        lambda: commands.add_node("nas", 4097, fence="x"),
        lambda: commands.add_node("-n", 1, fence="x"),
        lambda: commands.add_node("nas", 1, params={"port": "1"}),
        lambda: commands.add_fence("x", "fence_apc", {"a b": "1"}),
        lambda: commands.add_fence("x", "fence_apc", {"a": "1\n2"}),
        lambda: commands.add_fence("x", "fence_apc", path="relative"),
        lambda: commands.kill(""),
        lambda: commands.reload(toolset=EL5),
    ],
)
def test_what_no_tool_could_take_is_refused(build: object) -> None:
    assert callable(build)
    with pytest.raises(ValidationError):
        build()


def test_what_a_generation_lacks_is_refused() -> None:
    with pytest.raises(UnsupportedError):
        commands.update(toolset=Toolset.EL6)
    with pytest.raises(UnsupportedError):
        commands.add_node("nas", 1, toolset=EL5)


def test_fencing_must_be_allowed_by_name() -> None:
    for command in (commands.fence_node("nas02"), commands.kill("nas02")):
        assert command.effect is Effect.DESTROY
        with pytest.raises(Refused):
            command.require_allowed()
        command.allow([command.shell()]).require_allowed()


def test_passwords_are_masked() -> None:
    command = commands.add_fence("x", "fence_apc", {"login": "apc", "passwd": "s3cret"})
    assert str(command) == "ccs_tool addfence x fence_apc login=apc 'passwd=********'"
    assert "s3cret" not in repr(command)
    assert "passwd=s3cret" in command.argv


def test_a_usage_error_is_seen_although_the_exit_code_is_zero() -> None:
    command = commands.create("nas")
    assert command.result(Output(stdout=b"done\n")).value == "done\n"
    result = command.result(Output(stderr=b"Usage: ccs_tool create ...\n"))
    with pytest.raises(ParseError, match="did nothing"):
        _ = result.value
