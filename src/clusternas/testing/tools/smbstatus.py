"""smbstatus: the clients of smbd, and the files they hold open; of all nodes where CTDB runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import attrs

from clusternas.testing.shell import Answer, Exit, Tool, has, said
from clusternas.testing.tools.samba import CONF, clustered, release

if TYPE_CHECKING:
    from clusternas.testing.node import FakeNode

__all__ = ["TOOLS", "OpenFile", "Session", "Sessions"]

SESSION_HEAD = (
    "PID     Username     Group        Machine                                   "
    "Protocol Version  Encryption           Signing              \n" + "-" * 136 + "\n"
)
SHARE_HEAD = (
    "\nService      pid     Machine       Connected at                     Encryption   "
    "Signing     \n" + "-" * 93 + "\n"
)
LOCK_HEAD = (
    "\nLocked files:\nPid          User(ID)   DenyMode   Access      R/W        Oplock           "
    "SharePath   Name   Time\n" + "-" * 98 + "\n"
)
NO_CTDB = (
    "ctdbd_init_connection: ctdbd_init_connection_internal failed (No such file or directory)\n"
    "Unable to initialize messaging context!\n"
)
NEVER = (
    "/run/samba/locking.tdb not initialised\n"
    "This is normal if an SMB client has never connected to your server.\n"
)
DENY = ("DENY_ALL", "DENY_WRITE", "DENY_READ", "DENY_NONE")
SHARING = {"READ": 1, "WRITE": 2, "DELETE": 4}
ACCESS = {
    "READ_DATA": 0x1,
    "WRITE_DATA": 0x2,
    "APPEND_DATA": 0x4,
    "READ_EA": 0x8,
    "WRITE_EA": 0x10,
    "EXECUTE": 0x20,
    "READ_ATTRIBUTES": 0x80,
    "WRITE_ATTRIBUTES": 0x100,
    "DELETE_CHILD": 0x40,
    "DELETE": 0x10000,
    "READ_CONTROL": 0x20000,
    "WRITE_DAC": 0x40000,
    "SYNCHRONIZE": 0x100000,
    "ACCESS_SYSTEM_SECURITY": 0x1000000,
}
CIPHER = "AES-128-GMAC"


@attrs.frozen
class OpenFile:
    """A file that a client holds open.

    Attributes:
        directory: of the share.
        name: below it.
        access: what the client may do, as the bits of SMB.
        sharing: what it lets others do meanwhile: 1 read, 2 write, 4 delete.
    """

    directory: str
    name: str
    access: int = 0x12019F
    sharing: int = 7

    @property
    def mode(self) -> str:
        """`RDONLY`, `WRONLY` or `RDWR`."""
        return {1: "RDONLY", 2: "WRONLY", 3: "RDWR"}.get(self.access & 3, "NONE")


@attrs.frozen
class Session:
    """A client that is connected to a share."""

    user: str
    machine: str
    share: str
    pid: int = 7497
    files: tuple[OpenFile, ...] = ()


class Sessions:
    """The clients of one node's smbd; `ever` since it was booted."""

    def __init__(self) -> None:
        self.open: list[Session] = []
        self.ever = False

    def connect(self, session: Session) -> None:
        """A client comes."""
        self.open.append(session)
        self.ever = True


@attrs.frozen
class Client:
    """A session with the node it is on; with CTDB that node's number is part of its name."""

    session: Session
    number: int | None

    @property
    def pid(self) -> str:
        """Its process."""
        return f"{'' if self.number is None else f'{self.number}:'}{self.session.pid}"


def clients(node: FakeNode) -> Iterator[Client]:
    """Whoever is connected here, or to any node of the cluster."""
    together = clustered(node)
    for other in node.cluster.alive() if together else [node]:
        for session in other.of(Sessions).open:
            yield Client(session, other.number - 1 if together else None)


