"""Runners around runners."""

from __future__ import annotations

import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from clusternas.core.command import Command, Effect, Output, Result, Secret, text
from clusternas.core.errors import (
    CommandError,
    CommandFailed,
    CommandNotFound,
    CommandTimeout,
    Drift,
    ParseError,
    Refused,
    Unreachable,
)
from clusternas.core.files import ABSENT, read_file, write_file
from clusternas.runners.local import Local
from clusternas.runners.wrap import Callback, DryRun, Recording, Replay, Sudo

from .conftest import tool

READ = Command(("cat", "/proc/drbd"), text, effect=Effect.READ)
UP = Command(("drbdadm", "up", "r0"), text)
WIPE = Command(("drbdadm", "create-md", "r0"), text, effect=Effect.DESTROY)


def echo(command: Command[object]) -> Output:
    return Output(stdout=" ".join(command.argv).encode())


class TestCallback:
    def test_a_function_is_a_runner(self) -> None:
        result = Callback(echo, name="nas01").run(UP)
        assert (result.value, result.node) == ("drbdadm up r0", "nas01")

    def test_its_exit_code_is_judged(self) -> None:
        with pytest.raises(CommandFailed):
            Callback(lambda _: Output(3)).run(UP)

    def test_nothing_destroys_without_consent(self) -> None:
        with pytest.raises(Refused):
            Callback(echo).run(WIPE)
        assert Callback(echo).run(WIPE.allow([WIPE.name])).value == "drbdadm create-md r0"


class TestSudo:
    def test_what_it_calls(self) -> None:
        command = Command(("id", "-u"), text, env=(("A", "b c"),))
        assert Sudo(Callback(echo)).argv(command) == (
            *("sudo", "-n", "--", "env", "LC_ALL=C", "A=b c"),
            *("id", "-u"),
        )
        assert Sudo(Callback(echo), user="nobody").argv(command)[2:4] == ("-u", "nobody")

    def test_the_result_is_of_the_command(self) -> None:
        result = Sudo(Callback(echo)).run(UP)
        assert result.command is UP
        assert result.value == "sudo -n -- env LC_ALL=C drbdadm up r0"

    def test_consent_is_for_the_command(self) -> None:
        with pytest.raises(Refused):
            Sudo(Callback(echo)).run(WIPE)
        assert Sudo(Callback(echo)).run(WIPE.allow(["drbdadm create-md r0"])).value

    def test_a_password_is_not_asked_for(self) -> None:
        refuses = Callback(lambda _: Output(1, b"", b"sudo: a password is required\n"))
        with pytest.raises(CommandFailed) as caught:
            Sudo(refuses).run(UP)
        assert "NOPASSWD" in caught.value.hint

    @pytest.mark.skipif(os.geteuid() != 0, reason="needs rights to become another user")
    def test_the_real_one(self) -> None:
        tool("sudo")
        sudo = Sudo(Local(), user="nobody")
        command = Command(
            ("sh", "-c", "id -un; echo $A $LC_ALL; cat"), text, stdin=b"x", env=(("A", "1"),)
        )
        assert sudo.run(command).value == "nobody\n1 C\nx"
        with pytest.raises(CommandNotFound):
            sudo.run(Command(("no-such-tool",), text))


class TestDryRun:
    def test_only_what_reads_runs(self) -> None:
        asked: list[Command[object]] = []

        def remember(command: Command[object]) -> Output:
            asked.append(command)
            return Output(stdout=b"read")

        paper = DryRun(Callback(remember))
        assert paper.run(READ).value == "read"
        assert paper.run(UP).value == ""
        assert paper.run(WIPE).value == ""
        assert asked == [READ]
        assert paper.commands == [UP, WIPE]

    def test_files_are_left_alone(self, tmp_path: Path) -> None:
        paper = DryRun()
        paper.run(write_file(f"{tmp_path}/new", b"x", expect=ABSENT))
        assert list(tmp_path.iterdir()) == []
        assert paper.run(read_file(f"{tmp_path}/new")).value is None


