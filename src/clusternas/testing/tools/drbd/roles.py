"""drbdadm on roles and data: promoting, demoting, and saying whose data are good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusternas.testing.shell import Answer
from clusternas.testing.tools.drbd import show
from clusternas.testing.tools.drbd.pairing import go_on_alone, start_sync
from clusternas.testing.tools.drbd.request import Request
from clusternas.testing.tools.drbd.state import Replica, peer_of

if TYPE_CHECKING:
    from clusternas.testing.node import FakeNode

__all__ = [
    "invalidate",
    "invalidate_remote",
    "new_current_uuid",
    "outdate",
    "pause",
    "primary",
    "secondary",
    "suspend_io",
]


def primary(request: Request) -> Answer:
    """Promote; `--force` (8.3: `--overwrite-data-of-peer`) makes this node's data the good ones."""
    resource = request.resource
    peer = peer_of(request.node, resource) if resource.connection == "Connected" else None
    if peer is not None and peer[1].role == "Primary" and not resource.dual:
        raise request.refusal(
            11, "State change failed: (-1) Multiple primaries not allowed by config"
        )
    force = request.has("force", "overwrite-data-of-peer")
    for replica in request.replicas:
        if replica.truth() is None or replica.volume.disk == "Outdated":
            if not (force and replica.attached):
                raise request.refusal(17, f"State change failed: (-2) {no_data(request.node)}")
            declare_good(replica)
    resource.role = "Primary"
    for replica in request.replicas:
        if replica.attached:
            replica.meta.primary = True
    return ""


def no_data(node: FakeNode) -> str:
    """The module's words for a node without good data."""
    old = "Refusing to be Primary without at least one UpToDate disk"
    return old if show.family(node) == "8.3" else "Need access to UpToDate data"


def declare_good(replica: Replica) -> None:
    """Take this replica's data for good; a connected peer gets them all."""
    replica.meta.generation = replica.meta.generation.next(replica.node.cluster.number())
    replica.set_disk("UpToDate")
    replica.volume.changed = True
    peer = replica.partner()
    if peer is not None and peer.attached:
        start_sync(replica, peer, full=True)


def secondary(request: Request) -> Answer:
    """Demote, unless somebody holds the device open."""
    for replica in request.replicas:
        if request.node.claims.get(replica.volume.config.device):
            raise request.refusal(11, "State change failed: (-12) Device is held open by someone")
    request.resource.role = "Secondary"
    for replica in request.replicas:
        if replica.attached:
            replica.meta.primary = False
    return ""


def new_current_uuid(request: Request) -> Answer:
    """With `--clear-bitmap` on a fresh connected pair: both count as equal, nothing is copied."""
    for replica in request.replicas:
        peer = replica.partner()
        if peer is None or not request.has("clear-bitmap") or not (fresh(replica) and fresh(peer)):
            raise request.refusal(17, "Failure: (139) Need to be connected, and both disks fresh")
        generation = replica.meta.generation.next(request.node.cluster.number())
        for one in (replica, peer):
            one.meta.generation = generation
            one.set_disk("UpToDate")
        peer.store.content = replica.store.content
    return ""


def fresh(replica: Replica) -> bool:
    """Whether its meta data have just been made."""
    return replica.attached and not replica.meta.generation.ids


def invalidate(request: Request) -> Answer:
    """Throw the local data away and take the peer's."""
    for replica in request.replicas:
        peer = replica.partner()
        if peer is None or peer.volume.disk != "UpToDate" or not replica.attached:
            raise request.refusal(17, f"State change failed: (-2) {no_data(request.node)}")
        start_sync(peer, replica, full=True)
    return ""


def invalidate_remote(request: Request) -> Answer:
    """Make the peer take the local data."""
    for replica in request.replicas:
        peer = replica.partner()
        if peer is None or replica.volume.disk != "UpToDate" or not peer.attached:
            raise request.refusal(
                17, "State change failed: (-15) Need a connection for a graceful change"
            )
        start_sync(replica, peer, full=True)
    return ""


def outdate(request: Request) -> Answer:
    """Mark the local data as outdated."""
    if request.resource.role == "Primary":
        raise request.refusal(
            17, "State change failed: (-7) Refusing to be Primary while peer is not outdated"
        )
    for replica in request.replicas:
        if replica.volume.disk == "UpToDate":
            replica.set_disk("Outdated")
    return ""


def pause(request: Request) -> Answer:
    """Stop or resume copying."""
    for replica in request.replicas:
        replica.volume.paused = request.command == "pause-sync"
    return ""


def suspend_io(request: Request) -> Answer:
    """Let writes wait, or go on."""
    request.resource.suspended = request.command == "suspend-io"
    go_on_alone(request.node, request.resource)
    return ""
