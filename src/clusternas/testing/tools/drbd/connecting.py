"""drbdadm on the link between two nodes: connecting and waiting."""

from __future__ import annotations

from clusternas.testing.shell import Answer, Exit, Hang, said
from clusternas.testing.tools.drbd.pairing import leave, lose_peer, react
from clusternas.testing.tools.drbd.request import Request
from clusternas.testing.tools.drbd.show import family

__all__ = ["connect", "disconnect", "wait_connect", "wait_sync"]

LOG_WAITS = "outdated-wfc-timeout has to be shorter than degr-wfc-timeout"


def connect(request: Request) -> Answer:
    """Look for the peer."""
    resource = request.resource
    if resource.connection != "StandAlone":
        raise connected_already(request)
    resource.config = request.config
    resource.connection = "WFConnection"
    resource.discard = request.has("discard-my-data")
    return warnings(request)


def connected_already(request: Request) -> Exit:
    """The module refuses a second connection; 8.4's drbdadm names both its ends and its options."""
    why = "Failure: (102) Local address(port) already in use."
    config, here = request.config, request.node.name
    if family(request.node) != "8.4":
        return request.refusal(10, why)
    ends = [config.hosts[here].address, *(h.address for n, h in config.hosts.items() if n != here)]
    words = [f"ipv4:{end}" for end in ends]
    for (section, name), value in config.options.items():
        words += [f"--{name}={value or 'yes'}"] if section == "net" else []
    called = f"drbdsetup-84 connect {config.name} {' '.join(words)}"
    return Exit(10, f"{config.name}: {why}\nCommand '{called}' terminated with exit code 10")


def warnings(request: Request) -> Answer:
    """What 8.4's drbdadm says of the waiting times."""
    waits = {
        name: request.config.get("startup", name)
        for name in ("outdated-wfc-timeout", "degr-wfc-timeout")
    }
    outdated, degraded = waits["outdated-wfc-timeout"], waits["degr-wfc-timeout"]
    if outdated.isdigit() and degraded.isdigit() and int(outdated) > int(degraded):
        return said(
            "",
            f"{LOG_WAITS}\noutdated-wfc-timeout implicitly set to degr-wfc-timeout ({degraded}s)",
        )
    return ""


def disconnect(request: Request) -> Answer:
    """Stop talking."""
    resource = request.resource
    if resource.connection == "Connected":
        leave(request.node, resource)
        lose_peer(request.node, resource)
    resource.connection = "StandAlone"
    return ""


def wait_connect(request: Request) -> Answer:
    """Wait for the peer: at most the configured time, or for ever."""
    if request.resource.connection != "Connected":
        timeout = request.config.get("startup", "wfc-timeout", "0")
        if timeout == "0":
            raise Hang("the peer is not there")
        request.node.cluster.now += int(timeout)
        raise Exit(5, "Command 'drbdsetup wait-connect' terminated with exit code 5")
    return warnings(request)


def wait_sync(request: Request) -> Answer:
    """Wait until nothing is to be copied any more."""
    cluster = request.node.cluster
    for _ in range(100_000):
        if not any(replica.volume.sync for replica in request.replicas):
            return ""
        cluster.now += 1
        react(cluster)
    raise Hang("the resync does not end")
