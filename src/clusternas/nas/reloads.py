"""What a service that runs has to be told when one of its files has changed.

Before a file changes, an empty file on the node notes that its service must read it again; it goes
when that is done. So a controller that dies between the two leaves a plan that is not empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import attrs

from clusternas.cman import commands as cman
from clusternas.core import services
from clusternas.core.command import Command
from clusternas.core.files import remove_file, write_file
from clusternas.corosync import commands as corosync
from clusternas.ctdb import commands as ctdb
from clusternas.dns.commands import Rndc
from clusternas.drbd import commands as drbd
from clusternas.drbd import queries
from clusternas.lvm import commands as lvm
from clusternas.nas.actual import NasState, NodeState
from clusternas.nas.cluster import NasCluster
from clusternas.nas.guards import serves_on
from clusternas.nas.plan import Check, Draft
from clusternas.nas.units import NAMED, file_service
from clusternas.nas.wanted import NAMED_CONF, PENDING, pending
from clusternas.samba import commands as samba

__all__ = ["files_of_named", "note_readers", "readers", "reload"]


@attrs.frozen
class _Reload:
    """How to make a service read its file.

    Attributes:
        files: what it reads.
        unit: which service must run for that; empty for what serves files.
        command: what makes it read.
        everywhere: one node tells all the members that it sees.
    """

    files: tuple[str, ...]
    unit: str
    command: Callable[[NasCluster], Command[object]]
    everywhere: bool = False


def _reload_cman(nas: NasCluster) -> Command[object]:
    version = nas.cman.config_version if nas.cman else None
    return cman.reload(version, toolset=nas.toolset)


RELOADS = {
    "corosync": _Reload(
        ("/etc/corosync/corosync.conf",), "corosync", lambda _: corosync.reload(), True
    ),
    "cman": _Reload(("/etc/cluster/cluster.conf",), "cman", _reload_cman, True),
    "dlm": _Reload(("/etc/dlm/dlm.conf",), "dlm", lambda _: corosync.dlm_reload()),
    "clvmd": _Reload(("/etc/lvm/lvm.conf",), "clvmd", lambda _: lvm.clvmd_reload()),
    "samba": _Reload(("/etc/samba/smb.conf",), "", lambda _: samba.reload_config()),
    "ctdb-nodes": _Reload(("/etc/ctdb/nodes",), "ctdb", lambda _: ctdb.reloadnodes(), True),
    "ctdb-addresses": _Reload(
        ("/etc/ctdb/public_addresses",), "ctdb", lambda _: ctdb.reloadips(), True
    ),
}
DRBD = "drbd-"
CTDB = "ctdb"
CTDB_FILES = ("/etc/ctdb/ctdb.conf", "/etc/ctdb/ctdb.tunables", "/etc/sysconfig/ctdb")
"""What ctdbd reads only when it starts."""


def readers(nas: NasCluster, node: NodeState, paths: Iterable[str]) -> list[str]:
    """What runs on a node and has read one of these files, by the name of its note."""
    changed = set(paths)
    found = [
        name
        for name, each in RELOADS.items()
        if changed.intersection(each.files) and (each.unit or file_service(nas)) in node.running
    ]
    shared = any(path.startswith("/etc/drbd.d/global") for path in changed)
    found += [
        f"{DRBD}{each.name}"
        for each in nas.resources
        if each.name in node.drbd and (shared or f"/etc/drbd.d/{each.name}.res" in changed)
    ]
    if changed.intersection(CTDB_FILES) and CTDB in node.running:
        found.append(CTDB)
    if changed.intersection(files_of_named(nas)) and NAMED in node.running:
        found.append(NAMED)
    return found


def files_of_named(nas: NasCluster) -> set[str]:
    """The files of named: its zones, and where it is told of them."""
    return {*nas.zones, NAMED_CONF[nas.toolset.init]}


def note_readers(node: str, names: Iterable[str], draft: Draft) -> None:
    """Note on the node, before its files change, who has to read them again."""
    for name in names:
        draft.add(
            node,
            write_file(f"{PENDING}/{name}", b"", parents=True),
            f"should all stop here, {name} must still read its file again",
            undo=f"remove {PENDING}/{name}",
        )


def reload(
    nas: NasCluster,
    state: NasState,
    changed: dict[str, list[str]],
    draft: Draft,
    *,
    named: bool = False,
) -> None:
    """Have every service read what has changed, and forget the notes.

    Args:
        nas: what is wanted.
        state: what is; the notes of an earlier run are in it.
        changed: the notes that this plan makes, by node.
        draft: takes the steps.
        named: whether it is the turn of named, whose names bring the clients.
    """
    noted = {
        node.name: {*state[node.name].pending, *changed.get(node.name, ())} for node in nas.nodes
    }
    for name in pending(nas):
        nodes = [node.name for node in nas.nodes if name in noted[node.name]]
        if nodes and named == (name == NAMED):
            _reload(nas, state, name, nodes, draft)
            _forget(name, nodes, draft)


def _reload(nas: NasCluster, state: NasState, name: str, nodes: list[str], draft: Draft) -> None:
    if name == CTDB:
        _restart_ctdb(nas, state, nodes, draft)
        return
    if name.startswith(DRBD):
        _adjust(name.removeprefix(DRBD), state, nodes, draft)
        return
    unit = NAMED if name == NAMED else RELOADS[name].unit or file_service(nas)
    running = [node for node in nodes if unit in state[node].running]
    everywhere = name in RELOADS and RELOADS[name].everywhere
    told: set[str] = set()
    for node in running:
        if everywhere and node in told:
            continue
        told |= state[node].members
        command = Rndc().reload() if name == NAMED else RELOADS[name].command(nas)
        draft.add(node, command, f"a file of {name} has changed, and {unit} runs")
    draft.barrier()


def _adjust(resource: str, state: NasState, nodes: list[str], draft: Draft) -> None:
    for node in nodes:
        if resource in state[node].drbd:
            draft.add(
                node,
                drbd.adjust(resource),
                f"a file of {resource} has changed, and it is up",
                verify=Check(
                    command=queries.role(resource),
                    holds=bool,
                    says=f"{resource} is up",
                    within=10,
                ),
            )
            draft.barrier()


def _restart_ctdb(nas: NasCluster, state: NasState, nodes: list[str], draft: Draft) -> None:
    """One node after the other, while another one serves its clients."""
    for node in nodes:
        others = nas.others(node)
        if CTDB in state[node].running:
            draft.add(
                node,
                services.restart(CTDB, nas.toolset.init),
                "CTDB reads this file only when it starts",
                guard=serves_on(others[0]) if others else None,
                verify=serves_on(node),
            )
            draft.barrier()


def _forget(name: str, nodes: list[str], draft: Draft) -> None:
    for node in nodes:
        draft.add(node, remove_file(f"{PENDING}/{name}"), f"{name} has read its file again")
    draft.barrier()
