"""What the fakes print is read by the same decoders as what the real tools print."""

from __future__ import annotations

import inspect

import pytest

from clusternas.cman import commands as cman
from clusternas.core import services
from clusternas.core.command import Command, Effect
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

NINE = Toolset.EL9
LV = "/dev/drbd_vg/drbd_lv"


def readers(toolset: Toolset) -> dict[str, Command[object]]:
    """Every reading command that such a machine has."""
    old = toolset.cman is not None
    found: dict[str, Command[object]] = {
        "drbd status": drbd.status(toolset=toolset),
        "drbd role": drbd.role("r0"),
        "drbd cstate": drbd.cstate("r0"),
        "drbd dstate": drbd.dstate("r0"),
        "drbd resources": drbd.resources(),
        "drbd version": drbd.version(),
        "drbd dump": drbd.dump(),
        "drbd dump-xml": drbd.dump_xml(),
        "drbd get-gi": drbd.get_gi("r0"),
        "drbd wait-connect": drbd.wait_connect("r0"),
        "drbd wait-sync": drbd.wait_sync("r0", minor=1, toolset=toolset),
        "lvm vgs": lvm.vgs(toolset=toolset),
        "lvm pvs": lvm.pvs(toolset=toolset),
        "lvm lvs": lvm.lvs(toolset=toolset),
        "lvm one vg": lvm.vgs("drbd_vg", toolset=toolset),
        "lvm pvscan": lvm.pvscan(),
        "lvm vgscan": lvm.vgscan(),
        "lvm lvscan": lvm.lvscan(),
        "lvm validate": lvm.lvmconfig_validate(),
        "lvm version": lvm.version(),
        "gfs2 superblock": gfs2.superblock(LV),
        "gfs2 inspect": gfs2.inspect(LV),
        "gfs2 tunegfs2": gfs2.tunegfs2(LV),
        "gfs2 signatures": gfs2.signatures(LV),
        "gfs2 blkid": gfs2.blkid(LV, "/dev/vda3"),
        "gfs2 version": gfs2.version(),
        "fstab mounts": fstab.mounts(),
        "fstab findmnt": fstab.findmnt("gfs2"),
        "fstab findmnt at": fstab.findmnt(target="/opt"),
        "samba version": samba.version(),
        "samba testparm": samba.testparm(),
        "samba smbstatus": samba.smbstatus(toolset),
        "samba users": samba.pdbedit_list(),
        "dns dig": dns.dig("cluster.lab.test", server="127.0.0.1"),
        "dns short": dns.dig_short("cluster.lab.test", server="127.0.0.1"),
        "dns axfr": dns.dig_axfr("lab.test", server="127.0.0.1"),
        "dns missing": dns.dig("nosuch.lab.test", server="127.0.0.1"),
        "dns checkzone": dns.named_checkzone("lab.test", "/var/named/db.lab.test"),
        "dns checkconf": dns.named_checkconf(zones=True),
        "dns version": dns.named_version(),
        "dns rndc": dns.Rndc().status(),
        "service": services.is_active("named", toolset.init),
    }
    if not toolset.has("drbd", since="9"):
        found["drbd proc"] = drbd.proc_drbd()
    if toolset.has("drbd", since="8.4"):
        found["drbd events"] = drbd.events_now()
    if toolset.has("drbd", since="9"):
        found["drbd json"] = drbd.status_json()
        found["drbd show"] = drbd.show()
    return found | (old_readers() if old else new_readers(toolset))


def old_readers() -> dict[str, Command[object]]:
    """Those of 2010 only."""
    return {
        "drbd overview": drbd.overview(),
        "cman status": cman.status(),
        "cman nodes": cman.nodes(),
        "cman version": cman.version(),
        "cman clustat": cman.cluster_status(),
        "cman fence domain": cman.fence_domain(),
        "cman groups": cman.groups(),
        "cman lsnode": cman.list_nodes(),
        "cman lsfence": cman.list_fences(),
        "cman validate": cman.validate(),
        "run levels": services.run_levels("drbd"),
    }


def new_readers(toolset: Toolset) -> dict[str, Command[object]]:
    """Those of today only."""
    return {
        "lvm fullreport": lvm.fullreport(),
        "lvm locks": lvm.lvmlockctl_info(),
        "corosync version": corosync.version(),
        "corosync check": corosync.check_config(),
        "corosync quorum": corosync.quorum_status(),
        "corosync links": corosync.links(),
        "corosync peers": corosync.peers(),
        "corosync cmap": corosync.cmap(),
        "dlm lockspaces": corosync.lockspaces(),
        "dlm status": corosync.dlm_status(),
        "dlm config": corosync.dlm_config(),
        "ctdb status": ctdb.status(),
        "ctdb nodes": ctdb.nodestatus(toolset),
        "ctdb list": ctdb.listnodes(toolset),
        "ctdb databases": ctdb.getdbmap(toolset),
        "ctdb interfaces": ctdb.ifaces(toolset),
        "ctdb capabilities": ctdb.getcapabilities(),
        "ctdb scripts": ctdb.scriptstatus(toolset),
        "ctdb tunable": ctdb.getvar("MonitorInterval"),
        "ctdb config": ctdb.config_validate(),
        "ctdb ip": ctdb.ip(toolset),
        "ctdb pnn": ctdb.pnn(),
        "ctdb leader": ctdb.leader(toolset),
        "ctdb version": ctdb.version(),
        "ctdb uptime": ctdb.uptime(),
        "units": services.states("corosync", "dlm", "nosuch"),
    }


@pytest.mark.parametrize(
    "toolset", [Toolset.EL6, Toolset.DEBIAN12, NINE], ids=["2010", "today", "9"]
)
def test_every_reading_command_is_answered_and_decoded(toolset: Toolset) -> None:
    cluster = bring_up(FakeCluster(generation=toolset))
    node = cluster["linux-nas01"]
    broken = []
    for name, command in readers(toolset).items():
        assert command.effect is Effect.READ, name
        try:
            value = node.run(command).value
        except Exception as error:
            broken.append(f"{name}: {error}")
        else:
            if value is None or inspect.isroutine(value):
                broken.append(f"{name}: no value")
    assert broken == []
