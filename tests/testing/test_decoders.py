"""What the lab has recorded is read by our decoders, and the tools agree on what they say."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from clusternas.core.command import Output
from clusternas.corosync import decode as corosync
from clusternas.ctdb import status as ctdb
from clusternas.dns import status as dns
from clusternas.drbd.answers import decode_cstate, decode_dstate, decode_names, decode_role
from clusternas.drbd.answers import decode_version as drbd_version
from clusternas.drbd.dumps import decode_dump_xml, decode_show_text
from clusternas.drbd.events import decode_events
from clusternas.drbd.model import DrbdConfig
from clusternas.drbd.proc import ProcDrbd, decode_proc
from clusternas.drbd.status import DrbdStatus
from clusternas.drbd.statustext import decode_status
from clusternas.fstab import status as fstab
from clusternas.gfs2 import status as gfs2
from clusternas.lvm import scan
from clusternas.lvm import status as lvm
from clusternas.samba import status as samba
from clusternas.samba.model import SmbConf

LAB = Path(__file__).parents[1] / "data" / "lab"
FILES = sorted(path.stem for path in LAB.glob("*.json"))
LV = "/dev/drbd_vg/drbd_lv"
MEMBER = re.compile(r"runtime\.members\.\d+\.status")
Decoder = Callable[[Output], object]


def configuration(output: Output) -> object:
    """`drbdadm dump` is a drbd.conf."""
    return DrbdConfig.parse(output.stdout)


def shares(output: Output) -> object:
    """`testparm -s` is an smb.conf."""
    return SmbConf.parse(output.stdout)


DECODERS: Mapping[str, Decoder] = {
    "cat /proc/drbd": decode_proc,
    "drbdadm status": decode_status,
    "drbdsetup status --verbose --statistics": decode_status,
    "drbdsetup events2 --now": decode_events,
    "drbdsetup events2 --now --statistics": decode_events,
    "drbdsetup show": decode_show_text,
    "drbdadm dump": configuration,
    "drbdadm dump all": configuration,
    "drbdadm dump-xml": decode_dump_xml,
    "drbdadm --version": drbd_version,
    "drbdadm role r0": decode_role,
    "drbdadm cstate r0": decode_cstate,
    "drbdadm dstate r0": decode_dstate,
    "drbdadm sh-resources": decode_names,
    "corosync -v": corosync.decode_version,
    "corosync-quorumtool -s": corosync.decode_quorum,
    "corosync-cfgtool -s": corosync.decode_links,
    "corosync-cfgtool -n": corosync.decode_peers,
    "corosync-cmapctl": corosync.decode_cmap,
    "dlm_tool ls": corosync.decode_lockspaces,
    "dlm_tool status": corosync.decode_dlm_status,
    "dlm_tool dump_config": corosync.decode_dlm_config,
    "lvmlockctl -i": scan.lockspaces,
    "pvscan": scan.scanned_pvs,
    "vgscan": scan.scanned_vgs,
    "lvscan": scan.scanned_lvs,
    "blkid": gfs2.block_devices,
    f"tunegfs2 -l {LV}": gfs2.tuned_superblock,
    "cat /proc/mounts": fstab.mounts,
    "mount": fstab.listed_mounts,
    "findmnt -J": fstab.found_mounts,
    "findmnt -J -o TARGET,SOURCE,FSTYPE,OPTIONS /opt": fstab.found_mounts,
    "testparm -s": shares,
    "net conf list": samba.decode_conf,
    "smbd -V": samba.decode_version,
    "smbstatus": samba.decode_text,
    "smbstatus --json": samba.decode_json,
    "smbclient -g -L localhost -U nasuser%secret": samba.decode_listing,
    "pdbedit -L": samba.decode_users,
    "ctdb status": ctdb.decode_status,
    "ctdb status -X": ctdb.decode_nodes,
    "ctdb nodestatus -X": ctdb.decode_nodes,
    "ctdb listnodes -X": ctdb.decode_listnodes,
    "ctdb ip -X": ctdb.decode_ips,
    "ctdb getdbmap -X": ctdb.decode_databases,
    "ctdb getcapabilities": ctdb.decode_capabilities,
    "ctdb event status legacy monitor": ctdb.decode_scripts,
    "ctdb pnn": ctdb.decode_number,
    "ctdb leader": ctdb.decode_number,
    "ctdb version": ctdb.decode_version,
    "dig @127.0.0.1 cluster.lab.test": dns.answer,
    "dig @127.0.0.1 nosuch.lab.test": dns.answer,
    "dig @127.0.0.1 lab.test SOA": dns.answer,
    "dig @127.0.0.1 lab.test NS": dns.answer,
    "dig @127.0.0.1 lab.test AXFR": dns.answer,
    "dig @127.0.0.1 -x 192.168.1.11": dns.answer,
    "dig @127.0.0.1 +short cluster.lab.test": dns.short,
    "named-checkzone lab.test /etc/bind/db.lab.test": dns.checked_zone,
    "rndc status": dns.rndc_status,
}
DECODED_LVM = {"pvs": lvm.physical_volumes, "vgs": lvm.volume_groups, "lvs": lvm.logical_volumes}


def decoder(command: str) -> Decoder | None:
    """Our decoder of a command's output, if there is one."""
    words = command.split()
    if words[0] in DECODED_LVM and "json" in words:
        return DECODED_LVM[words[0]]
    return DECODERS.get(command)


