"""What the tool `ctdb` prints, as values.

Three formats: text for people, `-X` (fields in frames of `|`; `-Y`, framed by `:`, before 4.2), and
`--json` of 4.25. Where ctdb has no machine format (uptime, script status) the text is read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

import attrs

from clusternas.core.command import Output
from clusternas.core.errors import ParseError

__all__ = [
    "CtdbStatus",
    "Database",
    "Interface",
    "NodeStatus",
    "PublicIp",
    "ScriptStatus",
    "Uptime",
    "decode_capabilities",
    "decode_databases",
    "decode_interfaces",
    "decode_ips",
    "decode_json",
    "decode_listnodes",
    "decode_nodes",
    "decode_number",
    "decode_scripts",
    "decode_status",
    "decode_uptime",
    "decode_version",
    "exit_flags",
]

FLAGS = {
    0x01: "disconnected",
    0x02: "unhealthy",
    0x04: "disabled",
    0x08: "banned",
    0x10: "deleted",
    0x20: "stopped",
}
"""The bits of a node's flags; `ctdb nodestatus` exits with them."""

NODE = re.compile(r"pnn:(\d+) (\S+)\s+(\S+)( \(THIS NODE\))?")
SLOT = re.compile(r"hash:(\d+) lmaster:(\d+)")
SETTING = re.compile(r"(Generation|Size|Recovery mode|Leader|Recovery master):(\S+)")
CAPABILITY = re.compile(r"^(\w+): (YES|NO)$", re.MULTILINE)
SCRIPT = re.compile(r"(\S+)\s+(OK|ERROR|TIMEDOUT|DISABLED)\s*(?:(\d+\.\d+) (.+))?")
LASTED = re.compile(r"([A-Z][^:]*?)\s*:\s*(?:\((\d+) (\d\d):(\d\d):(\d\d)\) )?(.+)")


@attrs.frozen(kw_only=True)
class NodeStatus:
    """A node as the others see it.

    Attributes:
        pnn: its number.
        address: its private address.
        flags: `disconnected`, `unhealthy`, `disabled`, `banned`, `stopped`, `inactive`, `unknown`,
            `deleted`, `partially online`; empty when all is well.
        this: whether it is the one that answered.
    """

    pnn: int
    address: str
    flags: frozenset[str] = frozenset()
    this: bool = False

    @property
    def ok(self) -> bool:
        """Whether it can serve: ctdb says `OK`."""
        return not self.flags - {"partially online"}


@attrs.frozen(kw_only=True)
class CtdbStatus:
    """`ctdb status`.

    Attributes:
        nodes: all nodes that are not deleted.
        generation: of the recovery, or None while it is INVALID.
        vnn_map: which node masters the records of each slot.
        recovering: whether a recovery is under way.
        leader: the number of the leading node (recovery master before 4.16), or None.
    """

    nodes: tuple[NodeStatus, ...]
    generation: int | None = None
    vnn_map: tuple[int, ...] = ()
    recovering: bool = False
    leader: int | None = None

    @property
    def healthy(self) -> bool:
        """Whether every node is OK and no recovery is under way."""
        return bool(self.nodes) and all(node.ok for node in self.nodes) and not self.recovering

    @property
    def this(self) -> NodeStatus | None:
        """The node that answered."""
        return next((node for node in self.nodes if node.this), None)


@attrs.frozen(kw_only=True)
class PublicIp:
    """A public address.

    Attributes:
        address: of the service.
        node: the number of the node that has it, or None where nobody has.
        active, available, configured: interfaces, where they were asked for.
    """

    address: str
    node: int | None = None
    active: tuple[str, ...] = ()
    available: tuple[str, ...] = ()
    configured: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Database:
    """A database of the cluster.

    Attributes:
        id: its hash, as printed.
        name: e.g. `locking.tdb`.
        path: of the copy on this node.
        persistent, sticky, unhealthy, readonly, replicated: its flags.
    """

    id: str
    name: str
    path: str = ""
    persistent: bool = False
    sticky: bool = False
    unhealthy: bool = False
    readonly: bool = False
    replicated: bool = False


@attrs.frozen(kw_only=True)
class Interface:
    """An interface for public addresses, whether its link is up, and how many addresses it has."""

    name: str
    up: bool
    references: int = 0


@attrs.frozen(kw_only=True)
class ScriptStatus:
    """How an event script ended.

    Attributes:
        name: e.g. `50.samba`.
        status: `OK`, `ERROR`, `TIMEDOUT` or `DISABLED`.
        duration: seconds, or None where it did not run.
        time: when it began, as printed.
        output: what it said.
    """

    name: str
    status: str
    duration: float | None = None
    time: str = ""
    output: str = ""


