"""What DRBD 8 prints of its state: /proc/drbd, drbd-overview, and the words of all versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusternas.testing.tools.drbd.state import (
    Replica,
    Resource,
    rate_of,
    replicas,
)

if TYPE_CHECKING:
    from clusternas.testing.node import FakeNode

__all__ = [
    "cstate",
    "dstate",
    "family",
    "out_of_sync",
    "overview",
    "percent",
    "proc_drbd",
    "role",
    "roles",
    "status_xml",
]

HEADERS = {
    "8.3": "version: {} (api:88/proto:86-97)\nsrcversion: A7E4F5A1D1F1D9C3B5E6A70 \n",
    "8.4": "version: {} (api:1/proto:86-101)\nsrcversion: F73C670A7EC572DB9CF3E5B \n",
    "9": "version: {} (api:2/proto:86-121)\nTransports (api:18): tcp (9.1.19)\n",
}


def family(node: FakeNode) -> str:
    """`8.3`, `8.4` or `9`."""
    toolset = node.cluster.toolset
    return (
        "9"
        if toolset.has("drbd", since="9")
        else "8.4"
        if toolset.has("drbd", since="8.4")
        else "8.3"
    )


# One word each


def cstate(replica: Replica) -> str:
    """The connection state, in the words of 8.x: a resync is one."""
    return replica.volume.sync or replica.resource.connection


def role(resource: Resource, peer: Replica | None) -> str:
    """Both roles, own first."""
    return f"{resource.role}/{peer.resource.role if peer is not None else 'Unknown'}"


def roles(replica: Replica) -> str:
    """`drbdadm role`: both roles, or with 9 only the own."""
    both = role(replica.resource, replica.partner())
    return both.partition("/")[0] if family(replica.node) == "9" else both


def dstate(replica: Replica) -> str:
    """Both disk states, own first."""
    peer = replica.partner()
    theirs = peer.volume.disk if peer is not None else replica.volume.peer_disk
    return f"{replica.volume.disk}/{theirs}"


def out_of_sync(replica: Replica) -> int:
    """KiB that the two do not share."""
    if replica.volume.sync:
        return round(replica.volume.left)
    if not replica.attached:
        return 0
    fresh = not replica.meta.generation.ids and replica.volume.disk == "Inconsistent"
    return replica.size if fresh else replica.meta.dirty


# 8.3 and 8.4


def proc_drbd(node: FakeNode) -> str:
    """/proc/drbd."""
    head = HEADERS[family(node)].format(node.cluster.toolset.drbd)
    if family(node) == "9":
        return head
    rows = [head]
    last = -1
    for replica in sorted(replicas(node), key=lambda replica: replica.volume.config.minor):
        minor = replica.volume.config.minor
        rows += ["\n"] if minor != last + 1 else []
        rows += [proc_minor(replica)]
        last = minor
    return "".join(rows)


def proc_minor(replica: Replica) -> str:
    """The lines of one minor."""
    volume, resource = replica.volume, replica.resource
    protocol = (
        resource.config.get("net", "protocol", "C") if resource.connection != "StandAlone" else " "
    )
    dashes = "-----" if family(replica.node) == "8.4" else "----"
    flags = ("s" if resource.suspended else "r") + dashes
    read = volume.sent
    return (
        f"{volume.config.minor:2d}: cs:{cstate(replica)} ro:{role(resource, replica.partner())} "
        f"ds:{dstate(replica)} {protocol} {flags}\n"
        f"    ns:{volume.sent} nr:{volume.received} dw:{volume.written + volume.received} "
        f"dr:{read} al:8 bm:0 "
        f"lo:0 pe:0 ua:0 ap:0 ep:1 wo:f oos:{out_of_sync(replica)}\n{progress_bar(replica)}"
    )


def percent(replica: Replica) -> float:
    """How much of a resync is done."""
    return 100 * (replica.volume.total - replica.volume.left) / max(replica.volume.total, 1)


def progress_bar(replica: Replica) -> str:
    """The two lines below a minor that syncs."""
    volume = replica.volume
    if not volume.sync:
        return ""
    done = percent(replica)
    ticks = int(done / 5)
    rate = round(rate_of(replica.node.cluster, replica.resource.config))
    left = round(volume.left)
    seconds = round(left / max(rate, 1))
    want = (
        f" want: {rate:,}" if volume.sync == "SyncTarget" and family(replica.node) == "8.4" else ""
    )
    bar = f"{'=' * (ticks - 1)}>{'.' * (20 - ticks)}"
    return (
        f"\t[{bar}] sync'ed:{done:5.1f}% ({left}/{volume.total})K\n"
        f"\tfinish: {seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d} "
        f"speed: {rate:,} ({rate:,}){want} K/sec\n"
    )


def overview(node: FakeNode) -> str:
    """drbd-overview of 8.3."""
    rows = []
    for replica in replicas(node):
        resource, volume = replica.resource, replica.volume
        protocol = (
            resource.config.get("net", "protocol", "C")
            if resource.connection != "StandAlone"
            else " "
        )
        rows.append(
            f"  {volume.config.minor}:{resource.config.name}  {cstate(replica)} "
            f"{role(resource, replica.partner())} "
            f"{dstate(replica)} {protocol} r---- {used_by(replica)}\n"
        )
        rows.append(progress_bar(replica).split("K\n")[0] + ("K\n" if volume.sync else ""))
    return "".join(rows)


def used_by(replica: Replica) -> str:
    """What drbd-overview adds of a mount directly on the device."""
    mounts = replica.node.mounts.values()
    found = [m for m in mounts if m.source == replica.volume.config.device]
    return "".join(f"{m.target} {m.type}" for m in found)


def status_xml(node: FakeNode) -> str:
    """`drbdadm status` of 8.3."""
    rows = [xml_row(replica) for replica in replicas(node)]
    release = node.cluster.toolset.drbd
    head = f'<drbd-status version="{release}" api="88">\n<resources config_file="/etc/drbd.conf">\n'
    return f"{head}{''.join(rows)}</resources>\n</drbd-status>\n"


def xml_row(replica: Replica) -> str:
    """One resource of it."""
    sides = role(replica.resource, replica.partner()).split("/")
    disks = dstate(replica).split("/")
    done = f' resynced_percent="{percent(replica):.1f}"' if replica.volume.sync else ""
    return (
        f'<resource minor="{replica.volume.config.minor}" name="{replica.resource.config.name}" '
        f'cs="{cstate(replica)}" ro1="{sides[0]}" ro2="{sides[1]}" ds1="{disks[0]}" '
        f'ds2="{disks[1]}"'
        f"{done}{' suspended' if replica.resource.suspended else ''} />\n"
    )
