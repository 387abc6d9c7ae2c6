"""Resources and files as values: read, changed, written, in every generation."""

import pickle
from pathlib import Path

import pytest
from attrs import evolve

from clusternas.core.errors import UnsupportedError, ValidationError
from clusternas.core.versions import Toolset
from clusternas.drbd.layout import stored
from clusternas.drbd.model import (
    Address,
    DrbdCommon,
    DrbdConfig,
    DrbdConnection,
    DrbdDisk,
    DrbdEndpoint,
    DrbdFloating,
    DrbdGlobal,
    DrbdHost,
    DrbdNet,
    DrbdOptions,
    DrbdResource,
    DrbdStartup,
    DrbdVolume,
    Quantity,
)

DATA = Path(__file__).parent.parent / "data/drbd/8.4.11/other"
ARTICLE = """\
resource r0 {
  # the article's resource
  protocol C;

  startup { become-primary-on both; }
  net {
    after-sb-0pri discard-zero-changes;   # nobody wrote
    after-sb-1pri discard-secondary;
    after-sb-2pri disconnect;
  }
\tsyncer { rate 33M; }
  on linux-nas01 {
    device    /dev/drbd1;
    disk      /dev/vda3;
    address   10.0.0.1:7789;
    meta-disk internal;
  }
  on linux-nas02 {
    device    /dev/drbd1;
    disk      /dev/vda3;
    address   10.0.0.2:7789;
    meta-disk internal;
  }
}
"""


def host(name: str, number: int, **more: object) -> DrbdHost:
    values = {
        "device": "/dev/drbd1",
        "disk": "/dev/vda3",
        "meta_disk": "internal",
        "address": f"10.0.0.{number}:7789",
    } | more
    return DrbdHost(name=name, **values)


def resource(**more: object) -> DrbdResource:
    return DrbdResource(name="r0", hosts=[host("nas01", 1), host("nas02", 2)], **more)


def test_the_article_is_read() -> None:
    r0 = DrbdResource.parse(ARTICLE)
    assert r0.render() == ARTICLE
    assert r0.net == DrbdNet(
        protocol="C",
        after_sb_0pri="discard-zero-changes",
        after_sb_1pri="discard-secondary",
        after_sb_2pri="disconnect",
    )
    assert r0.disk == DrbdDisk(resync_rate="33M")
    assert r0.startup == DrbdStartup(become_primary_on=("both",))
    assert r0.host_names() == ("linux-nas01", "linux-nas02")
    assert r0.hosts["linux-nas01"].address == Address("10.0.0.1", 7789)
    assert [each.minor for each in r0.hosts["linux-nas02"].storage] == [1]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_one_added_option_is_one_added_line(newline: str) -> None:
    text = ARTICLE.replace("\n", newline)
    r0 = DrbdResource.parse(text)
    r0 = evolve(r0, net=evolve(r0.net, allow_two_primaries=True))
    line = f"    allow-two-primaries yes;{newline}"
    after = f"    after-sb-2pri disconnect;{newline}"
    assert r0.render() == text.replace(after, after + line)


def test_a_changed_value_changes_its_bytes_only() -> None:
    r0 = DrbdResource.parse(ARTICLE)
    r0 = evolve(r0, disk=evolve(r0.disk, resync_rate="40M"))
    assert r0.render() == ARTICLE.replace("33M", "40M")
    two = r0.hosts["linux-nas02"]
    r0 = evolve(r0, hosts=r0.hosts.put(evolve(two, address="10.0.0.3:7789")))
    assert r0.render() == ARTICLE.replace("33M", "40M").replace("10.0.0.2", "10.0.0.3")


def test_8_3_spelling_from_a_new_value() -> None:
    r0 = resource(
        net=DrbdNet(protocol="C", allow_two_primaries=True, fencing="resource-and-stonith"),
        disk=DrbdDisk(resync_rate="33M", disk_flushes=False),
        options=DrbdOptions(cpu_mask="3"),
    )
    old = r0.render(Toolset.EL6)
    for line in (
        "  protocol C;\n",
        "    allow-two-primaries;\n",
        "    no-disk-flushes;\n",
        "    fencing resource-and-stonith;\n",
        "    rate 33M;\n",
        '    cpu-mask "3";\n',
    ):
        assert line in old
    assert old.count("disk {") == 1
    assert old.count("syncer {") == 1
    assert "options" not in old


