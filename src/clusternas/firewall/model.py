"""Firewall rules as values."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Literal, TypeAlias

import attrs

from clusternas.core.errors import ValidationError

__all__ = ["SSH", "FirewallRule", "Ports", "Protocol"]

Protocol: TypeAlias = Literal["tcp", "udp", "igmp"]
Ports: TypeAlias = tuple[int, int]
"""The first and the last port of a range."""
Network: TypeAlias = IPv4Network | IPv6Network
SSH = 22
COMMENT = re.compile(r'[^"\\]{0,100}')


def _ranges(given: Iterable[int | Ports]) -> tuple[Ports, ...]:
    """Ranges in order, what overlaps or touches made one: nft refuses overlaps."""
    merged: list[Ports] = []
    for first, last in sorted((each, each) if isinstance(each, int) else each for each in given):
        if not 0 < first <= last < 65536:
            raise ValidationError(f"not ports: {first}-{last}", hint="1 to 65535, the lower first")
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return tuple(merged)


def _networks(given: Iterable[str]) -> tuple[str, ...]:
    """Addresses and networks in their order, without those inside of others."""
    if isinstance(given, str):
        raise ValidationError("src is one string", hint="give one string per address")
    try:
        found = tuple(dict.fromkeys(map(ip_network, given)))
    except ValueError as error:
        raise ValidationError(f"not an address or network: {error}") from None
    outer = [each for each in found if not any(_inside(each, other) for other in found)]
    return tuple(str(each).removesuffix(f"/{each.max_prefixlen}") for each in outer)


def _inside(one: Network, other: Network) -> bool:
    inside = one.version == other.version and one.network_address in other
    return inside and one.prefixlen > other.prefixlen


@attrs.frozen
class FirewallRule:
    """Let in what comes from somewhere to some ports.

    Attributes:
        proto: `tcp`, `udp`, or `igmp`, which has no ports.
        ports: numbers, or ranges as pairs.
        src: addresses and networks; none means anywhere.
        why: what for, in a few words.

    Example:
        >>> FirewallRule("tcp", [4379], ["10.0.0.1", "10.0.0.2"], "ctdb").ports
        ((4379, 4379),)
    """

    proto: Protocol
    ports: tuple[Ports, ...] = attrs.field(default=(), converter=_ranges)
    src: tuple[str, ...] = attrs.field(default=(), converter=_networks)
    why: str = ""

    def __attrs_post_init__(self) -> None:
        if self.proto not in ("tcp", "udp", "igmp"):
            raise ValidationError(f"not a protocol: {self.proto!r}", hint="tcp, udp or igmp")
        if bool(self.ports) == (self.proto == "igmp"):
            raise ValidationError(f"{self.proto} with ports {self.ports}", hint="igmp has none")
        if not (COMMENT.fullmatch(self.why) and self.why.isprintable() and self.why.isascii()):
            raise ValidationError(f"not a comment: {self.why!r}", hint="a few words, no quotes")

    def admits(self, proto: Protocol, port: int) -> bool:
        """Whether it lets a port in, from wherever."""
        return self.proto == proto and any(first <= port <= last for first, last in self.ports)

    def of_family(self, version: int) -> tuple[str, ...] | None:
        """Its sources of IP version 4 or 6; none for anywhere, None if it is for the other only."""
        if self.proto == "igmp" and version == 6:
            return None  # its work is done by ICMP there
        found = tuple(each for each in self.src if ip_network(each).version == version)
        return found if found or not self.src else None
