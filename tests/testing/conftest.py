"""The states of the lab, made on fake nodes by the same commands."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from clusternas import NasCluster
from clusternas.testing import FakeCluster
from clusternas.testing.scenes import bring_up, write_files

DESCRIPTION = Path(__file__).parents[1] / "lab" / "nas.toml"
FENCING = (
    "  disk { fencing resource-and-stonith; }\n  handlers { fence-peer /usr/local/sbin/fence; }\n"
)


def lab() -> FakeCluster:
    return FakeCluster(("node1", "node2"))


def run(cluster: FakeCluster, *lines: str) -> None:
    """Run `NODE: COMMAND` lines; each must succeed."""
    for line in lines:
        name, _, command = line.partition(": ")
        output = cluster[name].shell(command)
        assert output.exit_code == 0, (line, output)


def fresh() -> FakeCluster:
    cluster = lab()
    for node in cluster.nodes.values():
        node.files.write("/etc/drbd.d/r0.res", resource(cluster))
    return cluster


def resource(cluster: FakeCluster) -> str:
    donor = lab()
    write_files(donor)
    return donor["node1"].files.text("/etc/drbd.d/r0.res")


def connected() -> FakeCluster:
    cluster = fresh()
    for name in ("node1", "node2"):
        run(cluster, f"{name}: drbdadm create-md r0", f"{name}: drbdadm up r0")
    return cluster


def syncing() -> FakeCluster:
    cluster = connected()
    cluster.bandwidth = 11264
    run(cluster, "node1: drbdadm -- --overwrite-data-of-peer primary r0")
    cluster.tick = 0
    cluster.advance(2)
    return cluster


def dual_primary() -> FakeCluster:
    cluster = connected()
    run(cluster, "node1: drbdadm -- --overwrite-data-of-peer primary r0")
    cluster.advance(60)
    run(cluster, "node2: drbdadm primary r0")
    return cluster


def healthy(*, wait_for_all: bool = True) -> FakeCluster:
    cluster = lab()
    write_files(cluster)
    for node in cluster.nodes.values() if not wait_for_all else ():
        text = node.files.text("/etc/corosync/corosync.conf")
        text = text.replace("two_node: 1", "two_node: 1\n  wait_for_all: 0")
        node.files.write("/etc/corosync/corosync.conf", text)
    return bring_up(cluster, files=False)


def cut() -> FakeCluster:
    cluster = healthy(wait_for_all=False)
    cluster.cut("node1", "node2", link="replication")
    for node in cluster.nodes.values():
        node.files.write(f"/opt/cut-{node.name}.txt", "written while cut")
    return cluster


def split_brain() -> FakeCluster:
    cluster = cut()
    cluster.mend("node1", "node2")
    return cluster


def killed_and_fenced() -> FakeCluster:
    cluster = healthy(wait_for_all=False)
    cluster.kill("node2")
    return cluster


def killed_and_fencing_fails() -> FakeCluster:
    cluster = healthy(wait_for_all=False)
    cluster.fail("node1", "fence_lab", times=1000)
    cluster.kill("node2")
    return cluster


def fenced_by_drbd() -> FakeCluster:
    cluster = healthy(wait_for_all=False)
    for name, node in cluster.nodes.items():
        text = resource(cluster).replace("  net {", FENCING + "  net {")
        node.files.write("/etc/drbd.d/r0.res", text)
        run(cluster, f"{name}: drbdadm adjust r0")
    cluster.cut("node1", "node2", link="replication")
    return cluster


def diskless() -> FakeCluster:
    cluster = healthy()
    run(cluster, "node1: drbdadm detach r0")
    return cluster


def planned() -> FakeCluster:
    """The NAS that the lab's description and `NasCluster.plan` make."""
    nas = NasCluster.load(DESCRIPTION)
    cluster = FakeCluster(nas.nodes.keys())
    plan = nas.plan(nas.gather(cluster.runners))
    applied = plan.apply(cluster.runners, allow=plan.destroys, sleep=cluster.sleep, workers=1)
    applied.raise_for_failure()
    cluster.advance(600)
    return cluster


def nobody_can_fence() -> FakeCluster:
    cluster = planned()
    for tool in ("fence_lab", "drbd-fence-lab"):
        cluster.fail("nas1", tool, times=10_000)
    cluster.kill("nas2")
    return cluster


STATES: dict[str, Callable[[], FakeCluster]] = {
    "00-fresh-nothing-configured": fresh,
    "01-drbd-connected-inconsistent": connected,
    "02-drbd-syncing": syncing,
    "03-drbd-dual-primary-uptodate": dual_primary,
    "04-gfs2-mounted-both": partial(healthy, wait_for_all=False),
    "06-full-cluster-ok": partial(healthy, wait_for_all=False),
    "07-drbd-link-cut-both-primary": cut,
    "08-drbd-split-brain": split_brain,
    "09-ctdb-node-unhealthy": partial(healthy, wait_for_all=False),  # it had healed by then
    "10-peer-killed-fenced": killed_and_fenced,
    "11-peer-killed-fencing-fails": killed_and_fencing_fails,
    "12-drbd-fenced-peer-outdated": fenced_by_drbd,
    "13-drbd-diskless": diskless,
    "fence-broken": nobody_can_fence,
}


@pytest.fixture
def lab_state() -> Callable[[str], FakeCluster]:
    """A state of the lab by the name of its recording."""
    return lambda name: STATES[name]()
