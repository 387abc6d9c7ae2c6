"""The LVM commands that show something: pvs, vgs, lvs in all their forms, pvscan, vgscan, lvscan, lvmconfig."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeAlias

import attrs

from clusternas.testing.blocks import LogicalVolume, PhysicalVolume
from clusternas.testing.shell import Answer, Exit, options, said
from clusternas.testing.tools import dlm
from clusternas.testing.tools.lvm.state import (
    Group,
    Lvm,
    Scan,
    devices,
    lockspace,
    mode_elsewhere,
    old,
    scan,
)

if TYPE_CHECKING:
    from clusternas.testing.node import FakeNode

__all__ = ["REPORTS"]

Value: TypeAlias = str | int
LONG = ["units=", "nosuffix", "noheadings", "separator=", "options=", "reportformat=", "config=", "readonly", "all",
        "quiet", "select=", "nolocking", "yes", "ignorelockingfailure", "shared", "foreign", "ignoreskippedcluster"]  # fmt: skip
EMPTY = (
    "pool_lv",
    "origin",
    "data_percent",
    "metadata_percent",
    "move_pv",
    "mirror_log",
    "copy_percent",
    "convert_lv",
)
WIDTHS = {"data_percent": 6, "metadata_percent": 6}
SIZES = {
    "pv_size",
    "pv_free",
    "pv_used",
    "dev_size",
    "vg_size",
    "vg_free",
    "lv_size",
    "vg_extent_size",
}
DEFAULT = {
    "pv": ("pv_name", "vg_name", "pv_fmt", "pv_attr", "pv_size", "pv_free"),
    "vg": ("vg_name", "pv_count", "lv_count", "snap_count", "vg_attr", "vg_size", "vg_free"),
    "lv": ("lv_name", "vg_name", "lv_attr", "lv_size", *EMPTY),
}
TITLES = {
    "pv_name": "PV", "vg_name": "VG", "pv_fmt": "Fmt", "pv_attr": "Attr", "pv_size": "PSize", "pv_free": "PFree",
    "pv_count": "#PV", "lv_count": "#LV", "snap_count": "#SN", "vg_attr": "Attr", "vg_size": "VSize", "vg_free": "VFree",
    "lv_name": "LV", "lv_attr": "Attr", "lv_size": "LSize", "pool_lv": "Pool", "origin": "Origin",
    "data_percent": "Data%", "metadata_percent": "Meta%", "move_pv": "Move", "mirror_log": "Log",
    "copy_percent": "Cpy%Sync", "convert_lv": "Convert", "vg_lock_type": "LockType", "vg_lock_args": "VLockArgs",
    "pv_uuid": "PV UUID", "vg_uuid": "VG UUID", "lv_uuid": "LV UUID", "lv_active": "Active", "pv_used": "Used",
    "lv_active_exclusively": "ActExcl", "lv_active_locally": "ActLocal", "lv_active_remotely": "ActRemote",
}  # fmt: skip


@attrs.frozen
class Style:
    """How sizes and rows are to look."""

    unit: str = "h"
    suffix: bool = True
    headings: bool = True
    separator: str = ""
    json: bool = False

    def show(self, name: str, value: Value, *, prefix: bool) -> str:
        """A value as text."""
        if name not in SIZES or not isinstance(value, int):
            return str(value)
        if self.unit.lower() == "b":
            return f"{value}{'B' if self.suffix else ''}"
        return human(value, prefix=prefix)


def human(value: int, *, prefix: bool = True) -> str:
    """A size as LVM shows it: two decimals and a unit, `<` where it was rounded up."""
    for letter, unit in (("t", 1024**4), ("g", 1024**3), ("m", 1024**2), ("k", 1024)):
        if value >= unit:
            rounded = round(value / unit, 2)
            return f"{'<' if prefix and rounded > value / unit else ''}{rounded:.2f}{letter}"
    return str(value)


def spelled(value: int) -> str:
    """A size as the scans show it."""
    text = human(value)
    return f"{text[:-1]} {text[-1:].upper()}iB" if text[-1:].isalpha() else f"{text}   "


# Rows


def pv_rows(node: FakeNode, found: Scan) -> list[dict[str, Value]]:
    """One row per physical volume."""
    rows: list[dict[str, Value]] = []
    for device, label in found.labels:
        group = found.groups[label.group.name].value if label.group is not None else None
        used = allocated(found, label.uuid) if group is not None else 0
        size = group.devices[label.uuid] * group.extent_size if group is not None else label.size
        rows.append({
            "pv_name": device.path, "pv_fmt": "lvm2", "pv_attr": "a--" if group is not None else "---",
            "pv_size": size, "pv_free": size - used, "pv_used": used, "pv_uuid": label.uuid, "dev_size": device.size,
            **(vg_row(node, found.groups[group.name]) if group is not None else {"vg_name": ""}),
        })  # fmt: skip
    return rows


def allocated(found: Scan, uuid: str) -> int:
    """Bytes in use on a physical volume; volumes fill them in order."""
    group = next(g.value for g in found.groups.values() if uuid in g.value.devices)
    used = group.extents - group.free
    for one, extents in group.devices.items():
        here = min(used, extents)
        if one == uuid:
            return here * group.extent_size
        used -= here
    return 0


def vg_row(node: FakeNode, group: Group) -> dict[str, Value]:
    """The row of a group."""
    value = group.value
    mark = {"clustered": "c", "dlm": "s"}.get(value.locking, "-")
    partial = "-" if value.devices.keys() <= group.paths.keys() else "p"
    return {
        "vg_name": value.name, "pv_count": len(value.devices), "lv_count": len(value.volumes), "snap_count": 0,
        "vg_attr": f"wz-{partial}n{mark}", "vg_size": value.extents * value.extent_size,
        "vg_free": value.free * value.extent_size, "vg_uuid": value.uuid, "vg_extent_size": value.extent_size,
        "vg_extent_count": value.extents, "vg_free_count": value.free, "vg_seqno": value.sequence,
        "vg_lock_type": "dlm" if value.locking == "dlm" else "none" if not old(node) else "",
        "vg_lock_args": f"1.0.0:{value.cluster}" if value.cluster else "",
        "vg_clustered": "clustered" if value.locking == "clustered" else "",
        "vg_shared": "shared" if value.locking == "dlm" else "", "vg_systemid": "", "vg_missing_pv_count": 0,
    }  # fmt: skip


def vg_rows(node: FakeNode, found: Scan) -> list[dict[str, Value]]:
    """One row per group."""
    return [vg_row(node, group) for group in found.groups.values()]


def lv_rows(node: FakeNode, found: Scan) -> list[dict[str, Value]]:
    """One row per volume."""
    return [
        lv_row(node, group, volume)
        for group in found.groups.values()
        for volume in group.value.volumes
    ]


def lv_row(node: FakeNode, group: Group, volume: LogicalVolume) -> dict[str, Value]:
    """The row of a volume."""
    key = (group.value.name, volume.name)
    active = node.of(Lvm).active.get(key)
    is_open = any((d.group_name, d.name) == key and node.holder(d) for d in devices(node))
    mapped = "-".join(part.replace("-", "--") for part in key)
    return {
        **vg_row(node, group), **dict.fromkeys(EMPTY, ""),
        "lv_name": volume.name, "lv_attr": f"-wi-{'a' if active else '-'}{'o' if is_open else '-'}----",
        "lv_size": volume.extents * group.value.extent_size, "lv_uuid": volume.uuid, "seg_count": 1,
        "lv_path": f"/dev/{key[0]}/{key[1]}", "lv_dm_path": f"/dev/mapper/{mapped}",
        "lv_full_name": "/".join(key), "lv_active": "active" if active else "",
        "lv_active_exclusively": "active exclusively" if active and (active.mode == "exclusive" or not old(node)) else "",
        "lv_active_locally": "active locally" if active else "",
        "lv_active_remotely": "active remotely" if old(node) and mode_elsewhere(node, group.value, volume) else "",
        "devices": ",".join(f"{path}(0)" for path in group.paths.values()),
    }  # fmt: skip


# pvs, vgs, lvs

ROWS: dict[str, Callable[[FakeNode, Scan], list[dict[str, Value]]]] = {
    "pv": pv_rows,
    "vg": vg_rows,
    "lv": lv_rows,
}


def report(kind: str) -> Callable[[FakeNode, tuple[str, ...], bytes], Answer]:
    """pvs, vgs or lvs."""

    def command(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
        try:
            given, operands = options(args, "o:aS:PO:", LONG)
        except Exit as error:
            raise Exit(
                3, f"  {error.output.error_text}  Run `{kind}s --help' for more information."
            ) from None
        found = scan(node)
        names = columns(kind, given.get("o", given.get("options", "")))
        style = Style(
            unit=given.get("units", "h"),
            suffix="nosuffix" not in given,
            headings="noheadings" not in given,
            separator=given.get("separator", ""),
            json=given.get("reportformat", "").startswith("json"),
        )
        rows, complaints, code = reachable(node, found, ROWS[kind](node, found))
        wanted = [name.removeprefix("/dev/") for name in operands]
        rows = [row for row in rows if not wanted or asked_for(row, wanted)]
        if wanted and not rows and code == 0:
            complaints, code = f'  Volume group "{operands[0]}" not found\n', 5
        check_names(rows, names)
        return said(
            layout(kind, rows, names, style, prefix=not old(node)),
            found.warnings + complaints,
            code,
        )

    return command


def asked_for(row: dict[str, Value], wanted: Iterable[str]) -> bool:
    """Whether a row is one of the operands'."""
    full = f"{row.get('vg_name')}/{row.get('lv_name')}"
    return any(
        name in (row.get("vg_name"), str(row.get("pv_name", "")).removeprefix("/dev/"), full)
        for name in wanted
    )


