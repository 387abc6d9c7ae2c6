"""How named cuts a zone master file into words, records and directives.

BIND 9.18, lib/isc/lex.c and lib/dns/master.c: only space and tab are blanks; a line ends with LF,
CR LF or a lone CR; a semicolon starts a comment outside quotes; between parentheses lines do not
end; a quoted string ends on its line unless its newline is escaped; the first word of a line that
does not begin with a blank is the owner; a class may stand before or after the TTL.
"""

from __future__ import annotations

import re
from sys import intern

from clusternas.core.syntax.tree import Document, Node, Problem, Statement, Word

__all__ = [
    "BLANK_LINE",
    "DIRECTIVES",
    "EOL",
    "HEAD",
    "IS_CLASS",
    "IS_TTL",
    "IS_TYPE",
    "IS_WORD",
    "SIMPLE",
    "Record",
    "entry",
    "is_absolute",
    "line_begin",
    "qualify",
    "quote",
    "unquote",
    "words_between",
]

PLAIN = r'(?:[^ \t\r\n;()"\\]++|\\[^\r\n]?+)++'
QUOTED = r'"(?:[^"\\\n]++|\\[\s\S])*+'
TTL = r"(?:(?:[0-9]++[wdhmsWDHMS])++|(?:0++[wdhmsWDHMS])*+[0-9]++)"
CLASS = r"(?i:IN|CHAOS|CH|HESIOD|HS|ANY|NONE|RESERVED0|CLASS[0-9]++)"
TYPE = r"[A-Za-z][A-Za-z0-9-]*+"
EOL = r"(?:\r?+\n|\r|\Z)"

SIMPLE = re.compile(
    rf"(?:([ \t])[ \t]*+|(?!\$){PLAIN}[ \t]++)"
    rf"(?:{CLASS}[ \t]++(?:{TTL}[ \t]++)?+|{TTL}[ \t]++(?:{CLASS}[ \t]++)?+)?+"
    rf'({TYPE})[ \t]++((?:{PLAIN}|{QUOTED}")(?:[ \t]++(?:{PLAIN}|{QUOTED}"))*+)'
    rf"[ \t]*+(?:;[^\n]*+)?+{EOL}",
    re.ASCII,
)
"""A whole record on one line without parentheses: a blank instead of an owner, type, data."""
BLANK_LINE = re.compile(r"(?:[ \t]*+(?:;[^\n]*+)?+(?:\r?+\n|\r))++|[ \t]*+(?:;[^\n]*+)?+\Z")
TOKEN = re.compile(rf'[ \t]++|;[^\n]*+|(\r?+\n|\r)|(\()|(\))|({QUOTED}")|({QUOTED})|({PLAIN})')
NEWLINE, OPEN, CLOSE, UNCLOSED = 1, 2, 3, 5
"""Groups of TOKEN."""
WORD = re.compile(rf'(?:[ \t\r\n()]++|;[^\n]*+)*+(?:({QUOTED}"?+|{PLAIN})|\Z)')
IS_TTL, IS_CLASS, IS_TYPE = (re.compile(part, re.ASCII) for part in (TTL, CLASS, TYPE))
IS_WORD = re.compile(rf'{PLAIN}|{QUOTED}"')
ESCAPE = re.compile(r"\\([0-9]{3}|[\s\S])")
SPECIAL = re.compile(r'["\\]')

DIRECTIVES = {"$TTL": (1, 1), "$ORIGIN": (1, 1), "$INCLUDE": (1, 2), "$GENERATE": (4, 6)}
"""How many words each takes at least and at most."""
HEAD = 3
"""How many words of a record stand before its data: owner, TTL, class."""


def unquote(word: str) -> str:
    r"""What a character string says, without its quotes and escapes.

    >>> unquote(r'"v=1; \065"'), unquote(r"v=1\;")
    ('v=1; A', 'v=1;')
    """
    if word.startswith('"'):
        word = word[1:-1]
    return ESCAPE.sub(lambda m: chr(int(m[1])) if len(m[1]) == 3 else m[1], word)


def quote(text: str) -> str:
    r"""A text as a quoted character string.

    >>> quote('say "hi"')
    '"say \\"hi\\""'
    """
    return '"' + SPECIAL.sub(r"\\\g<0>", text).replace("\n", r"\010") + '"'


def is_absolute(name: str) -> bool:
    """Whether a name ends with a dot that is not escaped."""
    escapes = len(name) - len(name[:-1].rstrip("\\")) - 1
    return name.endswith(".") and escapes % 2 == 0


def qualify(name: str, origin: str) -> str:
    """A name as written, made absolute; empty if that takes an origin and it is unknown (empty).

    >>> qualify("cluster", "lab.test."), qualify("@", "lab.test."), qualify("a.b.", "")
    ('cluster.lab.test.', 'lab.test.', 'a.b.')
    """
    if is_absolute(name):
        return name
    if not origin or name == "@":
        return origin
    return name + "." + origin.removeprefix(".")


