"""What DRBD says about itself, in one shape for 8.3, 8.4 and 9.

The decoders stand in `proc` (/proc/drbd, drbd-overview, the XML of 8.3), `statustext`
(`drbdadm status`), `statusjson` (`drbdsetup status --json`) and `events` (`drbdsetup events2`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TypeVar

import attrs

from clusternas.core.command import Output
from clusternas.core.errors import ParseError
from clusternas.drbd.states import ConnectionState, DiskState, ReplicationState, Role

__all__ = [
    "ConnectionState",
    "DiskState",
    "DrbdStatus",
    "Peer",
    "PeerVolume",
    "Peers",
    "ReplicationState",
    "ResourceStatus",
    "Role",
    "SyncProgress",
    "Volume",
    "decode_resource",
    "split_brain",
]

V = TypeVar("V")

UNNAMED = "peer"
"""What drbd-utils call the other side of a DRBD 8 link, which has no name of its own."""


@attrs.frozen(kw_only=True)
class SyncProgress:
    """How far a resync or an online verify has come.

    Attributes:
        percent: done, 0 to 100, or None where the tool does not say.
        rate: KiB per second just now, or None where the tool does not say.
        seconds_left: until it ends at that rate, or None.
        stalled: nothing has moved for a while.
    """

    percent: float | None = None
    rate: float | None = None
    seconds_left: int | None = None
    stalled: bool = False

    def __str__(self) -> str:
        """How far it has come, for people: `42 %, 25 min left`."""
        done, left = f"{self.percent or 0:.0f} %", self.seconds_left
        if self.stalled:
            return f"{done}, stalled"
        if left is None:
            return done
        return f"{done}, {left} s left" if left < 120 else f"{done}, {left // 60} min left"


@attrs.frozen(kw_only=True)
class Volume:
    """A volume on the node that was asked.

    Attributes:
        minor: N of /dev/drbdN, or None where the tool does not say.
        size: usable size in KiB, or None.
        client: it has no disk on purpose.
        quorum: it may do I/O as far as quorum goes.
        extra: all else the tool said, by its name.
    """

    number: int = 0
    minor: int | None = None
    disk_state: DiskState
    size: int | None = None
    client: bool = False
    quorum: bool = True
    extra: Mapping[str, object] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class PeerVolume:
    """A volume as seen over the link to one peer.

    Attributes:
        out_of_sync: KiB that differ, or None where the tool does not say.
        sync: progress of a resync or verify that is running, else None.
        resync_suspended: who holds the resync back: `user`, `peer`, `dependency`.
        extra: all else the tool said, by its name.
    """

    number: int = 0
    disk_state: DiskState = DiskState.UNKNOWN
    replication_state: ReplicationState = ReplicationState.OFF
    out_of_sync: int | None = None
    sync: SyncProgress | None = None
    resync_suspended: tuple[str, ...] = ()
    extra: Mapping[str, object] = attrs.field(factory=dict)


def only(volumes: Mapping[int, V]) -> V:
    """The one volume there is."""
    if len(volumes) != 1:
        raise LookupError(f"{len(volumes)} volumes, not one: choose one from .volumes")
    return next(iter(volumes.values()))


@attrs.frozen(kw_only=True)
class Peer:
    """The other end of a link.

    `disk_state`, `replication_state` and `sync` are those of the volume, if there is one only;
    while the link is down, DRBD may name none, and nothing is known.

    Attributes:
        name: its host name; `peer` where DRBD 8 gives none.
        volumes: by volume number.
        node_id: its number in DRBD 9, or None.
        extra: all else the tool said, by its name.
    """

    name: str
    connection_state: ConnectionState = ConnectionState.CONNECTED
    role: Role = Role.UNKNOWN
    volumes: Mapping[int, PeerVolume] = attrs.field(factory=dict)
    node_id: int | None = None
    extra: Mapping[str, object] = attrs.field(factory=dict)

    @property
    def connected(self) -> bool:
        """The link is up."""
        return self.connection_state is ConnectionState.CONNECTED

    @property
    def disk_state(self) -> DiskState:
        """The state of the peer's data."""
        return only(self.volumes).disk_state if self.volumes else DiskState.UNKNOWN

    @property
    def replication_state(self) -> ReplicationState:
        """What the link does."""
        return only(self.volumes).replication_state if self.volumes else ReplicationState.OFF

    @property
    def sync(self) -> SyncProgress | None:
        """How far a resync has come, or None when none runs."""
        return only(self.volumes).sync if self.volumes else None


class Peers(Mapping[str, Peer]):
    """The peers by name.

    DRBD 8 has one peer and no name for it, and no peer at all once the link was given up. If the
    hosts of the resource are known, the peer is found under each of their names.

    Example:
        >>> Peers([Peer(name="peer")], ["nas01", "nas02"])["nas02"].name
        'peer'
    """

    __slots__ = ("_hosts", "_peers")

    def __init__(self, peers: Collection[Peer] = (), hosts: Collection[str] = ()) -> None:
        self._peers = {peer.name: peer for peer in peers}
        self._hosts = frozenset(hosts)

    def __getitem__(self, name: str) -> Peer:
        if name in self._hosts and not self._peers:
            return Peer(name=name, connection_state=ConnectionState.STAND_ALONE)
        nameless = name in self._hosts and list(self._peers) == [UNNAMED]
        return self._peers[UNNAMED if nameless else name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._peers)

    def __len__(self) -> int:
        return len(self._peers)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Peers) and self._peers == other._peers

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Peers({list(self._peers.values())!r})"


