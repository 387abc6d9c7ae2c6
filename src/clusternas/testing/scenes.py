"""The article's NAS brought up on fake machines by plain command lines, in both generations.

The files are minimal and legal; what clusternas renders is richer.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING

import attrs

from clusternas.testing.blocks import Gfs2

if TYPE_CHECKING:
    from clusternas.testing.cluster import FakeCluster
    from clusternas.testing.node import FakeNode

__all__ = ["Step", "bring_up", "steps", "write_files"]

RESOURCE = """resource r0 {{
  protocol C;
  startup {{ become-primary-on both; }}
  net {{
    allow-two-primaries;
    after-sb-0pri discard-zero-changes;
    after-sb-1pri discard-secondary;
    after-sb-2pri disconnect;
  }}
  syncer {{ rate 100M; }}
{hosts}}}
"""
RESOURCE_9 = """resource r0 {{
  net {{
    protocol C;
    allow-two-primaries yes;
    after-sb-0pri discard-zero-changes;
    after-sb-1pri discard-secondary;
    after-sb-2pri disconnect;
  }}
  disk {{ resync-rate 100M; }}
{hosts}}}
"""
HOST = (
    "  on {0.name} {{ device /dev/drbd1; disk /dev/vda3; address {0.address}:7789; "
    "meta-disk internal; }}\n"
)
COROSYNC = """totem {{
  version: 2
  cluster_name: NASCluster
}}
quorum {{
  provider: corosync_votequorum
  two_node: 1
}}
nodelist {{
{nodes}}}
"""
MEMBER = (
    "  node {{\n    name: {0.name}\n    nodeid: {0.number}\n    ring0_addr: {0.address}\n  }}\n"
)
FILTER = 'filter = [ "a|^/dev/drbd.*|", "r|.*|" ]'
DLM = "device labfence /usr/local/sbin/fence_lab\n"
ZONE = """$TTL 60
@\tIN\tSOA\t{0.name}.lab.test. root.lab.test. ( 2026112301 3600 600 86400 60 )
\tIN\tNS\t{0.name}.lab.test.
{0.name}\tIN\tA\t{0.public_address}
{1.name}\tIN\tA\t{1.public_address}
cluster\tIN\tA\t{0.public_address}
cluster\tIN\tA\t{1.public_address}
"""
LV = "/dev/drbd_vg/drbd_lv"


@attrs.frozen
class Step:
    """A command line for some nodes; `wait` seconds pass afterwards."""

    nodes: tuple[str, ...]
    line: str
    stdin: str = ""
    wait: float = 0.0


def pair(cluster: FakeCluster) -> tuple[FakeNode, FakeNode]:
    """The two nodes."""
    one, two = cluster.nodes.values()
    return one, two


def is_old(cluster: FakeCluster) -> bool:
    """Whether it is the generation of cman."""
    return cluster.toolset.cman is not None


def write_files(cluster: FakeCluster) -> None:
    """Every configuration file that the commands do not make themselves, on both nodes."""
    one, two = pair(cluster)
    hosts = HOST.format(one) + HOST.format(two)
    resource = RESOURCE_9 if cluster.toolset.has("drbd", since="9") else RESOURCE
    share = (
        "[global]\n\tworkgroup = WORKGROUP\n{}[opt]\n\tcomment = Test Cluster\n"
        "\tpath = /opt\n\tread only = no\n"
    )
    for node in (one, two):
        node.files.write("/etc/drbd.d/r0.res", resource.format(hosts=hosts))
        node.files.write(
            "/etc/samba/smb.conf", share.format("" if is_old(cluster) else "\tclustering = yes\n")
        )
        node.files.write(
            "/etc/named.conf", 'zone "lab.test" { type master; file "/var/named/db.lab.test"; };\n'
        )
        node.files.write("/var/named/db.lab.test", ZONE.format(one, two))
        if is_old(cluster):
            node.files.write("/etc/sysconfig/clvmd", 'CLVMDOPTS="-I cman"\n')
        else:
            write_modern_files(node, one, two)


def write_modern_files(node: FakeNode, one: FakeNode, two: FakeNode) -> None:
    """corosync.conf, dlm.conf, lvm.conf and CTDB's files."""
    connects = "".join(f"connect labfence node={n.number} target={n.name}\n" for n in (one, two))
    node.files.write(
        "/etc/corosync/corosync.conf",
        COROSYNC.format(nodes=MEMBER.format(one) + MEMBER.format(two)),
    )
    node.files.write("/etc/dlm/dlm.conf", f"enable_fencing=1\n{DLM}{connects}")
    node.files.write(
        "/etc/lvm/lvm.conf",
        f"devices {{\n\t{FILTER}\n\tglobal_{FILTER}\n}}\nglobal {{\n\tuse_lvmlockd = 1\n}}\n",
    )
    node.files.write("/etc/ctdb/ctdb.conf", "[cluster]\n\tcluster lock = /opt/.ctdb/reclock\n")
    node.files.write("/etc/ctdb/nodes", f"{one.address}\n{two.address}\n")
    node.files.write("/etc/ctdb/public_addresses", "192.168.1.21/24 lan0\n192.168.1.22/24 lan0\n")


def steps(cluster: FakeCluster) -> Iterator[Step]:
    """The command lines of the article, or their equivalents of today."""
    yield from article(cluster) if is_old(cluster) else today(cluster)


