"""The commands of cman's tools: cman_tool, ccs_tool, clustat, fence_tool, group_tool.

Services are started with `clusternas.core.services`: `start("cman", "sysv")`.

ccs_tool exits 0 after a usage error and writes nothing; 3.x has no `-C`, whatever its page says;
cluster 2 needs `-f` for a node. Editing with `CmanCluster` and spreading the file has none of these
faults.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeVar

from clusternas.cman.decode import (
    decode_clustat,
    decode_fence_domain,
    decode_fences,
    decode_groups,
    decode_nodes,
    decode_nodes_conf,
    decode_status,
    decode_version,
)
from clusternas.cman.status import (
    ClusterState,
    CmanNode,
    CmanStatus,
    CmanVersion,
    ConfiguredFence,
    ConfiguredNode,
    FenceDomain,
    Group,
)
from clusternas.core.command import Command, Effect, Output, Secret, absolute, operand, text
from clusternas.core.errors import ParseError, UnsupportedError, ValidationError
from clusternas.core.versions import Toolset

__all__ = [
    "CONF",
    "add_fence",
    "add_node",
    "cluster_status",
    "create",
    "expected",
    "fence_domain",
    "fence_node",
    "groups",
    "kill",
    "leave",
    "list_fences",
    "list_nodes",
    "nodes",
    "reload",
    "status",
    "update",
    "validate",
    "version",
    "wait_quorate",
]

T = TypeVar("T")

CONF = "/etc/cluster/cluster.conf"
NAME = re.compile(r"[A-Za-z0-9_.:][A-Za-z0-9_.:-]{0,254}")
KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
MAX_NAME = 15
MAX_ID = 4096
READ = 30.0
SLOW = 300.0
SECRET = re.compile("passw|secret|key", re.IGNORECASE)


# cman_tool


def status() -> Command[CmanStatus]:
    """The cluster as this node sees it. Exits 1 where cman does not run."""
    return _read("cman_tool", "status", decode=decode_status)


def nodes() -> Command[tuple[CmanNode, ...]]:
    """Every configured node, in a form meant for programs; see cman_tool(8)."""
    fields = "id,type,votes,exp,state,name,addr"
    return _read("cman_tool", "nodes", "-F", fields, decode=decode_nodes)


def version() -> Command[CmanVersion]:
    """Which configuration runs; compare it with the file's config_version."""
    return _read("cman_tool", "version", decode=decode_version)


def reload(
    config_version: int | None = None, *, sync: bool = False, toolset: Toolset = Toolset.UNKNOWN
) -> Command[str]:
    """Make all members load their cluster.conf, whose config_version must have grown.

    Args:
        config_version: the new one; cluster 2 asks for it, 3.x takes it from the file.
        sync: let ccs_sync spread the file first, where it exists; it asks for a password.
        toolset: which cman.
    """
    if toolset.has("cman", since="3"):
        argv = ("cman_tool", "version", "-r", *(() if sync else ("-S",)))  # fmt: skip
        return Command(argv, text, timeout=SLOW)
    if config_version is None:
        raise ValidationError("cluster 2 needs the new version", hint="give config_version")
    argv = ("cman_tool", "version", "-r", _number(config_version, "version", 2**31 - 1))
    return Command(argv, text, timeout=SLOW)


def expected(votes: int) -> Command[str]:
    """Tell the running cluster how many votes there are in all."""
    return _change("cman_tool", "expected", "-e", _number(votes, "number of votes", 65535))


def leave(*, remove: bool = False, force: bool = False) -> Command[str]:
    """Leave the cluster.

    Args:
        remove: the others need not count this node for their quorum any more.
        force: even while DLM, clvmd or GFS2 are in use. They will hang; then the node is fenced.
    """
    words = [*(["remove"] if remove else []), *(["force"] if force else [])]
    return _change("cman_tool", "leave", *words)


def kill(node: str) -> Command[str]:
    """Throw a node out of the cluster; it will be fenced."""
    argv = ("cman_tool", "kill", "-n", _node(node))
    return Command(argv, text, effect=Effect.DESTROY, timeout=READ)


def wait_quorate(seconds: int = 60) -> Command[str]:
    """Wait until the cluster has a quorum. Exits 2 when the time is over."""
    argv = ("cman_tool", "wait", "-q", "-t", _number(seconds, "number of seconds", 86400))
    return Command(argv, text, effect=Effect.READ, timeout=seconds + READ)


# clustat, fence_tool, group_tool


def cluster_status() -> Command[ClusterState]:
    """Members and services as rgmanager sees them. It hangs when DLM does: hence the timeout."""
    return _read("clustat", "-x", decode=decode_clustat)


def fence_domain() -> Command[FenceDomain]:
    """Who is to be fenced, and what waits for it (3.x)."""
    return _read("fence_tool", "ls", "-n", decode=decode_fence_domain)


def groups() -> Command[tuple[Group, ...]]:
    """The fence domain, the lockspaces and the mounts, and whether they wait."""
    return _read("group_tool", "ls", decode=decode_groups)


def fence_node(node: str) -> Command[str]:
    """Cut a node off by its fence device: as a rule it loses power at once."""
    return Command(("fence_node", _node(node)), text, effect=Effect.DESTROY, timeout=SLOW)


# ccs_tool


