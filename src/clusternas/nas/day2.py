"""Plans for a NAS that runs: take a node down, mend a split brain, replace a disk, grow.

What is a matter of the description needs none of these: change it, and `NasCluster.plan` adds the
share, the record, the node's file or the journal. After each of these plans, too, the next
`NasCluster.plan` starts again what was stopped.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from clusternas.core import services
from clusternas.core.command import Effect
from clusternas.core.errors import PlanError
from clusternas.drbd import procedures
from clusternas.drbd.model import DrbdResource
from clusternas.gfs2.commands import signatures
from clusternas.gfs2.model import Gfs2Filesystem
from clusternas.lvm import commands as lvm
from clusternas.lvm.group import ClvmVolumeGroup
from clusternas.nas.actual import NasState, backing_disks
from clusternas.nas.cluster import NasCluster
from clusternas.nas.guards import (
    is_empty,
    linked,
    mounted_on,
    peer_current,
    quorate_without,
    serves_on,
)
from clusternas.nas.layers import resources_below, volume_of
from clusternas.nas.plan import Check, Draft, Plan
from clusternas.nas.units import LOCKING, MEMBERSHIP, file_service

__all__ = ["plan_disk_replacement", "plan_growth", "plan_split_brain_recovery", "plan_stop"]


def plan_stop(nas: NasCluster, state: NasState, node: str) -> Plan:
    """Take a node out of service, from its clients down to its disks, for instance to restart it.

    Each step is refused if it would end the service: another node must serve, have the file system
    mounted, be quorate alone, and have all data. To restart all nodes, take one after the other:
    this plan, the restart, `NasCluster.plan`, and only then the next.

    Args:
        nas: the NAS.
        state: as it is now.
        node: which to stop.

    Raises:
        PlanError: there is no other node, or the node does not answer.
    """
    _answers(state, node)
    draft = Draft()
    _release(nas, state, node, draft, last=quorate_without(nas, node))
    init = nas.toolset.init
    for unit in reversed((*MEMBERSHIP[init], *LOCKING[init])):
        if unit in state[node].running:
            draft.add(
                node,
                services.stop(unit, init),
                f"{node} is taken out of service",
                guard=quorate_without(nas, node) if unit in MEMBERSHIP[init] else None,
                undo=str(services.start(unit, init)),
            )
    for resource in nas.resources:
        if resource.name in state[node].drbd:
            guard = peer_current(nas, resource, node)
            draft.add(node, resource.secondary(), "nothing uses it here any more", guard=guard)
            draft.add(
                node,
                resource.down(),
                f"{node} is taken out of service",
                undo=str(resource.up()),
            )
    return draft.plan()


def plan_split_brain_recovery(nas: NasCluster, state: NasState, resource: str, victim: str) -> Plan:
    """Give up what one node wrote alone during a split brain, and let it sync from the others.

    Args:
        nas: the NAS.
        state: as it is now.
        resource: which one is split.
        victim: the node whose changes are lost; allowing the step that loses them names it too.

    Raises:
        PlanError: it is not split, or a node does not answer.
    """
    wanted = _resource(nas, resource)
    hosts = wanted.host_names()
    for host in hosts:
        _answers(state, host)
    found = {host: state[host].drbd[resource] for host in hosts if resource in state[host].drbd}
    if victim not in found or any(peer.connected for peer in found[victim].peers.values()):
        raise PlanError(f"{resource} is not split on {victim}", hint="look at status again")
    draft = Draft()
    _release(nas, state, victim, draft)
    for step in procedures.recover_split_brain(wanted, victim, found, toolset=nas.toolset):
        draft.add(step.node, step.command, step.why)
        draft.barrier()
    draft.add(
        victim,
        wanted.dstate(),
        "it has to find its peer again",
        verify=linked(nas, wanted, victim),
    )
    return draft.plan()


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
    _answers(state, node)
    status = state[node].drbd.get(resource)
    detach, *fill = procedures.replace_disk(wanted, node, toolset=nas.toolset)
    draft = Draft()
    if status is not None and not status.diskless:
        draft.add(node, detach.command, detach.why, guard=peer_current(nas, wanted, node))
        return draft.plan()
    for step in fill:
        if step.command.effect is Effect.DESTROY:
            for disk in backing_disks(wanted, node):
                draft.add(node, signatures(disk), "a new disk", guard=is_empty(disk, state[node]))
        draft.add(node, step.command, step.why, guard=peer_current(nas, wanted, node))
    return draft.plan()


def plan_growth(
    nas: NasCluster, state: NasState, mount_point: str, size: str = "", *, extents: str = ""
) -> Plan:
    """Grow a file system while it is used, after the disks below DRBD have grown on all nodes.

    Args:
        nas: the NAS.
        state: as it is now.
        mount_point: of the file system.
        size: that its volume is to have, or `+` and how much more.
        extents: instead of a size; by default all that is free.

    Raises:
        PlanError: it is mounted nowhere.
    """
    fs = nas.filesystems[mount_point]
    node = next((n.name for n in nas.nodes if state[n.name].mounted(mount_point)), None)
    if node is None:
        raise PlanError(f"{mount_point} is mounted nowhere", hint="plan and apply before")
    draft = Draft()
    for group in (group for group in nas.volume_groups if volume_of(group, fs)):
        for resource in resources_below(nas, group.pvs):
            for step in procedures.grow(resource, node):
                draft.add(step.node, step.command, step.why, guard=linked(nas, resource, node))
        for pv in group.pvs:
            draft.add(node, lvm.pvresize(pv), f"{pv} has grown")
        amount = extents if extents or size else "+100%FREE"
        volume = volume_of(group, fs)
        draft.add(
            node,
            lvm.lvextend(group.name, volume, size=size, extents=amount),
            f"{mount_point} is to be larger",
        )
    draft.add(node, fs.grow(), f"{fs.device} is larger than what is on it")
    return draft.plan()


def _release(
    nas: NasCluster,
    state: NasState,
    node: str,
    draft: Draft,
    *,
    last: Check[Any] | None = None,
) -> None:
    """Stop what uses the shared devices on a node, while another node has them."""
    others = [each.name for each in nas.nodes if each.name != node]
    unit = file_service(nas)
    here = state[node]
    if unit and unit in here.running:
        draft.add(
            node,
            services.stop(unit, nas.toolset.init),
            "it serves from a file system that has to go",
            guard=serves_on(others[0]) if unit == "ctdb" and others else last,
            undo=str(services.start(unit, nas.toolset.init)),
        )
    for fs in nas.filesystems:
        if here.mounted(fs.mount_point):
            draft.add(
                node,
                fs.umount(),
                "its device has to go",
                guard=mounted_on(fs, _other_mount(state, fs, others)),
                undo=f"mount {fs.mount_point}",
            )
    for group in nas.volume_groups:
        for command in group.stop(nas.toolset) if _active(state, node, group) else ():
            draft.add(node, command, "DRBD below it has to be let go")
    draft.barrier()


def _other_mount(state: NasState, fs: Gfs2Filesystem, others: Iterable[str]) -> str:
    found = next((each for each in others if state[each].mounted(fs.mount_point)), None)
    if found is None:
        raise PlanError(
            f"{fs.mount_point} is mounted nowhere else",
            hint="mount it on another node before: the last one that serves is never unmounted",
        )
    return found


def _active(state: NasState, node: str, group: ClvmVolumeGroup) -> bool:
    return any(each.vg == group.name and each.active for each in state[node].logical_volumes)


def _resource(nas: NasCluster, name: str) -> DrbdResource:
    if name not in nas.resources.keys():  # noqa: SIM118 - a Keyed holds values
        raise PlanError(f"there is no resource {name}", hint="nas.resources names them")
    return nas.resources[name]


def _answers(state: NasState, node: str) -> None:
    if node not in state.nodes:
        raise PlanError(f"there is no node {node}", hint=f"one of {', '.join(state.nodes)}")
    if not state[node].reachable:
        raise PlanError(f"{node} did not answer", hint=state[node].error.splitlines()[0])
