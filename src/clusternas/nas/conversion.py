"""From clvmd to lvmlockd: the volume groups of 2010 for the tools of today, lvmlockd(8).

Today's LVM does not even list a group that is marked for clvmd, and takes the mark away only by
force. That is safe where nobody has a volume of it open: so all nodes have to answer, and none may.
"""

from __future__ import annotations

import attrs

from clusternas.core.errors import PlanError
from clusternas.lvm import commands as lvm
from clusternas.lvm.group import ClvmVolumeGroup
from clusternas.lvm.status import LogicalVolume
from clusternas.nas.actual import NasState
from clusternas.nas.cluster import NasCluster
from clusternas.nas.filesteps import plan_files
from clusternas.nas.filetexts import Texts
from clusternas.nas.layers import locking_of
from clusternas.nas.plan import Check, Draft, Plan
from clusternas.nas.reloads import reload
from clusternas.nas.stages import locking, membership, replication

__all__ = ["plan_conversion"]


def plan_conversion(nas: NasCluster, state: NasState) -> Plan:
    """Bring a NAS that was stopped up to its lock managers, and give them its volume groups.

    The way of a whole NAS from 2010 to today: `plan_shutdown` with the old description; the new
    tools on every node, the disks left alone; this plan with the new description; and then
    `NasCluster.plan`, which opens the volumes, mounts, and serves.

    Args:
        nas: as it is to be.
        state: as it is now, on all nodes.

    Raises:
        PlanError: a node does not answer, or has a volume of such a group open.
    """
    if state.unreachable:
        raise PlanError(
            f"{', '.join(state.unreachable)} did not answer",
            hint="whoever has a volume open must be known before its lock manager changes",
        )
    todo = [group for group in nas.volume_groups if _differs(nas, state, group)]
    for group in todo:
        _require_closed(state, group)
    draft = Draft()
    notes = plan_files(nas, state, draft, Texts(nas, state))
    draft.barrier()
    reload(nas, state, notes, draft)
    for stage in (replication, membership, locking):
        stage(nas, state, draft)
        draft.barrier()
    for group in todo:
        _convert(nas, state, group, draft)
    return draft.plan() if todo else Plan()


def _differs(nas: NasCluster, state: NasState, group: ClvmVolumeGroup) -> bool:
    """Whether a group is guarded by something else; one that nobody lists may be clvmd's."""
    return locking_of(state, group) != group.locked_by(nas.toolset)


def _require_closed(state: NasState, group: ClvmVolumeGroup) -> None:
    for name, node in state.nodes.items():
        if is_open(group.name, node.logical_volumes):
            raise PlanError(
                f"{name} has volumes of {group.name} open",
                hint="stop the whole NAS before: clusternas.nas.stopping.plan_shutdown",
            )


def _convert(nas: NasCluster, state: NasState, group: ClvmVolumeGroup, draft: Draft) -> None:
    wanted = group.locked_by(nas.toolset)
    if wanted not in ("dlm", "sanlock"):
        raise PlanError(
            f"{group.name} is guarded by {locking_of(state, group)}, not by {wanted}",
            hint="only the way to lvmlockd is known",
        )
    for node in nas.nodes:
        draft.add(
            node.name,
            lvm.lvs(toolset=nas.toolset),
            f"nobody may use {group.name} while its lock manager changes",
            verify=closed(nas, group),
        )
    draft.barrier()
    leader = nas.nodes[0].name
    if locking_of(state, group) != "none":
        draft.add(
            leader,
            lvm.vgchange_locktype(group.name, "none"),
            f"{group.name} is marked for a lock manager that is gone",
            guard=closed(nas, group),
        )
    draft.add(
        leader,
        lvm.vgchange_locktype(group.name, wanted),
        f"{wanted} is to guard {group.name}",
        guard=closed(nas, group),
        undo=str(lvm.vgchange_locktype(group.name, "none")),
    )
    draft.barrier()


def closed(nas: NasCluster, group: ClvmVolumeGroup) -> Check[tuple[LogicalVolume, ...]]:
    """No volume of a group is open on the node that is asked."""
    return Check(
        command=lvm.lvs(toolset=nas.toolset),
        holds=_Closed(group.name),
        says=f"no volume of {group.name} is open",
        tolerant=False,
    )


@attrs.frozen
class _Closed:
    """Whether no volume of a group is open."""

    group: str

    def __call__(self, volumes: tuple[LogicalVolume, ...]) -> bool:
        return not is_open(self.group, volumes)


def is_open(group: str, volumes: tuple[LogicalVolume, ...]) -> bool:
    """Whether a volume of a group is among them, and open."""
    return any(each.vg == group and each.active for each in volumes)
