"""DRBD: drbdadm, drbdsetup, drbd-overview, /proc/drbd and the drbd service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusternas.testing.shell import Daemon, Tool, has
from clusternas.testing.tools.drbd import commands, service, show
from clusternas.testing.tools.drbd.pairing import react
from clusternas.testing.tools.drbd.state import devices

if TYPE_CHECKING:
    from clusternas.testing.node import FakeNode

__all__ = ["DAEMONS", "TOOLS", "devices", "install", "react"]

TOOLS = {
    "drbdadm": Tool(commands.drbdadm, has("drbd")),
    "drbdsetup": Tool(commands.drbdsetup, has("drbd")),
    "drbd-overview": Tool(commands.overview, has("drbd", until="8.4")),
}
DAEMONS = {"drbd": Daemon(service.start, service.stop, chkconfig="- 70 08", installed=has("drbd"))}
MAIN = 'include "drbd.d/global_common.conf";\ninclude "drbd.d/*.res";\n'


def install(node: FakeNode) -> None:
    """The files of the package, and what the module shows in /proc."""
    if has("drbd")(node.cluster.toolset):
        node.files.write("/etc/drbd.conf", MAIN)
        node.files.write(
            "/etc/drbd.d/global_common.conf", "global {\n\tusage-count no;\n}\n\ncommon {\n}\n"
        )
        node.files.virtual["/proc/drbd"] = lambda: show.proc_drbd(node)
