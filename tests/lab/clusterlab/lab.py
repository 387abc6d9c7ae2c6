"""The two machines together: made, started, found again, stopped."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import attrs

from clusterlab.image import Image
from clusterlab.machine import Machine, Ports, free_ports
from clusterlab.recipe import GUEST
from clusternas.core.files import write_file
from clusternas.runners.ssh import Ssh

__all__ = ["Lab"]

PROGRAMS = ("fence_lab", "drbd-fence-lab", "share-mode", "smb-writer")
AGENTS = {name: f"/usr/local/sbin/{name}" for name in PROGRAMS}
"""What a description of a NAS cannot bring along: programs."""


@attrs.frozen
class Lab:
    """The machines of the lab.

    Attributes:
        folder: where they are kept while they run.
        machines: by name.
    """

    folder: Path
    machines: dict[str, Machine]

    @classmethod
    def create(cls, folder: Path, image: Image) -> Lab:
        """Two new machines, with ports of their own; those that ran here before are stopped."""
        if (folder / "lab.json").exists():
            cls.find(folder).stop()
            shutil.rmtree(folder)
        folder.mkdir(parents=True, exist_ok=True)
        ssh1, ssh2, repl1, repl2, lan1, lan2 = free_ports(6)
        ports = [
            Ports(ssh=ssh1, repl=repl1, repl_peer=repl2, lan=lan1, lan_peer=lan2),
            Ports(ssh=ssh2, repl=repl2, repl_peer=repl1, lan=lan2, lan_peer=lan1),
        ]
        told = {"image": str(image.folder), "ports": [attrs.asdict(each) for each in ports]}
        (folder / "lab.json").write_text(json.dumps(told))
        lab = cls.find(folder)
        for machine in lab:
            machine.create()
        return lab

    @classmethod
    def find(cls, folder: Path) -> Lab:
        """The machines that were made in a folder.

        Raises:
            FileNotFoundError: there are none.
        """
        told = json.loads((folder / "lab.json").read_text())
        image = Image(Path(told["image"]))
        made = [
            Machine(number=number, folder=folder, image=image, ports=Ports(**ports))
            for number, ports in enumerate(told["ports"], 1)
        ]
        return cls(folder, {each.name: each for each in made})

    def __iter__(self) -> Iterator[Machine]:
        return iter(self.machines.values())

    def start(self, *, stays: bool) -> None:
        """Start both and wait until they are up."""
        for machine in self:
            machine.start(stays=stays)  # here: the tie is to the thread that starts it
        with ThreadPoolExecutor() as pool:
            try:
                list(pool.map(Machine.wait, self))
            except BaseException:
                self.stop()  # so that nobody waits for the other one
                raise

    def stop(self) -> None:
        """End both."""
        for machine in self:
            machine.stop()

    def runners(self) -> dict[str, Ssh]:
        """Name to runner."""
        return {machine.name: machine.runner() for machine in self}

    def push(self) -> None:
        """Bring the programs that fence, and the clients."""
        with ThreadPoolExecutor() as pool:
            list(pool.map(_push, self.runners().values()))


def _push(runner: Ssh) -> None:
    for name, path in AGENTS.items():
        runner.run(write_file(path, (GUEST / name).read_bytes(), mode=0o755))
