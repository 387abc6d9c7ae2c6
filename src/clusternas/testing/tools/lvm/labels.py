"""Physical volumes: labels on devices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from clusternas.testing.blocks import PV_LABEL, Device, PhysicalVolume, type_of
from clusternas.testing.shell import Answer, Exit
from clusternas.testing.tools.lvm.arguments import lvm_uuid, parse
from clusternas.testing.tools.lvm.state import find_group, old, scan, update

if TYPE_CHECKING:
    from clusternas.testing.node import FakeNode

__all__ = ["label_for", "pvcreate", "pvremove", "pvresize"]


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
                f'  Can\'t initialize physical volume "{path}" of volume group "{name}" '
                "without -ff",
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


def label_for(node: FakeNode, path: str) -> PhysicalVolume:
    """The label of a device for a new group, made if it has none."""
    content = usable(node, path).read()
    if content is None:
        return label(node, usable(node, path))
    if not isinstance(content, PhysicalVolume):
        raise Exit(
            5,
            f"  Aborted wiping of {type_of(content)}.\n"
            f"  Unable to add physical volume '{path}' to volume group.",
        )
    if content.group is not None:
        raise Exit(
            5, f"  Physical volume '{path}' is already in volume group '{content.group.name}'"
        )
    return content
