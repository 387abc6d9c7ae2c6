"""Writing the records of a zone: all at once, because a line may have its owner from another."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

from clusternas.core.change import Change, match
from clusternas.core.fields import Section
from clusternas.core.keyed import Keyed
from clusternas.core.lower import Pending
from clusternas.core.model import Model
from clusternas.core.source import Source
from clusternas.core.syntax.tree import Node, Statement
from clusternas.core.syntax.zone import HEAD, Record, ZoneSyntax
from clusternas.dns.record import ZoneRecord

__all__ = ["ZoneChange"]


class ZoneChange(Change):
    """The edits that make a zone file say what a `ZoneFile` says.

    Records that stay in their order keep their lines. Others are written anew where they belong:
    moving a line would change what the lines below inherit.
    """

    def head(self, item: Model, key: str) -> tuple[str, tuple[str, ...]]:
        """The type and the words of a record."""
        if isinstance(item, ZoneRecord):
            return item.type, item.words()
        return super().head(item, key)

    def _sections(
        self,
        source: Source,
        name: str,
        meta: Section,
        before: Keyed[Any],
        after: Keyed[Any],
        pending: Pending,
    ) -> None:
        nodes = [place.node for place in source.where.get(name, [])]
        was, items = before.raw(), after.raw()
        matches = match(before, after, nodes)
        for to, at in enumerate(matches):
            if (
                at is not None
                and items[to] is not was[at]
                and after[to].type.upper() != nodes[at].key
            ):
                matches[to] = None
        kept = rising(matches)
        soa = source.where.get("soa")
        anchor = soa[0].node if soa else None
        rewritten: list[tuple[Node, Sequence[str]]] = []
        inserted: list[tuple[Node | None, Sequence[Statement]]] = []
        for to, at in enumerate(matches):
            if at is None or to not in kept:
                item = after[to]
                inserted.append((anchor, [Statement(item.type, item.words())]))
                continue
            anchor = nodes[at]
            if items[to] is not was[at]:
                rewritten.append((anchor, respelled(anchor, before[at], after[to])))
        staying = {matches[to] for to in kept}
        removed = [node for at, node in enumerate(nodes) if at not in staying]
        syntax = source.tree.syntax
        assert isinstance(syntax, ZoneSyntax)
        self.edits += syntax.revise(
            source.tree.root, removed=removed, rewritten=rewritten, inserted=inserted
        )


def respelled(node: Node, before: ZoneRecord, after: ZoneRecord) -> list[str]:
    """The words of a record, spelled as they were where they say the same."""
    assert isinstance(node, Record)
    text = node.tree.text
    spelled = [node.owner, *(text[word.start : word.end] for word in node.words[1:HEAD])]
    pairs = zip(spelled, before.words(), after.words(), strict=False)
    return [*(was if old == new else new for was, old, new in pairs), *after.data]


def rising(numbers: Sequence[int | None]) -> set[int]:
    """The indices of a longest rising subsequence; None counts for nothing.

    >>> sorted(rising([2, 0, None, 1, 3]))
    [1, 3, 4]
    """
    ends: list[int] = []
    places: list[int] = []
    before: dict[int, int | None] = {}
    for index, number in enumerate(numbers):
        if number is None:
            continue
        length = bisect_left(ends, number)
        before[index] = places[length - 1] if length else None
        ends[length : length + 1] = [number]
        places[length : length + 1] = [index]
    found: set[int] = set()
    last = places[-1] if places else None
    while last is not None:
        found.add(last)
        last = before[last]
    return found
