"""corosync and its tools, on /etc/corosync/corosync.conf."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import attrs

from clusternas.testing.shell import Daemon, Exit, Tool, has
from clusternas.testing.tools import dlm, membership, power
from clusternas.testing.tools.membership import (
    ClusterConfig,
    ConfiguredNode,
    Member,
    members,
    quorate,
    quorum,
    votes,
)

if TYPE_CHECKING:
    from clusternas.testing.node import FakeNode

__all__ = ["DAEMONS", "TOOLS", "load"]

CONF = "/etc/corosync/corosync.conf"
WORDS = {"nodeid", "two_node", "version", "wait_for_all", "expected_votes", "quorum_votes"}
FLAGS = ("two_node", "wait_for_all", "wait_for_all_status")
NUMBERS = WORDS | {
    "token",
    "local_node_pos",
    "this_node_id",
    "lowest_node_id",
    "highest_node_id",
    "ev_barrier",
}


def parse(text: str) -> list[tuple[str, str]]:
    """The settings as cmap paths, nodes numbered; the complaint corosync has otherwise."""
    found: list[tuple[str, str]] = []
    path: list[str] = []
    nodes = 0
    for line in text.splitlines():
        row = line.strip()
        if not row or row.startswith("#"):
            continue
        if "{" in row:
            name = row.partition("{")[0].strip().rstrip(":").strip()
            path.append(f"node.{nodes}" if name == "node" else name)
            nodes += name == "node"
        elif ":" in row:
            key, _, value = (part.strip() for part in row.partition(":"))
            if key == "subsys":
                path[-1] += f".{value}"  # what follows is of that part of corosync
            found.append((".".join([*path, key]), integer(key, value)))
        elif row == "}" and path:
            path.pop()
        elif row == "}":
            raise failed("parser error: Unexpected closing brace")
        else:
            raise failed("parser error: Line is not opening or closing section or key value")
    if path:
        raise failed("parser error: Missing closing brace")
    return found


def integer(key: str, value: str) -> str:
    """A value, checked where corosync wants a number."""
    if key in WORDS and not re.fullmatch(r"\+?\d+", value):
        raise failed(
            f'parser error: Value of key "{key}" is expected to be integer in range '
            f'(0..4294967295), but "{value}" was given'
        )
    return value


def failed(why: str) -> Exit:
    """corosync refuses its configuration."""
    return Exit(8, why)


def load(node: FakeNode) -> ClusterConfig:
    """The node's corosync.conf."""
    text = node.files.text(CONF)
    if not text:
        raise failed("Can't read file /etc/corosync/corosync.conf: No such file or directory")
    settings = dict(parse(text))
    if settings.get("totem.version") != "2":
        raise failed("This totem parser can only parse version 2 configurations.")
    two_node = settings.get("quorum.two_node", "0") == "1"
    wait = settings.get("quorum.wait_for_all", "1" if two_node else "0")
    return ClusterConfig(
        name=settings.get("totem.cluster_name", ""),
        nodes=configured_nodes(node, settings),
        two_node=two_node,
        expected_votes=int(settings.get("quorum.expected_votes", "0")),
        wait_for_all=wait == "1",
        transport=settings.get("totem.transport", "knet"),
    )


def configured_nodes(node: FakeNode, settings: dict[str, str]) -> dict[str, ConfiguredNode]:
    """The nodes by host name; a node without a name is known by its address."""
    hosts = {other.address: other.name for other in node.cluster.nodes.values()}
    found: dict[str, ConfiguredNode] = {}
    for number in range(len(settings)):
        prefix = f"nodelist.node.{number}."
        address = settings.get(prefix + "ring0_addr", "")
        if not address:
            break
        name = settings.get(prefix + "name", hosts.get(address, address))
        identifier = int(settings.get(prefix + "nodeid", "0"))
        if identifier in (0, *(one.id for one in found.values())):
            raise failed(f"parser error: nodeid of {name} is missing, zero or used twice")
        weight = int(settings.get(prefix + "quorum_votes", "1"))
        found[name] = ConfiguredNode(name, identifier, weight, address)
    return found


def start(node: FakeNode) -> None:
    """Join the cluster."""
    config = load(node)
    if node.name not in config.nodes:
        raise failed("parser error: No valid name found for local host")
    membership.join(node, config)


