"""From what is to what should be: the steps, from the files up to the name that clients use.

metadata on all → up on all → first sync from exactly one → promote the others, one by one →
membership → locking → volume group → volumes → file system once → mount on all → Samba → DNS →
start at boot.
"""

from __future__ import annotations

from clusternas.core.errors import PlanError
from clusternas.nas.actual import NasState
from clusternas.nas.cluster import NasCluster
from clusternas.nas.filesteps import plan_files
from clusternas.nas.plan import Draft, Plan
from clusternas.nas.reloads import reload
from clusternas.nas.stages import booting, locking, membership, names, replication, serving
from clusternas.nas.storage import filesystems, volumes

__all__ = ["plan"]

STAGES = (replication, membership, locking, volumes, filesystems, serving, names, booting)


def plan(nas: NasCluster, state: NasState) -> Plan:
    """The plan for a NAS; see `NasCluster.plan`."""
    if state.unreachable:
        raise PlanError(
            f"{', '.join(state.unreachable)} did not answer",
            hint=state[state.unreachable[0]].error.splitlines()[0],
        )
    draft = Draft()
    notes = plan_files(nas, state, draft)
    draft.barrier()
    reload(nas, state, notes, draft)
    for stage in STAGES:
        stage(nas, state, draft)
        draft.barrier()
    return draft.plan()
