"""Taking a machine's power away, and restarting it in good order."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from clusternas.testing.shell import Exit, Hang, Tool

if TYPE_CHECKING:
    from clusternas.testing.cluster import FakeCluster
    from clusternas.testing.node import FakeNode

__all__ = ["TOOLS", "cut", "install", "react"]

BOOT_SECONDS = 30.0
"""From a restart to a machine that answers, as in the lab."""


class Restart:
    """When a machine that restarts is back; lost where its power is."""

    def __init__(self) -> None:
        self.back_at = 0.0


def cut(node: FakeNode) -> None:
    """Switch a node off: files and disks stay as they are, everything else is gone."""
    node.reset()


def restart(node: FakeNode) -> None:
    """Stop everything in good order, as far as it lets itself be stopped, and start again."""
    from clusternas.testing.tools import services

    for name in services.stopping(node):
        try:
            services.stop_unit(node, name)
        except (Exit, Hang):
            continue
    cut(node)
    node.of(Restart).back_at = node.cluster.now + BOOT_SECONDS


def react(cluster: FakeCluster) -> None:
    """Start the machines whose restart has come so far."""
    for node in cluster.nodes.values():
        if not node.up and 0 < node.of(Restart).back_at <= cluster.now:
            cluster.boot(node.name)


def install(node: FakeNode) -> None:
    """The kernel's word for this start of the machine."""
    node.files.virtual["/proc/sys/kernel/random/boot_id"] = lambda: (
        f"{uuid.uuid5(uuid.NAMESPACE_DNS, f'{node.boots}.{node.name}')}\n"
    )


def shutdown(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> str:
    """shutdown -r now."""
    if args != ("-r", "now"):
        raise Exit(1, "this fake knows shutdown -r now")
    restart(node)
    return ""


TOOLS = {"shutdown": Tool(shutdown)}
