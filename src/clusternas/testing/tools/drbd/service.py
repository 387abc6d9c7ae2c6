"""The drbd service: resources up, wait for the peer, become Primary where the files say so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusternas.testing.shell import Exit, Hang
from clusternas.testing.tools.drbd.commands import drbdadm
from clusternas.testing.tools.drbd.config import load
from clusternas.testing.tools.drbd.pairing import react
from clusternas.testing.tools.drbd.state import Drbd, other_node

if TYPE_CHECKING:
    from clusternas.testing.node import FakeNode

__all__ = ["start", "stop"]


def start(node: FakeNode) -> None:
    """What the init script does.

    It waits for a peer that is switched off as long as `wfc-timeout` says, without one for ever; a
    peer that runs is taken to start its resources any moment.
    """
    for name, config in load(node).items():
        if node.name not in config.hosts:
            continue
        drbdadm(node, ("up", name), b"")
        resource = node.of(Drbd).resources[name]
        wish = config.get("startup", "become-primary-on")
        resource.promote = wish in ("both", node.name)
        react(node.cluster)
        other = other_node(node, config)
        if resource.connection != "Connected" and (other is None or not other.up):
            wait_for_peer(
                node,
                config.get("startup", "degr-wfc-timeout")
                or config.get("startup", "wfc-timeout", "0"),
            )
            promote_alone(node, name)
        elif resource.connection == "Connected" and resource.promote:
            promote_alone(node, name)


def wait_for_peer(node: FakeNode, timeout: str) -> None:
    """Wait for a peer that does not come."""
    if timeout == "0":
        raise Hang("DRBD's startup script waits for the peer node to appear")
    node.cluster.now += int(timeout)


def promote_alone(node: FakeNode, name: str) -> None:
    """Become Primary; the init script does not mind if that fails."""
    resource = node.of(Drbd).resources[name]
    if resource.promote:
        try:
            drbdadm(node, ("primary", name), b"")
        except Exit as refused:
            node.console.append(refused.output.error_text)
        resource.promote = False


def stop(node: FakeNode) -> None:
    """All resources down."""
    for name in list(node.of(Drbd).resources):
        drbdadm(node, ("down", name), b"")
