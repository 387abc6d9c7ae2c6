"""From the fields DRBD prints to status values: one mapping, whatever the form of the output.

`drbdsetup status --json` spells fields in full (`peer-disk-state`), the text forms in short
(`peer-disk`); both come here as a mapping. What is not known by name goes to `extra`.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from math import isnan
from typing import TypeVar

from clusternas.core.errors import ParseError
from clusternas.drbd.status import (
    ConnectionState,
    DiskState,
    Peer,
    Peers,
    PeerVolume,
    ReplicationState,
    ResourceStatus,
    Role,
    SyncProgress,
    Volume,
)

__all__ = ["Record", "peer", "peer_volume", "resource", "state", "volume"]

Record = dict[str, object]
T = TypeVar("T")
E = TypeVar("E", bound=enum.StrEnum)

SYNCING = frozenset(
    {
        ReplicationState.SYNC_SOURCE,
        ReplicationState.SYNC_TARGET,
        ReplicationState.VERIFY_SOURCE,
        ReplicationState.VERIFY_TARGET,
        ReplicationState.PAUSED_SYNC_SOURCE,
        ReplicationState.PAUSED_SYNC_TARGET,
    }
)


def state(kind: type[E], value: object) -> E:
    """A state by its name.

    Raises:
        ParseError: no version of DRBD has a state of that name.
    """
    try:
        return kind(str(value))
    except ValueError:
        raise ParseError(
            f"not a {kind.__name__} of DRBD: {str(value)[:40]!r}", hint=f"known: {', '.join(kind)}"
        ) from None


def number(value: object) -> int:
    """A whole number; what is not one is nonsense."""
    try:
        return int(str(value))
    except ValueError:
        raise ParseError(f"not a number: {str(value)[:40]!r}") from None


def decimal(value: object) -> float:
    """A number with a fraction."""
    try:
        return float(str(value))
    except ValueError:
        raise ParseError(f"not a number: {str(value)[:40]!r}") from None


def flag(value: object) -> bool:
    """`yes` or true."""
    return value is True or value == "yes"


def reasons(value: object) -> tuple[str, ...]:
    """`no`, or the reasons with commas between them."""
    if value is True or value == "yes":
        return ("user",)
    if value is False or value in ("no", ""):
        return ()
    return tuple(str(value).split(","))


class Fields:
    """A record that is used up field by field; what is left is `extra`."""

    def __init__(self, record: Record) -> None:
        self.left = dict(record)

    def take(self, names: str, read: Callable[[object], T], default: T) -> T:
        """The first field that is there of several names, read, or the default."""
        found = self.find(names, read)
        return default if found is None else found

    def find(self, names: str, read: Callable[[object], T]) -> T | None:
        """The first field that is there of several names, read, or None."""
        found = [self.left.pop(name) for name in names.split("|") if name in self.left]
        return read(found[0]) if found else None


def resource(record: Record, volumes: Iterable[Volume], peers: Iterable[Peer]) -> ResourceStatus:
    """A resource from its own fields, its volumes and its peers."""
    fields = Fields(record)
    because = [
        name.removeprefix("suspended-")
        for name in list(fields.left)
        if name.startswith("suspended-") and flag(fields.left.pop(name))
    ]
    held = fields.find("suspended", reasons)
    return ResourceStatus(
        name=str(fields.left.pop("name", "")),
        role=fields.take("role", lambda value: state(Role, value), Role.UNKNOWN),
        suspended=tuple(because) or held or (),
        volumes={volume.number: volume for volume in volumes},
        peers=Peers(list(peers)),
        node_id=fields.find("node-id", number),
        extra=fields.left,
    )


def volume(record: Record) -> Volume:
    """A local volume."""
    fields = Fields(record)
    return Volume(
        number=fields.take("volume", number, 0),
        minor=fields.find("minor", number),
        disk_state=fields.take(
            "disk-state|disk", lambda value: state(DiskState, value), DiskState.UNKNOWN
        ),
        size=fields.find("size", number),
        client=fields.take("client", flag, False),
        quorum=fields.take("quorum", flag, True),
        extra=fields.left,
    )


def peer(record: Record, volumes: Iterable[PeerVolume]) -> Peer:
    """A link from its own fields and its volumes."""
    fields = Fields(record)
    return Peer(
        name=str(fields.left.pop("name", "")),
        connection_state=fields.take(
            "connection-state|connection",
            lambda value: state(ConnectionState, value),
            ConnectionState.CONNECTED,
        ),
        role=fields.take("peer-role|role", lambda value: state(Role, value), Role.UNKNOWN),
        volumes={volume.number: volume for volume in volumes},
        node_id=fields.find("peer-node-id|node-id", number),
        extra=fields.left,
    )


def peer_volume(record: Record) -> PeerVolume:
    """A volume seen over a link."""
    fields = Fields(record)
    doing = fields.take(
        "replication-state|replication",
        lambda value: state(ReplicationState, value),
        ReplicationState.ESTABLISHED if "peer-disk" in record else ReplicationState.OFF,
    )
    progress = sync(fields)
    return PeerVolume(
        number=fields.take("volume", number, 0),
        disk_state=fields.take(
            "peer-disk-state|peer-disk", lambda value: state(DiskState, value), DiskState.UNKNOWN
        ),
        replication_state=doing,
        out_of_sync=fields.find("out-of-sync", number),
        sync=progress if doing in SYNCING else None,
        resync_suspended=fields.find("resync-suspended", reasons) or (),
        extra=fields.left,
    )


NEVER = 987654321
"""What `drbdsetup status --json` says in place of a time that it cannot know; the text says nan."""


def sync(fields: Fields) -> SyncProgress:
    """The progress fields; the rates are in MiB/s, of the newest sync mark if that is told."""
    newest = fields.find("db0/dt0 [MiB/s]|dbdt0|dbdt1", decimal)
    left = fields.find("estimated-seconds-to-finish|eta", decimal)
    done = fields.find("percent-resync-done", decimal)
    in_sync = fields.find("percent-in-sync|done", decimal)
    return SyncProgress(
        percent=in_sync if done is None else done,
        rate=None if newest is None else newest * 1024,
        seconds_left=None if left is None or isnan(left) or left == NEVER else round(left),
        stalled=newest == 0.0,
    )
