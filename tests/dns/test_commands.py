"""The command lines of BIND, and what is kept out of them."""

from __future__ import annotations

import pytest

from clusternas.core.command import Effect, Output
from clusternas.core.errors import Unreachable, UnsupportedError, ValidationError
from clusternas.core.versions import Toolset
from clusternas.dns import commands
from clusternas.dns.commands import Rndc, Swap
from clusternas.dns.names import dns_name, record_type, same_name


@pytest.mark.parametrize(
    ("command", "line"),
    [
        (commands.dig("a.b"), "dig -q a.b -t A +noall +comments +answer"),
        (
            commands.dig("a.b", "soa", server="192.0.2.1", port=5300, tcp=True),
            "dig @192.0.2.1 -p 5300 -q a.b -t SOA +tcp +noall +comments +answer",
        ),
        (commands.dig_short("a", server="ns1.lab.test"), "dig @ns1.lab.test -q a -t A +short"),
        (
            commands.dig_axfr("lab.test", server="2001:db8::1"),
            "dig @2001:db8::1 -q lab.test -t AXFR +noall +comments +answer",
        ),
        (commands.delv("a.b", validate=False), "delv -q a.b -t A -i"),
        (commands.named_checkzone("lab.test", "/z"), "named-checkzone -i local lab.test /z"),
        (
            commands.named_compilezone("lab.test", content="x"),
            "named-compilezone -i none -k ignore -s full -o - lab.test /dev/stdin",
        ),
        (commands.named_checkconf(), "named-checkconf"),
        (commands.named_checkconf("/c", zones=True), "named-checkconf -z /c"),
        (commands.named_version(), "named -v"),
        (Rndc().status(), "rndc status"),
        (
            Rndc(server="192.0.2.1", port=953).zonestatus("z"),
            "rndc -s 192.0.2.1 -p 953 zonestatus z",
        ),
    ],
)
def test_reading(command, line):
    assert command.shell() == line
    assert command.effect is Effect.READ


@pytest.mark.parametrize(
    ("command", "line"),
    [
        (Rndc(config="/r").reload("lab.test"), "rndc -c /r reload lab.test"),
        (Rndc().reload(), "rndc reload"),
        (Rndc().freeze("z"), "rndc freeze z"),
        (Rndc().thaw("z"), "rndc thaw z"),
        (Rndc().sync("z", clean=True), "rndc sync -clean z"),
    ],
)
def test_changing(command, line):
    assert command.shell() == line
    assert command.effect is Effect.CHANGE


def test_old_servers():
    old = Rndc(toolset=Toolset.EL6)
    assert old.freeze("z").shell() == "rndc freeze z"
    for call in (old.sync, old.zonestatus):
        with pytest.raises(UnsupportedError, match="exists since BIND"):
            call("z")


def test_a_silent_server_is_unreachable():
    with pytest.raises(Unreachable):
        commands.dig("a").result(Output(9, b";; no servers could be reached\n"))


def test_a_text_is_checked_before_it_is_written():
    assert commands.named_checkzone("z", content="a\udcff").stdin == b"a\xff"


@pytest.mark.parametrize(
    "name", ["", "-x", "@a", "+x", "a b", "a\nb", "a;b", "a" * 64, "a..b", "é"]
)
def test_no_name(name):
    with pytest.raises(ValidationError, match="not a DNS name"):
        commands.dig(name)
    with pytest.raises(ValidationError, match="not a server"):
        commands.dig("a", server=name or " ")


def test_names():
    assert dns_name(".") == "."
    assert (
        dns_name("_ldap._tcp.0/25.2.0.192.in-addr.arpa") == "_ldap._tcp.0/25.2.0.192.in-addr.arpa"
    )
    with pytest.raises(ValidationError):
        dns_name("a." * 127 + "a")
    assert record_type("type65280") == "TYPE65280"
    with pytest.raises(ValidationError):
        record_type("A B")
    assert same_name("A.b.", "a.B")
    with pytest.raises(ValidationError, match="not a port"):
        commands.dig("a", port=0)


# --- nsupdate

SWAP = Swap(name="nas.e.test.", type="A", old=("192.0.2.1", "192.0.2.2"), new=("192.0.2.3",), ttl=5)


def test_an_update_compares_the_whole_set():
    command = commands.nsupdate("e.test", [SWAP], server="127.0.0.1", port=5300, key_file="/k")
    assert command.shell() == "nsupdate -t 10 -k /k"
    assert command.ok == {0, 2}
    assert command.stdin.decode() == (
        "server 127.0.0.1 5300\n"
        "zone e.test.\n"
        "prereq yxrrset nas.e.test. A 192.0.2.1\n"
        "prereq yxrrset nas.e.test. A 192.0.2.2\n"
        "update delete nas.e.test. A\n"
        "update add nas.e.test. 5 A 192.0.2.3\n"
        "send\n"
    )


def test_a_first_update_wants_no_set():
    swap = Swap(name="nas.e.test.", type="AAAA", old=(), new=("2001:db8::1",))
    assert swap.lines() == [
        "prereq nxrrset nas.e.test. AAAA",
        "update add nas.e.test. 60 AAAA 2001:db8::1",
    ]


def test_no_name_loses_all_its_records():
    gone = Swap(name="nas.e.test.", type="A", old=("192.0.2.1",), new=())
    with pytest.raises(ValidationError, match="would have no record left"):
        commands.nsupdate("e.test", [gone])
    other = Swap(name="NAS.e.test.", type="AAAA", old=(), new=("2001:db8::1",))
    script = commands.nsupdate_script("e.test.", [gone, other])
    assert "update delete nas.e.test. A\n" in script
    with pytest.raises(ValidationError, match="nothing to update"):
        commands.nsupdate("e.test", [])
    with pytest.raises(ValidationError, match="is not in other\\."):
        commands.nsupdate("other", [SWAP])


@pytest.mark.parametrize("data", ["", "1\nsend", "a;b", 'x"', "a  b"])
def test_no_data_becomes_a_second_line(data):
    with pytest.raises(ValidationError, match="not the data of a record"):
        Swap(name="nas.e.test.", type="A", old=(), new=(data,))


def test_swaps_are_checked():
    with pytest.raises(ValidationError, match="not an absolute name"):
        Swap(name="nas", type="A", old=(), new=())
    with pytest.raises(ValidationError, match="not a TTL"):
        Swap(name="nas.", type="A", old=(), new=(), ttl=2**31)
