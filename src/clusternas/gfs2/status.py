"""What the tools around GFS2 print, typed: mkfs.gfs2, tunegfs2, fsck.gfs2, blkid, wipefs."""

from __future__ import annotations

import re
from collections.abc import Mapping

import attrs

from clusternas.core.command import Output
from clusternas.core.errors import CommandFailed, ParseError
from clusternas.core.files import FileContent
from clusternas.gfs2.superblock import (
    SUPERBLOCK_OFFSET,
    SUPERBLOCK_SIZE,
    Superblock,
    journal_count,
    parse_superblock,
)

__all__ = [
    "WITHDRAWN",
    "BlockDevice",
    "Checked",
    "Grown",
    "JournalsAdded",
    "MadeFilesystem",
    "OnDisk",
    "Signature",
    "block_devices",
    "checked",
    "grown",
    "journals_added",
    "made_filesystem",
    "on_disk",
    "signatures",
    "superblock",
    "tuned_superblock",
    "withdrawn",
]

ROW = re.compile(r"^[ \t]*([A-Z][A-Za-z0-9 ]*?):?(?::[ \t]+|[ \t]{2,})(\S.*?)[ \t]*$", re.MULTILINE)
PAIR = re.compile(r'([A-Z0-9_]+)="((?:[^"\\]|\\.)*)"')
JOURNALS = re.compile(r"^(Old|New) journals:?[ \t]+(\d+)", re.MULTILINE | re.IGNORECASE)
GROWTH = re.compile(r"will grow by (\d+)\s*MB")
FULL = re.compile("resource group size is too small|less than one resource group", re.IGNORECASE)
"""What gfs2_grow says where nothing is left to take: since 3.1.7, and before."""
FSCK_CLEAN, FSCK_CORRECTED, FSCK_LEFT = 0, 1, 4
MIB = 1024 * 1024
WITHDRAWN = "/sys/fs/gfs2/*/withdraw"
"""Where the kernel says of each mounted GFS2, by its lock table, whether it has withdrawn."""


@attrs.frozen(kw_only=True)
class OnDisk:
    """A GFS2 as it stands on a device.

    Attributes:
        superblock: what it says of itself.
        journals: how many nodes can mount it; None where its directories are far apart on the
            disk, as with blocks below 2048 bytes: use `read_journal_count` then.
    """

    superblock: Superblock
    journals: int | None = None


@attrs.frozen(kw_only=True)
class MadeFilesystem:
    """What `mkfs.gfs2` made.

    Attributes:
        device, lock_table, lock_proto: as they were given.
        uuid: for fstab.
        journals: their number.
        journal_size, block_size: bytes.
    """

    device: str
    lock_table: str
    lock_proto: str
    uuid: str
    journals: int
    journal_size: int
    block_size: int


@attrs.frozen(kw_only=True)
class Checked:
    """What `fsck.gfs2` found.

    Attributes:
        clean: nothing is wrong with it.
        corrected: something was wrong and is mended.
        text: what it printed.
    """

    clean: bool
    corrected: bool = False
    text: str = attrs.field(default="", repr=False)


@attrs.frozen(kw_only=True)
class JournalsAdded:
    """How many journals there were before `gfs2_jadd`, and after."""

    before: int
    after: int


@attrs.frozen(kw_only=True)
class Grown:
    """By how many bytes `gfs2_grow` made it larger, rounded to MiB; 0 where it fills its device."""

    size: int


@attrs.frozen(kw_only=True)
class Signature:
    """Something that wipefs recognises on a device: a file system, a volume, a partition table.

    Attributes:
        kind: `gfs2`, `LVM2_member`, `drbd`, `ext4`, …
        offset: bytes from the start of the device.
        uuid, label: where it has them.
    """

    kind: str
    offset: int
    uuid: str = ""
    label: str = ""


@attrs.frozen(kw_only=True)
class BlockDevice:
    """A device as blkid knows it.

    Attributes:
        device: its path.
        kind: `gfs2`, `LVM2_member`, …; empty where there is nothing.
        uuid, label: where it has them.
        extra: every other tag.
    """

    device: str
    kind: str = ""
    uuid: str = ""
    label: str = ""
    extra: Mapping[str, str] = attrs.field(factory=dict, hash=False)


def superblock(output: Output) -> Superblock | None:
    """Decode the sectors at 64 KiB; None where there is no GFS2."""
    try:
        return parse_superblock(output.stdout)
    except ParseError:
        return None


def on_disk(output: Output) -> OnDisk | None:
    """Decode the superblock and the blocks from the master directory on; None without GFS2."""
    found = superblock(output)
    if found is None:
        return None
    segments = {
        SUPERBLOCK_OFFSET: output.stdout[:SUPERBLOCK_SIZE],
        found.master_block * found.block_size: output.stdout[SUPERBLOCK_SIZE:],
    }

    def read(offset: int, length: int) -> bytes:
        for start, data in segments.items():
            if start <= offset < start + len(data):
                return data[offset - start :][:length]
        return b""

    try:
        return OnDisk(superblock=found, journals=journal_count(read))
    except ParseError:
        return OnDisk(superblock=found)


