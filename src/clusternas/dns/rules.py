"""Mistakes people make in zone files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from ipaddress import AddressValueError, IPv4Address, IPv6Address, ip_address

import attrs

from clusternas.core.diagnostics import Finding, Severity, rule
from clusternas.core.syntax.zone import Record, is_absolute, qualify
from clusternas.core.versions import Toolset
from clusternas.dns.model import RrSet, ZoneFile, ZoneRecord
from clusternas.dns.names import RECORD_TYPES
from clusternas.dns.resolve import Resolved
from clusternas.dns.serial import is_newer

__all__ = ["LONGEST_TTL"]

LONGEST_TTL = 300
"""Seconds; what a client may keep the address of a node that died."""
TARGETS = {"CNAME": 0, "NS": 0, "PTR": 0, "DNAME": 0, "MX": 1, "SRV": 3}
"""Which field of a record's data is a name."""
BESIDE_CNAME = {"CNAME", "RRSIG", "NSEC", "NSEC3"}
HOST = re.compile(r"(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)*", re.IGNORECASE)
NUMBERED = re.compile(r"TYPE\d{1,5}")
HEADER = "$TTL 60\n@ IN SOA ns1.lab.test. root.lab.test. 1 3600 600 86400 60\n"


def _addresses(zone: ZoneFile) -> list[RrSet]:
    return [each for each in zone.rrsets().values() if each.type in ("A", "AAAA")]


def _resolved(zone: ZoneFile) -> Iterator[tuple[Resolved, ZoneRecord]]:
    return zip(zone.resolved(), zone.records, strict=True)


@rule(
    "DNS001",
    Severity.WARNING,
    ZoneFile,
    link="RFC 1035 section 5.1",
    bad=HEADER + "$ORIGIN lab.test.\nwww CNAME cluster.lab.test\n",
    good=HEADER + "$ORIGIN lab.test.\nwww CNAME cluster.lab.test.\n",
)
def missing_dot(zone: ZoneFile, toolset: Toolset) -> Iterator[Finding]:
    """A name that ends with the zone's name and no dot gets the zone's name twice.

    No server complains: `cluster.lab.test` in the zone lab.test is cluster.lab.test.lab.test.
    """
    guess = zone.soa.mname.partition(".")[2] if zone.soa and is_absolute(zone.soa.mname) else ""
    for each, record in _resolved(zone):
        origin = (each.origin or guess).rstrip(".").lower()
        field = TARGETS.get(each.node.key)
        names = {"owner": record.owner}
        if field is not None and field < len(record.data):
            names["data"] = record.data[field]
        for place, name in names.items():
            if (
                "." in origin
                and not is_absolute(name)
                and f".{name}".lower().endswith(f".{origin}")
            ):
                message = f"{name} is {qualify(name, f'{origin}.')} here: the final dot is missing"
                yield Finding(message, at=record, field=place, help=f"write {name}.")


@rule(
    "DNS002",
    Severity.ERROR,
    ZoneFile,
    link="RFC 1794",
    bad=HEADER + "cluster A 192.0.2.1\ncluster A 127.0.0.1\n",
    good=HEADER + "cluster A 192.0.2.1\ncluster A 192.0.2.2\n",
)
def useless_address(zone: ZoneFile, toolset: Toolset) -> Iterator[Finding]:
    """An address of a round robin that no client can reach.

    Loopback, link-local, multicast and unspecified addresses lead every n-th client nowhere.
    """
    for rrset in _addresses(zone):
        for place, text in zip(rrset.places, rrset.data, strict=True):
            try:
                address = ip_address(text)
            except ValueError:
                continue
            bad = address.is_loopback or address.is_link_local or address.is_multicast
            if len(rrset.data) > 1 and (bad or address.is_unspecified):
                message = f"{rrset.name} gives out {text}, which no client can reach"
                yield Finding(message, at=zone.records[place], field="data", help="remove it")


