"""Plans as values, and carrying them out."""

import json
import re
import threading
import time
from pathlib import Path
from typing import TypeVar

import pytest

from clusternas.core.command import Command, Effect, Output, Result, text
from clusternas.core.errors import PlanError, Refused
from clusternas.nas.apply import Event
from clusternas.nas.journal import Journal
from clusternas.nas.plan import Check, Draft, Plan

T = TypeVar("T")


class Machine:
    """Writes down what runs; fails what it is told to."""

    def __init__(self, log: list[str], name: str, fail: str = "") -> None:
        self.log, self.name, self.fail = log, name, fail
        self.asked = 0

    def run(self, command: Command[T], /) -> Result[T]:
        if command.effect is Effect.READ:
            self.asked += 1
            return command.result(Output(0, str(self.asked).encode()))
        command.require_allowed()
        if command.argv[0] == "sh":  # the lock: nobody else wants it
            return command.result(Output(0, command.argv[-1].encode()))
        self.log.append(f"{self.name}: {command}")
        return command.result(Output(1 if str(command) == self.fail else 0, b"", b"boom"))


def do(*argv: str, effect: Effect = Effect.CHANGE) -> Command[str]:
    return Command(argv, text, effect=effect)


def third(answer: str) -> bool:
    return answer == "3"


ASK = Command(("ask",), text, effect=Effect.READ)


@pytest.fixture
def plan() -> Plan:
    draft = Draft()
    for node in ("a", "b"):
        draft.add(node, do("up"), "it is down")
        draft.add(node, do("connect"), "it is alone")
    draft.barrier()
    draft.add(
        "a", do("mkfs", effect=Effect.DESTROY), "there is no file system", diff="--- x\n+++ y\n"
    )
    draft.barrier()
    for node in ("a", "b"):
        draft.add(node, do("mount"), "it is not mounted", diff="--- fstab\n")
    return draft.plan()


def test_the_order_has_barriers(plan: Plan) -> None:
    after = {step.id: step.after for step in plan}
    assert after["b: connect"] == ("b: up",)
    assert after["a: mkfs"] == ("a: connect", "b: connect")
    assert after["b: mount"] == ("a: mkfs",)


def test_a_plan_shows_itself(plan: Plan) -> None:
    rows = str(plan).splitlines()
    assert rows[0] == "7 steps on 2 nodes, 1 of them destroy data (!)"
    assert rows[5] == "!  5  a  mkfs     # there is no file system"
    assert plan.diff() == "# on a\n--- x\n+++ y\n\n# on a, b\n--- fstab\n"
    assert json.loads(plan.to_json())[4]["effect"] == "destroy"
    table = plan.table().splitlines()
    assert table[0].split() == "step node command only if proven by undone by".split()
    assert re.split(r"  +", table[5]) == ["!", "5", "a", "mkfs", "-", "its exit code", "-"]
    assert "<code>mkfs</code>" in plan._repr_html_()


def test_nothing_runs_unless_destruction_is_allowed(plan: Plan) -> None:
    log: list[str] = []
    with pytest.raises(Refused, match="mkfs") as caught:
        plan.apply({"a": Machine(log, "a"), "b": Machine(log, "b")})
    assert caught.value.hint == "allow it by name: allow=['mkfs']"
    assert log == []


def test_every_node_needs_a_runner(plan: Plan) -> None:
    with pytest.raises(PlanError, match="no runner for b"):
        plan.apply({"a": Machine([], "a")}, allow=["mkfs"])


def test_it_runs_in_order(plan: Plan, tmp_path: Path) -> None:
    log: list[str] = []
    nodes = {name: Machine(log, name) for name in "ab"}
    with Journal(tmp_path / "journal") as journal:
        applied = plan.apply(nodes, allow=["mkfs"], journal=journal)
    assert applied.ok
    applied.raise_for_failure()
    assert log.index("a: mkfs") == 4
    assert sorted(log[:4]) == ["a: connect", "a: up", "b: connect", "b: up"]
    states = [json.loads(line)["state"] for line in (tmp_path / "journal").read_text().splitlines()]
    assert states.count("start") == states.count("done") == 7


