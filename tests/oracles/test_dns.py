"""named-checkzone, named-compilezone and a real named decide about our zone files."""

from __future__ import annotations

import re
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clusternas.core.syntax.zone import unquote
from clusternas.core.text import encode
from clusternas.dns.commands import (
    Rndc,
    Swap,
    delv,
    dig,
    dig_axfr,
    dig_short,
    named_checkconf,
    named_checkzone,
    named_compilezone,
    named_version,
    nsupdate,
)
from clusternas.dns.model import Soa, ZoneFile, ZoneRecord
from clusternas.dns.names import RECORD_TYPES
from clusternas.dns.resolve import resolve
from clusternas.dns.roundrobin import DnsRoundRobin
from clusternas.runners.local import Local

RUN = Local()
HEAD = "$ORIGIN e.test.\n$TTL 1h\n@ IN SOA ns1 h 1 2 3 4 5\n@ NS ns1\nns1 A 10.0.0.1\n"

ACCEPTED = {
    "class before ttl": "a IN 30 A 10.0.0.2\n",
    "ttl before class": "a 30 IN A 10.0.0.2\n",
    "units": "a 1h30m A 10.0.0.2\nb 1D A 10.0.0.2\nc 2w A 10.0.0.1\nd 0s5 A 10.0.0.1\n",
    "blank owner": "a A 10.0.0.2\n\tA 10.0.0.3\n \n\t; c\n\tA 10.0.0.4\n",
    "blank owner after $ORIGIN": "a A 10.0.0.2\n$ORIGIN x.e.test.\n\tA 10.0.0.3\n",
    "parentheses": 'a ( A\n 10.0.0.2 )\nb TXT ("x" ; c\n "y"\n)\n',
    "parenthesis first": "( a A\n 10.0.0.2 )\n ( A 10.0.0.3 )\n(b A 10.0.0.4)\n",
    "nothing in parentheses": "a A 10.0.0.2\n( )\n\tA 10.0.0.3\n",
    "nested parentheses": 'a TXT ( "x" ( y\n ) z )\n',
    "carriage returns in parentheses": "a ( A\r10.0.0.2 )\n",
    "escapes": 'c TXT \\065\\"\\\\\n',
    "semicolons": 'a TXT "v=DMARC1; p=none" ; c\nb TXT foo;bar\nc TXT foo\\;bar\n',
    "empty string": 'a TXT ""\n',
    "adjacent strings": 'a TXT "x""y"z"w"\n',
    "escaped newline in quotes": 'a TXT "x\\\ny" z\nb A 10.0.0.3\n',
    "relative $ORIGIN": "$ORIGIN sub\na A 10.0.0.2\n$ORIGIN deep\nb A 10.0.0.3\n",
    "ttl of the set": "a 30 A 10.0.0.2\na 60 A 10.0.0.3\na TXT x\n",
    "several $TTL": "a A 10.0.0.2\n$TTL 5\nb A 10.0.0.2\nc 7 A 10.0.0.2\nd A 10.0.0.3\n",
    "duplicates": "a A 10.0.0.2\na A 10.0.0.2\n",
    "a wildcard": "* A 10.0.0.2\n",
    "unknown data": "a TYPE65280 \\# 4 0A000001\n",
    "no end of line": "a A 10.0.0.2",
    "lower case": "a in a 10.0.0.2\n",
    "types as owners": "A A 10.0.0.2\nIN A 10.0.0.3\nTXT TXT x\n10 A 10.0.0.4\n1h A 10.0.0.5\n",
    "comment at once": "a A 10.0.0.2;c\n",
    "large ttl": "a 2147483648 A 10.0.0.2\n",
    "lone carriage returns": "a A 10.0.0.2\rb A 10.0.0.3 ; c\rc A 10.0.0.4\n",
    "quoted owner": '"a" A 10.0.0.2\n',
    "escaped dollar": "\\$TTL A 10.0.0.2\n",
    "numbered class": "a CLASS1 A 10.0.0.2\n",
    "raw bytes": "a TXT h\u00e9\n",
    "no data": "a APL\n",
    "owner over $GENERATE": "a A 10.0.0.2\n$GENERATE 1-2 n$ A 10.0.1.$\n\tA 10.0.0.3\n",
}
REFUSED = {
    "open parenthesis": 'a TXT ( "x"\nb A 10.0.0.1\n',
    "closing parenthesis": "a A 10.0.0.2 )\n",
    "newline in quotes": 'a TXT "x\ny"\n',
    "open quote": 'a TXT "x\n',
    "large escape": "a TXT \\999\n",
    "short escape": "a TXT \\12x\n",
    "escape at the end": "a TXT x\\",
    "bad time": "a 1y A 10.0.0.2\n",
    "negative ttl": "a -1 A 10.0.0.2\n",
    "form feed": "a\x0cA 10.0.0.2\n",
    "unknown directive": "$FOO bar\n",
    "indented directive": " $TTL 5\n",
    "$TTL with two words": "$TTL 5 6\nb A 10.0.0.2\n",
    "class twice": "a IN 30 IN A 10.0.0.2\n",
    "unknown type": "a CNMAE b\n",
    "address missing": "a A\n",
    "bad address": "a A 10.0.0.256\n",
    "zeros in front": "a A 010.0.0.01\n",
    "alias beside data": "a CNAME ns1\na A 10.0.0.2\n",
    "two aliases": "a CNAME ns1\na CNAME b\nb A 10.0.0.2\n",
}


