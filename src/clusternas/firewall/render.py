"""Firewall rules as the files of nftables, firewalld and iptables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal
from xml.sax.saxutils import escape

from clusternas.core.errors import ValidationError
from clusternas.firewall.model import SSH, FirewallRule, Ports

__all__ = ["firewalld_service", "iptables", "nftables"]

IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,30}")
MULTIPORT = 15
"""How many ports one match of iptables takes; a range counts twice."""


def _require_ssh(rules: Sequence[FirewallRule], ssh_port: int) -> None:
    if not any(rule.admits("tcp", ssh_port) for rule in rules):
        raise ValidationError(
            f"everything would be dropped, and nobody could log in: no rule admits port {ssh_port}",
            hint="add ssh to the components",
        )


def _identifier(name: str) -> str:
    if not IDENTIFIER.fullmatch(name):
        raise ValidationError(f"not a name: {name!r}", hint="letters, digits, _ and -")
    return name


def _span(ports: Ports, dash: str) -> str:
    first, last = ports
    return str(first) if first == last else f"{first}{dash}{last}"


def nftables(
    rules: Iterable[FirewallRule], *, table: str = "clusternas", ssh_port: int = SSH
) -> str:
    """A script for `nft -f` that replaces one table and touches no other.

    What no rule admits is dropped, except answers, loopback and ICMP.

    Raises:
        ValidationError: no rule admits ssh.
    """
    rules = tuple(rules)
    _require_ssh(rules, ssh_port)
    name = f"inet {_identifier(table)}"
    body = [line for rule in rules for line in _nft_lines(rule)]
    chain = [
        "type filter hook input priority filter; policy drop;",
        "ct state established,related accept",
        "ct state invalid drop",
        'iif "lo" accept',
        "meta l4proto { icmp, ipv6-icmp } accept",
        *body,
    ]
    inside = "".join(f"\t\t{line}\n" for line in chain)
    head = f"table {name}\ndelete table {name}\n"  # the first line is for when there is none yet
    return f"{head}table {name} {{\n\tchain input {{\n{inside}\t}}\n}}\n"


def _nft_lines(rule: FirewallRule) -> Iterator[str]:
    ports = ", ".join(_span(each, "-") for each in rule.ports)
    match = f"{rule.proto} dport {{ {ports} }}" if ports else f"meta l4proto {rule.proto}"
    comment = f' comment "{rule.why}"' if rule.why else ""
    if not rule.src:
        yield f"{match} accept{comment}"
    for family, version in (("ip", 4), ("ip6", 6)):
        if sources := rule.of_family(version):
            yield f"{family} saddr {{ {', '.join(sources)} }} {match} accept{comment}"


def firewalld_service(rules: Iterable[FirewallRule], *, short: str, description: str = "") -> str:
    """A service of firewalld, for `firewall-cmd --permanent --new-service-from-file`.

    A service has no sources: put it into a zone that has those of the rules.
    """
    lines = ['<?xml version="1.0" encoding="utf-8"?>', "<service>"]
    lines.append(f"  <short>{escape(short)}</short>")
    if description:
        lines.append(f"  <description>{escape(description)}</description>")
    for rule in rules:
        spans = (_span(each, "-") for each in rule.ports)
        ports = [f'  <port protocol="{rule.proto}" port="{span}"/>' for span in spans]
        lines += ports or [f'  <protocol value="{rule.proto}"/>']
    return "\n".join([*dict.fromkeys(lines), "</service>", ""])


def iptables(
    rules: Iterable[FirewallRule], *, version: Literal[4, 6] = 4, ssh_port: int = SSH
) -> str:
    """The text of /etc/sysconfig/iptables, or ip6tables, of EL5 and EL6 for `iptables-restore`.

    Raises:
        ValidationError: no rule admits ssh.
    """
    rules = tuple(rules)
    mine = [rule for rule in rules if rule.of_family(version) is not None]
    _require_ssh(mine, ssh_port)
    icmp = "icmp" if version == 4 else "ipv6-icmp"
    lines = [
        "*filter",
        ":INPUT DROP [0:0]",
        ":FORWARD ACCEPT [0:0]",
        ":OUTPUT ACCEPT [0:0]",
        "-A INPUT -m state --state ESTABLISHED,RELATED -j ACCEPT",
        "-A INPUT -i lo -j ACCEPT",
        f"-A INPUT -p {icmp} -j ACCEPT",
        *(line for rule in mine for line in _iptables_lines(rule, version)),
        "COMMIT",
    ]
    return "\n".join([*lines, ""])


def _iptables_lines(rule: FirewallRule, version: int) -> Iterator[str]:
    comment = f' -m comment --comment "{rule.why}"' if rule.why else ""
    for source in rule.of_family(version) or ("",):
        origin = f" -s {source}" if source else ""
        for ports in _batches(rule.ports):
            match = f" -m multiport --dports {ports}" if ports else ""
            yield f"-A INPUT{origin} -p {rule.proto}{match}{comment} -j ACCEPT"


def _batches(ports: Sequence[Ports]) -> Iterator[str]:
    """The ports in lists that one match takes; one empty list for none."""
    batch: list[str] = []
    room = MULTIPORT
    for each in ports:
        cost = 1 if each[0] == each[1] else 2
        if cost > room:
            yield ",".join(batch)
            batch, room = [], MULTIPORT
        batch.append(_span(each, ":"))
        room -= cost
    yield ",".join(batch)
