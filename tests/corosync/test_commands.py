"""The command lines of corosync's tools and of dlm_tool."""

from __future__ import annotations

import pytest

from clusternas.core.command import Command, Effect, Output
from clusternas.core.errors import CommandFailed, Refused, ValidationError
from clusternas.core.versions import Toolset
from clusternas.corosync import commands


@pytest.mark.parametrize(
    ("command", "line"),
    [
        (commands.version(), "corosync -v"),
        (commands.check_config(), "corosync -t -c /etc/corosync/corosync.conf"),
        (commands.check_config("/tmp/c", Toolset(corosync="2.4.3")), "corosync -t"),
        (commands.quorum_status(), "corosync-quorumtool -s"),
        (commands.links(), "corosync-cfgtool -s"),
        (commands.peers(), "corosync-cfgtool -n"),
        (commands.cmap(), "corosync-cmapctl"),
        (commands.cmap("quorum."), "corosync-cmapctl quorum."),
        (commands.expected(1), "corosync-quorumtool -e 1"),
        (commands.reload(), "corosync-cfgtool -R"),
        (commands.shutdown(), "corosync-cfgtool -H"),
        (commands.kill(2), "corosync-cfgtool -k 2"),
        (commands.keygen(), "corosync-keygen -k /etc/corosync/authkey"),
        (commands.lockspaces(), "dlm_tool ls"),
        (commands.dlm_status(), "dlm_tool status"),
        (commands.dlm_config(), "dlm_tool dump_config"),
        (commands.dlm_dump(), "dlm_tool dump"),
        (commands.dlm_reload(), "dlm_tool reload_config"),
        (commands.fence_ack(2), "dlm_tool fence_ack 2"),
    ],
)
def test_command_lines(command: Command[object], line: str) -> None:
    assert command.shell() == line


def test_2_takes_the_file_from_the_environment() -> None:
    command = commands.check_config("/tmp/c", Toolset(corosync="2.4.3"))
    assert command.env == (("COROSYNC_MAIN_CONFIG_FILE", "/tmp/c"),)
    assert commands.check_config("/tmp/c").env == ()


def test_a_bad_file_is_an_answer_not_a_failure() -> None:
    command = commands.check_config()
    bad = command.result(Output(exit_code=8, stderr=b"parse error in config: oops\n")).value
    assert (bad.ok, bad.message) == (False, "parse error in config: oops")
    assert command.result(Output(stderr=b"a warning")).value.ok


def test_no_quorum_is_an_answer_but_no_corosync_is_a_failure() -> None:
    command = commands.quorum_status()
    command.result(Output(exit_code=2))
    with pytest.raises(CommandFailed):
        command.result(Output(exit_code=1, stderr=b"Cannot initialize CMAP service\n"))


@pytest.mark.parametrize("command", [commands.kill(2), commands.fence_ack(2), commands.keygen()])
def test_what_endangers_data_must_be_allowed_by_name(command: Command[str]) -> None:
    assert command.effect is Effect.DESTROY
    with pytest.raises(Refused):
        command.require_allowed()
    command.allow([command.shell()]).require_allowed()


@pytest.mark.parametrize(
    "build",
    [
        lambda: commands.cmap("-s"),
        lambda: commands.cmap("a b"),
        lambda: commands.fence_ack(0),
        lambda: commands.kill(2**32),
        lambda: commands.expected(-1),
        lambda: commands.check_config("relative"),
    ],
)
def test_what_no_tool_could_take_is_refused(build: object) -> None:
    assert callable(build)
    with pytest.raises(ValidationError):
        build()
