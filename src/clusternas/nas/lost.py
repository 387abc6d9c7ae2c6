"""What a node loses that gives up its side of a split brain, and how it is saved aside before."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from datetime import UTC, datetime

import attrs

from clusternas.core.command import Command, Runner, absolute
from clusternas.core.errors import CommandError, ParseError, PlanError
from clusternas.core.salvage import ChangedFile, SavedDisk, changed_since, save_disk
from clusternas.drbd.kernellog import link_lost
from clusternas.drbd.layout import stored
from clusternas.drbd.model import DrbdResource
from clusternas.gfs2.model import Gfs2Filesystem
from clusternas.nas.actual import NasState
from clusternas.nas.cluster import NasCluster
from clusternas.nas.layers import resources_below, volume_of
from clusternas.nas.stopping import require_answer

__all__ = ["WrittenAlone", "saves", "written_alone"]

UNNOTICED = 60.0
"""Seconds before the link was lost from which on files count: DRBD notices it late, and the kernel
keeps what a program has written for half a minute before it goes to the disk."""
UNDATED = "the log of the kernel there does not say since when: give the time"
SHOWN = 20
"""Files that are shown to people."""
MEMORY = frozenset({"tmpfs", "ramfs", "devtmpfs"})


@attrs.frozen(kw_only=True)
class WrittenAlone:
    """What one node has written while it had no link to the others.

    Attributes:
        resource: that is split.
        victim: the node.
        kib: in blocks of 4 KiB, or None where nobody has counted them.
        since: from when on files count, seconds since the epoch; None where nobody knows.
        files: regular files that were changed on the node since then, by path.
        more: how many beside these.
        unlisted: why there may be files that are not listed; empty where there are none.
    """

    resource: str
    victim: str
    kib: int | None = None
    since: float | None = None
    files: tuple[ChangedFile, ...] = ()
    more: int = 0
    unlisted: str = ""

    def record(self) -> dict[str, object]:
        """It as plain data."""
        return attrs.asdict(self)

    def __str__(self) -> str:
        much = "nobody knows how much" if self.kib is None else f"{self.kib} KiB"
        lines = [f"{self.victim} wrote alone to {self.resource}: {much}"]
        if self.since is not None:
            lines.append(f"files that were changed there since {_clock(self.since)}:")
            shown = self.files[:SHOWN]
            lines += [
                f"  {_clock(each.mtime)} {each.size:>12} {_safe(each.path)}" for each in shown
            ]
            more = len(self.files) - len(shown) + self.more
            lines += [f"  and {more} more"] if more else [] if shown else ["  none"]
        lines += [f"files are not listed: {_safe(self.unlisted)}"] if self.unlisted else []
        return "\n".join(lines)


def written_alone(
    nas: NasCluster,
    nodes: Mapping[str, Runner],
    state: NasState,
    resource: str,
    victim: str,
    *,
    since: float | None = None,
) -> WrittenAlone:
    """What a node loses if it gives up its side of a split brain; it only looks.

    The files are listed where they can still be seen: while the file system is mounted on the node.
    What the others have changed too is among them, and what was removed alone is not. If the two
    histories have made the file system inconsistent, GFS2 may notice while it is read, and withdraw
    from it.

    Args:
        nas: the NAS.
        nodes: name to runner.
        state: as it is now.
        resource: which one is split.
        victim: the node.
        since: when the link was lost, seconds since the epoch; by default as the kernel's log of
            the victim says, and a minute before.

    Raises:
        PlanError: there is no such node, or it does not answer.
    """
    require_answer(state, victim)
    status = state[victim].drbd.get(resource)
    told = WrittenAlone(
        resource=resource, victim=victim, kib=status.written_alone if status else None
    )
    mounted, why = _visible(nas, state, nas.resources[resource], victim)
    try:
        if mounted and since is None:
            since = _last_linked(nodes[victim], nas, resource)
        if not mounted or since is None:
            return attrs.evolve(told, unlisted=why or UNDATED)
        found = [nodes[victim].run(changed_since(each, since)).value for each in mounted]
    except (CommandError, ParseError) as error:
        return attrs.evolve(told, unlisted=_first_line(error))
    return attrs.evolve(
        told,
        since=since,
        files=tuple(file for each in found for file in each.files),
        more=sum(each.more for each in found),
        unlisted=why,
    )


def _last_linked(runner: Runner, nas: NasCluster, resource: str) -> float | None:
    """From when on files count, as the log says."""
    if nas.toolset.init == "sysv":
        return None  # its log has neither a year nor a place that everybody has
    lost = runner.run(link_lost(resource)).value
    return None if lost is None else lost - UNNOTICED


def _visible(
    nas: NasCluster, state: NasState, resource: DrbdResource, victim: str
) -> tuple[list[str], str]:
    """Where the files of a resource can be seen on a node, and why some cannot."""
    mounted: list[str] = []
    why: list[str] = []
    for fs in _filesystems(nas, resource):
        if fs.lock_table in state[victim].withdrawn:
            why.append(f"GFS2 has withdrawn from {fs.mount_point}")
        elif state[victim].mounted(fs.mount_point) is None:
            why.append(f"{fs.mount_point} is not mounted on {victim}")
        else:
            mounted.append(fs.mount_point)
    if not mounted and not why:
        why.append(f"no file system of the description is on {resource.name}")
    return mounted, ", ".join(why)


def _filesystems(nas: NasCluster, resource: DrbdResource) -> list[Gfs2Filesystem]:
    """The file systems that stand on a resource."""
    groups = [group for group in nas.volume_groups if resource in resources_below(nas, group.pvs)]
    return [
        fs
        for fs in nas.filesystems
        if resource in resources_below(nas, [fs.device])
        or any(volume_of(group, fs) for group in groups)
    ]


def saves(
    nas: NasCluster, state: NasState, resource: DrbdResource, victim: str, path: str
) -> list[Command[SavedDisk]]:
    """The commands that copy the disks below a resource on a node into files there.

    Args:
        nas: the NAS.
        state: as it is now.
        resource: whose disks.
        victim: the node.
        path: of the file; with several volumes, each puts its number before the ending.

    Raises:
        PlanError: that place is in memory, or will not be seen when the NAS serves.
    """
    path = posixpath.normpath(absolute(path))
    for fs in nas.filesystems:
        if posixpath.commonpath((path, fs.mount_point)) == fs.mount_point:
            raise PlanError(
                f"{path} is below {fs.mount_point}, which is unmounted for this",
                hint=f"save it to a file system of {victim} itself",
            )
    inside = [each for each in state[victim].mounts if _is_inside(path, each.target)]
    last = max(inside, key=lambda each: len(each.target), default=None)
    if last is not None and last.fstype in MEMORY:
        raise PlanError(
            f"{path} is in the memory of {victim}", hint="save it to a file system on a disk"
        )
    disks = {seat.number: seat.backing for seat in stored(resource, victim)}
    start, end = posixpath.splitext(path)
    several = len(disks) > 1
    return [
        save_disk(disk, f"{start}-{number}{end}" if several else path)
        for number, disk in disks.items()
    ]


def _is_inside(path: str, folder: str) -> bool:
    return posixpath.commonpath((path, folder)) == posixpath.normpath(folder)


def _clock(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _safe(path: str) -> str:
    """A path as it may be printed: who may write files may not write to a terminal."""
    shown = (each if each.isprintable() else ascii(each)[1:-1] for each in path)
    return "".join(shown)


def _first_line(error: CommandError | ParseError) -> str:
    said = error.stderr.strip() if isinstance(error, CommandError) else ""
    return said.splitlines()[0] if said else error.message
