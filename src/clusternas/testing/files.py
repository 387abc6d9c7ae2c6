"""The files of a fake node: its root, mounted file systems, and what the kernel makes up."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING

import attrs

from clusternas.testing.blocks import Entry, Gfs2, OtherData
from clusternas.testing.shell import Exit

if TYPE_CHECKING:
    from clusternas.testing.node import FakeNode

__all__ = ["Files", "Mount"]

DIRECTORY = Entry(kind="dir", mode=0o755)
STANDARD = (
    "/ /dev /etc /mnt /opt /proc /root /run /srv /sys /tmp /usr /var /var/lib /var/log".split()
)


@attrs.frozen
class Mount:
    """A mounted file system.

    Attributes:
        source: how the kernel names the device.
        table: the lock table of a GFS2.
        withdrawn: it is a GFS2 that found its disk inconsistent, and works no more.
    """

    source: str
    target: str
    type: str
    options: str
    table: str = ""
    withdrawn: bool = False


class Files:
    """The tree of files that a process on the node sees.

    Example:
        >>> from clusternas.testing import FakeCluster
        >>> files = FakeCluster(("nas01", "nas02")).nodes["nas01"].files
        >>> files.write("/etc/motd", "hello")
        >>> files.text("/etc/motd")
        'hello'
    """

    def __init__(self, node: FakeNode) -> None:
        self._node = node
        self._root: dict[str, Entry] = dict.fromkeys(STANDARD, DIRECTORY)
        self.virtual: dict[str, Callable[[], str]] = {}

    def get(self, path: str) -> Entry | None:
        """The entry at that path, links not followed."""
        path = posixpath.normpath(path)
        made_up = self._kernel().get(path)
        if made_up is not None:
            return Entry(made_up().encode(), mode=0o444)
        mount = self._mount_of(path)
        if mount is None:
            return self._root.get(path)
        if path == mount.target:
            return DIRECTORY
        return self._content(mount).files.get(path.removeprefix(mount.target))

    def put(self, path: str, entry: Entry) -> None:
        """Make or replace the entry at that path; its directory must exist."""
        path = posixpath.normpath(path)
        if not self.is_dir(posixpath.dirname(path)):
            raise Exit(1, f"cannot create '{path}': No such file or directory")
        self._store(path, attrs.evolve(entry, mtime=self._node.cluster.now))

    def remove(self, path: str) -> None:
        """Take that entry away, with all below it."""
        path = posixpath.normpath(path)
        for name in [path, *(f"{path}/{child}" for child in self.below(path))]:
            self._store(name, None)

    def write(
        self, path: str, text: str | bytes, *, mode: int = 0o644, owner: str = "root"
    ) -> None:
        """Write a file and the directories above it, as a test's preparation."""
        self.make_directories(posixpath.dirname(path))
        data = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
        self.put(path, Entry(data, mode=mode, owner=owner))

    def make_directories(self, path: str) -> None:
        """That directory and those above it."""
        if path not in ("", "/") and not self.is_dir(path):
            self.make_directories(posixpath.dirname(path))
            self.put(path, DIRECTORY)

    def text(self, path: str) -> str:
        """A file's text, links followed; empty where there is no such file."""
        return self.data(path).decode("utf-8", "surrogateescape")

    def data(self, path: str) -> bytes:
        """A file's bytes, links followed; empty where there is no such file."""
        entry = self.follow(path)
        return entry.data if entry is not None and entry.kind == "file" else b""

    def follow(self, path: str) -> Entry | None:
        """The entry at that path, links followed."""
        return self.get(self.real_path(path))

    def real_path(self, path: str) -> str:
        """That path with links in its last place followed, at most 40 of them."""
        for _ in range(40):
            entry = self.get(path)
            if entry is None or entry.kind != "link":
                break
            path = posixpath.join(posixpath.dirname(path), entry.data.decode())
        return posixpath.normpath(path)

    def is_dir(self, path: str) -> bool:
        """Whether it is a directory."""
        entry = self.follow(path)
        return entry is not None and entry.kind == "dir"

    def below(self, path: str) -> Iterator[str]:
        """Paths below a directory, relative to it, in order."""
        start = posixpath.join(posixpath.normpath(path), "")
        mount = self._mount_of(posixpath.normpath(path))
        if mount is None:
            names: Mapping[str, Entry] = {**self._root, **dict.fromkeys(self._kernel(), DIRECTORY)}
        else:
            names = {
                mount.target + name: entry for name, entry in self._content(mount).files.items()
            }
        return iter(
            sorted(
                name.removeprefix(start)
                for name in names
                if name.startswith(start) and name != start
            )
        )

    def _kernel(self) -> dict[str, Callable[[], str]]:
        """What the kernel makes up; each mounted GFS2 adds whether it has withdrawn."""
        mounts = self._node.mounts.values()
        return self.virtual | {
            f"/sys/fs/gfs2/{m.table}/withdraw": partial("{:d}\n".format, m.withdrawn)
            for m in mounts
            if m.table
        }

    def _mount_of(self, path: str) -> Mount | None:
        found = [
            m
            for m in self._node.mounts.values()
            if path == m.target or path.startswith(m.target + "/")
        ]
        return max(found, key=lambda mount: len(mount.target), default=None)

    def _content(self, mount: Mount) -> Gfs2 | OtherData:
        content = self._node.device(mount.source).read()
        if mount.withdrawn or not isinstance(content, Gfs2 | OtherData):
            raise Exit(5, f"{mount.target}: Input/output error")
        return content

    def _store(self, path: str, entry: Entry | None) -> None:
        mount = self._mount_of(path)
        if mount is None:
            change(self._root, path, entry)
            return
        content = self._content(mount)
        if isinstance(content, Gfs2):
            self._node.wait_for_locks(content.table.partition(":")[2])
        files = dict(content.files)
        change(files, path.removeprefix(mount.target), entry)
        self._node.device(mount.source).write(attrs.evolve(content, files=files))


def change(files: dict[str, Entry], path: str, entry: Entry | None) -> None:
    """Put an entry into a table of files, or take it out."""
    if entry is None:
        files.pop(path, None)
    else:
        files[path] = entry
