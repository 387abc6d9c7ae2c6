"""Record sets: all records of one name and type (RFC 2181 section 5)."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from clusternas.core.syntax.zone import HEAD, is_absolute
from clusternas.core.syntax.zone_scan import words_between
from clusternas.dns.record import ZoneRecord
from clusternas.dns.resolve import Resolved

__all__ = ["RrSet", "group", "relative", "replace", "split"]


@attrs.frozen(kw_only=True)
class RrSet:
    """All records of one name and type.

    Attributes:
        name: absolute, where the origin is known.
        type: like `A`.
        ttl: seconds, None where nothing tells.
        data: of each record, its fields joined by blanks.
        places: the indices of the records in `ZoneFile.records`.
    """

    name: str
    type: str
    ttl: int | None
    data: tuple[str, ...]
    places: tuple[int, ...]


def group(resolved: Sequence[Resolved]) -> dict[tuple[str, str], RrSet]:
    """The sets of some records, by name in lower case and type."""
    found: dict[tuple[str, str], list[int]] = {}
    for place, each in enumerate(resolved):
        found.setdefault((each.name.lower(), each.node.key), []).append(place)
    return {
        key: RrSet(
            name=resolved[places[0]].name,
            type=key[1],
            ttl=resolved[places[0]].ttl,
            data=tuple(" ".join(resolved[place].node.values[HEAD:]) for place in places),
            places=tuple(places),
        )
        for key, places in found.items()
    }


def relative(name: str, origin: str) -> str:
    """How an absolute name is written under an origin.

    >>> relative("cluster.lab.test.", "lab.test."), relative("lab.test.", "lab.test.")
    ('cluster', '@')
    """
    if not is_absolute(name) or not origin:
        return name
    if name.lower() == origin.lower():
        return "@"
    return name[: -len(origin) - 1] if name.lower().endswith("." + origin.lower()) else name


def replace(
    records: Sequence[ZoneRecord], places: Sequence[int], after: int, news: Sequence[ZoneRecord]
) -> list[ZoneRecord]:
    """The records with those at some places replaced by new ones, with few lines changed.

    A record that stays has its place; others take the places of those that go; more follow `after`.
    """
    left = list(news)
    fate: dict[int, ZoneRecord | None] = {}
    for place in places:
        twin = next((new for new in left if new.data == records[place].data), None)
        if twin:
            left.remove(twin)
            fate[place] = _written(records[place], twin)
    for place in places:
        if place not in fate:
            fate[place] = _written(records[place], left.pop(0)) if left else None
    kept = [fate.get(place, record) for place, record in enumerate(records)]
    kept[after + 1 : after + 1] = left
    return [record for record in kept if record]


def _written(old: ZoneRecord, new: ZoneRecord) -> ZoneRecord:
    """The old record with the data and TTL of the new one; itself where they are the same."""
    if (old.data, old.ttl) == (new.data, new.ttl):
        return old
    return attrs.evolve(old, data=new.data, ttl=new.ttl)


def split(data: str) -> tuple[str, ...]:
    """The fields of a record's data, quoted strings whole."""
    return tuple(word.text for word in words_between(data, 0, len(data)))
