"""Samba: its daemons, testparm, smbstatus, smbpasswd and pdbedit."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import attrs

from clusternas.testing.blocks import Entry
from clusternas.testing.shell import Answer, Daemon, Exit, Tool, has, nothing, options, said

if TYPE_CHECKING:
    from clusternas.core.versions import Toolset
    from clusternas.testing.node import FakeNode

__all__ = ["DAEMONS", "TOOLS", "Sessions", "clustered", "config", "install", "keeper"]

CONF = "/etc/samba/smb.conf"
PASSDB = "/var/lib/samba/private/passdb.fake"
YES = {"yes", "true", "1", "on"}


@attrs.frozen
class Session:
    """A client that is connected to a share."""

    user: str
    machine: str
    share: str
    pid: int = 7497


class Sessions:
    """The clients of one node's smbd."""

    def __init__(self) -> None:
        self.open: list[Session] = []


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


def start(node: FakeNode) -> None:
    """Start smbd; a clustered one needs ctdbd."""
    if not node.files.text(CONF):
        raise Exit(1, f"smbd: cannot open {CONF}")
    if clustered(node) and "ctdb" not in node.running:
        raise Exit(1, "clustering=yes but ctdbd connect failed: No such file or directory")


def stop(node: FakeNode) -> None:
    """Stop smbd; its clients are gone."""
    node.of(Sessions).open.clear()


# testparm


def testparm(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """testparm -s: the sections in its own order and spelling."""
    given, operands = options(
        args, "svlt:", ["suppress-prompt", "section-name=", "parameter-name=", "verbose"]
    )
    path = operands[0] if operands else CONF
    if node.files.follow(path) is None:
        raise Exit(1, f"Load smb config files from {path}\nError loading services.")
    sections = config(node)
    if "parameter-name" in given:
        place = sections.get(given.get("section-name", "global").lower(), {})
        return f"{place.get(given['parameter-name'].lower(), '')}\n"
    rows = ["# Global parameters\n[global]\n"]
    rows += [f"\t{name} = {spell(value)}\n" for name, value in sorted(sections["global"].items())]
    for section, settings in sections.items():
        if section != "global":
            rows.append(f"\n\n[{section}]\n")
            rows += [f"\t{name} = {spell(value)}\n" for name, value in sorted(settings.items())]
    notes = (
        f"Load smb config files from {path}\nLoaded services file OK.\n"
        "Server role: ROLE_STANDALONE\n\n"
    )
    return said("".join(rows), notes)


def spell(value: str) -> str:
    """A value as testparm spells it."""
    return {"yes": "Yes", "no": "No"}.get(value.lower(), value)


# smbstatus


def smbstatus(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """smbstatus, as text or with --json."""
    if clustered(node) and "ctdb" not in node.running:
        raise Exit(1, "Unable to initialize messaging context!")
    sessions = node.of(Sessions).open
    if "--json" in args or "-j" in args:
        return json.dumps(as_json(node, sessions)) + "\n"
    release = node.cluster.toolset.samba
    clock = node.cluster.clock()
    rows = [f"\nSamba version {release}\n"]
    rows.append(
        "PID     Username     Group        Machine                                   "
        "Protocol Version  Encryption           Signing              \n"
    )
    rows.append("-" * 136 + "\n")
    tail = "SMB3_11           -                    -\n"
    rows += [f"{s.pid:<7} {s.user:<12} {s.user:<12} {s.machine:<41} {tail}" for s in sessions]
    rows.append(
        "\nService      pid     Machine       Connected at                     Encryption   "
        "Signing     \n" + "-" * 93 + "\n"
    )
    tail = "-            -           \n"
    rows += [f"{s.share:<12} {s.pid:<7} {s.machine:<13} {clock} UTC     {tail}" for s in sessions]
    return "".join(rows) + "\nNo locked files\n\n"


def as_json(node: FakeNode, sessions: list[Session]) -> dict[str, object]:
    """What smbstatus --json has of the sessions."""
    server = {
        s.pid: {"pid": str(s.pid), "task_id": "0", "vnn": str(node.number - 1), "unique_id": "1"}
        for s in sessions
    }
    plain = {"cipher": "-", "degree": "none"}
    now = node.cluster.clock("%Y-%m-%dT%H:%M:%S.000000")
    return {
        "timestamp": f"{now}+0000",
        "version": str(node.cluster.toolset.samba),
        "smb_conf": CONF,
        "sessions": {
            str(i): {
                "session_id": str(i),
                "server_id": server[s.pid],
                "uid": 5000,
                "gid": 5000,
                "username": s.user,
                "groupname": s.user,
                "remote_machine": s.machine,
                "hostname": f"ipv4:{s.machine}:50296",
                "session_dialect": "SMB3_11",
                "encryption": plain,
                "signing": plain,
            }
            for i, s in enumerate(sessions, 1)
        },
        "tcons": {
            str(i): {
                "service": s.share,
                "server_id": server[s.pid],
                "tcon_id": str(i),
                "session_id": str(i),
                "machine": s.machine,
                "connected_at": f"{now}+00:00",
                "encryption": plain,
                "signing": plain,
            }
            for i, s in enumerate(sessions, 1)
        },
        "open_files": {},
    }


def smbclient(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """`smbclient [-g] -L SERVER`: the shares."""
    if not {"smb", "smbd"} & node.running:
        why = "do_connect: Connection to localhost failed (Error NT_STATUS_CONNECTION_REFUSED)\n"
        raise Exit(1, *((why, "") if "-N" in args or "-g" in args else ("", why)))
    shares = [(s, t.get("comment", "")) for s, t in config(node).items() if s != "global"]
    if "-g" in args:
        return "".join(f"Disk|{name}|{comment}\n" for name, comment in shares) + "IPC|IPC$|IPC\n"
    rows = "".join(f"\t{name:<15} Disk      {comment}\n" for name, comment in shares)
    head = "\n\tSharename       Type      Comment\n\t---------       ----      -------\n"
    ipc = f"\tIPC$            IPC       IPC Service ({node.name})\n"
    return f"{head}{rows}{ipc}SMB1 disabled -- no workgroup available\n"


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
    return f"Version {node.cluster.toolset.samba}\n"


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
            "testparm": testparm,
            "smbstatus": smbstatus,
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
