"""Mounting: mount, umount, findmnt, mountpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusternas.testing.blocks import Gfs2, OtherData, type_of
from clusternas.testing.files import Mount
from clusternas.testing.shell import Answer, Exit, Tool, options
from clusternas.testing.tools import gfs2
from clusternas.testing.tools.blockdev import as_json, by_tag

if TYPE_CHECKING:
    from clusternas.testing.node import FakeNode

__all__ = ["TOOLS", "install", "mount_all"]

ROOT = Mount("/dev/vdb", "/", "ext4", "rw,noatime")
HIDDEN = ("defaults", "_netdev", "noauto", "auto", "nofail", "rw")


# mount and umount


def mount(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """mount [-t TYPE] [-o OPTIONS] DEVICE DIRECTORY; one of them of fstab; -a; or the table."""
    given, operands = options(args, "t:o:avrwn", code=1)
    if "a" in given:
        mount_all(node, given.get("t", ""))
        return ""
    if not operands:
        return "".join(
            f"{m.source} on {m.target} type {m.type} ({m.options})\n" for m in table(node)
        )
    if len(operands) == 1:
        line = fstab_line(node, operands[0])
        source, directory, kind, words = line.source, line.target, line.type, line.options
    else:
        source, directory = operands
        kind, words = given.get("t", ""), given.get("o", "")
    mount_one(node, source, directory, kind, words)
    return ""


def fstab(node: FakeNode) -> list[Mount]:
    """The lines of fstab."""
    rows = (
        line.split()
        for line in node.files.text("/etc/fstab").splitlines()
        if line.strip()[:1] not in ("", "#")
    )
    whole = ([*row, "defaults"] for row in rows if len(row) >= 3)
    return [Mount(row[0], row[1], row[2], row[3]) for row in whole]


def fstab_line(node: FakeNode, operand: str) -> Mount:
    """The line of fstab for a device or directory."""
    found = next((line for line in fstab(node) if operand in (line.source, line.target)), None)
    if found is None:
        raise Exit(1, f"mount: {operand}: can't find in /etc/fstab.")
    return found


def mount_all(node: FakeNode, kind: str = "") -> None:
    """Mount what fstab says, all or of one type, except noauto and what is mounted."""
    for line in fstab(node):
        wanted = kind in ("", line.type) and "noauto" not in line.options.split(",")
        if wanted and line.target not in (one.target for one in table(node)):
            mount_one(node, line.source, line.target, line.type, line.options)


def mount_one(node: FakeNode, source: str, directory: str, kind: str, words: str) -> None:
    """Mount one file system."""
    device = by_tag(node, source)
    where = f"mount: {directory}: "
    if not node.files.is_dir(directory):
        raise Exit(32, f"{where}mount point does not exist.")
    if device is None:
        raise Exit(32, f"{where}special device {source} does not exist.")
    content = device.read()
    if not isinstance(content, Gfs2 | OtherData) or (kind and kind != type_of(content)):
        raise Exit(
            32,
            f"{where}wrong fs type, bad option, bad superblock on {device.path}, missing "
            "codepage or helper program, or other error.",
        )
    if directory in node.mounts:
        raise Exit(32, f"{where}{device.path} already mounted on {directory}.")
    if node.holder(device):
        raise Exit(32, f"{where}{device.path} already mounted or mount point busy.")
    if isinstance(content, Gfs2):
        gfs2.join(node, content, device.path, directory)
    kept = [word for word in words.split(",") if word and word not in HIDDEN]
    shown = ",".join(
        ["rw", *kept, *(["rgrplvb"] if isinstance(content, Gfs2) and gfs2.modern(node) else [])]
    )
    node.claims[device.path] = f"mount {directory}"
    lock_table = content.table if isinstance(content, Gfs2) else ""
    node.mounts[directory] = Mount(device.path, directory, type_of(content), shown, lock_table)


def umount(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """umount DIRECTORY or DEVICE."""
    _, operands = options(args, "fltav")
    for operand in operands:
        device = node.find_device(operand)
        found = next(
            (
                m
                for m in node.mounts.values()
                if m.target == operand or (device and m.source == device.path)
            ),
            None,
        )
        if found is None:
            raise Exit(32, f"umount: {operand}: not mounted.")
        if user := user_of(node, found):
            raise Exit(32, f"umount: {operand}: target is busy. ({user})")
        gfs2.leave(node, found.target)
        del node.mounts[found.target]
        node.claims.pop(found.source, None)
    return ""


def user_of(node: FakeNode, found: Mount) -> str:
    """A daemon that has files open there: ctdb holds its recovery lock."""
    lock = node.files.text("/etc/ctdb/ctdb.conf")
    return "ctdbd" if "ctdb" in node.running and f"{found.target}/" in lock else ""


def mountpoint(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """Whether a directory is a mount point."""
    path = args[-1]
    if path not in node.mounts and path != "/":
        raise Exit(32, "" if "-q" in args else f"{path} is not a mountpoint")
    return "" if "-q" in args else f"{path} is a mountpoint\n"


def table(node: FakeNode) -> list[Mount]:
    """Everything mounted."""
    return [ROOT, *node.mounts.values()]


def findmnt(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """findmnt [-J] [-n] [-o COLUMNS] [-t TYPE] [TARGET or SOURCE]."""
    long = [
        "json",
        "noheadings",
        "output=",
        "types=",
        "target=",
        "source=",
        "mountpoint=",
        "raw",
        "list",
        "bytes",
    ]
    given, operands = options(args, "Jno:t:T:S:M:rlb", long)
    given = {
        {"json": "J", "noheadings": "n", "output": "o", "types": "t"}.get(k, k): v
        for k, v in given.items()
    }
    wanted = [
        *operands,
        *(given[key] for key in ("T", "S", "M", "target", "source", "mountpoint") if key in given),
    ]
    rows = [m for m in table(node) if matches(node, m, wanted) and given.get("t", m.type) == m.type]
    if not rows:
        raise Exit(1)
    columns = [
        column.lower() for column in given.get("o", "TARGET,SOURCE,FSTYPE,OPTIONS").split(",")
    ]
    cells = [{column: cell(m, column) for column in columns} for m in rows]
    if "J" in given:
        whole = not wanted and "t" not in given
        return as_json("filesystems", nested(rows, cells) if whole else cells)
    titles = "" if "n" in given else " ".join(columns).upper() + "\n"
    return titles + "".join(" ".join(row.values()) + "\n" for row in cells)


def nested(rows: list[Mount], cells: list[dict[str, str]]) -> list[dict[str, object]]:
    """The whole table as a tree: each mount hangs on the one that holds its directory."""
    found: dict[str, dict[str, object]] = {}
    for row, values in zip(rows, cells, strict=True):
        found[row.target] = dict(values)
        above = [target for target in found if inside(row.target, target)]
        if above:
            parent = found[max(above, key=len)]
            parent["children"] = [*below(parent), found[row.target]]
    return [tree for target, tree in found.items() if not any(inside(target, t) for t in found)]


def below(tree: dict[str, object]) -> list[object]:
    """What hangs on a mount so far."""
    children = tree.get("children")
    return children if isinstance(children, list) else []


def inside(path: str, directory: str) -> bool:
    """Whether a path is below a directory."""
    return path != directory and path.startswith(directory.rstrip("/") + "/")


def matches(node: FakeNode, m: Mount, wanted: list[str]) -> bool:
    """Whether a mount is at one of these directories or of one of these devices."""
    sources = {device.path for path in wanted if (device := by_tag(node, path)) is not None}
    return not wanted or m.target in wanted or m.source in sources


def cell(m: Mount, column: str) -> str:
    """A column of findmnt."""
    return {"target": m.target, "source": m.source, "fstype": m.type, "options": m.options}.get(
        column, ""
    )


def install(node: FakeNode) -> None:
    """An fstab, and /proc/mounts."""
    node.files.write("/etc/fstab", "/dev/vdb / ext4 noatime 0 1\n")
    rows = lambda: "".join(f"{m.source} {m.target} {m.type} {m.options} 0 0\n" for m in table(node))  # noqa: E731
    node.files.virtual["/proc/mounts"] = rows


TOOLS = {
    "mount": Tool(mount),
    "umount": Tool(umount),
    "mountpoint": Tool(mountpoint),
    "findmnt": Tool(findmnt),
}
