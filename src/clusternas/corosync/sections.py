"""The sections of corosync.conf, as corosync.conf(5) and votequorum(5) have them.

Types are those of corosync's own parser, exec/coroparse.c; it stores keys it does not know and says
nothing, so a misspelled one has no effect.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Self

import attrs

from clusternas.core.codec import boolean, choice, integer, string
from clusternas.core.fields import Spelling, option, section, sections
from clusternas.core.keyed import Keyed
from clusternas.core.model import Model
from clusternas.core.syntax.tree import Syntax
from clusternas.corosync.syntax import CorosyncConfSyntax

__all__ = [
    "LINKS",
    "CorosyncInterface",
    "CorosyncLogging",
    "CorosyncModel",
    "CorosyncNode",
    "CorosyncOther",
    "CorosyncQuorum",
    "CorosyncQuorumDevice",
    "CorosyncSystem",
    "CorosyncTotem",
    "CorosyncUidGid",
    "LoggerSubsys",
]


def line(value: str) -> str:
    """Check a value that stands to the end of its line: there are no quotes.

    Raises:
        ValueError: it is empty, holds a brace or control character, or blanks at an end.
    """
    if not value or value != value.strip() or "{" in value or not value.isprintable():
        raise ValueError(f"cannot be written in corosync.conf: {value!r}")
    return value


TEXT = string(line)
NUMBER = integer(0, 2**32 - 1)
MS = integer(0, 2**32 - 1, "ms")
FLAG = boolean(("1",), ("0",))
YES = boolean(("yes",), ("no",))
ON = boolean(("on",), ("off",))
PORT = integer(1, 65535)
LINKS = 8


class CorosyncModel(Model):
    """What all parts of corosync.conf share."""

    syntax: ClassVar[Syntax] = CorosyncConfSyntax()
    tool = "corosync"


@attrs.frozen(kw_only=True, slots=False, repr=False)
class CorosyncOther(CorosyncModel):
    """A section that has no fields here: `resources`, `nozzle`, and `service` of 1.x."""

    accepts_unknown = True


@attrs.frozen(kw_only=True, slots=False, repr=False)
class CorosyncInterface(CorosyncModel):
    """`interface`: how one link works."""

    linknumber: int | None = option(
        Spelling("linknumber", since="3"), "ringnumber", codec=integer(0, 7), doc="default 0"
    )
    knet_link_priority: int | None = option(codec=integer(0, 255), since="3")
    knet_ping_interval: int | None = option(codec=MS, since="3")
    knet_ping_timeout: int | None = option(codec=MS, since="3")
    knet_ping_precision: int | None = option(codec=NUMBER, since="3")
    knet_pong_count: int | None = option(codec=NUMBER, since="3")
    knet_transport: str | None = option(codec=choice("udp", "sctp", quote=line), since="3")
    bindnetaddr: str | None = option(codec=TEXT, doc="a network address")
    broadcast: bool | None = option(codec=YES)
    mcastaddr: str | None = option(codec=TEXT)
    mcastport: int | None = option(codec=PORT, doc="default 5405; the one below it too")
    ttl: int | None = option(codec=integer(0, 255))


@attrs.frozen(kw_only=True, slots=False, repr=False)
class CorosyncTotem(CorosyncModel):
    """`totem`: the protocol of the cluster."""

    secret_fields = frozenset({"key"})

    version: int | None = option(codec=integer(2, 2), doc="must be 2")
    cluster_name: str | None = option(codec=TEXT, doc="the first part of GFS2's lock table")
    config_version: int | None = option(codec=integer(0, 2**64 - 1))
    transport: str | None = option(
        codec=choice("knet", "udpu", "udp", quote=line), doc="3.x: default knet; 2.x has no knet"
    )
    ip_version: str | None = option(
        codec=choice("ipv4", "ipv6", "ipv6-4", "ipv4-6", quote=line), doc="default ipv6-4"
    )
    link_mode: str | None = option(
        Spelling("link_mode", since="3"),
        Spelling("rrp_mode", until="3"),
        codec=choice("passive", "active", "rr", "none", quote=line),
    )
    crypto_model: str | None = option(codec=choice("nss", "openssl", quote=line), since="3")
    crypto_cipher: str | None = option(
        codec=choice("none", "aes128", "aes192", "aes256", "3des", quote=line)
    )
    crypto_hash: str | None = option(
        codec=choice("none", "md5", "sha1", "sha256", "sha384", "sha512", quote=line)
    )
    secauth: bool | None = option(codec=ON)
    keyfile: str | None = option(codec=TEXT, doc="path, default /etc/corosync/authkey")
    key: str | None = option(codec=TEXT, since="3", doc="a secret for all to read")
    token: int | None = option(codec=MS, doc="ms until a node is lost, default 3000, 1000 in 2.x")
    token_warning: int | None = option(codec=integer(0, 100, "%"), since="3")
    token_coefficient: int | None = option(codec=MS, doc="ms per node beyond two, default 650")
    token_retransmit: int | None = option(codec=MS)
    token_retransmits_before_loss_const: int | None = option(codec=NUMBER, doc="default 4")
    hold: int | None = option(codec=MS)
    join: int | None = option(codec=MS, doc="ms, default 50")
    send_join: int | None = option(codec=MS)
    consensus: int | None = option(codec=MS, doc="ms, default 1.2 times token")
    merge: int | None = option(codec=MS)
    downcheck: int | None = option(codec=MS)
    fail_recv_const: int | None = option(codec=NUMBER)
    seqno_unchanged_const: int | None = option(codec=NUMBER)
    heartbeat_failures_allowed: int | None = option(codec=NUMBER)
    max_network_delay: int | None = option(codec=MS)
    window_size: int | None = option(codec=NUMBER)
    max_messages: int | None = option(codec=NUMBER)
    miss_count_const: int | None = option(codec=NUMBER)
    netmtu: int | None = option(codec=NUMBER, doc="bytes")
    knet_pmtud_interval: int | None = option(codec=NUMBER, since="3", doc="s")
    knet_mtu: int | None = option(codec=NUMBER, since="3.1", doc="bytes, 0 finds it out")
    knet_compression_model: str | None = option(codec=TEXT, since="3")
    knet_compression_threshold: int | None = option(codec=NUMBER, since="3", doc="bytes")
    knet_compression_level: int | None = option(codec=integer(), since="3")
    block_unlisted_ips: bool | None = option(codec=YES, since="3.0.4")
    cancel_token_hold_on_retransmit: bool | None = option(codec=YES, since="3.1.5")
    nodeid: int | None = option(codec=NUMBER, doc="of this host; the node list is the better place")
    clear_node_high_bit: bool | None = option(codec=YES)
    threads: int | None = option(codec=NUMBER, until="3")
    interfaces: Keyed[CorosyncInterface] = sections(
        CorosyncInterface, "interface", name="linknumber"
    )


@attrs.frozen(kw_only=True, slots=False, repr=False)
class CorosyncQuorumDevice(CorosyncModel):
    """`quorum { device }`; see corosync-qdevice(8). Its `net` and `heuristics` are in `extra`."""

    accepts_unknown = True
    model: str | None = option(codec=TEXT, doc="net")
    timeout: int | None = option(codec=MS, doc="ms, default 10000")
    sync_timeout: int | None = option(codec=MS, doc="ms, default 30000")
    votes: int | None = option(codec=NUMBER)
    master_wins: bool | None = option(codec=FLAG)


@attrs.frozen(kw_only=True, slots=False, repr=False)
class CorosyncQuorum(CorosyncModel):
    """`quorum`; see votequorum(5)."""

    provider: str | None = option(codec=TEXT, doc="corosync_votequorum, or there is no quorum")
    expected_votes: int | None = option(codec=NUMBER, doc="the node list says it better")
    expected_votes_tracking: bool | None = option(codec=FLAG)
    two_node: bool | None = option(codec=FLAG, doc="one vote of two is a quorum")
    wait_for_all: bool | None = option(codec=FLAG, doc="default: what two_node is")
    last_man_standing: bool | None = option(codec=FLAG)
    last_man_standing_window: int | None = option(codec=MS, doc="ms, default 10000")
    auto_tie_breaker: bool | None = option(codec=FLAG)
    auto_tie_breaker_node: str | None = option(codec=TEXT, doc="lowest, highest, or node ids")
    allow_downscale: bool | None = option(codec=FLAG)
    leaving_timeout: int | None = option(codec=MS)
    votes: int | None = option(codec=NUMBER)
    device: CorosyncQuorumDevice | None = section(CorosyncQuorumDevice)


@attrs.frozen(kw_only=True, slots=False, repr=False)
class CorosyncNode(CorosyncModel):
    """`nodelist { node }`.

    Example:
        >>> CorosyncNode(name="nas01", nodeid=1, ring0_addr="10.0.0.1").addresses
        ('10.0.0.1',)
    """

    name: str | None = option(codec=TEXT, doc="as the host calls itself")
    nodeid: int | None = option(codec=integer(1, 2**32 - 1), doc="each once; knet needs it")
    quorum_votes: int | None = option(codec=NUMBER, doc="default 1")
    ring0_addr: str | None = option(codec=TEXT, doc="address or name on link 0")
    ring1_addr: str | None = option(codec=TEXT)
    ring2_addr: str | None = option(codec=TEXT, since="3")
    ring3_addr: str | None = option(codec=TEXT, since="3")
    ring4_addr: str | None = option(codec=TEXT, since="3")
    ring5_addr: str | None = option(codec=TEXT, since="3")
    ring6_addr: str | None = option(codec=TEXT, since="3")
    ring7_addr: str | None = option(codec=TEXT, since="3")

    @classmethod
    def on(cls, name: str, nodeid: int, addresses: Sequence[str]) -> Self:
        """A node with one address per link, up to eight."""
        rings = [*addresses, *[None] * (LINKS - len(addresses))]
        return cls(
            name=name,
            nodeid=nodeid,
            ring0_addr=rings[0],
            ring1_addr=rings[1],
            ring2_addr=rings[2],
            ring3_addr=rings[3],
            ring4_addr=rings[4],
            ring5_addr=rings[5],
            ring6_addr=rings[6],
            ring7_addr=rings[7],
        )

    @property
    def label(self) -> str:
        """Its name, or its first address where it has none."""
        return self.name or next(iter(self.addresses), "")

    @property
    def addresses(self) -> tuple[str, ...]:
        """Its addresses in the order of the links."""
        found: list[str | None] = [getattr(self, f"ring{link}_addr") for link in range(LINKS)]
        return tuple(address for address in found if address)


@attrs.frozen(kw_only=True, slots=False, repr=False)
class LoggerSubsys(CorosyncModel):
    """`logging { logger_subsys }`: what one part of corosync logs."""

    accepts_unknown = True
    subsys: str | None = option(codec=TEXT, doc="QUORUM, TOTEM, KNET, …; it must be there")
    debug: str | None = option(codec=choice("off", "on", "trace", quote=line))


@attrs.frozen(kw_only=True, slots=False, repr=False)
class CorosyncLogging(CorosyncModel):
    """`logging`."""

    to_stderr: bool | None = option(codec=YES, doc="default yes; corosync -t speaks here")
    to_logfile: bool | None = option(codec=YES, doc="default no")
    to_syslog: bool | None = option(codec=YES, doc="default yes")
    logfile: str | None = option(codec=TEXT, doc="path; its folder must exist")
    logfile_priority: str | None = option(codec=TEXT)
    syslog_facility: str | None = option(codec=TEXT)
    syslog_priority: str | None = option(codec=TEXT)
    timestamp: str | None = option(codec=choice("on", "off", "hires", quote=line))
    fileline: bool | None = option(codec=ON)
    function_name: bool | None = option(codec=ON)
    blackbox: bool | None = option(codec=ON)
    debug: str | None = option(codec=choice("off", "on", "trace", quote=line))
    logger_subsys: Keyed[LoggerSubsys] = sections(LoggerSubsys, "logger_subsys", name="subsys")


@attrs.frozen(kw_only=True, slots=False, repr=False)
class CorosyncSystem(CorosyncModel):
    """`system`."""

    qb_ipc_type: str | None = option(codec=choice("native", "shm", "socket", quote=line))
    sched_rr: bool | None = option(codec=YES)
    priority: str | None = option(codec=TEXT)
    move_to_root_cgroup: str | None = option(codec=choice("yes", "no", "auto", quote=line))
    allow_knet_handle_fallback: bool | None = option(codec=YES, since="3.1")
    state_dir: str | None = option(codec=TEXT)


@attrs.frozen(kw_only=True, slots=False, repr=False)
class CorosyncUidGid(CorosyncModel):
    """`uidgid`: who besides root may talk to corosync."""

    uid: str | None = option(codec=TEXT)
    gid: str | None = option(codec=TEXT)