@attrs.frozen(kw_only=True)
class Uptime:
    """`ctdb uptime` of one node.

    Attributes:
        node: its number.
        running: seconds since ctdbd started.
        since_recovery: seconds since the last recovery or failover.
        recovery_duration: seconds that took.
    """

    node: int
    running: int
    since_recovery: int
    recovery_duration: float


def exit_flags(code: int) -> frozenset[str]:
    """The flags in the exit code of `ctdb nodestatus`.

    A ctdbd that does not run also exits with 1, like `disconnected`: look at the output first.

    Example:
        >>> sorted(exit_flags(12))
        ['banned', 'disabled']
    """
    return frozenset(name for bit, name in FLAGS.items() if code & bit)


class _Row(dict[str, str]):
    """A row of a table; a column that is not there is no `KeyError` but a `ParseError`."""

    def __missing__(self, name: str) -> str:
        raise ParseError(f"no column {name!r} in {dict(self)!r}")


def rows(output: Output) -> Iterator[Mapping[str, str]]:
    """The rows of a `-X` table by the names in its header line, in lower case without blanks."""
    lines = output.text.splitlines()
    if not lines or not lines[0].startswith(("|", ":")):
        raise _silent(output, "a table of ctdb")
    frame = lines[0][0]
    names = [name.replace(" ", "").lower() for name in lines[0].strip(frame).split(frame)]
    for line in lines[1:]:
        cells = line[1:].removesuffix(frame).split(frame)
        if not line.startswith(frame) or len(cells) != len(names):
            raise ParseError(f"not a row of {','.join(names)}: {line!r}")
        yield _Row(zip(names, cells, strict=True))


def _silent(output: Output, wanted: str) -> ParseError:
    said = (output.error_text or output.text).strip().splitlines() or ["nothing"]
    return ParseError(f"not {wanted}: {said[-1][:200]!r}", hint="is ctdbd running?")


NODE_FLAGS = {
    "disconnected": "disconnected",
    "unknown": "unknown",
    "banned": "banned",
    "disabled": "disabled",
    "unhealthy": "unhealthy",
    "stopped": "stopped",
    "inactive": "inactive",
    "partiallyonline": "partially online",
    "deleted": "deleted",
}


def decode_nodes(output: Output) -> tuple[NodeStatus, ...]:
    """`ctdb -X status` and `ctdb -X nodestatus [all]`."""
    return tuple(
        NodeStatus(
            pnn=_int(row, "node"),
            address=row["ip"],
            flags=frozenset(flag for name, flag in NODE_FLAGS.items() if row.get(name) == "1"),
            this=row.get("thisnode") == "Y",
        )
        for row in rows(output)
    )


def _int(row: Mapping[str, str], name: str) -> int:
    try:
        return int(row[name])
    except ValueError:
        raise ParseError(f"no number {name!r} in {dict(row)!r}") from None


def decode_status(output: Output) -> CtdbStatus:
    """`ctdb status`, the text."""
    found: dict[str, str] = dict(SETTING.findall(output.text))
    nodes = tuple(
        NodeStatus(
            pnn=int(pnn),
            address=address,
            flags=frozenset() if flags == "OK" else frozenset(map(_flag, flags.split("|"))),
            this=bool(this),
        )
        for pnn, address, flags, this in NODE.findall(output.text)
    )
    if not nodes:
        raise _silent(output, "the output of ctdb status")
    leader = found.get("Leader") or found.get("Recovery master", "")
    return CtdbStatus(
        nodes=nodes,
        generation=int(found["Generation"]) if found.get("Generation", "").isdecimal() else None,
        vnn_map=tuple(int(node) for _, node in SLOT.findall(output.text)),
        recovering=found.get("Recovery mode", "NORMAL") != "NORMAL",
        leader=int(leader) if leader.isdecimal() else None,
    )


def _flag(word: str) -> str:
    return NODE_FLAGS.get(word.lower(), word.lower())


