"""Recorded outputs of BIND, decoded."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from clusternas.core.command import Output
from clusternas.core.errors import ParseError
from clusternas.dns import status

DATA = Path(__file__).parent.parent / "data" / "bind" / "9.18.49"


def output(name: str, exit_code: int = 0) -> Output:
    content = (DATA / name).read_bytes()
    on_stderr = name.endswith(".stderr")
    return Output(exit_code, b"" if on_stderr else content, content if on_stderr else b"")


def test_an_answer():
    found = status.answer(output("dig-cluster.txt"))
    assert found.status == "NOERROR"
    assert found.data("CLUSTER.lab.test", "A") == ("192.168.1.11", "192.168.1.12")
    assert found.records[0] == status.DnsRecord(
        name="cluster.lab.test.", ttl=60, type="A", data=("192.168.1.11",)
    )
    assert pickle.loads(pickle.dumps(found)) == found


def test_no_such_name_is_an_answer():
    found = status.answer(output("dig-nxdomain.txt"))
    assert found.status == "NXDOMAIN"
    assert [each.type for each in found.records] == ["SOA"]


def test_a_zone_transfer():
    found = status.answer(output("dig-axfr.txt"))
    assert [each.type for each in found.records] == ["SOA", "NS", "NS", "A", "A", "A", "A", "SOA"]
    refused = status.answer(output("dig-axfr-refused.txt"))
    assert (refused.status, refused.records, refused.failure) == (
        "NOTAUTH",
        (),
        "Transfer failed.",
    )


def test_short_answers():
    found = status.short(output("dig-cluster-short-1.txt"))
    assert found == ("192.168.1.12", "192.168.1.11")
    assert status.short(Output(stdout=b";; communications error\n")) == ()


def test_delv():
    found = status.delv_answer(output("delv-unsigned.txt"))
    assert (found.trust, len(found.records)) == ("authoritative", 1)
    failed = status.delv_answer(output("delv-failed.stderr"))
    assert failed == status.DnsAnswer(failure="resolution failed: broken trust chain")


def test_records_need_a_ttl():
    assert status.records(output("named-compilezone.txt"))[2].data == ('"x;y"',)
    with pytest.raises(ParseError, match="not a record with a TTL"):
        status.records(Output(stdout=b"a A 1.2.3.4\n"))


def test_zone_checks():
    good = status.checked_zone(output("named-checkzone.txt"))
    assert good == status.ZoneCheck(loaded=True, serial=2026112301)
    warned = status.checked_zone(output("named-checkzone-warnings.txt"))
    assert warned.loaded
    assert [(each.line, each.text) for each in warned.messages] == [
        (5, "my_host.e.test: bad owner name (check-names)"),
        (7, "TTL set to prior TTL (30)"),
    ]
    refused = status.checked_zone(output("named-checkzone-refused.txt", 1))
    assert (refused.loaded, refused.serial) == (False, None)
    assert refused.messages[0] == status.Message(
        text="near '127.0.0.256': bad dotted quad", path="/dev/stdin", line=4
    )


def test_configuration_checks():
    text = b"/etc/bind/named.conf:1: unknown option 'foo'\n"
    (found,) = status.checked_conf(Output(1, text))
    assert (found.path, found.line) == ("/etc/bind/named.conf", 1)
    assert status.checked_conf(Output()) == ()
    with pytest.raises(ParseError, match="said nothing"):
        status.checked_conf(Output(1))


def test_updates():
    assert status.update(Output()).applied
    late = status.update(output("nsupdate-conflict.stderr", 2))
    assert (late.rcode, late.applied, late.conflict) == ("NXRRSET", False, True)
    forged = status.update(output("nsupdate-badsig.stderr", 2))
    assert (forged.rcode, forged.detail, forged.conflict) == ("NOTAUTH", "BADSIG", False)
    with pytest.raises(ParseError, match="nsupdate had no answer: 'could not"):
        status.update(Output(2, b"", b"could not reach any name server\n"))


def test_rndc():
    found = status.rndc_status(output("rndc-status.txt"))
    assert (found.running, found.zones) == (True, 7)
    assert found.version.startswith("BIND 9.18.49")
    assert found.facts["recursive clients"] == "0/900/1000"
    zone = status.zone_status(output("rndc-zonestatus.txt"))
    assert (zone.name, zone.type, zone.dynamic, zone.frozen) == ("e.test", "primary", True, False)
    assert zone.files == ("/var/lib/bind/e.zone",)
    for decode in (status.rndc_status, status.zone_status):
        with pytest.raises(ParseError):
            decode(Output(stdout=b"nonsense"))