class TestRecording:
    def test_what_is_recorded_is_replayed(self, tmp_path: Path) -> None:
        path = tmp_path / "session.jsonl"
        live = Recording(Local(name="nas01"), path)
        odd = Command(("printf", r"\377\r\n"), text, effect=Effect.READ)
        with_input = [Command(("cat",), text, stdin=word) for word in (b"one", b"two")]
        commands = [odd, *with_input, odd]
        answers = [live.run(command).output for command in commands]
        replay = Replay(path)
        assert replay.left == 4
        assert [replay.run(command).output for command in commands] == answers
        assert replay.left == 0
        with pytest.raises(CommandFailed, match="no answer"):
            replay.run(odd)

    def test_answers_come_in_order(self, tmp_path: Path) -> None:
        numbers = iter(range(3))
        live = Recording(Callback(lambda _: Output(stdout=b"%d" % next(numbers))), tmp_path / "a")
        for _ in range(3):
            live.run(READ)
        replay = Replay(tmp_path / "a")
        assert [replay.run(READ).value for _ in range(3)] == ["0", "1", "2"]

    @pytest.mark.parametrize("kind", [CommandNotFound, CommandTimeout, Drift, Unreachable])
    def test_errors_too(self, tmp_path: Path, kind: type[CommandError]) -> None:
        def fail(command: Command[object]) -> Output:
            raise command.error(kind, "it broke", Output(9, b"so far", b"why"), hint="look")

        with pytest.raises(kind):
            Recording(Callback(fail), tmp_path / "a").run(UP)
        with pytest.raises(kind, match="it broke") as caught:
            Replay(tmp_path / "a").run(UP)
        error = caught.value
        assert (error.exit_code, error.stdout, error.stderr) == (9, "so far", "why")
        assert (error.hint, error.command) == ("look", "drbdadm up r0")

    def test_an_error_before_anything_ran(self, tmp_path: Path) -> None:
        def fail(command: Command[object]) -> Output:
            raise command.error(Unreachable, "no route")

        with pytest.raises(Unreachable):
            Recording(Callback(fail), tmp_path / "a").run(UP)
        with pytest.raises(Unreachable) as caught:
            Replay(tmp_path / "a").run(UP)
        assert caught.value.exit_code is None

    def test_secrets_are_masked_and_found_again(self, tmp_path: Path) -> None:
        command = Command(("echo", "s3cret"), text, stdin=b"s3cret", secrets=(Secret("s3cret"),))
        Recording(Local(), tmp_path / "a").run(command)
        assert "s3cret" not in (tmp_path / "a").read_text()
        assert Replay(tmp_path / "a").run(command).value == "********\n"

    def test_many_threads_write_whole_lines(self, tmp_path: Path) -> None:
        live = Recording(Callback(lambda _: Output(stdout=b"x" * 20_000)), tmp_path / "a")
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: live.run(READ), range(40)))
        lines = (tmp_path / "a").read_text().splitlines()
        assert [len(json.loads(line)["stdout"]) for line in lines] == [20_000] * 40

    @pytest.mark.parametrize("line", ["{", "[]", '{"argv": 1}', '{"argv": ["a"]}', "3"])
    def test_a_broken_file(self, tmp_path: Path, line: str) -> None:
        path = tmp_path / "a"
        path.write_text(f"{line}\n")
        with pytest.raises(ParseError, match="not a recorded command") as caught:
            Replay(path)
        assert (caught.value.path, caught.value.line) == (str(path), 1)

    def test_a_command_nobody_recorded(self, tmp_path: Path) -> None:
        (tmp_path / "a").touch()
        with pytest.raises(CommandFailed):
            Replay(tmp_path / "a").run(UP)

    def test_nothing_destroys_without_consent(self, tmp_path: Path) -> None:
        Recording(Callback(echo), tmp_path / "a").run(WIPE.allow([WIPE.name]))
        with pytest.raises(Refused):
            Replay(tmp_path / "a").run(WIPE)


class Invoked:
    """Stands for a user's own class: it has `run` and knows nothing of clusternas."""

    def run(self, command: Command[str], /) -> Result[str]:
        done = subprocess.run(command.argv, input=command.stdin, capture_output=True, check=False)
        return command.result(Output(done.returncode, done.stdout, done.stderr))


def test_any_object_with_run_will_do() -> None:
    assert Command(("echo", "hello"), text).run(Invoked()).value == "hello\n"
