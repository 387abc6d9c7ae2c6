"""The error tree: what catches what, what is shown, what survives pickling."""

from __future__ import annotations

import pickle

import pytest

from clusternas.core import errors
from clusternas.core.errors import (
    ClusterNasError,
    CommandError,
    CommandFailed,
    CommandNotFound,
    CommandTimeout,
    ConfigError,
    Drift,
    NodesError,
    ParseError,
    PlanError,
    Refused,
    Unreachable,
    UnsupportedError,
    ValidationError,
)

COMMAND = (CommandError, CommandFailed, CommandNotFound, CommandTimeout, Unreachable, Drift)
CONFIG = (ConfigError, ParseError, UnsupportedError, ValidationError)


class TestTree:
    @pytest.mark.parametrize(
        ("kind", "bases"),
        [
            (ParseError, (ConfigError, ValueError)),
            (ValidationError, (ConfigError, ValueError)),
            (UnsupportedError, (ConfigError, ValueError)),
            (CommandFailed, (CommandError,)),
            (CommandNotFound, (CommandError,)),
            (CommandTimeout, (CommandError, TimeoutError)),
            (Unreachable, (CommandError, ConnectionError)),
            (Drift, (PlanError, CommandError)),
            (Refused, (PlanError,)),
            (NodesError, (ExceptionGroup,)),
        ],
    )
    def test_what_catches_it(self, kind: type[Exception], bases: tuple[type, ...]) -> None:
        assert issubclass(kind, (*bases, ClusterNasError)[-1])
        assert all(issubclass(kind, base) for base in bases)

    def test_every_code_is_its_own(self) -> None:
        codes = [getattr(errors, name).code for name in errors.__all__]
        assert len(set(codes)) == len(codes)
        assert all(len(code) == 5 and code.startswith("CN") for code in codes)


class TestText:
    def test_a_place_in_a_file(self) -> None:
        error = ParseError(
            "no such protocol",
            hint="A, B or C",
            path="r0.res",
            line=3,
            column=12,
            source="  protocol D;",
        )
        assert str(error).splitlines() == [
            "r0.res:3:12: no such protocol",
            "    protocol D;",
            "             ^",
            "  help: A, B or C",
        ]

    def test_no_place(self) -> None:
        assert str(ValidationError("no name")) == "no name"

    def test_the_end_of_what_was_printed(self) -> None:
        error = CommandFailed(
            "drbdadm failed with exit code 10",
            node="nas01",
            command="drbdadm up r0",
            stderr="".join(f"line {number}\n" for number in range(30)),
        )
        rows = str(error).splitlines()
        assert rows[0] == "nas01: drbdadm failed with exit code 10"
        assert rows[1] == "  command: drbdadm up r0"
        assert rows[2] == "  | line 20"
        assert rows[-1] == "  | line 29"

    def test_standard_output_where_there_is_nothing_else(self) -> None:
        assert "  | said" in str(CommandFailed("failed", stdout="said\n"))


class TestPickle:
    @pytest.mark.parametrize("kind", COMMAND)
    def test_command_errors(self, kind: type[CommandError]) -> None:
        error = kind("late", hint="h", command="c", node="n", exit_code=3, stdout="o", stderr="e")
        error.add_note("seen")
        again = pickle.loads(pickle.dumps(error))
        assert type(again) is kind
        assert (again.message, again.args, vars(again)) == ("late", error.args, vars(error))
        assert str(again) == str(error)

    @pytest.mark.parametrize("kind", CONFIG)
    def test_config_errors(self, kind: type[ConfigError]) -> None:
        error = kind("wrong", hint="h", path="p", line=1, column=2, source="s")
        assert str(pickle.loads(pickle.dumps(error))) == str(error)

    def test_groups(self) -> None:
        group = NodesError("2 of 3", [CommandFailed("a", node="x")], {"y": 1}, hint="h")
        again = pickle.loads(pickle.dumps(group))
        assert (again.message, again.results, again.hint) == ("2 of 3", {"y": 1}, "h")
        assert [error.node for error in again.exceptions] == ["x"]
        assert str(again) == str(group)


class TestNodesError:
    def test_it_says_what_failed(self) -> None:
        group = NodesError("1 of 2 nodes failed", [CommandFailed("no", node="nas02")], hint="look")
        assert str(group) == "1 of 2 nodes failed\nnas02: no\n  help: look"

    def test_good_results_survive_a_split(self) -> None:
        group = NodesError("2 of 3", [Unreachable("gone"), CommandFailed("no")], {"nas03": "ok"})
        unreachable, rest = group.split(Unreachable)
        for part, kind in ((unreachable, Unreachable), (rest, CommandFailed)):
            assert isinstance(part, NodesError)
            assert part.results == {"nas03": "ok"}
            assert [type(error) for error in part.exceptions] == [kind]