@rule(
    "DNS003",
    Severity.WARNING,
    ZoneFile,
    link="bind-users 2000-April/012317",
    bad=HEADER + "cluster 86400 A 192.0.2.1\ncluster 86400 A 192.0.2.2\n",
    good=HEADER + "cluster 60 A 192.0.2.1\ncluster 60 A 192.0.2.2\n",
)
def long_ttl(zone: ZoneFile, toolset: Toolset) -> Iterator[Finding]:
    """Clients keep the address of a dead node as long as its TTL says.

    Addresses of nodes want 5 to 60 seconds and updates when a node dies; addresses that CTDB moves
    to a living node may be kept for 300 to 3600.
    """
    for rrset in _addresses(zone):
        if len(rrset.data) > 1 and (rrset.ttl or 0) > LONGEST_TTL:
            yield Finding(
                f"{rrset.name} may be kept for {rrset.ttl} s, also while one of its nodes is dead",
                at=zone.records[rrset.places[0]],
                field="ttl",
                help="write a TTL of 60, unless CTDB moves these addresses",
                fix=zone.with_rrset(rrset.name, rrset.type, rrset.data, ttl=60),
            )


@rule(
    "DNS004",
    Severity.ERROR,
    ZoneFile,
    link="RFC 1034 section 3.6.2",
    bad=HEADER + "cluster CNAME node1\ncluster A 192.0.2.2\n",
    good=HEADER + "www CNAME cluster\ncluster A 192.0.2.2\n",
)
def alias_and_data(zone: ZoneFile, toolset: Toolset) -> Iterator[Finding]:
    """A name with a CNAME has nothing else, and one CNAME only; named refuses the zone."""
    types: dict[str, list[RrSet]] = {}
    for rrset in zone.rrsets().values():
        types.setdefault(rrset.name.lower(), []).append(rrset)
    for sets in types.values():
        alias = next((each for each in sets if each.type == "CNAME"), None)
        others = sorted({each.type for each in sets} - BESIDE_CNAME)
        if alias and (others or len(alias.data) > 1):
            beside = f"records of type {', '.join(others)}" if others else "another one"
            record = zone.records[alias.places[-1]]
            message = f"{alias.name} has a CNAME and {beside}"
            yield Finding(message, at=record, help="keep the addresses, remove the CNAME")


@rule("DNS005", Severity.ERROR, ZoneFile, link="RFC 1982; RFC 1035 section 4.3.5")
def same_serial(zone: ZoneFile, toolset: Toolset) -> Iterator[Finding]:
    """The zone was changed and its serial was not raised.

    Secondaries compare serials and keep the old addresses. A serial counts as newer only if it is
    less than 2^31 ahead.
    """
    if zone.document is None or zone.soa is None or not zone.edits():
        return
    before = ZoneFile.of(zone.document.root).soa
    if before and not is_newer(zone.soa.serial, before.serial):
        yield Finding(
            f"the zone is changed, but no secondary takes serial {zone.soa.serial}"
            f" after {before.serial}",
            field="soa",
            help="raise it: zone.bump()",
            fix=attrs.evolve(zone, soa=before).bump(),
        )


@rule(
    "DNS006",
    Severity.NOTE,
    ZoneFile,
    link="compared: BIND 9.18, NSD 4.6, Knot 3.2, ldns 1.8",
    bad=HEADER + "$GENERATE 1-2 node$ A 192.0.2.$\n",
    good=HEADER + "node1 A 192.0.2.1\nnode2 A 192.0.2.2\n",
)
def dialect(zone: ZoneFile, toolset: Toolset) -> Iterator[Finding]:
    """Something that named reads and other name servers do not, or not as meant."""
    if zone.generates:
        message = "$GENERATE is BIND's: NSD, Knot and ldns refuse the file"
        yield Finding(message, field="generates", help="write the records out")
    if zone.origin and not is_absolute(zone.origin):
        message = "a relative $ORIGIN: NSD and Knot refuse the file"
        yield Finding(message, field="origin", help="write the whole name with its final dot")
    tree = zone.document
    if tree is None:
        return
    if "\r\n" in tree.text:
        yield Finding("lines end with CR LF: Knot refuses the file", help="end lines with LF")
    moved = False
    for node in tree.root.children:
        if isinstance(node, Record) and moved and node.inherits:
            line = tree.lines.position(node.start).line
            message = f"line {line} has its owner from above the $ORIGIN, not from under it"
            yield Finding(message, at=ZoneRecord.of(node), help="write its owner")
        moved = node.key == "$ORIGIN" if not isinstance(node, Record) else False


