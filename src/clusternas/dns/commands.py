"""The commands of BIND and its clients, one function each.

Nothing runs here. Names and addresses are checked, so that none can be read as an option, as a
second line of an nsupdate script, or as another server.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from ipaddress import ip_address
from typing import Literal, TypeVar

import attrs

from clusternas.core.command import Command, Effect, Output, operand, text
from clusternas.core.errors import Unreachable, UnsupportedError, ValidationError
from clusternas.core.syntax.zone import is_absolute
from clusternas.core.syntax.zone_scan import IS_WORD
from clusternas.core.versions import Toolset
from clusternas.dns.names import dns_name, record_type, same_name
from clusternas.dns.status import (
    DnsAnswer,
    DnsRecord,
    Message,
    RndcStatus,
    Update,
    ZoneCheck,
    ZoneStatus,
    answer,
    checked_conf,
    checked_zone,
    delv_answer,
    records,
    rndc_status,
    short,
    update,
    zone_status,
)

__all__ = [
    "Rndc",
    "Swap",
    "delv",
    "dig",
    "dig_axfr",
    "dig_short",
    "named_checkconf",
    "named_checkzone",
    "named_compilezone",
    "named_version",
    "nsupdate",
    "nsupdate_script",
]

T = TypeVar("T")

QUERY_WAIT = 30.0
CHECK_WAIT = 120.0
NO_REPLY = 9
MAX_TTL = 2**31 - 1
Integrity = Literal["full", "full-sibling", "local", "local-sibling", "none"]


def _server(server: str, port: int) -> tuple[str, ...]:
    at = (f"@{_host(server)}",) if server else ()
    return (*at, "-p", _port(port)) if port != 53 else at


def _port(port: int) -> str:
    if not 0 < port < 65536:
        raise ValidationError(f"not a port: {port}", hint="1 to 65535")
    return str(port)


def _host(server: str) -> str:
    try:
        return str(ip_address(server))
    except ValueError:
        return dns_name(server, "server")


def _query(
    tool: str,
    decode: Callable[[Output], T],
    name: str,
    type: str,
    place: Sequence[str],
    *options: str,
) -> Command[T]:
    question = ("-q", dns_name(name), "-t", record_type(type))
    return Command(
        (tool, *place, *question, *options),
        decode,
        effect=Effect.READ,
        timeout=QUERY_WAIT,
        raises=((NO_REPLY, Unreachable),),
    )


def dig(
    name: str, type: str = "A", *, server: str = "", port: int = 53, tcp: bool = False
) -> Command[DnsAnswer]:
    """Ask a server, by default that of /etc/resolv.conf. That a name does not exist is an answer.

    Example:
        >>> dig("cluster.lab.test", server="127.0.0.1").shell()
        'dig @127.0.0.1 -q cluster.lab.test -t A +noall +comments +answer'
    """
    over = ("+tcp",) if tcp else ()
    show = ("+noall", "+comments", "+answer")
    return _query("dig", answer, name, type, _server(server, port), *over, *show)


def dig_short(
    name: str, type: str = "A", *, server: str = "", port: int = 53
) -> Command[tuple[str, ...]]:
    """Ask for the data alone, in the order in which the server rotates them."""
    return _query("dig", short, name, type, _server(server, port), "+short")


def dig_axfr(zone: str, *, server: str, port: int = 53) -> Command[DnsAnswer]:
    """Transfer a whole zone; its SOA comes first and last."""
    show = ("+noall", "+comments", "+answer")
    return _query("dig", answer, zone, "AXFR", _server(server, port), *show)


def delv(
    name: str, type: str = "A", *, server: str = "", port: int = 53, validate: bool = True
) -> Command[DnsAnswer]:
    """Ask, and check the signatures (DNSSEC) unless told not to."""
    how = () if validate else ("-i",)
    return _query("delv", delv_answer, name, type, _server(server, port), *how)


def named_checkzone(
    zone: str,
    path: str = "/dev/stdin",
    *,
    content: str = "",
    integrity: Integrity = "local",
) -> Command[ZoneCheck]:
    """Let named judge a zone file, or with `content` a text that is not in a file yet.

    Args:
        zone: its name.
        path: the file.
        content: the text, for standard input.
        integrity: which names in NS, MX and SRV records are looked up; `local` asks no server.
    """
    return Command(
        ("named-checkzone", "-i", integrity, dns_name(zone, "zone"), operand(path, "path")),
        checked_zone,
        stdin=content.encode("utf-8", "surrogateescape"),
        effect=Effect.READ,
        timeout=CHECK_WAIT,
        ok=(0, 1),
    )


def named_compilezone(
    zone: str, path: str = "/dev/stdin", *, content: str = "", bad_names: bool = True
) -> Command[tuple[DnsRecord, ...]]:
    """What named reads from a zone file: every record with its whole name and TTL, sorted.

    Args:
        zone: its name.
        path: the file.
        content: the text, for standard input.
        bad_names: take host names like `my_host`, which named refuses in a primary zone.
    """
    names = ("-k", "ignore") if bad_names else ()
    argv = ("named-compilezone", "-i", "none", *names, "-s", "full", "-o", "-")
    return Command(
        (*argv, dns_name(zone, "zone"), operand(path, "path")),
        records,
        stdin=content.encode("utf-8", "surrogateescape"),
        effect=Effect.READ,
        timeout=CHECK_WAIT,
    )


def named_checkconf(path: str = "", *, zones: bool = False) -> Command[tuple[Message, ...]]:
    """Let named judge its configuration, with `zones` also the primary zones in it."""
    argv = (
        "named-checkconf",
        *(("-z",) if zones else ()),
        *((operand(path, "path"),) if path else ()),
    )
    return Command(argv, checked_conf, effect=Effect.READ, timeout=CHECK_WAIT, ok=(0, 1))


def named_version() -> Command[str]:
    """The banner of named; `core.versions.parse_version` reads it."""
    return Command(("named", "-v"), text, effect=Effect.READ, timeout=QUERY_WAIT)


@attrs.frozen(kw_only=True)
class Rndc:
    """The control channel of a server.

    Attributes:
        server: its address; by default what rndc.conf says.
        port: of the channel; by default what rndc.conf says, else 953.
        config: path of rndc.conf, if not the usual one.
        toolset: of that machine.

    Example:
        >>> Rndc().reload("lab.test").shell()
        'rndc reload lab.test'
    """

    server: str = ""
    port: int | None = None
    config: str = ""
    toolset: Toolset = Toolset.UNKNOWN

    def _call(self, decode: Callable[[Output], T], effect: Effect, *argv: str) -> Command[T]:
        config = ("-c", operand(self.config, "path")) if self.config else ()
        server = ("-s", _host(self.server)) if self.server else ()
        port = ("-p", _port(self.port)) if self.port is not None else ()
        call = ("rndc", *config, *server, *port, *argv)
        return Command(call, decode, effect=effect, timeout=QUERY_WAIT)

    def _change(self, verb: str, zone: str, *options: str) -> Command[str]:
        of = (dns_name(zone, "zone"),) if zone else ()
        return self._call(text, Effect.CHANGE, verb, *options, *of)

    def _need(self, verb: str, since: str) -> None:
        if not self.toolset.has("bind", since=since):
            raise UnsupportedError(f"rndc {verb} exists since BIND {since}")

    def status(self) -> Command[RndcStatus]:
        """What the server says of itself."""
        return self._call(rndc_status, Effect.READ, "status")

    def zonestatus(self, zone: str) -> Command[ZoneStatus]:
        """Serial, and whether the zone is dynamic or frozen; since BIND 9.10."""
        self._need("zonestatus", "9.10")
        return self._call(zone_status, Effect.READ, "zonestatus", dns_name(zone, "zone"))

    def reload(self, zone: str = "") -> Command[str]:
        """Read a zone file again, or all and the configuration. A dynamic zone refuses."""
        return self._change("reload", zone)

    def freeze(self, zone: str) -> Command[str]:
        """Write the journal into the file of a dynamic zone and refuse updates, to edit it."""
        return self._change("freeze", zone)

    def thaw(self, zone: str) -> Command[str]:
        """Read the edited file of a frozen zone and take updates again."""
        return self._change("thaw", zone)

    def sync(self, zone: str = "", *, clean: bool = False) -> Command[str]:
        """Write the journal into the file, with `clean` also remove it; since BIND 9.9.

        The server answers before the file is written.
        """
        self._need("sync", "9.9")
        return self._change("sync", zone, *(("-clean",) if clean else ()))


def _strings(given: Iterable[str]) -> tuple[str, ...]:
    return tuple(given)


@attrs.frozen(kw_only=True)
class Swap:
    """All records of one name and type, replaced if they still are what they were.

    Attributes:
        name: absolute.
        type: like `A`.
        old: what the server must have now; nothing means that there must be none.
        new: what it shall have; nothing removes them.
        ttl: seconds, of the new ones.
    """

    name: str
    type: str
    old: tuple[str, ...] = attrs.field(converter=_strings)
    new: tuple[str, ...] = attrs.field(converter=_strings)
    ttl: int = 60

    def __attrs_post_init__(self) -> None:
        dns_name(self.name)
        record_type(self.type)
        if not is_absolute(self.name):
            raise ValidationError(f"not an absolute name: {self.name!r}", hint="end it with a dot")
        if not 0 <= self.ttl <= MAX_TTL:
            raise ValidationError(f"not a TTL: {self.ttl}", hint=f"seconds, 0 to {MAX_TTL}")
        for data in (*self.old, *self.new):
            if not data or not all(map(IS_WORD.fullmatch, data.split(" "))) or "\n" in data:
                raise ValidationError(f"not the data of a record: {data!r}")

    def lines(self) -> list[str]:
        """Its lines in an nsupdate script: what must be, then what shall be."""
        what = f"{self.name} {self.type}"
        must = [f"prereq yxrrset {what} {data}" for data in self.old] or [f"prereq nxrrset {what}"]
        shall = [f"update add {self.name} {self.ttl} {self.type} {data}" for data in self.new]
        return must + [f"update delete {what}"] * bool(self.old) + shall


def nsupdate_script(zone: str, swaps: Sequence[Swap], *, server: str = "", port: int = 53) -> str:
    """The script of one update: all swaps happen, or none (RFC 2136 sections 2.4.2 and 3.4).

    The server compares whole record sets, TTLs aside, so that of two who publish at the same time
    one is told to read again.

    Raises:
        ValidationError: a name would be left without any record, or a name stands outside the zone.
    """
    zone = dns_name(zone, "zone").rstrip(".") + "."
    for swap in swaps:
        if not (same_name(swap.name, zone) or swap.name.lower().endswith("." + zone.lower())):
            raise ValidationError(f"{swap.name} is not in {zone}")
        if not any(other.new for other in swaps if same_name(other.name, swap.name)):
            raise ValidationError(
                f"{swap.name} would have no record left",
                hint="a name that nobody can find helps nobody: publish all addresses instead",
            )
    if not swaps:
        raise ValidationError("nothing to update")
    at = [f"server {_host(server)} {_port(port)}"] if server else []
    body = [line for swap in swaps for line in swap.lines()]
    return "\n".join([*at, f"zone {zone}", *body, "send", ""])


def nsupdate(
    zone: str, swaps: Sequence[Swap], *, server: str = "", port: int = 53, key_file: str = ""
) -> Command[Update]:
    """Change records of a dynamic zone on its server, if they still are what they were.

    Args:
        zone: its name.
        swaps: what to replace, all at once.
        server: by default the primary that the zone's SOA names.
        port: of the server.
        key_file: path of the TSIG key; the key itself is on no command line.
    """
    key = ("-k", operand(key_file, "path")) if key_file else ()
    return Command(
        ("nsupdate", "-t", "10", *key),
        update,
        stdin=nsupdate_script(zone, swaps, server=server, port=port).encode(),
        timeout=QUERY_WAIT,
        ok=(0, 2),
    )
