"""`drbdsetup status --json` and `drbdsetup show --json`: DRBD 9 only.

The set of keys grows with every release, so unknown ones are kept in `extra`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import attrs

from clusternas.core.command import Output
from clusternas.core.errors import ParseError
from clusternas.drbd import records
from clusternas.drbd.records import Record
from clusternas.drbd.status import DrbdStatus, Peer, ResourceStatus

__all__ = [
    "RunningConnection",
    "RunningResource",
    "RunningVolume",
    "decode_show",
    "decode_status_json",
]


def array(output: Output, what: str) -> list[Record]:
    """The JSON array of objects that drbdsetup prints."""
    try:
        value = json.loads(output.text)
    except ValueError as error:
        raise ParseError(
            f"not the JSON of {what}: {error}",
            hint="an 8.4 kernel module knows no --json: read drbdsetup status instead",
        ) from None
    return objects(value, what)


def objects(value: object, what: str) -> list[Record]:
    """A list of JSON objects, and nothing else."""
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise ParseError(f"not {what}: a list of objects was expected")
    return value


def decode_status_json(output: Output) -> DrbdStatus:
    """The output of `drbdsetup status --json`.

    Raises:
        ParseError: it is not JSON of that shape.
    """
    return DrbdStatus([resource(item) for item in array(output, "drbdsetup status")])


def resource(item: Record) -> ResourceStatus:
    """One resource."""
    item = dict(item)
    devices = objects(item.pop("devices", []), "devices")
    connections = objects(item.pop("connections", []), "connections")
    return records.resource(item, map(records.volume, devices), map(connection, connections))


def connection(item: Record) -> Peer:
    """One link."""
    item = dict(item)
    volumes = objects(item.pop("peer_devices", []), "peer_devices")
    return records.peer(item, map(records.peer_volume, volumes))


@attrs.frozen(kw_only=True)
class RunningVolume:
    """A volume as the kernel runs it.

    Attributes:
        backing_disk: the device below, or `none`.
        disk: options that differ from their defaults, as the kernel prints them.
    """

    number: int
    minor: int
    backing_disk: str = "none"
    meta_disk: str = ""
    disk: Mapping[str, object] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class RunningConnection:
    """A link as the kernel runs it.

    Attributes:
        peer_node_id: the number of the other node.
        paths: pairs of local and remote address, `ipv4:10.0.0.1:7789`.
        net: options that differ from their defaults.
        volumes: per volume number, the options of the link for it.
    """

    peer_node_id: int
    name: str = ""
    paths: tuple[tuple[str, str], ...] = ()
    net: Mapping[str, object] = attrs.field(factory=dict)
    volumes: Mapping[int, Mapping[str, object]] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class RunningResource:
    """The configuration of a resource as the kernel runs it."""

    name: str
    node_id: int
    options: Mapping[str, object] = attrs.field(factory=dict)
    volumes: tuple[RunningVolume, ...] = ()
    connections: tuple[RunningConnection, ...] = ()


def decode_show(output: Output) -> tuple[RunningResource, ...]:
    """The output of `drbdsetup show --json`.

    Raises:
        ParseError: it is not JSON of that shape.
    """
    return tuple(running(item) for item in array(output, "drbdsetup show"))


def section(value: object, what: str) -> Record:
    """A JSON object, or an empty one where there is none."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ParseError(f"not {what}: an object was expected")
    return value


def running(item: Record) -> RunningResource:
    host = section(item.get("_this_host"), "_this_host")
    return RunningResource(
        name=str(item.get("resource", "")),
        node_id=records.number(host.get("node-id", -1)),
        options=section(item.get("options"), "options"),
        volumes=tuple(map(running_volume, objects(host.get("volumes", []), "volumes"))),
        connections=tuple(
            map(running_connection, objects(item.get("connections", []), "connections"))
        ),
    )


def running_volume(item: Record) -> RunningVolume:
    return RunningVolume(
        number=records.number(item.get("volume_nr")),
        minor=records.number(item.get("device_minor")),
        backing_disk=str(item.get("backing-disk", "none")),
        meta_disk=str(item.get("meta-disk", "")),
        disk=section(item.get("disk"), "disk"),
    )


def running_connection(item: Record) -> RunningConnection:
    net = dict(section(item.get("net"), "net"))
    paths = objects(item.get("paths", [item["path"]] if "path" in item else []), "paths")
    volumes = objects(item.get("volumes", []), "volumes")
    return RunningConnection(
        peer_node_id=records.number(item.get("_peer_node_id")),
        name=str(net.pop("_name", "")),
        paths=tuple(
            (str(path.get("_this_host", "")), str(path.get("_remote_host", ""))) for path in paths
        ),
        net=net,
        volumes={
            records.number(volume.get("volume_nr")): section(volume.get("disk"), "disk")
            for volume in volumes
        },
    )
