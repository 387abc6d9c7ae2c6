"""Many commands in one call, run by a real shell."""

import subprocess
from pathlib import Path

import pytest

from clusternas.core.batch import LATE, PATIENCE, batch
from clusternas.core.command import Command, Effect, Output, text
from clusternas.core.errors import ParseError, ValidationError


def read(*argv: str, timeout: float = 5, env: tuple[tuple[str, str], ...] = ()) -> Command[str]:
    return Command(argv, text, effect=Effect.READ, timeout=timeout, env=env)


def run(*commands: Command[str]) -> tuple[Output, ...]:
    argv = [each.replace(f"wait={PATIENCE}", "wait=1") for each in batch(commands).argv]
    done = subprocess.run(argv, input=b"", capture_output=True, check=True)
    return batch(commands).decode(Output(done.returncode, done.stdout, done.stderr))


def test_every_output_comes_back_whole() -> None:
    first, second, third, fourth = run(
        read("printf", "%s", "a 'b\n"),
        read("sh", "-c", "echo no >&2; printf '\\377\\000'; exit 3"),
        read("no-such-tool-anywhere"),
        read("sh", "-c", "cat; echo $MODE", env=(("MODE", "x"),)),
    )
    assert first == Output(0, b"a 'b\n", b"")
    assert second == Output(3, b"\xff\0", b"no\n")
    assert third.exit_code == 127
    assert fourth.stdout == b"x\n"


def test_one_that_hangs_does_not_hold_up_the_others() -> None:
    hung, after = run(read("sleep", "60", timeout=1), read("echo", "on"))
    assert hung.exit_code == 124
    assert after.text == "on\n"


def test_the_next_one_starts_beside_one_that_waits(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    slow, other, last = run(
        read("sh", "-c", f"while ! [ -e {mark} ]; do sleep 0.1; done; echo there", timeout=60),
        read("touch", str(mark)),
        read("echo", "on"),
    )
    assert slow == Output(0, b"there\n", b"")
    assert (other.exit_code, last.text) == (0, "on\n")


def test_several_that_hang_end_together() -> None:
    hung = [read("sleep", "60", timeout=2)] * 2
    *found, last = run(*hung, read("echo", "on"))
    assert [each.exit_code for each in found] == [LATE] * 2
    assert last.text == "on\n"


def test_the_limit_of_the_batch_is_the_shorter_one() -> None:
    call = batch([read("sleep", "60", timeout=60), read("true", timeout=2)], limit=4)
    assert [line.split()[0] for line in call.argv[-2:]] == ["4", "2"]


def test_one_that_does_not_let_itself_be_asked_to_end_is_killed() -> None:
    stubborn, after = run(
        read("sh", "-c", "trap '' TERM; while :; do sleep 1; done", timeout=1), read("echo", "on")
    )
    assert stubborn.exit_code == 124
    assert after.text == "on\n"


def test_only_reading_commands_without_input() -> None:
    with pytest.raises(ValidationError, match="cannot run in a batch"):
        batch([Command(("rm", "x"), text)])
    with pytest.raises(ValidationError, match="cannot run in a batch"):
        batch([Command(("cat",), text, effect=Effect.READ, stdin=b"x")])


@pytest.mark.parametrize(
    "said",
    [
        b"Welcome!\n0\n0 1.out\n0 1.err\n0 total\n",
        b"7 8\n0\n0 1.out\n0 1.err\n0 total\n",
        b"0\n3 1.out\n0 1.err\n3 total\nab",
        b"0\n3 1.out\n0 1.err\n",
        b"0\n\n0 1.err\n0 total\n",
    ],
)
def test_noise_and_what_is_missing_are_errors(said: bytes) -> None:
    with pytest.raises(ParseError, match="not read whole"):
        batch([read("true")]).decode(Output(0, said))


def test_no_command_has_no_output() -> None:
    assert run() == ()
