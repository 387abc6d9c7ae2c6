"""One fake machine: files, disks, what runs on it; a `Runner` like any other."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeVar

from clusternas.core.command import Command, Output, Result
from clusternas.testing import tools
from clusternas.testing.blocks import Device, Disk
from clusternas.testing.files import Files, Mount
from clusternas.testing.shell import Exit

if TYPE_CHECKING:
    from clusternas.testing.cluster import FakeCluster

__all__ = ["FakeNode"]

T = TypeVar("T")
S = TypeVar("S")


class FakeNode:
    """A machine of a `FakeCluster`.

    Attributes:
        name: its host name.
        number: 1 for the first node.
        up: whether it has power.
        disks: its partitions by path.
        files: its files.
        mounts: what is mounted, by directory.
        running: names of the services that run.
        claims: who holds a block device open, by path.
        kernel_log: what the kernel has said since it was started, with the time.
        console: what it printed while booting.
        boots: how often it was started.
    """

    def __init__(self, cluster: FakeCluster, name: str, number: int, disks: dict[str, int]) -> None:
        self.cluster = cluster
        self.name = name
        self.number = number
        self.disks = {path: Disk(path, size) for path, size in disks.items()}
        self.files = Files(self)
        self.console: list[str] = []
        self.boots = 1
        self._state: dict[type, object] = {}
        self.reset()
        self.up = True

    def reset(self) -> None:
        """Forget everything that does not survive a power cut."""
        self.up = False
        self.mounts: dict[str, Mount] = {}
        self.running: set[str] = set()
        self.claims: dict[str, str] = {}
        self.kernel_log: list[tuple[float, str]] = []
        self._state.clear()

    def __repr__(self) -> str:
        return f"FakeNode({self.name!r})"

    def log(self, line: str) -> None:
        """Let the kernel say something."""
        self.kernel_log.append((self.cluster.now, line))

    def of(self, kind: type[S]) -> S:
        """The state of that type, made when first asked for and lost with the power."""
        state = self._state.get(kind)
        if not isinstance(state, kind):
            state = self._state[kind] = kind()
        return state

    @property
    def address(self) -> str:
        """Its address in the private network."""
        return f"10.10.10.{self.number}"

    @property
    def public_address(self) -> str:
        """Its address in the clients' network."""
        return f"192.168.1.{10 + self.number}"

    def run(self, command: Command[T], /) -> Result[T]:
        """Run a command here, as a `Runner` does.

        Raises:
            Refused: it destroys data and was not allowed by name.
            CommandError: it failed, hangs, is not installed, or the node is down.
        """
        command.require_allowed()
        start = self.cluster.now
        output = self.cluster.execute(self, command)
        return command.result(output, node=self.name, duration=self.cluster.now - start)

    def execute(
        self, argv: tuple[str, ...] | list[str], stdin: bytes = b"", *, timeout: float = 60.0
    ) -> Output:
        """Run raw arguments and return what they leave behind, whatever the exit code.

        Raises:
            Unreachable: the node is down.
            CommandNotFound: no such tool in this generation.
            CommandTimeout: it hangs.
        """
        return self.cluster.execute(self, Command(argv, decode=_same, stdin=stdin, timeout=timeout))

    def shell(self, line: str, stdin: str = "") -> Output:
        """Run a command line split into words; no redirections, no variables.

        Example:
            >>> from clusternas.testing import FakeCluster
            >>> FakeCluster(("nas01", "nas02")).nodes["nas01"].shell("uname -n").text
            'nas01\\n'
        """
        return self.execute(shlex.split(line), stdin.encode())

    def answer(self, argv: tuple[str, ...], stdin: bytes) -> Output:
        """What a command leaves behind within another one; the log has only the outer one."""
        try:
            return self.cluster.inner(self, argv, stdin)
        except tools.NotInstalled as missing:
            raise Exit(127, f"{missing}: command not found") from None

    def devices(self) -> Iterator[Device]:
        """Every block device, each after those it stands on."""
        yield from self.disks.values()
        yield from tools.devices(self)

    def find_device(self, path: str) -> Device | None:
        """The block device of that name."""
        path = self.files.real_path(path)
        return next((device for device in self.devices() if path in device.names), None)

    def device(self, path: str, *, code: int = 1) -> Device:
        """The block device of that name, or the tool ends."""
        device = self.find_device(path)
        if device is None:
            raise Exit(code, f"{path}: No such file or directory")
        return device

    def holder(self, device: Device) -> str:
        """Who holds that device open; empty if nobody does."""
        return next((self.claims[name] for name in device.names if name in self.claims), "")

    def wait_for_locks(self, lockspace: str) -> None:
        """Hang in the kernel if the lock manager has stopped that lock space."""
        tools.wait_for_locks(self, lockspace, killable=False)


def _same(output: Output) -> Output:
    return output
