"""pvdisplay, vgdisplay and lvdisplay: the same as the reports, a line for each value."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from clusternas.testing.shell import Answer, Exit, said
from clusternas.testing.tools.lvm.layout import Row
from clusternas.testing.tools.lvm.reports import (
    Rows,
    asked_for,
    lv_rows,
    pv_rows,
    reachable,
    vg_rows,
)
from clusternas.testing.tools.lvm.scans import spelled
from clusternas.testing.tools.lvm.state import Scan, devices, scan

if TYPE_CHECKING:
    from clusternas.testing.node import FakeNode

__all__ = ["DISPLAYS"]

Lines = Iterable[tuple[str, object]]


def number(row: Row, name: str) -> int:
    """A value that is a count or a size."""
    return int(row.get(name, 0))


def pv_lines(_node: FakeNode, row: Row) -> Lines:
    """A physical volume."""
    size, extent = number(row, "pv_size"), number(row, "vg_extent_size")
    yield "PV Name", row["pv_name"]
    yield "VG Name", row["vg_name"]
    if not extent:
        yield "PV Size", spelled(size)
        yield "Allocatable", "NO"
        return
    rest = number(row, "dev_size") - size
    yield "PV Size", f"{spelled(number(row, 'dev_size'))} / not usable {spelled(rest)}"
    yield "Allocatable", "yes "
    yield "PE Size", spelled(extent)
    yield "Total PE", size // extent
    yield "Free PE", number(row, "pv_free") // extent
    yield "Allocated PE", number(row, "pv_used") // extent
    yield "PV UUID", row["pv_uuid"]


def vg_lines(node: FakeNode, row: Row) -> Lines:
    """A volume group."""
    extent, total = number(row, "vg_extent_size"), number(row, "vg_extent_count")
    free = number(row, "vg_free_count")
    opened = [d for d in devices(node) if d.group_name == row["vg_name"] and node.holder(d)]
    yield "VG Name", row["vg_name"]
    yield "System ID", row["vg_systemid"]
    yield "Format", "lvm2"
    yield "Metadata Areas", row["pv_count"]
    yield "Metadata Sequence No", row["vg_seqno"]
    yield "VG Access", "read/write"
    yield "VG Status", "resizable"
    if row["vg_clustered"]:
        yield "Clustered", "yes"
        yield "Shared", "no"
    yield "MAX LV", 0
    yield "Cur LV", row["lv_count"]
    yield "Open LV", len(opened)
    yield "Max PV", 0
    yield "Cur PV", row["pv_count"]
    yield "Act PV", row["pv_count"]
    yield "VG Size", spelled(number(row, "vg_size"))
    yield "PE Size", spelled(extent)
    yield "Total PE", total
    yield "Alloc PE / Size", f"{total - free} / {spelled((total - free) * extent)}"
    yield "Free  PE / Size", f"{free} / {spelled(free * extent)}"
    yield "VG UUID", row["vg_uuid"]


def lv_lines(node: FakeNode, row: Row) -> Lines:
    """A logical volume."""
    attributes = str(row["lv_attr"])
    device = next((d for d in devices(node) if row["lv_dm_path"] in d.names), None)
    when = node.cluster.clock("%Y-%m-%d %H:%M:%S +0000")
    yield "LV Path", row["lv_path"]
    yield "LV Name", row["lv_name"]
    yield "VG Name", row["vg_name"]
    yield "LV UUID", row["lv_uuid"]
    yield "LV Write Access", "read/write"
    yield "LV Creation host, time", f"{node.name}, {when}"
    yield "LV Status", "available" if device is not None else "NOT available"
    if device is not None:
        yield "# open", int(attributes[5] == "o")
    yield "LV Size", spelled(number(row, "lv_size"))
    yield "Current LE", number(row, "lv_size") // number(row, "vg_extent_size")
    yield "Segments", row["seg_count"]
    yield "Allocation", "inherit"
    yield "Read ahead sectors", "auto"
    if device is not None:
        yield "- currently set to", 256
        yield "Block device", f"253:{device.number}"


def display(
    title: str,
    rows: Callable[[FakeNode, Scan], Rows],
    lines: Callable[[FakeNode, Row], Lines],
    width: int,
) -> Callable[[FakeNode, tuple[str, ...], bytes], Answer]:
    """One of the three commands."""

    def command(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
        found = scan(node)
        seen, complaints, code = reachable(node, found, rows(node, found))
        wanted = [arg.removeprefix("/dev/") for arg in args if not arg.startswith("-")]
        chosen = [row for row in seen if not wanted or asked_for(row, wanted)]
        if wanted and not chosen and code == 0:
            raise Exit(5, f'{found.warnings}  Failed to find {title.lower()} "{wanted[0]}".')
        text = ""
        for row in chosen:
            text += f"  --- {title} ---\n"
            text += "".join(f"  {name:<{width}} {value}\n" for name, value in lines(node, row))
            text += "   \n"
        return said(text, found.warnings + complaints, code)

    return command


DISPLAYS = {
    "pvdisplay": display("Physical volume", pv_rows, pv_lines, 21),
    "vgdisplay": display("Volume group", vg_rows, vg_lines, 21),
    "lvdisplay": display("Logical volume", lv_rows, lv_lines, 22),
}