@pytest.fixture(autouse=True)
def bind(oracle):
    oracle("named-compilezone", package="bind9-utils")


def as_named_reads(text: str) -> set[tuple[str, int, str, tuple[str, ...]]]:
    found = RUN.run(named_compilezone("e.test", content=text)).value
    return {
        (each.name.lower(), each.ttl, each.type, tuple(map(unquote, each.data)))
        for each in found
        if each.type not in ("SOA", "NS")
    }


def as_we_read(text: str) -> set[tuple[str, int | None, str, tuple[str, ...]]]:
    found = resolve(ZoneFile.syntax.parse(encode(text)), "e.test")
    return {
        (unquoted(each.name).lower(), each.ttl, each.node.key, data(each.node.values[3:]))
        for each in found
        if each.node.key not in ("SOA", "NS")
    }


def unquoted(name: str) -> str:
    return name.replace('"', "")


def data(words: list[str]) -> tuple[str, ...]:
    return tuple(encode(unquote(word)).decode("latin-1") for word in words)


def endings() -> Iterator[object]:
    for name, body in ACCEPTED.items():
        yield pytest.param(HEAD + body, id=name)
        if "\\\n" not in body:  # there the carriage return would be what is escaped
            yield pytest.param((HEAD + body).replace("\n", "\r\n"), id=f"{name}, CR LF")


@pytest.mark.parametrize("text", list(endings()))
def test_we_read_what_named_reads(text):
    theirs = {row for row in as_named_reads(text) if not row[0].startswith("n")}
    ours = {row for row in as_we_read(text) if not row[0].startswith("n")}
    assert ours == {(*row[:3], tuple(row[3])) for row in theirs}
    assert not [each for each in ZoneFile.parse(encode(text)).validate() if each.code == "DNS000"]


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED)
def test_we_report_what_named_refuses(body):
    text = HEAD + body
    assert not RUN.run(named_checkzone("e.test", content=text)).value.loaded
    errors = [each for each in ZoneFile.parse(text).validate() if each.severity.value == "error"]
    assert errors
    assert min(each.line for each in errors) >= 6


