"""What cman_tool, clustat, fence_tool, group_tool and ccs_tool say, as values.

The names are those the tools print, in cluster 2 (RHEL 5) and 3.0 to 3.2 (Fedora 14, RHEL 6). The
functions that read them are in `clusternas.cman.decode`.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping

import attrs

__all__ = [
    "ClusterNodeState",
    "ClusterState",
    "CmanNode",
    "CmanStatus",
    "CmanVersion",
    "ConfiguredFence",
    "ConfiguredNode",
    "FenceDomain",
    "FenceDomainNode",
    "Group",
    "Membership",
    "ServiceGroup",
]


class Membership(enum.StrEnum):
    """The `Sts` of a node."""

    MEMBER = "M"
    DEAD = "X"
    DISALLOWED = "d"
    UNKNOWN = "?"


@attrs.frozen(kw_only=True)
class CmanStatus:
    """`cman_tool status`.

    Attributes:
        version: of cman itself, like `6.2.0`.
        config_version: of the configuration that runs, not of the file.
        cluster_name, cluster_id: the id is a hash of the name; two clusters of one id collide.
        membership_state: `Cluster-Member`, `Joining`, `Leaving`, `Not-in-Cluster`.
        nodes: members now.
        expected_votes, total_votes, quorum: in votes.
        quorate: False where it says `Activity blocked`.
        flags: `2node`, `HaveState`, `Dirty` (RHEL 5), `DisallowedNodes`, `Shutdown`, `Error`, …
        ports: that subsystems have bound: 11 is clvmd, 177 rgmanager.
        node_name, node_id: this node.
        disallowed: nodes that came back without having been fenced.
        extra: all else, by the name it is printed with.
    """

    version: str
    config_version: int
    cluster_name: str
    cluster_id: int
    membership_state: str = ""
    nodes: int = 0
    expected_votes: int = 0
    total_votes: int = 0
    quorum: int = 0
    quorate: bool = False
    flags: frozenset[str] = frozenset()
    ports: tuple[int, ...] = ()
    node_name: str = ""
    node_id: int = 0
    multicast_addresses: tuple[str, ...] = ()
    node_addresses: tuple[str, ...] = ()
    disallowed: tuple[str, ...] = ()
    extra: Mapping[str, str] = attrs.field(factory=dict)

    @property
    def two_node(self) -> bool:
        """Whether one vote of two is a quorum."""
        return "2node" in self.flags


@attrs.frozen(kw_only=True)
class CmanNode:
    """A row of `cman_tool nodes`.

    Attributes:
        id, name: of the node.
        membership: whether it is in the cluster.
        votes, expected_votes: None where the table does not show them.
        state: `Member`, `Dead`, `Joining`, …; empty where the table does not show it.
        addresses: empty where they are not known.
        joined: local time, empty if it is not a member or not shown.
    """

    id: int
    name: str
    membership: Membership
    votes: int | None = None
    expected_votes: int | None = None
    state: str = ""
    addresses: tuple[str, ...] = ()
    joined: str = ""


@attrs.frozen(kw_only=True)
class CmanVersion:
    """`cman_tool version`: of the program, and of the configuration that runs."""

    version: str
    config_version: int


@attrs.frozen(kw_only=True)
class ClusterNodeState:
    """A node as rgmanager sees it.

    Attributes:
        name, id: of the node; a quorum disk has the id 0.
        online, local: in the cluster; the node that was asked.
        estranged: in the cluster but not in its cluster.conf.
        rgmanager: whether services can run there.
        quorum_disk: it is no node but a quorum disk.
    """

    name: str
    id: int
    online: bool
    local: bool = False
    estranged: bool = False
    rgmanager: bool = False
    quorum_disk: bool = False


@attrs.frozen(kw_only=True)
class ServiceGroup:
    """A service of rgmanager.

    Attributes:
        name: with its kind, `service:samba`.
        state: `started`, `stopped`, `failed`, `disabled`, `recovering`, …
        owner, last_owner: nodes, `none` where there is none.
        flags: `frozen`, `partial`; empty for none.
        restarts: how often it was restarted.
    """

    name: str
    state: str
    owner: str = ""
    last_owner: str = ""
    flags: str = ""
    restarts: int = 0


@attrs.frozen(kw_only=True)
class ClusterState:
    """`clustat -x`. The text form cuts names to the width of a terminal and is never read."""

    name: str
    id: int
    quorate: bool
    nodes: Mapping[str, ClusterNodeState] = attrs.field(factory=dict)
    services: Mapping[str, ServiceGroup] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class FenceDomainNode:
    """A node of `fence_tool ls -n`."""

    id: int
    member: bool
    victim: bool
    last_master: int = 0
    how: str = ""


@attrs.frozen(kw_only=True)
class FenceDomain:
    """`fence_tool ls`.

    Attributes:
        members: node ids.
        victims: how many nodes wait to be fenced.
        victim_now: the node id being fenced now, 0 for none.
        master: the node id that does it.
        wait_state: `none`, or what everything waits for: `quorum`, `messages`, `fencing`.
        nodes: all known, with `-n`.
    """

    members: tuple[int, ...] = ()
    victims: int = 0
    victim_now: int = 0
    master: int = 0
    wait_state: str = ""
    nodes: Mapping[int, FenceDomainNode] = attrs.field(factory=dict)

    @property
    def is_waiting(self) -> bool:
        """Whether clvmd, DLM and GFS2 hang until a node is fenced or quorum is back."""
        return self.victims > 0 or self.wait_state not in ("none", "")


@attrs.frozen(kw_only=True)
class Group:
    """A line of `group_tool ls` (RHEL 5), or a block of it (3.x).

    Attributes:
        kind: `fence`, `dlm`, `gfs`.
        name: of the domain, lockspace or mount.
        members: node ids.
        state: what it waits for; `none` or empty when all is well.
    """

    kind: str
    name: str
    members: tuple[int, ...] = ()
    state: str = ""

    @property
    def is_waiting(self) -> bool:
        """Whether its users hang."""
        return self.state not in ("none", "")


@attrs.frozen(kw_only=True)
class ConfiguredNode:
    """A row of `ccs_tool lsnode`."""

    name: str
    votes: int
    id: int
    fence: str = ""


@attrs.frozen(kw_only=True)
class ConfiguredFence:
    """A row of `ccs_tool lsfence`."""

    name: str
    agent: str
