r"""Values of lvm.conf: numbers, strings and arrays, as lvm2's `libdm/libdm-config.c` reads them.

Between double quotes only `\"` and `\\` are escapes, so a backslash of a pattern stays; between
single quotes nothing is. A number that starts with 0 is octal. Commas of arrays may be missing.
Where an array is wanted, a value alone is one of one item.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from clusternas.core.codec import Codec

__all__ = ["boolean", "number", "parse", "string", "strings"]

T = TypeVar("T")
Value = int | float | str | list["Value"]

TOKEN = re.compile(
    r'(?P<double>"(?:[^"\\]|\\[\s\S])*")|(?P<single>\'[^\']*\')|(?P<comment>#[^\n]*)'
    r"|(?P<open>\[)|(?P<close>\])|(?P<comma>,)|(?P<bare>[^\s,\[\]\"'#]+)"
)
ESCAPE = re.compile(r'\\(["\\])')
INTEGER = re.compile(r"[+-]?[0-9]+")
FLOAT = re.compile(r"[+-]?[0-9]*\.[0-9]+")
YES = frozenset({"y", "yes", "on", "true"})
NO = frozenset({"n", "no", "off", "false"})


def parse(raw: str) -> Value:
    """Read one value.

    Raises:
        ValueError: it is none.

    Example:
        >>> parse('[ "a|/dev/drbd.*|", "r|.*|" ]'), parse("077"), parse("'x'")
        (['a|/dev/drbd.*|', 'r|.*|'], 63, 'x')
    """
    stack: list[list[Value]] = [[]]
    for token in TOKEN.finditer(raw):
        kind, text = token.lastgroup, token.group()
        if kind == "open":
            stack.append([])
        elif kind == "close":
            inner = stack.pop()
            if not stack:
                break
            stack[-1].append(inner)
        elif kind in ("double", "single", "bare"):
            stack[-1].append(_scalar(kind, text))
    if len(stack) != 1 or len(stack[0]) != 1:
        raise ValueError(f"not a value: {raw[:60]!r}")
    return stack[0][0]


def _scalar(kind: str, text: str) -> Value:
    if kind == "double":
        return ESCAPE.sub(r"\1", text[1:-1])
    if kind == "single":
        return text[1:-1]
    if INTEGER.fullmatch(text):
        digits = text.lstrip("+-")
        octal = digits.startswith("0") and not set(digits) & set("89")
        return int(text, 8 if octal else 10)
    return float(text) if FLOAT.fullmatch(text) else text


def _read(words: Sequence[str]) -> Value:
    if len(words) != 1:
        raise ValueError(f"expected one value, not {len(words)}")
    return parse(words[0])


def _quoted(text: object) -> str:
    if not isinstance(text, str) or "\0" in text:
        raise ValueError(f"not a string: {text!r}")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def number(minimum: int | None = None, maximum: int | None = None, unit: str = "") -> Codec[int]:
    """A whole number."""

    def decode(words: Sequence[str]) -> int:
        value = _read(words)
        if not isinstance(value, int):
            raise ValueError(f"not a number: {words[0]!r}")
        return value

    def encode(value: int) -> tuple[str, ...]:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(f"not a number: {value!r}")
        return (str(value),)

    def check(value: int) -> str:
        low = minimum is not None and value < minimum
        high = maximum is not None and value > maximum
        return f"{value} is out of range" if low or high else ""

    bounds = f" {minimum}..{maximum}" if minimum is not None and maximum is not None else ""
    return Codec(decode, encode, f"a number{bounds}{f', in {unit}' if unit else ''}", check)


def boolean() -> Codec[bool]:
    """0 or 1, or a word that LVM takes for one of them."""

    def decode(words: Sequence[str]) -> bool:
        value = _read(words)
        if isinstance(value, int):
            return bool(value)
        if isinstance(value, str) and value.lower() in YES | NO:
            return value.lower() in YES
        raise ValueError(f"not 0 or 1: {words[0]!r}")

    def encode(value: bool) -> tuple[str, ...]:
        if not isinstance(value, bool):
            raise ValueError(f"not True or False: {value!r}")
        return ("1" if value else "0",)

    return Codec(decode, encode, "0 or 1")


def string(check: Callable[[str], str] = lambda _value: "") -> Codec[str]:
    """A string; a word without quotes is read as one."""

    def decode(words: Sequence[str]) -> str:
        value = _read(words)
        if not isinstance(value, str):
            raise ValueError(f"not a string: {words[0]!r}")
        return value

    def encode(value: str) -> tuple[str, ...]:
        return (_quoted(value),)

    return Codec(decode, encode, 'a string in "quotes"', check)


def strings(check: Callable[[tuple[str, ...]], str] = lambda _value: "") -> Codec[tuple[str, ...]]:
    """An array of strings."""

    def decode(words: Sequence[str]) -> tuple[str, ...]:
        value = _read(words)
        items = value if isinstance(value, list) else [value]
        found = tuple(item for item in items if isinstance(item, str))
        if len(found) != len(items):
            raise ValueError(f"not an array of strings: {words[0][:60]!r}")
        return found

    def encode(value: Sequence[str]) -> tuple[str, ...]:
        if isinstance(value, str):
            raise ValueError(f"not a sequence of strings: {value!r}")
        return (f"[ {', '.join(map(_quoted, value))} ]" if value else "[]",)

    return Codec(decode, encode, 'an array like [ "a", "b" ]', check)