@rule(
    "DNS007",
    Severity.WARNING,
    ZoneFile,
    link="RFC 2181 section 5.2",
    bad=HEADER + "cluster 60 A 192.0.2.1\ncluster 30 A 192.0.2.2\n",
    good=HEADER + "cluster 60 A 192.0.2.1\ncluster 60 A 192.0.2.2\n",
)
def mixed_ttl(zone: ZoneFile, toolset: Toolset) -> Iterator[Finding]:
    """The records of one set have one TTL: named takes the first, others the least."""
    for rrset in zone.rrsets().values():
        for place in rrset.places[1:]:
            record = zone.records[place]
            if record.ttl is not None and record.ttl != rrset.ttl:
                yield Finding(
                    f"{rrset.name} {rrset.type} has TTL {rrset.ttl} above and {record.ttl} here",
                    at=record,
                    field="ttl",
                    help="give all records of a name and type one TTL",
                )


@rule(
    "DNS008",
    Severity.ERROR,
    ZoneFile,
    link="BIND lib/dns/rdata/in_1/a_1.c",
    bad=HEADER + "cluster A 192.0.2.256\n",
    good=HEADER + "cluster A 192.0.2.25\n",
)
def no_address(zone: ZoneFile, toolset: Toolset) -> Iterator[Finding]:
    """The data of an A or AAAA record is no such address; named refuses the zone."""
    families = {"A": IPv4Address, "AAAA": IPv6Address}
    for record in zone.records:
        family = families.get(record.type.upper())
        if family is None or record.data[:1] == ("\\#",):
            continue
        try:
            family(" ".join(record.data))
        except AddressValueError:
            shown = " ".join(record.data) or "nothing"
            help = "192.0.2.1 for A, 2001:db8::1 for AAAA"
            yield Finding(f"{shown} is no {family.__name__[:4]} address", at=record, help=help)


@rule(
    "DNS009",
    Severity.WARNING,
    ZoneFile,
    link="RFC 2181 section 10.3",
    bad=HEADER + "@ NS ns\nns CNAME node1\nnode1 A 192.0.2.1\n",
    good=HEADER + "@ NS ns\nns A 192.0.2.1\n",
)
def target_is_alias(zone: ZoneFile, toolset: Toolset) -> Iterator[Finding]:
    """NS, MX and SRV records must not point to a CNAME; for NS named refuses the zone."""
    pairs = list(_resolved(zone))
    aliases = {each.name.lower() for each, _ in pairs if each.node.key == "CNAME"}
    for each, record in pairs:
        field = TARGETS.get(each.node.key, -1)
        if each.node.key not in ("NS", "MX", "SRV") or field >= len(record.data):
            continue
        target = qualify(record.data[field], each.origin) or record.data[field]
        if target.lower() in aliases:
            message = f"{each.node.key} points to {target}, which is a CNAME"
            yield Finding(message, at=record, field="data", help="point to a name with addresses")


@rule(
    "DNS010",
    Severity.WARNING,
    ZoneFile,
    link="RFC 952; RFC 1123 section 2.1; BIND check-names",
    bad=HEADER + "linux_nas01 A 192.0.2.1\n",
    good=HEADER + "linux-nas01 A 192.0.2.1\n",
)
def bad_host(zone: ZoneFile, toolset: Toolset) -> Iterator[Finding]:
    """The name of a host has letters, digits and inner hyphens; named refuses others by default."""
    for rrset in _addresses(zone):
        if not HOST.fullmatch(rrset.name.rstrip(".") + ".") and rrset.name != "@":
            message = f"{rrset.name} is no name for a host"
            record = zone.records[rrset.places[0]]
            yield Finding(message, at=record, field="owner", help="letters, digits and - only")


@rule(
    "DNS011",
    Severity.ERROR,
    ZoneFile,
    link="BIND lib/dns/rdatatype; RFC 3597 section 5",
    bad=HEADER + "www CNMAE cluster\n",
    good=HEADER + "www CNAME cluster\n",
)
def unknown_type(zone: ZoneFile, toolset: Toolset) -> Iterator[Finding]:
    """There is no such record type; named refuses the zone."""
    for record in zone.records:
        type = record.type.upper()
        if type not in RECORD_TYPES and not NUMBERED.fullmatch(type):
            near = get_close_matches(type, RECORD_TYPES, 1)
            help = (
                f"did you mean {near[0]}?" if near else "a record is: name [TTL] [class] type data"
            )
            yield Finding(f"unknown record type {record.type}", at=record, help=help)
