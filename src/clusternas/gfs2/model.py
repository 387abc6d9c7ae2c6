"""The GFS2 on the shared volume, as it is wanted: one value, its checks and the commands to it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypedDict

import attrs

from clusternas.core.command import Command, absolute, operand
from clusternas.core.diagnostics import Diagnostic, diagnose, rules_of
from clusternas.core.errors import ValidationError
from clusternas.core.versions import Toolset
from clusternas.gfs2 import commands, status
from clusternas.gfs2.sizes import SMALLEST_ADDED, default_journal_size
from clusternas.gfs2.superblock import Superblock

__all__ = ["FstabRow", "Gfs2Filesystem"]


class FstabRow(TypedDict):
    """The fields of its line in /etc/fstab, by the names of `clusternas.fstab.model.FstabEntry`."""

    source: str
    mount_point: str
    fstype: str
    options: tuple[str, ...]
    dump: int
    passno: int


def _device(path: str) -> str:
    return absolute(path, "device")


def _place(path: str) -> str:
    return absolute(path, "mount point")


def _options(options: Iterable[str]) -> tuple[str, ...]:
    if isinstance(options, str):
        raise ValidationError(f"mount options in one string: {options!r}", hint="give a sequence")
    return tuple(operand(option, "mount option") for option in options)


@attrs.frozen(kw_only=True)
class Gfs2Filesystem:
    """A GFS2 that all nodes mount at once.

    Attributes:
        device: the shared volume.
        lock_table: `cluster:fsname`; the cluster must be the one that mounts it.
        journals: one per node that mounts it.
        mount_point: where the nodes mount it.
        options: for the mount; none of `lockproto` and `locktable`, which are on the disk.
        lock_proto: `lock_dlm`, or `lock_nolock` for one node alone.
        uuid: once it is made; fstab then names it by that.
        block_size: bytes, None for mkfs's own choice.
        journal_size: MiB, None for mkfs's own choice.

    Raises:
        ValidationError: a path or an option could not be one.

    Example:
        >>> opt = Gfs2Filesystem(
        ...     device="/dev/drbd_vg/drbd_lv", lock_table="NASCluster:opt", mount_point="/opt"
        ... )
        >>> print(opt.mkfs())
        mkfs.gfs2 -O -p lock_dlm -j 2 -t NASCluster:opt /dev/drbd_vg/drbd_lv
    """

    device: str = attrs.field(converter=_device)
    lock_table: str
    journals: int = 2
    mount_point: str = attrs.field(converter=_place)
    options: tuple[str, ...] = attrs.field(default=("noatime",), converter=_options)
    lock_proto: str = "lock_dlm"
    uuid: str = ""
    block_size: int | None = None
    journal_size: int | None = None

    @property
    def cluster(self) -> str:
        """The cluster that may mount it."""
        return self.lock_table.partition(":")[0]

    @property
    def fs_name(self) -> str:
        """What it is called in that cluster."""
        return self.lock_table.partition(":")[2]

    @classmethod
    def from_superblock(
        cls, superblock: Superblock, *, device: str, mount_point: str, journals: int = 2
    ) -> Gfs2Filesystem:
        """The one that is on a device already."""
        return cls(
            device=device,
            lock_table=superblock.lock_table,
            journals=journals,
            mount_point=mount_point,
            lock_proto=superblock.lock_proto,
            uuid=superblock.uuid,
            block_size=superblock.block_size,
        )

    def validate(self, toolset: Toolset | None = None) -> list[Diagnostic]:
        """What is wrong with it, for the tools of a toolset or for all."""
        tools = toolset or Toolset.UNKNOWN
        return [
            diagnose(rule, self, finding)
            for rule in rules_of(type(self))
            for finding in rule.check(self, tools)
        ]

    def journals_missing(self, nodes: int) -> int:
        """How many journals more it needs for so many nodes: the last nodes could not mount it."""
        return max(0, nodes - self.journals)

    def option(self, name: str) -> str | None:
        """The value of a mount option, empty for one without; None where it is not given."""
        found = [each.partition("=")[2] for each in self.options if each.partition("=")[0] == name]
        return found[-1] if found else None

    def differences(self, found: status.OnDisk) -> list[str]:
        """What is otherwise on the device, as sentences; empty where it is what is wanted."""
        there = found.superblock
        wanted = [
            ("lock table", self.lock_table, there.lock_table),
            ("lock protocol", self.lock_proto, there.lock_proto),
            ("UUID", self.uuid or there.uuid, there.uuid),
            ("block size", self.block_size or there.block_size, there.block_size),
        ]
        rows = [
            f"the {what} is {is_} on {self.device}, not {should}"
            for what, should, is_ in wanted
            if should != is_
        ]
        if found.journals is not None and found.journals < self.journals:
            rows.append(f"{found.journals} journals on {self.device}, {self.journals} are wanted")
        return rows

    def fstab_row(self) -> FstabRow:
        """Its line in /etc/fstab: by UUID where that is known, after the network, never checked.

        A check at boot (passno) would need it unmounted on all nodes.
        """
        network = () if {"_netdev", "noauto"} & set(self.options) else ("_netdev",)
        return FstabRow(
            source=f"UUID={self.uuid}" if self.uuid else self.device,
            mount_point=self.mount_point,
            fstype="gfs2",
            options=(*self.options, *network),
            dump=0,
            passno=0,
        )

    def mkfs(self, toolset: Toolset = Toolset.UNKNOWN) -> Command[status.MadeFilesystem]:
        """Make it. It runs only if allowed by its name, `mkfs.gfs2 DEVICE`."""
        return commands.mkfs(
            self.device,
            self.lock_table,
            self.journals,
            lock_proto=self.lock_proto,
            block_size=self.block_size,
            journal_size=self.journal_size,
            toolset=toolset,
        )

    def mount(self) -> Command[str]:
        """Mount it here."""
        return commands.mount(self.device, self.mount_point, self.options)

    def umount(self) -> Command[str]:
        """Unmount it here."""
        return commands.umount(self.mount_point)

    def inspect(self) -> Command[status.OnDisk | None]:
        """Read what is on the device."""
        return commands.inspect(self.device)

    def jadd(self, journals: int = 1, *, device_size: int = 0) -> Command[status.JournalsAdded]:
        """Add journals while it is mounted.

        Args:
            journals: how many more.
            device_size: bytes, if known: then they are no larger than mkfs.gfs2 would have made
                them, as far as gfs2_jadd can.
        """
        size = self.journal_size
        if size is None and device_size:
            size = default_journal_size(device_size, self.journals)
        size = size and max(size, SMALLEST_ADDED)
        return commands.jadd(self.mount_point, journals, journal_size=size)

    def grow(self) -> Command[status.Grown]:
        """Use all of the device, after it has grown, while it is mounted."""
        return commands.grow(self.mount_point)
