"""Codecs: the words of a statement to a typed value, and back.

`decode` gets the words with quotes and escapes undone and raises `ValueError` for what it cannot
read. `encode`
gives the words as they are spelled in a file, None where leaving the statement out says it, and
raises `ValueError` for what has no spelling.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import attrs

__all__ = [
    "Codec",
    "Quote",
    "boolean",
    "choice",
    "flag",
    "integer",
    "negated_flag",
    "string",
    "strings",
]

T = TypeVar("T")

Quote = Callable[[str], str]
"""How a syntax spells a text as one word."""


def _accept(_value: object) -> str:
    return ""


@attrs.frozen
class Codec(Generic[T]):
    """Two inverse functions, and what values make sense.

    Attributes:
        decode: words to a value; `ValueError` if it cannot.
        encode: a value to spelled words, or None to leave the statement out; `ValueError` if it
            cannot.
        expects: what to write, for people: `yes or no`, `1..600, in 1/10 s`.
        check: what is wrong with a value that can be written but makes no sense, or an empty
            string.
        samples: values that make sense, for tests and examples.
    """

    decode: Callable[[Sequence[str]], T]
    encode: Callable[[T], tuple[str, ...] | None]
    expects: str = ""
    check: Callable[[T], str] = _accept
    samples: tuple[T, ...] = ()


def plain(text: str) -> str:
    """A word that needs no quotes: refuse what could not be one."""
    if not text or any(character.isspace() for character in text) or not text.isprintable():
        raise ValueError(f"not one word: {text!r}")
    return text


def _one(words: Sequence[str]) -> str:
    if len(words) != 1:
        raise ValueError(f"expected one value, not {len(words)}")
    return words[0]


def string(quote: Quote = plain, expects: str = "a string") -> Codec[str]:
    """One word as it is."""

    def encode(value: str) -> tuple[str, ...]:
        if not isinstance(value, str):
            raise ValueError(f"not a string: {value!r}")
        return (quote(value),)

    return Codec(_one, encode, expects, samples=("alpha", "b-2"))


def strings(quote: Quote = plain, expects: str = "strings") -> Codec[tuple[str, ...]]:
    """All words as they are."""

    def encode(value: Sequence[str]) -> tuple[str, ...]:
        if isinstance(value, str):
            raise ValueError(f"not a sequence of strings: {value!r}")
        return tuple(quote(word) for word in value)

    return Codec(tuple, encode, expects, samples=(("alpha",), ("b-2", "c")))


def integer(minimum: int | None = None, maximum: int | None = None, unit: str = "") -> Codec[int]:
    """A decimal number; the range is checked, not enforced, since files hold what they hold."""

    def decode(words: Sequence[str]) -> int:
        word = _one(words)
        if not word.lstrip("+-").isdecimal() or not word.isascii():
            raise ValueError(f"not a number: {word!r}")
        return int(word)

    def encode(value: int) -> tuple[str, ...]:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(f"not a number: {value!r}")
        return (str(value),)

    def check(value: int) -> str:
        low = minimum is not None and value < minimum
        high = maximum is not None and value > maximum
        return f"{value} is out of range" if low or high else ""

    bounds = "" if minimum is None and maximum is None else f" {_bound(minimum)}..{_bound(maximum)}"
    low = 0 if minimum is None else minimum
    samples = (low, low + 1 if maximum is None else maximum)
    return Codec(
        decode, encode, f"a number{bounds}{f', in {unit}' if unit else ''}", check, samples
    )


def _bound(value: int | None) -> str:
    return "" if value is None else str(value)


def boolean(
    yes: Sequence[str] = ("yes",),
    no: Sequence[str] = ("no",),
    *,
    bare: bool = False,
    quote: Quote = plain,
) -> Codec[bool]:
    """Words for true and false, the first of each written; with `bare` no word at all is true."""
    table = {
        word.casefold(): value for words, value in ((yes, True), (no, False)) for word in words
    }

    def decode(words: Sequence[str]) -> bool:
        if bare and not words:
            return True
        value = table.get(_one(words).casefold())
        if value is None:
            raise ValueError(f"not {yes[0]} or {no[0]}: {words[0]!r}")
        return value

    def encode(value: bool) -> tuple[str, ...]:
        if not isinstance(value, bool):
            raise ValueError(f"not True or False: {value!r}")
        return (quote(yes[0] if value else no[0]),)

    return Codec(decode, encode, f"{yes[0]} or {no[0]}", samples=(True, False))


def _bare(value: bool) -> Codec[bool]:
    def decode(words: Sequence[str]) -> bool:
        if words:
            raise ValueError(f"takes no value, not {words[0]!r}")
        return value

    def encode(wanted: bool) -> tuple[str, ...] | None:
        if not isinstance(wanted, bool):
            raise ValueError(f"not True or False: {wanted!r}")
        return () if wanted is value else None

    return Codec(decode, encode, "no value", samples=(value,))


def flag() -> Codec[bool]:
    """A keyword alone means true; false is written by leaving it out."""
    return _bare(True)


def negated_flag() -> Codec[bool]:
    """A keyword alone means false, like `no-disk-flushes`; true is written by leaving it out."""
    return _bare(False)


def choice(*values: str, fold: Callable[[str], str] = str, quote: Quote = plain) -> Codec[str]:
    """One of some words; others can be read and written, and are reported."""
    canonical = {fold(value): value for value in values}

    def decode(words: Sequence[str]) -> str:
        word = _one(words)
        return canonical.get(fold(word), word)

    def encode(value: str) -> tuple[str, ...]:
        if not isinstance(value, str):
            raise ValueError(f"not a string: {value!r}")
        return (quote(value),)

    def check(value: str) -> str:
        return "" if value in canonical.values() else f"{value!r} is not one of them"

    return Codec(decode, encode, " | ".join(values), check, values)
