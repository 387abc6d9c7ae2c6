"""What is written on a fake block device, as immutable values.

A logical volume's content lives inside its volume group, the group inside its physical volumes, and
those on the devices below: so whatever replicates a device replicates everything on top of it, and
two replicas that part company keep two histories.
"""

from __future__ import annotations

import abc
from collections.abc import Iterator, Mapping
from typing import TypeAlias

import attrs

__all__ = [
    "Content",
    "Device",
    "Disk",
    "Entry",
    "Generation",
    "Gfs2",
    "LogicalVolume",
    "Metadata",
    "OtherData",
    "PhysicalVolume",
    "VolumeGroup",
    "type_of",
]

KIB = 1024
MIB = 1024 * KIB
PV_LABEL = MIB


@attrs.frozen
class Entry:
    """A file, directory or symbolic link.

    Attributes:
        data: content; for a link, where it points.
        kind: `file`, `dir` or `link`.
        mode: permission bits.
        mtime: seconds since the epoch.
    """

    data: bytes = b""
    kind: str = "file"
    mode: int = 0o644
    owner: str = "root"
    group: str = "root"
    mtime: float = 0.0


@attrs.frozen
class Gfs2:
    """A GFS2 file system: the superblock's fields and the files in it."""

    table: str
    protocol: str
    journals: int
    uuid: str
    size: int
    files: Mapping[str, Entry] = attrs.field(factory=dict)


@attrs.frozen
class OtherData:
    """Anything else of value: another file system, or plain data."""

    type: str = "data"
    uuid: str = ""
    label: str = ""
    files: Mapping[str, Entry] = attrs.field(factory=dict)


@attrs.frozen
class LogicalVolume:
    """A logical volume; size in extents of its group."""

    name: str
    uuid: str
    extents: int
    content: Content = None


@attrs.frozen
class VolumeGroup:
    """A volume group, written on every one of its physical volumes.

    Attributes:
        devices: extents of each physical volume, by its UUID.
        locking: empty for a local group, `clustered` (clvmd) or `dlm` (lvmlockd).
        cluster: name of the cluster that locks it, for `dlm`.
    """

    name: str
    uuid: str
    devices: Mapping[str, int]
    volumes: tuple[LogicalVolume, ...] = ()
    locking: str = ""
    cluster: str = ""
    sequence: int = 1
    extent_size: int = 4 * MIB

    @property
    def extents(self) -> int:
        """Extents of all physical volumes together."""
        return sum(self.devices.values())

    @property
    def free(self) -> int:
        """Extents that no volume uses."""
        return self.extents - sum(volume.extents for volume in self.volumes)

    def volume(self, name: str) -> LogicalVolume | None:
        """The logical volume of that name."""
        return next((volume for volume in self.volumes if volume.name == name), None)


@attrs.frozen
class PhysicalVolume:
    """An LVM label: whose, and of which group."""

    uuid: str
    size: int
    group: VolumeGroup | None = None


Content: TypeAlias = Gfs2 | OtherData | PhysicalVolume | None


def type_of(content: Content) -> str:
    """The type that blkid prints of it; empty for a blank device."""
    match content:
        case Gfs2():
            return "gfs2"
        case PhysicalVolume():
            return "LVM2_member"
        case OtherData():
            return content.type
        case None:
            return ""


@attrs.frozen
class Generation:
    """A data generation of a replica: identifiers, newest first, as DRBD's UUIDs are."""

    ids: tuple[int, ...] = ()

    def follows(self, other: Generation) -> bool:
        """Whether the other's newest generation is an ancestor of this one."""
        return bool(other.ids) and other.ids[0] in self.ids[1:]

    def related(self, other: Generation) -> bool:
        """Whether both come from one generation."""
        return bool(set(self.ids) & set(other.ids))

    def next(self, identifier: int) -> Generation:
        """A new generation on top of this one."""
        return Generation((identifier, *self.ids))


@attrs.define
class Metadata:
    """DRBD's on-disk meta data of one replica.

    Attributes:
        dirty: KiB that the peer does not have.
        primary: it was Primary when it was last written, so it crashed if it is not now.
    """

    generation: Generation = attrs.field(factory=Generation)
    consistent: bool = False
    outdated: bool = False
    primary: bool = False
    dirty: int = 0


class Device(abc.ABC):
    """A block device of one node."""

    @property
    @abc.abstractmethod
    def names(self) -> tuple[str, ...]:
        """Its paths; the first is the one that tools print."""

    @property
    @abc.abstractmethod
    def size(self) -> int:
        """Bytes."""

    @property
    @abc.abstractmethod
    def kind(self) -> str:
        """What lsblk calls it: `part`, `disk` or `lvm`."""

    @property
    @abc.abstractmethod
    def below(self) -> tuple[str, ...]:
        """Paths of the devices it stands on."""

    @abc.abstractmethod
    def read(self) -> Content:
        """What is on it."""

    @abc.abstractmethod
    def write(self, content: Content) -> None:
        """Replace what is on it."""

    @property
    def writable(self) -> bool:
        """Whether it may be opened for writing."""
        return True

    @property
    def path(self) -> str:
        """Its first name."""
        return self.names[0]


@attrs.define(eq=False)
class Disk(Device):
    """A partition: survives everything but its own failure.

    Attributes:
        metadata: DRBD's internal meta data at its end.
        scribbled: somebody wrote on it behind DRBD's back; only a full resync makes that good.
    """

    device: str
    bytes: int
    content: Content = None
    metadata: Metadata | None = None
    scribbled: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        return (self.device,)

    @property
    def size(self) -> int:
        return self.bytes

    @property
    def kind(self) -> str:
        return "part" if self.device[-1].isdigit() else "disk"

    @property
    def below(self) -> tuple[str, ...]:
        return ()

    def read(self) -> Content:
        return self.content

    def write(self, content: Content) -> None:
        self.content = content
        self.scribbled = self.metadata is not None


def groups(devices: list[Device]) -> Iterator[tuple[Device, PhysicalVolume]]:
    """The devices with an LVM label, with the label."""
    for device in devices:
        content = device.read()
        if isinstance(content, PhysicalVolume):
            yield device, content
