"""A NAS that is tried: what every fault needs, to make it and to come back from it."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import attrs

from clusterlab.bringup import Progress
from clusterlab.lab import Lab
from clusterlab.machine import Machine
from clusterlab.qmp import ask
from clusterlab.recorder import record
from clusterlab.table import Table
from clusterlab.writer import Writer
from clusternas import NasCluster
from clusternas.core.command import Command, Effect, text
from clusternas.nas.actual import NasState
from clusternas.nas.health import NasStatus
from clusternas.nas.journal import Journal
from clusternas.nas.plan import Plan

__all__ = ["FIRST", "SECOND", "Trial"]

FIRST, SECOND = "nas1", "nas2"
PLANS = 3
"""While I/O waits for a peer nobody sees what is on the devices, and a plan only brings it back."""
QUIET = 40.0
"""Seconds without fencing after which there is none: longer than corosync misses a member for."""


@attrs.frozen
class Trial:
    """The machines, the NAS on them, and where to say what happens.

    Attributes:
        lab: the machines.
        nas: as it is described.
        table: takes a row for every step.
        show: prints a line.
        stays: machines outlive this process.
        recordings: folder for what the tools print in each state; None to write nothing.
    """

    lab: Lab
    nas: NasCluster
    table: Table
    show: Callable[[str], object]
    stays: bool
    recordings: Path | None = None

    def machine(self, name: str) -> Machine:
        """A machine by name."""
        return self.lab.machines[name]

    def run(self, name: str, script: str, *, timeout: float = 60) -> str:
        """Run a script on a machine."""
        command = Command(("sh", "-c", script), text, effect=Effect.CHANGE, timeout=timeout)
        return self.machine(name).runner().run(command).value

    def writer(self, machine: str) -> Writer:
        """A client on a machine."""
        return Writer(self.lab, self.nas, machine)

    def gather(self) -> NasState:
        """What is there now."""
        return self.nas.gather(self.lab.runners())

    def status(self) -> NasStatus:
        """How it does now."""
        return self.nas.status(self.gather())

    def apply(
        self, plan: Plan, allow: Collection[str] = (), journal: Journal | None = None
    ) -> None:
        """Carry a plan out; nothing that destroys unless it is named here."""
        self.show(f"    {plan.summary()}")
        progress = Progress(self.show)
        applied = plan.apply(self.lab.runners(), allow=allow, on=(progress,), journal=journal)
        applied.raise_for_failure()

    def reset(self, *names: str) -> None:
        """Restart machines as if their power had failed for a moment."""
        for name in names:
            ask(self.machine(name).qmp, "system_reset")
        time.sleep(2)  # until the old system answers no more

    def settled(self, name: str, since: float = 0) -> None:
        """Wait until a machine is up and nobody fences it any more.

        DRBD and the lock manager may both do that, unless it joins again before they miss it.

        Args:
            name: of the machine.
            since: when it was gone, if not by fencing, to the clock of `time.time`.
        """
        while time.time() - max(since, self._switched()) < QUIET:
            time.sleep(2)
        self.wait(name)

    def wait(self, *names: str) -> None:
        """Wait until machines have started."""
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda name: self.machine(name).wait(), names))

    def fenced(self) -> list[str]:
        """The machines that the switch has reset or found to be off, in order."""
        lines = self._log.read_text().splitlines() if self._log.exists() else []
        words = [line.split() for line in lines if ": OK" in line]
        return [each[2].rstrip(":") for each in words if each[1] in ("reboot", "off")]

    @property
    def _log(self) -> Path:
        return self.lab.folder / "fence.log"

    def _switched(self) -> float:
        """When somebody last asked the switch for something."""
        return self._log.stat().st_mtime if self._log.exists() else 0

    def until(self, says: str, true: Callable[[], bool], within: float) -> None:
        """Wait for something."""
        end = time.monotonic() + within
        while not true():
            assert time.monotonic() < end, f"not within {within:.0f} s: {says}"
            time.sleep(2)

    def record(self, state: str) -> None:
        """Write down what the tools print now, if somebody wants it."""
        if self.recordings is not None:
            record(self.lab, state, self.recordings)

    def heal(self, *, within: float = 240, journal: Journal | None = None) -> None:
        """Back to a healthy NAS by what `NasCluster.plan` plans, with nothing destroyed."""
        with self.table.step("  plan and apply"):
            for _ in range(PLANS):
                state = self.gather()
                plan = self.nas.plan(state)
                assert not plan.destroys, f"it would destroy: {', '.join(plan.destroys)}"
                if not plan.changed:
                    break
                self.apply(plan, journal=journal)
        with self.table.step("  healthy again, nothing left to do"):
            end = time.monotonic() + within
            while not (found := self.nas.status(state)).healthy:
                assert time.monotonic() < end, f"not within {within:.0f} s:\n{found}"
                time.sleep(3)
                state = self.gather()
            again = self.nas.plan(state)
            assert not again.changed, str(again)

    def whole(self, writer: Writer) -> None:
        """Every file that a client was promised is there, on both machines."""
        with self.table.step(f"  all {len(writer.acknowledged())} acknowledged files are there"):
            for machine in self.lab:
                lost = writer.lost(machine.name)
                assert not lost, f"on {machine.name} {len(lost)} are lost: {lost[:5]}"
