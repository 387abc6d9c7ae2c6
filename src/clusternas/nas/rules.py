"""What the files of the NAS have to agree on: the mistakes that no tool can see alone."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_interface

from clusternas.core.diagnostics import Finding, Severity, rule
from clusternas.core.model import Model
from clusternas.core.versions import Toolset
from clusternas.drbd.layout import stored
from clusternas.drbd.model import DrbdResource
from clusternas.drbd.unique import clashes, shared_disks
from clusternas.fstab.model import FstabEntry
from clusternas.nas.boot import InitScript
from clusternas.nas.cluster import NasCluster
from clusternas.nas.layers import MOST_PRIMARIES

GUIDE = "https://linbit.com/drbd-user-guide/users-guide-drbd-8-4/"


def backing_disks(nas: NasCluster) -> dict[str, str]:
    """Each disk below DRBD, with the name of its resource."""
    return {
        seat.backing: resource.name
        for resource in nas.resources
        for host in resource.hosts
        for seat in stored(resource, host.name)
    }


def cluster_mounts(nas: NasCluster) -> Iterator[FstabEntry]:
    """The lines of fstab for shared file systems."""
    fstab = nas.mounts()
    if fstab is not None:
        yield from fstab.of_type("gfs2")


def cluster_nodes(nas: NasCluster) -> tuple[Model | None, list[str]]:
    """The file that says who is in the cluster, and whom it names."""
    if nas.cman is not None:
        return nas.cman, nas.cman.nodes.keys()
    if nas.corosync is not None:
        return nas.corosync, [node.label for node in nas.corosync.nodes]
    return None, []


def two_primaries(nas: NasCluster, resource: DrbdResource) -> bool:
    """Whether a resource may be primary on both nodes, `common` included."""
    nets = [resource.net]
    if nas.drbd is not None and nas.drbd.common is not None:
        nets.append(nas.drbd.common.net)
    said = [net.allow_two_primaries for net in nets if net and net.allow_two_primaries is not None]
    return bool(said and said[0])


@rule(
    "NAS001",
    Severity.ERROR,
    NasCluster,
    link="https://linbit.com/drbd-user-guide/users-guide-drbd-8-4/#s-lvm",
    bad='devices { filter = [ "a/.*/" ] } with disk /dev/vda3 below DRBD',
    good='devices { filter = [ "a|^/dev/drbd.*|", "r|.*|" ] }',
)
def _lvm_sees_the_disk(nas: NasCluster, toolset: Toolset) -> Iterator[Finding]:
    """LVM sees the disk below DRBD, and takes it instead of the DRBD device.

    The volume group then stands on one node's partition, written to behind DRBD's back: the
    article's author found it so after a reboot.
    """
    lvm = nas.lvm
    if lvm is None:
        return
    wanted = '[ "a|^/dev/drbd.*|", "r|.*|" ]'
    for disk in backing_disks(nas):
        if lvm.filters_ignored(toolset) or lvm.scans([disk]):
            yield Finding(
                f"LVM sees {disk}, the disk below DRBD",
                at=lvm.devices or lvm,
                field="filter" if lvm.devices else "",
                help=f"write filter = {wanted}, global_filter too where there is one",
            )


@rule("NAS002", Severity.ERROR, NasCluster, link="gfs2(5), mkfs.gfs2(8): -t clustername:fsname")
def _lock_table(nas: NasCluster, _toolset: Toolset) -> Iterator[Finding]:
    """The lock table of a file system names another cluster: it cannot be mounted."""
    for each in nas.filesystems:
        if nas.name and each.cluster != nas.name:
            yield Finding(
                f"{each.mount_point}: lock table {each.lock_table} is of cluster {each.cluster},"
                f" this one is {nas.name}",
                help=f"write {nas.name}:{each.fs_name}",
            )


@rule("NAS003", Severity.ERROR, NasCluster, link="drbd.conf(5), on; cman(5), corosync.conf(5)")
def _names(nas: NasCluster, _toolset: Toolset) -> Iterator[Finding]:
    """The nodes have to be called the same everywhere: DRBD, the cluster, the host, DNS."""
    known = {node.name for node in nas.nodes}
    cluster, members = cluster_nodes(nas)
    for resource in nas.resources:
        for host in resource.hosts:
            if known and not known & {host.name, *host.aliases}:
                yield Finding(
                    f"{resource.name}: no node is called {host.name}",
                    at=host,
                    help=f"the nodes are {', '.join(sorted(known))}",
                )
    for name in members:
        if known and name not in known:
            yield Finding(
                f"the cluster has a member {name}, which is no node of the NAS",
                at=cluster,
                help=f"the nodes are {', '.join(sorted(known))}",
            )
    for name in sorted(known - set(members)) if members else ():
        yield Finding(f"{name} is no member of the cluster", at=cluster, help="add it")


@rule("NAS004", Severity.ERROR, NasCluster, link=f"{GUIDE}#s-dual-primary-mode")
def _needs_two_primaries(nas: NasCluster, _toolset: Toolset) -> Iterator[Finding]:
    """A file system that all nodes mount needs DRBD to be primary on all of them."""
    shared = bool(list(cluster_mounts(nas)))
    for resource in nas.resources:
        if shared and not two_primaries(nas, resource):
            yield Finding(
                f"{resource.name} carries a file system that both nodes mount, but"
                " allow-two-primaries is missing",
                at=resource.net or resource,
                help="write allow-two-primaries in net, with fencing",
            )


@rule("NAS005", Severity.ERROR, NasCluster, link="mkfs.gfs2(8): -j; kernel fs/gfs2: no journal")
def _journals(nas: NasCluster, _toolset: Toolset) -> Iterator[Finding]:
    """Every node that mounts a GFS2 needs a journal of its own."""
    for each in nas.filesystems:
        if each.journals < len(nas.nodes):
            yield Finding(
                f"{each.mount_point}: {each.journals} journals for {len(nas.nodes)} nodes",
                help=f"write journals = {len(nas.nodes)}, or add some with gfs2_jadd",
            )


@rule(
    "NAS006",
    Severity.ERROR,
    NasCluster,
    link="https://wiki.samba.org/index.php/CTDB_and_Clustered_Samba",
)
def _samba_alone(nas: NasCluster, _toolset: Toolset) -> Iterator[Finding]:
    """Samba on several nodes without CTDB: one node does not see the locks of the other.

    Each smbd keeps its locks in databases (tdb) of its own machine.
    """
    samba = nas.samba
    if samba is None or len(nas.nodes) < 2 or (samba.global_ and samba.global_.clustering):
        return
    places = [entry.mount_point for entry in cluster_mounts(nas)]
    for share in samba.shares:
        if any(_below(share.path or "", place) for place in places):
            yield Finding(
                f"share {share.name} is on a cluster file system, but Samba is not clustered:"
                " its nodes do not see each other's locks",
                at=share,
                field="path",
                help="write clustering = yes in [global], and run CTDB",
            )


@rule("NAS007", Severity.WARNING, NasCluster, link="RFC 1794; ctdb(7), PUBLIC ADDRESSES")
def _dead_addresses(nas: NasCluster, _toolset: Toolset) -> Iterator[Finding]:
    """The name of the cluster gives out addresses that do not move when a node dies."""
    name = nas.cluster_name
    if name is None:
        return
    moving = set(public_addresses(nas))
    fixed = [each for each in name.addresses if each not in moving]
    if moving and fixed:
        yield Finding(
            f"{name.name} gives out {', '.join(fixed)}, which CTDB does not move",
            at=name.zone,
            help=f"publish CTDB's public addresses: {', '.join(sorted(moving))}",
        )


@rule("NAS008", Severity.ERROR, NasCluster, link="chkconfig(8); the article, chapter 5, side note")
def _boot_order(nas: NasCluster, _toolset: Toolset) -> Iterator[Finding]:
    """DRBD has to start before LVM, clvmd and GFS2, or LVM takes the disk below it.

    lvm2-monitor starts at run-level 2 too, where DRBD does not.
    """
    for node in nas.nodes:
        drbd = node.scripts.get("drbd")
        for name in ("lvm2-monitor", "clvmd", "gfs2"):
            other = node.scripts.get(name)
            if drbd is not None and other is not None:
                yield from _order(node.name, drbd, other)


def _order(node: str, drbd: InitScript, other: InitScript) -> Iterator[Finding]:
    if other.start < drbd.start:
        yield Finding(
            f"{other.name} starts at {other.start:02}, before drbd at {drbd.start:02}",
            node=node,
            help=f"start drbd before {other.start:02}: edit its chkconfig line, run chkconfig",
        )
    alone = "".join(sorted(set(other.levels) - set(drbd.levels) - set("01")))
    if alone and drbd.levels:
        yield Finding(
            f"{other.name} starts at run-level {alone} too, where drbd does not",
            node=node,
            help=f"chkconfig --level {alone} {other.name} off",
        )


@rule("NAS009", Severity.ERROR, NasCluster, link="gfs2(5)")
def _mounted_below_drbd(nas: NasCluster, _toolset: Toolset) -> Iterator[Finding]:
    """A shared file system has to be on the replicated device, not on the disk below it."""
    disks = backing_disks(nas)
    for entry in cluster_mounts(nas):
        if entry.source in disks:
            yield Finding(
                f"{entry.mount_point} is mounted from {entry.source}, the disk below"
                f" {disks[entry.source]}",
                at=entry,
                help="mount the logical volume on the DRBD device",
            )


@rule("NAS010", Severity.WARNING, NasCluster, link="smb.conf(5): path")
def _share_without_mount(nas: NasCluster, _toolset: Toolset) -> Iterator[Finding]:
    """A share of a clustered Samba has to be on a file system that all nodes mount."""
    places = [entry.mount_point for entry in cluster_mounts(nas)]
    samba = nas.samba
    if samba is None or not samba.global_ or not samba.global_.clustering or not places:
        return
    for share in samba.shares:
        if share.path and not any(_below(share.path, place) for place in places):
            yield Finding(
                f"share {share.name}: {share.path} is on no cluster file system",
                at=share,
                field="path",
                help=f"use a path below {', '.join(places)}",
            )


@rule("NAS011", Severity.ERROR, NasCluster, link="cman(5), corosync.conf(5), drbd.conf(5), ctdb(7)")
def _files_differ(nas: NasCluster, _toolset: Toolset) -> Iterator[Finding]:
    """Files of the cluster have to be the same on all nodes."""
    local = ("/etc/fstab", "/etc/ctdb/public_addresses")
    first: dict[str, tuple[str, Model]] = {}
    for node in nas.nodes:
        for path, model in node.files.items():
            name, other = first.setdefault(path, (node.name, model))
            if path not in local and str(model.document) != str(other.document):
                yield Finding(
                    f"{path} is not the same on {node.name} as on {name}",
                    at=model,
                    node=node.name,
                    help="copy the right one to the other node",
                )


@rule("NAS012", Severity.ERROR, NasCluster, link="clvmd(8): -I; lvm.conf(5): locking_type")
def _clvmd(nas: NasCluster, toolset: Toolset) -> Iterator[Finding]:
    """clvmd has to use the cluster manager there is, and LVM has to use clvmd."""
    if nas.clvmd is None or nas.cman is None:
        return
    stack = nas.clvmd.cluster_stack
    if stack not in ("", "cman"):
        yield Finding(
            f"clvmd is told to use {stack}, but the cluster is cman's",
            at=nas.clvmd,
            field="options",
            help='write CLVMDOPTS="-I cman"',
        )
    if nas.lvm is not None and not nas.lvm.clvmd and toolset.has("lvm", until="2.03"):
        yield Finding(
            "LVM does not use clvmd: its nodes do not know of each other's changes",
            at=nas.lvm.global_ or nas.lvm,
            field="locking_type" if nas.lvm.global_ else "",
            help="write locking_type = 3",
        )


@rule(
    "NAS013", Severity.ERROR, NasCluster, link="ctdb(7): RECOVERY LOCK; ctdb.conf(5): cluster lock"
)
def _ctdb_lock(nas: NasCluster, _toolset: Toolset) -> Iterator[Finding]:
    """The lock that keeps CTDB whole has to be on a file system that all nodes share."""
    ctdb = nas.ctdb
    lock = (ctdb.cluster.cluster_lock or "") if ctdb and ctdb.cluster else ""
    places = [entry.mount_point for entry in cluster_mounts(nas)]
    if lock and not lock.startswith("!") and not any(_below(lock, place) for place in places):
        yield Finding(
            f"the cluster lock {lock} is on no cluster file system",
            at=ctdb.cluster if ctdb else None,
            field="cluster_lock",
            help=f"put it below {', '.join(places)}" if places else "put it on the GFS2",
        )


@rule("NAS014", Severity.ERROR, NasCluster, link="ctdb(7): PRIVATE VS PUBLIC ADDRESSES")
def _ctdb_nodes(nas: NasCluster, _toolset: Toolset) -> Iterator[Finding]:
    """CTDB's nodes are the private addresses of the nodes; its public ones are others."""
    if nas.ctdb is None:
        return
    own = {node.address: node.name for node in nas.nodes if node.address}
    listed = list(nas.ctdb.nodes.numbers().values())
    for address in own if listed else ():
        if address not in listed:
            yield Finding(
                f"{own[address]} ({address}) is not among CTDB's nodes",
                at=nas.ctdb.nodes,
                help="add it at the end: the place is the number",
            )
    for address in set(public_addresses(nas)) & set(listed):
        yield Finding(
            f"{address} is a private address of CTDB and a public one",
            at=nas.ctdb.public_addresses,
            help="use another address for the clients",
        )


