"""How large the tools of GFS2 make a journal when nobody says it."""

from __future__ import annotations

__all__ = ["SMALLEST_ADDED", "default_journal_size"]

MIB = 1024 * 1024
JOURNALS = ((512, 8), (2048, 16), (8192, 32), (16384, 64))
"""MiB of device for each journal below which, MiB of journal."""
LARGEST = 128
SMALLEST_ADDED = 32
"""MiB: gfs2_jadd takes no smaller journal, though mkfs.gfs2 makes some."""


def default_journal_size(device_size: int, journals: int) -> int:
    """The size that mkfs.gfs2 chooses, in MiB; gfs2_jadd would take 128 on any device.

    Args:
        device_size: bytes.
        journals: how many there are to be.

    Example:
        >>> default_journal_size(300 * 1024**2, 2), default_journal_size(1024**4, 2)
        (8, 128)
    """
    each = device_size // MIB // journals
    return next((size for limit, size in JOURNALS if each < limit), LARGEST)
