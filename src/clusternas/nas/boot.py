"""The order in which init scripts start, from the header that chkconfig(8) reads."""

from __future__ import annotations

import re

import attrs

__all__ = ["InitScript", "read_header"]

HEADER = re.compile(r"^#\s*chkconfig:\s*([0-6]{1,7}|-)\s+(\d{1,2})\s+(\d{1,2})", re.MULTILINE)


@attrs.frozen(kw_only=True)
class InitScript:
    """What the header of an init script asks for.

    Attributes:
        name: of the script.
        levels: run-levels in which it starts; empty where an administrator has to say so.
        start, stop: its place among the others, 00 to 99.
        path: where it was read.
    """

    name: str
    levels: str = ""
    start: int
    stop: int
    path: str = ""


def read_header(name: str, text: str, path: str = "") -> InitScript | None:
    """The header of an init script, or None if it has none.

    Example:
        >>> read_header("drbd", "#!/bin/sh\\n# chkconfig: 345 70 08\\n").start
        70
    """
    found = HEADER.search(text)
    if found is None:
        return None
    levels = "" if found[1] == "-" else found[1]
    return InitScript(name=name, levels=levels, start=int(found[2]), stop=int(found[3]), path=path)
