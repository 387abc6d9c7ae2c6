"""Checks of corosync.conf alone; those that need other files too are in `nas.rules`.

Beside these, COROSYNC000 reports what the grammar does not allow, 900 values that cannot be read (a
comment after a number is part of it), 901 keys that corosync stores and never reads, 902 values out
of range, 903 what the toolset does not have. `corosync -t` lets pass what 001, 002, 003, 006, 009,
010, 013 and 015 report. The checks of dlm.conf are in `dlm_rules`.
"""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Iterable, Iterator

from attrs import evolve

from clusternas.core.diagnostics import Finding, Severity, rule
from clusternas.core.lens import lens_of
from clusternas.core.syntax.blocks import CorosyncSyntax
from clusternas.core.versions import Toolset
from clusternas.corosync import dlm_rules as dlm_rules
from clusternas.corosync.model import VOTEQUORUM, CorosyncCluster
from clusternas.corosync.sections import CorosyncNode

CONF = "corosync.conf(5)"
VOTES = "votequorum(5)"
PARSER = "https://github.com/corosync/corosync/blob/v3.1.7/exec/coroparse.c"
MAX_NAME = 32
NAME = re.compile(r"[A-Za-z0-9_-]+")
LOCAL = re.compile(r"localhost(\..*)?|127\..*|::1")
MAX_LINE = 510
MIN_TOKEN = 1000
LONG_TOKEN = 30000

TOTEM = (
    "totem {\n version: 2\n cluster_name: nas\n crypto_cipher: aes256\n crypto_hash: sha256\n}\n"
)
QUORUM = "quorum {\n provider: corosync_votequorum\n two_node: 1\n}\n"


def _node(number: int, more: str = "") -> str:
    about = f"  name: nas0{number}\n  nodeid: {number}\n  ring0_addr: 10.0.0.{number}\n"
    return f" node {{\n{about}{more} }}\n"


def _conf(totem: str = TOTEM, quorum: str = QUORUM, nodes: str = _node(1) + _node(2)) -> str:
    return f"{totem}{quorum}nodelist {{\n{nodes}}}\n"


GOOD = _conf()
THREE = _node(1) + _node(2) + _node(3)


@rule(
    "COROSYNC001", Severity.ERROR, CorosyncCluster, link=VOTES, bad=_conf(nodes=THREE), good=GOOD
)  # fmt: skip
def two_node_mode(cluster: CorosyncCluster, _: Toolset) -> Iterator[Finding]:
    """`two_node` needs exactly two nodes, and neither quorum device nor tie breaker beside it."""
    quorum = cluster.quorum
    if quorum is None or not quorum.two_node:
        return
    wrong = ""
    if cluster.nodes and len(cluster.nodes) != 2:
        wrong = f"with {len(cluster.nodes)} nodes"
    elif quorum.device is not None:
        wrong = "with a quorum device: corosync does not start"
    elif quorum.auto_tie_breaker:
        wrong = "with auto_tie_breaker: corosync does not start"
    if wrong:
        fix = evolve(cluster, quorum=evolve(quorum, two_node=None))
        yield Finding(f"two_node {wrong}", at=quorum, field="two_node", help="remove it", fix=fix)


@rule(
    "COROSYNC002", Severity.WARNING, CorosyncCluster, link=VOTES,
    bad=_conf(quorum=QUORUM.replace("two_node: 1", "two_node: 1\n wait_for_all: 0")), good=GOOD,
)  # fmt: skip
def wait_for_all(cluster: CorosyncCluster, _: Toolset) -> Iterator[Finding]:
    """Without `wait_for_all` two nodes that start apart are both quorate, and fence each other."""
    quorum = cluster.quorum
    if quorum is not None and quorum.two_node and quorum.wait_for_all is False:
        fix = evolve(cluster, quorum=evolve(quorum, wait_for_all=None))
        shown = "two_node with wait_for_all: 0"
        yield Finding(shown, at=quorum, field="wait_for_all", help="remove the 0", fix=fix)


