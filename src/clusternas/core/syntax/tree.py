"""The tree of spans that every syntax yields, and the edits that a syntax can make on it.

A `Node` knows where a statement is, not what it means. The children of a section are cut when
somebody
looks into it. A `Statement` is the same thing without a place: what a model wants to see written.
"""

from __future__ import annotations

import gc
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

import attrs

from clusternas.core.text import Edit, Lines, apply, decode, encode

__all__ = [
    "Document",
    "LineSyntax",
    "Node",
    "Problem",
    "Scan",
    "Statement",
    "Syntax",
    "Word",
    "uncollected",
]

T = TypeVar("T")
U = TypeVar("U")

MAX_DEPTH = 64


class Word(NamedTuple):
    """One value of a statement.

    Attributes:
        text: what it says, quotes and escapes undone.
        start, end: where it stands, quotes included.
    """

    text: str
    start: int
    end: int


class Problem(NamedTuple):
    """Something the grammar does not allow, at a span of the text."""

    start: int
    end: int
    message: str
    help: str = ""
    fatal: bool = False


class Scan(NamedTuple):
    """What stands in a section, as texts alone.

    Attributes:
        entries: its entries in order: something that is equal for equal texts, for `Syntax.said`.
        sections: the heads of its sections in order, for `Syntax.said` too, each with its inside.
    """

    entries: list[Any]
    sections: list[tuple[Any, Scan]]


@attrs.frozen
class Statement:
    """A statement without a place: a key, words as a file spells them, children if a section.

    Attributes:
        key: as it is spelled, e.g. `allow-two-primaries`.
        words: spelled for the file, quotes and escapes included.
        children: the statements inside, or None for an entry.
    """

    key: str
    words: tuple[str, ...] = ()
    children: tuple[Statement, ...] | None = None


class Node:
    """A statement in a text.

    Attributes:
        tree: the tree it belongs to.
        key: its keyword, folded as the tool folds it.
        start: where the statement begins, after blanks and comments.
        args: where its words begin.
        args_end: where the region of its words ends.
        body: where the inside of a section begins, or -1 for an entry.
        body_end: where the inside of a section ends.
        end: where the statement ends, its terminator included and its newline not.
        depth: how many sections it stands in.
    """

    __slots__ = (
        "_children",
        "args",
        "args_end",
        "body",
        "body_end",
        "depth",
        "end",
        "key",
        "start",
        "tree",
    )

    def __init__(
        self,
        tree: Document,
        key: str,
        start: int,
        args: int,
        args_end: int,
        end: int,
        body: int = -1,
        body_end: int = -1,
        depth: int = 0,
    ) -> None:
        self.tree = tree
        self.key = key
        self.start = start
        self.args = args
        self.args_end = args_end
        self.end = end
        self.body = body
        self.body_end = body_end
        self.depth = depth
        self._children: list[Node] | None = None

    @property
    def children(self) -> list[Node]:
        """The statements inside, in order; empty for an entry."""
        if self._children is None:
            self._children = uncollected(self.tree.syntax.cut, self) if self.body >= 0 else []
        return self._children

    @property
    def words(self) -> list[Word]:
        """Its values, split and unquoted now."""
        return self.tree.syntax.words(self)

    @property
    def values(self) -> list[str]:
        """The texts of its words."""
        return self.tree.syntax.values(self)

    @property
    def raw(self) -> str:
        """Its text, from keyword to terminator."""
        return self.tree.text[self.start : self.end]

    def statement(self) -> Statement:
        """It as a statement without a place, spelled as it is."""
        syntax, text = self.tree.syntax, self.tree.text
        words = tuple(text[word.start : word.end] for word in syntax.words(self))
        children = None if self.body < 0 else tuple(child.statement() for child in self.children)
        return Statement(syntax.spelling(self), words, children)

    def walk(self) -> Iterator[Node]:
        """All statements inside, depth first."""
        stack = [iter(self.children)]
        while stack:
            for node in stack[-1]:
                yield node
                if node.body >= 0:
                    stack.append(iter(node.children))
                    break
            else:
                stack.pop()

    def __repr__(self) -> str:
        return f"<{self.key} {self.start}:{self.end}>"


