"""What the DRBD module of each node knows, and how two of them act on each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import attrs

from clusternas.testing.blocks import Content, Device, Disk, Metadata
from clusternas.testing.shell import Exit, Hang
from clusternas.testing.tools.drbd.config import ResourceConfig, VolumeConfig

if TYPE_CHECKING:
    from clusternas.testing.cluster import FakeCluster
    from clusternas.testing.node import FakeNode

__all__ = [
    "Drbd",
    "DrbdDevice",
    "Replica",
    "Resource",
    "Volume",
    "devices",
    "peer_of",
    "usable_size",
]

RATES = {"k": 1, "M": 1024, "G": 1024 * 1024}
WRITE = 16  # KiB that a change of a file marks as out of sync


@attrs.define(eq=False)
class Volume:
    """A volume of a resource on one node; sizes in KiB.

    Attributes:
        peer_disk: what this node believes of a peer it cannot ask.
        sync: `SyncSource` or `SyncTarget` while a resync runs.
        left, total: still and at first to be copied by it.
        changed: it has begun a generation of its own since it lost its peer.
    """

    config: VolumeConfig
    disk: str = "Diskless"
    peer_disk: str = "DUnknown"
    sync: str = ""
    paused: bool = False
    left: float = 0
    total: int = 0
    begun: float = 0.0
    changed: bool = False
    sent: int = 0
    received: int = 0
    written: int = 0


@attrs.define(eq=False)
class Resource:
    """A resource that is up on one node.

    Attributes:
        connection: `StandAlone`, `WFConnection` or `Connected`.
        discard: it connects to throw its own changes away.
        suspended: writes wait until the peer is fenced.
        promote: become Primary at the next connection, as the init script does.
    """

    config: ResourceConfig
    volumes: dict[int, Volume]
    role: str = "Secondary"
    connection: str = "StandAlone"
    discard: bool = False
    suspended: bool = False
    promote: bool = False

    @property
    def dual(self) -> bool:
        """Whether two Primaries are allowed."""
        return self.config.flag("net", "allow-two-primaries")


class Drbd:
    """The module's state on one node: its resources by name."""

    def __init__(self) -> None:
        self.resources: dict[str, Resource] = {}


@attrs.frozen
class Replica:
    """One volume on one node, with what belongs to it."""

    node: FakeNode
    resource: Resource
    volume: Volume

    @property
    def store(self) -> Disk:
        """The partition below."""
        return self.node.disks[self.volume.config.disk]

    @property
    def meta(self) -> Metadata:
        """Its meta data; only of an attached volume."""
        if self.store.metadata is None:
            raise Exit(20, "No valid meta data found")
        return self.store.metadata

    @property
    def attached(self) -> bool:
        """Whether it has its disk."""
        return self.volume.disk != "Diskless"

    @property
    def size(self) -> int:
        """KiB of the device."""
        return usable_size(self.store.bytes)

    def peer(self) -> Replica | None:
        """The same volume on the other node, if that node has it up."""
        other = peer_of(self.node, self.resource)
        if other is None:
            return None
        volume = other[1].volumes.get(self.volume.config.number)
        return None if volume is None else Replica(other[0], other[1], volume)

    def partner(self) -> Replica | None:
        """The same volume on the other node, if the two are connected."""
        return self.peer() if self.resource.connection == "Connected" else None

    def truth(self) -> Replica | None:
        """The replica that holds the data for this node: its own if it is good, or the peer's."""
        if self.volume.disk in ("UpToDate", "Consistent", "Outdated"):
            return self
        other = self.partner()
        return other if other is not None and other.volume.disk == "UpToDate" else None

    def set_disk(self, state: str) -> None:
        """Give the disk a state, in memory and in the meta data."""
        self.volume.disk = state
        self.meta.consistent = state in ("UpToDate", "Consistent", "Outdated")
        self.meta.outdated = state == "Outdated"

    def begin_generation(self) -> None:
        """Note that this replica goes on without its peer."""
        if self.attached and not self.volume.changed:
            self.meta.generation = self.meta.generation.next(self.node.cluster.number())
            self.volume.changed = True

    def write(self, content: Content) -> None:
        """Write through the device: here, and on the peer where there is one."""
        if self.resource.suspended:
            raise Hang(f"I/O on {self.volume.config.device} is suspended until the peer is fenced")
        truth = self.truth()
        if truth is None:
            raise Exit(5, f"{self.volume.config.device}: Input/output error")
        truth.store.content = content
        self.volume.written += WRITE
        other = self.partner()
        if other is None or not other.attached or not self.attached:
            truth.begin_generation()
            truth.meta.dirty += WRITE
        elif not self.volume.sync:
            other.store.content = content
            self.volume.sent += WRITE
            other.volume.received += WRITE


