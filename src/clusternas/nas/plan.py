"""Plans: ordered steps from what is to what should be. Making one runs nothing."""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import attrs

from clusternas.core.command import Command, Effect, Runner

if TYPE_CHECKING:
    from clusternas.nas.apply import Applied, Event
    from clusternas.nas.journal import Journal

__all__ = ["Check", "Draft", "Plan", "Step"]

T = TypeVar("T")


@attrs.frozen(kw_only=True)
class Check(Generic[T]):
    """Something that has to be true on a node.

    Attributes:
        command: what to ask; it only reads.
        holds: whether the answer is the one wanted.
        says: what has to be true, for people: `r0 is connected`.
        within: seconds it may take to become true; it is asked again until then.
        tolerant: a command that fails counts as an answer that is not the one wanted.
        node: which node is asked; by default the one where the step runs.
        tells: from an answer that is not yet the one wanted, how far it has come: `42 %`.
    """

    command: Command[T]
    holds: Callable[[T], bool] = attrs.field(repr=False)
    says: str
    within: float = 0.0
    tolerant: bool = True
    node: str = ""
    tells: Callable[[T], str] | None = attrs.field(default=None, repr=False)


@attrs.frozen(kw_only=True)
class Step:
    """One command on one node, with why and when.

    Attributes:
        id: its name in the plan, the same whenever the same plan is made.
        node: where it runs.
        command: what runs.
        reason: why.
        after: ids of the steps that must be done before.
        guard: what must be true before it runs; else it is refused.
        verify: what must be true after it ran; else it failed.
        undo: what takes it back, for people.
        diff: what changes in a file, if it writes one.
    """

    id: str
    node: str
    command: Command[object]
    reason: str
    after: tuple[str, ...] = ()
    guard: Check[Any] | None = attrs.field(default=None, repr=False)
    verify: Check[Any] | None = attrs.field(default=None, repr=False)
    undo: str = ""
    diff: str = attrs.field(default="", repr=False)

    @property
    def destroys(self) -> bool:
        """Whether it destroys data and so must be allowed by name."""
        return self.command.effect is Effect.DESTROY

    @property
    def waits(self) -> bool:
        """Whether it changes nothing and only waits for what `verify` says."""
        return self.verify is not None and self.command.effect is Effect.READ


class Draft:
    """Collects the steps of a plan.

    The steps of a node follow one another; nodes work side by side until a `barrier`.
    """

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self._last: dict[str, str] = {}
        self._barrier: tuple[str, ...] = ()
        self._names: dict[str, int] = {}

    def add(
        self,
        node: str,
        command: Command[object],
        reason: str,
        *,
        guard: Check[Any] | None = None,
        verify: Check[Any] | None = None,
        undo: str = "",
        diff: str = "",
    ) -> None:
        """Add a step for a node, after its last one."""
        name = f"{node}: {command.name}"
        self._names[name] = count = self._names.get(name, 0) + 1
        unique = name if count == 1 else f"{name} ({count})"
        after = (self._last[node],) if node in self._last else self._barrier
        self.steps.append(
            Step(
                id=unique,
                node=node,
                command=command,
                reason=reason,
                after=after,
                guard=guard,
                verify=verify,
                undo=undo,
                diff=diff,
            )
        )
        self._last[node] = unique

    def barrier(self) -> None:
        """What is added from here on waits for everything before."""
        if self._last:
            self._barrier = tuple(self._last.values())
            self._last.clear()

    def plan(self) -> Plan:
        """The plan."""
        return Plan(tuple(self.steps))


