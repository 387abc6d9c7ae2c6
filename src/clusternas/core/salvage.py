"""What is about to be lost: which files it is, and a copy of the disk that holds them."""

from __future__ import annotations

import math

import attrs

from clusternas.core.command import Command, Effect, Output, absolute
from clusternas.core.errors import Drift, ParseError, ValidationError
from clusternas.core.files import DRIFTED
from clusternas.core.scripts import COMMON
from clusternas.core.text import decode

__all__ = [
    "CHANGED_SINCE",
    "SAVE_DISK",
    "ChangedFile",
    "ChangedFiles",
    "SavedDisk",
    "changed_since",
    "save_disk",
]

DAY = 86400.0
MOST = 1 << 18
"""Bytes of names that are listed; what comes after is only counted."""

# Arguments: folder, seconds since the epoch, bytes of list. Output: `MTIME SIZE PATH` and a NUL for
# each regular file, cut after so many bytes; two NULs; how many NULs were cut off. The change time
# is the kernel's own: the modification time is whatever a client has set, who copies with times.
CHANGED_SINCE = (
    COMMON
    + r"""
exec 4>&1
said=$({
    { find "$1" -ignore_readdir_race -xdev -type f -newerct "@$2" -printf '%T@ %s %p\0'
      echo "$?" >&3
    } | { head -c "$3" >&4; tr -cd '\0' | wc -c >&3; }
} 3>&1)
set -- $said
[ "$1" = 0 ] || exit 74
printf '\0\0%d' "$2"
"""
)

# Arguments: disk (or file), path of the copy. Output: `changed SIZE BLOCKS BLOCKSIZE` or
# `unchanged …`: the bytes of the disk, and the room that the copy takes. The copy grows under a
# name that no other run has, and gets its own once all of it is on the disk: `ln` never takes the
# place of anything. So what has that name is whole, and a run that finds it only compares. What a
# run that was killed has left goes first; should that run be alive after all, it finds its copy
# gone and fails.
SAVE_DISK = (
    COMMON
    + r"""
disk=$1 path=$2 part= how=changed
settled_on_disk() { dd if=/dev/null of="$1" conv=notrunc,fsync 2>/dev/null || fail 74 "$1: fsync"; }
folder=$(dirname -- "$path")
[ -d "$folder" ] || fail 66 "$folder: no such directory"
if [ -b "$disk" ]; then
    # DRBD writes past the cache of the disk below it, which may still hold what was there before.
    blockdev --flushbufs "$disk" && size=$(blockdev --getsize64 "$disk") || exit 74
else
    [ -f "$disk" ] || fail 66 "$disk: no such disk"
    size=$(stat -L -c %s -- "$disk") || exit 74
fi
if [ -e "$path" ] || [ -L "$path" ]; then
    how=unchanged
    cmp -s -- "$disk" "$path" || fail 75 "$path exists, and is no copy of what $disk holds now"
else
    trap 'code=$?; [ -z "$part" ] || rm -f -- "$part"; exit "$code"' EXIT
    trap 'exit 129' HUP; trap 'exit 130' INT; trap 'exit 141' PIPE; trap 'exit 143' TERM
    rm -f -- "$path".saving-??????
    need=$(expr "$size" / 1024 + 1024) || exit 74  # not $((…)): a shell may count in 32 bits
    set -- $(df -Pk -- "$folder" | tail -n 1)
    expr "$4" '>' "$need" >/dev/null || fail 74 "$folder: $4 KiB are free, $disk may need $need"
    part=$(mktemp -- "$path.saving-XXXXXX") || exit 74
    cp --sparse=always -- "$disk" "$part" || exit 74
    [ "$(stat -c %s -- "$part")" = "$size" ] || fail 74 "$part: not all of $disk was copied"
    settled_on_disk "$part"
    ln -- "$part" "$path" || exit 74
    settled_on_disk "$path"
fi
echo "$how $size $(stat -c '%b %B' -- "$path")"
"""
)


