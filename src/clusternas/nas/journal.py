"""The journal of an apply: every step on disk before it is taken, so that a crash can be told."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from clusternas.core.errors import Refused

if TYPE_CHECKING:
    from clusternas.nas.apply import Event

__all__ = ["BrokenRun", "Journal"]


@attrs.frozen
class BrokenRun:
    """What the file says of runs that did not come to their end.

    Attributes:
        owners: whose locks may still be on the nodes.
        open: ids of the steps that had begun: nobody knows whether they were done.
    """

    owners: tuple[str, ...]
    open: tuple[str, ...] = ()

    def __str__(self) -> str:
        steps = f" in {', '.join(self.open)}" if self.open else ""
        return f"the run of {self.owners[-1].partition('/')[0]} broke off{steps}"


class Journal:
    """Writes every event to a file, one JSON object a line, on disk before the step goes on.

    Give it to `Plan.apply(journal=…)`. One process at a time can have it open; so whoever opens it
    and finds a run without an end in it knows that its controller is dead, and the next apply
    breaks the locks that it left. What is left to do says the next plan, from what the machines
    are then.

    Attributes:
        broken: the last runs in the file, if they did not come to their end.

    Raises:
        Refused: another process has it open.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._file = Path(path).open("a+", encoding="utf-8")  # noqa: SIM115 - closed by `close`
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise Refused(
                f"{path} is in use", hint="another apply runs; wait until it has ended"
            ) from None
        self._file.seek(0)
        lines = self._file.readlines()
        self.broken = _broken(lines)
        if lines and not lines[-1].endswith("\n"):
            self._file.write("\n")  # the crash came in the middle of a line

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __call__(self, event: Event) -> None:
        """Write an event down."""
        self._write(
            step=event.step.id,
            state=event.state,
            command=str(event.step.command),
            detail=event.detail,
            seconds=round(event.seconds, 3),
        )

    def begin(self, owner: str, steps: int) -> None:
        """Write down that a run begins."""
        self._write(state="begin", owner=owner, steps=steps)

    def end(self, locked: Sequence[str] = ()) -> None:
        """Write down that the run came to its end, well or not.

        Args:
            locked: owners of earlier runs whose locks may still be on nodes that did not answer.
        """
        self._write(state="end", locked=list(locked))
        self.broken = BrokenRun(tuple(locked)) if locked else None

    def _write(self, **record: object) -> None:
        record["at"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self._file.write(json.dumps(record) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file; another process may have it then."""
        self._file.close()


def _broken(lines: Iterable[str]) -> BrokenRun | None:
    owners, begun = list[str](), dict[str, None]()
    for line in lines:
        match _record(line):
            case {"state": "begin", "owner": str(name)}:
                owners.append(name)
            case {"state": "end", **rest}:
                left = rest.get("locked")
                owners, begun = list(left) if isinstance(left, list) else [], {}
            case {"state": "start", "step": str(step)}:
                begun[step] = None
            case {"state": "done" | "failed", "step": str(step)}:
                begun.pop(step, None)
    return BrokenRun(tuple(owners), tuple(begun)) if owners else None


def _record(line: str) -> object:
    """A line as it was written; None for one that a crash cut."""
    try:
        record: object = json.loads(line)
    except ValueError:
        return None
    return record