def test_9_spelling_from_a_new_value() -> None:
    r0 = resource(net=DrbdNet(protocol="C", fencing="resource-only"), disk=DrbdDisk(resync_rate=30))
    assert r0.render(Toolset.EL9) == r0.render()
    assert "  net {\n    protocol C;\n    fencing resource-only;\n  }" in r0.render()
    assert "    resync-rate 30;\n" in r0.render()
    assert "fencing" in r0.render(Toolset.DEBIAN12).partition("disk {")[2].partition("}")[0]


@pytest.mark.parametrize("toolset", [None, Toolset.EL6, Toolset.DEBIAN12, Toolset.EL9])
def test_what_is_rendered_is_read_back(toolset: Toolset | None) -> None:
    r0 = resource(
        net=DrbdNet(protocol="A", tcp_cork=False, shared_secret='with "quotes" and #', ko_count=0),
        disk=DrbdDisk(c_fill_target="100s", md_flushes=False, on_io_error="detach"),
        startup=DrbdStartup(wfc_timeout=30, stacked_timeouts=True),
    )
    assert DrbdResource.parse(r0.render(toolset)) == r0


def test_render_translates_only_what_the_toolset_cannot_read() -> None:
    r0 = DrbdResource.parse(ARTICLE)
    assert r0.render(Toolset.EL6) == ARTICLE
    assert r0.render(Toolset.DEBIAN12) == ARTICLE
    text, moves = r0.translate(Toolset.EL9)
    assert "syncer" not in text
    assert "  disk {\n    resync-rate 33M;\n  }\n" in text
    assert [move.line for move in moves] == [11]


def test_what_a_generation_cannot_say() -> None:
    quorum = resource(options=DrbdOptions(quorum="majority"))
    with pytest.raises(UnsupportedError, match="quorum"):
        quorum.render(Toolset.DEBIAN12)
    volumes = resource(volumes=[DrbdVolume(number=0, device="/dev/drbd1")])
    with pytest.raises(UnsupportedError, match="volumes"):
        volumes.render(Toolset.EL6)


def test_hosts_come_and_go() -> None:
    r0 = DrbdResource.parse(ARTICLE)
    more = evolve(r0, hosts=[*r0.hosts, host("nas03", 3)])
    assert more.render().startswith(ARTICLE.removesuffix("}\n"))
    assert DrbdResource.parse(more.render()).hosts["nas03"] == host("nas03", 3)
    fewer = evolve(r0, hosts=r0.hosts.without("linux-nas01"))
    assert "linux-nas01" not in fewer.render()
    assert fewer.render().count("\n") == ARTICLE.count("\n") - 6


def test_a_disk_is_a_path_and_a_section() -> None:
    text = """resource r0 {
  disk /dev/vg/r0;
  disk { resync-rate 10M; }
  volume 0 { disk /dev/sdb; disk { c-max-rate 1G; } }
}
"""
    r0 = DrbdResource.parse(text)
    assert r0.backing_disk == "/dev/vg/r0"
    assert r0.disk == DrbdDisk(resync_rate="10M")
    assert r0.volumes["0"].disk == "/dev/sdb"
    assert r0.volumes["0"].disk_options == DrbdDisk(c_max_rate="1G")
    assert not r0.extra
    changed = evolve(r0, backing_disk="/dev/vg/r1", disk=DrbdDisk(resync_rate="20M"))
    assert changed.render() == text.replace("vg/r0", "vg/r1").replace("10M", "20M")


def test_connections_of_drbd_9() -> None:
    text = """resource r0 {
  connection {
    path { host nas01 address 10.0.0.1:7789; host nas02 address ipv6 [fd00::2]:7789; }
    net { protocol C; }
    volume 0 { disk { c-max-rate 100M; } }
  }
  connection-mesh { hosts nas01 nas02 nas03; net { protocol A; } }
  connection a-b { host a port 7789; host b; }
}
"""
    r0 = DrbdResource.parse(text)
    link = r0.connections["nas01-nas02"]
    assert link.paths[0].hosts["nas02"].address == Address("fd00::2", 7789, "ipv6")
    assert r0.connections["a-b"].hosts["a"].address is None
    assert r0.meshes[0].hosts == ("nas01", "nas02", "nas03")
    assert not [each for each in r0.nested() if each.extra]
    made = DrbdResource(
        name="r0",
        connections=[
            DrbdConnection(
                hosts=[
                    DrbdEndpoint(name="nas01", details=("address", "10.0.0.1:7789")),
                    DrbdEndpoint(name="nas02"),
                ]
            )
        ],
    )
    assert DrbdResource.parse(made.render()) == made
    with pytest.raises(UnsupportedError, match="connections"):
        made.render(Toolset.DEBIAN12)