class Document:
    """A text with its top-level statements; `root` is a section that spans it all."""

    __slots__ = ("_checked", "lines", "path", "problems", "root", "syntax", "text")

    def __init__(self, text: str, syntax: Syntax, path: str = "") -> None:
        self.text = text
        self.path = path
        self.syntax = syntax
        self.lines = Lines(text)
        self.problems: list[Problem] = []
        self.root = Node(self, "", 0, 0, 0, len(text), 0, len(text), -1)
        self._checked = False

    def __str__(self) -> str:
        return self.text

    def __bytes__(self) -> bytes:
        return encode(self.text)

    def apply(self, edits: Iterable[Edit]) -> Document:
        """The edited text as a document."""
        return Document(apply(self.text, edits), self.syntax, self.path)

    def check(self) -> list[Problem]:
        """All that the grammar does not allow, in the order of the text, in every section."""
        if not self._checked:
            self._checked = True
            for _ in self.root.walk():
                pass
            self.syntax.check(self)
            self.problems = sorted(set(self.problems))
        return self.problems


class Syntax(ABC):
    """One grammar: how a text is cut into nodes, and how edits are written in it.

    Cutting never raises, whatever the text: what it cannot read it skips and reports to
    `tree.problems`.
    """

    name: str

    def parse(self, text: str | bytes, path: str = "") -> Document:
        """A text as a document; its sections are cut when somebody looks into them."""
        return Document(decode(text) if isinstance(text, bytes) else text, self, path)

    @abstractmethod
    def cut(self, section: Node) -> list[Node]:
        """The statements between `section.body` and `section.body_end`, in order."""

    @abstractmethod
    def words(self, node: Node) -> list[Word]:
        """The values of a statement with their places."""

    def values(self, node: Node) -> list[str]:
        """The texts of the words alone."""
        return [word.text for word in self.words(node)]

    def scan(self, section: Node) -> Scan | None:
        """The inside of a section as texts alone, much cheaper than its children.

        It may hold what `said` cannot read. None where it is not to be had: look at the children.
        """
        return Scan([], []) if section.body < 0 else None

    def said(self, entry: Any) -> tuple[str, list[str]]:
        """Key and values of an entry, or of the head of a section, from `scan`.

        Raises:
            ValueError: it is neither: look at the children.
        """
        raise ValueError(f"not one statement: {str(entry)[:40]!r}")

    def may_hold(self, section: Node, key: str) -> bool:
        """Whether a section may have a statement of that key; False only if it has none."""
        return True

    def spelling(self, node: Node) -> str:
        """The key as the text has it."""
        return node.key

    def fold(self, key: str) -> str:
        """A spelled key as nodes carry it."""
        return key

    def spell(self, name: str) -> str:
        """The keyword for a field of that Python name, in the style of the format."""
        return name.rstrip("_")

    def check(self, tree: Document) -> None:  # noqa: B027 - most grammars see everything when they cut
        """Report to `tree.problems` what cutting alone does not see."""

    @abstractmethod
    def render(self, statements: Sequence[Statement]) -> str:
        """A whole new text in the canonical style."""

    @abstractmethod
    def remove(self, parent: Node, node: Node) -> list[Edit]:
        """Take a statement out, with the comment on its line."""

    @abstractmethod
    def insert(
        self, parent: Node, after: Node | None, statements: Sequence[Statement]
    ) -> list[Edit]:
        """Write new statements into a section after one of its children, or as its first.

        `after` may be a node that another edit removes: the place is still good.
        """

    @abstractmethod
    def text_at(self, node: Node, statement: Statement) -> str:
        """A new statement as it would be written where a node stands, without blanks around it."""

    def rewrite(self, node: Node, words: Sequence[str]) -> list[Edit]:
        """Give a statement other words; those that stay keep their bytes."""
        old, text = self.words(node), node.tree.text
        if len(old) == len(words):
            return [
                Edit(word.start, word.end, new)
                for word, new in zip(old, words, strict=True)
                if text[word.start : word.end] != new
            ]
        return self.respell(node, words)

    def respell(self, node: Node, words: Sequence[str]) -> list[Edit]:
        """Replace the region of the words as a whole, when their number changes."""
        old = self.words(node)
        if old and words:
            return [Edit(old[0].start, old[-1].end, " ".join(words))]
        if old:
            return [Edit(node.args, old[-1].end, "")]
        return [Edit(node.args, node.args, " " + " ".join(words))]


