"""From 8.3 over 8.4 to 9."""

from clusternas.core.versions import Toolset
from clusternas.drbd.migrate import migrate
from clusternas.drbd.model import DrbdConfig, DrbdNet, DrbdResource

OLD = """\
# /etc/drbd.conf of 2010
common { protocol C; syncer { rate 33M; } }

resource r0 {
  startup { become-primary-on both; wfc-timeout 30; }
  net {
    allow-two-primaries;   # for GFS2
    unplug-watermark 256;
    after-sb-0pri discard-node-nas01;
  }
  disk { fencing resource-and-stonith; no-disk-flushes; on-io-error panic; }
  syncer { al-extents 31; verify-alg sha1; cpu-mask 3; after r1; }
  handlers { outdate-peer "/sbin/fence"; }
  on nas01 {
    device /dev/drbd1; disk /dev/vda3; address 10.0.0.1:7789;
    flexible-meta-disk /dev/vdb1;
  }
}
"""


def test_to_8_4() -> None:
    done = migrate(DrbdConfig.parse(OLD), Toolset.DEBIAN12)
    new = DrbdConfig.parse(done.text)
    assert new.common is not None
    assert "protocol C;" in done.text.partition("net {")[2].partition("}")[0]
    assert "syncer" not in done.text
    r0 = new.resources["r0"]
    assert r0.net.fencing == "resource-and-stonith"
    assert r0.net.verify_alg == "sha1"
    assert r0.options.cpu_mask == "3"
    assert r0.disk.resync_after == "r1"
    assert r0.disk.al_extents is None
    assert r0.hosts["nas01"].meta_disk == "/dev/vdb1"
    assert [(each.line, each.statement) for each in done.losses] == [(12, "al-extents 31;")]
    assert "# for GFS2" in done.text
    assert new.refused_by(Toolset.DEBIAN12) == []
    assert len(done.moves) >= 5


def test_to_9() -> None:
    done = migrate(DrbdConfig.parse(OLD), Toolset.EL9)
    new = DrbdConfig.parse(done.text)
    assert new.resources["r0"].net.fencing == "resource-and-stonith"
    lost = {each.statement.partition(" ")[0]: each.reason for each in done.losses}
    assert lost == {
        "become-primary-on": "DRBD 9 ignores it: use auto-promote, or a cluster manager",
        "unplug-watermark": "DRBD 9.1.19 has no unplug-watermark",
        "after-sb-0pri": "DRBD 9 knows no discard-node-nas01",
        "on-io-error": "DRBD 9 knows no panic",
        "al-extents": "DRBD 9 takes 67..65534",
    }
    assert done.text.startswith("# /etc/drbd.conf of 2010\n")
    assert "disk-flushes no;" in done.text


def test_by_way_of_8_4_is_the_same() -> None:
    direct = migrate(DrbdConfig.parse(OLD), Toolset.EL9).text
    first = migrate(DrbdConfig.parse(OLD), Toolset.DEBIAN12).text
    second = migrate(DrbdConfig.parse(first), Toolset.EL9).text
    assert DrbdConfig.parse(second) == DrbdConfig.parse(direct)


def test_nothing_to_do_changes_nothing() -> None:
    once = migrate(DrbdConfig.parse(OLD), Toolset.EL9).text
    again = migrate(DrbdConfig.parse(once), Toolset.EL9)
    assert (again.text, again.moves, again.losses) == (once, (), ())


def test_a_value_made_from_nothing() -> None:
    made = DrbdResource(name="r0", net=DrbdNet(unplug_watermark=128, protocol="C"))
    done = migrate(made, Toolset.EL9)
    assert done.text == "resource r0 {\n  net {\n    protocol C;\n  }\n}\n"
    assert [each.line for each in done.losses] == [0]