def test_a_whole_file() -> None:
    text = """global { usage-count no; minor-count 64; }
common { protocol C; handlers { split-brain "/usr/lib/drbd/notify-split-brain.sh root"; } }
include "drbd.d/*.res";
skip resource old { what ever; }
require-drbd-module-version-ge 9.0.0;
"""
    config = DrbdConfig.parse(text)
    assert config.global_ is not None
    assert config.global_.minor_count == 64
    assert config.common == DrbdCommon.parse(text)
    assert config.common.net == DrbdNet(protocol="C")
    assert config.includes == ("drbd.d/*.res",)
    assert config.render() == text
    assert [str(each) for each in config.validate() if each.code == "DRBD901"] == []


def test_what_drbdadm_dumps_is_read() -> None:
    text = (DATA / "drbdadm-dump.txt").read_text()
    config = DrbdConfig.parse(text)
    assert config.render() == text
    assert config.refused_by(Toolset.DEBIAN12) == []
    assert config.resources["r0"].hosts["node1"].minor == 1
    assert config.global_.cmd_timeout_medium.seconds == 600


def test_an_option_of_a_section_that_goes() -> None:
    text = "resource r0 {\n  disk {\n    size 1G;  # small\n  }\n}\n"
    r0 = evolve(DrbdResource.parse(text), disk=None, net=DrbdNet(fencing="resource-only"))
    assert r0.render(Toolset.DEBIAN12) == (
        "resource r0 {\n  disk {\n    fencing resource-only;\n  }\n}\n"
    )
    r0 = evolve(DrbdResource.parse(text), disk=DrbdDisk(), net=DrbdNet(fencing="resource-only"))
    assert "fencing resource-only;\n  }" in r0.render(Toolset.DEBIAN12)


@pytest.mark.parametrize("fencing", ["resource-only", "dont-care"])
def test_a_section_stays_for_what_belongs_to_another(fencing: str) -> None:
    text = "resource r0 {\n  disk {\n    size 1G;\n    fencing resource-only;\n  }\n}\n"
    r0 = evolve(DrbdResource.parse(text), disk=None, net=DrbdNet(fencing=fencing))
    assert r0.render() == f"resource r0 {{\n  disk {{\n    fencing {fencing};\n  }}\n}}\n"


def test_what_stands_bare() -> None:
    """No keyword is in quotes, nor an address."""
    made = DrbdConfig(
        global_=DrbdGlobal(usage_count="no"),
        resources=[
            DrbdResource(
                name="r0",
                floating=[
                    DrbdFloating(text=("10.0.0.1:7789",)),
                    DrbdFloating(text=("ipv6", "[fd00::1]:7789")),
                ],
            )
        ],
    )
    text = made.render()
    assert "usage-count no;" in text
    assert "floating 10.0.0.1:7789 {" in text
    assert "floating ipv6 [fd00::1]:7789 {" in text
    with pytest.raises(ValidationError, match="text"):
        DrbdFloating(text=("nas01:7789",))


def test_names_that_need_quotes() -> None:
    made = DrbdResource(name="10", hosts=[DrbdHost(name="disk"), DrbdHost(name="a b")])
    assert 'resource "10" {\n  on "disk" {\n  }\n  on "a b" {\n  }\n}' in made.render()
    assert DrbdResource.parse(made.render()) == made


def test_values_that_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="30MB"):
        DrbdDisk(resync_rate="30MB")
    with pytest.raises(ValidationError, match="max_buffers"):
        DrbdNet(max_buffers="many")
    with pytest.raises(ValidationError, match="shared_secret"):
        DrbdNet(shared_secret="x" * 256)
    with pytest.raises(ValueError, match="nas01"):
        DrbdHost(name="nas01", address="nas01:7789")


def test_quantities() -> None:
    assert Quantity("30", "KiB/s") == Quantity("30k")
    assert Quantity("100", "sectors").amount == 51200
    assert Quantity("60", "1/10 s").seconds == 6.0
    assert Quantity("1k", "1/10 s").count == 1024
    assert Quantity("1", "s") != Quantity("1000", "bytes")
    assert Quantity("1M") < Quantity("2M")
    assert pickle.loads(pickle.dumps(Quantity("33M"))) == Quantity("33M")
    assert DrbdDisk(resync_rate=Quantity("30720")).render() == "resync-rate 30;\n"


