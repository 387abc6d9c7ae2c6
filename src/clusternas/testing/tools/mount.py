"""Mounting, and what is on the block devices: mount, umount, findmnt, blkid, wipefs, lsblk."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

import attrs

from clusternas.testing.blocks import (
    Content,
    Device,
    Disk,
    Gfs2,
    OtherData,
    PhysicalVolume,
    type_of,
)
from clusternas.testing.files import Mount
from clusternas.testing.shell import Answer, Exit, Tool, options
from clusternas.testing.tools import dlm, gfs2

if TYPE_CHECKING:
    from clusternas.testing.node import FakeNode

__all__ = ["TOOLS", "install", "mount_all"]

ROOT = Mount("/dev/vdb", "/", "ext4", "rw,noatime")
OFFSETS = {"gfs2": "0x10000", "LVM2_member": "0x218", "ext4": "0x438"}
SWAPPED = ("defaults", "_netdev", "noauto", "auto", "nofail", "rw")


# mount and umount


def mount(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """mount [-t TYPE] [-o OPTIONS] DEVICE DIRECTORY, a line of fstab by either, -a, or the table."""
    given, operands = options(args, "t:o:avrwn", code=1)
    if "a" in given:
        mount_all(node)
        return ""
    if not operands:
        return "".join(
            f"{m.source} on {m.target} type {m.type} ({m.options})\n" for m in table(node)
        )
    if len(operands) == 1:
        line = fstab_line(node, operands[0])
        source, directory, kind, words = line.source, line.target, line.type, line.options
    else:
        source, directory = operands
        kind, words = given.get("t", ""), given.get("o", "")
    mount_one(node, source, directory, kind, words)
    return ""


def fstab(node: FakeNode) -> list[Mount]:
    """The lines of fstab."""
    rows = (
        line.split()
        for line in node.files.text("/etc/fstab").splitlines()
        if line.strip()[:1] not in ("", "#")
    )
    return [Mount(row[0], row[1], row[2], (row + ["defaults"])[3]) for row in rows if len(row) >= 3]


def fstab_line(node: FakeNode, operand: str) -> Mount:
    """The line of fstab for a device or directory."""
    found = next((line for line in fstab(node) if operand in (line.source, line.target)), None)
    if found is None:
        raise Exit(1, f"mount: {operand}: can't find in /etc/fstab.")
    return found


def mount_all(node: FakeNode) -> None:
    """Mount what fstab says, except noauto."""
    for line in fstab(node):
        if (
            "noauto" not in line.options.split(",")
            and line.target not in node.mounts
            and line.target.startswith("/")
        ):
            mount_one(node, line.source, line.target, line.type, line.options)


def mount_one(node: FakeNode, source: str, directory: str, kind: str, words: str) -> None:
    """Mount one file system."""
    device = by_tag(node, source)
    where = f"mount: {directory}: "
    if not node.files.is_dir(directory):
        raise Exit(32, f"{where}mount point does not exist.")
    if device is None:
        raise Exit(32, f"{where}special device {source} does not exist.")
    content = device.read()
    if not isinstance(content, Gfs2 | OtherData) or (kind and kind != type_of(content)):
        raise Exit(
            32,
            f"{where}wrong fs type, bad option, bad superblock on {device.path}, missing codepage or helper program, or other error.",
        )
    if directory in node.mounts:
        raise Exit(32, f"{where}{device.path} already mounted on {directory}.")
    if node.holder(device):
        raise Exit(32, f"{where}{device.path} already mounted or mount point busy.")
    if isinstance(content, Gfs2):
        gfs2.join(node, content, device.path, directory)
    kept = [word for word in words.split(",") if word and word not in SWAPPED]
    shown = ",".join(
        ["rw", *kept, *(["rgrplvb"] if isinstance(content, Gfs2) and gfs2.modern(node) else [])]
    )
    node.claims[device.path] = f"mount {directory}"
    node.mounts[directory] = Mount(device.path, directory, type_of(content), shown)


def by_tag(node: FakeNode, source: str) -> Device | None:
    """A device by path, UUID= or LABEL=."""
    tag, equals, value = source.partition("=")
    if not equals:
        return node.find_device(source)
    value = value.strip('"')
    for device in [*node.devices()][::-1]:
        if tags(device.read()).get(tag) == value:
            return device
    return None


def umount(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """umount DIRECTORY or DEVICE."""
    _, operands = options(args, "fltav")
    for operand in operands:
        device = node.find_device(operand)
        found = next(
            (
                m
                for m in node.mounts.values()
                if m.target == operand or (device and m.source == device.path)
            ),
            None,
        )
        if found is None:
            raise Exit(32, f"umount: {operand}: not mounted.")
        if user := user_of(node, found):
            raise Exit(32, f"umount: {operand}: target is busy. ({user})")
        del node.mounts[found.target]
        node.claims.pop(found.source, None)
        content = node.device(found.source).read()
        if isinstance(content, Gfs2):
            space = content.table.partition(":")[2]
            dlm.wait_for_locks(node, space)
            dlm.leave(node, space)
    return ""


def user_of(node: FakeNode, found: Mount) -> str:
    """A daemon that has files open there: ctdb holds its recovery lock."""
    lock = node.files.text("/etc/ctdb/ctdb.conf")
    return "ctdbd" if "ctdb" in node.running and f"{found.target}/" in lock else ""


def mountpoint(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """Whether a directory is a mount point."""
    path = args[-1]
    if path not in node.mounts and path != "/":
        raise Exit(32, "" if "-q" in args else f"{path} is not a mountpoint")
    return "" if "-q" in args else f"{path} is a mountpoint\n"


def table(node: FakeNode) -> list[Mount]:
    """Everything mounted."""
    return [ROOT, *node.mounts.values()]


def findmnt(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """findmnt [-J] [-n] [-o COLUMNS] [-t TYPE] [TARGET or SOURCE]."""
    long = [
        "json",
        "noheadings",
        "output=",
        "types=",
        "target=",
        "source=",
        "mountpoint=",
        "raw",
        "list",
        "bytes",
    ]
    given, operands = options(args, "Jno:t:T:S:M:rlb", long)
    given = {
        {"json": "J", "noheadings": "n", "output": "o", "types": "t"}.get(k, k): v
        for k, v in given.items()
    }
    wanted = [
        *operands,
        *(given[key] for key in ("T", "S", "M", "target", "source", "mountpoint") if key in given),
    ]
    rows = [m for m in table(node) if matches(node, m, wanted) and given.get("t", m.type) == m.type]
    if not rows:
        raise Exit(1)
    columns = [
        column.lower() for column in given.get("o", "TARGET,SOURCE,FSTYPE,OPTIONS").split(",")
    ]
    cells = [{column: cell(m, column) for column in columns} for m in rows]
    if "J" in given:
        return as_json("filesystems", cells)
    titles = "" if "n" in given else " ".join(columns).upper() + "\n"
    return titles + "".join(" ".join(row.values()) + "\n" for row in cells)


def matches(node: FakeNode, m: Mount, wanted: list[str]) -> bool:
    """Whether a mount is at one of these directories or of one of these devices."""
    sources = {device.path for path in wanted if (device := by_tag(node, path)) is not None}
    return not wanted or m.target in wanted or m.source in sources


def cell(m: Mount, column: str) -> str:
    """A column of findmnt."""
    return {"target": m.target, "source": m.source, "fstype": m.type, "options": m.options}.get(
        column, ""
    )


def as_json(name: str, rows: Iterable[object]) -> str:
    """JSON as util-linux prints it."""
    return json.dumps({name: list(rows)}, indent=3) + "\n"


# Signatures


def tags(content: Content) -> dict[str, str]:
    """What blkid knows of a content."""
    match content:
        case Gfs2():
            return {
                "LABEL": content.table,
                "UUID": content.uuid,
                "BLOCK_SIZE": "4096",
                "TYPE": "gfs2",
            }
        case PhysicalVolume():
            return {"UUID": content.uuid, "TYPE": "LVM2_member"}
        case OtherData():
            found = {"LABEL": content.label, "UUID": content.uuid, "TYPE": content.type}
            return {key: value for key, value in found.items() if value}
        case None:
            return {}


def device_tags(device: Device) -> dict[str, str]:
    """What blkid says of a device; DRBD's meta data at the end win."""
    if isinstance(device, Disk) and device.metadata is not None:
        return {"UUID": f"{device.bytes:016x}", "TYPE": "drbd"}
    return tags(device.read())