def decode_json(output: Output) -> CtdbStatus:
    """`ctdb --json status` of 4.25; what it may add later is ignored."""
    try:
        found = json.loads(output.text)
        nodes = found["node_status"]["nodes"].values()
        vnn = found.get("vnn_status", {})
        leader = found.get("leader")
        return CtdbStatus(
            nodes=tuple(_json_node(node) for node in nodes if not node["flags"].get("deleted")),
            generation=vnn.get("generation") if isinstance(vnn.get("generation"), int) else None,
            vnn_map=tuple(int(slot["lmaster"]) for slot in vnn.get("vnn_map", ())),
            recovering=bool(found.get("recovery_mode_raw", 0)),
            leader=leader if isinstance(leader, int) else None,
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise _silent(output, "the output of ctdb --json status") from None


def _json_node(node: Mapping[str, Mapping[str, bool]]) -> NodeStatus:
    flags = {_flag(name) for name, value in node["flags"].items() if value}
    if node.get("partially_online"):
        flags.add("partially online")
    return NodeStatus(
        pnn=int(str(node["pnn"])),
        address=str(node["address"]),
        flags=frozenset(flags),
        this=bool(node.get("this_node")),
    )


def decode_ips(output: Output) -> tuple[PublicIp, ...]:
    """`ctdb -X ip [all] [-v]`."""
    return tuple(
        PublicIp(
            address=row["publicip"],
            node=_int(row, "node") if _int(row, "node") >= 0 else None,
            active=_names(row, "activeinterfaces", "activeinterface"),
            available=_names(row, "availableinterfaces"),
            configured=_names(row, "configuredinterfaces"),
        )
        for row in rows(output)
    )


def _names(row: Mapping[str, str], *columns: str) -> tuple[str, ...]:
    cell = next((row[name] for name in columns if name in row), "")
    return tuple(name for name in cell.split(",") if name)


def decode_databases(output: Output) -> tuple[Database, ...]:
    """`ctdb -X getdbmap`."""
    flags = ("persistent", "sticky", "unhealthy", "readonly", "replicated")
    return tuple(
        Database(
            id=row["id"],
            name=row["name"],
            path=row.get("path", ""),
            **{flag: row.get(flag) == "1" for flag in flags},
        )
        for row in rows(output)
    )


def decode_interfaces(output: Output) -> tuple[Interface, ...]:
    """`ctdb -X ifaces`."""
    return tuple(
        Interface(name=row["name"], up=row["linkstatus"] == "1", references=_int(row, "references"))
        for row in rows(output)
    )


def decode_capabilities(output: Output) -> Mapping[str, bool]:
    """`ctdb getcapabilities`: `LEADER` (`RECMASTER` before 4.16) and `LMASTER`, in lower case."""
    found = {name.lower(): value == "YES" for name, value in CAPABILITY.findall(output.text)}
    if not found:
        raise _silent(output, "the output of ctdb getcapabilities")
    return found


def decode_listnodes(output: Output) -> Mapping[int, str]:
    """`ctdb -X listnodes`: addresses by number; the table has no header."""
    found = [line.strip("|:").split(line[:1], 1) for line in output.text.splitlines() if line]
    if not found or any(len(row) != 2 or not row[0].isdecimal() for row in found):
        raise _silent(output, "the output of ctdb listnodes")
    return {int(number): address for number, address in found}


def decode_scripts(output: Output) -> tuple[ScriptStatus, ...]:
    """`ctdb scriptstatus` and `ctdb event status legacy monitor`."""
    found: list[ScriptStatus] = []
    for line in output.text.splitlines():
        if row := SCRIPT.fullmatch(line):
            name, status, duration, time = row.groups()
            seconds = float(duration) if duration else None
            found.append(ScriptStatus(name=name, status=status, duration=seconds, time=time or ""))
        elif found:
            said = f"{found[-1].output}\n{line.strip().removeprefix('OUTPUT:').strip()}"
            found[-1] = attrs.evolve(found[-1], output=said.strip())
    return tuple(found)


def decode_uptime(output: Output) -> Uptime:
    """`ctdb uptime`."""
    found = [row.groups() for row in map(LASTED.fullmatch, output.text.splitlines()) if row]
    if len(found) < 4:
        raise _silent(output, "the output of ctdb uptime")
    (now, *_), started, recovered, (*_, lasted) = found[:4]
    try:
        return Uptime(
            node=int(now.split()[-1]),
            running=_seconds(started[1:5]),
            since_recovery=_seconds(recovered[1:5]),
            recovery_duration=float(lasted.split()[0]),
        )
    except (ValueError, TypeError):
        raise _silent(output, "the output of ctdb uptime") from None


def _seconds(parts: Sequence[str]) -> int:
    days, hours, minutes, seconds = map(int, parts)
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def decode_number(output: Output) -> int | None:
    """`ctdb pnn`, `ctdb leader`, `ctdb recmaster`: a number; None where there is none yet."""
    word = output.text.strip()
    if word.isdecimal():
        return int(word)
    if word in ("UNKNOWN", "-1", "4294967295"):
        return None
    raise _silent(output, "the number of a node")


def decode_version(output: Output) -> str:
    """`ctdb version`: `4.17.12-Debian`; with a label before it in old versions."""
    words = output.text.split()
    if not words or not words[-1][0].isdecimal():
        raise _silent(output, "a version of ctdb")
    return words[-1]
