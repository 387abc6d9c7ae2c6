"""Two DRBD nodes meeting, syncing, and losing each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusternas.testing.tools import fencing
from clusternas.testing.tools.drbd.show import family
from clusternas.testing.tools.drbd.state import (
    Drbd,
    Replica,
    Resource,
    other_node,
    peer_of,
    rate_of,
)

if TYPE_CHECKING:
    from clusternas.testing.cluster import FakeCluster
    from clusternas.testing.node import FakeNode

__all__ = ["abort_sync", "finish", "leave", "lose_peer", "react", "start_sync"]


def react(cluster: FakeCluster) -> None:
    """Let every resource notice its peer, its link and the time."""
    for node in cluster.alive():
        for resource in list(node.of(Drbd).resources.values()):
            other = peer_of(node, resource)
            linked = other is not None and cluster.linked(node, other[0], "replication")
            states = (resource.connection, other[1].connection if other is not None else "")
            if states[0] == "Connected" and (not linked or states[1] != "Connected"):
                lose_peer(node, resource)
            elif other is not None and linked and states == ("WFConnection", "WFConnection"):
                meet(node, resource, *other)
            for replica in pairs(node, resource):
                progress(replica[0])


def pairs(node: FakeNode, resource: Resource) -> list[tuple[Replica, Replica]]:
    """The volumes of a resource, each with the peer's."""
    mine = [Replica(node, resource, volume) for volume in resource.volumes.values()]
    return [(replica, other) for replica in mine if (other := replica.peer()) is not None]


# Meeting


def meet(node: FakeNode, resource: Resource, other: FakeNode, theirs: Resource) -> None:
    """The handshake: compare generations, resolve split brain as configured, start to sync."""
    both_primary = resource.role == theirs.role == "Primary"
    plan = [(one, two, source_of(one, two)) for one, two in pairs(node, resource)]
    if (both_primary and not (resource.dual and theirs.dual)) or any(
        who == "refuse" for *_, who in plan
    ):
        resource.connection = theirs.connection = "StandAlone"
        return
    resource.connection = theirs.connection = "Connected"
    resource.suspended = theirs.suspended = False
    for one, two, who in plan:
        one.volume.changed = two.volume.changed = False
        if who == "one":
            start_sync(one, two, split=is_split(one, two))
        elif who == "two":
            start_sync(two, one, split=is_split(one, two))
        else:
            settle_equal(one, two)
    resource.discard = theirs.discard = False
    promote_at_start(resource, theirs)
    promote_at_start(theirs, resource)


def promote_at_start(resource: Resource, other: Resource) -> None:
    """What the init script does once connected: `become-primary-on`."""
    sides = (resource, other)
    good = any(volume.disk == "UpToDate" for side in sides for volume in side.volumes.values())
    if resource.promote and good and (other.role == "Secondary" or resource.dual):
        resource.role = "Primary"
    resource.promote = False


def settle_equal(one: Replica, two: Replica) -> None:
    """Nothing to copy: an outdated or merely consistent replica is up to date again."""
    for replica in (one, two):
        if replica.volume.disk in ("Outdated", "Consistent"):
            replica.set_disk("UpToDate")
        if replica.attached:
            replica.meta.dirty = 0


def source_of(one: Replica, two: Replica) -> str:
    """Who has the data: `one`, `two`, `equal`, or `refuse`."""
    if not (one.attached and two.attached):
        return "equal"
    mine, theirs = one.meta.generation, two.meta.generation
    if mine.ids[:1] == theirs.ids[:1]:
        if one.meta.consistent == two.meta.consistent:
            return "equal"
        return "one" if one.meta.consistent else "two"
    if not theirs.ids or mine.follows(theirs):
        return "one"
    if not mine.ids or theirs.follows(mine):
        return "two"
    return survivor(one, two) if mine.related(theirs) else "refuse"


def is_split(one: Replica, two: Replica) -> bool:
    """Whether both have gone on without the other."""
    mine, theirs = one.meta.generation, two.meta.generation
    both = bool(mine.ids and theirs.ids) and mine.ids[0] != theirs.ids[0]
    return both and not mine.follows(theirs) and not theirs.follows(mine)


def survivor(one: Replica, two: Replica) -> str:
    """Who wins a split brain by the configured policies; `refuse` where a person must decide."""
    discards = (one.resource.discard, two.resource.discard)
    if discards in ((True, False), (False, True)):
        victim = one if discards[0] else two
        return "refuse" if victim.resource.role == "Primary" else "two" if discards[0] else "one"
    primaries = [replica for replica in (one, two) if replica.resource.role == "Primary"]
    policy = one.resource.config.get("net", f"after-sb-{len(primaries)}pri", "disconnect")
    if len(primaries) == 1 and policy == "discard-secondary":
        return "one" if primaries[0] is one else "two"
    if not primaries and policy == "discard-least-changes":
        return "one" if one.meta.dirty >= two.meta.dirty else "two"
    return "refuse"


# Syncing


