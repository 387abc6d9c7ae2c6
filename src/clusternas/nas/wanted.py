"""Which files a plan reads and may write."""

from __future__ import annotations

from collections.abc import Mapping

from clusternas.nas.cluster import NasCluster

__all__ = ["DESCRIBED", "NAMED_CONF", "PENDING", "folders", "noted", "paths", "pending"]

NAMED_CONF = {"systemd": "/etc/bind/named.conf.local", "sysv": "/etc/named.conf"}
"""Where named is told of its zones."""

PENDING = "/var/lib/clusternas/pending"
"""Where a node notes which services must read their files again."""

DESCRIBED = "/var/lib/clusternas/described"
"""Where a node notes what was wanted in its files the last time, so that it can go again."""

SERVICES = ("corosync", "cman", "dlm", "clvmd", "samba", "ctdb-nodes", "ctdb-addresses", "ctdb")


def paths(nas: NasCluster, node: str) -> list[str]:
    """The files of a node: its own, the one that tells named of the zones, and the notes."""
    extra = [NAMED_CONF[nas.toolset.init]] if nas.zones else []
    return [*nas.files(node), *extra, DESCRIBED, *(f"{PENDING}/{name}" for name in pending(nas))]


def pending(nas: NasCluster) -> tuple[str, ...]:
    """The names of all notes there may be, in the order in which to reload."""
    return (*(f"drbd-{each.name}" for each in nas.resources), *SERVICES, "named")


def noted(files: Mapping[str, object]) -> frozenset[str]:
    """The notes among the files that were read."""
    start = f"{PENDING}/"
    return frozenset(
        path.removeprefix(start)
        for path, found in files.items()
        if found is not None and path.startswith(start)
    )


def folders(nas: NasCluster) -> tuple[str, ...]:
    """What has to be there on the shared file systems: folders of shares and of CTDB's lock."""
    wanted = [share.path for share in nas.samba.shares if share.path] if nas.samba else []
    lock = (nas.ctdb.cluster.cluster_lock or "") if nas.ctdb and nas.ctdb.cluster else ""
    wanted += [lock.rpartition("/")[0]] if lock.startswith("/") else []
    below = tuple(f"{fs.mount_point.rstrip('/')}/" for fs in nas.filesystems)
    return tuple(sorted({path for path in wanted if path.startswith(below)}))
