"""The known mistakes with a GFS2, as far as its own description shows them.

GFS2001 (the lock table names another cluster), GFS2003 (fewer journals than nodes) and GFS2006 (the
same GFS2 exported by NFS and SMB) need other files too: they are in `clusternas.nas.rules`, which
may use `journals_missing`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from clusternas.core.diagnostics import Diagnostic, Severity
from clusternas.core.versions import Toolset
from clusternas.gfs2.names import lock_table_problem

if TYPE_CHECKING:
    from clusternas.gfs2.model import Gfs2Filesystem

__all__ = ["check", "journals_missing"]

MAN_GFS2 = "gfs2(5)"
COMMIT = "gfs2-utils commit 335552bc"
ON_DISK = ("lockproto", "locktable")


class _Fact(NamedTuple):
    code: str
    severity: Severity
    message: str
    help: str
    link: str


def check(filesystem: Gfs2Filesystem, toolset: Toolset) -> list[Diagnostic]:
    """All that is wrong with a file system by itself."""
    return [Diagnostic(**fact._asdict()) for fact in _facts(filesystem, toolset)]


def journals_missing(filesystem: Gfs2Filesystem, nodes: int) -> int:
    """How many journals more it needs for so many nodes: the last nodes cannot mount it."""
    return max(0, nodes - filesystem.journals)


def _facts(filesystem: Gfs2Filesystem, toolset: Toolset) -> Iterator[_Fact]:
    wrong = lock_table_problem(filesystem.lock_table, toolset)
    if wrong:
        yield _Fact(
            "GFS2002",
            Severity.ERROR,
            f"lock table {filesystem.lock_table!r}: {wrong}",
            "write cluster:fsname",
            COMMIT,
        )
    yield from _locking(filesystem)
    yield from _options(filesystem)


def _locking(filesystem: Gfs2Filesystem) -> Iterator[_Fact]:
    names = [option.partition("=")[0] for option in filesystem.options]
    if filesystem.lock_proto == "lock_nolock" and filesystem.journals > 1:
        yield _Fact(
            "GFS2004",
            Severity.ERROR,
            "lock_nolock on a file system for several nodes: they destroy it",
            "write lock_proto='lock_dlm'",
            MAN_GFS2,
        )
    if "localflocks" in names and filesystem.journals > 1:
        yield _Fact(
            "GFS2004",
            Severity.WARNING,
            "localflocks: the locks of one node are not seen by the others",
            "leave it out, unless NFS exports the file system",
            MAN_GFS2,
        )


def _options(filesystem: Gfs2Filesystem) -> Iterator[_Fact]:
    for option in filesystem.options:
        name, _, value = option.partition("=")
        if name in ON_DISK:
            yield _Fact(
                "GFS2005",
                Severity.WARNING,
                f"{name} in the mount options overrides what is on the disk",
                "leave it out; change the disk with tunegfs2",
                MAN_GFS2,
            )
        if (name, value) == ("errors", "panic"):
            yield _Fact(
                "GFS2005",
                Severity.NOTE,
                "errors=panic stops the whole node where a withdraw would stop the mount",
                "leave it out, unless nodes are fenced and restart by themselves",
                MAN_GFS2,
            )
