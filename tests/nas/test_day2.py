"""The plans for a NAS that runs: what goes wrong, what wears out, what must be restarted."""

import pytest
from serving import carry_out, described

from clusternas import NasCluster
from clusternas.core.errors import PlanError
from clusternas.drbd.model import DrbdResource
from clusternas.nas.actual import backing_disks, meta_disks
from clusternas.nas.day2 import (
    plan_disk_replacement,
    plan_growth,
    plan_shutdown,
    plan_split_brain_recovery,
    plan_stop,
)
from clusternas.nas.plan import Plan
from clusternas.testing import FakeCluster
from clusternas.testing.blocks import OtherData


def names(plan: Plan) -> list[str]:
    return [f"{step.node[-2:]}: {step.command}" for step in plan]


def back_to_health(nas: NasCluster, cluster: FakeCluster) -> None:
    carry_out(cluster, nas.plan(nas.gather(cluster.runners)))
    state = nas.gather(cluster.runners)
    assert nas.status(state).troubles == ()
    assert not nas.plan(state).changed
    assert cluster.losses == []


def test_all_nodes_are_restarted_one_after_the_other(running: FakeCluster, generation: str) -> None:
    nas = described({}, generation)
    for name in nas.nodes.keys():  # noqa: SIM118 - a Keyed holds values
        carry_out(running, plan_stop(nas, nas.gather(running.runners), name))
        running.kill(name)
        running.boot(name)
        back_to_health(nas, running)


def test_after_a_power_cut_nothing_is_planned_that_destroys(
    running: FakeCluster, generation: str
) -> None:
    nas = described({}, generation)
    for name in running.nodes:
        running.kill(name)
    running.boot(*running.nodes)
    running.advance(300)
    plan = nas.plan(nas.gather(running.runners))
    assert plan.destroys == ()
    back_to_health(nas, running)


def test_the_last_node_that_serves_is_not_stopped(running: FakeCluster, generation: str) -> None:
    nas = described({}, generation)
    carry_out(running, plan_stop(nas, nas.gather(running.runners), "linux-nas02"))
    with pytest.raises(PlanError, match="/opt is mounted nowhere else"):
        plan_stop(nas, nas.gather(running.runners), "linux-nas01")


def test_what_has_changed_since_the_plan_is_seen(running: FakeCluster, generation: str) -> None:
    nas = described({}, generation)
    plan = plan_stop(nas, nas.gather(running.runners), "linux-nas01")
    carry_out(running, plan_stop(nas, nas.gather(running.runners), "linux-nas02"))
    applied = plan.apply(running.runners, sleep=running.sleep, workers=1)
    assert applied.done == ()
    assert "was not run" in str(applied)
    assert running["linux-nas01"].mounts


def test_a_node_alone_is_never_stopped() -> None:
    nas = described({}, "today")
    alone = FakeCluster(nas.nodes.keys())
    alone.kill("linux-nas02")
    with pytest.raises(PlanError, match="did not answer"):
        plan_stop(nas, nas.gather(alone.runners), "linux-nas02")


def split(cluster: FakeCluster) -> None:
    """Both nodes write while the replication link is cut."""
    cluster.cut("linux-nas01", "linux-nas02", link="replication")
    for node in cluster.nodes.values():
        node.files.write(f"/opt/{node.name}", "mine")
    cluster.mend("linux-nas01", "linux-nas02", link="replication")
    cluster.advance(60)


def test_a_split_brain_is_mended_by_naming_the_victim(generation: str) -> None:
    unfenced = {
        'handler = "/usr/local/sbin/drbd-fence-peer"': "",
        'unfence = "/usr/local/sbin/drbd-unfence-peer"': "",
    }
    nas = described(unfenced, generation)
    cluster = FakeCluster(nas.nodes.keys(), generation=generation)
    back_to_health(nas, cluster)
    with pytest.raises(PlanError, match="r0 is not split"):
        plan_split_brain_recovery(nas, nas.gather(cluster.runners), "r0", "linux-nas02")
    split(cluster)
    troubles = nas.status(nas.gather(cluster.runners)).troubles
    assert sum("split brain, 20 KiB written alone" in each.what for each in troubles) == 2
    plan = plan_split_brain_recovery(nas, nas.gather(cluster.runners), "r0", "linux-nas02")
    assert plan.destroys == ("drbdadm connect --discard-my-data r0",)
    assert "linux-nas02 wrote 20 KiB alone since the split (in blocks of 4 KiB): lost" in str(plan)
    carry_out(cluster, plan)
    assert {loss.node for loss in cluster.losses} == {"linux-nas02"}  # the victim's, as named
    cluster.losses.clear()
    back_to_health(nas, cluster)


def test_a_victim_whose_gfs2_has_withdrawn_is_restarted_before(generation: str) -> None:
    # With the lock manager up and the disks apart, the real one found its resource groups wrong.
    handler = 'handler = "/usr/local/sbin/drbd-fence-peer"'
    nas = described({handler: "", 'unfence = "/usr/local/sbin/drbd-unfence-peer"': ""}, generation)
    cluster = FakeCluster(nas.nodes.keys(), generation=generation)
    back_to_health(nas, cluster)
    split(cluster)
    cluster.withdraw("linux-nas02", "/opt")
    troubles = nas.status(nas.gather(cluster.runners)).troubles
    assert any("GFS2 has withdrawn from /opt" in each.what for each in troubles)
    with pytest.raises(PlanError, match="which cannot be unmounted"):
        plan_split_brain_recovery(nas, nas.gather(cluster.runners), "r0", "linux-nas02")
    cluster.kill("linux-nas02")
    cluster.boot("linux-nas02")
    plan = plan_split_brain_recovery(nas, nas.gather(cluster.runners), "r0", "linux-nas02")
    assert "02: drbdadm up r0" in names(plan)
    carry_out(cluster, plan)
    assert {loss.node for loss in cluster.losses} == {"linux-nas02"}
    cluster.losses.clear()
    back_to_health(nas, cluster)


