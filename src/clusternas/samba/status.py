"""What Samba's tools print, as values: sessions, connections, open files, shares, users.

`smbstatus --json` (since 4.17) and the text before it give the same types. In a cluster smbstatus
speaks of all nodes, whichever is asked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import attrs

from clusternas.core.command import Output
from clusternas.core.errors import ParseError

if TYPE_CHECKING:
    from clusternas.samba.model import SmbConf

__all__ = [
    "Connection",
    "OpenFile",
    "Process",
    "Session",
    "ShareListing",
    "SmbStatus",
    "User",
    "decode_conf",
    "decode_json",
    "decode_listing",
    "decode_text",
    "decode_users",
    "decode_version",
]

NOT_CLUSTERED = "4294967295"
"""The node number of a process outside of any cluster (NONCLUSTER_VNN)."""

TIME = r"\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}"
SESSION = re.compile(
    r"\s*(?P<id>[\d:]+)\s+(?P<who>\S.*?)\s+(?P<machine>\S+)\s+\((?P<address>[^)]*)\)(?P<rest>.*)"
)
CONNECTION = re.compile(
    rf"(?P<share>\S.*?)\s+(?P<id>[\d:]+)\s+(?P<machine>\S+)\s+(?P<time>{TIME}(?: \w+)?)(?P<rest>.*)"
)
OPEN_FILE = re.compile(
    r"\s*(?P<id>[\d:]+)\s+(?P<uid>\d+)\s+(?P<deny>\S+)\s+(?P<access>0x[0-9a-fA-F]+)\s+(?P<mode>\S+)"
    rf"\s+(?P<oplock>\S+)\s+(?P<path>/.*?) {{3}}(?P<name>.*?) {{3}}(?P<time>{TIME})"
)
VERSION = re.compile(r"Samba version (\S+)")
LISTED = re.compile(r"(Disk|IPC|Printer|Device)\|([^|]*)\|(.*)")
USER = re.compile(r"([^:\n]+):(\d+):(.*)")
NOBODY = 4294967295


@attrs.frozen
class Process:
    """An smbd.

    Attributes:
        pid: its process id on its node.
        node: the number of its node in CTDB, or None where there is no cluster.
    """

    pid: int
    node: int | None = None


@attrs.frozen(kw_only=True)
class Session:
    """A client that has logged in.

    Attributes:
        process: the smbd that serves it.
        user, group: Unix names.
        machine: the client, as it is known.
        address: of the client, e.g. `ipv4:192.168.1.11:50296`.
        protocol: e.g. `SMB3_11`; empty where it is not said.
        extra: everything else that was reported.
    """

    process: Process
    user: str
    group: str = ""
    machine: str = ""
    address: str = ""
    protocol: str = ""
    extra: Mapping[str, object] = attrs.field(factory=dict, repr=False, hash=False)


@attrs.frozen(kw_only=True)
class Connection:
    """A share that a session is connected to.

    Attributes:
        process: the smbd that serves it.
        share: its name.
        machine: the client.
        since: when it was connected, as it was printed.
        extra: everything else that was reported.
    """

    process: Process
    share: str
    machine: str = ""
    since: str = ""
    extra: Mapping[str, object] = attrs.field(factory=dict, repr=False, hash=False)


@attrs.frozen(kw_only=True)
class OpenFile:
    """One opening of a file.

    Attributes:
        process: the smbd that holds it.
        path: the directory of the share.
        name: the file in it.
        uid: who opened it.
        deny: what others may not: `DENY_ALL`, `DENY_WRITE`, `DENY_READ`, `DENY_NONE`, `DENY_DOS`.
        access: the access mask.
        oplock: what the client may cache: `NONE`, `EXCLUSIVE`, `LEASE(RWH)`, …
        since: when it was opened, as it was printed.
        extra: everything else that was reported.
    """

    process: Process
    path: str
    name: str
    uid: int = 0
    deny: str = ""
    access: int = 0
    oplock: str = "NONE"
    since: str = ""
    extra: Mapping[str, object] = attrs.field(factory=dict, repr=False, hash=False)


@attrs.frozen(kw_only=True)
class SmbStatus:
    """What `smbstatus` says of a server, or of a whole cluster."""

    version: str = ""
    sessions: tuple[Session, ...] = ()
    connections: tuple[Connection, ...] = ()
    open_files: tuple[OpenFile, ...] = ()


@attrs.frozen(kw_only=True)
class ShareListing:
    """A share as a client sees it listed.

    Attributes:
        name: of the share.
        kind: `Disk`, `IPC` or `Printer`.
        comment: what it says of itself.
    """

    name: str
    kind: str = "Disk"
    comment: str = ""


@attrs.frozen(kw_only=True)
class User:
    """An account in Samba's password database.

    Attributes:
        name: of the account.
        uid: of the Unix user, or None where there is none of that name.
        full_name: as in the GECOS field.
    """

    name: str
    uid: int | None = None
    full_name: str = ""


def decode_json(output: Output) -> SmbStatus:
    """`smbstatus --json`."""
    try:
        found = json.loads(output.text)
        return SmbStatus(
            version=str(found["version"]),
            sessions=tuple(map(_session, found.get("sessions", {}).values())),
            connections=tuple(map(_connection, found.get("tcons", {}).values())),
            open_files=tuple(_open_files(found.get("open_files", {}).values())),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ParseError(f"not the output of smbstatus --json: {error!r}") from None


def _process(server: Mapping[str, str]) -> Process:
    node = server.get("vnn", NOT_CLUSTERED)
    return Process(int(server["pid"]), None if node == NOT_CLUSTERED else int(node))


def _rest(entry: Mapping[str, object], *taken: str) -> Mapping[str, object]:
    return {key: value for key, value in entry.items() if key not in taken}


def _session(entry: Mapping[str, object]) -> Session:
    return Session(
        process=_process(_mapping(entry["server_id"])),
        user=str(entry["username"]),
        group=str(entry.get("groupname", "")),
        machine=str(entry.get("remote_machine", "")),
        address=str(entry.get("hostname", "")),
        protocol=str(entry.get("session_dialect", "")),
        extra=_rest(entry, "server_id", "username", "groupname", "remote_machine", "hostname"),
    )


def _connection(entry: Mapping[str, object]) -> Connection:
    return Connection(
        process=_process(_mapping(entry["server_id"])),
        share=str(entry["service"]),
        machine=str(entry.get("machine", "")),
        since=str(entry.get("connected_at", "")),
        extra=_rest(entry, "server_id", "service", "machine", "connected_at"),
    )


def _open_files(files: Iterator[Mapping[str, object]]) -> Iterator[OpenFile]:
    for file in files:
        for opening in _mapping(file["opens"]).values():
            entry = _mapping(opening)
            yield OpenFile(
                process=_process(_mapping(entry["server_id"])),
                path=str(file["service_path"]),
                name=str(file["filename"]),
                uid=int(str(entry.get("uid", 0))),
                deny=_deny(_mapping(entry.get("sharemode", {}))),
                access=int(str(_mapping(entry.get("access_mask", {})).get("hex", "0x0")), 16),
                oplock=_caching(entry),
                since=str(entry.get("opened_at", "")),
                extra=_rest(entry, "server_id", "uid", "opened_at"),
            )


def _mapping(value: object) -> Mapping[str, str]:
    if not isinstance(value, Mapping):
        raise TypeError(f"not an object: {value!r}")
    return value


def _deny(mode: Mapping[str, object]) -> str:
    """The share mode in the words of the text output."""
    read, write = bool(mode.get("READ")), bool(mode.get("WRITE"))
    if read and write:
        return "DENY_NONE"
    return "DENY_WRITE" if read else "DENY_READ" if write else "DENY_ALL"


def _caching(entry: Mapping[str, object]) -> str:
    lease = _mapping(entry.get("lease", {}))
    oplock = _mapping(entry.get("oplock", {}))
    if lease:
        return f"LEASE({lease.get('text', '')})"
    return str(oplock.get("text", "NONE")) if oplock else "NONE"


def decode_text(output: Output) -> SmbStatus:
    """`smbstatus` before 4.17: three tables."""
    version = VERSION.search(output.text)
    if version is None:
        raise ParseError("not the output of smbstatus: no version", source=output.text[:80])
    tables: dict[str, list[str]] = {"PID": [], "Service": [], "Pid": []}
    rows: list[str] = []
    for line in output.text.splitlines():
        head = line.split(maxsplit=1)[0] if line.strip() else ""
        if head in tables:
            rows = tables[head]
        elif (
            line.strip()
            and set(line) != {"-"}
            and not line.startswith(("Locked files", "No locked"))
        ):
            rows.append(line)
    return SmbStatus(
        version=version[1],
        sessions=tuple(map(_session_row, tables["PID"])),
        connections=tuple(map(_connection_row, tables["Service"])),
        open_files=tuple(map(_open_file_row, tables["Pid"])),
    )


def _row(pattern: re.Pattern[str], line: str) -> re.Match[str]:
    found = pattern.match(line)
    if found is None:
        raise ParseError(f"not a row of smbstatus: {line!r}")
    return found


def _id(text: str) -> Process:
    node, _, pid = text.rpartition(":")
    return Process(int(pid), int(node) if node else None)


def _session_row(line: str) -> Session:
    row = _row(SESSION, line)
    user, _, group = row["who"].partition("  " if "  " in row["who"] else " ")
    return Session(
        process=_id(row["id"]),
        user=user.strip(),
        group=group.strip(),
        machine=row["machine"],
        address=row["address"],
        protocol=(row["rest"].split() or [""])[0],
    )


def _connection_row(line: str) -> Connection:
    row = _row(CONNECTION, line)
    return Connection(
        process=_id(row["id"]), share=row["share"], machine=row["machine"], since=row["time"]
    )


def _open_file_row(line: str) -> OpenFile:
    row = _row(OPEN_FILE, line)
    return OpenFile(
        process=_id(row["id"]),
        path=row["path"],
        name=row["name"],
        uid=int(row["uid"]),
        deny=row["deny"],
        access=int(row["access"], 16),
        oplock=row["oplock"],
        since=row["time"],
    )


def decode_listing(output: Output) -> tuple[ShareListing, ...]:
    """`smbclient -g -L`: the comment is not escaped, and other lines are chatter."""
    found = map(LISTED.fullmatch, output.text.splitlines())
    return tuple(ShareListing(name=row[2], kind=row[1], comment=row[3]) for row in found if row)


def decode_users(output: Output) -> tuple[User, ...]:
    """`pdbedit -L`; warnings among the lines are skipped."""
    found = map(USER.fullmatch, output.text.splitlines())
    return tuple(
        User(name=row[1], uid=None if int(row[2]) == NOBODY else int(row[2]), full_name=row[3])
        for row in found
        if row
    )


def decode_conf(output: Output) -> SmbConf:
    """`net conf list`, or what testparm prints: the syntax of smb.conf."""
    from clusternas.samba.model import SmbConf

    return SmbConf.parse(output.stdout)


def decode_version(output: Output) -> str:
    """`smbd -V`: `Version 4.17.12-Debian`."""
    word, _, version = output.text.strip().partition(" ")
    if word != "Version" or not version:
        raise ParseError(f"not a version of Samba: {output.text[:80]!r}")
    return version