@rule(
    "COROSYNC003", Severity.WARNING, CorosyncCluster, link=VOTES,
    bad=_conf(quorum=QUORUM + "quorum {\n expected_votes: 3\n}\n"), good=GOOD,
)  # fmt: skip
def expected_votes(cluster: CorosyncCluster, _: Toolset) -> Iterator[Finding]:
    """The node list says how many votes there are; a number beside it goes wrong in time."""
    quorum = cluster.quorum
    if quorum is None or quorum.expected_votes is None or not cluster.nodes:
        return
    votes = sum(1 if node.quorum_votes is None else node.quorum_votes for node in cluster.nodes)
    device = (quorum.device.votes or 0) if quorum.device is not None else 0
    if quorum.expected_votes != votes + device:
        shown = f"expected_votes is {quorum.expected_votes}, the votes are {votes + device}"
        fix = evolve(cluster, quorum=evolve(quorum, expected_votes=None))
        yield Finding(shown, at=quorum, field="expected_votes", help="remove it", fix=fix)


@rule(
    "COROSYNC004", Severity.ERROR, CorosyncCluster, link=CONF,
    bad=_conf(nodes=_node(1) + _node(2).replace("nodeid: 2", "nodeid: 1")), good=GOOD,
)  # fmt: skip
def node_ids(cluster: CorosyncCluster, _: Toolset) -> Iterator[Finding]:
    """Every node has an id of its own; knet and DLM need it."""
    for node in cluster.nodes:
        if node.nodeid is None:
            yield Finding(f"node {node.label} has no nodeid", at=node, help="write nodeid: …")
    given = ((node, node.nodeid) for node in cluster.nodes if node.nodeid is not None)
    for node, number in _repeated(given):
        shown = f"node id {number} of {node.label} is another node's"
        yield Finding(shown, at=node, field="nodeid", help="give each node an id of its own")


@rule(
    "COROSYNC005", Severity.ERROR, CorosyncCluster, link=CONF,
    bad=_conf(nodes=_node(1) + _node(2).replace("10.0.0.2", "10.0.0.1")), good=GOOD,
)  # fmt: skip
def names_and_addresses(cluster: CorosyncCluster, _: Toolset) -> Iterator[Finding]:
    """Every node has names and addresses of its own."""
    for node, name in _repeated((node, node.name) for node in cluster.nodes if node.name):
        yield Finding(f"node {name!r} stands twice", at=node, field="name", help="rename one")
    pairs = ((node, address) for node in cluster.nodes for address in node.addresses)
    for node, address in _repeated(pairs):
        shown = f"address {address} of {node.label} stands twice"
        yield Finding(shown, at=node, field=_ring(node, str(address)), help="correct one")


@rule(
    "COROSYNC006", Severity.ERROR, CorosyncCluster, link="gfs2(5), mkfs.gfs2(8)",
    bad=_conf(totem=TOTEM.replace("cluster_name: nas", "cluster_name: my cluster")), good=GOOD,
)  # fmt: skip
def cluster_name(cluster: CorosyncCluster, _: Toolset) -> Iterator[Finding]:
    """The name is part of every GFS2 file system: at most 32 plain characters, and there is one."""
    name = cluster.name
    field = "cluster_name" if name else ""
    wrong = ""
    if not name:
        wrong = "the cluster has no name, so no GFS2 file system can be mounted"
    elif len(name) > MAX_NAME or not NAME.fullmatch(name):
        wrong = f"the cluster name {name!r} cannot be part of a lock table"
    if wrong:
        help_ = f"totem.cluster_name of at most {MAX_NAME} letters, digits, _ and -"
        yield Finding(wrong, at=cluster.totem, field=field, help=help_)


@rule(
    "COROSYNC007", Severity.ERROR, CorosyncCluster, link=PARSER,
    bad=_conf(totem=TOTEM.replace("cluster_name: nas", "cluster_name: nas # ours")), good=GOOD,
)  # fmt: skip
def comment_after_value(cluster: CorosyncCluster, _: Toolset) -> Iterator[Finding]:
    """A comment has a line of its own; after a value it is part of the value."""
    for part in cluster.nested():
        for name in lens_of(type(part)).fields:
            value = getattr(part, name)
            if isinstance(value, str) and re.search(r"\s#", value):
                shown = f"the comment is part of the value {value!r}"
                help_ = "put the comment on a line of its own"
                yield Finding(shown, at=part, field=name, help=help_)


@rule(
    "COROSYNC008", Severity.ERROR, CorosyncCluster, link=PARSER,
    bad=GOOD + "nodelist {\n" + _node(3) + "}\n", good=GOOD,
)  # fmt: skip
def one_node_list(cluster: CorosyncCluster, _: Toolset) -> Iterator[Finding]:
    """A second `nodelist` counts from 0 again and overwrites the nodes of the first."""
    tree = cluster.document
    top = CorosyncSyntax().parse(tree.text).root.children if tree is not None else []
    lists = [node for node in top if node.key == "nodelist"]
    if len(lists) > 1:
        yield Finding(f"there are {len(lists)} nodelist sections", help="put all nodes into one")


