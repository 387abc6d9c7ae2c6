"""`NasCluster`: the whole NAS as one value."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from clusternas.cman.model import CmanCluster
from clusternas.core.command import Runner
from clusternas.core.errors import ValidationError
from clusternas.core.keyed import Keyed, keyed
from clusternas.core.model import Model
from clusternas.core.overlay import overlay
from clusternas.core.versions import Toolset
from clusternas.corosync.dlm import DlmConf
from clusternas.corosync.model import CorosyncCluster
from clusternas.ctdb.model import CtdbConfig
from clusternas.dns.model import ZoneFile
from clusternas.dns.roundrobin import DnsRoundRobin
from clusternas.drbd.model import DrbdConfig, DrbdResource
from clusternas.fstab.model import Fstab, FstabEntry
from clusternas.gfs2.model import Gfs2Filesystem
from clusternas.lvm.clvmd import ClvmdSysconfig
from clusternas.lvm.group import ClvmVolumeGroup
from clusternas.lvm.model import LvmConf
from clusternas.nas.boot import InitScript
from clusternas.samba.model import SmbConf

if TYPE_CHECKING:
    from clusternas.core.diagnostics import Diagnostic
    from clusternas.nas.actual import NasState
    from clusternas.nas.health import NasStatus
    from clusternas.nas.plan import Plan

__all__ = ["NasCluster", "NasNode"]


@attrs.frozen(kw_only=True)
class NasNode:
    """A machine of the NAS.

    Attributes:
        name: as `uname -n` says it, as DRBD and the cluster know it, and as DNS has it.
        address: in the private network: replication, membership, CTDB.
        public: what clients reach, like `192.168.1.21/24`; CTDB moves it when a node dies.
        interface: where the public address goes.
        number: in the cluster; 0 for its place among the nodes.
        files: what was read from it, by path; empty for a NAS that was described.
        scripts: its init scripts, by name, where they were read.
    """

    name: str
    address: str = ""
    public: str = ""
    interface: str = ""
    number: int = 0
    files: Mapping[str, Model] = attrs.field(factory=dict, repr=False)
    scripts: Mapping[str, InitScript] = attrs.field(factory=dict, repr=False)


def _nodes(items: Iterable[NasNode]) -> Keyed[NasNode]:
    return items if isinstance(items, Keyed) else Keyed(items, key=attrgetter("name"))


def _resources(items: Iterable[DrbdResource]) -> Keyed[DrbdResource]:
    return items if isinstance(items, Keyed) else Keyed(items, key=attrgetter("name"))


def _groups(items: Iterable[ClvmVolumeGroup]) -> Keyed[ClvmVolumeGroup]:
    return items if isinstance(items, Keyed) else Keyed(items, key=attrgetter("name"))


def _filesystems(items: Iterable[Gfs2Filesystem]) -> Keyed[Gfs2Filesystem]:
    return items if isinstance(items, Keyed) else Keyed(items, key=attrgetter("mount_point"))


@attrs.frozen(kw_only=True)
class NasCluster:
    """The machines, and what runs on them from the disks up to the name that clients use.

    Everything but the name and the nodes may be left out: what is not there is not checked, not
    planned and not touched.

    Attributes:
        name: of the cluster; GFS2 has it in its lock table.
        nodes: the machines, by name.
        toolset: the versions of their tools.
        drbd: what all resources share: /etc/drbd.d/global_common.conf.
        resources: the replicated devices, by name.
        cman: membership and fencing of 2010.
        corosync, dlm: membership and fencing today.
        lvm: what must be in lvm.conf.
        clvmd: /etc/sysconfig/clvmd, 2010.
        volume_groups: the shared groups, by name.
        filesystems: the shared file systems, by mount point.
        fstab: lines of /etc/fstab beside those of the file systems.
        samba: smb.conf.
        ctdb: ctdb.conf and the files beside it.
        zones: zone files, by path, on the nodes that serve the name.
        cluster_name: the name that clients use, and its addresses.
        services: what has to run on every node, in the order to start it.

    Example:
        >>> nas = NasCluster(name="NASCluster", nodes=[NasNode(name="nas01", address="10.0.0.1")])
        >>> nas.nodes["nas01"].address, nas.check()
        ('10.0.0.1', [])
    """

    name: str
    nodes: Keyed[NasNode] = attrs.field(converter=_nodes)
    toolset: Toolset = Toolset.DEBIAN12
    drbd: DrbdConfig | None = None
    resources: Keyed[DrbdResource] = attrs.field(default=_resources(()), converter=_resources)
    cman: CmanCluster | None = None
    corosync: CorosyncCluster | None = None
    dlm: DlmConf | None = None
    lvm: LvmConf | None = None
    clvmd: ClvmdSysconfig | None = None
    volume_groups: Keyed[ClvmVolumeGroup] = attrs.field(default=_groups(()), converter=_groups)
    filesystems: Keyed[Gfs2Filesystem] = attrs.field(
        default=_filesystems(()), converter=_filesystems
    )
    fstab: Fstab | None = None
    samba: SmbConf | None = None
    ctdb: CtdbConfig | None = None
    zones: Mapping[str, ZoneFile] = attrs.field(factory=dict)
    cluster_name: DnsRoundRobin | None = None
    services: tuple[str, ...] = attrs.field(default=(), converter=tuple)

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, without: Collection[str] = ()) -> NasCluster:
        """Read a description in TOML; docs/spec.md says what stands in it.

        Args:
            path: the file.
            without: names of nodes that are left out; the others keep their numbers.

        Raises:
            ParseError: it cannot be read, or is not TOML.
            ValidationError: something in it is unknown, missing or wrong; the message says where.
        """
        from clusternas.nas.spec import load

        return load(Path(path), without)

    @classmethod
    def from_etc(cls, path: str | os.PathLike[str]) -> NasCluster:
        """Read the files of machines.

        Args:
            path: an /etc, which then counts for every node it knows of; or a folder that holds a
                folder for every node, each with an `etc`.

        Raises:
            ParseError: there is nothing to read, or a file has no readable value in it.
        """
        from clusternas.nas.etc import from_etc

        return from_etc(Path(path))

    def others(self, node: str) -> list[str]:
        """The names of all nodes but one."""
        return [each.name for each in self.nodes if each.name != node]

    def files(self, node: str) -> dict[str, Model]:
        """The files of a node by path: as they were read from it, or as they are wanted.

        Raises:
            KeyError: there is no such node.
        """
        read = self.nodes[node].files
        if read:
            return dict(read)
        found: dict[str, Model] = {}
        wanted = {
            "/etc/drbd.d/global_common.conf": self.drbd,
            "/etc/cluster/cluster.conf": self.cman,
            "/etc/corosync/corosync.conf": self.corosync,
            "/etc/dlm/dlm.conf": self.dlm,
            "/etc/lvm/lvm.conf": self.lvm,
            "/etc/sysconfig/clvmd": self.clvmd,
            "/etc/fstab": self.mounts(),
            "/etc/samba/smb.conf": self.samba,
        }
        found |= {path: model for path, model in wanted.items() if model is not None}
        found |= {f"/etc/drbd.d/{each.name}.res": each for each in self.resources}
        if self.ctdb is not None:
            found |= self.ctdb.files("/etc/ctdb")
        found.update(self.zones)
        return found

    def mounts(self) -> Fstab | None:
        """The lines of /etc/fstab that are wanted: those given, and one for every file system."""
        rows = [FstabEntry(**each.fstab_row()) for each in self.filesystems]
        if not rows:
            return self.fstab
        wanted = Fstab(entries=keyed(*rows))
        return wanted if self.fstab is None else overlay(self.fstab, wanted)

    def render(self, toolset: Toolset | None = None) -> dict[str, dict[str, str]]:
        """The text of every file of every node: node, then path.

        Args:
            toolset: spell them for these tools; by default for those of the NAS.

        Raises:
            UnsupportedError: those tools cannot express something.
        """
        tools = toolset or self.toolset
        return {
            node.name: {path: model.render(tools) for path, model in self.files(node.name).items()}
            for node in self.nodes
        }

    def write_to(
        self, folder: str | os.PathLike[str], toolset: Toolset | None = None
    ) -> list[Path]:
        """Write every file of every node below a folder of this machine, one folder a node."""
        base = Path(folder)
        written = []
        for node, files in self.render(toolset).items():
            for path, text in files.items():
                target = base / node / path.lstrip("/")
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(text.encode("utf-8", "surrogateescape"))
                written.append(target)
        return written

    def check(self, toolset: Toolset | None = None) -> list[Diagnostic]:
        """What is wrong with it, within each file and between them."""
        from clusternas.nas.check import check

        return check(self, toolset or self.toolset)

    def gather(self, nodes: Mapping[str, Runner]) -> NasState:
        """What is on the machines now; nodes that do not answer are in it as such.

        Args:
            nodes: name to runner, for every node.
        """
        from clusternas.nas.actual import gather

        missing = [node.name for node in self.nodes if node.name not in nodes]
        if missing:
            raise ValidationError(
                f"no runner for {', '.join(missing)}", hint="give one for every node"
            )
        return gather(self, nodes)

    def plan(self, state: NasState) -> Plan:
        """What has to be done to make the machines what is described; nothing runs.

        Raises:
            PlanError: a node is down, or data stands in the way; the message says what.
        """
        from clusternas.nas.planner import plan

        return plan(self, state)

    def status(self, state: NasState) -> NasStatus:
        """How the NAS is doing, and why not better."""
        from clusternas.nas.health import status

        return status(self, state)

    def _repr_html_(self) -> str:
        from clusternas.display import topology

        return topology(self)