@rule("NAS015", Severity.ERROR, NasCluster, link="lvmlockd(8); dlm_controld(8)")
def _lock_manager(nas: NasCluster, _toolset: Toolset) -> Iterator[Finding]:
    """A shared volume group needs lvmlockd or clvmd; both need a cluster manager."""
    shared = [vg for vg in nas.volume_groups if vg.locked_by(nas.toolset) in ("dlm", "clvmd")]
    if shared and nas.cman is None and nas.corosync is None:
        yield Finding(
            f"{shared[0].name} is shared, but nothing says who is in the cluster",
            help="describe the cluster: corosync, or cman on old nodes",
        )
    if nas.corosync is not None and nas.lvm is not None and shared and not nas.lvm.lvmlockd:
        yield Finding(
            f"{shared[0].name} is shared, but LVM does not use lvmlockd",
            at=nas.lvm.global_ or nas.lvm,
            help="write use_lvmlockd = 1 in global",
        )


@rule("NAS016", Severity.ERROR, NasCluster, link="drbdadm_postparse.c of drbd-utils")
def _clashes(nas: NasCluster, _toolset: Toolset) -> Iterator[Finding]:
    """Minors, ports, disks and names of resources in different files must not be the same."""
    yield from clashes(nas.resources)
    yield from shared_disks(nas.resources)