def test_a_failure_stops_what_depends_on_it(plan: Plan) -> None:
    log: list[str] = []
    nodes = {"a": Machine(log, "a"), "b": Machine(log, "b", fail="up")}
    applied = plan.apply(nodes, allow=["mkfs"])
    assert list(applied.failed) == ["b: up"]
    assert set(applied.done) == {"a: up", "a: connect"}
    assert applied.skipped == ("b: connect", "a: mkfs", "a: mount", "b: mount")
    assert "2 of 7 steps done" in str(applied)
    with pytest.raises(PlanError, match="b: up: up failed with exit code 1"):
        applied.raise_for_failure()


def test_verification_waits_as_long_as_it_may() -> None:
    waits: list[float] = []
    draft = Draft()
    draft.add(
        "a", do("sync"), "r", verify=Check(command=ASK, holds=third, says="it is third", within=10)
    )
    events: list[Event] = []
    applied = draft.plan().apply({"a": Machine([], "a")}, sleep=waits.append, on=[events.append])
    assert applied.ok
    assert waits == [1.0, 1.0]
    assert [event.state for event in events] == ["start", "wait", "wait", "done"]


def test_what_is_not_true_in_time_has_failed() -> None:
    draft = Draft()
    draft.add(
        "a", do("sync"), "r", verify=Check(command=ASK, holds=third, says="it is third", within=1)
    )
    applied = draft.plan().apply({"a": Machine([], "a")}, sleep=lambda _: None)
    assert "it ran, but it is third is not true" in str(applied.failed["a: sync"])


def test_a_guard_refuses() -> None:
    log: list[str] = []
    draft = Draft()
    draft.add("a", do("wipe"), "r", guard=Check(command=ASK, holds=third, says="nobody uses it"))
    applied = draft.plan().apply({"a": Machine(log, "a")})
    assert isinstance(applied.failed["a: wipe"], Refused)
    assert log == []


def test_an_interrupt_stops_between_steps(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    log: list[str] = []
    pressed = threading.Event()

    def interrupt(running: object, **_options: object) -> object:
        if not pressed.is_set():
            pressed.set()
            raise KeyboardInterrupt
        return real(running, **_options)

    import clusternas.nas.apply as module

    real = module.wait
    monkeypatch.setattr(module, "wait", interrupt)
    applied = plan.apply({name: Machine(log, name) for name in "ab"}, allow=["mkfs"])
    assert applied.interrupted
    assert set(applied.done) == {"a: up", "b: up"}
    assert len(applied.skipped) == 5


def test_the_same_command_twice_has_two_names() -> None:
    draft = Draft()
    draft.add("a", do("reload"), "first")
    draft.add("a", do("reload"), "second")
    assert [step.id for step in draft.plan()] == ["a: reload", "a: reload (2)"]
    assert str(Plan()) == "nothing to do"


def test_listeners_hear_one_event_at_a_time(plan: Plan) -> None:
    busy, heard = threading.Lock(), []

    def listen(event: Event) -> None:
        heard.append(busy.acquire(blocking=False))
        time.sleep(0.002)
        busy.release()

    machines = {name: Machine([], name) for name in ("a", "b")}
    assert plan.apply(machines, allow=["mkfs"], on=[listen]).ok
    assert heard == [True] * 2 * len(plan)


class Late(Machine):
    """Does not answer the first two questions."""

    def run(self, command: Command[T], /) -> Result[T]:
        result = super().run(command)
        return command.result(Output(1, b"", b"timed out")) if self.asked in (1, 2) else result


THERE = Check(command=ASK, holds=third, says="it is there", within=60)


def test_a_step_that_only_waits_outlives_a_look_that_fails() -> None:
    draft = Draft()
    draft.add("a", ASK, "it has to come", verify=THERE)
    log: list[str] = []
    assert draft.plan().apply({"a": Late(log, "a")}, sleep=lambda _: None).ok
    assert log == []
