"""Which file holds what: the models by the paths of their files."""

from __future__ import annotations

import fnmatch
from pathlib import PurePosixPath

from clusternas.cman.model import CmanCluster
from clusternas.core.errors import ValidationError
from clusternas.core.model import Model
from clusternas.corosync.dlm import DlmConf
from clusternas.corosync.model import CorosyncCluster
from clusternas.ctdb.model import CtdbConfig
from clusternas.ctdb.tables import (
    CtdbNodes,
    CtdbPublicAddresses,
    CtdbScriptOptions,
    CtdbTunables,
)
from clusternas.dns.model import ZoneFile
from clusternas.drbd.model import DrbdConfig
from clusternas.fstab.model import Fstab
from clusternas.lvm.clvmd import ClvmdSysconfig
from clusternas.lvm.model import LvmConf
from clusternas.samba.model import SmbConf

__all__ = ["FILES", "model_for"]

FILES: dict[str, type[Model]] = {
    "drbd.conf": DrbdConfig,
    "drbd.d/*.conf": DrbdConfig,
    "drbd.d/*.res": DrbdConfig,
    "cluster/cluster.conf": CmanCluster,
    "corosync/corosync.conf": CorosyncCluster,
    "dlm/dlm.conf": DlmConf,
    "lvm/lvm.conf": LvmConf,
    "lvm/lvmlocal.conf": LvmConf,
    "sysconfig/clvmd": ClvmdSysconfig,
    "fstab": Fstab,
    "samba/smb.conf": SmbConf,
    "ctdb/ctdb.conf": CtdbConfig,
    "bind/db.*": ZoneFile,
    "named/*.zone": ZoneFile,
}
"""Patterns below /etc, and what the files are read as; ctdb.conf brings those beside it."""

NAMES: dict[str, type[Model]] = {
    "*.res": DrbdConfig,
    "*.zone": ZoneFile,
    "db.*": ZoneFile,
    "fstab*": Fstab,
    "clvmd*": ClvmdSysconfig,
    "smb*.conf": SmbConf,
    "drbd*.conf": DrbdConfig,
    "global_common.conf": DrbdConfig,
    "cluster*.conf": CmanCluster,
    "corosync*.conf": CorosyncCluster,
    "dlm*.conf": DlmConf,
    "lvm*.conf": LvmConf,
    "ctdb*.conf": CtdbConfig,
    "nodes": CtdbNodes,
    "public_addresses": CtdbPublicAddresses,
    "ctdb.tunables": CtdbTunables,
    "script.options": CtdbScriptOptions,
}
"""Patterns of file names anywhere, tried in this order."""


def model_for(path: str) -> type[Model]:
    """What a file is read as, by its name.

    Raises:
        ValidationError: no tool has a file of that name.

    Example:
        >>> model_for("/etc/drbd.d/r0.res").__name__, model_for("smb.conf.new").__name__
        ('DrbdConfig', 'SmbConf')
    """
    name = PurePosixPath(path).name
    for pattern, model in NAMES.items():
        if fnmatch.fnmatchcase(name, pattern) or fnmatch.fnmatchcase(name, f"{pattern}.*"):
            return model
    raise ValidationError(
        f"{path}: which tool's file is that?", hint=f"its name must be like {', '.join(NAMES)}"
    )
