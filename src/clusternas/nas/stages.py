"""The stages of a plan after its files: what runs where, in what order, how it is proven."""

from __future__ import annotations

import attrs

from clusternas.cman import commands as cman
from clusternas.cman.status import CmanStatus
from clusternas.core import services
from clusternas.core.errors import PlanError
from clusternas.core.files import make_dir
from clusternas.corosync import commands as corosync
from clusternas.corosync.status import QuorumStatus
from clusternas.ctdb import commands as ctdb
from clusternas.ctdb.status import CtdbStatus
from clusternas.drbd import queries
from clusternas.drbd.model import DrbdResource
from clusternas.drbd.status import DiskState, ResourceStatus, Role
from clusternas.gfs2 import commands as gfs2
from clusternas.gfs2.model import Gfs2Filesystem
from clusternas.gfs2.status import Signature
from clusternas.lvm import commands as lvm
from clusternas.lvm.group import ClvmVolumeGroup
from clusternas.nas.actual import NasState, NodeState, backing_disks
from clusternas.nas.cluster import NasCluster, NasNode
from clusternas.nas.plan import Check, Draft
from clusternas.nas.units import LOCKING, MEMBERSHIP, NAMED, file_service

__all__ = [
    "filesystems",
    "locking",
    "membership",
    "names",
    "replication",
    "serving",
    "volumes",
]

SAMBA_SCRIPT = "50.samba"
ALLOWED = ("drbd", "DRBD")
"""What may stand on a disk that becomes DRBD's: DRBD itself."""


# replication


def replication(nas: NasCluster, state: NasState, draft: Draft) -> None:
    """Bring every resource up, connected, and primary where it is to be used."""
    for resource in nas.resources:
        nodes = [node for node in nas.nodes if node.name in resource.host_names()]
        for node in nodes:
            _bring_up(nas, state[node.name], resource, draft)
        draft.barrier()
        _promote(nas, state, resource, nodes, draft)
        draft.barrier()


def _bring_up(nas: NasCluster, node: NodeState, resource: DrbdResource, draft: Draft) -> None:
    if resource.name in node.drbd:
        return
    if not node.metadata.get(resource.name, False):
        _create_metadata(nas, node, resource, draft)
    draft.add(
        node.name,
        resource.up(),
        f"{resource.name} is down",
        undo=f"drbdadm down {resource.name}",
        verify=Check(
            command=queries.role(resource.name),
            holds=bool,
            says=f"{resource.name} is up",
            within=10,
        ),
    )


def _create_metadata(
    nas: NasCluster, node: NodeState, resource: DrbdResource, draft: Draft
) -> None:
    """One step a volume, so that each disk is looked at before."""
    host = resource.hosts[node.name]
    numbers: list[int | None] = [each.number for each in host.volumes] or [None]
    for number, disk in zip(numbers, backing_disks(resource, node.name), strict=True):
        draft.add(
            node.name,
            resource.create_md(number, toolset=nas.toolset),
            f"{disk} has no meta data of DRBD",
            guard=_empty(disk, node),
            undo=f"drbdadm wipe-md {resource.name}",
        )


