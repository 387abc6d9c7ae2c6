"""How the NAS is doing: one picture of all machines, and why it is not better."""

from __future__ import annotations

import html
from collections.abc import Iterator

import attrs

from clusternas.drbd.status import DiskState, PeerVolume, ResourceStatus, Role
from clusternas.nas.actual import NasState, NodeState
from clusternas.nas.cluster import NasCluster
from clusternas.nas.units import file_service, units

__all__ = ["NasStatus", "NodeStatus", "Trouble", "status"]


@attrs.frozen
class Trouble:
    """One reason why the NAS is not well.

    Attributes:
        node: where.
        what: is wrong.
        do: about it.
    """

    node: str
    what: str
    do: str


@attrs.frozen(kw_only=True)
class NodeStatus:
    """A machine in a few words, layer by layer.

    Attributes:
        name: of the node.
        replication: of each resource, `r0 Primary UpToDate`.
        cluster: `quorate 2/2`.
        volumes: that are open here.
        mounts: the shared file systems that are mounted here.
        serving: what serves clients here.
        shares: that are served.
        clients: how many sessions they have here.
        names: the addresses that named here gives for the name of the NAS.
    """

    name: str
    replication: str = ""
    cluster: str = ""
    volumes: str = ""
    mounts: str = ""
    serving: str = ""
    shares: str = ""
    clients: str = ""
    names: str = ""


@attrs.frozen(kw_only=True)
class NasStatus:
    """The state of a whole NAS.

    Attributes:
        name: of the cluster.
        nodes: each machine.
        troubles: why it is not well; empty when it is.
    """

    name: str
    nodes: tuple[NodeStatus, ...]
    troubles: tuple[Trouble, ...] = ()

    @property
    def healthy(self) -> bool:
        """Whether every node has everything it should, and all data is current on all."""
        return not self.troubles

    def record(self) -> dict[str, object]:
        """It as plain data."""
        return {
            "name": self.name,
            "healthy": self.healthy,
            "nodes": [attrs.asdict(each) for each in self.nodes],
            "troubles": [attrs.asdict(each) for each in self.troubles],
        }

    def __str__(self) -> str:
        heads = [field.name for field in attrs.fields(NodeStatus)]
        rows = [[str(getattr(node, head)) or "-" for head in heads] for node in self.nodes]
        widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
        lines = [f"{self.name}: {'healthy' if self.healthy else 'not healthy'}"]
        for row in (["node", *heads[1:]], *rows):
            cells = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
            lines.append("  ".join(cells).rstrip())
        lines += [f"! {each.node}: {each.what}\n    {each.do}" for each in self.troubles]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"


def status(nas: NasCluster, state: NasState) -> NasStatus:
    """The status of a NAS; see `NasCluster.status`."""
    found = [state[node.name] for node in nas.nodes]
    troubles = [each for node in found for each in _troubles(nas, node)]
    return NasStatus(
        name=nas.name, nodes=tuple(_node(nas, node) for node in found), troubles=tuple(troubles)
    )


def _node(nas: NasCluster, node: NodeState) -> NodeStatus:
    if not node.reachable:
        return NodeStatus(name=node.name, cluster="unreachable")
    active = [f"{each.vg}/{each.name}" for each in node.logical_volumes if each.active]
    quorum = "quorate" if node.quorate else "not quorate"
    return NodeStatus(
        name=node.name,
        replication=", ".join(map(_resource, node.drbd.values())),
        cluster=f"{quorum} {len(node.members)}/{len(nas.nodes)}"
        if nas.cman or nas.corosync
        else "",
        volumes=", ".join(active),
        mounts=", ".join(each.target for each in node.mounts if each.fstype == "gfs2"),
        serving=", ".join(unit for unit in units(nas) if unit in node.running),
        shares=", ".join(nas.samba.shares.keys()) if nas.samba and _serves(nas, node) else "",
        clients=_clients(node),
        names=", ".join(sorted(node.answers or ())),
    )


def _serves(nas: NasCluster, node: NodeState) -> bool:
    return file_service(nas) in node.running


def _clients(node: NodeState) -> str:
    """How many sessions there are here; in a cluster Samba tells those of all nodes."""
    if node.samba is None:
        return ""
    here = node.ctdb.this.pnn if node.ctdb is not None and node.ctdb.this is not None else None
    return str(sum(each.process.node in (None, here) for each in node.samba.sessions))