def create(name: str, path: str = CONF) -> Command[str]:
    """Write a new cluster.conf without nodes; refuses to replace one."""
    if not NAME.fullmatch(name) or len(name) > MAX_NAME:
        raise ValidationError(
            f"not a cluster name: {name!r}", hint=f"at most {MAX_NAME} letters, digits, _ . -"
        )
    return _edit("create", *_conf(path), name)


def add_fence(
    name: str, agent: str, params: Mapping[str, str] | None = None, path: str = CONF
) -> Command[str]:
    """Add a fence device and raise config_version.

    Its parameters stand on the command line, where other users of the machine can read them.

    Example:
        >>> str(add_fence("pdu", "fence_apc", {"ipaddr": "10.0.0.5", "passwd": "s3cret"}))
        "ccs_tool addfence pdu fence_apc ipaddr=10.0.0.5 'passwd=********'"
    """
    argv = (*_conf(path), _node(name), _node(agent), *_params(params))
    return _edit("addfence", *argv, secrets=_secrets(params))


def add_node(
    name: str,
    nodeid: int,
    *,
    votes: int = 1,
    fence: str = "",
    params: Mapping[str, str] | None = None,
    path: str = CONF,
    toolset: Toolset = Toolset.UNKNOWN,
) -> Command[str]:
    """Add a node and raise config_version.

    Args:
        name: as the host calls itself and as DNS knows it.
        nodeid: from 1 to 4096, each once.
        votes: of the node.
        fence: its fence device; cluster 2 insists on one.
        params: of the device for this node, like `port`.
        path: of the file.
        toolset: which cman.

    Example:
        >>> str(add_node("linux-nas01", 1, fence="linux-nas01"))
        'ccs_tool addnode linux-nas01 -n 1 -v 1 -f linux-nas01'
    """
    if not fence and not toolset.has("cman", since="3"):
        raise UnsupportedError("ccs_tool of cluster 2 cannot add a node without a fence device")
    if params and not fence:
        raise ValidationError("parameters without a fence device", hint="name the device")
    numbers = ("-n", _number(nodeid, "node id", MAX_ID), "-v", _number(votes, "vote", 255))
    device = ("-f", _node(fence)) if fence else ()
    argv = (*_conf(path), _node(name), *numbers, *device, *_params(params))
    return _edit("addnode", *argv, secrets=_secrets(params))


def list_nodes(path: str = CONF) -> Command[tuple[ConfiguredNode, ...]]:
    """The nodes of a file. Without `-v`, which crashes on a method without a device."""
    return _read("ccs_tool", "lsnode", *_conf(path), decode=decode_nodes_conf)


def list_fences(path: str = CONF) -> Command[tuple[ConfiguredFence, ...]]:
    """The fence devices of a file, without their parameters."""
    return _read("ccs_tool", "lsfence", *_conf(path), decode=decode_fences)


def update(path: str = CONF, toolset: Toolset = Toolset.UNKNOWN) -> Command[str]:
    """Spread a file to all members and load it: cluster 2 only, with ccsd and a quorum."""
    if toolset.version("cman") is not None and toolset.has("cman", since="3"):
        raise UnsupportedError(
            f"ccs_tool update is gone since cman 3, here is {toolset.cman}",
            hint="copy the file to every node, then cman_tool version -r",
        )
    return _edit("update", absolute(path))


def validate() -> Command[str]:
    """Check the installed cluster.conf against the schema (3.x)."""
    return _read("ccs_config_validate", decode=text)


def edited(output: Output) -> str:
    """What an editing ccs_tool printed.

    Raises:
        ParseError: it printed its usage, which it does with exit code 0 when it did nothing.
    """
    if output.error_text.lstrip().startswith("Usage"):
        raise ParseError("ccs_tool did nothing: it printed its usage", hint="see ccs_tool(8)")
    return output.text


def _read(*argv: str, decode: Callable[[Output], T]) -> Command[T]:
    return Command(argv, decode, effect=Effect.READ, timeout=READ)


def _change(*argv: str) -> Command[str]:
    return Command(argv, text, timeout=SLOW)


def _edit(*argv: str, secrets: tuple[Secret, ...] = ()) -> Command[str]:
    return Command(("ccs_tool", *argv), edited, timeout=SLOW, secrets=secrets)


def _conf(path: str) -> tuple[str, ...]:
    return () if path == CONF else ("-c", absolute(path))


def _node(name: str) -> str:
    if not NAME.fullmatch(name):
        raise ValidationError(f"not a name: {name!r}", hint="letters, digits and _ . : -")
    return name


def _number(value: int, what: str, maximum: int) -> str:
    if not 1 <= value <= maximum:
        raise ValidationError(f"not a {what}: {value}", hint=f"1 to {maximum}")
    return str(value)


def _params(params: Mapping[str, str] | None) -> tuple[str, ...]:
    for key, value in (params or {}).items():
        if not KEY.fullmatch(key):
            raise ValidationError(f"not a parameter of a fence agent: {key!r}")
        operand(f"{key}={value}", "parameter")
    return tuple(f"{key}={value}" for key, value in (params or {}).items())


def _secrets(params: Mapping[str, str] | None) -> tuple[Secret, ...]:
    return tuple(Secret(value) for key, value in (params or {}).items() if SECRET.search(key))
