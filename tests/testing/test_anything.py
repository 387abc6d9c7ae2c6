"""Whatever happens in whatever order, the fakes answer, and stay in states that can be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusternas.core.errors import CommandError
from clusternas.core.versions import Toolset
from clusternas.testing import FakeCluster
from clusternas.testing.scenes import bring_up

LV = "/dev/drbd_vg/drbd_lv"
DRBD = """up down attach detach connect disconnect adjust primary secondary invalidate outdate
invalidate-remote pause-sync resume-sync status dstate cstate role""".split()
LINES = [
    *(f"drbdadm {verb} r0" for verb in DRBD),
    "drbdadm create-md --force r0",
    "drbdadm -- --overwrite-data-of-peer primary r0",
    "drbdadm -- --discard-my-data connect r0",
    "drbdadm wipe-md r0",
    "cat /proc/drbd",
    "pvs",
    "vgs",
    "lvs",
    "pvcreate -y /dev/drbd1",
    "pvcreate -ff -y /dev/vda3",
    "vgcreate drbd_vg /dev/drbd1",
    "vgcreate --shared drbd_vg /dev/drbd1",
    "vgchange --lock-start drbd_vg",
    "vgchange --lock-stop drbd_vg",
    "vgremove -f drbd_vg",
    "lvcreate -y -n drbd_lv -L 900M drbd_vg",
    "lvremove -f drbd_vg/drbd_lv",
    "lvextend -l +100%FREE drbd_vg/drbd_lv",
    *(f"lvchange -a{word} drbd_vg/drbd_lv" for word in ("y", "n", "sy", "ey")),
    f"mkfs -t gfs2 -O -p lock_dlm -j 2 -t NASCluster:opt {LV}",
    f"mount -t gfs2 {LV} /opt",
    "umount /opt",
    "gfs2_jadd -j 1 /opt",
    "gfs2_grow /opt",
    "tee /opt/file",
    "cat /opt/file",
    "wipefs -a /dev/vda3",
    f"wipefs -a {LV}",
    "blkid",
    "lsblk -J",
    "findmnt -J",
    "dlm_tool ls",
    "dlm_tool status",
    "dlm_tool fence_ack 2",
    "corosync-quorumtool -s",
    "ctdb status",
    "ctdb nodestatus all",
    "ctdb disable",
    "cman_tool status",
    "cman_tool nodes",
    "cman_tool kill -n b",
    "clustat -x",
    "fence_tool ls -n",
    "group_tool ls",
    "smbstatus",
    "dig @127.0.0.1 +short cluster.lab.test",
    *(
        f"systemctl {verb} {unit}"
        for verb in ("start", "stop")
        for unit in ("corosync", "dlm", "lvmlockd", "lvmlocks", "ctdb", "drbd", "named")
    ),
    *(
        f"service {unit} {verb}"
        for verb in ("start", "stop")
        for unit in ("cman", "clvmd", "gfs2", "rgmanager", "smb", "drbd", "lvm2-monitor")
    ),
]
NODES = st.sampled_from(["a", "b"])
LINKS = st.sampled_from(["replication", "cluster", ""])
EVENTS = st.one_of(
    st.tuples(st.just("run"), NODES, st.sampled_from(LINES)),
    st.tuples(st.just("run"), NODES, st.sampled_from(LINES)),
    st.tuples(st.sampled_from(["kill", "boot"]), NODES, st.just("")),
    st.tuples(st.sampled_from(["cut", "mend"]), st.just(""), LINKS),
    st.tuples(st.sampled_from(["halfway", "hang", "wait"]), NODES, st.sampled_from(LINES)),
)
GENERATIONS = {"2010": Toolset.EL6, "today": Toolset.DEBIAN12, "9": Toolset.EL9}


def act(cluster: FakeCluster, event: tuple[str, str, str]) -> None:
    kind, node, what = event
    match kind:
        case "run":
            cluster[node].shell(what)
        case "kill":
            cluster.kill(node)
        case "boot" if not cluster[node].up:
            cluster.boot(node)
        case "cut":
            cluster.cut("a", "b", link=what)
        case "mend":
            cluster.mend("a", "b", link=what)
        case "halfway":
            cluster.fail(node, what, when="halfway")
        case "hang":
            cluster.hang(node, what)
        case "wait":
            cluster.advance(30)


@pytest.mark.parametrize("generation", GENERATIONS)
@given(events=st.lists(EVENTS, max_size=25))
def test_only_errors_of_commands(generation: str, events: list[tuple[str, str, str]]) -> None:
    cluster = bring_up(FakeCluster(("a", "b"), generation=GENERATIONS[generation]))
    for event in events:
        try:
            act(cluster, event)
        except CommandError:
            continue
