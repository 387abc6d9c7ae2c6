"""Sizes, rates and times as drbd.conf writes them: a number, a suffix, and the unit of the option.

A bare number counts in the option's own unit: `resync-rate 30;` is 30 KiB/s, `c-fill-target 100;`
is 100 sectors, `timeout 60;` is 6 s. The suffixes k, M, G and s (sectors) count bytes; nothing else
is read, neither `30MB` nor `1.5M`. See `m_strtoll` in drbd-utils, user/shared/shared_main.c.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from clusternas.core.codec import Codec

__all__ = ["Quantity", "quantity"]

TEXT = re.compile(r"(-?[0-9]{1,20})([kKmMgGs]?)")
SUFFIX = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "s": 512}
UNITS = {
    "": 1,
    "bytes": 1,
    "KiB": 1024,
    "sectors": 512,
    "KiB/s": 1024,
    "ms": 1,
    "1/10 s": 100,
    "s": 1000,
}
TIMES = frozenset({"ms", "1/10 s", "s"})


class Quantity:
    """A number with a unit, equal by amount, shown as it was spelled.

    Attributes:
        text: as it was spelled, `33M`.
        unit: of the bare number: `bytes`, `KiB`, `sectors`, `KiB/s`, `ms`, `1/10 s`, `s` or none.
        amount: bytes, or milliseconds for a time, or the plain number.

    Raises:
        ValueError: drbdadm would not read that text.

    Example:
        >>> Quantity("33M") == Quantity("33792k"), str(Quantity("33M"))
        (True, '33M')
        >>> Quantity("30", "KiB/s").amount
        30720
    """

    __slots__ = ("amount", "text", "unit")

    def __init__(self, text: str | int, unit: str = "bytes") -> None:
        found = TEXT.fullmatch(str(text))
        if not found:
            raise ValueError(f"not a number with suffix k, M, G or s: {str(text)[:40]!r}")
        scale = SUFFIX[found[2].lower()]
        if unit in TIMES or unit == "" or not found[2]:
            scale *= UNITS[unit]
        self.text = str(text)
        self.unit = unit
        self.amount = int(found[1]) * scale

    @property
    def count(self) -> int:
        """How many of the unit it is, rounded down."""
        return self.amount // UNITS[self.unit]

    @property
    def seconds(self) -> float:
        """A time in seconds."""
        return self.amount / 1000

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Quantity({self.text!r}, {self.unit!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Quantity):
            return NotImplemented
        return self.amount == other.amount and (self.unit in TIMES) is (other.unit in TIMES)

    def __lt__(self, other: Quantity) -> bool:
        return self.amount < other.amount

    def __hash__(self) -> int:
        return hash(self.amount)

    def __reduce__(self) -> tuple[type[Quantity], tuple[str, str]]:
        return Quantity, (self.text, self.unit)


def quantity(
    unit: str,
    minimum: int | None = None,
    maximum: int | None = None,
    samples: Sequence[int | str] = (),
) -> Codec[Quantity]:
    """The codec of an option with a unit; the bounds count in it, and so do bare samples."""

    def decode(words: Sequence[str]) -> Quantity:
        if len(words) != 1:
            raise ValueError(f"expected one value, not {len(words)}")
        return Quantity(words[0], unit)

    def encode(value: Quantity) -> tuple[str, ...]:
        if value.unit == unit or value.text[-1].isalpha():
            return (value.text,)
        whole, rest = divmod(value.amount, UNITS[unit])
        if rest or (value.unit in TIMES) is not (unit in TIMES):
            raise ValueError(f"{value!r} cannot be written in {unit or 'plain numbers'}")
        return (str(whole),)

    def check(value: Quantity) -> str:
        low = minimum is not None and value.amount < minimum * UNITS[unit]
        high = maximum is not None and value.amount > maximum * UNITS[unit]
        return f"{value} is out of range" if low or high else ""

    bounds = "" if minimum is None and maximum is None else f" {minimum}..{maximum}"
    expects = f"a number{bounds}{f', in {unit}' if unit else ''}"
    examples = tuple(Quantity(sample, unit) for sample in samples)
    return Codec(decode, encode, expects, check, examples)
