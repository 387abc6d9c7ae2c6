"""Samba: its daemons, smbclient, smbpasswd and pdbedit."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from clusternas.core.versions import Toolset
from clusternas.testing.blocks import Entry
from clusternas.testing.shell import Answer, Daemon, Exit, Tool, has, nothing, options

if TYPE_CHECKING:
    from clusternas.testing.node import FakeNode

__all__ = ["CONF", "DAEMONS", "TOOLS", "clustered", "config", "install", "keeper", "release"]

CONF = "/etc/samba/smb.conf"
PASSDB = "/var/lib/samba/private/passdb.fake"
MODULES = "/usr/lib/samba/vfs"
BROUGHT = ("fileid", "acl_xattr", "recycle")
YES = {"yes", "true", "1", "on"}


def config(node: FakeNode) -> dict[str, dict[str, str]]:
    """The sections of smb.conf by lower-case name, as testparm reads them."""
    sections: dict[str, dict[str, str]] = {"global": {}}
    current = sections["global"]
    for number, raw in enumerate(re.sub(r"\\\s?\n", "", node.files.text(CONF)).splitlines(), 1):
        line = " ".join(raw.split())
        if not line or line[0] in "#;":
            continue
        if line[0] == "[":
            if "]" not in line:
                raise Exit(
                    1,
                    f"Load smb config files from {CONF}\n"
                    f"params.c:Section() - Badly formed line {number}\nError loading services.",
                )
            current = sections.setdefault(line[1 : line.index("]")].strip().lower(), {})
        elif "=" in line:
            name, _, value = line.partition("=")
            current[" ".join(name.lower().split())] = value.strip()
    return sections


def clustered(node: FakeNode) -> bool:
    """Whether smb.conf says `clustering = yes`."""
    return config(node)["global"].get("clustering", "no").lower() in YES


def missing_modules(node: FakeNode) -> list[str]:
    """The VFS modules that smb.conf names and no package has brought: no share can be opened."""
    names = config(node)["global"].get("vfs objects", "").replace(",", " ").split()
    return [name for name in names if node.files.get(f"{MODULES}/{name}.so") is None]


def start(node: FakeNode) -> None:
    """Start smbd; a clustered one needs ctdbd."""
    if not node.files.text(CONF):
        raise Exit(1, f"smbd: cannot open {CONF}")
    if clustered(node) and "ctdb" not in node.running:
        raise Exit(1, "clustering=yes but ctdbd connect failed: No such file or directory")


def stop(node: FakeNode) -> None:
    """Stop smbd; its clients are gone."""
    from clusternas.testing.tools.smbstatus import Sessions

    node.of(Sessions).open.clear()


def smbclient(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """`smbclient [-g] -L SERVER`: the shares."""
    if not {"smb", "smbd"} & node.running:
        why = "do_connect: Connection to localhost failed (Error NT_STATUS_CONNECTION_REFUSED)\n"
        raise Exit(1, why)
    if missing_modules(node):
        raise Exit(1, "", "tree connect failed: NT_STATUS_BAD_NETWORK_NAME\n")
    shares = [(s, t.get("comment", "")) for s, t in config(node).items() if s != "global"]
    tail = "SMB1 disabled -- no workgroup available\n"
    if "-g" in args:
        rows = "".join(f"Disk|{name}|{comment}\n" for name, comment in shares)
        return f"{rows}IPC|IPC$|IPC Service ({node.name})\n{tail}"
    rows = "".join(f"\t{name:<15} Disk      {comment}\n" for name, comment in shares)
    head = "\n\tSharename       Type      Comment\n\t---------       ----      -------\n"
    ipc = f"\tIPC$            IPC       IPC Service ({node.name})\n"
    return f"{head}{rows}{ipc}{tail}"


# Users


def users(node: FakeNode) -> list[str]:
    """The users of the password database; CTDB shares one among the nodes."""
    return keeper(node).files.text(PASSDB).split()


def set_users(node: FakeNode, names: list[str]) -> None:
    """Write the password database."""
    keeper(node).files.write(PASSDB, "".join(f"{name}\n" for name in names), mode=0o600)


def keeper(node: FakeNode) -> FakeNode:
    """The node whose files hold Samba's databases: the first one, where CTDB runs."""
    shared = clustered(node) and "ctdb" in node.running
    return next(iter(node.cluster.nodes.values())) if shared else node


