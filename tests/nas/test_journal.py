"""One controller at a time, and what is left of one that died."""

import os
from pathlib import Path
from typing import TypeVar

import pytest
from serving import described, serving

from clusternas import NasCluster
from clusternas.core.command import Command, Result, Runner
from clusternas.core.errors import Refused, Unreachable
from clusternas.core.lock import LOCK, take_lock
from clusternas.nas.journal import Journal
from clusternas.nas.locks import new_owner
from clusternas.nas.plan import Plan
from clusternas.testing import FakeCluster
from clusternas.testing.demo import article

T = TypeVar("T")

NAS = NasCluster.load(article() / "today.toml")


class Crash(BaseException):
    """The controller dies: nothing it would do afterwards happens."""


class Dying:
    """A runner of a controller that dies when a command comes."""

    def __init__(self, runner: Runner, deadly: str, dead: list[str]) -> None:
        self.runner, self.deadly, self.dead = runner, deadly, dead

    def run(self, command: Command[T], /) -> Result[T]:
        if self.deadly in str(command):
            self.dead.append(self.deadly)
        if self.dead:
            raise Crash
        return self.runner.run(command)


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster(NAS.nodes.keys())


@pytest.fixture
def plan(cluster: FakeCluster) -> Plan:
    return NAS.plan(NAS.gather(cluster.runners))


def crash(cluster: FakeCluster, plan: Plan, journal: Path, at: str = "vgcreate") -> None:
    dead: list[str] = []
    nodes = {name: Dying(runner, at, dead) for name, runner in cluster.runners.items()}
    with Journal(journal) as opened, pytest.raises(Crash):
        plan.apply(nodes, allow=plan.destroys, sleep=cluster.sleep, workers=1, journal=opened)


def test_a_lock_is_the_first_ones_and_only_he_gives_it_back(cluster: FakeCluster) -> None:
    node = cluster["linux-nas01"]
    assert node.run(take_lock("one")).value == "one"
    assert node.run(take_lock("two")).value == "one"
    assert node.run(take_lock("one")).value == "one"


def test_two_controllers_cannot_apply_at_once(cluster: FakeCluster, plan: Plan) -> None:
    cluster["linux-nas02"].run(take_lock(new_owner()))
    ran = len(cluster.log)
    with pytest.raises(
        Refused, match=r"linux-nas02 is locked by .*: that process still runs"
    ) as no:
        plan.apply(cluster.runners, allow=plan.destroys)
    assert "break_lock='" in no.value.hint
    assert {call.argv[3] for call in cluster.log[ran:]} == {"lock", "unlock"}
    assert cluster["linux-nas01"].files.get(LOCK) is None


def test_a_lock_that_was_given_back_and_stands_there_again_is_nobodys(
    cluster: FakeCluster, plan: Plan
) -> None:
    """As on a machine that lost its power before its disk knew that the lock was gone."""
    plan.apply(cluster.runners, allow=plan.destroys, sleep=cluster.sleep).raise_for_failure()
    taken = [call.argv[5] for call in cluster.log if call.argv[3:4] == ("lock",)]
    cluster["linux-nas01"].run(take_lock(taken[0]))
    plan.apply(cluster.runners, allow=plan.destroys, sleep=cluster.sleep)
    assert cluster["linux-nas01"].files.get(LOCK) is None


def test_a_lock_on_a_node_that_died_meanwhile_is_freed_by_the_next_run(tmp_path: Path) -> None:
    nas = described({}, "today")
    cluster = serving(nas, "today")
    cluster["linux-nas01"].shell("systemctl enable smbd nmbd")
    plan = nas.plan(nas.gather(cluster.runners))
    assert plan.nodes == ("linux-nas01",)
    with Journal(tmp_path / "journal") as journal:
        applied = plan.apply(
            cluster.runners, on=(lambda _: cluster.kill("linux-nas02"),), journal=journal
        )
    assert applied.locked == ("linux-nas02",)
    cluster.boot("linux-nas02")
    rest = nas.plan(nas.gather(cluster.runners))
    with pytest.raises(Refused, match="linux-nas02 is locked by"):
        rest.apply(cluster.runners)
    with Journal(tmp_path / "journal") as journal:
        rest.apply(cluster.runners, sleep=cluster.sleep, journal=journal).raise_for_failure()


def test_what_is_known_of_a_stale_lock_is_said(cluster: FakeCluster, plan: Plan) -> None:
    host = os.uname().nodename
    cluster["linux-nas01"].run(take_lock(f"me@{host}:4194999/2026/x"))
    with pytest.raises(Refused, match="that process has ended"):
        plan.apply(cluster.runners, allow=plan.destroys)
    cluster["linux-nas02"].run(take_lock("me@elsewhere:1/2026/x"))
    with pytest.raises(Refused, match="look there whether it still runs"):
        plan.apply(cluster.runners, allow=plan.destroys, break_lock=f"me@{host}:4194999/2026/x")


