"""The picture of the whole NAS while a sync runs, and the command line that watches it."""

import pytest
from attrs import evolve

from clusternas import NasCluster, cli
from clusternas.drbd.status import SyncProgress
from clusternas.testing import FakeCluster
from clusternas.testing.demo import article

SPEC = article() / "today.toml"


@pytest.fixture
def syncing() -> FakeCluster:
    """Just built: the first sync runs."""
    nas = NasCluster.load(SPEC)
    cluster = FakeCluster(nas.nodes.keys())
    cluster.bandwidth = 4096
    plan = nas.plan(nas.gather(cluster.runners))
    applied = plan.apply(cluster.runners, allow=plan.destroys, sleep=cluster.sleep, workers=1)
    applied.raise_for_failure()
    return cluster


@pytest.mark.parametrize(
    ("sync", "shown"),
    [
        (SyncProgress(percent=12.6), "13 %"),
        (SyncProgress(percent=12.6, seconds_left=119), "13 %, 119 s left"),
        (SyncProgress(percent=12.6, seconds_left=180), "13 %, 3 min left"),
        (SyncProgress(percent=12.6, seconds_left=180, stalled=True), "13 %, stalled"),
    ],
)
def test_how_far_a_sync_has_come(sync: SyncProgress, shown: str) -> None:
    assert str(sync) == shown


def test_watching_shows_it_until_it_is_stopped(
    syncing: FakeCluster, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    naps: list[float] = []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        syncing.advance(60)
        if len(naps) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr("clusternas.cli.machines.connect", lambda *_: syncing.runners)
    monkeypatch.setattr("time.sleep", nap)
    assert cli.main(["status", str(SPEC), "--watch", "5"]) == 130
    pictures = capsys.readouterr().out.split("NASCluster: ")[1:]
    assert naps == [5.0, 5.0, 5.0]
    assert len(pictures) == 3
    assert " %" in pictures[0]
    assert pictures[0] != pictures[1]


def test_once_says_by_its_exit_code_whether_it_is_well(
    syncing: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clusternas.cli.machines.connect", lambda *_: syncing.runners)
    assert cli.main(["status", str(SPEC)]) == 1
    syncing.advance(3600)
    assert cli.main(["status", str(SPEC), "--format", "json"]) == 0


def test_shares_clients_and_the_name_are_in_the_picture(syncing: FakeCluster) -> None:
    nas = NasCluster.load(SPEC)
    syncing.advance(3600)
    status = nas.status(nas.gather(syncing.runners))
    assert {(node.shares, node.clients) for node in status.nodes} == {("opt", "0")}
    assert {node.names for node in status.nodes} == {"192.168.1.21, 192.168.1.22"}
    assert nas.cluster_name is not None
    other = evolve(nas, cluster_name=evolve(nas.cluster_name, addresses=["192.168.1.21"]))
    troubles = other.status(other.gather(syncing.runners)).troubles
    assert {each.what for each in troubles} == {
        "named answers 192.168.1.21, 192.168.1.22 for the NAS"
    }
