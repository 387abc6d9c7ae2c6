"""Fencing: whoever vanished is switched off before anybody touches what it may still write to."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from clusternas.testing.shell import Exit, Tool, has, options
from clusternas.testing.tools import dlmconf, power
from clusternas.testing.tools.membership import Member, members, quorate

if TYPE_CHECKING:
    from clusternas.testing.cluster import FakeCluster
    from clusternas.testing.node import FakeNode

__all__ = ["TOOLS", "acknowledge", "agents", "domain", "react", "run_handler", "waits_for"]


def react(cluster: FakeCluster) -> None:
    """Let each quorate partition fence its victims; the lowest node that knows of one does it."""
    for node in cluster.alive():
        victims = sorted(node.of(Member).victims)
        if not victims or not quorate(node):
            continue
        for victim in victims:
            knowing = (each for each in members(node) if victim in each.of(Member).victims)
            acts = node is next(knowing)
            if not fences(node) or (acts and try_agents(node, cluster.nodes[victim])):
                acknowledge(node, victim)


def fences(node: FakeNode) -> bool:
    """Whether somebody on this node cares: fenced of cman, or dlm_controld with fencing enabled."""
    if has("cman")(node.cluster.toolset):
        return "cman" in node.running
    return "dlm" in node.running and dlmconf.load(node).enable_fencing


def waits_for(node: FakeNode) -> set[str]:
    """Names of the nodes that this one wants fenced before it goes on."""
    return node.of(Member).victims if fences(node) else set()


def try_agents(node: FakeNode, victim: FakeNode) -> bool:
    """Run the configured agents until one succeeds."""
    return any(run_agent(node, agent, victim) for agent in agents(node, victim))


def agents(node: FakeNode, victim: FakeNode) -> tuple[str, ...]:
    """The agents that may switch a node off; fence_manual waits for a person instead."""
    config = node.of(Member).config
    configured = config.nodes.get(victim.name) if config is not None else None
    if configured is None:
        return ()
    found = configured.agents or dlmconf.load(node).agents(configured.id)
    return tuple(agent for agent in found if posixpath.basename(agent) != "fence_manual")


def run_agent(node: FakeNode, agent: str, victim: FakeNode) -> bool:
    """Switch the victim off, unless a fault strikes the agent."""
    if node.cluster.strikes(node, (posixpath.basename(agent), victim.name)):
        return False
    power.cut(victim)
    return True


def run_handler(node: FakeNode, handler: str, victim: FakeNode) -> bool:
    """DRBD's fence-peer handler: it uses the same means."""
    return run_agent(node, handler.split()[0], victim)


def acknowledge(node: FakeNode, victim: str) -> None:
    """The victim is off, or a person says so: every member goes on."""
    for member in members(node):
        if victim in member.of(Member).victims:
            member.of(Member).victims.discard(victim)
            member.of(Member).fenced[victim] = node.cluster.now


def fence_ack_manual(node: FakeNode, args: tuple[str, ...], stdin: bytes) -> str:
    """A person's word that a node is off; it must be the word absolutely."""
    given, operands = options(args, "n:O")
    name = given.get("n") or (operands[0] if operands else "")
    if name not in node.of(Member).victims:
        raise Exit(1, "", f"no fence victim {name}\n")
    if stdin.strip() != b"absolutely":
        raise Exit(1, "", "Aborted.\n")
    acknowledge(node, name)
    return "Done\n"


def fence_node(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> str:
    """Fence a node by hand with what is configured."""
    name = args[-1] if args else ""
    if name not in node.cluster.nodes or not try_agents(node, node.cluster.nodes[name]):
        raise Exit(1, f"fence {name} failed")
    return f"fence {name} success\n"


def fence_tool(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> str:
    """The fence domain of cman: `fence_tool ls [-n]`."""
    if "cman" not in node.running:
        raise Exit(1, "fence_tool: fenced not running, no lockfile")
    if args[:1] != ("ls",):
        return ""
    return domain(node).rstrip("\n") + "\n" + (all_nodes(node) if "-n" in args else "") + "\n"


def ids_of(node: FakeNode) -> dict[str, int]:
    """The ids of the configured nodes."""
    config = node.of(Member).config
    return {name: one.id for name, one in config.nodes.items()} if config is not None else {}


def domain(node: FakeNode) -> str:
    """The fence domain as `fence_tool ls` and `group_tool ls` show it."""
    ids = ids_of(node)
    group = sorted(ids[other.name] for other in members(node))
    victims = sorted(ids[name] for name in node.of(Member).victims)
    state = "quorum" if not quorate(node) else "fencing" if victims else "none"
    return (
        f"fence domain\nmember count  {len(group)}\nvictim count  {len(victims)}\n"
        f"victim now    {victims[0] if victims else 0}\nmaster nodeid {group[0]}\n"
        f"wait state    {state}\nmembers       {' '.join(map(str, group))} \n\n"
    )


def all_nodes(node: FakeNode) -> str:
    """What -n adds: every node, and how it was fenced last."""
    member = node.of(Member)
    rows = ["all nodes\n"]
    for name, number in ids_of(node).items():
        how = "agent" if name in member.fenced else "none"
        here, victim = int(name in member.known), int(name in member.victims)
        rows.append(
            f"nodeid {number} member {here} victim {victim} last fence master 0 how {how}\n"
        )
    return "".join(rows)


TOOLS = {
    "fence_ack_manual": Tool(fence_ack_manual, has("cman")),
    "fence_node": Tool(fence_node, has("cman")),
    "fence_tool": Tool(fence_tool, has("cman")),
}
