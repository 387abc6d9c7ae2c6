"""What is shown while a plan is applied: on a terminal, and in a file."""

import io

import pytest

from clusternas.cli.progress import Progress
from clusternas.core.command import Command, text
from clusternas.nas.apply import Event
from clusternas.nas.plan import Step

STEP = Step(id="a: up", node="a", command=Command(("up",), text), reason="it is down")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("COLUMNS", "30")
    return Terminal()


def test_a_terminal_shows_what_is_awaited_in_a_line_that_is_written_over(narrow: Terminal) -> None:
    show = Progress(3, narrow)
    show(Event(STEP, "start"))
    show(Event(STEP, "wait", "r0 is in sync: 42 %, 3 min left"))
    rows = narrow.getvalue().split("\r\x1b[K")
    assert rows == ["", "0 of 3  a: up", "0 of 3  a: up: r0 is in sync:"]
    show(Event(STEP, "done"))
    ended, footer = narrow.getvalue().split("\r\x1b[K")[3:]
    assert ended.endswith(" s  ok      a             up\n")
    assert footer == ""


def test_a_file_has_a_line_a_step_and_one_a_minute_for_what_is_awaited(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    to = io.StringIO()
    show = Progress(3, to)
    for seconds in (0, 1, 59, 60, 61):
        now[0] = float(seconds)
        show(Event(STEP, "wait", f"r0 is in sync: {seconds} %"))
    show(Event(STEP, "failed", "it broke\n  help: mend it"))
    assert to.getvalue().splitlines() == [
        "    0.0 s  …       a             r0 is in sync: 0 %",
        "   60.0 s  …       a             r0 is in sync: 60 %",
        "   61.0 s  FAILED  a             up",
        "           it broke",
        "             help: mend it",
    ]
