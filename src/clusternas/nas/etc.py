"""Reading the NAS from the files of its machines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import attrs

from clusternas.cman.model import CmanCluster
from clusternas.core.errors import ParseError
from clusternas.core.model import Model, read_bytes
from clusternas.core.text import decode
from clusternas.core.versions import Toolset
from clusternas.corosync.dlm import DlmConf
from clusternas.corosync.model import CorosyncCluster
from clusternas.ctdb.model import CtdbConfig
from clusternas.dns.model import ZoneFile
from clusternas.dns.roundrobin import DnsRoundRobin
from clusternas.drbd.model import DrbdConfig, DrbdResource
from clusternas.fstab.model import Fstab
from clusternas.lvm.clvmd import ClvmdSysconfig
from clusternas.lvm.model import LvmConf
from clusternas.nas.boot import InitScript, read_header
from clusternas.nas.cluster import NasCluster, NasNode
from clusternas.nas.files import FILES
from clusternas.samba.model import SmbConf

__all__ = ["from_etc"]

M = TypeVar("M", bound=Model)

SCRIPTS = ("init.d", "rc.d/init.d")


def from_etc(path: Path) -> NasCluster:
    """The NAS whose files stand below a folder; see `NasCluster.from_etc`."""
    folders = {
        each.name: each / "etc" for each in sorted(path.glob("*")) if (each / "etc").is_dir()
    }
    if folders:
        nodes = [_read_node(name, etc) for name, etc in folders.items()]
        return _describe(nodes, [node.name for node in nodes])
    node = _read_node("", path)
    if not node.files:
        raise ParseError(
            f"{path}: no file of a tool we know is below it",
            hint=f"it should hold {', '.join(list(FILES)[:4])}, …, or a folder for every node",
            path=str(path),
        )
    nas = _describe([node], [])
    names = _names(nas) or ["localhost"]
    return attrs.evolve(nas, nodes=[attrs.evolve(node, name=name) for name in names])


def _read_node(name: str, etc: Path) -> NasNode:
    """What stands in one /etc."""
    files: dict[str, Model] = {}
    for pattern, model in FILES.items():
        for path in sorted(etc.glob(pattern)):
            files[f"/etc/{path.relative_to(etc).as_posix()}"] = model.read(path)
    scripts = {each.name: each for folder in SCRIPTS for each in _scripts(etc / folder)}
    return NasNode(name=name, files=files, scripts=scripts)


def _scripts(folder: Path) -> Iterator[InitScript]:
    for path in sorted(folder.glob("*")) if folder.is_dir() else ():
        script = read_header(path.name, decode(read_bytes(path)), str(path))
        if script is not None:
            yield script


def _describe(nodes: Iterable[NasNode], names: Iterable[str]) -> NasCluster:
    """The NAS as the files of its first node describe it."""
    nodes = list(nodes)
    files = nodes[0].files
    cman, corosync = _one(files.values(), CmanCluster), _one(files.values(), CorosyncCluster)
    zones = {path: each for path, each in files.items() if isinstance(each, ZoneFile)}
    return NasCluster(
        name=_cluster_name(cman, corosync),
        nodes=nodes,
        toolset=Toolset.EL6 if cman is not None else Toolset.UNKNOWN,
        drbd=next((each for each in _all(files.values(), DrbdConfig) if each.common), None),
        resources=resources(files.values()),
        cman=cman,
        corosync=corosync,
        dlm=_one(files.values(), DlmConf),
        lvm=_one(files.values(), LvmConf),
        clvmd=_one(files.values(), ClvmdSysconfig),
        fstab=_one(files.values(), Fstab),
        samba=_one(files.values(), SmbConf),
        ctdb=_one(files.values(), CtdbConfig),
        zones=zones,
        cluster_name=_round_robin(zones.values()),
    )


def _cluster_name(cman: CmanCluster | None, corosync: CorosyncCluster | None) -> str:
    if cman is not None:
        return cman.name
    return corosync.name if corosync is not None else ""


def _names(nas: NasCluster) -> list[str]:
    """The nodes that the files name."""
    if nas.cman is not None:
        return nas.cman.nodes.keys()
    if nas.corosync is not None:
        return [node.label for node in nas.corosync.nodes]
    return list(dict.fromkeys(name for each in nas.resources for name in each.host_names()))


def _all(files: Iterable[Model], model: type[M]) -> Iterator[M]:
    return (each for each in files if isinstance(each, model))


def _one(files: Iterable[Model], model: type[M]) -> M | None:
    return next(_all(files, model), None)


def resources(files: Iterable[Model]) -> list[DrbdResource]:
    """The DRBD resources of some files, in their order."""
    return [resource for each in _all(files, DrbdConfig) for resource in each.resources]


def _round_robin(zones: Iterable[ZoneFile]) -> DnsRoundRobin | None:
    """The one name with several addresses, if there is one."""
    for zone in zones:
        try:
            return DnsRoundRobin.of(zone)
        except ParseError:
            continue
    return None
