"""The stages of a plan for what lies on the replicated devices: groups, volumes, file systems."""

from __future__ import annotations

from clusternas.core.errors import PlanError
from clusternas.core.files import make_dir
from clusternas.gfs2.model import Gfs2Filesystem
from clusternas.gfs2.status import OnDisk
from clusternas.lvm import commands as lvm
from clusternas.lvm.group import ClvmVolumeGroup
from clusternas.nas.actual import NasState, NodeState
from clusternas.nas.cluster import NasCluster
from clusternas.nas.guards import has_journals, is_empty
from clusternas.nas.layers import group_may_exist, has_data, locking_of
from clusternas.nas.plan import Check, Draft
from clusternas.nas.wanted import folders

__all__ = ["filesystems", "volumes"]


CLVMD = "if it is a group of clvmd, which LVM does not list any more: clusternas convert"


def volumes(nas: NasCluster, state: NasState, draft: Draft) -> None:
    """Make the groups and volumes on one node, then open them on all."""
    for group in nas.volume_groups:
        maker = _create(nas, state, group, draft)
        draft.barrier()
        if all(_open(state[node.name], group) for node in nas.nodes):
            continue
        # The node that made a volume holds it alone until it too opens it shared: so all do, and
        # before the others those that may be the one.
        for node in sorted(nas.nodes, key=lambda node: _turn(state[node.name], group, maker)):
            _activate(nas, state[node.name], group, draft)
            draft.barrier()


def _turn(node: NodeState, group: ClvmVolumeGroup, maker: str) -> tuple[bool, bool]:
    has_some = any(each.vg == group.name and each.active for each in node.logical_volumes)
    return node.name != maker, not has_some


def _create(nas: NasCluster, state: NasState, group: ClvmVolumeGroup, draft: Draft) -> str:
    """What is not there; what nobody can see yet, since DRBD below it is down, counts as there.

    Returns:
        The node that makes a volume; empty if there is none to make.
    """
    seeing = [
        name
        for name, node in state.nodes.items()
        if group.name in {each.name for each in node.volume_groups}
    ]
    leader = state[seeing[0] if seeing else nas.nodes[0].name]
    if not group_may_exist(nas, state, group):
        _create_group(nas, leader, group, draft)
    elif not seeing:
        return ""
    else:
        _require_locking(nas, state, group)
    here = {each.name for each in leader.logical_volumes if each.vg == group.name}
    lacking = [lv for lv in group.logical_volumes if lv.name not in here]
    if lacking and seeing:
        _join(nas, leader, group, draft)
    for lv in lacking:
        draft.add(
            leader.name,
            lvm.lvcreate(group.name, lv.name, size=lv.size, extents=lv.extents),
            f"there is no volume {group.name}/{lv.name}",
            undo=f"lvremove {group.name}/{lv.name}",
        )
    return leader.name if lacking else ""


def _join(nas: NasCluster, node: NodeState, group: ClvmVolumeGroup, draft: Draft) -> None:
    """Join the lock space of a group that is there already: without it nothing in it changes."""
    shared = group.locked_by(nas.toolset) in ("dlm", "sanlock")
    if shared and f"lvm_{group.name}" not in node.lockspaces:
        draft.add(
            node.name,
            lvm.vgchange_start_locking(group.name),
            f"a volume of {group.name} is to be made",
            undo=str(lvm.vgchange_stop_locking(group.name)),
        )


def _create_group(nas: NasCluster, leader: NodeState, group: ClvmVolumeGroup, draft: Draft) -> None:
    free = {each.device for each in leader.physical_volumes if not each.vg}
    for pv in group.pvs:
        if pv not in free:
            draft.add(
                leader.name,
                lvm.pvcreate(pv),
                f"{pv} is no physical volume",
                guard=is_empty(pv, leader, CLVMD if nas.corosync else ""),
                undo=f"pvremove {pv}",
            )
    locking = group.locked_by(nas.toolset)
    draft.add(
        leader.name,
        lvm.vgcreate(group.name, group.pvs, locking=locking, toolset=nas.toolset),
        f"there is no volume group {group.name}",
        undo=f"vgremove {group.name}",
    )


