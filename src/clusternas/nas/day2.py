"""Plans for a NAS that runs: mend a split brain, replace a disk, grow, wait for a sync.

What is a matter of the description needs none of these: change it, and `NasCluster.plan` adds the
share, the record, the node's file or the journal. After each of these plans, too, the next
`NasCluster.plan` starts again what was stopped.
"""

from __future__ import annotations

import attrs

from clusternas.core.command import Command, Effect
from clusternas.core.errors import PlanError
from clusternas.core.salvage import SavedDisk
from clusternas.drbd import procedures
from clusternas.drbd.model import DrbdResource
from clusternas.gfs2.commands import signatures
from clusternas.lvm import commands as lvm
from clusternas.lvm.group import ClvmVolumeGroup
from clusternas.lvm.names import size_in_bytes
from clusternas.lvm.status import LogicalVolume, VolumeGroup
from clusternas.nas.actual import NasState, NodeState, backing_disks
from clusternas.nas.cluster import NasCluster
from clusternas.nas.guards import in_sync, is_current, is_empty, linked, peer_current
from clusternas.nas.layers import resources_below, volume_of
from clusternas.nas.lost import saves
from clusternas.nas.plan import Check, Draft, Plan
from clusternas.nas.stopping import plan_shutdown, plan_stop, release, require_answer

NOTHING_TO_EXTEND = 5
"""What lvextend ends with, too, where the volume has the size already."""

__all__ = [
    "plan_disk_replacement",
    "plan_growth",
    "plan_shutdown",
    "plan_split_brain_recovery",
    "plan_stop",
    "plan_sync",
]


def plan_split_brain_recovery(
    nas: NasCluster, state: NasState, resource: str, victim: str, *, save_to: str = ""
) -> Plan:
    """Give up what one node wrote alone during a split brain, and let it sync from the others.

    What it wrote can be saved aside before; `nas.lost.written_alone` tells what it is.

    Args:
        nas: the NAS.
        state: as it is now.
        resource: which one is split.
        victim: the node whose changes are lost; allowing the step that loses them names it too.
        save_to: a new file on the victim, on a file system with room for the whole disk, into which
            that disk is copied before anything on it is lost; with several volumes, one file each:
            `/root/r0.img` becomes `/root/r0-0.img` and so on.

    Raises:
        PlanError: it is not split, a node does not answer, GFS2 has withdrawn on the victim, or
            `save_to` is no place to save anything to.
    """
    wanted = _resource(nas, resource)
    hosts = wanted.host_names()
    for host in hosts:
        require_answer(state, host)
    found = {host: state[host].drbd[resource] for host in hosts if resource in state[host].drbd}
    linked_hosts = [any(each.connected for each in here.peers.values()) for here in found.values()]
    if not any(each.stand_alone for each in found.values()) or any(linked_hosts):
        raise PlanError(f"{resource} is not split on {victim}", hint="look at status again")
    saved = saves(nas, state, wanted, victim, save_to) if save_to else []
    draft = Draft()
    release(nas, state, victim, draft)
    if victim not in found:  # it was restarted; connecting may be all it takes to lose its data
        _save(victim, saved, draft)
        draft.add(victim, wanted.up(), f"{resource} is down")
        draft.add(victim, wanted.disconnect(toolset=nas.toolset), "it must connect as the victim")
    for step in procedures.recover_split_brain(wanted, victim, found, toolset=nas.toolset):
        loses = step.command.effect is Effect.DESTROY
        if loses and victim in found:
            _save(victim, saved, draft)
        draft.add(step.node, step.command, step.why + ("; saved before" if loses and saved else ""))
        draft.barrier()
    _await_sync(nas, wanted, victim, draft)
    return draft.plan()


def _save(victim: str, saved: list[Command[SavedDisk]], draft: Draft) -> None:
    """Copy the disks of the victim; if that fails, nothing after it runs."""
    for command in saved:
        path = command.argv[-1]
        draft.add(victim, command, "what it wrote alone is about to be lost", undo=f"rm {path}")


def plan_disk_replacement(nas: NasCluster, state: NasState, resource: str, node: str) -> Plan:
    """Put a new disk, under the name of the old one, below a resource; the node goes on serving.

    While the old disk is still in use, the plan only lets it go: change it, gather, plan again.

    Args:
        nas: the NAS.
        state: as it is now.
        resource: whose disk it is.
        node: where.

    Raises:
        PlanError: the node does not answer, or something stands on the new disk.
    """
    wanted = _resource(nas, resource)
    require_answer(state, node)
    status = state[node].drbd.get(resource)
    detach, *fill = procedures.replace_disk(wanted, node, toolset=nas.toolset)
    draft = Draft()
    if status is not None and status.inconsistent:  # the new disk is being filled already
        _await_sync(nas, wanted, node, draft)
        return draft.plan()
    if status is not None and not status.diskless:
        draft.add(node, detach.command, detach.why, guard=peer_current(nas, wanted, node))
        return draft.plan()
    for step in fill:
        if step.command.effect is Effect.DESTROY:
            for disk in backing_disks(wanted, node):
                draft.add(node, signatures(disk), "a new disk", guard=is_empty(disk, state[node]))
        draft.add(node, step.command, step.why, guard=peer_current(nas, wanted, node))
    _await_sync(nas, wanted, node, draft)
    return draft.plan()


