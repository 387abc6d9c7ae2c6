"""What the DRBD tools print of the state: /proc/drbd, drbd-overview, status, events2."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from clusternas.testing.tools.drbd.state import (
    Drbd,
    Replica,
    Resource,
    other_node,
    rate_of,
    replicas,
)

if TYPE_CHECKING:
    from clusternas.testing.node import FakeNode

__all__ = [
    "cstate",
    "dstate",
    "events",
    "generation_ids",
    "overview",
    "proc_drbd",
    "role",
    "status",
    "status_json",
]

HEADERS = {
    "8.3": "version: {} (api:88/proto:86-97)\nsrcversion: A7E4F5A1D1F1D9C3B5E6A70 \n",
    "8.4": "version: {} (api:1/proto:86-101)\nsrcversion: F73C670A7EC572DB9CF3E5B \n",
    "9": "version: {} (api:2/proto:86-121)\nTransports (api:18): tcp (9.1.19)\n",
}
CONNECTIONS = {"WFConnection": "Connecting", "Connected": "Connected", "StandAlone": "StandAlone"}


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


def generation_ids(replica: Replica) -> str:
    """The generation identifiers and flags, as `get-gi` prints them."""
    ids = [*replica.meta.generation.ids[:4], 0, 0, 0, 0]
    current = ids[0] or 4
    flags = (
        replica.meta.consistent,
        replica.meta.consistent and not replica.meta.outdated,
        replica.resource.role == "Primary",
        replica.resource.connection == "Connected",
        False,
        replica.volume.peer_disk in ("Outdated", "Inconsistent") or not replica.meta.generation.ids,
        False,
    )
    words = [f"{number:016X}" for number in (current, 0, ids[1], ids[2])]
    return ":".join([*words, *(str(int(flag)) for flag in flags)])


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
    return (
        f"\t[{'=' * ticks}>{'.' * (20 - ticks)}] sync'ed:{done:5.1f}% ({left}/{volume.total})K\n"
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


# Status of 8.4 with newer tools, and of 9


def status(
    node: FakeNode, names: list[str], *, verbose: bool = False, statistics: bool = False
) -> str:
    """`drbdadm status` and `drbdsetup status`; one paragraph per resource."""
    found = node.of(Drbd).resources
    blocks = [paragraph(node, found[name], verbose, statistics) for name in names]
    return "".join(f"{block}\n" for block in blocks)


def paragraph(node: FakeNode, resource: Resource, verbose: bool, statistics: bool) -> str:
    """One resource."""
    volumes = [Replica(node, resource, volume) for volume in resource.volumes.values()]
    rows = [
        f"{resource.config.name} role:{resource.role}"
        + (f" suspended:{suspended(resource)}" if verbose else "")
    ]
    rows += ["    write-ordering:flush"] if statistics else []
    for replica in volumes:
        rows += wrap("  ", device_words(replica, verbose))
        rows += wrap("      ", pairs(device_statistics(replica)), hang=0) if statistics else []
    if resource.connection != "StandAlone":
        rows += connection_rows(node, resource, volumes, verbose, statistics)
    return "\n".join(rows) + "\n"


def suspended(resource: Resource) -> str:
    """Why I/O waits."""
    return "fencing" if resource.suspended else "no"


def pairs(counts: dict[str, object]) -> list[str]:
    """Counters as words."""
    return [f"{key}:{value}" for key, value in counts.items()]


def wrap(indent: str, words: list[str], *, hang: int = 4) -> list[str]:
    """Lines of less than 80 characters, as drbdsetup breaks them; later ones hang."""
    rows, row = [], indent + words[0]
    for word in words[1:]:
        if len(row) + 1 + len(word) >= 80:
            rows.append(row)
            row = f"{indent}{' ' * hang}{word}"
        else:
            row += f" {word}"
    return [*rows, row]


def device_words(replica: Replica, verbose: bool) -> list[str]:
    """The volume's own line."""
    volume = replica.volume
    many = verbose or len(replica.resource.volumes) > 1
    words = [f"volume:{volume.config.number}"] if many else []
    words += [f"minor:{volume.config.minor}"] if verbose else []
    return [*words, f"disk:{volume.disk}"]


def device_statistics(replica: Replica) -> dict[str, object]:
    """Counters of a device, by the names of `--statistics`."""
    volume = replica.volume
    written = volume.written + volume.received
    counts = {
        "size": replica.size,
        "read": volume.sent,
        "written": written,
        "al-writes": 8,
        "bm-writes": 0,
    }
    return {**counts, "upper-pending": 0, "lower-pending": 0, "al-suspended": "no", "blocked": "no"}


