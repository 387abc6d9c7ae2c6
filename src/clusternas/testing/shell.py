"""What the modules of tools have in common: how a tool ends, and how it is declared."""

from __future__ import annotations

import getopt
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

import attrs

from clusternas.core.command import Output
from clusternas.core.versions import Toolset

if TYPE_CHECKING:
    from clusternas.testing.node import FakeNode

__all__ = ["Daemon", "Exit", "Hang", "Tool", "always", "has", "options", "said"]


class Exit(Exception):
    """The tool ends with that exit code and text."""

    def __init__(self, code: int, stderr: str = "", stdout: str = "") -> None:
        super().__init__(code, stderr, stdout)
        self.output = said(stdout, stderr, code)


class Hang(Exception):
    """The tool does not end: it waits for something that nobody will do.

    Attributes:
        killable: whether `timeout` can end it; a process that waits in the kernel it cannot.
    """

    def __init__(self, why: str, *, killable: bool = True) -> None:
        super().__init__(why)
        self.killable = killable


def said(stdout: str = "", stderr: str = "", code: int = 0) -> Output:
    """An output from text; a last newline is added to standard error where it is missing."""
    if stderr and not stderr.endswith("\n"):
        stderr += "\n"
    return Output(
        code, stdout.encode("utf-8", "surrogateescape"), stderr.encode("utf-8", "surrogateescape")
    )


Answer: TypeAlias = str | Output
Run: TypeAlias = "Callable[[FakeNode, tuple[str, ...], bytes], Answer]"
Predicate: TypeAlias = Callable[[Toolset], bool]


def always(_toolset: Toolset) -> bool:
    """Installed everywhere."""
    return True


def has(name: str, *, since: str = "", until: str = "") -> Predicate:
    """Installed where the toolset names that tool, in that range of versions."""

    def predicate(toolset: Toolset) -> bool:
        return toolset.version(name) is not None and toolset.has(name, since=since, until=until)

    return predicate


@attrs.frozen
class Tool:
    """A program.

    Attributes:
        run: takes the node, the arguments after the program's name and standard input; returns
            what it prints, or raises `Exit` or `Hang`.
        installed: on which toolsets.
    """

    run: Run
    installed: Predicate = always


@attrs.frozen
class Daemon:
    """A service and its place in the order of booting.

    Attributes:
        start, stop: what happens; raise `Exit` where it fails.
        needs: services that systemd starts before it.
        chkconfig: run levels, start and stop number of its init script's header; `-` for no level.
        installed: on which toolsets.
        enabled: whether the package enables it.
    """

    start: Callable[[FakeNode], None]
    stop: Callable[[FakeNode], None]
    needs: tuple[str, ...] = ()
    chkconfig: str = "- 90 10"
    installed: Predicate = always
    enabled: bool = False


def nothing(_node: FakeNode) -> None:
    """For a daemon whose start or stop only shows in its being active."""


def options(
    args: Sequence[str], short: str = "", long: Sequence[str] = (), *, code: int = 1, tool: str = ""
) -> tuple[Mapping[str, str], list[str]]:
    """Options (without dashes; of a repeated one the last) and operands, mixed as getopt does."""
    try:
        pairs, operands = getopt.gnu_getopt(list(args), short, list(long))
    except getopt.GetoptError as error:
        raise Exit(code, f"{tool}: {error.msg}" if tool else error.msg) from None
    return {name.lstrip("-"): value for name, value in pairs}, operands