def plan_growth(nas: NasCluster, state: NasState, mount_point: str, size: str = "") -> Plan:
    """Grow a file system while it is used, after the disks below DRBD have grown on all nodes.

    The plan names the size that the volume is to have, so applying it once more changes nothing.

    Args:
        nas: the NAS.
        state: as it is now.
        mount_point: of the file system.
        size: that its volume is to have, or `+` and how much more than it has in `state`; by
            default all that is free.

    Raises:
        PlanError: it is mounted nowhere, or larger than that.
    """
    if mount_point not in nas.filesystems.keys():  # noqa: SIM118 - a Keyed holds values
        known = ", ".join(nas.filesystems.keys())
        raise PlanError(f"no file system is for {mount_point}", hint=f"one of {known}")
    fs = nas.filesystems[mount_point]
    node = next((n.name for n in nas.nodes if state[n.name].mounted(mount_point)), None)
    if node is None:
        raise PlanError(f"{mount_point} is mounted nowhere", hint="plan and apply before")
    group = next((each for each in nas.volume_groups if volume_of(each, fs)), None)
    draft = Draft()
    for resource in resources_below(nas, group.pvs if group else [fs.device]):
        for step in procedures.grow(resource, node):
            draft.add(step.node, step.command, step.why, guard=linked(nas, resource, node))
    if group is not None:
        _extend(nas, state[node], group, volume_of(group, fs), size, draft)
        draft.barrier()
        if group.locked_by(nas.toolset) != "clvmd":
            _refresh(state, group, volume_of(group, fs), node, draft)
    draft.add(node, fs.grow(), f"{fs.device} is larger than what is on it")
    return draft.plan()


def _extend(
    nas: NasCluster, node: NodeState, group: ClvmVolumeGroup, volume: str, size: str, draft: Draft
) -> None:
    """A larger volume; that it has the size already, since it was done before, is no failure."""
    for pv in group.pvs:
        draft.add(node.name, lvm.pvresize(pv), f"{pv} has grown")
    check: Check[tuple[VolumeGroup, ...]] | Check[tuple[LogicalVolume, ...]]
    if size:
        wanted = _wanted_size(node, group, volume, size)
        command = lvm.lvextend(group.name, volume, size=wanted)
        check = Check(
            command=lvm.lvs(toolset=nas.toolset),
            holds=_AsLarge(group.name, volume, wanted),
            says=f"{group.name}/{volume} has {wanted} bytes",
        )
    else:
        command = lvm.lvextend(group.name, volume, extents="+100%FREE")
        check = Check(
            command=lvm.vgs(toolset=nas.toolset),
            holds=_Full(group.name),
            says=f"all of {group.name} is in use",
        )
    command = attrs.evolve(command, ok={0, NOTHING_TO_EXTEND})
    draft.add(node.name, command, "the file system is to be larger", verify=check)


def _wanted_size(node: NodeState, group: ClvmVolumeGroup, volume: str, size: str) -> int:
    """Bytes in all, also for a size that says how much more."""
    known = {each.name: each.size for each in node.logical_volumes if each.vg == group.name}
    now = known.get(volume)
    if now is None:
        raise PlanError(f"{node.name}: nobody knows how large {group.name}/{volume} is")
    wanted = size_in_bytes(size) + (now if size.startswith("+") else 0)
    if wanted < now:
        raise PlanError(
            f"{group.name}/{volume} has {now} bytes, more than {size}",
            hint="GFS2 does not shrink; + and a size adds to what there is",
        )
    return wanted


@attrs.frozen
class _AsLarge:
    """Whether a volume has so many bytes."""

    group: str
    volume: str
    size: int

    def __call__(self, volumes: tuple[LogicalVolume, ...]) -> bool:
        return any(
            (each.vg, each.name) == (self.group, self.volume) and (each.size or 0) >= self.size
            for each in volumes
        )


@attrs.frozen
class _Full:
    """Whether a group has no extent left."""

    group: str

    def __call__(self, groups: tuple[VolumeGroup, ...]) -> bool:
        return any(each.name == self.group and each.free == 0 for each in groups)


def _refresh(
    state: NasState, group: ClvmVolumeGroup, volume: str, grown_on: str, draft: Draft
) -> None:
    """Let the other nodes see the new size, before GFS2 sends them beyond the end of the old."""
    for name, here in state.nodes.items():
        active = any(each.vg == group.name and each.active for each in here.logical_volumes)
        if active and name != grown_on:
            draft.add(
                name, lvm.lvchange_refresh(group.name, volume), "its device has the old size here"
            )
    draft.barrier()


def plan_sync(nas: NasCluster, state: NasState) -> Plan:
    """Wait until all data is on all nodes; its steps only look, and tell how far it has come.

    Args:
        nas: the NAS.
        state: as it is now; empty is the plan if everything is in sync already.
    """
    draft = Draft()
    for resource in nas.resources:
        hosts = [host for host in resource.host_names() if _is_behind(state, resource, host)]
        for host in hosts[:1]:
            _await_sync(nas, resource, host, draft)
    return draft.plan()


def _is_behind(state: NasState, resource: DrbdResource, node: str) -> bool:
    status = state[node].drbd.get(resource.name)
    return status is not None and not is_current(status)


def _await_sync(nas: NasCluster, resource: DrbdResource, node: str, draft: Draft) -> None:
    draft.add(
        node,
        resource.dstate(),
        "until all data is on all nodes, one of them counts alone",
        verify=in_sync(nas, resource, node),
    )


def _resource(nas: NasCluster, name: str) -> DrbdResource:
    if name not in nas.resources.keys():  # noqa: SIM118 - a Keyed holds values
        known = ", ".join(nas.resources.keys())
        raise PlanError(f"there is no resource {name}", hint=f"one of {known}")
    return nas.resources[name]