def test_a_lock_is_broken_by_its_name(cluster: FakeCluster, plan: Plan) -> None:
    cluster["linux-nas01"].run(take_lock("dead"))
    applied = plan.apply(
        cluster.runners, allow=plan.destroys, sleep=cluster.sleep, workers=1, break_lock="dead"
    )
    applied.raise_for_failure()
    assert all(node.files.get(LOCK) is None for node in cluster.nodes.values())


def test_after_a_crash_the_journal_frees_the_nodes(
    cluster: FakeCluster, plan: Plan, tmp_path: Path
) -> None:
    path = tmp_path / "journal"
    crash(cluster, plan, path)
    rest = NAS.plan(NAS.gather(cluster.runners))
    assert 0 < len(rest) < len(plan)
    with pytest.raises(Refused, match="is locked by"):
        rest.apply(cluster.runners, allow=rest.destroys)
    with Journal(path) as journal:
        assert "broke off in linux-nas01: vgcreate" in str(journal.broken)
        applied = rest.apply(
            cluster.runners, allow=rest.destroys, sleep=cluster.sleep, workers=1, journal=journal
        )
    applied.raise_for_failure()
    with Journal(path) as journal:
        assert journal.broken is None


def test_a_journal_cut_in_a_line_is_read(cluster: FakeCluster, plan: Plan, tmp_path: Path) -> None:
    path = tmp_path / "journal"
    crash(cluster, plan, path)
    with path.open("a") as file:
        file.write('{"step": "linux-na')
    with Journal(path) as journal:
        assert journal.broken is not None
        journal.begin("next", 1)
        journal.end()
    with Journal(path) as journal:
        assert journal.broken is None


def test_one_process_at_a_time_has_the_journal(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal"), pytest.raises(Refused, match="is in use"):
        Journal(tmp_path / "journal")


def test_a_node_that_died_keeps_its_lock_until_the_journal_breaks_it(
    cluster: FakeCluster, plan: Plan, tmp_path: Path
) -> None:
    cluster.lose("linux-nas02", "unlock", times=1, when="before")
    with Journal(tmp_path / "journal") as journal:
        applied = plan.apply(
            cluster.runners, allow=plan.destroys, sleep=cluster.sleep, workers=1, journal=journal
        )
    assert applied.locked == ("linux-nas02",)
    assert "locked   linux-nas02" in str(applied)
    with Journal(tmp_path / "journal") as journal:
        assert journal.broken is not None


def test_a_dead_lock_on_a_node_that_is_down_is_not_forgotten(
    cluster: FakeCluster, plan: Plan, tmp_path: Path
) -> None:
    crash(cluster, plan, tmp_path / "journal")
    cluster.kill("linux-nas02")
    first = Plan(tuple(step for step in plan if step.node == "linux-nas01")[:1])
    with Journal(tmp_path / "journal") as journal:
        first.apply(cluster.runners, journal=journal)
        assert len(owners(journal)) == 1
    cluster.boot("linux-nas02")
    with Journal(tmp_path / "journal") as journal:
        rest = NAS.plan(NAS.gather(cluster.runners))
        rest.apply(
            cluster.runners, allow=rest.destroys, sleep=cluster.sleep, journal=journal
        ).raise_for_failure()
        assert journal.broken is None
    assert all(node.files.get(LOCK) is None for node in cluster.nodes.values())


def owners(journal: Journal) -> tuple[str, ...]:
    return journal.broken.owners if journal.broken else ()


def test_a_node_of_the_plan_must_answer(cluster: FakeCluster, plan: Plan) -> None:
    cluster.kill("linux-nas02")
    with pytest.raises(Unreachable):
        plan.apply(cluster.runners, allow=plan.destroys)
    assert cluster["linux-nas01"].files.get(LOCK) is None


@pytest.mark.parametrize("deadly", range(0, 60, 7))
def test_the_controller_may_die_at_any_command(
    cluster: FakeCluster, plan: Plan, tmp_path: Path, deadly: int
) -> None:
    path = tmp_path / "journal"
    step = plan.steps[deadly % len(plan)]
    crash(cluster, plan, path, str(step.command))
    rest = NAS.plan(NAS.gather(cluster.runners))
    with Journal(path) as journal:
        applied = rest.apply(
            cluster.runners, allow=rest.destroys, sleep=cluster.sleep, workers=1, journal=journal
        )
    applied.raise_for_failure()
    cluster.advance(600)
    state = NAS.gather(cluster.runners)
    assert NAS.status(state).troubles == ()
    assert not NAS.plan(state).changed
    assert cluster.losses == []
