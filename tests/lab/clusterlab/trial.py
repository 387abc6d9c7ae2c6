"""A NAS that is tried: what every fault needs, to make it and to come back from it."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

import attrs

from clusterlab.bringup import Progress
from clusterlab.lab import Lab
from clusterlab.machine import Machine
from clusterlab.qmp import ask
from clusterlab.table import Table
from clusterlab.writer import Writer
from clusternas import NasCluster
from clusternas.core.command import Command, Effect, text
from clusternas.nas.actual import NasState
from clusternas.nas.health import NasStatus
from clusternas.nas.plan import Plan

__all__ = ["LINKS", "Trial", "shell"]

LINKS = {"repl": "repl", "lan": "lan"}
"""The networks between the machines, by what QEMU calls them."""


def shell(script: str, *, timeout: float = 60) -> Command[str]:
    """What is done to a machine to break it."""
    return Command(("sh", "-c", script), text, effect=Effect.CHANGE, timeout=timeout)


@attrs.frozen
class Trial:
    """The machines, the NAS on them, and where to say what happens.

    Attributes:
        lab: the machines.
        nas: as it is described.
        table: takes a row for every step.
        show: prints a line.
    """

    lab: Lab
    nas: NasCluster
    table: Table
    show: Callable[[str], object]

    def machine(self, name: str) -> Machine:
        """A machine by name."""
        return self.lab.machines[name]

    def run(self, name: str, script: str, *, timeout: float = 60) -> str:
        """Run a script on a machine."""
        return self.machine(name).runner().run(shell(script, timeout=timeout)).value

    def writer(self, machine: str) -> Writer:
        """A client on a machine."""
        return Writer(self.lab, self.nas, machine)

    def gather(self) -> NasState:
        """What is there now."""
        return self.nas.gather(self.lab.runners())

    def status(self) -> NasStatus:
        """How it does now."""
        return self.nas.status(self.gather())

    def apply(self, plan: Plan, allow: Collection[str] = ()) -> None:
        """Carry a plan out; nothing that destroys unless it is named here."""
        self.show(f"    {plan.summary()}")
        plan.apply(self.lab.runners(), allow=allow, on=(Progress(self.show),)).raise_for_failure()

    def cut(self, name: str, *, up: bool = False) -> None:
        """Pull all cables of a machine between the two, or plug them in again."""
        for link in LINKS:
            ask(self.machine(name).qmp, "set_link", name=link, up=up)

    def fenced(self) -> list[str]:
        """The machines that the switch has reset or found to be off, in order."""
        log = self.lab.folder / "fence.log"
        lines = log.read_text().splitlines() if log.exists() else []
        words = [line.split() for line in lines if ": OK" in line]
        return [each[2].rstrip(":") for each in words if each[1] in ("reboot", "off")]

    def until(self, says: str, true: Callable[[], bool], within: float) -> None:
        """Wait for something."""
        end = time.monotonic() + within
        while not true():
            assert time.monotonic() < end, f"not within {within:.0f} s: {says}"
            time.sleep(2)

    def heal(self, *, within: float = 240) -> None:
        """Back to a healthy NAS by what `NasCluster.plan` plans, with nothing destroyed."""
        with self.table.step("  plan and apply"):
            plan = self.nas.plan(self.gather())
            assert not plan.destroys, f"it would destroy: {', '.join(plan.destroys)}"
            self.apply(plan)
        with self.table.step("  healthy again, nothing left to do"):
            again = self.nas.plan(self._healthy(within))
            assert not again.changed, str(again)

    def _healthy(self, within: float) -> NasState:
        end = time.monotonic() + within
        while not (found := self.nas.status(state := self.gather())).healthy:
            assert time.monotonic() < end, f"not within {within:.0f} s:\n{found}"
            time.sleep(3)
        return state

    def whole(self, writer: Writer) -> None:
        """Every file that a client was promised is there, on both machines."""
        with self.table.step(f"  all {len(writer.acknowledged())} acknowledged files are there"):
            for machine in self.lab:
                lost = writer.lost(machine.name)
                assert not lost, f"on {machine.name} {len(lost)} are lost: {lost[:5]}"
