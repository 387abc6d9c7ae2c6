"""The tools of a fake node, one module each, and what joins them."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import TYPE_CHECKING

from clusternas.core.command import Output
from clusternas.testing.blocks import Device
from clusternas.testing.shell import Exit, said
from clusternas.testing.tools import (
    blockdev,
    cman,
    corosync,
    ctdb,
    ctdbd,
    dig,
    dlm,
    dns,
    drbd,
    fencing,
    firewall,
    gfs2,
    lsblk,
    lvm,
    membership,
    misc,
    mount,
    netconf,
    power,
    samba,
    scripts,
    services,
    smbstatus,
    testparm,
)

if TYPE_CHECKING:
    from clusternas.testing.node import FakeNode

__all__ = [
    "DAEMONS",
    "REACTIONS",
    "TOOLS",
    "NotInstalled",
    "answer",
    "boot",
    "devices",
    "install",
    "power_cut",
    "wait_for_locks",
    "withdraw",
]

MODULES = (
    scripts,
    misc,
    services,
    drbd,
    cman,
    corosync,
    fencing,
    firewall,
    dlm,
    lvm,
    gfs2,
    mount,
    netconf,
    blockdev,
    lsblk,
    samba,
    smbstatus,
    testparm,
    ctdb,
    ctdbd,
    dns,
    dig,
    power,
)
TOOLS = {name: tool for module in MODULES for name, tool in getattr(module, "TOOLS", {}).items()}
DAEMONS = {
    name: daemon for module in MODULES for name, daemon in getattr(module, "DAEMONS", {}).items()
}
REACTIONS = (power.react, drbd.react, membership.react, fencing.react, dlm.react, ctdbd.react)

boot = services.boot
power_cut = power.cut
withdraw = gfs2.withdraw
wait_for_locks = dlm.wait_for_locks


class NotInstalled(Exception):
    """No such tool on this node."""


def answer(node: FakeNode, argv: tuple[str, ...], stdin: bytes) -> Output:
    """What a tool leaves behind.

    Raises:
        NotInstalled: no such tool in this generation.
    """
    tool = TOOLS.get(posixpath.basename(argv[0])) if argv else None
    if tool is None or not tool.installed(node.cluster.toolset):
        raise NotInstalled(argv[0] if argv else "")
    try:
        said_so = tool.run(node, argv[1:], stdin)
    except Exit as end:
        return end.output
    return said(said_so) if isinstance(said_so, str) else said_so


def devices(node: FakeNode) -> Iterator[Device]:
    """The block devices that tools have made."""
    yield from drbd.devices(node)
    yield from lvm.devices(node)


def install(node: FakeNode) -> None:
    """The files that packages bring."""
    for module in (drbd, lvm, mount, power, samba, services):
        module.install(node)