def article(cluster: FakeCluster) -> Iterator[Step]:
    """Sections 2 to 8 of the article."""
    first, second = cluster.nodes
    both = (first, second)
    yield Step(both, "service iptables stop")
    yield Step(both, "chkconfig iptables off")
    yield Step(both, "drbdadm create-md r0")
    yield Step(both, "chkconfig drbd on")
    yield Step(both, "service drbd start")
    yield Step((first,), "drbdadm -- --overwrite-data-of-peer primary all", wait=60)
    yield Step((second,), "drbdadm primary all")
    yield Step((first,), "drbd-overview")
    yield Step((first,), "ccs_tool create NASCluster")
    for name in both:
        yield Step((first,), f"ccs_tool addfence {name} fence_manual")
    for number, name in enumerate(both, 1):
        yield Step((first,), f"ccs_tool addnode {name} -n {number} -v 1 -f {name}")
    yield Step((first,), "ccs_tool lsnode")
    yield Step((first,), "ccs_tool lsfence")
    yield Step((second,), "tee /etc/cluster/cluster.conf", stdin=COPY)
    yield Step(both, "service cman start")
    yield Step((first,), "cman_tool status")
    yield Step((first,), "clustat")
    yield Step(both, "lvmconf --enable-cluster")
    yield Step(both, "service clvmd start")
    yield Step(both, "service rgmanager start")
    yield Step((first,), "pvcreate /dev/drbd1")
    yield Step((first,), "vgcreate drbd_vg /dev/drbd1")
    yield Step((first,), "lvcreate -n drbd_lv -L 900M /dev/drbd_vg")
    for scan in ("pvscan", "vgscan", "lvscan"):
        yield Step((second,), scan)
    yield Step((first,), f"mkfs -t gfs2 -p lock_dlm -j 2 -t NASCluster:opt {LV}", stdin="y\n")
    yield Step(both, f"mount -t gfs2 {LV} /opt")
    yield Step(both, "tee -a /etc/fstab", stdin=FSTAB)
    yield Step(both, "service gfs2 start")
    yield Step(both, "service smb start")
    yield Step(both, "service named start")


def today(cluster: FakeCluster) -> Iterator[Step]:
    """The same NAS with corosync, lvmlockd and CTDB."""
    first, second = cluster.nodes
    both = (first, second)
    force = (
        "drbdadm primary --force r0"
        if cluster.toolset.has("drbd", since="9")
        else "drbdadm -- --overwrite-data-of-peer primary r0"
    )
    yield Step(both, "drbdadm create-md r0")
    yield Step(both, "drbdadm up r0")
    yield Step((first,), "drbdadm wait-connect r0")
    yield Step((first,), force, wait=60)
    yield Step((second,), "drbdadm primary r0")
    yield Step(both, "systemctl start corosync")
    yield Step(both, "systemctl start dlm")
    yield Step(both, "systemctl start lvmlockd")
    yield Step((first,), "pvcreate -y /dev/drbd1")
    yield Step((first,), "vgcreate --shared drbd_vg /dev/drbd1")
    yield Step((first,), "lvcreate -y -W n -n drbd_lv -L 900M drbd_vg")
    yield Step(both, "vgchange --lock-start drbd_vg")
    yield Step(both, "lvchange -asy drbd_vg/drbd_lv")
    yield Step((first,), f"mkfs -t gfs2 -O -p lock_dlm -j 2 -t NASCluster:opt {LV}")
    yield Step(both, f"mount -t gfs2 -o noatime {LV} /opt")
    yield Step((first,), "mkdir -p /opt/.ctdb")
    yield Step(both, "ctdb event script enable legacy 50.samba")
    yield Step(both, "systemctl start ctdb")
    yield Step((first,), "ctdb nodestatus all")
    yield Step((first,), "smbpasswd -s -a nasuser", stdin="secret\nsecret\n")
    yield Step(both, "systemctl start named")


COPY = "the first node's cluster.conf"
FSTAB = "the line of the file system's UUID"


def bring_up(cluster: FakeCluster, *, files: bool = True) -> FakeCluster:
    """Run all of it; raise `AssertionError` at the first command that fails.

    Args:
        cluster: two machines.
        files: write the configuration files first; otherwise they are there.

    Example:
        >>> from clusternas.testing import FakeCluster
        >>> cluster = bring_up(FakeCluster(generation="2010"))
        >>> cluster["linux-nas02"].shell("lvscan").text
        "  ACTIVE            '/dev/drbd_vg/drbd_lv' [900.00 MiB] inherit\\n"
    """
    if files:
        write_files(cluster)
    for step in steps(cluster):
        for name in step.nodes:
            run(cluster, cluster[name], step)
        cluster.advance(step.wait)
    return cluster


def run(cluster: FakeCluster, node: FakeNode, step: Step) -> None:
    """One step on one node."""
    one, _ = pair(cluster)
    stdin = {COPY: one.files.text("/etc/cluster/cluster.conf"), FSTAB: fstab_line(one)}.get(
        step.stdin, step.stdin
    )
    if step.stdin == COPY:
        node.files.make_directories("/etc/cluster")
    output = node.execute(shlex.split(step.line), stdin.encode())
    if output.exit_code:
        raise AssertionError(
            f"{node.name}: {step.line} ends with {output.exit_code}: "
            f"{output.error_text}{output.text}"
        )


def fstab_line(node: FakeNode) -> str:
    """The article's line of fstab."""
    device = node.find_device(LV)
    content = device.read() if device is not None else None
    return f"UUID={content.uuid} /opt gfs2 defaults 0 0\n" if isinstance(content, Gfs2) else ""