def _require_locking(nas: NasCluster, state: NasState, group: ClvmVolumeGroup) -> None:
    """Never open a group on all nodes that another lock manager guards, or none."""
    found, wanted = locking_of(state, group), group.locked_by(nas.toolset)
    if found != wanted:
        raise PlanError(
            f"{group.name} is guarded by {found}, not by {wanted}",
            hint="clusternas convert, or clusternas.nas.conversion.plan_conversion, changes it",
        )


def _open(node: NodeState, group: ClvmVolumeGroup) -> bool:
    """Whether all volumes of a group are active on a node."""
    active = {each.name for each in node.logical_volumes if each.vg == group.name and each.active}
    return active.issuperset(group.logical_volumes.keys())


def _activate(nas: NasCluster, node: NodeState, group: ClvmVolumeGroup, draft: Draft) -> None:
    for command in group.start(nas.toolset):
        draft.add(
            node.name,
            command,
            f"the volumes of {group.name} are not open on all nodes",
            undo=str(group.stop(nas.toolset)[0]),
        )


def filesystems(nas: NasCluster, state: NasState, draft: Draft) -> None:
    """Make each file system once, and mount it on every node."""
    for fs in nas.filesystems:
        found = _found(state, fs)
        _make(nas, state, fs, found, draft)
        draft.barrier()
        missing = [n.name for n in nas.nodes if not state[n.name].mounted(fs.mount_point)]
        mounted = [node.name for node in nas.nodes if node.name not in missing]
        first = mounted[0] if mounted else nas.nodes[0].name
        hidden = has_journals(fs) if found is None and has_data(nas, state, fs) else None
        lacking = fs.journals - found.journals if found and found.journals else 0
        if lacking > 0:
            # One node can mount it; the others wait for a journal of their own.
            _mount([first], missing, fs, draft)
            _add_journals(state[first], fs, lacking, draft)
            draft.barrier()
            missing = [node for node in missing if node != first]
        _mount(missing, missing, fs, draft, hidden)
        _make_folders(nas, state[first], fs, draft)


def _add_journals(node: NodeState, fs: Gfs2Filesystem, lacking: int, draft: Draft) -> None:
    sizes = (each.size for each in node.logical_volumes if each.path == fs.device)
    draft.add(
        node.name,
        fs.jadd(lacking, device_size=next(sizes, None) or 0),
        f"{fs.mount_point} has a journal too few",
        verify=has_journals(fs),
    )


def _make_folders(nas: NasCluster, node: NodeState, fs: Gfs2Filesystem, draft: Draft) -> None:
    """What is served from a file system has to be there."""
    below = f"{fs.mount_point.rstrip('/')}/"
    for path in folders(nas):
        there = node.mounted(fs.mount_point) is not None and node.folders.get(path, False)
        if path.startswith(below) and not there:
            draft.add(node.name, make_dir(path, parents=True), "what is to be served needs it")
    draft.barrier()


def _found(state: NasState, fs: Gfs2Filesystem) -> OnDisk | None:
    """What is on the device, from the first node that sees it."""
    return next(
        (s.filesystems[fs.device] for s in state.nodes.values() if fs.device in s.filesystems), None
    )


def _make(
    nas: NasCluster, state: NasState, fs: Gfs2Filesystem, found: OnDisk | None, draft: Draft
) -> None:
    """mkfs, unless it is there already."""
    leader = nas.nodes[0].name
    if found is None and has_data(nas, state, fs):
        return
    if found is None:
        draft.add(
            leader,
            fs.mkfs(nas.toolset),
            f"there is no file system on {fs.device}",
            guard=is_empty(fs.device, state[leader]),
            undo=f"wipefs -a {fs.device}",
        )
        return
    wrong = [each for each in fs.differences(found) if "journals" not in each]
    if wrong:
        raise PlanError("; ".join(wrong), hint="describe it as it is, or use another device")


def _mount(
    nodes: list[str],
    missing: list[str],
    fs: Gfs2Filesystem,
    draft: Draft,
    guard: Check[OnDisk | None] | None = None,
) -> None:
    """Mount it on those of the nodes where it is missing."""
    for node in nodes:
        if node in missing:
            draft.add(node, make_dir(fs.mount_point, parents=True), "a place to mount at")
            draft.add(
                node,
                fs.mount(),
                f"{fs.mount_point} is not mounted on {node}",
                guard=guard,
                undo=f"umount {fs.mount_point}",
            )
    draft.barrier()
