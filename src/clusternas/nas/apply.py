"""Carrying a plan out: steps in their order, side by side where they may, each one verified."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

import attrs

from clusternas.core.command import Runner
from clusternas.core.errors import ClusterNasError, CommandError, PlanError, Refused
from clusternas.nas.journal import Journal
from clusternas.nas.locks import NodeLocks, new_owner
from clusternas.nas.plan import Check, Plan, Step

__all__ = ["Applied", "Event", "apply"]

POLL = 1.0
LONGEST_POLL = 5.0
"""Seconds between two looks at something that takes its time, more the longer it takes already: a
look costs the node something, too."""


@attrs.frozen
class Event:
    """Something happened to a step.

    Attributes:
        step: which.
        state: `start`, `wait` (its effect is awaited), `done`, `failed`, or `skipped`.
        detail: what went wrong, or what is awaited and how far it has come: `r0 is in sync: 42 %,
            3 min left`.
        seconds: how long it has taken so far.
    """

    step: Step
    state: str
    detail: str = ""
    seconds: float = 0.0


@attrs.frozen
class Applied:
    """What became of a plan.

    Attributes:
        plan: the plan.
        done: ids of the steps that were done, in the order they ended.
        failed: the error of each step that failed.
        skipped: ids of the steps that did not run, since others failed or somebody stopped it.
        interrupted: whether somebody stopped it.
        locked: nodes whose lock could not be given back, since they did not answer any more.
    """

    plan: Plan
    done: tuple[str, ...] = ()
    failed: Mapping[str, ClusterNasError] = attrs.field(factory=dict)
    skipped: tuple[str, ...] = ()
    interrupted: bool = False
    locked: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every step was done."""
        return len(self.done) == len(self.plan)

    def raise_for_failure(self) -> None:
        """Raise a `PlanError` that names the first failure, if there is one."""
        for name, error in self.failed.items():
            raise PlanError(
                f"{name}: {error.message}", hint=error.hint or "mend it, then plan and apply again"
            ) from error
        if not self.ok:
            raise PlanError(f"{len(self.skipped)} steps did not run", hint="plan and apply again")

    def __str__(self) -> str:
        rows = [f"{len(self.done)} of {len(self.plan)} steps done"]
        rows += [f"failed   {name}: {error}" for name, error in self.failed.items()]
        rows += [f"skipped  {name}" for name in self.skipped]
        rows += [f"locked   {name}: it did not answer in the end" for name in self.locked]
        return "\n".join(rows)


def apply(
    plan: Plan,
    nodes: Mapping[str, Runner],
    *,
    allow: Iterable[str] = (),
    on: Sequence[Callable[[Event], None]] = (),
    workers: int = 0,
    sleep: Callable[[float], object] | None = None,
    journal: Journal | None = None,
    break_lock: str = "",
) -> Applied:
    """Carry a plan out; see `Plan.apply`."""
    allowed = frozenset(allow)
    _refuse(plan, nodes, allowed)
    if not plan.steps:
        return Applied(plan)
    owner = new_owner()
    dead = journal.broken.owners if journal and journal.broken else ()
    locks = NodeLocks(nodes, plan.nodes, owner, workers)
    if journal:
        journal.begin(owner, len(plan))
        on = (journal, *on)
    locks.take((*dead, break_lock) if break_lock else dead)
    try:
        worker = _Worker(nodes, allowed, on, sleep or time.sleep)
        with ThreadPoolExecutor(workers or len(plan.nodes), "clusternas-apply") as pool:
            applied = _Scheduler(plan, pool, worker).run()
    finally:
        still = locks.release()
    if journal and not still:
        journal.end(dead if locks.unasked else ())
    return attrs.evolve(applied, locked=still)


