"""What must be true before a step runs, and how it is told."""

from __future__ import annotations

import attrs

from clusternas.cman import commands as cman
from clusternas.cman.status import CmanStatus
from clusternas.core.command import Command
from clusternas.core.errors import PlanError
from clusternas.corosync import commands as corosync
from clusternas.corosync.status import QuorumStatus
from clusternas.ctdb import commands as ctdb
from clusternas.ctdb.status import CtdbStatus
from clusternas.drbd import queries
from clusternas.drbd.model import DrbdResource
from clusternas.drbd.status import DiskState, DrbdStatus, ResourceStatus
from clusternas.fstab import commands as fstab
from clusternas.fstab.status import Mount
from clusternas.gfs2 import commands as gfs2
from clusternas.gfs2.model import Gfs2Filesystem
from clusternas.gfs2.status import OnDisk, Signature
from clusternas.nas.actual import NodeState
from clusternas.nas.cluster import NasCluster
from clusternas.nas.plan import Check

__all__ = [
    "all_members",
    "has_journals",
    "in_sync",
    "is_connected",
    "is_covered",
    "is_down",
    "is_empty",
    "is_serving",
    "linked",
    "mounted_on",
    "nobody_current",
    "peer_current",
    "quorate_without",
    "serves_on",
]

ALLOWED = ("drbd", "DRBD")
"""What may stand on a disk that becomes DRBD's: DRBD itself."""
SYNC = 7 * 86400.0
"""Seconds that a full sync may take."""


def is_empty(device: str, node: NodeState, hint: str = "") -> Check[tuple[Signature, ...]]:
    """Nothing stands on a device; raises if it is known already that something does.

    Args:
        device: which.
        node: where, as it was found.
        hint: what else there is to do about it than to clear it.
    """
    found = [each.kind for each in node.signatures.get(device) or () if each.kind not in ALLOWED]
    if found:
        raise PlanError(
            f"{node.name}: {device} holds {', '.join(found)}: it is never initialised",
            hint=hint or f"save what is on it, then clear it by hand: wipefs -a {device}",
        )
    return Check(
        command=gfs2.signatures(device),
        holds=holds_nothing,
        says=f"{device} holds nothing",
        tolerant=False,
    )


def holds_nothing(found: tuple[Signature, ...]) -> bool:
    """Whether a device may be initialised."""
    return all(each.kind in ALLOWED for each in found)


# replication


def linked(nas: NasCluster, resource: DrbdResource, node: str) -> Check[ResourceStatus]:
    """All peers are connected."""
    return Check(
        command=_status(nas, resource, node),
        holds=is_connected,
        says=f"{resource.name} is connected",
        within=60,
    )


def nobody_current(nas: NasCluster, resource: DrbdResource, node: str) -> Check[ResourceStatus]:
    """All peers are connected, and none has data that a first sync would overwrite."""
    return Check(
        command=_status(nas, resource, node),
        holds=is_new,
        says=f"{resource.name} is connected and UpToDate nowhere",
        within=60,
    )


def is_down(nas: NasCluster, resource: str) -> Check[DrbdStatus]:
    """A resource that may be described no more is not up."""
    return Check(
        command=queries.status(toolset=nas.toolset),
        holds=_Down(resource),
        says=f"{resource} is down",
        tolerant=False,
    )


@attrs.frozen
class _Down:
    """Whether a resource is not among those that are up."""

    resource: str

    def __call__(self, status: DrbdStatus) -> bool:
        return self.resource not in status


def peer_current(nas: NasCluster, resource: DrbdResource, node: str) -> Check[ResourceStatus]:
    """A connected peer has the current data, so the disk here may go."""
    return Check(
        command=_status(nas, resource, node),
        holds=is_covered,
        says=f"a peer of {resource.name} is UpToDate",
        node=node,
    )


def in_sync(nas: NasCluster, resource: DrbdResource, node: str) -> Check[ResourceStatus]:
    """All peers are connected, and all have all data; a full sync may take days."""
    return Check(
        command=_status(nas, resource, node),
        holds=is_current,
        says=f"{resource.name} is in sync",
        within=SYNC,
        tells=how_far,
    )


def _status(nas: NasCluster, resource: DrbdResource, node: str) -> Command[ResourceStatus]:
    return queries.resource_status(resource.name, resource.host_names(), node, toolset=nas.toolset)


def is_connected(status: ResourceStatus) -> bool:
    """Whether all peers are there."""
    return bool(status.peers) and all(peer.connected for peer in status.peers.values())


def is_current(status: ResourceStatus) -> bool:
    """Whether all data is on every node."""
    return is_connected(status) and set(_disks(status)) == {DiskState.UP_TO_DATE}


