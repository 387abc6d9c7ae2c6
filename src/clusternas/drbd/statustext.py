"""`drbdadm status` and `drbdsetup status [--verbose] [--statistics]`: indented `name:value` words.

The text of drbd-utils 9 in front of an 8.4 module, which knows no `--json`, and of every DRBD 9.
A line that gets long is wrapped and goes on deeper; see `print_resource_status` and `wrap_printf`
in drbd-utils, user/v9/drbdsetup.c.
"""

from __future__ import annotations

import re

import attrs

from clusternas.core.command import Output
from clusternas.core.errors import CommandFailed, ParseError
from clusternas.drbd import records
from clusternas.drbd.records import Record
from clusternas.drbd.status import DrbdStatus, Peer, ResourceStatus

__all__ = ["decode_status", "decode_status_of_all"]

DOWN = re.compile(r"^\S+: No such resource$", re.MULTILINE)
"""What drbdadm says of a resource that is down, where the module is 8.4."""

DEVICE = ("volume", "minor", "disk", "client", "backing_dev", "quorum")
PEER_DEVICE = ("volume", "replication", "peer-disk", "peer-client")


@attrs.define
class PeerBlock:
    """A peer while its lines are read."""

    record: Record
    volumes: list[Record] = attrs.field(factory=list)

    def value(self) -> Peer:
        return records.peer(self.record, [records.peer_volume(v) for v in self.volumes])


@attrs.define
class ResourceBlock:
    """A resource while its lines are read."""

    record: Record
    volumes: list[Record] = attrs.field(factory=list)
    peers: list[PeerBlock] = attrs.field(factory=list)

    def value(self) -> ResourceStatus:
        return records.resource(
            self.record,
            [records.volume(v) for v in self.volumes],
            [peer.value() for peer in self.peers],
        )


def fields(words: list[str]) -> Record:
    """`name:value` words as a record; a value may hold colons."""
    record: Record = {}
    for word in words:
        name, colon, value = word.partition(":")
        if not colon or not name:
            raise ParseError(f"not a field of drbdadm status: {word[:40]!r}")
        record[name] = value
    return record


def blocks(text: str) -> list[ResourceBlock]:
    """The resources of the text, line by line."""
    found: list[ResourceBlock] = []
    current: Record = {}
    for line in text.splitlines():
        words = line.split()
        if not words or line.startswith("#"):
            continue
        depth = len(line) - len(line.lstrip())
        if depth == 0:
            current = {"name": words[0], **fields(words[1:])}
            found.append(ResourceBlock(current))
        elif not found:
            raise ParseError("not the output of drbdadm status", source=line)
        else:
            current = nested(found[-1], depth, words, current)
    return found


def nested(block: ResourceBlock, depth: int, words: list[str], current: Record) -> Record:
    """Put a line inside a resource where it belongs; the record that a wrapped line would go on."""
    first, colon, _ = words[0].partition(":")
    if depth == 2 and colon and first in DEVICE:
        block.volumes.append(fields(words))
        return block.volumes[-1]
    if depth == 2:
        block.peers.append(PeerBlock({"name": words[0], **fields(words[1:])}))
        return block.peers[-1].record
    if depth == 4 and block.peers and first in PEER_DEVICE:
        block.peers[-1].volumes.append(fields(words))
        return block.peers[-1].volumes[-1]
    current.update(fields(words))
    return current


def decode_status(output: Output) -> DrbdStatus:
    r"""The output of `drbdadm status`.

    Raises:
        ParseError: it is something else.

    Example:
        >>> text = b"r0 role:Primary\n  disk:UpToDate\n  nas02 connection:Connecting\n"
        >>> decode_status(Output(stdout=text))["r0"].peers["nas02"].connected
        False
    """
    return DrbdStatus([block.value() for block in blocks(output.text)])


def decode_status_of_all(output: Output) -> DrbdStatus:
    """The output of `drbdadm status` for all resources: of those that are up.

    Raises:
        CommandFailed: it complains of something else than that some are down.
        ParseError: it is something else.
    """
    if output.exit_code and not DOWN.search(output.error_text):
        raise CommandFailed(
            f"drbdadm status failed with exit code {output.exit_code}",
            exit_code=output.exit_code,
            stdout=output.text,
            stderr=output.error_text,
        )
    return decode_status(output)
