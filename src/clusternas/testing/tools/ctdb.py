"""The ctdb tool, in the forms for people and for machines."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import TYPE_CHECKING

from clusternas.testing.shell import Answer, Exit, Tool, has, said
from clusternas.testing.tools.ctdbd import (
    ADDRESSES,
    ENABLED,
    NODES,
    NOT_RUNNING,
    Ctdb,
    Peer,
    addresses,
    flags,
    own,
    peers,
    reload_nodes,
    script_enabled,
    stop,
)

if TYPE_CHECKING:
    from clusternas.testing.node import FakeNode

__all__ = ["TOOLS"]

SCRIPTS = """00.ctdb 01.reclock 05.system 06.nfs 10.interface 11.natgw 11.routing
13.per_ip_routing 20.multipathd 31.clamd 40.vsftpd 41.httpd 48.netbios 49.winbind 50.samba 60.nfs
70.iscsi 91.lvs""".split()
FLAGS = (
    "Disconnected",
    "Unknown",
    "Banned",
    "Disabled",
    "Unhealthy",
    "Stopped",
    "Inactive",
    "PartiallyOnline",
)
BITS = {"Disconnected": 1, "Unhealthy": 2, "Disabled": 4, "Banned": 8, "Stopped": 32}
NO_EVENTS = {"scriptstatus": 0, "event": 5}
EVENTD = """socket connect failed - /run/ctdb/eventd.socket
Failed to initialize event client, ret=5"""
DATABASES = {
    name: number
    for name, _, number in (
        pair.partition("=")
        for pair in """smbXsrv_open_global.tdb=66F71B8C passdb.tdb=3EF19640
