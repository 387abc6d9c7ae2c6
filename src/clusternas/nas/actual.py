"""What is on the machines now: one pass of reading commands, two or three calls a node."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, TypeVar

import attrs

from clusternas.cman import commands as cman
from clusternas.cman.status import CmanNode
from clusternas.core import services
from clusternas.core.batch import LATE, batch
from clusternas.core.command import Command, Output, Runner
from clusternas.core.errors import ClusterNasError, CommandError
from clusternas.core.files import FileContent, read_files, stat_file
from clusternas.core.services import ServiceState
from clusternas.corosync import commands as corosync
from clusternas.corosync.status import Lockspace
from clusternas.ctdb import commands as ctdb
from clusternas.ctdb.status import CtdbStatus
from clusternas.dns import commands as dns
from clusternas.drbd import queries as drbd_queries
from clusternas.drbd.layout import seats, stored
from clusternas.drbd.model import DrbdResource
from clusternas.drbd.status import DiskState, DrbdStatus, ResourceStatus
from clusternas.fstab import commands as fstab
from clusternas.fstab.status import Mount
from clusternas.gfs2 import commands as gfs2
from clusternas.gfs2.status import WITHDRAWN, OnDisk, Signature, withdrawn
from clusternas.lvm import commands as lvm
from clusternas.lvm.status import LogicalVolume, PhysicalVolume, VolumeGroup
from clusternas.nas.cluster import NasCluster
from clusternas.nas.units import own, rivals, units
from clusternas.nas.wanted import folders, forgotten, noted, paths
from clusternas.samba import commands as samba
from clusternas.samba.status import SmbStatus

__all__ = ["NasState", "NodeState", "backing_disks", "gather"]

T = TypeVar("T")

LIMIT = 30.0
"""Seconds after which a question counts as hung: somebody waits for the answers."""
DRBD_KINDS = frozenset({"drbd", "DRBD"})
"""What libblkid calls the meta data of DRBD."""
STATUS = str(drbd_queries.status())


@attrs.frozen(kw_only=True)
class NodeState:
    """A machine as it was found.

    What could not be read, since the tool does not run or is not installed, is None or empty, and
    says why in `failures`.

    Attributes:
        name: of the node.
        error: why it did not answer at all; empty if it did.
        files: the files that are wanted, by path; None for one that does not exist.
        drbd: the resources that are up, by name.
        metadata: whether there is meta data of DRBD for a resource, by name.
        forgotten: files of resources that were described and are no more, by name.
        disk_states: of the volumes of a resource here, by name; of one that is down, as its meta
            data says.
        signatures: what stands on devices that may have to be initialised, by path.
        members: names of the members of the cluster, as this node sees them.
        quorate: whether this node may act.
        two_node: whether cman runs here so that one vote of two is a quorum.
        lockspaces: of the lock manager, by name.
        physical_volumes, volume_groups, logical_volumes: as LVM reports them.
        filesystems: what GFS2 is on a device, by path.
        mounts: what is mounted.
        withdrawn: lock tables of the GFS2 that has withdrawn here: it is mounted, but nothing works
            any more, since it found the disk inconsistent.
        running: the services that run; no Samba of a CTDB that is not wanted.
        enabled: the services that start at boot.
        ctdb: the state of CTDB.
        samba: the clients, as Samba reports them; in a cluster those of all nodes.
        answers: the addresses that named here gives for the name of the NAS.
        pending: what must still be told that its file has changed; see `nas.reloads`.
        folders: whether a folder that is to be served is there, by path.
        failures: why a command gave nothing, by what it was for.
        hung: what did not end in time: a disk or a lock lets nobody in, so what is missing here may
            well be there.
    """

    name: str
    error: str = ""
    files: Mapping[str, FileContent | None] = attrs.field(factory=dict, repr=False)
    drbd: Mapping[str, ResourceStatus] = attrs.field(factory=dict)
    metadata: Mapping[str, bool] = attrs.field(factory=dict)
    forgotten: Mapping[str, str] = attrs.field(factory=dict)
    disk_states: Mapping[str, tuple[DiskState, ...]] = attrs.field(factory=dict)
    signatures: Mapping[str, tuple[Signature, ...] | None] = attrs.field(factory=dict)
    members: frozenset[str] = frozenset()
    quorate: bool = False
    two_node: bool = False
    lockspaces: Mapping[str, Lockspace] = attrs.field(factory=dict)
    physical_volumes: tuple[PhysicalVolume, ...] = ()
    volume_groups: tuple[VolumeGroup, ...] = ()
    logical_volumes: tuple[LogicalVolume, ...] = ()
    filesystems: Mapping[str, OnDisk] = attrs.field(factory=dict)
    mounts: tuple[Mount, ...] = ()
    withdrawn: frozenset[str] = frozenset()
    running: frozenset[str] = frozenset()
    enabled: frozenset[str] = frozenset()
    ctdb: CtdbStatus | None = None
    samba: SmbStatus | None = None
    answers: frozenset[str] | None = None
    pending: frozenset[str] = frozenset()
    folders: Mapping[str, bool] = attrs.field(factory=dict)
    failures: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    hung: tuple[str, ...] = ()

    @property
    def reachable(self) -> bool:
        """Whether it answered."""
        return not self.error

    def may_be_up(self, resource: str) -> bool:
        """Whether a resource of DRBD is up here, or nobody can tell."""
        return resource in self.drbd or STATUS in self.failures

    def mounted(self, mount_point: str) -> Mount | None:
        """What is mounted at a place."""
        return next((each for each in self.mounts if each.target == mount_point), None)


@attrs.frozen(kw_only=True)
class NasState:
    """All machines as they were found, by name."""

    nodes: Mapping[str, NodeState]

    def __getitem__(self, name: str) -> NodeState:
        return self.nodes[name]

    @property
    def unreachable(self) -> tuple[str, ...]:
        """The nodes that did not answer."""
        return tuple(name for name, node in self.nodes.items() if not node.reachable)


def gather(nas: NasCluster, nodes: Mapping[str, Runner]) -> NasState:
    """The state of every node of a NAS; see `NasCluster.gather`."""
    names = [node.name for node in nas.nodes]
    with ThreadPoolExecutor(max(len(names), 1), "clusternas-gather") as pool:
        found = pool.map(lambda name: gather_node(nas, name, nodes[name]), names)
        return NasState(nodes=dict(zip(names, found, strict=True)))


def gather_node(nas: NasCluster, name: str, runner: Runner) -> NodeState:
    """The state of one node: one call for its files, one for everything else.

    A third one reads files that were wanted once and are no more.
    """
    try:
        files = runner.run(read_files(paths(nas, name), [WITHDRAWN])).value
        if gone := forgotten(nas, name, files):
            files = {**files, **runner.run(read_files(gone.values())).value}
        probes = _Probes(nas, asks_drbd=bool(nas.resources or gone))
        outputs = runner.run(batch(probes.commands, limit=LIMIT)).value
    except CommandError as error:
        return NodeState(name=name, error=str(error))
    probes.outputs = outputs
    return NodeState(
        name=name,
        files=files,
        forgotten={key: path for key, path in gone.items() if files[path] is not None},
        pending=noted(files),
        withdrawn=withdrawn(files),
        **probes.values(name),
    )


class _Probes:
    """The commands that tell what is on a node, and how their answers become its state."""

    def __init__(self, nas: NasCluster, *, asks_drbd: bool) -> None:
        self.nas = nas
        self.commands: list[Command[Any]] = []
        self.outputs: tuple[Output, ...] = ()
        self.failures: dict[str, str] = {}
        self._ask(nas, asks_drbd)

    def _ask(self, nas: NasCluster, asks_drbd: bool) -> None:
        tools = nas.toolset
        self.drbd = self._add(drbd_queries.status(toolset=tools)) if asks_drbd else None
        self.counters = (
            self._add(drbd_queries.counters(_minors(nas), toolset=tools)) if nas.resources else None
        )
        self.disk_states = {
            each.name: self._add(drbd_queries.dstate(each.name)) for each in nas.resources
        }
        disks = {
            disk
            for each in nas.resources
            for host in each.host_names()
            for disk in (*backing_disks(each, host), *meta_disks(each, host))
        }
        devices = disks | {pv for vg in nas.volume_groups for pv in vg.pvs}
        devices |= {fs.device for fs in nas.filesystems}
        self.signatures = {path: self._add(gfs2.signatures(path)) for path in sorted(devices)}
        self.quorum = self._add(corosync.quorum_status()) if nas.corosync else None
        self.lockspaces = self._add(corosync.lockspaces()) if nas.corosync else None
        self.cman = self._add(cman.status()) if nas.cman else None
        self.cman_nodes = self._add(cman.nodes()) if nas.cman else None
        asks_lvm = bool(nas.volume_groups)
        self.pvs = self._add(lvm.pvs(toolset=tools)) if asks_lvm else None
        self.vgs = self._add(lvm.vgs(toolset=tools)) if asks_lvm else None
        self.lvs = self._add(lvm.lvs(toolset=tools)) if asks_lvm else None
        self.filesystems = {fs.device: self._add(gfs2.inspect(fs.device)) for fs in nas.filesystems}
        self.mounts = self._add(fstab.mounts())
        self.ctdb = self._add(ctdb.status()) if nas.ctdb else None
        self.samba = self._add(samba.smbstatus(tools)) if nas.samba else None
        self.answers = [
            self._add(dns.dig_short(name, kind, server="127.0.0.1"))
            for name, kind in asked_names(nas)
        ]
        self.folders = {path: self._add(stat_file(path)) for path in folders(nas)}
        self._ask_services((*units(nas), *rivals(nas)), tools.init)

    def _ask_services(self, names: tuple[str, ...], init: str) -> None:
        """systemd tells of all units at once; an init script has to be asked twice."""
        scripts = names if init == "sysv" else ()
        self.units = self._add(services.states(*names)) if names and not scripts else None
        self.scripts = {name: self._add(services.is_active(name, init)) for name in scripts}
        self.levels = {name: self._add(services.run_levels(name)) for name in scripts}

    def _add(self, command: Command[T]) -> _Asked[T]:
        self.commands.append(command)
        return _Asked(self, command, len(self.commands) - 1)

    def values(self, name: str) -> dict[str, Any]:
        """The fields of the node's state."""
        running, enabled = self._services()
        status = self._resources(name)
        return {
            "drbd": status,
            "metadata": self._metadata(name),
            "disk_states": {
                key: tuple(states[0] for states in asked.value or () if states)
                for key, asked in self.disk_states.items()
            },
            "signatures": {key: asked.value for key, asked in self.signatures.items()},
            **self._membership(),
            "lockspaces": _or(self.lockspaces, {}),
            "physical_volumes": _or(self.pvs, ()),
            "volume_groups": _or(self.vgs, ()),
            "logical_volumes": _or(self.lvs, ()),
            "filesystems": {
                key: asked.value for key, asked in self.filesystems.items() if asked.value
            },
            "mounts": _or(self.mounts, ()),
            "ctdb": self.ctdb.value if self.ctdb else None,
            "samba": self.samba.value if self.samba else None,
            "answers": self._addresses(),
            "folders": {path: asked.value is not None for path, asked in self.folders.items()},
            "running": running,
            "enabled": enabled,
            "failures": self.failures,
            "hung": tuple(
                str(command)
                for command, output in zip(self.commands, self.outputs, strict=True)
                if output.exit_code == LATE
            ),
        }

    def _metadata(self, name: str) -> dict[str, bool]:
        """DRBD's own signature tells whether a disk, or its external meta disk, has meta data."""
        found: dict[str, bool] = {}
        for resource in self.nas.resources:
            places = meta_disks(resource, name)
            kinds = {each.kind for path in places for each in self.signatures[path].value or ()}
            found[resource.name] = bool(kinds & DRBD_KINDS)
        return found

    def _resources(self, name: str) -> dict[str, ResourceStatus]:
        found: DrbdStatus = _or(self.drbd, DrbdStatus())
        counters: DrbdStatus = _or(self.counters, DrbdStatus())
        hosts = {each.name: each.host_names() for each in self.nas.resources}
        return {
            key: each.counted(counters.get(key, each)).named(hosts.get(key, ()), name)
            for key, each in found.items()
        }

    def _membership(self) -> dict[str, object]:
        if self.nas.cman is not None:
            told = self.cman.value if self.cman else None
            nodes: tuple[CmanNode, ...] = _or(self.cman_nodes, ())
            members = frozenset(each.name for each in nodes if each.membership.value == "M")
            return {
                "members": members,
                "quorate": bool(told and told.quorate),
                "two_node": bool(told and told.two_node),
            }
        quorum = self.quorum.value if self.quorum else None
        if quorum is None or self.nas.corosync is None:
            return {}
        names = {node.nodeid: node.label for node in self.nas.corosync.nodes}
        members = frozenset(names.get(key, str(key)) for key in quorum.members)
        return {"members": members, "quorate": quorum.quorate}

    def _addresses(self) -> frozenset[str] | None:
        """What named gives out; None where it does not answer."""
        told = [asked.value for asked in self.answers]
        if not told or None in told:
            return None
        return frozenset(address for each in told for address in each or ())

    def _services(self) -> tuple[frozenset[str], frozenset[str]]:
        # In the order asked: a unit answers with the name of its file, not with an alias.
        states: tuple[ServiceState, ...] = _or(self.units, ())
        told = list(zip((*units(self.nas), *rivals(self.nas)), states, strict=False))
        running = {name for name, each in told if each.is_active}
        enabled = {name for name, each in told if each.enabled == "enabled"}
        running |= {name for name, asked in self.scripts.items() if asked.value}
        enabled |= {
            name for name, asked in self.levels.items() if asked.value and asked.value.is_enabled
        }
        return own(self.nas, frozenset(running)), frozenset(enabled)


