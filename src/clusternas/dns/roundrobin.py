"""The one name of the cluster: several addresses, of which each client gets another first."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import date
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING, Self

import attrs

from clusternas.core.errors import ParseError, ValidationError
from clusternas.core.model import read_bytes
from clusternas.core.text import decode
from clusternas.dns.commands import Swap, nsupdate
from clusternas.dns.model import ZoneFile
from clusternas.dns.names import same_name
from clusternas.dns.rrset import RrSet

if TYPE_CHECKING:
    from clusternas.core.command import Command, Result, Runner
    from clusternas.core.diagnostics import Diagnostic
    from clusternas.core.files import Written
    from clusternas.core.versions import Toolset
    from clusternas.dns.status import DnsRecord, Update

__all__ = ["DnsRoundRobin"]

TYPES = ("A", "AAAA")


def _address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        raise ValidationError(f"not an address: {text!r}", hint="IPv4 or IPv6, numeric") from None


def _addresses(given: Iterable[str]) -> tuple[str, ...]:
    if isinstance(given, str):
        raise ValidationError("addresses is one string", hint="give one string per address")
    found = tuple(dict.fromkeys(map(_address, given)))
    if not found:
        raise ValidationError("no address", hint="a name without addresses helps nobody")
    return found


@attrs.frozen(kw_only=True)
class DnsRoundRobin:
    r"""A name with several addresses (RFC 1794).

    Attributes:
        name: whole, or relative to the zone.
        addresses: IPv4 and IPv6, each once.
        ttl: seconds that clients and caches keep them, also those of a node that died meanwhile;
            None takes what the zone says.
        zone: the file that it stands in, if it was read from one.
        origin: the zone's name, where the file does not tell it.

    Example:
        >>> text = "cluster IN A 192.0.2.1\ncluster IN A 192.0.2.2 ; second\n"
        >>> cluster = DnsRoundRobin.parse(text)
        >>> print(attrs.evolve(cluster, addresses=["192.0.2.1", "192.0.2.9"]).render())
        cluster IN A 192.0.2.1
        cluster IN A 192.0.2.9 ; second
        <BLANKLINE>
    """

    name: str
    addresses: tuple[str, ...] = attrs.field(converter=_addresses)
    ttl: int | None = None
    zone: ZoneFile | None = attrs.field(default=None, eq=False, repr=False)
    origin: str = attrs.field(default="", eq=False)

    @classmethod
    def parse(cls, text: str | bytes, name: str = "", *, origin: str = "", path: str = "") -> Self:
        """Read it from a zone file.

        Args:
            text: of the whole file.
            name: which; by default the one name that has several addresses.
            origin: the zone's name, where the file has no `$ORIGIN`.
            path: what to call the file in messages.

        Raises:
            ParseError: there is no such name, or more than one.
        """
        return cls.of(ZoneFile.parse(text, path), name, origin=origin)

    @classmethod
    def read(cls, path: str | os.PathLike[str], name: str = "", *, origin: str = "") -> Self:
        """Read it from a zone file of this machine; see `parse`."""
        return cls.parse(decode(read_bytes(path)), name, origin=origin, path=os.fspath(path))

    @classmethod
    def of(cls, zone: ZoneFile, name: str = "", *, origin: str = "") -> Self:
        """The name in a zone; see `parse`."""
        sets = [each for each in zone.rrsets(origin).values() if each.type in TYPES]
        name = name or _only_name(sets)
        found = [each for each in sets if same_name(each.name, zone.absolute(name, origin))]
        if not found:
            raise ParseError(f"{name} has no address in this zone")
        addresses = [address for each in found for address in each.data]
        ttls = {each.ttl for each in found}
        ttl = ttls.pop() if len(ttls) == 1 else None
        try:
            return cls(name=name, addresses=addresses, ttl=ttl, zone=zone, origin=origin)
        except ValidationError as error:
            raise ParseError(f"{name}: {error.message}", hint=error.hint) from None

    def of_type(self, type: str) -> tuple[str, ...]:
        """Its addresses for records of type `A` or `AAAA`."""
        family = IPv4Address if type == "A" else IPv6Address
        return tuple(each for each in self.addresses if isinstance(ip_address(each), family))

    def zone_file(self, day: date | None = None) -> ZoneFile:
        """Its zone with these addresses; the serial is raised once if anything changes.

        Args:
            day: for serials like 2026112301; None counts on.
        """
        before = self.zone or ZoneFile()
        zone = before
        for type in TYPES:
            zone = self._into(zone, type)
        changed = zone.records != before.records
        return zone.bump(day) if changed and zone.soa is not None else zone

    def _into(self, zone: ZoneFile, type: str) -> ZoneFile:
        """The zone with these addresses of one type; as it is if it has them, however spelled."""
        old = zone.rrset(self.name, type, self.origin)
        spelled = {_address(each): each for each in old.data} if old else {}
        wanted = self.of_type(type)
        as_it_is = set(wanted) == set(spelled) and (not old or self.ttl in (None, old.ttl))
        if as_it_is:
            return zone
        data = [spelled.get(each, each) for each in wanted]
        return zone.with_rrset(self.name, type, data, ttl=self.ttl, origin=self.origin)

    def render(self, day: date | None = None) -> str:
        """The text of its zone file, or of its records alone if it is in none."""
        return self.zone_file(day).render()

    def diff(self, day: date | None = None) -> str:
        """The unified diff of its zone file; empty when nothing changed."""
        return self.zone_file(day).diff()

    def write(
        self, path: str = "", runner: Runner | None = None, *, day: date | None = None
    ) -> Result[Written]:
        """Write its zone file; see `Model.write`. A dynamic zone wants `publish` instead."""
        return self.zone_file(day).write(path, runner)

    def validate(self, toolset: Toolset | None = None) -> list[Diagnostic]:
        """What is wrong with its zone file as it would be written."""
        return self.zone_file().validate(toolset)

    def publish(
        self,
        zone: str,
        current: Iterable[DnsRecord],
        *,
        server: str = "",
        port: int = 53,
        key_file: str = "",
    ) -> Command[Update]:
        """Replace its addresses in a dynamic zone, if they still are what was last seen.

        Args:
            zone: the zone's name.
            current: what the server has now, as `dig` or `dig_axfr` answered.
            server: by default the primary of the zone.
            port: of the server.
            key_file: path of the TSIG key.
        """
        apex = zone.rstrip(".") + "."
        name = ZoneFile(origin=apex).absolute(self.name)
        seen = [each for each in current if same_name(each.name, name)]
        ttl = self.ttl if self.ttl is not None else next((each.ttl for each in seen), 60)
        swaps = []
        for type in TYPES:
            old = tuple(each.data[0] for each in seen if each.type == type)
            new = self.of_type(type)
            if old or new:
                swaps.append(Swap(name=name, type=type, old=old, new=new, ttl=ttl))
        return nsupdate(zone, swaps, server=server, port=port, key_file=key_file)


def _only_name(sets: Iterable[RrSet]) -> str:
    """The one name with several addresses."""
    counts: dict[str, int] = {}
    for each in sets:
        counts[each.name] = counts.get(each.name, 0) + len(each.data)
    names = [name for name, count in counts.items() if count > 1]
    if len(names) != 1:
        what = f"several names have: {', '.join(names)}" if names else "no name has"
        raise ParseError(f"which name? {what} several addresses", hint="give the name")
    return names[0]