class LineSyntax(Syntax):
    """What the syntaxes share whose statements stand on lines, one or more to a line.

    Subclasses say how a statement is printed (`lines`) and what may follow one on its line
    (`tail`).
    """

    indent = "\t"
    tail = re.compile(r"[ \t]*+(?:#[^\n]*+)?+\r?+(?:\n|\Z)")
    """From the end of a statement to the end of its line, if at most a comment follows."""

    @abstractmethod
    def lines(self, statement: Statement, indent: str, unit: str) -> list[str]:
        """The lines of a new statement, without newlines; `unit` is one level of indent."""

    def render(self, statements: Sequence[Statement]) -> str:
        rows = [row for statement in statements for row in self.lines(statement, "", self.indent)]
        return "".join(row + "\n" for row in rows)

    def remove(self, parent: Node, node: Node) -> list[Edit]:
        text = node.tree.text
        start = line_start(text, node.start)
        tail = self.tail.match(text, node.end)
        if tail and not text[start : node.start].strip() and start >= parent.body:
            return [Edit(start, tail.end(), "")]
        start, end = node.start, node.end
        blanks = BLANKS.match(text, end)
        after = blanks.end() if blanks else end
        if after < len(text) and text[after] not in "\r\n":
            return [Edit(start, after, "")]
        while start > parent.body and text[start - 1] in " \t":
            start -= 1
        return [Edit(start, end, "")]

    def insert(
        self, parent: Node, after: Node | None, statements: Sequence[Statement]
    ) -> list[Edit]:
        text = parent.tree.text
        newline = newline_of(text)
        unit = self.unit(parent.tree)
        if after is None:
            return self.insert_first(parent, statements)
        indent = indent_of(text, after.start)
        tail = self.tail.match(text, after.end)
        if tail and tail.end() <= max(parent.body_end, after.end):
            rows = [row for statement in statements for row in self.lines(statement, indent, unit)]
            if tail.group().endswith("\n"):
                return [Edit(tail.end(), tail.end(), "".join(row + newline for row in rows))]
            return [Edit(tail.end(), tail.end(), "".join(newline + row for row in rows))]
        rows = [
            " ".join(row.strip() for row in self.lines(statement, "", ""))
            for statement in statements
        ]
        return [Edit(after.end, after.end, "".join(" " + row for row in rows))]

    def text_at(self, node: Node, statement: Statement) -> str:
        text = node.tree.text
        rows = self.lines(statement, indent_of(text, node.start), self.unit(node.tree))
        return newline_of(text).join(rows).strip()

    def insert_first(self, parent: Node, statements: Sequence[Statement]) -> list[Edit]:
        """Write statements into a section that has none, after whatever comments it holds."""
        text = parent.tree.text
        newline, unit = newline_of(text), self.unit(parent.tree)
        base = "" if parent.depth < 0 else indent_of(text, parent.start)
        inner = "" if parent.depth < 0 else base + unit
        rows = [row for statement in statements for row in self.lines(statement, inner, unit)]
        start = line_start(text, parent.body_end)
        if parent.depth < 0 or start > parent.body:
            place = (
                start
                if parent.depth >= 0 and not text[start : parent.body_end].strip()
                else parent.body_end
            )
            lead = newline if place > parent.body and text[place - 1] != "\n" else ""
            return [Edit(place, place, lead + "".join(row + newline for row in rows))]
        body = text[parent.body : parent.body_end].rstrip()
        return [
            Edit(
                parent.body + len(body),
                parent.body_end,
                newline + "".join(row + newline for row in rows) + base,
            )
        ]

    def unit(self, tree: Document) -> str:
        """One level of indent, as the first nested statement of the text has it."""
        for section in tree.root.children:
            if section.body >= 0 and section.children:
                child = section.children[0]
                inner, outer = (
                    indent_of(tree.text, child.start),
                    indent_of(tree.text, section.start),
                )
                if inner.startswith(outer) and inner != outer:
                    return inner[len(outer) :]
        return self.indent


BLANKS = re.compile(r"[ \t]*+")


def uncollected(make: Callable[[T], U], of: T) -> U:
    """Make many objects while Python does not look for garbage: there is none among new ones."""
    if not gc.isenabled():
        return make(of)
    gc.disable()
    try:
        return make(of)
    finally:
        gc.enable()


def line_start(text: str, offset: int) -> int:
    """Where the line of an offset begins."""
    return text.rfind("\n", 0, offset) + 1


def indent_of(text: str, offset: int) -> str:
    """The blanks that the line of an offset begins with."""
    blanks = BLANKS.match(text, line_start(text, offset))
    return blanks.group() if blanks else ""


def newline_of(text: str) -> str:
    """How the lines of a text end: as its first does."""
    at = text.find("\n")
    return "\r\n" if at > 0 and text[at - 1] == "\r" else "\n"