@attrs.frozen(kw_only=True)
class ResourceStatus:
    """A resource on the node that was asked.

    Attributes:
        suspended: why I/O is held back (`user`, `no-data`, `fencing`, `quorum`), or empty.
        volumes: by volume number.
        peers: by host name; a link that was taken down is missing in `drbdadm status`.
        node_id: the node's number in DRBD 9, or None.
        extra: all else the tool said, by its name.
    """

    name: str
    role: Role
    suspended: tuple[str, ...] = ()
    volumes: Mapping[int, Volume] = attrs.field(factory=dict)
    peers: Peers = attrs.field(factory=Peers)
    node_id: int | None = None
    extra: Mapping[str, object] = attrs.field(factory=dict)

    @property
    def disk_state(self) -> DiskState:
        """The state of the local data, if there is one volume only."""
        return only(self.volumes).disk_state

    @property
    def diskless(self) -> bool:
        """A volume has lost its disk (one without a disk on purpose does not count)."""
        return any(
            v.disk_state is DiskState.DISKLESS and not v.client for v in self.volumes.values()
        )

    @property
    def inconsistent(self) -> bool:
        """The local data of a volume cannot be used without a resync."""
        return any(v.disk_state is DiskState.INCONSISTENT for v in self.volumes.values())

    @property
    def stand_alone(self) -> bool:
        """A link was given up: nobody listens for the peer."""
        return not self.peers or any(
            peer.connection_state is ConnectionState.STAND_ALONE for peer in self.peers.values()
        )

    @property
    def split_brain(self) -> bool:
        """A link is given up though the data here is current, as a split brain leaves it.

        `drbdadm disconnect` leaves the same. `split_brain` (the function) judges by both nodes.
        """
        return self.stand_alone and any(
            v.disk_state is DiskState.UP_TO_DATE for v in self.volumes.values()
        )

    @property
    def written_alone(self) -> int | None:
        """KiB that were written here while a peer was away; None if nobody has counted them.

        DRBD notes blocks of 4 KiB in a bitmap, however little of each was written. `drbdadm status`
        tells nothing of a link that is down: see `counted`.
        """
        counts = [
            each.out_of_sync
            for peer in self.peers.values()
            if not peer.connected
            for each in peer.volumes.values()
            if each.out_of_sync is not None
        ]
        return sum(counts) if counts else None

    @property
    def syncing(self) -> bool:
        """A resync or an online verify runs on a volume."""
        return any(v.sync is not None for v in self._links())

    @property
    def stalled(self) -> bool:
        """A resync stands still."""
        return any(v.sync is not None and v.sync.stalled for v in self._links())

    @property
    def healthy(self) -> bool:
        """Every disk, here and at the peers, is UpToDate, every link established; I/O flows."""
        return (
            not self.suspended
            and bool(self.peers)
            and all(peer.connected for peer in self.peers.values())
            and all(v.disk_state is DiskState.UP_TO_DATE for v in self.volumes.values())
            and all(
                v.disk_state is DiskState.UP_TO_DATE
                and v.replication_state is ReplicationState.ESTABLISHED
                for v in self._links()
            )
        )

    def _links(self) -> Iterator[PeerVolume]:
        for peer in self.peers.values():
            yield from peer.volumes.values()

    def counted(self, counters: ResourceStatus) -> ResourceStatus:
        """This status with what another answer says of the links that are down.

        Args:
            counters: from `queries.counters`, of the same resource on the same node.
        """
        down = {name: peer for name, peer in counters.peers.items() if not peer.connected}
        return attrs.evolve(self, peers=Peers({**self.peers, **down}.values()))

    def named(self, hosts: Collection[str], local: str = "") -> ResourceStatus:
        """This status with the hosts of the resource known: a nameless peer is found by name.

        Args:
            hosts: all hosts of the resource.
            local: the node that was asked, if known; then a nameless peer gets the other's name.
        """
        peers = list(self.peers.values())
        others = [host for host in hosts if host != local]
        if local and len(others) == 1 and [peer.name for peer in peers] == [UNNAMED]:
            peers = [attrs.evolve(peers[0], name=others[0])]
        return attrs.evolve(self, peers=Peers(peers, others))


class DrbdStatus(Mapping[str, ResourceStatus]):
    """All resources of a node, by name."""

    __slots__ = ("_resources",)

    def __init__(self, resources: Collection[ResourceStatus] = ()) -> None:
        self._resources = {resource.name: resource for resource in resources}

    def __getitem__(self, name: str) -> ResourceStatus:
        return self._resources[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._resources)

    def __len__(self) -> int:
        return len(self._resources)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DrbdStatus) and self._resources == other._resources

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"DrbdStatus({list(self._resources.values())!r})"


def decode_resource(
    output: Output,
    *,
    decode: Callable[[Output], DrbdStatus],
    name: str,
    hosts: tuple[str, ...] = (),
    local: str = "",
) -> ResourceStatus:
    """One resource from the output of any status command.

    Args:
        output: of the command.
        decode: the decoder for its form.
        name: the resource.
        hosts: its hosts; see `ResourceStatus.named`.
        local: the host that was asked, if known.

    Raises:
        ParseError: it is something else, or says nothing of that resource.
    """
    found = decode(output)
    if name not in found:
        raise ParseError(
            f"no resource {name!r} in the status", hint=f"bring it up first: drbdadm up {name}"
        )
    return found[name].named(hosts, local)


def split_brain(statuses: Collection[ResourceStatus]) -> bool:
    """Judge by the statuses of one resource on its nodes: both have data the other has not.

    After a split brain that no `after-sb-*` policy resolved, one node is StandAlone, the other
    StandAlone or Connecting, and both call their own data UpToDate.
    """
    current = [
        status
        for status in statuses
        if any(v.disk_state is DiskState.UP_TO_DATE for v in status.volumes.values())
    ]
    return (
        len(current) > 1
        and any(status.stand_alone for status in current)
        and not any(peer.connected for status in current for peer in status.peers.values())
    )
