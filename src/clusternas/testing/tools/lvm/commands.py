"""The LVM commands that change something."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import attrs

from clusternas.testing.blocks import (
    PV_LABEL,
    Device,
    LogicalVolume,
    PhysicalVolume,
    VolumeGroup,
    type_of,
)
from clusternas.testing.shell import Answer, Exit, options, said
from clusternas.testing.tools import dlm
from clusternas.testing.tools.lvm.state import (
    Group,
    Lvm,
    activate,
    clvmd_nodes,
    deactivate,
    find_group,
    lockspace,
    mode_elsewhere,
    old,
    scan,
    update,
)
from clusternas.testing.tools.membership import Member

if TYPE_CHECKING:
    from clusternas.testing.node import FakeNode

__all__ = ["COMMANDS", "activate_all", "size_in_extents"]

UNITS = {"b": 1, "s": 512, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
SHORT = "yfqvtn:L:l:W:Z:a:c:s:K"
LONG = [
    "yes", "force", "quiet", "verbose", "test", "name=", "size=", "extents=", "wipesignatures=", "zero=", "activate=",
    "clustered=", "shared", "lock-start", "lockstart", "lock-stop", "lockstop", "locktype=", "lockopt=", "config=",
    "resizefs", "metadatasize=", "dataalignment=", "physicalextentsize=", "refresh", "addtag=", "nolocking", "sysinit",
]  # fmt: skip
SAME = {"lockstart": "lock-start", "lockstop": "lock-stop", "n": "name", "L": "size", "l": "extents", "a": "activate",
        "c": "clustered", "y": "yes", "W": "wipesignatures", "f": "force"}  # fmt: skip


def parse(args: tuple[str, ...], tool: str) -> tuple[dict[str, str], list[str]]:
    """Options by their long names, and operands."""
    repeated = [arg for arg in args if arg == "-ff"]
    try:
        given, operands = options([arg for arg in args if arg != "-ff"], SHORT, LONG)
    except Exit as error:
        raise Exit(
            3, f"  {error.output.error_text}  Run `{tool} --help' for more information."
        ) from None
    found = {SAME.get(name, name): value for name, value in given.items()}
    return (found | {"force": "ff"} if repeated else found), operands


def lvm_uuid(node: FakeNode) -> str:
    """An identifier as LVM writes it."""
    letters = [LETTERS[node.cluster.number(8) % len(LETTERS)] for _ in range(32)]
    text = "".join(letters)
    return "-".join(
        (text[:6], text[6:10], text[10:14], text[14:18], text[18:22], text[22:26], text[26:])
    )


def usable(node: FakeNode, path: str) -> Device:
    """A device that may become a physical volume."""
    device = node.find_device(path)
    if device is None:
        raise Exit(5, f"  No device found for {path}.")
    if not scan(node).config.accepts(device):
        why = f"  Device {path} not found (or ignored by filtering)."
        raise Exit(
            5, why if old(node) else f"  Cannot use {path}: device is rejected by filter config"
        )
    if not getattr(device, "readable", True):
        raise Exit(5, f"  {path}: open failed: Wrong medium type\n  Device {path} not found.")
    return device


def pvcreate(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """Label devices; asks where something else is written, refuses one that is in use."""
    given, paths = parse(args, "pvcreate")
    rows = []
    for path in paths:
        device = usable(node, path)
        content = device.read()
        if node.holder(device):
            raise Exit(5, f"  Can't open {path} exclusively.  Mounted filesystem?")
        if (
            isinstance(content, PhysicalVolume)
            and content.group is not None
            and given.get("force") != "ff"
        ):
            name = content.group.name
            raise Exit(
                5,
                f'  Can\'t initialize physical volume "{path}" of volume group "{name}" without -ff',
            )
        if content is not None and not isinstance(content, PhysicalVolume) and "yes" not in given:
            kind = type_of(content)
            asked = (
                f"WARNING: {kind} signature detected on {path} at offset 65536. Wipe it? [y/n]: [n]"
            )
            raise Exit(
                5,
                f"{asked}\n  Aborted wiping of {kind}.\n  1 existing signature left on the device.",
            )
        label(node, device)
        rows.append(f'  Physical volume "{path}" successfully created{"" if old(node) else "."}\n')
    return "".join(rows)


def label(node: FakeNode, device: Device) -> PhysicalVolume:
    """Write a fresh label."""
    content = device.read()
    if not isinstance(content, PhysicalVolume) or content.group is not None:
        node.cluster.overwrite(node, device.path, content)
    new = PhysicalVolume(lvm_uuid(node), device.size)
    device.write(new)
    return new


def pvremove(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """Remove labels of no group."""
    given, paths = parse(args, "pvremove")
    for path in paths:
        device = usable(node, path)
        content = device.read()
        if not isinstance(content, PhysicalVolume):
            raise Exit(5, f"  No PV found on device {path}.")
        if content.group is not None and given.get("force") != "ff":
            raise Exit(
                5, f"  PV {path} is used by VG {content.group.name} so please use vgreduce first."
            )
        node.cluster.overwrite(node, device.path, content if content.group is not None else None)
        device.write(None)
    return "".join(f'  Labels on physical volume "{path}" successfully wiped.\n' for path in paths)


# Groups


def vgcreate(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """A group; local, clustered by clvmd, or shared by lvmlockd."""
    given, operands = parse(args, "vgcreate")
    locking = locking_of(node, given)
    if len(operands) < 2:
        raise Exit(
            3,
            "  Please enter physical volume name(s)\n  Run `vgcreate --help' for more information.",
        )
    name, paths = operands[0], operands[1:]
    if name in scan(node).groups:
        raise Exit(5, f"  A volume group called {name} already exists.")
    labels = {path: label_for(node, path) for path in paths}
    node.cluster.halfway()
    config = node.of(Member).config
    group = VolumeGroup(
        name=name,
        uuid=lvm_uuid(node),
        devices={one.uuid: (one.size - PV_LABEL) // (4 * 1024**2) for one in labels.values()},
        locking=locking,
        cluster=config.name if locking == "dlm" and config is not None else "",
        sequence=0,
    )
    update(node, Group(group, {one.uuid: path for path, one in labels.items()}), group)
    kind = "Clustered volume" if locking == "clustered" else "Volume"
    said_so = f'  {kind} group "{name}" successfully created\n'
    return said_so + (lock_start(node, group) if locking == "dlm" else "")


def locking_of(node: FakeNode, given: dict[str, str]) -> str:
    """Which locking a new group gets, by options and lvm.conf."""
    config = scan(node).config
    help_ = "\n  Run `vgcreate --help' for more information."
    if old(node):
        wanted = given.get("clustered", "y" if config.locking_type == 3 else "n")
        if wanted == "y" and "clvmd" not in node.running and config.locking_type == 3:
            raise Exit(5, scan(node).warnings)
        return "clustered" if wanted == "y" else ""
    if "clustered" in given:
        raise Exit(3, f"  The clustered option is deprecated, see --shared.{help_}")
    if "shared" not in given:
        return ""
    if not config.use_lvmlockd:
        raise Exit(
            3, f"  Using a shared lock type requires lvmlockd (lvm.conf use_lvmlockd.){help_}"
        )
    if "lvmlockd" not in node.running:
        raise Exit(3, f"  Using a shared lock type requires lvmlockd.{help_}")
    return "dlm"


def label_for(node: FakeNode, path: str) -> PhysicalVolume:
    """The label of a device for a new group, made if it has none."""
    content = usable(node, path).read()
    if content is None:
        return label(node, usable(node, path))
    if not isinstance(content, PhysicalVolume):
        raise Exit(
            5,
            f"  Aborted wiping of {type_of(content)}.\n  Unable to add physical volume '{path}' to volume group.",
        )
    if content.group is not None:
        raise Exit(
            5, f"  Physical volume '{path}' is already in volume group '{content.group.name}'"
        )
    return content


def lock_start(node: FakeNode, group: VolumeGroup) -> str:
    """Join the lock space of a shared group."""
    if "lvmlockd" not in node.running:
        raise Exit(5, f"  Cannot access VG {group.name} with lock type dlm that requires lvmlockd.")
    waiting = "  Starting locking.  Waiting until locks are ready...\n"
    if group.name in node.of(Lvm).started:
        return waiting
    dlm.join(node, "lvm_global")
    dlm.join(node, lockspace(group))
    node.of(Lvm).started.add(group.name)
    dlm.wait_for_locks(node, lockspace(group))
    return f"  VG {group.name} starting dlm lockspace\n{waiting}"


def vgchange(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """Lock spaces, activation and the kind of locking, of the groups named or of all."""
    given, operands = parse(args, "vgchange")
    found = scan(node)
    rows = []
    for name in operands or list(found.groups):
        if name not in found.groups:
            raise Exit(
                5,
                f'{found.warnings}  Volume group "{name}" not found\n  Cannot process volume group {name}',
            )
        rows.append(vgchange_one(node, found.groups[name], given))
    return said("".join(rows), found.warnings)


def vgchange_one(node: FakeNode, group: Group, given: dict[str, str]) -> str:
    """vgchange of one group."""
    value = group.value
    if "lock-start" in given:
        return lock_start(node, value) if value.locking == "dlm" else ""
    if "lock-stop" in given:
        stop_locking(node, value)
        return ""
    if "clustered" in given:
        update(
            node,
            group,
            attrs.evolve(value, locking="clustered" if given["clustered"] == "y" else ""),
        )
        return f'  Volume group "{value.name}" successfully changed\n'
    if "locktype" in given:
        config = node.of(Member).config
        cluster = config.name if config is not None and given["locktype"] == "dlm" else ""
        locking = given["locktype"].replace("none", "")
        update(node, group, attrs.evolve(value, locking=locking, cluster=cluster))
        return f'  Volume group "{value.name}" successfully changed\n'
    group = find_group(node, value.name, change=True)
    for volume in value.volumes:
        set_active(node, group, volume, given.get("activate", "y"))
    active = sum(key[0] == value.name for key in node.of(Lvm).active)
    return f'  {active} logical volume(s) in volume group "{value.name}" now active\n'


def stop_locking(node: FakeNode, group: VolumeGroup) -> None:
    """Leave the lock space, unless a volume is active."""
    if any(name == group.name for name, _ in node.of(Lvm).active):
        raise Exit(5, f"  VG {group.name} stop failed: LVs must first be deactivated")
    if group.name in node.of(Lvm).started:
        node.of(Lvm).started.discard(group.name)
        dlm.leave(node, lockspace(group))


def vgremove(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """A group away, with its volumes if forced."""
    given, operands = parse(args, "vgremove")
    group = find_group(node, operands[0], change=True)
    if group.value.volumes and not given.keys() & {"yes", "force"}:
        raise Exit(
            5, "  Do you really want to remove volume group? [y/n]: [n]\n  Volume group not removed"
        )
    for volume in group.value.volumes:
        remove_volume(node, group, volume)
    stop_locking(node, group.value)
    for uuid, path in group.paths.items():
        device = node.device(path, code=5)
        device.write(PhysicalVolume(uuid, device.size))
    return f'  Volume group "{group.value.name}" successfully removed\n'


def vgextend(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """More physical volumes for a group."""
    _, operands = parse(args, "vgextend")
    group = find_group(node, operands[0], change=True)
    labels = {path: label_for(node, path) for path in operands[1:]}
    sizes = {one.uuid: (one.size - PV_LABEL) // group.value.extent_size for one in labels.values()}
    paths = {**group.paths, **{one.uuid: path for path, one in labels.items()}}
    update(
        node,
        Group(group.value, paths),
        attrs.evolve(group.value, devices={**group.value.devices, **sizes}),
    )
    return f'  Volume group "{group.value.name}" successfully extended\n'


# Volumes


def size_in_extents(group: VolumeGroup, text: str) -> int:
    """Extents for a size such as 900M, rounded up; megabytes without a unit."""
    unit = UNITS.get(text[-1].lower())
    size = float(text[:-1]) * unit if unit else float(text) * UNITS["m"]
    return -(-round(size) // group.extent_size)


def wanted(group: VolumeGroup, given: dict[str, str], base: int) -> int:
    """Extents asked for by -L or -l, relative to `base` with a plus sign."""
    if "size" in given:
        text = given["size"]
        return (base if text[0] == "+" else 0) + size_in_extents(group, text.lstrip("+"))
    text = given.get("extents", "")
    if not text:
        raise Exit(3, "  Please specify either size or extents")
    count, percent, of = text.lstrip("+").partition("%")
    if percent:
        whole = {"FREE": group.free, "VG": group.extents}[of.upper()]
        return (base if text[0] == "+" else 0) + whole * int(count) // 100
    return (base if text[0] == "+" else 0) + int(count)


def lvcreate(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """A volume, activated: everywhere by clvmd, exclusively here by lvmlockd."""
    given, operands = parse(args, "lvcreate")
    group = find_group(node, operands[0] if operands else "", change=True)
    name = given.get("name", f"lvol{len(group.value.volumes)}")
    if group.value.volume(name) is not None:
        raise Exit(
            5, f'  Logical Volume "{name}" already exists in volume group "{group.value.name}"'
        )
    extents = wanted(group.value, given, 0)
    if extents > group.value.free:
        why = f"insufficient free space ({group.value.free} extents): {extents} required."
        raise Exit(5, f'  Volume group "{group.value.name}" has {why}')
    volume = LogicalVolume(name, lvm_uuid(node), extents)
    group = update(node, group, attrs.evolve(group.value, volumes=(*group.value.volumes, volume)))
    node.cluster.halfway()
    set_active(
        node, group, volume, given.get("activate", "ey" if group.value.locking == "dlm" else "y")
    )
    return f'  Logical volume "{name}" created{"" if old(node) else "."}\n'


def set_active(node: FakeNode, group: Group, volume: LogicalVolume, word: str) -> None:
    """Act on the word of -a: y, n, sy, ey, ly, ay."""
    if "n" in word:
        for other in (
            clvmd_nodes(node) if group.value.locking == "clustered" and "l" not in word else [node]
        ):
            deactivate(other, group.value.name, volume.name)
        return
    exclusive = "e" in word or (word == "y" and group.value.locking == "dlm")
    mode = "exclusive" if exclusive else "shared" if group.value.locking else "local"
    everywhere = group.value.locking == "clustered" and not exclusive and "l" not in word
    for other in clvmd_nodes(node) if everywhere else [node]:
        seen = scan(other).groups.get(group.value.name)
        if seen is None:
            raise Exit(
                5,
                f"  Error locking on node {other.name}: Volume group for uuid not found: {group.value.uuid}",
            )
        activate(other, seen, volume, mode)


def activate_all(node: FakeNode, locking: str) -> None:
    """Activate every volume of the groups with that locking, as booting does."""
    for group in scan(node).groups.values():
        if group.value.locking == locking:
            for volume in group.value.volumes:
                activate(node, group, volume, "shared" if locking else "local")


def named_volume(node: FakeNode, operand: str) -> tuple[Group, LogicalVolume]:
    """A volume named VG/LV, with or without /dev/."""
    name, _, volume_name = operand.removeprefix("/dev/").partition("/")
    group = find_group(node, name, change=True)
    volume = group.value.volume(volume_name)
    if volume is None:
        raise Exit(5, f'  Failed to find logical volume "{name}/{volume_name}"')
    return group, volume


def lvchange(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """Activation of volumes, or of all in a group."""
    given, operands = parse(args, "lvchange")
    for operand in operands:
        if "/" in operand.removeprefix("/dev/"):
            group, volume = named_volume(node, operand)
            set_active(node, group, volume, given.get("activate", "y"))
        else:
            group = find_group(node, operand, change=True)
            for volume in group.value.volumes:
                set_active(node, group, volume, given.get("activate", "y"))
    return ""


def lvremove(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """Volumes away; asks while they are active."""
    given, operands = parse(args, "lvremove")
    for operand in operands:
        group, volume = named_volume(node, operand)
        if not given.keys() & {"yes", "force"}:
            raise Exit(
                5, f"  Do you really want to remove active logical volume {volume.name}? [y/n]: [n]"
            )
        remove_volume(node, group, volume)
    return "".join(
        f'  Logical volume "{operand.rpartition("/")[2]}" successfully removed\n'
        for operand in operands
    )


def remove_volume(node: FakeNode, group: Group, volume: LogicalVolume) -> None:
    """One volume away."""
    if mode_elsewhere(node, group.value, volume):
        raise Exit(5, f"  LV locked by other host: {group.value.name}/{volume.name}")
    set_active(node, group, volume, "n")
    node.cluster.overwrite(node, f"/dev/{group.value.name}/{volume.name}", volume.content)
    left = tuple(v for v in group.value.volumes if v.name != volume.name)
    update(node, group, attrs.evolve(group.value, volumes=left))


def lvextend(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """A larger volume."""
    given, operands = parse(args, "lvextend")
    group, volume = named_volume(node, operands[0])
    extents = wanted(group.value, given, volume.extents)
    if extents <= volume.extents:
        raise Exit(
            5,
            f"  New size given ({extents} extents) not larger than existing size ({volume.extents} extents)",
        )
    if extents - volume.extents > group.value.free:
        raise Exit(
            5,
            f"  Insufficient free space: {extents - volume.extents} extents needed, but only {group.value.free} available",
        )
    larger = attrs.evolve(volume, extents=extents)
    volumes = tuple(larger if v.name == volume.name else v for v in group.value.volumes)
    update(node, group, attrs.evolve(group.value, volumes=volumes))
    return f"  Logical volume {group.value.name}/{volume.name} successfully resized.\n"


def pvresize(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """A physical volume as large as its device."""
    _, paths = parse(args, "pvresize")
    for path in paths:
        device = usable(node, path)
        content = device.read()
        if not isinstance(content, PhysicalVolume):
            raise Exit(5, f'  Failed to find physical volume "{path}".')
        device.write(attrs.evolve(content, size=device.size))
        if content.group is not None:
            group = find_group(node, content.group.name, change=True)
            sizes = {
                **group.value.devices,
                content.uuid: (device.size - PV_LABEL) // group.value.extent_size,
            }
            update(node, group, attrs.evolve(group.value, devices=sizes))
    return "".join(f'  Physical volume "{path}" changed\n' for path in paths)


COMMANDS: dict[str, Callable[[FakeNode, tuple[str, ...], bytes], Answer]] = {
    "pvcreate": pvcreate,
    "pvremove": pvremove,
    "pvresize": pvresize,
    "vgcreate": vgcreate,
    "vgchange": vgchange,
    "vgremove": vgremove,
    "vgextend": vgextend,
    "lvcreate": lvcreate,
    "lvchange": lvchange,
    "lvremove": lvremove,
    "lvextend": lvextend,
}
