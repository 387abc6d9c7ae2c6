"""What drbdadm checks when it has read a file: what is missing, twice, or does not fit together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from clusternas.core.diagnostics import Finding
from clusternas.core.lens import lens_of
from clusternas.drbd.hosts import (
    DrbdConnection,
    DrbdHost,
    DrbdPath,
    DrbdStacked,
    minor_of,
)
from clusternas.drbd.inherit import effective, known
from clusternas.drbd.layout import Seat, ends, named_devices, names, routes, seats, start
from clusternas.drbd.model import DrbdResource
from clusternas.drbd.options import OPTIONS
from clusternas.drbd.sections import DrbdGlobal, DrbdModel, DrbdNet

__all__ = ["lacking", "links", "promotes", "refusals", "too_few_minors"]

OF_PEER = [row.name.replace("-", "_") for row in OPTIONS.values() if row.of_peer]


def refusals(resource: DrbdResource, generation: str) -> Iterator[Finding]:
    """What drbdadm of a generation refuses of a resource whose grammar is right."""
    yield from _missing(resource, generation)
    yield from _hosts(resource, generation)
    yield from _volumes(resource, generation)
    yield from _proxies(resource)
    yield from promotes(resource, generation)
    if generation == "9":
        yield from links(resource)
        yield from _contradictions(resource)


def too_few_minors(
    settings: DrbdGlobal | None, resources: Iterable[DrbdResource], generation: str
) -> Iterator[Finding]:
    """A `minor-count` of 8.3 that is not above every minor number."""
    count = settings.minor_count if settings is not None and generation == "8.3" else None
    if settings is None or count is None:
        return
    named = (minor_of(device) for each in resources for device in named_devices(each))
    highest = max((minor for minor in named if minor is not None), default=-1)
    if highest >= count:
        message = f"minor-count {count} leaves no room for minor {highest}"
        yield Finding(message, settings, "minor_count", f"write minor-count {highest + 1};")


def _missing(resource: DrbdResource, generation: str) -> Iterator[Finding]:
    if generation == "8.3" and effective(resource).net.protocol is None:
        yield Finding(f"{resource.name} has no protocol", help="write protocol C; before the hosts")
    linked = bool(resource.connections or resource.meshes)
    for end in ends(resource):
        label = names(end)[0]
        if end.address is None and not (linked and generation == "9"):
            yield Finding(f"{label} has no address", at=end, help="write address IP:PORT;")
        found = list(seats(resource, end, ordered=generation != "9"))
        if not found and generation == "8.3":
            yield Finding(f"{label} has no device", at=end, help="write device in it")
        for seat in () if isinstance(end, DrbdStacked) else found:
            for name in lacking(seat, generation):
                yield Finding(f"{label} has no {name}", at=seat.at, help=f"write {name} in it")
    for stacked in resource.stacked:
        if generation == "8.3" and stacked.device is None:
            yield Finding(f"on top of {stacked.name} is no device", at=stacked, help="write device")
        if not known(stacked.name):
            yield Finding(f"there is no resource {stacked.name}", at=stacked, help="check its name")


def lacking(seat: Seat, generation: str) -> Iterator[str]:
    """What a volume needs; DRBD 9 takes `meta-disk internal`, and a volume without a disk."""
    if seat.device is None:
        yield "device"
    nine = generation == "9"
    if seat.disk is None and (seat.meta_disk is not None or not nine):
        yield "disk"
    if seat.meta_disk is None and not nine:
        yield "meta-disk"


def _hosts(resource: DrbdResource, generation: str) -> Iterator[Finding]:
    found = ends(resource)
    if generation == "8.3" and not found:
        yield Finding(f"{resource.name} has no hosts", help="write on HOST { … } for each")
    if generation != "9":
        return
    if len(found) < 2 and not resource.connections:
        yield Finding(
            f"{resource.name} has fewer than two hosts", help="write on HOST { … } for each"
        )
    numbered = [end for end in found if end.node_id is not None]
    for end in found if len(found) != 2 or numbered else ():
        if end.node_id is None:
            help = "write node-id N; in each host"
            yield Finding(f"{names(end)[0]} has no node-id", at=end, help=help)
    linked = resource.connections or resource.meshes or len(numbered) == len(found)
    if len(resource.hosts) > 2 and not linked:
        yield Finding(
            f"{resource.name} has {len(resource.hosts)} hosts and no connections",
            help="write connection-mesh { hosts …; }",
        )


def _volumes(resource: DrbdResource, generation: str) -> Iterator[Finding]:
    ordered = generation != "9"
    layouts = [list(seats(resource, end, ordered=ordered)) for end in ends(resource)]
    if len({tuple((seat.number, seat.implicit) for seat in layout) for layout in layouts}) > 1:
        yield Finding(
            f"the hosts of {resource.name} have different volumes", help="give all the same"
        )
    for seat in (seat for layout in layouts for seat in layout):
        yield from _device(seat)
        meta = seat.meta_disk
        if generation != "8.3" or meta is None or meta.field != "meta_disk":
            continue
        if meta.value != "internal" and "[" not in meta.value:
            help = f"write flexible-meta-disk {meta.value};"
            yield Finding(f"meta-disk {meta.value} has no index", meta.model, meta.field, help)
    for layout in layouts:
        if any(seat.implicit for seat in layout) and any(seat.number for seat in layout):
            message = f"{resource.name} has a device outside of its volumes"
            yield Finding(message, at=layout[0].at, help="write volume 0 { … } around it")


def _device(seat: Seat) -> Iterator[Finding]:
    device = seat.device
    if device is None or " minor " not in device.value:
        return
    named = minor_of(device.value.partition(" ")[0])
    if named is not None and named != seat.minor:
        message = f"device {device.value!r} says two minor numbers"
        yield Finding(message, device.model, device.field, f"write device /dev/drbd{named};")


def _proxies(resource: DrbdResource) -> Iterator[Finding]:
    found = ends(resource)
    if len({bool(end.proxies) for end in found}) > 1:
        without = next(end for end in found if not end.proxies)
        message = f"{names(without)[0]} has no proxy, others have"
        yield Finding(message, at=without, help="write proxy on HOST { … } in all, or in none")
    proxied = [proxy for route in routes(resource) for proxy in route.proxied]
    for proxy in (*(each for end in found for each in end.proxies), *proxied):
        for name in ("inside", "outside"):
            if getattr(proxy, name) is None:
                yield Finding(f"the proxy has no {name}", at=proxy, help=f"write {name} IP:PORT;")


def links(resource: DrbdResource) -> Iterator[Finding]:
    """What 9 refuses of connections."""
    hosts = {name: end for end in resource.hosts for name in names(end)}
    counts = effective(resource)
    for mesh in resource.meshes:
        yield from _ambiguous(mesh.net, counts.net, lens_of(DrbdNet).fields)
        for name in mesh.hosts or ():
            if name not in hosts:
                yield Finding(f"the mesh names {name!r}, which is no host", mesh, "hosts")
            elif hosts[name].address is None:
                yield Finding(f"{name} of the mesh has no address", hosts[name])
            elif hosts[name].proxies:
                yield Finding(f"{name} of the mesh has a proxy", hosts[name], help="use connection")
    numbers = {seat.number for end in hosts.values() for seat in seats(resource, end)}
    for connection in resource.connections:
        yield from _ambiguous(connection.disk, counts.disk, OF_PEER)
        paths = [start(path) for path in connection.paths]
        if paths and any(start(end) > min(paths) for end in connection.ends):
            help = "write every host in a path, or none"
            yield Finding("a connection with hosts behind its paths", connection, "", help)
        for volume in connection.volumes:
            if hosts and volume.number not in numbers:
                yield Finding(
                    f"there is no volume {volume.number}", volume, help="check its number"
                )
            if volume.disk_options is None:
                yield Finding(f"volume {volume.number} is empty", volume, help="write disk { … }")
        for route in connection.routes:
            yield from _route(route, hosts)


def _ambiguous(own: DrbdModel | None, above: DrbdModel, names: Iterable[str]) -> Iterator[Finding]:
    """Of two values, of the resource and of a link, 9 does not know which to take."""
    for name in names if own is not None else ():
        value, other = getattr(own, name), getattr(above, name)
        if value is not None and other is not None and value != other:
            option = name.replace("_", "-")
            message = f"{option} of the link is not that of its resource"
            yield Finding(message, at=own, field=name, help=f"write {option} once")


def _route(route: DrbdConnection | DrbdPath, hosts: Mapping[str, DrbdHost]) -> Iterator[Finding]:
    count = len(route.ends) + len(route.addresses)
    if count != 2:
        yield Finding(f"a link with {count} ends", at=route, help="write two hosts in it")
    if route.hosts and route.proxied:
        yield Finding(
            "a link with one proxy", at=route, help="write via proxy on both ends, or none"
        )
    for end in route.ends:
        host = hosts.get(end.name)
        if host is None:
            yield Finding(f"the link names {end.name!r}, which is no host", end, "name")
        elif host.address is None and end.address is None:
            yield Finding(f"{end.name} has no address, here or in its host", at=end)


def promotes(resource: DrbdResource, generation: str) -> Iterator[Finding]:
    """`become-primary-on` that 8.x refuses."""
    counts = effective(resource)
    wanted = counts.startup.become_primary_on or ()
    if generation == "9" or not wanted:
        return
    at = counts.origins["startup.become_primary_on"].model
    if "both" in wanted and counts.net.allow_two_primaries is None:
        yield Finding(
            "become-primary-on both without allow-two-primaries",
            at=at, field="become_primary_on", help="write net { allow-two-primaries; }",
        )  # fmt: skip
    names = set(resource.host_names())
    for name in wanted if names else ():
        if name != "both" and name not in names:
            yield Finding(
                f"become-primary-on names {name!r}, which is no host of {resource.name}",
                at=at, field="become_primary_on", help=f"one of {', '.join(sorted(names))}",
            )  # fmt: skip


def _contradictions(resource: DrbdResource) -> Iterator[Finding]:
    """The same option twice with two values: 9 refuses, older ones take the last."""
    for model in (resource.net, resource.disk, resource.options, resource.startup):
        source = None if model is None else model._source
        if model is None or source is None:
            continue
        source.values()
        for name, places in source.where.items():
            spelled = {tuple(place.node.values) for place in places}
            if len(spelled) > 1 and name != "become_primary_on":
                key = places[-1].node.key
                yield Finding(
                    f"{key} stands {len(places)} times with different values",
                    at=model, field=name, help="keep one",
                )  # fmt: skip
