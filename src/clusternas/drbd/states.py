"""The states DRBD gives roles, disks, links and replication; the same names since 8.3."""

from __future__ import annotations

import enum

__all__ = ["ConnectionState", "DiskState", "ReplicationState", "Role"]


class Role(enum.StrEnum):
    """The role of a node in a resource."""

    PRIMARY = "Primary"
    SECONDARY = "Secondary"
    UNKNOWN = "Unknown"


class DiskState(enum.StrEnum):
    """The state of the data of a volume on a node, from none to current."""

    DISKLESS = "Diskless"
    ATTACHING = "Attaching"
    DETACHING = "Detaching"
    FAILED = "Failed"
    NEGOTIATING = "Negotiating"
    INCONSISTENT = "Inconsistent"
    OUTDATED = "Outdated"
    UNKNOWN = "DUnknown"
    CONSISTENT = "Consistent"
    UP_TO_DATE = "UpToDate"


class ConnectionState(enum.StrEnum):
    """The state of a link, as DRBD 9 names it; the WFConnection of 8.x is `CONNECTING`."""

    STAND_ALONE = "StandAlone"
    DISCONNECTING = "Disconnecting"
    UNCONNECTED = "Unconnected"
    TIMEOUT = "Timeout"
    BROKEN_PIPE = "BrokenPipe"
    NETWORK_FAILURE = "NetworkFailure"
    PROTOCOL_ERROR = "ProtocolError"
    TEAR_DOWN = "TearDown"
    CONNECTING = "Connecting"
    CONNECTED = "Connected"


class ReplicationState(enum.StrEnum):
    """What a volume does on a connected link; the Connected of 8.x is `ESTABLISHED`."""

    OFF = "Off"
    ESTABLISHED = "Established"
    STARTING_SYNC_SOURCE = "StartingSyncS"
    STARTING_SYNC_TARGET = "StartingSyncT"
    WAIT_BITMAP_SOURCE = "WFBitMapS"
    WAIT_BITMAP_TARGET = "WFBitMapT"
    WAIT_SYNC_UUID = "WFSyncUUID"
    SYNC_SOURCE = "SyncSource"
    SYNC_TARGET = "SyncTarget"
    VERIFY_SOURCE = "VerifyS"
    VERIFY_TARGET = "VerifyT"
    PAUSED_SYNC_SOURCE = "PausedSyncS"
    PAUSED_SYNC_TARGET = "PausedSyncT"
    AHEAD = "Ahead"
    BEHIND = "Behind"