@pytest.mark.parametrize(
    "head",
    [
        "@ 600 SOA ns1 h 1 2 3 4 5\n@ NS ns1\nns1 60 A 10.0.0.1\nb A 10.0.0.1\n",
        "@ SOA ns1 h 1 2 3 4 5\n@ NS ns1\nns1 A 10.0.0.1\nb 9 A 10.0.0.1\nc A 10.0.0.2\n",
        "@ SOA ns1 h 1 2 3 4 5\n@ 8 NS ns1\n@ 9 NS ns2\nns1 A 10.0.0.1\nns2 A 10.0.0.2\n",
    ],
)
def test_ttls_that_nobody_wrote(head):
    assert as_we_read(head) == as_named_reads(head)


OWNERS = st.sampled_from(["a", "b", "cluster", "x.y", "A", "@", "z.e.test."])
LINES = st.builds(
    "{}{}{}TXT {}{}\n".format,
    OWNERS | st.just(""),
    st.sampled_from([" ", "\t\t", "            "]),
    st.sampled_from(["", "30 ", "IN\t", "IN 1h ", "5 IN "]),
    st.sampled_from(["x", '"x ; y" z', "( ; c\n  x )", "foo\\;bar"]),
    st.sampled_from(["", " ; c", ";"]),
)
DIRECTIVES = st.sampled_from(["$TTL 5\n", "$ORIGIN x\n", "$ORIGIN e.test.\n", "\n", "; c\n"])


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(LINES | DIRECTIVES, max_size=9), st.data())
def test_a_changed_zone_means_what_it_says(parts, chance):
    zone = ZoneFile.parse(HEAD + "first TXT x\n" + "".join(parts))
    names = sorted(
        {(each.name, each.type) for each in zone.rrsets().values() if each.type == "TXT"}
    )
    name, kind = chance.draw(st.sampled_from(names))
    new = chance.draw(st.lists(st.sampled_from(["n1", "n2", "x", '"x ; y" z']), unique=True))
    before = as_named_reads(zone.render())
    after = as_named_reads(zone.with_rrset(name, kind, new).bump().render())
    others = {row for row in before if (row[0], row[2]) != (name.lower(), kind)}
    assert {row for row in after if (row[0], row[2]) != (name.lower(), kind)} == others
    mine = [row for row in after if row not in others]
    wanted = [("x ; y", "z") if each.startswith('"') else (each,) for each in new]
    assert sorted(row[3] for row in mine) == sorted(wanted)


def test_a_zone_made_from_nothing(oracle):
    soa = Soa(mname="node1", rname="root.e.test.", serial=1)
    records = [
        ZoneRecord(owner="@", type="NS", data=("node1",)),
        ZoneRecord(owner="node1", class_="IN", type="A", data=("192.0.2.1",)),
    ]
    zone = ZoneFile(origin="e.test.", ttl=60, soa=soa, records=records)
    cluster = DnsRoundRobin(name="cluster", addresses=["192.0.2.1", "2001:db8::1"], zone=zone)
    text = cluster.render()
    check = RUN.run(named_checkzone("e.test", content=text)).value
    assert (check.loaded, check.serial, check.messages) == (True, 2, ())
    assert DnsRoundRobin.parse(text, "cluster") == attrs.evolve(cluster, ttl=60)


def test_knot_takes_it_too(oracle, tmp_path):
    kzonecheck = oracle("kzonecheck", package="knot-dnssecutils")
    path = tmp_path / "zone"
    zone = ZoneFile.parse(HEAD).with_rrset("nas", "A", ["192.0.2.1", "192.0.2.2"], ttl=30)
    path.write_text(zone.render())
    subprocess.run([kzonecheck, "-o", "e.test", str(path)], check=True)


