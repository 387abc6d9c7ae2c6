"""The volume group that the nodes share, as it is wanted: one value, and the commands to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import Any

import attrs

from clusternas.core.command import Command
from clusternas.core.errors import ParseError
from clusternas.core.keyed import Keyed
from clusternas.core.syntax.tree import Node
from clusternas.core.versions import Toolset
from clusternas.lvm import commands
from clusternas.lvm.commands import LOCKD_SINCE, Locking
from clusternas.lvm.model import SYNTAX
from clusternas.lvm.names import device_path, lv_name, mapper_path, physical_volume, vg_name
from clusternas.lvm.status import Report
from clusternas.lvm.values import parse as parse_value

__all__ = ["ClvmLogicalVolume", "ClvmVolumeGroup"]

SECTOR = 512


@attrs.frozen(kw_only=True)
class ClvmLogicalVolume:
    """A logical volume of a shared group.

    Attributes:
        name: of the volume.
        size: bytes, or as LVM reads it, like `900M`.
        extents: instead of a size, like `100%FREE`.
    """

    name: str = attrs.field(converter=lv_name)
    size: str | int = ""
    extents: str = ""


def _volumes(items: Iterable[ClvmLogicalVolume]) -> Keyed[ClvmLogicalVolume]:
    return Keyed(items, key=attrgetter("name"))


def _devices(paths: Iterable[str]) -> tuple[str, ...]:
    return tuple(map(physical_volume, paths))


@attrs.frozen(kw_only=True)
class ClvmVolumeGroup:
    """A volume group on replicated devices, used by all nodes at once.

    Attributes:
        name: of the group.
        pvs: its devices, such as `/dev/drbd1`.
        logical_volumes: its volumes, by name or place.
        locking: who guards it; None means clvmd where LVM is too old for lvmlockd, else `dlm`.

    Raises:
        ValidationError: LVM would refuse a name or a path.

    Example:
        >>> lv = ClvmLogicalVolume(name="drbd_lv", size="900M")
        >>> vg = ClvmVolumeGroup(name="drbd_vg", pvs=["/dev/drbd1"], logical_volumes=[lv])
        >>> for command in vg.create(Toolset.EL6):
        ...     print(command)
        pvcreate /dev/drbd1
        vgcreate -c y drbd_vg /dev/drbd1
        lvcreate -n drbd_lv -L 900M drbd_vg
    """

    name: str = attrs.field(converter=vg_name)
    pvs: tuple[str, ...] = attrs.field(converter=_devices)
    logical_volumes: Keyed[ClvmLogicalVolume] = attrs.field(
        default=_volumes(()), converter=_volumes
    )
    locking: Locking | None = None

    @classmethod
    def from_report(cls, report: Report, name: str) -> ClvmVolumeGroup:
        """The group as a node reports it: `clusternas.lvm.commands.fullreport`.

        Raises:
            ParseError: the node has no such group.
        """
        found = [vg for vg in report.volume_groups if vg.name == name]
        if not found:
            raise ParseError(f"no volume group {name!r} in the report")
        return cls(
            name=name,
            pvs=tuple(pv.device for pv in report.physical_volumes if pv.vg == name),
            logical_volumes=_volumes(
                ClvmLogicalVolume(name=lv.name, size=lv.size or 0)
                for lv in report.logical_volumes
                if lv.vg == name and not lv.name.startswith("[")
            ),
            locking=_locking(found[0].lock_type, found[0].clustered),
        )

    @classmethod
    def parse(cls, text: str | bytes, path: str = "") -> ClvmVolumeGroup:
        """Read it from a backup of LVM's metadata, /etc/lvm/backup/NAME; vgcfgbackup(8).

        Raises:
            ParseError: there is not exactly one group in it, or a value is missing.
        """
        tree = SYNTAX.parse(text, path)
        groups = [node for node in tree.root.children if node.body >= 0]
        if len(groups) != 1:
            raise ParseError(f"{len(groups)} volume groups in the text, not one", path=path)
        try:
            return _from_metadata(groups[0])
        except (KeyError, TypeError, ValueError) as error:
            raise ParseError(f"not a backup of LVM's metadata: {error}", path=path) from None

    def locked_by(self, toolset: Toolset = Toolset.UNKNOWN) -> Locking:
        """Who guards it on a node with these tools."""
        if self.locking is not None:
            return self.locking
        return "dlm" if toolset.has("lvm", since=LOCKD_SINCE) else "clvmd"

    def create(self, toolset: Toolset = Toolset.UNKNOWN) -> tuple[Command[str], ...]:
        """What makes it, on one node."""
        locking = self.locked_by(toolset)
        group = commands.vgcreate(self.name, self.pvs, locking=locking, toolset=toolset)
        volumes = (
            commands.lvcreate(self.name, lv.name, size=lv.size, extents=lv.extents)
            for lv in self.logical_volumes
        )
        return (*map(commands.pvcreate, self.pvs), group, *volumes)

    def start(self, toolset: Toolset = Toolset.UNKNOWN) -> tuple[Command[str], ...]:
        """What makes its volumes usable on a node, after its lock manager is up.

        The node that created a volume holds it exclusively: there too this makes it shared.
        """
        activate = commands.vgchange_activate(self.name, toolset=toolset)
        if self.locked_by(toolset) in ("dlm", "sanlock"):
            return commands.vgchange_start_locking(self.name), activate
        return (activate,)

    def stop(self, toolset: Toolset = Toolset.UNKNOWN) -> tuple[Command[str], ...]:
        """What lets go of it on a node, before DRBD becomes secondary there."""
        # With clvmd -an would take the volumes from all nodes; -aln does it here alone.
        locked = self.locked_by(toolset)
        off = commands.vgchange_activate(self.name, "no" if locked != "clvmd" else "not here")
        if locked in ("dlm", "sanlock"):
            return off, commands.vgchange_stop_locking(self.name)
        return (off,)

    def device_path(self, lv: str) -> str:
        """Where a volume appears, like `/dev/drbd_vg/drbd_lv`."""
        return device_path(self.name, self.logical_volumes[lv].name)

    def mapper_path(self, lv: str) -> str:
        """What mount and blkid call it, like `/dev/mapper/drbd_vg-drbd_lv`."""
        return mapper_path(self.name, self.logical_volumes[lv].name)


def _locking(lock_type: str, clustered: bool) -> Locking:
    known: dict[str, Locking] = {"dlm": "dlm", "sanlock": "sanlock"}
    return known.get(lock_type, "clvmd" if clustered else "none")


def _from_metadata(group: Node) -> ClvmVolumeGroup:
    sections = {node.key: node for node in group.children if node.body >= 0}
    values = _values(group)
    extent = int(values["extent_size"]) * SECTOR
    volumes = sections.get("logical_volumes")
    return ClvmVolumeGroup(
        name=group.key,
        pvs=tuple(str(_values(node)["device"]) for node in sections["physical_volumes"].children),
        logical_volumes=_volumes(
            ClvmLogicalVolume(name=node.key, size=_extents(node) * extent)
            for node in (volumes.children if volumes else ())
            if "VISIBLE" in _flags(_values(node))
        ),
        locking=_locking(str(values.get("lock_type", "")), "CLUSTERED" in _flags(values)),
    )


def _values(section: Node) -> Mapping[str, Any]:
    return {node.key: parse_value(node.values[0]) for node in section.children if node.body < 0}


def _flags(values: Mapping[str, Any]) -> list[str]:
    status = values.get("status", [])
    return status if isinstance(status, list) else [status]


def _extents(volume: Node) -> int:
    segments = [_values(node) for node in volume.children if node.body >= 0]
    return sum(int(segment["extent_count"]) for segment in segments)
