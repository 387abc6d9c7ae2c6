"""What is on the block devices: blkid, wipefs and dd."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

from clusternas.core.command import Output
from clusternas.testing.blocks import (
    Content,
    Device,
    Disk,
    Gfs2,
    OtherData,
    PhysicalVolume,
)
from clusternas.testing.image import read_image
from clusternas.testing.shell import Answer, Exit, Tool, options

if TYPE_CHECKING:
    from clusternas.testing.node import FakeNode

__all__ = ["TOOLS", "as_json", "by_tag", "device_tags"]

OFFSETS = {"gfs2": "0x10000", "LVM2_member": "0x218", "ext4": "0x438"}


def as_json(name: str, rows: Iterable[object]) -> str:
    """JSON as util-linux prints it."""
    return json.dumps({name: list(rows)}, indent=3) + "\n"


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
            size = "4096" if content.type.startswith("ext") else ""
            found = {
                "LABEL": content.label,
                "UUID": content.uuid,
                "BLOCK_SIZE": size,
                "TYPE": content.type,
            }
            return {key: value for key, value in found.items() if value}
        case None:
            return {}


def device_tags(device: Device) -> dict[str, str]:
    """What blkid says of a device; DRBD's meta data at the end win."""
    if isinstance(device, Disk) and device.metadata is not None:
        return {"UUID": f"{device.bytes:016x}", "TYPE": "drbd"}
    return tags(device.read())


def partition_tags(node: FakeNode, device: Device) -> dict[str, str]:
    """What the table of partitions says of one of them: the disk's number and its own."""
    disk = device.path.rstrip("0123456789")
    if device.kind != "part":
        return {}
    number = zlib.crc32(f"{node.name} {disk}".encode())
    return {"PARTUUID": f"{number:08x}-{int(device.path[len(disk) :]):02x}"}


def blkid(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """blkid [-p] [-o full|export|value] [-s TAG] [DEVICE…]; 2 where nothing is found."""
    given, operands = options(args, "po:s:c:gkl", code=4)
    every = [node.find_device(path) for path in operands] if operands else node.devices()
    rows = []
    for device in every:
        found = device_tags(device) if device is not None else {}
        if device is not None and "p" not in given:
            found |= partition_tags(node, device)
        found = {key: value for key, value in found.items() if given.get("s", key) == key}
        if device is not None and found:
            shown = next((name for name in device.names if name in operands), device.path)
            rows.append(tag_lines(shown, found, given.get("o", "full")))
    if not rows:
        raise Exit(2)
    return ("\n" if given.get("o") == "export" else "").join(rows)


def tag_lines(path: str, found: dict[str, str], form: str) -> str:
    """A device's tags as blkid -o prints them."""
    match form:
        case "export":
            rows = {"DEVNAME": path, **found}
            return "".join(f"{key}={value}\n" for key, value in rows.items())
        case "value":
            return "".join(f"{value}\n" for value in found.values())
        case _:
            return f"{path}: " + " ".join(f'{key}="{found[key]}"' for key in found) + "\n"


WIPEFS = ["all", "no-act", "force", "json", "output=", "noheadings", "parsable", "quiet"]


def wipefs(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """wipefs: show the signatures, as table, with -p or as JSON; or with -a erase them."""
    given, operands = options(args, "anfqJpo:t:i", WIPEFS)
    erase = bool(given.keys() & {"a", "all"}) and not given.keys() & {"n", "no-act"}
    said_so, rows = "", []
    for path in operands:
        device = node.find_device(path)
        busy = erase and device is not None and node.holder(device)
        if device is None or busy:
            why = "Device or resource busy" if busy else "No such file or directory"
            raise Exit(1, f"wipefs: error: {path}: probing initialization failed: {why}")
        said_so += wipe(node, device, path) if erase else ""
        rows += [] if erase else signatures(device)
    if not rows:
        return said_so
    if given.keys() & {"J", "json"}:
        return as_json("signatures", rows)
    if given.keys() & {"p", "parsable"}:
        lines = (f"{r['offset']},{r['uuid']},{r['label']},{r['type']}\n" for r in rows)
        return "# offset,uuid,label,type\n" + "".join(lines)
    return "DEVICE OFFSET TYPE UUID LABEL\n" + "".join(f"{' '.join(r.values())}\n" for r in rows)


def signatures(device: Device) -> list[dict[str, str]]:
    """The signatures on a device, as wipefs lists them."""
    found = device_tags(device)
    row = {
        "device": device.path.rpartition("/")[2],
        "offset": OFFSETS.get(found.get("TYPE", ""), "0x0"),
        "type": found.get("TYPE", ""),
        "uuid": found.get("UUID", ""),
        "label": found.get("LABEL", ""),
    }
    return [row] if found else []


def wipe(node: FakeNode, device: Device, path: str) -> str:
    """Erase what is on a device, DRBD's meta data too."""
    kind = device_tags(device).get("TYPE", "")
    node.cluster.overwrite(node, device.path, device.read())
    device.write(None)
    if isinstance(device, Disk):
        device.metadata = None
    return (
        f"{path}: 8 bytes were erased at offset {OFFSETS.get(kind, '0x0')} ({kind})\n"
        if kind
        else ""
    )


def dd(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """`dd if=DEVICE bs= skip= count=`: some bytes of a device."""
    given = dict(arg.split("=", 1) for arg in args if "=" in arg)
    device = node.find_device(given.get("if", ""))
    if device is None:
        raise Exit(1, f"dd: failed to open '{given.get('if', '')}': No such file or directory")
    unit = int(given.get("bs", "512"))
    start, length = int(given.get("skip", "0")) * unit, int(given.get("count", "1")) * unit
    return Output(0, read_image(device, start, length))


TOOLS = {
    "blkid": Tool(blkid),
    "wipefs": Tool(wipefs),
    "dd": Tool(dd),
}
