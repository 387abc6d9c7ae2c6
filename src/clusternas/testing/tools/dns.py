"""BIND: named, its checkers, rndc and nsupdate."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import attrs

from clusternas.testing.shell import Answer, Daemon, Exit, Tool, has, said

if TYPE_CHECKING:
    from clusternas.testing.node import FakeNode

__all__ = ["DAEMONS", "TOOLS", "TYPES", "Record", "Rotation", "resolver"]

ZONE = re.compile(r'zone\s+"([^"]+)"[^{]*\{(.*?)\};', re.S)
FILE = re.compile(r'file\s+"([^"]+)"')
CONFS = ("/etc/named.conf", "/etc/bind/named.conf", "/etc/bind/named.conf.local")
TYPES = {"A", "AAAA", "NS", "SOA", "PTR", "CNAME", "MX", "TXT"}
TTL = re.compile(r"\d+[smhdw]?", re.I)
STATUS = """version: BIND {} (Extended Support Version) <id:>
running on {}: Linux x86_64
CPUs found: 1
worker threads: 1
number of zones: {} (0 automatic)
debug level: 0
xfers running: 0
xfers deferred: 0
soa queries in progress: 0
query logging is OFF
server is up and running
"""
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


@attrs.frozen
class Record:
    """A record with its full name."""

    name: str
    ttl: int
    type: str
    data: str


class Rotation:
    """How often each name was asked for: answers rotate."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.loaded: dict[str, list[Record]] = {}


def zones(node: FakeNode) -> dict[str, str]:
    """The zones of named.conf and their files."""
    found: dict[str, str] = {}
    for path in CONFS:
        for name, body in ZONE.findall(node.files.text(path)):
            if file := FILE.search(body):
                found[name] = (
                    file.group(1)
                    if file.group(1).startswith("/")
                    else f"/var/named/{file.group(1)}"
                )
    return found


def seconds(text: str) -> int:
    """A TTL in seconds."""
    unit = UNITS.get(text[-1].lower())
    return int(text[:-1]) * unit if unit else int(text)


def absolute(name: str, origin: str) -> str:
    """A name with its origin."""
    return origin if name == "@" else name if name.endswith(".") else f"{name}.{origin}"


def records(text: str, zone: str) -> Iterator[Record]:
    """The records of a zone file."""
    origin, ttl, last = f"{zone}.", 0, f"{zone}."
    for line in logical_lines(text):
        words = line.split()
        if not words:
            continue
        if words[0] == "$TTL":
            ttl = seconds(words[1])
        elif words[0] == "$ORIGIN":
            origin = absolute(words[1], origin)
        else:
            last = last if line[0].isspace() else absolute(words.pop(0), origin)
            own = ttl
            while words and (words[0].upper() == "IN" or TTL.fullmatch(words[0])):
                word = words.pop(0)
                own = own if word.upper() == "IN" else seconds(word)
            if len(words) < 2 or words[0].upper() not in TYPES:
                raise ValueError(f"unknown RR type '{words[0] if words else ''}'")
            yield Record(last, own, words[0].upper(), data_of(words, origin))


def data_of(words: list[str], origin: str) -> str:
    """A record's data, names made absolute."""
    named = {"NS": [1], "PTR": [1], "CNAME": [1], "SOA": [1, 2], "MX": [2]}.get(
        words[0].upper(), []
    )
    return " ".join(
        absolute(word, origin) if i in named else word for i, word in enumerate(words) if i
    )


def logical_lines(text: str) -> Iterator[str]:
    """Lines without comments, parentheses joined."""
    row, depth = "", 0
    for raw in text.splitlines():
        line = raw.partition(";")[0]
        depth += line.count("(") - line.count(")")
        row += (" " if row else "") + line.replace("(", " ").replace(")", " ")
        if depth <= 0:
            yield row
            row = ""


def load(node: FakeNode, zone: str, path: str) -> list[Record]:
    """A zone as named loads it, or its complaint."""
    if node.files.follow(path) is None:
        raise failed(zone, path, "file not found")
    return judge(node.files.text(path), zone, path)


def judge(text: str, zone: str, path: str) -> list[Record]:
    """The records of a text, or named's complaint."""
    try:
        found = list(records(text, zone))
    except ValueError as error:
        raise failed(zone, path, f"{error}") from None
    if not {"SOA", "NS"} <= {record.type for record in found}:
        raise failed(zone, path, "has no SOA record or no NS records")
    return found


def failed(zone: str, path: str, why: str) -> Exit:
    """A zone that is not loaded; named-checkzone says so on standard output."""
    said_so = f"zone {zone}/IN: loading from master file {path} failed: {why}\n"
    return Exit(1, "", f"{said_so}zone {zone}/IN: not loaded due to errors.\n")


def serial(found: list[Record]) -> str:
    """The serial number of a zone."""
    return next(record.data.split()[2] for record in found if record.type == "SOA")


# Tools


