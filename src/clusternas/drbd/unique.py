"""What must not stand twice in a configuration, in one file or many; and what is still free."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator

from clusternas.core.diagnostics import Finding
from clusternas.drbd.hosts import MAX_NODE_ID, minor_of
from clusternas.drbd.layout import Seat, addresses, ends, named_devices, names, ports, seats
from clusternas.drbd.model import DrbdResource
from clusternas.drbd.sections import DrbdModel

__all__ = ["clashes", "free_minor", "free_node_id", "free_port", "shared_disks"]

Place = tuple[Hashable, str, DrbdModel, str]
"""What must be unique, how to say it, and the model and field that say it."""


def clashes(resources: Iterable[DrbdResource]) -> Iterator[Finding]:
    """Names, hosts, minors, addresses, node-ids and meta data areas that stand twice."""
    known = list(resources)
    for places in (_names, _hosts, _stacked, _minors, _addresses, _node_ids, _areas):
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
    for end in ends(resource):
        for name in names(end):
            yield (id(resource), name), f"host {name}", end, ""


def _stacked(resource: DrbdResource) -> Iterator[Place]:
    for end in resource.stacked:
        yield end.name, f"the resource {end.name} below", end, ""


def _seats(resource: DrbdResource) -> Iterator[tuple[str, Seat]]:
    for end in ends(resource):
        for seat in seats(resource, end):
            yield from ((name, seat) for name in names(end))


def _minors(resource: DrbdResource) -> Iterator[Place]:
    for name, seat in _seats(resource):
        if seat.device is not None and seat.minor is not None:
            said = seat.device
            yield (name, seat.minor), f"minor {seat.minor} on {name}", said.model, said.field


def _addresses(resource: DrbdResource) -> Iterator[Place]:
    """A connection may repeat an address that its resource has; only the first use counts."""
    own: set[Hashable] = set()
    for address, label, model, field in addresses(resource):
        _, host, port = address.key
        key = (label, host, port) if host.startswith("127.") or host == "::1" else address.key
        if not (field in ("details", "addresses") and key in own):
            yield key, f"address {address}", model, field
        own.add(key)


def _node_ids(resource: DrbdResource) -> Iterator[Place]:
    for end in ends(resource):
        if end.node_id is not None:
            yield (id(resource), end.node_id), f"node-id {end.node_id}", end, "node_id"


def _disks(resource: DrbdResource) -> Iterator[Place]:
    for name, seat in _seats(resource):
        said = seat.disk
        if said is not None and said.value != "none":
            yield (name, said.value), f"disk {said.value} on {name}", said.model, said.field


def _areas(resource: DrbdResource) -> Iterator[Place]:
    for name, seat in _seats(resource):
        said = seat.meta_disk
        if said is not None and said.value != "internal":
            yield (name, said.value), f"meta-disk {said.value} on {name}", said.model, said.field


def _free(used: set[int], start: int) -> int:
    return next(number for number in range(start, len(used) + start + 1) if number not in used)


def free_minor(resources: Iterable[DrbdResource], start: int = 0) -> int:
    """The lowest minor number from `start` on that no host uses.

    Example:
        >>> free_minor([])
        0
    """
    devices = (device for one in resources for device in named_devices(one))
    return _free({minor for minor in map(minor_of, devices) if minor is not None}, start)


def free_port(resources: Iterable[DrbdResource], start: int = 7788) -> int:
    """The lowest port from `start` on that no address uses.

    Example:
        >>> free_port([])
        7788
    """
    return _free({port for each in resources for port in ports(each)}, start)


def free_node_id(resource: DrbdResource) -> int:
    """The lowest node-id that no host of a resource has.

    Raises:
        LookupError: it has as many hosts as DRBD can tell apart.

    Example:
        >>> free_node_id(DrbdResource.parse("resource r0 { on a { node-id 0; } on b { } }"))
        1
    """
    found = _free({end.node_id for end in ends(resource) if end.node_id is not None}, 0)
    if found > MAX_NODE_ID:
        raise LookupError(f"{resource.name} uses every node-id up to {MAX_NODE_ID}")
    return found
