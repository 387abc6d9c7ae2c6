"""From few words to every value: the NAS that a description means."""

from __future__ import annotations

from collections.abc import Collection

import attrs

from clusternas.cman.model import CmanCluster
from clusternas.cman.sections import CmanTotem
from clusternas.core.keyed import keyed
from clusternas.core.versions import Toolset
from clusternas.corosync.dlm import DlmConf, DlmConnect, DlmDevice
from clusternas.corosync.model import CorosyncCluster
from clusternas.ctdb.model import CtdbCluster, CtdbConfig
from clusternas.ctdb.tables import CtdbTunable, CtdbTunables
from clusternas.dns.model import ZoneFile
from clusternas.dns.record import Soa, ZoneRecord
from clusternas.dns.roundrobin import DnsRoundRobin
from clusternas.drbd.model import (
    Address,
    DrbdDisk,
    DrbdHandlers,
    DrbdHost,
    DrbdNet,
    DrbdResource,
    DrbdStartup,
    Quantity,
)
from clusternas.gfs2.model import Gfs2Filesystem
from clusternas.lvm.clvmd import ClvmdSysconfig
from clusternas.lvm.group import ClvmLogicalVolume, ClvmVolumeGroup
from clusternas.lvm.model import LvmConf, LvmDevices, LvmGlobal
from clusternas.nas.cluster import NasCluster, NasNode
from clusternas.nas.table import Table
from clusternas.samba.model import SambaShare, SmbConf, SmbGlobal

__all__ = ["Described", "Table", "build"]

PORT = 7789
RATE = "33M"
PING_TIMEOUT = 5
"""Tenths of a second: DRBD's own default; see drbd.conf(5)."""
DRBD = "a|^/dev/drbd.*|"
PATIENCE = 120
"""Seconds that CTDB gives its event scripts: 30, its default, is too short for a slow disk."""


@attrs.frozen(kw_only=True)
class Described:
    """The tables of a description."""

    name: str
    toolset: Toolset
    nodes: tuple[Table, ...]
    fencing: Table
    drbd: tuple[Table, ...]
    lvm: tuple[Table, ...]
    gfs2: tuple[Table, ...]
    samba: Table
    shares: tuple[Table, ...]
    ctdb: Table
    dns: Table


def build(told: Described, without: Collection[str] = ()) -> NasCluster:
    """The NAS that the tables describe, some nodes left out."""
    every = [_node(table, place) for place, table in enumerate(told.nodes, 1)]
    nodes = [node for node in every if node.name not in without]
    old = told.toolset.init == "sysv"
    fencing = _Fencing(told.fencing, told.toolset)
    groups = [_group(table) for table in told.lvm]
    filesystems = [_filesystem(table, told.name, len(nodes)) for table in told.gfs2]
    ctdb = _ctdb(told, nodes, filesystems)
    zones, name = _dns(told.dns, nodes)
    return NasCluster(
        name=told.name,
        nodes=nodes,
        toolset=told.toolset,
        resources=[_resource(table, nodes, fencing) for table in told.drbd],
        cman=_cman(told.name, nodes, fencing) if old else None,
        corosync=None if old else _corosync(told.name, nodes, fencing),
        dlm=None if old else _dlm(nodes, fencing),
        lvm=_lvm(told.toolset, groups, old=old) if groups else None,
        clvmd=ClvmdSysconfig(options=("-I", "cman", "-T30")) if old and groups else None,
        volume_groups=groups,
        filesystems=filesystems,
        samba=_samba(told, clustered=ctdb is not None),
        ctdb=ctdb,
        zones=zones,
        cluster_name=name,
    )


def _node(table: Table, place: int) -> NasNode:
    return NasNode(
        name=table.name,
        address=table.text("address"),
        public=table.text("public", ""),
        interface=table.text("interface", ""),
        number=table.number("id", place),
    )


class _Fencing:
    """What cuts a node off: the agent of the cluster, and the handler of DRBD."""

    def __init__(self, table: Table, toolset: Toolset) -> None:
        self.agent = table.text("agent", "")
        self.handler = table.text("handler", "")
        unfence = table.text("unfence", "")
        self.newer = toolset.has("drbd", since="8.4")
        self.unfence = unfence if self.newer else ""
        self.patience = table.number("patience", 0)
        self.params = table.mapping("params")
        self.nodes = {each.name: each.mapping("params") for each in table.tables("nodes")}

    def of(self, node: str) -> dict[str, str]:
        """What the agent has to know to hit a node."""
        return self.nodes.get(node, {"port": node})

    def ping_timeout(self) -> Quantity | None:
        """How long DRBD waits for an answer before it calls its handler."""
        return Quantity(self.patience * 10, "1/10 s") if self.patience else None

    def check_timeout(self) -> int | None:
        """How long DRBD looks at a new connection before it uses it, in tenths of a second.

        By default as long as the above, so that patience would delay every connect by as much.
        """
        return PING_TIMEOUT if self.patience and self.newer else None


