"""lsblk: the tree of block devices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import attrs

from clusternas.testing.blocks import MIB, Device, Disk
from clusternas.testing.shell import Answer, Tool, options
from clusternas.testing.tools.blockdev import as_json, device_tags
from clusternas.testing.tools.mount import table

if TYPE_CHECKING:
    from clusternas.testing.node import FakeNode

__all__ = ["TOOLS"]

LSBLK = ["json", "bytes", "paths", "output=", "noheadings", "list", "all", "nodeps"]
COLUMNS = "NAME,MAJ:MIN,RM,SIZE,RO,TYPE,MOUNTPOINTS"
DIGITS = "0123456789"


@attrs.frozen
class Tree:
    """A device, or a disk that only its partitions tell of, with those on top of it."""

    path: str
    size: int
    kind: str
    device: Device | None
    above: list[Tree]


def lsblk(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """lsblk [-J] [-b] [-o COLUMNS] [DEVICE…]; without -J only the first column, roots only."""
    given, operands = options(args, "JbpfnlOarido:", LSBLK)
    names = given.get("o", given.get("output", COLUMNS)).lower().split(",")
    devices = list(node.devices())
    if operands:
        roots = [grow(node.device(path, code=32), devices) for path in operands]
    else:
        roots = sorted(disks(devices), key=lambda tree: tree.path)
    exact = bool(given.keys() & {"b", "bytes"})
    rows = [branch(node, tree, names, exact) for tree in roots]
    if given.keys() & {"J", "json"}:
        return as_json("blockdevices", rows)
    return "".join(f"{row[names[0]]}\n" for row in rows)


def disks(devices: list[Device]) -> Iterator[Tree]:
    """The whole disks; a partition stands on a disk whose name lacks its number."""
    parts: dict[str, list[Tree]] = {}
    for device in devices:
        if device.kind == "part":
            parts.setdefault(device.path.rstrip(DIGITS), []).append(grow(device, devices))
    for path, above in parts.items():
        yield Tree(path, sum(each.size for each in above) + MIB, "disk", None, above)
    yield from (grow(each, devices) for each in devices if is_alone(each))


def is_alone(device: Device) -> bool:
    """Whether it stands on nothing: a disk without partitions, a replica without its disk."""
    return device.kind != "part" and not device.below


def grow(device: Device, devices: list[Device]) -> Tree:
    """A device and what stands on it."""
    above = [grow(other, devices) for other in devices if device.path in other.below]
    return Tree(device.path, device.size, device.kind, device, above)


def branch(node: FakeNode, tree: Tree, names: list[str], exact: bool) -> dict[str, object]:
    """A device as lsblk's JSON has it."""
    found: Mapping[str, str] = device_tags(tree.device) if tree.device is not None else {}
    short = tree.path.removeprefix("/dev/").removeprefix("mapper/")
    mounts: list[str | None] = [m.target for m in table(node) if m.source == tree.path]
    mounts = mounts or [None]
    values: dict[str, object] = {
        "name": short,
        "kname": short,
        "path": tree.path,
        "maj:min": numbers(tree),
        "rm": False,
        "ro": tree.device is not None and not tree.device.writable,
        "size": tree.size if exact else human(tree.size),
        "type": tree.kind,
        "mountpoints": mounts,
        "mountpoint": mounts[0],
        "fstype": found.get("TYPE"),
        "uuid": found.get("UUID"),
        "label": found.get("LABEL"),
    }
    row = {name: values.get(name) for name in names}
    if tree.above:
        row["children"] = [branch(node, other, names, exact) for other in tree.above]
    return row


def numbers(tree: Tree) -> str:
    """Major and minor number: of virtual disks, of the device mapper, of DRBD."""
    if tree.device is None or isinstance(tree.device, Disk):
        disk = tree.path.rstrip(DIGITS)
        return f"254:{16 * (ord(disk[-1]) - ord('a')) + int(tree.path[len(disk) :] or 0)}"
    last = tree.device.names[-1] if tree.kind == "lvm" else tree.path
    return f"{253 if tree.kind == 'lvm' else 147}:{last[len(last.rstrip(DIGITS)) :]}"


def human(size: int) -> str:
    """A size as lsblk rounds it."""
    for letter, unit in (("T", 1024**4), ("G", 1024**3), ("M", 1024**2)):
        if size >= unit:
            return f"{size / unit:.1f}".removesuffix(".0") + letter
    return str(size)


TOOLS = {"lsblk": Tool(lsblk)}
