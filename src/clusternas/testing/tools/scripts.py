"""The shell scripts of clusternas, acted out: `core.files`, `core.batch`, GFS2's inspection."""

from __future__ import annotations

import fnmatch
import hashlib
import posixpath
import shlex
import stat
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING

import attrs

from clusternas.core import salvage, scripts
from clusternas.core.batch import BATCH, LATE
from clusternas.core.command import Output
from clusternas.core.lock import RELEASE, TAKE
from clusternas.gfs2.commands import INSPECT
from clusternas.testing.blocks import Entry
from clusternas.testing.image import read_image
from clusternas.testing.shell import Answer, Exit, Hang, Tool

if TYPE_CHECKING:
    from clusternas.testing.node import FakeNode

__all__ = ["TOOLS"]

SUPERBLOCK_AT = 0x10000
GFS2_MAGIC = bytes.fromhex("01161970")
WINDOW = 256 * 1024
ABSENT, ANY = "absent", "any"
NUMBERS = {"root": 0, "disk": 6}
KINDS = {"file": stat.S_IFREG, "dir": stat.S_IFDIR, "link": stat.S_IFLNK, "block": stat.S_IFBLK}


def shell(node: FakeNode, args: tuple[str, ...], stdin: bytes) -> Answer:
    """`sh -c SCRIPT NAME ARGUMENT…` for a script that clusternas owns, or a plain command."""
    if args[:1] != ("-c",) or len(args) < 2:
        raise Exit(127, "sh: this fake runs only `sh -c`")
    action = SCRIPTS.get(args[1].strip())
    if action is not None:
        return action(node, args[3:], stdin)
    return plain(node, args[1], stdin)


def plain(node: FakeNode, line: str, stdin: bytes) -> Answer:
    """One command line without shell syntax."""
    words = shlex.split(line)
    if not words or any(set(word) & set("|&;<>$`*?") for word in words):
        raise Exit(2, f"sh: this fake does not know the script: {line}")
    return node.answer(tuple(words), stdin)


def batch(node: FakeNode, lines: tuple[str, ...], _stdin: bytes) -> Answer:
    """Several commands in one call, each with its own time limit."""
    codes, parts = [], []
    for line in lines:
        seconds, _, rest = line.partition(" ")
        try:
            output = node.answer(("timeout", seconds, *shlex.split(rest)), b"")
        except Hang:  # not even killable: it is left alone
            node.cluster.now += float(seconds)
            output = Output(LATE)
        codes.append(output.exit_code)
        parts += [output.stdout, output.stderr]
    sizes = [*map(len, parts), sum(map(len, parts))]
    head = "".join(f"{row}\n" for row in (" ".join(map(str, codes)), *sizes))
    return Output(0, head.encode() + b"".join(parts))


# Reading


def digest(entry: Entry | None) -> str:
    """What identifies a file's content."""
    return ABSENT if entry is None else hashlib.sha256(entry.data).hexdigest()


def regular(node: FakeNode, path: str) -> Entry | None:
    """The file at a path, links followed; a directory is no file."""
    entry = node.files.follow(path)
    if entry is not None and entry.kind != "file":
        raise Exit(65, f"{path}: not a regular file")
    return entry


def read(node: FakeNode, _args: tuple[str, ...], stdin: bytes) -> Answer:
    """Files and patterns, with mode and owner."""
    parts = []
    for line in stdin.decode().splitlines():
        path = line[2:]
        plain = line.startswith("= ")
        paths = [path] if plain else matches(node, path, files_only=True)
        parts += [read_one(node, found) for found in paths]
    return Output(0, b"".join(parts))


def read_one(node: FakeNode, path: str) -> bytes:
    """One file."""
    entry = regular(node, path)
    if entry is None:
        return f"absent {path}\n".encode()
    about = (
        f"{entry.mode:o} {number(entry.owner)} {number(entry.group)} {entry.owner} {entry.group}"
    )
    return f"file {len(entry.data)} {about} {path}\n".encode() + entry.data + b"\n"


