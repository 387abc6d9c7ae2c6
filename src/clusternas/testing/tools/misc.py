"""Small tools of every machine, and wrappers around other commands."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from clusternas.testing.blocks import Entry
from clusternas.testing.shell import Answer, Exit, Hang, Tool, options

if TYPE_CHECKING:
    from clusternas.testing.node import FakeNode

__all__ = ["TOOLS"]


def cat(node: FakeNode, args: tuple[str, ...], stdin: bytes) -> Answer:
    """Files, or standard input."""
    if not args:
        return stdin.decode("utf-8", "surrogateescape")
    for path in args:
        entry = node.files.follow(path)
        if entry is None:
            raise Exit(1, f"cat: {path}: No such file or directory")
        if entry.kind == "dir":
            raise Exit(1, f"cat: {path}: Is a directory")
    return "".join(node.files.text(path) for path in args)


def tee(node: FakeNode, args: tuple[str, ...], stdin: bytes) -> Answer:
    """Standard input into files, replacing or with -a adding to them."""
    given, paths = options(args, "a")
    for path in paths:
        old = node.files.data(path) if "a" in given else b""
        node.files.put(node.files.real_path(path), Entry(old + stdin))
    return stdin.decode("utf-8", "surrogateescape")


def ls(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """The names in a directory."""
    paths = [arg for arg in args if not arg.startswith("-")] or ["/root"]
    rows = []
    for path in paths:
        if node.files.is_dir(path):
            rows += sorted({name.partition("/")[0] for name in node.files.below(path)})
        elif node.files.get(path) is not None or node.find_device(path) is not None:
            rows.append(path)
        else:
            raise Exit(2, f"ls: cannot access '{path}': No such file or directory")
    return "".join(f"{row}\n" for row in rows)


def mkdir(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """Directories."""
    given, paths = options(args, "pm:")
    for path in paths:
        if "p" in given:
            node.files.make_directories(path)
        elif node.files.get(path) is not None:
            raise Exit(1, f"mkdir: cannot create directory '{path}': File exists")
        else:
            node.files.put(path, Entry(kind="dir", mode=0o755))
    return ""


def rm(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """Files away."""
    given, paths = options(args, "rf")
    for path in paths:
        if node.files.get(path) is None and "f" not in given:
            raise Exit(1, f"rm: cannot remove '{path}': No such file or directory")
        node.files.remove(path)
    return ""


def mv(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """A file to another name."""
    source, target = args[-2:]
    entry = node.files.get(source)
    if entry is None:
        raise Exit(1, f"mv: cannot stat '{source}': No such file or directory")
    if node.files.is_dir(target):
        target = posixpath.join(target, posixpath.basename(source))
    node.files.put(target, entry)
    node.files.remove(source)
    return ""


def exists(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """test -e, -f, -d, -b PATH."""
    kind, path = args[0], args[1]
    entry = node.files.follow(path)
    device = node.find_device(path) is not None
    found = {
        "-e": entry is not None or device,
        "-f": entry is not None and entry.kind == "file",
        "-d": entry is not None and entry.kind == "dir",
        "-b": device,
    }.get(kind, False)
    if not found:
        raise Exit(1)
    return ""


def hostname(node: FakeNode, _args: tuple[str, ...], _stdin: bytes) -> Answer:
    """The host's name."""
    return f"{node.name}\n"


def uname(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """uname -n and -r."""
    return (
        f"{node.cluster.toolset.linux}\n"
        if "-r" in args
        else f"{node.name}\n"
        if "-n" in args
        else "Linux\n"
    )


def date(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """The cluster's time."""
    layout = next((arg[1:] for arg in args if arg.startswith("+")), "%a %b %e %H:%M:%S UTC %Y")
    return f"{round(node.cluster.now)}\n" if layout == "%s" else f"{node.cluster.clock(layout)}\n"


def sleep(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """Time passes for the cluster, not for the caller."""
    node.cluster.now += float(args[0])
    return ""


def journalctl(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """What the kernel has said: `journalctl -k -o short-unix`."""
    given, operands = options(args, "ko:", ["no-pager"])
    if operands or "k" not in given or given.get("o") != "short-unix":
        raise Exit(1, "journalctl: this fake knows only -k -o short-unix")
    rows = [f"{at:.6f} {node.name} kernel: {line}\n" for at, line in node.kernel_log]
    return "".join(rows) or "-- No entries --\n"


def nothing(_node: FakeNode, _args: tuple[str, ...], _stdin: bytes) -> Answer:
    """Success without effect: true, sync, modprobe, udevadm, partprobe."""
    return ""


def env(node: FakeNode, args: tuple[str, ...], stdin: bytes) -> Answer:
    """Variables before a command; they change nothing here."""
    rest = list(args)
    while rest and "=" in rest[0]:
        rest.pop(0)
    return node.answer(tuple(rest), stdin)


def timeout(node: FakeNode, args: tuple[str, ...], stdin: bytes) -> Answer:
    """`timeout [-k SECONDS] SECONDS COMMAND…`: 124 for a command that it had to end."""
    rest = args[2:] if args[:1] == ("-k",) else args
    try:
        return node.answer(rest[1:], stdin)
    except Hang as hang:
        if not hang.killable:
            raise
        node.cluster.now += float(rest[0])
        raise Exit(124) from None


def sudo(node: FakeNode, args: tuple[str, ...], stdin: bytes) -> Answer:
    """sudo without a password: flags, then a command."""
    rest = list(args)
    while rest and rest[0].startswith("-"):
        flag = rest.pop(0)
        if flag in ("-u", "-g"):
            rest.pop(0)
        if flag == "--":
            break
    return node.answer(tuple(rest), stdin)


TOOLS = {
    "cat": Tool(cat),
    "tee": Tool(tee),
    "ls": Tool(ls),
    "mkdir": Tool(mkdir),
    "rm": Tool(rm),
    "mv": Tool(mv),
    "test": Tool(exists),
    "hostname": Tool(hostname),
    "uname": Tool(uname),
    "date": Tool(date),
    "sleep": Tool(sleep),
    "journalctl": Tool(journalctl, lambda toolset: toolset.init == "systemd"),
    **dict.fromkeys(
        ("true", "sync", "modprobe", "udevadm", "partprobe", "restorecon"), Tool(nothing)
    ),
    "env": Tool(env),
    "timeout": Tool(timeout),
    "sudo": Tool(sudo),
}
