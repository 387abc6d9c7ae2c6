"""Checks of cluster.conf alone; those that need other files too are in `nas.rules`.

Beside these, XML that is not well-formed is refused when it is read; CMAN900 reports values that
cannot be read, 901 elements and attributes that cman does not know, 902 values out of range. The
schema that comes with cman lets pass all that 002, 003, 004, 005, 006 and 008 report.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from attrs import evolve

from clusternas.cman.model import CmanCluster
from clusternas.cman.sections import ClusterNode, CmanOptions, FenceUse
from clusternas.core.diagnostics import Finding, Severity, rule
from clusternas.core.versions import Toolset

MAN = "cluster.conf(5)"
CMAN = "cman(5)"
FENCED = "fenced(8)"
MAX_NAME = 15
NAME = re.compile(r"[A-Za-z0-9_-]+")
LOCAL = re.compile(r"localhost(\..*)?|127\..*|::1")
NO_FENCING = frozenset({"fence_manual", "fence_null", "fence_dummy", "fence_ack_manual"})
MIN_TOKEN = 1000
LONG_TOKEN = 30000
MIN_JOIN_DELAY = 20

DEVICES = '<fencedevices><fencedevice name="ipmi" agent="fence_ipmilan"/></fencedevices>'
FENCE = '<fence><method name="m"><device name="ipmi"{}/></method></fence>'
TWO = '<cman two_node="1" expected_votes="1"/>'


def _node(number: int, inside: str = FENCE.format(""), more: str = "") -> str:
    return f'<clusternode name="nas0{number}" nodeid="{number}"{more}>{inside}</clusternode>'


def _conf(
    inside: str = TWO,
    nodes: str = _node(1, FENCE.format(' delay="15"')) + _node(2),
    name: str = "nas",
) -> str:
    head = f'<cluster name="{name}" config_version="1">{inside}'
    return f"{head}<clusternodes>{nodes}</clusternodes>{DEVICES}</cluster>\n"


GOOD = _conf(TWO + '<fence_daemon post_join_delay="30"/>')


@rule("CMAN001", Severity.ERROR, CmanCluster, link=MAN, bad=_conf(name="a" * 16), good=GOOD)
def cluster_name(cluster: CmanCluster, _: Toolset) -> Iterator[Finding]:
    """The name is part of every GFS2 file system: at most 15 plain characters."""
    name = cluster.name
    if not name:
        yield Finding("the cluster has no name", help='write name="…"')
    elif len(name) > MAX_NAME:
        shown = f"the cluster name {name!r} has {len(name)} characters"
        yield Finding(shown, field="name", help=f"cman takes at most {MAX_NAME}")
    elif not NAME.fullmatch(name):
        shown = f"the cluster name {name!r} cannot be part of a lock table"
        yield Finding(shown, field="name", help="use letters, digits, _ and -")


@rule(
    "CMAN002", Severity.ERROR, CmanCluster, link=MAN,
    bad=_conf(nodes=_node(1) + _node(2).replace('nodeid="2"', 'nodeid="1"')), good=GOOD,
)  # fmt: skip
def node_ids(cluster: CmanCluster, _: Toolset) -> Iterator[Finding]:
    """Every node has an id of its own; cman does not start on one without."""
    for node in cluster.nodes:
        if node.nodeid is None:
            yield Finding(f"node {node.name} has no nodeid", at=node, help='write nodeid="…"')
    given = ((node, node.nodeid) for node in cluster.nodes if node.nodeid is not None)
    for node, number in _repeated(given):
        shown = f"node id {number} of {node.name} is another node's"
        yield Finding(shown, at=node, field="nodeid", help="give each node an id of its own")


@rule(
    "CMAN003", Severity.ERROR, CmanCluster, link=MAN,
    bad=_conf(nodes=_node(1) + _node(2).replace("nas02", "nas01")), good=GOOD,
)  # fmt: skip
def node_names(cluster: CmanCluster, _: Toolset) -> Iterator[Finding]:
    """Every node has a name of its own, by which it can be reached from the others."""
    for node, name in _repeated((node, node.name) for node in cluster.nodes):
        shown = f"node {name!r} stands twice; the second is never read"
        yield Finding(shown, at=node, field="name", help="rename or remove one")
    for node in cluster.nodes:
        if not node.name or LOCAL.fullmatch(node.name):
            shown = f"{node.name!r} is no name of a node"
            help_ = "write the host name that uname -n prints and DNS has"
            yield Finding(shown, at=node, field="name", help=help_)


@rule(
    "CMAN004", Severity.ERROR, CmanCluster, link=CMAN,
    bad=_conf('<cman two_node="1" expected_votes="2"/>'), good=GOOD,
)  # fmt: skip
def two_node_mode(cluster: CmanCluster, _: Toolset) -> Iterator[Finding]:
    """`two_node` needs two nodes of one vote each and `expected_votes="1"`; else cman refuses."""
    cman = cluster.cman
    if cman is None or not cman.two_node:
        return
    if len(cluster.nodes) != 2:
        shown = f"two_node with {len(cluster.nodes)} nodes"
        yield Finding(shown, at=cman, field="two_node", help="remove two_node and expected_votes")
    elif cman.expected_votes != 1:
        fix = evolve(cluster, cman=evolve(cman, expected_votes=1))
        shown = f"two_node with expected_votes {cman.expected_votes or 'not set'}"
        field = "expected_votes" if cman.expected_votes else "two_node"
        yield Finding(shown, at=cman, field=field, help='write expected_votes="1"', fix=fix)
    for node in cluster.nodes:
        if node.votes not in (None, 1):
            shown = f"two_node, but {node.name} has {node.votes} votes"
            yield Finding(shown, at=node, field="votes", help="give each node one vote")
    if cluster.quorumd is not None:
        help_ = "with a quorum disk leave two_node out"
        yield Finding("two_node and a quorum disk", at=cman, field="two_node", help=help_)


@rule(
    "CMAN005", Severity.WARNING, CmanCluster, link=CMAN,
    bad=_conf('<cman expected_votes="5"/>', _node(1) + _node(2) + _node(3)), good=GOOD,
)  # fmt: skip
def expected_votes(cluster: CmanCluster, _: Toolset) -> Iterator[Finding]:
    """`expected_votes` is the sum of the votes; a wrong one loses or invents a quorum."""
    cman = cluster.cman
    if cman is None or cman.expected_votes is None or cman.two_node:
        return
    votes = sum(1 if node.votes is None else node.votes for node in cluster.nodes)
    disk = (cluster.quorumd.votes or 0) if cluster.quorumd is not None else 0
    if cman.expected_votes != votes + disk:
        shown = f"expected_votes is {cman.expected_votes}, the votes are {votes + disk}"
        fix = evolve(cluster, cman=evolve(cman, expected_votes=votes + disk))
        yield Finding(shown, at=cman, field="expected_votes", help="leave it out", fix=fix)


@rule(
    "CMAN006", Severity.ERROR, CmanCluster, link=MAN,
    bad=_conf().replace('config_version="1"', ""), good=GOOD,
)  # fmt: skip
def config_version(cluster: CmanCluster, _: Toolset) -> Iterator[Finding]:
    """A running cluster takes a file only if its `config_version` has grown."""
    if cluster.config_version is None:
        yield Finding("there is no config_version", help='write config_version="1"')


@rule("CMAN007", Severity.ERROR, CmanCluster, link=FENCED, bad=_conf(nodes=_node(1, "")), good=GOOD)
def fencing(cluster: CmanCluster, _: Toolset) -> Iterator[Finding]:
    """A node without a fence device blocks GFS2 and clvmd until a person says that it is off."""
    for node in cluster.nodes:
        if not node.fence_devices:
            help_ = "add a fence device that can cut its power, and a method that uses it"
            yield Finding(f"node {node.name} cannot be fenced", at=node, help=help_)
        for method in node.fence:
            if node.fence_devices and not method.devices:
                shown = f"fence method {method.name!r} of {node.name} has no device"
                yield Finding(shown, at=method, help="add a device, or remove the method")


@rule(
    "CMAN008", Severity.ERROR, CmanCluster,
    link="fence_ack_manual(8); the agent was removed from fence-agents in 2007",
    bad=GOOD.replace("fence_ipmilan", "fence_manual"), good=GOOD,
)  # fmt: skip
def no_real_fencing(cluster: CmanCluster, _: Toolset) -> Iterator[Finding]:
    """`fence_manual` fences nothing: everything hangs until a person acts, or lies."""
    for device in cluster.fence_devices:
        if device.agent in NO_FENCING:
            shown = f"{device.agent} of {device.name} fences nothing"
            help_ = "use an agent that cuts power or storage: fence_ipmilan, fence_apc, …"
            yield Finding(shown, at=device, field="agent", help=help_)
        elif not device.agent:
            yield Finding(f"fence device {device.name} has no agent", at=device)


@rule(
    "CMAN009", Severity.ERROR, CmanCluster, link=MAN,
    bad=_conf().replace('<device name="ipmi"', '<device name="impi"'), good=GOOD,
)  # fmt: skip
def dangling_devices(cluster: CmanCluster, _: Toolset) -> Iterator[Finding]:
    """A method names a fence device that exists."""
    known = set(cluster.fence_devices.keys())
    for node in cluster.nodes:
        for use in _uses(node):
            if use.name not in known:
                shown = f"node {node.name} uses fence device {use.name!r}, which does not exist"
                help_ = f"there are: {', '.join(sorted(known)) or 'none'}"
                yield Finding(shown, at=use, field="name", help=help_)


@rule(
    "CMAN010", Severity.WARNING, CmanCluster, link=MAN,
    bad=GOOD.replace("<fencedevices>", '<fencedevices><fencedevice name="x" agent="fence_apc"/>'),
    good=GOOD,
)  # fmt: skip
def unused_devices(cluster: CmanCluster, _: Toolset) -> Iterator[Finding]:
    """A fence device that no node uses is one that somebody forgot to connect."""
    used = {use.name for node in cluster.nodes for use in _uses(node)}
    for device in cluster.fence_devices:
        if device.name not in used:
            shown = f"no node uses fence device {device.name}"
            yield Finding(shown, at=device, help="use it in a method, or remove it")


@rule(
    "CMAN011", Severity.WARNING, CmanCluster, link="https://access.redhat.com/solutions/54829",
    bad=_conf(nodes=_node(1) + _node(2)), good=GOOD,
)  # fmt: skip
def fence_race(cluster: CmanCluster, _: Toolset) -> Iterator[Finding]:
    """When the link of two nodes breaks each fences the other; a delay on one lets it win."""
    if len(cluster.nodes) != 2 or not all(node.fence_devices for node in cluster.nodes):
        return
    if any(node.fence_devices and _is_manual(cluster, node) for node in cluster.nodes):
        return
    delayed = [node.name for node in cluster.nodes if _has_delay(cluster, node)]
    if len(delayed) != 1:
        shown = "both nodes are delayed" if delayed else "neither node is delayed"
        help_ = 'write delay="15" on the <device> of exactly one node, the one that shall survive'
        yield Finding(f"two nodes can fence each other: {shown}", help=help_)


@rule(
    "CMAN012", Severity.WARNING, CmanCluster, link="https://access.redhat.com/solutions/459083",
    bad=_conf(), good=GOOD,
)  # fmt: skip
def post_join_delay(cluster: CmanCluster, _: Toolset) -> Iterator[Finding]:
    """A node that starts alone fences the other after 6 s, which may just be booting."""
    daemon = cluster.fence_daemon
    delay = daemon.post_join_delay if daemon is not None else None
    if (6 if delay is None else delay) < MIN_JOIN_DELAY and len(cluster.nodes) > 1:
        shown = f"post_join_delay is {'6, the default' if delay is None else delay}"
        field = "post_join_delay" if delay is not None else ""
        help_ = f'write <fence_daemon post_join_delay="30"/>: {MIN_JOIN_DELAY} s or more'
        yield Finding(shown, at=daemon, field=field, help=help_)


@rule(
    "CMAN013", Severity.ERROR, CmanCluster, link=FENCED,
    bad=_conf(TWO + '<fence_daemon clean_start="1" post_join_delay="30"/>'), good=GOOD,
)  # fmt: skip
def clean_start(cluster: CmanCluster, _: Toolset) -> Iterator[Finding]:
    """`clean_start` trusts that absent nodes are off; if one is not, both write."""
    daemon = cluster.fence_daemon
    if daemon is not None and daemon.clean_start:
        fix = evolve(cluster, fence_daemon=evolve(daemon, clean_start=None))
        shown = "clean_start lets a node start without fencing the absent ones"
        yield Finding(shown, at=daemon, field="clean_start", help="remove it", fix=fix)


@rule(
    "CMAN014", Severity.ERROR, CmanCluster, link=CMAN,
    bad=_conf(nodes=_node(1, '<altname name="nas01b"/>' + FENCE.format("")) + _node(2)), good=GOOD,
)  # fmt: skip
def second_ring(cluster: CmanCluster, _: Toolset) -> Iterator[Finding]:
    """A second ring is for all nodes, and DLM over it needs SCTP."""
    with_ring = [node for node in cluster.nodes if node.altname is not None]
    if not with_ring:
        return
    for node in cluster.nodes:
        if node.altname is None:
            shown = f"node {node.name} has no altname, others do"
            yield Finding(shown, at=node, help="give every node one, or none")
    if cluster.dlm is None or cluster.dlm.protocol != "sctp":
        help_ = 'write <dlm protocol="sctp"/>'
        yield Finding("two rings, but DLM does not use SCTP", at=with_ring[0].altname, help=help_)


@rule(
    "CMAN015", Severity.WARNING, CmanCluster, link=CMAN,
    bad=_conf(TWO + '<totem token="500"/>'), good=GOOD,
)  # fmt: skip
def token_timeout(cluster: CmanCluster, _: Toolset) -> Iterator[Finding]:
    """Too short a token fences nodes that are merely busy, too long a one leaves all waiting."""
    token = cluster.totem.token if cluster.totem is not None else None
    if token is not None and not MIN_TOKEN <= token <= LONG_TOKEN:
        help_ = f"{MIN_TOKEN} to {LONG_TOKEN} ms; the default is 10000"
        yield Finding(f"token is {token} ms", at=cluster.totem, field="token", help=help_)
    disk = cluster.quorumd
    if disk is not None and disk.interval and disk.tko:
        needed = 2000 * disk.interval * disk.tko
        if (10000 if token is None else token) < needed:
            shown = f"the quorum disk decides within {needed // 2} ms, the token does within half"
            help_ = f"token of at least {needed}: see qdisk(5)"
            yield Finding(shown, at=cluster.totem or disk, help=help_)


@rule("CMAN016", Severity.WARNING, CmanCluster, link=CMAN, bad=_conf(""), good=GOOD)
def two_nodes_without_two_node(cluster: CmanCluster, _: Toolset) -> Iterator[Finding]:
    """Of two nodes neither is a quorum alone: when one fails the other stops too."""
    two = cluster.cman is not None and cluster.cman.two_node
    if len(cluster.nodes) == 2 and not two and cluster.quorumd is None:
        cman = evolve(cluster.cman or CmanOptions(), two_node=True, expected_votes=1)
        help_ = f"write {TWO}"
        fix = evolve(cluster, cman=cman)
        yield Finding("two nodes without two_node", at=cluster.cman, help=help_, fix=fix)


@rule(
    "CMAN017", Severity.ERROR, CmanCluster, link=CMAN,
    bad=GOOD.replace('two_node="1"', 'two_node="1" transport="udpu" broadcast="yes"'), good=GOOD,
)  # fmt: skip
def transport_and_broadcast(cluster: CmanCluster, _: Toolset) -> Iterator[Finding]:
    """`transport` and `broadcast` exclude each other."""
    cman = cluster.cman
    if cman is not None and cman.transport and cman.broadcast:
        shown = f"transport {cman.transport} and broadcast"
        yield Finding(shown, at=cman, field="broadcast", help="keep one of them")


@rule(
    "CMAN018", Severity.ERROR, CmanCluster, link=MAN,
    bad=_conf(TWO + '<rm><service name="s" domain="d"/></rm>'), good=GOOD,
)  # fmt: skip
def dangling_domains(cluster: CmanCluster, _: Toolset) -> Iterator[Finding]:
    """A service names a failover domain that exists, and a domain names nodes that exist."""
    if cluster.rm is None:
        return
    domains, nodes = set(cluster.rm.failover_domains.keys()), set(cluster.nodes.keys())
    for service in cluster.rm.services:
        if service.domain and service.domain not in domains:
            shown = f"service {service.name} is for domain {service.domain!r}, which does not exist"
            yield Finding(shown, at=service, field="domain", help="write the name of a domain")
    for domain in cluster.rm.failover_domains:
        for node in domain.nodes:
            if node.name not in nodes:
                shown = f"failover domain {domain.name} has {node.name!r}, which is no node"
                yield Finding(shown, at=node, field="name", help="write the name of a node")


def _uses(node: ClusterNode) -> Iterator[FenceUse]:
    for method in node.fence:
        yield from method.devices
    yield from node.unfence


def _is_manual(cluster: CmanCluster, node: ClusterNode) -> bool:
    devices = [cluster.fence_devices.get(name) for name in node.fence_devices]
    return any(device is not None and device.agent in NO_FENCING for device in devices)


def _has_delay(cluster: CmanCluster, node: ClusterNode) -> bool:
    for method in node.fence:
        for use in method.devices:
            device = cluster.fence_devices.get(use.name)
            params = [*use.params, *(device.params if device is not None else ())]
            if any(param.name == "delay" and param.value not in (None, "0") for param in params):
                return True
    return False


def _repeated(pairs: Iterable[tuple[ClusterNode, object]]) -> Iterator[tuple[ClusterNode, object]]:
    """The nodes whose value an earlier node has too."""
    seen: Counter[object] = Counter()
    for node, value in pairs:
        if seen[value]:
            yield node, value
        seen[value] += 1
