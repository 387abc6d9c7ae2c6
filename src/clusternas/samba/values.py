"""How smb.conf spells values: booleans, lists, octal modes, enumerations.

The rules are those of `lib/param/loadparm.c` and `lib/util/util_strlist_v3.c`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from clusternas.core.codec import Codec, boolean, choice, string
from clusternas.core.syntax.ini import collapse, spell
from clusternas.core.syntax.tini import fold

__all__ = [
    "AUTO",
    "FALSE",
    "INVERSE",
    "MODE",
    "NUMBER",
    "SHARE_NAME",
    "SWITCH",
    "TEXT",
    "TRUE",
    "WORDS",
    "one_of",
    "split",
]

TRUE = ("yes", "true", "on", "1")
FALSE = ("no", "false", "off", "0")

SWITCH = boolean(TRUE, FALSE, quote=spell)
"""yes/true/on/1 or no/false/off/0; `yes` and `no` are written."""

INVERSE = boolean(FALSE, TRUE, quote=spell)
"""The same for a synonym with the opposite sense, like `writeable` for `read only`."""

TEXT = string(spell, "text")

TOKEN = re.compile(r'(?:[^ \t,;\r\n"]|"[^"]*+(?:"|\Z))++')
OCTAL = re.compile(r"[0-7]{1,11}")
INTEGER = re.compile(
    r"(?P<sign>[+-]?)(?:0[xX](?P<hex>[0-9a-fA-F]+)|0(?P<oct>[0-7]*)|(?P<dec>[1-9][0-9]*))"
)
FORBIDDEN = '%<>*?|/\\+=;:",'
"""What Samba warns of in the name of a share (INVALID_SHARENAME_CHARS)."""


def split(value: str) -> tuple[str, ...]:
    """A list into its items: blanks, commas and semicolons separate, double quotes group.

    Example:
        >>> split('@staff, "DOM\\\\jo doe" root')
        ('@staff', 'DOM\\\\jo doe', 'root')
    """
    return tuple(token.replace('"', "") for token in TOKEN.findall(value))


def _join(items: Sequence[str]) -> tuple[str, ...]:
    if isinstance(items, str):
        raise ValueError(f"not a sequence of strings: {items!r}")
    if any('"' in item for item in items):
        raise ValueError(f"an item of a list cannot hold a double quote: {items!r}")
    return (spell(" ".join(item if split(item) == (item,) else f'"{item}"' for item in items)),)


WORDS = Codec[tuple[str, ...]](lambda words: split(words[0]), _join, "a list")


def _read_mode(words: Sequence[str]) -> int:
    if not OCTAL.fullmatch(words[0]):
        raise ValueError(f"not an octal number: {words[0]!r}")
    return int(words[0], 8)


def _write_mode(value: object) -> tuple[str, ...]:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"not a mode: {value!r}")
    return (f"{value:04o}",)


MODE = Codec[int](
    _read_mode,
    _write_mode,
    "octal digits, like 0664",
    lambda value: "" if value <= 0o7777 else f"{value:o} is more than 7777",
)


def _read_number(words: Sequence[str]) -> int:
    found = INTEGER.fullmatch(words[0])
    if found is None:
        raise ValueError(f"not a number, which Samba takes for 0: {words[0]!r}")
    sign = -1 if found["sign"] == "-" else 1
    if found["hex"]:
        return sign * int(found["hex"], 16)
    return sign * (int(found["dec"]) if found["dec"] else int(found["oct"] or "0", 8))


def _write_number(value: object) -> tuple[str, ...]:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"not a number: {value!r}")
    return (str(value),)


NUMBER = Codec[int](_read_number, _write_number, "a number")
"""As `strtol` reads it with base 0: `0x20` is 32 and `012` is 10."""


def one_of(*values: str) -> Codec[str]:
    """One of some words, whatever their case and blanks; a model holds the spelling given here."""
    return choice(*values, fold=fold, quote=spell)


def _read_auto(words: Sequence[str]) -> str:
    if fold(words[0]) == "auto":
        return "auto"
    return "yes" if SWITCH.decode(words) else "no"


AUTO = Codec[str](
    _read_auto,
    lambda value: (spell(value),),
    "yes, no or auto",
    lambda value: "" if value in ("yes", "no", "auto") else f"{value!r} is none of them",
)


def _write_name(value: object) -> tuple[str, ...]:
    if not isinstance(value, str) or not value or set(value) & set("]\n\0"):
        raise ValueError(f"not a name of a share: {value!r}")
    if fold(value) in ("global", "globals"):
        raise ValueError("[global] is not a share")
    if collapse(value) != value:
        raise ValueError(f"blanks side by side: {value!r}")
    return (value,)


def _check_name(value: str) -> str:
    if any(char in FORBIDDEN for char in value):
        return f"{value!r} holds one of {FORBIDDEN}"
    return "" if len(value) <= 80 else f"{value!r} is longer than 80 characters"


SHARE_NAME = Codec[str](
    lambda words: words[0],
    _write_name,
    f"a name without {FORBIDDEN}, at most 80 characters",
    _check_name,
    samples=("opt", "Test Share"),
)
