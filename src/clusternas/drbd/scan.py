"""The tokens behind a keyword, as the scanner of each generation cuts them.

See `drbdadm_scanner.fl` of drbd-utils. A bare word that is a keyword there is a keyword token, so
that `on disk { … }` is an error and `on "disk" { … }` is not.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from clusternas.core.syntax.tree import Node
from clusternas.drbd.options import readable

__all__ = ["Token", "longest", "reserved", "tokens"]

TOKEN = re.compile(
    r"[ \t\r\n]+|#[^\n]*"
    r'|(?P<s>"(?:[^"\\\n]|\\[^\n])*")'
    r"|(?P<a>\d{1,3}(?:\.\d{1,3}){3}(?![a-zA-Z0-9/._-]))"
    r"|(?P<i>\d{1,8}[MKGs]?(?![a-zA-Z0-9/._-]))"
    r"|(?P<w>[a-zA-Z0-9/._-]+)"
    r"|(?P<p>[\[\]:])"
    r"|(?P<x>.)",
    re.DOTALL,
)
STRUCTURE = frozenset(
    """on stacked-on-top-of floating no net yes ask via skip disk host hosts port proxy minor inside
    outside volume syncer device global common options address outside-address startup include
    handlers connection connection-mesh minor-count disable-ip-verification udev-always-use-vnr
    dialog-refresh resource meta-disk flexible-meta-disk node-id usage-count cmd-timeout-short
    cmd-timeout-medium cmd-timeout-long template-file path tiebreaker sci ssocks sdp ipv4 ipv6
    _this_host _remote_host _peer_node_id _cstate _unknown""".split()
)
OLD_STRUCTURE = frozenset("ignore-on alternate-link-address protocol _is_default".split())
LONGEST_TEXT = 255


class Token(NamedTuple):
    """A token.

    Attributes:
        kind: `s` quoted, `w` word, `k` keyword, `i` integer, `a` IPv4, `p` punctuation, `x` junk.
        text: as it is spelled.
    """

    kind: str
    text: str


def longest(generation: str) -> int:
    """The most characters of a bare word."""
    return 80 if generation == "8.3" else 128


def reserved(generation: str) -> frozenset[str]:
    """The words that are keywords everywhere: 9 has those of the structure, 8.x every option."""
    if generation == "9":
        return STRUCTURE
    return STRUCTURE | OLD_STRUCTURE | {name for _, name in readable(generation)}


def tokens(node: Node, generation: str) -> list[Token]:
    """The tokens between the keyword of a statement and its `;` or `{`."""
    text, keywords = node.tree.text, reserved(generation)
    found = []
    for match in TOKEN.finditer(text, node.args, node.args_end):
        kind, word = match.lastgroup, match.group()
        if kind is None:
            continue
        size = len(word.encode("utf-8", "surrogateescape"))
        if kind == "w" and word in keywords:
            kind = "k"
        if (kind == "s" and size > LONGEST_TEXT + 2) or (
            kind == "w" and size > longest(generation)
        ):
            kind = "x"
        found.append(Token(kind, word))
    return found