account_policy.tdb=2CA251CF
group_mapping.tdb=A1413774 share_info.tdb=C3078FBA registry.tdb=6CF2837D leases.tdb=06916E77
locking.tdb=7A19D84D brlock.tdb=4E66C2B2 smbXsrv_tcon_global.tdb=68C12C2C
smbXsrv_session_global.tdb=6B06A26D smbXsrv_client_global.tdb=477D2E20
smbXsrv_version_global.tdb=521B7544 g_lock.tdb=4D2A432B secrets.tdb=7132C184
ctdb.tdb=6645C6C4""".split()
    )
}
"""By name, with the hash of it that CTDB calls them by."""
PERSISTENT = """passdb.tdb account_policy.tdb group_mapping.tdb share_info.tdb registry.tdb
secrets.tdb ctdb.tdb""".split()
TUNABLES = {"EventScriptTimeout": 30, "MonitorInterval": 15, "RecoverTimeout": 30}


# The tool


def ctdb(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """The ctdb tool; -X and -Y anywhere ask for the form for machines, -n for another node."""
    machine = bool({"-X", "-Y"} & set(args))
    at = args[args.index("-n") + 1] if "-n" in args else ""
    words = [arg for i, arg in enumerate(args) if arg[0] != "-" and (not i or args[i - 1] != "-n")]
    command = words[0] if words else ""
    if command == "version":
        return f"{node.cluster.toolset.ctdb}\n"
    if words[:2] == ["event", "script"]:
        return event_script(node, words[2:])
    if command == "recmaster" and node.cluster.toolset.has("ctdb", since="4.16"):
        raise Exit(1, "Unknown command 'recmaster'")
    if "ctdb" not in node.running and command in NO_EVENTS:
        raise Exit(NO_EVENTS[command], EVENTD)
    if "ctdb" not in node.running and command != "listnodes":
        lost = f'Failed to read nodes file "{NODES}"\nIs this node part of CTDB cluster?'
        raise Exit(1, NOT_RUNNING + ("" if node.files.text(NODES) else lost))
    if command not in COMMANDS:
        raise Exit(1, f"Unknown command '{command}'")
    target = next((peer.node for peer in peers(node) if str(peer.number) == at), None)
    return COMMANDS[command](target or node, words[1:], machine)


def event_script(node: FakeNode, words: list[str]) -> Answer:
    """ctdb event script enable|disable|list legacy [SCRIPT]."""
    match words:
        case ["list", "legacy"]:
            return "".join(
                f"{'*' if script_enabled(node, name) else ' '} {name}\n" for name in SCRIPTS
            )
        case ["enable", "legacy", name] if name in SCRIPTS:
            node.files.write(f"{ENABLED}/{name}.script", "", mode=0o755)
        case ["disable", "legacy", name] if name in SCRIPTS:
            node.files.remove(f"{ENABLED}/{name}.script")
        case _:
            raise Exit(1, f"Script {words[-1] if words else ''} does not exist")
    return ""


def status(node: FakeNode, _words: list[str], machine: bool) -> Answer:
    """ctdb status."""
    if machine:
        return header() + "".join(machine_row(node, peer) for peer in peers(node))
    present = [peer for peer in peers(node) if "Disconnected" not in flags(node, peer)]
    rows = [f"Number of nodes:{len(peers(node))}\n", *(line(node, peer) for peer in peers(node))]
    rows.append(
        f"Generation:{1000000 + round(node.of(Ctdb).started) % 1000000}\nSize:{len(present)}\n"
    )
    rows += [f"hash:{i} lmaster:{peer.number}\n" for i, peer in enumerate(present)]
    return "".join(rows) + f"Recovery mode:NORMAL (0)\nLeader:{present[0].number}\n"


def line(node: FakeNode, peer: Peer) -> str:
    """A node for people."""
    bad = flags(node, peer)
    words = "|".join(flag.upper() for flag in FLAGS if flag in bad) or "OK"
    return (
        f"pnn:{peer.number} {peer.address:<16} "
        f"{words}{' (THIS NODE)' if peer.node is node else ''}\n"
    )


def header() -> str:
    """The first row for machines."""
    return f"|Node|IP|{'|'.join(FLAGS)}|ThisNode|\n"


def machine_row(node: FakeNode, peer: Peer) -> str:
    """A node for machines."""
    bits = "|".join(str(int(flag in flags(node, peer))) for flag in FLAGS)
    return f"|{peer.number}|{peer.address}|{bits}|{'Y' if peer.node is node else 'N'}|\n"


def nodestatus(node: FakeNode, words: list[str], machine: bool) -> Answer:
    """ctdb nodestatus [all]: the exit code has the bits of what is wrong."""
    asked = peers(node) if words == ["all"] else [own(node)]
    count = f"Number of nodes:{len(peers(node))}\n" if words == ["all"] else ""
    text = header() if machine else count
    text += "".join(machine_row(node, peer) if machine else line(node, peer) for peer in asked)
    bits = [BITS.get(flag, 0) for peer in asked for flag in flags(node, peer)]
    return said(text, "", functools.reduce(operator.or_, bits, 0))


def ip(node: FakeNode, words: list[str], machine: bool) -> Answer:
    """ctdb ip [all]."""
    found = addresses(node)
    if machine:
        return "|Public IP|Node|\n" + "".join(
            f"|{address}|{number}|\n" for address, number in found.items()
        )
    where = "ALL nodes" if words == ["all"] else f"node {own(node).number}"
    return f"Public IPs on {where}\n" + "".join(
        f"{address} {number}\n" for address, number in found.items()
    )


def listnodes(node: FakeNode, _words: list[str], machine: bool) -> Answer:
    """ctdb listnodes: also without the daemon."""
    if node.files.get(NODES) is None:
        raise Exit(1, f'Failed to read nodes file "{NODES}"')
    rows = (
        f"|{peer.number}|{peer.address}|\n" if machine else f"{peer.address}\n"
        for peer in peers(node)
    )
    return "".join(rows)


def pnn(node: FakeNode, _words: list[str], _machine: bool) -> Answer:
    """ctdb pnn."""
    return f"{own(node).number}\n"


def leader(node: FakeNode, _words: list[str], _machine: bool) -> Answer:
    """ctdb leader."""
    return (
        f"{min(peer.number for peer in peers(node) if 'Disconnected' not in flags(node, peer))}\n"
    )


def scriptstatus(node: FakeNode, _words: list[str], _machine: bool) -> Answer:
    """ctdb scriptstatus."""
    word = "ERROR" if "Unhealthy" in node.of(Ctdb).flags else "OK"
    rows = [
        f"{name:<20} {word:<10} 0.066 {node.cluster.clock()}\n"
        for name in SCRIPTS
        if script_enabled(node, name)
    ]
    return "".join(rows)


def uptime(node: FakeNode, _words: list[str], _machine: bool) -> Answer:
    """ctdb uptime."""
    since = f"(000 00:00:00) {node.cluster.clock()}"
    return (
        f"Current time of node {own(node).number}        :                {node.cluster.clock()}\n"
        f"Ctdbd start time              : {since}\n"
        f"Time of last recovery/failover: {since}\n"
        "Duration of last recovery/failover: 6.740664 seconds\n"
    )


def getdbmap(node: FakeNode, _words: list[str], machine: bool) -> Answer:
    """ctdb getdbmap: its own database, and where it runs Samba those of smbd."""
    samba = script_enabled(node, "50.samba")
    names = [name for name in DATABASES if samba or name == "ctdb.tdb"]
    if machine:
        head = "|ID|Name|Path|Persistent|Sticky|Unhealthy|Readonly|Replicated|\n"
        return head + "".join(map(functools.partial(database, node), names))
    text = "".join(f"dbid:0x{DATABASES[name]} name:{name}\n" for name in names)
    return f"Number of databases:{len(names)}\n{text}"


def database(node: FakeNode, name: str) -> str:
    """A row of it."""
    kept = int(name in PERSISTENT)
    place = "persistent" if kept else "volatile"
    path = f"/var/lib/ctdb/{place}/{name}.{node.number - 1}"
    return f"|0x{DATABASES[name]}|{name}|{path}|{kept}|0|0|0|0|\n"


def capabilities(_node: FakeNode, _words: list[str], _machine: bool) -> Answer:
    """ctdb getcapabilities."""
    return "LEADER: YES\nLMASTER: YES\n"


def ifaces(node: FakeNode, _words: list[str], machine: bool) -> Answer:
    """ctdb ifaces: the interfaces of the public addresses."""
    lines = [row.split() for row in node.files.text(ADDRESSES).splitlines() if row.strip()]
    names = sorted({name for words in lines for name in words[1:]})
    if machine:
        return "|Name|LinkStatus|References|\n" + "".join(f"|{name}|1|2|\n" for name in names)
    return "".join(f"name:{name} link:up references:2\n" for name in names)


def getvar(node: FakeNode, words: list[str], _machine: bool) -> Answer:
    """ctdb getvar."""
    name = words[0]
    if name not in TUNABLES:
        raise Exit(1, f"No such tunable {name}")
    return f"{name:<26} = {node.of(Ctdb).tunables.get(name, TUNABLES[name])}\n"


def setvar(node: FakeNode, words: list[str], machine: bool) -> Answer:
    """ctdb setvar."""
    getvar(node, words, machine)
    node.of(Ctdb).tunables[words[0]] = int(words[1])
    return ""


def shutdown(node: FakeNode, _words: list[str], _machine: bool) -> Answer:
    """ctdb shutdown."""
    stop(node)
    node.running.discard("ctdb")
    return ""


def mark(flag: str, on: bool) -> Callable[[FakeNode, list[str], bool], Answer]:
    """A command that takes a node out, or back in."""

    def command(node: FakeNode, _words: list[str], _machine: bool) -> Answer:
        (node.of(Ctdb).flags.add if on else node.of(Ctdb).flags.discard)(flag)
        return ""

    return command


def reloadnodes(node: FakeNode, _words: list[str], _machine: bool) -> Answer:
    """ctdb reloadnodes."""
    reload_nodes(node)
    return ""


def nothing(_node: FakeNode, _words: list[str], _machine: bool) -> Answer:
    """reloadips, recover: the addresses are always read afresh here."""
    return ""


COMMANDS: dict[str, Callable[[FakeNode, list[str], bool], Answer]] = {
    "status": status,
    "nodestatus": nodestatus,
    "ip": ip,
    "listnodes": listnodes,
    "pnn": pnn,
    "leader": leader,
    "scriptstatus": scriptstatus,
    "event": scriptstatus,
    "uptime": uptime,
    "getdbmap": getdbmap,
    "getcapabilities": capabilities,
    "ifaces": ifaces,
    "getvar": getvar,
    "setvar": setvar,
    "shutdown": shutdown,
    "recmaster": leader,
    "disable": mark("Disabled", True),
    "enable": mark("Disabled", False),
    "stop": mark("Stopped", True),
    "continue": mark("Stopped", False),
    "ban": mark("Banned", True),
    "unban": mark("Banned", False),
    "reloadnodes": reloadnodes,
    **dict.fromkeys(("reloadips", "ipreallocate", "recover", "moveip"), nothing),
}


def validate(node: FakeNode, _args: tuple[str, ...], _stdin: bytes) -> Answer:
    """`ctdb-config validate`."""
    for number, row in enumerate(node.files.text("/etc/ctdb/ctdb.conf").splitlines(), 1):
        line_ = row.strip()
        if line_ and line_[0] not in "#;[" and "=" not in line_:
            raise Exit(1, f"Failed to parse config file /etc/ctdb/ctdb.conf, line {number}")
    return ""


TOOLS = {"ctdb": Tool(ctdb, has("ctdb")), "ctdb-config": Tool(validate, has("ctdb"))}