@rule(
    "COROSYNC009", Severity.WARNING, CorosyncCluster, link=VOTES,
    bad=_conf(quorum=QUORUM.replace(" two_node: 1\n", "")), good=GOOD,
)  # fmt: skip
def two_nodes_without_two_node(cluster: CorosyncCluster, _: Toolset) -> Iterator[Finding]:
    """Of two nodes neither is a quorum alone: when one fails the other stops too."""
    quorum = cluster.quorum
    if len(cluster.nodes) == 2 and quorum is not None and not quorum.two_node and not quorum.device:
        fix = evolve(cluster, quorum=evolve(quorum, two_node=True))
        yield Finding("two nodes without two_node", at=quorum, help="write two_node: 1", fix=fix)


@rule(
    "COROSYNC010", Severity.ERROR, CorosyncCluster, link=VOTES,
    bad=_conf(quorum=QUORUM.replace("votequorum", "votequorums")), good=GOOD,
)  # fmt: skip
def quorum_provider(cluster: CorosyncCluster, _: Toolset) -> Iterator[Finding]:
    """Only with `provider: corosync_votequorum` is there a quorum; a misspelled one is ignored."""
    provider = cluster.quorum.provider if cluster.quorum is not None else None
    if provider != VOTEQUORUM:
        shown = f"quorum provider {provider!r}" if provider else "there is no quorum provider"
        field = "provider" if provider else ""
        help_ = f"write quorum {{ provider: {VOTEQUORUM} }}"
        yield Finding(shown, at=cluster.quorum, field=field, help=help_)


@rule(
    "COROSYNC011", Severity.ERROR, CorosyncCluster, link=CONF,
    bad=_conf(totem=TOTEM.replace("version: 2", "version: 2\n transport: udpu")), good=GOOD,
)  # fmt: skip
def encryption(cluster: CorosyncCluster, toolset: Toolset) -> Iterator[Finding]:
    """Encryption is knet's in 3.x, and a cipher needs a hash."""
    totem = cluster.totem
    if totem is None:
        return
    cipher, hashed = (
        value not in (None, "none") for value in (totem.crypto_cipher, totem.crypto_hash)
    )
    plain = totem.transport in ("udp", "udpu") and toolset.has("corosync", since="3")
    if plain and (cipher or hashed):
        shown = f"encryption with transport {totem.transport}"
        field = "crypto_cipher" if cipher else "crypto_hash"
        yield Finding(shown, at=totem, field=field, help="write transport: knet")
    if cipher and not hashed:
        help_ = "write crypto_hash: sha256"
        yield Finding("a cipher without a hash", at=totem, field="crypto_cipher", help=help_)


@rule(
    "COROSYNC012", Severity.NOTE, CorosyncCluster, link=CONF,
    bad=_conf(totem="totem {\n version: 2\n cluster_name: nas\n}\n"), good=GOOD,
)  # fmt: skip
def secrecy(cluster: CorosyncCluster, _: Toolset) -> Iterator[Finding]:
    """Whoever can send packets to an unauthenticated cluster can take part in it."""
    totem = cluster.totem
    if totem is None:
        return
    if totem.key is not None:
        help_ = "use /etc/corosync/authkey, which only root can read"
        yield Finding("the key stands in the file", at=totem, field="key", help=help_)
    if totem.crypto_hash in (None, "none") and not totem.secauth:
        help_ = "crypto_cipher: aes256, crypto_hash: sha256 and the same authkey on every node"
        yield Finding("messages are not authenticated", at=totem, help=help_)


@rule(
    "COROSYNC013", Severity.WARNING, CorosyncCluster, link=CONF,
    bad=_conf(totem=TOTEM.replace("version: 2", "version: 2\n token: 3000\n consensus: 1000")),
    good=GOOD,
)  # fmt: skip
def timeouts(cluster: CorosyncCluster, _: Toolset) -> Iterator[Finding]:
    """Too short a token fences nodes that are merely busy; consensus is at least 1.2 times it."""
    totem = cluster.totem
    if totem is None:
        return
    if totem.token is not None and not MIN_TOKEN <= totem.token <= LONG_TOKEN:
        help_ = f"{MIN_TOKEN} to {LONG_TOKEN} ms"
        yield Finding(f"token is {totem.token} ms", at=totem, field="token", help=help_)
    token = 3000 if totem.token is None else totem.token
    if totem.consensus is not None and totem.consensus * 10 < token * 12:
        shown = f"consensus is {totem.consensus} ms, token {token} ms"
        yield Finding(shown, at=totem, field="consensus", help="leave it out")


