"""The commands for a NAS that runs, on fake nodes."""

import json
from pathlib import Path

import pytest

from clusternas import NasCluster, cli
from clusternas.core.lock import take_lock
from clusternas.testing import FakeCluster
from clusternas.testing.demo import article

SPEC = str(article() / "today.toml")
NAS = NasCluster.load(SPEC)


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> FakeCluster:
    """Two new machines, which the command line reaches."""
    cluster = FakeCluster(NAS.nodes.keys())
    monkeypatch.setattr("clusternas.cli.machines.connect", lambda *_: cluster.runners)
    monkeypatch.setattr("time.sleep", cluster.sleep)
    return cluster


@pytest.fixture
def running(fresh: FakeCluster) -> FakeCluster:
    """Two machines that serve."""
    plan = NAS.plan(NAS.gather(fresh.runners))
    plan.apply(fresh.runners, allow=plan.destroys, sleep=fresh.sleep).raise_for_failure()
    fresh.advance(600)
    return fresh


def test_a_refusal_says_what_to_add_to_the_call(
    fresh: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["apply", SPEC]) == 2
    said = capsys.readouterr().err
    assert "the plan destroys data" in said
    assert "  help: allow it by name: --allow 'drbdadm create-md r0' --allow" in said
    fresh["linux-nas01"].run(take_lock("me@desk:1/2026/x y"))
    names = NAS.plan(NAS.gather(fresh.runners)).destroys
    assert cli.main(["apply", SPEC, *(f"--allow={name}" for name in names)]) == 2
    assert "help: if it is dead, break its lock: --break-lock 'me@desk" in capsys.readouterr().err


def test_apply_waits_for_the_first_sync_and_tells_how_far_it_is(
    fresh: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    fresh.bandwidth = 4096
    names = NAS.plan(NAS.gather(fresh.runners)).destroys
    assert cli.main(["apply", SPEC, "--wait", *(f"--allow={name}" for name in names)]) == 0
    assert "r0 is in sync: " in capsys.readouterr().out
    assert NAS.status(NAS.gather(fresh.runners)).healthy


@pytest.mark.parametrize(
    ("shown", "has"),
    [
        ("table", "only if"),
        ("text", "2 nodes"),
        ("diff", "+++ b/etc/drbd.d/r0.res"),
    ],
)
def test_a_plan_is_shown_in_many_forms(
    fresh: FakeCluster, capsys: pytest.CaptureFixture[str], shown: str, has: str
) -> None:
    assert cli.main(["plan", SPEC, "--format", shown]) == 1
    assert has in capsys.readouterr().out
    assert not [call for call in fresh.log if call.effect.value != "read"]


def test_a_node_is_stopped_and_comes_back(
    running: FakeCluster, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert cli.main(["stop", SPEC, "linux-nas02", "--format", "json"]) == 1
    shown = json.loads(capsys.readouterr().out)
    assert {step["node"] for step in shown} == {"linux-nas02"}
    assert running["linux-nas02"].mounts
    journal = tmp_path / "journal"
    assert cli.main(["stop", SPEC, "linux-nas02", "--apply", "--journal", str(journal)]) == 0
    assert not running["linux-nas02"].mounts
    assert '"state": "end"' in journal.read_text()
    assert cli.main(["stop", SPEC, "linux-nas01", "--apply"]) == 2
    assert "mounted nowhere else" in capsys.readouterr().err
    assert cli.main(["apply", SPEC]) == 0
    assert cli.main(["status", SPEC]) == 0


def test_stop_wants_to_know_what(running: FakeCluster, capsys: pytest.CaptureFixture[str]) -> None:
    for call in (["stop", SPEC], ["stop", SPEC, "linux-nas01", "--all"]):
        assert cli.main(call) == 2
        assert "name one node, or give --all" in capsys.readouterr().err
    assert cli.main(["stop", SPEC, "--all", "--apply"]) == 0
    assert {unit for node in running.nodes.values() for unit in node.running} & {
        "ctdb",
        "corosync",
    } == set()


def test_nodes_restart_one_after_the_other(
    running: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["restart", SPEC]) == 1
    assert "to restart: linux-nas01, linux-nas02" in capsys.readouterr().out
    assert cli.main(["restart", SPEC, "--format", "json"]) == 1
    assert {step["node"] for step in json.loads(capsys.readouterr().out)} == {"linux-nas01"}
    assert cli.main(["restart", SPEC, "--apply"]) == 0
    said = capsys.readouterr().out
    assert said.index("linux-nas01: restart") < said.index("linux-nas02: out of service")
    assert [node.boots for node in running.nodes.values()] == [2, 2]


def test_a_disk_is_replaced(running: FakeCluster) -> None:
    call = ["replace-disk", SPEC, "r0", "linux-nas02", "--apply"]
    assert cli.main(call) == 0
    disk = running["linux-nas02"].disks["/dev/vda3"]
    disk.content, disk.metadata = None, None
    assert cli.main(call) == 2
    assert cli.main([*call, "--allow", "drbdadm create-md r0"]) == 0
    assert NAS.status(NAS.gather(running.runners)).healthy


def test_what_is_not_there_is_named(
    running: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    for call, said in (
        (["grow", SPEC, "/srv"], "one of /opt"),
        (["replace-disk", SPEC, "r1", "linux-nas01"], "one of r0"),
        (["stop", SPEC, "nas9"], "one of linux-nas01, linux-nas02"),
        (["recover", SPEC, "r0", "--victim", "linux-nas02"], "r0 is not split"),
        (["remove", SPEC, "linux-nas02"], "linux-nas02 holds the other copy of r0"),
        (["remove", SPEC, "nas9"], "there is no node nas9"),
        (["acknowledge", SPEC, "linux-nas02"], "linux-nas02 answers: it is not off"),
    ):
        assert cli.main(call) == 2
        assert said in capsys.readouterr().err
    assert cli.main(["convert", SPEC]) == 0
    assert cli.main(["grow", SPEC, "/opt", "--size", "+1G", "--format", "table"]) == 1
    assert "lvextend -L 2017460224b" in capsys.readouterr().out
