r"""Zone master files: RFC 1035 section 5, `$TTL` of RFC 2308, `$GENERATE` of BIND.

A record is an entry whose key is its type in upper case and whose words always stand in this
order: owner, TTL, class, then the data. What is not written is a word of width zero: the owner of
a line that begins with a blank, a TTL, a class. A directive is an entry whose key is `$TTL`,
`$ORIGIN`, …, and whose words are its arguments. `node.args` is where the data begins. Words keep their escapes,
because `\.` in a name is not a dot; `unescape` undoes them where a word is a character string.

A record without an owner belongs to the owner above it. Removing and inserting whole records writes
that owner down wherever it would change: see `ZoneSyntax.revise`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from sys import intern

from clusternas.core.syntax.tree import LineSyntax, Node, Problem, Statement, Tree, Word
from clusternas.core.syntax.zone_edits import (
    hand_on,
    heir_of,
    insertion,
    rewrite_data,
    rewrite_optional,
    rewrite_owner,
    steals,
)
from clusternas.core.syntax.zone_scan import (
    ARGUMENTS,
    BLANK_LINE,
    EOL,
    HEAD,
    IS_CLASS,
    SIMPLE,
    entry,
    inherits,
    is_absolute,
    line_begin,
    qualify,
    unescape,
    words_between,
)
from clusternas.core.text import Edit

__all__ = ["HEAD", "ZoneSyntax", "inherits", "is_absolute", "qualify", "unescape"]

SOA_FIELDS = ("serial", "refresh", "retry", "expire", "minimum")
BAD_ESCAPE = re.compile(
    r"(?:[^\\]|\\\D)*?(\\(?:\d(?!\d\d)|2(?:5[6-9]|[6-9]\d)|[3-9]\d\d|\Z))", re.DOTALL
)


class ZoneSyntax(LineSyntax):
    """The grammar of zone master files; the module says how words are laid out."""

    name = "zone"
    indent = "\t\t\t"
    tail = re.compile(rf"[ \t]*+(?:;[^\n]*+)?+{EOL}")

    def fold(self, key: str) -> str:
        """Types and directives are read in any case."""
        return key.upper()

    def spelling(self, node: Node) -> str:
        """The type or directive as the text has it."""
        return node.tree.text[node.args - len(node.key) : node.args]

    def cut(self, section: Node) -> list[Node]:
        """All records and directives, in order."""
        tree, at, end = section.tree, section.body, section.body_end
        text, nodes, depth = tree.text, list[Node](), section.depth + 1
        add, simple, blank = nodes.append, SIMPLE.match, BLANK_LINE.match
        overlooked: set[int] = set()
        while at < end:
            if match := simple(text, at, end):
                lead, _, args = match.end(1), match.start(2), match.end(2)
                start, stop = (lead if lead > at else at), match.end(3)
                add(Node(tree, intern(match[2].upper()), start, args, stop, stop, -1, -1, depth))
                at = match.end()
            elif match := blank(text, at, end):
                at = match.end()
            else:
                node, at = entry(tree, at, end, depth, overlooked)
                if node:
                    add(node)
        first = next((node for node in nodes if not node.key.startswith("$")), None)
        if first and inherits(first):
            message, help = "there is no owner above to inherit", "begin the line with a name"
            tree.problems.append(Problem(first.start, first.args, message, help, fatal=True))
        return nodes

    def words(self, node: Node) -> list[Word]:
        """Owner, TTL, class and data of a record; the arguments of a directive."""
        text = node.tree.text
        data = words_between(text, node.args, node.args_end)
        if node.key.startswith("$"):
            return data
        kind = node.args - len(node.key)
        head = words_between(text, node.start, kind)
        owner = _nothing(line_begin(text, node.start)) if inherits(node) else head.pop(0)
        of_class = next((word for word in head if IS_CLASS.fullmatch(word.text)), None)
        ttl = next((word for word in head if word is not of_class), None)
        klass = of_class or _nothing(kind)
        return [owner, ttl or _nothing(klass.start), klass, *data]

    def check(self, tree: Tree) -> None:
        """Escapes, directives with too few or too many words, a byte order mark."""
        if tree.text.startswith("\ufeff"):
            message, help = "a byte order mark, which named takes for a name", "save it without"
            tree.problems.append(Problem(0, 1, message, help, fatal=True))
        for node in tree.root.children:
            if tree.text.find("\\", node.start, node.end) >= 0:
                tree.problems += _bad_escapes(node)
            if node.key in ARGUMENTS:
                least, most = ARGUMENTS[node.key]
                if not least <= len(node.words) <= most:
                    message = f"{node.key} takes {least} to {most} words"
                    tree.problems.append(Problem(node.start, node.end, message, fatal=True))

    def lines(self, statement: Statement, indent: str, unit: str) -> list[str]:
        """A record in columns set by tabs; a SOA with a comment on each of its numbers."""
        key, words = statement.key, statement.words
        if key.startswith("$"):
            return [" ".join((key, *words))]
        owner, data = words[0], words[HEAD:]
        head = [owner, *(word for word in words[1:HEAD] if word), key]
        if key.upper() != "SOA" or len(data) != 2 + len(SOA_FIELDS):
            return ["\t".join((*head, " ".join(data)))]
        fields = [*data[2:-1], data[-1] + " )"]
        width = max(map(len, fields))
        rows = (f"{self.indent}{field:<{width}} ; " for field in fields)
        first = "\t".join((*head, " ".join((*data[:2], "("))))
        return [first, *map("".join, zip(rows, SOA_FIELDS, strict=True))]

    def rewrite(self, node: Node, words: Sequence[str]) -> list[Edit]:
        """Give a record or directive other words; an empty one takes the old word out.

        An owner that is changed or taken out is not handed on: that is what `revise` does for whole
        records.
        """
        old, text = self.words(node), node.tree.text
        if node.key.startswith("$"):
            return rewrite_data(node, old, words)
        edits = rewrite_data(node, old[HEAD:], words[HEAD:])
        for word, new in zip(old[1:HEAD], words[1:HEAD], strict=True):
            edits += rewrite_optional(text, word, new)
        if text[old[0].start : old[0].end] != words[0]:
            edits += rewrite_owner(node, old[0], words[0])
        return edits

    def remove(self, parent: Node, node: Node) -> list[Edit]:
        """Take a record out; one that had its owner from it is given the owner's name."""
        return self.revise(parent, [node], [])

    def insert(
        self, parent: Node, after: Node | None, statements: Sequence[Statement]
    ) -> list[Edit]:
        """Write new records after another, in its columns."""
        return self.revise(parent, [], [(after, statements)])

    def revise(
        self,
        section: Node,
        removed: Sequence[Node],
        inserted: Sequence[tuple[Node | None, Sequence[Statement]]],
    ) -> list[Edit]:
        """Remove and insert records at once, so that every other record keeps its owner.

        Args:
            section: the root of the tree.
            removed: some of its statements.
            inserted: new statements, each with the one they follow, or None for the first place.

        Raises:
            ValidationError: a record would need an owner that its `$ORIGIN` cannot express.
        """
        gone = set(map(id, removed))
        heirs: dict[int, Edit] = {}
        edits: list[Edit] = []
        for node in removed:
            edits += super().remove(section, node)
            if not (node.key.startswith("$") or inherits(node)):
                heirs |= _inherit(section, node, gone)
        for after, statements in inserted:
            edits += insertion(self, section, after, statements)
            if after and steals(section, after, statements):
                heirs |= _inherit(section, after, gone)
        return edits + list(heirs.values())


def _inherit(section: Node, giver: Node, gone: set[int]) -> dict[int, Edit]:
    heir = heir_of(section, giver, gone)
    return {heir.start: hand_on(section, giver, heir)} if heir else {}


def _nothing(place: int) -> Word:
    return Word("", place, place)


def _bad_escapes(node: Node) -> Iterator[Problem]:
    help = "write \\DDD with three digits up to 255, or \\ and one character"
    for word in node.words:
        if match := BAD_ESCAPE.match(word.text):
            yield Problem(word.start, word.end, f"bad escape {match[1]}", help, fatal=True)