def blkid(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """blkid [-p] [-o full|export|value] [-s TAG] [DEVICE…]; 2 where nothing is found."""
    given, operands = options(args, "po:s:c:gkl", code=4)
    devices = (
        [found for path in operands if (found := node.find_device(path)) is not None]
        if operands
        else node.devices()
    )
    rows = []
    for device in devices:
        found = {
            key: value for key, value in device_tags(device).items() if given.get("s", key) == key
        }
        if not found:
            continue
        shown = next((name for name in device.names if name in operands), device.path)
        match given.get("o", "full"):
            case "export":
                rows.append(
                    f"DEVNAME={shown}\n"
                    + "".join(f"{key}={value}\n" for key, value in found.items())
                )
            case "value":
                rows.append("".join(f"{value}\n" for value in found.values()))
            case _:
                rows.append(
                    f"{shown}: "
                    + " ".join(f'{key}="{value}"' for key, value in found.items())
                    + "\n"
                )
    if not rows:
        raise Exit(2)
    return ("\n" if given.get("o") == "export" else "").join(rows)


def wipefs(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """wipefs: show the signatures, or with -a erase them."""
    given, operands = options(
        args, "anfqJo:t:i", ["all", "no-act", "force", "json", "output=", "noheadings"]
    )
    rows = []
    for path in operands:
        device = node.find_device(path)
        if device is None:
            raise Exit(
                1,
                f"wipefs: error: {path}: probing initialization failed: No such file or directory",
            )
        erase = bool(given.keys() & {"a", "all"}) and not given.keys() & {"n", "no-act"}
        if erase and node.holder(device):
            raise Exit(
                1, f"wipefs: error: {path}: probing initialization failed: Device or resource busy"
            )
        rows += wiped(node, device, path) if erase else signatures(device)
    if given.keys() & {"J", "json"}:
        return as_json("signatures", rows) if rows else ""
    if rows and isinstance(rows[0], str):
        return "".join(map(str, rows))
    head = "DEVICE OFFSET TYPE UUID LABEL\n" if rows else ""
    return head + "".join(
        " ".join(str(v) for v in row.values()) + "\n" for row in rows if isinstance(row, dict)
    )


def signatures(device: Device) -> list[object]:
    """The signatures on a device, as wipefs lists them."""
    found = device_tags(device)
    if not found:
        return []
    row = {
        "device": device.path.rpartition("/")[2],
        "offset": OFFSETS.get(found["TYPE"], "0x0"),
        "type": found["TYPE"],
        "uuid": found.get("UUID", ""),
        "label": found.get("LABEL", ""),
    }
    return [row]


def wiped(node: FakeNode, device: Device, path: str) -> list[object]:
    """Erase what is on a device."""
    kind = type_of(device.read())
    if not kind:
        return []
    node.cluster.overwrite(node, device.path, device.read())
    device.write(None)
    return [f"{path}: 8 bytes were erased at offset {OFFSETS.get(kind, '0x0')} ({kind})\n"]


# lsblk


@attrs.frozen
class Tree:
    """A device with those on top of it."""

    device: Device
    above: list[Tree]


def lsblk(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """lsblk [-J] [-b] [-p] [-o COLUMNS] [DEVICE…]."""
    given, operands = options(
        args, "JbpfnlOro:", ["json", "bytes", "paths", "output=", "noheadings", "list"]
    )
    names = (
        given.get("o", given.get("output", "NAME,MAJ:MIN,RM,SIZE,RO,TYPE,MOUNTPOINTS"))
        .lower()
        .split(",")
    )
    devices = list(node.devices())
    for path in operands:
        if node.find_device(path) is None:
            raise Exit(32, f"lsblk: {path}: not a block device")
    roots = (
        [device for device in devices if not device.below]
        if not operands
        else [node.device(p) for p in operands]
    )
    exact = bool(given.keys() & {"b", "bytes"})
    rows = [branch(node, grow_tree(device, devices), names, exact) for device in roots]
    if given.keys() & {"J", "json"}:
        return as_json("blockdevices", rows)
    return "".join(f"{row[names[0]]}\n" for row in rows)


def grow_tree(device: Device, devices: list[Device]) -> Tree:
    """A device and what stands on it."""
    return Tree(
        device, [grow_tree(other, devices) for other in devices if device.path in other.below]
    )


def branch(node: FakeNode, tree: Tree, names: list[str], exact: bool) -> dict[str, object]:
    """A device as lsblk's JSON has it."""
    device = tree.device
    found = device_tags(device)
    short = device.path.removeprefix("/dev/").removeprefix("mapper/")
    mounts = [m.target for m in node.mounts.values() if m.source == device.path] or [None]
    values: dict[str, object] = {
        "name": short, "kname": short, "path": device.path, "maj:min": "253:0", "rm": False, "ro": False,
        "size": device.size if exact else human(device.size), "type": device.kind, "mountpoints": mounts,
        "mountpoint": mounts[0], "fstype": found.get("TYPE"), "uuid": found.get("UUID"), "label": found.get("LABEL"),
    }  # fmt: skip
    row = {name: values.get(name) for name in names}
    if tree.above:
        row["children"] = [branch(node, other, names, exact) for other in tree.above]
    return row


def human(size: int) -> str:
    """A size as lsblk rounds it."""
    for letter, unit in (("T", 1024**4), ("G", 1024**3), ("M", 1024**2)):
        if size >= unit:
            return f"{size / unit:.1f}".removesuffix(".0") + letter
    return str(size)


def install(node: FakeNode) -> None:
    """An fstab, and /proc/mounts."""
    node.files.write("/etc/fstab", "/dev/vdb / ext4 noatime 0 1\n")
    rows = lambda: "".join(f"{m.source} {m.target} {m.type} {m.options} 0 0\n" for m in table(node))  # noqa: E731
    node.files.virtual["/proc/mounts"] = rows


TOOLS = {
    "mount": Tool(mount),
    "umount": Tool(umount),
    "mountpoint": Tool(mountpoint),
    "findmnt": Tool(findmnt),
    "blkid": Tool(blkid),
    "wipefs": Tool(wipefs),
    "lsblk": Tool(lsblk),
}
