"""What LVM reports, typed: volume groups, physical and logical volumes, of both generations.

Modern tools report JSON (`--reportformat json` since 2.02.158, `json_std` since 2.03.17), older
ones lines of `LVM2_VG_NAME='…'` (`--nameprefixes`). Both go through the same decoders. Sizes are
bytes: the commands ask for `--units b --nosuffix`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TypeAlias

import attrs

from clusternas.core.command import Output
from clusternas.core.errors import ParseError

__all__ = [
    "LogicalVolume",
    "PhysicalVolume",
    "Report",
    "VolumeGroup",
    "logical_volumes",
    "physical_volumes",
    "report",
    "volume_groups",
]

Row: TypeAlias = Mapping[str, object]
PREFIXED = re.compile(r"LVM2_([A-Z0-9_]+)='([^']*)'")
OBJECT = re.compile(r"^[ \t]*+\{", re.MULTILINE)
ATTEMPTS = 20
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


@attrs.frozen(kw_only=True)
class VolumeGroup:
    """A volume group as `vgs` reports it.

    Attributes:
        name, uuid: what it is called.
        attr: the attribute bits of vgs(8), e.g. `wz--nc`.
        size, free, extent_size: bytes, or None where not reported.
        pv_count, lv_count, seqno: numbers, or None.
        lock_type, lock_args: of lvmlockd, e.g. `dlm` and `1.0.0:NASCluster`.
        extra: every other reported field.
    """

    name: str
    uuid: str = ""
    attr: str = ""
    size: int | None = None
    free: int | None = None
    extent_size: int | None = None
    pv_count: int | None = None
    lv_count: int | None = None
    seqno: int | None = None
    lock_type: str = ""
    lock_args: str = ""
    extra: Mapping[str, str] = attrs.field(factory=dict, hash=False)

    @property
    def writeable(self) -> bool:
        """Bit 1: metadata may be changed."""
        return self.attr[:1] == "w"

    @property
    def exported(self) -> bool:
        """Bit 3: exported with vgexport."""
        return self.attr[2:3] == "x"

    @property
    def partial(self) -> bool:
        """Bit 4: a physical volume is missing."""
        return self.attr[3:4] == "p"

    @property
    def clustered(self) -> bool:
        """Bit 6 is `c`: clvmd guards it."""
        return self.attr[5:6] == "c"

    @property
    def shared(self) -> bool:
        """Bit 6 is `s`: lvmlockd guards it."""
        return self.attr[5:6] == "s"


@attrs.frozen(kw_only=True)
class PhysicalVolume:
    """A physical volume as `pvs` reports it.

    Attributes:
        device: its path, or `[unknown]`.
        vg: the group it is in; empty for none.
        uuid: what LVM knows it by, on whatever device it appears.
        attr: the attribute bits of pvs(8), e.g. `a--`.
        size, free, device_size: bytes, or None where not reported.
        extra: every other reported field.
    """

    device: str
    vg: str = ""
    uuid: str = ""
    attr: str = ""
    size: int | None = None
    free: int | None = None
    device_size: int | None = None
    extra: Mapping[str, str] = attrs.field(factory=dict, hash=False)

    @property
    def allocatable(self) -> bool:
        """Bit 1 is `a`: volumes may be put on it."""
        return self.attr[:1] == "a"

    @property
    def duplicate(self) -> bool:
        """Bit 1 is `d`: another device has the same label, as below a DRBD without a filter."""
        return self.attr[:1] == "d"

    @property
    def missing(self) -> bool:
        """Bit 3: its device is gone."""
        return self.attr[2:3] == "m"


@attrs.frozen(kw_only=True)
class LogicalVolume:
    """A logical volume as `lvs` reports it.

    With lvmlockd the fields `lv_active_exclusively` and `lv_active_locally` in `extra` are always
    set where it is active: which lock is held, only `lvmlockctl` says.

    Attributes:
        name, vg, uuid: what it is called; the name in brackets for volumes LVM keeps for itself.
        attr: the attribute bits of lvs(8), e.g. `-wi-ao----`; older tools print fewer.
        size: bytes, or None where not reported.
        path: its device, where the tool reports it.
        extra: every other reported field.
    """

    name: str
    vg: str
    uuid: str = ""
    attr: str = ""
    size: int | None = None
    path: str = ""
    extra: Mapping[str, str] = attrs.field(factory=dict, hash=False)

    @property
    def kind(self) -> str:
        """Bit 1: the type of volume, `-` for linear and striped."""
        return self.attr[:1]

    @property
    def writeable(self) -> bool:
        """Bit 2."""
        return self.attr[1:2] == "w"

    @property
    def active(self) -> bool:
        """Bit 5 is `a`: its device exists on this node."""
        return self.attr[4:5] == "a"

    @property
    def suspended(self) -> bool:
        """Bit 5 is `s`: I/O waits."""
        return self.attr[4:5] == "s"

    @property
    def open(self) -> bool:
        """Bit 6: something uses it, like a mount."""
        return self.attr[5:6] == "o"

    @property
    def partial(self) -> bool:
        """Bit 9 is `p`: a physical volume is missing."""
        return self.attr[8:9] == "p"


@attrs.frozen(kw_only=True)
class Report:
    """Everything of one `lvm fullreport`."""

    volume_groups: tuple[VolumeGroup, ...] = ()
    physical_volumes: tuple[PhysicalVolume, ...] = ()
    logical_volumes: tuple[LogicalVolume, ...] = ()


def volume_groups(output: Output) -> tuple[VolumeGroup, ...]:
    """Decode `vgs`.

    Raises:
        ParseError: there is no report in it.
    """
    return tuple(_volume_group(row) for row in _rows(output.text, "vg"))


def physical_volumes(output: Output) -> tuple[PhysicalVolume, ...]:
    """Decode `pvs`.

    Raises:
        ParseError: there is no report in it.
    """
    return tuple(_physical_volume(row) for row in _rows(output.text, "pv"))


def logical_volumes(output: Output) -> tuple[LogicalVolume, ...]:
    """Decode `lvs`.

    Raises:
        ParseError: there is no report in it.
    """
    return tuple(_logical_volume(row) for row in _rows(output.text, "lv"))


def report(output: Output) -> Report:
    """Decode `lvm fullreport --reportformat json`.

    Raises:
        ParseError: there is no report in it.
    """
    vgs, pvs, lvs = [], [], []
    for part in _reports(output.text):
        names = [_text(row.get("vg_name")) for row in _section(part, "vg")]
        home = {"vg_name": names[0] if names else ""}
        vgs += [_volume_group(row) for row in _section(part, "vg")]
        pvs += [_physical_volume({**home, **row}) for row in _section(part, "pv")]
        lvs += [_logical_volume({**home, **row}) for row in _section(part, "lv")]
    return Report(volume_groups=tuple(vgs), physical_volumes=tuple(pvs), logical_volumes=tuple(lvs))


def _volume_group(row: Row) -> VolumeGroup:
    take = _Taker(row)
    return VolumeGroup(
        name=take.text("vg_name"),
        uuid=take.text("vg_uuid"),
        attr=take.text("vg_attr"),
        size=take.number("vg_size"),
        free=take.number("vg_free"),
        extent_size=take.number("vg_extent_size"),
        pv_count=take.number("pv_count"),
        lv_count=take.number("lv_count"),
        seqno=take.number("vg_seqno"),
        lock_type=take.text("vg_lock_type", "vg_locktype"),
        lock_args=take.text("vg_lock_args", "vg_lockargs"),
        extra=take.rest(),
    )


def _physical_volume(row: Row) -> PhysicalVolume:
    take = _Taker(row)
    return PhysicalVolume(
        device=take.text("pv_name"),
        vg=take.text("vg_name"),
        uuid=take.text("pv_uuid"),
        attr=take.text("pv_attr"),
        size=take.number("pv_size"),
        free=take.number("pv_free"),
        device_size=take.number("dev_size"),
        extra=take.rest(),
    )


def _logical_volume(row: Row) -> LogicalVolume:
    take = _Taker(row)
    return LogicalVolume(
        name=take.text("lv_name"),
        vg=take.text("vg_name"),
        uuid=take.text("lv_uuid"),
        attr=take.text("lv_attr"),
        size=take.number("lv_size"),
        path=take.text("lv_path"),
        extra=take.rest(),
    )


class _Taker:
    """Takes the known fields out of a row and keeps the rest."""

    def __init__(self, row: Row) -> None:
        self._left = dict(row)

    def text(self, *names: str) -> str:
        """The text of the first of the fields that is there, empty for none."""
        found = [_text(self._left.pop(name)) for name in names if name in self._left]
        return found[0] if found else ""

    def number(self, name: str) -> int | None:
        """A field as a number; None where it is absent or empty."""
        raw = self.text(name).removesuffix("B")
        if not raw:
            return None
        if not NUMBER.fullmatch(raw):
            raise ParseError(f"{name} is not a number: {raw!r}", hint="use --units b --nosuffix")
        return int(float(raw)) if "." in raw else int(raw)

    def rest(self) -> Mapping[str, str]:
        return {name: _text(value) for name, value in self._left.items()}


def _text(value: object) -> str:
    """A value of either JSON dialect as text; lists of `json_std` joined as in the other."""
    if isinstance(value, list):
        return ",".join(_text(item) for item in value)
    return "" if value is None else str(value)


def _rows(text: str, kind: str) -> Iterator[Row]:
    if "LVM2_" in text and '"report"' not in text:
        for line in text.splitlines():
            fields = {name.lower(): value for name, value in PREFIXED.findall(line)}
            if fields:
                yield fields
    elif text.strip():
        for part in _reports(text):
            yield from _section(part, kind)


def _section(part: Row, kind: str) -> list[Row]:
    rows = part.get(kind, [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ParseError(f"the LVM report has no list of {kind}")
    return rows


def _reports(text: str) -> list[Row]:
    """The reports of the first JSON object that holds any; LVM may print other lines before it."""
    decoder = json.JSONDecoder()
    for start in islice(OBJECT.finditer(text), ATTEMPTS):
        try:
            value, _ = decoder.raw_decode(text, start.end() - 1)
        except (json.JSONDecodeError, RecursionError):
            continue
        if isinstance(value, dict) and isinstance(value.get("report"), list):
            return [part for part in value["report"] if isinstance(part, dict)]
    raise ParseError("this is no LVM report", hint="use --reportformat json", source=text[:80])
