"""From the option table to the fields of a model: codec, spellings, documentation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs

from clusternas.core.codec import Codec, boolean, choice, flag, negated_flag, string
from clusternas.core.fields import Spelling, option
from clusternas.drbd.options import OPTIONS, DrbdOption
from clusternas.drbd.quantity import Quantity, quantity
from clusternas.drbd.words import word

__all__ = ["declared"]

TEXTS = ("alpha", "b-2", "disk", "10", "two words", 'a "quoted" # \\ one')
"""Texts that need quotes, and texts that need none."""


def declared(section: str, name: str, *aliases: str) -> Any:  # noqa: ANN401 - a field of any type
    """A field for an option of the table.

    Args:
        section: of the option.
        name: of the option.
        aliases: older names that every version still reads.
    """
    row = OPTIONS[section, name]
    spellings = [*spellings_of(row), *(Spelling(alias) for alias in aliases)]
    return option(
        *spellings, codec=codec_of(row), doc=documentation(row), converter=converter_of(row)
    )


def documentation(row: DrbdOption) -> str:
    """What an option takes, in words."""
    if row.kind == "number":
        newest = row.ranges["9"]
        unit = f" in {row.unit}" if row.unit else ""
        return f"{newest.minimum}..{newest.maximum}{unit}, default {newest.default}"
    if row.kind in ("boolean", "flag"):
        return f"yes or no, default {row.default}"
    if row.kind == "choice":
        return f"{' | '.join(row.values['9'])}, default {row.default}"
    return row.kind


def count(low: int, high: int, samples: tuple[int, ...]) -> Codec[int]:
    """A plain number; drbdadm reads k, M and G behind it too."""

    def decode(words: Sequence[str]) -> int:
        if len(words) != 1:
            raise ValueError(f"expected one value, not {len(words)}")
        return Quantity(words[0], "").amount

    def encode(value: int) -> tuple[str, ...]:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(f"not a number: {value!r}")
        return (str(value),)

    def check(value: int) -> str:
        return "" if low <= value <= high else f"{value} is out of range"

    return Codec(decode, encode, f"a number {low}..{high}", check, samples)


def codec_of(row: DrbdOption) -> Codec[Any]:
    """The codec of an option, as wide as its widest generation."""
    if row.kind == "number":
        low = min(bounds.minimum for bounds in row.ranges.values())
        high = max(bounds.maximum for bounds in row.ranges.values())
        samples = samples_of(row)
        return quantity(row.unit, low, high, samples) if row.unit else count(low, high, samples)
    if row.kind == "boolean":
        return boolean(bare=True)
    if row.kind == "flag":
        return flag()
    if row.kind == "choice":
        values = dict.fromkeys(value for words in row.values.values() for value in words)
        quote = str if row.section == "global" else word  # its yes and no are keywords
        found = choice(*values, fold=str.upper if row.name == "protocol" else str, quote=quote)
        found = attrs.evolve(found, samples=common_values(row))
        return after_split_brain(found) if row.name == "after-sb-0pri" else found
    if row.kind == "number or choice":
        return count_or_word(row)
    return attrs.evolve(string(word), samples=TEXTS)


def count_or_word(row: DrbdOption) -> Codec[str]:
    """A number, of nodes for instance, or a word like `majority`."""
    bounds = row.ranges["9"]
    values = tuple(dict.fromkeys(value for words in row.values.values() for value in words))

    def check(value: str) -> str:
        counts = value.isdecimal() and bounds.minimum <= int(value) <= bounds.maximum
        return "" if counts or value in values else f"{value!r} is neither"

    expects = f"{' | '.join(values)}, or {bounds.minimum}..{bounds.maximum}"
    return attrs.evolve(string(), expects=expects, check=check, samples=(*row.values["9"], "2"))


def samples_of(row: DrbdOption) -> tuple[int, ...]:
    """Numbers that every generation takes."""
    bounds = row.ranges.values()
    return max(each.minimum for each in bounds), min(each.maximum for each in bounds)


def common_values(row: DrbdOption) -> tuple[str, ...]:
    """The words of a choice that every generation takes."""
    first, *others = row.values.values()
    return tuple(word for word in first if all(word in words for words in others))


def after_split_brain(codec: Codec[str]) -> Codec[str]:
    """8.3 and 8.4 also read `discard-node-NAME`."""

    def check(value: str) -> str:
        return "" if value.startswith("discard-node-") else codec.check(value)

    return attrs.evolve(codec, check=check)


def converter_of(row: DrbdOption) -> Callable[[Any], Any] | None:
    """A size, rate or time may be given as a plain text or number."""
    if row.kind != "number" or not row.unit:
        return None

    def convert(value: object) -> object:
        if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
            return Quantity(value, row.unit)
        return value

    return convert


def spellings_of(row: DrbdOption) -> list[Spelling]:
    """How each generation spells an option, the newest first."""
    moved = bool(row.old_section or row.old_name)
    fresh = "9" if row.mid_section else "8.4" if moved or row.kind == "boolean" else ""
    found = [Spelling(row.name, since=row.since or fresh, until=row.until)]
    if row.mid_section:
        found.append(Spelling(row.name, place=row.mid_section, until="9"))
    elif row.kind == "boolean":
        found += switches(row)
    elif moved:
        found.append(before(row))
    return found


def before(row: DrbdOption) -> Spelling:
    """The spelling of 8.3 for an option that has moved since."""
    place = {"resource": "", row.section: None}.get(row.old_section, row.old_section)
    return Spelling(row.old_name or row.name, place=place, until="9" if row.forgotten else "")


def switches(row: DrbdOption) -> list[Spelling]:
    """The bare words of 8.3, and the `no-…` that 9 reads of every boolean."""
    if row.old_name.startswith("no-"):
        return [Spelling(row.old_name, codec=negated_flag())]
    found = [Spelling(f"no-{row.name}", codec=negated_flag(), since=row.nine, until=row.until)]
    if not row.since:
        place = row.old_section if row.old_section != row.section else None
        if place:
            found.append(Spelling(row.name, place=place, since="8.4"))
        found.append(
            Spelling(
                row.name,
                codec=flag(),
                place=place or None,
                until="" if place else row.until or "8.4",
            )
        )
    return found