def connection_rows(
    node: FakeNode, resource: Resource, volumes: list[Replica], verbose: bool, statistics: bool
) -> list[str]:
    """The peer and its volumes."""
    connected = resource.connection == "Connected"
    other = other_node(node, resource.config)
    name = "peer" if family(node) != "9" or other is None else other.name
    if not connected and not verbose:
        return [f"  {name} connection:{CONNECTIONS[resource.connection]}"]
    words = [name]
    words += [f"connection:{CONNECTIONS[resource.connection]}"] if verbose else []
    words += [f"role:{peer_role(volumes)}"] + (["congested:no"] if verbose else [])
    rows = wrap("  ", words)
    for replica in volumes:
        rows += wrap("    ", peer_words(replica, verbose))
        rows += wrap("        ", pairs(peer_statistics(replica)), hang=0) if statistics else []
    return rows


def peer_role(volumes: list[Replica]) -> str:
    """The peer's role as this node knows it."""
    peer = volumes[0].partner() if volumes else None
    return peer.resource.role if peer is not None else "Unknown"


def replication(replica: Replica) -> str:
    """The replication state of a volume in the words of 9."""
    return replica.volume.sync or (
        "Established" if replica.resource.connection == "Connected" else "Off"
    )


def peer_words(replica: Replica, verbose: bool) -> list[str]:
    """The peer's volume."""
    many = verbose or len(replica.resource.volumes) > 1
    words = [f"volume:{replica.volume.config.number}"] if many else []
    words += [
        f"replication:{replication(replica)}",
        f"peer-disk:{dstate(replica).partition('/')[2]}",
    ]
    words += [f"done:{percent(replica):.2f}"] if replica.volume.sync else []
    words += [f"resync-suspended:{'user' if replica.volume.paused else 'no'}"] if verbose else []
    return words


def peer_statistics(replica: Replica) -> dict[str, object]:
    """Counters of a connection's volume."""
    counts = {"received": replica.volume.received, "sent": replica.volume.sent}
    return {**counts, "out-of-sync": out_of_sync(replica), "pending": 0, "unacked": 0}


def events(node: FakeNode, *, statistics: bool = False) -> str:
    """`drbdsetup events2 --now`."""
    return "".join(f"exists {row}\n" for row in [*event_rows(node, statistics), "-"])


def event_rows(node: FakeNode, statistics: bool) -> Iterator[str]:
    """One row per object."""
    for name, resource in node.of(Drbd).resources.items():
        volumes = [Replica(node, resource, volume) for volume in resource.volumes.values()]
        order = " write-ordering:flush" if statistics else ""
        yield f"resource name:{name} role:{resource.role} suspended:{suspended(resource)}{order}"
        peer = f"name:{name} peer-node-id:0"
        peer += " conn-name:peer" if resource.connection != "StandAlone" else ""
        flow = " congested:no" if statistics else ""
        state = CONNECTIONS[resource.connection]
        yield f"connection {peer} connection:{state} role:{peer_role(volumes)}{flow}"
        for replica in volumes:
            more = pairs(device_statistics(replica)) if statistics else []
            yield f"device name:{name} " + " ".join([*device_words(replica, True), *more])
        for replica in volumes:
            more = pairs(peer_statistics(replica)) if statistics else []
            words = [word for word in peer_words(replica, True) if not word.startswith("done:")]
            yield f"peer-device {peer} " + " ".join([*words, *more])


def status_json(node: FakeNode) -> str:
    """`drbdsetup status --json` of 9."""
    return (
        json.dumps(
            [json_resource(node, resource) for resource in node.of(Drbd).resources.values()],
            indent=2,
        )
        + "\n"
    )


def json_resource(node: FakeNode, resource: Resource) -> dict[str, object]:
    """One resource of it."""
    volumes = [Replica(node, resource, volume) for volume in resource.volumes.values()]
    return {
        "name": resource.config.name,
        "node-id": node.number - 1,
        "role": resource.role,
        "suspended": resource.suspended,
        "write-ordering": "flush",
        "devices": [
            {
                "volume": replica.volume.config.number,
                "minor": replica.volume.config.minor,
                "disk-state": replica.volume.disk,
                "client": False,
                "quorum": True,
                **{
                    key: value
                    for key, value in device_statistics(replica).items()
                    if isinstance(value, int)
                },
            }
            for replica in volumes
        ],
        "connections": [json_connection(node, resource, volumes)],
    }


def json_connection(
    node: FakeNode, resource: Resource, volumes: list[Replica]
) -> dict[str, object]:
    """The connection to the peer."""
    other = other_node(node, resource.config)
    return {
        "peer-node-id": 0 if other is None else other.number - 1,
        "name": "" if other is None else other.name,
        "connection-state": CONNECTIONS[resource.connection],
        "congested": False,
        "peer-role": peer_role(volumes),
        "ap-in-flight": 0,
        "rs-in-flight": 0,
        "peer_devices": [
            {
                "volume": replica.volume.config.number,
                "replication-state": replication(replica),
                "peer-disk-state": dstate(replica).partition("/")[2],
                "peer-client": False,
                "resync-suspended": "user" if replica.volume.paused else "no",
                **peer_statistics(replica),
                "percent-in-sync": 100 * (1 - out_of_sync(replica) / replica.size),
            }
            for replica in volumes
        ],
    }
