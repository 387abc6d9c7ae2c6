"""Taking nodes out of a NAS for good: first the name that brings clients, last the membership."""

from __future__ import annotations

from clusternas.core import services
from clusternas.core.errors import PlanError
from clusternas.nas.actual import NasState
from clusternas.nas.cluster import NasCluster
from clusternas.nas.filesteps import plan_files
from clusternas.nas.filetexts import Texts
from clusternas.nas.guards import all_members
from clusternas.nas.plan import Draft, Plan
from clusternas.nas.planner import announce, finish, require_same_mode
from clusternas.nas.reloads import reload
from clusternas.nas.stopping import plan_stop
from clusternas.nas.units import MEMBERSHIP, at_boot

__all__ = ["plan_removal"]


def plan_removal(nas: NasCluster, state: NasState, rest: NasCluster) -> Plan:
    """Take nodes out: their records, their service, their membership; the others go on serving.

    What is on the nodes that go, files and disks, stays as it is. A node that does not answer is
    only forgotten, once the cluster has done so too.

    Args:
        nas: as it is described, with them.
        state: as it is now, of all nodes.
        rest: as it is to be, without them: `NasCluster.load(path, without=[…])`.

    Raises:
        PlanError: one that stays does not answer, one that goes has replicated data, or is dead and
            still counts as a member.
    """
    kept = rest.nodes.keys()
    gone = [node.name for node in nas.nodes if node.name not in kept]
    _require_possible(nas, state, rest, gone)
    require_same_mode(rest, state)
    draft, texts = Draft(), Texts(rest, state)
    announce(rest, state, draft, texts)
    for name in gone:
        if state[name].reachable:
            _take_out(nas, state, name, draft)
            draft.barrier()
    notes = plan_files(rest, state, draft, texts)
    draft.barrier()
    reload(rest, state, notes, draft)
    if all(state[name].running.intersection(MEMBERSHIP[rest.toolset.init]) for name in kept):
        check = all_members(rest)
        draft.add(kept[0], check.command, "those that stay are the cluster now", verify=check)
        draft.barrier()
    finish(rest, state, draft, texts)
    return draft.plan()


def _require_possible(nas: NasCluster, state: NasState, rest: NasCluster, gone: list[str]) -> None:
    if not gone or len(gone) == len(nas.nodes):
        raise PlanError("no node goes, or all of them", hint="leave one out of the description")
    for name in rest.nodes.keys():  # noqa: SIM118 - a Keyed holds values
        if name not in state.nodes or not state[name].reachable:
            raise PlanError(f"{name} did not answer, and is to stay", hint="mend it before")
    for name in gone:
        held = [each.name for each in nas.resources if name in each.host_names()]
        if held:
            raise PlanError(
                f"{name} holds the other copy of {', '.join(held)}",
                hint="put another machine of its name in its place: NasCluster.plan fills it",
            )
        if not state[name].reachable and any(
            name in state[other].members
            for other in rest.nodes.keys()  # noqa: SIM118
        ):
            raise PlanError(
                f"{name} does not answer, but is a member still", hint="wait, or cut its power"
            )


def _take_out(nas: NasCluster, state: NasState, name: str, draft: Draft) -> None:
    for step in plan_stop(nas, state, name):
        draft.add(
            name, step.command, step.reason, guard=step.guard, verify=step.verify, undo=step.undo
        )
    init = nas.toolset.init
    for unit in at_boot(nas):
        if unit in state[name].enabled:
            draft.add(
                name,
                services.disable(unit, init),
                f"{name} does not belong to the NAS any more",
                undo=str(services.enable(unit, init)),
            )
