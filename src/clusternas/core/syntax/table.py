"""Tables of lines: fstab, shell assignments, the files of CTDB, dlm.conf.

One class, `TableSyntax`; every format is one small declaration of it, at the end of this file.
Only a newline ends a line, a carriage return before it belongs to the line end, and the last line
needs none.

| dialect | key of a node | its words |
|---|---|---|
| `FSTAB` | `row` | up to six fields, octal escapes undone |
| `SYSCONFIG` | the variable's name | the value, unquoted; `$NAME` stays as it is written |
| `CTDB_NODES` | `node`; `deleted` for a `#` line, which keeps its number | the address |
| `CTDB_PUBLIC_ADDRESSES` | `address` | address/mask, interfaces |
| `CTDB_TUNABLES` | the tunable's name | the value |
| `DLM` | the setting or directive; `device` and `lockspace` are sections | its words |
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from clusternas.core.errors import ValidationError
from clusternas.core.syntax.tree import (
    Document,
    LineSyntax,
    Node,
    Problem,
    Statement,
    Word,
    newline_of,
)
from clusternas.core.text import Edit, decode, encode

__all__ = [
    "CTDB_NODES",
    "CTDB_PUBLIC_ADDRESSES",
    "CTDB_TUNABLES",
    "DLM",
    "FSTAB",
    "SYSCONFIG",
    "TableSyntax",
    "quote_field",
    "quote_shell",
    "quote_word",
]

ROW = r"(?>[^\n]*[^ \t\r\n])"
"""The rest of a line without the blanks at its end."""

FIELD = re.compile(r"[^ \t]++")
WHOLE = re.compile(r"[\s\S]*+")
GAP_IN_SECTION = re.compile(r"[ \t\r]*+\n(?:#[^\n]*+\n)*+")


def same(raw: str) -> str:
    """A word that is written as it is meant."""
    return raw


class TableSyntax(LineSyntax):
    """A grammar of lines, declared by patterns.

    Args:
        name: the dialect.
        statement: pattern of a whole statement; its first group is `key`, another is `args`.
        layout: key and words of a new statement to its line.
        comment: pattern of a comment, or one that never matches.
        blank: the characters between statements.
        junk: pattern of what is no statement, one character at least.
        complaint: what to say about it.
        names: keys as the text has them to keys of nodes, where they differ.
        word: pattern of a word inside `args`.
        unquote: raw word to its text.
        least, most: how many words a statement has; what follows the last is kept and ignored.
        gap: what a new word is set off with.
        members: for each key that opens a section, the keys of the lines that belong to it.
    """

    indent = ""
    tail = re.compile(r"[ \t\r]*+(?:#[^\n]*+)?+(?:\n|\Z)")

    def __init__(
        self,
        name: str,
        *,
        statement: str,
        layout: Callable[[str, Sequence[str]], str],
        comment: str = r"#[^\n]*+",
        blank: str = r"[ \t\r\n]",
        junk: str = ROW,
        complaint: str = "not a statement; the tool ignores this line or refuses the file",
        names: Mapping[str, str] | None = None,
        word: re.Pattern[str] = FIELD,
        unquote: Callable[[str], str] = same,
        least: int = 1,
        most: int = 1,
        gap: str = " ",
        members: Mapping[str, frozenset[str]] | None = None,
    ) -> None:
        self.name = name
        item = rf"\Z|{comment}|(?P<statement>{statement})|(?P<junk>{junk})"
        self._pattern = re.compile(rf"{blank}*+(?:{item})")
        self._layout = layout
        self._complaint = complaint
        self._names = names or {}
        self._word = word
        self._unquote = unquote
        self._least = least
        self._most = most
        self._gap = gap
        self._members = members or {}

    def cut(self, section: Node) -> list[Node]:
        nodes = self._scan(section)
        if self._members and section.depth < 0:
            return list(self._sections(section.tree, nodes))
        return nodes

    def _scan(self, section: Node) -> list[Node]:
        tree, depth, names = section.tree, section.depth + 1, self._names
        nodes: list[Node] = []
        for match in self._pattern.finditer(tree.text, section.body, section.body_end):
            kind, span = match.lastgroup, match.span
            if kind == "statement":
                start, end = span(1)
                args, args_end = span("args")
                key = match[2]
                nodes.append(
                    Node(tree, names.get(key, key), start, args, args_end, end, -1, -1, depth)
                )
            elif kind == "junk":
                tree.problems.append(Problem(*span("junk"), self._complaint))
        return nodes

    def _sections(self, tree: Document, nodes: list[Node]) -> Iterator[Node]:
        """Put lines that belong to the line above them inside it."""
        text, head = tree.text, None
        for node in nodes:
            if (
                head is not None
                and node.key in self._members[head.key]
                and GAP_IN_SECTION.fullmatch(text, head.end, node.start)
            ):
                head.end, head.body_end = node.end, next_line(text, node.end)
                continue
            head = node if node.key in self._members else None
            if head is not None:
                head.body = head.body_end = next_line(text, head.end)
            yield node

    def words(self, node: Node) -> list[Word]:
        found: list[Word] = []
        for match in self._word.finditer(node.tree.text, node.args, node.args_end):
            found.append(Word(self._unquote(match.group()), match.start(), match.end()))
            if len(found) == self._most:
                break
        return found

    def check(self, tree: Document) -> None:
        for node in tree.root.walk():
            if len(self.words(node)) < self._least:
                message = f"at least {self._least} fields are needed; the tool ignores this line"
                tree.problems.append(Problem(node.start, node.end, message))

    def lines(self, statement: Statement, indent: str, unit: str) -> list[str]:
        rows = [indent + self._layout(statement.key, statement.words)]
        if statement.key in self._members:
            rows += [
                indent + self._layout(child.key, child.words) for child in statement.children or ()
            ]
            rows.append("")
        return rows

    def insert(
        self, parent: Node, after: Node | None, statements: Sequence[Statement]
    ) -> list[Edit]:
        edits = super().insert(parent, after, statements)
        text = parent.tree.text
        if after is None or after.body < 0:
            return [self._set_off(edit, text) for edit in edits]
        newline = newline_of(text)
        ended = text.endswith("\n", 0, edits[0].start)
        return [
            Edit(at, end, (newline if ended else newline * 2) + new.lstrip("\r\n"))
            for at, end, new in edits
        ]

    def _set_off(self, edit: Edit, text: str) -> Edit:
        """Among others on a line, leave a blank behind it too."""
        inline = "\n" not in edit.text and not text.startswith((" ", "\t", "\n"), edit.end)
        return edit._replace(text=edit.text + " ") if inline and edit.end < len(text) else edit

    def insert_first(self, parent: Node, statements: Sequence[Statement]) -> list[Edit]:
        if parent.depth < 0:
            return super().insert_first(parent, statements)
        text, at = parent.tree.text, parent.body
        newline = newline_of(text)
        rows = [row + newline for statement in statements for row in self.lines(statement, "", "")]
        lead = "" if text.endswith("\n", 0, at) else newline
        return [Edit(at, at, lead + "".join(rows))]

    def respell(self, node: Node, words: Sequence[str]) -> list[Edit]:
        old, text = self.words(node), node.tree.text
        edits = [
            Edit(word.start, word.end, new)
            for word, new in zip(old, words, strict=False)
            if text[word.start : word.end] != new
        ]
        kept = min(len(old), len(words))
        at = old[kept - 1].end if kept else node.args
        more = "".join(self._gap + new for new in words[kept:])
        return [*edits, Edit(at, at if more else node.args_end, more)]


def next_line(text: str, offset: int) -> int:
    """Where the line after that of an offset begins, or the end of the text."""
    return text.find("\n", offset) + 1 or len(text)


ESCAPE = re.compile(rb"\\([0-7]{3})")


def unquote_field(raw: str) -> str:
    """A field of fstab as libmount reads it: a backslash and three octal digits are one byte."""
    if "\\" not in raw:
        return raw
    return decode(ESCAPE.sub(lambda match: bytes([int(match[1], 8) & 0xFF]), encode(raw)))


def quote_field(text: str) -> str:
    r"""Spell a field for fstab, fstab(5).

    Raises:
        ValidationError: it is empty or holds NUL.

    Example:
        >>> quote_field("/srv/my files")
        '/srv/my\\040files'
    """
    if not text or "\0" in text:
        raise ValidationError(f"not a field of fstab: {text!r}", hint="it must not be empty")
    quoted = re.sub(r"[ \t\r\n\\]", lambda match: f"\\{ord(match[0]):03o}", text)
    return "\\043" + quoted[1:] if quoted.startswith("#") else quoted


def quote_word(text: str) -> str:
    """Check a word of a dialect that cannot quote.

    Raises:
        ValidationError: it is empty, starts like a comment, or holds blanks or control characters.
    """
    if not text or text[0] in "#;" or not text.isprintable() or " " in text:
        raise ValidationError(
            f"cannot be written here: {text!r}",
            hint="one word, no blanks, and this file has no quoting",
        )
    return text


NAME = r"[A-Za-z_][A-Za-z0-9_]*+"
DOUBLE = r'"(?:[^"\\]++|\\[\s\S])*+"'
SINGLE = r"'[^']*+'"
EXPANSION = r"\$\([^()\n]*+\)|\$\{[^}\n]*+\}|\$(?!\()|`[^`\n]*+`"
BARE = r"[^ \t\r\n\"'\\;&|<>()`$]++"
VALUE = rf"(?:{BARE}|{DOUBLE}|{SINGLE}|\\[\s\S]|{EXPANSION}|\r(?!\n|\Z))*+"
PIECE = re.compile(
    rf"(?P<double>{DOUBLE})|(?P<single>{SINGLE})|(?P<escaped>\\[\s\S])|(?P<bare>[^\"'\\]++|[\s\S])"
)
ESCAPED = re.compile(r"\\([$`\"\\\n])")


def unquote_shell(raw: str) -> str:
    """The value of a shell word: quotes and escapes undone, `$NAME` and backquotes left alone."""
    parts: list[str] = []
    for match in PIECE.finditer(raw):
        piece = match.group()
        if match.lastgroup == "double":
            piece = ESCAPED.sub(lambda found: found[1].strip("\n"), piece[1:-1])
        elif match.lastgroup == "single":
            piece = piece[1:-1]
        elif match.lastgroup == "escaped":
            piece = piece[1:].strip("\n")
        parts.append(piece)
    return "".join(parts)


def quote_shell(text: str) -> str:
    """Spell a value in double quotes, so that a shell and systemd's EnvironmentFile read it alike.

    Raises:
        ValidationError: it holds NUL.

    Example:
        >>> quote_shell("-I cman")
        '"-I cman"'
    """
    if "\0" in text:
        raise ValidationError(f"not a value of a shell variable: {text!r}")
    return '"' + re.sub(r"([\\$`\"])", r"\\\1", text) + '"'


def joined(separator: str) -> Callable[[str, Sequence[str]], str]:
    """A layout of words alone."""
    return partial(_join, separator)


def _join(separator: str, _key: str, words: Sequence[str]) -> str:
    return separator.join(words)


def assigned(key: str, words: Sequence[str]) -> str:
    """A layout `key=value`."""
    return f"{key}={' '.join(words)}"


def node_line(key: str, words: Sequence[str]) -> str:
    """A line of CTDB's nodes file."""
    return ("#" if key == "deleted" else "") + " ".join(words)


