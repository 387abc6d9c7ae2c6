"""`drbdadm status` and drbdsetup's status, events2 and JSON, of 8.4 with newer tools and of 9."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from clusternas.testing.tools.drbd.show import dstate, family, out_of_sync, percent
from clusternas.testing.tools.drbd.state import Drbd, Replica, Resource, other_node

if TYPE_CHECKING:
    from clusternas.testing.node import FakeNode

__all__ = ["events", "status", "status_json"]

CONNECTIONS = {
    "WFConnection": "Connecting",
    "Connected": "Connected",
    "StandAlone": "StandAlone",
}


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
        + (f" suspended:{suspended(resource)}" if verbose or resource.suspended else "")
    ]
    rows += ["    write-ordering:flush"] if statistics else []
    for replica in volumes:
        held = ["blocked:upper"] if resource.suspended and not statistics else []
        rows += wrap("  ", [*device_words(replica, verbose), *held])
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
    blocked = "upper" if replica.resource.suspended else "no"
    pending = {"upper-pending": 0, "lower-pending": 0}
    return {**counts, **pending, "al-suspended": "no", "blocked": blocked}


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
