"""Many nodes at once."""

from __future__ import annotations

import pickle
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusternas.core.command import Command, Effect, Output, Secret, text
from clusternas.core.errors import (
    CommandFailed,
    CommandTimeout,
    NodesError,
    ParseError,
    Refused,
    Unreachable,
)
from clusternas.runners.local import Local
from clusternas.runners.nodes import Nodes, Results, fold
from clusternas.runners.ssh import Ssh
from clusternas.runners.wrap import Callback

ROLE = Command(("drbdadm", "role", "r0"), text, effect=Effect.READ)


def says(said: str, code: int = 0) -> Callback:
    return Callback(lambda _: Output(code, said.encode()))


def gone(command: Command[object]) -> Output:
    raise command.error(Unreachable, "could not be reached: No route to host")


def number(output: Output) -> int:
    try:
        return int(output.text)
    except ValueError:
        raise ParseError("not a number") from None


@pytest.fixture
def mixed() -> Results[str]:
    nodes = {"nas01": says("Primary\n"), "nas02": says("Primary\n"), "nas03": Callback(gone)}
    return Nodes(nodes).run(ROLE)


class TestRun:
    def test_every_node_answers(self) -> None:
        results = Nodes({"nas01": says("a"), "nas02": says("b")}).run(ROLE)
        assert results.value == {"nas01": "a", "nas02": "b"}
        assert [result.node for result in results.good.values()] == ["nas01", "nas02"]

    def test_one_that_fails_does_not_hide_the_others(self, mixed: Results[str]) -> None:
        assert list(mixed) == ["nas01", "nas02", "nas03"]
        assert list(mixed.good) == ["nas01", "nas02"]
        assert list(mixed.failed) == ["nas03"]
        assert mixed.failed["nas03"].node == "nas03"
        with pytest.raises(NodesError, match="1 of 3 nodes failed: nas03") as caught:
            mixed.raise_for_errors()
        assert caught.value.results == mixed.good
        with pytest.raises(NodesError):
            _ = mixed.value

    def test_all_at_once(self) -> None:
        barrier = threading.Barrier(16)

        def meet(_: Command[object]) -> Output:
            barrier.wait(5)
            return Output(stdout=b"met")

        nodes = Nodes({f"nas{index}": Callback(meet) for index in range(16)})
        assert set(nodes.run(ROLE).value.values()) == {"met"}

    def test_at_most_so_many(self) -> None:
        busy, most, lock = 0, 0, threading.Lock()

        def work(_: Command[object]) -> Output:
            nonlocal busy, most
            with lock:
                busy += 1
                most = max(most, busy)
            time.sleep(0.02)
            with lock:
                busy -= 1
            return Output()

        Nodes({f"nas{index}": Callback(work) for index in range(9)}, workers=3).run(ROLE)
        assert most == 3

    def test_each_its_own(self) -> None:
        nodes = Nodes({name: Local() for name in ("nas01", "nas02")})
        commands = {name: Command(("echo", name), text) for name in nodes}
        assert nodes.run_each(commands).value == {"nas01": "nas01\n", "nas02": "nas02\n"}
        assert list(nodes.run_each({"nas02": commands["nas02"]})) == ["nas02"]
        with pytest.raises(KeyError):
            nodes.run_each({"nas03": ROLE})
        assert len(nodes.run_each({})) == 0

    def test_nothing_destroys_without_consent(self) -> None:
        asked = []

        def remember(command: Command[object]) -> Output:
            asked.append(command)
            return Output()

        nodes = Nodes({"nas01": Callback(remember), "nas02": Callback(remember)})
        wipe = Command(("mkfs.gfs2", "/dev/vg/lv"), text, effect=Effect.DESTROY)
        with pytest.raises(Refused):
            nodes.run_each({"nas01": ROLE, "nas02": wipe})
        assert asked == []
        assert len(nodes.run(wipe.allow(["mkfs.gfs2 /dev/vg/lv"])).good) == 2

    def test_a_value_that_is_none(self) -> None:
        results = Nodes({"nas01": says("x")}).run(Command(("cat",), number))
        with pytest.raises(ParseError):
            _ = results.value

    def test_another_error_is_not_hidden(self) -> None:
        def broken(_: Command[object]) -> Output:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            Nodes({"nas01": Callback(broken)}).run(ROLE)

    def test_after_an_interrupt_nothing_begins(self) -> None:
        asked = []

        def interrupt(command: Command[object]) -> Output:
            asked.append(command)
            time.sleep(0.05)
            raise KeyboardInterrupt

        nodes = {f"nas{index}": Callback(interrupt) for index in range(50)}
        with pytest.raises(KeyboardInterrupt):
            Nodes(nodes, workers=2).run(ROLE)
        assert len(asked) < 10


