"""Zone files as values."""

from __future__ import annotations

import pickle
from datetime import date
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from clusternas.core.errors import ParseError, ValidationError
from clusternas.core.syntax.zone import quote
from clusternas.dns.change import rising
from clusternas.dns.choice import Candidate, choose
from clusternas.dns.codecs import seconds
from clusternas.dns.model import Soa, ZoneFile, ZoneRecord
from clusternas.dns.roundrobin import DnsRoundRobin
from clusternas.dns.serial import is_newer, next_serial
from clusternas.dns.status import DnsRecord

LAB = (Path(__file__).parent.parent / "data" / "bind" / "9.18.49" / "db.lab.test").read_text()
DUMPED = """\
$ORIGIN .
$TTL 3600\t; 1 hour
e.test\t\t\tIN SOA\tns1.e.test. h.e.test. (
\t\t\t\t13         ; serial
\t\t\t\t7200       ; refresh (2 hours)
\t\t\t\t1h         ; retry (1 hour)
\t\t\t\t2419200    ; expire (4 weeks)
\t\t\t\t30         ; minimum (30 seconds)
\t\t\t\t)
\t\t\tNS\tns1.e.test.
$ORIGIN e.test.
$TTL 5\t; 5 seconds
nas\t\t\tA\t192.0.2.2
\t\t\tA\t192.0.2.3
$TTL 3600\t; 1 hour
ns1\t\t\tA\t127.0.0.1
"""


@pytest.fixture
def zone() -> ZoneFile:
    return ZoneFile.parse(LAB)


def test_what_is_in_it(zone):
    assert zone.ttl == 60
    assert zone.origin is None
    assert zone.soa == Soa(
        mname="node1.lab.test.", rname="root.lab.test.", serial=2026112301, expire=86400
    )
    assert zone.records["node1 A"].data == ("192.168.1.11",)
    assert zone.records[1] == ZoneRecord(
        owner="@", class_="IN", type="NS", data=("node2.lab.test.",)
    )
    assert zone.render() == LAB
    assert zone.validate() == []
    assert pickle.loads(pickle.dumps(zone)) == zone


def test_one_value_changes_its_bytes_only():
    for newline in ("\n", "\r\n"):
        text = DUMPED.replace("\n", newline)
        zone = ZoneFile.parse(text)
        assert zone.soa is not None
        soa = evolve(zone.soa, serial=14)
        assert evolve(zone, soa=soa).render() == text.replace("13 ", "14 ")
        records = list(zone.records)
        records[2] = evolve(records[2], data=("192.0.2.9",))
        assert evolve(zone, records=records).render() == text.replace("192.0.2.3", "192.0.2.9")
        records[2] = evolve(records[2], ttl=7)
        assert "\t\t\t7\tA\t192.0.2.9" in evolve(zone, records=records).render()


def test_a_zone_that_named_has_written():
    zone = ZoneFile.parse(DUMPED)
    assert zone.apex() == "e.test."
    nas = zone.rrset("nas", "a")
    assert nas is not None
    assert (nas.name, nas.ttl, nas.data) == ("nas.e.test.", 5, ("192.0.2.2", "192.0.2.3"))
    ns1 = zone.rrset("ns1.e.test.", "A")
    assert ns1 is not None
    assert ns1.ttl == 3600
    more = zone.with_rrset("nas", "A", [*nas.data, "192.0.2.4"], ttl=5)
    assert more.render() == DUMPED.replace("2.3\n", "2.3\n\t\t\tA\t192.0.2.4\n")
    assert zone.with_rrset("nas", "A", nas.data, ttl=5).render() == DUMPED
    less = zone.with_rrset("nas", "A", ["192.0.2.3"])
    assert less.render() == DUMPED.replace("A\t192.0.2.2\n\t\t\t", "").replace(
        "nas\t\t\t", "nas\t\t\t"
    )


def test_made_from_nothing(zone):
    assert zone.soa is not None
    made = ZoneFile(
        origin="lab.test.",
        ttl=60,
        soa=zone.soa,
        records=[
            ZoneRecord(owner="@", type="NS", data=("node1",)),
            ZoneRecord(owner="a", ttl=5, class_="IN", type="TXT", data=(quote("x y"), "z")),
        ],
    )
    assert made.render() == (
        "$ORIGIN lab.test.\n"
        "$TTL 60\n"
        "@\tIN\tSOA\tnode1.lab.test. root.lab.test. (\n"
        "\t\t\t2026112301 ; serial\n"
        "\t\t\t3600       ; refresh\n"
        "\t\t\t600        ; retry\n"
        "\t\t\t86400      ; expire\n"
        "\t\t\t60 )       ; minimum\n"
        "@\tNS\tnode1\n"
        'a\t5\tIN\tTXT\t"x y" z\n'
    )
    assert ZoneFile.parse(made.render()) == made