def _resource(table: Table, nodes: list[NasNode], fencing: _Fencing) -> DrbdResource:
    device, disk = table.text("device"), table.text("disk")
    port, meta_disk = table.number("port", PORT), table.text("meta_disk", "internal")
    secret = table.text("secret", "")
    hosts = [
        DrbdHost(
            name=node.name,
            device=device,
            disk=disk,
            meta_disk=meta_disk,
            address=Address(node.address, port),
        )
        for node in nodes
    ]
    handlers = DrbdHandlers(
        fence_peer=fencing.handler or None, unfence_peer=fencing.unfence or None
    )
    policy = "resource-and-stonith" if fencing.handler else None
    return DrbdResource(
        name=table.name,
        hosts=keyed(*hosts),
        startup=DrbdStartup(become_primary_on=("both",)),
        handlers=handlers if fencing.handler else None,
        net=DrbdNet(
            protocol="C",
            allow_two_primaries=True,
            after_sb_0pri="discard-zero-changes",
            after_sb_1pri="discard-secondary",
            after_sb_2pri="disconnect",
            fencing=policy,
            ping_timeout=fencing.ping_timeout(),
            socket_check_timeout=fencing.check_timeout(),
            cram_hmac_alg="sha1" if secret else None,
            shared_secret=secret or None,
        ),
        disk=DrbdDisk(resync_rate=_rate(table)),
    )


def _rate(table: Table) -> Quantity:
    try:
        return Quantity(table.text("rate", RATE), "KiB/s")
    except ValueError as error:
        raise table.wrong("rate", str(error), 'bytes a second: rate = "33M"') from None


def _cman(name: str, nodes: list[NasNode], fencing: _Fencing) -> CmanCluster:
    cluster = CmanCluster.create(name, two_node=len(nodes) == 2)
    if fencing.agent:
        cluster = cluster.add_fence_device("fence", fencing.agent, **fencing.params)
    for node in nodes:
        params = fencing.of(node.name) if fencing.agent else {}
        device = "fence" if fencing.agent else ""
        cluster = cluster.add_node(node.name, node.number, votes=1, fence=device, **params)
    if fencing.patience:
        cluster = attrs.evolve(cluster, totem=CmanTotem(token=fencing.patience * 1000))
    return attrs.evolve(cluster, config_version=None)  # it is the file's, and grows there


def _corosync(name: str, nodes: list[NasNode], fencing: _Fencing) -> CorosyncCluster:
    cluster = CorosyncCluster.create(name)
    if fencing.patience and cluster.totem is not None:
        totem = attrs.evolve(cluster.totem, token=fencing.patience * 1000)
        cluster = attrs.evolve(cluster, totem=totem)
    for node in nodes:
        cluster = cluster.add_node(node.name, node.address, nodeid=node.number)
    return cluster


def _dlm(nodes: list[NasNode], fencing: _Fencing) -> DlmConf:
    if not fencing.agent:
        return DlmConf(enable_fencing=True)
    connects = [
        DlmConnect(device="fence", node=node.number, params=_pairs(fencing.of(node.name)))
        for node in nodes
    ]
    device = DlmDevice(
        name="fence", agent=fencing.agent, params=_pairs(fencing.params), connects=keyed(*connects)
    )
    return DlmConf(enable_fencing=True, devices=keyed(device))


def _pairs(params: dict[str, str]) -> tuple[str, ...]:
    return tuple(f"{key}={value}" for key, value in params.items())