DLM_DIRECTIVES = "device|connect|unfence|fence_all|unfence_all|lockspace|master"


def dlm_line(key: str, words: Sequence[str]) -> str:
    """A line of dlm.conf: a directive with its words, or a setting."""
    return " ".join((key, *words)) if key in DLM_DIRECTIVES.split("|") else assigned(key, words)


FSTAB = TableSyntax(
    "fstab",
    statement=rf"(?P<key>)(?P<args>{ROW})",
    layout=joined("\t"),
    names={"": "row"},
    unquote=unquote_field,
    least=3,
    most=6,
    gap="\t",
)
"""fstab(5) as libmount reads it; `findmnt --fstab` agrees."""

SYSCONFIG = TableSyntax(
    "sysconfig",
    statement=(
        rf"(?:export[ \t]++)?+(?P<key>{NAME})=(?P<args>{VALUE})"
        r"(?=[ \t;\r\n]|\Z)(?:[ \t]*+;)?+"
    ),
    layout=assigned,
    blank=r"[ \t\r\n;]",
    junk=rf"(?:[^\n\"'\\]++|{DOUBLE}|{SINGLE}|\\[\s\S])++(?=\n|\Z)|[^\n]++",
    complaint="not an assignment; only the shell knows what this does",
    word=WHOLE,
    unquote=unquote_shell,
)
"""Shell assignments: /etc/sysconfig, /etc/default, script.options. The last of a name wins."""