@attrs.frozen
class _Asked(Generic[T]):
    """A command of the pass, and its answer once there is one."""

    probes: _Probes
    command: Command[T]
    index: int

    @property
    def value(self) -> T | None:
        """The typed answer, or None with the reason among the failures."""
        try:
            return self.command.result(self.probes.outputs[self.index]).value
        except ClusterNasError as error:
            self.probes.failures[str(self.command)] = error.message
            return None


def _or(asked: _Asked[T] | None, default: T) -> T:
    value = None if asked is None else asked.value
    return default if value is None else value


def asked_names(nas: NasCluster) -> list[tuple[str, str]]:
    """The name of the NAS, whole, with each type of address that it has."""
    robin = nas.cluster_name
    if robin is None or robin.zone is None or not nas.zones:
        return []
    kinds = dict.fromkeys("AAAA" if ":" in each else "A" for each in robin.addresses)
    return [(robin.zone.absolute(robin.name).rstrip("."), kind) for kind in kinds]


def _minors(nas: NasCluster) -> tuple[tuple[int, str, int], ...]:
    """Minor number, resource and volume number of every device: /proc/drbd has no names."""
    return tuple(
        dict.fromkeys(
            (seat.minor, resource.name, seat.number)
            for resource in nas.resources
            for host in resource.hosts
            for seat in seats(resource, host)
            if seat.minor is not None
        )
    )


def backing_disks(resource: DrbdResource, host: str) -> list[str]:
    """The disks below a resource on a host."""
    return [seat.backing for seat in stored(resource, host)]


def meta_disks(resource: DrbdResource, host: str) -> list[str]:
    """Where a resource keeps its meta data on a host: the disks themselves where it is internal."""
    return [
        seat.backing
        if seat.meta_disk is None or seat.meta_disk.value == "internal"
        else seat.meta_disk.value.partition("[")[0]
        for seat in stored(resource, host)
    ]