@rule("NAS017", Severity.ERROR, NasCluster, link=f"{GUIDE}#s-dual-primary-mode")
def _nobody_fences(nas: NasCluster, _toolset: Toolset) -> Iterator[Finding]:
    """Where all nodes write at once, something has to cut off one that nobody hears of.

    DRBD's own fencing cuts the replication; the locks of the file system wait for the cluster's.
    """
    dual = [each for each in nas.resources if two_primaries(nas, each)]
    where = nas.cman or nas.dlm
    if dual and where is not None and not can_fence(nas):
        yield Finding(
            f"all nodes write to {dual[0].name}, but the cluster has nothing to fence one with",
            at=where,
            help="describe a fence device that really cuts a node off, for every node",
        )


@rule("NAS018", Severity.ERROR, NasCluster, link=f"{GUIDE}#s-dual-primary-mode")
def _too_many_primaries(nas: NasCluster, _toolset: Toolset) -> Iterator[Finding]:
    """No more than two nodes can write to a resource at once.

    DRBD 8 replicates to one peer; DRBD 9 to more, but more than two primaries are not supported.
    """
    for resource in nas.resources:
        hosts = resource.host_names()
        if len(hosts) > MOST_PRIMARIES and two_primaries(nas, resource):
            yield Finding(
                f"{len(hosts)} nodes are to write to {resource.name}: DRBD takes {MOST_PRIMARIES}",
                at=resource,
                help="two nodes on DRBD, or more of them on storage that all reach",
            )


def can_fence(nas: NasCluster) -> bool:
    """Whether the cluster has a fence device that does fence."""
    if nas.cman is not None:
        used = {name for node in nas.cman.nodes for name in node.fence_devices}
        agents = {each.agent for each in nas.cman.fence_devices if each.name in used}
        return bool(agents - {"fence_manual", ""})
    if nas.dlm is None or nas.dlm.enable_fencing is False:
        return False
    return bool(nas.dlm.devices) or bool(nas.dlm.fence_all)


def public_addresses(nas: NasCluster) -> list[str]:
    """The addresses that CTDB moves, without their masks."""
    if nas.ctdb is None:
        return []
    found = [each.address for each in nas.ctdb.public_addresses.all]
    return [str(ip_interface(each).ip) for each in found if _is_interface(each)]


def _is_interface(text: str) -> bool:
    try:
        ip_interface(text)
    except ValueError:
        return False
    return True


def _below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")