def how_far(status: ResourceStatus) -> str:
    """How far the sync has come that is furthest behind; empty where none runs."""
    links = [each for peer in status.peers.values() for each in peer.volumes.values()]
    behind = sorted(
        (each.sync for each in links if each.sync is not None), key=lambda sync: sync.percent or 0
    )
    return str(behind[0]) if behind else ""


def _disks(status: ResourceStatus) -> list[DiskState]:
    disks = [each.disk_state for each in status.volumes.values()]
    peers = status.peers.values()
    return disks + [each.disk_state for peer in peers for each in peer.volumes.values()]


def is_new(status: ResourceStatus) -> bool:
    """Whether all peers are there, and nobody has data worth keeping."""
    return is_connected(status) and DiskState.UP_TO_DATE not in _disks(status)


def is_covered(status: ResourceStatus) -> bool:
    """Whether a connected peer has all data of every volume."""
    return any(
        peer.connected
        and bool(peer.volumes)
        and all(each.disk_state is DiskState.UP_TO_DATE for each in peer.volumes.values())
        for peer in status.peers.values()
    )


# membership


def all_members(nas: NasCluster) -> Check[QuorumStatus] | Check[CmanStatus]:
    """All nodes are members, and quorate."""
    count = len(nas.nodes)
    says = f"all {count} nodes are members, and quorate"
    if nas.cman is not None:
        return Check(command=cman.status(), holds=_CmanOf(count), says=says, within=120)
    return Check(command=corosync.quorum_status(), holds=_QuorumOf(count), says=says, within=120)


def quorate_without(nas: NasCluster, node: str) -> Check[QuorumStatus] | Check[CmanStatus]:
    """The others stay quorate when a node goes; asked of another node."""
    other = _another(nas, node)
    says = f"the others are quorate without {node}"
    if nas.cman is not None:
        return Check(command=cman.status(), holds=spares_one_of_cman, says=says, node=other)
    return Check(command=corosync.quorum_status(), holds=spares_one, says=says, node=other)


def _another(nas: NasCluster, node: str) -> str:
    others = nas.others(node)
    if not others:
        raise PlanError(f"{node} is the only node", hint="nobody would serve without it")
    return others[0]


def spares_one(status: QuorumStatus) -> bool:
    """Whether corosync stays quorate with a vote less."""
    votes = status.total_votes - 1
    return status.quorate and votes >= (1 if "2Node" in status.flags else status.quorum)


def spares_one_of_cman(status: CmanStatus) -> bool:
    """Whether cman stays quorate with a vote less."""
    votes = status.total_votes - 1
    return status.quorate and votes >= (1 if status.two_node else status.quorum)


@attrs.frozen
class _QuorumOf:
    """Whether so many nodes are in a quorate cluster of corosync."""

    count: int

    def __call__(self, status: QuorumStatus) -> bool:
        return status.quorate and len(status.members) >= self.count


@attrs.frozen
class _CmanOf:
    """Whether so many nodes are in a quorate cluster of cman."""

    count: int

    def __call__(self, status: CmanStatus) -> bool:
        return status.quorate and status.nodes >= self.count


# serving


def has_journals(fs: Gfs2Filesystem) -> Check[OnDisk | None]:
    """A file system has a journal for every node, on its disk."""
    return Check(
        command=fs.inspect(),
        holds=_Journals(fs.journals),
        says=f"{fs.mount_point} has {fs.journals} journals",
        within=30,
    )


@attrs.frozen
class _Journals:
    """Whether a file system has so many journals, as far as can be told."""

    count: int

    def __call__(self, found: OnDisk | None) -> bool:
        return found is not None and (found.journals is None or found.journals >= self.count)


def mounted_on(fs: Gfs2Filesystem, node: str) -> Check[tuple[Mount, ...]]:
    """A file system is mounted on another node, so that it is not the last that serves it."""
    return Check(
        command=fstab.mounts(),
        holds=_Mounts(fs.mount_point),
        says=f"{fs.mount_point} is mounted on {node}",
        node=node,
    )


@attrs.frozen
class _Mounts:
    """Whether something is mounted at a place."""

    target: str

    def __call__(self, mounts: tuple[Mount, ...]) -> bool:
        return any(each.target == self.target for each in mounts)


def serves_on(node: str) -> Check[CtdbStatus]:
    """CTDB serves on a node: clients can go there."""
    return Check(
        command=ctdb.status(), holds=is_serving, says=f"CTDB is OK on {node}", within=240, node=node
    )


def is_serving(status: CtdbStatus) -> bool:
    """Whether the node that was asked serves."""
    return status.this is not None and status.this.ok