def _resource(status: ResourceStatus) -> str:
    states = "/".join(each.disk_state.value for each in status.volumes.values())
    sync = next((each.sync for each in _links(status) if each.sync), None)
    done = f" {sync}" if sync is not None and sync.percent is not None else ""
    return f"{status.name} {status.role.value} {states}{done}"


def _links(status: ResourceStatus) -> Iterator[PeerVolume]:
    for peer in status.peers.values():
        yield from peer.volumes.values()


def _troubles(nas: NasCluster, node: NodeState) -> Iterator[Trouble]:
    if not node.reachable:
        yield Trouble(
            node.name, "does not answer", f"look at the machine: {node.error.splitlines()[0]}"
        )
        return
    for name in node.forgotten.keys() & node.drbd.keys():
        yield Trouble(
            node.name,
            f"{name} is up, and is described no more",
            f"stop what uses it, then drbdadm down {name}, plan and apply; or describe it again",
        )
    for resource in nas.resources:
        yield from _replication(node.name, resource.name, node.drbd.get(resource.name))
    if (nas.cman or nas.corosync) and not node.quorate:
        yield Trouble(
            node.name, "is in no quorate cluster", "start the cluster manager on all nodes"
        )
    for lockspace in node.lockspaces.values():
        if lockspace.waiting:
            yield Trouble(
                node.name,
                f"lock space {lockspace.name} is stopped: {lockspace.waiting}",
                "a node waits to be fenced: mend the fence agent, or cut its power and say so: "
                "clusternas acknowledge",
            )
    if node.hung:
        yield Trouble(
            node.name,
            f"{node.hung[0]} did not end: a disk or a lock lets nobody in",
            "mend what else stands here; what hangs goes on by itself then",
        )
    yield from _missing(nas, node)
    wanted = frozenset(nas.cluster_name.addresses) if nas.cluster_name is not None else None
    if node.answers is not None and wanted is not None and node.answers != wanted:
        told = ", ".join(sorted(node.answers)) or "nothing"
        yield Trouble(node.name, f"named answers {told} for the NAS", "plan and apply")


def _replication(node: str, name: str, status: ResourceStatus | None) -> Iterator[Trouble]:
    if status is None:
        yield Trouble(node, f"{name} is down", "plan and apply")
        return
    if status.split_brain:
        alone = status.written_alone
        wrote = "" if alone is None else f", {alone} KiB written alone"
        yield Trouble(
            node,
            f"{name} is StandAlone: perhaps a split brain{wrote}",
            f"choose whose changes are lost: clusternas recover SPEC {name} --victim NODE",
        )
    elif not status.peers or not all(peer.connected for peer in status.peers.values()):
        yield Trouble(node, f"{name} has no link to its peer", "look at the network and the peer")
    if status.suspended:
        yield Trouble(
            node,
            f"I/O on {name} waits: {', '.join(status.suspended)}",
            "its peer could not be fenced: let it come back, or cut its power and say so: "
            "clusternas acknowledge"
            if "fencing" in status.suspended
            else f"drbdadm resume-io {name}, or let its peer come back",
        )
    if status.diskless:
        yield Trouble(
            node, f"{name} has lost its disk", f"clusternas replace-disk SPEC {name} {node}"
        )
    elif any(each.disk_state is not DiskState.UP_TO_DATE for each in status.volumes.values()):
        yield Trouble(node, f"{name} has no current data yet", "wait for the sync to end")
    if status.role is not Role.PRIMARY:
        yield Trouble(node, f"{name} is not primary", "plan and apply")


def _missing(nas: NasCluster, node: NodeState) -> Iterator[Trouble]:
    for fs in nas.filesystems:
        if node.mounted(fs.mount_point) is None:
            yield Trouble(node.name, f"{fs.mount_point} is not mounted", "plan and apply")
        if fs.lock_table in node.withdrawn:
            yield Trouble(
                node.name,
                f"GFS2 has withdrawn from {fs.mount_point}: it found the disk inconsistent",
                "restart the machine: what has withdrawn cannot be unmounted; then plan and apply",
            )
    for unit in units(nas):
        if unit not in node.running:
            yield Trouble(node.name, f"{unit} does not run", "plan and apply")
    if node.ctdb is not None and node.ctdb.this is not None and not node.ctdb.this.ok:
        flags = ", ".join(sorted(node.ctdb.this.flags))
        yield Trouble(node.name, f"CTDB is {flags}", "ctdb scriptstatus says why")
