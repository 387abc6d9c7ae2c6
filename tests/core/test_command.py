"""Commands as values."""

from __future__ import annotations

import pickle
import shlex

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusternas.core.command import Command, Effect, Output, Result, Runner, Secret, operand, text
from clusternas.core.errors import (
    CommandFailed,
    CommandNotFound,
    Drift,
    Refused,
    ValidationError,
)

ARGUMENTS = st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))


@attrs.frozen
class Answer:
    """A runner that answers always the same."""

    output: Output

    def run(self, command: Command[str]) -> Result[str]:
        return command.result(self.output)


def up(**options: object) -> Command[str]:
    return Command(("drbdadm", "up", "r0"), text, **options)  # type: ignore[arg-type]


class TestBuilding:
    @given(ARGUMENTS)
    def test_law_6_the_shell_gives_argv_again(self, arguments: list[str]) -> None:
        command = Command(("tool", *arguments), text)
        assert tuple(shlex.split(command.shell())) == command.argv

    @pytest.mark.parametrize("argv", ["drbdadm up r0", (), ("",), ("a", None), ("a", "\0")])
    def test_argv_is_strings(self, argv: tuple[str, ...]) -> None:
        with pytest.raises(ValidationError):
            Command(argv, text)

    @pytest.mark.parametrize("timeout", [0, -1, float("nan")])
    def test_a_timeout_is_a_time(self, timeout: float) -> None:
        with pytest.raises(ValidationError):
            up(timeout=timeout)

    def test_it_is_a_value(self) -> None:
        assert up() == up()
        assert hash(up()) == hash(up())
        assert up() != up(effect=Effect.READ)
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            up().timeout = 3  # type: ignore[misc]

    def test_it_pickles(self) -> None:
        command = up(secrets=(Secret("x"),), raises=((75, Drift),), stdin=b"y")
        assert pickle.loads(pickle.dumps(command)) == command

    def test_names(self) -> None:
        assert up().name == "drbdadm up r0"
        assert up(title="bring r0 up").name == "bring r0 up"
        assert up(title="bring r0 up", name="up r0").name == "up r0"

    def test_how_it_shows(self) -> None:
        command = Command(("echo", "a b"), text)
        assert str(command) == "echo 'a b'"
        assert repr(command) == "Command(echo 'a b', change)"
        assert str(up(title="bring r0 up")) == "bring r0 up"


class TestSecrets:
    @given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
    def test_never_shown(self, rest: str) -> None:
        secret = f"\N{SECTION SIGN}{rest}"
        command = Command(("tool", f"--password={secret}", secret), text, secrets=(Secret(secret),))
        shown = f"{command}{command!r}{command.name}{command.secrets}"
        assert "\N{SECTION SIGN}" not in shown
        assert command.shell() == shlex.join(command.argv)

    def test_one_inside_the_other(self) -> None:
        command = Command(("tool", "abcdef"), text, secrets=(Secret("abc"), Secret("abcdef")))
        assert command.name == "tool ********"

    def test_in_errors(self) -> None:
        command = Command(("tool", "s3cret"), text, secrets=(Secret("s3cret"), Secret("")))
        with pytest.raises(CommandFailed) as caught:
            command.result(Output(1, b"got s3cret", b"bad s3cret"))
        shown = f"{caught.value}{caught.value.stdout}{caught.value.stderr}"
        assert "s3cret" not in shown
        assert caught.value.stderr == "bad ********"

    def test_by_name_only(self) -> None:
        assert Secret("x").reveal() == "x"
        assert (repr(Secret("x")), str(Secret("x"))) == ("Secret(********)", "Secret(********)")
        assert Secret("x") == Secret("x") != Secret("y")
        assert len({Secret("x"), Secret("x")}) == 1


class TestJudging:
    def test_success(self) -> None:
        result = up().result(Output(stdout=b"ok\n"), node="nas01", duration=2.0)
        assert (result.value, result.node, result.duration) == ("ok\n", "nas01", 2.0)

    def test_what_is_fine_is_the_commands(self) -> None:
        assert up(ok={0, 10}).result(Output(10)).output.exit_code == 10
        with pytest.raises(CommandFailed):
            up(ok={10}).result(Output(0))

    @pytest.mark.parametrize(
        ("code", "kind", "message"),
        [
            (1, CommandFailed, "drbdadm failed with exit code 1"),
            (-15, CommandFailed, "drbdadm was killed by signal 15"),
            (127, CommandNotFound, "not installed"),
            (75, Drift, "it changed"),
        ],
    )
    def test_exit_codes(self, code: int, kind: type[CommandFailed], message: str) -> None:
        with pytest.raises(kind, match=message) as caught:
            up(raises=((75, Drift),)).result(Output(code, b"", b"it changed\n"), node="nas01")
        error = caught.value
        assert (error.exit_code, error.node, error.command) == (code, "nas01", "drbdadm up r0")

    def test_127_may_be_fine(self) -> None:
        assert up(ok={127}).result(Output(127)).output.exit_code == 127

    def test_bytes_that_are_no_text(self) -> None:
        output = Output(0, b"\xff", b"\xfe")
        assert (output.text, output.error_text) == ("\udcff", "\udcfe")


class TestConsent:
    DESTROY = Command(
        ("drbdadm", "--force", "create-md", "r0"),
        text,
        effect=Effect.DESTROY,
        name="drbdadm create-md r0",
    )

    def test_by_name(self) -> None:
        runner = Answer(Output(stdout=b"done"))
        result = self.DESTROY.run(runner, allow=["drbdadm create-md r0"])
        assert result.value == "done"

    @pytest.mark.parametrize("names", [(), ("drbdadm",), ("drbdadm create-md r1",)])
    def test_nothing_else_will_do(self, names: tuple[str, ...]) -> None:
        with pytest.raises(Refused, match="drbdadm create-md r0") as caught:
            self.DESTROY.run(Answer(Output()), allow=names)
        assert "allow=['drbdadm create-md r0']" in caught.value.hint

    def test_what_destroys_nothing_needs_none(self) -> None:
        assert up().run(Answer(Output())).value == ""

    def test_a_runner_is_whatever_runs(self) -> None:
        assert isinstance(Answer(Output()), Runner)
        assert not isinstance(object(), Runner)


class TestOperand:
    @pytest.mark.parametrize("value", ["r0", "/dev/drbd0", "a b", "nas-01", "größe", "a-"])
    def test_operands(self, value: str) -> None:
        assert operand(value) == value

    @pytest.mark.parametrize("value", ["", "-r0", "--all", "a\nb", "a\tb", "\0", "\x7f", "\u2028"])
    def test_not_operands(self, value: str) -> None:
        with pytest.raises(ValidationError, match="not a resource name"):
            operand(value, "resource name")
