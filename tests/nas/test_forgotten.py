"""A resource of DRBD is taken out of the description: what becomes of its file, and of its data."""

import pytest
from serving import carry_out, described

from clusternas import NasCluster
from clusternas.core.errors import PlanError
from clusternas.testing import FakeCluster
from clusternas.testing.blocks import OtherData

DISK = 1223688192
FILE = "/etc/drbd.d/r1.res"
SECOND = """
[drbd.r1]
device = "/dev/drbd2"
disk = "/dev/vdb1"
port = 7790
secret = "vErYsEcReT"

[lvm.drbd_vg]"""


@pytest.fixture
def less(generation: str) -> NasCluster:
    return described({}, generation)


@pytest.fixture
def cluster(generation: str) -> FakeCluster:
    """Two nodes with two resources, of which the second one was described until now."""
    more = described({"[lvm.drbd_vg]": SECOND}, generation)
    disks = {"/dev/vda3": DISK, "/dev/vdb1": DISK}
    cluster = FakeCluster(more.nodes.keys(), generation=generation, disks=disks)
    carry_out(cluster, more.plan(more.gather(cluster.runners)))
    device = cluster["linux-nas01"].find_device("/dev/drbd2")
    assert device is not None
    device.write(OtherData("ext4"))
    cluster.advance(600)
    return cluster


def down(cluster: FakeCluster, *names: str) -> None:
    for name in names:
        assert cluster[name].shell("drbdadm secondary r1").exit_code == 0
        assert cluster[name].shell("drbdadm down r1").exit_code == 0


def test_what_is_up_is_left_alone_and_told(cluster: FakeCluster, less: NasCluster) -> None:
    carry_out(cluster, less.plan(less.gather(cluster.runners)))
    for _ in range(2):
        state = less.gather(cluster.runners)
        assert not less.plan(state).changed
        troubles = less.status(state).troubles
        assert {each.node for each in troubles} == {"linux-nas01", "linux-nas02"}
        assert {each.what for each in troubles} == {"r1 is up, and is described no more"}
    assert cluster["linux-nas01"].files.get(FILE) is not None


def test_the_file_of_what_is_down_goes_and_the_data_stays(
    cluster: FakeCluster, less: NasCluster, generation: str
) -> None:
    down(cluster, "linux-nas02")
    plan = less.plan(less.gather(cluster.runners))
    assert [str(s.command) for s in plan if FILE in str(s.command)] == [f"remove {FILE}"]
    assert "vErYsEcReT" not in plan.diff()
    carry_out(cluster, plan)
    assert [each.node for each in less.status(less.gather(cluster.runners)).troubles] == [
        "linux-nas01"
    ]
    down(cluster, "linux-nas01")
    carry_out(cluster, less.plan(less.gather(cluster.runners)))
    state = less.gather(cluster.runners)
    assert less.status(state).healthy
    assert not less.plan(state).changed
    assert not any(node.files.get(FILE) for node in cluster.nodes.values())
    assert "r1" not in cluster["linux-nas01"].files.text("/var/lib/clusternas/described")

    again = described({"[lvm.drbd_vg]": SECOND}, generation)
    plan = again.plan(again.gather(cluster.runners))
    assert plan.destroys == ()
    carry_out(cluster, plan)
    assert cluster["linux-nas02"].disks["/dev/vdb1"].content == OtherData("ext4")
    assert cluster.losses == []


def test_it_stays_where_somebody_has_changed_it(cluster: FakeCluster, less: NasCluster) -> None:
    down(cluster, "linux-nas01", "linux-nas02")
    mine = cluster["linux-nas01"].files.text(FILE).replace("7790", "7791")
    cluster["linux-nas01"].files.write(FILE, mine)
    carry_out(cluster, less.plan(less.gather(cluster.runners)))
    assert cluster["linux-nas01"].files.text(FILE) == mine
    assert cluster["linux-nas02"].files.get(FILE) is None
    assert not less.plan(less.gather(cluster.runners)).changed


def test_it_stays_where_it_came_up_meanwhile(cluster: FakeCluster, less: NasCluster) -> None:
    down(cluster, "linux-nas02")
    plan = less.plan(less.gather(cluster.runners))
    assert cluster["linux-nas02"].shell("drbdadm up r1").exit_code == 0
    with pytest.raises(PlanError, match="r1 is down is not true"):
        carry_out(cluster, plan)
    assert cluster["linux-nas02"].files.get(FILE) is not None


def test_a_resource_gets_another_name_once_it_is_down(
    cluster: FakeCluster, generation: str
) -> None:
    down(cluster, "linux-nas01", "linux-nas02")
    other = described({"[lvm.drbd_vg]": SECOND.replace("drbd.r1", "drbd.data")}, generation)
    plan = other.plan(other.gather(cluster.runners))
    assert plan.destroys == ()
    carry_out(cluster, plan)
    assert other.status(other.gather(cluster.runners)).healthy
    assert cluster["linux-nas02"].disks["/dev/vdb1"].content == OtherData("ext4")
    assert cluster.losses == []


def test_nobody_can_tell_whether_it_is_up(cluster: FakeCluster, less: NasCluster) -> None:
    down(cluster, "linux-nas01", "linux-nas02")
    cluster.fail("linux-nas02", "drbdadm status")
    state = less.gather(cluster.runners)
    assert state["linux-nas02"].may_be_up("r1")
    removed = [s.node for s in less.plan(state) if str(s.command) == f"remove {FILE}"]
    assert removed == ["linux-nas01"]
