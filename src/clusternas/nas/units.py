"""Which services a NAS needs, by generation."""

from __future__ import annotations

from clusternas.nas.cluster import NasCluster

__all__ = ["LOCKING", "MEMBERSHIP", "at_boot", "file_service", "own", "rivals", "units"]

MEMBERSHIP = {"systemd": ("corosync",), "sysv": ("cman",)}
LOCKING = {"systemd": ("dlm", "lvmlockd"), "sysv": ("clvmd",)}
NAMED = "named"
SAMBA = ("smbd", "nmbd", "smb", "nmb", "winbind")


def file_service(nas: NasCluster) -> str:
    """What serves files: CTDB, which starts Samba itself, or Samba alone; empty for none."""
    if nas.ctdb is not None:
        return "ctdb"
    if nas.samba is None:
        return ""
    return "smb" if nas.toolset.init == "sysv" else "smbd"


def rivals(nas: NasCluster) -> tuple[str, ...]:
    """What may not run beside what serves files.

    With CTDB the services of Samba, under the names that distributions use: CTDB starts them.
    Started at boot, smbd comes before ctdbd and ends at once; started by hand, nobody watches it.
    Without CTDB, CTDB: Samba would run as part of a cluster that it is not told of.
    """
    if nas.ctdb is not None:
        return SAMBA
    return ("ctdb",) if nas.samba is not None else ()


def own(nas: NasCluster, running: frozenset[str]) -> frozenset[str]:
    """What runs by itself: no Samba that CTDB has started, where there is to be no CTDB."""
    started = SAMBA if nas.ctdb is None and "ctdb" in running else ()
    return running.difference(started)


def units(nas: NasCluster) -> tuple[str, ...]:
    """All services of a NAS, in the order to start them."""
    found = _known(nas)
    return (*found, *(unit for unit in nas.services if unit not in found))


def at_boot(nas: NasCluster) -> tuple[str, ...]:
    """Those that start at boot: not CTDB, whose lock is on a file system that is not mounted then.

    Example:
        >>> at_boot(NasCluster(name="NASCluster", nodes=[]))
        ()
    """
    return tuple(unit for unit in _known(nas) if unit != "ctdb")


def _known(nas: NasCluster) -> list[str]:
    init = nas.toolset.init
    found: list[str] = []
    if nas.cman is not None or nas.corosync is not None:
        found += MEMBERSHIP[init]
        found += LOCKING[init] if nas.volume_groups else ()
    found += [unit for unit in (file_service(nas),) if unit]
    found += [NAMED] if nas.zones else []
    return found
