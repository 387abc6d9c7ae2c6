"""pvs, vgs, lvs and fullreport: the rows, and which of them may be read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeAlias

from clusternas.testing.blocks import LogicalVolume
from clusternas.testing.shell import Answer, Exit, Hang, options, said
from clusternas.testing.tools.lvm.layout import Row, Style, as_json, layout
from clusternas.testing.tools.lvm.state import (
    Group,
    Lvm,
    Scan,
    devices,
    mode_elsewhere,
    old,
    scan,
    take_lock,
)

if TYPE_CHECKING:
    from clusternas.testing.node import FakeNode

__all__ = ["fullreport", "lv_rows", "pv_rows", "reachable", "report", "vg_rows"]

Rows: TypeAlias = list[Row]
LONG = """units= nosuffix noheadings separator= options= reportformat= config= readonly all
quiet select= nolocking yes ignorelockingfailure shared foreign ignoreskippedcluster
nameprefixes unquoted""".split()
EMPTY = """pool_lv origin data_percent metadata_percent move_pv mirror_log copy_percent
convert_lv""".split()
DEFAULT = {
    "pv": ("pv_name", "vg_name", "pv_fmt", "pv_attr", "pv_size", "pv_free"),
    "vg": ("vg_name", "pv_count", "lv_count", "snap_count", "vg_attr", "vg_size", "vg_free"),
    "lv": ("lv_name", "vg_name", "lv_attr", "lv_size", *EMPTY),
}


# Rows


def pv_rows(node: FakeNode, found: Scan) -> Rows:
    """One row per physical volume."""
    rows: Rows = []
    for device, label in found.labels:
        group = found.groups[label.group.name] if label.group is not None else None
        size, used = label.size, 0
        if group is not None:
            size = group.value.devices[label.uuid] * group.value.extent_size
            used = allocated(found, label.uuid)
        row = {
            "pv_name": device.path,
            "pv_fmt": "lvm2",
            "pv_attr": "a--" if group is not None else "---",
            "pv_size": size,
            "pv_free": size - used,
            "pv_used": used,
            "pv_uuid": label.uuid,
            "dev_size": device.size,
        }
        rows.append({**row, **(vg_row(node, group) if group is not None else {"vg_name": ""})})
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


def vg_row(node: FakeNode, group: Group) -> Row:
    """The row of a group."""
    value = group.value
    mark = {"clustered": "c", "dlm": "s"}.get(value.locking, "-")
    partial = "-" if value.devices.keys() <= group.paths.keys() else "p"
    unlocked = "" if old(node) else "none"
    return {
        "vg_name": value.name,
        "pv_count": len(value.devices),
        "lv_count": len(value.volumes),
        "snap_count": 0,
        "vg_attr": f"wz-{partial}n{mark}",
        "vg_size": value.extents * value.extent_size,
        "vg_free": value.free * value.extent_size,
        "vg_uuid": value.uuid,
        "vg_extent_size": value.extent_size,
        "vg_extent_count": value.extents,
        "vg_free_count": value.free,
        "vg_seqno": value.sequence,
        "vg_lock_type": "dlm" if value.locking == "dlm" else unlocked,
        "vg_lock_args": f"1.0.0:{value.cluster}" if value.cluster else "",
        "vg_clustered": "clustered" if value.locking == "clustered" else "",
        "vg_shared": "shared" if value.locking == "dlm" else "",
        "vg_systemid": "",
        "vg_missing_pv_count": 0,
    }


def vg_rows(node: FakeNode, found: Scan) -> Rows:
    """One row per group."""
    return [vg_row(node, group) for group in found.groups.values()]


def lv_rows(node: FakeNode, found: Scan) -> Rows:
    """One row per volume."""
    return [
        lv_row(node, group, volume)
        for group in found.groups.values()
        for volume in group.value.volumes
    ]


def lv_row(node: FakeNode, group: Group, volume: LogicalVolume) -> Row:
    """The row of a volume."""
    key = (group.value.name, volume.name)
    active = node.of(Lvm).active.get(key)
    is_open = any((d.group_name, d.name) == key and node.holder(d) for d in devices(node))
    mapped = "-".join(part.replace("-", "--") for part in key)
    alone = active is not None and (active.mode == "exclusive" or not old(node))
    elsewhere = old(node) and mode_elsewhere(node, group.value, volume)
    return {
        **vg_row(node, group),
        **dict.fromkeys(EMPTY, ""),
        "lv_name": volume.name,
        "lv_attr": f"-wi-{'a' if active else '-'}{'o' if is_open else '-'}----",
        "lv_size": volume.extents * group.value.extent_size,
        "lv_uuid": volume.uuid,
        "seg_count": 1,
        "lv_path": f"/dev/{key[0]}/{key[1]}",
        "lv_dm_path": f"/dev/mapper/{mapped}",
        "lv_full_name": "/".join(key),
        "lv_active": "active" if active else "",
        "lv_active_exclusively": "active exclusively" if alone else "",
        "lv_active_locally": "active locally" if active else "",
        "lv_active_remotely": "active remotely" if elsewhere else "",
        "devices": ",".join(f"{path}(0)" for path in group.paths.values()),
    }


# pvs, vgs, lvs

ROWS: dict[str, Callable[[FakeNode, Scan], Rows]] = {
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
            prefixes="nameprefixes" in given,
            rounded=not old(node),
        )
        rows, complaints, code = reachable(node, found, ROWS[kind](node, found))
        wanted = [name.removeprefix("/dev/") for name in operands]
        rows = [row for row in rows if not wanted or asked_for(row, wanted)]
        if wanted and not rows and code == 0:
            complaints, code = f'  Volume group "{operands[0]}" not found\n', 5
        check_names(rows, names)
        return said(
            layout(kind, rows, names, style),
            found.warnings + complaints,
            code,
        )

    return command


def asked_for(row: Row, wanted: Iterable[str]) -> bool:
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


def check_names(rows: Rows, names: list[str]) -> None:
    """Refuse a column that nobody knows."""
    for name in names:
        if rows and name not in rows[0] and not any(name in DEFAULT[kind] for kind in DEFAULT):
            raise Exit(3, f"  Unrecognised field: {name}\n  Run `pvs --help' for more information.")


def reachable(node: FakeNode, found: Scan, rows: Rows) -> tuple[Rows, str, int]:
    """The rows whose group may be read, with what is said of the others."""
    for device in node.devices():
        if found.config.accepts(device) and getattr(device, "frozen", False):
            raise Hang(f"I/O on {device.path} is suspended", killable=False)
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
    shared = group.value.locking == "dlm" and found.config.use_lvmlockd
    if shared and name not in node.of(Lvm).started:
        return f"  Reading VG {name} without a lock.\n", True
    try:
        take_lock(node, found.config, group.value, change=False)
    except Exit as refused:
        return refused.output.error_text, False
    return "", True


def fullreport(node: FakeNode, _args: tuple[str, ...]) -> Answer:
    """`lvm fullreport --reportformat json`: everything at once."""
    found = scan(node)
    style = Style(unit="b", suffix=False)
    sections = []
    complaints, code = "", 0
    for kind in ("vg", "pv", "lv"):
        rows, complaints, code = reachable(node, found, ROWS[kind](node, found))
        names = list(dict.fromkeys(name for row in rows for name in row)) or list(DEFAULT[kind])
        cells = [[style.show(name, row.get(name, "")) for name in names] for row in rows]
        sections.append((kind, names, cells))
    return said(as_json(sections), found.warnings + complaints, code)
