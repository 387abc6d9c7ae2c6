"""The shared truth of several fake machines: time, links, faults, and the log of all commands."""

from __future__ import annotations

import math
import posixpath
import random
import threading
import time
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from clusternas.core.command import Command, Effect, Output
from clusternas.core.errors import CommandNotFound, CommandTimeout, Unreachable
from clusternas.core.versions import Toolset
from clusternas.testing import consistency, tools
from clusternas.testing.blocks import Content, Disk, type_of
from clusternas.testing.faults import Fault, Faults
from clusternas.testing.files import Files
from clusternas.testing.node import FakeNode
from clusternas.testing.shell import Hang, said

__all__ = ["Call", "FakeCluster", "Loss"]

GENERATIONS = {"2010": Toolset.EL6, "today": Toolset.DEBIAN12}
EPOCHS = {"2010": 1289737440.0, "today": 1795431240.0}  # November 2010 and 2026
WRAPPERS = {"env", "sudo", "timeout"}
DISK = 1223688192  # of the recordings: a DRBD device of 1,194,932 KiB


@attrs.frozen
class Call:
    """A command that ran; `exit_code` is None where the connection broke or it hung."""

    node: str
    argv: tuple[str, ...]
    effect: Effect
    exit_code: int | None


@attrs.frozen
class Loss:
    """Something of value that was overwritten: what, where, and by which command line."""

    node: str
    device: str
    type: str
    command: str