def columns(kind: str, text: str) -> list[str]:
    """The columns of -o; a leading plus adds to the default ones."""
    more = [name for name in text.lstrip("+").split(",") if name]
    every = [name for name in more if not name.endswith("_all")]
    return [*DEFAULT[kind], *every] if text.startswith("+") or not every else every


def check_names(rows: list[dict[str, Value]], names: list[str]) -> None:
    """Refuse a column that nobody knows."""
    for name in names:
        if rows and name not in rows[0] and not any(name in DEFAULT[kind] for kind in DEFAULT):
            raise Exit(3, f"  Unrecognised field: {name}\n  Run `pvs --help' for more information.")


def reachable(
    node: FakeNode, found: Scan, rows: list[dict[str, Value]]
) -> tuple[list[dict[str, Value]], str, int]:
    """The rows whose group may be read, with what is said of the others."""
    kept, complaints, code = [], [], 0
    for row in rows:
        group = found.groups.get(str(row.get("vg_name", "")))
        said_so, seen = ("", True) if group is None else lock_for_reading(node, found, group)
        kept += [row] if seen else []
        code = code if seen else 5
        complaints += [said_so] if said_so not in complaints else []
    return kept, "".join(complaints), code


def lock_for_reading(node: FakeNode, found: Scan, group: Group) -> tuple[str, bool]:
    """What reading a group says, and whether it may be read."""
    name = group.value.name
    if group.value.locking == "clustered" and (
        "clvmd" not in node.running or found.config.locking_type != 3
    ):
        return f"  Skipping clustered volume group {name}\n", False
    if group.value.locking == "dlm":
        if not found.config.use_lvmlockd:
            return f"  Cannot access VG {name} with lock type dlm that requires lvmlockd.\n", False
        if name not in node.of(Lvm).started:
            return f"  Reading VG {name} without a lock.\n", True
        dlm.wait_for_locks(node, lockspace(group.value))
    return "", True