def test_checkers_say_where(tmp_path):
    text = HEAD + "a A 10.0.0.256\n"
    (message, *_) = RUN.run(named_checkzone("e.test", content=text)).value.messages
    assert (message.line, message.text) == (6, "near '10.0.0.256': bad dotted quad")
    text = HEAD + "my_host A 10.0.0.2\n"
    (message,) = RUN.run(named_checkzone("e.test", content=text)).value.messages
    assert (message.line, message.text) == (6, "my_host.e.test: bad owner name (check-names)")
    conf = tmp_path / "named.conf"
    conf.write_text("options {\n foo;\n};\n")
    (found,) = RUN.run(named_checkconf(str(conf))).value
    assert (found.line, found.text) == (2, "unknown option 'foo'")


@pytest.mark.parametrize("type", sorted(RECORD_TYPES | {"CNMAE", "FOO", "HOST"}))
def test_we_know_the_types_that_named_knows(type):
    assert type_is_known(type) == (type in RECORD_TYPES)


def type_is_known(type: str) -> bool:
    check = RUN.run(named_checkzone("e.test", content=f"{HEAD}a {type} ?\n")).value
    return not any("unknown RR type" in each.text for each in check.messages)


# --- a server


@attrs.frozen
class Server:
    port: int
    key: str
    bad_key: str
    rndc: Rndc
    zone: Path

    def ask(self, name: str) -> tuple[str, ...]:
        return RUN.run(dig_short(name, server="127.0.0.1", port=self.port)).value


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture(scope="module")
def server(oracle, tmp_path_factory) -> Iterator[Server]:
    named = oracle("named", package="bind9")
    keygen = oracle("tsig-keygen", package="bind9-utils")
    for tool in ("dig", "nsupdate"):
        oracle(tool, package="bind9-dnsutils")
    base = tmp_path_factory.mktemp("named")
    port, control = free_port(), free_port()
    key, bad_key = base / "key.conf", base / "bad.conf"
    key.write_bytes(subprocess.run([keygen, "nas-key"], check=True, capture_output=True).stdout)
    bad_key.write_text(re.sub(r'secret "....', 'secret "AAAA', key.read_text()))
    zone = base / "e.zone"
    cluster = DnsRoundRobin.parse(HEAD + "nas 5 A 192.0.2.1\nnas 5 A 192.0.2.2\n")
    zone.write_text(attrs.evolve(cluster, addresses=["192.0.2.1", "192.0.2.7"]).render())
    (base / "rndc.conf").write_text(
        f'include "{key}"; options {{ default-key "nas-key"; default-server 127.0.0.1;'
        f" default-port {control}; }};"
    )
    (base / "named.conf").write_text(
        f"""include "{key}";
options {{ directory "{base}"; listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
  pid-file none; session-keyfile none; recursion no; dnssec-validation no;
  rrset-order {{ class IN type A name "nas.e.test" order cyclic; }}; }};
controls {{ inet 127.0.0.1 port {control} allow {{ 127.0.0.1; }} keys {{ "nas-key"; }}; }};
zone "e.test" {{ type primary; file "{zone}";
  update-policy {{ grant nas-key name nas.e.test. A AAAA; }}; }};
"""
    )
    assert RUN.run(named_checkconf(str(base / "named.conf"), zones=True)).value == ()
    call = [named, "-c", str(base / "named.conf"), "-g"]
    with (base / "log").open("wb") as log, subprocess.Popen(call, stderr=log) as process:
        try:
            await_answer(port, base / "log")
            yield Server(port, str(key), str(bad_key), Rndc(config=str(base / "rndc.conf")), zone)
        finally:
            process.terminate()
            process.wait(20)


def await_answer(port: int, log: Path) -> None:
    for _ in range(100):
        if b"running" in log.read_bytes():
            return
        time.sleep(0.1)
    pytest.fail(f"named did not start on port {port}: {log.read_text()[-2000:]}")


