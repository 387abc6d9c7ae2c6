"""cman, its tools and rgmanager's clustat, on /etc/cluster/cluster.conf."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import attrs

from clusternas.testing.shell import Daemon, Exit, Tool, has, nothing
from clusternas.testing.tools import dlm, fencing, membership, power
from clusternas.testing.tools.ccs import ccs_config_validate, ccs_tool
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

CONF = "/etc/cluster/cluster.conf"
NOT_RUNNING = "cman_tool: Cannot open connection to cman, is it running ?"
QUORUM_TIMEOUT = 45


def load(node: FakeNode) -> ClusterConfig:
    """The node's cluster.conf, or the daemon's complaint."""
    try:
        root = ET.fromstring(node.files.text(CONF))
    except ET.ParseError as error:
        raise Exit(1, f"Starting cman... cannot read {CONF}: {error}") from None
    cman = root.find("cman")
    settings = cman.attrib if cman is not None else {}
    return ClusterConfig(
        name=root.get("name", ""),
        nodes=dict(configured(root, element) for element in root.iter("clusternode")),
        two_node=settings.get("two_node") == "1",
        expected_votes=int(settings.get("expected_votes", "0")),
        version=int(root.get("config_version", "0")),
        transport=settings.get("transport", "udp"),
    )


def configured(root: ET.Element, element: ET.Element) -> tuple[str, ConfiguredNode]:
    """One clusternode with the agents of its fence devices."""
    kinds = {device.get("name"): device.get("agent", "") for device in root.iter("fencedevice")}
    agents = tuple(kinds.get(device.get("name"), "") for device in element.iter("device"))
    name = element.get("name", "")
    short = name.partition(".")[0]
    number, weight = int(element.get("nodeid", "0")), int(element.get("votes", "1"))
    return short, ConfiguredNode(name, number, weight, agents=agents)


def start(node: FakeNode) -> None:
    """Join the cluster and the fence domain.

    Quorum is waited for 45 seconds; nodes that run are taken to start their cman any moment.
    """
    config = load(node)
    if len(config.name) > 15:
        raise Exit(1, "Starting cman... Invalid cluster name. It must be 15 characters or fewer")
    if node.name not in config.nodes:
        raise Exit(1, "Starting cman... Cannot find node name in cluster.conf")
    for other in node.cluster.alive():
        theirs = other.of(Member).config
        if theirs is not None and theirs.name == config.name and theirs.version != config.version:
            raise Exit(
                1,
                f"Starting cman... corosync died: config version {config.version} differs "
                f"from {theirs.version}",
            )
    coming = sum(config.nodes[n.name].votes for n in node.cluster.alive() if n.name in config.nodes)
    if coming < quorum(config):
        node.cluster.now += QUORUM_TIMEOUT
        raise Exit(1, "Waiting for quorum... Timed-out waiting for cluster")
    membership.join(node, config)


def stop(node: FakeNode) -> None:
    """Leave; refused while something uses the cluster."""
    users = sorted({"clvmd", "gfs2", "rgmanager"} & node.running)
    if users:
        raise Exit(1, f"Stopping cman... Timed-out waiting for cluster\n{users[0]} still uses it")
    membership.leave(node)


# cman_tool


def cman_tool(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> str:
    """cman_tool status, nodes, version, leave, wait, expected."""
    config = node.of(Member).config
    command = next((arg for arg in args if not arg.startswith("-")), "")
    if config is None:
        raise Exit(1, NOT_RUNNING)
    match command:
        case "status":
            return status(node, config)
        case "nodes":
            return nodes(node, config, args)
        case "version" if "-r" in args:
            return reload(node)
        case "version":
            return f"6.2.0 config {config.version}\n"
        case "leave":
            membership.leave(node)
            node.running.discard("cman")
            return ""
        case "kill":
            return kill(node, args[-1])
        case "expected":
            votes_now = int(args[-1])
            node.of(Member).config = attrs.evolve(config, expected_votes=votes_now)
            return ""
        case "wait" if not quorate(node):
            raise Exit(2, "cman_tool: Timed-out waiting for cluster")
        case "join" | "wait":
            return ""
        case _:
            raise Exit(1, f"cman_tool: unknown command {command}")


def reload(node: FakeNode) -> str:
    """`cman_tool version -r`: every member reads its file again; `two_node` is as it was."""
    for other in members(node):
        member = other.of(Member)
        two_node = member.config is not None and member.config.two_node
        member.config = attrs.evolve(load(other), two_node=two_node)
    return ""


def cluster_id(name: str) -> int:
    """cman's 16-bit hash of the cluster's name."""
    value = 0
    for character in name.encode():
        value = (value << 1) + character
    return value & 0xFFFF


def status(node: FakeNode, config: ClusterConfig) -> str:
    """`cman_tool status`."""
    number = cluster_id(config.name)
    need = quorum(config)
    rows = [
        "Version: 6.2.0",
        f"Config Version: {config.version}",
        f"Cluster Name: {config.name}",
        f"Cluster Id: {number}",
        "Cluster Member: Yes",
        f"Cluster Generation: {4 * (len(members(node)) + 1)}",
        "Membership state: Cluster-Member",
        f"Nodes: {len(members(node))}",
        f"Expected votes: {config.expected}",
        f"Total votes: {votes(node)}",
        f"Node votes: {config.nodes[node.name].votes}",
        f"Quorum: {need}  " if quorate(node) else f"Quorum: {need} Activity blocked",
        f"Active subsystems: {7 + 2 * len({'clvmd', 'rgmanager'} & node.running)}",
        f"Flags: {'2node ' if config.two_node else ''}",
        "Ports Bound: 0 "
        + ("11 " if "clvmd" in node.running else "")
        + ("177 " if "rgmanager" in node.running else "")
        + " ",
        f"Node name: {config.nodes[node.name].name}",
        f"Node ID: {config.nodes[node.name].id}",
        f"Multicast addresses: 239.192.{number >> 8}.{number & 255} ",
        f"Node addresses: {node.address} ",
    ]
    return "\n".join(rows) + "\n"


def nodes(node: FakeNode, config: ClusterConfig, args: tuple[str, ...]) -> str:
    """`cman_tool nodes`, or with -F the machine's form."""
    member = node.of(Member)
    if "-F" in args:
        fields = args[args.index("-F") + 1].split(",")
        rows = [machine_row(node, name, one, fields) for name, one in config.nodes.items()]
        return "".join(rows)
    rows = ["Node  Sts   Inc   Joined               Name\n"]
    for name, one in config.nodes.items():
        here = name in member.known
        joined = node.cluster.clock("%Y-%m-%d %H:%M:%S") if here else " " * 19
        rows.append(
            f"{one.id:4d}   {'M' if here else 'X'}  {4 if here else 0:5d}   {joined}  {one.name}\n"
        )
    return "".join(rows)


