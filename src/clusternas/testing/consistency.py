"""States that real machines cannot be in: the fake, or a test's setup, is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from clusternas.testing.blocks import Gfs2
from clusternas.testing.shell import Exit
from clusternas.testing.tools.drbd.state import replicas

if TYPE_CHECKING:
    from clusternas.testing.cluster import FakeCluster
    from clusternas.testing.node import FakeNode

__all__ = ["Impossible", "problems", "require"]

CHAINS = (("corosync", "dlm"), ("dlm", "lvmlockd"), ("cman", "clvmd"))


class Impossible(AssertionError):
    """The fake machines are in a state that real ones cannot be in."""


def require(cluster: FakeCluster) -> None:
    """Raise `Impossible` if anything is wrong."""
    found = list(problems(cluster))
    if found:
        raise Impossible("; ".join(found))


def problems(cluster: FakeCluster) -> Iterator[str]:
    """Everything that cannot be."""
    for node in cluster.alive():
        yield from services(node)
        yield from roles(node)
        yield from equal_replicas(node)
    yield from journals(cluster)


def services(node: FakeNode) -> Iterator[str]:
    """A daemon without the one it stands on."""
    for below, above in CHAINS:
        if above in node.running and below not in node.running:
            yield f"{node.name}: {above} runs without {below}"


def roles(node: FakeNode) -> Iterator[str]:
    """An open Secondary; two Primaries against the configuration."""
    for replica in replicas(node):
        device, resource = replica.volume.config.device, replica.resource
        if resource.role == "Secondary" and node.claims.get(device):
            yield f"{node.name}: {device} is Secondary and open"
        peer = replica.partner()
        if (
            peer is not None
            and peer.resource.role == resource.role == "Primary"
            and not resource.dual
        ):
            yield f"{node.name}: two Primaries of {resource.config.name} are not allowed"


def equal_replicas(node: FakeNode) -> Iterator[str]:
    """Connected replicas, both up to date, with different data; a link seen from one end only."""
    for one in replicas(node):
        two, name = one.partner(), one.resource.config.name
        if two is None:
            continue
        if two.resource.connection != "Connected":
            yield f"{node.name}: {name} is connected from one end only"
        good = one.volume.disk == two.volume.disk == "UpToDate"
        same = one.store.content == two.store.content
        if good and not same and not one.store.scribbled and not two.store.scribbled:
            yield f"{node.name}: {name} differs between two UpToDate replicas"


def journals(cluster: FakeCluster) -> Iterator[str]:
    """More mounts of one file system than it has journals."""
    mounted = [found for node in cluster.alive() for found in gfs2_mounts(node)]
    for one in {content.uuid: content for content in mounted}.values():
        count = sum(content.uuid == one.uuid for content in mounted)
        if count > one.journals:
            yield f"{count} mounts of a GFS2 with {one.journals} journals"


def gfs2_mounts(node: FakeNode) -> Iterator[Gfs2]:
    """The GFS2s a node has mounted, those whose device is gone left out."""
    for mount in node.mounts.values():
        device = node.find_device(mount.source)
        try:
            content = device.read() if device is not None else None
        except Exit:
            continue
        if isinstance(content, Gfs2):
            yield content
