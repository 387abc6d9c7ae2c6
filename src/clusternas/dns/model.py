"""A zone file as a value."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from operator import attrgetter
from typing import ClassVar

import attrs

from clusternas.core.change import Change
from clusternas.core.errors import ValidationError
from clusternas.core.fields import ANY, option, options, sections
from clusternas.core.keyed import Keyed
from clusternas.core.syntax.tree import Document
from clusternas.core.syntax.zone import is_absolute, qualify
from clusternas.dns.change import ZoneChange
from clusternas.dns.codecs import DATA, NAME, TTL
from clusternas.dns.names import same_name
from clusternas.dns.record import SOA, Soa, ZoneModel, ZoneRecord
from clusternas.dns.resolve import Resolved, resolve
from clusternas.dns.rrset import RrSet, group, relative, replace, split
from clusternas.dns.serial import next_serial

__all__ = ["RrSet", "Soa", "ZoneFile", "ZoneRecord"]


@attrs.frozen(kw_only=True, slots=False, repr=False)
class ZoneFile(ZoneModel):
    r"""A zone master file.

    Attributes:
        origin: the first `$ORIGIN`; without one the zone's name is in named.conf only, and the
            methods below take it.
        ttl: the first `$TTL`, seconds: the default of the records below it.
        soa: the start of authority.
        includes, generates: the words of `$INCLUDE` and `$GENERATE`; what they bring is not read.
        records: all other records.

    Example:
        >>> zone = ZoneFile.parse("@ SOA ns1 root 7 1h 10m 1w 60\ncluster A 192.0.2.1\n")
        >>> print(zone.with_rrset("cluster", "A", ["192.0.2.1", "192.0.2.2"]).bump().render())
        @ SOA ns1 root 8 1h 10m 1w 60
        cluster A 192.0.2.1
        cluster A 192.0.2.2
        <BLANKLINE>
    """

    changes: ClassVar[type[Change]] = ZoneChange
    origin: str | None = option("$ORIGIN", codec=NAME, wins="first")
    ttl: int | None = option("$TTL", codec=TTL, wins="first")
    soa: Soa | None = option("SOA", codec=SOA)
    includes: tuple[tuple[str, ...], ...] = options("$INCLUDE", codec=DATA)
    generates: tuple[tuple[str, ...], ...] = options("$GENERATE", codec=DATA)
    records: Keyed[ZoneRecord] = sections(ZoneRecord, ANY, name="name")

    def resolved(self, origin: str = "") -> list[Resolved]:
        """The records, the SOA aside, with their whole names and TTLs.

        Args:
            origin: the zone's name, where the file has no `$ORIGIN`.
        """
        known: dict[str, list[Resolved]] = self.__dict__.setdefault("_resolved", {})
        if origin not in known:
            found = resolve(self._tree(), origin)
            known[origin] = [each for each in found if each.node.key != "SOA"]
        return known[origin]

    def _tree(self) -> Document:
        if self.document is not None and not self.edits():
            return self.document
        return self.syntax.parse(self.render())

    def apex(self, origin: str = "") -> str:
        """The zone's name: that of its SOA, else its `$ORIGIN`; empty if nothing tells."""
        found = resolve(self._tree(), origin)
        soa = next((each.name for each in found if each.node.key == "SOA"), "@")
        return soa if is_absolute(soa) else origin or self.origin or ""

    def rrsets(self, origin: str = "") -> dict[tuple[str, str], RrSet]:
        """The record sets of the file, by absolute name in lower case and type."""
        known: dict[str, dict[tuple[str, str], RrSet]] = self.__dict__.setdefault("_rrsets", {})
        if origin not in known:
            known[origin] = group(self.resolved(origin))
        return known[origin]

    def rrset(self, name: str, type: str, origin: str = "") -> RrSet | None:
        """The record set of one type and one name, whole or relative to the zone."""
        return self.rrsets(origin).get((self.absolute(name, origin).lower(), type.upper()))

    def absolute(self, name: str, origin: str = "") -> str:
        """A name relative to the zone made absolute, as far as the zone's name is known."""
        apex = self.apex(origin)
        return qualify(name, apex if not apex or is_absolute(apex) else f"{apex}.") or name

    def with_rrset(
        self, name: str, type: str, data: Sequence[str], *, ttl: int | None = None, origin: str = ""
    ) -> ZoneFile:
        """It with other records of one name and type; no data removes them.

        A record that stays keeps its line, a changed one has its line rewritten, new ones follow
        the last of the set, or of the name, or of the file.

        Args:
            name: whole, or relative to the zone.
            type: like `A`.
            data: of each record.
            ttl: seconds; None leaves it as it is.
            origin: the zone's name, where the file has no `$ORIGIN`.
        """
        name = self.absolute(name, origin)
        resolved = self.resolved(origin)
        of_name = [at for at, each in enumerate(resolved) if same_name(each.name, name)]
        places = [at for at in of_name if resolved[at].node.key == type.upper()]
        after = (places or of_name or [len(resolved) - 1])[-1]
        here = resolved[after].origin if resolved else self.apex(origin)
        like = self.records[places[-1]] if places else self._new(type, after)
        if not places or not same_name(qualify(like.owner, here) or name, name):
            like = attrs.evolve(like, owner=relative(name, here))
        said = resolved[places[0]].ttl if places else resolved[after].default if resolved else None
        own = like.ttl if ttl in (None, said) else ttl
        news = [attrs.evolve(like, ttl=own, data=split(each)) for each in data]
        records = replace(self.records, places, after, news)
        return attrs.evolve(self, records=Keyed(records, key=attrgetter("name")))

    def _new(self, type: str, after: int) -> ZoneRecord:
        """A record to be filled in, like the one that it will follow."""
        klass = self.records[after].class_ if len(self.records) else "IN"
        return ZoneRecord(owner="@", class_=klass, type=type, data=())

    def bump(self, day: date | None = None) -> ZoneFile:
        """It with the next serial, so that secondaries take it; see `next_serial`.

        Raises:
            ValidationError: it has no SOA.
        """
        if self.soa is None:
            raise ValidationError("a zone without a SOA has no serial")
        serial = next_serial(self.soa.serial, day)
        return attrs.evolve(self, soa=attrs.evolve(self.soa, serial=serial))
