"""Sections that only hold others, left out of the tree.

The nodes of a cluster stand in `<clusternodes>` or `nodelist { }`, the methods of a node in
`<fence>`. Such a holder says nothing itself, so what it holds counts as children of the section
around, under a key that names both: `clusternodes/clusternode`, `nodelist/node`. Edits put new ones
into the holder that is there, and make one where there is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from attrs import evolve

from clusternas.core.syntax.tree import Node, Statement, Syntax
from clusternas.core.text import Edit

__all__ = ["HolderSyntax"]


class HolderSyntax(Syntax):
    """Makes the holders of another syntax transparent; to be named before that syntax.

    Attributes:
        holders: their keys.
    """

    holders: ClassVar[frozenset[str]]

    def cut(self, section: Node) -> list[Node]:
        """As the syntax does, with the sections in a holder in its place."""
        found: list[Node] = []
        for node in super().cut(section):  # type: ignore[safe-super]
            if node.body >= 0 and node.key in self.holders:
                inside = [inner for inner in node.children if inner.body >= 0]
                for inner in inside:
                    inner.key = f"{node.key}/{inner.key}"
                found += inside
            else:
                found.append(node)
        return found

    def render(self, statements: Sequence[Statement]) -> str:
        """As the syntax does, with the holders."""
        return super().render(held(statements))  # type: ignore[safe-super]

    def text_at(self, node: Node, statement: Statement) -> str:
        """As the syntax does; the holder is around it already."""
        return super().text_at(node, bare(statement))  # type: ignore[safe-super]

    def insert(
        self, parent: Node, after: Node | None, statements: Sequence[Statement]
    ) -> list[Edit]:
        """As the syntax does, each into its holder; holders that are missing are made."""
        edits: list[Edit] = []
        loose: list[Statement] = []
        homes: dict[str, list[Statement]] = {}
        holders = list(self._holders(parent))
        kinds = {holder.key for holder in holders}
        for statement in statements:
            kind = kind_of(statement)
            if kind in kinds:
                homes.setdefault(kind, []).append(bare(statement))
            else:
                loose.append(statement)
        around = next((holder for holder in holders if _holds(holder, after)), None)
        for kind, inside in homes.items():
            same = [holder for holder in holders if holder.key == kind]
            home = around if around in same and around is not None else same[-1]
            place = after if home is around else _last(home)
            edits += super().insert(home, place, inside)  # type: ignore[safe-super]
        if loose:
            edits += super().insert(parent, around or after, held(loose))  # type: ignore[safe-super]
        return edits

    def _holders(self, parent: Node) -> Iterator[Node]:
        for node in super().cut(parent):  # type: ignore[safe-super]
            if node.body >= 0 and node.key in self.holders:
                yield node


def kind_of(statement: Statement) -> str:
    """The holder that a statement belongs into, or an empty string."""
    return statement.key.rpartition("/")[0]


def bare(statement: Statement) -> Statement:
    """A statement for the inside of its holder; those of its children are around them."""
    inside = None if statement.children is None else tuple(held(statement.children))
    return evolve(statement, key=statement.key.rpartition("/")[2], children=inside)


def held(statements: Sequence[Statement]) -> list[Statement]:
    """Statements with holders around those that need them, each where its first one stood."""
    found: list[Statement] = []
    places: dict[str, int] = {}
    inside: dict[str, list[Statement]] = {}
    for statement in statements:
        kind = kind_of(statement)
        if not kind:
            found.append(bare(statement))
            continue
        if kind not in places:
            places[kind] = len(found)
            found.append(statement)
        inside.setdefault(kind, []).append(bare(statement))
    for kind, place in places.items():
        found[place] = Statement(kind, (), tuple(inside[kind]))
    return found


def _holds(holder: Node, node: Node | None) -> bool:
    return node is not None and holder.body <= node.start < holder.end


def _last(holder: Node) -> Node | None:
    inside = [node for node in holder.children if node.body >= 0]
    return inside[-1] if inside else None