def test_a_real_server_rotates_what_we_rendered(server):
    found = [server.ask("nas.e.test") for _ in range(4)]
    assert {frozenset(each) for each in found} == {frozenset({"192.0.2.1", "192.0.2.7"})}
    assert len({each[0] for each in found}) == 2
    answer = RUN.run(dig("nas.e.test", server="127.0.0.1", port=server.port)).value
    assert answer.status == "NOERROR"
    assert {each.ttl for each in answer.records} == {5}
    missing = RUN.run(dig("no.e.test", server="127.0.0.1", port=server.port)).value
    assert (missing.status, missing.records) == ("NXDOMAIN", ())
    refused = RUN.run(dig("nas.other", server="127.0.0.1", port=server.port, tcp=True)).value
    assert refused.status == "REFUSED"


def test_of_two_updaters_one_is_told(server):
    place = {"server": "127.0.0.1", "port": server.port, "key_file": server.key}
    before = RUN.run(dig_axfr("e.test", server="127.0.0.1", port=server.port)).value.records
    cluster = DnsRoundRobin(name="nas", addresses=["192.0.2.1", "192.0.2.9"], ttl=5)
    update = cluster.publish("e.test", before, **place)
    assert RUN.run(update).value.applied
    assert sorted(server.ask("nas.e.test")) == ["192.0.2.1", "192.0.2.9"]
    late = RUN.run(update).value
    assert (late.applied, late.conflict, late.rcode) == (False, True, "NXRRSET")
    now = RUN.run(dig("nas.e.test", server="127.0.0.1", port=server.port)).value.records
    back = DnsRoundRobin(name="nas", addresses=["192.0.2.1", "192.0.2.7"], ttl=5)
    assert RUN.run(back.publish("e.test", now, **place)).value.applied
    assert sorted(server.ask("nas.e.test")) == ["192.0.2.1", "192.0.2.7"]


def test_the_server_refuses_others(server):
    swap = Swap(name="other.e.test.", type="A", old=(), new=("192.0.2.1",))
    place = {"server": "127.0.0.1", "port": server.port}
    outside = RUN.run(nsupdate("e.test", [swap], key_file=server.key, **place)).value
    assert (outside.rcode, outside.conflict) == ("REFUSED", False)
    swap = attrs.evolve(swap, name="nas.e.test.", type="AAAA", new=("2001:db8::1",))
    unknown = RUN.run(nsupdate("e.test", [swap], **place)).value
    assert unknown.rcode == "REFUSED"
    forged = RUN.run(nsupdate("e.test", [swap], key_file=server.bad_key, **place)).value
    assert (forged.rcode, forged.detail) == ("NOTAUTH", "BADSIG")


def test_rndc_tells_of_a_dynamic_zone(server):
    status = RUN.run(server.rndc.status()).value
    assert status.running
    assert "BIND 9" in status.version
    assert "BIND 9" in RUN.run(named_version()).value
    zone = RUN.run(server.rndc.zonestatus("e.test")).value
    assert (zone.name, zone.dynamic, zone.frozen) == ("e.test", True, False)
    RUN.run(server.rndc.freeze("e.test"))
    assert RUN.run(server.rndc.zonestatus("e.test")).value.frozen
    edited = DnsRoundRobin.read(server.zone, "nas").zone_file().bump()
    edited.write()
    RUN.run(server.rndc.thaw("e.test"))
    after = RUN.run(server.rndc.zonestatus("e.test")).value
    assert edited.soa is not None
    assert (after.frozen, after.serial) == (False, edited.soa.serial)
    RUN.run(server.rndc.sync("e.test", clean=True))
    RUN.run(server.rndc.reload())


def test_delv_asks_too(server, oracle):
    oracle("delv", package="bind9-dnsutils")
    found = RUN.run(delv("nas.e.test", server="127.0.0.1", port=server.port, validate=False)).value
    assert sorted(found.data("nas.e.test", "A")) == ["192.0.2.1", "192.0.2.7"]
    failed = RUN.run(delv("nas.e.test", server="127.0.0.1", port=server.port)).value
    assert (failed.records, failed.failure) == ((), "resolution failed: broken trust chain")
