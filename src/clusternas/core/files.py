"""Files of a node, read and written by commands.

Every function here builds a `Command`; nothing runs until a `Runner` runs it, on whatever machine.
The scripts are in `clusternas.core.scripts`; `argv[3]` names the operation.
"""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Callable, Iterable, Mapping
from typing import TypedDict, TypeVar

import attrs

from clusternas.core.command import Command, Effect, Output, operand
from clusternas.core.errors import Drift, ParseError, ValidationError
from clusternas.core.scripts import GLOB, MAKE_DIR, READ, REMOVE, STAT, SYMLINK, WRITE

__all__ = [
    "ABSENT",
    "DRIFTED",
    "FileContent",
    "FileStat",
    "Written",
    "digest",
    "glob",
    "make_dir",
    "read_file",
    "read_files",
    "remove_file",
    "stat_file",
    "symlink",
    "write_file",
]

T = TypeVar("T")

ABSENT = "absent"
"""The digest of a file that does not exist."""

DRIFTED = 75
"""Exit code of a script that found the file changed; the runner raises `Drift`."""

ANY = "any"


def digest(content: bytes | None) -> str:
    """What identifies a content: its SHA-256 in hexadecimal; `ABSENT` for none.

    Example:
        >>> digest(b"hello")[:8], digest(None)
        ('2cf24dba', 'absent')
    """
    return ABSENT if content is None else hashlib.sha256(content).hexdigest()


class _About(TypedDict):
    mode: int
    owner: str
    group: str


@attrs.frozen(kw_only=True)
class FileContent:
    """A regular file as it was read.

    Attributes:
        path: as it was asked for.
        content: all its bytes.
        mode: permission bits, such as `0o644`.
        owner, group: names, or numbers where there is no name.
    """

    path: str
    content: bytes = attrs.field(repr=False)
    mode: int = attrs.field(repr=oct)
    owner: str
    group: str

    @property
    def digest(self) -> str:
        """What identifies the content; give it to `write_file` as `expect`."""
        return digest(self.content)


@attrs.frozen(kw_only=True)
class FileStat:
    """What is at a path; a symbolic link is not followed.

    Attributes:
        kind: `file`, `directory`, `symlink`, `block`, `character`, `fifo` or `socket`.
        mode: permission bits.
        size: bytes.
        owner, group: names, or numbers where there is no name.
        target: where a symbolic link points to, else empty.
    """

    kind: str
    mode: int = attrs.field(repr=oct)
    size: int
    owner: str
    group: str
    target: str = ""


@attrs.frozen(kw_only=True)
class Written:
    """What writing did.

    Attributes:
        changed: whether anything was changed, content or mode or owner.
        before: digest of the content before, `ABSENT` where there was no file.
    """

    changed: bool
    before: str = ABSENT


def read_file(path: str) -> Command[FileContent | None]:
    """Read a file; a missing one is `None`, not an error.

    Example:
        >>> str(read_file("/etc/fstab"))
        'read /etc/fstab'
    """
    return _read([f"= {_path(path)}"], _decode_one)


def read_files(
    paths: Iterable[str], patterns: Iterable[str] = ()
) -> Command[Mapping[str, FileContent | None]]:
    """Read many files with one command, byte for byte.

    Args:
        paths: files; a missing one is `None` in the result.
        patterns: shell patterns such as `/etc/drbd.d/*.res`; the files they match are added.

    Raises:
        ParseError: on `.value`, if a file changed while it was being read.
    """
    wanted = [f"= {_path(path)}" for path in paths]
    wanted += [f"* {_path(pattern)}" for pattern in patterns]
    return _read(wanted, _decode_many)


def write_file(
    path: str,
    content: bytes,
    *,
    mode: int | None = None,
    owner: str | None = None,
    group: str | None = None,
    expect: str | None = None,
    parents: bool = False,
    timeout: float = 60.0,
) -> Command[Written]:
    """Write a file: all of it or nothing.

    The content goes to a temporary file in the same directory, which then takes the file's place.
    Through a symbolic link the real file is written. Nothing is written when nothing would change.

    Args:
        path: the file.
        content: all its bytes.
        mode: permission bits; by default those of the file, `0o644` for a new one.
        owner: by default that of the file.
        group: by default that of the file.
        expect: digest the file must have now, `ABSENT` if it must not exist; by default any.
        parents: make missing directories above it.
        timeout: seconds until it is killed.

    Raises:
        ValidationError: the path, mode, owner or group cannot be one.
        Drift: when it runs, if the file is not what `expect` says.

    Example:
        >>> str(write_file("/etc/motd", b"hello"))
        'write /etc/motd'
    """
    arguments = (
        _path(path),
        digest(content),
        ANY if expect is None else _digest(expect),
        *_attributes(mode, owner, group),
        "parents" if parents else "",
    )
    return _script("write", WRITE, arguments, _decode_written, stdin=content, timeout=timeout)


def remove_file(path: str, *, expect: str | None = None) -> Command[Written]:
    """Remove a file or a symbolic link; nothing happens when there is none.

    Args:
        path: the file; a symbolic link itself is removed, not what it points to.
        expect: digest the file must have now; by default any.

    Raises:
        Drift: when it runs, if the file is not what `expect` says.
    """
    arguments = (_path(path), ANY if expect is None else _digest(expect))
    return _script("remove", REMOVE, arguments, _decode_written)


