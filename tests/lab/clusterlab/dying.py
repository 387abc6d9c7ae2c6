"""A controller that dies while it applies: python -m clusterlab.dying FOLDER STEPS.

It plans for the machines in FOLDER, and is killed half a second into the step after so many.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

import attrs

from clusterlab.bringup import SPEC
from clusterlab.lab import Lab
from clusternas import NasCluster
from clusternas.nas.apply import Event
from clusternas.nas.journal import Journal

__all__ = ["JOURNAL"]

JOURNAL = "dying.journal"
DELAY = 0.5


@attrs.define
class Death:
    """Comes when so many steps have begun."""

    steps: int

    def __call__(self, event: Event) -> None:
        if event.state == "start":
            self.steps -= 1
            if self.steps < 0:
                threading.Timer(DELAY, os.kill, (os.getpid(), signal.SIGKILL)).start()


def main(folder: Path, steps: int) -> None:
    lab, nas = Lab.find(folder), NasCluster.load(SPEC)
    plan = nas.plan(nas.gather(lab.runners()))
    with Journal(folder / JOURNAL) as journal:
        plan.apply(lab.runners(), on=(Death(steps),), journal=journal)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
