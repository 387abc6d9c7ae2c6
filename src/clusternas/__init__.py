"""The typed, lossless, safe library for a clustered NAS.

Everything public is here; each name is imported when it is first used, so that `import clusternas`
costs next to nothing.

Example:
    >>> from clusternas import DrbdResource
    >>> DrbdResource.parse("resource r0 { net { protocol C; } }").net.protocol
    'C'
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clusternas.cman.model import CmanCluster
    from clusternas.core.command import Command, Effect, Output, Result, Runner, Secret
    from clusternas.core.diagnostics import Diagnostic, Severity
    from clusternas.core.errors import (
        ClusterNasError,
        CommandError,
        CommandFailed,
        CommandNotFound,
        CommandTimeout,
        ConfigError,
        Drift,
        NodesError,
        ParseError,
        PlanError,
        Refused,
        Unreachable,
        UnsupportedError,
        ValidationError,
    )
    from clusternas.core.keyed import Keyed, keyed
    from clusternas.core.model import Model
    from clusternas.core.syntax.tree import Statement
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
    from clusternas.lvm.group import ClvmLogicalVolume, ClvmVolumeGroup
    from clusternas.lvm.model import LvmConf
    from clusternas.nas.cluster import NasCluster, NasNode
    from clusternas.nas.plan import Plan, Step
    from clusternas.runners.local import Local
    from clusternas.runners.nodes import Nodes, Results
    from clusternas.runners.ssh import Ssh
    from clusternas.runners.wrap import DryRun, Recording, Replay, Sudo
    from clusternas.samba.model import SambaShare, SmbConf

_HOMES = {
    "cman.model": ("CmanCluster",),
    "core.command": ("Command", "Effect", "Output", "Result", "Runner", "Secret"),
    "core.diagnostics": ("Diagnostic", "Severity"),
    "core.errors": (
        "ClusterNasError",
        "CommandError",
        "CommandFailed",
        "CommandNotFound",
        "CommandTimeout",
        "ConfigError",
        "Drift",
        "NodesError",
        "ParseError",
        "PlanError",
        "Refused",
        "Unreachable",
        "UnsupportedError",
        "ValidationError",
    ),
    "core.keyed": ("Keyed", "keyed"),
    "core.model": ("Model",),
    "core.syntax.tree": ("Statement",),
    "core.versions": ("Toolset",),
    "corosync.dlm": ("DlmConf",),
    "corosync.model": ("CorosyncCluster",),
    "ctdb.model": ("CtdbConfig",),
    "dns.model": ("ZoneFile",),
    "dns.roundrobin": ("DnsRoundRobin",),
    "drbd.model": ("DrbdConfig", "DrbdResource"),
    "fstab.model": ("Fstab", "FstabEntry"),
    "gfs2.model": ("Gfs2Filesystem",),
    "lvm.clvmd": ("ClvmdSysconfig",),
    "lvm.group": ("ClvmLogicalVolume", "ClvmVolumeGroup"),
    "lvm.model": ("LvmConf",),
    "nas.cluster": ("NasCluster", "NasNode"),
    "nas.plan": ("Plan", "Step"),
    "runners.local": ("Local",),
    "runners.nodes": ("Nodes", "Results"),
    "runners.ssh": ("Ssh",),
    "runners.wrap": ("DryRun", "Recording", "Replay", "Sudo"),
    "samba.model": ("SambaShare", "SmbConf"),
}
_MODULES = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "ClusterNasError",
    "ClvmLogicalVolume",
    "ClvmVolumeGroup",
    "ClvmdSysconfig",
    "CmanCluster",
    "Command",
    "CommandError",
    "CommandFailed",
    "CommandNotFound",
    "CommandTimeout",
    "ConfigError",
    "CorosyncCluster",
    "CtdbConfig",
    "Diagnostic",
    "DlmConf",
    "DnsRoundRobin",
    "DrbdConfig",
    "DrbdResource",
    "Drift",
    "DryRun",
    "Effect",
    "Fstab",
    "FstabEntry",
    "Gfs2Filesystem",
    "Keyed",
    "Local",
    "LvmConf",
    "Model",
    "NasCluster",
    "NasNode",
    "Nodes",
    "NodesError",
    "Output",
    "ParseError",
    "Plan",
    "PlanError",
    "Recording",
    "Refused",
    "Replay",
    "Result",
    "Results",
    "Runner",
    "SambaShare",
    "Secret",
    "Severity",
    "SmbConf",
    "Ssh",
    "Statement",
    "Step",
    "Sudo",
    "Toolset",
    "Unreachable",
    "UnsupportedError",
    "ValidationError",
    "ZoneFile",
    "keyed",
]


def __getattr__(name: str) -> object:
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module 'clusternas' has no attribute {name!r}")
    value: object = getattr(importlib.import_module(f"clusternas.{module}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