def make_dir(
    path: str,
    *,
    mode: int | None = None,
    owner: str | None = None,
    group: str | None = None,
    parents: bool = False,
) -> Command[Written]:
    """Make a directory, or give an existing one that mode and owner.

    Args:
        path: the directory.
        mode: permission bits; by default `0o755` for a new one.
        owner: by default who runs the command, for a new one.
        group: by default that of who runs the command, for a new one.
        parents: make missing directories above it, mode `0o755`.
    """
    attributes = _attributes(mode, owner, group)
    arguments = (_path(path), *attributes, "parents" if parents else "")
    return _script("make-dir", MAKE_DIR, arguments, _decode_written)


def symlink(path: str, target: str) -> Command[Written]:
    """Make a symbolic link, or point an existing one elsewhere; anything else is left alone."""
    return _script("symlink", SYMLINK, (_path(path), _path(target)), _decode_written)


def stat_file(path: str) -> Command[FileStat | None]:
    """What is at a path: kind, mode, owner, size; `None` for nothing."""
    return _script("stat", STAT, (_path(path),), _decode_stat, effect=Effect.READ)


def glob(*patterns: str) -> Command[tuple[str, ...]]:
    """The paths that shell patterns match, in the order of the patterns."""
    arguments = tuple(_path(pattern) for pattern in patterns)
    shown = " ".join(patterns)
    return _script("glob", GLOB, arguments, _decode_paths, effect=Effect.READ, shown=shown)


def _read(wanted: list[str], decode: Callable[[Output], T]) -> Command[T]:
    lines = "".join(f"{line}\n" for line in wanted)
    shown = " ".join(line[2:] for line in wanted)
    stdin = lines.encode()
    return _script("read", READ, (), decode, stdin=stdin, effect=Effect.READ, shown=shown)


def _script(
    operation: str,
    script: str,
    arguments: tuple[str, ...],
    decode: Callable[[Output], T],
    *,
    stdin: bytes = b"",
    effect: Effect = Effect.CHANGE,
    timeout: float = 60.0,
    shown: str = "",
) -> Command[T]:
    return Command(
        ("sh", "-c", script.strip(), operation, *arguments),
        decode,
        stdin=stdin,
        effect=effect,
        timeout=timeout,
        title=f"{operation} {shown or arguments[0]}",
        raises=((DRIFTED, Drift),),
    )


def _path(path: str) -> str:
    return operand(path, "path")


def _digest(value: str) -> str:
    if value != ABSENT and (len(value) != 64 or not set(value) <= set("0123456789abcdef")):
        raise ValidationError(f"not a digest: {value!r}", hint="use digest(content) or ABSENT")
    return value


def _attributes(mode: int | None, owner: str | None, group: str | None) -> tuple[str, str, str]:
    if mode is not None and not 0 <= mode <= 0o7777:
        raise ValidationError(f"not a mode: {mode:#o}", hint="permission bits, such as 0o644")
    for name in (owner, group):
        if name is not None and not set(operand(name, "owner")).isdisjoint(": "):
            raise ValidationError(f"not an owner: {name!r}", hint="a user or group name, or number")
    return "" if mode is None else format(mode, "o"), owner or "", group or ""


def _named(number: str, name: str) -> str:
    return number if name == "UNKNOWN" else name


def _decode_many(output: Output) -> Mapping[str, FileContent | None]:
    data, at = output.stdout, 0
    files: dict[str, FileContent | None] = {}
    try:
        while at < len(data):
            end = data.index(b"\n", at)
            kind, _, rest = data[at:end].decode().partition(" ")
            at = end + 1
            if kind == ABSENT:
                files[rest] = None
                continue
            size, about, path = _decode_header(kind, rest)
            files[path] = FileContent(path=path, content=data[at : at + size], **about)
            at = data.index(b"\n", at + size, at + size + 1) + 1
    except ValueError:
        raise ParseError(
            "files were not read whole",
            hint="one changed while it was being read, or the shell prints something at login",
        ) from None
    return files


def _decode_header(kind: str, rest: str) -> tuple[int, _About, str]:
    if kind != "file":
        raise ValueError(kind)
    size, mode, uid, gid, user, group, path = rest.split(" ", 6)
    about = _About(mode=int(mode, 8), owner=_named(uid, user), group=_named(gid, group))
    return int(size), about, path


def _decode_one(output: Output) -> FileContent | None:
    files = list(_decode_many(output).values())
    if len(files) != 1:
        raise ParseError(f"expected one file, got {len(files)}")
    return files[0]


def _decode_written(output: Output) -> Written:
    match output.text.split():
        case [("changed" | "unchanged") as how]:
            return Written(changed=how == "changed")
        case [("changed" | "unchanged") as how, before]:
            return Written(changed=how == "changed", before=before)
    raise ParseError(f"not an answer about a file: {output.text[:80]!r}")


KINDS = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "directory",
    stat.S_IFLNK: "symlink",
    stat.S_IFBLK: "block",
    stat.S_IFCHR: "character",
    stat.S_IFIFO: "fifo",
    stat.S_IFSOCK: "socket",
}


def _decode_stat(output: Output) -> FileStat | None:
    line = output.text.removesuffix("\n")
    if line == ABSENT:
        return None
    try:
        raw, size, uid, gid, user, group, target = line.split(" ", 6)
        mode = int(raw, 16)
        kind = KINDS[stat.S_IFMT(mode)]
        return FileStat(
            kind=kind,
            mode=stat.S_IMODE(mode),
            size=int(size),
            owner=_named(uid, user),
            group=_named(gid, group),
            target=target,
        )
    except (ValueError, KeyError):
        raise ParseError(f"not an answer about a file: {line[:80]!r}") from None


def _decode_paths(output: Output) -> tuple[str, ...]:
    return tuple(output.text.split("\0")[:-1])
