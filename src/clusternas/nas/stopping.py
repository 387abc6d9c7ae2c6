"""Taking nodes out of service: one, while the others serve; or all of them, in good order."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from clusternas.core import services
from clusternas.core.command import Command
from clusternas.core.errors import PlanError
from clusternas.drbd.model import DrbdResource
from clusternas.gfs2.model import Gfs2Filesystem
from clusternas.lvm.commands import vgchange_stop_locking
from clusternas.lvm.group import ClvmVolumeGroup
from clusternas.nas.actual import NasState, NodeState
from clusternas.nas.cluster import NasCluster
from clusternas.nas.guards import mounted_on, peer_current, quorate_without, serves_on
from clusternas.nas.plan import Check, Draft, Plan
from clusternas.nas.units import LOCKING, MEMBERSHIP, file_service

__all__ = ["plan_shutdown", "plan_stop", "release", "require_answer", "require_node"]

OUT = "is taken out of service"


def plan_stop(nas: NasCluster, state: NasState, node: str) -> Plan:
    """Take a node out of service, from its clients down to its disks, for instance to mend it.

    Each step is refused if it would end the service: another node must serve, have the file system
    mounted, be quorate alone, and have all data. `NasCluster.plan` takes it in again.

    Args:
        nas: the NAS.
        state: as it is now.
        node: which to stop.

    Raises:
        PlanError: there is no other node, or the node does not answer.
    """
    require_answer(state, node)
    draft = Draft()
    release(nas, state, node, draft, last=quorate_without(nas, node))
    for unit in _cluster_units(nas):
        guard = quorate_without(nas, node) if unit in MEMBERSHIP[nas.toolset.init] else None
        _stop_unit(nas, state, node, unit, draft, guard=guard)
    for resource in nas.resources:
        _down(state, node, resource, draft, guard=peer_current(nas, resource, node))
    return draft.plan()


def plan_shutdown(nas: NasCluster, state: NasState) -> Plan:
    """Stop the whole NAS, layer by layer on all nodes at once; data stays as it is.

    For a power cut that is announced, or to move to other tools. Nodes that do not answer are left
    out. `NasCluster.plan` starts everything again.

    Args:
        nas: the NAS.
        state: as it is now.
    """
    draft = Draft()
    nodes = [node.name for node in nas.nodes if state[node.name].reachable]
    for node in nodes:
        _stop_unit(nas, state, node, file_service(nas), draft)
    draft.barrier()
    for node in nodes:
        _close(nas, state, node, draft, guard=lambda _fs: None)
    draft.barrier()
    for unit in _cluster_units(nas):
        for node in nodes:
            _stop_unit(nas, state, node, unit, draft)
        draft.barrier()
    for node in nodes:
        for resource in nas.resources:
            _down(state, node, resource, draft)
    return draft.plan()


def release(
    nas: NasCluster,
    state: NasState,
    node: str,
    draft: Draft,
    *,
    last: Check[Any] | None = None,
) -> None:
    """Stop what uses the shared devices on a node, while another node has them.

    Args:
        nas: the NAS.
        state: as it is now.
        node: where.
        draft: takes the steps.
        last: what must be true before Samba alone is stopped, which knows of no other node.
    """
    others = nas.others(node)
    unit = file_service(nas)
    guard = serves_on(others[0]) if unit == "ctdb" and others else last
    _stop_unit(nas, state, node, unit, draft, guard=guard)
    _close(
        nas,
        state,
        node,
        draft,
        guard=lambda fs: mounted_on(fs, _other_mount(state, fs, others)),
    )
    draft.barrier()


def require_node(state: NasState, node: str) -> None:
    """Raise `PlanError` if there is no such node."""
    if node not in state.nodes:
        raise PlanError(f"there is no node {node}", hint=f"one of {', '.join(state.nodes)}")


def require_answer(state: NasState, node: str) -> None:
    """Raise `PlanError` if there is no such node, or it did not answer."""
    require_node(state, node)
    if not state[node].reachable:
        raise PlanError(f"{node} did not answer", hint=state[node].error.splitlines()[0])


def _cluster_units(nas: NasCluster) -> tuple[str, ...]:
    """What keeps the cluster together, in the order to stop it."""
    init = nas.toolset.init
    return tuple(reversed((*MEMBERSHIP[init], *LOCKING[init])))


def _stop_unit(
    nas: NasCluster,
    state: NasState,
    node: str,
    unit: str,
    draft: Draft,
    *,
    guard: Check[Any] | None = None,
) -> None:
    init = nas.toolset.init
    if unit and unit in state[node].running:
        draft.add(
            node,
            services.stop(unit, init),
            f"{node} {OUT}",
            guard=guard,
            undo=str(services.start(unit, init)),
        )


def _close(
    nas: NasCluster,
    state: NasState,
    node: str,
    draft: Draft,
    *,
    guard: Callable[[Gfs2Filesystem], Check[Any] | None],
) -> None:
    """Unmount the shared file systems of a node, and close the volumes below them."""
    for fs in nas.filesystems:
        if fs.lock_table in state[node].withdrawn:
            raise PlanError(
                f"{node}: GFS2 has withdrawn from {fs.mount_point}, which cannot be unmounted",
                hint="restart the machine, then plan again",
            )
        if state[node].mounted(fs.mount_point):
            draft.add(
                node,
                fs.umount(),
                "its device has to go",
                guard=guard(fs),
                undo=f"mount {fs.mount_point}",
            )
    for group in nas.volume_groups:
        for command in _closing(nas, state[node], group):
            draft.add(node, command, "the device below it has to be let go")


def _down(
    state: NasState,
    node: str,
    resource: DrbdResource,
    draft: Draft,
    *,
    guard: Check[Any] | None = None,
) -> None:
    if resource.name in state[node].drbd:
        draft.add(node, resource.secondary(), "nothing uses it here any more", guard=guard)
        draft.add(node, resource.down(), f"{node} {OUT}", undo=str(resource.up()))


def _other_mount(state: NasState, fs: Gfs2Filesystem, others: Iterable[str]) -> str:
    found = next((each for each in others if state[each].mounted(fs.mount_point)), None)
    if found is None:
        raise PlanError(
            f"{fs.mount_point} is mounted nowhere else",
            hint="mount it on another node before: the last one that serves is never unmounted",
        )
    return found


def _closing(nas: NasCluster, node: NodeState, group: ClvmVolumeGroup) -> tuple[Command[str], ...]:
    """What closes a group on a node: all of it, or its lock space that is left over."""
    if any(each.vg == group.name and each.active for each in node.logical_volumes):
        return group.stop(nas.toolset)
    if f"lvm_{group.name}" in node.lockspaces:
        return (vgchange_stop_locking(group.name),)
    return ()
