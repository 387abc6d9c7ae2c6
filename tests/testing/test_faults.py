"""Commands that fail, hang or break off; machines and links that die; what must never happen."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from clusternas.core.batch import batch
from clusternas.core.command import Command, Effect, text
from clusternas.core.errors import (
    CommandFailed,
    CommandNotFound,
    CommandTimeout,
    Refused,
    Unreachable,
)
from clusternas.testing import FakeCluster, FakeNode, Impossible
from clusternas.testing.scenes import bring_up
from clusternas.testing.tools.drbd.state import Drbd

UP = Command(("drbdadm", "up", "r0"), text)

AGAIN = """drbdadm up r0
drbdadm primary r0
systemctl start corosync
systemctl start dlm
systemctl start lvmlockd
vgchange --lock-start drbd_vg
lvchange -asy drbd_vg/drbd_lv
mount -t gfs2 /dev/drbd_vg/drbd_lv /opt""".splitlines()


@pytest.fixture
def nas() -> FakeCluster:
    return bring_up(FakeCluster(("nas01", "nas02")))


@pytest.fixture
def bare() -> FakeCluster:
    cluster = FakeCluster(("nas01", "nas02"))
    donor = bring_up(FakeCluster(("nas01", "nas02")))
    for name, node in cluster.nodes.items():
        node.files.write("/etc/drbd.d/r0.res", donor[name].files.text("/etc/drbd.d/r0.res"))
        node.shell("drbdadm create-md r0")
    return cluster


def drbd_state(node: FakeNode) -> str:
    return node.shell("cat /proc/drbd").text.splitlines()[3].partition(" C ")[0].strip()


def test_a_command_fails_as_often_as_asked(bare: FakeCluster) -> None:
    node = bare["nas02"]
    bare.fail("nas02", "drbdadm up r0", exit_code=10, stderr="no memory", times=2)
    for _ in range(2):
        with pytest.raises(CommandFailed, match="exit code 10") as caught:
            node.run(UP)
        assert caught.value.stderr == "no memory\n"
        assert not node.of(Drbd).resources
    node.run(UP)
    assert node.of(Drbd).resources


def test_options_between_the_words_do_not_matter_but_the_node_does(bare: FakeCluster) -> None:
    bare.fail("nas01", "drbdadm create-md r0")
    assert bare["nas02"].shell("drbdadm create-md --force r0").exit_code == 0
    assert bare["nas01"].shell("drbdadm create-md --force r0").exit_code == 1


def test_half_a_command(bare: FakeCluster) -> None:
    bare.fail("nas01", "drbdadm up", when="halfway")
    assert bare["nas01"].shell("drbdadm up r0").exit_code == 1
    assert "cs:StandAlone" in drbd_state(bare["nas01"])


def test_a_command_that_does_its_work_and_says_no(bare: FakeCluster) -> None:
    bare.fail("nas01", "drbdadm up", when="after")
    assert bare["nas01"].shell("drbdadm up r0").exit_code == 1
    assert "cs:WFConnection" in drbd_state(bare["nas01"])


def test_a_hanging_command_times_out_without_waiting(bare: FakeCluster) -> None:
    bare.hang("nas01", "drbdadm up")
    before = bare.now
    with pytest.raises(CommandTimeout):
        bare["nas01"].run(UP)
    assert bare.now >= before + UP.timeout


def test_a_slow_command_takes_the_clusters_time_only(bare: FakeCluster) -> None:
    bare.slow("nas01", "drbdadm up", 30)
    assert bare["nas01"].run(UP).duration >= 30
    bare.slow("nas02", "drbdadm up", 3600)
    with pytest.raises(CommandTimeout):
        bare["nas02"].run(UP)


def test_a_connection_that_breaks_after_the_work(bare: FakeCluster) -> None:
    bare.lose("nas01", "drbdadm up")
    with pytest.raises(Unreachable):
        bare["nas01"].run(UP)
    assert bare.log[-1].exit_code is None
    assert bare["nas01"].of(Drbd).resources


def test_faults_can_be_forgotten(bare: FakeCluster) -> None:
    bare.fail("nas01", "drbdadm up")
    bare.clear_faults()
    assert bare["nas01"].shell("drbdadm up r0").exit_code == 0


def test_a_dead_node_does_not_answer_and_a_missing_tool_is_missing(nas: FakeCluster) -> None:
    nas.kill("nas02")
    with pytest.raises(Unreachable):
        nas["nas02"].shell("true")
    with pytest.raises(CommandNotFound):
        nas["nas01"].shell("cman_tool status")


def test_nothing_destructive_runs_unless_allowed(bare: FakeCluster) -> None:
    wipe = Command(("wipefs", "-a", "/dev/vda3"), text, effect=Effect.DESTROY)
    with pytest.raises(Refused):
        bare["nas01"].run(wipe)
    wipe.run(bare["nas01"], allow=[wipe.name])


def test_overwritten_data_are_remembered(nas: FakeCluster) -> None:
    for line in ("systemctl stop ctdb", "umount /opt"):
        for node in nas.nodes.values():
            assert node.shell(line).exit_code == 0
    assert nas["nas01"].shell("wipefs -a /dev/drbd_vg/drbd_lv").exit_code == 0
    with pytest.raises(AssertionError, match="nas01: gfs2 on /dev/mapper/drbd_vg-drbd_lv"):
        nas.assert_nothing_lost()


def test_split_brain_and_the_way_out(nas: FakeCluster) -> None:
    one, two = nas.nodes.values()
    nas.cut("nas01", "nas02", link="replication")
    one.files.write("/opt/one", "survivor")
    two.files.write("/opt/two", "victim")
    nas.mend("nas01", "nas02")
    assert "cs:StandAlone" in drbd_state(one)
    assert "cs:StandAlone" in drbd_state(two)

    assert two.shell("drbdadm secondary r0").exit_code == 11
    for line in ("systemctl stop ctdb", "umount /opt", "lvchange -an drbd_vg/drbd_lv"):
        assert two.shell(line).exit_code == 0
    for line in ("vgchange --lock-stop drbd_vg", "drbdadm secondary r0"):
        assert two.shell(line).exit_code == 0
    assert two.shell("drbdadm -- --discard-my-data connect r0").exit_code == 0
    assert one.shell("drbdadm connect r0").exit_code == 0
    nas.advance(5)
    assert drbd_state(two).endswith("ro:Secondary/Primary ds:UpToDate/UpToDate")
    assert [loss.node for loss in nas.losses] == ["nas02"]
    assert one.files.text("/opt/one") == "survivor"
    assert one.files.text("/opt/two") == ""


def test_a_cut_before_anybody_writes_is_no_split_brain(bare: FakeCluster) -> None:
    for node in bare.nodes.values():
        node.shell("drbdadm up r0")
    bare["nas01"].shell("drbdadm -- --overwrite-data-of-peer primary r0")
    bare.advance(60)
    bare.cut("nas01", "nas02")
    assert "cs:WFConnection" in drbd_state(bare["nas02"])
    bare["nas01"].device("/dev/drbd1").write(None)
    bare.mend("nas01", "nas02")
    bare.advance(1)
    assert "cs:Connected" in drbd_state(bare["nas02"])


def test_a_killed_node_comes_back_and_catches_up(nas: FakeCluster) -> None:
    nas.kill("nas02")
    nas["nas01"].files.write("/opt/new", "while it was away")
    nas.boot("nas02")
    assert nas["nas02"].running == {"ssh", "lvm2-monitor"}
    nas["nas02"].shell("drbdadm up r0")
    nas.advance(5)
    assert drbd_state(nas["nas02"]).endswith("ro:Secondary/Primary ds:UpToDate/UpToDate")
    nas.assert_nothing_lost()


def test_without_fencing_everything_that_needs_a_lock_waits(nas: FakeCluster) -> None:
    nas.fail("nas01", "fence_lab", times=10_000)
    nas.kill("nas02")
    assert "wait fencing" in nas["nas01"].shell("dlm_tool ls").text
    for line in ("tee /opt/blocked", "vgs", "lvchange -asy drbd_vg/drbd_lv"):
        with pytest.raises(CommandTimeout):
            nas["nas01"].shell(line)
    assert nas["nas01"].shell("dlm_tool fence_ack 2").exit_code == 0
    assert nas["nas01"].shell("tee /opt/blocked").exit_code == 0


def test_fence_manual_waits_for_a_person() -> None:
    nas = bring_up(FakeCluster(("nas01", "nas02"), generation="2010"))
    node = nas["nas01"]
    text = node.files.text("/etc/cluster/cluster.conf")
    for one in nas.nodes.values():
        lone = text.replace(
            "<clusternodes>", '<cman two_node="1" expected_votes="1"/><clusternodes>'
        )
        one.files.write("/etc/cluster/cluster.conf", lone)
        one.shell("cman_tool version -r")
    nas.kill("nas02")
    assert "victim count  1" in node.shell("fence_tool ls").text
    with pytest.raises(CommandTimeout):
        node.shell("lvs drbd_vg/drbd_lv")
    assert node.shell("fence_ack_manual nas02", "yes\n").exit_code == 1
    assert node.shell("fence_ack_manual nas02", "absolutely\n").exit_code == 0
    assert node.shell("lvs drbd_vg/drbd_lv").exit_code == 0


def test_two_of_two_votes_are_lost_with_one_node() -> None:
    nas = bring_up(FakeCluster(("nas01", "nas02"), generation="2010"))
    nas.kill("nas02")
    assert "Quorum: 2 Activity blocked" in nas["nas01"].shell("cman_tool status").text
    with pytest.raises(CommandTimeout):
        nas["nas01"].shell("tee /opt/x")


def test_an_impossible_state_is_refused(nas: FakeCluster) -> None:
    nas["nas02"].of(Drbd).resources["r0"].role = "Secondary"
    with pytest.raises(Impossible, match="Secondary and open"):
        nas["nas01"].shell("true")


def test_a_node_waits_at_boot_for_a_peer_that_is_off() -> None:
    cluster = bring_up(FakeCluster(("nas01", "nas02"), generation="2010"))
    for name in cluster.nodes:
        cluster.kill(name)
    cluster.boot("nas01")
    assert cluster["nas01"].console == [
        "drbd: DRBD's startup script waits for the peer node to appear"
    ]


def test_faults_strike_behind_sudo_and_in_a_batch(bare: FakeCluster) -> None:
    bare.fail("nas01", "drbdadm up", exit_code=7)
    assert bare["nas01"].shell("sudo -n -- drbdadm up r0").exit_code == 7
    names = [Command(("uname", "-n"), text, effect=Effect.READ, timeout=5) for _ in range(3)]
    bare.hang("nas01", "uname -n")
    outputs = bare["nas01"].run(batch(names)).value
    assert [output.exit_code for output in outputs] == [124, 0, 0]


def test_timeout_ends_what_waits_for_locks_but_not_what_waits_in_the_kernel(
    nas: FakeCluster,
) -> None:
    nas.fail("nas01", "fence_lab", times=10_000)
    nas.kill("nas02")
    assert nas["nas01"].shell("timeout 5 vgs").exit_code == 124
    with pytest.raises(CommandTimeout):
        nas["nas01"].shell("timeout 5 tee /opt/blocked")


def test_many_threads_at_once(nas: FakeCluster) -> None:
    with ThreadPoolExecutor(8) as pool:
        nodes = [nas["nas01"], nas["nas02"]] * 50
        names = list(pool.map(lambda node: node.shell("uname -n").text.strip(), nodes))
    assert names == ["nas01", "nas02"] * 50
    assert len({call.node for call in nas.log[-100:]}) == 2


def test_a_gfs2_that_has_withdrawn_works_again_after_a_restart(nas: FakeCluster) -> None:
    node, other = nas["nas02"], nas["nas01"]
    flag = "/sys/fs/gfs2/NASCluster:opt/withdraw"
    assert node.files.text(flag) == "0\n"
    nas.withdraw("nas02", "/opt")
    assert node.files.text(flag) == "1\n"
    assert "type gfs2 (ro," in node.shell("mount").text
    for line in ("tee /opt/file", "gfs2_jadd -j 1 /opt"):
        assert "Input/output error" in node.shell(line).error_text
    assert "remove 1 failed 0" in other.shell("dlm_tool ls").text  # it left, and nobody fences it
    assert other.shell("tee /opt/file").exit_code == 0
    node.shell("systemctl stop ctdb")
    with pytest.raises(CommandTimeout, match="did not end"):
        node.shell("umount /opt")
    nas.kill("nas02")
    assert node.files.get(flag) is None
    assert "remove 1 failed 1" in other.shell("dlm_tool ls").text
    nas.boot("nas02")
    for line in AGAIN:
        assert node.shell(line).exit_code == 0
    assert node.files.text(flag) == "0\n"
    assert node.shell("tee /opt/file").exit_code == 0
