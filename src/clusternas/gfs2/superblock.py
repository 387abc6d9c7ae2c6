"""GFS2 on disk, read without its tools: the superblock and the number of journals.

Layout: kernel `include/uapi/linux/gfs2_ondisk.h`. All numbers are big-endian. The superblock is at
64 KiB; it names the master directory, which has an entry `jindex`, a directory with one entry per
journal. With small blocks a directory is a hash table of leaf blocks.
"""

from __future__ import annotations

import struct
import uuid as uuids
from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias

import attrs

from clusternas.core.errors import ParseError

__all__ = ["SUPERBLOCK_OFFSET", "ReadAt", "Superblock", "journal_count", "parse_superblock"]

ReadAt: TypeAlias = Callable[[int, int], bytes]
"""Reads some bytes of a device: offset and length to the bytes, fewer at its end."""

SUPERBLOCK_OFFSET = 64 * 1024
SUPERBLOCK_SIZE = 512
MAGIC = 0x01161970
SUPERBLOCK_TYPE, DINODE_TYPE, LEAF_TYPE = 1, 4, 6
HEADER = struct.Struct(">II")
SUPERBLOCK = struct.Struct(">24xII4xII4xQQ16xQQ64s64s")
DINODE_SIZE = 232
LEAF_SIZE = 104
ENTRY = struct.Struct(">QQIHH")
ENTRY_SIZE = 40
EXHASH = 0x2
LEAVES_LIMIT = 4096
DOTS = 2
"""Entries of every directory that lead to itself and up."""


@attrs.frozen(kw_only=True)
class Superblock:
    """What GFS2 says of itself.

    Attributes:
        lock_proto: `lock_dlm`, or `lock_nolock` for one node alone.
        lock_table: `cluster:fsname`.
        uuid: as blkid shows it; empty where mkfs wrote none.
        block_size: bytes.
        fs_format: 1801, or 1802 since gfs2-utils 3.4.
        multihost_format: 1900.
        master_block: address of the master directory, in blocks.
        root_block: address of the root directory, in blocks.
    """

    lock_proto: str
    lock_table: str
    uuid: str = ""
    block_size: int = 4096
    fs_format: int = 1801
    multihost_format: int = 1900
    master_block: int = 0
    root_block: int = 0

    @property
    def cluster(self) -> str:
        """The cluster that may mount it: the part of the lock table before the colon."""
        return self.lock_table.partition(":")[0]

    @property
    def fs_name(self) -> str:
        """What it is called in that cluster: the part behind the colon."""
        return self.lock_table.partition(":")[2]


def parse_superblock(data: bytes) -> Superblock:
    """Read the superblock from the bytes at `SUPERBLOCK_OFFSET`.

    Raises:
        ParseError: there is no GFS2.
    """
    if len(data) < SUPERBLOCK_SIZE or HEADER.unpack_from(data) != (MAGIC, SUPERBLOCK_TYPE):
        raise ParseError("no GFS2 superblock here", hint="is it the right device?")
    fs_format, multihost, block_size, shift, _, master, _, root, proto, table = (
        SUPERBLOCK.unpack_from(data)
    )
    if block_size != 1 << shift or not 512 <= block_size <= 65536:
        raise ParseError(f"a GFS2 superblock with a block size of {block_size}")
    raw_uuid = data[256:272]
    return Superblock(
        lock_proto=_text(proto),
        lock_table=_text(table),
        uuid=str(uuids.UUID(bytes=raw_uuid)) if any(raw_uuid) else "",
        block_size=block_size,
        fs_format=fs_format,
        multihost_format=multihost,
        master_block=master,
        root_block=root,
    )


def _text(raw: bytes) -> str:
    return raw.partition(b"\0")[0].decode("utf-8", "surrogateescape")


class _Inode(NamedTuple):
    """A dinode, as far as a directory needs it."""

    block: bytes
    size: int
    flags: int
    height: int
    entries: int


def journal_count(read: ReadAt) -> int:
    """How many nodes can mount it at once: the number of journals.

    Raises:
        ParseError: there is no GFS2, or its directories cannot be followed.
    """
    superblock = parse_superblock(read(SUPERBLOCK_OFFSET, SUPERBLOCK_SIZE))

    def block(address: int) -> bytes:
        data = read(address * superblock.block_size, superblock.block_size)
        if len(data) != superblock.block_size:
            raise ParseError(f"block {address} of the GFS2 cannot be read")
        return data

    master = _inode(block(superblock.master_block))
    for name, address in _entries(master, block):
        if name == b"jindex":
            entries = _inode(block(address)).entries
            if entries < DOTS:
                raise ParseError("the GFS2 journal index is damaged")
            return entries - DOTS
    raise ParseError("the GFS2 master directory has no jindex")


def _inode(block: bytes) -> _Inode:
    if HEADER.unpack_from(block) != (MAGIC, DINODE_TYPE):
        raise ParseError("not an inode where GFS2 says there is one")
    (size,) = struct.unpack_from(">Q", block, 56)
    (flags,) = struct.unpack_from(">I", block, 128)
    (height,) = struct.unpack_from(">H", block, 138)
    (entries,) = struct.unpack_from(">I", block, 148)
    return _Inode(block, size, flags, height, entries)


def _entries(directory: _Inode, block: Callable[[int], bytes]) -> Iterator[tuple[bytes, int]]:
    """Name and address of all that is in a directory."""
    if not directory.flags & EXHASH:
        yield from _records(directory.block, DINODE_SIZE)
        return
    for first in dict.fromkeys(_hash_table(directory)):
        leaf = first
        for _ in range(LEAVES_LIMIT):
            data = block(leaf)
            if HEADER.unpack_from(data) != (MAGIC, LEAF_TYPE):
                raise ParseError("not a leaf where GFS2 says there is one")
            yield from _records(data, LEAF_SIZE)
            (leaf,) = struct.unpack_from(">Q", data, 32)
            if not leaf:
                break


def _hash_table(directory: _Inode) -> Iterator[int]:
    """The addresses of the leaves; that of the master directory always fits into its inode."""
    if directory.height:
        raise ParseError("the hash table of this GFS2 directory is larger than any known")
    table = directory.block[DINODE_SIZE : DINODE_SIZE + directory.size]
    whole = len(table) // 8
    yield from (pointer for pointer in struct.unpack_from(f">{whole}Q", table) if pointer)


def _records(block: bytes, at: int) -> Iterator[tuple[bytes, int]]:
    """The directory entries of one block; one without an inode number is deleted."""
    while at + ENTRY_SIZE <= len(block):
        inode, address, _, length, name_length = ENTRY.unpack_from(block, at)
        if inode and address:
            yield block[at + ENTRY_SIZE : at + ENTRY_SIZE + name_length], address
        if length < ENTRY_SIZE:
            return
        at += length
