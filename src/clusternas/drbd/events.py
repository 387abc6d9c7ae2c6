"""`drbdsetup events2`: the state of DRBD, then every change of it, one line each.

`exists` lines are the state at the start, `exists -` ends them, `create`, `change`, `rename` and
`destroy` follow for as long as the command runs. With `--diff`, a changed value is `old->new`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import attrs

from clusternas.core.command import Output
from clusternas.core.errors import ParseError
from clusternas.drbd import records
from clusternas.drbd.records import Record
from clusternas.drbd.status import UNNAMED, DrbdStatus, Peer, ResourceStatus

__all__ = ["Event", "EventReader", "decode_events", "read_event"]

TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT")
ACTIONS = frozenset({"exists", "create", "change", "rename", "destroy", "call", "response"})
KEYS = {
    "resource": ("name",),
    "device": ("name", "volume"),
    "connection": ("name", "peer-node-id"),
    "peer-device": ("name", "peer-node-id", "volume"),
}
"""The kinds of objects that make the status, and the fields that tell one from another."""


@attrs.frozen(kw_only=True)
class Event:
    """One line.

    Attributes:
        action: `exists`, `create`, `change`, `rename`, `destroy`; of a handler,
            `call` and `response`.
        kind: `resource`, `device`, `connection`, `peer-device`, `path` or `helper`;
            empty for the `exists -` that ends the state at the start.
        fields: the values, the new ones where they changed.
        before: the old values, where `--diff` tells them.
        timestamp: ISO 8601, with `--timestamps`.
    """

    action: str
    kind: str = ""
    fields: Mapping[str, str] = attrs.field(factory=dict)
    before: Mapping[str, str] = attrs.field(factory=dict)
    timestamp: str = ""

    @property
    def end_of_dump(self) -> bool:
        """The state at the start is complete."""
        return self.action == "exists" and not self.kind


def read_event(line: str) -> Event:
    """One line of events2.

    Raises:
        ParseError: it is something else.

    Example:
        >>> event = read_event("change resource name:r0 role:Secondary->Primary")
        >>> event.fields["role"], event.before["role"]
        ('Primary', 'Secondary')
    """
    words = line.split()
    timestamp = words.pop(0) if words and TIMESTAMP.match(words[0]) else ""
    if len(words) < 2 or words[0] not in ACTIONS:
        raise ParseError("not a line of drbdsetup events2", source=line)
    if words[1] == "-":
        return Event(action=words[0], timestamp=timestamp)
    fields: dict[str, str] = {}
    before: dict[str, str] = {}
    for word in words[2:]:
        name, colon, value = word.partition(":")
        if not colon:
            raise ParseError(f"not a field of drbdsetup events2: {word[:40]!r}", source=line)
        old, arrow, new = value.partition("->")
        fields[name] = new if arrow else value
        if arrow:
            before[name] = old
    return Event(action=words[0], kind=words[1], fields=fields, before=before, timestamp=timestamp)


class EventReader:
    r"""Follows events2 and knows the state at every moment.

    Feed it text as it comes; a line that is not complete yet waits for its rest.

    Attributes:
        complete: the state at the start has been read to its end.

    Example:
        >>> reader = EventReader()
        >>> events = reader.feed("exists resource name:r0 role:Primary\nexists -\n")
        >>> [event.kind for event in events]
        ['resource', '']
        >>> reader.complete, reader.status()["r0"].role
        (True, <Role.PRIMARY: 'Primary'>)
    """

    def __init__(self) -> None:
        self.complete = False
        self._rest = ""
        self._objects: dict[tuple[str, ...], Record] = {}

    def feed(self, text: str) -> list[Event]:
        """Take some text; the events of the lines that are complete now."""
        *lines, self._rest = (self._rest + text).split("\n")
        return [self._take(read_event(line)) for line in lines if line.strip()]

    def _take(self, event: Event) -> Event:
        if event.end_of_dump:
            self.complete = True
        elif event.action == "rename":
            self._rename(event.fields["name"], event.fields["new_name"])
        elif event.kind in KEYS:
            key = identity(event)
            if event.action == "destroy":
                self._objects = {k: v for k, v in self._objects.items() if k != key}
            else:
                self._objects.setdefault(key, {}).update(event.fields)
        return event

    def _rename(self, old: str, new: str) -> None:
        self._objects = {
            (kind, new if name == old else name, *rest): {
                **record,
                "name": new if name == old else name,
            }
            for (kind, name, *rest), record in self._objects.items()
        }

    def status(self) -> DrbdStatus:
        """The state as of the last event."""
        return DrbdStatus([self._resource(record) for record in self._all("resource")])

    def _all(self, kind: str, *within: str) -> Iterator[Record]:
        head = (kind, *within)
        return (record for key, record in self._objects.items() if key[: len(head)] == head)

    def _resource(self, record: Record) -> ResourceStatus:
        name = str(record["name"])
        volumes = (records.volume(without(found)) for found in self._all("device", name))
        return records.resource(
            record, volumes, [self._peer(found) for found in self._all("connection", name)]
        )

    def _peer(self, record: Record) -> Peer:
        peer = str(record.get("peer-node-id"))
        volumes = (
            records.peer_volume(without(found))
            for found in self._all("peer-device", str(record["name"]), peer)
        )
        return records.peer(without(record) | {"name": record.get("conn-name", UNNAMED)}, volumes)


def identity(event: Event) -> tuple[str, ...]:
    """The key of the object that an event is about."""
    return (event.kind, *(event.fields.get(name, "") for name in KEYS[event.kind]))


def without(record: Record) -> Record:
    """The fields of an object without those that say whose it is."""
    return {k: v for k, v in record.items() if k not in ("name", "conn-name")}


def decode_events(output: Output) -> DrbdStatus:
    """The output of `drbdsetup events2 --now`.

    Raises:
        ParseError: it is something else, or ends before `exists -`.
    """
    reader = EventReader()
    reader.feed(output.text)
    if not reader.complete:
        raise ParseError("the output of drbdsetup events2 ends before 'exists -'")
    return reader.status()