def test_a_disk_is_replaced_while_the_node_serves(running: FakeCluster, generation: str) -> None:
    nas = described({}, generation)
    carry_out(running, plan_disk_replacement(nas, nas.gather(running.runners), "r0", "linux-nas02"))
    disk = running["linux-nas02"].disks["/dev/vda3"]
    disk.content, disk.metadata = OtherData("ext4"), None
    with pytest.raises(PlanError, match="holds ext4: it is never initialised"):
        plan_disk_replacement(nas, nas.gather(running.runners), "r0", "linux-nas02")
    disk.content = None
    plan = plan_disk_replacement(nas, nas.gather(running.runners), "r0", "linux-nas02")
    carry_out(running, plan)
    assert running["linux-nas02"].mounts
    back_to_health(nas, running)


def test_the_last_good_disk_is_not_detached(running: FakeCluster, generation: str) -> None:
    nas = described({}, generation)
    carry_out(running, plan_disk_replacement(nas, nas.gather(running.runners), "r0", "linux-nas02"))
    plan = plan_disk_replacement(nas, nas.gather(running.runners), "r0", "linux-nas01")
    applied = plan.apply(running.runners, allow=plan.destroys, sleep=running.sleep, workers=1)
    assert "a peer of r0 is UpToDate is not true" in str(applied)


def test_a_file_system_grows_while_it_is_used(running: FakeCluster, generation: str) -> None:
    nas = described({}, generation)
    for node in running.nodes.values():
        node.disks["/dev/vda3"].bytes *= 2
    plan = plan_growth(nas, nas.gather(running.runners), "/opt")
    # Without it a real GFS2 on the other node found its device too small.
    refresh = ["02: lvchange --refresh drbd_vg/drbd_lv"] if generation == "today" else []
    assert names(plan) == [
        "01: drbdadm resize r0",
        "01: pvresize /dev/drbd1",
        "01: lvextend -l +100%FREE drbd_vg/drbd_lv",
        *refresh,
        "01: gfs2_grow /opt",
    ]
    before = grown(running)
    carry_out(running, plan)
    assert grown(running) > before


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_growth_that_broke_off_is_not_done_twice(
    running: FakeCluster, generation: str, when: str
) -> None:
    nas = described({}, generation)
    before = grown(running)
    for node in running.nodes.values():
        node.disks["/dev/vda3"].bytes *= 2
    plan = plan_growth(nas, nas.gather(running.runners), "/opt", "+100M")
    assert f"01: lvextend -L {before + 100 * 1024**2}b drbd_vg/drbd_lv" in names(plan)
    running.lose("linux-nas01", "lvextend", when=when)
    assert not plan.apply(running.runners, sleep=running.sleep, workers=1).ok
    carry_out(running, plan)
    carry_out(running, plan)
    assert grown(running) == before + 100 * 1024**2
    with pytest.raises(PlanError, match="more than 900M"):
        plan_growth(nas, nas.gather(running.runners), "/opt", "900M")


def test_a_file_system_that_did_not_grow_is_told(running: FakeCluster, generation: str) -> None:
    nas = described({}, generation)
    for node in running.nodes.values():
        node.disks["/dev/vda3"].bytes *= 2
    plan = plan_growth(nas, nas.gather(running.runners), "/opt")
    running["linux-nas01"].mounts.pop("/opt")
    applied = plan.apply(running.runners, sleep=running.sleep, workers=1)
    assert "/opt: not a mounted gfs2 file system" in str(applied)


def grown(cluster: FakeCluster) -> int:
    """The size of the file system's volume."""
    device = cluster["linux-nas02"].find_device("/dev/drbd_vg/drbd_lv")
    assert device is not None
    return device.size


def test_a_group_without_its_volume_gets_it_after_a_stop() -> None:
    nas = described({}, "today")
    cluster = FakeCluster(nas.nodes.keys())
    cluster.fail("linux-nas01", "lvcreate", stderr="no")
    plan = nas.plan(nas.gather(cluster.runners))
    plan.apply(cluster.runners, allow=plan.destroys, sleep=cluster.sleep, workers=1)
    cluster.advance(600)
    carry_out(cluster, plan_stop(nas, nas.gather(cluster.runners), "linux-nas01"))
    back_to_health(nas, cluster)


def test_a_group_that_lvm_passes_over_without_clvmd_is_not_made_again() -> None:
    nas = described({}, "2010")
    cluster = FakeCluster(nas.nodes.keys(), generation="2010")
    back_to_health(nas, cluster)
    carry_out(cluster, plan_shutdown(nas, nas.gather(cluster.runners)))
    for node in cluster.nodes.values():
        assert node.shell("drbdadm up r0").exit_code == 0
    for node in cluster.nodes.values():
        assert node.shell("drbdadm primary r0").exit_code == 0
    plan = nas.plan(nas.gather(cluster.runners))
    assert plan.destroys == ()
    assert "vgcreate" not in str(plan)
    back_to_health(nas, cluster)


def test_the_disks_that_a_resource_names_for_all_hosts_are_known() -> None:
    text = "resource r0 { device /dev/drbd1; disk /dev/vda3; meta-disk %s; on nas01 { } }"
    inside, outside = (DrbdResource.parse(text % each) for each in ("internal", "/dev/vdb1[0]"))
    assert backing_disks(inside, "nas01") == meta_disks(inside, "nas01") == ["/dev/vda3"]
    assert meta_disks(outside, "nas01") == ["/dev/vdb1"]
