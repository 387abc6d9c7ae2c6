"""The commands of corosync's tools and of dlm_tool.

Services are started with `clusternas.core.services`: `start("corosync")`, then `start("dlm")`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeVar

from clusternas.core.command import Command, Effect, Output, absolute, text
from clusternas.core.errors import ValidationError
from clusternas.core.versions import Toolset
from clusternas.corosync.decode import (
    decode_check,
    decode_cmap,
    decode_dlm_config,
    decode_dlm_status,
    decode_links,
    decode_lockspaces,
    decode_peers,
    decode_quorum,
    decode_version,
)
from clusternas.corosync.status import (
    ConfigCheck,
    DlmSetting,
    DlmStatus,
    Links,
    Lockspace,
    Peer,
    QuorumStatus,
)

__all__ = [
    "check_config",
    "cmap",
    "dlm_config",
    "dlm_dump",
    "dlm_reload",
    "dlm_status",
    "expected",
    "fence_ack",
    "keygen",
    "kill",
    "links",
    "lockspaces",
    "peers",
    "quorum_status",
    "reload",
    "shutdown",
    "version",
]

T = TypeVar("T")

CONF = "/etc/corosync/corosync.conf"
AUTHKEY = "/etc/corosync/authkey"
READ = 30.0
CHANGE = 60.0
BAD_CONFIG = 8
NOT_QUORATE = 2
MAX_ID = 2**32 - 1
KEY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./:-]{0,254}")


def version() -> Command[str]:
    """Which corosync is installed."""
    return _read("corosync", "-v", decode=decode_version)


def check_config(path: str = CONF, toolset: Toolset = Toolset.UNKNOWN) -> Command[ConfigCheck]:
    """Whether corosync would start with this file on that host; it starts nothing.

    3.x takes the file by `-c` and ignores the variable that 2.x reads; asked the other's way, each
    silently checks the installed file.
    """
    modern = toolset.has("corosync", since="3")
    argv = ("corosync", "-t", *(("-c", absolute(path)) if modern else ()))  # fmt: skip
    env = () if modern else (("COROSYNC_MAIN_CONFIG_FILE", absolute(path)),)
    ok = {0, 1, BAD_CONFIG}
    return Command(argv, decode_check, effect=Effect.READ, timeout=READ, ok=ok, env=env)


def quorum_status() -> Command[QuorumStatus]:
    """Members, votes and quorum. Exits 2 without a quorum, 1 where corosync does not run."""
    argv = ("corosync-quorumtool", "-s")
    return Command(argv, decode_quorum, effect=Effect.READ, timeout=READ, ok={0, NOT_QUORATE})


def links() -> Command[Links]:
    """The links of this node, and who can be reached over them."""
    return _read("corosync-cfgtool", "-s", decode=decode_links)


def peers() -> Command[Mapping[int, Peer]]:
    """The other nodes, and each link to them (3.1 and later)."""
    return _read("corosync-cfgtool", "-n", decode=decode_peers)


def cmap(prefix: str = "") -> Command[Mapping[str, str | int | float]]:
    """The configuration that runs, and counters; those whose key begins with a prefix."""
    if prefix and not KEY.fullmatch(prefix):
        raise ValidationError(f"not a cmap key: {prefix!r}", hint="letters, digits and . _ - / :")
    return _read("corosync-cmapctl", *filter(None, [prefix]), decode=decode_cmap)


def expected(votes: int) -> Command[str]:
    """Tell the running cluster how many votes there are in all."""
    return _change("corosync-quorumtool", "-e", _number(votes, "number of votes", 65535))


def reload() -> Command[str]:
    """Make corosync on every node read its file again. What needs a restart is left as it runs."""
    return _change("corosync-cfgtool", "-R")


def shutdown() -> Command[str]:
    """End corosync here, unless a service vetoes."""
    return _change("corosync-cfgtool", "-H")


def kill(nodeid: int) -> Command[str]:
    """Throw a node out of the cluster: corosync ends there, and DLM has it fenced."""
    argv = ("corosync-cfgtool", "-k", _number(nodeid, "node id", MAX_ID))
    return Command(argv, text, effect=Effect.DESTROY, timeout=CHANGE)


def keygen(path: str = AUTHKEY) -> Command[str]:
    """Make a new key; the one that is there is replaced without a question."""
    argv = ("corosync-keygen", "-k", absolute(path))
    return Command(argv, text, effect=Effect.DESTROY, timeout=CHANGE)


# dlm_tool


def lockspaces() -> Command[Mapping[str, Lockspace]]:
    """The lockspaces of this node, and what they wait for. Exits 1 where dlm does not run."""
    return _read("dlm_tool", "ls", decode=decode_lockspaces)


def dlm_status() -> Command[DlmStatus]:
    """The nodes as dlm_controld knows them, and who is being fenced."""
    return _read("dlm_tool", "status", decode=decode_dlm_status)


def dlm_config() -> Command[Mapping[str, DlmSetting]]:
    """The settings that run. dlm_controld reads only some of them again: see dlm.conf(5)."""
    return _read("dlm_tool", "dump_config", decode=decode_dlm_config)


def dlm_dump() -> Command[str]:
    """The log that dlm_controld keeps in memory."""
    return _read("dlm_tool", "dump", decode=text)


def dlm_reload() -> Command[str]:
    """Read dlm.conf again; `enable_fencing` needs a restart instead."""
    return _change("dlm_tool", "reload_config")


def fence_ack(nodeid: int) -> Command[str]:
    """Swear that a node is off, so that DLM stops waiting for its fencing.

    If it still runs, both write to the file system and destroy it.
    """
    argv = ("dlm_tool", "fence_ack", _number(nodeid, "node id", MAX_ID))
    return Command(argv, text, effect=Effect.DESTROY, timeout=CHANGE)


def _read(*argv: str, decode: Callable[[Output], T]) -> Command[T]:
    return Command(argv, decode, effect=Effect.READ, timeout=READ)


def _change(*argv: str) -> Command[str]:
    return Command(argv, text, timeout=CHANGE)


def _number(value: int, what: str, maximum: int) -> str:
    if not 1 <= value <= maximum:
        raise ValidationError(f"not a {what}: {value}", hint=f"1 to {maximum}")
    return str(value)