def _empty(device: str, node: NodeState) -> Check[tuple[Signature, ...]]:
    """Nothing stands on a device; raises if it is known already that something does."""
    found = [each.kind for each in node.signatures.get(device) or () if each.kind not in ALLOWED]
    if found:
        raise PlanError(
            f"{node.name}: {device} holds {', '.join(found)}: it is never initialised",
            hint=f"save what is on it, then clear it by hand: wipefs -a {device}",
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


def _promote(
    nas: NasCluster, state: NasState, resource: DrbdResource, nodes: list[NasNode], draft: Draft
) -> None:
    """Primary on every node, one after the other: two at once can refuse each other."""
    statuses = [state[node.name].drbd.get(resource.name) for node in nodes]
    fresh = all(_is_fresh(state[node.name], resource.name) for node in nodes)
    for index, (node, status) in enumerate(zip(nodes, statuses, strict=True)):
        if status is not None and status.role is Role.PRIMARY:
            continue
        first = fresh and index == 0
        reason = (
            "no node has current data yet: the first sync starts from here"
            if first
            else (f"{resource.name} is to be used here")
        )
        draft.add(
            node.name,
            resource.primary(overwrite_peer=first, toolset=nas.toolset),
            reason,
            guard=_linked(nas, resource, node.name),
            undo=f"drbdadm secondary {resource.name}",
            verify=Check(
                command=queries.role(resource.name),
                holds=is_primary,
                says=f"{resource.name} is primary on {node.name}",
                within=30,
            ),
        )
        draft.barrier()


def _is_fresh(node: NodeState, resource: str) -> bool:
    """Whether no data worth keeping is on a node: its meta data is new, or it never was in sync."""
    states = node.disk_states.get(resource, ())
    inconsistent = bool(states) and all(each is DiskState.INCONSISTENT for each in states)
    return inconsistent or not node.metadata.get(resource, False)


def _linked(nas: NasCluster, resource: DrbdResource, node: str) -> Check[ResourceStatus]:
    return Check(
        command=queries.resource_status(
            resource.name, resource.host_names(), node, toolset=nas.toolset
        ),
        holds=is_connected,
        says=f"{resource.name} is connected",
        within=60,
    )


def is_connected(status: ResourceStatus) -> bool:
    """Whether all peers are there."""
    return bool(status.peers) and all(peer.connected for peer in status.peers.values())


def is_primary(roles: tuple[Role, ...]) -> bool:
    """Whether the node that was asked is primary; its role comes first."""
    return bool(roles) and roles[0] is Role.PRIMARY


# membership and locking


def membership(nas: NasCluster, state: NasState, draft: Draft) -> None:
    """Start the cluster manager on every node, at boot too."""
    if nas.cman is None and nas.corosync is None:
        return
    for node in nas.nodes:
        for unit in MEMBERSHIP[nas.toolset.init]:
            _service(nas, state[node.name], unit, draft)


def locking(nas: NasCluster, state: NasState, draft: Draft) -> None:
    """Start the lock managers, once all nodes are members: before, they would fence the missing."""
    if not nas.volume_groups or (nas.cman is None and nas.corosync is None):
        return
    for node in nas.nodes:
        guard = _all_members(nas)
        for unit in LOCKING[nas.toolset.init]:
            if _service(nas, state[node.name], unit, draft, guard=guard):
                guard = None


def _all_members(nas: NasCluster) -> Check[QuorumStatus] | Check[CmanStatus] | None:
    says = f"all {len(nas.nodes)} nodes are members, and quorate"
    count = len(nas.nodes)
    if nas.cman is not None:
        return Check(command=cman.status(), holds=_CmanOf(count), says=says, within=120)
    return Check(command=corosync.quorum_status(), holds=_QuorumOf(count), says=says, within=120)


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


def _service(
    nas: NasCluster,
    node: NodeState,
    unit: str,
    draft: Draft,
    *,
    guard: Check[QuorumStatus] | Check[CmanStatus] | None = None,
    boot: bool = True,
) -> bool:
    """Start a service and have it start at boot; whether a start was needed."""
    init = nas.toolset.init
    if boot and unit not in node.enabled:
        draft.add(
            node.name,
            services.enable(unit, init),
            f"{unit} does not start at boot",
            undo=str(services.disable(unit, init)),
        )
    if unit in node.running:
        return False
    draft.add(
        node.name,
        services.start(unit, init),
        f"{unit} does not run",
        guard=guard,
        undo=str(services.stop(unit, init)),
        verify=Check(
            command=services.is_active(unit, init), holds=bool, says=f"{unit} runs", within=30
        ),
    )
    return True


# volumes


def volumes(nas: NasCluster, state: NasState, draft: Draft) -> None:
    """Make the groups and volumes on one node, then open them on all."""
    leader = nas.nodes[0].name
    for group in nas.volume_groups:
        _create(nas, state[leader], group, draft)
        draft.barrier()
        # The node that made a volume holds it alone until it too opens it shared: so all do.
        if all(_open(state[node.name], group) for node in nas.nodes):
            continue
        for node in nas.nodes:
            _activate(nas, state[node.name], group, draft)
            draft.barrier()


def _create(nas: NasCluster, leader: NodeState, group: ClvmVolumeGroup, draft: Draft) -> None:
    tools = nas.toolset
    known = {each.name for each in leader.volume_groups}
    here = {each.name for each in leader.logical_volumes if each.vg == group.name}
    if group.name not in known:
        for pv in group.pvs:
            draft.add(
                leader.name,
                lvm.pvcreate(pv),
                f"{pv} is no physical volume",
                guard=_empty(pv, leader),
                undo=f"pvremove {pv}",
            )
        locked = group.locked_by(tools)
        draft.add(
            leader.name,
            lvm.vgcreate(group.name, group.pvs, locking=locked, toolset=tools),
            f"there is no volume group {group.name}",
            undo=f"vgremove {group.name}",
        )
    for lv in group.logical_volumes:
        if lv.name not in here:
            draft.add(
                leader.name,
                lvm.lvcreate(group.name, lv.name, size=lv.size, extents=lv.extents),
                f"there is no volume {group.name}/{lv.name}",
                undo=f"lvremove {group.name}/{lv.name}",
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


# file systems


def filesystems(nas: NasCluster, state: NasState, draft: Draft) -> None:
    """Make each file system once, and mount it on every node."""
    leader = nas.nodes[0].name
    unit = file_service(nas)
    serving = all(unit in state[node.name].running for node in nas.nodes if unit)
    for fs in nas.filesystems:
        _make(nas, state, fs, draft)
        draft.barrier()
        missing = [node for node in nas.nodes if not state[node.name].mounted(fs.mount_point)]
        for node in missing:
            _mount(node.name, fs, draft)
        draft.barrier()
        if missing or not serving:
            for path in _folders(nas, fs):
                draft.add(leader, make_dir(path, parents=True), "what is to be served needs it")
            draft.barrier()


def _make(nas: NasCluster, state: NasState, fs: Gfs2Filesystem, draft: Draft) -> None:
    """mkfs, unless it is there already."""
    leader = nas.nodes[0].name
    found = next(
        (s.filesystems[fs.device] for s in state.nodes.values() if fs.device in s.filesystems), None
    )
    if found is None:
        draft.add(
            leader,
            fs.mkfs(nas.toolset),
            f"there is no file system on {fs.device}",
            guard=_empty(fs.device, state[leader]),
            undo=f"wipefs -a {fs.device}",
        )
        return
    wrong = [each for each in fs.differences(found) if "journals" not in each]
    if wrong:
        raise PlanError("; ".join(wrong), hint="describe it as it is, or use another device")


def _mount(node: str, fs: Gfs2Filesystem, draft: Draft) -> None:
    draft.add(node, make_dir(fs.mount_point, parents=True), "a place to mount at")
    draft.add(
        node,
        fs.mount(),
        f"{fs.mount_point} is not mounted on {node}",
        undo=f"umount {fs.mount_point}",
    )


def _folders(nas: NasCluster, fs: Gfs2Filesystem) -> list[str]:
    """What has to be there on a new file system: the folders of shares and of CTDB's lock."""
    wanted = [share.path for share in nas.samba.shares if share.path] if nas.samba else []
    lock = (nas.ctdb.cluster.cluster_lock or "") if nas.ctdb and nas.ctdb.cluster else ""
    wanted += [lock.rpartition("/")[0]] if lock.startswith("/") else []
    below = f"{fs.mount_point.rstrip('/')}/"
    return sorted({path for path in wanted if path.startswith(below)})


# serving


def serving(nas: NasCluster, state: NasState, draft: Draft) -> None:
    """Start CTDB, which starts Samba, or Samba alone."""
    unit = file_service(nas)
    for node in nas.nodes if unit else ():
        found = state[node.name]
        if unit == "ctdb" and unit not in found.running:
            draft.add(
                node.name,
                ctdb.enable_script(SAMBA_SCRIPT, nas.toolset),
                "CTDB is to start and watch Samba",
                undo=f"ctdb event script disable legacy {SAMBA_SCRIPT}",
            )
        # CTDB needs the file system for its lock, which is not mounted at boot: no start at boot.
        _service(nas, found, unit, draft, boot=unit != "ctdb")
    draft.barrier()
    if unit == "ctdb" and any(unit not in each.running for each in state.nodes.values()):
        for node in nas.nodes:
            draft.add(
                node.name,
                ctdb.status(),
                "the node has to become healthy",
                verify=Check(
                    command=ctdb.status(), holds=is_serving, says="CTDB is OK here", within=240
                ),
            )


def is_serving(status: CtdbStatus) -> bool:
    """Whether the node that was asked serves."""
    return status.this is not None and status.this.ok


# names


def names(nas: NasCluster, state: NasState, draft: Draft) -> None:
    """Last of all, the name that brings the clients."""
    for node in nas.nodes if nas.zones else ():
        _service(nas, state[node.name], NAMED, draft)
