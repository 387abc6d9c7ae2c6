"""What was done, how long it took, what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import attrs

__all__ = ["Row", "Table"]


@attrs.frozen
class Row:
    """One line: a step, its seconds, and its result: `ok` or what went wrong."""

    step: str
    seconds: float
    result: str


@attrs.define
class Table:
    """The rows so far; each is shown when it is complete.

    Attributes:
        show: prints a line.
        rows: so far.
    """

    show: Callable[[str], object] = print
    rows: list[Row] = attrs.field(factory=list)

    @property
    def failed(self) -> bool:
        """Whether a step failed."""
        return any(row.result != "ok" for row in self.rows)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time a step; an `AssertionError` in it is a promise that was not kept, and only that."""
        began = time.monotonic()
        try:
            yield
        except AssertionError as error:
            self.add(name, time.monotonic() - began, f"NOT KEPT: {error}")
        except BaseException as error:
            self.add(name, time.monotonic() - began, f"{type(error).__name__}: {error}")
            raise
        else:
            self.add(name, time.monotonic() - began, "ok")

    def add(self, name: str, seconds: float, result: str) -> None:
        """Add a row."""
        self.rows.append(Row(name, seconds, result))
        self.show(f"{name:<48} {seconds:7.1f} s  {result.splitlines()[0] if result else ''}")

    def __str__(self) -> str:
        lines = [f"{row.step:<48} {row.seconds:7.1f} s  {row.result}" for row in self.rows]
        total = sum(row.seconds for row in self.rows if not row.step.startswith(" "))
        return "\n".join([*lines, f"{'total':<48} {total:7.1f} s"])