@rule(
    "COROSYNC014", Severity.ERROR, CorosyncCluster, link=CONF,
    bad=_conf(nodes=_node(1, "  ring1_addr: 10.1.0.1\n") + _node(2)), good=GOOD,
)  # fmt: skip
def links(cluster: CorosyncCluster, toolset: Toolset) -> Iterator[Finding]:
    """Every node has an address on every link; several links need knet, and nodes with names."""
    most = max((len(node.addresses) for node in cluster.nodes), default=0)
    transport = cluster.totem.transport if cluster.totem is not None else None
    for node in cluster.nodes:
        if len(node.addresses) != most or not most:
            shown = f"node {node.label} has {len(node.addresses)} addresses, others have {most}"
            yield Finding(shown, at=node, help="one ringX_addr per link on each node")
        if most > 1 and not node.name:
            yield Finding(f"node {node.label} needs a name", at=node, help="write name: …")
    if most > 1 and transport in ("udp", "udpu") and toolset.has("corosync", since="3"):
        shown = f"{most} links with transport {transport}"
        yield Finding(shown, at=cluster.totem, field="transport", help="write transport: knet")


@rule(
    "COROSYNC015", Severity.WARNING, CorosyncCluster,
    link="https://github.com/corosync/corosync/issues/336",
    bad=GOOD.replace("10.0.0.1", "127.0.1.1"), good=GOOD,
)  # fmt: skip
def reachable_addresses(cluster: CorosyncCluster, _: Toolset) -> Iterator[Finding]:
    """A node is reached over a network: a loopback address meets only itself."""
    for node in cluster.nodes:
        for address in node.addresses:
            if LOCAL.fullmatch(address):
                shown = f"{address} of {node.label} is the host itself"
                help_ = "write an address of the cluster network"
                yield Finding(shown, at=node, field=_ring(node, address), help=help_)
    families = Counter(_family(a) for node in cluster.nodes for a in node.addresses[:1])
    if families[4] and families[6]:
        yield Finding("link 0 has IPv4 and IPv6 addresses", help="use one family on a link")


@rule(
    "COROSYNC016", Severity.WARNING, CorosyncCluster, link=CONF,
    bad=_conf(nodes=_node(1).replace("  name: nas01\n", "") + _node(2)), good=GOOD,
)  # fmt: skip
def node_names(cluster: CorosyncCluster, _: Toolset) -> Iterator[Finding]:
    """A node without a name is known by its address, everywhere and for ever."""
    for node in cluster.nodes:
        if not node.name:
            help_ = "write name: with what uname -n prints there"
            yield Finding(f"node {node.label} has no name", at=node, help=help_)


@rule(
    "COROSYNC017", Severity.ERROR, CorosyncCluster, link=PARSER,
    bad=GOOD.replace("version: 2", "version: 1"), good=GOOD,
)  # fmt: skip
def what_corosync_insists_on(cluster: CorosyncCluster, _: Toolset) -> Iterator[Finding]:
    """corosync starts only with `version: 2`, with nodes or an interface, and lines it can hold."""
    totem = cluster.totem
    if totem is None or totem.version != 2:
        help_ = "write totem { version: 2 }"
        yield Finding("totem.version is not 2", at=totem, help=help_)
    if not cluster.nodes and (totem is None or not totem.interfaces):
        yield Finding("there are no nodes", help="write nodelist { node { … } }")
    tree = cluster.document
    for number, line in enumerate(tree.text.split("\n") if tree is not None else (), 1):
        if len(line.encode("utf-8", "surrogateescape")) > MAX_LINE:
            yield Finding(f"line {number} is too long", help=f"at most {MAX_LINE} bytes")


def _ring(node: CorosyncNode, address: str) -> str:
    return f"ring{node.addresses.index(address)}_addr"


def _family(address: str) -> int:
    try:
        return ipaddress.ip_address(address).version
    except ValueError:
        return 0


def _repeated(
    pairs: Iterable[tuple[CorosyncNode, object]],
) -> Iterator[tuple[CorosyncNode, object]]:
    """The nodes whose value an earlier node has too."""
    seen: set[object] = set()
    for node, value in pairs:
        if value in seen:
            yield node, value
        seen.add(value)
