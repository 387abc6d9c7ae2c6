"""The files beside ctdb.conf: nodes, public_addresses, ctdb.tunables, script.options.

In `nodes` a line's place is the number of its node (PNN), and a line that begins with `#` is not a
comment but a node taken out, which keeps its number (`ctdb/conf/node.c`). A comment at the top
renumbers the whole cluster.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import ClassVar, Self

import attrs

from clusternas.core.codec import Codec, integer, string
from clusternas.core.fields import ANY, argument, keyword, sections
from clusternas.core.keyed import Keyed
from clusternas.core.model import Model
from clusternas.core.syntax.table import (
    CTDB_NODES,
    CTDB_PUBLIC_ADDRESSES,
    CTDB_TUNABLES,
    SYSCONFIG,
    quote_shell,
)

__all__ = [
    "TUNABLES",
    "CtdbNode",
    "CtdbNodes",
    "CtdbPublicAddress",
    "CtdbPublicAddresses",
    "CtdbScriptOption",
    "CtdbScriptOptions",
    "CtdbTunable",
    "CtdbTunables",
]


TUNABLES = frozenset(
    """
    AllowClientDBAttach AllowMixedVersions AllowUnhealthyDBRead ControlTimeout DBRecordCountWarn
    DBRecordSizeWarn DBSizeWarn DatabaseHashSize DatabaseMaxDead DeferredAttachTO DeterministicIPs
    DisableIPFailover ElectionTimeout EnableBans EventScriptTimeout EventScriptUnhealthyOnTimeout
    FetchCollapse HopcountMakeSticky IPAllocAlgorithm KeepaliveInterval KeepaliveLimit LCP2PublicIPs
    LockProcessesPerDB LogLatencyMs MaxQueueDropMsg MaxRedirectCount MonitorInterval
    MonitorTimeoutCount NoIPFailback NoIPHostOnAllDisabled NoIPTakeover PullDBPreallocation
    QueueBufferSize RecBufferSizeLimit RecLockLatencyMs ReclockPingPeriod RecdFailCount
    RecdPingTimeout RecoverInterval RecoverPDBBySeqNum RecoverTimeout RecoveryBanPeriod
    RecoveryDropAllIPs RecoveryGracePeriod RepackLimit RerecoveryTimeout Samba3AvoidDeadlocks
    SeqnumInterval StatHistoryInterval StickyDuration StickyPindown TDBMutexEnabled TakeoverTimeout
    TickleUpdateInterval TraverseTimeout VacuumFastPathCount VacuumInterval VacuumLimit
    VacuumMaxRunTime VerboseMemoryNames VerifyRecoveryLock DeferredRebalanceOnNodeAdd
    """.split()
)
"""What ctdbd 4.17 knows, obsolete ones included."""


def _no_address(value: str) -> str:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return f"{value!r} is not an IP address"
    return ""


def _no_interface(value: str) -> str:
    try:
        ipaddress.ip_interface(value)
    except ValueError:
        return f"{value!r} is not an address with a mask"
    return "" if "/" in value else f"{value!r} has no mask"


def _write_names(names: Sequence[str]) -> tuple[str, ...] | None:
    if isinstance(names, str) or any(not name or set(name) & set(", \t\n") for name in names):
        raise ValueError(f"not names of interfaces: {names!r}")
    return (",".join(names),) if names else None


ADDRESS = attrs.evolve(string(), expects="an IP address", check=_no_address)
ADDRESS_MASK = attrs.evolve(string(), expects="ADDRESS/BITS", check=_no_interface)
INTERFACES = Codec[tuple[str, ...]](
    lambda words: tuple(words[0].split(",")),
    _write_names,
    "interfaces, with commas between",
    samples=(("lan0",), ("eth0", "eth1")),
)


@attrs.frozen(kw_only=True, slots=False, repr=False)
class CtdbNode(Model):
    """A line of `nodes`.

    Attributes:
        state: `node`, or `deleted` for one that was taken out and keeps its number.
        address: its private address.
    """

    syntax = CTDB_NODES
    tool = "ctdb"
    is_section: ClassVar[bool] = False

    state: str = keyword(default="node")
    address: str = argument(ADDRESS)


@attrs.frozen(kw_only=True, slots=False, repr=False)
class CtdbNodes(Model):
    """The file `nodes`: who is in the cluster, by number.

    Example:
        >>> CtdbNodes.parse("10.0.0.1\\n#10.0.0.2\\n10.0.0.3\\n").numbers()
        {0: '10.0.0.1', 2: '10.0.0.3'}
    """

    syntax = CTDB_NODES
    tool = "ctdb"

    all: Keyed[CtdbNode] = sections(CtdbNode, ANY, name="address")

    @classmethod
    def of_addresses(cls, addresses: Iterable[str]) -> Self:
        """A cluster of these nodes, numbered in this order."""
        return cls(all=_keyed(CtdbNode(address=each) for each in addresses))

    def numbers(self) -> dict[int, str]:
        """The addresses of the nodes that take part, by number."""
        return {pnn: node.address for pnn, node in enumerate(self.all) if node.state == "node"}

    def add(self, address: str) -> Self:
        """With one node more, under the next number."""
        return attrs.evolve(self, all=_keyed((*self.all, CtdbNode(address=address))))

    def delete(self, address: str) -> Self:
        """With a node marked as taken out, so that the others keep their numbers.

        Raises:
            KeyError: there is no such node.
        """
        gone = self.all[address]
        left = (attrs.evolve(node, state="deleted") if node is gone else node for node in self.all)
        return attrs.evolve(self, all=_keyed(left))


def _keyed(nodes: Iterable[CtdbNode]) -> Keyed[CtdbNode]:
    return Keyed(nodes, key=attrgetter("address"))


@attrs.frozen(kw_only=True, slots=False, repr=False)
class CtdbPublicAddress(Model):
    """A line of `public_addresses`.

    Attributes:
        address: with its mask, e.g. `192.168.1.21/24`.
        interfaces: where it may be put.
    """

    syntax = CTDB_PUBLIC_ADDRESSES
    tool = "ctdb"
    is_section: ClassVar[bool] = False

    address: str = argument(ADDRESS_MASK)
    interfaces: tuple[str, ...] = argument(INTERFACES, 1, default=())


@attrs.frozen(kw_only=True, slots=False, repr=False)
class CtdbPublicAddresses(Model):
    """The file `public_addresses`: what CTDB moves between the nodes."""

    syntax = CTDB_PUBLIC_ADDRESSES
    tool = "ctdb"

    all: Keyed[CtdbPublicAddress] = sections(CtdbPublicAddress, "address", name="address")

    @classmethod
    def of_lines(cls, lines: Iterable[str]) -> Self:
        """Of lines as they stand in the file: `192.168.1.21/24 lan0`."""
        read = cls.parse("".join(f"{line}\n" for line in lines)).all
        made = (CtdbPublicAddress(address=row.address, interfaces=row.interfaces) for row in read)
        return cls(all=Keyed(made, key=attrgetter("address")))


@attrs.frozen(kw_only=True, slots=False, repr=False)
class CtdbTunable(Model):
    """A line of `ctdb.tunables`: a number by a name of ctdb-tunables(7)."""

    syntax = CTDB_TUNABLES
    tool = "ctdb"
    is_section: ClassVar[bool] = False

    name: str = keyword()
    value: int = argument(integer(0))


@attrs.frozen(kw_only=True, slots=False, repr=False)
class CtdbTunables(Model):
    """The file `ctdb.tunables`."""

    syntax = CTDB_TUNABLES
    tool = "ctdb"

    all: Keyed[CtdbTunable] = sections(CtdbTunable, ANY, name="name")

    @classmethod
    def of_values(cls, values: Mapping[str, int]) -> Self:
        """Tunables by name."""
        rows = (CtdbTunable(name=name, value=value) for name, value in values.items())
        return cls(all=Keyed(rows, key=attrgetter("name")))


@attrs.frozen(kw_only=True, slots=False, repr=False)
class CtdbScriptOption(Model):
    """A line of `script.options`: a variable of ctdb-script.options(5)."""

    syntax = SYSCONFIG
    tool = "ctdb"
    is_section: ClassVar[bool] = False

    name: str = keyword()
    value: str = argument(string(quote_shell))


@attrs.frozen(kw_only=True, slots=False, repr=False)
class CtdbScriptOptions(Model):
    """The file `script.options`: what the event scripts are told."""

    syntax = SYSCONFIG
    tool = "ctdb"

    all: Keyed[CtdbScriptOption] = sections(CtdbScriptOption, ANY, name="name")

    @classmethod
    def of_values(cls, values: Mapping[str, str]) -> Self:
        """Options by name."""
        rows = (CtdbScriptOption(name=name, value=value) for name, value in values.items())
        return cls(all=Keyed(rows, key=attrgetter("name")))
