"""Logical volumes: making, growing, removing and activating them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from clusternas.testing.blocks import LogicalVolume
from clusternas.testing.shell import Answer, Exit
from clusternas.testing.tools.lvm.arguments import lvm_uuid, parse, wanted
from clusternas.testing.tools.lvm.state import (
    Group,
    activate,
    clvmd_nodes,
    deactivate,
    find_group,
    mode_elsewhere,
    old,
    refresh,
    scan,
    update,
)

if TYPE_CHECKING:
    from clusternas.testing.node import FakeNode

__all__ = [
    "activate_all",
    "lvchange",
    "lvcreate",
    "lvextend",
    "lvremove",
    "remove_volume",
    "set_active",
]


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
                f"  Error locking on node {other.name}: Volume group for uuid not found: "
                f"{group.value.uuid}",
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
            if "refresh" in given:
                refresh(node, group.value.name, volume)
                continue
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
            f"  New size given ({extents} extents) not larger than existing size "
            f"({volume.extents} extents)",
        )
    if extents - volume.extents > group.value.free:
        raise Exit(
            5,
            f"  Insufficient free space: {extents - volume.extents} extents needed, but only "
            f"{group.value.free} available",
        )
    larger = attrs.evolve(volume, extents=extents)
    volumes = tuple(larger if v.name == volume.name else v for v in group.value.volumes)
    update(node, group, attrs.evolve(group.value, volumes=volumes))
    # clvmd tells all nodes; with lvmlockd "other hosts may require LV refresh", as it warns.
    seeing = clvmd_nodes(node) if group.value.locking == "clustered" else [node]
    for other in seeing:
        refresh(other, group.value.name, larger)
    return f"  Logical volume {group.value.name}/{volume.name} successfully resized.\n"
