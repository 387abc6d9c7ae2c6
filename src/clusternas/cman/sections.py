"""The elements of cluster.conf, as cluster.conf(5), cman(5), fenced(8) and qdisk(5) have them.

Attributes that no field names, and elements that no class describes, are kept in `extra`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import ClassVar, TypeVar

import attrs

from clusternas.cman.syntax import ClusterConfSyntax
from clusternas.core.codec import Codec, boolean, choice, integer, string
from clusternas.core.fields import ANY, argument, keyword, option, required, section, sections
from clusternas.core.keyed import Keyed
from clusternas.core.model import Model
from clusternas.core.syntax.tree import Syntax
from clusternas.core.syntax.xml import quote
from clusternas.core.text import MASK

__all__ = [
    "AltName",
    "ClusterNode",
    "CmanDlm",
    "CmanLogging",
    "CmanModel",
    "CmanOptions",
    "CmanTotem",
    "FailoverDomain",
    "FailoverDomainNode",
    "FenceDaemon",
    "FenceDevice",
    "FenceMethod",
    "FenceParam",
    "FenceUse",
    "GfsControld",
    "Multicast",
    "Quorumd",
    "Rm",
    "RmService",
    "TotemInterface",
    "attribute",
    "by_name",
    "fence_params",
]

T = TypeVar("T")
N = TypeVar("N", bound=Model)

TEXT = string(quote)
FLAG = boolean(("1",), ("0",))
ON = boolean(("on",), ("off",))
YES = boolean(("yes",), ("no",))
COUNT = integer(0)
PORT = integer(1, 65535)
SECRETS = ("passw", "secret", "key", "community")


def one_of(*values: str) -> Codec[str]:
    """One of some words."""
    return choice(*values, quote=quote)


def by_name(items: Iterable[N]) -> Keyed[N]:
    """Items under their names, the first of two of one name counting, as it does for ccs."""
    return Keyed(items, key=attrgetter("name"), first=True)


def attribute(name: str, codec: Codec[T], since: str = "", doc: str = "") -> T | None:
    """A field for an attribute of the element."""
    return option(f"@{name}", codec=codec, since=since, doc=doc)


class CmanModel(Model):
    """What all parts of cluster.conf share."""

    syntax: ClassVar[Syntax] = ClusterConfSyntax()
    tool = "cman"


@attrs.frozen(kw_only=True, slots=False, repr=False)
class Multicast(CmanModel):
    """`<multicast>`: where the nodes meet; by default 239.192.x.y after the cluster id."""

    addr: str | None = attribute("addr", TEXT, doc="address, 239.192.0.0/16 stays in the site")
    ttl: int | None = attribute("ttl", integer(0, 255), since="3", doc="hops, default 1")
    port: int | None = attribute("port", PORT, since="3")
    interface: str | None = attribute("interface", TEXT)


@attrs.frozen(kw_only=True, slots=False, repr=False)
class CmanOptions(CmanModel):
    """`<cman>`; see cman(5)."""

    two_node: bool | None = attribute("two_node", FLAG, doc="one vote of two is a quorum")
    expected_votes: int | None = attribute("expected_votes", integer(1), doc="1 if two_node")
    quorum_dev_poll: int | None = attribute("quorum_dev_poll", COUNT, doc="ms, default 10000")
    shutdown_timeout: int | None = attribute("shutdown_timeout", COUNT, doc="ms, default 5000")
    ccsd_poll: int | None = attribute("ccsd_poll", COUNT, doc="ms, default 1000")
    port: int | None = attribute("port", PORT, doc="UDP, default 5405; the one below it too")
    cluster_id: int | None = attribute("cluster_id", COUNT, doc="default: a hash of the name")
    hash_cluster_id: bool | None = attribute("hash_cluster_id", YES, since="3")
    nodename: str | None = attribute("nodename", TEXT)
    transport: str | None = attribute("transport", one_of("udp", "udpb", "udpu", "rdma"), since="3")
    broadcast: bool | None = attribute("broadcast", YES, doc="instead of multicast")
    keyfile: str | None = attribute("keyfile", TEXT, doc="path, default: the name is the key")
    upgrading: bool | None = attribute("upgrading", YES)
    disallowed: bool | None = attribute("disallowed", FLAG)
    disable_openais: bool | None = attribute("disable_openais", YES)
    debug_mask: int | None = attribute("debug_mask", COUNT)
    multicast: Multicast | None = section(Multicast)
    altmulticast: Multicast | None = section(Multicast, since="3", doc="of the second ring")


@attrs.frozen(kw_only=True, slots=False, repr=False)
class TotemInterface(CmanModel):
    """`<totem><interface>`: a ring by hand."""

    ringnumber: int | None = attribute("ringnumber", integer(0, 1))
    bindnetaddr: str | None = attribute("bindnetaddr", TEXT)
    mcastaddr: str | None = attribute("mcastaddr", TEXT)
    mcastport: int | None = attribute("mcastport", PORT)
    broadcast: bool | None = attribute("broadcast", YES)


@attrs.frozen(kw_only=True, slots=False, repr=False)
class CmanTotem(CmanModel):
    """`<totem>`: cman has its own defaults, see cman(5)."""

    token: int | None = attribute("token", COUNT, doc="ms until a node is lost, default 10000")
    consensus: int | None = attribute("consensus", COUNT, doc="ms, default 4800")
    join: int | None = attribute("join", COUNT, doc="ms, default 60")
    token_retransmits_before_loss_const: int | None = attribute(
        "token_retransmits_before_loss_const", COUNT, doc="default 20"
    )
    fail_recv_const: int | None = attribute("fail_recv_const", COUNT)
    rrp_mode: str | None = attribute("rrp_mode", one_of("none", "active", "passive"))
    secauth: bool | None = attribute("secauth", ON, doc="default on")
    keyfile: str | None = attribute("keyfile", TEXT)
    netmtu: int | None = attribute("netmtu", COUNT, since="3")
    window_size: int | None = attribute("window_size", COUNT, since="3")
    max_messages: int | None = attribute("max_messages", COUNT, since="3")
    interfaces: Keyed[TotemInterface] = sections(TotemInterface, "interface", name="ringnumber")


@attrs.frozen(kw_only=True, slots=False, repr=False)
class Heuristic(CmanModel):
    """`<quorumd><heuristic>`: a program that says whether this node is fit."""

    program: str | None = attribute("program", TEXT)
    score: int | None = attribute("score", COUNT, doc="default 1")
    interval: int | None = attribute("interval", COUNT, doc="s, default 2")
    tko: int | None = attribute("tko", COUNT)


@attrs.frozen(kw_only=True, slots=False, repr=False)
class Quorumd(CmanModel):
    """`<quorumd>`: a quorum disk; see qdisk(5)."""

    interval: int | None = attribute("interval", COUNT, doc="s between writes, default 1")
    tko: int | None = attribute("tko", COUNT, doc="missed writes until a node is dead, default 10")
    votes: int | None = attribute("votes", COUNT)
    min_score: int | None = attribute("min_score", COUNT)
    device: str | None = attribute("device", TEXT)
    label: str | None = attribute("label", TEXT)
    reboot: bool | None = attribute("reboot", FLAG)
    allow_kill: bool | None = attribute("allow_kill", FLAG)
    stop_cman: bool | None = attribute("stop_cman", FLAG)
    master_wins: bool | None = attribute("master_wins", FLAG)
    heuristics: Keyed[Heuristic] = sections(Heuristic, "heuristic", name="program")


@attrs.frozen(kw_only=True, slots=False, repr=False)
class FenceDaemon(CmanModel):
    """`<fence_daemon>`; see fenced(8)."""

    post_join_delay: int | None = attribute("post_join_delay", COUNT, doc="s, default 6")
    post_fail_delay: int | None = attribute("post_fail_delay", COUNT, doc="s, default 0")
    clean_start: bool | None = attribute("clean_start", FLAG, doc="trust absent nodes: unsafe")
    override_path: str | None = attribute("override_path", TEXT)
    override_time: int | None = attribute("override_time", COUNT, doc="s, default 3")
    skip_undefined: bool | None = attribute("skip_undefined", FLAG)


@attrs.frozen(kw_only=True, slots=False, repr=False)
class CmanDlm(CmanModel):
    """`<dlm>`; see dlm_controld(8)."""

    log_debug: bool | None = attribute("log_debug", FLAG)
    protocol: str | None = attribute("protocol", one_of("tcp", "sctp", "detect"))
    enable_fencing: bool | None = attribute("enable_fencing", FLAG, doc="default 1")
    enable_quorum: bool | None = attribute("enable_quorum", FLAG, doc="default 0")
    enable_deadlk: bool | None = attribute("enable_deadlk", FLAG)
    enable_plock: bool | None = attribute("enable_plock", FLAG, doc="default 1")
    plock_debug: bool | None = attribute("plock_debug", FLAG)
    plock_rate_limit: int | None = attribute("plock_rate_limit", COUNT, doc="1/s, 0 for none")
    plock_ownership: bool | None = attribute("plock_ownership", FLAG)
    timewarn: int | None = attribute("timewarn", COUNT, doc="1/100 s")
    drop_resources_time: int | None = attribute("drop_resources_time", COUNT, doc="ms")
    drop_resources_count: int | None = attribute("drop_resources_count", COUNT)
    drop_resources_age: int | None = attribute("drop_resources_age", COUNT, doc="ms")


@attrs.frozen(kw_only=True, slots=False, repr=False)
class GfsControld(CmanModel):
    """`<gfs_controld>`; see gfs_controld(8)."""

    enable_withdraw: bool | None = attribute("enable_withdraw", FLAG, doc="default 1")
    enable_plock: bool | None = attribute("enable_plock", FLAG, doc="default 1")
    plock_rate_limit: int | None = attribute("plock_rate_limit", COUNT, doc="1/s, 0 for none")
    plock_ownership: bool | None = attribute("plock_ownership", FLAG)


@attrs.frozen(kw_only=True, slots=False, repr=False)
class CmanLogging(CmanModel):
    """`<logging>`: for all daemons; `<logging_daemon>` elements are kept in `extra`."""

    to_syslog: bool | None = attribute("to_syslog", YES, doc="default yes")
    to_logfile: bool | None = attribute("to_logfile", YES, doc="default yes")
    syslog_facility: str | None = attribute("syslog_facility", TEXT, doc="default local4")
    syslog_priority: str | None = attribute("syslog_priority", TEXT, doc="default info")
    logfile_priority: str | None = attribute("logfile_priority", TEXT, doc="default info")
    logfile: str | None = attribute("logfile", TEXT)
    debug: bool | None = attribute("debug", ON, doc="default off")


@attrs.frozen(kw_only=True, slots=False, repr=False)
class FenceParam(CmanModel):
    """A parameter of a fence agent; which there are, the agent says with `-o metadata`."""

    is_section = False
    key: str = keyword(samples=("@port", "@ipaddr"), doc="its name with the @ of an attribute")
    value: str | None = argument(TEXT, default=None)

    @property
    def name(self) -> str:
        """Its name, like `ipaddr`."""
        return self.key.removeprefix("@")

    @property
    def is_secret(self) -> bool:
        """Whether its value is not for showing."""
        return any(word in self.name.lower() for word in SECRETS)

    def own_secrets(self) -> Iterable[str]:
        """Its value, if its name sounds like a secret."""
        return [self.value] if self.is_secret and self.value else []

    def __repr__(self) -> str:
        shown = MASK if self.is_secret else self.value
        return f"FenceParam({self.name}={shown!r})"


def fence_params(values: Mapping[str, str]) -> Keyed[FenceParam]:
    """Parameters of a fence agent by name.

    Example:
        >>> fence_params({"ipaddr": "10.0.0.5", "passwd": "s3cret"})
        [FenceParam(ipaddr='10.0.0.5'), FenceParam(passwd='********')]
    """
    return by_name(FenceParam(key=f"@{name}", value=value) for name, value in values.items())


@attrs.frozen(kw_only=True, slots=False, repr=False)
class FenceUse(CmanModel):
    """`<method><device>`: a fence device, and what it must know to hit this node."""

    name: str = required("@name", codec=TEXT, default="", doc="of the fence device")
    params: Keyed[FenceParam] = sections(FenceParam, ANY, name="name", first=True)


@attrs.frozen(kw_only=True, slots=False, repr=False)
class FenceMethod(CmanModel):
    """`<fence><method>`: devices that all have to work; the next method is for when they do not."""

    name: str = required("@name", codec=TEXT, default="")
    devices: Keyed[FenceUse] = sections(FenceUse, "device", name="name", first=True)


@attrs.frozen(kw_only=True, slots=False, repr=False)
class AltName(CmanModel):
    """`<altname>`: the name of the node on the second ring."""

    name: str = required("@name", codec=TEXT, default="")
    port: int | None = attribute("port", PORT)
    mcast: str | None = attribute("mcast", TEXT)
    ttl: int | None = attribute("ttl", integer(0, 255))


@attrs.frozen(kw_only=True, slots=False, repr=False)
class ClusterNode(CmanModel):
    """`<clusternode>`; the methods of its `<fence>` are tried in order.

    Example:
        >>> node = ClusterNode(name="linux-nas01", nodeid=1)
        >>> node.fence.keys()
        []
    """

    name: str = required("@name", codec=TEXT, default="", doc="as the host and DNS have it")
    votes: int | None = attribute("votes", COUNT, doc="default 1")
    nodeid: int | None = attribute("nodeid", integer(1), doc="each once")
    weight: int | None = attribute("weight", COUNT, doc="of the node as a master of locks")
    altname: AltName | None = section(AltName)
    fence: Keyed[FenceMethod] = sections(FenceMethod, "fence/method", name="name", first=True)
    unfence: Keyed[FenceUse] = sections(FenceUse, "unfence/device", name="name", first=True)

    @property
    def fence_devices(self) -> tuple[str, ...]:
        """The fence devices it uses, by name, in the order they are tried."""
        return tuple(use.name for method in self.fence for use in method.devices)


@attrs.frozen(kw_only=True, slots=False, repr=False)
class FenceDevice(CmanModel):
    """`<fencedevice>`: what can cut nodes off."""

    name: str = required("@name", codec=TEXT, default="", doc="begins with a letter")
    agent: str = required("@agent", codec=TEXT, default="", doc="a program fence_*")
    params: Keyed[FenceParam] = sections(FenceParam, ANY, name="name", first=True)


@attrs.frozen(kw_only=True, slots=False, repr=False)
class FailoverDomainNode(CmanModel):
    """`<failoverdomainnode>`."""

    name: str = required("@name", codec=TEXT, default="")
    priority: int | None = attribute("priority", integer(1, 100))


@attrs.frozen(kw_only=True, slots=False, repr=False)
class FailoverDomain(CmanModel):
    """`<failoverdomain>`: where a service may run."""

    name: str = required("@name", codec=TEXT, default="")
    ordered: bool | None = attribute("ordered", FLAG)
    restricted: bool | None = attribute("restricted", FLAG)
    nofailback: bool | None = attribute("nofailback", FLAG)
    nodes: Keyed[FailoverDomainNode] = sections(
        FailoverDomainNode, "failoverdomainnode", name="name", first=True
    )


@attrs.frozen(kw_only=True, slots=False, repr=False)
class RmService(CmanModel):
    """`<service>`: its tree of resources is in `extra`; what stands inside starts later."""

    accepts_unknown = True
    name: str = required("@name", codec=TEXT, default="")
    domain: str | None = attribute("domain", TEXT)
    autostart: bool | None = attribute("autostart", FLAG, doc="default 1")
    exclusive: bool | None = attribute("exclusive", FLAG)
    recovery: str | None = attribute(
        "recovery", one_of("restart", "relocate", "disable", "restart-disable")
    )


@attrs.frozen(kw_only=True, slots=False, repr=False)
class Rm(CmanModel):
    """`<rm>`: rgmanager. Its resources are in `extra`, as `resources/ip` and the like."""

    accepts_unknown = True
    log_level: int | None = attribute("log_level", integer(0, 7))
    disabled: bool | None = attribute("disabled", FLAG)
    failover_domains: Keyed[FailoverDomain] = sections(
        FailoverDomain, "failoverdomains/failoverdomain", name="name", first=True
    )
    services: Keyed[RmService] = sections(RmService, "service", name="name", first=True)
