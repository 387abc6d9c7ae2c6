"""The command line of the lab; `nox -s lab -- smoke` runs it."""

from __future__ import annotations

import argparse
import contextlib
import functools
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from clusterlab.bringup import SPEC, bring_up
from clusterlab.day2 import DAY2
from clusterlab.faults import FAULTS
from clusterlab.image import Image, image
from clusterlab.lab import Lab
from clusterlab.machine import lacks, missing_tools
from clusterlab.promises import keep_promises
from clusterlab.recipe import Recipe
from clusterlab.snapshot import restore, save
from clusterlab.table import Table
from clusterlab.trial import Trial
from clusternas import NasCluster
from clusternas.core.errors import ClusterNasError

__all__ = ["main"]

say = functools.partial(print, flush=True)
TRIALS = {**FAULTS, **DAY2}
HEALTHY = "healthy"
"""The name of the snapshot that every fault begins with."""


def main(argv: list[str] | None = None) -> int:
    """0: all promises kept; 1: one was not; 3: this computer cannot run the lab; 4: not yet."""
    told = _arguments(argv)
    if missing := missing_tools():
        say(f"the lab was skipped: install {' '.join(missing)}")
        return 4
    if told.what in ("smoke", "full", "start") and (lacking := lacks()):
        say(f"the lab was skipped: {lacking}")
        return 3
    cache = Path(told.cache).resolve()
    if told.what in ("smoke", "full"):
        return _once(cache, full=told.what == "full", recordings=told.record)
    folder = cache / "running"
    if told.what == "start":
        _started(Lab.create(folder, _image(cache, Table(say))), Table(say), stays=True)
        return 0
    lab = Lab.find(folder)
    if told.what == "up":
        return _ended(_up(lab, Table(say)))
    if told.what == "save":
        save(lab, HEALTHY)
        return 0
    if told.what == "restore":
        restore(lab, HEALTHY, stays=True)
        return 0
    if told.what == "try":
        return _ended(_trials(lab, Table(say), told.trial, stays=True, recordings=told.record))
    if told.what == "shell":
        runner = lab.machines[told.machine].runner()
        # Without the -T that commands have: a shell wants a terminal.
        return subprocess.run(("ssh", *runner.flags()[1:], runner.host, *told.command)).returncode
    lab.stop()
    return 0


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="nox -s lab --", description=__doc__)
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    parser.add_argument("--cache", default=f"{cache}/clusternas-lab", help="where images are kept")
    record = "write what the tools print in each state into this folder, as in tests/data/lab"
    parser.add_argument("--record", type=Path, metavar="FOLDER", help=record)
    what = parser.add_subparsers(dest="what", required=True)
    what.add_parser("smoke", help="two new machines, the NAS, the promises; nothing is left")
    what.add_parser("full", help="the same, then every fault and all day 2; nothing is left")
    what.add_parser("start", help="two new machines that stay")
    what.add_parser("up", help="the NAS and the promises on the machines that were started")
    what.add_parser("save", help="put the machines aside as they are: a healthy NAS")
    what.add_parser("restore", help="go on where they were put aside")
    trial = what.add_parser("try", help="go on where they were put aside, and break something")
    trial.add_argument("trial", nargs="+", choices=list(TRIALS))
    what.add_parser("stop", help="end the machines that were started")
    shell = what.add_parser("shell", help="enter a machine that was started")
    shell.add_argument("machine", choices=("nas1", "nas2"))
    shell.add_argument("command", nargs=argparse.REMAINDER)
    return parser.parse_args(argv)


def _image(cache: Path, table: Table) -> Image:
    with table.step("image"):
        return image(Recipe(), cache)


def _started(lab: Lab, table: Table, *, stays: bool) -> None:
    with table.step("boot"):
        lab.start(stays=stays)
    with table.step("fence agents"):
        lab.push()


def _once(cache: Path, *, full: bool, recordings: Path | None) -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    table = Table(say)
    made = _image(cache, table)
    with tempfile.TemporaryDirectory(prefix="clusternas-lab-") as folder:
        lab = Lab.create(Path(folder), made)
        try:
            _started(lab, table, stays=False)
            _up(lab, table)
            if full:
                with table.step("snapshot"):
                    save(lab, HEALTHY)
                _trials(lab, table, list(TRIALS), stays=False, recordings=recordings)
            return _ended(table)
        finally:
            lab.stop()


def _up(lab: Lab, table: Table) -> Table:
    nas = NasCluster.load(SPEC)
    bring_up(lab, nas, table, say)
    keep_promises(lab, nas, table)
    return table


def _trials(
    lab: Lab, table: Table, names: list[str], *, stays: bool, recordings: Path | None
) -> Table:
    """Each from the snapshot of a healthy NAS; one that fails does not stop the others."""
    trial = Trial(lab, NasCluster.load(SPEC), table, say, stays, recordings)
    for name in names:
        say(f"\n{name}: {(TRIALS[name].__doc__ or '').splitlines()[0]}")
        with contextlib.suppress(ClusterNasError), table.step(name):
            restore(lab, HEALTHY, stays=stays)
            TRIALS[name](trial)
    return table


def _ended(table: Table) -> int:
    say(f"\n{table}")
    return int(table.failed)