def machine_row(node: FakeNode, name: str, one: ConfiguredNode, fields: list[str]) -> str:
    """One node with the fields asked for."""
    other = node.cluster.nodes.get(name)
    config = node.of(Member).config
    here = name in node.of(Member).known
    values = {
        "id": str(one.id),
        "name": one.name,
        "type": "M" if here else "X",
        "addr": other.address if other is not None and here else "",
        "votes": str(one.votes),
        "exp": str(config.expected if config is not None else 0),
        "state": "Member" if here else "Dead",
    }
    return " ".join(values[field] for field in fields) + " \n"


def kill(node: FakeNode, name: str) -> str:
    """`cman_tool kill -n NODE`: that node's cman ends at once, and it has to be fenced."""
    config = node.of(Member).config
    short = name.partition(".")[0]
    if config is None or short not in config.nodes:
        raise Exit(1, f"cman_tool: Can't kill node {name}: Invalid argument")
    power.cut(node.cluster.nodes[short])
    return ""


def group_tool(node: FakeNode, _args: tuple[str, ...], _stdin: bytes) -> str:
    """`group_tool ls`: the fence domain, the lock spaces, the GFS2 mount groups."""
    if node.of(Member).config is None:
        raise Exit(1, "group_tool: can't communicate with groupd")
    names = [name for name in dlm.names(node) if name != "clvmd"]
    groups = "gfs mountgroups\n" + "".join(dlm.described(node, name) for name in names)
    return fencing.domain(node) + dlm.lockspaces(node) + (groups if names else "")


# clustat


def clustat(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> str:
    """clustat, as text or with -x as XML."""
    config = node.of(Member).config
    if config is None:
        raise Exit(1, "Could not connect to CMAN: Connection refused")
    return as_xml(node, config) if "-x" in args else as_text(node, config)


def manages(other: FakeNode) -> bool:
    """Whether rgmanager runs there."""
    return "rgmanager" in other.running


def as_xml(node: FakeNode, config: ClusterConfig) -> str:
    """clustat -x."""
    known = node.of(Member).known
    rows = [
        f'    <node name="{one.name}" state="{int(name in known)}" '
        f'local="{int(name == node.name)}" estranged="0" '
        f'rgmanager="{int(name in known and manages(node.cluster.nodes[name]))}" '
        'rgmanager_master="0" qdisk="0" '
        f'nodeid="0x{one.id:08x}"/>\n'
        for name, one in config.nodes.items()
    ]
    return (
        '<?xml version="1.0"?>\n<clustat version="4.1.1">\n'
        f'  <cluster name="{config.name}" id="{cluster_id(config.name)}" '
        f'generation="{4 * len(known)}"/>\n'
        f'  <quorum quorate="{int(quorate(node))}" groupmember="{int(manages(node))}"/>\n'
        f"  <nodes>\n{''.join(rows)}  </nodes>\n</clustat>\n"
    )


def as_text(node: FakeNode, config: ClusterConfig) -> str:
    """clustat for people."""
    known = node.of(Member).known
    rows = [
        f"Cluster Status for {config.name} @ {node.cluster.clock()}",
        f"Member Status: {'Quorate' if quorate(node) else 'Inquorate'}",
        "",
        f" {'Member Name':<55} {'ID':<4} Status",
        f" {'------ ----':<55} {'----':<4} ------",
    ]
    for name, one in config.nodes.items():
        words = ["Online" if name in known else "Offline"]
        words += ["Local"] if name == node.name else []
        words += ["rgmanager"] if name in known and manages(node.cluster.nodes[name]) else []
        rows.append(f" {one.name:<55} {one.id:4d} {', '.join(words)}")
    return "\n".join(rows) + "\n\n"


def needs_cman(node: FakeNode) -> None:
    """Refuse to start without the cluster."""
    if node.of(Member).config is None:
        raise Exit(1, "Starting Cluster Service Manager: cman is not running")


TOOLS = {
    "cman_tool": Tool(cman_tool, has("cman")),
    "clustat": Tool(clustat, has("cman")),
    "group_tool": Tool(group_tool, has("cman")),
    "ccs_tool": Tool(ccs_tool, has("cman")),
    "ccs_config_validate": Tool(ccs_config_validate, has("cman")),
}
DAEMONS = {
    "cman": Daemon(start, stop, chkconfig="- 21 79", installed=has("cman")),
    "rgmanager": Daemon(needs_cman, nothing, chkconfig="- 99 01", installed=has("cman")),
}
