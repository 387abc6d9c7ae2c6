"""Nodes restart one after the other, and whatever breaks off goes on where it stopped."""

from typing import TypeVar

import pytest
from serving import described

from clusternas.core.command import Command, Result, Runner
from clusternas.core.errors import PlanError
from clusternas.nas.restart import RollingRestart
from clusternas.testing import FakeCluster

T = TypeVar("T")


class Crash(BaseException):
    """The controller dies."""


class Mortal:
    """A runner of a controller that dies after so many commands that change something."""

    def __init__(self, runner: Runner, left: list[int]) -> None:
        self.runner, self.left = runner, left

    def run(self, command: Command[T], /) -> Result[T]:
        if command.effect.value != "read":
            self.left[0] -= 1
        if self.left[0] < 0:
            raise Crash
        return self.runner.run(command)


def rolling(cluster: FakeCluster, generation: str, **given: object) -> RollingRestart:
    told = {"nodes": cluster.runners, "sleep": cluster.sleep, "workers": 1} | given
    return RollingRestart(nas=described({}, generation), **told)  # type: ignore[arg-type]


def serving(cluster: FakeCluster) -> int:
    return sum(bool(node.up and node.mounts) for node in cluster.nodes.values())


def test_every_node_restarts_while_the_other_one_serves(
    running: FakeCluster, generation: str
) -> None:
    least: list[int] = []
    told: list[str] = []
    again = rolling(
        running, generation, on=[lambda _: least.append(serving(running))], tell=told.append
    )
    assert again.run() == ("linux-nas01", "linux-nas02")
    assert min(least) == 1
    assert [node.boots for node in running.nodes.values()] == [2, 2]
    assert told[:3] == [
        "linux-nas01: out of service",
        "linux-nas01: restart",
        "linux-nas01: into service",
    ]
    assert again.left() == ()
    assert running.losses == []


def test_only_those_that_are_named(running: FakeCluster, generation: str) -> None:
    assert rolling(running, generation, names=["linux-nas02"]).run() == ("linux-nas02",)
    assert [node.boots for node in running.nodes.values()] == [1, 2]


def test_nothing_begins_where_no_node_can_be_spared(running: FakeCluster, generation: str) -> None:
    stop = "systemctl stop named" if generation == "today" else "service named stop"
    assert running["linux-nas02"].shell(stop).exit_code == 0
    with pytest.raises(PlanError, match="no node can be spared"):
        rolling(running, generation).run()
    assert [node.boots for node in running.nodes.values()] == [1, 1]
    assert rolling(running, generation).left() == ()


@pytest.mark.parametrize("generation", ["today"])
def test_a_controller_that_crashes_anywhere_leaves_work_for_the_next(
    running: FakeCluster, generation: str
) -> None:
    lives = 0
    for lives in range(1, 100):
        left = [lives]
        nodes = {name: Mortal(each, left) for name, each in running.runners.items()}
        try:
            rolling(running, generation, nodes=nodes, break_lock=lock_of(running)).run()
        except Crash:
            running.advance(60)
            continue
        break
    assert lives > 5
    assert [node.boots for node in running.nodes.values()] == [2, 2]
    assert rolling(running, generation).left() == ()
    assert running.losses == []
    assert serving(running) == 2


def lock_of(cluster: FakeCluster) -> str:
    locks = (node.files.get("/var/lib/clusternas.lock") for node in cluster.nodes.values())
    return next((lock.data.decode() for lock in locks if lock is not None), "")


def test_a_node_that_does_not_come_back_is_waited_for_and_named(
    running: FakeCluster, generation: str
) -> None:
    again = rolling(running, generation)
    word = "systemctl reboot" if generation == "today" else "shutdown"
    running.lose("linux-nas01", word, when="before")
    with pytest.raises(PlanError, match="linux-nas01 did not come back within 900 s"):
        again.run()
    assert again.left() == ("linux-nas01", "linux-nas02")
    assert again.run() == ("linux-nas01", "linux-nas02")
    assert [node.boots for node in running.nodes.values()] == [2, 2]
