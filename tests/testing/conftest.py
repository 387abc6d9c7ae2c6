"""The states of the lab, made on fake nodes by the same commands."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from functools import partial
from pathlib import Path

import pytest

from clusternas import NasCluster
from clusternas.nas.day2 import plan_disk_replacement
from clusternas.nas.plan import Plan
from clusternas.testing import FakeCluster, FakeNode
from clusternas.testing.blocks import MIB, OtherData
from clusternas.testing.scenes import bring_up
from clusternas.testing.tools.smbstatus import OpenFile, Session, Sessions

DESCRIPTION = Path(__file__).parents[1] / "lab" / "nas.toml"
ETC = Path(__file__).parents[1] / "data" / "lab" / "etc"
ROOT = "/dev/vdb"
WITH_CTDB = """lvm/lvm.conf samba/smb.conf corosync/corosync.conf ctdb/ctdb.conf ctdb/nodes
ctdb/public_addresses dlm/dlm.conf bind/named.conf.local bind/named.conf.options bind/db.lab.test
bind/db.192.168.1""".split()


def lab(names: Iterable[str] = ("node1", "node2"), *, data: int = 1167 * MIB) -> FakeCluster:
    """The machines, with the disks that they had."""
    disks = {"/dev/vda1": 16 * MIB, "/dev/vda2": 16 * MIB, "/dev/vda3": data, ROOT: 3072 * MIB}
    cluster = FakeCluster(names, disks=disks)
    for node in cluster.nodes.values():
        uuid = cluster.uuid()
        node.disks[ROOT].content = OtherData("ext4", uuid, "labroot")
    return cluster


def write(node: FakeNode, *names: str) -> None:
    """Give a node the files of the lab."""
    for name in names:
        node.files.write(f"/etc/{name}", (ETC / name).read_text())


def run(cluster: FakeCluster, *lines: str) -> None:
    """Run `NODE: COMMAND` lines; each must succeed."""
    for line in lines:
        name, _, command = line.partition(": ")
        output = cluster[name].shell(command)
        assert output.exit_code == 0, (line, output)


def fresh() -> FakeCluster:
    cluster = lab()
    for node in cluster.nodes.values():
        write(node, "drbd.d/r0.res", "drbd.d/global_common.conf")
        node.files.write(
            "/etc/samba/smb.conf", (ETC / "samba" / "smb-of-the-package.conf").read_text()
        )
    return cluster


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


def dual_primary_syncing() -> FakeCluster:
    cluster = syncing()
    cluster.advance(13)
    run(cluster, "node2: drbdadm primary r0")
    return cluster


def healthy(*, wait_for_all: bool = True) -> FakeCluster:
    cluster = fresh()
    for node in cluster.nodes.values():
        write(node, *WITH_CTDB)
        if not wait_for_all:
            text = node.files.text("/etc/corosync/corosync.conf")
            text = text.replace("two_node: 1", "two_node: 1\n  wait_for_all: 0")
            node.files.write("/etc/corosync/corosync.conf", text)
        run(cluster, f"{node.name}: ctdb event script enable legacy 10.interface")
    bring_up(cluster, files=False)
    run(cluster, "node1: mkdir -p /opt/share")
    return cluster


def full() -> FakeCluster:
    """With a client that holds a file open and lets nobody else have it."""
    cluster = healthy(wait_for_all=False)
    held = OpenFile("/opt/share", "held.txt", sharing=0)
    session = Session("nasuser", "192.168.1.11", "opt", files=(held,))
    cluster["node1"].of(Sessions).connect(session)
    return cluster


def module_missing() -> FakeCluster:
    cluster = healthy(wait_for_all=False)
    for node in cluster.nodes.values():
        node.files.remove("/usr/lib/samba/vfs/fileid.so")
    return cluster


def without_ctdb() -> FakeCluster:
    cluster = healthy(wait_for_all=False)
    for name, node in cluster.nodes.items():
        run(cluster, f"{name}: systemctl stop ctdb")
        text = (ETC / "samba" / "smb-without-ctdb.conf").read_text()
        node.files.write("/etc/samba/smb.conf", text.replace("NODEX", name.upper()))
        node.shell("smbpasswd -s -a nasuser", "secret\nsecret\n")
        run(cluster, f"{name}: systemctl start smbd")
        node.of(Sessions).ever = True  # it has had clients
    return cluster


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


def fenced() -> FakeCluster:
    cluster = healthy(wait_for_all=False)
    for name, node in cluster.nodes.items():
        node.files.write("/etc/drbd.d/r0.res", (ETC / "drbd.d" / "r0-fenced.res").read_text())
        run(cluster, f"{name}: drbdadm adjust r0")
    return cluster


def fenced_by_drbd() -> FakeCluster:
    cluster = fenced()
    cluster.cut("node1", "node2", link="replication")
    return cluster


def diskless() -> FakeCluster:
    cluster = fenced()
    run(cluster, "node1: drbdadm detach r0")
    return cluster


def apply(cluster: FakeCluster, plan: Plan) -> None:
    """Carry a plan out."""
    applied = plan.apply(cluster.runners, allow=plan.destroys, sleep=cluster.sleep, workers=1)
    applied.raise_for_failure()
    cluster.advance(600)


def planned() -> FakeCluster:
    """The NAS that the lab's description and `NasCluster.plan` make."""
    nas = NasCluster.load(DESCRIPTION)
    cluster = lab(nas.nodes.keys(), data=367 * MIB)
    for node in cluster.nodes.values():
        for name in ("samba/smb", "corosync/corosync"):
            node.files.write(f"/etc/{name}.conf", (ETC / f"{name}-of-the-package.conf").read_text())
    apply(cluster, nas.plan(nas.gather(cluster.runners)))
    return cluster


