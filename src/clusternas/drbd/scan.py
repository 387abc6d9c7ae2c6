"""The tokens behind a keyword, as the scanner of each generation cuts them.

See `drbdadm_scanner.fl` of drbd-utils. A bare word that is a keyword there is a keyword token, so
that `on disk { … }` is an error and `on "disk" { … }` is not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from clusternas.core.syntax.tree import Node
from clusternas.drbd.options import readable

__all__ = ["DEPRECATED", "Token", "longest", "reserved", "tokens"]

HEX = "[0-9a-fA-F]{1,4}"
IPV6 = rf"(?:(?:{HEX}:){{0,5}}{HEX})?:(?:{HEX})?:(?:{HEX}(?::{HEX}){{0,5}})?(?:%[a-zA-Z0-9/._-]+)?"
MAPPED = r"::[fF]{4}:(?:\d{1,3}\.){3}\d{1,3}"
TOKEN = re.compile(
    r"[ \t\r\n]+|#[^\n]*"
    r'|(?P<s>"(?:[^"\\\n]|\\[^\n])*")'
    rf"|(?P<six>{MAPPED}|{IPV6})"
    r"|(?P<a>\d{1,3}(?:\.\d{1,3}){3}(?![a-zA-Z0-9/._-]))"
    r"|(?P<v>\d+\.\d+\.\d+(?![a-zA-Z0-9/._-]))"
    r"|(?P<i>\d{1,8}[MKGs]?(?![a-zA-Z0-9/._-]))"
    r"|(?P<w>[a-zA-Z0-9/._-]+)"
    r"|(?P<p>[\[\]:])"
    r"|(?P<x>.)",
    re.DOTALL,
)
COMMON = frozenset(
    """on stacked-on-top-of floating no net yes ask skip disk proxy minor inside outside syncer
    device global common address startup include handlers minor-count disable-ip-verification
    dialog-refresh resource meta-disk flexible-meta-disk usage-count sci ssocks sdp ipv4 ipv6
    _this_host _remote_host""".split()
)
"""What is a keyword everywhere, in every generation."""
TIMEOUTS = frozenset("cmd-timeout-short cmd-timeout-medium cmd-timeout-long".split())
KEYWORDS: Mapping[str, frozenset[str]] = {
    "8.3": COMMON | {"ignore-on", "protocol", "_is_default"},
    "8.4": COMMON
    | TIMEOUTS
    | {"ignore-on", "protocol", "alternate-link-address", "volume", "options"}
    | {"udev-always-use-vnr"},
    "9": COMMON
    | TIMEOUTS
    | frozenset(
        """volume options udev-always-use-vnr via host hosts port connection connection-mesh node-id
        template-file path tiebreaker outside-address _peer_node_id _is_standalone""".split()
    ),
}
DEPRECATED = frozenset(
    "throttle-threshold hold-off-threshold delay-probe-volume delay-probe-interval".split()
)
"""Options of early 8.3, which 8.x reads and ignores."""
OLD_OPTIONS = DEPRECATED | {"plugin", "become-primary-on", "discard-my-data"}
"""Options of 8.x beside those of the table."""
LONGEST_TEXT = 255


class Token(NamedTuple):
    """A token.

    Attributes:
        kind: `s` quoted, `w` word, `k` keyword, `i` integer, `a` IPv4, `six` IPv6, `v` version of
            three numbers, `p` punctuation, `x` junk.
        text: as it is spelled.
        start: where it stands.
    """

    kind: str
    text: str
    start: int


def longest(generation: str) -> int:
    """The most characters of a bare word."""
    return 80 if generation == "8.3" else 128


@cache
def reserved(generation: str) -> frozenset[str]:
    """The words that are keywords everywhere: 9 has those of the structure, 8.x every option."""
    if generation == "9":
        return KEYWORDS["9"]
    return KEYWORDS[generation] | OLD_OPTIONS | {name for _, name in readable(generation)}


def tokens(node: Node, generation: str) -> list[Token]:
    """The tokens between the keyword of a statement and its `;` or `{`."""
    text, keywords = node.tree.text, reserved(generation)
    found = []
    for match in TOKEN.finditer(text, node.args, node.args_end):
        kind, word = match.lastgroup, match.group()
        if kind is None:
            continue
        size = len(word.encode("utf-8", "surrogateescape"))
        if kind == "v" and generation != "9":
            kind = "w"
        if kind == "w" and word in keywords:
            kind = "k"
        if (kind == "s" and size > LONGEST_TEXT + 2) or (
            kind == "w" and size > longest(generation)
        ):
            kind = "x"
        found.append(Token(kind, word, match.start()))
    return found