def test_what_cannot_be_written():
    with pytest.raises(ValidationError, match="not one word of a zone file"):
        ZoneRecord(owner="a b", type="A", data=())
    with pytest.raises(ValidationError, match="not one word of a zone file"):
        ZoneRecord(owner="a", type="TXT", data=("x;y",))
    with pytest.raises(ValidationError, match="not a number of seconds"):
        ZoneRecord(owner="a", ttl=-1, type="A", data=())
    with pytest.raises(ValidationError, match="without a SOA"):
        ZoneFile().bump()


RECORDS = st.lists(
    st.builds(
        ZoneRecord,
        owner=st.sampled_from(["a", "b", "@", "c.e."]),
        ttl=st.none() | st.just(30),
        class_=st.none() | st.just("IN"),
        type=st.sampled_from(["A", "TXT"]),
        data=st.sampled_from([("1.2.3.4",), ("x", '"y z"')]),
    ),
    max_size=5,
)


@given(RECORDS, st.lists(st.integers(0, 12), max_size=12), RECORDS)
def test_any_records_in_any_order(start, order, new):
    text = "$TTL 5\n@ SOA a b 1 2 3 4 5 ; soa\n" + "".join(
        f"{'' if at % 2 and at else record.owner}\t{' '.join((record.type, *record.data))} ; {at}\n"
        for at, record in enumerate(start)
    )
    zone = ZoneFile.parse(text)
    pool = [*zone.records, *new]
    records = [pool[at] for at in dict.fromkeys(order) if at < len(pool)]
    changed = evolve(zone, records=records)
    assert ZoneFile.parse(changed.render()) == changed
    assert "; soa" in changed.render()


def test_records_that_stay_in_order_keep_their_lines():
    assert rising([0, 1, 2]) == {0, 1, 2}
    assert rising([None, 2, 0, 1, None, 3]) == {2, 3, 5}
    assert rising([]) == set()


# --- serials and times


def test_serials():
    assert next_serial(0) == 1
    assert next_serial(2**32 - 1) == 1
    assert next_serial(13, date(2026, 11, 23)) == 2026112300
    assert next_serial(2026112300, date(2026, 11, 23)) == 2026112301
    assert next_serial(2027010100, date(2026, 11, 23)) == 2027010101


@given(st.integers(0, 2**32 - 1), st.none() | st.dates(date(1990, 1, 1), date(2100, 1, 1)))
def test_the_next_serial_is_always_taken(serial, day):
    assert is_newer(next_serial(serial, day), serial)


@pytest.mark.parametrize(
    ("word", "value"), [("0", 0), ("1h30m", 5400), ("2W", 1209600), ("1m1h", 3660), ("0s5", 5)]
)
def test_times(word, value):
    assert seconds(word) == value


@pytest.mark.parametrize("word", ["", "1y", "1h30", "-1", "1.5h", "\u0661"])
def test_no_times(word):
    with pytest.raises(ValueError, match="not a time"):
        seconds(word)


# --- the round robin


def test_the_one_name_with_several_addresses(zone):
    cluster = DnsRoundRobin.parse(LAB)
    assert cluster == DnsRoundRobin(
        name="cluster", addresses=["192.168.1.11", "192.168.1.12"], ttl=60
    )
    assert cluster.render() == LAB
    assert DnsRoundRobin.of(zone, "node1").addresses == ("192.168.1.11",)
    named = DnsRoundRobin.parse(LAB, "cluster", origin="lab.test")
    assert named.addresses == cluster.addresses
    assert cluster.diff() == ""
    with pytest.raises(ParseError, match="nosuch has no address"):
        DnsRoundRobin.of(zone, "nosuch")
    with pytest.raises(ParseError, match="no name has several"):
        DnsRoundRobin.parse("a A 192.0.2.1\n")
    with pytest.raises(ParseError, match="several names have: a, b several"):
        DnsRoundRobin.parse("a A 192.0.2.1\n A 192.0.2.2\nb A 192.0.2.1\n AAAA ::2\n")


def test_other_addresses_and_one_new_serial():
    cluster = DnsRoundRobin.parse(LAB)
    other = evolve(cluster, addresses=["192.168.1.12", "2001:db8::1"])
    assert other.render() == LAB.replace("301 ", "302 ").replace(
        "cluster\tIN\tA\t192.168.1.11\ncluster\tIN\tA\t192.168.1.12\n",
        "cluster\tIN\tA\t192.168.1.12\ncluster\tIN\tAAAA\t2001:db8::1\n",
    )
    assert " 2026112400 " in other.render(date(2026, 11, 24))
    assert other.validate() == []


