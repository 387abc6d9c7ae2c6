"""cluster.conf to corosync.conf and dlm.conf."""

from attrs import evolve

from clusternas.cman.model import CmanCluster
from clusternas.cman.sections import CmanDlm, CmanTotem, FenceDaemon
from clusternas.nas.convert import to_corosync
from clusternas.testing.demo import article

ADDRESSES = {"linux-nas01": "10.0.0.1", "linux-nas02": "10.0.0.2"}


def fenced() -> CmanCluster:
    cluster = CmanCluster.create("nas", two_node=True)
    cluster = cluster.add_fence_device("apc", "fence_apc", ipaddr="10.0.0.9", passwd="s3cret")
    for name, port in (("linux-nas01", "1"), ("linux-nas02", "2")):
        cluster = cluster.add_node(name, fence="apc", port=port)
    return cluster


def test_the_article_loses_its_fencing_and_is_told() -> None:
    old = CmanCluster.read(article() / "linux-nas01/etc/cluster/cluster.conf")
    new = to_corosync(old, ADDRESSES)
    assert new.corosync.name == "NASCluster"
    assert [node.nodeid for node in new.corosync.nodes] == [1, 2]
    assert new.dlm.devices.keys() == []
    assert "fence device linux-nas01: fence_manual fences nothing; use a real agent" in new.dropped
    assert any(each.startswith("linux-nas02 has no fence device") for each in new.dropped)


def test_fencing_moves_to_dlm() -> None:
    new = to_corosync(fenced(), ADDRESSES)
    assert new.dropped == ()
    assert new.dlm.render() == (
        "post_join_delay=30\n"
        "enable_fencing=1\n"
        "device apc /usr/sbin/fence_apc ip=10.0.0.9 password=s3cret\n"
        "connect apc node=1 plug=1\n"
        "connect apc node=2 plug=2\n"
        "\n"
    )
    assert "fence parameter port is called plug" in new.changed
    assert {each.code for each in new.dlm.validate()} == set()


def test_timing_and_lock_manager_are_kept() -> None:
    old = evolve(
        fenced(),
        totem=CmanTotem(token=20000, join=80),
        dlm=CmanDlm(plock_ownership=True, enable_deadlk=True),
        fence_daemon=FenceDaemon(post_join_delay=60),
    )
    new = to_corosync(old, ADDRESSES)
    assert new.corosync.totem is not None
    assert (new.corosync.totem.token, new.corosync.totem.join) == (20000, 80)
    assert (new.dlm.plock_ownership, new.dlm.post_join_delay) == (True, 60)
    assert to_corosync(fenced()).corosync.nodes["linux-nas01"].ring0_addr == "linux-nas01"


def test_services_are_not_dropped_silently() -> None:
    text = (
        fenced()
        .render()
        .replace(
            "</cluster>", '<rm log_level="5"><failoverdomains/></rm><quorumd label="q"/></cluster>'
        )
    )
    dropped = to_corosync(CmanCluster.parse(text), ADDRESSES).dropped
    assert [each.partition(":")[0] for each in dropped] == ["quorumd", "rm"]