def add_user(node: FakeNode, name: str, stdin: bytes, *, new: bool) -> str:
    """A user with the password that stands twice on standard input."""
    words = stdin.decode().split("\n")
    if len(words) < 2 or words[0] != words[1] or not words[0]:
        raise Exit(1, "Mismatch - password unchanged.\nUnable to get new password.")
    if name in users(node):
        return ""
    if not new:
        raise Exit(1, f"Failed to find entry for user {name}.")
    set_users(node, [*users(node), name])
    return f"Added user {name}.\n"


def remove_user(node: FakeNode, name: str) -> str:
    """A user away."""
    if name not in users(node):
        raise Exit(1, f"Failed to find entry for user {name}.")
    set_users(node, [user for user in users(node) if user != name])
    return f"Deleted user {name}.\n"


def smbpasswd(node: FakeNode, args: tuple[str, ...], stdin: bytes) -> Answer:
    """smbpasswd -s [-a] USER with the password on standard input; -x, -d, -e."""
    given, operands = options(args, "saxedn")
    name = operands[0]
    if "x" in given:
        return remove_user(node, name)
    if given.keys() & {"d", "e"}:
        if name not in users(node):
            raise Exit(1, f"Failed to find entry for user {name}.")
        return f"{'Disabled' if 'd' in given else 'Enabled'} user {name}.\n"
    return add_user(node, name, stdin, new="a" in given)


def pdbedit(node: FakeNode, args: tuple[str, ...], stdin: bytes) -> Answer:
    """pdbedit -L, -a -t -u USER, -x -u USER."""
    given, _ = options(args, "Latxu:vw")
    if "a" in given:
        return add_user(node, given["u"], stdin, new=True)
    if "x" in given:
        return remove_user(node, given["u"])
    return "".join(f"{user}:5000:\n" for user in users(node))


def smbcontrol(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """smbcontrol smbd reload-config."""
    if not {"smb", "smbd"} & node.running:
        raise Exit(1, f"Can't find pid for destination '{args[0] if args else ''}'")
    return ""


def smbd(node: FakeNode, _args: tuple[str, ...], _stdin: bytes) -> Answer:
    """smbd -V."""
    return f"Version {release(node)}\n"


def release(node: FakeNode) -> str:
    """Samba's version with what the distribution adds to it."""
    debian = node.cluster.toolset == Toolset.DEBIAN12
    return f"{node.cluster.toolset.samba}{'-Debian' if debian else ''}"


def useradd(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """A user of the system."""
    name = args[-1]
    text = node.files.text("/etc/passwd")
    if f"{name}:" in text:
        raise Exit(9, f"useradd: user '{name}' already exists")
    node.files.put(
        "/etc/passwd", Entry(f"{text}{name}:x:5000:5000::/home/{name}:/usr/sbin/nologin\n".encode())
    )
    return ""


def modern(toolset: Toolset) -> bool:
    """Samba under systemd, where the service is called smbd."""
    return has("samba")(toolset) and toolset.init == "systemd"


def classic(toolset: Toolset) -> bool:
    """Samba with init scripts, where it is called smb."""
    return has("samba")(toolset) and toolset.init == "sysv"


TOOLS = {
    **{
        name: Tool(run, has("samba"))
        for name, run in {
            "smbpasswd": smbpasswd,
            "pdbedit": pdbedit,
            "smbcontrol": smbcontrol,
            "smbd": smbd,
            "smbclient": smbclient,
        }.items()
    },
    "useradd": Tool(useradd),
}
DAEMONS = {
    "smb": Daemon(start, stop, chkconfig="- 91 35", installed=classic),
    "nmb": Daemon(nothing, nothing, chkconfig="- 91 35", installed=classic),
    "smbd": Daemon(start, stop, installed=modern),
    "nmbd": Daemon(nothing, nothing, installed=modern),
}


def install(node: FakeNode) -> None:
    """The package's smb.conf."""
    node.files.write("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\n")
    if has("samba")(node.cluster.toolset):
        node.files.write(CONF, "[global]\n\tworkgroup = WORKGROUP\n\tsecurity = user\n")
        for name in BROUGHT:
            node.files.write(f"{MODULES}/{name}.so", "")
