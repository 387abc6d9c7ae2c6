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

from clusternas.core.errors import (
    CommandError,
    CommandFailed,
    CommandNotFound,
    Refused,
    ValidationError,
)
from clusternas.core.text import MASK, mask

__all__ = [
    "Command",
    "Effect",
    "Output",
    "Result",
    "Runner",
    "Secret",
    "absolute",
    "operand",
    "text",
]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

NOT_FOUND = 127  # what sh, env and sudo exit with when there is no such tool (POSIX, env)

E = TypeVar("E", bound=CommandError)


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


def _codes(value: Iterable[int]) -> frozenset[int]:
    return frozenset(value)


def _check_argv(_: object, __: object, value: tuple[object, ...]) -> None:
    if not value or not value[0]:
        raise ValidationError("a command needs a tool to run")
    for argument in value:
        if not isinstance(argument, str) or "\0" in argument or not _has_bytes(argument):
            raise ValidationError(
                f"not an argument: {argument!r}", hint="arguments are strings without NUL"
            )


def _has_bytes(argument: str) -> bool:
    try:
        argument.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return True


def _positive(_: object, __: object, value: float) -> None:
    if not value > 0:
        raise ValidationError(f"not a timeout: {value!r}", hint="give seconds, more than 0")


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
        name: what a destructive command must be allowed by; by default its title or its arguments.
        title: how it is shown, where the command line is a script nobody wants to read.
        raises: errors that certain exit codes mean, as pairs; others mean `CommandFailed`.
        consent: the name it was allowed by; see `allow`.

    Example:
        >>> status = Command(("drbdadm", "role", "r0"), text, effect=Effect.READ)
        >>> status.shell()
        'drbdadm role r0'
    """

    argv: tuple[str, ...] = attrs.field(converter=_argv, validator=_check_argv)
    decode: Callable[[Output], T_co] = attrs.field(repr=False)
    stdin: bytes = attrs.field(default=b"", repr=False)
    effect: Effect = Effect.CHANGE
    timeout: float = attrs.field(default=60.0, validator=_positive)
    ok: frozenset[int] = attrs.field(default=frozenset({0}), converter=_codes)
    env: tuple[tuple[str, str], ...] = ()
    secrets: tuple[Secret, ...] = ()
    name: str = ""
    title: str = ""
    raises: tuple[tuple[int, type[CommandError]], ...] = ()
    consent: str = ""

    def __attrs_post_init__(self) -> None:
        if not self.name:
            named = self.title or " ".join(self.argv)
            object.__setattr__(self, "name", self.mask(named))

    def shell(self) -> str:
        """The command line for a shell; splitting it gives `argv` again. Secrets are not masked."""
        return shlex.join(self.argv)

    def mask(self, shown: str) -> str:
        """That text with every secret of this command masked."""
        return mask(shown, (secret.reveal() for secret in self.secrets))

    def __str__(self) -> str:
        # Masked before it is quoted: quoting may change how a secret looks.
        return self.mask(self.title) or shlex.join(self.mask(part) for part in self.argv)

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
                allow=(self.name,),
            )

    def error(
        self,
        kind: type[E],
        message: str,
        output: Output | None = None,
        *,
        node: str = "",
        hint: str = "",
    ) -> E:
        """An error about this command, with what it printed; secrets masked.

        Args:
            kind: the class of the error.
            message: what is wrong, one sentence.
            output: what is known of its output; none means that it never ran.
            node: the node's name, empty for this machine.
            hint: what to do about it.
        """
        return kind(
            self.mask(message),
            hint=hint,
            command=str(self),
            node=node,
            exit_code=output.exit_code if output else None,
            stdout=self.mask(output.text) if output else "",
            stderr=self.mask(output.error_text) if output else "",
        )

    def result(self, output: Output, *, node: str = "", duration: float = 0.0) -> Result[T_co]:
        """Judge an output: the result, or the error that its exit code means.

        Raises:
            CommandError: the exit code is not in `ok`; which error says `raises`, else 127 means
                `CommandNotFound` and every other code `CommandFailed`.
        """
        code = output.exit_code
        if code in self.ok:
            return Result(self, output, node, duration)
        if kind := dict(self.raises).get(code):
            message = output.error_text.strip() or f"{self.argv[0]} ended with exit code {code}"
            raise self.error(kind, message, output, node=node)
        if code == NOT_FOUND:
            raise self.error(CommandNotFound, "a tool it needs is not installed", output, node=node)
        ended = f"was killed by signal {-code}" if code < 0 else f"failed with exit code {code}"
        raise self.error(CommandFailed, f"{self.title or self.argv[0]} {ended}", output, node=node)

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
    """Check a value that a tool reads as an operand.

    Nothing a tool could take for an option or for a second line.

    Raises:
        ValidationError: it is empty, starts with `-`, or holds a control character.
    """
    if not value or value.startswith("-") or not value.isprintable():
        raise ValidationError(
            f"not a {what}: {value!r}",
            hint="it must not be empty, start with '-', or hold control characters",
        )
    return value


def absolute(value: str, what: str = "path") -> str:
    """Check the path of a file or device: an operand that starts with a slash.

    Raises:
        ValidationError: it is relative, or no operand.
    """
    if not operand(value, what).startswith("/"):
        raise ValidationError(f"not a {what}: {value!r}", hint="write the absolute path")
    return value
