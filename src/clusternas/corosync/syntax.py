"""corosync.conf with the nodes of `nodelist { }` on the top level."""

from __future__ import annotations

from clusternas.core.syntax.blocks import CorosyncSyntax
from clusternas.core.syntax.holders import HolderSyntax

__all__ = ["CorosyncConfSyntax"]


class CorosyncConfSyntax(HolderSyntax, CorosyncSyntax):
    """corosync.conf whose node list is transparent.

    Example:
        >>> text = "nodelist {\\n  node {\\n    nodeid: 1\\n  }\\n}\\n"
        >>> [node.key for node in CorosyncConfSyntax().parse(text).root.children]
        ['nodelist/node']
    """

    holders = frozenset({"nodelist"})
