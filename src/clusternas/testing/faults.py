"""Faults to come, by the name of the command they strike."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

import attrs

from clusternas.core.command import Output
from clusternas.testing.shell import said

__all__ = ["Fault", "Faults"]


def _words(name: str) -> tuple[str, ...]:
    return tuple(shlex.split(name))


@attrs.define
class Fault:
    """One thing that will go wrong.

    Attributes:
        node: where.
        words: words that the command line must contain, in that order; given as one string.
        kind: `fail`, `hang`, `lose` (the connection breaks) or `slow`.
        when: `before` the command does anything, `halfway`, or `after` it has done all.
        times: how often.
        output: what a failing command leaves behind.
        seconds: how long a slow one takes.
    """

    node: str
    words: tuple[str, ...] = attrs.field(converter=_words)
    kind: str
    when: str = "before"
    times: int = 1
    output: Output = attrs.field(factory=lambda: said(code=1))
    seconds: float = 0.0

    def strikes(self, node: str, argv: Iterable[str]) -> bool:
        """Whether it strikes that command there."""
        rest = iter(argv)
        return self.times > 0 and node == self.node and all(word in rest for word in self.words)


class Faults:
    """All faults to come; each is used up by striking."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Arm a fault."""
        self._faults.append(fault)

    def take(self, node: str, argv: tuple[str, ...]) -> Fault | None:
        """The first fault that strikes this command, with one of its times used up."""
        for fault in self._faults:
            if fault.strikes(node, argv):
                fault.times -= 1
                return fault
        return None

    def clear(self) -> None:
        """Forget them all."""
        self._faults.clear()
