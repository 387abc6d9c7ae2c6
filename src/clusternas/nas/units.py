"""Which services a NAS needs, by generation."""

from __future__ import annotations

from clusternas.nas.cluster import NasCluster

__all__ = ["LOCKING", "MEMBERSHIP", "at_boot", "file_service", "rivals", "units"]

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
    """The services of Samba that CTDB starts by itself, under the names that distributions use.

    Started at boot, smbd comes before ctdbd and ends at once; started by hand, nobody watches it.
    """
    return SAMBA if nas.ctdb is not None else ()


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