def named_checkzone(node: FakeNode, args: tuple[str, ...], stdin: bytes) -> Answer:
    """named-checkzone ZONE FILE, or a text from standard input."""
    zone, path = args[-2:]
    if path == "/dev/stdin":
        return f"zone {zone}/IN: loaded serial {serial(judge(stdin.decode(), zone, path))}\nOK\n"
    return f"zone {zone}/IN: loaded serial {serial(load(node, zone, path))}\nOK\n"


def named_checkconf(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """named-checkconf [-z]."""
    if "-p" in args:
        raise Exit(1, "named-checkconf: it cannot print named.conf here")
    if "-z" not in args:
        return ""
    loaded = {zone: load(node, zone, path) for zone, path in zones(node).items()}
    return "".join(
        f"zone {zone}/IN: loaded serial {serial(found)}\n" for zone, found in loaded.items()
    )


def compilezone(node: FakeNode, args: tuple[str, ...], stdin: bytes) -> Answer:
    """`named-compilezone -o - ZONE FILE`: every record with its whole name."""
    zone, path = args[-2:]
    found = judge(stdin.decode(), zone, path) if path == "/dev/stdin" else load(node, zone, path)
    rows = (f"{one.name}\t\t{one.ttl} IN {one.type}\t{one.data}\n" for one in found)
    return said("".join(rows), f"zone {zone}/IN: loaded serial {serial(found)}\nOK")


def nsupdate(node: FakeNode, _args: tuple[str, ...], stdin: bytes) -> Answer:
    """One update of the zone on the server asked: prerequisites first, then all changes."""
    lines = [line.split() for line in stdin.decode().splitlines() if line.strip()]
    server = next((words[1] for words in lines if words[0] == "server"), "127.0.0.1")
    zone = next(words[1] for words in lines if words[0] == "zone").rstrip(".")
    other = resolver(node, server)
    if other is None or zone not in other.of(Rotation).loaded:
        raise Exit(1, f"; Communication with {server}#53 failed: connection refused")
    found = list(other.of(Rotation).loaded[zone])
    require(found, [words[1:] for words in lines if words[0] == "prereq"])
    for words in (words[1:] for words in lines if words[0] == "update"):
        if words[0] == "delete":
            found = [one for one in found if (one.name, one.type) != (words[1], words[2])]
        else:
            found.append(Record(words[1], int(words[2]), words[3], " ".join(words[4:])))
    other.of(Rotation).loaded[zone] = found
    return ""


def require(found: list[Record], wanted: list[list[str]]) -> None:
    """Check prerequisites as RFC 2136 says: whole sets are compared."""
    sets: dict[tuple[str, str], set[str]] = {}
    for words in wanted:
        want = sets.setdefault((words[1], words[2]), set())
        want |= {" ".join(words[3:])} if words[0] == "yxrrset" else set()
    for (name, kind), want in sets.items():
        have = {one.data for one in found if (one.name, one.type) == (name, kind)}
        if have != want:
            raise Exit(2, f"update failed: {'NXRRSET' if want else 'YXRRSET'}")


def rndc(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """rndc reload, status, flush."""
    if "named" not in node.running:
        raise Exit(1, "rndc: connect failed: 127.0.0.1#953: connection refused")
    match args:
        case ("reload", *_):
            start(node)
            return "zone reload up-to-date\n" if len(args) > 1 else "server reload successful\n"
        case ("status",):
            return STATUS.format(
                node.cluster.toolset.bind, node.name, len(node.of(Rotation).loaded)
            )
        case ("zonestatus", zone) if zone in node.of(Rotation).loaded:
            number = serial(node.of(Rotation).loaded[zone])
            return f"name: {zone}\ntype: primary\nserial: {number}\ndynamic: no\n"
        case ("flush" | "reconfig" | "freeze" | "thaw" | "sync", *_):
            return ""
        case _:
            raise Exit(1, f"rndc: '{args[0] if args else ''}' failed: unknown command")


def resolver(node: FakeNode, server: str) -> FakeNode | None:
    """The node that answers at an address."""
    if server in ("127.0.0.1", "localhost", node.name):
        return node
    alive = node.cluster.alive()
    return next(
        (other for other in alive if server in (other.name, other.address, other.public_address)),
        None,
    )


def named(node: FakeNode, _args: tuple[str, ...], _stdin: bytes) -> Answer:
    """named -v."""
    return said(f"BIND {node.cluster.toolset.bind} (Extended Support Version) <id:>\n")


def start(node: FakeNode) -> None:
    """Load every zone."""
    node.of(Rotation).loaded = {zone: load(node, zone, path) for zone, path in zones(node).items()}


def stop(node: FakeNode) -> None:
    """Forget them."""
    node.of(Rotation).loaded.clear()


TOOLS = {
    "named": Tool(named, has("bind")),
    "named-checkzone": Tool(named_checkzone, has("bind")),
    "named-checkconf": Tool(named_checkconf, has("bind")),
    "named-compilezone": Tool(compilezone, has("bind")),
    "nsupdate": Tool(nsupdate, has("bind")),
    "rndc": Tool(rndc, has("bind")),
}
DAEMONS = {"named": Daemon(start, stop, chkconfig="- 13 87", installed=has("bind"))}