def stop(node: FakeNode) -> None:
    """Leave it; whatever needs it must be stopped first."""
    if "dlm" in node.running:
        raise Exit(1, "Job for corosync.service failed: dlm_controld is still running")
    membership.leave(node)


def running(node: FakeNode, complaint: str, code: int = 1) -> ClusterConfig:
    """The running configuration, or what the tool says without one."""
    config = node.of(Member).config
    if config is None:
        raise Exit(code, complaint)
    return config


# corosync, corosync-quorumtool, corosync-cfgtool, corosync-cmapctl


def corosync(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> str:
    """corosync -v and -t."""
    if "-v" in args:
        release = node.cluster.toolset.corosync
        return (
            f"Corosync Cluster Engine, version '{release}'\nCopyright (c) 2006-2021 Red Hat, Inc.\n"
        )
    if "-t" in args:
        load(node)
        return ""
    raise Exit(1, "this fake starts corosync only as a service")


def quorumtool(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> str:
    """corosync-quorumtool -s and -l."""
    config = running(node, "Cannot initialize CMAP service")
    if "-e" in args:
        votes_now = int(args[args.index("-e") + 1])
        node.of(Member).config = attrs.evolve(config, expected_votes=votes_now)
        return ""
    if "-l" in args:
        return "\n" + membership_table(node, config)
    if not quorate(node):
        raise Exit(2, "", summary(node, config))
    return summary(node, config)


def summary(node: FakeNode, config: ClusterConfig) -> str:
    """`corosync-quorumtool -s`."""
    local = config.nodes[node.name].id
    lowest = min(config.nodes[other.name].id for other in members(node))
    member = node.of(Member)
    flags = [
        ("2Node", config.two_node),
        ("Quorate", quorate(node)),
        ("WaitForAll", config.wait_for_all),
    ]
    need = f"{quorum(config)}  " if quorate(node) else f"{quorum(config)} Activity blocked"
    ring = 10 + len(member.joined_at) + 4 * len(member.lost_at)
    return (
        "Quorum information\n------------------\n"
        f"Date:             {node.cluster.clock()}\n"
        "Quorum provider:  corosync_votequorum\n"
        f"Nodes:            {len(members(node))}\n"
        f"Node ID:          {local}\n"
        f"Ring ID:          {lowest}.{ring:x}\n"
        f"Quorate:          {'Yes' if quorate(node) else 'No'}\n\n"
        "Votequorum information\n----------------------\n"
        f"Expected votes:   {config.expected}\n"
        f"Highest expected: {config.expected}\n"
        f"Total votes:      {votes(node)}\n"
        f"Quorum:           {need}\n"
        f"Flags:            {''.join(name + ' ' for name, on in flags if on)}\n\n"
        f"{membership_table(node, config)}"
    )


def membership_table(node: FakeNode, config: ClusterConfig) -> str:
    """The members with id and votes."""
    rows = ["Membership information", "----------------------", "    Nodeid      Votes Name"]
    for other in members(node):
        one = config.nodes[other.name]
        rows.append(f"{one.id:10d} {one.votes:10d} {one.name}{' (local)' if other is node else ''}")
    return "\n".join(rows) + "\n"


def cfgtool(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> str:
    """corosync-cfgtool -s, -n, -R, -H, -k."""
    config = running(node, "Could not initialize corosync configuration API error 2")
    if "-R" in args:
        for other in members(node):
            member = other.of(Member)
            member.config = load(other)
            member.waiting = member.waiting and member.config.wait_for_all
        return "Reloading corosync.conf...\nDone\n"
    if "-H" in args:
        membership.leave(node)
        node.running.discard("corosync")
        return "Shutting down corosync\n"
    if "-k" in args:
        return kill(node, config, args[args.index("-k") + 1])
    local = config.nodes[node.name]
    rows = [f"Local node ID {local.id}, transport {config.transport}"]
    if "-n" in args:
        for other in members(node):
            if other is not node:
                far = config.nodes[other.name]
                rows.append(f"nodeid: {far.id} reachable")
                rows.append(
                    f"   LINK: 0 udp ({local.address}->{far.address}) enabled connected mtu: 1446\n"
                )
        return "\n".join(rows) + "\n"
    rows += ["LINK ID 0 udp", f"\taddr\t= {local.address}", "\tstatus:"]
    for name, one in config.nodes.items():
        word = (
            "localhost"
            if name == node.name
            else "connected"
            if name in node.of(Member).known
            else "disconnected"
        )
        rows.append(f"\t\tnodeid:{one.id:11d}:\t{word}")
    return "\n".join(rows) + "\n"


def kill(node: FakeNode, config: ClusterConfig, number: str) -> str:
    """`corosync-cfgtool -k ID`: that node's corosync ends at once, and it has to be fenced."""
    name = next((name for name, one in config.nodes.items() if str(one.id) == number), "")
    if name not in node.of(Member).known:
        raise Exit(1, f"Could not kill node {number}")
    power.cut(node.cluster.nodes[name])
    return ""


def keygen(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> str:
    """corosync-keygen [-k FILE]."""
    path = args[args.index("-k") + 1] if "-k" in args else "/etc/corosync/authkey"
    key = node.cluster.number(2048).to_bytes(256, "big")
    node.files.write(path, key, mode=0o400)
    return (
        f"Corosync Cluster Engine Authentication key generator.\nWriting corosync key to {path}.\n"
    )


def cmapctl(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> str:
    """corosync-cmapctl [-b] [PREFIX]: what the file says, and the members."""
    config = running(node, "Failed to initialize the cmap API. Error CS_ERR_LIBRARY")
    keys = {(key, kind_of(key)): value for key, value in parse(node.files.text(CONF))}
    for name, one in config.nodes.items():
        member = f"runtime.members.{one.id}"
        keys[f"{member}.config_version", "u64"] = "0"
        keys[f"{member}.join_count", "u32"] = "1"
        keys[f"{member}.ip", "str"] = f"r(0) ip({one.address}) "
        keys[f"{member}.status", "str"] = "joined" if name in node.of(Member).known else "left"
    keys |= {(key, kind_of(key)): value for key, value in runtime(node, config)}
    prefix = args[-1] if args and not args[-1].startswith("-") else ""
    rows = (f"{key} ({kind}) = {value}\n" for (key, kind), value in sorted(keys.items()))
    return "".join(row for row in rows if row.startswith(prefix))


def runtime(node: FakeNode, config: ClusterConfig) -> Iterator[tuple[str, str]]:
    """What corosync works out for itself."""
    ids = sorted(config.nodes[other.name].id for other in members(node))
    local = config.nodes[node.name]
    yield "nodelist.local_node_pos", str(list(config.nodes).index(node.name))
    yield "totem.interface.0.bindnetaddr", local.address
    yield "runtime.votequorum.this_node_id", str(local.id)
    yield "runtime.votequorum.lowest_node_id", str(ids[0])
    yield "runtime.votequorum.highest_node_id", str(ids[-1])
    yield "runtime.votequorum.two_node", str(int(config.two_node))
    yield "runtime.votequorum.ev_barrier", str(config.expected)
    if config.wait_for_all:
        waiting = node.of(Member).waiting
        yield "runtime.votequorum.wait_for_all_status", str(int(waiting))


def kind_of(key: str) -> str:
    """The type that corosync gives a key."""
    word = key.rpartition(".")[2]
    return "u8" if word in FLAGS else "u32" if word in NUMBERS else "str"


def cpgtool(node: FakeNode, _args: tuple[str, ...], _stdin: bytes) -> str:
    """corosync-cpgtool: who talks to whom; each lock space is a group of its daemons."""
    config = running(node, "Could not initialize corosync cpg API error 2")
    rows = ["Group Name\t       PID\t   Node ID"]
    known = dict.fromkeys(name for other in members(node) for name in dlm.names(other))
    spaces = [*reversed(known), ""] if "dlm" in node.running else []
    for space in spaces:
        rows.append(f"dlm:ls:{space}\\x00" if space else "dlm:controld\\x00")
        for other in members(node):
            if "dlm" in other.running and (not space or dlm.joined(other, space)):
                one = config.nodes[other.name]
                rows.append(f"\t\t{2000 + one.id:10d}\t{one.id:10d} ({one.address})")
    return "\n".join(rows) + "\n"


TOOLS = {
    "corosync": Tool(corosync, has("corosync")),
    "corosync-quorumtool": Tool(quorumtool, has("corosync")),
    "corosync-cfgtool": Tool(cfgtool, has("corosync")),
    "corosync-cpgtool": Tool(cpgtool, has("corosync")),
    "corosync-keygen": Tool(keygen, has("corosync")),
    "corosync-cmapctl": Tool(cmapctl, has("corosync")),
}
DAEMONS = {"corosync": Daemon(start, stop, installed=has("corosync"))}