def test_the_article_s_fragment():
    text = "cluster IN A 192.0.2.1\ncluster IN A 192.0.2.2\n"
    cluster = DnsRoundRobin.parse(text)
    assert (cluster.name, cluster.ttl) == ("cluster", None)
    assert evolve(cluster, ttl=30).render() == text.replace("cluster", "cluster 30")
    assert DnsRoundRobin(name="cluster", addresses=cluster.addresses).render() == text.replace(
        " ", "\t"
    )


def test_addresses_that_are_there_are_left_alone():
    text = "c 60 A 192.0.2.1\nc 60 A 192.0.2.1 ; twice\nc 300 AAAA 2001:DB8::0:1\n"
    cluster = DnsRoundRobin.parse(text)
    assert (cluster.addresses, cluster.ttl) == (("192.0.2.1", "2001:db8::1"), None)
    assert cluster.render() == text
    more = evolve(cluster, addresses=[*cluster.addresses, "2001:db8::2"])
    assert more.render() == text + "c 300 AAAA 2001:db8::2\n"
    with pytest.raises(ParseError, match="c: not an address: '192"):
        DnsRoundRobin.parse("c A 192.0.2.256\n", "c")


def test_addresses_are_checked():
    assert DnsRoundRobin(name="a", addresses=["2001:DB8::0:1", "2001:db8::1"]).addresses == (
        "2001:db8::1",
    )
    with pytest.raises(ValidationError, match="not an address"):
        DnsRoundRobin(name="a", addresses=["010.0.0.1"])
    with pytest.raises(ValidationError, match="no address"):
        DnsRoundRobin(name="a", addresses=[])
    with pytest.raises(ValidationError, match="one string"):
        DnsRoundRobin(name="a", addresses="192.0.2.1")


def test_publishing_replaces_what_was_seen():
    seen = [
        DnsRecord(name="cluster.lab.test.", ttl=60, type="A", data=("192.0.2.1",)),
        DnsRecord(name="node1.lab.test.", ttl=60, type="A", data=("192.0.2.7",)),
    ]
    cluster = DnsRoundRobin(name="cluster", addresses=["192.0.2.2", "2001:db8::1"], ttl=5)
    assert cluster.publish("lab.test", seen).stdin.decode() == (
        "zone lab.test.\n"
        "prereq yxrrset cluster.lab.test. A 192.0.2.1\n"
        "update delete cluster.lab.test. A\n"
        "update add cluster.lab.test. 5 A 192.0.2.2\n"
        "prereq nxrrset cluster.lab.test. AAAA\n"
        "update add cluster.lab.test. 5 AAAA 2001:db8::1\n"
        "send\n"
    )


CANDIDATES = st.builds(
    Candidate,
    st.integers(1, 9).map("192.0.2.{}".format),
    st.booleans(),
    st.none() | st.floats(0, 100),
)


@given(
    st.lists(CANDIDATES, min_size=1, unique_by=lambda each: each.address),
    st.none() | st.floats(0, 100),
    st.none() | st.integers(1, 5),
)
def test_some_address_is_always_published(nodes, max_load, limit):
    chosen = choose(nodes, max_load=max_load, limit=limit)
    every = [each.address for each in nodes]
    assert chosen
    assert list(chosen) == [each for each in every if each in chosen]
    healthy = {each.address for each in nodes if each.healthy}
    assert set(chosen) <= (healthy or set(every))
    if limit:
        assert len(chosen) <= limit
    calm = {e.address for e in nodes if e.healthy and (e.load or 0) <= (max_load or 100)}
    if calm and max_load:
        assert set(chosen) <= calm


def test_the_least_busy_are_chosen():
    nodes = [Candidate("a", load=3), Candidate("b", load=1), Candidate("c"), Candidate("d", False)]
    assert choose(nodes, limit=2) == ("b", "c")
    with pytest.raises(ValidationError):
        choose([])
    with pytest.raises(ValidationError):
        choose(nodes, limit=0)


def test_a_changed_zone_wants_a_new_serial(zone):
    changed = zone.with_rrset("cluster", "A", ["192.168.1.11"])
    (found,) = changed.validate()
    assert found.code == "DNS005"
    assert changed.bump().validate() == []


def test_dialects():
    text = LAB.replace("\n", "\r\n") + "$ORIGIN sub\r\n\tIN A 192.168.1.13\r\n"
    found = [(each.code, each.line) for each in ZoneFile.parse(text).validate()]
    assert ("DNS006", 10) in found
    assert len([code for code, _ in found if code == "DNS006"]) == 3
