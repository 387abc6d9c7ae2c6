"""What corosync's tools and dlm_tool say, as values.

corosync 2 and 3, dlm 4. The functions that read them are in `clusternas.corosync.decode`.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

__all__ = [
    "ConfigCheck",
    "DlmFencing",
    "DlmNode",
    "DlmSetting",
    "DlmStatus",
    "Link",
    "Links",
    "Lockspace",
    "Peer",
    "PeerLink",
    "QuorumMember",
    "QuorumStatus",
]


@attrs.frozen(kw_only=True)
class QuorumMember:
    """A row of the membership table.

    Attributes:
        id: node id; 0 is the quorum device.
        name: as the node list has it, or its address.
        votes: None where no votequorum runs.
        local: the node that was asked.
        qdevice: what it thinks of the quorum device: `A,V,NMW`, `NR`; empty where there is none.
    """

    id: int
    name: str
    votes: int | None = None
    local: bool = False
    qdevice: str = ""


@attrs.frozen(kw_only=True)
class QuorumStatus:
    """`corosync-quorumtool -s`.

    Attributes:
        provider: `corosync_votequorum`, or `Not configured`.
        nodes: members now.
        node_id: of the node that was asked.
        ring_id: `1.e` in 3.x, `1/8272` in 2.x.
        quorate: whether anything may be done.
        expected_votes, highest_expected, total_votes, quorum: in votes.
        flags: `2Node`, `Quorate`, `WaitForAll`, `LastManStanding`, `AutoTieBreaker`, `Qdevice`, …
        members: by node id.
        extra: all else, by the name it is printed with.
    """

    provider: str
    nodes: int
    node_id: int
    ring_id: str = ""
    quorate: bool = False
    expected_votes: int = 0
    highest_expected: int = 0
    total_votes: int = 0
    quorum: int = 0
    flags: frozenset[str] = frozenset()
    members: Mapping[int, QuorumMember] = attrs.field(factory=dict)
    extra: Mapping[str, str] = attrs.field(factory=dict)

    @property
    def missing_votes(self) -> int:
        """Votes of nodes that are expected and not there."""
        return max(self.expected_votes - self.total_votes, 0)


@attrs.frozen(kw_only=True)
class Link:
    """A link (3.x) or ring (2.x) of the node that was asked.

    Attributes:
        id: its number.
        transport: `udp`, `sctp`; empty in 2.x.
        address: of this node on it.
        nodes: per node id `localhost`, `connected` or `disconnected`; empty in 2.x.
        detail: what the tool says in words: `ring 0 active with no faults`.
    """

    id: int
    address: str
    transport: str = ""
    nodes: Mapping[int, str] = attrs.field(factory=dict)
    detail: str = ""

    @property
    def is_faulty(self) -> bool:
        """Whether a node cannot be reached over it."""
        return "disconnected" in self.nodes.values() or "FAULTY" in self.detail


@attrs.frozen(kw_only=True)
class Links:
    """`corosync-cfgtool -s`.

    Attributes:
        node_id: of the node that was asked.
        transport: `knet`, `udpu`, `udp`; empty in 2.x.
        links: by number.
    """

    node_id: int
    transport: str = ""
    links: Mapping[int, Link] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class PeerLink:
    """A link to a peer.

    Attributes:
        id, transport: of the link.
        local, remote: addresses.
        enabled, connected: whether it is meant to work, and does.
        mtu: bytes, 0 where it is not known.
    """

    id: int
    transport: str
    local: str
    remote: str
    enabled: bool
    connected: bool
    mtu: int = 0


@attrs.frozen(kw_only=True)
class Peer:
    """A node of `corosync-cfgtool -n`: only those that were ever seen are in it."""

    id: int
    reachable: bool
    links: tuple[PeerLink, ...] = ()


@attrs.frozen(kw_only=True)
class ConfigCheck:
    """`corosync -t`.

    Attributes:
        ok: corosync would start with this file on this host.
        message: why not. It goes where the file's own `logging` says, so it may be empty.
    """

    ok: bool
    message: str = ""


@attrs.frozen(kw_only=True)
class Lockspace:
    """A lockspace of `dlm_tool ls`.

    Attributes:
        name: of the file system, or `lvm_global`, `lvm_<vg>`, `clvmd`.
        id: a hash of the name.
        flags: words like `kern_stop`, `fs_reg`.
        members: node ids.
        change: the last change of members: `member 2 joined 1 remove 0 failed 0 seq 1,1`.
        waiting: what its users wait for: `wait fencing`, `wait messages`; empty when all is well.
        new_members: who will be in it when the wait is over.
    """

    name: str
    id: int
    flags: frozenset[str] = frozenset()
    members: tuple[int, ...] = ()
    change: str = ""
    waiting: str = ""
    new_members: tuple[int, ...] = ()

    @property
    def is_blocked(self) -> bool:
        """Whether everything that takes a lock in it hangs."""
        return bool(self.waiting) or "kern_stop" in self.flags

    @property
    def waits_for_fencing(self) -> bool:
        """Whether a node has to be fenced first: the usual reason why GFS2 hangs."""
        return "fencing" in self.waiting


@attrs.frozen(kw_only=True)
class DlmNode:
    """A node as dlm_controld knows it. Times are seconds of its own clock, 0 for never.

    Attributes:
        id: node id.
        member: whether it is in the cluster.
        added, removed, failed, fenced: when.
        fenced_by: the node that did it, 0 for none.
        fenced_at: seconds since 1970, 0 for never.
    """

    id: int
    member: bool
    added: int = 0
    removed: int = 0
    failed: int = 0
    fenced: int = 0
    fenced_by: int = 0
    fenced_at: int = 0


@attrs.frozen(kw_only=True)
class DlmFencing:
    """A node being fenced: `fence 2 nodedown pid 17652 actor 1 …`.

    Attributes:
        node: who.
        reason: `nodedown`, `startup`, …
        actor: the node that does it.
        pid: of the agent, 0 while none runs here.
    """

    node: int
    reason: str
    actor: int = 0
    pid: int = 0


@attrs.frozen(kw_only=True)
class DlmStatus:
    """`dlm_tool status`.

    Attributes:
        running: False where dlm_controld does not run; the tool exits 0 all the same.
        node_id: of the node that was asked.
        quorate: as corosync told it.
        fencing: nodes being fenced.
        nodes: by node id.
    """

    running: bool
    node_id: int = 0
    quorate: bool = False
    fencing: tuple[DlmFencing, ...] = ()
    nodes: Mapping[int, DlmNode] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class DlmSetting:
    """A setting that runs; `source` is `dlm.conf`, `cli option`, or empty for built in."""

    value: str
    source: str = ""
