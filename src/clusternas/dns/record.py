"""The records of a zone file."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from clusternas.core.codec import Codec
from clusternas.core.fields import argument, arguments, keyword
from clusternas.core.model import Model
from clusternas.core.syntax.zone import HEAD, ZoneSyntax
from clusternas.dns.codecs import CLASS, DATA, NAME, OPTIONAL_TTL, seconds

__all__ = ["SOA", "Soa", "ZoneModel", "ZoneRecord"]


class ZoneModel(Model):
    """Base of what stands in a zone file."""

    syntax = ZoneSyntax()
    tool = "dns"


@attrs.frozen(kw_only=True, slots=False, repr=False)
class ZoneRecord(ZoneModel):
    """A record (RFC 1035 section 5.1).

    A line that begins with a blank has the owner of the line above; when that one goes, the owner
    is written down here. Words are as they are spelled, quotes included.

    Attributes:
        owner: its name, relative to the `$ORIGIN` in force unless it ends with a dot.
        ttl: seconds; None takes the default.
        class_: `IN`, or None where it is not written.
        type: `A`, `AAAA`, `CNAME`, …
        data: the fields after the type.
    """

    is_section = False
    owner: str = argument(NAME, 0)
    ttl: int | None = argument(OPTIONAL_TTL, 1, default=None)
    class_: str | None = argument(CLASS, 2, default=None)
    type: str = keyword(default="A")
    data: tuple[str, ...] = arguments(DATA, HEAD)

    @property
    def name(self) -> str:
        """What it is looked up by: `cluster A`."""
        return f"{self.owner} {self.type.upper()}"

    def words(self) -> tuple[str, ...]:
        """Its words in the order of the grammar, empty for what is not written."""
        ttl = "" if self.ttl is None else str(self.ttl)
        return (self.owner, ttl, self.class_ or "", *self.data)


@attrs.frozen(kw_only=True)
class Soa:
    """The start of authority of a zone (RFC 1035 section 3.3.13); times in seconds.

    Attributes:
        mname: the primary server.
        rname: the mailbox of who is responsible, its `@` written as a dot.
        serial: the version of the zone.
        refresh, retry, expire: for secondaries.
        minimum: how long "there is no such name" may be kept (RFC 2308).
        owner: the zone's name.
        ttl, class_: as in a record.
    """

    mname: str
    rname: str
    serial: int
    refresh: int = 3600
    retry: int = 600
    expire: int = 604800
    minimum: int = 60
    owner: str = "@"
    ttl: int | None = None
    class_: str | None = "IN"
    _spelled: tuple[str, ...] = attrs.field(default=(), eq=False, repr=False, alias="_spelled")
    """The words it was read from: what did not change keeps its spelling, like `1h`."""


NUMBERS = ("serial", "refresh", "retry", "expire", "minimum")


def _decode_soa(words: Sequence[str]) -> Soa:
    owner, ttl, klass, mname, rname, serial, *times = words
    if len(times) != len(NUMBERS) - 1 or not serial.isdecimal():
        raise ValueError("not two names, a serial and four times")
    return Soa(
        owner=owner,
        ttl=seconds(ttl) if ttl else None,
        class_=klass.upper() or None,
        mname=mname,
        rname=rname,
        serial=int(serial),
        **dict(zip(NUMBERS[1:], map(seconds, times), strict=True)),
        _spelled=tuple(words),
    )


def _encode_soa(soa: object) -> tuple[str, ...]:
    if not isinstance(soa, Soa):
        raise ValueError(f"not a Soa: {soa!r}")
    numbers = [str(getattr(soa, name)) for name in NUMBERS]
    ttl = "" if soa.ttl is None else str(soa.ttl)
    words = (soa.owner, ttl, soa.class_ or "", soa.mname, soa.rname, *numbers)
    DATA.encode(tuple(word for word in words if word))
    if not soa._spelled:
        return words
    before = _decode_soa(soa._spelled)
    names = ("owner", "ttl", "class_", "mname", "rname", *NUMBERS)
    kept = (getattr(before, name) == getattr(soa, name) for name in names)
    return tuple(
        old if same else new for old, new, same in zip(soa._spelled, words, kept, strict=True)
    )


SAMPLE = Soa(mname="node1.lab.test.", rname="root.lab.test.", serial=2026112301)
SOA = Codec(_decode_soa, _encode_soa, "two names, a serial and four times", samples=(SAMPLE,))
