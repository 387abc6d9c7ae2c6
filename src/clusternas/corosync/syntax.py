"""corosync.conf with the nodes of `nodelist { }` on the top level."""

from __future__ import annotations

import re

from clusternas.core.syntax.blocks import CorosyncSyntax
from clusternas.core.syntax.holders import HolderSyntax
from clusternas.core.syntax.tree import Document, Node, Problem

__all__ = ["CorosyncConfSyntax"]

STORABLE = re.compile(r"[A-Za-z0-9._/:-]{3,254}")
"""What exec/icmap.c takes as a key: the names of the sections and of the entry, joined by dots."""


class CorosyncConfSyntax(HolderSyntax, CorosyncSyntax):
    """corosync.conf whose node list is transparent.

    Example:
        >>> text = "nodelist {\\n  node {\\n    nodeid: 1\\n  }\\n}\\n"
        >>> [node.key for node in CorosyncConfSyntax().parse(text).root.children]
        ['nodelist/node']
    """

    holders = frozenset({"nodelist"})

    def check(self, tree: Document) -> None:
        """Report keys that corosync cannot store: it says CS_ERR_NAME_TOO_LONG and ends."""
        self._check(tree.root, "")

    def _check(self, section: Node, path: str) -> None:
        for node in section.children:
            name = f"{path}{node.key}"
            if node.body >= 0:
                self._check(node, f"{name}.")
            elif not STORABLE.fullmatch(name):
                message = f"corosync cannot store a key {name!r}"
                help_ = "3 to 254 letters, digits and . _ - / : with the names of its sections"
                node.tree.problems.append(Problem(node.start, node.end, message, help_, fatal=True))
