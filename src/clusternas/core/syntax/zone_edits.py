"""Edits on zone files: words in and out of a record, records in and out of a file.

Columns stay where they are as far as the words allow, and every record keeps its owner.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence, Set
from typing import NamedTuple

from clusternas.core.errors import ValidationError
from clusternas.core.syntax.tree import LineSyntax, Node, Statement, Word, newline_of
from clusternas.core.syntax.zone_scan import HEAD, Record, is_absolute, line_begin, qualify
from clusternas.core.text import Edit

__all__ = ["Lines", "Revision", "put_lines", "rewrite_data", "rewrite_head"]

MAX_COLUMN = 120
"""No column is kept beyond this, so that an odd line cannot make long ones."""


class Lines(LineSyntax):
    """What a revision needs of its syntax."""

    @abstractmethod
    def cut_out(self, parent: Node, node: Node) -> list[Edit]:
        """Take a statement out and leave all others alone."""


def rewrite_data(node: Node, words: Sequence[str], first: int) -> list[Edit]:
    """Replace words from one on; more follow the last, fewer go with the blanks before them."""
    text, old, new = node.tree.text, node.words[first:], words[first:]
    edits = [
        Edit(word.start, word.end, spelled)
        for word, spelled in zip(old, new, strict=False)
        if text[word.start : word.end] != spelled
    ]
    if len(new) > len(old):
        place = old[-1].end if old else node.args
        edits.append(Edit(place, place, " " + " ".join(new[len(old) :])))
    surplus = old[len(new) :]
    return edits + [Edit(line_begin(text, word.start), word.end, "") for word in surplus]


def rewrite_head(node: Record, words: Sequence[str]) -> list[Edit]:
    """Replace, put in or take out the owner, the TTL and the class of a record."""
    text = node.tree.text
    owner, ttl, klass = node.words[:HEAD]
    edits = _rewrite_optional(text, ttl, words[1]) + _rewrite_optional(text, klass, words[2])
    if text[owner.start : owner.end] != words[0]:
        edits += _rewrite_owner(node, owner, words[0])
    return edits


def _rewrite_optional(text: str, word: Word, new: str) -> list[Edit]:
    if text[word.start : word.end] == new:
        return []
    if word.start == word.end:
        gap = "\t" if text[word.start - 1] == "\t" else " "
        return [Edit(word.start, word.end, new + gap)]
    end = word.end
    while not new and text[end] in " \t":
        end += 1
    return [Edit(word.start, end, new)]


def _rewrite_owner(node: Record, word: Word, new: str) -> list[Edit]:
    if node.inherits:
        return [_give(node, new)]
    if new:
        return [Edit(word.start, word.end, new)]
    if word.start > node.start:  # behind a parenthesis, which must not begin the line any more
        return [Edit(node.start, node.start, " "), Edit(word.start, word.end, "")]
    blank = "" if node.tree.text[word.end] in " \t" else " "
    return [Edit(word.start, word.end, blank)]


def _give(node: Record, owner: str) -> Edit:
    """Put an owner in the place of blanks, so that the columns stay if they can."""
    text, end = node.tree.text, node.start
    while text[end] in " \t":
        end += 1
    blanks = text[node.start : end]
    wanted = _width(blanks)

    def moved(kept: int) -> int:
        return abs(_width(owner + blanks[-kept:]) - wanted)

    kept = min(range(1, min(len(blanks), MAX_COLUMN) + 1), key=moved)
    return Edit(node.start, end - kept, owner)


class Owner(NamedTuple):
    """An owner as it is written, and where: that decides which origin it is relative to."""

    name: str
    place: int


class Revision:
    """Changes to the records of a zone, made in one pass that knows what every line inherits."""

    def __init__(
        self,
        syntax: Lines,
        section: Node,
        gone: Set[int],
        words: Mapping[int, Sequence[str]],
        inserted: Sequence[tuple[Node | None, Sequence[Statement]]],
    ) -> None:
        self.syntax = syntax
        self.section = section
        self.gone = gone
        self.words = words
        self.inserted: dict[int | None, list[Statement]] = {}
        for after, statements in inserted:
            self.inserted.setdefault(id(after) if after else None, []).extend(statements)
        self.origins: list[Node] = []
        self.above: Record | Owner | None = None
        """What a line without an owner inherits here, in the text as it will be."""

    def edits(self) -> list[Edit]:
        """All edits, in the order of the text."""
        nodes = self.section.children
        edits: list[Edit] = []
        if first := self.inserted.get(None):
            if not nodes:
                return self.syntax.insert_first(self.section, first)
            record = next((at for at, it in enumerate(nodes) if isinstance(it, Record)), len(nodes))
            edits += self._insert(nodes[record - 1] if record else None, first)
        for node in nodes:
            edits += self._node(node)
            if new := self.inserted.get(id(node)):
                edits += self._insert(node, new)
        return edits

    def _node(self, node: Node) -> list[Edit]:
        if id(node) in self.gone:
            return self.syntax.cut_out(self.section, node)
        if not isinstance(node, Record):
            if node.key == "$ORIGIN":
                self.origins.append(node)
            words = self.words.get(id(node))
            return self.syntax.rewrite(node, words) if words else []
        words = self.words.get(id(node))
        if words:
            return self._rewrite(node, words)
        if not node.inherits:
            self.above = node
        elif node.holder and node.holder is not self.above:
            owner = Owner(node.owner, node.holder.start)
            if not self._inherits(owner):
                self.above = Owner(self._spelled(owner, node.start), node.start)
                return [_give(node, self.above.name)]
        return []

    def _rewrite(self, node: Record, words: Sequence[str]) -> list[Edit]:
        kept = words[0] == node.owner and node.holder
        owner = Owner(words[0], kept.start if kept else node.start)
        if node.inherits and self._inherits(owner):
            return self.syntax.rewrite(node, ["", *words[1:]])
        self.above = Owner(self._spelled(owner, node.start), node.start)
        return self.syntax.rewrite(node, [self.above.name, *words[1:]])

    def _insert(self, after: Node | None, statements: Sequence[Statement]) -> list[Edit]:
        rows: list[str] = []
        place = after.end if after else 0
        for new in statements:
            aligned = self.syntax.lines(new, "", "")
            if isinstance(after, Record) and len(aligned) == 1 and not new.key.startswith("$"):
                blank = after.inherits and self._inherits(Owner(new.words[0], place))
                aligned = [_aligned(new, after, "" if blank else new.words[0])]
            rows += aligned
            if not new.key.startswith("$"):
                self.above = Owner(new.words[0], place)
        return put_lines(self.syntax, self.section, after, rows)

    def _inherits(self, owner: Owner) -> bool:
        """Whether a line that says nothing would have this owner."""
        above = self.above
        if isinstance(above, Record):
            above = Owner(above.owner, above.start)
        if above is None or above.name.lower() != owner.name.lower():
            return False
        return is_absolute(owner.name) or not self._origin_between(above.place, owner.place)

    def _origin_between(self, one: int, other: int) -> bool:
        start, end = sorted((one, other))
        return any(start < origin.start < end for origin in self.origins)

    def _spelled(self, owner: Owner, place: int) -> str:
        """An owner as it must be written at another place."""
        if is_absolute(owner.name) or not self._origin_between(owner.place, place):
            return owner.name
        origin = ""
        for node in self.origins:
            if node.start < owner.place and node.words:
                origin = qualify(node.words[0].text, origin)
        if not origin:
            line = self.section.tree.lines.position(place).line
            raise ValidationError(
                f"line {line} inherits its owner from before a $ORIGIN",
                hint="write the owner's whole name on that line first",
            )
        return qualify(owner.name, origin)


def put_lines(syntax: Lines, section: Node, after: Node | None, rows: Sequence[str]) -> list[Edit]:
    """Put lines behind the line of a statement, or before the first statement."""
    text = section.tree.text
    newline = newline_of(text)
    if after is None:
        place = section.children[0].start
    else:
        tail = syntax.tail.match(text, after.end)
        place = tail.end() if tail else after.end
    if place and text[place - 1] not in "\r\n":
        return [Edit(place, place, "".join(newline + row for row in rows))]
    return [Edit(place, place, "".join(row + newline for row in rows))]


def _aligned(new: Statement, like: Record, owner: str) -> str:
    """The line of a new record, in the columns of another."""
    words = [*new.words[1:HEAD], new.key, " ".join(new.words[HEAD:])]
    row = owner
    for word, (column, gap) in zip(words, _columns(like), strict=True):
        if word:
            row = _pad(row, column, gap) + word
    return row


def _columns(node: Record) -> list[tuple[int, str]]:
    """Where TTL, class, type and data begin (0: no column), and behind which blank."""
    text = node.tree.text
    kind = Word(node.key, node.args - len(node.key), node.args)
    nothing = Word("", node.end, node.end)
    _, ttl, klass, data = [*node.words, nothing][: HEAD + 1]
    columns = []
    for word in (ttl, klass, kind, data):
        lead = text[node.start : word.start]
        gap = "\t" if lead.endswith("\t") else " "
        known = word.start < word.end and "\n" not in lead
        columns.append((min(_width(lead), MAX_COLUMN) if known else 0, gap))
    return columns


def _pad(row: str, column: int, gap: str) -> str:
    row += gap
    while _width(row) < column:
        row += gap
    return row


def _width(text: str) -> int:
    return len(text.expandtabs(8))
