"""Edits on zone files: words in and out of a record, records in and out of a file.

Columns stay where they are as far as the words allow, and every record keeps its owner.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from operator import attrgetter

from clusternas.core.errors import ValidationError
from clusternas.core.syntax.tree import LineSyntax, Node, Statement, Word, newline_of
from clusternas.core.syntax.zone_scan import HEAD, inherits, is_absolute, line_begin, qualify
from clusternas.core.text import Edit

__all__ = [
    "hand_on",
    "heir_of",
    "insertion",
    "rewrite_data",
    "rewrite_optional",
    "rewrite_owner",
    "steals",
]

MAX_COLUMN = 120
"""No column is kept beyond this, so that an odd line cannot make long ones."""


def rewrite_data(node: Node, old: Sequence[Word], new: Sequence[str]) -> list[Edit]:
    """Replace words one by one; more follow the last, fewer go with the blanks before them."""
    text = node.tree.text
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


def rewrite_optional(text: str, word: Word, new: str) -> list[Edit]:
    """Replace a TTL or class, put one in, or take it out with the blanks behind it."""
    if text[word.start : word.end] == new:
        return []
    if word.start == word.end:
        gap = "\t" if text[word.start - 1] == "\t" else " "
        return [Edit(word.start, word.end, new + gap)]
    end = word.end
    while not new and text[end] in " \t":
        end += 1
    return [Edit(word.start, end, new)]


def rewrite_owner(node: Node, word: Word, new: str) -> list[Edit]:
    """Give a record another owner, one of its own, or (empty) that of the record above."""
    if inherits(node):
        return [_give(node, new)]
    if new:
        return [Edit(word.start, word.end, new)]
    if word.start > node.start:  # behind a parenthesis, which must not begin the line any more
        return [Edit(node.start, node.start, " "), Edit(word.start, word.end, "")]
    blank = "" if node.tree.text[word.end] in " \t" else " "
    return [Edit(word.start, word.end, blank)]


def insertion(
    syntax: LineSyntax, section: Node, after: Node | None, statements: Sequence[Statement]
) -> list[Edit]:
    """Write new statements on lines of their own behind a statement, or before the first."""
    text = section.tree.text
    if after is None and not section.children:
        return syntax.insert_first(section, statements)
    rows = [row for new in statements for row in _rows(syntax, section, after, new)]
    newline = newline_of(text)
    if after is None:
        place = line_begin(text, section.children[0].start)
    else:
        tail = syntax.tail.match(text, after.end)
        place = tail.end() if tail else after.end
    if place and text[place - 1] not in "\r\n":
        return [Edit(place, place, "".join(newline + row for row in rows))]
    return [Edit(place, place, "".join(row + newline for row in rows))]


def heir_of(section: Node, node: Node, gone: set[int]) -> Node | None:
    """The next record that stays, if it has no owner of its own."""
    nodes = section.children
    for index in range(_index(section, node) + 1, len(nodes)):
        heir = nodes[index]
        if heir.key.startswith("$"):
            continue
        if not inherits(heir):
            return None
        if id(heir) not in gone:
            return heir
    return None


def hand_on(section: Node, giver: Node, heir: Node) -> Edit:
    """Write down the owner that a record has had from the line of another.

    Raises:
        ValidationError: a `$ORIGIN` between them makes the name mean another.
    """
    owner, index = _owner(section, giver)
    nodes, end = section.children, _index(section, heir)
    between = (nodes[at].key for at in range(index, end))
    if not is_absolute(owner) and "$ORIGIN" in between:
        owner = qualify(owner, _origin(nodes[:index]))
    if not owner:
        line = heir.tree.lines.position(heir.start).line
        raise ValidationError(
            f"line {line} inherits its owner from before a $ORIGIN",
            hint="write the owner's whole name on that line first",
        )
    return _give(heir, owner)


def steals(section: Node, after: Node, statements: Sequence[Statement]) -> bool:
    """Whether a record below new ones would have another owner from them."""
    records = (new for new in statements if not new.key.startswith("$"))
    owners = [new.words[0] for new in records if new.words[0]]
    return bool(owners) and owners[-1].lower() != _owner(section, after)[0].lower()


def _give(node: Node, owner: str) -> Edit:
    """Put an owner in the place of blanks, so that the columns stay if they can."""
    begin = line_begin(node.tree.text, node.start)
    blanks = node.tree.text[begin : node.start]
    wanted = _width(blanks)

    def moved(kept: int) -> int:
        return abs(_width(owner + blanks[-kept:]) - wanted)

    kept = min(range(1, min(len(blanks), MAX_COLUMN) + 1), key=moved)
    return Edit(begin, node.start - kept, owner)


def _rows(syntax: LineSyntax, section: Node, like: Node | None, new: Statement) -> list[str]:
    """The lines of a new record, in the columns of the record it follows."""
    rows = syntax.lines(new, "", syntax.indent)
    if like is None or "$" in (like.key[0], new.key[0]) or len(rows) > 1:
        return rows
    row = new.words[0]
    if inherits(like) and row.lower() == _owner(section, like)[0].lower():
        row = ""
    words = [*new.words[1:HEAD], new.key, " ".join(new.words[HEAD:])]
    for word, (column, gap) in zip(words, _columns(like), strict=True):
        if word:
            row = _pad(row, column, gap) + word
    return [row]


def _columns(node: Node) -> list[tuple[int, str]]:
    """Where TTL, class, type and data begin (0: no column), and behind which blank."""
    text = node.tree.text
    kind = Word(node.key, node.args - len(node.key), node.args)
    nothing = Word("", node.end, node.end)
    _, ttl, klass, data = [*node.words, nothing][: HEAD + 1]
    begin = line_begin(text, node.start)
    columns = []
    for word in (ttl, klass, kind, data):
        lead = text[begin : word.start]
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


def _index(section: Node, node: Node) -> int:
    return bisect_left(section.children, node.start, key=attrgetter("start"))


def _owner(section: Node, node: Node) -> tuple[str, int]:
    """The owner of a record as it is written, and the index of the record that has it."""
    nodes = section.children
    for index in range(_index(section, node), -1, -1):
        holder = nodes[index]
        if not (holder.key.startswith("$") or inherits(holder)):
            word = holder.words[0]
            return holder.tree.text[word.start : word.end], index
    return "", 0


def _origin(nodes: Sequence[Node]) -> str:
    """The origin in force after some statements, as far as they tell it."""
    origin = ""
    for node in nodes:
        if node.key == "$ORIGIN" and node.values:
            origin = qualify(node.values[0], origin)
    return origin
