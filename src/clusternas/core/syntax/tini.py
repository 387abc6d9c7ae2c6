"""How Samba's reader of ini files (`lib/util/tini.c`) cuts a text into lines.

White space collapses to its first character, everywhere. A backslash before the end of a line
joins the next physical line, whatever that begins with. Comments stand on lines of their own and
are not continued.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from clusternas.core.syntax.tree import line_start

SPACE = " \t\r\v\f"
BOM = "\ufeff"
NO_SPACE = dict.fromkeys(map(ord, SPACE))
SPACES = re.compile(r"([ \t\r\v\f])[ \t\r\v\f]++")
FIRST_HEADER = re.compile(r"[ \t\r\v\f]*+\[")
HEADER = re.compile(r"\n[ \t\r\v\f]*+\[")
LINE = re.compile(r"[ \t\r\v\f]*+([^\n]*+)")
COMMENT = re.compile(r"[ \t\r\v\f]*+[#;]")
BLANK = re.compile(r"[ \t\r\v\f]*+(?:\n|\Z)")
OPTION = re.compile(r"(?:[ \t\r\v\f\n]*+[#;][^\n]*+)*+[ \t\r\v\f\n]*+([^=\n]*+)(=?+)[^\n]*+")
"""Blank lines and comments, then one line: its name, and its `=` if any."""


class Logical(NamedTuple):
    """A line as the lexer sees it: continuations joined, white space collapsed, cut at a NUL.

    Attributes:
        text: what it says.
        places: where each character of it stands.
        end: where its last physical line ends, the newline not included.
    """

    text: str
    places: list[int]
    end: int


def collapse(text: str) -> str:
    """Every run of white space reduced to its first character, as the lexer does everywhere."""
    if "  " not in text and text.isprintable():
        return text
    return SPACES.sub(r"\1", text)


def spell(value: str) -> str:
    """A value as it can stand after `=` and come back as the same value.

    Raises:
        ValueError: the format cannot hold it, having neither quotes nor escapes.

    Example:
        >>> spell("Test Cluster")
        'Test Cluster'
    """
    if value.strip(SPACE) != value or "\n" in value or "\0" in value or collapse(value) != value:
        raise ValueError(f"a newline, or blanks at an end or side by side: {value!r}")
    if value.endswith("\\"):
        raise ValueError(f"a backslash at the end joins the next line: {value!r}")
    return value


def logical_line(text: str, start: int) -> Logical:
    """The line that begins at an offset, read as `get_line` in tini.c reads it."""
    kept: list[int] = []
    end = len(text)
    for at in range(start, len(text)):
        char = text[at]
        if char == "\n":
            if kept and text[kept[-1]] == "\\":
                kept.pop()
            elif len(kept) > 1 and text[kept[-2]] == "\\" and text[kept[-1]] in SPACE:
                del kept[-2:]
            else:
                end = at
                break
        elif not (kept and char in SPACE and text[kept[-1]] in SPACE):
            kept.append(at)
    joined = "".join([text[at] for at in kept])
    if "\0" in joined:
        joined = joined[: joined.index("\0")]
    return Logical(joined, kept[: len(joined)], end)


def next_line(text: str, start: int) -> tuple[int, int, int]:
    """The logical line at an offset, cheaply: its first character, its end, where the next begins.

    First character and end are equal for a line that says nothing: blank, or a comment.
    """
    match = LINE.match(text, start)
    first, end = match.span(1) if match else (start, start)
    if first == end or text[first] in "#;":
        return end, end, end + 1
    if text[first:end].rstrip(SPACE).endswith("\\"):
        line = logical_line(text, first)
        end = line.end
        first = line.places[0] if line.places else end
    return first, end, end + 1


def last_visible(text: str, start: int, end: int) -> int:
    """The last character before `end` that is not white space; `start - 1` if there is none."""
    at = end - 1
    while at >= start and (text[at] == "\n" or text[at] in SPACE):
        at -= 1
    return at


def headers(text: str) -> list[int]:
    """Where the section headers open. A `[` on a line that continues another opens nothing."""
    leading = FIRST_HEADER.match(text)
    found = [leading.end() - 1] if leading else []
    known = 0  # where a logical line begins
    for match in HEADER.finditer(text):
        newline = match.start()
        if newline + 1 < known:
            continue
        visible = last_visible(text, known, newline)
        if visible >= known and text[visible] == "\\":
            first = known
            while known <= newline:
                first, _, known = next_line(text, known)
            if known != newline + 1 and first != match.end() - 1:
                continue
        else:
            known = newline + 1
        found.append(match.end() - 1)
    return found


def first_line(text: str, start: int) -> int:
    """Where a logical line really begins: lines of backslashes alone may come first."""
    found = at = line_start(text, start)
    while at and not (above := text[line_start(text, at - 1) : at]).strip("\\\n" + SPACE):
        at -= len(above)
        if "\\" in above:
            found = at
    return found


def open_ends(text: str) -> int:
    """How many newlines the end of a text takes in, because of backslashes, before a line ends."""
    return text[len(text.rstrip("\\\n" + SPACE)) :].count("\\")


def content_end(text: str, body: int, limit: int) -> int:
    """Where the last line before `limit` that says something ends; `body` if none does.

    Blank lines and comments before the next header belong to nobody.
    """
    end = limit
    while True:
        visible = last_visible(text, body, end)
        if visible < body:
            return body
        if text[visible] == "\\":
            return exact_content_end(text, body, limit)
        start = max(text.rfind("\n", body, visible) + 1, body)
        first = LINE.match(text, start)
        if first is None or text[first.start(1)] not in "#;":
            newline = text.find("\n", visible, limit)
            stop = limit if newline < 0 else newline
            return stop - 1 if text[stop - 1] == "\r" else stop
        end = start


def exact_content_end(text: str, body: int, limit: int) -> int:
    """The same by reading every line from the front, where continuations come last."""
    at = end = body
    while at < limit:
        first, stop, at = next_line(text, at)
        if first < stop and first < limit:
            end = stop
    return end


def comment_top(text: str, start: int, floor: int) -> int:
    """Where the comment lines directly above a line begin, not looking above `floor`."""
    while start > floor:
        above = line_start(text, start - 1)
        if above < floor or not COMMENT.match(text, above):
            break
        start = above
    return start


def line_end(text: str, offset: int) -> int:
    """Where the line after the one of an offset begins."""
    return text.find("\n", offset) + 1 or len(text)


@lru_cache(maxsize=4096)
def fold(key: str) -> str:
    """Lower case, without any white space: `work  GROUP` is `workgroup` to Samba."""
    return key.translate(NO_SPACE).lower()
