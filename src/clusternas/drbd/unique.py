"""What must not stand twice in a configuration, in one file or many; and what is still free."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator

from clusternas.core.diagnostics import Finding
from clusternas.drbd.hosts import DrbdHost, DrbdStorage
from clusternas.drbd.model import DrbdResource
from clusternas.drbd.sections import DrbdModel

__all__ = ["clashes", "free_minor", "free_port", "shared_disks"]

Place = tuple[Hashable, str, DrbdModel, str]
"""What must be unique, how to say it, and the model and field that say it."""


def clashes(resources: Iterable[DrbdResource]) -> Iterator[Finding]:
    """Names, hosts, minors, addresses, node-ids and meta data areas that stand twice."""
    known = list(resources)
    for places in (_names, _hosts, _minors, _addresses, _node_ids, _areas):
        yield from _twice(known, places)


def shared_disks(resources: Iterable[DrbdResource]) -> Iterator[Finding]:
    """Backing disks that stand twice on a host."""
    yield from _twice(list(resources), _disks)


def _twice(
    resources: list[DrbdResource], places: Callable[[DrbdResource], Iterator[Place]]
) -> Iterator[Finding]:
    seen: dict[Hashable, str] = {}
    for resource in resources:
        for key, what, model, field in places(resource):
            if key in seen:
                yield Finding(
                    f"{what} of {resource.name} is used by {seen[key]} already",
                    at=model,
                    field=field,
                    help="give each its own",
                )
            seen.setdefault(key, resource.name)


def _names(resource: DrbdResource) -> Iterator[Place]:
    yield resource.name, f"the name {resource.name}", resource, ""


def _hosts(resource: DrbdResource) -> Iterator[Place]:
    for host in resource.hosts:
        for name in (host.name, *host.aliases):
            yield (id(resource), name), f"host {name}", host, ""


def _storage(resource: DrbdResource) -> Iterator[tuple[DrbdHost, DrbdStorage]]:
    for host in resource.hosts:
        for storage in host.storage:
            yield host, storage


def _minors(resource: DrbdResource) -> Iterator[Place]:
    for host, storage in _storage(resource):
        if storage.minor is not None:
            what = f"minor {storage.minor} on {host.name}"
            yield (host.name, storage.minor), what, storage, "device"


def _addresses(resource: DrbdResource) -> Iterator[Place]:
    for host in resource.hosts:
        if host.address is not None:
            yield host.address.key, f"address {host.address}", host, "address"


def _node_ids(resource: DrbdResource) -> Iterator[Place]:
    for host in resource.hosts:
        if host.node_id is not None:
            yield (id(resource), host.node_id), f"node-id {host.node_id}", host, "node_id"


def _disks(resource: DrbdResource) -> Iterator[Place]:
    for host, storage in _storage(resource):
        if storage.disk not in (None, "none"):
            yield (host.name, storage.disk), f"disk {storage.disk} on {host.name}", storage, "disk"


def _areas(resource: DrbdResource) -> Iterator[Place]:
    for host, storage in _storage(resource):
        area = storage.meta_disk or storage.flexible_meta_disk
        if area not in (None, "internal"):
            yield (host.name, area), f"meta-disk {area} on {host.name}", storage, "meta_disk"


def free_minor(resources: Iterable[DrbdResource], start: int = 0) -> int:
    """The lowest minor number from `start` on that no host uses.

    Example:
        >>> free_minor([])
        0
    """
    used = {key[1] for each in resources for key, *_ in _minors(each) if isinstance(key, tuple)}
    return next(number for number in range(start, len(used) + start + 1) if number not in used)


def free_port(resources: Iterable[DrbdResource], start: int = 7788) -> int:
    """The lowest port from `start` on that no address uses.

    Example:
        >>> free_port([])
        7788
    """
    used = {host.address.port for each in resources for host in each.hosts if host.address}
    return next(port for port in range(start, len(used) + start + 1) if port not in used)
