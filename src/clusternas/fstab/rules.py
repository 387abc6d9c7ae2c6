"""The known mistakes in fstab with a cluster file system.

That its device is no backing disk of DRBD, that each share has a mount, and that the services
start in the right order, needs other files too: `clusternas.nas.rules` looks at these.
"""

from __future__ import annotations

from collections.abc import Iterator

from attrs import evolve

from clusternas.core.diagnostics import Finding, Severity, rule
from clusternas.core.versions import Toolset
from clusternas.fstab.model import Fstab, FstabEntry

__all__: list[str] = []

CLUSTERED = frozenset({"gfs2", "gfs", "ocfs2"})
RED_HAT = "https://access.redhat.com/solutions/35662"


def _without_defaults(entry: FstabEntry) -> tuple[str, ...]:
    return tuple(option for option in entry.options if option != "defaults")


@rule(
    "FSTAB001",
    Severity.WARNING,
    FstabEntry,
    link="mount(8)",
    bad="/dev/vg/lv /opt gfs2 noatime 0 0\n",
    good="/dev/vg/lv /opt gfs2 noatime,_netdev 0 0\n",
)
def mounted_before_the_network(entry: FstabEntry, toolset: Toolset) -> Iterator[Finding]:
    """A cluster file system is mounted at boot before there is a cluster."""
    if entry.fstype in CLUSTERED and not (entry.has("_netdev") or entry.has("noauto")):
        yield Finding(
            f"{entry.mount_point} is mounted before network and cluster are up",
            field="options",
            help="add _netdev, or noauto where the cluster manager mounts it",
            fix=evolve(entry, options=(*_without_defaults(entry), "_netdev")),
        )


@rule(
    "FSTAB005",
    Severity.NOTE,
    FstabEntry,
    link=RED_HAT,
    bad="/dev/vg/lv /opt gfs2 _netdev 0 0\n",
    good="/dev/vg/lv /opt gfs2 noatime,_netdev 0 0\n",
)
def access_times_written(entry: FstabEntry, toolset: Toolset) -> Iterator[Finding]:
    """Each read writes an access time, and takes the lock from the other nodes for it."""
    if entry.fstype in CLUSTERED and not entry.has("noatime"):
        yield Finding(
            "without noatime every read writes, and moves a lock between the nodes",
            field="options",
            help="add noatime",
            fix=evolve(entry, options=("noatime", *_without_defaults(entry))),
        )


@rule(
    "FSTAB006",
    Severity.ERROR,
    FstabEntry,
    link="fsck.gfs2(8)",
    bad="/dev/vg/lv /opt gfs2 noatime,_netdev 0 2\n",
    good="/dev/vg/lv /opt gfs2 noatime,_netdev 0 0\n",
)
def checked_at_boot(entry: FstabEntry, toolset: Toolset) -> Iterator[Finding]:
    """A check at boot destroys a file system that another node has mounted."""
    if entry.fstype in CLUSTERED and entry.passno:
        yield Finding(
            "fsck at boot would run while other nodes have it mounted",
            field="passno",
            help="write 0 in the sixth field",
            fix=evolve(entry, passno=0),
        )


@rule(
    "FSTAB007",
    Severity.WARNING,
    Fstab,
    link="fstab(5)",
    bad="/dev/vg/lv /opt gfs2 noatime,_netdev 0 0\n/dev/vg/b /opt gfs2 noatime,_netdev 0 0\n",
    good="/dev/vg/lv /opt gfs2 noatime,_netdev 0 0\n/dev/vg/b /srv gfs2 noatime,_netdev 0 0\n",
)
def mounted_over(fstab: Fstab, toolset: Toolset) -> Iterator[Finding]:
    """Two lines mount onto one place, and the second hides the first."""
    seen: set[str] = set()
    for entry in fstab.entries:
        place = entry.mount_point
        if place.startswith("/") and not entry.has("bind") and place in seen:
            yield Finding(f"{place} stands twice", at=entry, field="mount_point", help="remove one")
        seen.add(place)