def machine_killed() -> FakeCluster:
    cluster = planned()
    cluster.kill("nas2")
    return cluster


def unfenced_split_brain() -> FakeCluster:
    cluster = planned()
    for name in cluster.nodes:
        run(cluster, f"{name}: drbdsetup disk-options 1 --fencing=dont-care")
    cluster.cut("nas1", "nas2", link="replication")
    for name, node in cluster.nodes.items():
        node.files.write(f"/opt/{name}/alone", f"{name}\n")
    cluster.withdraw("nas2", "/opt")  # the locks are still common, the disks no more
    cluster.mend("nas1", "nas2")
    return cluster


def disk_let_go() -> FakeCluster:
    nas = NasCluster.load(DESCRIPTION)
    cluster = planned()
    apply(cluster, plan_disk_replacement(nas, nas.gather(cluster.runners), "r0", "nas2"))
    cluster["nas1"].files.write("/opt/share/file", "written since")
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
    "03a-drbd-dual-primary-syncing": dual_primary_syncing,
    "04-gfs2-mounted-both": partial(healthy, wait_for_all=False),
    "05-samba-without-ctdb": without_ctdb,
    "06-full-cluster-ok": full,
    "06x-ctdb-ok-but-fileid-module-missing": module_missing,
    "07-drbd-link-cut-both-primary": cut,
    "08-drbd-split-brain": split_brain,
    "09-ctdb-node-unhealthy": partial(healthy, wait_for_all=False),  # it had healed by then
    "10-peer-killed-fenced": killed_and_fenced,
    "11-peer-killed-fencing-fails": killed_and_fencing_fails,
    "12-drbd-fenced-peer-outdated": fenced_by_drbd,
    "13-drbd-diskless": diskless,
    "fence-broken": nobody_can_fence,
    "machine-killed": machine_killed,
    "split-brain": unfenced_split_brain,
    "disk-detached": disk_let_go,
}


@pytest.fixture
def lab_states() -> Collection[str]:
    """The names of the states that have a scene."""
    return STATES.keys()


@pytest.fixture
def lab_state() -> Callable[[str], FakeCluster]:
    """A state of the lab by the name of its recording."""
    return lambda name: STATES[name]()
