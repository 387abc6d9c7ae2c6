"""Volume groups as a node sees them through its devices, and the volumes it has activated."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import attrs

from clusternas.testing.blocks import (
    Content,
    Device,
    LogicalVolume,
    PhysicalVolume,
    VolumeGroup,
    groups,
)
from clusternas.testing.shell import Exit, Hang
from clusternas.testing.tools import dlm, fencing
from clusternas.testing.tools.lvm.config import LvmConfig, load
from clusternas.testing.tools.membership import Member, quorate

if TYPE_CHECKING:
    from clusternas.testing.node import FakeNode

__all__ = [
    "Active",
    "Group",
    "LvDevice",
    "Lvm",
    "activate",
    "deactivate",
    "devices",
    "find_group",
    "lockspace",
    "scan",
    "take_lock",
    "update",
]


@attrs.frozen
class Active:
    """An active volume: how its lock is held, the devices below it by PV UUID, and its extents.

    These are of the time when it was activated or refreshed, whatever the group says since.
    """

    mode: str
    paths: dict[str, str]
    extents: int = 0


class Lvm:
    """The volumes a node has active, by group and name."""

    def __init__(self) -> None:
        self.active: dict[tuple[str, str], Active] = {}
        self.started: set[str] = set()


@attrs.frozen
class Group:
    """A volume group with the devices that this node finds it on."""

    value: VolumeGroup
    paths: dict[str, str]


@attrs.frozen
class Scan:
    """What a scan of the devices found; `warnings` is for standard error."""

    config: LvmConfig
    labels: list[tuple[Device, PhysicalVolume]]
    groups: dict[str, Group]
    warnings: str = ""


def scan(node: FakeNode, *, forced: bool = False) -> Scan:
    """Look at every device that the filter lets through.

    LVM 2.03 passes over groups of clvmd without a word, unless it is `forced`.
    """
    config = load(node)
    visible = [
        device for device in node.devices() if device.kind != "lvm" and config.accepts(device)
    ]
    labels: dict[str, tuple[Device, PhysicalVolume]] = {}
    warnings = []
    for device, label in groups(visible):
        clustered = label.group is not None and label.group.locking == "clustered"
        if clustered and not old(node) and not forced:
            continue
        if label.uuid in labels:
            worse, better = labels[label.uuid][0], device
            labels.pop(label.uuid)
            warnings.append(duplicate(node, label.uuid, worse.path, better.path))
        labels[label.uuid] = (device, label)
    warnings.append(locking_warning(node, config))
    found = list(labels.values())
    return Scan(config, found, dict(by_name(found)), "".join(warnings))


def duplicate(node: FakeNode, uuid: str, worse: str, better: str) -> str:
    """The warning about a label that is seen through two devices; the upper one is used."""
    if node.cluster.toolset.has("lvm", since="2.03"):
        return (
            f"  WARNING: Not using device {worse} for PV {uuid}.\n"
            f"  WARNING: PV {uuid} prefers device {better} because device is in subsystem.\n"
        )
    return f"  Found duplicate PV {uuid.replace('-', '')}: using {better} not {worse}\n"


def locking_warning(node: FakeNode, config: LvmConfig) -> str:
    """What LVM 2.02 says when its lock daemon is not there."""
    if old(node) and config.locking_type == 3 and "clvmd" not in node.running:
        return (
            "  connect() failed on local socket: No such file or directory\n"
            "  Internal cluster locking initialisation failed.\n"
            "  WARNING: Falling back to local file-based locking.\n"
            "  Volume Groups with the clustered attribute will be inaccessible.\n"
        )
    return ""


def old(node: FakeNode) -> bool:
    """LVM of the time of clvmd."""
    return not node.cluster.toolset.has("lvm", since="2.03")


def by_name(labels: list[tuple[Device, PhysicalVolume]]) -> Iterator[tuple[str, Group]]:
    """The groups on those labels, each with its newest meta data."""
    names = {label.group.name for _, label in labels if label.group is not None}
    for name in sorted(names):
        mine = [
            (device, label)
            for device, label in labels
            if label.group is not None and label.group.name == name
        ]
        newest = max(
            (label.group for _, label in mine if label.group is not None),
            key=lambda group: group.sequence,
        )
        yield name, Group(newest, {label.uuid: device.path for device, label in mine})


def lockspace(group: VolumeGroup) -> str:
    """The lock space of a shared group."""
    return f"lvm_{group.name}"


def find_group(node: FakeNode, name: str, *, change: bool = False) -> Group:
    """A group by name, its lock taken as far as the command needs one."""
    name = name.removeprefix("/dev/").strip("/")
    found = scan(node)
    group = found.groups.get(name)
    if group is None:
        raise Exit(
            5,
            f'{found.warnings}  Volume group "{name}" not found\n'
            f"  Cannot process volume group {name}",
        )
    take_lock(node, found.config, group.value, change=change)
    return group


def take_lock(node: FakeNode, config: LvmConfig, group: VolumeGroup, *, change: bool) -> None:
    """Take the group's lock, hang while locks are stopped, or fail."""
    if group.locking == "clustered":
        if config.locking_type != 3 or "clvmd" not in node.running:
            raise Exit(5, f"  Skipping clustered volume group {group.name}")
        if not quorate(node) or fencing.waits_for(node):
            raise Hang("clvmd waits for the cluster")
    if group.locking == "dlm":
        if not config.use_lvmlockd or "lvmlockd" not in node.running:
            raise Exit(
                5, f"  Cannot access VG {group.name} with lock type dlm that requires lvmlockd."
            )
        if group.name not in node.of(Lvm).started:
            if change:
                raise Exit(5, f"  Cannot access VG {group.name} due to failed lock.")
            return
        dlm.wait_for_locks(node, lockspace(group))


