"""cluster.conf: XML in which some elements only hold others."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve

from clusternas.core.syntax.holders import HolderSyntax
from clusternas.core.syntax.tree import Statement
from clusternas.core.syntax.xml import XmlSyntax

__all__ = ["ClusterConfSyntax"]

NODES = Statement("clusternodes", (), ())


class ClusterConfSyntax(HolderSyntax, XmlSyntax):
    """XML whose holders are transparent.

    Example:
        >>> text = '<cluster><clusternodes><clusternode name="a"/></clusternodes></cluster>'
        >>> [node.key for node in ClusterConfSyntax().parse(text).root.children[0].children]
        ['clusternodes/clusternode']
    """

    name = "cluster.conf"
    holders = frozenset(
        {"clusternodes", "fencedevices", "fence", "unfence", "failoverdomains", "resources"}
    )

    def render(self, statements: Sequence[Statement]) -> str:
        """As XML. A cluster has `<clusternodes>`, even an empty one: the schema insists."""
        return super().render([_complete(statement) for statement in statements])


def _complete(statement: Statement) -> Statement:
    inside = statement.children or ()
    if statement.key != "cluster" or any(child.key.startswith(NODES.key) for child in inside):
        return statement
    return evolve(statement, children=(*inside, NODES))
