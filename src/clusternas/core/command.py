"""Commands as values: building one runs nothing.

A `Command` says what to run, what it does to the machine, how long it may take and how its output
becomes a typed value. A `Runner` runs it: on this machine, over ssh, on paper, or on a fake.
"""

from __future__ import annotations

import enum
import shlex
from collections.abc import Callable, Iterable
from typing import Generic, Protocol, TypeVar, runtime_checkable

import attrs

from clusternas.core.errors import CommandFailed, Refused, ValidationError

__all__ = ["Command", "Effect", "Output", "Result", "Runner", "Secret", "operand", "text"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

MASK = "********"


class Effect(enum.Enum):
    """What a command does to the machine."""

    READ = "read"
    CHANGE = "change"
    DESTROY = "destroy"


class Secret:
    """A string that shows itself only to who asks by name.

    >>> Secret("s3cret"), Secret("s3cret").reveal()
    (Secret(********), 's3cret')
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The string itself."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash((Secret, self._value))


@attrs.frozen
class Output:
    """What a process left behind.

    Attributes:
        exit_code: exit status; negative for a signal.
        stdout, stderr: the bytes it wrote.
    """

    exit_code: int = 0
    stdout: bytes = b""
    stderr: bytes = b""

    @property
    def text(self) -> str:
        """Standard output as text; bytes that are not UTF-8 survive as surrogates."""
        return self.stdout.decode("utf-8", "surrogateescape")

    @property
    def error_text(self) -> str:
        """Standard error as text."""
        return self.stderr.decode("utf-8", "surrogateescape")


def text(output: Output) -> str:
    """Decode an output to its text: the decoder of commands that print nothing typed."""
    return output.text


@attrs.frozen
class Result(Generic[T_co]):
    """A command that ran, with its output.

    Attributes:
        command: what ran.
        output: exit code and bytes.
        node: the node's name, empty for this machine.
        duration: seconds.
    """

    command: Command[T_co]
    output: Output
    node: str = ""
    duration: float = 0.0

    @property
    def value(self) -> T_co:
        """The typed value of the output, decoded when asked for."""
        return self.command.decode(self.output)


@runtime_checkable
class Runner(Protocol):
    """Whatever can run a command. One method."""

    def run(self, command: Command[T], /) -> Result[T]:
        """Run it and return its result, or raise a `CommandError`."""
        ...


def _argv(value: Iterable[str]) -> tuple[str, ...]:
    if isinstance(value, str):
        raise ValidationError("argv is one string", hint="give one string per argument")
    return tuple(value)


@attrs.frozen
class Command(Generic[T_co]):
    """One call of one tool.

    Attributes:
        argv: the tool and its arguments, one string each.
        decode: a module-level function from `Output` to the typed value.
        stdin: bytes for standard input; empty means an empty input, never the caller's.
        effect: what it does to the machine.
        timeout: seconds until it is killed.
        ok: exit codes that mean success.
        env: environment variables beside `LC_ALL=C`, as pairs.
        secrets: strings masked wherever the command is shown.
        name: what a destructive command must be allowed by; by default the arguments joined.
        consent: the name it was allowed by; see `allow`.

    Example:
        >>> status = Command(("drbdadm", "role", "r0"), text, effect=Effect.READ)
        >>> status.shell()
        'drbdadm role r0'
    """

    argv: tuple[str, ...] = attrs.field(converter=_argv)
    decode: Callable[[Output], T_co] = attrs.field(repr=False)
    stdin: bytes = attrs.field(default=b"", repr=False)
    effect: Effect = Effect.CHANGE
    timeout: float = 60.0
    ok: frozenset[int] = attrs.field(default=frozenset({0}), converter=frozenset)
    env: tuple[tuple[str, str], ...] = ()
    secrets: tuple[Secret, ...] = ()
    name: str = ""
    consent: str = ""

    def __attrs_post_init__(self) -> None:
        if not self.argv or not self.argv[0]:
            raise ValidationError("a command needs a tool to run")
        for argument in self.argv:
            if not isinstance(argument, str) or "\0" in argument:
                raise ValidationError(f"not an argument: {argument!r}", hint="arguments are strings without NUL")
        if not self.name:
            object.__setattr__(self, "name", self.mask(" ".join(self.argv)))

    def shell(self) -> str:
        """The command line for a shell; splitting it gives `argv` again. Secrets are not masked."""
        return shlex.join(self.argv)

    def mask(self, shown: str) -> str:
        """That text with every secret of this command masked."""
        for secret in self.secrets:
            if secret.reveal():
                shown = shown.replace(secret.reveal(), MASK)
        return shown

    def __str__(self) -> str:
        return self.mask(self.shell())

    def __repr__(self) -> str:
        return f"Command({self!s}, {self.effect.value})"

    def allow(self, names: Iterable[str]) -> Command[T_co]:
        """This command, allowed to run if one of the names is its own."""
        return attrs.evolve(self, consent=self.name) if self.name in tuple(names) else self

    def require_allowed(self) -> None:
        """Raise `Refused` for a destructive command that nobody allowed by name."""
        if self.effect is Effect.DESTROY and self.consent != self.name:
            raise Refused(
                f"{self.name!r} destroys data and was not allowed",
                hint=f"allow it by name: allow=[{self.name!r}]",
            )

    def result(self, output: Output, *, node: str = "", duration: float = 0.0) -> Result[T_co]:
        """Judge an output: the result, or `CommandFailed` if the exit code is not in `ok`."""
        if output.exit_code not in self.ok:
            raise CommandFailed(
                f"{self.argv[0]} failed with exit code {output.exit_code}",
                command=str(self),
                node=node,
                exit_code=output.exit_code,
                stdout=self.mask(output.text),
                stderr=self.mask(output.error_text),
            )
        return Result(self, output, node, duration)

    def run(self, runner: Runner | None = None, *, allow: Iterable[str] = ()) -> Result[T_co]:
        """Run it, by default on this machine.

        Args:
            runner: where; `clusternas.Local()` if not given.
            allow: names of destructive commands that may run.

        Raises:
            Refused: it destroys data and its name is not in `allow`.
            CommandError: it could not run, failed, or did not end in time.
        """
        allowed = self.allow(allow)
        allowed.require_allowed()
        if runner is None:
            from clusternas.runners.local import Local

            runner = Local()
        return runner.run(allowed)


def operand(value: str, what: str = "argument") -> str:
    """Check a value that a tool reads as an operand: nothing a tool could take for an option or a second line.

    Raises:
        ValidationError: it is empty, starts with `-`, or holds a control character.
    """
    if not value or value.startswith("-") or not value.isprintable():
        raise ValidationError(
            f"not a {what}: {value!r}",
            hint="it must not be empty, start with '-', or hold control characters",
        )
    return value
