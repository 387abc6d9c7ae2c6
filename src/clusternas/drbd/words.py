"""The words of drbd.conf: when they need quotes, and the values that are more than a word."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import attrs

from clusternas.core.codec import Codec
from clusternas.core.syntax.blocks import quoted
from clusternas.drbd.options import GENERATIONS
from clusternas.drbd.scan import reserved

__all__ = [
    "BARE",
    "INTEGER",
    "RESERVED",
    "Address",
    "address",
    "phrase",
    "sequence",
    "word",
    "words",
]

BARE = re.compile(r"[a-zA-Z0-9/._-]{1,80}")
"""A word that every generation reads without quotes; 8.4 and 9 take up to 128 characters."""
INTEGER = re.compile(r"[0-9]{1,8}[MKGs]?|[0-9]+\.[0-9]+\.[0-9]+")
"""Tokens of digits: numbers, and with DRBD 9 versions like `9.1.0`."""
IPV4 = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
RESERVED = frozenset({"_cstate", "_unknown"}).union(*map(reserved, GENERATIONS))
"""Words that mean something else without quotes, in one generation or another."""


def word(text: str) -> str:
    """A text as one word of drbd.conf, in quotes where a scanner of some generation needs them.

    Raises:
        ValueError: it cannot be written at all: longer than 255 bytes, or with control characters.

    Example:
        >>> word("nas01"), word("disk"), word("10"), word("/sbin/fence it")
        ('nas01', '"disk"', '"10"', '"/sbin/fence it"')
    """
    if not isinstance(text, str):
        raise ValueError(f"not a string: {text!r}")
    bare = BARE.fullmatch(text) and not INTEGER.fullmatch(text) and not IPV4.fullmatch(text)
    if bare and text not in RESERVED:
        return text
    spelled = quoted(text)
    if len(spelled.encode("utf-8", "surrogateescape")) > 257:
        raise ValueError("longer than 255 bytes, with the escapes that it needs")
    return spelled


def sequence(value: object) -> tuple[str, ...]:
    """The items of a sequence; one string is not meant as a sequence of letters."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise ValueError(f"not a sequence of words: {value!r}")
    return tuple(value)


def words(expects: str = "names") -> Codec[tuple[str, ...]]:
    """All words of a statement."""

    def encode(value: tuple[str, ...]) -> tuple[str, ...] | None:
        return tuple(map(word, sequence(value))) or None

    return Codec(tuple, encode, expects, samples=(("nas01",), ("nas01", "disk")))


def phrase(form: str, expects: str, samples: tuple[str, ...] = ()) -> Codec[str]:
    """A value of several bare words in one of the forms of a pattern, held as one text.

    Args:
        form: regular expression of the words with one blank between them.
        expects: what to write, for people.
        samples: values that make sense.
    """
    pattern = re.compile(form)

    def decode(parts: Sequence[str]) -> str:
        if not parts:
            raise ValueError("no value")
        return " ".join(parts)

    def encode(value: str) -> tuple[str, ...]:
        parts = tuple(value.split())
        if not parts or any(set(part) & set(';{}"#') for part in parts):
            raise ValueError(f"not {expects}: {value!r}")
        return parts

    def check(value: str) -> str:
        return "" if pattern.fullmatch(value) else f"{value!r} is not {expects}"

    return Codec(decode, encode, expects, check, samples)


@attrs.frozen
class Address:
    """An address of a link: `ipv4 10.0.0.1:7789`, `ipv6 [fd00::1]:7789`.

    DRBD takes numbers only, no host names; the family may be left out for IPv4.

    Attributes:
        host: the number, without brackets.
        port: TCP port, 1 to 65535.
        family: `ipv4`, `ipv6`, `ssocks`, `sdp`, `sci`, or empty where the file says none.

    Example:
        >>> str(Address("10.0.0.1", 7789)), str(Address.parse("ipv6 [fd00::1]:7789"))
        ('10.0.0.1:7789', 'ipv6 [fd00::1]:7789')
    """

    host: str
    port: int
    family: str = ""

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read one from a text.

        Raises:
            ValueError: drbdadm would not read it.
        """
        return cls.of(text.split())

    @classmethod
    def of(cls, parts: Sequence[str]) -> Address:
        """Read one from its words, as `parse` does."""
        found = ADDRESS.fullmatch(" ".join(parts))
        if not found:
            raise ValueError(f"not an address of DRBD: {' '.join(parts)[:60]!r}")
        family, v4, v6, port = found.groups()
        return cls(v4 or v6, int(port), family or "")

    @property
    def key(self) -> tuple[str, str, int]:
        """Family, host and port, with the family that is meant; equal for equal sockets."""
        return self.family or "ipv4", self.host, self.port

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.family} {host}:{self.port}".lstrip()


ADDRESS = re.compile(
    r"(?:(?P<family>ssocks|sdp|sci|ipv4|ipv6) ?)?"
    r"(?:(?P<v4>\d{1,3}(?:\.\d{1,3}){3})|(?<=ipv6 )\[ ?(?P<v6>[0-9a-fA-F:.]+(?:%[\w.-]+)?) ?\])"
    r" ?: ?(?P<port>\d{1,8})"
)


def address() -> Codec[Address]:
    """The codec of an address."""

    def encode(value: Address) -> tuple[str, ...]:
        Address.parse(str(value))
        return tuple(str(value).split())

    def check(value: Address) -> str:
        if not 1 <= value.port <= 65535:
            return f"port {value.port} is out of range"
        return ""

    samples = (
        Address("10.0.0.1", 7789),
        Address("10.0.0.2", 1, "ipv4"),
        Address("fd00::1", 7, "ipv6"),
    )
    return Codec(Address.of, encode, "[ipv4] a.b.c.d:port or ipv6 [x::y]:port", check, samples)
