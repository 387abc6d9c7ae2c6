"""Every error clusternas raises, as one tree.

```
ClusterNasError
├── ConfigError (ValueError)
│   ├── ParseError          no value can be read from this text
│   ├── ValidationError     a value no version of the tool accepts
│   └── UnsupportedError    a value this toolset cannot express
├── CommandError
│   ├── CommandFailed       it ran and said no
│   ├── CommandNotFound     the binary is not installed
│   ├── CommandTimeout      (TimeoutError) it did not end in time
│   └── Unreachable         (ConnectionError) the node did not answer
│   └── Drift               also a PlanError, below
├── PlanError
│   ├── Drift               the machine is not what it was when it was read
│   └── Refused             it would destroy data and nobody allowed it by name
└── NodesError              (ExceptionGroup) some nodes failed; the good results are kept
```

Each has a stable `code` and a `hint` saying what to do. All pickle; none prints or exits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from clusternas.core.text import excerpt

__all__ = [
    "ClusterNasError",
    "CommandError",
    "CommandFailed",
    "CommandNotFound",
    "CommandTimeout",
    "ConfigError",
    "Drift",
    "NodesError",
    "ParseError",
    "PlanError",
    "Refused",
    "Unreachable",
    "UnsupportedError",
    "ValidationError",
]


def _rebuild(
    cls: type[ClusterNasError], args: tuple[object, ...], state: dict[str, object]
) -> ClusterNasError:
    error = cls.__new__(cls)
    error.__dict__.update(state)
    error.args = args
    return error


class ClusterNasError(Exception):
    """Base of everything clusternas raises.

    Attributes:
        code: stable identifier, the same in every release.
        hint: what to do about it; may be empty.
    """

    code: ClassVar[str] = "CN000"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    @property
    def message(self) -> str:
        """What is wrong, one sentence."""
        return str(self.args[0])

    def __str__(self) -> str:
        return f"{self.message}\n  help: {self.hint}" if self.hint else self.message

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


class ConfigError(ClusterNasError, ValueError):
    """A configuration text or value is wrong.

    Attributes:
        path: the file, where one is known.
        line, column: 1-based position, or 0 where there is none.
        source: the offending line, without its newline.
    """

    code = "CN100"

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        path: str = "",
        line: int = 0,
        column: int = 0,
        source: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        self.path = path
        self.line = line
        self.column = column
        self.source = source

    def __str__(self) -> str:
        where = ":".join(str(part) for part in (self.path, self.line, self.column) if part)
        head = f"{where}: {self.message}" if where else self.message
        rows = [head]
        if self.source and self.column:
            rows += [f"  {row}" for row in excerpt(self.source, self.column)]
        if self.hint:
            rows.append(f"  help: {self.hint}")
        return "\n".join(rows)


class ParseError(ConfigError):
    """No value can be read from this text."""

    code = "CN101"


class ValidationError(ConfigError):
    """A value that no version of the tool accepts."""

    code = "CN102"


class UnsupportedError(ConfigError):
    """A value that the toolset asked for cannot express."""

    code = "CN103"


class CommandError(ClusterNasError):
    """A command did not do its work.

    Attributes:
        command: the command line, secrets masked.
        node: the node's name, empty for this machine.
        exit_code: the exit status, or None where there was none.
        stdout, stderr: what it printed until then, secrets masked.
    """

    code = "CN200"

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        command: str = "",
        node: str = "",
        exit_code: int | None = None,
        stdout: str = "",
        stderr: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        self.command = command
        self.node = node
        self.exit_code = exit_code
        self.stdout = stdout
        self.stderr = stderr

    def __str__(self) -> str:
        rows = [f"{self.node}: {self.message}" if self.node else self.message]
        if self.command:
            rows.append(f"  command: {self.command}")
        rows += [f"  | {line}" for line in (self.stderr or self.stdout).splitlines()[-10:]]
        if self.hint:
            rows.append(f"  help: {self.hint}")
        return "\n".join(rows)


class CommandFailed(CommandError):
    """It ran, and its exit code says that it failed."""

    code = "CN201"


class CommandNotFound(CommandError):
    """The binary is not installed on that machine."""

    code = "CN202"


class CommandTimeout(CommandError, TimeoutError):
    """It did not end within its timeout and was killed."""

    code = "CN203"


class Unreachable(CommandError, ConnectionError):
    """The node could not be reached; nothing is known about the command."""

    code = "CN204"


class PlanError(ClusterNasError):
    """A plan cannot be made or carried out."""

    code = "CN300"


class Drift(PlanError, CommandError):
    """The machine is not what it was when it was read, so the command left it alone.

    A command finds out, at the moment it would act; so this is a `CommandError` as well, and says
    which command on which node.
    """

    code = "CN301"


class Refused(PlanError):
    """It would destroy data and nobody allowed it by name, or somebody else is at work.

    Attributes:
        allow: the names to allow, where that is what is missing.
        holder: who has the lock of a node, where that is what is in the way.
    """

    code = "CN302"

    def __init__(
        self, message: str, *, hint: str = "", allow: Sequence[str] = (), holder: str = ""
    ) -> None:
        super().__init__(message, hint=hint)
        self.allow = tuple(allow)
        self.holder = holder


class NodesError(ExceptionGroup[CommandError], ClusterNasError):
    """Some nodes failed.

    Attributes:
        exceptions: what went wrong, one error per failed node.
        results: what the other nodes answered, by name.
        hint: what to do about it; may be empty.
    """

    code = "CN400"
    results: Mapping[str, object]

    def __new__(
        cls,
        message: str,
        errors: Sequence[CommandError],
        results: Mapping[str, object] | None = None,
        *,
        hint: str = "",
    ) -> NodesError:
        """Make the group; the good results are copied."""
        self = super().__new__(cls, message, errors)
        self.results = dict(results or {})
        self.hint = hint
        return self

    def __init__(self, *_: object, **__: object) -> None:
        """`__new__` did it all: a group is made before it is initialised."""

    def derive(  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        self, excs: Sequence[CommandError], /
    ) -> NodesError:
        """Keep the good results when the group is split."""
        return NodesError(self.message, excs, self.results, hint=self.hint)

    def __str__(self) -> str:
        rows = [self.message, *(str(error) for error in self.exceptions)]
        return "\n".join([*rows, f"  help: {self.hint}"] if self.hint else rows)

    def __reduce__(self) -> tuple[Any, ...]:
        return _regroup, (self.message, list(self.exceptions), self.results, self.hint)


def _regroup(
    message: str, errors: Sequence[CommandError], results: Mapping[str, object], hint: str
) -> NodesError:
    return NodesError(message, errors, results, hint=hint)
