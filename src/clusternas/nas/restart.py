"""Restarting the nodes one after the other, while the others serve.

Before anything happens, a note on each node says which nodes have to restart, and which start of
its kernel each is in. A note goes when its node has restarted and is in service again. So whoever
calls it again, after a crash or a failure, goes on where it stopped.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence

import attrs

from clusternas.core import power
from clusternas.core.command import Runner
from clusternas.core.errors import CommandError, CommandTimeout, PlanError, Unreachable
from clusternas.core.files import read_file, remove_file, write_file
from clusternas.nas.actual import NasState
from clusternas.nas.apply import Event
from clusternas.nas.cluster import NasCluster
from clusternas.nas.day2 import plan_sync
from clusternas.nas.journal import Journal
from clusternas.nas.plan import Draft, Plan
from clusternas.nas.stopping import plan_stop, require_answer
from clusternas.nas.wanted import PENDING

__all__ = ["RollingRestart"]

NOTE = f"{PENDING}/restart"
PATIENCE = 900.0
"""Seconds that a machine may take until it answers again: servers count their memory."""
POLL = 5.0


@attrs.frozen(kw_only=True)
class RollingRestart:
    """Restarts nodes, each only while all others are well.

    For every node: out of service (`plan_stop`), restart, into service again (`NasCluster.plan`),
    and wait until all data is on all nodes. Nothing of it destroys data.

    Attributes:
        nas: the NAS.
        nodes: name to runner, for every node.
        names: which to restart; all of them if none is named.
        on: called with each `Event` of the steps.
        tell: called with a line about what comes next.
        journal: every step is written there before it is taken.
        break_lock: the owner of a lock that is known to be dead.
        sleep: waits so many seconds; tests give their own.
        workers: how many nodes work at a time; by default all.

    Example:
        >>> RollingRestart(nas=nas, nodes=nodes, tell=print).run()               # doctest: +SKIP
        linux-nas01: out of service
    """

    nas: NasCluster
    nodes: Mapping[str, Runner] = attrs.field(repr=False)
    names: tuple[str, ...] = attrs.field(default=(), converter=tuple)
    on: Sequence[Callable[[Event], None]] = attrs.field(default=(), repr=False)
    tell: Callable[[str], object] = attrs.field(default=lambda _line: None, repr=False)
    journal: Journal | None = attrs.field(default=None, repr=False)
    break_lock: str = ""
    sleep: Callable[[float], object] | None = attrs.field(default=None, repr=False)
    workers: int = 0

    def left(self) -> tuple[str, ...]:
        """The nodes that an earlier run has still to restart; empty if none broke off.

        Raises:
            PlanError: a node does not answer.
        """
        return tuple(self._left())

    def run(self) -> tuple[str, ...]:
        """Do it; the names of the nodes that were restarted by this call.

        Raises:
            PlanError: the NAS is not well enough to spare a node, a step failed, or a node did not
                come back. Call it again when that is mended.
        """
        boots = self._left() or self._begin()
        self._write_notes(boots)
        for name, boot in boots.items():
            self._restart(name, boot)
        return tuple(boots)

    def _left(self) -> dict[str, str]:
        """The nodes to restart, and the start of the kernel that each was in at first."""
        state = self._gather()
        for name in state.unreachable:
            require_answer(state, name)
        notes = {name: self._note(name) for name in state.nodes}
        listed = {name: boot for note in notes.values() for name, boot in note.items()}
        return {
            name: boot
            for name, boot in listed.items()
            if name in notes and (notes[name] or self._boot(name) == boot)
        }

    def _begin(self) -> dict[str, str]:
        state = self._gather()
        order = self.names or tuple(state.nodes)
        for name in order:
            require_answer(state, name)
        self._require_health(state)
        return {name: self.nodes[name].run(power.boot_id()).value for name in order}

    def _write_notes(self, boots: Mapping[str, str]) -> None:
        """One on each node: a controller that dies in the middle leaves the list on the others."""
        note = "".join(f"{name} {boot}\n" for name, boot in boots.items())
        draft = Draft()
        for name in boots:
            if not self._note(name):
                draft.add(
                    name,
                    write_file(NOTE, note.encode(), parents=True),
                    f"should all stop here, {name} has still to restart",
                    undo=f"remove {NOTE}",
                )
        self._apply(draft.plan())

    def _restart(self, name: str, before: str) -> None:
        if self._boot(name) == before:
            self.tell(f"{name}: out of service")
            self._apply(plan_stop(self.nas, self._gather(), name))
            self.tell(f"{name}: restart")
            self._reboot(name, before)
        self.tell(f"{name}: into service")
        self._apply(self.nas.plan(self._gather()))
        self._apply(plan_sync(self.nas, self._gather()))
        self._require_health(self._gather())
        draft = Draft()
        draft.add(name, remove_file(NOTE), f"{name} has restarted and is in service")
        self._apply(draft.plan())

    def _reboot(self, name: str, before: str) -> None:
        with contextlib.suppress(CommandTimeout, Unreachable):  # it may go down unanswered
            self.nodes[name].run(power.reboot(self.nas.toolset.init))
        waited = 0.0
        while self._boot(name) in ("", before):
            if waited >= PATIENCE:
                raise PlanError(
                    f"{name} did not come back within {PATIENCE:.0f} s",
                    hint="look at its console; then call it again, it goes on from there",
                )
            (self.sleep or time.sleep)(POLL)
            waited += POLL

    def _boot(self, name: str) -> str:
        """The start of the machine that runs now; empty while it does not answer."""
        try:
            return self.nodes[name].run(power.boot_id()).value
        except CommandError:
            return ""

    def _note(self, name: str) -> dict[str, str]:
        """What a node's note says: the nodes of this round, and the start each was in."""
        found = self.nodes[name].run(read_file(NOTE)).value
        lines = found.content.decode().splitlines() if found is not None else ()
        return {node: boot for node, _, boot in (line.partition(" ") for line in lines)}

    def _gather(self) -> NasState:
        return self.nas.gather(self.nodes)

    def _require_health(self, state: NasState) -> None:
        troubles = self.nas.status(state).troubles
        if troubles:
            raise PlanError(
                f"{troubles[0].node}: {troubles[0].what}: no node can be spared",
                hint=troubles[0].do,
            )

    def _apply(self, plan: Plan) -> None:
        plan.apply(
            self.nodes,
            on=self.on,
            workers=self.workers,
            sleep=self.sleep,
            journal=self.journal,
            break_lock=self.break_lock,
        ).raise_for_failure()
