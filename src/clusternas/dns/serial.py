"""Serial numbers of zones: RFC 1982 arithmetic, and the custom of writing the day into them."""

from __future__ import annotations

from datetime import date

__all__ = ["is_newer", "next_serial"]

SPAN = 2**32
HALF = 2**31


def is_newer(one: int, other: int) -> bool:
    """Whether a secondary that has `other` would take `one` (RFC 1982 section 3.2).

    >>> is_newer(1, 2**32 - 1), is_newer(2, 2), is_newer(2**31, 0)
    (True, False, False)
    """
    return 0 < (one - other) % SPAN < HALF


def next_serial(serial: int, day: date | None = None) -> int:
    """The serial after one: YYYYMMDD00 of a day if that is newer, else one more.

    It is never 0, which some servers take for "none".

    Args:
        serial: the one that is published, from the file or server, never from memory.
        day: the day of the change; None counts on.

    Example:
        >>> next_serial(2026112301, date(2026, 11, 24)), next_serial(2026112301)
        (2026112400, 2026112302)
    """
    if day is not None:
        dated = int(day.strftime("%Y%m%d")) * 100
        if is_newer(dated, serial):
            return dated
    return (serial + 1) % SPAN or 1
