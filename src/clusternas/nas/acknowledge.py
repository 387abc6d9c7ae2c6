"""A person's word that a node is off, where nothing could fence it and so everything waits."""

from __future__ import annotations

import attrs

from clusternas.core.command import Command, Effect
from clusternas.core.errors import PlanError
from clusternas.corosync import commands as corosync
from clusternas.nas.actual import NasState
from clusternas.nas.cluster import NasCluster
from clusternas.nas.plan import Draft, Plan
from clusternas.nas.stopping import require_node

__all__ = ["plan_acknowledgement"]

SWORN = "somebody has made sure that {node} is off"


def plan_acknowledgement(nas: NasCluster, state: NasState, node: str) -> Plan:
    """Let the others go on without a node that could not be fenced.

    Go to the machine and cut its power before: if it still runs, both write to the disks and
    destroy the file system. So each step has to be allowed by name. The lock manager goes on trying
    the fence agent, and needs this no more once that works again; DRBD tries its handler only once.

    Args:
        nas: the NAS.
        state: as it is now.
        node: that is off.

    Raises:
        PlanError: it answers, nobody waits for it, or the cluster is cman's.
    """
    if nas.corosync is None:
        raise PlanError(
            "cman asks a person",
            hint=f"on a node that waits, type fence_ack_manual {node} yourself",
        )
    require_node(state, node)
    if state[node].reachable:
        raise PlanError(f"{node} answers: it is not off", hint="cut its power, then look again")
    draft = Draft()
    others = [each for each in state.nodes.values() if each.reachable]
    waiting = [
        each.name
        for each in others
        if any(space.waits_for_fencing for space in each.lockspaces.values())
    ]
    for name in waiting[:1]:  # it tells the others
        number = next(each.nodeid for each in nas.corosync.nodes if each.label == node)
        draft.add(name, corosync.fence_ack(number or 0), SWORN.format(node=node))
    for each in others:
        for resource in nas.resources:
            status = each.drbd.get(resource.name)
            if status is not None and "fencing" in status.suspended:
                draft.add(each.name, _sworn(resource.resume_io()), SWORN.format(node=node))
    if not draft.steps:
        raise PlanError(f"nobody waits for {node} to be fenced", hint="look at the status")
    return draft.plan()


def _sworn(command: Command[str]) -> Command[str]:
    """It destroys data if what was sworn is not true."""
    return attrs.evolve(command, effect=Effect.DESTROY)
