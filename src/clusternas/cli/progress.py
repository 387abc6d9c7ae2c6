"""What is shown while a plan is applied: a line a step, and on a terminal what is awaited."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from clusternas.nas.apply import Event

__all__ = ["Progress"]

CLEAR = "\r\x1b[K"
"""To the first column, and nothing to the right: ECMA-48, EL."""
MARKS = {"done": "ok", "failed": "FAILED", "skipped": "skipped"}
EVERY = 60.0
"""Seconds between two lines about what is awaited, where they cannot be written over."""


class Progress:
    """Prints each step as it ends; below that, on a terminal, what runs and what is awaited.

    In a file or a pipe, what is awaited is a line of its own, at most one a minute for each step.

    Args:
        steps: how many there are in all.
        to: where it is printed.
    """

    def __init__(self, steps: int = 0, to: TextIO | None = None) -> None:
        self._to = to or sys.stdout
        self._steps = steps
        self._ended = 0
        self._began = time.monotonic()
        self._told: dict[str, float] = {}
        self._now: dict[str, str] = {}

    def __call__(self, event: Event) -> None:
        """Show an event."""
        if event.state in MARKS:
            self._end(event)
        else:
            awaited = f": {event.detail}" if event.detail else ""
            self._now[event.step.id] = f"{event.step.node}: {event.step.command}{awaited}"
            if event.state == "wait" and not self._to.isatty():
                self._remind(event)
        if self._to.isatty():
            self._footer()

    def _end(self, event: Event) -> None:
        self._ended += 1
        self._now.pop(event.step.id, None)
        step = event.step
        self._line(f"{self._spent()}  {MARKS[event.state]:<8}{step.node:<14}{step.command}")
        if event.state == "failed":
            for line in event.detail.splitlines():
                self._line(f"           {line}")

    def _remind(self, event: Event) -> None:
        now = time.monotonic()
        if now - self._told.get(event.step.id, -EVERY) >= EVERY:
            self._told[event.step.id] = now
            self._line(f"{self._spent()}  …       {event.step.node:<14}{event.detail}")

    def _spent(self) -> str:
        return f"{time.monotonic() - self._began:7.1f} s"

    def _line(self, text: str) -> None:
        start = CLEAR if self._to.isatty() else ""
        print(f"{start}{text}", file=self._to, flush=True)

    def _footer(self) -> None:
        """One line that is written over by the next; cut, since it must not wrap."""
        import shutil  # costs at import, and is needed on terminals only

        of = f"{self._ended} of {self._steps}" if self._steps else ""
        shown = "  ".join(filter(None, [of, *self._now.values()])) if self._now else ""
        width = shutil.get_terminal_size().columns - 1
        print(f"{CLEAR}{shown[:width]}", end="", file=self._to, flush=True)
