"""BIND: named, its checkers, rndc and dig."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import attrs

from clusternas.testing.shell import Answer, Daemon, Exit, Tool, has, options, said

if TYPE_CHECKING:
    from clusternas.testing.node import FakeNode

__all__ = ["DAEMONS", "TOOLS"]

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


@attrs.frozen
class Question:
    """What dig was asked."""

    server: str
    name: str
    type: str
    flags: frozenset[str]

    @classmethod
    def of(cls, args: tuple[str, ...]) -> Question:
        """`dig @SERVER [-q] NAME [-t] [TYPE] [-x ADDRESS] [+flag…]`."""
        given, operands = options([a for a in args if a[0] not in "@+"], "q:t:x:p:c:b:46")
        kinds = [word.upper() for word in operands if word.upper() in TYPES | {"AXFR"}]
        names = [word for word in operands if word.upper() not in TYPES | {"AXFR", "IN"}]
        name = given.get("q", names[0] if names else ".")
        if "x" in given:
            name, kinds = ".".join(reversed(given["x"].split("."))) + ".in-addr.arpa", ["PTR"]
        server = next((arg[1:] for arg in args if arg.startswith("@")), "127.0.0.1")
        kind = given.get("t", kinds[0] if kinds else "A").upper()
        flags = frozenset(arg for arg in args if arg.startswith("+"))
        return cls(server, name.rstrip(".") + ".", kind, flags)


def dig(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """dig, in full, +short, or `+noall +comments +answer`; AXFR gives a whole zone."""
    asked = Question.of(args)
    other = resolver(node, asked.server)
    if other is None or "named" not in other.running:
        if asked.type == "AXFR":
            where = f"{asked.server}#53({asked.server}) for {asked.name.rstrip('.')}"
            tried = f";; Connection to {where} failed: connection refused.\n"
            raise Exit(9, "", f"{tried};; no servers could be reached\n" * 3)
        tried = f";; communications error to {asked.server}#53: connection refused\n" * 3
        head = "" if "+short" in asked.flags else banner(node, asked)
        raise Exit(9, "", f"{tried}{head};; no servers could be reached\n")
    answers = transfer(other, asked.name) if asked.type == "AXFR" else rotate(other, asked)
    if "+short" in asked.flags:
        return "".join(f"{record.data}\n" for record in answers)
    return full(other, asked, answers)


def transfer(node: FakeNode, name: str) -> list[Record]:
    """A zone, its SOA first and last."""
    found = node.of(Rotation).loaded.get(name.rstrip("."), [])
    soa = [record for record in found if record.type == "SOA"]
    return [*soa, *(record for record in found if record.type != "SOA"), *soa]


def resolver(node: FakeNode, server: str) -> FakeNode | None:
    """The node that answers at an address."""
    if server in ("127.0.0.1", "localhost", node.name):
        return node
    alive = node.cluster.alive()
    return next(
        (other for other in alive if server in (other.name, other.address, other.public_address)),
        None,
    )


def rotate(node: FakeNode, asked: Question) -> list[Record]:
    """The answers, beginning with another one each time."""
    state = node.of(Rotation)
    every = [record for found in state.loaded.values() for record in found]
    same = [record for record in every if record.name.lower() == asked.name.lower()]
    answers = [record for record in same if record.type == asked.type]
    turn = state.counts[asked.name] = state.counts.get(asked.name, -1) + 1
    start = turn % len(answers) if answers else 0
    return answers[start:] + answers[:start]


def full(node: FakeNode, asked: Question, answers: list[Record]) -> str:
    """dig's whole output, or the sections asked for."""
    rows = []
    chosen = "+noall" in asked.flags
    server, name = asked.server, asked.name
    rows += [] if chosen else [banner(node, asked).rstrip("\n")]
    if not chosen or "+comments" in asked.flags:
        authority = int(not answers and verdict(node, name) == "NXDOMAIN")
        counts = f"QUERY: 1, ANSWER: {len(answers)}, AUTHORITY: {authority}, ADDITIONAL: 1"
        state = verdict(node, name)
        rows.append(f";; Got answer:\n;; ->>HEADER<<- opcode: QUERY, status: {state}, id: 35146")
        rows.append(f";; flags: qr aa rd; {counts}")
        rows.append(";; WARNING: recursion requested but not available\n")
    if not chosen:
        rows.append(";; OPT PSEUDOSECTION:\n; EDNS: version: 0, flags:; udp: 1232")
        rows.append(f";; QUESTION SECTION:\n;{name}\t\tIN\t{asked.type}\n")
    rows += [";; ANSWER SECTION:"] if answers else []
    rows += [f"{one.name}\t{one.ttl}\tIN\t{one.type}\t{one.data}" for one in answers]
    if not chosen:
        rows += authority_section(node, name) if not answers else []
        when = node.cluster.clock("%a %b %d %H:%M:%S UTC %Y")
        rows.append(f"\n;; Query time: 8 msec\n;; SERVER: {server}#53({server}) (UDP)")
        rows.append(f";; WHEN: {when}\n;; MSG SIZE  rcvd: 105")
    return "\n".join([*rows, "\n"])


def authority_section(node: FakeNode, name: str) -> list[str]:
    """The SOA of the zone in which a name does not exist."""
    loaded = node.of(Rotation).loaded
    found = [one for zone, every in loaded.items() if name.endswith(f"{zone}.") for one in every]
    soa = next((one for one in found if one.type == "SOA"), None)
    if soa is None:
        return []
    return [";; AUTHORITY SECTION:", f"{soa.name}\t\t{soa.ttl}\tIN\tSOA\t{soa.data}"]


def banner(node: FakeNode, asked: Question) -> str:
    """dig's first lines."""
    name, release = asked.name.rstrip("."), node.cluster.toolset.bind
    kind = "" if asked.type in ("A", "PTR") else f" {asked.type}"
    head = f"\n; <<>> DiG {release} <<>> @{asked.server} {name}{kind}"
    return f"{head}\n; (1 server found)\n;; global options: +cmd\n"


def verdict(node: FakeNode, name: str) -> str:
    """The status of an answer: the name exists, is missing from our zone, or is not ours."""
    loaded = node.of(Rotation).loaded
    known = any(
        record.name.lower() == name.lower() for found in loaded.values() for record in found
    )
    inside = any(name.lower().endswith(zone.lower() + ".") for zone in loaded)
    return "NOERROR" if known else "NXDOMAIN" if inside else "REFUSED"


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
    "dig": Tool(dig, has("bind")),
}
DAEMONS = {"named": Daemon(start, stop, chkconfig="- 13 87", installed=has("bind"))}
