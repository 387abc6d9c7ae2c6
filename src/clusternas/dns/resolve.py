"""What a zone file means: whole names and TTLs, as named gives them to its records.

BIND 9.18 lib/dns/master.c: a record without a TTL has that of the last `$TTL`; without one, the
last TTL written above (RFC 1035); without any, the minimum of the SOA. The first record of a set
decides for all of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from clusternas.core.syntax.tree import Document
from clusternas.core.syntax.zone import Record, is_absolute, qualify
from clusternas.dns.codecs import MAX_TTL, seconds

__all__ = ["Resolved", "resolve"]


class Resolved(NamedTuple):
    """A record with what it has from lines above.

    Attributes:
        node: the record.
        name: its whole name; as it is written where the origin is not known.
        ttl: seconds; None where nothing tells.
        origin: what names in its data are relative to.
        default: the TTL of a record below it that says none.
    """

    node: Record
    name: str
    ttl: int | None
    origin: str
    default: int | None


class Reader:
    """Goes through a zone from above, keeping what is in force."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.name = ""
        self.default: int | None = None
        self.last: int | None = None
        self.sets: dict[tuple[str, str], int | None] = {}

    def directive(self, key: str, words: list[str]) -> None:
        """`$ORIGIN` and `$TTL` change what is in force."""
        if key == "$ORIGIN" and words:
            self.origin = qualify(words[0], self.origin) or words[0]
        elif key == "$TTL" and words:
            self.default = _seconds(words[0])

    def record(self, node: Record) -> Resolved:
        """A record: its name and TTL."""
        owner, ttl, _, *data = node.values
        if not node.inherits:
            self.name = qualify(owner, self.origin) or owner
        key = (self.name.lower(), node.key)
        self.last = self.sets.setdefault(key, self._ttl(node.key, ttl, data))
        default = self.last if self.default is None else self.default
        return Resolved(node, self.name, self.last, self.origin, default)

    def _ttl(self, key: str, written: str, data: list[str]) -> int | None:
        if written:
            return _seconds(written)
        if self.default is None and self.last is None and key == "SOA" and len(data) == 7:
            self.default = _seconds(data[-1])
        return self.last if self.default is None else self.default


def _seconds(word: str) -> int | None:
    try:
        found = seconds(word)
    except ValueError:
        return None
    return found if found <= MAX_TTL else 0


def resolve(tree: Document, origin: str = "") -> Iterator[Resolved]:
    """All records of a zone file with their names and TTLs, in its order.

    What `$INCLUDE` and `$GENERATE` bring is not among them.

    Args:
        tree: of the file.
        origin: the zone's name, which named takes from its own configuration.
    """
    reader = Reader(f"{origin}." if origin and not is_absolute(origin) else origin)
    for node in tree.root.children:
        if isinstance(node, Record):
            yield reader.record(node)
        else:
            reader.directive(node.key, node.values)
