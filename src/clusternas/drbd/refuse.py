"""What drbdadm checks when it has read a file: what is missing, twice, or does not fit together."""

from __future__ import annotations

from collections.abc import Iterator

from clusternas.core.diagnostics import Finding
from clusternas.drbd.hosts import DrbdHost, DrbdStorage, minor_of
from clusternas.drbd.inherit import effective
from clusternas.drbd.model import DrbdResource

__all__ = ["promotes", "refusals"]


def refusals(resource: DrbdResource, generation: str) -> Iterator[Finding]:
    """What drbdadm of a generation refuses of a resource whose grammar is right."""
    yield from _missing(resource, generation)
    yield from _hosts(resource, generation)
    yield from _devices(resource, generation)
    yield from promotes(resource, generation)
    if generation == "9":
        yield from _contradictions(resource)


def _missing(resource: DrbdResource, generation: str) -> Iterator[Finding]:
    if generation == "8.3" and effective(resource).net.protocol is None:
        yield Finding(f"{resource.name} has no protocol", help="write protocol C; before the hosts")
    linked = bool(resource.connections or resource.meshes)
    for host in resource.hosts:
        if host.address is None and not (linked and generation == "9"):
            yield Finding(f"{host.name} has no address", at=host, help="write address IP:PORT;")
        for storage in host.storage:
            yield from _storage(resource, host, storage, generation)


def _storage(
    resource: DrbdResource, host: DrbdHost, storage: DrbdStorage, generation: str
) -> Iterator[Finding]:
    above = _above(resource, host, storage)
    wanted = {
        "device": storage.device or above.get("device"),
        "disk": storage.disk or above.get("disk"),
        "meta-disk": storage.meta_disk or storage.flexible_meta_disk or above.get("meta-disk"),
    }
    if generation == "9" and wanted["meta-disk"] is None:
        del wanted["meta-disk"]
    for name, value in wanted.items():
        if value is None:
            yield Finding(f"{host.name} has no {name}", at=storage, help=f"write {name} in it")


def _above(resource: DrbdResource, host: DrbdHost, storage: DrbdStorage) -> dict[str, str | None]:
    """What a volume or host may leave out, since the resource says it."""
    found: dict[str, str | None] = {
        "device": resource.device,
        "disk": resource.backing_disk,
        "meta-disk": resource.meta_disk or resource.flexible_meta_disk,
    }
    for volume in resource.volumes:
        if storage is host or getattr(storage, "number", None) == volume.number:
            own = {
                "device": volume.device,
                "disk": volume.disk,
                "meta-disk": volume.meta_disk or volume.flexible_meta_disk,
            }
            found |= {name: value for name, value in own.items() if value is not None}
    return found


def _hosts(resource: DrbdResource, generation: str) -> Iterator[Finding]:
    hosts = len(resource.hosts)
    ends = hosts + len(resource.floating) + len(resource.stacked)
    if generation == "8.3" and ends == 0:
        yield Finding(f"{resource.name} has no hosts", help="write on HOST { … } for each")
    if generation != "9":
        return
    if ends < 2 and not resource.connections:
        yield Finding(
            f"{resource.name} has fewer than two hosts", help="write on HOST { … } for each"
        )
    with_id = [host for host in resource.hosts if host.node_id is not None]
    named = set(resource.host_names())
    for mesh in resource.meshes:
        for name in mesh.hosts or ():
            if name not in named:
                yield Finding(f"the mesh names {name!r}, which is no host", at=mesh, field="hosts")
    if (ends != 2 or with_id) and len(with_id) != hosts and not resource.stacked:
        for host in resource.hosts:
            if host.node_id is None:
                yield Finding(
                    f"{host.name} has no node-id", at=host, help="write node-id N; in each host"
                )
    if hosts > 2 and not (resource.connections or resource.meshes or len(with_id) == hosts):
        yield Finding(
            f"{resource.name} has {hosts} hosts and no connections",
            help="write connection-mesh { hosts …; }",
        )


def _devices(resource: DrbdResource, generation: str) -> Iterator[Finding]:
    numbers = {tuple(sorted(volume.number for volume in host.volumes)) for host in resource.hosts}
    if len(numbers) > 1:
        yield Finding(
            f"the hosts of {resource.name} have different volumes", help="give all the same"
        )
    for host in resource.hosts:
        for storage in host.storage:
            device = storage.device
            if device and " minor " in device:
                named = minor_of(device.partition(" ")[0])
                if named is not None and named != storage.minor:
                    yield Finding(
                        f"device {device!r} says two minor numbers",
                        at=storage, field="device", help=f"write device /dev/drbd{named};",
                    )  # fmt: skip
            meta = storage.meta_disk
            if generation == "8.3" and meta and meta != "internal" and "[" not in meta:
                yield Finding(
                    f"meta-disk {meta} has no index",
                    at=storage, field="meta_disk", help=f"write flexible-meta-disk {meta};",
                )  # fmt: skip


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
            if len(spelled) > 1:
                key = places[-1].node.key
                yield Finding(
                    f"{key} stands {len(places)} times with different values",
                    at=model, field=name, help="keep one",
                )  # fmt: skip