def start_sync(
    source: Replica, target: Replica, *, full: bool = False, split: bool = False
) -> None:
    """Begin to copy from one replica to the other, everything or what differs."""
    full = full or not target.meta.generation.ids
    if (full or split) and target.store.content != source.store.content:
        cluster = target.node.cluster
        cluster.overwrite(target.node, target.volume.config.disk, target.store.content)
    amount = source.size if full else max(4, source.meta.dirty + target.meta.dirty)
    source.set_disk("UpToDate")
    target.set_disk("Inconsistent")
    for replica, part in ((source, "SyncSource"), (target, "SyncTarget")):
        volume = replica.volume
        volume.sync, volume.left, volume.total = part, amount, amount
        volume.begun = replica.node.cluster.now


def progress(replica: Replica) -> None:
    """Copy what the time since the last look allows; done from the source's side."""
    volume, other = replica.volume, replica.partner()
    if volume.sync != "SyncSource" or other is None:
        return
    now = replica.node.cluster.now
    copied = min(
        volume.left, rate_of(replica.node.cluster, replica.resource.config) * (now - volume.begun)
    )
    volume.begun = now
    if volume.paused or other.volume.paused:
        return
    volume.left -= copied
    other.volume.left = volume.left
    volume.sent += round(copied)
    other.volume.received += round(copied)
    if volume.left <= 0:
        finish(replica, other)


def abort_sync(replica: Replica) -> None:
    """A side of a resync goes away: what is left is marked, the target stays Inconsistent."""
    for side in (replica, replica.partner()):
        if side is not None and side.volume.sync:
            if side.attached:
                side.meta.dirty = max(side.meta.dirty, round(side.volume.left))
            side.volume.sync = ""


def finish(source: Replica, target: Replica) -> None:
    """Both replicas are the same from now on."""
    target.store.content, target.store.scribbled = source.store.content, False
    target.meta.generation = source.meta.generation
    target.set_disk("UpToDate")
    for replica in (source, target):
        replica.volume.sync, replica.volume.left, replica.volume.changed = "", 0, False
        replica.meta.dirty = 0


# Losing


def leave(node: FakeNode, resource: Resource) -> None:
    """Say goodbye: with fencing, a Secondary outdates itself, so a Primary need not fence it."""
    found = peer_of(node, resource)
    if found is None or resource.connection != "Connected" or resource.role == "Primary":
        return
    other, peer = found
    policy = resource.config.get("disk", "fencing", "dont-care")
    if policy == "dont-care" or peer.role != "Primary" or peer.connection != "Connected":
        return
    for volume in resource.volumes.values():
        replica = Replica(node, resource, volume)
        abort_sync(replica)
        if replica.attached and volume.disk == "UpToDate":
            replica.set_disk("Outdated")
    lose_peer(other, peer, outdated=True)


def lose_peer(node: FakeNode, resource: Resource, *, outdated: bool = False) -> None:
    """The connection is gone: wait for the peer; a Primary may have to fence it first."""
    resource.connection = "WFConnection"
    tell(node, resource)
    for volume in resource.volumes.values():
        replica = Replica(node, resource, volume)
        abort_sync(replica)
        volume.peer_disk = "Outdated" if outdated else "DUnknown"
    if resource.role == "Primary" and not outdated:
        fence_peer(node, resource)
    go_on_alone(node, resource)


def go_on_alone(node: FakeNode, resource: Resource) -> None:
    """A mounted file system never stops writing, unless its writes wait for a fenced peer."""
    if resource.role != "Primary" or resource.suspended or resource.connection == "Connected":
        return
    for volume in resource.volumes.values():
        if node.claims.get(volume.config.device) and volume.disk == "UpToDate":
            replica = Replica(node, resource, volume)
            replica.begin_generation()
            replica.meta.dirty += 4


def tell(node: FakeNode, resource: Resource) -> None:
    """What the kernel's log says of it."""
    name, lost = resource.config.name, "conn( Connected -> NetworkFailure )"
    if family(node) != "9":
        node.log(f"drbd {name}: peer( Primary -> Unknown ) {lost} pdsk( UpToDate -> DUnknown ) ")
        return
    other = other_node(node, resource.config)
    peer = other.name if other is not None else "peer"
    node.log(f"drbd {name} {peer}: {lost} peer( Primary -> Unknown )")
    for number, volume in resource.volumes.items():
        where = f"drbd {name}/{number} drbd{volume.config.minor} {peer}"
        node.log(f"{where}: pdsk( UpToDate -> DUnknown ) repl( Established -> Off )")


def fence_peer(node: FakeNode, resource: Resource) -> None:
    """Act on `fencing` and the `fence-peer` handler."""
    policy = resource.config.get("disk", "fencing", "dont-care")
    other = other_node(node, resource.config)
    if policy == "dont-care" or other is None:
        return
    handler = resource.config.get("handlers", "fence-peer")
    fenced = bool(handler) and fencing.run_handler(node, handler, other)
    for volume in resource.volumes.values():
        volume.peer_disk = "Outdated" if fenced else "DUnknown"
    resource.suspended = policy == "resource-and-stonith" and not fenced