def smbstatus(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """smbstatus: all, or -p processes, -S shares, -L locks, -B byte range locks; or --json."""
    if clustered(node) and "ctdb" not in node.running:
        raise Exit(1, NO_CTDB)
    found = list(clients(node))
    opened = clustered(node) or node.of(Sessions).ever
    if "--json" in args or "-j" in args:
        known = {"open_files": open_files(node, found)} if opened else {}
        return said(json.dumps({**summary(node, found), **known}) + "\n", "" if opened else NEVER)
    shown = {letter for arg in args if not arg.startswith("--") for letter in arg.lstrip("-")}
    every = not shown & set("pSL")
    text = session_table(node, found) if every or "p" in shown else ""
    text += share_table(node, found) if every or "S" in shown else ""
    if not every and "L" not in shown:
        return text
    if not opened:
        return said(text, NEVER)
    if any(one.session.files for one in found):
        return text + lock_table(node, found)
    return said(f"{text}\n", "No locked files")


def session_table(node: FakeNode, found: list[Client]) -> str:
    """The processes."""
    rows = ""
    for one in found:
        who = one.session
        machine = f"{who.machine} (ipv4:{who.machine}:50296)"
        rows += f"{one.pid:<7} {who.user:<12} {who.user:<12} {machine:<41} SMB3_11           "
        rows += f"{'-':<20} partial({CIPHER})\n"
    return f"\nSamba version {release(node)}\n{SESSION_HEAD}{rows}"


def share_table(node: FakeNode, found: list[Client]) -> str:
    """The shares in use."""
    rows = ""
    for one in found:
        when = f"{node.cluster.clock()} UTC"
        rows += f"{one.session.share:<12} {one.pid:<7} {one.session.machine:<13} {when:<32}"
        rows += f" {'-':<12} {'-':<12}\n"
    return f"{SHARE_HEAD}{rows}\n"


def lock_table(node: FakeNode, found: list[Client]) -> str:
    """The open files."""
    rows = ""
    for one in found:
        for file in one.session.files:
            rows += f"{one.pid:<12} {5000:<10} {DENY[file.sharing & 3]:<10} "
            rows += f"{file.access:#x}    {file.mode:<10} {'NONE':<16} {file.directory}   "
            rows += f"{file.name}   {node.cluster.clock()}\n"
    return f"{LOCK_HEAD}{rows}\n"


# JSON


def server_id(node: FakeNode, one: Client) -> dict[str, str]:
    """A process of smbd; where there is no cluster its node has the greatest number."""
    number = 0xFFFFFFFF if one.number is None else one.number
    return {"pid": str(one.session.pid), "task_id": "0", "vnn": str(number), "unique_id": "1"}


def summary(node: FakeNode, found: list[Client]) -> dict[str, object]:
    """The sessions and the shares they use."""
    plain = {"cipher": "-", "degree": "none"}
    now = node.cluster.clock("%Y-%m-%dT%H:%M:%S.000000")
    sessions: dict[str, object] = {}
    tcons: dict[str, object] = {}
    for i, one in enumerate(found, 1):
        who = one.session
        sessions[str(i)] = {
            "session_id": str(i),
            "server_id": server_id(node, one),
            "uid": 5000,
            "gid": 5000,
            "username": who.user,
            "groupname": who.user,
            "remote_machine": who.machine,
            "hostname": f"ipv4:{who.machine}:50296",
            "session_dialect": "SMB3_11",
            "encryption": plain,
            "signing": {"cipher": CIPHER, "degree": "partial"},
        }
        tcons[str(i)] = {
            "service": who.share,
            "server_id": server_id(node, one),
            "tcon_id": str(i),
            "session_id": str(i),
            "machine": who.machine,
            "connected_at": f"{now}+00:00",
            "encryption": plain,
            "signing": plain,
        }
    return {
        "timestamp": f"{now}+0000",
        "version": release(node),
        "smb_conf": CONF,
        "sessions": sessions,
        "tcons": tcons,
    }


def open_files(node: FakeNode, found: list[Client]) -> dict[str, object]:
    """The open files by path, each with who has it open."""
    files: dict[str, object] = {}
    opens: dict[str, dict[str, object]] = {}
    for one in found:
        for file in one.session.files:
            path = f"{file.directory}/{file.name}"
            mine = opens.setdefault(path, {})
            number = len(mine) + 1
            mine[f"{one.pid}/{number}"] = opening(node, one, file, number)
            files[path] = {
                "service_path": file.directory,
                "filename": file.name,
                "fileid": {"devid": 1, "inode": len(opens), "extid": 0},
                "num_pending_deletes": 0,
                "opens": mine,
            }
    return files


def opening(node: FakeNode, one: Client, file: OpenFile, number: int) -> dict[str, object]:
    """One opening of a file."""
    sharing = {name: bool(file.sharing & bit) for name, bit in SHARING.items()}
    access = {name: bool(file.access & bit) for name, bit in ACCESS.items()}
    both = "R" * access["READ_DATA"] + "W" * access["WRITE_DATA"]
    letters = "".join(name[0] for name, given in sharing.items() if given)
    nothing = dict.fromkeys(("READ", "WRITE", "HANDLE"), False)
    return {
        "server_id": server_id(node, one),
        "uid": 5000,
        "share_file_id": str(number),
        "sharemode": {"hex": f"0x{file.sharing:08x}", **sharing, "text": letters},
        "access_mask": {"hex": f"0x{file.access:08x}", **access, "text": both},
        "caching": {**nothing, "hex": "0x00000000", "text": ""},
        "oplock": {},
        "lease": {},
        "opened_at": node.cluster.clock("%Y-%m-%dT%H:%M:%S.000000+00:00"),
    }


TOOLS = {"smbstatus": Tool(smbstatus, has("samba"))}
