"""dig: what the named of a node answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from clusternas.testing.shell import Answer, Exit, Tool, has, options
from clusternas.testing.tools.dns import TYPES, Record, Rotation, resolver

if TYPE_CHECKING:
    from clusternas.testing.node import FakeNode

__all__ = ["TOOLS"]

TTL, QUESTION = 24, 32
"""The columns where a record has its time to live, and its class."""


@attrs.frozen
class Question:
    """What dig was asked."""

    server: str
    name: str
    type: str
    flags: frozenset[str]
    line: str

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
        return cls(server, name.rstrip(".") + ".", kind, flags, " ".join(args))


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
    """A zone by its names in order, its SOA first and last."""
    found = node.of(Rotation).loaded.get(name.rstrip("."), [])
    soa = [record for record in found if record.type == "SOA"]
    rest = [record for record in found if record.type != "SOA"]
    rest.sort(key=lambda record: (record.name != name, record.name))
    return [*soa, *rest, *soa]


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
    chosen = "+noall" in asked.flags
    if asked.type == "AXFR":
        return zone_text(node, asked, answers, chosen=chosen)
    authority = authority_records(node, asked.name) if not answers else []
    more = additional(node, answers)
    rows = [] if chosen else [banner(node, asked).rstrip("\n")]
    if not chosen or "+comments" in asked.flags:
        counts = f"QUERY: 1, ANSWER: {len(answers)}, AUTHORITY: {len(authority)}"
        state = verdict(node, asked.name)
        rows.append(f";; Got answer:\n;; ->>HEADER<<- opcode: QUERY, status: {state}, id: 35146")
        rows.append(f";; flags: qr aa rd; {counts}, ADDITIONAL: {1 + len(more)}")
        rows.append(";; WARNING: recursion requested but not available\n")
    if not chosen:
        rows.append(";; OPT PSEUDOSECTION:\n; EDNS: version: 0, flags:; udp: 1232")
        question = padded(asked.name, QUESTION)
        rows.append(f";; QUESTION SECTION:\n;{question}IN\t{asked.type}\n")
    rows += [";; ANSWER SECTION:", *map(line, answers)] if answers else []
    if not chosen:
        rows += [";; AUTHORITY SECTION:", *map(line, authority)] if authority else []
        rows += ["", ";; ADDITIONAL SECTION:", *map(line, more)] if more else []
        rows += [*footer(node, asked, "UDP", 8), ";; MSG SIZE  rcvd: 105"]
    return "\n".join([*rows, "\n"])


def zone_text(node: FakeNode, asked: Question, answers: list[Record], *, chosen: bool) -> str:
    """A transfer of a zone."""
    rows = [] if chosen else [banner(node, asked).rstrip("\n")]
    rows += map(line, answers)
    if not chosen:
        size = f"{len(answers)} records (messages 1, bytes 269)"
        rows += [*footer(node, asked, "TCP", 0), f";; XFR size: {size}"]
    return "\n".join([*rows, "\n"])


def footer(node: FakeNode, asked: Question, transport: str, took: int) -> list[str]:
    """When, where, and how long it took."""
    when = node.cluster.clock("%a %b %d %H:%M:%S UTC %Y")
    server = f"{asked.server}#53({asked.server}) ({transport})"
    return [f"\n;; Query time: {took} msec\n;; SERVER: {server}", f";; WHEN: {when}"]


def padded(text: str, column: int) -> str:
    """A text with the tabs that lead to a column, or a space if it is beyond."""
    width = len(text.expandtabs())
    return f"{text} " if width >= column else text + "\t" * -(-(column - width) // 8)


def line(one: Record) -> str:
    """A record as dig prints it."""
    head = padded(f"{padded(one.name, TTL)}{one.ttl}", QUESTION)
    return f"{head}IN\t{one.type}\t{one.data}"


def authority_records(node: FakeNode, name: str) -> list[Record]:
    """The SOA of the zone in which a name does not exist."""
    loaded = node.of(Rotation).loaded
    found = [one for zone, every in loaded.items() if name.endswith(f"{zone}.") for one in every]
    return [one for one in found if one.type == "SOA"][:1] if verdict(node, name) else []


def additional(node: FakeNode, answers: list[Record]) -> list[Record]:
    """The addresses of the name servers in an answer."""
    names = sorted(one.data for one in answers if one.type == "NS")
    every = [one for found in node.of(Rotation).loaded.values() for one in found]
    return [one for name in names for one in every if (one.name, one.type) == (name, "A")]


def banner(node: FakeNode, asked: Question) -> str:
    """dig's first lines."""
    release = node.cluster.toolset.bind
    head = f"\n; <<>> DiG {release} <<>> {asked.line}"
    return f"{head}\n; (1 server found)\n;; global options: +cmd\n"


def verdict(node: FakeNode, name: str) -> str:
    """The status of an answer: the name exists, is missing from our zone, or is not ours."""
    loaded = node.of(Rotation).loaded
    known = any(
        record.name.lower() == name.lower() for found in loaded.values() for record in found
    )
    inside = any(name.lower().endswith(zone.lower() + ".") for zone in loaded)
    return "NOERROR" if known else "NXDOMAIN" if inside else "REFUSED"


TOOLS = {"dig": Tool(dig, has("bind"))}