def tuned_superblock(output: Output) -> Superblock:
    """Decode `tunegfs2 -l`.

    Raises:
        ParseError: it shows no superblock.
    """
    rows = dict(ROW.findall(output.text))
    try:
        return Superblock(
            lock_proto=rows["Lock protocol"],
            lock_table=rows.get("Lock table", ""),
            uuid=rows.get("File system UUID", "").lower(),
            block_size=int(rows["Block size"]),
            fs_format=int(rows.get("File system format version", 1801)),
            master_block=int(rows["Master inode"]),
            root_block=int(rows["Root inode"]),
        )
    except (KeyError, ValueError) as error:
        raise ParseError(f"not an answer of tunegfs2 -l: {error}") from None


def made_filesystem(output: Output) -> MadeFilesystem:
    """Decode `mkfs.gfs2`.

    Raises:
        ParseError: the table at its end is not there.
    """
    rows = {key.lower(): value.strip('"') for key, value in ROW.findall(output.text)}
    try:
        return MadeFilesystem(
            device=rows["device"],
            lock_table=rows["lock table"],
            lock_proto=rows["locking protocol"],
            uuid=rows["uuid"].lower(),
            journals=int(rows["journals"]),
            journal_size=int(rows.get("journal size", "0MB").removesuffix("MB")) * MIB,
            block_size=int(rows.get("block size") or rows["blocksize"]),
        )
    except (KeyError, ValueError) as error:
        raise ParseError(f"not an answer of mkfs.gfs2: {error}") from None


def checked(output: Output) -> Checked:
    """Decode `fsck.gfs2` by its exit code, fsck(8)."""
    return Checked(
        clean=output.exit_code == FSCK_CLEAN,
        corrected=output.exit_code == FSCK_CORRECTED,
        text=output.text,
    )


def journals_added(output: Output) -> JournalsAdded:
    """Decode `gfs2_jadd`.

    Raises:
        ParseError: it does not say how many there are.
    """
    counts = {which.lower(): int(number) for which, number in JOURNALS.findall(output.text)}
    if counts.keys() != {"old", "new"}:
        raise ParseError("not an answer of gfs2_jadd", source=output.text[:80])
    return JournalsAdded(before=counts["old"], after=counts["new"])


def grown(output: Output) -> Grown:
    """Decode `gfs2_grow`, which ends with 0 also when it did nothing, and with 255 when it is done.

    A file system that fills its device already, but for less than a resource group of 32 MiB, has
    grown by nothing.

    Raises:
        CommandFailed: it says why it did not grow.
    """
    found = GROWTH.search(output.text)
    if found and not output.exit_code:
        return Grown(size=int(found[1]) * MIB)
    if FULL.search(output.error_text):
        return Grown(size=0)
    reason = (output.error_text.strip() or output.text.strip()).splitlines()
    raise CommandFailed(
        f"gfs2_grow did not grow anything: {reason[0] if reason else 'it does not say why'}",
        hint="the file system must be mounted here, and its device must have grown",
        exit_code=output.exit_code,
        stdout=output.text,
        stderr=output.error_text,
    )


def signatures(output: Output) -> tuple[Signature, ...]:
    """Decode `wipefs -n -p`: lines of offset, uuid, label and type.

    Raises:
        ParseError: a line is none of these.
    """
    found = []
    for line in output.text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        # A label may hold commas; the others do not.
        offset, _, rest = line.partition(",")
        uuid, _, rest = rest.partition(",")
        label, _, kind = rest.rpartition(",")
        try:
            place = int(offset, 0)
        except ValueError:
            raise ParseError("not an answer of wipefs -p", source=line[:80]) from None
        found.append(Signature(kind=kind.strip(), offset=place, uuid=uuid, label=label))
    return tuple(found)


def block_devices(output: Output) -> tuple[BlockDevice, ...]:
    """Decode `blkid`: lines of `DEVICE: TAG="value" …`."""
    found = []
    for line in output.text.splitlines():
        device, colon, tags = line.partition(": ")
        if not colon:
            continue
        known = {key: re.sub(r"\\(.)", r"\1", value) for key, value in PAIR.findall(tags)}
        found.append(
            BlockDevice(
                device=device,
                kind=known.pop("TYPE", ""),
                uuid=known.pop("UUID", ""),
                label=known.pop("LABEL", ""),
                extra=known,
            )
        )
    return tuple(found)


def withdrawn(files: Mapping[str, FileContent | None]) -> frozenset[str]:
    """The lock tables of the mounted GFS2 that has withdrawn, from the files at `WITHDRAWN`.

    It did so since it found the disk inconsistent, and takes part in nothing any more. Unmounting
    it can hang, so the machine has to be restarted.

    Example:
        >>> one = FileContent(path="", content=b"1\\n", mode=0o644, owner="root", group="root")
        >>> sorted(withdrawn({"/sys/fs/gfs2/NASCluster:opt/withdraw": one, "/etc/fstab": one}))
        ['NASCluster:opt']
    """
    start, _, end = WITHDRAWN.partition("*")
    return frozenset(
        path.removeprefix(start).removesuffix(end)
        for path, found in files.items()
        if path.startswith(start) and found is not None and found.content.strip() == b"1"
    )
