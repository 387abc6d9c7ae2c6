"""Which files a plan reads and may write."""

from __future__ import annotations

from clusternas.nas.cluster import NasCluster

__all__ = ["NAMED_CONF", "paths"]

NAMED_CONF = {"systemd": "/etc/bind/named.conf.local", "sysv": "/etc/named.conf"}
"""Where named is told of its zones."""


def paths(nas: NasCluster, node: str) -> list[str]:
    """The files of a node: its own, and the one that tells named of the zones."""
    extra = [NAMED_CONF[nas.toolset.init]] if nas.zones else []
    return [*nas.files(node), *extra]
