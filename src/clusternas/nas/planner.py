"""From what is to what should be: the steps, from the files up to the name that clients use.

metadata on all → up on all → first sync from exactly one → promote the others, one by one →
membership → locking → volume group → volumes → file system once → mount on all → Samba → DNS →
start at boot.
"""

from __future__ import annotations

from clusternas.core.errors import PlanError
from clusternas.nas.actual import NasState
from clusternas.nas.cluster import NasCluster
from clusternas.nas.filesteps import plan_files, remember_files
from clusternas.nas.filetexts import Texts
from clusternas.nas.layers import MOST_PRIMARIES
from clusternas.nas.plan import Draft, Plan
from clusternas.nas.reloads import reload
from clusternas.nas.stages import booting, locking, membership, names, replication, serving
from clusternas.nas.storage import filesystems, volumes

__all__ = ["announce", "finish", "plan", "require_same_mode"]

STAGES = (replication, membership, locking, volumes, filesystems, serving)


def plan(nas: NasCluster, state: NasState) -> Plan:
    """The plan for a NAS; see `NasCluster.plan`."""
    if state.unreachable:
        raise PlanError(
            f"{', '.join(state.unreachable)} did not answer",
            hint=state[state.unreachable[0]].error.splitlines()[0],
        )
    require_two_hosts(nas)
    require_same_mode(nas, state)
    if any(node.hung for node in state.nodes.values()):
        return _reconnect(nas, state)
    draft, texts = Draft(), Texts(nas, state)
    notes = plan_files(nas, state, draft, texts)
    draft.barrier()
    reload(nas, state, notes, draft)
    for stage in STAGES:
        stage(nas, state, draft)
        draft.barrier()
    announce(nas, state, draft, texts)
    finish(nas, state, draft, texts)
    return draft.plan()


def _reconnect(nas: NasCluster, state: NasState) -> Plan:
    """Only what somebody may wait for: what lies above it, nobody can see now.

    I/O waits for a peer of DRBD, and locks for the quorum, where a node came up alone.
    """
    draft = Draft()
    stuck = next(node for node in state.nodes.values() if node.hung)
    if all(each.name in stuck.drbd for each in nas.resources if stuck.name in each.host_names()):
        replication(nas, state, draft)
        draft.barrier()
    membership(nas, state, draft)
    if not draft.steps:
        raise PlanError(
            f"{stuck.name}: nobody knows what is there: {stuck.hung[0]} did not end",
            hint="the status says what it waits for",
        )
    return draft.plan()


def announce(nas: NasCluster, state: NasState, draft: Draft, texts: Texts) -> None:
    """Last of all the name that brings the clients, once there is somebody to serve them."""
    notes = plan_files(nas, state, draft, texts, named=True)
    draft.barrier()
    reload(nas, state, notes, draft, named=True)
    names(nas, state, draft)
    draft.barrier()


def finish(nas: NasCluster, state: NasState, draft: Draft, texts: Texts) -> None:
    """Have what runs start at boot, and remember what was wanted."""
    booting(nas, state, draft)
    remember_files(nas, state, draft, texts)


def require_same_mode(nas: NasCluster, state: NasState) -> None:
    """Raise where cman runs for two nodes and is to run for more, or the other way about.

    It reads `two_node` when it starts; `cman_tool version -r` does not change it. What would come
    of it are three nodes of which each one alone goes on, or two that stop when one goes.
    """
    if nas.cman is None:
        return
    wanted = bool(nas.cman.cman and nas.cman.cman.two_node)
    for node in nas.nodes:
        found = state[node.name]
        if found.members and found.two_node != wanted:
            raise PlanError(
                f"{node.name}: cman runs {_mode(found.two_node)}, and is to run {_mode(wanted)}",
                hint="it does not change that while it runs: stop the whole NAS before, "
                "clusternas stop SPEC --all",
            )


def _mode(two_node: bool) -> str:
    return "for two nodes" if two_node else "not for two nodes"


def require_two_hosts(nas: NasCluster) -> None:
    """Raise for a resource that more than two nodes are to write to: no DRBD does that well."""
    for resource in nas.resources:
        if len(resource.host_names()) > MOST_PRIMARIES:
            raise PlanError(
                f"{resource.name} has {len(resource.host_names())} hosts, and all of them are to"
                f" write: DRBD takes {MOST_PRIMARIES}",
                hint="two nodes on DRBD, or more of them on storage that all reach",
            )