def test_commands_of_a_resource() -> None:
    r0 = resource()
    assert str(r0.up()) == "drbdadm up r0"
    assert r0.create_md().name == "drbdadm create-md r0"
    old = r0.primary(overwrite_peer=True, toolset=Toolset.EL6)
    assert str(old) == "drbdadm -- --overwrite-data-of-peer primary r0"
    for command in (
        r0.down(), r0.adjust(), r0.attach(), r0.detach(), r0.connect(), r0.disconnect(),
        r0.secondary(), r0.wipe_md(), r0.new_current_uuid(), r0.invalidate(),
        r0.invalidate_remote(), r0.outdate(), r0.verify(), r0.pause_sync(),
        r0.resume_sync(), r0.suspend_io(), r0.resume_io(), r0.resize(), r0.wait_connect(),
        r0.apply_al(), r0.wait_sync(),
        r0.dump(), r0.dump_md(), r0.role(), r0.cstate(), r0.dstate(), r0.status(),
    ):  # fmt: skip
        assert command.argv[0] == "drbdadm"
        assert command.argv[-1] == "r0"


def test_one_option_of_ten_thousand_resources_is_one_line() -> None:
    text = "".join(ARTICLE.replace("r0", f"r{number}") for number in range(10_000))
    config = DrbdConfig.parse(text)
    one = config.resources["r7000"]
    one = evolve(one, net=evolve(one.net, after_sb_2pri="call-pri-lost-after-sb"))
    changed = evolve(config, resources=config.resources.put(one))
    rows = [row for row in changed.diff().splitlines() if row[:1] in "+-"][2:]
    assert rows == [
        "-    after-sb-2pri disconnect;",
        "+    after-sb-2pri call-pri-lost-after-sb;",
    ]
    added = evolve(one, net=evolve(one.net, after_sb_2pri="disconnect", ping_int=9))
    changed = evolve(config, resources=config.resources.put(added))
    rows = [row for row in changed.diff().splitlines() if row[:1] in "+-"][2:]
    assert rows == ["+    ping-int 9;"]


def test_a_proxy_in_a_connection_of_9() -> None:
    text = """resource r0 {
  connection {
    host n1 address 127.0.0.1:1 via proxy on p1 {
      inside 127.0.0.1:2; outside 10.0.0.1:3;  # out
      options { memlimit 10M; }
    }
    host n2 address 127.0.0.1:1 via proxy on p2 { inside 127.0.0.1:2; outside 10.0.0.2:3; }
  }
  connection { address 10.0.0.1:7; address ipv6 [fd00::2]:8; }
}
"""
    r0 = DrbdResource.parse(text)
    link = r0.connections["n1-n2"]
    assert [end.address.port for end in link.ends] == [1, 1]
    assert link.proxied["n1"].outside == Address("10.0.0.1", 3)
    assert str(link.proxied["n1"].options.memlimit) == "10M"
    assert r0.connections[1].addresses == (
        Address("10.0.0.1", 7), Address("fd00::2", 8, "ipv6")
    )  # fmt: skip
    assert not [each for each in r0.nested() if each.extra]
    end = evolve(link.proxied["n1"], outside="10.0.0.9:3")
    changed = evolve(link, proxied=link.proxied.put(end))
    r0 = evolve(r0, connections=[changed, r0.connections[1]])
    assert r0.render() == text.replace("10.0.0.1:3", "10.0.0.9:3")
    made = DrbdResource(name="r0", connections=[DrbdConnection.parse(changed.render())])
    assert DrbdResource.parse(made.render()) == made


def test_models_pickle() -> None:
    r0 = DrbdResource.parse(ARTICLE)
    again = pickle.loads(pickle.dumps(r0))
    assert again == r0
    assert again.render() == ARTICLE


def test_a_host_has_the_disks_that_the_resource_names_for_all() -> None:
    text = """resource r0 {
        device /dev/drbd1; meta-disk /dev/vdb1;
        on nas01 { disk /dev/sda3; } on nas02 { disk none; }
        volume 1 { device /dev/drbd2; disk /dev/vda4; meta-disk internal; }
    }"""
    resource = DrbdResource.parse(text)
    found = [(each.number, each.backing, each.implicit) for each in stored(resource, "nas01")]
    assert found == [(0, "/dev/sda3", True), (1, "/dev/vda4", False)]
    assert [each.backing for each in stored(resource, "nas02")] == ["/dev/vda4"]
    assert stored(resource, "nas03") == []
