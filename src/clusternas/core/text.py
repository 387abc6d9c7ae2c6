"""Text, positions and edits: the ground under every document."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import NamedTuple

__all__ = ["Edit", "Lines", "Position", "apply", "decode", "encode", "excerpt", "mask", "unified"]


class Edit(NamedTuple):
    """Replace `text[start:end]` by `text`; with `start == end` it inserts."""

    start: int
    end: int
    text: str


class Position(NamedTuple):
    """Where in a file, both numbers from 1."""

    line: int
    column: int


def decode(data: bytes) -> str:
    """Bytes to text; what is not UTF-8 survives as surrogates and comes back unchanged."""
    return data.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """Text back to the bytes it came from."""
    return text.encode("utf-8", "surrogateescape")


def apply(text: str, edits: Iterable[Edit]) -> str:
    """Apply edits to a text.

    Edits at the same place keep their order, and an insertion goes before a replacement that
    starts there.

    Raises:
        ValueError: two edits overlap.

    Example:
        >>> apply("a b c", [Edit(2, 3, "B"), Edit(5, 5, "!")])
        'a B c!'
    """
    parts: list[str] = []
    at = 0
    for start, end, new in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        if start < at:
            raise ValueError(f"edits overlap at offset {start}")
        parts += (text[at:start], new)
        at = end
    parts.append(text[at:])
    return "".join(parts)


class Lines:
    """Line and column of offsets, computed when somebody asks.

    Only `\\n` ends a line, as in the tools.
    """

    __slots__ = ("_last", "_starts", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts: list[int] | None = None
        self._last = (0, "")

    def position(self, offset: int) -> Position:
        """Line and column of an offset, both from 1."""
        starts = self._index()
        line = bisect_right(starts, offset) - 1
        return Position(line + 1, offset - starts[line] + 1)

    def source(self, line: int) -> str:
        """The text of a line, without its end."""
        if self._last[0] != line:  # findings about one long line share its text
            starts = self._index()
            end = starts[line] if line < len(starts) else len(self._text)
            self._last = (line, self._text[starts[line - 1] : end].rstrip("\r\n"))
        return self._last[1]

    def _index(self) -> list[int]:
        if self._starts is None:
            at, starts = -1, [0]
            while (at := self._text.find("\n", at + 1)) >= 0:
                starts.append(at + 1)
            self._starts = starts
        return self._starts


WIDTH = 160
"""Characters of a line that are shown at most."""


def excerpt(line: str, column: int, length: int = 1) -> list[str]:
    """A line with a mark under a place in it; of a long line the part around the place.

    Example:
        >>> print("\\n".join(excerpt("protocol Q;", 10)))
        protocol Q;
                 ^
    """
    start = 0 if len(line) <= WIDTH else max(0, column - 1 - WIDTH // 2)
    shown = line[start : start + WIDTH].expandtabs(1)
    head = "…" if start else ""
    mark = "^" * max(1, min(length, len(shown) - (column - 1 - start)))
    return [head + shown, " " * (len(head) + column - 1 - start) + mark]


MASK = "********"


def mask(text: str, secrets: Iterable[str]) -> str:
    """A text as it may be shown: each secret in it is masked, the longest first.

    Example:
        >>> mask("shared-secret s3cret;", ["s3cret"])
        'shared-secret ********;'
    """
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text


def unified(before: str, after: str, name: str) -> str:
    """The unified diff between two texts; empty when they are equal."""
    import difflib

    rows = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), f"a/{name}", f"b/{name}"
    )
    return "".join(
        row if row.endswith("\n") else row + "\n\\ No newline at end of file\n" for row in rows
    )
