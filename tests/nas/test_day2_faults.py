"""Each command of each plan for a NAS that runs fails once, and the work is taken up again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from serving import SPEC, carry_out, serving

from clusternas import NasCluster
from clusternas.core.errors import PlanError
from clusternas.nas.actual import NasState
from clusternas.nas.day2 import (
    plan_disk_replacement,
    plan_growth,
    plan_shutdown,
    plan_split_brain_recovery,
    plan_stop,
)
from clusternas.nas.plan import Plan
from clusternas.nas.spec import loads
from clusternas.testing import FakeCluster

UNFENCED = SPEC.replace('handler = "/usr/local/sbin/drbd-fence-peer"', "").replace(
    'unfence = "/usr/local/sbin/drbd-unfence-peer"', ""
)
Planned = Callable[[NasCluster, NasState], Plan]


def stop(nas: NasCluster, state: NasState) -> Plan:
    return plan_stop(nas, state, "linux-nas02")


def replace(nas: NasCluster, state: NasState) -> Plan:
    return plan_disk_replacement(nas, state, "r0", "linux-nas02")


def grow(nas: NasCluster, state: NasState) -> Plan:
    return plan_growth(nas, state, "/opt")


def recover(nas: NasCluster, state: NasState) -> Plan:
    return plan_split_brain_recovery(nas, state, "r0", "linux-nas02")


def rescue(nas: NasCluster, state: NasState) -> Plan:
    return plan_split_brain_recovery(nas, state, "r0", "linux-nas02", save_to="/root/r0.img")


def nothing(_cluster: FakeCluster) -> None:
    """It runs and is well."""


def new_disk(cluster: FakeCluster) -> None:
    """The old disk is let go, a new one is there."""
    assert cluster["linux-nas02"].shell("drbdadm detach r0").exit_code == 0
    disk = cluster["linux-nas02"].disks["/dev/vda3"]
    disk.content, disk.metadata = None, None


def larger_disks(cluster: FakeCluster) -> None:
    for node in cluster.nodes.values():
        node.disks["/dev/vda3"].bytes *= 2


def split(cluster: FakeCluster) -> None:
    """Both nodes write while the replication link is cut."""
    cluster.cut("linux-nas01", "linux-nas02", link="replication")
    for node in cluster.nodes.values():
        node.files.write(f"/opt/{node.name}", "mine")
    cluster.mend("linux-nas01", "linux-nas02", link="replication")
    cluster.advance(60)


def running(
    nas: NasCluster, generation: str, happened: Callable[[FakeCluster], None]
) -> FakeCluster:
    cluster = serving(nas, generation)
    happened(cluster)
    return cluster


def take_up(nas: NasCluster, cluster: FakeCluster, planned: Planned) -> None:
    """The same plan again, unless all it is for was done; then what it has stopped is started."""
    if planned is replace and nas.status(nas.gather(cluster.runners)).healthy:
        return  # called once more, it would let the new disk go
    try:
        plan = planned(nas, nas.gather(cluster.runners))
    except PlanError as done:
        assert "not split" in done.message  # noqa: PT017 - any other refusal is none
        return
    applied = plan.apply(cluster.runners, allow=plan.destroys, sleep=cluster.sleep, workers=1)
    applied.raise_for_failure()
    cluster.advance(600)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("generation", ["today", "2010"])
@pytest.mark.parametrize(
    ("planned", "happened"),
    [
        (stop, nothing),
        (plan_shutdown, nothing),
        (replace, new_disk),
        (grow, larger_disks),
        (recover, split),
        (rescue, split),
    ],
    ids=["stop", "shutdown", "disk", "growth", "split", "split-saved"],
)
def test_each_command_may_fail_once(
    planned: Planned, happened: Callable[[FakeCluster], None], generation: str, when: str
) -> None:
    text = UNFENCED if happened is split else SPEC
    nas = loads(text if generation == "today" else text.replace('"debian12"', '"el6"'))
    steps = planned(nas, nas.gather(running(nas, generation, happened).runners)).steps
    assert steps
    for step in steps:
        cluster = running(nas, generation, happened)
        plan = planned(nas, nas.gather(cluster.runners))
        command = step.command.title or " ".join(step.command.argv)
        cluster.fail(step.node, command, stderr="no", when=when)
        applied = plan.apply(cluster.runners, allow=plan.destroys, sleep=cluster.sleep, workers=1)
        assert applied.ok is step.waits, step.id  # who waits looks again
        cluster.advance(600)
        take_up(nas, cluster, planned)
        carry_out(cluster, nas.plan(nas.gather(cluster.runners)))
        state = nas.gather(cluster.runners)
        assert nas.status(state).troubles == (), step.id
        assert not nas.plan(state).changed, step.id
        saved = b"/linux-nas02" in cluster["linux-nas02"].files.data("/root/r0.img")
        assert saved is (planned is rescue), step.id
        lost = {loss.node for loss in cluster.losses}
        assert lost <= ({"linux-nas02"} if happened is split else set()), step.id
