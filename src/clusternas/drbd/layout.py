"""What a resource is on each of its ends: their volumes, with what the resource says for all.

A host may leave out what the resource says of the volume (`device`, `disk`, `meta-disk`), and whole
volumes; `inherit_volumes` in drbdadm_parser.c of 8.4 and drbdadm_postparse.c of 9.
"""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from clusternas.drbd.hosts import (
    DrbdConnection,
    DrbdFloating,
    DrbdHost,
    DrbdHostProxy,
    DrbdPath,
    DrbdProxied,
    DrbdStacked,
    DrbdVolume,
    minor_of,
)
from clusternas.drbd.model import DrbdResource
from clusternas.drbd.sections import DrbdModel
from clusternas.drbd.words import Address

__all__ = [
    "End",
    "Said",
    "Seat",
    "addresses",
    "ends",
    "named_devices",
    "names",
    "ports",
    "routes",
    "seats",
    "start",
    "stored",
]

End = DrbdHost | DrbdFloating | DrbdStacked
FIELDS = {
    "device": ("device",),
    "disk": ("disk",),
    "meta-disk": ("meta_disk", "flexible_meta_disk"),
}


@attrs.frozen
class Said:
    """A value, and the statement that says it."""

    value: str
    model: DrbdModel
    field: str


@attrs.frozen
class Seat:
    """A volume on one end.

    Attributes:
        number: of the volume; 0 where none is spelled out.
        at: the model nearest to it, for a finding.
        implicit: no `volume N { … }` is written.
        device, disk, meta_disk: what counts, or None where nobody says it.
    """

    end: End
    number: int
    at: DrbdModel
    implicit: bool
    device: Said | None
    disk: Said | None
    meta_disk: Said | None

    @property
    def minor(self) -> int | None:
        """Its minor number, or None where its device says none."""
        return minor_of(self.device.value) if self.device else None

    @property
    def backing(self) -> str:
        """The disk below it; empty where nobody says one, or `none`."""
        return self.disk.value if self.disk and self.disk.value != "none" else ""


def ends(resource: DrbdResource) -> tuple[End, ...]:
    """The ends of a resource, of every kind."""
    return (*resource.hosts, *resource.floating, *resource.stacked)


def names(end: End) -> tuple[str, ...]:
    """The hosts of an end, or what stands for them."""
    if isinstance(end, DrbdHost):
        return end.name, *end.aliases
    return (end.label if isinstance(end, DrbdFloating) else f"on top of {end.name}",)


def seats(resource: DrbdResource, end: End, *, ordered: bool = False) -> Iterator[Seat]:
    """The volumes of an end, in the order of their numbers.

    Args:
        resource: with what it says for all its ends.
        end: one of them.
        ordered: what the resource says behind the end does not count; drbdadm of 8.x.
    """
    limit = start(end) if ordered else -1
    found: dict[int, list[DrbdModel]] = {}
    for model in (end, resource):
        for volume in model.volumes:
            late = model is resource and start(volume) > limit >= 0
            readable = str(volume.number).isdecimal()  # None where its word is no number
            if readable and not late:
                found.setdefault(volume.number, []).append(volume)
        own = [each for name in FIELDS if (each := said(model, name))]
        if any(model is end or not start(model, each.field) > limit >= 0 for each in own):
            found.setdefault(0, []).append(model)
    for number, models in sorted(found.items()):
        device, disk, meta_disk = (_first(models, name) for name in FIELDS)
        nearest = models[0]
        implicit = not isinstance(nearest, DrbdVolume)
        yield Seat(end, number, nearest, implicit, device, disk, meta_disk)


def stored(resource: DrbdResource, host: str) -> list[Seat]:
    """The volumes of a host that have a disk there."""
    here = resource.hosts.get(host)
    return [seat for seat in seats(resource, here) if seat.backing] if here is not None else []


def start(model: DrbdModel, field: str = "") -> int:
    """Where a statement begins in its text, or -1 for one that has none."""
    node = model.statement_of(field)
    return -1 if node is None else node.start


def said(model: DrbdModel, name: str) -> Said | None:
    """What a model itself says of its device, disk or meta-disk."""
    for field in FIELDS[name]:
        if isinstance(model, DrbdResource) and field == "disk":
            field = "backing_disk"
        value = getattr(model, field, None)
        if value is not None:
            return Said(value, model, field)
    return None


def _first(models: list[DrbdModel], name: str) -> Said | None:
    return next((found for model in models if (found := said(model, name))), None)


def addresses(resource: DrbdResource) -> Iterator[tuple[Address, str, DrbdModel, str]]:
    """The addresses of a resource: each with its end, and the model and field that say it."""
    for end in ends(resource):
        label = names(end)[0]
        if end.address is not None:
            field = "" if isinstance(end, DrbdFloating) else "address"
            yield end.address, label, end, field
        for proxy in end.proxies:
            yield from _proxy(proxy, proxy.label)
    for route in routes(resource):
        for host in route.ends:
            if host.address is not None:
                yield host.address, host.name, host, "details"
            if isinstance(host, DrbdProxied):
                yield from _proxy(host, host.name)
        for address in route.addresses:
            yield address, str(address), route, "addresses"


def _proxy(
    proxy: DrbdHostProxy | DrbdProxied, label: str
) -> Iterator[tuple[Address, str, DrbdModel, str]]:
    for field in ("inside", "outside"):
        address = getattr(proxy, field)
        if address is not None:
            yield address, label, proxy, field


def routes(resource: DrbdResource) -> Iterator[DrbdConnection | DrbdPath]:
    """The paths of all connections."""
    for connection in resource.connections:
        yield from connection.routes


def ports(resource: DrbdResource) -> Iterator[int]:
    """Every port that a resource uses."""
    yield from (address.port for address, *_ in addresses(resource))
    for route in routes(resource):
        yield from (host.port for host in route.ends if host.port is not None)


def named_devices(resource: DrbdResource) -> Iterator[str | None]:
    """Every `device` of a resource, in whatever section."""
    yield resource.device
    for model in (*resource.volumes, *ends(resource)):
        yield model.device
    for end in ends(resource):
        yield from (volume.device for volume in end.volumes)
