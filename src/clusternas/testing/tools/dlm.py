"""dlm_controld and dlm_tool: lock spaces, who shares them, and what they wait for."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import attrs

from clusternas.testing.shell import Daemon, Exit, Hang, Tool, has
from clusternas.testing.tools import dlmconf, fencing
from clusternas.testing.tools.membership import Member, members, quorate

if TYPE_CHECKING:
    from clusternas.testing.cluster import FakeCluster
    from clusternas.testing.node import FakeNode

__all__ = [
    "DAEMONS",
    "TOOLS",
    "described",
    "join",
    "joined",
    "leave",
    "lockspaces",
    "names",
    "react",
    "wait_for_locks",
]

DEFAULTS = """daemon_debug=0 foreground=1 log_debug=0 protocol=detect port=21064 debug_logfile=0
bind_all=0 mark=0 enable_fscontrol=0 enable_plock=1 plock_debug=0 plock_rate_limit=0
plock_ownership=0 drop_resources_time=10000 drop_resources_count=10 drop_resources_age=10000
post_join_delay=30 enable_fencing=1 enable_concurrent_fencing=0 enable_startup_fencing=1
repeat_failed_fencing=1 enable_quorum_fencing=1 enable_quorum_lockspace=1 enable_helper=1 help=-1
version=-1"""


@attrs.define
class LockSpace:
    """One lock space as one node sees it: members' ids and the last change among them."""

    members: tuple[int, ...] = ()
    joined: int = 0
    removed: int = 0
    failed: int = 0
    sequence: int = 0
    waits: bool = False


class LockSpaces:
    """The lock spaces a node has joined."""

    def __init__(self) -> None:
        self.by_name: dict[str, LockSpace] = {}


def running(node: FakeNode) -> bool:
    """Whether the node has a lock manager."""
    return bool({"dlm", "cman"} & node.running)


def join(node: FakeNode, name: str) -> None:
    """Join a lock space."""
    if not running(node):
        raise Exit(1, "dlm_controld is not running")
    node.of(LockSpaces).by_name.setdefault(name, LockSpace())
    react(node.cluster)


def leave(node: FakeNode, name: str) -> None:
    """Leave a lock space."""
    node.of(LockSpaces).by_name.pop(name, None)
    react(node.cluster)


def joined(node: FakeNode, name: str) -> bool:
    """Whether the node is in that lock space."""
    return name in node.of(LockSpaces).by_name


def names(node: FakeNode) -> list[str]:
    """The lock spaces the node is in."""
    return list(node.of(LockSpaces).by_name)


def share(node: FakeNode, name: str) -> tuple[int, ...]:
    """Node ids of the members in that lock space."""
    config = node.of(Member).config
    found = [other.name for other in members(node) if name in other.of(LockSpaces).by_name]
    return tuple(sorted(config.nodes[other].id for other in found)) if config is not None else ()


def member_ids(node: FakeNode) -> list[int]:
    """Ids of the nodes that the cluster has."""
    config = node.of(Member).config
    return [config.nodes[other.name].id for other in members(node)] if config is not None else []


def react(cluster: FakeCluster) -> None:
    """Let every lock space notice who came and went; it stops while somebody has to be fenced."""
    for node in cluster.alive():
        spaces = node.of(LockSpaces).by_name
        able, gone = (quorate(node), victim_ids(node)) if spaces else (True, [])
        for name, space in spaces.items():
            now = share(node, name)
            space.waits = not able or any(i in space.members for i in gone)
            if now != space.members and not space.waits:
                space.joined = int(bool(set(now) - set(space.members)))  # one at a time
                gone_now = set(space.members) - set(now)
                space.removed = len(gone_now)
                space.failed = len(gone_now - set(member_ids(node)))
                space.members, space.sequence = now, space.sequence + 1


def victim_ids(node: FakeNode) -> list[int]:
    """Ids of the nodes to be fenced."""
    config = node.of(Member).config
    found = fencing.waits_for(node) if config is not None else ()
    known = config.nodes if config is not None else {}
    return [known[n].id if n in known else node.cluster.nodes[n].number for n in found]


def wait_for_locks(node: FakeNode, name: str, *, killable: bool = True) -> None:
    """Hang while a lock space is stopped."""
    space = node.of(LockSpaces).by_name.get(name)
    if space is not None and space.waits:
        why = "fencing" if quorate(node) else "quorum"
        raise Hang(f"lock space {name} waits for {why}", killable=killable)


# dlm_tool


