"""The stages of a plan after its files: what runs where, in what order, how it is proven."""

from __future__ import annotations

from clusternas.cman.status import CmanStatus
from clusternas.core import services
from clusternas.corosync.status import QuorumStatus
from clusternas.ctdb import commands as ctdb
from clusternas.drbd import queries
from clusternas.drbd.layout import stored
from clusternas.drbd.model import DrbdResource
from clusternas.drbd.status import ResourceStatus, Role
from clusternas.nas.actual import NasState, NodeState
from clusternas.nas.cluster import NasCluster, NasNode
from clusternas.nas.guards import all_members, is_empty, linked, nobody_current, serves_on
from clusternas.nas.layers import is_fresh
from clusternas.nas.plan import Check, Draft
from clusternas.nas.units import LOCKING, MEMBERSHIP, NAMED, at_boot, file_service, rivals

__all__ = [
    "booting",
    "locking",
    "membership",
    "names",
    "replication",
    "serving",
]

SAMBA_SCRIPT = "50.samba"


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
        if _is_cut_off(node.drbd[resource.name]):
            _rejoin(node, resource, draft)
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


def _is_cut_off(status: ResourceStatus) -> bool:
    """Whether it came up by halves, or has given up its link while nobody here uses it.

    What is used here and has given up its link is split: a person has to say whose data counts.
    """
    return status.role is not Role.PRIMARY and status.stand_alone


def _rejoin(node: NodeState, resource: DrbdResource, draft: Draft) -> None:
    draft.add(
        node.name,
        resource.adjust(),
        f"{resource.name} is up without a link, or only by halves",
        undo=f"drbdadm down {resource.name}",
    )


def _create_metadata(
    nas: NasCluster, node: NodeState, resource: DrbdResource, draft: Draft
) -> None:
    """One step a volume, so that each disk is looked at before."""
    for seat in stored(resource, node.name):
        number = None if seat.implicit else seat.number
        draft.add(
            node.name,
            resource.create_md(number, toolset=nas.toolset),
            f"{seat.backing} has no meta data of DRBD",
            guard=is_empty(seat.backing, node),
            undo=f"drbdadm wipe-md {resource.name}",
        )


def _promote(
    nas: NasCluster, state: NasState, resource: DrbdResource, nodes: list[NasNode], draft: Draft
) -> None:
    """Primary on every node, one after the other: two at once can refuse each other."""
    statuses = [state[node.name].drbd.get(resource.name) for node in nodes]
    fresh = is_fresh(state, resource)
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
            guard=(nobody_current if first else linked)(nas, resource, node.name),
            undo=f"drbdadm secondary {resource.name}",
            verify=Check(
                command=queries.role(resource.name),
                holds=is_primary,
                says=f"{resource.name} is primary on {node.name}",
                within=30,
            ),
        )
        draft.barrier()


def is_primary(roles: tuple[Role, ...]) -> bool:
    """Whether the node that was asked is primary; its role comes first."""
    return bool(roles) and roles[0] is Role.PRIMARY


# membership and locking


def membership(nas: NasCluster, state: NasState, draft: Draft) -> None:
    """Start the cluster manager on every node."""
    if nas.cman is None and nas.corosync is None:
        return
    for node in nas.nodes:
        for unit in MEMBERSHIP[nas.toolset.init]:
            _started(nas, state[node.name], unit, draft)


def locking(nas: NasCluster, state: NasState, draft: Draft) -> None:
    """Start the lock managers, once all nodes are members: before, they would fence the missing.

    They start at nearly the same time: dlm_controld fences a member whose own dlm_controld is not
    there within 30 s (`post_join_delay`, dlm.conf(5)). So nothing else comes between.
    """
    if not nas.volume_groups or (nas.cman is None and nas.corosync is None):
        return
    for node in nas.nodes:
        guard: Check[QuorumStatus] | Check[CmanStatus] | None = all_members(nas)
        for unit in LOCKING[nas.toolset.init]:
            if _started(nas, state[node.name], unit, draft, guard=guard):
                guard = None


def _started(
    nas: NasCluster,
    node: NodeState,
    unit: str,
    draft: Draft,
    *,
    guard: Check[QuorumStatus] | Check[CmanStatus] | None = None,
) -> bool:
    """Start a service; whether that was needed."""
    init = nas.toolset.init
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


# serving


def serving(nas: NasCluster, state: NasState, draft: Draft) -> None:
    """Start CTDB, which starts Samba, or Samba alone."""
    unit = file_service(nas)
    for node in nas.nodes if unit else ():
        _make_room(nas, state[node.name], draft)
    draft.barrier()
    for node in nas.nodes if unit else ():
        found = state[node.name]
        if unit == "ctdb" and unit not in found.running:
            draft.add(
                node.name,
                ctdb.enable_script(SAMBA_SCRIPT, nas.toolset),
                "CTDB is to start and watch Samba",
                undo=f"ctdb event script disable legacy {SAMBA_SCRIPT}",
            )
        _started(nas, found, unit, draft)
    draft.barrier()
    if unit == "ctdb" and any(unit not in each.running for each in state.nodes.values()):
        for node in nas.nodes:
            draft.add(
                node.name,
                ctdb.status(),
                "the node has to become healthy",
                verify=serves_on(node.name),
            )


def _make_room(nas: NasCluster, node: NodeState, draft: Draft) -> None:
    """Leave Samba to CTDB, or to itself: the other one not at boot, and not beside it."""
    init, wanted = nas.toolset.init, file_service(nas)
    for unit in rivals(nas):
        reason = f"CTDB is to start {unit}, and to watch it"
        if wanted != "ctdb":
            reason = f"{wanted} is to serve without CTDB"
        if unit in node.enabled:
            undo = str(services.enable(unit, init))
            draft.add(node.name, services.disable(unit, init), reason, undo=undo)
        if unit in node.running and wanted not in node.running:
            undo = str(services.start(unit, init))
            draft.add(node.name, services.stop(unit, init), reason, undo=undo)


# names


def names(nas: NasCluster, state: NasState, draft: Draft) -> None:
    """Last of all, the name that brings the clients."""
    for node in nas.nodes if nas.zones else ():
        _started(nas, state[node.name], NAMED, draft)


# booting


def booting(nas: NasCluster, state: NasState, draft: Draft) -> None:
    """Have all of it start at boot, now that it has been seen to run.

    One call for all units: systemd reads every unit again after each. CTDB is not among them: the
    file system with its lock is not mounted at boot.
    """
    init = nas.toolset.init
    for node in nas.nodes:
        lacking = [unit for unit in at_boot(nas) if unit not in state[node.name].enabled]
        if init == "systemd":
            calls = [services.enable_all(*lacking)] if lacking else []
        else:
            calls = [services.enable(unit, init) for unit in lacking]
        for call in calls:
            undo = f"disable {' '.join(lacking)}"
            draft.add(node.name, call, "it does not start at boot", undo=undo)
