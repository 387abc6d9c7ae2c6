"""The known mistakes with CTDB's files; what concerns other files too is in `clusternas.nas.rules`.

CTDB000 is the grammar's, CTDB902 a value out of range, such as a node that is no IP address.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterator
from difflib import get_close_matches

from attrs import evolve

from clusternas.core.diagnostics import Finding, Severity, rule
from clusternas.core.lens import lens_of
from clusternas.core.model import Model
from clusternas.core.versions import Toolset
from clusternas.ctdb.model import CtdbCluster, CtdbConfig, CtdbLegacy
from clusternas.ctdb.tables import (
    TUNABLES,
    CtdbNodes,
    CtdbPublicAddresses,
    CtdbScriptOptions,
    CtdbTunables,
)

__all__: list[str] = []

CONF = "ctdb.conf(5)"
CTDB = "ctdb(7)"
KNOWN = {name.lower(): name for name in TUNABLES}
RISKY = {
    "EnableBans": (0, "a node that fails over and over is never shut out"),
    "NoIPTakeover": (1, "the addresses of a failed node serve nobody"),
    "DisableIPFailover": (1, "the addresses of a failed node serve nobody"),
    "AllowUnhealthyDBRead": (1, "damaged databases are read"),
    "AllowMixedVersions": (1, "nodes of different versions talk to each other"),
}


def unknown(model: Model) -> Iterator[Finding]:
    """What stands in a section that ctdbd does not know, with a guess at what was meant."""
    known = [key for key in lens_of(type(model)).table if key]
    for statement in model.extra:
        close = get_close_matches(" ".join(statement.key.lower().split()), known, n=1, cutoff=0.6)
        what = "option" if statement.children is None else "section"
        yield Finding(
            f"ctdbd does not know the {what} {statement.key!r} here, and does not start",
            at=model, help=f"did you mean {close[0]!r}?" if close else "take it out",
        )  # fmt: skip


@rule(
    "CTDB001", Severity.ERROR, CtdbConfig, link=CONF,
    bad="[cluster]\n\tCluster Lock = /opt/.ctdb/reclock\n",
    good="[cluster]\n\tcluster lock = /opt/.ctdb/reclock\n",
)  # fmt: skip
def unknown_option(config: CtdbConfig, _: Toolset) -> Iterator[Finding]:
    """ctdbd refuses options it does not know, and case and blanks count: `Cluster Lock` is none."""
    yield from unknown(config)
    parts = (config.logging, config.cluster, config.database, config.event)
    for part in (*parts, config.failover, config.legacy):
        if part is not None:
            yield from unknown(part)


@rule(
    "CTDB002", Severity.ERROR, CtdbConfig, link=CTDB,
    bad="[logging]\n\tlog level = NOTICE\n",
    good="[cluster]\n\tcluster lock = /opt/.ctdb/reclock\n",
)  # fmt: skip
def no_cluster_lock(config: CtdbConfig, _: Toolset) -> Iterator[Finding]:
    """Without a cluster lock two halves of a cluster both go on: databases and locks part."""
    lock = config.cluster.cluster_lock if config.cluster else None
    if not lock:
        yield Finding(
            "no cluster lock: the cluster can split, and both halves serve",
            at=config.cluster, help="write cluster lock = a file on the cluster file system",
        )  # fmt: skip
    elif not lock.startswith(("/", "!")):
        message = f"cluster lock = {lock} is neither an absolute path nor a !command"
        yield Finding(message, at=config.cluster, field="cluster_lock", help="write the whole path")


@rule(
    "CTDB003", Severity.WARNING, CtdbCluster, link="Samba 4.16 release notes",
    bad="[cluster]\n\trecovery lock = /opt/.ctdb/reclock\n",
    good="[cluster]\n\tcluster lock = /opt/.ctdb/reclock\n",
)  # fmt: skip
def old_name_of_the_lock(cluster: CtdbCluster, toolset: Toolset) -> Iterator[Finding]:
    """`recovery lock` is called `cluster lock` since 4.16."""
    tree = cluster.document
    if tree is None or not toolset.has("ctdb", since="4.16"):
        return
    sections = (node for node in tree.root.children if node.key == "cluster")
    if any(option.key == "recovery lock" for section in sections for option in section.children):
        message = "recovery lock is deprecated since 4.16"
        yield Finding(message, field="cluster_lock", help="write cluster lock")


@rule(
    "CTDB004", Severity.WARNING, CtdbNodes, link="ctdb/conf/node.c of Samba",
    bad="# the nodes\n10.0.0.1\n10.0.0.2\n", good="10.0.0.1\n10.0.0.2\n",
)  # fmt: skip
def comment_that_is_a_node(nodes: CtdbNodes, _: Toolset) -> Iterator[Finding]:
    """A line with `#` in `nodes` is no comment but a deleted node, and takes a number."""
    for pnn, node in enumerate(nodes.all):
        if node.state == "deleted" and not _is_address(node.address):
            yield Finding(
                f"{node.address!r} is no comment but the deleted node number {pnn}",
                at=node, help="take the line out before the cluster is first started, never later",
            )  # fmt: skip


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


@rule(
    "CTDB005", Severity.ERROR, CtdbNodes, link=CTDB,
    bad="10.0.0.1\n10.0.0.1\n", good="10.0.0.1\n10.0.0.2\n",
)  # fmt: skip
def node_twice(nodes: CtdbNodes, _: Toolset) -> Iterator[Finding]:
    """An address can be one node alone."""
    seen: Counter[str] = Counter()
    for node in nodes.all:
        if node.state == "node":
            seen[node.address] += 1
            if seen[node.address] > 1:
                yield Finding(f"{node.address} is in the list twice", at=node, help="take one out")


@rule(
    "CTDB006", Severity.ERROR, CtdbPublicAddresses, link=CTDB,
    bad="192.168.1.21/24\n", good="192.168.1.21/24 lan0\n",
)  # fmt: skip
def address_without_an_interface(addresses: CtdbPublicAddresses, _: Toolset) -> Iterator[Finding]:
    """A public address needs an interface to go to; newer versions refuse the file."""
    for each in addresses.all:
        if not each.interfaces:
            message = f"{each.address} has no interface"
            yield Finding(message, at=each, help=f"write {each.address} and an interface")


@rule(
    "CTDB007", Severity.ERROR, CtdbPublicAddresses, link=CTDB,
    bad="192.168.1.21/24 lan0\n192.168.1.21/24 lan1\n",
    good="192.168.1.21/24 lan0\n192.168.1.22/24 lan0\n",
)  # fmt: skip
def address_twice(addresses: CtdbPublicAddresses, _: Toolset) -> Iterator[Finding]:
    """A public address stands in the list once."""
    seen: set[str] = set()
    for each in addresses.all:
        host = each.address.partition("/")[0]
        if host in seen:
            yield Finding(f"{host} is in the list twice", at=each, help="take one out")
        seen.add(host)


@rule("CTDB008", Severity.ERROR, CtdbConfig, link=CTDB)
def public_address_of_a_node(config: CtdbConfig, _: Toolset) -> Iterator[Finding]:
    """A public address must not be the private address of a node: it would be taken away."""
    private = set(config.nodes.numbers().values())
    for each in config.public_addresses.all:
        host = each.address.partition("/")[0]
        if host in private:
            message = f"{host} is the private address of a node"
            yield Finding(message, at=each, help="choose another public address")


@rule(
    "CTDB009", Severity.ERROR, CtdbTunables, link="ctdb-tunables(7)",
    bad="EventTimeout=120\n", good="EventScriptTimeout=120\n",
)  # fmt: skip
def unknown_tunable(tunables: CtdbTunables, _: Toolset) -> Iterator[Finding]:
    """ctdbd does not start with a tunable that it does not know."""
    for each in tunables.all:
        if each.name.lower() not in KNOWN:
            close = get_close_matches(each.name.lower(), KNOWN, n=1)
            guess = f"did you mean {KNOWN[close[0]]}?" if close else "take it out"
            yield Finding(f"ctdbd does not know the tunable {each.name}", at=each, help=guess)


@rule(
    "CTDB010", Severity.WARNING, CtdbTunables, link="ctdb-tunables(7)",
    bad="EnableBans=0\n", good="EnableBans=1\n",
)  # fmt: skip
def risky_tunable(tunables: CtdbTunables, _: Toolset) -> Iterator[Finding]:
    """Some tunables switch off what keeps the service up or the data whole."""
    for each in tunables.all:
        value, why = RISKY.get(KNOWN.get(each.name.lower(), ""), (None, ""))
        if each.value == value:
            yield Finding(
                f"{each.name}={value}: {why}", at=each, field="value", help="leave it out"
            )


@rule(
    "CTDB011", Severity.WARNING, CtdbLegacy, link=CONF,
    bad="[legacy]\n\trealtime scheduling = false\n",
    good="[legacy]\n\trealtime scheduling = true\n",
)  # fmt: skip
def not_in_real_time(legacy: CtdbLegacy, _: Toolset) -> Iterator[Finding]:
    """Without realtime scheduling a busy node answers late, and is shut out for it."""
    if legacy.realtime_scheduling is False:
        yield Finding(
            "realtime scheduling = false: a busy node is taken for dead",
            field="realtime_scheduling", help="leave it out",
            fix=evolve(legacy, realtime_scheduling=True),
        )  # fmt: skip


@rule(
    "CTDB012", Severity.WARNING, CtdbScriptOptions, link="ctdb-script.options(5)",
    bad="SAMBA_SKIP_SHARE_CHECK=yes\n", good="CTDB_SAMBA_SKIP_SHARE_CHECK=yes\n",
)  # fmt: skip
def option_that_no_script_reads(options: CtdbScriptOptions, _: Toolset) -> Iterator[Finding]:
    """The event scripts read variables whose names begin with CTDB_."""
    for each in options.all:
        if not each.name.startswith("CTDB_"):
            message = f"no event script reads {each.name}"
            yield Finding(message, at=each, help=f"did you mean CTDB_{each.name}?")
