"""Every command with which the slices change something is known to the fakes, and works."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from clusternas.cman import commands as cman
from clusternas.core import services
from clusternas.core.command import Command, Secret
from clusternas.core.versions import Toolset
from clusternas.corosync import commands as corosync
from clusternas.ctdb import commands as ctdb
from clusternas.dns import commands as dns
from clusternas.drbd import commands as drbd
from clusternas.fstab import commands as fstab
from clusternas.gfs2 import commands as gfs2
from clusternas.lvm import commands as lvm
from clusternas.samba import commands as samba
from clusternas.testing import FakeCluster
from clusternas.testing.scenes import bring_up

LV = "/dev/drbd_vg/drbd_lv"
TODAY = Toolset.DEBIAN12
PASSWORD = Secret("correct horse")
SWAP = dns.Swap(
    name="cluster.lab.test.", type="A", old=("192.168.1.11", "192.168.1.12"), new=("192.168.1.12",)
)


def run(cluster: FakeCluster, commands: Iterable[Command[object]], node: str = "nas01") -> None:
    for command in commands:
        cluster[node].run(command.allow([command.name]))


@pytest.fixture
def today() -> FakeCluster:
    return bring_up(FakeCluster(("nas01", "nas02")))


@pytest.fixture
def old() -> FakeCluster:
    return bring_up(FakeCluster(("nas01", "nas02"), generation="2010"))


def test_volumes_grow_online(today: FakeCluster) -> None:
    run(today, [lvm.lvextend("drbd_vg", "drbd_lv", size="+100M"), gfs2.grow("/opt")])
    run(today, [gfs2.jadd("/opt", 1), lvm.pvresize("/dev/drbd1")])
    assert today["nas02"].run(gfs2.inspect(LV)).value.journals == 3


def test_a_second_volume_comes_and_goes(today: FakeCluster) -> None:
    run(today, [lvm.lvcreate("drbd_vg", "scratch", size="64M")])
    run(today, [gfs2.mkfs("/dev/drbd_vg/scratch", "NASCluster:scratch", journals=2)])
    run(today, [gfs2.mount("/dev/drbd_vg/scratch", "/mnt"), gfs2.umount("/mnt")])
    run(today, [gfs2.set_lock_table("/dev/drbd_vg/scratch", "NASCluster:other")])
    run(today, [gfs2.fsck("/dev/drbd_vg/scratch"), gfs2.wipefs("/dev/drbd_vg/scratch")])
    run(today, [lvm.lvchange_activate("drbd_vg", "scratch", "no", toolset=TODAY)])
    run(today, [lvm.lvremove("drbd_vg", "scratch")])
    assert [volume.name for volume in today["nas01"].run(lvm.lvs()).value] == ["drbd_lv"]


def test_the_whole_stack_comes_down_and_up_again(today: FakeCluster) -> None:
    down = [
        services.stop("ctdb"),
        fstab.umount("/opt"),
        lvm.vgchange_activate("drbd_vg", "no", toolset=TODAY),
        lvm.vgchange_stop_locking("drbd_vg"),
        services.stop("lvmlockd"),
        services.stop("dlm"),
        services.stop("corosync"),
        drbd.secondary("r0"),
        drbd.down("r0"),
    ]
    for node in today.nodes:
        run(today, down, node)
    up: list[Command[object]] = [drbd.up("r0"), drbd.primary("r0")]
    up += [services.start(unit) for unit in ("corosync", "dlm", "lvmlockd")]
    up += [lvm.vgchange_start_locking("drbd_vg")]
    up += [lvm.vgchange_activate("drbd_vg", "shared", toolset=TODAY), gfs2.mount(LV, "/opt")]
    for step in [*up, services.start("ctdb")]:
        for node in today.nodes:
            run(today, [step], node)
    today.assert_nothing_lost()


def test_drbd_day_to_day(lab_state: Callable[[str], FakeCluster]) -> None:
    pair = lab_state("03-drbd-dual-primary-uptodate")
    steps = [
        drbd.adjust("r0"),
        drbd.detach("r0"),
        drbd.attach("r0"),
        drbd.verify("r0"),
        drbd.pause_sync("r0"),
        drbd.resume_sync("r0"),
        drbd.suspend_io("r0"),
        drbd.resume_io("r0"),
        drbd.net_options("r0"),
        drbd.disk_options("r0"),
        drbd.resize("r0"),
        drbd.dump_md("r0"),
        drbd.disconnect("r0"),
        drbd.connect("r0"),
        drbd.invalidate_remote("r0"),
        drbd.wait_sync("r0", minor=1, toolset=TODAY),
    ]
    run(pair, steps, "node1")


def test_samba_and_its_registry(today: FakeCluster) -> None:
    run(today, [samba.smbpasswd_add("anna", PASSWORD), samba.pdbedit_add("otto", PASSWORD)])
    run(today, [samba.smbpasswd_disable("anna"), samba.smbpasswd_enable("anna")])
    run(today, [samba.pdbedit_delete("otto"), samba.reload_config(), samba.cache_flush()])
    assert [user.name for user in today["nas02"].run(samba.pdbedit_list()).value] == [
        "nasuser",
        "anna",
    ]
    run(today, [samba.conf_addshare("media", "/opt/media", writeable=True, comment="Films")])
    run(today, [samba.conf_setparm("media", "browseable", "no")])
    assert today["nas02"].run(samba.conf_getparm("media", "browseable")).value == "no\n"
    assert today["nas02"].run(samba.conf_list()).value.shares.keys() == ["media"]
    run(today, [samba.conf_delparm("media", "browseable"), samba.conf_delshare("media")])
    assert today["nas01"].run(samba.conf_listshares()).value == ""


def test_ctdb_day_to_day(today: FakeCluster) -> None:
    run(today, [ctdb.disable(1), ctdb.setvar("MonitorInterval", 5), ctdb.reloadips()])
    assert {ip.node for ip in today["nas01"].run(ctdb.ip()).value} == {0}
    run(today, [ctdb.enable(1), ctdb.ban(60, 1), ctdb.unban(1), ctdb.stop(1), ctdb.continue_(1)])
    run(today, [ctdb.recover(), ctdb.reloadnodes(), ctdb.enable_script("10.interface")])
    assert {ip.node for ip in today["nas02"].run(ctdb.ip()).value} == {0, 1}
    run(today, [ctdb.shutdown()])
    assert today["nas02"].run(ctdb.pnn()).value == 1


def test_dns_takes_a_dead_node_out(today: FakeCluster) -> None:
    name = "cluster.lab.test"
    run(today, [dns.nsupdate("lab.test", [SWAP], server="192.168.1.11")], "nas02")
    assert today["nas01"].run(dns.dig_short(name)).value == ("192.168.1.12",)
    again = today["nas01"].run(dns.nsupdate("lab.test", [SWAP])).value
    assert again.rcode == "NXRRSET"
    records = today["nas01"].run(dns.named_compilezone("lab.test", "/var/named/db.lab.test")).value
    assert len(records) == 6
    run(today, [dns.Rndc().reload("lab.test"), dns.Rndc().zonestatus("lab.test")])
    assert len(today["nas01"].run(dns.dig_short(name)).value) == 2


def test_corosync_and_dlm(today: FakeCluster) -> None:
    run(today, [corosync.reload(), corosync.keygen(), corosync.dlm_dump(), corosync.dlm_reload()])
    run(today, [corosync.expected(2), corosync.kill(2)])
    assert not today["nas02"].up
    run(today, [corosync.fence_ack(2)])


def test_cman_by_its_own_tools(old: FakeCluster) -> None:
    run(old, [cman.add_fence("pdu", "fence_apc", {"ipaddr": "10.0.0.5", "passwd": "s3cret"})])
    run(old, [cman.add_node("nas03", 3, fence="pdu"), cman.reload(toolset=Toolset.EL6, sync=False)])
    assert [node.name for node in old["nas01"].run(cman.list_nodes()).value][-1] == "nas03"
    run(old, [cman.wait_quorate(), cman.expected(2), cman.kill("nas02")])
    assert not old["nas02"].up


def test_the_old_stack_comes_down(old: FakeCluster) -> None:
    """Step by step on both: two votes of two are needed until nobody uses the cluster."""
    units = ("smb", "gfs2", "clvmd", "rgmanager", "cman", "drbd")
    down = [services.stop(unit, "sysv") for unit in units]
    for step in [*down, lvm.lvmconf_disable_cluster(), services.disable("drbd", "sysv")]:
        for node in old.nodes:
            run(old, [step], node)
    old.assert_nothing_lost()
