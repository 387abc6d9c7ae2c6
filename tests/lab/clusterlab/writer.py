"""A client that writes through the shares while machines fail, and what it was promised."""

from __future__ import annotations

import hashlib
import subprocess
import time
from pathlib import Path
from types import TracebackType

import attrs

from clusterlab.bringup import PASSWORD, USER
from clusterlab.lab import Lab
from clusternas import NasCluster
from clusternas.core.command import Command, Effect, text
from clusternas.core.files import make_dir

__all__ = ["Writer", "sha256"]

FOLDER = "written"
STEP = 1_000_000
"""So many numbers are one writer's."""


def sha256(number: int) -> str:
    """Of the file of a number, as `smb-writer` writes it."""
    return hashlib.sha256(f"{number:09}\n".encode() * 400).hexdigest()


@attrs.define
class Writer:
    """Writes from one machine through the addresses of all, as long as the `with` block runs.

    What its servers acknowledge is written down here, not on a machine that may fail.

    Attributes:
        lab: the machines.
        nas: on them.
        machine: where the client runs.
        log: what it said: `NUMBER SERVER` for a file that is safe, `# …` for one that is not.
    """

    lab: Lab
    nas: NasCluster
    machine: str
    log: Path = attrs.field(init=False)
    first: int = attrs.field(init=False)
    _process: subprocess.Popen[bytes] = attrs.field(init=False, repr=False)

    def __enter__(self) -> Writer:
        found = sorted(self.lab.folder.glob("writer-*.log"))
        self.first = (len(found) + 1) * STEP
        self.log = self.lab.folder / f"writer-{len(found) + 1:03}.log"
        runner = self.lab.machines[self.machine].runner()
        share = next(iter(self.nas.samba.shares)) if self.nas.samba else None
        if share is None:
            raise ValueError("the NAS has no share to write to")
        runner.run(make_dir(f"{share.path}/{FOLDER}", owner=USER))
        servers = [node.public.partition("/")[0] for node in self.nas.nodes]
        call = ("/usr/local/sbin/smb-writer", share.name, USER, FOLDER, str(self.first), *servers)
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                # A connection of its own, which ends with it.
                ("ssh", *runner.flags(), "-S", "none", runner.host, *call),
                stdin=subprocess.PIPE, stdout=log, stderr=log,
            )  # fmt: skip
        if self._process.stdin is not None:
            self._process.stdin.write(f"{PASSWORD.reveal()}\n".encode())
            self._process.stdin.close()
        self.goes_on(10, within=120)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()

    def acknowledged(self) -> list[int]:
        """The numbers of the files that are safe."""
        lines = self.log.read_text(errors="replace").split("\n")[:-1]
        return [int(line.partition(" ")[0]) for line in lines if line[:1].isdigit()]

    def goes_on(self, more: int, within: float) -> None:
        """Wait until so many more files have been acknowledged."""
        wanted = len(self.acknowledged()) + more
        end = time.monotonic() + within
        while len(self.acknowledged()) < wanted:
            last = self.log.read_text(errors="replace")[-300:]
            assert time.monotonic() < end, f"clients could not write for {within:.0f} s: {last}"
            assert self._process.poll() is None, f"the client ended: {last}"
            time.sleep(0.5)

    def lost(self, machine: str) -> list[int]:
        """Numbers of the files that were acknowledged and are not there, whole, on a machine."""
        share = next(iter(self.nas.samba.shares)) if self.nas.samba else None
        where = f"{share.path if share else ''}/{FOLDER}"
        call = (
            "sh",
            "-c",
            f"cd {where} && find . -name '{self.first // STEP}*' -exec sha256sum {{}} +",
        )
        ask = Command(call, text, effect=Effect.READ, timeout=120)
        said = self.lab.machines[machine].runner().run(ask).value.splitlines()
        found = {line.rpartition("/")[2]: line.partition(" ")[0] for line in said}
        return [each for each in self.acknowledged() if found.get(str(each)) != sha256(each)]
