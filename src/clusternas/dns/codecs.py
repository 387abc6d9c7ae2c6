"""The words of zone files as values, and back."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from clusternas.core.codec import Codec
from clusternas.core.syntax.zone_scan import IS_CLASS, IS_TTL, IS_WORD

__all__ = ["CLASS", "DATA", "MAX_TTL", "NAME", "OPTIONAL_TTL", "TTL", "seconds"]

UNITS = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}
PART = re.compile(r"(\d+)([wdhms]?)", re.IGNORECASE)
MAX_TTL = 2**31 - 1
"""RFC 2181 section 8; named makes 0 of what is larger."""


def seconds(word: str) -> int:
    """A TTL or another time of a zone file, like `3600` or `1h30m`.

    Raises:
        ValueError: it is none.

    Example:
        >>> seconds("1h30m")
        5400
    """
    if not IS_TTL.fullmatch(word) or not word.isascii():
        raise ValueError(f"not a time: {word!r}")
    return sum(int(number) * UNITS[unit.lower() or "s"] for number, unit in PART.findall(word))


def _one_word(value: object) -> str:
    if not isinstance(value, str) or not IS_WORD.fullmatch(value):
        raise ValueError(f"not one word of a zone file: {value!r}")
    return value


def _only(words: Sequence[str]) -> str:
    if len(words) != 1:
        raise ValueError(f"expected one value, not {len(words)}")
    return words[0]


def _decode_name(words: Sequence[str]) -> str:
    return _only(words)


def _encode_name(value: str) -> tuple[str, ...]:
    return (_one_word(value),)


def _decode_ttl(words: Sequence[str]) -> int:
    return seconds(_only(words))


def _encode_ttl(value: object) -> tuple[str, ...]:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"not a number of seconds: {value!r}")
    return (str(value),)


def _check_ttl(value: int) -> str:
    return f"{value} is out of range" if value > MAX_TTL else ""


def _optional(decode: Callable[[Sequence[str]], int]) -> Callable[[Sequence[str]], int | None]:
    return lambda words: None if _only(words) == "" else decode(words)


def _decode_class(words: Sequence[str]) -> str | None:
    return _only(words).upper() or None


def _encode_class(value: str | None) -> tuple[str, ...]:
    if value is not None and not IS_CLASS.fullmatch(value):
        raise ValueError(f"not a class: {value!r}")
    return (value or "",)


def _encode_data(value: object) -> tuple[str, ...]:
    if not isinstance(value, tuple):
        raise ValueError(f"not a sequence of words: {value!r}")
    return tuple(_one_word(word) for word in value)


TIME = "seconds, or like 1h30m"
NAME = Codec(_decode_name, _encode_name, "a name", samples=("cluster", "node1.lab.test."))
TTL = Codec(_decode_ttl, _encode_ttl, TIME, _check_ttl, (60, 3600))
OPTIONAL_TTL: Codec[int | None] = Codec(
    _optional(_decode_ttl), lambda value: _encode_ttl(value or 0), TIME, samples=(30, 3600)
)
CLASS: Codec[str | None] = Codec(_decode_class, _encode_class, "IN", samples=("IN",))
DATA: Codec[tuple[str, ...]] = Codec(
    tuple,
    _encode_data,
    "words, quoted where they need it",
    samples=(("192.0.2.1",), ("192.0.2.2",)),
)
