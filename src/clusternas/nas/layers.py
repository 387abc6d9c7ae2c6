"""What lies on what, and what cannot be seen while the layer below it is down."""

from __future__ import annotations

from collections.abc import Collection

from clusternas.drbd.model import DrbdResource
from clusternas.drbd.status import DiskState, ResourceStatus, Role
from clusternas.gfs2.model import Gfs2Filesystem
from clusternas.lvm.group import ClvmVolumeGroup
from clusternas.nas.actual import NasState, NodeState
from clusternas.nas.cluster import NasCluster
from clusternas.nas.guards import is_covered

__all__ = [
    "MOST_PRIMARIES",
    "group_may_exist",
    "has_data",
    "is_fresh",
    "locking_of",
    "resources_below",
    "volume_of",
]


MOST_PRIMARIES = 2
"""Nodes that may write to one resource: DRBD 8 has one peer, and DRBD 9 supports no more either."""


def volume_of(group: ClvmVolumeGroup, fs: Gfs2Filesystem) -> str:
    """The volume of a group that a file system is on; empty for none."""
    places = (group.device_path, group.mapper_path)
    return next(
        (
            each.name
            for each in group.logical_volumes
            if fs.device in [place(each.name) for place in places]
        ),
        "",
    )


def resources_below(nas: NasCluster, devices: Collection[str]) -> list[DrbdResource]:
    """The resources whose devices these are."""
    return [
        each
        for each in nas.resources
        if any(
            storage.device in devices or f"/dev/drbd{storage.minor}" in devices
            for host in each.hosts
            for storage in host.storage
        )
    ]


def is_fresh(state: NasState, resource: DrbdResource) -> bool:
    """Whether no data worth keeping is anywhere: meta data is new, or it never was in sync."""
    return all(
        _holds_none(node, resource.name)
        for name, node in state.nodes.items()
        if name in resource.host_names()
    )


def _holds_none(node: NodeState, resource: str) -> bool:
    """Whether a node has no data of a resource; what it says of its disk counts most."""
    states = set(node.disk_states.get(resource, ()))
    return states == {DiskState.INCONSISTENT} if states else not node.metadata.get(resource, False)


def _is_readable(status: ResourceStatus) -> bool:
    """Whether the device can be read: primary, I/O flows, current data here or at a peer."""
    current = all(each.disk_state is DiskState.UP_TO_DATE for each in status.volumes.values())
    served = status.role is Role.PRIMARY and not status.suspended
    return served and (current or is_covered(status))


def _is_hidden(nas: NasCluster, state: NasState, devices: Collection[str]) -> bool:
    """Whether there is data on these devices that nobody can read now: no primary has it all."""
    return any(
        not is_fresh(state, each)
        and not any(
            each.name in node.drbd and _is_readable(node.drbd[each.name])
            for node in state.nodes.values()
        )
        for each in resources_below(nas, devices)
    )


def group_may_exist(nas: NasCluster, state: NasState, group: ClvmVolumeGroup) -> bool:
    """Whether a group is there, as far as anybody can tell now."""
    seen = any(each.name == group.name for n in state.nodes.values() for each in n.volume_groups)
    return seen or _is_unseen(nas, state, group)


def _is_unseen(nas: NasCluster, state: NasState, group: ClvmVolumeGroup) -> bool:
    """Whether it may be there though no node lists it."""
    return _is_hidden(nas, state, group.pvs) or _is_skipped(nas, state, group)


def _is_skipped(nas: NasCluster, state: NasState, group: ClvmVolumeGroup) -> bool:
    """Whether LVM may pass over the group, since clvmd does not run where its devices are seen."""
    if group.locked_by(nas.toolset) != "clvmd":
        return False
    labelled = [
        node
        for node in state.nodes.values()
        if any(
            each.kind == "LVM2_member" for pv in group.pvs for each in node.signatures.get(pv) or ()
        )
    ]
    return bool(labelled) and not any("clvmd" in node.running for node in labelled)


def locking_of(state: NasState, group: ClvmVolumeGroup) -> str:
    """Who guards a group that is there, `none` for nobody; empty where no node lists it."""
    seen = (each for n in state.nodes.values() for each in n.volume_groups)
    found = next((each for each in seen if each.name == group.name), None)
    if found is None:
        return ""
    return "clvmd" if found.clustered else found.lock_type or "none"


def has_data(nas: NasCluster, state: NasState, fs: Gfs2Filesystem) -> bool:
    """Whether a file system may be on a device that nobody can read now."""
    if any(node.signatures.get(fs.device) is not None for node in state.nodes.values()):
        return False
    for group in nas.volume_groups:
        if name := volume_of(group, fs):
            seen = any(
                each.vg == group.name and each.name == name
                for node in state.nodes.values()
                for each in node.logical_volumes
            )
            return seen or _is_unseen(nas, state, group)
    return _is_hidden(nas, state, [fs.device])