def recorded(name: str) -> dict[str, Output]:
    rows = json.loads((LAB / f"{name}.json").read_text())
    return {
        row["command"]: Output(row["exit_code"], row["stdout"].encode(), row["stderr"].encode())
        for row in rows
    }


def values(outputs: Mapping[str, Output]) -> dict[str, object]:
    """What the decoders make of those that succeeded."""
    found: dict[str, object] = {}
    complaints = []
    for command, output in outputs.items():
        decode = decoder(command)
        if decode is not None and output.exit_code == 0:
            try:
                found[command] = decode(output)
            except Exception as error:
                complaints.append(f"{command}: {error!r}")
    assert complaints == []
    return found


@pytest.mark.parametrize("name", FILES)
def test_every_recording_is_decoded(name: str) -> None:
    for command, value in values(recorded(name)).items():
        assert value is not None, command


STATUSES = ("drbdadm status", "drbdsetup status --verbose --statistics", "drbdsetup events2 --now")


def replication(found: Mapping[str, object]) -> Iterator[object]:
    """Role and disk state as each tool of DRBD tells them."""
    for command in STATUSES:
        if isinstance(status := found.get(command), DrbdStatus):
            yield [(each.role, each.disk_state) for each in status.values()]
    if isinstance(proc := found.get("cat /proc/drbd"), ProcDrbd):
        yield [(each.role, each.disk_state) for each in proc.status.values()]
    roles, disks = found.get("drbdadm role r0"), found.get("drbdadm dstate r0")
    if isinstance(roles, tuple) and isinstance(disks, tuple):
        yield [(roles[0], disks[0][0])]


def mounts(found: Mapping[str, object]) -> Iterator[object]:
    """What is mounted, as three tools tell it."""
    for command in ("mount", "cat /proc/mounts", "findmnt -J"):
        if isinstance(rows := found.get(command), tuple):
            yield {(row.source, row.target, row.fstype) for row in rows}


def configurations(found: Mapping[str, object]) -> Iterator[object]:
    """drbd.conf, as drbdadm tells it in two languages."""
    for command in ("drbdadm dump", "drbdadm dump all", "drbdadm dump-xml"):
        if isinstance(config := found.get(command), DrbdConfig):
            yield [(r.name, r.net, r.disk, r.startup, r.handlers) for r in config.resources]


def nodes_of_ctdb(found: Mapping[str, object]) -> Iterator[object]:
    """The nodes of CTDB, for people and for programs."""
    if isinstance(status := found.get("ctdb status"), ctdb.CtdbStatus):
        yield status.nodes
    yield from (found[command] for command in ["ctdb status -X"] if command in found)


def clients(found: Mapping[str, object]) -> Iterator[object]:
    """The clients of Samba, for people and for programs."""
    for command in ("smbstatus", "smbstatus --json"):
        if isinstance(status := found.get(command), samba.SmbStatus):
            people = [(who.process, who.user, who.address, who.protocol) for who in status.sessions]
            files = [
                (one.process, one.path, one.name, one.deny, one.access) for one in status.open_files
            ]
            yield status.version, people, files


def members(found: Mapping[str, object]) -> Iterator[object]:
    """The members of the cluster, by votes and by the map of keys."""
    if isinstance(quorum := found.get("corosync-quorumtool -s"), corosync.QuorumStatus):
        yield set(quorum.members)
        keys = found.get("corosync-cmapctl")
        if isinstance(keys, Mapping):
            status = {key.split(".")[2]: keys[key] for key in keys if MEMBER.fullmatch(key)}
            yield {int(number) for number, word in status.items() if word == "joined"}


TOLD = [replication, mounts, configurations, nodes_of_ctdb, clients, members]


@pytest.mark.parametrize("name", FILES)
def test_the_tools_agree(name: str) -> None:
    """Two decoders that read the same state make the same of it."""
    found = values(recorded(name))
    for tell in TOLD:
        told = list(tell(found))
        assert all(each == told[0] for each in told), tell.__name__


def test_they_have_something_to_agree_on() -> None:
    found = values(recorded("06-full-cluster-ok.node1"))
    assert {tell.__name__: len(list(tell(found))) for tell in TOLD} == {
        "replication": 5,
        "mounts": 3,
        "configurations": 3,
        "nodes_of_ctdb": 2,
        "clients": 2,
        "members": 2,
    }
