"""Firewall rules and how they are written."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusternas.core.command import Effect
from clusternas.core.errors import ValidationError
from clusternas.firewall import commands
from clusternas.firewall.components import COMPONENTS, rules_for
from clusternas.firewall.model import FirewallRule
from clusternas.firewall.render import firewalld_service, iptables, nftables

PEERS = ["10.0.0.1", "10.0.0.2"]


def test_ranges_are_merged_and_networks_too():
    rule = FirewallRule("udp", [5405, 5404, (5400, 5402), (5401, 5403), 5412], PEERS)
    assert rule.ports == ((5400, 5405), (5412, 5412))
    rule = FirewallRule("tcp", [1], ["10.0.0.1", "10.0.0.0/8", "10.0.0.1", "fd00::1/128"])
    assert rule.src == ("10.0.0.0/8", "fd00::1")
    assert pickle.loads(pickle.dumps(rule)) == rule


@pytest.mark.parametrize(
    ("proto", "ports", "src", "why"),
    [
        ("sctp", [1], [], ""),
        ("tcp", [], [], ""),
        ("igmp", [1], [], ""),
        ("tcp", [0], [], ""),
        ("tcp", [65536], [], ""),
        ("tcp", [(2, 1)], [], ""),
        ("tcp", [1], ["10.0.0.1/8"], ""),
        ("tcp", [1], ["nas01"], ""),
        ("tcp", [1], "10.0.0.1", ""),
        ("tcp", [1], [], 'a" accept'),
        ("tcp", [1], [], "a\nb"),
        ("tcp", [1], [], "x" * 101),
    ],
)
def test_what_is_no_rule(proto, ports, src, why):
    with pytest.raises(ValidationError):
        FirewallRule(proto, ports, src, why)


def test_a_node_s_rules():
    rules = rules_for(
        ["ssh", "corosync", "dlm", "ctdb", "smb", "ssh"],
        peers=PEERS,
        clients=["192.168.0.0/16"],
        drbd_ports=[7789],
    )
    assert [(rule.why, rule.proto, rule.ports, rule.src) for rule in rules] == [
        ("ssh", "tcp", ((22, 22),), ()),
        ("corosync", "udp", ((5404, 5412),), tuple(PEERS)),
        ("dlm", "tcp", ((21064, 21064),), tuple(PEERS)),
        ("ctdb", "tcp", ((4379, 4379),), tuple(PEERS)),
        ("smb", "tcp", ((445, 445),), ("192.168.0.0/16",)),
        ("drbd", "tcp", ((7789, 7789),), tuple(PEERS)),
    ]
    with pytest.raises(ValidationError, match="no peers"):
        rules_for(["ctdb"], peers=[])
    with pytest.raises(ValidationError, match="unknown component 'gfs'"):
        rules_for(["gfs"], peers=PEERS)


def test_nftables():
    rules = rules_for(["ssh", "cman"], peers=[*PEERS, "fd00::1"])
    assert nftables(rules, table="nas") == (
        "table inet nas\n"
        "delete table inet nas\n"
        "table inet nas {\n"
        "\tchain input {\n"
        "\t\ttype filter hook input priority filter; policy drop;\n"
        "\t\tct state established,related accept\n"
        "\t\tct state invalid drop\n"
        '\t\tiif "lo" accept\n'
        "\t\tmeta l4proto { icmp, ipv6-icmp } accept\n"
        '\t\ttcp dport { 22 } accept comment "ssh"\n'
        "\t\tip saddr { 10.0.0.1, 10.0.0.2 } udp dport { 5404-5405 } accept"
        ' comment "cman"\n'
        '\t\tip6 saddr { fd00::1 } udp dport { 5404-5405 } accept comment "cman"\n'
        "\t\tip saddr { 10.0.0.1, 10.0.0.2 } meta l4proto igmp accept"
        ' comment "cman"\n'
        "\t}\n"
        "}\n"
    )


def test_nobody_is_locked_out():
    rules = rules_for(["ctdb"], peers=PEERS)
    for render in (nftables, iptables):
        with pytest.raises(ValidationError, match="nobody could log in"):
            render(rules)
    from_one = [FirewallRule("tcp", [22], ["10.0.0.9"], "ssh")]
    assert "10.0.0.9" in iptables(from_one)
    with pytest.raises(ValidationError, match="nobody could log in"):
        iptables(from_one, version=6)
    with pytest.raises(ValidationError, match="port 2222"):
        nftables(from_one, ssh_port=2222)
    with pytest.raises(ValidationError, match="not a name"):
        nftables(from_one, table="a {")


def test_iptables():
    rules = rules_for(["ssh", "cman"], peers=["10.0.0.1", "fd00::1"])
    assert iptables(rules).splitlines()[4:] == [
        "-A INPUT -m state --state ESTABLISHED,RELATED -j ACCEPT",
        "-A INPUT -i lo -j ACCEPT",
        "-A INPUT -p icmp -j ACCEPT",
        '-A INPUT -p tcp -m multiport --dports 22 -m comment --comment "ssh" -j ACCEPT',
        "-A INPUT -s 10.0.0.1 -p udp -m multiport --dports 5404:5405"
        ' -m comment --comment "cman" -j ACCEPT',
        '-A INPUT -s 10.0.0.1 -p igmp -m comment --comment "cman" -j ACCEPT',
        "COMMIT",
    ]
    six = iptables(rules, version=6)
    assert "-p ipv6-icmp" in six
    assert "fd00::1" in six
    assert "10.0.0.1" not in six
    assert "igmp" not in six


@given(st.lists(st.integers(1, 400) | st.tuples(st.integers(1, 9), st.integers(9, 20)), min_size=1))
def test_no_match_has_more_ports_than_iptables_takes(ports):
    rule = FirewallRule("tcp", ports)
    lines = iptables([FirewallRule("tcp", [22]), rule]).splitlines()[8:-1]
    counts = [line.split("--dports ")[1].split()[0].split(",") for line in lines]
    assert sum(map(len, counts)) == len(rule.ports)
    assert all(sum(2 if ":" in each else 1 for each in count) <= 15 for count in counts)


def test_firewalld():
    rules = rules_for(["cman", "smb"], peers=PEERS)
    assert firewalld_service(rules, short="NAS & co", description="<all>") == (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        "<service>\n"
        "  <short>NAS &amp; co</short>\n"
        "  <description>&lt;all&gt;</description>\n"
        '  <port protocol="udp" port="5404-5405"/>\n'
        '  <protocol value="igmp"/>\n'
        '  <port protocol="tcp" port="445"/>\n'
        "</service>\n"
    )


def test_commands():
    assert commands.nft_check("x").shell() == "nft -c -f -"
    assert commands.nft_check("x").stdin == b"x"
    assert commands.nft_list().effect is Effect.READ
    assert commands.nft_load("/etc/nas.nft").shell() == "nft -f /etc/nas.nft"
    assert commands.iptables_restore("x", check=True).shell() == "iptables-restore --test"
    assert commands.iptables_restore("x", version=6).shell() == "ip6tables-restore"
    assert commands.iptables_restore("x").effect is Effect.CHANGE
    assert commands.firewalld_new_service("nas", "/n.xml").shell() == (
        "firewall-cmd --permanent --new-service-from-file=/n.xml --name=nas"
    )
    assert commands.firewalld_reload().shell() == "firewall-cmd --reload"
    with pytest.raises(ValidationError):
        commands.nft_load("-f")


def test_every_component_has_rules():
    rules = rules_for(COMPONENTS, peers=PEERS)
    assert {rule.why for rule in rules} == set(COMPONENTS)