def dlm_tool(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> str:
    """dlm_tool ls, status, dump_config, fence_ack, set_config."""
    command = next((arg for arg in args if not arg.startswith("-")), "")
    if not running(node):
        said_so = {"status": "cannot connect to dlm_controld\n", "dump_config": "\n"}
        raise Exit(0 if command in said_so else 1, "", said_so.get(command, ""))
    match command:
        case "ls":
            return lockspaces(node)
        case "status":
            return status(node)
        case "dump_config":
            return dump_config(node)
        case "fence_ack":
            fence_ack(node, args[-1])
            return ""
        case "dump":
            return f"{uptime(node)} dlm_controld 4.2.0 started\n"
        case "reload_config":
            return "reload_config done\n"
        case "set_config":
            return "set_config done\n"  # and nothing changes, as the real one
        case _:
            raise Exit(1, f"unknown command {command}")


def lockspaces(node: FakeNode) -> str:
    """`dlm_tool ls`, the youngest lock space first."""
    names = reversed(node.of(LockSpaces).by_name)
    return "dlm lockspaces\n" + "".join(described(node, name) for name in names)


def described(node: FakeNode, name: str) -> str:
    """One lock space of it."""
    space = node.of(LockSpaces).by_name[name]
    ids = "".join(f"{number} " for number in space.members)
    number = f"{space.sequence},{space.sequence}"
    rows = [
        f"name          {name}",
        f"id            0x{zlib.crc32(f'dlm:ls:{name}'.encode() + bytes(1)):08x}",
        f"flags         {'0x00000004 kern_stop' if space.waits else '0x00000000 '}",
        f"change        member {len(space.members)} joined {space.joined} "
        f"remove {space.removed} failed {space.failed} seq {number}",
        f"members       {ids}",
    ]
    return "\n".join(rows) + "\n" + (waiting(node, space) if space.waits else "") + "\n"


def waiting(node: FakeNode, space: LockSpace) -> str:
    """What a stopped lock space adds; cman's dlm_tool has more words for it."""
    left = [number for number in space.members if number not in victim_ids(node)]
    gone = len(space.members) - len(left)
    number = space.sequence + 1
    why = "fencing" if quorate(node) else "quorum"
    old = has("cman")(node.cluster.toolset)
    words = f"wait_messages 0 wait_condition 1 {why}" if old else f"wait {why}"
    return (
        f"new change    member {len(left)} joined 0 remove {gone} failed {gone} seq "
        f"{number},{number}\n"
        f"new status    {words}\nnew members   {''.join(f'{i} ' for i in left)}\n"
    )


def status(node: FakeNode) -> str:
    """`dlm_tool status`: the daemon and each node it knows."""
    member = node.of(Member)
    config = member.config
    if config is None:
        return "cannot connect to dlm_controld\n"
    ring = 10 + len(member.joined_at) + 4 * len(member.lost_at)
    rows = [
        f"cluster nodeid {config.nodes[node.name].id} quorate {int(quorate(node))} ring seq "
        f"{ring} {ring}"
    ]
    victims = sorted(victim_ids(node))
    rows += [f"daemon now {uptime(node)} fence_pid {16903 if victims else 0} "]
    rows += [
        f"fence {i} nodedown pid 16903 actor {config.nodes[node.name].id} fail 0 fence 0 now 0"
        for i in victims
    ]
    for name, configured in config.nodes.items():
        if name in member.joined_at:
            rows.append(known(member, name, configured.id, node.cluster.started))
    return "\n".join(rows) + "\n"


def uptime(node: FakeNode) -> int:
    """Seconds since the beginning."""
    return round(node.cluster.now - node.cluster.started)


def known(member: Member, name: str, number: int, start: float) -> str:
    """One node of `dlm_tool status`."""
    times = (member.joined_at.get(name), member.lost_at.get(name), member.fenced.get(name))
    added, lost, fenced = (0 if moment is None else round(moment - start) for moment in times)
    here = "M" if name in member.known else "X"
    return (
        f"node {number} {here} add {added} rem {lost} fail {lost} fence {fenced} at "
        f"{int(bool(fenced))} {fenced}"
    )


def dump_config(node: FakeNode) -> str:
    """`dlm_tool dump_config`: each setting, and where it comes from."""
    given = dlmconf.load(node).settings
    rows = []
    for word in DEFAULTS.split():
        key, _, value = word.partition("=")
        origin = " (dlm.conf)" if key in given else " (cli option)" if key == "foreground" else ""
        rows.append(f"{key}={given.get(key, value)}{origin}\n")
    return "".join(rows) + "\n"


def fence_ack(node: FakeNode, number: str) -> None:
    """A person says that a node is off."""
    config = node.of(Member).config
    for name, configured in config.nodes.items() if config is not None else ():
        if str(configured.id) == number:
            fencing.acknowledge(node, name)
    react(node.cluster)


# The service


def start(node: FakeNode) -> None:
    """Start dlm_controld: it needs corosync."""
    if "corosync" not in node.running:
        raise Exit(1, "A dependency job for dlm.service failed. See 'journalctl -xe' for details.")


def stop(node: FakeNode) -> None:
    """Stop it; refused while a lock space is in use."""
    if node.of(LockSpaces).by_name:
        raise Exit(1, "Job for dlm.service failed because lockspaces exist.")


TOOLS = {"dlm_tool": Tool(dlm_tool, lambda toolset: has("dlm")(toolset) or has("cman")(toolset))}
DAEMONS = {"dlm": Daemon(start, stop, needs=("corosync",), installed=has("dlm"))}
