"""The commands of GFS2 and of what stands around it: mkfs, mount, grow, check, probe."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from clusternas.core.command import Command, Effect, Output, Runner, absolute, operand, text
from clusternas.core.errors import ValidationError
from clusternas.core.versions import Toolset
from clusternas.gfs2 import status
from clusternas.gfs2.names import lock_table
from clusternas.gfs2.sizes import SMALLEST_ADDED
from clusternas.gfs2.superblock import SUPERBLOCK_OFFSET, SUPERBLOCK_SIZE, Superblock, journal_count

__all__ = [
    "blkid",
    "fsck",
    "grow",
    "inspect",
    "jadd",
    "mkfs",
    "mount",
    "read_bytes",
    "read_journal_count",
    "repair",
    "set_lock_table",
    "signatures",
    "superblock",
    "tunegfs2",
    "umount",
    "version",
    "wipefs",
]

T = TypeVar("T")

JOURNAL_MB = range(8, 1025)
ADDED_MB = range(SMALLEST_ADDED, 1025)
BLOCK_SIZES = (512, 1024, 2048, 4096)
READ_WAIT = 60.0
MOUNT_WAIT = 180.0
MKFS_WAIT = 1800.0
GROW_WAIT = 1800.0
NOT_GROWN = 255
FSCK_WAIT = 24 * 3600.0
WINDOW = 256 * 1024

# Arguments: device. Output: the superblock, then what follows the start of the master directory;
# nothing where the device is shorter, the superblock's place alone where there is no GFS2. Read
# from the disk: of a device in use the kernel keeps what it once read, and GFS2 writes past that.
INSPECT = rf"""
set -u
device=$1
number() {{
    value=0
    for byte in $(dd if="$device" bs=1 skip="$1" count="$2" 2>/dev/null | od -An -v -tu1); do
        value=$((value * 256 + byte))
    done
}}
now() {{
    dd if="$device" iflag=direct "$@" 2>/dev/null || dd if="$device" "$@"
}}
now bs=512 skip=128 count=1 || exit 74
number {SUPERBLOCK_OFFSET} 4; [ "$value" -eq {0x01161970} ] || exit 0
number {SUPERBLOCK_OFFSET + 36} 4; size=$value
number {SUPERBLOCK_OFFSET + 56} 8; master=$value
case $size in 512|1024|2048|4096|8192|16384|32768|65536) ;; *) exit 0 ;; esac
now bs="$size" skip="$master" count=$(({WINDOW} / size)) || exit 74
"""


def _device(device: str) -> str:
    return absolute(device, "device")


# --- looking


def superblock(device: str) -> Command[Superblock | None]:
    """Read the superblock; the value is None where there is no GFS2."""
    sector = SUPERBLOCK_OFFSET // SUPERBLOCK_SIZE
    return _read_sectors(device, sector, 1, status.superblock)


def inspect(device: str) -> Command[status.OnDisk | None]:
    """Read the superblock and count the journals, in one go; None where there is no GFS2."""
    return Command(
        ("sh", "-c", INSPECT, "gfs2-inspect", _device(device)),
        status.on_disk,
        effect=Effect.READ,
        timeout=READ_WAIT,
        title=f"gfs2-inspect {device}",
    )


def read_bytes(device: str, offset: int, length: int) -> Command[bytes]:
    """Read bytes of a device; both numbers are multiples of 512.

    Raises:
        ValidationError: they are not.
    """
    if offset % SUPERBLOCK_SIZE or length % SUPERBLOCK_SIZE or offset < 0 or length <= 0:
        raise ValidationError(f"not whole sectors: {length} bytes at {offset}")
    return _read_sectors(device, offset // SUPERBLOCK_SIZE, length // SUPERBLOCK_SIZE, _stdout)


def _read_sectors(device: str, skip: int, count: int, decode: Callable[[Output], T]) -> Command[T]:
    return Command(
        ("dd", f"if={_device(device)}", f"bs={SUPERBLOCK_SIZE}", f"skip={skip}", f"count={count}"),
        decode,
        effect=Effect.READ,
        timeout=READ_WAIT,
    )


def _stdout(output: Output) -> bytes:
    return output.stdout


def read_journal_count(device: str, runner: Runner) -> int:
    """Count the journals block by block, for every layout: about five commands.

    Raises:
        ParseError: there is no GFS2.
        CommandError: the device cannot be read.
    """
    return journal_count(
        lambda offset, length: runner.run(read_bytes(device, offset, length)).value
    )


def tunegfs2(device: str) -> Command[Superblock]:
    """Let gfs2-utils show the superblock: `tunegfs2 -l`."""
    return _read(("tunegfs2", "-l", _device(device)), status.tuned_superblock)


def signatures(device: str) -> Command[tuple[status.Signature, ...]]:
    """List what is recognised on a device: empty means that it holds no data anybody knows of."""
    return _read(("wipefs", "-n", "-p", _device(device)), status.signatures)


def blkid(*devices: str) -> Command[tuple[status.BlockDevice, ...]]:
    """Show type and UUID of some devices, of all if none is named; without blkid's cache.

    The value is empty both where a device holds nothing and where there is no such device.
    """
    paths = [_device(device) for device in devices]
    return _read(("blkid", "-c", "/dev/null", *paths), status.block_devices, ok=(0, 2))


def fsck(device: str) -> Command[status.Checked]:
    """Check without mending: `fsck.gfs2 -n`; it must be mounted nowhere."""
    argv = ("fsck.gfs2", "-n", _device(device))
    return _read(argv, status.checked, ok=(0, 1, 4), timeout=FSCK_WAIT)


def version() -> Command[str]:
    """Print the version of gfs2-utils, for `Toolset`."""
    return _read(("mkfs.gfs2", "-V"), text)


def _read(
    argv: Iterable[str],
    decode: Callable[[Output], T],
    *,
    ok: Iterable[int] = (0,),
    timeout: float = READ_WAIT,
) -> Command[T]:
    return Command(argv, decode, effect=Effect.READ, timeout=timeout, ok=ok)


# --- making


def mkfs(
    device: str,
    table: str,
    journals: int,
    *,
    lock_proto: str = "lock_dlm",
    block_size: int | None = None,
    journal_size: int | None = None,
    discard: bool = True,
    toolset: Toolset = Toolset.UNKNOWN,
) -> Command[status.MadeFilesystem]:
    """Make a GFS2. It destroys what is on the device, so it runs only if allowed by name.

    Args:
        device: the shared volume.
        table: `cluster:fsname`; the cluster must be the one that mounts it.
        journals: one per node that mounts it.
        lock_proto: `lock_dlm`, or `lock_nolock` for one node alone.
        block_size: bytes, 4096 by default.
        journal_size: MiB, 8 to 1024; by default it follows from the size of the device.
        discard: tell the device that its blocks are free.
        toolset: what the node runs.

    Raises:
        ValidationError: mkfs.gfs2 would refuse it.

    Example:
        >>> mkfs("/dev/drbd_vg/drbd_lv", "NASCluster:opt", 2).shell()
        'mkfs.gfs2 -O -p lock_dlm -j 2 -t NASCluster:opt /dev/drbd_vg/drbd_lv'
    """
    if journals < 1:
        raise ValidationError(f"not a number of journals: {journals}", hint="one per node")
    if lock_proto not in ("lock_dlm", "lock_nolock"):
        raise ValidationError(
            f"not a lock protocol: {lock_proto!r}", hint="lock_dlm or lock_nolock"
        )
    sizes = (*_choice("-b", block_size, BLOCK_SIZES), *_choice("-J", journal_size, JOURNAL_MB))
    tool = ("mkfs", "-t", "gfs2") if not toolset.has("gfs2", since="3.1") else ("mkfs.gfs2",)
    argv = (
        *tool, "-O", *_unless(discard, "-K"), "-p", lock_proto, "-j", str(journals), *sizes,
        "-t", lock_table(table, toolset), _device(device),
    )  # fmt: skip
    return Command(
        argv,
        status.made_filesystem,
        effect=Effect.DESTROY,
        timeout=MKFS_WAIT,
        name=f"mkfs.gfs2 {device}",
    )


def _unless(wanted: bool, option: str) -> tuple[str, ...]:
    return () if wanted else (option,)


def _choice(
    option: str, value: int | None, allowed: Iterable[int], tool: str = "mkfs.gfs2"
) -> tuple[str, ...]:
    if value is None:
        return ()
    if value not in tuple(allowed):
        raise ValidationError(f"{tool} {option} does not take {value}")
    return option, str(value)


def jadd(
    mount_point: str, journals: int = 1, *, journal_size: int | None = None
) -> Command[status.JournalsAdded]:
    """Add journals to a mounted GFS2, for more nodes.

    Args:
        mount_point: where it is mounted.
        journals: how many more.
        journal_size: MiB, 32 to 1024; 128 by default. Each is written whole, to all its blocks.

    Raises:
        ValidationError: gfs2_jadd would refuse it.
    """
    if journals < 1:
        raise ValidationError(f"not a number of journals: {journals}", hint="1 or more")
    size = _choice("-J", journal_size, ADDED_MB, "gfs2_jadd")
    argv = ("gfs2_jadd", *size, "-j", str(journals), absolute(mount_point, "mount point"))
    return Command(argv, status.journals_added, timeout=GROW_WAIT)


def grow(mount_point: str) -> Command[status.Grown]:
    """Let a mounted GFS2 use all of its device; once more is no failure.

    Ask for the value: gfs2_grow ends with 0 also where it did nothing, and with 255 both where
    nothing was left to do and where it failed; only the value says which.
    """
    argv = ("gfs2_grow", absolute(mount_point, "mount point"))
    return Command(argv, status.grown, timeout=GROW_WAIT, ok=(0, NOT_GROWN))


def set_lock_table(device: str, table: str, *, toolset: Toolset = Toolset.UNKNOWN) -> Command[str]:
    """Give a GFS2 that is mounted nowhere to another cluster; the name is checked here."""
    argv = ("tunegfs2", "-o", f"locktable={lock_table(table, toolset)}", _device(device))
    return Command(argv, text, timeout=READ_WAIT)


def repair(device: str) -> Command[status.Checked]:
    """Mend a GFS2: `fsck.gfs2 -y`. Mounted anywhere, it would be destroyed: allow it by name."""
    return Command(
        ("fsck.gfs2", "-y", _device(device)),
        status.checked,
        effect=Effect.DESTROY,
        timeout=FSCK_WAIT,
        ok=(0, 1),
        name=f"fsck.gfs2 {device}",
    )


def wipefs(device: str) -> Command[str]:
    """Take every signature off a device, so that others may be put on it."""
    return Command(
        ("wipefs", "-a", _device(device)),
        text,
        effect=Effect.DESTROY,
        timeout=READ_WAIT,
        name=f"wipefs {device}",
    )


# --- mounting


def mount(device: str, mount_point: str, options: Iterable[str] = ()) -> Command[str]:
    """Mount it. That waits for the locks of the cluster, also for ever: hence a timeout.

    Example:
        >>> mount("/dev/drbd_vg/drbd_lv", "/opt", ["noatime"]).shell()
        'mount -t gfs2 -o noatime /dev/drbd_vg/drbd_lv /opt'
    """
    chosen = [operand(option, "mount option") for option in options]
    if any("," in option or " " in option for option in chosen):
        raise ValidationError(f"not one mount option each: {chosen}")
    how = ("-o", ",".join(chosen)) if chosen else ()
    where = absolute(mount_point, "mount point")
    return Command(("mount", "-t", "gfs2", *how, _device(device), where), text, timeout=MOUNT_WAIT)


def umount(mount_point: str) -> Command[str]:
    """Unmount it; it fails while it is in use."""
    return Command(("umount", absolute(mount_point, "mount point")), text, timeout=MOUNT_WAIT)
