"""nft, iptables-restore and firewall-cmd: rules are kept, but stop no packet."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from clusternas.testing.shell import Answer, Exit, Tool

if TYPE_CHECKING:
    from clusternas.core.versions import Toolset
    from clusternas.testing.node import FakeNode

__all__ = ["TOOLS"]

KERNEL = "/run/firewall.fake"


def nft(node: FakeNode, args: tuple[str, ...], stdin: bytes) -> Answer:
    """nft [-c] -f FILE, and list ruleset."""
    if "list" in args:
        version = {"metainfo": {"version": "1.0.6", "json_schema_version": 1}}
        return (
            json.dumps({"nftables": [version]}) + "\n" if "-j" in args else node.files.text(KERNEL)
        )
    path = args[-1]
    text = stdin.decode() if path == "-" else node.files.text(path)
    if text.count("{") != text.count("}"):
        raise Exit(1, f"{path}: Error: syntax error, unexpected end of file")
    if "-c" not in args:
        node.files.write(KERNEL, text)
    return ""


def restore(node: FakeNode, args: tuple[str, ...], stdin: bytes) -> Answer:
    """iptables-restore [--test]."""
    if b"COMMIT" not in stdin:
        raise Exit(1, "iptables-restore: COMMIT expected at line 1")
    if "--test" not in args and "-t" not in args:
        node.files.write(KERNEL, stdin)
    return ""


def firewall_cmd(node: FakeNode, _args: tuple[str, ...], _stdin: bytes) -> Answer:
    """firewall-cmd: says success where firewalld runs."""
    if "firewalld" not in node.running:
        raise Exit(252, "FirewallD is not running")
    return "success\n"


def modern(toolset: Toolset) -> bool:
    """Machines with nftables."""
    return toolset.init == "systemd"


TOOLS = {
    "nft": Tool(nft, modern),
    "iptables-restore": Tool(restore),
    "ip6tables-restore": Tool(restore),
    "firewall-cmd": Tool(firewall_cmd, modern),
}
