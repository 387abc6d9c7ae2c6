"""Both machines as they stand, memory and disks, put aside and taken up again in seconds.

Both are stopped together and go on together, so that neither misses the other: to their clocks no
time has passed. A snapshot belongs to the folder of the machines and to their image.
"""

from __future__ import annotations

import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from clusterlab.lab import Lab
from clusterlab.machine import Machine
from clusterlab.qmp import ask, migrated
from clusternas.core.command import Command, Effect, text

__all__ = ["restore", "save"]

SYNC = Command(("sync",), text, effect=Effect.CHANGE, timeout=60)
"""So that a machine that loses its power at once has the files it was brought up with."""

SPEED = 4 << 30
"""Bytes a second: as fast as it can."""


def save(lab: Lab, name: str) -> None:
    """Put them aside; they go on running."""
    folder = lab.folder / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for runner in lab.runners().values():
        runner.run(SYNC)
    for machine in lab:
        ask(machine.qmp, "stop")
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda machine: _save(machine, folder), lab))
    for machine in lab:
        ask(machine.qmp, "cont")


def _save(machine: Machine, folder: Path) -> None:
    ask(machine.qmp, "migrate-set-parameters", **{"max-bandwidth": SPEED})
    ask(machine.qmp, "migrate", uri=f"exec:cat >{_memory(machine, folder)}")
    migrated(machine.qmp)
    for disk in (machine.root, machine.data):
        _copy(disk, folder)


def restore(lab: Lab, name: str, *, stays: bool) -> None:
    """End them, and go on where they were put aside.

    Raises:
        FileNotFoundError: there is no such snapshot.
    """
    folder = lab.folder / name
    if not folder.is_dir():
        raise FileNotFoundError(folder)
    lab.stop()
    (lab.folder / "fence-broken").unlink(missing_ok=True)
    for machine in lab:
        for disk in (machine.root, machine.data):
            _copy(folder / disk.name, lab.folder)
        machine.start(stays=stays, memory=_memory(machine, folder))
    for machine in lab:
        migrated(machine.qmp)
    for machine in lab:
        ask(machine.qmp, "cont")


def _memory(machine: Machine, folder: Path) -> Path:
    return folder / f"{machine.name}.memory"


def _copy(file: Path, folder: Path) -> None:
    subprocess.run(("cp", "--sparse=always", file, folder), check=True, timeout=120)