class TestNodes:
    def test_ssh(self) -> None:
        nodes = Nodes.ssh("nas01", "nas02", user="root", connect_timeout=3)
        assert nodes["nas02"] == Ssh("nas02", user="root", connect_timeout=3)
        assert repr(nodes) == "Nodes(nas[01-02])"

    def test_local(self) -> None:
        results = Nodes.local().run(Command(("echo", "x"), text))
        assert results.value == {"localhost": "x\n"}

    def test_select(self) -> None:
        nodes = Nodes({"a": says("a"), "b": says("b")}, workers=7).select(["b"])
        assert (list(nodes), nodes.workers) == (["b"], 7)
        with pytest.raises(KeyError):
            nodes.select(["c"])


class TestShown:
    def test_equal_answers_stand_together(self, mixed: Results[str]) -> None:
        assert str(mixed).splitlines() == [
            "nas[01-02]: Primary",
            "nas03: Unreachable: could not be reached: No route to host",
        ]
        assert repr(mixed) == "Results(2 good, 1 failed)"

    def test_several_lines_and_none(self) -> None:
        nodes = {"nas01": says("a\nb\n"), "nas02": says("a\nb\n"), "nas03": says("")}
        assert str(Nodes(nodes).run(ROLE)) == "nas[01-02]:\n  a\n  b\nnas03: ok"

    def test_what_failed_with_what_it_printed(self) -> None:
        said = str(Nodes({"nas01": says("no such resource\n", 10)}).run(ROLE))
        assert said == (
            "nas01:\n  CommandFailed: drbdadm failed with exit code 10\n  no such resource"
        )

    def test_html_is_escaped(self) -> None:
        page = Nodes({"<b>": says("<script>&")}).run(ROLE)._repr_html_()
        assert "&lt;b&gt;" in page
        assert "&lt;script&gt;&amp;" in page
        assert "<script>" not in page

    def test_secrets_do_not_show(self) -> None:
        command = Command(("cat",), text, secrets=(Secret("s3cret"),))
        results = Nodes({"nas01": says("is s3cret")}).run(command)
        shown = f"{results}{results!r}{results._repr_html_()}{results.to_records()}"
        assert "s3cret" not in shown

    def test_records(self, mixed: Results[str]) -> None:
        first, _, last = mixed.to_records()
        assert (first["node"], first["ok"], first["stdout"]) == ("nas01", True, "Primary\n")
        assert (last["node"], last["ok"], last["error"]) == ("nas03", False, "CN204")

    def test_they_pickle(self, mixed: Results[str]) -> None:
        again = pickle.loads(pickle.dumps(mixed))
        assert str(again) == str(mixed)
        assert again.good == mixed.good

    def test_timeouts_keep_what_was_printed(self) -> None:
        command = Command(("sh", "-c", "echo so far; sleep 9"), text, timeout=0.3)
        error = Nodes.local().run(command).failed["localhost"]
        assert isinstance(error, CommandTimeout)
        assert "so far" in str(Results({"nas01": error}))


class TestFold:
    @pytest.mark.parametrize(
        ("names", "folded"),
        [
            ([], ""),
            (["gate"], "gate"),
            (["nas01"], "nas01"),
            (["nas02", "nas01"], "nas[01-02]"),
            (["nas1", "nas2", "nas3", "nas5"], "nas[1-3,5]"),
            (["nas9", "nas10", "nas11"], "nas[9-11]"),
            (["nas09", "nas10"], "nas[09-10]"),
            (["nas1", "nas01"], "nas[1,01]"),
            (["a1.example.com", "a2.example.com", "b1"], "a[1-2].example.com,b1"),
            (["nas01", "gate"], "gate,nas01"),
        ],
    )
    def test_names(self, names: list[str], folded: str) -> None:
        assert fold(names) == folded

    @given(st.sets(st.from_regex(r"[a-c]{1,2}(0?[1-9]|1[0-9])?(\.x)?", fullmatch=True)))
    def test_clustershell_unfolds_it(self, names: set[str]) -> None:
        nodeset = pytest.importorskip("ClusterShell.NodeSet")
        assert {str(node) for node in nodeset.NodeSet(fold(names))} == names


def test_a_failed_command_is_an_error_of_its_node() -> None:
    failed = Nodes({"nas01": says("", 3)}).run(ROLE).failed["nas01"]
    assert isinstance(failed, CommandFailed)
    assert (failed.node, failed.exit_code) == ("nas01", 3)