class Record(Node):
    """A record in a text; if its line begins with a blank, that blank is part of it.

    Attributes:
        holder: the record above whose owner this one has, None for one with an owner of its own.
    """

    __slots__ = ("holder",)
    holder: Record | None

    @property
    def inherits(self) -> bool:
        """Whether its line has no owner."""
        return self.tree.text[self.start] in " \t"

    @property
    def owner(self) -> str:
        """Its owner as it is written, here or on the line of the holder; empty if there is none."""
        if self.inherits:
            return self.holder.owner if self.holder else ""
        return words_between(self.tree.text, self.start, self.args)[0].text

    def statement(self) -> Statement:
        """It without a place, and so with its owner."""
        _, *words = super().statement().words
        return Statement(self.tree.syntax.spelling(self), (self.owner, *words))


def line_begin(text: str, offset: int) -> int:
    """Where the blanks before an offset begin."""
    while offset and text[offset - 1] in " \t":
        offset -= 1
    return offset


def words_between(text: str, start: int, end: int) -> list[Word]:
    """The words in a piece of one entry, as they are spelled."""
    return [
        Word(match[1], match.start(1), match.end())
        for match in WORD.finditer(text, start, end)
        if match.lastindex
    ]


def entry(tree: Document, at: int, end: int, overlooked: set[int]) -> tuple[Node | None, int]:
    """The statement that begins at a line, of whatever shape, and where the next line begins.

    `overlooked` collects the parentheses that nothing closes: they are reported and then
    overlooked, so that they do not swallow the rest of the file; no text is read three times.
    """
    tokens, still_open, first, last, after = _tokens(tree, at, end, overlooked)
    if still_open:
        message, help = "this parenthesis is never closed", "add ) where the record ends"
        tree.problems += [Problem(it, it + 1, message, help, fatal=True) for it in still_open]
        overlooked.update(still_open)
        tokens, _, first, last, after = _tokens(tree, at, end, overlooked)
    if not tokens:
        return None, after
    text = tree.text
    inherits = text[at] in " \t"
    start, stop = tokens[0]
    if text[start] == "$" and not inherits:
        key = intern(text[start:stop].upper())
        if key in DIRECTIVES:
            return Node(tree, key, first, stop, last, last), after
        help = f"the directives are {', '.join(DIRECTIVES)}"
        tree.problems.append(Problem(start, stop, f"unknown directive {key}", help, fatal=True))
        return None, after
    kind = _type(text, tokens if inherits else tokens[1:])
    if kind is None:
        help = "a record is: name [TTL] [class] type data"
        problem = Problem(first, last, "there is no record type here", help, fatal=True)
        tree.problems.append(problem)
        return None, after
    key = intern(text[kind[0] : kind[1]].upper())
    return Record(tree, key, at if inherits else first, kind[1], last, last), after


def _tokens(
    tree: Document, at: int, end: int, overlooked: set[int]
) -> tuple[list[tuple[int, int]], list[int], int, int, int]:
    """The words of an entry, parentheses left open, its first and last offset, the next line."""
    words: list[tuple[int, int]] = []
    still_open: list[int] = []
    first = last = -1
    for match in TOKEN.finditer(tree.text, at, end):
        kind, start, stop = match.lastindex, match.start(), match.end()
        if kind is None:
            continue
        if kind == NEWLINE:
            if not still_open:
                return words, still_open, first, last, stop
            continue
        first, last = start if first < 0 else first, stop
        if kind == OPEN:
            if start not in overlooked:
                still_open.append(start)
        elif kind == CLOSE:
            if still_open:
                still_open.pop()
            else:
                tree.problems.append(Problem(start, stop, "there is no ( for this )", fatal=True))
        else:
            words.append((start, stop))
            if kind == UNCLOSED:
                help = "close the string on the line it begins on"
                problem = Problem(start, stop, "this quote is never closed", help, fatal=True)
                tree.problems.append(problem)
    return words, still_open, first, last, end


def _type(text: str, tokens: list[tuple[int, int]]) -> tuple[int, int] | None:
    """The type behind a class, a TTL and, if none came first, a class; each may be missing."""
    rest = iter(tokens)
    token = next(rest, None)
    of_class = token and IS_CLASS.fullmatch(text, *token)
    if of_class:
        token = next(rest, None)
    if token and IS_TTL.fullmatch(text, *token):
        token = next(rest, None)
        if token and not of_class and IS_CLASS.fullmatch(text, *token):
            token = next(rest, None)
    return token if token and IS_TYPE.fullmatch(text, *token) else None