CTDB_NODES = TableSyntax(
    "ctdb nodes",
    statement=rf"(?P<key>#?+)[ \t]*+(?P<args>(?:{ROW})?+)",
    layout=node_line,
    comment=r"(?!)",
    names={"": "node", "#": "deleted"},
    word=WHOLE,
)
"""CTDB's nodes: a line stands for its number, so a `#` line is a node taken out, not a comment."""

CTDB_PUBLIC_ADDRESSES = TableSyntax(
    "ctdb public_addresses",
    statement=rf"(?P<key>)(?P<args>{ROW})",
    layout=joined(" "),
    names={"": "address"},
    most=2,
)
"""CTDB's public addresses: `ADDR/MASK IFACE[,IFACE]`."""

CTDB_TUNABLES = TableSyntax(
    "ctdb tunables",
    statement=rf"(?P<key>[^\s=#;\[]++)[ \t]*+=[ \t]*+(?P<args>(?:{ROW})?+)",
    layout=assigned,
    comment=r"[#;][^\n]*+",
    word=WHOLE,
)
"""CTDB's tunables: `Name=int`."""

DLM = TableSyntax(
    "dlm.conf",
    statement=(
        rf"(?<![^\n])(?P<key>(?P<directive>{DLM_DIRECTIVES})(?=[ \t])|[^\s=#]++(?=[ \t]*+=))[ \t]*+"
        rf"(?(directive)|=[ \t]*+)(?P<args>(?(directive)(?:{ROW})?+|[^ \t\r\n]*+))(?:{ROW})?+"
    ),
    layout=dlm_line,
    comment=r"(?<![^\n])#[^\n]*+",
    complaint="dlm_controld does not read this: a setting is key=value from the first column on",
    most=64,
    members={"device": frozenset({"connect", "unfence"}), "lockspace": frozenset({"master"})},
)
"""dlm.conf as dlm_controld 4.2 reads it: an empty line, or a blank in front, ends a section."""
