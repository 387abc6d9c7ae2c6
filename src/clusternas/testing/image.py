"""The bytes on a fake device that anybody reads: GFS2's superblock and its list of journals.

Layout: the kernel's `include/uapi/linux/gfs2_ondisk.h`; numbers are big-endian.
"""

from __future__ import annotations

import struct
import uuid
from collections.abc import Iterator

from clusternas.testing.blocks import Device, Gfs2

__all__ = ["read_image"]

SUPERBLOCK_AT = 0x10000
BLOCK = 4096
MASTER, JINDEX, ROOT = 2072, 2073, 4656  # blocks, the first and last as in the recordings
MAGIC, SUPERBLOCK, DINODE = 0x01161970, 1, 4
DINODE_SIZE = 232
ENTRY = struct.Struct(">QQIHH")


def read_image(device: Device, start: int, length: int) -> bytes:
    """That part of a device; zeros where nothing is known, fewer bytes at its end."""
    length = max(0, min(length, device.size - start))
    data = bytearray(length)
    for at, piece in pieces(device):
        first, last = max(at, start), min(at + len(piece), start + length)
        if first < last:
            data[first - start : last - start] = piece[first - at : last - at]
    return bytes(data)


def pieces(device: Device) -> Iterator[tuple[int, bytes]]:
    """What is written where."""
    content = device.read()
    if isinstance(content, Gfs2):
        yield SUPERBLOCK_AT, superblock(content)
        yield MASTER * BLOCK, directory([(b"jindex", JINDEX)])
        journals = [(f"journal{i}".encode(), JINDEX + 1 + i) for i in range(content.journals)]
        yield JINDEX * BLOCK, directory(journals)


def superblock(content: Gfs2) -> bytes:
    """The superblock: formats, block size, addresses, lock protocol and table, UUID."""
    data = bytearray(512)
    struct.pack_into(">II", data, 0, MAGIC, SUPERBLOCK)
    struct.pack_into(">I", data, 16, 100)
    struct.pack_into(">II", data, 24, 1802, 1900)
    struct.pack_into(">II", data, 36, BLOCK, 12)
    struct.pack_into(">QQ", data, 48, 2, MASTER)
    struct.pack_into(">QQ", data, 80, 1, ROOT)
    struct.pack_into(">64s64s", data, 96, content.protocol.encode(), content.table.encode())
    data[256:272] = uuid.UUID(content.uuid).bytes
    return bytes(data)


def directory(entries: list[tuple[bytes, int]]) -> bytes:
    """A directory that fits into its block: the inode, then the entries, itself and up first."""
    data = bytearray(BLOCK)
    every = [(b".", 1), (b"..", 1), *entries]
    struct.pack_into(">II", data, 0, MAGIC, DINODE)
    struct.pack_into(">I", data, 148, len(every))
    at = DINODE_SIZE
    for name, address in every:
        size = 48 if address is not every[-1][1] else BLOCK - at
        ENTRY.pack_into(data, at, address, address, 0, size, len(name))
        data[at + 40 : at + 40 + len(name)] = name
        at += size
    return bytes(data)
