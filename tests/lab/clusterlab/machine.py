"""A machine: its disks, its process, and the way in."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import attrs

from clusterlab.image import Image
from clusternas.core.command import Command, Effect, text
from clusternas.core.errors import CommandError
from clusternas.runners.ssh import Ssh

__all__ = ["Machine", "Ports", "free_ports", "lacks", "missing_tools"]

DISK = 400 << 20
"""Bytes of the data disk: small, since DRBD copies all of it at first."""
PARTITIONS = "label: dos\nsize=16M, type=83\nsize=16M, type=83\ntype=83\n"
MEMORY = 1024
"""MiB of a machine."""
NEEDED = 2 * MEMORY + 512
"""MiB that must be free: two machines, and what starts them."""
BOOT = 240.0
"""Seconds until a machine must let us in; it takes 30 on a quiet computer with two processors."""
HERE = Path(__file__).parent.parent


@attrs.frozen(kw_only=True)
class Ports:
    """Where a machine listens on the loopback interface of this one.

    Attributes:
        ssh: TCP.
        repl, lan: UDP: this machine's end of the two networks.
        repl_peer, lan_peer: the other machine's.
    """

    ssh: int
    repl: int
    repl_peer: int
    lan: int
    lan_peer: int


def free_ports(count: int) -> list[int]:
    """Ports of the loopback interface that nothing uses now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


