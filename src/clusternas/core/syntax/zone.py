r"""Zone master files: RFC 1035 section 5, `$TTL` of RFC 2308, `$GENERATE` of BIND.

A record is an entry whose key is its type in upper case and whose words always stand in this
order: owner, TTL, class, then the data. What is not written is a word of width zero: a TTL, a
class, and the owner of a line that begins with a blank (whose text is then the owner it has from
the line above). A directive is an entry whose key is `$TTL`, `$ORIGIN`, …, and whose words are its
arguments. `node.args` is where the data begins. Words are as they are spelled, quotes and escapes
included, because `\.` in a name is not a dot; `unquote` reads character strings.

Removing, inserting and renaming records keeps the owner of every other: see `ZoneSyntax.revise`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from sys import intern

from clusternas.core.syntax.tree import Document, Node, Problem, Statement, Word
from clusternas.core.syntax.zone_edits import (
    Lines,
    Revision,
    put_lines,
    rewrite_data,
    rewrite_head,
)
from clusternas.core.syntax.zone_scan import (
    BLANK_LINE,
    DIRECTIVES,
    EOL,
    HEAD,
    IS_CLASS,
    SIMPLE,
    Record,
    entry,
    is_absolute,
    qualify,
    quote,
    unquote,
    words_between,
)
from clusternas.core.text import Edit

__all__ = ["HEAD", "Record", "ZoneSyntax", "is_absolute", "qualify", "quote", "unquote"]

SOA_FIELDS = ("serial", "refresh", "retry", "expire", "minimum")
ODD = re.compile(r"""[()";\\\r\n]""")
PIECES = re.compile(r"[^ \t]++").findall
BAD_ESCAPE = re.compile(
    r"(?:[^\\]|\\\D|\\(?:[01]\d\d|2[0-4]\d|25[0-5]))*+(\\\d{0,3})", re.DOTALL | re.ASCII
)


class ZoneSyntax(Lines):
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
        text, nodes, holder = tree.text, list[Node](), None
        simple, blank, overlooked = SIMPLE.match, BLANK_LINE.match, set[int]()
        while at < end:
            if match := simple(text, at, end):
                stop = match.end(3)
                node = Record(tree, intern(match[2].upper()), at, match.end(2), stop, stop)
                node.holder = None
                if match[1]:
                    node.holder = holder
                else:
                    holder = node
                nodes.append(node)
                at = match.end()
            elif match := blank(text, at, end):
                at = match.end()
            else:
                odd, at = entry(tree, at, end, overlooked)
                if odd:
                    nodes.append(odd)
                if isinstance(odd, Record):
                    odd.holder = holder if odd.inherits else None
                    holder = holder if odd.inherits else odd
        return nodes

    def words(self, node: Node) -> list[Word]:
        """Owner, TTL, class and data of a record; the arguments of a directive."""
        text = node.tree.text
        data = words_between(text, node.args, node.args_end)
        if not isinstance(node, Record):
            return data
        kind = node.args - len(node.key)
        head = words_between(text, node.start, kind)
        owner = Word(node.owner, node.start, node.start) if node.inherits else head.pop(0)
        of_class = next((word for word in head if IS_CLASS.fullmatch(word.text)), None)
        ttl = next((word for word in head if word is not of_class), None)
        klass = of_class or Word("", kind, kind)
        return [owner, ttl or Word("", klass.start, klass.start), klass, *data]

    def values(self, node: Node) -> list[str]:
        """The texts of the words; quicker than by way of the words where a record is simple."""
        text = node.tree.text
        if not isinstance(node, Record) or ODD.search(text, node.start, node.end):
            return super().values(node)
        head = PIECES(text, node.start, node.args - len(node.key))
        if node.inherits:
            head.insert(0, node.owner)
        ttl = klass = ""
        for word in head[1:]:
            if word[0].isdecimal():
                ttl = word
            else:
                klass = word
        return [head[0], ttl, klass, *PIECES(text, node.args, node.args_end)]

    def check(self, tree: Document) -> None:
        """Escapes, owners, directives with too few or too many words, a byte order mark."""
        if tree.text.startswith("\ufeff"):
            message, help = "a byte order mark, which named takes for a name", "save it without"
            tree.problems.append(Problem(0, 1, message, help, fatal=True))
        for node in tree.root.children:
            if tree.text.find("\\", node.start, node.end) >= 0:
                tree.problems += _bad_escapes(node)
            if not isinstance(node, Record):
                tree.problems += _bad_directive(node)
        first = next((node for node in tree.root.children if isinstance(node, Record)), None)
        if first and first.inherits:
            message, help = "there is no owner above to inherit", "begin the line with a name"
            tree.problems.append(Problem(first.start, first.args, message, help, fatal=True))

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

        An owner is given, changed or taken out on this line only; `revise` cares for the others.
        """
        if isinstance(node, Record):
            return rewrite_head(node, words[:HEAD]) + rewrite_data(node, words, HEAD)
        return rewrite_data(node, words, 0)

    def remove(self, parent: Node, node: Node) -> list[Edit]:
        """Take a statement out; a record that had its owner from it is given the owner's name."""
        return self.revise(parent, removed=[node])

    def cut_out(self, parent: Node, node: Node) -> list[Edit]:
        """Take a statement out and leave all others alone."""
        return super().remove(parent, node)

    def insert(
        self, parent: Node, after: Node | None, statements: Sequence[Statement]
    ) -> list[Edit]:
        """Write new statements: `$TTL` and `$ORIGIN` before all others, the rest after a node."""
        first = [new for new in statements if new.key in ("$TTL", "$ORIGIN")]
        rest = [new for new in statements if new not in first]
        if first and parent.children:
            edits = put_lines(self, parent, None, [self.lines(new, "", "")[0] for new in first])
            return edits + self.revise(parent, inserted=[(after, rest)])
        return self.revise(parent, inserted=[(after, statements)])

    def revise(
        self,
        section: Node,
        *,
        removed: Sequence[Node] = (),
        rewritten: Sequence[tuple[Node, Sequence[str]]] = (),
        inserted: Sequence[tuple[Node | None, Sequence[Statement]]] = (),
    ) -> list[Edit]:
        """Change records so that every record has the owner that it has or is given here.

        A record on a line without an owner keeps it that way where the owner above stays the same;
        elsewhere its owner is written down, in the place of blanks.

        Args:
            section: the root of the tree.
            removed: some of its statements.
            rewritten: others with all their words, the owner included.
            inserted: new statements, each with the one they follow, or None for the first place.

        Raises:
            ValidationError: an owner would have to be written that its `$ORIGIN` cannot express.
        """
        words: Mapping[int, Sequence[str]] = {id(node): new for node, new in rewritten}
        return Revision(self, section, {*map(id, removed)}, words, inserted).edits()


def _bad_escapes(node: Node) -> Iterator[Problem]:
    help = "write \\DDD with three digits up to 255, or \\ and one character"
    for word in node.words:
        if word.end > word.start and (match := BAD_ESCAPE.match(word.text)):
            yield Problem(word.start, word.end, f"bad escape {match[1]}", help, fatal=True)


def _bad_directive(node: Node) -> Iterator[Problem]:
    least, most = DIRECTIVES[node.key]
    if not least <= len(node.words) <= most:
        message = f"{node.key} takes {least} to {most} words"
        yield Problem(node.start, node.end, message, fatal=True)
