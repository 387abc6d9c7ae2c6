"""CTDB's daemon: its nodes, what is wrong with each, public addresses, and the smbd it starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from clusternas.testing.shell import Daemon, Exit, has
from clusternas.testing.tools import samba

if TYPE_CHECKING:
    from clusternas.testing.cluster import FakeCluster
    from clusternas.testing.node import FakeNode

__all__ = [
    "ADDRESSES",
    "DAEMONS",
    "ENABLED",
    "NODES",
    "Ctdb",
    "Peer",
    "addresses",
    "flags",
    "own",
    "peers",
    "react",
    "reload_nodes",
    "script_enabled",
    "stop",
]

NODES = "/etc/ctdb/nodes"
ADDRESSES = "/etc/ctdb/public_addresses"
ALWAYS = ("00.ctdb", "01.reclock", "05.system")
ENABLED = "/etc/ctdb/events/legacy"
NOT_RUNNING = """connect() failed, errno=2
Failed to connect to CTDB daemon (/run/ctdb/ctdbd.socket)
"""


class Ctdb:
    """What one node's ctdbd knows of itself; `nodes` is the nodes file as it has read it."""

    def __init__(self) -> None:
        self.started = 0.0
        self.flags: set[str] = set()
        self.tunables: dict[str, int] = {}
        self.nodes: tuple[str, ...] = ()


@attrs.frozen
class Peer:
    """A line of the nodes file; `node` is None for an address of no machine."""

    number: int
    address: str
    node: FakeNode | None


def peers(node: FakeNode) -> list[Peer]:
    """The nodes file; a line that is commented out still has a number."""
    by_address = {other.address: other for other in node.cluster.nodes.values()}
    lines = node.of(Ctdb).nodes if "ctdb" in node.running else in_file(node)
    return [
        Peer(i, line, by_address.get(line))
        for i, line in enumerate(lines)
        if not line.startswith("#")
    ]


def in_file(node: FakeNode) -> tuple[str, ...]:
    """The lines of the nodes file, also those that are commented out."""
    lines = (line.strip() for line in node.files.text(NODES).splitlines())
    return tuple(line for line in lines if line)


def reload_nodes(node: FakeNode) -> None:
    """`ctdb reloadnodes`: all daemons read the file, which must be the same everywhere.

    A line may be added or commented out; one that is missing would give others its number.
    """
    lines = in_file(node)
    known = node.of(Ctdb).nodes
    if len(lines) < len(known):
        raise Exit(1, f"ERROR: Node {len(lines)} ({known[len(lines)]}) missing from nodes file")
    for number, (old, new) in enumerate(zip(known, lines, strict=False)):
        if old.lstrip("#") != new.lstrip("#"):
            raise Exit(1, f"ERROR: Node {number} has changed IP address (was {old}, now {new})")
    running = [peer.node for peer in peers(node) if connected(node, peer)]
    for other in running:
        if other is not None and in_file(other) != lines:
            raise Exit(1, f"ERROR: Nodes file on node {own(other).number} differs")
    for other in running:
        if other is not None:
            other.of(Ctdb).nodes = lines


def own(node: FakeNode) -> Peer:
    """This node's own line."""
    found = next((peer for peer in peers(node) if peer.node is node), None)
    if found is None:
        raise Exit(
            1,
            f'{NOT_RUNNING}Failed to read nodes file "{NODES}"\nIs this node part of CTDB cluster?',
        )
    return found


def connected(node: FakeNode, peer: Peer) -> bool:
    """Whether a peer's daemon can be talked to."""
    other = peer.node
    return (
        other is not None
        and other.up
        and "ctdb" in other.running
        and node.cluster.linked(node, other, "cluster")
    )


def flags(node: FakeNode, peer: Peer) -> set[str]:
    """What is wrong with a peer, as this node sees it."""
    if peer.node is None or not connected(node, peer):
        return {"Disconnected", "Unhealthy", "Inactive"}
    return set(peer.node.of(Ctdb).flags)


def healthy(node: FakeNode) -> list[Peer]:
    """The peers with nothing wrong."""
    return [peer for peer in peers(node) if not flags(node, peer)]


def react(cluster: FakeCluster) -> None:
    """Let every daemon look after its node: the recovery lock must be reachable, smbd must run."""
    for node in cluster.alive():
        if "ctdb" not in node.running:
            continue
        state = node.of(Ctdb)
        state.flags.discard("Unhealthy")
        if not lock_reachable(node):
            state.flags.add("Unhealthy")
        if script_enabled(node, "50.samba") and "smbd" not in node.running:
            try:
                samba.start(node)
                node.running.add("smbd")
            except Exit:
                state.flags.add("Unhealthy")


def lock_reachable(node: FakeNode) -> bool:
    """Whether the directory of the recovery lock exists."""
    for line in node.files.text("/etc/ctdb/ctdb.conf").splitlines():
        name, _, value = line.partition("=")
        if name.strip() in ("cluster lock", "recovery lock"):
            try:
                return node.files.is_dir(value.strip().rpartition("/")[0] or "/")
            except Exit:  # the file system below is broken
                return False
    return True


def script_enabled(node: FakeNode, name: str) -> bool:
    """Whether an event script is enabled."""
    return name in ALWAYS or node.files.get(f"{ENABLED}/{name}.script") is not None


def addresses(node: FakeNode) -> dict[str, int]:
    """Public addresses and the number of the node that has each; -1 for nobody."""
    lines = [line.split() for line in node.files.text(ADDRESSES).splitlines() if line.strip()]
    good = healthy(node)
    found = (words[0].partition("/")[0] for words in lines if not words[0].startswith("#"))
    return {
        address: good[(i + 1) % len(good)].number if good else -1 for i, address in enumerate(found)
    }


def start(node: FakeNode) -> None:
    """Start ctdbd: its own address must be in the nodes file."""
    if not any(peer.node is node for peer in peers(node)):
        raise Exit(1, "ctdbd: unable to find our own address in the nodes file")
    node.of(Ctdb).started = node.cluster.now
    node.of(Ctdb).nodes = in_file(node)


def stop(node: FakeNode) -> None:
    """Stop it, and the smbd it started."""
    if script_enabled(node, "50.samba") and "smbd" in node.running:
        samba.stop(node)
        node.running.discard("smbd")
    node.of(Ctdb).flags.clear()


DAEMONS = {"ctdb": Daemon(start, stop, chkconfig="- 90 01", installed=has("ctdb"))}
