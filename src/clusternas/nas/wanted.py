"""Which files a plan reads and may write."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import PurePosixPath

from clusternas.core.files import FileContent
from clusternas.nas.cluster import NasCluster

__all__ = [
    "DESCRIBED",
    "NAMED_CONF",
    "PENDING",
    "folders",
    "forgotten",
    "noted",
    "paths",
    "pending",
    "remembered",
]

NAMED_CONF = {"systemd": "/etc/bind/named.conf.local", "sysv": "/etc/named.conf"}
"""Where named is told of its zones."""

PENDING = "/var/lib/clusternas/pending"
"""Where a node notes which services must read their files again."""

DESCRIBED = "/var/lib/clusternas/described"
"""Where a node notes what was wanted in its files the last time, so that it can go again."""

RESOURCES = "/etc/drbd.d/"

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


def remembered(files: Mapping[str, FileContent | None]) -> dict[str, str]:
    """What was wanted the last time, by path; empty where nothing readable is noted."""
    note = files.get(DESCRIBED)
    try:
        texts = json.loads(note.content) if note is not None else {}
    except ValueError:
        return {}
    return texts if isinstance(texts, dict) else {}


def forgotten(
    nas: NasCluster, node: str, files: Mapping[str, FileContent | None]
) -> dict[str, str]:
    """Resources that were described and are no more, with the paths of their files.

    Args:
        nas: what is wanted.
        node: where.
        files: what its files say; the note of what was wanted is among them.
    """
    own = nas.nodes[node].files
    wanted = {each.name for each in nas.resources}
    return {
        PurePosixPath(path).stem: path
        for path in remembered(files)
        if path.startswith(RESOURCES) and path.endswith(".res") and path not in own
        if PurePosixPath(path).stem not in wanted
    }


def folders(nas: NasCluster) -> tuple[str, ...]:
    """What has to be there on the shared file systems: folders of shares and of CTDB's lock."""
    wanted = [share.path for share in nas.samba.shares if share.path] if nas.samba else []
    lock = (nas.ctdb.cluster.cluster_lock or "") if nas.ctdb and nas.ctdb.cluster else ""
    wanted += [lock.rpartition("/")[0]] if lock.startswith("/") else []
    below = tuple(f"{fs.mount_point.rstrip('/')}/" for fs in nas.filesystems)
    return tuple(sorted({path for path in wanted if path.startswith(below)}))
