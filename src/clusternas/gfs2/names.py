"""What GFS2 accepts as a lock table: `cluster:fsname`.

gfs2-utils allowed 16 and 16 characters until 3.1.9, 32 and 30 since (commit 335552bc); cman cut the
name of a cluster to 15.
"""

from __future__ import annotations

import re

from clusternas.core.errors import ValidationError
from clusternas.core.versions import Toolset

__all__ = ["lock_table", "lock_table_limits", "lock_table_problem"]

ALLOWED = re.compile(r"[A-Za-z0-9_-]*")
LONG_SINCE = "3.1.9"
CMAN_LIMIT = 15


def lock_table_limits(toolset: Toolset = Toolset.UNKNOWN) -> tuple[int, int]:
    """How long the name of the cluster and of the file system may be.

    Example:
        >>> lock_table_limits(Toolset.EL6), lock_table_limits()
        ((15, 16), (32, 30))
    """
    cluster, name = (32, 30) if toolset.has("gfs2", since=LONG_SINCE) else (16, 16)
    return min(cluster, CMAN_LIMIT) if toolset.cman else cluster, name


def lock_table_problem(table: str, toolset: Toolset = Toolset.UNKNOWN) -> str:
    """What mkfs.gfs2 would say against a lock table; empty if nothing.

    Example:
        >>> lock_table_problem("NASCluster")
        'there is no colon in it'
    """
    cluster, colon, name = table.partition(":")
    if not colon:
        return "there is no colon in it"
    limits = zip(
        ("cluster", "file system"), (cluster, name), lock_table_limits(toolset), strict=True
    )
    for what, part, limit in limits:
        if not part:
            return f"the name of the {what} is missing"
        if not ALLOWED.fullmatch(part):
            return f"the name of the {what} holds something else than A-Z a-z 0-9 _ -"
        if len(part) > limit:
            return f"the name of the {what} has {len(part)} characters, {limit} are allowed"
    return ""


def lock_table(table: str, toolset: Toolset = Toolset.UNKNOWN) -> str:
    """Check a lock table.

    Raises:
        ValidationError: mkfs.gfs2 of that toolset would refuse it.
    """
    problem = lock_table_problem(table, toolset)
    if problem:
        raise ValidationError(f"not a lock table: {table!r}: {problem}", hint="cluster:fsname")
    return table
