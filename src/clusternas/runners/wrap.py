"""Runners around runners: as another user, on paper, recorded and replayed, or a function."""

from __future__ import annotations

import json
import threading
from collections import defaultdict, deque
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import attrs

from clusternas.core import errors
from clusternas.core.command import Command, Effect, Output, Result, Runner, operand
from clusternas.core.errors import CommandError, CommandFailed, ParseError
from clusternas.core.files import digest
from clusternas.core.text import decode, encode
from clusternas.runners.base import perform
from clusternas.runners.local import Local

__all__ = ["Callback", "DryRun", "Recording", "Replay", "Sudo"]

T = TypeVar("T")


@attrs.frozen
class Sudo:
    """Run commands through sudo, which must not ask for a password.

    Attributes:
        runner: where.
        user: as whom; root by default.

    Example:
        >>> Sudo(Local()).argv(Command(("drbdadm", "up", "r0"), print))
        ('sudo', '-n', '--', 'env', 'LC_ALL=C', 'drbdadm', 'up', 'r0')
    """

    runner: Runner = attrs.field(factory=Local)
    user: str = ""

    def run(self, command: Command[T], /) -> Result[T]:
        """Run it as that user; errors are those of the runner."""
        try:
            result = self.runner.run(attrs.evolve(command, argv=self.argv(command)))
        except CommandFailed as error:
            if error.stderr.startswith("sudo: "):
                error.hint = "sudoers must let this user run it without a password (NOPASSWD)"
            raise
        return attrs.evolve(result, command=command)

    def argv(self, command: Command[object]) -> tuple[str, ...]:
        """The call of sudo; sudo drops the environment, so it is given again."""
        user = ("-u", operand(self.user, "user")) if self.user else ()
        env = (f"{name}={value}" for name, value in command.env)
        return ("sudo", "-n", *user, "--", "env", "LC_ALL=C", *env, *command.argv)


@attrs.frozen
class DryRun:
    """Run what only reads, write down the rest and answer it with an empty output.

    The empty output may be no value: `.value` of such a result can raise `ParseError`.

    Attributes:
        runner: where reading commands run.
        commands: what would have been run, in order.

    Example:
        >>> paper = DryRun()
        >>> paper.run(Command(("drbdadm", "up", "r0"), print)).output
        Output(exit_code=0, stdout=b'', stderr=b'')
        >>> paper.commands
        [Command(drbdadm up r0, change)]
    """

    runner: Runner = attrs.field(factory=Local)
    commands: list[Command[object]] = attrs.field(factory=list, init=False)

    def run(self, command: Command[T], /) -> Result[T]:
        """Run it if it only reads."""
        if command.effect is Effect.READ:
            return self.runner.run(command)
        self.commands.append(command)
        return Result(command, Output())


@attrs.frozen
class Callback:
    """Let a function answer: for tests, and for tools that have their own way to run things.

    Attributes:
        function: gets the command and returns its output, whatever the exit code.
        name: the node's name in results.

    Example:
        >>> from clusternas.core.command import text
        >>> node = Callback(lambda command: Output(stdout=b"Connected\\n"))
        >>> node.run(Command(("drbdadm", "cstate", "r0"), text)).value
        'Connected\\n'
    """

    function: Callable[[Command[object]], Output]
    name: str = ""

    def run(self, command: Command[T], /) -> Result[T]:
        """Ask the function and judge its answer."""
        return perform(command, self.function, self.name)


@attrs.frozen
class Recording:
    """Run commands, and append each with its answer to a file, secrets masked.

    The file has one JSON object a line: `argv`, `stdin` (a digest), then `exit_code`, `stdout` and
    `stderr`; for an error also `error`, `message` and `hint`. `Replay` reads it.

    Attributes:
        runner: where commands run.
        path: the file; it is made if there is none.
    """

    runner: Runner
    path: Path = attrs.field(converter=Path)
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False, repr=False, eq=False)

    def run(self, command: Command[T], /) -> Result[T]:
        """Run it and write down what came of it."""
        try:
            result = self.runner.run(command)
        except CommandError as error:
            self._append(command, _error_record(error))
            raise
        self._append(command, _output_record(command, result.output))
        return result

    def _append(self, command: Command[object], answer: dict[str, object]) -> None:
        argv, stdin = _key(command)
        line = json.dumps({"argv": argv, "stdin": stdin, **answer})
        with self._lock, self.path.open("a", encoding="ascii") as file:
            file.write(f"{line}\n")


@attrs.frozen
class Replay:
    """Answer commands from a file of `Recording`: each answer once, in the order recorded.

    Attributes:
        path: the file.

    Raises:
        ParseError: a line of the file is not a recorded command.
    """

    path: Path = attrs.field(converter=Path)
    _answers: dict[object, deque[dict[str, object]]] = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        answers: dict[object, deque[dict[str, object]]] = defaultdict(deque)
        for number, line in enumerate(self.path.read_text(encoding="ascii").splitlines(), 1):
            try:
                record = json.loads(line)
                answers[tuple(record.pop("argv")), record.pop("stdin")].append(record)
            except (ValueError, KeyError, TypeError, AttributeError):
                raise ParseError(
                    "not a recorded command", path=str(self.path), line=number, source=line
                ) from None
        object.__setattr__(self, "_answers", answers)

    @property
    def left(self) -> int:
        """How many recorded answers nobody has asked for."""
        return sum(map(len, self._answers.values()))

    def run(self, command: Command[T], /) -> Result[T]:
        """Answer it, with the recorded output or the recorded error.

        Raises:
            CommandFailed: no answer to it is left.
        """
        return perform(command, self._answer)

    def _answer(self, command: Command[object]) -> Output:
        answers = self._answers.get(_key(command))
        if not answers:
            raise command.error(CommandFailed, f"{self.path} has no answer to it (any more)")
        record = answers.popleft()
        code = record["exit_code"]
        output = Output(
            code if isinstance(code, int) else 0,
            encode(str(record["stdout"])),
            encode(str(record["stderr"])),
        )
        if "error" not in record:
            return output
        kind = getattr(errors, str(record["error"]))
        printed = None if code is None else output
        raise command.error(kind, str(record["message"]), printed, hint=str(record["hint"]))


def _key(command: Command[object]) -> tuple[tuple[str, ...], str]:
    stdin = encode(command.mask(decode(command.stdin)))
    return tuple(command.mask(argument) for argument in command.argv), digest(stdin)


def _output_record(command: Command[object], output: Output) -> dict[str, object]:
    return {
        "exit_code": output.exit_code,
        "stdout": command.mask(output.text),
        "stderr": command.mask(output.error_text),
    }


def _error_record(error: CommandError) -> dict[str, object]:
    return {
        "error": type(error).__name__,
        "message": error.message,
        "hint": error.hint,
        "exit_code": error.exit_code,
        "stdout": error.stdout,
        "stderr": error.stderr,
    }
