"""cluster.conf as a model wants it: elements that only hold others are left out of the tree.

The nodes of a cluster stand in `<clusternodes>`, the methods of a node in `<fence>`. Those holders
say nothing themselves, so their children are children of the element around, under a key that names
both: `clusternodes/clusternode`, `fence/method`. Edits put new ones into the holder that is there,
and make one where there is none.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve

from clusternas.core.syntax.tree import Node, Statement
from clusternas.core.syntax.xml import Element, XmlSyntax
from clusternas.core.text import Edit

__all__ = ["ClusterConfSyntax"]

HOLDERS = frozenset(
    {"clusternodes", "fencedevices", "fence", "unfence", "failoverdomains", "resources"}
)


class ClusterConfSyntax(XmlSyntax):
    """XML whose holders are transparent.

    Example:
        >>> text = '<cluster><clusternodes><clusternode name="a"/></clusternodes></cluster>'
        >>> [node.key for node in ClusterConfSyntax().parse(text).root.children[0].children]
        ['clusternodes/clusternode']
    """

    name = "cluster.conf"

    def cut(self, section: Node) -> list[Node]:
        """As XML, with the children of holders in the place of the holders."""
        found: list[Node] = []
        for node in super().cut(section):
            if isinstance(node, Element) and node.key in HOLDERS:
                for inner in node.elements:
                    inner.key = f"{node.key}/{inner.key}"
                found += node.elements
            else:
                found.append(node)
        return found

    def render(self, statements: Sequence[Statement]) -> str:
        """As XML, with the holders. A cluster needs `<clusternodes>`, even an empty one."""
        nodes = Statement("clusternodes", (), ())
        found = [held(statement) for statement in statements]
        for place, cluster in enumerate(found):
            inside = cluster.children or ()
            if cluster.key == "cluster" and all(child.key != nodes.key for child in inside):
                found[place] = evolve(cluster, children=(*inside, nodes))
        return super().render(found)

    def text_at(self, node: Node, statement: Statement) -> str:
        """As XML; the holder is around it already."""
        return super().text_at(node, bare(statement))

    def insert(
        self, parent: Node, after: Node | None, statements: Sequence[Statement]
    ) -> list[Edit]:
        """As XML, each into its holder; holders that are missing are made."""
        edits: list[Edit] = []
        loose: list[Statement] = []
        holders = _holders(parent)
        homes: dict[str, list[Statement]] = {}
        for statement in statements:
            kind = statement.key.rpartition("/")[0]
            if kind in holders:
                homes.setdefault(kind, []).append(bare(statement))
            else:
                loose.append(statement)
        for kind, inside in homes.items():
            home = next((each for each in holders[kind] if _holds(each, after)), holders[kind][-1])
            last = home.elements[-1] if home.elements else None
            edits += super().insert(home, after if _holds(home, after) else last, inside)
        if loose:
            around = [each for found in holders.values() for each in found]
            outer = next((each for each in around if _holds(each, after)), after)
            grouped = held(Statement("", (), tuple(loose))).children or ()
            edits += super().insert(parent, outer, grouped)
        return edits


def bare(statement: Statement) -> Statement:
    """A statement without the holder in its key, and with those of its children around them."""
    return held(evolve(statement, key=statement.key.rpartition("/")[2]))


def held(statement: Statement) -> Statement:
    """A statement with holders around those of its children that need them."""
    if statement.children is None:
        return statement
    found: dict[str, list[Statement]] = {}
    for place, child in enumerate(statement.children):
        kind = child.key.rpartition("/")[0]
        found.setdefault(kind or str(place), []).append(child)
    children: list[Statement] = []
    for kind, inside in found.items():
        if kind.isdecimal():
            children += map(held, inside)
        else:
            children.append(Statement(kind, (), tuple(map(bare, inside))))
    return evolve(statement, children=tuple(children))


def _holders(parent: Node) -> dict[str, list[Element]]:
    """The holders directly in an element."""
    found: dict[str, list[Element]] = {}
    for node in parent.elements if isinstance(parent, Element) else ():
        if isinstance(node, Element) and node.key in HOLDERS:
            found.setdefault(node.key, []).append(node)
    return found


def _holds(holder: Element, node: Node | None) -> bool:
    return node is not None and holder.body <= node.start < holder.end
