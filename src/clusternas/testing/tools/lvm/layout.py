"""How LVM lays a report out: table, separated or prefixed values, JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import attrs

__all__ = ["Row", "Style", "as_json", "human", "layout"]

Row: TypeAlias = Mapping[str, str | int]
WIDTHS = {"data_percent": 6, "metadata_percent": 6}
SIZES = set("pv_size pv_free pv_used dev_size vg_size vg_free lv_size vg_extent_size".split())
TITLES = {
    name: other
    for name, _, other in (
        pair.partition("=")
        for pair in """pv_name=PV vg_name=VG pv_fmt=Fmt pv_attr=Attr pv_size=PSize pv_free=PFree
    pv_used=Used pv_count=#PV lv_count=#LV snap_count=#SN vg_attr=Attr vg_size=VSize vg_free=VFree
    lv_name=LV lv_attr=Attr lv_size=LSize pool_lv=Pool origin=Origin data_percent=Data%
    metadata_percent=Meta% move_pv=Move mirror_log=Log copy_percent=Cpy%Sync convert_lv=Convert
    vg_lock_type=LockType vg_lock_args=VLockArgs lv_active=Active lv_active_exclusively=ActExcl
    lv_active_locally=ActLocal lv_active_remotely=ActRemote""".split()
    )
}


@attrs.frozen
class Style:
    """How sizes and rows are to look; `rounded` marks sizes that were rounded up."""

    unit: str = "h"
    suffix: bool = True
    headings: bool = True
    separator: str = ""
    json: bool = False
    prefixes: bool = False
    rounded: bool = True

    def show(self, name: str, value: str | int) -> str:
        """A value as text."""
        if name not in SIZES or not isinstance(value, int):
            return str(value)
        if self.unit.lower() == "b":
            return f"{value}{'B' if self.suffix else ''}"
        return human(value, rounded=self.rounded)


def human(value: int, *, rounded: bool = True) -> str:
    """A size as LVM shows it: two decimals and a unit, `<` where it was rounded up."""
    for letter, unit in (("t", 1024**4), ("g", 1024**3), ("m", 1024**2), ("k", 1024)):
        if value >= unit:
            shown = round(value / unit, 2)
            return f"{'<' if rounded and shown > value / unit else ''}{shown:.2f}{letter}"
    return str(value)


def layout(kind: str, rows: list[Row], names: list[str], style: Style) -> str:
    """The rows in the form asked for."""
    cells = [[style.show(name, row.get(name, "")) for name in names] for row in rows]
    if style.json:
        return as_json([(kind, names, cells)])
    if style.prefixes:
        pairs = (zip(names, row, strict=True) for row in cells)
        lines = (" ".join(f"LVM2_{name.upper()}='{cell}'" for name, cell in row) for row in pairs)
        return "".join(f"  {line}\n" for line in lines)
    titles = [[TITLES.get(name, name) for name in names]] if style.headings and rows else []
    if style.separator:
        return "".join(f"  {style.separator.join(row)}\n" for row in titles + cells)
    widths = [
        max(WIDTHS.get(name, 0), *(len(row[i]) for row in titles + cells))
        for i, name in enumerate(names if rows else ())
    ]
    table = [line(row, widths, []) for row in titles]
    table += [line(row, widths, numbers(raw, names)) for row, raw in zip(cells, rows, strict=True)]
    return "".join(table)


def numbers(row: Row, names: list[str]) -> list[int]:
    """The columns of a row that hold numbers: they are aligned to the right."""
    return [i for i, name in enumerate(names) if isinstance(row.get(name), int)]


def line(row: list[str], widths: list[int], right: list[int]) -> str:
    """A row of the table."""
    cells = zip(row, widths, strict=True)
    words = [w.rjust(n) if i in right else w.ljust(n) for i, (w, n) in enumerate(cells)]
    return f"  {' '.join(words)}\n"


def as_json(sections: list[tuple[str, list[str], list[list[str]]]]) -> str:
    """One report as LVM's own JSON, every value a string."""
    parts = []
    for kind, names, cells in sections:
        lines = []
        for row in cells:
            pairs = zip(names, row, strict=True)
            lines.append("{" + ", ".join(f'"{name}":"{cell}"' for name, cell in pairs) + "}")
        body = ",\n".join(" " * 18 + text for text in lines)
        inner = f"{body}\n" if lines else ""
        parts.append(f'              "{kind}": [\n{inner}              ]')
    return (
        '  {\n      "report": [\n          {\n'
        + "\n              ,\n".join(parts)
        + "\n          }\n      ]\n  }\n"
    )