def _refuse(plan: Plan, nodes: Mapping[str, Runner], allowed: frozenset[str]) -> None:
    missing = [name for name in plan.destroys if name not in allowed]
    if missing:
        raise Refused(
            f"the plan destroys data: {', '.join(missing)}",
            hint=f"allow it by name: allow={missing!r}",
            allow=missing,
        )
    absent = [name for name in plan.nodes if name not in nodes]
    if absent:
        raise PlanError(
            f"no runner for {', '.join(absent)}", hint="give a runner for every node of the plan"
        )


class _Worker:
    """Runs one step: guard, command, verification."""

    def __init__(
        self,
        nodes: Mapping[str, Runner],
        allowed: frozenset[str],
        on: Sequence[Callable[[Event], None]],
        sleep: Callable[[float], object],
    ) -> None:
        self._nodes = nodes
        self._allowed = allowed
        self._on = on
        self._sleep = sleep
        self._telling = threading.Lock()

    def tell(self, step: Step, state: str, detail: str = "", seconds: float = 0.0) -> None:
        with self._telling:  # listeners print and write: one event at a time
            for listener in self._on:
                listener(Event(step, state, detail, seconds))

    def __call__(self, step: Step) -> None:
        began = time.monotonic()
        try:
            self.tell(step, "start")
            if step.guard and not self._true(step, step.guard):
                raise Refused(
                    f"{step.command} was not run: {step.guard.says} is not true",
                    hint="look at the node, then plan again",
                )
            if not step.waits:
                # Some tools say only in what they print whether they did it.
                _ = self._nodes[step.node].run(step.command.allow(self._allowed)).value
            if step.verify and not self._true(step, step.verify):
                raise PlanError(
                    f"it ran, but {step.verify.says} is not true",
                    hint="look at the node, then plan again",
                )
        except ClusterNasError as error:
            self.tell(step, "failed", str(error), time.monotonic() - began)
            raise
        self.tell(step, "done", seconds=time.monotonic() - began)

    def _true(self, step: Step, check: Check[Any]) -> bool:
        runner = self._nodes[check.node or step.node]
        waited = 0.0
        while (awaited := self._look(runner, check)) is not None:
            if waited >= check.within:
                return False
            self.tell(step, "wait", awaited, waited)
            pause = max(POLL, min(waited / 10, LONGEST_POLL))
            self._sleep(pause)
            waited += pause
        return True

    def _look(self, runner: Runner, check: Check[Any]) -> str | None:
        """What is still awaited, and how far it has come; None when it is true."""
        try:
            value = runner.run(check.command).value
        except CommandError:
            if not check.tolerant:
                raise
            return check.says
        if check.holds(value):
            return None
        told = check.tells(value) if check.tells else ""
        return f"{check.says}: {told}" if told else check.says


class _Scheduler:
    """Hands the steps out in their order."""

    def __init__(self, plan: Plan, pool: ThreadPoolExecutor, worker: _Worker) -> None:
        self._plan = plan
        self._pool = pool
        self._worker = worker
        self._waiting = {step.id: step for step in plan.steps}
        self._running: dict[Future[None], Step] = {}
        self._done: list[str] = []
        self._failed: dict[str, ClusterNasError] = {}
        self._stopped = False

    def run(self) -> Applied:
        while True:
            try:
                self._start_ready()
                if not self._running:
                    break
                self._collect(wait(self._running, return_when=FIRST_COMPLETED).done)
            except KeyboardInterrupt:
                self._stopped = True
        for step in self._waiting.values():
            self._worker.tell(step, "skipped")
        return Applied(
            self._plan, tuple(self._done), self._failed, tuple(self._waiting), self._stopped
        )

    def _start_ready(self) -> None:
        done = set(self._done)
        ready = [step for step in self._waiting.values() if done.issuperset(step.after)]
        for step in () if self._stopped else ready:
            del self._waiting[step.id]
            self._running[self._pool.submit(self._worker, step)] = step

    def _collect(self, ended: Iterable[Future[None]]) -> None:
        for future in ended:
            step = self._running.pop(future)
            error = future.exception()
            if isinstance(error, ClusterNasError):
                self._failed[step.id] = error
            elif error is not None:
                raise error
            else:
                self._done.append(step.id)