@attrs.frozen(kw_only=True)
class Machine:
    """One of the two machines.

    Attributes:
        number: 1 or 2.
        folder: where its disks, sockets and console are.
        image: what it boots from.
        ports: where it listens.
    """

    number: int
    folder: Path
    image: Image
    ports: Ports

    @property
    def name(self) -> str:
        return f"nas{self.number}"

    @property
    def root(self) -> Path:
        return self.folder / f"{self.name}.root.qcow2"

    @property
    def data(self) -> Path:
        return self.folder / f"{self.name}.data.raw"

    @property
    def console(self) -> Path:
        return self.folder / f"{self.name}.console"

    @property
    def qmp(self) -> str:
        """The control socket of its QEMU."""
        return str(self.folder / f"{self.name}.qmp")

    @property
    def pidfile(self) -> Path:
        return self.folder / f"{self.name}.pid"

    def runner(self) -> Ssh:
        """Runs commands on it."""
        return Ssh(
            "127.0.0.1",
            user="root",
            port=self.ports.ssh,
            identity=str(self.image.key),
            config_file="/dev/null",
            options={"UserKnownHostsFile": "/dev/null", "IdentitiesOnly": "yes"},
            connect_timeout=20,
            host_keys="no",
            persist=120,
            control_path=str(self.folder / f"{self.name}.ssh"),
            name=self.name,
        )

    def qemu(self) -> tuple[str, ...]:
        """The call of QEMU; all its traffic stays on the loopback interface."""
        end = f"52:54:00:00:0{self.number}"
        here = "127.0.0.1"
        ports = self.ports
        fence = f"{sys.executable} -m clusterlab.fence {self.folder}"
        settings = (
            "console=ttyS0,115200 quiet panic=5 mitigations=off nokaslr audit=0 tsc=reliable"
            f" net.ifnames=0 lab.node={self.number}"
        )
        return (
            "qemu-system-x86_64", "-name", self.name,
            "-machine", "pc,hpet=off", "-accel", "tcg,thread=multi,tb-size=256",
            "-cpu", "qemu64", "-smp", "1", "-m", str(MEMORY),
            "-display", "none", "-nodefaults", "-no-user-config", "-monitor", "none",
            "-serial", f"file:{self.console}",
            "-qmp", f"unix:{self.qmp},server=on,wait=off",
            "-kernel", str(self.image.kernel), "-initrd", str(self.image.initrd),
            "-append", settings,
            "-drive", f"file={self.data},if=virtio,format=raw,cache=unsafe,discard=unmap,"
            "detect-zeroes=unmap",
            # Not `unsafe`: what the guest has synced has to outlive a killed QEMU.
            "-drive", f"file={self.root},if=virtio,format=qcow2,cache=writeback",
            "-netdev", f"user,id=control,restrict=on,hostfwd=tcp:{here}:{ports.ssh}-:22,"
            f"guestfwd=tcp:10.0.2.100:7000-cmd:{fence}",
            "-device", f"virtio-net-pci,netdev=control,mac={end}:00,romfile=",
            "-netdev", f"socket,id=repl,udp={here}:{ports.repl_peer},"
            f"localaddr={here}:{ports.repl}",
            "-device", f"virtio-net-pci,netdev=repl,mac={end}:01,romfile=",
            "-netdev", f"socket,id=lan,udp={here}:{ports.lan_peer},localaddr={here}:{ports.lan}",
            "-device", f"virtio-net-pci,netdev=lan,mac={end}:02,romfile=",
            "-device", "virtio-rng-pci",
        )  # fmt: skip

    def create(self) -> None:
        """Make its disks anew, empty but for the partition table and what the image holds."""
        for each in (self.root, self.data):
            each.unlink(missing_ok=True)
        subprocess.run(
            ("qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", self.image.root,
             self.root), check=True, timeout=60,
        )  # fmt: skip
        with self.data.open("wb") as file:
            file.truncate(DISK)
        subprocess.run(
            ("sfdisk", "-q", self.data), input=PARTITIONS.encode(), check=True, timeout=60
        )

    def start(self, *, stays: bool, memory: Path | None = None) -> None:
        """Start it.

        Args:
            stays: it outlives this process; else it is killed however this process ends.
            memory: of a snapshot, to go on from; it waits for QMP's `cont` then.
        """
        state = () if memory is None else ("-S", "-incoming", f"exec:cat {memory}")
        Path(self.qmp).unlink(missing_ok=True)
        tie = () if stays else ("setpriv", "--pdeathsig", "KILL")
        with (self.folder / f"{self.name}.log").open("wb") as log:
            process = subprocess.Popen(
                (*tie, *self.qemu(), *state), cwd=HERE,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self.pidfile.write_text(str(process.pid))
        end = time.monotonic() + 30
        while not Path(self.qmp).exists() and process.poll() is None and time.monotonic() < end:
            time.sleep(0.05)

    def pid(self) -> int | None:
        """The process it runs in, if it runs."""
        try:
            pid = int(self.pidfile.read_text())
            line = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError):
            return None
        return pid if str(self.console).encode() in line else None

    def wait(self) -> None:
        """Wait until it lets us in, and its system has started.

        Raises:
            RuntimeError: it ended, or takes too long; with the end of its console.
        """
        end = time.monotonic() + BOOT
        ready = Command(
            ("systemctl", "is-system-running"), text, effect=Effect.READ, timeout=30, ok={0, 1}
        )
        while time.monotonic() < end:
            try:
                if self.runner().run(ready).value.strip() in ("running", "degraded"):
                    return
            except CommandError:
                pass
            if self.pid() is None:
                break
            time.sleep(1)
        log = (self.folder / f"{self.name}.log").read_text(errors="replace")
        console = self.console.read_text(errors="replace") if self.console.exists() else ""
        raise RuntimeError(f"{self.name} did not start:\n{log[-500:]}{console[-1500:]}")

    def stop(self) -> None:
        """End it at once, with everything that belongs to it."""
        self.kill()
        call = ("ssh", "-O", "exit", "-o", f"ControlPath={self.folder}/{self.name}.ssh", "x")
        subprocess.run(call, capture_output=True, timeout=10)

    def kill(self) -> None:
        """Take its power: its memory is gone, its disks are as they are."""
        pid = self.pid()
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
            for _ in range(100):
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)
                if self.pid() is None:
                    break
                time.sleep(0.1)
        self.pidfile.unlink(missing_ok=True)


def missing_tools() -> list[str]:
    """The Debian packages to install for the lab to work here."""
    tools = {
        "qemu-system-x86_64": "qemu-system-x86",
        "qemu-img": "qemu-utils",
        "mmdebstrap": "mmdebstrap",
        "busybox": "busybox-static",
        "cpio": "cpio",
        "sfdisk": "fdisk",
        "mkfs.ext4": "e2fsprogs",
        "ssh": "openssh-client",
        "depmod": "kmod",
        "setpriv": "util-linux",
    }
    path = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))
    return sorted({each for tool, each in tools.items() if not shutil.which(tool, path=path)})


def lacks(meminfo: Path = Path("/proc/meminfo")) -> str:
    """What this computer has not and no package brings; empty where it can run the lab."""
    if os.geteuid():
        return "only root can install Debian into a folder"
    lines = dict(line.split(":") for line in meminfo.read_text().splitlines())
    free = int(lines["MemAvailable"].split()[0]) >> 10
    return "" if free >= NEEDED else f"{free} MiB of memory are free, {NEEDED} are needed"