def number(name: str) -> int:
    """The number of a user or group."""
    return int(name) if name.isdigit() else NUMBERS.get(name, 1000)


def matches(node: FakeNode, pattern: str, *, files_only: bool = False) -> list[str]:
    """The paths that a shell pattern matches, in order."""
    folder = posixpath.dirname(pattern)
    if not set(pattern) & set("*?["):
        candidates = [pattern]
    elif set(folder) & set("*?["):
        candidates = [f"/{name}" for name in node.files.below("/")]
    else:
        candidates = [posixpath.join(folder, name) for name in node.files.below(folder)]
    same_depth = [
        p
        for p in candidates
        if p.count("/") == pattern.count("/") and fnmatch.fnmatchcase(p, pattern)
    ]
    wanted = {"file"} if files_only else {"file", "dir", "link"}
    return [
        p
        for p in same_depth
        if (entry := node.files.follow(p)) is not None and entry.kind in wanted
    ]


def glob(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """Patterns to paths."""
    return "".join(f"{path}\0" for pattern in args for path in matches(node, pattern))


def status(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """What is at a path, links not followed."""
    entry = node.files.get(args[0])
    if entry is None and node.find_device(args[0]) is not None:
        entry = Entry(kind="block", mode=0o660, group="disk")
    if entry is None:
        return "absent\n"
    raw = KINDS[entry.kind] | entry.mode
    target = entry.data.decode() if entry.kind == "link" else ""
    owner, group = entry.owner, entry.group
    return f"{raw:x} {len(entry.data)} {number(owner)} {number(group)} {owner} {group} {target}\n"


def inspect(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """`gfs2-inspect`: the superblock, and where it is GFS2 what follows the master directory."""
    device = node.find_device(args[0])
    if device is None:
        raise Exit(74, f"dd: failed to open '{args[0]}': No such file or directory")
    data = read_image(device, SUPERBLOCK_AT, 512)
    if data.startswith(GFS2_MAGIC):
        block, master = struct.unpack_from(">I16xQ", data, 36)
        data += read_image(device, block * master, WINDOW)
    return Output(0, data)


def changed_since(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """The files that have changed, the list cut after so many bytes."""
    folder, since, most = args
    if not node.files.is_dir(folder):
        raise Exit(74, f"find: '{folder}': No such file or directory")
    rows = []
    for name in node.files.below(folder):
        path = posixpath.join(folder, name)
        entry = node.files.get(path)
        if entry is not None and entry.kind == "file" and entry.mtime > float(since):
            rows.append(f"{entry.mtime:.10f} {len(entry.data)} {path}\0".encode())
    data = b"".join(rows)
    shown, left = data[: int(most)], data[int(most) :]
    return Output(0, shown + b"\0\0%d" % left.count(b"\0"))


# Writing


def dressed(entry: Entry, mode: str, owner: str, group: str) -> Entry:
    """The entry with that mode and owner, where given."""
    return attrs.evolve(
        entry,
        mode=int(mode, 8) if mode else entry.mode,
        owner=owner or entry.owner,
        group=group or entry.group,
    )


def expect(path: str, now: str, expected: str) -> None:
    """Stop if the file is not what the caller has read."""
    if expected not in (ANY, now):
        raise Exit(75, f"{path} changed since it was read")


def folder(node: FakeNode, path: str, parents: bool) -> None:
    """The directory above a path: made if asked for, or missing."""
    above = posixpath.dirname(path)
    if parents:
        node.files.make_directories(above)
    if not node.files.is_dir(above):
        raise Exit(66, f"{path}: no such directory")


def write(node: FakeNode, args: tuple[str, ...], stdin: bytes) -> Answer:
    """All of it or nothing, and nothing if nothing would change."""
    path, wanted, expected, mode, owner, group, parents = args
    folder(node, path, parents == "parents")
    path = node.files.real_path(path)
    old = regular(node, path)
    before = digest(old)
    expect(path, before, expected)
    new = dressed(old or Entry(), mode, owner, group)
    if before != wanted:
        if hashlib.sha256(stdin).hexdigest() != wanted:
            raise Exit(74, f"{path}: the input was cut, nothing was written")
        node.cluster.halfway()
        new = attrs.evolve(new, data=stdin)
    if old is not None and new == old:
        return f"unchanged {before}\n"
    node.files.put(path, new)
    return f"changed {before}\n"


def remove(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """A file or link goes; none is fine."""
    path, expected = args
    entry = node.files.get(path)
    now = (
        digest(regular(node, path))
        if entry is None or entry.kind != "link" or expected != ANY
        else ABSENT
    )
    expect(path, now, expected)
    if entry is None:
        return "unchanged absent\n"
    node.files.remove(path)
    return f"changed {now}\n"


def save_disk(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """A disk into a file that is only there when it is whole; here, its content spelled out."""
    source, path = args
    disk = node.find_device(source)
    if disk is None:
        raise Exit(66, f"{source}: no such disk")
    folder(node, path, False)
    data = repr(disk.read()).encode()
    old = node.files.get(path)
    if old is not None and old.data != data:
        raise Exit(75, f"{path} exists, and is no copy of what {source} holds now")
    if old is None:
        for left in matches(node, f"{path}.saving-??????"):
            node.files.remove(left)
        part = f"{path}.saving-{node.cluster.number():06x}"[: len(path) + 14]
        node.files.put(part, Entry(data[: len(data) // 2], mode=0o600))
        node.cluster.halfway()
        node.files.remove(part)
        node.files.put(path, Entry(data, mode=0o600))
    return f"{'unchanged' if old else 'changed'} {disk.size} {-(-len(data) // 512)} 512\n"


def make_dir(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """A directory with that mode and owner."""
    path, mode, owner, group, parents = args
    old = node.files.follow(path)
    if old is not None and old.kind != "dir":
        raise Exit(74, f"mkdir: cannot create directory '{path}': File exists")
    if old is None:
        folder(node, path, parents == "parents")
    new = dressed(old or Entry(kind="dir", mode=0o755), mode, owner, group)
    if old is not None and new == old:
        return "unchanged\n"
    node.files.put(node.files.real_path(path), new)
    return "changed\n"


def symlink(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """A symbolic link."""
    path, target = args
    old = node.files.get(path)
    if old is not None and old.kind != "link":
        raise Exit(65, f"{path}: it exists and is not a symbolic link")
    if old is not None and old.data.decode() == target:
        return "unchanged\n"
    folder(node, path, False)
    node.files.put(path, Entry(target.encode(), kind="link", mode=0o777))
    return "changed\n"


def take_lock(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """The lock's link is made unless there is one; says whose it is."""
    path, owner = args
    if node.files.get(path) is None:
        node.files.put(path, Entry(owner.encode(), kind="link", mode=0o777))
    return f"{held(node, path)}\n"


def release_lock(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """The lock's link goes if it is the caller's."""
    path, owner = args
    if held(node, path) == owner:
        node.files.remove(path)
    return ""


def held(node: FakeNode, path: str) -> str:
    """Who has the lock."""
    entry = node.files.get(path)
    return entry.data.decode() if entry is not None else ""


SCRIPTS: dict[str, Callable[[FakeNode, tuple[str, ...], bytes], Answer]] = {
    scripts.READ.strip(): read,
    scripts.WRITE.strip(): write,
    scripts.REMOVE.strip(): remove,
    scripts.MAKE_DIR.strip(): make_dir,
    scripts.SYMLINK.strip(): symlink,
    scripts.STAT.strip(): status,
    scripts.GLOB.strip(): glob,
    salvage.CHANGED_SINCE.strip(): changed_since,
    salvage.SAVE_DISK.strip(): save_disk,
    TAKE: take_lock,
    RELEASE: release_lock,
    BATCH: batch,
    INSPECT.strip(): inspect,
}
TOOLS = {"sh": Tool(shell), "bash": Tool(shell)}
