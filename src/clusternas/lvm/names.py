"""What LVM accepts as a name, a path and a size; lvm(8), "VALID NAMES"."""

from __future__ import annotations

import math
import re

from clusternas.core.command import absolute
from clusternas.core.errors import ValidationError

__all__ = [
    "device_path",
    "lv_name",
    "mapper_path",
    "size_in_bytes",
    "size_operand",
    "vg_name",
    "volume",
]

NAME = re.compile(r"[A-Za-z0-9+_.][A-Za-z0-9+_.-]{0,126}")
SIZE = re.compile(r"\+?\d+(\.\d+)?[bBsSkKmMgGtTpPeE]?")
RESERVED_STARTS = ("snapshot", "pvmove")
RESERVED_PARTS = (
    "_cdata", "_cmeta", "_corig", "_iorig", "_mimage", "_mlog", "_pmspare",
    "_rimage", "_rmeta", "_tdata", "_tmeta", "_vdata", "_vorigin", "_wcorig",
)  # fmt: skip
DM_NAME_LIMIT = 127
UNITS = "kmgtpe"
SECTOR = 512


def vg_name(name: str) -> str:
    """Check the name of a volume group.

    Raises:
        ValidationError: LVM would refuse it.
    """
    if not NAME.fullmatch(name) or name in (".", ".."):
        raise ValidationError(
            f"not a volume group name: {name!r}",
            hint="1 to 127 of a-z A-Z 0-9 + _ . - and no hyphen first",
        )
    return name


def lv_name(name: str) -> str:
    """Check the name of a logical volume.

    Raises:
        ValidationError: LVM would refuse it, or keeps it for itself.
    """
    if not NAME.fullmatch(name) or name in (".", ".."):
        raise ValidationError(
            f"not a logical volume name: {name!r}",
            hint="1 to 127 of a-z A-Z 0-9 + _ . - and no hyphen first",
        )
    reserved = [part for part in RESERVED_PARTS if part in name]
    reserved += [start for start in RESERVED_STARTS if name.startswith(start)]
    if reserved:
        raise ValidationError(f"LVM keeps names with {reserved[0]!r} for itself: {name!r}")
    return name


def volume(vg: str, lv: str) -> str:
    """A logical volume as commands name it, `VG/LV`.

    Raises:
        ValidationError: a name is bad, or both are too long together for device-mapper.
    """
    name = f"{vg_name(vg)}/{lv_name(lv)}"
    if len(mapper_path(vg, lv)) - len("/dev/mapper/") > DM_NAME_LIMIT:
        raise ValidationError(
            f"too long for device-mapper: {name}", hint="shorten one of the names"
        )
    return name


def device_path(vg: str, lv: str) -> str:
    """The path of a logical volume.

    Example:
        >>> device_path("drbd_vg", "drbd_lv")
        '/dev/drbd_vg/drbd_lv'
    """
    return f"/dev/{vg}/{lv}"


def mapper_path(vg: str, lv: str) -> str:
    """The path that device-mapper gives it, hyphens doubled; mount and blkid print this one.

    Example:
        >>> mapper_path("drbd-vg", "lv")
        '/dev/mapper/drbd--vg-lv'
    """
    return "/dev/mapper/" + "-".join(part.replace("-", "--") for part in (vg, lv))


def physical_volume(device: str) -> str:
    """Check the device of a physical volume.

    Raises:
        ValidationError: it is no absolute path, or holds blanks.
    """
    if " " in absolute(device, "device"):
        raise ValidationError(
            f"not a device: {device!r}", hint="LVM takes no blanks in device names"
        )
    return device


def size_operand(size: str | int) -> str:
    """Spell a size: bytes if it is a number, else as LVM reads it.

    Units are powers of 1024 in either case, none means MiB, and `+` adds.

    Raises:
        ValidationError: LVM would not read it, or it is not above zero.

    Example:
        >>> size_operand("900M"), size_operand(943718400)
        ('900M', '943718400b')
    """
    text = f"{size}b" if isinstance(size, int) else size
    if not SIZE.fullmatch(text) or not float(text.strip("+bBsSkKmMgGtTpPeE")):
        raise ValidationError(
            f"not a size: {size!r}", hint="write a number of bytes, or like 900M, 1.5G, +10G"
        )
    return text


def size_in_bytes(size: str) -> int:
    """How much a size is that LVM reads, without its `+`; rounded up to whole sectors.

    Raises:
        ValidationError: LVM would not read it, or it is not above zero.

    Example:
        >>> size_in_bytes("900M"), size_in_bytes("+1.5g"), size_in_bytes("8")
        (943718400, 1610612736, 8388608)
    """
    text = size_operand(size).lower().lstrip("+")
    number, unit = (text[:-1], text[-1]) if text[-1].isalpha() else (text, "m")
    factor = {"b": 1, "s": SECTOR}.get(unit) or 1024 ** (UNITS.index(unit) + 1)
    return math.ceil(float(number) * factor / SECTOR) * SECTOR
