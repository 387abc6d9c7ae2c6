"""Mounting by fstab, and seeing what is mounted; mount(8), findmnt(8)."""

from __future__ import annotations

import re

from clusternas.core.command import Command, Effect, absolute, text
from clusternas.core.errors import ValidationError
from clusternas.fstab import status

__all__ = ["findmnt", "mount", "mount_all", "mounts", "umount"]

FSTYPE = re.compile(r"[A-Za-z0-9_.-]+")
MOUNT_WAIT = 180.0


def _fstype(fstype: str) -> str:
    if not FSTYPE.fullmatch(fstype) or fstype.startswith("-"):
        raise ValidationError(f"not a type of file system: {fstype!r}")
    return fstype


def mount(mount_point: str) -> Command[str]:
    """Mount what fstab has for a place."""
    return Command(("mount", absolute(mount_point, "mount point")), text, timeout=MOUNT_WAIT)


def mount_all(fstype: str) -> Command[str]:
    """Mount everything of a type that fstab has and that is not `noauto`."""
    return Command(("mount", "-a", "-t", _fstype(fstype)), text, timeout=MOUNT_WAIT)


def umount(mount_point: str) -> Command[str]:
    """Unmount a place; it fails while it is in use."""
    return Command(("umount", absolute(mount_point, "mount point")), text, timeout=MOUNT_WAIT)


def mounts() -> Command[tuple[status.Mount, ...]]:
    """Read what is mounted from /proc/mounts: works on every generation."""
    return Command(("cat", "/proc/mounts"), status.mounts, effect=Effect.READ)


def findmnt(fstype: str = "", *, target: str = "") -> Command[tuple[status.Mount, ...]]:
    """List what is mounted, of one type or at one place; empty where there is nothing.

    Args:
        fstype: such as `gfs2`.
        target: a mount point.
    """
    by_type = ("-t", _fstype(fstype)) if fstype else ()
    at = ("-M", absolute(target, "mount point")) if target else ()
    return Command(
        ("findmnt", "-J", *by_type, *at),
        status.found_mounts,
        effect=Effect.READ,
        ok=frozenset({0, 1}),
    )