def update(node: FakeNode, group: Group, value: VolumeGroup) -> Group:
    """Write new meta data on every device of the group."""
    value = attrs.evolve(value, sequence=value.sequence + 1)
    rewrite(node, group.paths, value)
    return Group(value, group.paths)


def rewrite(node: FakeNode, paths: dict[str, str], value: VolumeGroup) -> None:
    """Put the group into each label."""
    for uuid, path in paths.items():
        device = node.device(path, code=5)
        label = device.read()
        size = label.size if isinstance(label, PhysicalVolume) else device.size
        device.write(PhysicalVolume(uuid, size, value))


# Active volumes


@attrs.frozen(eq=False)
class LvDevice(Device):
    """An active logical volume."""

    node: FakeNode
    group_name: str
    name: str
    active: Active
    number: int

    @property
    def names(self) -> tuple[str, ...]:
        mapped = f"{self.group_name.replace('-', '--')}-{self.name.replace('-', '--')}"
        return (
            f"/dev/mapper/{mapped}",
            f"/dev/{self.group_name}/{self.name}",
            f"/dev/dm-{self.number}",
        )

    @property
    def size(self) -> int:
        return self._group().extent_size * self.active.extents

    @property
    def kind(self) -> str:
        return "lvm"

    @property
    def below(self) -> tuple[str, ...]:
        return tuple(self.active.paths.values())

    def read(self) -> Content:
        volume = self._group().volume(self.name)
        return volume.content if volume is not None else None

    def write(self, content: Content) -> None:
        group = self._group()
        volumes = tuple(
            attrs.evolve(v, content=content) if v.name == self.name else v for v in group.volumes
        )
        rewrite(self.node, self.active.paths, attrs.evolve(group, volumes=volumes))

    def _group(self) -> VolumeGroup:
        for path in self.active.paths.values():
            device = self.node.find_device(path)
            label = device.read() if device is not None else None
            if isinstance(label, PhysicalVolume) and label.group is not None:
                return label.group
        raise Exit(5, f"{self.path}: Input/output error")


def devices(node: FakeNode) -> Iterator[LvDevice]:
    """The active volumes of a node."""
    for number, ((group, name), active) in enumerate(node.of(Lvm).active.items()):
        yield LvDevice(node, group, name, active, number)


def mode_elsewhere(node: FakeNode, group: VolumeGroup, volume: LogicalVolume) -> str:
    """The strongest lock that another node holds on a volume."""
    modes = [
        other.of(Lvm).active[group.name, volume.name].mode
        for other in node.cluster.alive()
        if other is not node and (group.name, volume.name) in other.of(Lvm).active
    ]
    return "exclusive" if "exclusive" in modes else "shared" if modes else ""


def activate(node: FakeNode, group: Group, volume: LogicalVolume, mode: str) -> None:
    """Make a volume's device appear."""
    name = f"{group.value.name}/{volume.name}"
    elsewhere = mode_elsewhere(node, group.value, volume)
    if group.value.locking and elsewhere and "exclusive" in (mode, elsewhere):
        raise Exit(5, f"  LV locked by other host: {name}\n  Failed to lock logical volume {name}.")
    for path in group.paths.values():
        held = node.claims.get(path, "")
        if held and not held.startswith("lvm "):
            raise Exit(5, "  device-mapper: reload ioctl on  failed: Device or resource busy")
        if not group.value.devices.keys() <= group.paths.keys():
            raise Exit(
                5,
                f"  Refusing activation of partial LV {name}.  Use '--activationmode "
                "partial' to override.",
            )
    for path in group.paths.values():
        node.claims[path] = f"lvm {group.value.name}"
    node.of(Lvm).active[group.value.name, volume.name] = Active(
        mode, dict(group.paths), volume.extents
    )


def refresh(node: FakeNode, group: str, volume: LogicalVolume) -> None:
    """Give an active volume the size that the group says."""
    table, key = node.of(Lvm).active, (group, volume.name)
    if key in table:
        table[key] = attrs.evolve(table[key], extents=volume.extents)


def deactivate(node: FakeNode, group: str, name: str) -> None:
    """Take a volume's device away."""
    table = node.of(Lvm).active
    device = next((d for d in devices(node) if (d.group_name, d.name) == (group, name)), None)
    if device is None:
        return
    if node.holder(device):
        raise Exit(5, f"  Logical volume {group}/{name} in use.")
    gone = table.pop((group, name))
    if not any(other == group for other, _ in table):
        for path in gone.paths.values():
            node.claims.pop(path, None)


def clvmd_nodes(node: FakeNode) -> list[FakeNode]:
    """The nodes whose clvmd does what is asked of one: all members that run it."""
    known = node.of(Member).known
    return [
        other for other in node.cluster.alive() if other.name in known and "clvmd" in other.running
    ]