@attrs.frozen
class Plan:
    """Ordered steps; nothing has run yet.

    An empty plan means that nothing will run.

    Example:
        >>> Plan(()).changed, str(Plan(()))
        (False, 'nothing to do')
    """

    steps: tuple[Step, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether applying it runs anything."""
        return bool(self.steps)

    @property
    def destroys(self) -> tuple[str, ...]:
        """The names to allow, each once, of the steps that destroy data."""
        return tuple(dict.fromkeys(step.command.name for step in self.steps if step.destroys))

    @property
    def nodes(self) -> tuple[str, ...]:
        """The nodes it works on."""
        return tuple(dict.fromkeys(step.node for step in self.steps))

    def __len__(self) -> int:
        return len(self.steps)

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def diff(self) -> str:
        """The unified diffs of all files it writes, equal ones of several nodes once."""
        shown: dict[str, list[str]] = {}
        for step in self.steps:
            if step.diff:
                shown.setdefault(step.diff, []).append(step.node)
        return "\n".join(f"# on {', '.join(nodes)}\n{diff}" for diff, nodes in shown.items())

    def __str__(self) -> str:
        if not self.steps:
            return "nothing to do"
        width = max(len(step.node) for step in self.steps)
        names = max(min(len(str(step.command)), 48) for step in self.steps)
        rows = [
            f"{'!' if step.destroys else ' '}{number:>3}  {step.node:<{width}}"
            f"  {step.command!s:<{names}}  # {step.reason}"
            for number, step in enumerate(self.steps, 1)
        ]
        return "\n".join([self.summary(), *rows])

    def table(self) -> str:
        """Each step in a row, with what must be true before and after it, and what undoes it."""
        heads = ("", "step", "node", "command", "only if", "proven by", "undone by")
        rows = [
            (
                "!" if step.destroys else "",
                str(number),
                step.node,
                str(step.command),
                step.guard.says if step.guard else "-",
                step.verify.says if step.verify else "its exit code",
                step.undo or "-",
            )
            for number, step in enumerate(self.steps, 1)
        ]
        widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
        lines = (
            "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
            for row in (heads, *rows)
        )
        return "\n".join(line.rstrip() for line in lines)

    def summary(self) -> str:
        """How much it is, in one line."""
        destroying = sum(step.destroys for step in self.steps)
        warning = f", {destroying} of them destroy data (!)" if destroying else ""
        return f"{len(self.steps)} steps on {len(self.nodes)} nodes{warning}"

    def records(self) -> list[dict[str, object]]:
        """Each step as plain data, for JSON and data frames."""
        return [
            {
                "id": step.id,
                "node": step.node,
                "command": str(step.command),
                "effect": step.command.effect.value,
                "name": step.command.name,
                "reason": step.reason,
                "after": list(step.after),
                "guard": step.guard.says if step.guard else "",
                "verify": step.verify.says if step.verify else "",
                "undo": step.undo,
                "diff": step.diff,
            }
            for step in self.steps
        ]

    def to_json(self) -> str:
        """`records` as JSON."""
        return json.dumps(self.records(), indent=2)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{'!' if step.destroys else ''}</td><td>{html.escape(step.node)}</td>"
            f"<td><code>{html.escape(str(step.command))}</code></td><td>{html.escape(step.reason)}</td></tr>"
            for step in self.steps
        )
        return (
            f"<p>{html.escape(self.summary())}</p><table>{rows}</table>"
            if rows
            else "<p>nothing to do</p>"
        )

    def apply(
        self,
        nodes: Mapping[str, Runner],
        *,
        allow: Iterable[str] = (),
        on: Sequence[Callable[[Event], None]] = (),
        workers: int = 0,
        sleep: Callable[[float], object] | None = None,
        journal: Journal | None = None,
        break_lock: str = "",
    ) -> Applied:
        """Carry it out, alone: the nodes are locked meanwhile.

        Args:
            nodes: name to runner.
            allow: names of the destructive commands that may run; see `destroys`.
            on: called with each `Event`, one at a time, for progress bars.
            workers: how many nodes work at a time; by default all.
            sleep: waits so many seconds between two looks; tests give their own.
            journal: every step is written there before it is taken.
            break_lock: the owner of a lock that is known to be dead, by name.

        Raises:
            Refused: it destroys data and nobody allowed that by name, or another apply has the
                lock of a node; nothing has run.
            CommandError: a node of the plan did not answer; nothing has run.
        """
        from clusternas.nas.apply import apply

        return apply(
            self,
            nodes,
            allow=allow,
            on=on,
            workers=workers,
            sleep=sleep,
            journal=journal,
            break_lock=break_lock,
        )
