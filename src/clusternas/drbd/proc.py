"""/proc/drbd, drbd-overview and the XML of `drbdadm status`: how DRBD 8 reports itself.

/proc/drbd knows minor numbers only; a resource is then called by its device, `drbd1`, unless the
names are given. See `drbd_seq_show` in the kernel, drivers/block/drbd/drbd_proc.c.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import attrs

from clusternas.core.command import Output
from clusternas.core.errors import ParseError
from clusternas.drbd import records
from clusternas.drbd.status import (
    UNNAMED,
    ConnectionState,
    DiskState,
    DrbdStatus,
    Peer,
    Peers,
    PeerVolume,
    ReplicationState,
    ResourceStatus,
    Role,
    SyncProgress,
    Volume,
)

__all__ = ["ProcDrbd", "decode_overview", "decode_proc", "decode_status_xml", "read_proc"]

DEVICE = re.compile(
    r"^\s*(?P<minor>\d+): cs:(?P<cs>\w+)"
    r"(?: (?:ro|st):(?P<role>\w+)/(?P<peer>\w+) ds:(?P<disk>\w+)/(?P<pdisk>\w+)"
    r" +(?P<protocol>[ABC])? *(?P<flags>[-\w]+)?)?"
)
PROGRESS = re.compile(r"(?:sync'ed|verified):\s*(?P<percent>\d+(?:\.\d+)?)%")
SPEED = re.compile(r"finish: (?P<h>\d+):(?P<m>\d+):(?P<s>\d+) speed: (?P<rate>[\d,]+)")
OVERVIEW = re.compile(
    r"^\s*(?P<minor>\d+):(?P<name>[^\s/]+)(?:/(?P<volume>\d+))?\s+(?:\^\^\S+\s+)?(?P<cs>\w+)"
    r"\s+(?P<role>[\w.]+)(?:/(?P<peer>\w+))?\s+(?P<disk>[\w.]+)(?:/(?P<pdisk>\w+))?"
)
XML = re.compile(r"<resource\s(?P<fields>[^>]*?)/?>")
XML_FIELD = re.compile(r'(\w+)="([^"]*)"')
REPLICATING = frozenset(map(str, ReplicationState))
SUSPENDERS = {"a": "dependency", "p": "peer", "u": "user"}


@attrs.frozen(kw_only=True)
class ProcDrbd:
    """What /proc/drbd says.

    Attributes:
        version: of the kernel module, `8.4.11`.
        api: version of the interface to drbdsetup.
        status: the devices; see the module for their names.
    """

    version: str
    api: int | None
    status: DrbdStatus


@attrs.frozen(kw_only=True)
class Device:
    """One device as 8.x reports it: a resource with one volume and one link, or a volume of it."""

    resource: str
    volume: Volume
    link: PeerVolume
    role: Role
    peer_role: Role
    connection: ConnectionState
    suspended: bool = False


def link_states(cs: str) -> tuple[ConnectionState, ReplicationState]:
    """The one connection state of 8.x as the two of DRBD 9."""
    if cs in ("WFConnection", "WFReportParams"):
        return ConnectionState.CONNECTING, ReplicationState.OFF
    if cs == "Connected":
        return ConnectionState.CONNECTED, ReplicationState.ESTABLISHED
    if cs in REPLICATING:
        return ConnectionState.CONNECTED, ReplicationState(cs)
    return records.state(ConnectionState, cs), ReplicationState.OFF


def device(
    found: Mapping[str, str | None],
    resource: str,
    number: int,
    details: str,
) -> Device:
    """A device from its named fields and the lines below it."""
    connection, replication = link_states(found["cs"] or "")
    counters = dict(re.findall(r"(?<!\S)([a-z]+):(\S+)", details))
    flags = found.get("flags") or ""
    oos = counters.get("oos")
    return Device(
        resource=resource,
        role=records.state(Role, found["role"]),
        peer_role=records.state(Role, found["peer"]),
        connection=connection,
        suspended=flags.startswith("s"),
        volume=Volume(
            number=number,
            minor=records.number(found["minor"]),
            disk_state=records.state(DiskState, found["disk"]),
            extra={
                name: value for name, value in counters.items() if name in ("al", "lo", "ep", "wo")
            },
        ),
        link=PeerVolume(
            number=number,
            disk_state=records.state(DiskState, found["pdisk"]),
            replication_state=replication,
            out_of_sync=None if oos is None else records.number(oos),
            sync=progress(details) if replication in records.SYNCING else None,
            resync_suspended=tuple(SUSPENDERS[flag] for flag in flags[1:4] if flag in SUSPENDERS),
            extra={
                name: value
                for name, value in counters.items()
                if name in ("ns", "nr", "pe", "ua", "ap")
            },
        ),
    )


def progress(details: str) -> SyncProgress:
    """The progress bar and the speed below it."""
    percent, speed = PROGRESS.search(details), SPEED.search(details)
    return SyncProgress(
        percent=float(percent["percent"]) if percent else None,
        rate=float(speed["rate"].replace(",", "")) if speed else None,
        seconds_left=int(speed["h"]) * 3600 + int(speed["m"]) * 60 + int(speed["s"])
        if speed
        else None,
        stalled="stalled" in details,
    )


def status(devices: Iterable[Device]) -> DrbdStatus:
    """Devices gathered into resources."""
    groups: dict[str, list[Device]] = {}
    for found in devices:
        groups.setdefault(found.resource, []).append(found)
    return DrbdStatus([gathered(name, group) for name, group in groups.items()])


def gathered(name: str, group: list[Device]) -> ResourceStatus:
    """The devices of one resource as one status."""
    first = group[0]
    peer = Peer(
        name=UNNAMED,
        connection_state=first.connection,
        role=first.peer_role,
        volumes={found.link.number: found.link for found in group},
    )
    return ResourceStatus(
        name=name,
        role=first.role,
        suspended=("user",) if any(found.suspended for found in group) else (),
        volumes={found.volume.number: found.volume for found in group},
        peers=Peers([peer]),
    )


def read_proc(text: str, names: Mapping[int, tuple[str, int]] | None = None) -> ProcDrbd:
    r"""The text of /proc/drbd.

    Args:
        text: of the file.
        names: resource and volume number of each minor, as the configuration has them.

    Raises:
        ParseError: it is something else.

    Example:
        >>> device = " 1: cs:WFConnection ro:Primary/Unknown ds:UpToDate/DUnknown C r-----"
        >>> text = f"version: 8.3.11 (api:88/proto:86-96)\n{device}\n"
        >>> read_proc(text, {1: ("r0", 0)}).status["r0"].peers["peer"].connection_state
        <ConnectionState.CONNECTING: 'Connecting'>
    """
    version = re.match(r"version: (\S+)(?: \(api:(\d+))?", text)
    if not version:
        raise ParseError(
            "not /proc/drbd: it begins with the version", hint="is the drbd module loaded?"
        )
    found: list[Device] = []
    for line in re.split(r"\n(?= *\d+: cs:)", text)[1:]:
        match = DEVICE.match(line)
        if not match:
            raise ParseError("not a device of /proc/drbd", source=line.splitlines()[0])
        if match["role"]:
            minor = int(match["minor"])
            name, number = (names or {}).get(minor, (f"drbd{minor}", 0))
            found.append(device(match.groupdict(), name, number, line[match.end() :]))
    return ProcDrbd(
        version=version[1], api=int(version[2]) if version[2] else None, status=status(found)
    )


def decode_proc(output: Output, *, names: Mapping[int, tuple[str, int]] | None = None) -> ProcDrbd:
    """The output of `cat /proc/drbd`; see `read_proc`."""
    return read_proc(output.text, names)


def decode_overview(output: Output) -> DrbdStatus:
    """The output of drbd-overview of DRBD 8.3 and 8.4.

    A device that is configured but not up is left out, as drbd-overview knows nothing of it.

    Raises:
        ParseError: it is something else, or the abbreviated output for DRBD 9.
    """
    found: list[Device] = []
    for block in re.split(r"\n(?= *\d+:)", output.text):
        if not block.strip() or block.startswith("NOTE:"):
            continue
        match = OVERVIEW.match(block)
        if not match:
            raise ParseError(
                "not the output of drbd-overview",
                source=block.splitlines()[0],
                hint="for DRBD 9 read drbdadm status",
            )
        if match["peer"]:
            found.append(
                device(
                    match.groupdict(),
                    match["name"],
                    int(match["volume"] or 0),
                    block[match.end() :],
                )
            )
    return status(found)


def decode_status_xml(output: Output) -> DrbdStatus:
    """The output of `drbdadm status` of DRBD 8.3 and 8.4.0, which looks like XML.

    It is read field by field, since a suspended device has attributes without values there.

    Raises:
        ParseError: it is something else.
    """
    if "<drbd-status" not in output.text:
        raise ParseError("not the status XML of drbdadm 8.3")
    return status(filter(None, map(xml_device, XML.finditer(output.text))))


def xml_device(match: re.Match[str]) -> Device | None:
    """One `<resource …/>`; None if it is not up."""
    fields = dict(XML_FIELD.findall(match["fields"]))
    if "ds1" not in fields:
        return None
    name = fields.get("name", f"drbd{fields['minor']}")
    found = {
        "minor": fields["minor"],
        "cs": fields["cs"],
        "role": fields["ro1"],
        "peer": fields["ro2"],
        "disk": fields["ds1"],
        "pdisk": fields["ds2"],
    }
    done = fields.get("resynced_percent")
    result = device(found, name, int(fields.get("volume", 0)), f"sync'ed: {done}%" if done else "")
    suspended = re.search(r"(?<!\S)suspended(?!\S)", match["fields"]) is not None
    return attrs.evolve(result, suspended=suspended)
