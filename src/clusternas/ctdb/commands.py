"""CTDB's commands, one function each; node numbers are those of the file `nodes`.

Starting and stopping ctdbd is the service manager's matter: `clusternas.core.services`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from clusternas.core.command import Command, Effect, Output, absolute, operand, text
from clusternas.core.errors import ValidationError
from clusternas.core.versions import Toolset
from clusternas.ctdb import status as decoders
from clusternas.ctdb.status import (
    CtdbStatus,
    Database,
    Interface,
    NodeStatus,
    PublicIp,
    ScriptStatus,
    Uptime,
)

__all__ = [
    "ban",
    "config_validate",
    "continue_",
    "disable",
    "disable_script",
    "enable",
    "enable_script",
    "getcapabilities",
    "getdbmap",
    "getvar",
    "ifaces",
    "ip",
    "leader",
    "listnodes",
    "moveip",
    "nodestatus",
    "pnn",
    "recover",
    "reloadips",
    "reloadnodes",
    "scriptstatus",
    "setvar",
    "shutdown",
    "status",
    "status_json",
    "stop",
    "unban",
    "uptime",
    "version",
]

T = TypeVar("T")
READ_WAIT = 30.0
CHANGE_WAIT = 120.0
"""Seconds: ctdb itself waits up to 60 s for a control, and a recovery may come between."""
FRAMES_SINCE = "4.2"
LEADER_SINCE = "4.16"
EVENTS_SINCE = "4.9"
ANY_FLAGS = range(64)
CONFIG_TOOL = "/usr/libexec/ctdb/ctdb-config"


def _read(decoder: Callable[[Output], T], *argv: str, ok: Iterable[int] = (0,)) -> Command[T]:
    return Command(("ctdb", *argv), decoder, effect=Effect.READ, timeout=READ_WAIT, ok=ok)


def _table(
    decoder: Callable[[Output], T], toolset: Toolset, *argv: str, ok: Iterable[int] = (0,)
) -> Command[T]:
    frames = "-X" if toolset.has("ctdb", since=FRAMES_SINCE) else "-Y"
    return _read(decoder, frames, *argv, ok=ok)


def _change(*argv: str, node: int | None = None) -> Command[str]:
    where = () if node is None else ("-n", _number(node))
    return Command(("ctdb", *argv, *where), text, effect=Effect.CHANGE, timeout=CHANGE_WAIT)


def _number(value: int) -> str:
    if value < 0:
        raise ValidationError(f"not a number from 0 on: {value!r}", hint="nodes count from 0")
    return str(value)


def version() -> Command[str]:
    """`ctdb version`."""
    return _read(decoders.decode_version, "version")


def status() -> Command[CtdbStatus]:
    """`ctdb status`: nodes, leader, recovery mode; the text, which all versions print."""
    return _read(decoders.decode_status, "status")


def status_json() -> Command[CtdbStatus]:
    """`ctdb --json status`, since 4.25."""
    return _read(decoders.decode_json, "--json", "status")


def nodestatus(toolset: Toolset = Toolset.UNKNOWN) -> Command[tuple[NodeStatus, ...]]:
    """`ctdb -X nodestatus all`: flags of all nodes; it exits with their bits, so any is fine."""
    return _table(decoders.decode_nodes, toolset, "nodestatus", "all", ok=ANY_FLAGS)


def ip(toolset: Toolset = Toolset.UNKNOWN) -> Command[tuple[PublicIp, ...]]:
    """`ctdb -X ip all`: which node has which public address."""
    return _table(decoders.decode_ips, toolset, "ip", "all")


def listnodes(toolset: Toolset = Toolset.UNKNOWN) -> Command[Mapping[int, str]]:
    """`ctdb -X listnodes`: the file `nodes` as ctdb reads it, also without ctdbd."""
    return _table(decoders.decode_listnodes, toolset, "listnodes")


def getdbmap(toolset: Toolset = Toolset.UNKNOWN) -> Command[tuple[Database, ...]]:
    """`ctdb -X getdbmap`: the databases of the cluster."""
    return _table(decoders.decode_databases, toolset, "getdbmap")


def ifaces(toolset: Toolset = Toolset.UNKNOWN) -> Command[tuple[Interface, ...]]:
    """`ctdb -X ifaces`: interfaces for public addresses and their links."""
    return _table(decoders.decode_interfaces, toolset, "ifaces")


def getcapabilities() -> Command[Mapping[str, bool]]:
    """`ctdb getcapabilities`: what this node may be."""
    return _read(decoders.decode_capabilities, "getcapabilities")


def scriptstatus(toolset: Toolset = Toolset.UNKNOWN) -> Command[tuple[ScriptStatus, ...]]:
    """`ctdb event status legacy monitor`, before 4.9 `ctdb scriptstatus`: the last monitoring."""
    if toolset.has("ctdb", since=EVENTS_SINCE):
        argv = ("event", "status", "legacy", "monitor")
        return _read(decoders.decode_scripts, *argv, ok=range(256))
    return _read(decoders.decode_scripts, "scriptstatus")


def uptime() -> Command[Uptime]:
    """`ctdb uptime`: since when, and since which recovery."""
    return _read(decoders.decode_uptime, "uptime")


def pnn() -> Command[int | None]:
    """`ctdb pnn`: the number of this node."""
    return _read(decoders.decode_number, "pnn")


def leader(toolset: Toolset = Toolset.UNKNOWN) -> Command[int | None]:
    """`ctdb leader`, before 4.16 `ctdb recmaster`: the number of the leading node."""
    known = toolset.has("ctdb", since=LEADER_SINCE)
    return _read(decoders.decode_number, "leader" if known else "recmaster")


def getvar(tunable: str) -> Command[str]:
    """`ctdb getvar NAME`: a tunable as it is now."""
    return _read(text, "getvar", operand(tunable, "tunable"))


def setvar(tunable: str, value: int, node: int | None = None) -> Command[str]:
    """`ctdb setvar NAME VALUE`: until ctdbd ends; for good, write it to ctdb.tunables."""
    return _change("setvar", operand(tunable, "tunable"), _number(value), node=node)


def enable(node: int | None = None) -> Command[str]:
    """`ctdb enable [-n NODE]`: let a disabled node serve again."""
    return _change("enable", node=node)


def disable(node: int | None = None) -> Command[str]:
    """`ctdb disable [-n NODE]`: give its public addresses to others."""
    return _change("disable", node=node)


def stop(node: int | None = None) -> Command[str]:
    """`ctdb stop [-n NODE]`: take it out of the cluster, ctdbd running on."""
    return _change("stop", node=node)


def continue_(node: int | None = None) -> Command[str]:
    """`ctdb continue [-n NODE]`: take a stopped node in again."""
    return _change("continue", node=node)


def ban(seconds: int, node: int | None = None) -> Command[str]:
    """`ctdb ban SECONDS [-n NODE]`: shut a node out for a while."""
    return _change("ban", _number(seconds), node=node)


def unban(node: int | None = None) -> Command[str]:
    """`ctdb unban [-n NODE]`."""
    return _change("unban", node=node)


def moveip(address: str, node: int) -> Command[str]:
    """`ctdb moveip ADDRESS NODE`: move a public address by hand."""
    return _change("moveip", operand(address, "address"), _number(node))


def recover() -> Command[str]:
    """`ctdb recover`: start a recovery now."""
    return _change("recover")


def reloadips() -> Command[str]:
    """`ctdb reloadips all`: read public_addresses again on all nodes."""
    return _change("reloadips", "all")


def reloadnodes() -> Command[str]:
    """`ctdb reloadnodes`: read `nodes` again everywhere; it must be the same everywhere first."""
    return _change("reloadnodes")


def shutdown(node: int | None = None) -> Command[str]:
    """`ctdb shutdown [-n NODE]`: end ctdbd, and Samba with it."""
    return _change("shutdown", node=node)


def enable_script(script: str, toolset: Toolset = Toolset.UNKNOWN) -> Command[str]:
    """`ctdb event script enable legacy 50.samba`, before 4.9 `ctdb enablescript 50.samba`."""
    return _script("enable", script, toolset)


def disable_script(script: str, toolset: Toolset = Toolset.UNKNOWN) -> Command[str]:
    """`ctdb event script disable legacy 50.samba`, before 4.9 `ctdb disablescript 50.samba`."""
    return _script("disable", script, toolset)


def _script(verb: str, script: str, toolset: Toolset) -> Command[str]:
    name = operand(script, "event script")
    if "/" in name:
        raise ValidationError(f"not an event script: {script!r}", hint="write its name: 50.samba")
    if toolset.has("ctdb", since=EVENTS_SINCE):
        return _change("event", "script", verb, "legacy", name)
    return _change(f"{verb}script", name)


def config_validate(directory: str = "/etc/ctdb", tool: str = CONFIG_TOOL) -> Command[str]:
    """`ctdb-config validate`: have CTDB itself read the ctdb.conf of a directory; since 4.9."""
    env = (("CTDB_BASE", absolute(directory, "directory")), ("CTDB_TEST_MODE", "yes"))
    return Command((tool, "validate"), text, effect=Effect.READ, timeout=READ_WAIT, env=env)
