"""What drbdadm and drbdsetup say of the configuration."""

from pathlib import Path

import pytest

from clusternas.core.command import Output
from clusternas.core.errors import ParseError
from clusternas.drbd.dumps import decode_dump_xml, decode_show_text, dump_config, show_text
from clusternas.drbd.model import Address, DrbdHandlers, DrbdNet

DATA = Path(__file__).parent.parent / "data" / "drbd"


def output(name: str) -> Output:
    return Output(stdout=(DATA / name).read_bytes())


def test_dump_xml_of_an_8_4_pair() -> None:
    config = decode_dump_xml(output("8.4.11/other/drbdadm-dump-xml.txt"))
    r0 = config.resources["r0"]
    assert r0.host_names() == ("node1", "node2")
    volume = r0.hosts["node1"].volumes["0"]
    assert (volume.minor, volume.disk, volume.meta_disk) == (1, "/dev/vda3", "internal")
    assert r0.hosts["node2"].address == Address("10.10.10.2", 7789, "ipv4")
    assert r0.net is not None
    assert (r0.net.protocol, r0.net.allow_two_primaries) == ("C", True)
    assert str(r0.disk.resync_rate) == "100M"
    assert r0.startup.become_primary_on == ("both",)
    assert config.validate() != []


def test_dump_xml_of_8_3() -> None:
    config = decode_dump_xml(output("dump-xml/8.3.xml"))
    r0 = config.resources["r0"]
    assert r0.net == DrbdNet(
        protocol="C",
        allow_two_primaries=True,
        cram_hmac_alg="sha1",
        shared_secret="a<b&c",
        verify_alg="sha1",
    )
    assert r0.hosts["n1"].meta_disk == "/dev/sdb[2]"
    assert r0.hosts["n2"].flexible_meta_disk == "/dev/sdc"
    assert r0.hosts["n2"].address == Address("fd00::2", 7788, "ipv6")
    assert config.common.handlers == DrbdHandlers(split_brain='/x y "z"')
    assert config.global_.disable_ip_verification is True


def test_dump_xml_of_9() -> None:
    r0 = decode_dump_xml(output("dump-xml/9.22.xml")).resources["r0"]
    assert [volume.disk for volume in r0.hosts["n1"].volumes] == ["/dev/sda5", "none"]
    assert r0.hosts["n1"].address is None
    (link,) = r0.connections
    assert link.paths[0].hosts["n2"].address == Address("10.0.0.2", 7788, "ipv4")
    assert str(link.volumes["0"].disk_options.c_max_rate) == "1M"


def test_show_of_8_4() -> None:
    (r0,) = decode_show_text(output("8.4.11/other/drbdsetup-show.txt"))
    assert (r0.name, r0.volumes[0].minor, r0.volumes[0].backing_disk) == ("r0", 1, "/dev/vda3")
    assert r0.volumes[0].disk == {"resync-rate": "102400k"}
    (link,) = r0.connections
    assert link.paths == (("ipv4 10.10.10.1:7789", "ipv4 10.10.10.2:7789"),)
    assert link.net["after-sb-0pri"] == "discard-zero-changes"


def test_nonsense_is_refused() -> None:
    for text in (b"", b"<a>", b'<!DOCTYPE x [<!ENTITY a "b">]><config>&a;</config>'):
        with pytest.raises(ParseError):
            decode_dump_xml(Output(stdout=text))
    with pytest.raises(ParseError):
        decode_show_text(Output(stdout=b"} x"))


def test_the_commands() -> None:
    assert str(dump_config("r0")) == "drbdadm dump-xml r0"
    assert str(show_text()) == "drbdsetup show"
