"""What the tools of BIND answer, typed.

Outputs as of BIND 9.18; each decoder is a pure function from an `Output`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import attrs

from clusternas.core.command import Output
from clusternas.core.errors import ParseError
from clusternas.core.syntax.zone import Record, ZoneSyntax
from clusternas.dns.names import same_name

__all__ = [
    "DnsAnswer",
    "DnsRecord",
    "Message",
    "RndcStatus",
    "Update",
    "ZoneCheck",
    "ZoneStatus",
    "answer",
    "checked_conf",
    "checked_zone",
    "delv_answer",
    "records",
    "rndc_status",
    "short",
    "update",
    "zone_status",
]

STATUS = re.compile(r"^;; ->>HEADER<<-.* status: (\w+),", re.MULTILINE)
TRUST = re.compile(r"^; ([a-z][a-z ,]*)$", re.MULTILINE)
FAILED = re.compile(r"^; ?;? ?(Transfer failed\.|resolution failed: .*)$", re.MULTILINE)
SERIAL = re.compile(r"^zone \S+: loaded serial (\d+)", re.MULTILINE)
PLACED = re.compile(r"(?:\w+: )?([^\s:]+):(\d+): (.*)")
RCODE = re.compile(r"^update failed: (\w+)(?:\((\w+)\))?", re.MULTILINE)
REFUTED = frozenset({"NXRRSET", "YXRRSET", "NXDOMAIN", "YXDOMAIN"})


@attrs.frozen(kw_only=True)
class DnsRecord:
    """A record as a server has it.

    Attributes:
        name: absolute, with its final dot.
        ttl: seconds.
        type: like `A`.
        data: its fields as they are written in a zone file.
        class_: `IN`.
    """

    name: str
    ttl: int
    type: str
    data: tuple[str, ...]
    class_: str = "IN"


@attrs.frozen(kw_only=True)
class DnsAnswer:
    """The answer to a query or a zone transfer.

    Attributes:
        status: `NOERROR`, `NXDOMAIN`, `REFUSED`, …; empty where the tool does not say.
        records: the answer section.
        trust: what delv says of it: `fully validated`, `unsigned answer`, `authoritative`, …
        failure: why there is no answer, e.g. `Transfer failed.`
    """

    status: str = ""
    records: tuple[DnsRecord, ...] = ()
    trust: str = ""
    failure: str = ""

    def data(self, name: str, type: str) -> tuple[str, ...]:
        """The data of the records of one name and type, in the order of the answer."""
        return tuple(
            " ".join(record.data)
            for record in self.records
            if record.type == type and same_name(record.name, name)
        )


@attrs.frozen(kw_only=True)
class Message:
    """What a checker says, with its place where there is one.

    Attributes:
        text: the message.
        path: the file; empty where it is about no line.
        line: from 1; 0 where it is about no line.
    """

    text: str
    path: str = ""
    line: int = 0


@attrs.frozen(kw_only=True)
class ZoneCheck:
    """The judgement of named-checkzone.

    Attributes:
        loaded: named would load the zone.
        serial: its serial, None if it was not loaded.
        messages: errors, and what is only a warning.
    """

    loaded: bool
    serial: int | None = None
    messages: tuple[Message, ...] = ()


@attrs.frozen(kw_only=True)
class Update:
    """The outcome of an update.

    Attributes:
        rcode: `NOERROR`, or why the server refused it.
        detail: of `NOTAUTH`, what is wrong with the key: `BADSIG`, `BADKEY`, `BADTIME`.
    """

    rcode: str
    detail: str = ""

    @property
    def applied(self) -> bool:
        """The zone is changed."""
        return self.rcode == "NOERROR"

    @property
    def conflict(self) -> bool:
        """The zone is not what the update was made for: somebody else was faster. Read it again."""
        return self.rcode in REFUTED


@attrs.frozen(kw_only=True)
class RndcStatus:
    """What `rndc status` prints.

    Attributes:
        version: of the server.
        running: it is up.
        zones: how many it serves.
        facts: all lines, by what stands before their colon.
    """

    version: str
    running: bool
    zones: int = 0
    facts: Mapping[str, str] = attrs.field(factory=dict, repr=False)


@attrs.frozen(kw_only=True)
class ZoneStatus:
    """What `rndc zonestatus` prints.

    Attributes:
        name: of the zone.
        type: `primary`, `secondary`, …
        serial: as loaded.
        dynamic: it takes updates, so its file must not be edited unless it is frozen.
        frozen: updates are refused for now.
        files: its file and what that includes.
        facts: all lines, by what stands before their colon.
    """

    name: str
    type: str
    serial: int | None = None
    dynamic: bool = False
    frozen: bool = False
    files: tuple[str, ...] = ()
    facts: Mapping[str, str] = attrs.field(factory=dict, repr=False)


def _records(text: str) -> Iterator[DnsRecord]:
    for node in ZoneSyntax().parse(text).root.children:
        if isinstance(node, Record):
            name, ttl, klass, *data = node.values
            if not ttl.isdecimal():
                raise ParseError(f"not a record with a TTL: {node.raw!r}")
            yield DnsRecord(name=name, ttl=int(ttl), type=node.key, data=tuple(data), class_=klass)


def records(output: Output) -> tuple[DnsRecord, ...]:
    """The records that dig, delv, or named-compilezone with `-s full` prints."""
    return tuple(_records(output.text))


def answer(output: Output) -> DnsAnswer:
    """The answer that `dig +noall +comments +answer` prints."""
    status = STATUS.search(output.text)
    failed = FAILED.search(output.text)
    return DnsAnswer(
        status=status[1] if status else "",
        records=records(output),
        failure=failed[1] if failed else "",
    )


def delv_answer(output: Output) -> DnsAnswer:
    """The answer of delv, which exits with 0 also when it has none."""
    trust = TRUST.search(output.text)
    failed = FAILED.search(output.error_text)
    return DnsAnswer(
        records=records(output),
        trust=trust[1] if trust else "",
        failure=failed[1] if failed else "",
    )


def short(output: Output) -> tuple[str, ...]:
    """The lines of `dig +short`, in the order of the answer."""
    return tuple(line for line in output.text.splitlines() if line and not line.startswith(";"))


def _messages(text: str) -> Iterator[Message]:
    for line in text.splitlines():
        if match := PLACED.fullmatch(line):
            yield Message(text=match[3], path=match[1], line=int(match[2]))
        elif line and line != "OK" and not SERIAL.match(line):
            yield Message(text=line)


def checked_zone(output: Output) -> ZoneCheck:
    """The judgement of named-checkzone: exit code 0 or 1, messages on either stream."""
    said = output.text + output.error_text
    serial = SERIAL.search(said)
    return ZoneCheck(
        loaded=output.exit_code == 0,
        serial=int(serial[1]) if serial else None,
        messages=tuple(_messages(said)),
    )


def checked_conf(output: Output) -> tuple[Message, ...]:
    """What named-checkconf complains of; exit code 0 may come with warnings."""
    found = tuple(_messages(output.text + output.error_text))
    if output.exit_code and not found:
        raise ParseError(f"named-checkconf ended with {output.exit_code} and said nothing")
    return found


def update(output: Output) -> Update:
    """The outcome of nsupdate: exit code 0, or 2 with the server's answer on standard error.

    Raises:
        ParseError: it failed without an answer of a server.
    """
    if output.exit_code == 0:
        return Update(rcode="NOERROR")
    refused = RCODE.search(output.error_text)
    if refused is None:
        raise ParseError(
            f"nsupdate had no answer: {output.error_text.strip()!r}",
            hint="is the server reachable, and the key file readable?",
        )
    return Update(rcode=refused[1], detail=refused[2] or "")


def _facts(output: Output) -> dict[str, str]:
    pairs = (line.partition(": ") for line in output.text.splitlines() if ": " in line)
    return {key: value.strip() for key, _, value in pairs}


def _number(facts: Mapping[str, str], key: str) -> int | None:
    value = facts.get(key, "").partition(" ")[0]
    return int(value) if value.isdecimal() else None


def rndc_status(output: Output) -> RndcStatus:
    """What `rndc status` prints."""
    facts = _facts(output)
    if "version" not in facts:
        raise ParseError("no version in the output of rndc status")
    return RndcStatus(
        version=facts["version"],
        running="server is up and running" in output.text,
        zones=_number(facts, "number of zones") or 0,
        facts=facts,
    )


def zone_status(output: Output) -> ZoneStatus:
    """What `rndc zonestatus` prints."""
    facts = _facts(output)
    if "name" not in facts or "type" not in facts:
        raise ParseError("no name and type in the output of rndc zonestatus")
    return ZoneStatus(
        name=facts["name"],
        type=facts["type"],
        serial=_number(facts, "serial"),
        dynamic=facts.get("dynamic") == "yes",
        frozen=facts.get("frozen") == "yes",
        files=tuple(facts.get("files", "").split(", ")) if facts.get("files") else (),
        facts=facts,
    )
