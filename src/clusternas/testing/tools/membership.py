"""Who is a member with whom: what cman and corosync have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from clusternas.testing.cluster import FakeCluster
    from clusternas.testing.node import FakeNode

__all__ = [
    "ClusterConfig",
    "ConfiguredNode",
    "Member",
    "join",
    "leave",
    "members",
    "quorate",
    "quorum",
    "react",
    "votes",
]


@attrs.frozen
class ConfiguredNode:
    """A node as the configuration names it; `agents` fence it, in order."""

    name: str
    id: int
    votes: int = 1
    address: str = ""
    agents: tuple[str, ...] = ()


@attrs.frozen
class ClusterConfig:
    """cluster.conf or corosync.conf, as far as membership goes; nodes by host name."""

    name: str
    nodes: Mapping[str, ConfiguredNode]
    two_node: bool = False
    expected_votes: int = 0
    wait_for_all: bool = False
    version: int = 0
    transport: str = "knet"

    @property
    def expected(self) -> int:
        """Expected votes: as given, or the sum of the nodes'."""
        return self.expected_votes or sum(node.votes for node in self.nodes.values())


class Member:
    """What one node's membership daemon knows.

    Attributes:
        config: what it was started with, or None while it does not run.
        known: names of the members it sees.
        waiting: it must see all nodes once before it is quorate.
        victims: nodes that vanished and have to be fenced.
        fenced: nodes that were, and when.
    """

    def __init__(self) -> None:
        self.config: ClusterConfig | None = None
        self.known: frozenset[str] = frozenset()
        self.waiting = False
        self.victims: set[str] = set()
        self.fenced: dict[str, float] = {}
        self.joined_at: dict[str, float] = {}
        self.lost_at: dict[str, float] = {}


def join(node: FakeNode, config: ClusterConfig) -> None:
    """Start the membership daemon."""
    member = node.of(Member)
    member.config = config
    member.waiting = config.wait_for_all
    react(node.cluster)


def leave(node: FakeNode) -> None:
    """Stop it in good order: nobody has to fence this node."""
    for other in members(node):
        other.of(Member).known -= {node.name}
    node.of(Member).__init__()  # type: ignore[misc]
    react(node.cluster)


def members(node: FakeNode) -> list[FakeNode]:
    """The nodes that this one sees as members, itself included."""
    known = node.of(Member).known
    return [other for name, other in node.cluster.nodes.items() if name in known]


def votes(node: FakeNode) -> int:
    """Votes of the members it sees."""
    config = node.of(Member).config
    return 0 if config is None else sum(config.nodes[other.name].votes for other in members(node))


def quorum(config: ClusterConfig) -> int:
    """Votes that are needed."""
    return 1 if config.two_node else config.expected // 2 + 1


def quorate(node: FakeNode) -> bool:
    """Whether this node may act."""
    member = node.of(Member)
    return member.config is not None and not member.waiting and votes(node) >= quorum(member.config)


def react(cluster: FakeCluster) -> None:
    """Let every node notice who came and who went."""
    running = [
        (node, config) for node in cluster.alive() if (config := node.of(Member).config) is not None
    ]
    for node, config in running:
        member = node.of(Member)
        now = frozenset(
            other.name
            for other, theirs in running
            if theirs.name == config.name
            and other.name in config.nodes
            and cluster.linked(node, other, "cluster")
        )
        for name in now - member.known:
            member.joined_at[name] = cluster.now
            member.victims.discard(name)
        for name in member.known - now:
            member.lost_at[name] = cluster.now
            member.victims.add(name)
        member.known = now
        member.waiting = member.waiting and len(now) < len(config.nodes)
