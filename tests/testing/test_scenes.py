"""The article's NAS comes up on fake nodes, in both generations, and keeps its promises."""

from __future__ import annotations

import pytest

from clusternas.core.versions import Toolset
from clusternas.testing import FakeCluster
from clusternas.testing.scenes import bring_up

GENERATIONS = {"2010": Toolset.EL6, "today": Toolset.DEBIAN12, "9": Toolset.EL9}


@pytest.fixture(params=GENERATIONS)
def nas(request: pytest.FixtureRequest) -> FakeCluster:
    return bring_up(FakeCluster(generation=GENERATIONS[request.param]))


def test_the_same_files_on_both_nodes(nas: FakeCluster) -> None:
    one, two = nas.nodes.values()
    one.shell("tee /opt/hello.txt", "hello from node 1\n")
    assert two.shell("cat /opt/hello.txt").text == "hello from node 1\n"
    two.shell("tee -a /opt/hello.txt", "and from node 2\n")
    assert one.shell("cat /opt/hello.txt").text == "hello from node 1\nand from node 2\n"


def test_the_name_gives_both_addresses_in_turn(nas: FakeCluster) -> None:
    asked = "dig @192.168.1.11 +short cluster.lab.test"
    first, second = (nas["linux-nas02"].shell(asked).text.split() for _ in range(2))
    assert first == ["192.168.1.11", "192.168.1.12"]
    assert second == first[::-1]


def test_nothing_was_overwritten_on_the_way(nas: FakeCluster) -> None:
    nas.assert_nothing_lost()
    assert {call.exit_code for call in nas.log} == {0}


def test_two_runs_are_the_same() -> None:
    one, two = (bring_up(FakeCluster(generation="2010")) for _ in range(2))
    assert one.log == two.log
    scans = (cluster["linux-nas01"].shell("blkid").text for cluster in (one, two))
    assert len(set(scans)) == 1


def test_the_article_with_its_own_boot_order_comes_up_on_the_partition() -> None:
    """The author's horror: clvmd and gfs2 start before drbd, and LVM takes vda3 itself."""
    nas = bring_up(FakeCluster(generation="2010"))
    for name in nas.nodes:
        for service in ("cman", "clvmd", "gfs2"):
            nas[name].shell(f"chkconfig {service} on")
    for name in nas.nodes:
        nas.kill(name)
    nas.boot(*nas.nodes)
    node = nas["linux-nas02"]
    assert node.claims["/dev/vda3"] == "lvm drbd_vg"
    assert "/opt" in node.mounts
    assert node.console == [
        "drbd: 1: Failure: (114) Lower device is already claimed. "
        "This usually means it is mounted.\n"
        "Command 'drbdsetup 1 up' terminated with exit code 10\n"
    ]


def test_with_drbd_started_first_and_a_filter_it_comes_up_on_the_device() -> None:
    nas = bring_up(FakeCluster(generation="2010"))
    for node in nas.nodes.values():
        node.files.write("/etc/init.d/drbd", "#!/bin/bash\n# chkconfig: 345 20 80\n", mode=0o755)
        node.shell("chkconfig drbd reset")
        node.files.write(
            "/etc/lvm/lvm.conf",
            'devices { filter = [ "a|^/dev/drbd.*|", "r|.*|" ] }\nglobal { locking_type = 3 }\n',
        )
        for service in ("cman", "clvmd", "gfs2"):
            node.shell(f"chkconfig {service} on")
    for name in nas.nodes:
        nas.kill(name)
    nas.boot(*nas.nodes)
    assert nas["linux-nas01"].claims["/dev/drbd1"] == "lvm drbd_vg"
    assert all("/opt" in node.mounts for node in nas.nodes.values())


def test_at_run_level_2_lvm_starts_without_drbd() -> None:
    cluster = FakeCluster(generation="2010")
    node = cluster["linux-nas01"]
    node.shell("chkconfig --level 345 drbd on")
    assert node.shell("chkconfig --list lvm2-monitor").text.split("\t")[3] == "2:on"
    cluster.boot(node.name, runlevel=2)
    assert "lvm2-monitor" in node.running
    assert "drbd" not in node.running