class FakeCluster:
    """Machines that answer the commands of the whole stack, with state behind the answers.

    Args:
        names: host names.
        generation: `2010` (DRBD 8.3, cman, clvmd, init scripts) or `today` (DRBD 8.4, corosync,
            lvmlockd, CTDB, systemd), or the versions as a `Toolset`.
        disks: partitions of every node, path to bytes.
        shared: disks that all nodes reach, as on a SAN, path to bytes.
        tick: seconds that every command takes; nothing ever sleeps.

    Example:
        >>> cluster = FakeCluster(("nas01", "nas02"))
        >>> cluster.nodes["nas01"].shell("hostname").text
        'nas01\\n'
        >>> cluster.log[-1].exit_code
        0
    """

    def __init__(
        self,
        names: Iterable[str] = ("linux-nas01", "linux-nas02"),
        *,
        generation: str | Toolset = "today",
        disks: Mapping[str, int] | None = None,
        shared: Mapping[str, int] | None = None,
        tick: float = 0.25,
    ) -> None:
        self.toolset = GENERATIONS[generation] if isinstance(generation, str) else generation
        self.now = EPOCHS["2010" if self.toolset.init == "sysv" else "today"]
        self.started = self.now
        self.tick = tick
        self.log: list[Call] = []
        self.losses: list[Loss] = []
        self.bandwidth = 100 * 1024  # KiB/s between the nodes
        self._random = random.Random(2010)
        self._cuts: set[tuple[frozenset[str], str]] = set()
        self._faults = Faults()
        self._interrupted = False
        self._current = ""
        self._lock = threading.RLock()
        partitions = dict(disks or {"/dev/vda3": DISK})
        self.nodes = {name: FakeNode(self, name, i, partitions) for i, name in enumerate(names, 1)}
        common = {path: Disk(path, size) for path, size in (shared or {}).items()}
        for node in self.nodes.values():
            node.disks.update(common)
            tools.install(node)

    @property
    def runners(self) -> Mapping[str, FakeNode]:
        """The nodes as runners, for `Nodes(cluster.runners)`."""
        return dict(self.nodes)

    def __getitem__(self, name: str) -> FakeNode:
        return self.nodes[name]

    # Time and chance

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        with self._lock:
            self.now += seconds
            self.settle()

    def sleep(self, seconds: float) -> None:
        """What a waiting program is given for `time.sleep`."""
        self.advance(seconds)

    def clock(self, layout: str = "%a %b %e %H:%M:%S %Y") -> str:
        """The time as the tools print it."""
        return time.strftime(layout, time.gmtime(self.now))

    def number(self, bits: int = 64) -> int:
        """A number that nobody has had before; the same in every run."""
        return self._random.getrandbits(bits)

    def uuid(self) -> str:
        """A UUID, the same in every run."""
        return str(uuid.UUID(int=self.number(128), version=4))

    def settle(self) -> None:
        """Let the machines notice what happened and react until nothing changes."""
        for reaction in tools.REACTIONS:
            reaction(self)

    # Machines and links

    def alive(self) -> list[FakeNode]:
        """The nodes that have power."""
        return [node for node in self.nodes.values() if node.up]

    def linked(self, one: FakeNode, other: FakeNode, link: str) -> bool:
        """Whether two nodes can talk over that link now."""
        cut = bool(self._cuts) and (frozenset((one.name, other.name)), link) in self._cuts
        return one.up and other.up and not cut

    def cut(self, one: str, other: str, *, link: str = "") -> None:
        """Cut a link (`replication`, `cluster`), or all of them."""
        self._cuts |= {(frozenset((one, other)), name) for name in self._links(link)}
        self.settle()

    def mend(self, one: str, other: str, *, link: str = "") -> None:
        """Mend what was cut."""
        self._cuts -= {(frozenset((one, other)), name) for name in self._links(link)}
        self.settle()

    def _links(self, link: str) -> tuple[str, ...]:
        return (link,) if link else ("replication", "cluster")

    def kill(self, name: str) -> None:
        """Take a node's power away: it does not answer until it is booted."""
        tools.power_cut(self.nodes[name])
        self.nodes[name].reset()
        self.settle()

    def withdraw(self, name: str, directory: str) -> None:
        """Let a node's GFS2 find its disk inconsistent: it works no more until a restart.

        Raises:
            KeyError: nothing is mounted there.
        """
        tools.withdraw(self.nodes[name], directory)
        self.settle()

    def boot(self, *names: str, runlevel: int = 3) -> None:
        """Start nodes; their services start in the order that run levels or units say.

        Nodes booted together start each service at the same time, as after a power cut.
        """
        nodes = [self.nodes[name] for name in names]
        for node in nodes:
            node.reset()
            node.up = True
            node.boots += 1
            node.console.clear()
        tools.boot(nodes, runlevel)
        self.settle()

    def replace(self, name: str) -> None:
        """Put a new machine in the place of one: its disks are empty, its files new."""
        node = self.nodes[name]
        self.kill(name)
        for disk in node.disks.values():
            disk.content, disk.metadata, disk.scribbled = None, None, False
        node.files = Files(node)
        tools.install(node)
        self.boot(name)

    def reinstall(self, generation: str | Toolset) -> None:
        """Put another system on every node: the disks keep what is on them, files are new."""
        self.toolset = GENERATIONS[generation] if isinstance(generation, str) else generation
        for node in self.nodes.values():
            tools.power_cut(node)
            node.files = Files(node)
            tools.install(node)
        self.boot(*self.nodes)

    # Faults

    def fail(
        self,
        node: str,
        name: str,
        *,
        exit_code: int = 1,
        stderr: str = "",
        times: int = 1,
        when: str = "before",
    ) -> None:
        """Make the next commands that contain the words of `name` fail.

        Args:
            node: where.
            name: for instance `drbdadm up r0`; options between its words do not matter.
            exit_code: what they end with.
            stderr: what they say.
            times: how many of them.
            when: `before` doing anything, `halfway`, or `after` having done all.
        """
        output = said("", stderr, exit_code)
        self._faults.add(Fault(node, name, "fail", output=output, times=times, when=when))

    def hang(self, node: str, name: str, *, times: int = 1, when: str = "before") -> None:
        """Make the next such commands hang: their caller gets `CommandTimeout`, without waiting."""
        self._faults.add(Fault(node, name, "hang", times=times, when=when))

    def lose(self, node: str, name: str, *, times: int = 1, when: str = "after") -> None:
        """Make the connection break on the next such commands: `Unreachable`."""
        self._faults.add(Fault(node, name, "lose", times=times, when=when))

    def slow(self, node: str, name: str, seconds: float, *, times: int = 1) -> None:
        """Make the next such commands take so many seconds of the cluster's time."""
        self._faults.add(Fault(node, name, "slow", seconds=seconds, times=times))

    def clear_faults(self) -> None:
        """Forget the faults that have not struck yet."""
        self._faults.clear()

    def strikes(self, node: FakeNode, argv: tuple[str, ...]) -> bool:
        """Whether a fault strikes a program that a daemon runs, such as a fence agent."""
        return self._faults.take(node.name, argv) is not None

    def halfway(self) -> None:
        """Called by tools in the middle of their work: here a half-done command stops."""
        if self._interrupted:
            raise _HalfDone

    # Commands

    def execute(self, node: FakeNode, command: Command[Any]) -> Output:
        """Run a command on a node; used by `FakeNode.run` and `FakeNode.execute`."""
        with self._lock:
            code: int | None = None
            self._current = str(command)
            try:
                output = self._answer(node, command)
                code = output.exit_code
                return output
            finally:
                self.log.append(Call(node.name, command.argv, command.effect, code))
                self.settle()
                consistency.require(self)

    def inner(self, node: FakeNode, argv: tuple[str, ...], stdin: bytes) -> Output:
        """Run a command within another one, such as behind sudo: faults strike it too."""
        return self._perform(node, argv, stdin, math.inf)

    def _answer(self, node: FakeNode, command: Command[Any]) -> Output:
        shown: dict[str, Any] = {"command": str(command), "node": node.name}
        self.now += self.tick
        self.settle()
        if not node.up:
            raise Unreachable("the node does not answer", **shown)
        try:
            return self._perform(node, command.argv, command.stdin, command.timeout)
        except _LostError:
            raise Unreachable("the connection broke", **shown) from None
        except Hang as hang:
            self.now += command.timeout
            why = f"it did not end within {command.timeout:g} s"
            raise CommandTimeout(why, hint=str(hang), **shown) from None
        except tools.NotInstalled as missing:
            raise CommandNotFound(f"{missing}: command not found", exit_code=127, **shown) from None

    def _perform(self, node: FakeNode, argv: tuple[str, ...], stdin: bytes, limit: float) -> Output:
        wrapped = argv[:1] and posixpath.basename(argv[0]) in WRAPPERS
        fault = None if wrapped else self._faults.take(node.name, argv)
        if fault is None:
            return tools.answer(node, argv, stdin)
        if fault.kind == "slow":
            if fault.seconds > limit:
                raise Hang(f"it takes {fault.seconds:g} s")
            self.now += fault.seconds
            return tools.answer(node, argv, stdin)
        if fault.when == "before":
            return _strike(fault)
        self._interrupted = fault.when == "halfway"
        try:
            output = tools.answer(node, argv, stdin)
        except _HalfDone:
            return _strike(fault)
        finally:
            self._interrupted = False
        return output if output.exit_code else _strike(fault)

    # What was lost

    def overwrite(self, node: FakeNode, device: str, old: Content) -> None:
        """Note that a tool is about to destroy what is on a device."""
        if old is not None:
            self.losses.append(Loss(node.name, device, type_of(old), self._current))

    def assert_nothing_lost(self) -> None:
        """Fail if any command has overwritten data."""
        if self.losses:
            rows = (
                f"{loss.node}: {loss.type} on {loss.device} by {loss.command}"
                for loss in self.losses
            )
            raise AssertionError("data was overwritten:\n  " + "\n  ".join(rows))


class _HalfDone(Exception):
    """A fault stops the tool in the middle of its work."""


class _LostError(Exception):
    """The connection to the node breaks."""


def _strike(fault: Fault) -> Output:
    if fault.kind == "hang":
        raise Hang("it was told to")
    if fault.kind == "lose":
        raise _LostError
    return fault.output