def _lvm(toolset: Toolset, groups: list[ClvmVolumeGroup], *, old: bool) -> LvmConf:
    newer = toolset.has("lvm", since="2.02.98")
    pvs = dict.fromkeys(pv for group in groups for pv in group.pvs)
    shared = (f"a|^{pv}$|" for pv in pvs if not pv.startswith("/dev/drbd"))
    shown = (DRBD,) if any(pv.startswith("/dev/drbd") for pv in pvs) else ()
    lines = (*shown, *shared, "r|.*|")
    devices = LvmDevices(filter=lines, global_filter=lines if newer else None)
    if old:
        devices = attrs.evolve(devices, write_cache_state=False)
        return LvmConf(
            devices=devices, global_=LvmGlobal(locking_type=3, fallback_to_local_locking=False)
        )
    devices = attrs.evolve(
        devices, use_devicesfile=False if toolset.has("lvm", since="2.03.12") else None
    )
    return LvmConf(devices=devices, global_=LvmGlobal(use_lvmlockd=True))


def _group(table: Table) -> ClvmVolumeGroup:
    volumes = [
        ClvmLogicalVolume(name=name, **_size(size))
        for name, size in table.mapping("volumes").items()
    ]
    return ClvmVolumeGroup(name=table.name, pvs=table.texts("pvs"), logical_volumes=volumes)


def _size(text: str) -> dict[str, str]:
    return {"extents": text} if "%" in text else {"size": text}


def _filesystem(table: Table, cluster: str, nodes: int) -> Gfs2Filesystem:
    return Gfs2Filesystem(
        device=table.text("device"),
        lock_table=f"{cluster}:{table.name}",
        journals=table.number("journals", nodes),
        mount_point=table.text("mount"),
        options=table.texts("options", ("noatime", "noauto")),
        uuid=table.text("uuid", ""),
    )


def _samba(told: Described, *, clustered: bool) -> SmbConf | None:
    table = told.samba
    if not table and not told.shares:
        return None
    server = SmbGlobal(
        workgroup=table.text("workgroup", "WORKGROUP"),
        netbios_name=table.text("netbios_name", "CLUSTER"),
        security=table.text("security", "user"),
        clustering=True if clustered else None,
        vfs_objects=("fileid",) if clustered else None,
        fileid_algorithm="fsname" if clustered else None,
    )
    return SmbConf(global_=server, shares=keyed(*map(_share, told.shares)))


def _share(table: Table) -> SambaShare:
    return SambaShare(
        name=table.name,
        path=table.path("path"),
        comment=table.text("comment", "") or None,
        read_only=not table.flag("writeable", True),
        valid_users=table.texts("valid_users") or None,
    )


def _ctdb(
    told: Described, nodes: list[NasNode], filesystems: list[Gfs2Filesystem]
) -> CtdbConfig | None:
    """Samba on a shared file system needs CTDB; `enabled = false` in `ctdb` leaves it out."""
    shared = bool(filesystems) and bool(told.shares)
    if not told.ctdb.flag("enabled", shared and told.toolset.ctdb is not None):
        return None
    place = filesystems[0].mount_point if filesystems else ""
    lock = told.ctdb.text("lock", f"{place}/.ctdb/reclock" if place else "")
    public = [f"{node.public} {node.interface}".strip() for node in nodes if node.public]
    values = {"EventScriptTimeout": PATIENCE, **told.ctdb.numbers("tunables")}
    tunables = [CtdbTunable(name=key, value=value) for key, value in values.items()]
    return CtdbConfig(
        cluster=CtdbCluster(cluster_lock=lock or None),
        nodes=[node.address for node in nodes],
        public_addresses=public,
        tunables=CtdbTunables(all=keyed(*tunables)),
    )


def _dns(table: Table, nodes: list[NasNode]) -> tuple[dict[str, ZoneFile], DnsRoundRobin | None]:
    if not table:
        return {}, None
    zone_name = table.text("zone").rstrip(".") + "."
    name, ttl = table.text("name", "cluster"), table.number("ttl", 300)
    path = table.path("file", f"/etc/bind/db.{zone_name.rstrip('.')}")
    addresses = [node.public.partition("/")[0] or node.address for node in nodes]
    own = [ZoneRecord(type="A", owner=node.name, data=(node.address,)) for node in nodes]
    servers = [ZoneRecord(type="NS", owner="@", data=(node.name,)) for node in nodes]
    soa = Soa(mname=nodes[0].name, rname="hostmaster", serial=table.number("serial", 1))
    zone = ZoneFile(origin=zone_name, ttl=ttl, soa=soa, records=keyed(*servers, *own))
    robin = DnsRoundRobin(name=name, addresses=addresses, ttl=ttl, zone=zone)
    return {path: zone.with_rrset(name, "A", addresses, ttl=ttl)}, robin
