"""The known mistakes with a GFS2, as far as its own description shows them.

That the lock table names this cluster, that there is a journal for every node, and that SMB alone
exports it, needs other files too: `clusternas.nas.rules` looks at these.
"""

from __future__ import annotations

from collections.abc import Iterator

from clusternas.core.diagnostics import Finding, Severity, rule
from clusternas.core.versions import Toolset
from clusternas.gfs2.model import Gfs2Filesystem
from clusternas.gfs2.names import lock_table_problem

__all__: list[str] = []

MAN_GFS2 = "gfs2(5)"


@rule(
    "GFS2002",
    Severity.ERROR,
    Gfs2Filesystem,
    link="gfs2-utils commit 335552bc",
    bad="mkfs.gfs2 -t NASCluster /dev/drbd_vg/drbd_lv",
    good="mkfs.gfs2 -t NASCluster:opt /dev/drbd_vg/drbd_lv",
)
def lock_table_refused(filesystem: Gfs2Filesystem, toolset: Toolset) -> Iterator[Finding]:
    """The lock table is none: mkfs.gfs2 or the mount refuses it.

    gfs2-utils took 16 and 16 characters until 3.1.9, 32 and 30 since; cman cuts the cluster to 15.
    """
    wrong = lock_table_problem(filesystem.lock_table, toolset)
    if wrong:
        yield Finding(f"lock table {filesystem.lock_table!r}: {wrong}", help="write cluster:fsname")


@rule(
    "GFS2004",
    Severity.ERROR,
    Gfs2Filesystem,
    link=MAN_GFS2,
    bad="mkfs.gfs2 -p lock_nolock -j 2 …",
    good="mkfs.gfs2 -p lock_dlm -j 2 …",
)
def not_locked(filesystem: Gfs2Filesystem, toolset: Toolset) -> Iterator[Finding]:
    """Without the locks of dlm, the second node that mounts it destroys it."""
    if filesystem.lock_proto == "lock_nolock" and filesystem.journals > 1:
        yield Finding(
            "lock_nolock on a file system for several nodes: they destroy it",
            help="write lock_proto = lock_dlm",
        )


@rule(
    "GFS2005",
    Severity.WARNING,
    Gfs2Filesystem,
    link=MAN_GFS2,
    bad="mount -o locktable=Other:opt …",
    good="tunegfs2 -o locktable=Other:opt …, once, unmounted everywhere",
)
def disk_overridden(filesystem: Gfs2Filesystem, toolset: Toolset) -> Iterator[Finding]:
    """A mount option overrides what the disk says of its locks, on one node alone."""
    for name in ("lockproto", "locktable"):
        if filesystem.option(name) is not None:
            yield Finding(
                f"{name} in the mount options overrides what is on the disk",
                help="leave it out; change the disk with tunegfs2",
            )


@rule(
    "GFS2007",
    Severity.WARNING,
    Gfs2Filesystem,
    link="https://access.redhat.com/solutions/20327",
    bad="mount -o localflocks …",
    good="mount …",
)
def locks_not_shared(filesystem: Gfs2Filesystem, toolset: Toolset) -> Iterator[Finding]:
    """With localflocks the locks of programs on one node are not seen on the others."""
    if filesystem.option("localflocks") is not None and filesystem.journals > 1:
        yield Finding(
            "localflocks: programs on the other nodes do not see the locks taken here",
            help="leave it out, unless NFS exports the file system",
        )


@rule(
    "GFS2008",
    Severity.NOTE,
    Gfs2Filesystem,
    link=MAN_GFS2,
    bad="mount -o errors=panic …",
    good="mount …",
)
def panics(filesystem: Gfs2Filesystem, toolset: Toolset) -> Iterator[Finding]:
    """With errors=panic an error of the file system stops the whole node."""
    if filesystem.option("errors") == "panic":
        yield Finding(
            "errors=panic stops the whole node where a withdraw would stop the mount",
            help="leave it out, unless nodes are fenced and restart by themselves",
        )