@attrs.frozen(eq=False)
class DrbdDevice(Device):
    """/dev/drbdN on one node."""

    replica: Replica

    @property
    def names(self) -> tuple[str, ...]:
        config, name = self.replica.volume.config, self.replica.resource.config.name
        by_res = f"/dev/drbd/by-res/{name}"
        if self.replica.node.cluster.toolset.has("drbd", since="8.4"):
            by_res += f"/{config.number}"
        return (config.device, by_res, f"/dev/drbd/by-disk/{config.disk.removeprefix('/dev/')}")

    @property
    def size(self) -> int:
        return self.replica.size * 1024

    @property
    def kind(self) -> str:
        return "disk"

    @property
    def below(self) -> tuple[str, ...]:
        return (self.replica.volume.config.disk,) if self.replica.attached else ()

    @property
    def writable(self) -> bool:
        return self.readable

    @property
    def readable(self) -> bool:
        """A Secondary cannot even be opened."""
        return self.replica.resource.role == "Primary"

    @property
    def frozen(self) -> bool:
        """Nobody may read or write until the peer is fenced; what tries cannot be killed."""
        return self.replica.resource.suspended

    def read(self) -> Content:
        truth = self.replica.truth() if self.readable else None
        return None if truth is None else truth.store.content

    def write(self, content: Content) -> None:
        if not self.readable:
            raise Exit(1, f"{self.path}: Wrong medium type")
        self.replica.write(content)


def devices(node: FakeNode) -> Iterator[DrbdDevice]:
    """The DRBD devices of a node."""
    return (DrbdDevice(replica) for replica in replicas(node))


def replicas(node: FakeNode) -> Iterator[Replica]:
    """Every volume that is up on a node."""
    for resource in node.of(Drbd).resources.values():
        for volume in resource.volumes.values():
            yield Replica(node, resource, volume)


def peer_of(node: FakeNode, resource: Resource) -> tuple[FakeNode, Resource] | None:
    """The other node and its resource, if it has that resource up."""
    other = other_node(node, resource.config)
    found = (
        other.of(Drbd).resources.get(resource.config.name)
        if other is not None and other.up
        else None
    )
    return None if other is None or found is None else (other, found)


def other_node(node: FakeNode, config: ResourceConfig) -> FakeNode | None:
    """The other host of a resource."""
    nodes = node.cluster.nodes
    return next((nodes[host] for host in config.hosts if host != node.name and host in nodes), None)


def usable_size(size: int) -> int:
    """KiB left of so many bytes after internal meta data: superblock, activity log, bitmap."""
    total = size // 1024
    bitmap = -(-total // (4 * 8 * 1024))
    return total - 36 - -(-bitmap // 4) * 4


def rate_of(cluster: FakeCluster, config: ResourceConfig) -> float:
    """KiB/s of a resync: what is configured, within what the link can do."""
    default = "100M" if cluster.toolset.has("drbd", since="8.4") else "250k"
    text = config.get("disk", "resync-rate", default)
    unit = RATES.get(text[-1:], 0)
    return min(float(text[:-1]) * unit if unit else float(text), cluster.bandwidth)