def layout(
    kind: str, rows: list[dict[str, Value]], names: list[str], style: Style, *, prefix: bool
) -> str:
    """The rows as a table, separated values, or JSON."""
    cells = [[style.show(name, row.get(name, ""), prefix=prefix) for name in names] for row in rows]
    if style.json:
        return as_json(kind, cells, names)
    if not rows:
        return ""
    titles = [[TITLES.get(name, name) for name in names]] if style.headings else []
    if style.separator:
        return "".join("  " + style.separator.join(row) + "\n" for row in titles + cells)
    widths = [
        max(WIDTHS.get(name, 0), *(len(row[i]) for row in titles + cells))
        for i, name in enumerate(names)
    ]
    text = (
        ["  " + " ".join(word.ljust(width) for word, width in zip(titles[0], widths)) + "\n"]
        if titles
        else []
    )
    for row, raw in zip(cells, rows):
        words = [
            w.rjust(n) if isinstance(raw.get(name), int) else w.ljust(n)
            for w, n, name in zip(row, widths, names)
        ]
        text.append("  " + " ".join(words) + "\n")
    return "".join(text)


def as_json(kind: str, cells: list[list[str]], names: list[str]) -> str:
    """The report as LVM's own JSON, every value a string."""
    lines = [
        "{" + ", ".join(f'"{name}":"{cell}"' for name, cell in zip(names, row)) + "}"
        for row in cells
    ]
    body = ",\n".join(" " * 18 + line for line in lines)
    inner = f"{body}\n" if lines else ""
    return (
        '  {\n      "report": [\n          {\n'
        f'              "{kind}": [\n{inner}              ]\n          }}\n      ]\n  }}\n'
    )


# The scans


