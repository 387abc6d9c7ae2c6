"""The commands of CTDB, as they would be typed, in the spelling of each generation."""

from __future__ import annotations

import pytest

from clusternas.core.command import Command, Effect
from clusternas.core.errors import ValidationError
from clusternas.core.versions import Toolset
from clusternas.ctdb import commands

OLD = Toolset(ctdb="1.0.114")
NEW = Toolset.DEBIAN12


@pytest.mark.parametrize(
    ("command", "line"),
    [
        (commands.status(), "ctdb status"),
        (commands.status_json(), "ctdb --json status"),
        (commands.nodestatus(NEW), "ctdb -X nodestatus all"),
        (commands.nodestatus(OLD), "ctdb -Y nodestatus all"),
        (commands.ip(NEW), "ctdb -X ip all"),
        (commands.listnodes(NEW), "ctdb -X listnodes"),
        (commands.getdbmap(NEW), "ctdb -X getdbmap"),
        (commands.ifaces(NEW), "ctdb -X ifaces"),
        (commands.getcapabilities(), "ctdb getcapabilities"),
        (commands.scriptstatus(NEW), "ctdb event status legacy monitor"),
        (commands.scriptstatus(OLD), "ctdb scriptstatus"),
        (commands.uptime(), "ctdb uptime"),
        (commands.pnn(), "ctdb pnn"),
        (commands.leader(NEW), "ctdb leader"),
        (commands.leader(Toolset(ctdb="4.15")), "ctdb recmaster"),
        (commands.getvar("EnableBans"), "ctdb getvar EnableBans"),
        (commands.setvar("EnableBans", 1, node=1), "ctdb setvar EnableBans 1 -n 1"),
        (commands.enable(), "ctdb enable"),
        (commands.disable(1), "ctdb disable -n 1"),
        (commands.stop(1), "ctdb stop -n 1"),
        (commands.continue_(1), "ctdb continue -n 1"),
        (commands.ban(60, 1), "ctdb ban 60 -n 1"),
        (commands.unban(1), "ctdb unban -n 1"),
        (commands.moveip("192.168.1.21", 1), "ctdb moveip 192.168.1.21 1"),
        (commands.recover(), "ctdb recover"),
        (commands.reloadips(), "ctdb reloadips all"),
        (commands.reloadnodes(), "ctdb reloadnodes"),
        (commands.shutdown(), "ctdb shutdown"),
        (commands.enable_script("50.samba", NEW), "ctdb event script enable legacy 50.samba"),
        (commands.enable_script("50.samba", OLD), "ctdb enablescript 50.samba"),
        (commands.disable_script("50.samba", NEW), "ctdb event script disable legacy 50.samba"),
        (commands.version(), "ctdb version"),
    ],
    ids=str,
)
def test_a_command_reads_like_what_one_types(command: Command[object], line: str) -> None:
    assert command.shell() == line


def test_reading_changes_nothing_and_changing_says_so() -> None:
    assert commands.status().effect is Effect.READ
    assert commands.disable().effect is Effect.CHANGE


def test_nodestatus_exits_with_flags() -> None:
    assert {0, 1, 4, 12, 63} <= commands.nodestatus().ok


def test_ctdb_validates_a_directory_of_its_own() -> None:
    command = commands.config_validate("/tmp/x")
    assert dict(command.env) == {"CTDB_BASE": "/tmp/x", "CTDB_TEST_MODE": "yes"}


@pytest.mark.parametrize(
    "build",
    [
        lambda: commands.disable(-1),
        lambda: commands.moveip("-x", 1),
        lambda: commands.getvar("a\nb"),
        lambda: commands.enable_script("../50.samba"),
        lambda: commands.config_validate("etc"),
    ],
)
def test_what_ctdb_would_misread_is_refused(build) -> None:
    with pytest.raises(ValidationError):
        build()
