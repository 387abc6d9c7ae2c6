"""Laying a wanted value over an actual one, on the smallest of models."""

import attrs

from clusternas.core.codec import string
from clusternas.core.fields import argument, option, options, section, sections
from clusternas.core.keyed import Keyed
from clusternas.core.model import Model
from clusternas.core.overlay import overlay
from clusternas.core.syntax.blocks import DrbdSyntax


class Base(Model):
    syntax = DrbdSyntax()


@attrs.frozen(kw_only=True, slots=False, repr=False)
class Net(Base):
    a: str | None = option(codec=string())
    b: str | None = option(codec=string())
    peers: tuple[str, ...] = options("peer", codec=string())


@attrs.frozen(kw_only=True, slots=False, repr=False)
class Host(Base):
    name: str = argument(string())
    net: Net | None = section(Net)


@attrs.frozen(kw_only=True, slots=False, repr=False)
class File(Base):
    net: Net | None = section(Net)
    hosts: Keyed[Host] = sections(Host, "on", name="name")


TEXT = "# mine\nnet { a 1; b 2; peer x; odd 3; }\non h1 { }\non h2 {\n  net { b 5; } # five\n}\n"


def test_what_is_not_wanted_otherwise_stays() -> None:
    wanted = File(
        net=Net(b="9", peers=("x", "y")), hosts=[Host(name="h2", net=Net(b="6")), Host(name="h3")]
    )
    result = overlay(File.parse(TEXT), wanted)
    expected = (
        TEXT.replace("b 2;", "b 9;").replace("odd 3;", "odd 3; peer y;").replace("b 5", "b 6")
    )
    assert result.render() == expected + "on h3 {\n}\n"


def test_wanting_what_is_there_changes_nothing() -> None:
    actual = File.parse(TEXT)
    assert overlay(actual, File.parse("net { a 1; }")) is actual
    assert overlay(actual, actual) is actual


def test_what_is_wanted_no_more_goes() -> None:
    last = File.parse("net { a 1; b 2; peer x; odd 3; }\non h1 { }\non h2 { net { b 5; } }\n")
    wanted = File(net=Net(a="1"), hosts=[Host(name="h2")])
    result = overlay(File.parse(TEXT), wanted, last)
    assert result.render() == "# mine\nnet { a 1; }\non h2 {\n  net { } # five\n}\n"


def test_what_somebody_has_changed_or_added_stays() -> None:
    last = File.parse("net { a 1; b 2; }\n")
    actual = File.parse("net { a 7; b 2; peer z; }\non mine { }\n")
    result = overlay(actual, File(), last)
    assert result.render() == "net { a 7; peer z; }\non mine { }\n"


def test_what_was_wanted_before_and_is_still_changes_nothing() -> None:
    actual = File.parse(TEXT)
    assert overlay(actual, actual, actual) is actual