def pvscan(node: FakeNode, _args: tuple[str, ...], _stdin: bytes) -> Answer:
    """The physical volumes."""
    found = scan(node)
    rows = []
    for row in pv_rows(node, found):
        size, free = int(row["pv_size"]), int(row["pv_free"])
        if row["vg_name"]:
            rows.append(
                f"  PV {row['pv_name']}   VG {row['vg_name']}         lvm2 [{spelled(size)} / {spelled(free)} free]\n"
            )
        else:
            rows.append(f"  PV {row['pv_name']}                      lvm2 [{spelled(size)}]\n")
    if not rows:
        return said("  No matching physical volumes found\n", found.warnings)
    sizes = {
        label.uuid: int(row["pv_size"])
        for (_, label), row in zip(found.labels, pv_rows(node, found))
    }
    inside = [label for _, label in found.labels if label.group is not None]
    return said(
        "".join(rows) + total([label for _, label in found.labels], inside, sizes), found.warnings
    )


def total(labels: list[PhysicalVolume], inside: list[PhysicalVolume], sizes: dict[str, int]) -> str:
    """The last line of pvscan."""
    used = sum(sizes[label.uuid] for label in inside)
    every = sum(sizes.values())
    free = len(labels) - len(inside)
    return (
        f"  Total: {len(labels)} [{spelled(every)}] / in use: {len(inside)} [{spelled(used)}] / "
        f"in no VG: {free} [{spelled(every - used)}]\n"
    )


def vgscan(node: FakeNode, _args: tuple[str, ...], _stdin: bytes) -> Answer:
    """The groups."""
    found = scan(node)
    start = "  Reading all physical volumes.  This may take a while...\n" if old(node) else ""
    rows, complaints, code = reachable(node, found, vg_rows(node, found))
    text = "".join(
        f'  Found volume group "{row["vg_name"]}" using metadata type lvm2\n' for row in rows
    )
    return said(start + text, found.warnings + complaints, code)


def lvscan(node: FakeNode, _args: tuple[str, ...], _stdin: bytes) -> Answer:
    """The volumes."""
    found = scan(node)
    rows, complaints, code = reachable(node, found, lv_rows(node, found))
    text = "".join(
        f"  {'ACTIVE  ' if row['lv_active'] else 'inactive'}          '{row['lv_path']}' [{spelled(int(row['lv_size']))}] inherit\n"
        for row in rows
    )
    return said(text, found.warnings + complaints, code)


# Configuration and locks


def lvmconfig(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """lvmconfig KEY, --validate, or all that is set."""
    config = scan(node).config
    if "--validate" in args:
        return "LVM configuration valid.\n"
    skip = {i + 1 for i, arg in enumerate(args) if arg in ("--type", "--typeconfig")}
    keys = [
        arg.rpartition("/")[2]
        for i, arg in enumerate(args)
        if i not in skip and not arg.startswith("-")
    ]
    defaults = (
        {"use_devicesfile": "0", "use_lvmlockd": "0", "locking_type": "1"} if "full" in args else {}
    )
    settings = {**defaults, **config.settings}
    for key in keys:
        if key not in settings:
            raise Exit(5, f"  Configuration node {key} not found")
    return "".join(f"{key}={re.sub(r'[ ]', '', settings[key])}\n" for key in keys or settings)


def version(node: FakeNode, args: tuple[str, ...], stdin: bytes) -> Answer:
    """`lvm version`, and `lvm COMMAND`."""
    if args[:1] in (("version",), ("--version",)):
        release = node.cluster.toolset.lvm
        return f"  LVM version:     {release}(2) (2022-05-18)\n  Library version: 1.02.185 (2022-05-18)\n  Driver version:  4.47.0\n"
    return node.answer(args, stdin)


def lvmlockctl(node: FakeNode, _args: tuple[str, ...], _stdin: bytes) -> Answer:
    """The locks of lvmlockd."""
    if "lvmlockd" not in node.running:
        raise Exit(1, "lvmlockctl: cannot connect to lvmlockd")
    rows = ["VG vg_uuid= lock_type= \nLS  lvm_global\nLK VG un ver 0\nLK GL un ver 2\n"]
    for name, group in scan(node).groups.items():
        if name in node.of(Lvm).started:
            rows.append(
                f"\nVG {name} lock_type=dlm {group.value.uuid}\nLS dlm {lockspace(group.value)}\nLK VG un ver {group.value.sequence}\n"
            )
            for volume in group.value.volumes:
                active = node.of(Lvm).active.get((name, volume.name))
                mode = {"exclusive": "ex", "shared": "sh"}.get(active.mode if active else "", "un")
                rows.append(f"LK LV {mode} {volume.uuid}\n")
    return "".join(rows)


REPORTS: dict[str, Callable[[FakeNode, tuple[str, ...], bytes], Answer]] = {
    "pvs": report("pv"),
    "vgs": report("vg"),
    "lvs": report("lv"),
    "pvscan": pvscan,
    "vgscan": vgscan,
    "lvscan": lvscan,
    "lvmconfig": lvmconfig,
    "lvm": version,
    "lvmlockctl": lvmlockctl,
}
