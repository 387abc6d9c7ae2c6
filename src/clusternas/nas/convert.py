"""From the cluster manager of 2010 to today's: cluster.conf to corosync.conf and dlm.conf.

Nothing is lost silently: what has no place in the new files is told, with what to do instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import attrs

from clusternas.cman.model import CmanCluster
from clusternas.cman.sections import ClusterNode, CmanModel, FenceDevice, FenceParam
from clusternas.core.keyed import Keyed, keyed
from clusternas.core.lens import lens_of
from clusternas.corosync.dlm import DlmConf, DlmConnect, DlmDevice
from clusternas.corosync.model import CorosyncCluster

__all__ = ["Conversion", "to_corosync"]

AGENTS = "/usr/sbin"
TOKEN = 10_000
"""Milliseconds until a node is lost, cman(5); corosync's own token is a third of it."""
POST_JOIN = 30
RENAMED = {"ipaddr": "ip", "login": "username", "passwd": "password", "port": "plug"}
"""Parameters of fence agents since fence-agents 4.1; the old names are deprecated."""
NOT_CARRIED = {
    "quorumd": "a quorum disk: use a quorum device (corosync-qdevice) instead",
    "gfs_controld": "settings of a daemon that is gone: the kernel does its work",
    "rm": "services of rgmanager: CTDB moves addresses and Samba; others need Pacemaker",
    "logging": "logging of cman's daemons: say it in corosync.conf's own way",
}
TOTEM = ("token", "consensus", "join", "token_retransmits_before_loss_const", "fail_recv_const")


@attrs.frozen(kw_only=True)
class Conversion:
    """The new files, and what became of the old one.

    Attributes:
        corosync: /etc/corosync/corosync.conf.
        dlm: /etc/dlm/dlm.conf.
        changed: what stands there in another way.
        dropped: what has no place there, and what to do instead.
    """

    corosync: CorosyncCluster
    dlm: DlmConf
    changed: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()


def to_corosync(cman: CmanCluster, addresses: Mapping[str, str] | None = None) -> Conversion:
    """The files for corosync and dlm_controld that mean what a cluster.conf means.

    Args:
        cman: the cluster as it is.
        addresses: of each node in the private network, by name; a node that is not among them
            keeps its name, which must then be in /etc/hosts on every node.

    Example:
        >>> old = CmanCluster.create("NASCluster").add_node("nas01").add_node("nas02")
        >>> new = to_corosync(old, {"nas01": "10.0.0.1", "nas02": "10.0.0.2"})
        >>> new.corosync.quorum.two_node, new.corosync.nodes["nas02"].ring0_addr
        (True, '10.0.0.2')
    """
    return Conversion(
        corosync=_corosync(cman, addresses or {}),
        dlm=_dlm(cman),
        changed=tuple(_changed(cman)),
        dropped=tuple(_dropped(cman)),
    )


def _corosync(cman: CmanCluster, addresses: Mapping[str, str]) -> CorosyncCluster:
    cluster = CorosyncCluster.create(cman.name)
    for node in cman.nodes:
        links = [addresses.get(node.name, node.name)]
        if node.altname is not None:
            links.append(addresses.get(node.altname.name, node.altname.name))
        cluster = cluster.add_node(node.name, *links, nodeid=node.nodeid)
        if node.votes not in (None, 1):
            told = attrs.evolve(cluster.nodes[node.name], quorum_votes=node.votes)
            cluster = attrs.evolve(cluster, nodes=cluster.nodes.put(told))
    given = {name: getattr(cman.totem, name) for name in TOTEM} if cman.totem else {}
    timing = {"token": TOKEN} | {name: value for name, value in given.items() if value is not None}
    totem = cluster.totem
    assert totem is not None
    return attrs.evolve(cluster, totem=attrs.evolve(totem, **timing))


def _dlm(cman: CmanCluster) -> DlmConf:
    old = cman.dlm
    names = lens_of(DlmConf).fields
    kept = {
        name: getattr(old, name)
        for name in (lens_of(type(old)).fields if old else ())
        if name in names and getattr(old, name) is not None
    }
    delay = cman.fence_daemon.post_join_delay if cman.fence_daemon else None
    devices = [_device(cman, device) for device in _used(cman)]
    return DlmConf(
        **{"enable_fencing": True, "post_join_delay": max(delay or 0, POST_JOIN)} | kept,
        devices=keyed(*devices),
    )


def _used(cman: CmanCluster) -> list[FenceDevice]:
    """The fence devices that do fence, in the order in which the nodes try them."""
    names = dict.fromkeys(name for node in cman.nodes for name in node.fence_devices)
    found = [cman.fence_devices.get(name) for name in names]
    return [each for each in found if each is not None and each.agent != "fence_manual"]


def _device(cman: CmanCluster, device: FenceDevice) -> DlmDevice:
    connects = [
        DlmConnect(device=device.name, node=node.nodeid, params=_params(use.params))
        for node in cman.nodes
        for method in node.fence
        for use in method.devices
        if use.name == device.name
    ]
    return DlmDevice(
        name=device.name,
        agent=f"{AGENTS}/{device.agent}",
        params=_params(device.params),
        connects=keyed(*connects),
    )


def _params(params: Keyed[FenceParam]) -> tuple[str, ...]:
    return tuple(f"{RENAMED.get(each.name, each.name)}={each.value}" for each in params)


def _changed(cman: CmanCluster) -> Iterator[str]:
    yield "transport: knet over UDP 5405, instead of multicast"
    if cman.totem is None or cman.totem.token is None:
        yield f"token: {TOKEN} ms, cman's default, is written down"
    if cman.fence_daemon is None or (cman.fence_daemon.post_join_delay or 0) < POST_JOIN:
        yield f"post_join_delay: {POST_JOIN} s, dlm's default; fenced's was 6"
    names = {each.name for device in cman.fence_devices for each in device.params}
    names |= {
        each.name
        for node in cman.nodes
        for method in node.fence
        for use in method.devices
        for each in use.params
    }
    for name in sorted(names & set(RENAMED)):
        yield f"fence parameter {name} is called {RENAMED[name]}"


def _dropped(cman: CmanCluster) -> Iterator[str]:
    for device in cman.fence_devices:
        if device.agent == "fence_manual":
            yield f"fence device {device.name}: fence_manual fences nothing; use a real agent"
    for node in cman.nodes:
        if not set(node.fence_devices) & {device.name for device in _used(cman)}:
            yield f"{node.name} has no fence device: dlm waits for a person if it dies"
        if len(node.fence) > 1:
            yield from _methods(node)
    for name, instead in NOT_CARRIED.items():
        part: CmanModel | None = getattr(cman, name)
        if part is not None and part != type(part)():
            yield f"{name}: {instead}"
    if cman.cman is not None and cman.cman.multicast is not None:
        yield "multicast address: knet sends to each node by itself"


def _methods(node: ClusterNode) -> Iterator[str]:
    """dlm tries devices one by one; what one method did together is not kept together."""
    for method in node.fence:
        if len(method.devices) > 1:
            names = ", ".join(use.name for use in method.devices)
            yield (
                f"{node.name}, method {method.name}: {names} had to work together; name them"
                " DEVICE:1, DEVICE:2 in dlm.conf for that"
            )