@attrs.frozen(kw_only=True)
class ChangedFile:
    """A regular file.

    Attributes:
        path: bytes that are not UTF-8 are surrogates.
        size: bytes.
        mtime: when its content was last changed, as its writers say; seconds since the epoch.
    """

    path: str
    size: int
    mtime: float


@attrs.frozen
class ChangedFiles:
    """The files that have changed.

    Attributes:
        files: by path; where there are very many, some of them.
        more: how many there are beside these.
    """

    files: tuple[ChangedFile, ...] = ()
    more: int = 0


@attrs.frozen(kw_only=True)
class SavedDisk:
    """A copy of a disk.

    Attributes:
        changed: whether it was made now; else it was there already.
        size: bytes of the disk.
        stored: bytes that the copy takes: zeros take none.
    """

    changed: bool
    size: int
    stored: int


def changed_since(
    folder: str, since: float, *, most: int = MOST, timeout: float = 120.0
) -> Command[ChangedFiles]:
    """The files of one file system that have changed since: content, owner, mode or name.

    What was removed is not among them, nor what other file systems have below the folder.

    Args:
        folder: where to look, for instance a mount point.
        since: seconds since the epoch, by the clock of the machine.
        most: bytes that the list may have.
        timeout: seconds.

    Raises:
        ValidationError: the folder is no absolute path, or that is no time.

    Example:
        >>> str(changed_since("/opt", 1764000000))
        'changed-since /opt 1764000000.000'
    """
    if not math.isfinite(since) or most < 1:
        raise ValidationError(f"not a time: {since!r}", hint="seconds since 1970")
    arguments = (absolute(folder), f"{since:.3f}", str(most))
    return Command(
        ("sh", "-c", CHANGED_SINCE.strip(), "changed-since", *arguments),
        _decode_changed,
        effect=Effect.READ,
        timeout=timeout,
        title=f"changed-since {arguments[0]} {arguments[1]}",
    )


def save_disk(disk: str, path: str, *, timeout: float = DAY) -> Command[SavedDisk]:
    """Copy all of a disk into a new file that only root can read; zeros take no room there.

    Nothing may write to the disk meanwhile. Nothing is ever overwritten: if there is a file of that
    name, it must be such a copy already. All or nothing: what stands there after a crash is whole.

    Args:
        disk: a block device or a regular file.
        path: of the copy; its file system must have room for all of the disk.
        timeout: seconds.

    Raises:
        ValidationError: one of them is no absolute path.
        Drift: when it runs, if the path is taken by something else.

    Example:
        >>> str(save_disk("/dev/vda3", "/root/r0.img"))
        'save-disk /dev/vda3 /root/r0.img'
    """
    arguments = (absolute(disk, "disk"), absolute(path))
    return Command(
        ("sh", "-c", SAVE_DISK.strip(), "save-disk", *arguments),
        _decode_saved,
        timeout=timeout,
        title=f"save-disk {' '.join(arguments)}",
        raises=((DRIFTED, Drift),),
    )


def _decode_changed(output: Output) -> ChangedFiles:
    rows, _, left = output.stdout.rpartition(b"\0\0")
    try:
        *whole, _cut = rows.split(b"\0")
        files = sorted((_changed(decode(row)) for row in whole), key=lambda each: each.path)
        return ChangedFiles(tuple(files), int(left))
    except ValueError:
        raise ParseError(
            "not a list of changed files", hint="the shell prints something at login"
        ) from None


def _changed(row: str) -> ChangedFile:
    mtime, size, path = row.split(" ", 2)
    return ChangedFile(path=path, size=int(size), mtime=float(mtime))


def _decode_saved(output: Output) -> SavedDisk:
    match output.text.split():
        case [("changed" | "unchanged") as how, *words] if len(words) == 3:
            if all(map(str.isdecimal, words)):
                size, blocks, each = map(int, words)
                return SavedDisk(changed=how == "changed", size=size, stored=blocks * each)
    raise ParseError(f"not an answer about a copy: {output.text[:80]!r}")
