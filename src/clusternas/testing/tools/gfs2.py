"""GFS2: making, showing and growing file systems, and the rules of mounting one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import attrs

from clusternas.gfs2.sizes import SMALLEST_ADDED, default_journal_size
from clusternas.testing.blocks import Content, Device, Gfs2, OtherData, PhysicalVolume, type_of
from clusternas.testing.shell import Answer, Daemon, Exit, Hang, Tool, has, options
from clusternas.testing.tools import dlm
from clusternas.testing.tools.membership import Member, quorate

if TYPE_CHECKING:
    from clusternas.testing.node import FakeNode

__all__ = ["TOOLS", "join", "mkfs", "withdraw"]

MIB = 1024 * 1024
NAME = re.compile(r"[A-Za-z0-9_-]*")
SMALLEST = 32 * MIB


def modern(node: FakeNode) -> bool:
    """gfs2-utils since 3.1.9, with longer names."""
    return node.cluster.toolset.has("gfs2", since="3.1.9")


# mkfs


def mkfs_gfs2(node: FakeNode, args: tuple[str, ...], stdin: bytes) -> Answer:
    """mkfs.gfs2: asks before it writes, and without a yes it ends with 255."""
    given, operands = options(args, "b:c:DhJ:j:KOo:p:qr:t:U:V", code=255, tool="mkfs.gfs2")
    if "V" in given:
        return f"mkfs.gfs2 {node.cluster.toolset.gfs2} (built Mar 11 2022 10:23:14)\n"
    if not operands:
        raise Exit(255, "No device specified. (use -h for help)")
    protocol, table = given.get("p", "lock_dlm"), given.get("t", "")
    journals = int(given.get("j", "1"))
    check_table(node, protocol, table)
    if journals < 1:
        raise Exit(255, "No journals specified")
    device = target(node, operands[0])
    question = asked(device, operands[0])
    if "O" not in given and stdin.strip().lower() not in (b"y", b"yes"):
        raise Exit(255, "", f"{question}Are you sure you want to proceed? [y/n] \n")
    size = int(given.get("J", "0")) or default_journal_size(device.size, journals)
    if device.size < SMALLEST or device.size // 2 < size * MIB * journals:
        raise Exit(255, "gfs2 will not fit on this device.")
    node.cluster.overwrite(node, device.path, device.read())
    device.write(None)
    node.cluster.halfway()
    made = Gfs2(table, protocol, journals, given.get("U") or node.cluster.uuid(), device.size)
    device.write(made)
    return "" if "q" in given else question + summary(made, operands[0], size)


def check_table(node: FakeNode, protocol: str, table: str) -> None:
    """The lock table as that version checks it."""
    if protocol not in ("lock_dlm", "lock_nolock"):
        raise Exit(255, f"Invalid lock protocol: {protocol}")
    if protocol == "lock_nolock" and not table:
        return
    if not table:
        raise Exit(255, "No lock table specified.")
    cluster, colon, name = table.partition(":")
    longest = (32, 30) if modern(node) else (16, 16)
    problems = (
        (not colon, "missing colon"),
        (":" in name, "contains more than one colon"),
        (not cluster, "cluster name is missing"),
        (not name, "file system name is missing"),
        (len(cluster) > longest[0], "cluster name is too long"),
        (len(name) > longest[1], "file system name is too long"),
    )
    for wrong, why in problems:
        if wrong:
            raise Exit(255, f"Invalid lock table: {why}")
    for character in cluster + name:
        if not NAME.fullmatch(character):
            raise Exit(255, f"Invalid lock table: invalid character '{character}'")


def target(node: FakeNode, path: str) -> Device:
    """A device that can be written to and that nobody has open."""
    device = node.find_device(path)
    if device is None:
        raise Exit(255, f"Could not open {path}: No such file or directory")
    if node.holder(device):
        raise Exit(255, f"Could not open {path}: Device or resource busy")
    return device


def asked(device: Device, path: str) -> str:
    """What mkfs says before it asks."""
    content = device.read()
    kinds = {Gfs2: "filesystem", PhysicalVolume: "LVM2_member", OtherData: "filesystem"}
    there = (
        f"It appears to contain an existing {kinds[type(content)]} ({type_of(content)})\n"
        if content is not None
        else ""
    )
    real = device.names[-1]
    link = f"{path} is a symbolic link to {real}\n" if path != real else ""
    return f"{there}{link}This will destroy any data on {real}\n"


def summary(made: Gfs2, path: str, journal: int) -> str:
    """What mkfs prints of its work."""
    blocks = made.size // 4096
    return (
        "Discarding device contents (may take a while on large devices): Done\n"
        "Adding journals: Done\n"
        "Building resource groups: Done\nCreating quota file: Done\n"
        "Writing superblock and syncing: Done\n"
        f"Device:                    {path}\n"
        "Block size:                4096\n"
        f"Device size:               {made.size / 1024**3:.2f} GB ({blocks} blocks)\n"
        f"Filesystem size:           {made.size / 1024**3:.2f} GB ({blocks - 4} blocks)\n"
        f"Journals:                  {made.journals}\n"
        f"Journal size:              {journal}MB\n"
        "Resource groups:           6\n"
        f'Locking protocol:          "{made.protocol}"\n'
        f'Lock table:                "{made.table}"\n'
        f"UUID:                      {made.uuid}\n"
    )


def mkfs(node: FakeNode, args: tuple[str, ...], stdin: bytes) -> Answer:
    """`mkfs -t TYPE …`: GFS2 by its own tool, anything else as opaque data."""
    if args[:1] != ("-t",) or len(args) < 3:
        raise Exit(1, "mkfs: usage: mkfs -t TYPE [options] DEVICE")
    return (
        mkfs_gfs2(node, args[2:], stdin)
        if args[1] == "gfs2"
        else mkfs_other(node, args[1], args[-1])
    )


def mkfs_other(node: FakeNode, kind: str, path: str) -> Answer:
    """Another file system."""
    device = target(node, path)
    node.cluster.overwrite(node, device.path, device.read())
    device.write(OtherData(kind, node.cluster.uuid()))
    return ""


def mkfs_ext4(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """mkfs.ext4."""
    return mkfs_other(node, "ext4", args[-1])


# Joining: what the kernel and mount.gfs2 check


def join(node: FakeNode, content: Gfs2, path: str, directory: str) -> None:
    """Join the lock space and take a journal, or say why not as that generation does."""
    if content.protocol == "lock_nolock":
        return
    cluster, _, name = content.table.partition(":")
    config = node.of(Member).config
    if config is None or not {"dlm", "cman"} & node.running:
        raise refused(
            node,
            path,
            directory,
            "node not a member of the default fence domain",
            "Transport endpoint is not connected",
        )
    if config.name != cluster:
        raise refused(
            node, path, directory, "fs is for a different cluster", "Invalid request descriptor"
        )
    if not quorate(node):
        dlm.wait_for_locks(node, name)
    users = [other for other in node.cluster.alive() if dlm.joined(other, name)]
    for other in users:
        dlm.wait_for_locks(other, name)
    if len(users) >= content.journals:
        raise refused(
            node,
            path,
            directory,
            f"error mounting {path} on {directory}: Invalid argument",
            "Too many users",
        )
    dlm.join(node, name)
    node.of(Spaces).by_directory[directory] = name


class Spaces:
    """The lock space of each mounted GFS2; it outlives the device, which may be gone."""

    def __init__(self) -> None:
        self.by_directory: dict[str, str] = {}


def leave(node: FakeNode, directory: str) -> None:
    """Leave the lock space of what is mounted there; hang while its locks are stopped.

    What has withdrawn hangs for good.
    """
    if node.mounts[directory].withdrawn:
        raise Hang(f"GFS2 has withdrawn from {directory}", killable=False)
    spaces = node.of(Spaces).by_directory
    if directory in spaces:
        dlm.wait_for_locks(node, spaces[directory], killable=False)
        dlm.leave(node, spaces.pop(directory))


def withdraw(node: FakeNode, directory: str) -> None:
    """Give up what is mounted there: it reads and writes nothing, and leaves its lock space."""
    mount = node.mounts[directory]
    shown = mount.options.replace("rw", "ro", 1)
    node.mounts[directory] = attrs.evolve(mount, options=shown, withdrawn=True)
    node.log(f"gfs2: fsid={mount.table}: File system withdrawn")
    space = node.of(Spaces).by_directory.pop(directory, "")
    if space:
        dlm.leave(node, space)


def refused(node: FakeNode, path: str, directory: str, old: str, new: str) -> Exit:
    """A mount that fails, in the words of the helper of 2010 or of mount(2) today."""
    if has("cman")(node.cluster.toolset):
        return Exit(
            32, f"/sbin/mount.gfs2: {old}\n/sbin/mount.gfs2: error mounting lockproto lock_dlm"
        )
    why = "dmesg(1) may have more information after failed mount system call."
    return Exit(32, f"mount: {directory}: mount(2) system call failed: {new}.\n       {why}")


# Other tools


def superblock(content: Content, path: str, code: int) -> Gfs2:
    """The file system on a device, or the tool ends."""
    if not isinstance(content, Gfs2):
        raise Exit(code, f"{path}: not a gfs2 file system")
    return content


def tunegfs2(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """tunegfs2 -l, and -o locktable=, -U, -L."""
    given, operands = options(args, "lo:U:L:r:")
    device = node.device(operands[0], code=74)
    content = superblock(device.read(), operands[0], 74)
    if "l" in given:
        return listing(content)
    if node.holder(device):
        raise Exit(74, f"{operands[0]}: Device or resource busy")
    for word in given.get("o", "").split(","):
        key, _, value = word.partition("=")
        if key == "locktable":
            content = attrs.evolve(content, table=value)
        elif key == "lockproto":
            content = attrs.evolve(content, protocol=value)
    device.write(
        attrs.evolve(
            content, uuid=given.get("U", content.uuid), table=given.get("L", content.table)
        )
    )
    return ""


def listing(content: Gfs2) -> str:
    """`tunegfs2 -l`."""
    return (
        f"File system volume name: {content.table}\n"
        f"File system UUID: {content.uuid}\n"
        "File system magic number: 0x1161970\n"
        "File system format version: 1802\n"
        "Block size: 4096\nBlock shift: 12\nRoot inode: 4656\nMaster inode: 2072\n"
        f"Lock protocol: {content.protocol}\n"
        f"Lock table: {content.table}\n"
    )


def mounted(node: FakeNode, path: str, code: int) -> tuple[Device, Gfs2]:
    """The file system mounted at a path."""
    mount = node.mounts.get(path)
    if mount is None or mount.type != "gfs2":
        raise Exit(code, f"{path}: not a mounted gfs2 file system")
    if mount.withdrawn:
        raise Exit(255, f"{path}: Input/output error")
    device = node.device(mount.source)
    content = superblock(device.read(), path, 255)
    dlm.wait_for_locks(node, content.table.partition(":")[2])
    return device, content


def jadd(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """gfs2_jadd: more journals for a mounted file system."""
    given, operands = options(args, "j:J:DhqV", code=255)
    if not SMALLEST_ADDED <= int(given.get("J", "128")) <= 1024:
        raise Exit(255, "bad journal size")
    device, content = mounted(node, operands[0], 255)
    more = int(given.get("j", "1"))
    device.write(attrs.evolve(content, journals=content.journals + more))
    return (
        f"Filesystem: {operands[0]}\nOld journals: {content.journals}\n"
        f"New journals: {content.journals + more}\n"
    )


def grow(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """gfs2_grow: a mounted file system as large as its device."""
    given, operands = options(args, "DhqTV", code=255)
    device, content = mounted(node, operands[0], 0)
    if device.size - content.size < SMALLEST:
        raise full(node, operands[0])
    if "T" not in given:
        device.write(attrs.evolve(content, size=device.size))
    grown = (device.size - content.size) // MIB
    return (
        f"FS: Mount point:             {operands[0]}\n"
        f"The file system will grow by {grown}MB.\ngfs2_grow complete.\n"
    )


def full(node: FakeNode, path: str) -> Exit:
    """How gfs2_grow ends where no whole resource group is left: before 3.1.7 well."""
    if node.cluster.toolset.has("gfs2", since="3.1.7"):
        small = "The calculated resource group size is too small."
        return Exit(255, f"{small}\n{path} has not grown.")
    return Exit(0, "Error: The device has grown by less than one Resource Group (RG).")


def fsck(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """fsck.gfs2: refuses what anybody has mounted."""
    _, operands = options(args, "afhnpqvyV", code=16)
    device = node.device(operands[0], code=8)
    content = superblock(device.read(), operands[0], 8)
    space = content.table.partition(":")[2]
    if any(dlm.joined(other, space) for other in node.cluster.alive()):
        raise Exit(8, f"{operands[0]} is mounted; please unmount it everywhere first.")
    return "Initializing fsck\nfsck.gfs2 complete\n"


def start(node: FakeNode) -> None:
    """The gfs2 init script: mounts every gfs2 line of fstab."""
    for line in node.files.text("/etc/fstab").splitlines():
        fields = line.split("#", 1)[0].split()
        if len(fields) >= 3 and fields[2] == "gfs2" and fields[1] not in node.mounts:
            output = node.answer(("mount", fields[1]), b"")
            if output.exit_code:
                raise Exit(1, output.error_text)


def stop(node: FakeNode) -> None:
    """Unmounts them."""
    for mount in [m for m in node.mounts.values() if m.type == "gfs2"]:
        output = node.answer(("umount", mount.target), b"")
        if output.exit_code:
            raise Exit(1, output.error_text)


TOOLS = {
    "mkfs": Tool(mkfs),
    "mkfs.gfs2": Tool(mkfs_gfs2, has("gfs2")),
    "mkfs.ext4": Tool(mkfs_ext4),
    "tunegfs2": Tool(tunegfs2, has("gfs2", since="3.0.12")),
    "gfs2_jadd": Tool(jadd, has("gfs2")),
    "gfs2_grow": Tool(grow, has("gfs2")),
    "fsck.gfs2": Tool(fsck, has("gfs2")),
}
DAEMONS = {"gfs2": Daemon(start, stop, chkconfig="- 26 74", installed=has("cman"))}
