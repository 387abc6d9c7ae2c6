"""What LVM shows beside its reports: the scans, its configuration, its locks, its version."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from clusternas.testing.shell import Answer, Exit, said
from clusternas.testing.tools.lvm.config import sections
from clusternas.testing.tools.lvm.layout import human
from clusternas.testing.tools.lvm.reports import (
    Rows,
    fullreport,
    lv_rows,
    pv_rows,
    reachable,
    report,
    vg_rows,
)
from clusternas.testing.tools.lvm.state import Lvm, lockspace, old, scan

if TYPE_CHECKING:
    from clusternas.testing.node import FakeNode

__all__ = ["REPORTS", "spelled"]

PAD = " " * 22


def spelled(value: int) -> str:
    """A size as the scans show it."""
    text = human(value)
    return f"{text[:-1]} {text[-1:].upper()}iB" if text[-1:].isalpha() else f"{text}   "


def pvscan(node: FakeNode, _args: tuple[str, ...], _stdin: bytes) -> Answer:
    """The physical volumes."""
    found = scan(node)
    lines = []
    rows = pv_rows(node, found)
    for row in rows:
        path, size, free = row["pv_name"], spelled(int(row["pv_size"])), int(row["pv_free"])
        inside = f"   VG {row['vg_name']}         lvm2 [{size} / {spelled(free)} free]"
        lines.append(f"  PV {path}{inside if row['vg_name'] else f'{PAD}lvm2 [{size}]'}\n")
    if not rows:
        return said("  No matching physical volumes found\n", found.warnings)
    return said("".join(lines) + total(rows), found.warnings)


def total(rows: Rows) -> str:
    """The last line of pvscan."""
    inside = [row for row in rows if row["vg_name"]]
    every, used = (sum(int(row["pv_size"]) for row in part) for part in (rows, inside))
    free = f"in no VG: {len(rows) - len(inside)} [{spelled(every - used)}]"
    use = f"in use: {len(inside)} [{spelled(used)}]"
    return f"  Total: {len(rows)} [{spelled(every)}] / {use} / {free}\n"


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
        f"  {'ACTIVE  ' if row['lv_active'] else 'inactive'}          '{row['lv_path']}' "
        f"[{spelled(int(row['lv_size']))}] inherit\n"
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
    asked = [arg for i, arg in enumerate(args) if i not in skip and not arg.startswith("-")]
    defaults = (
        {"use_devicesfile": "0", "use_lvmlockd": "0", "locking_type": "1"} if "full" in args else {}
    )
    settings = {**defaults, **config.settings}
    if not asked and "full" not in args:
        return "".join(section_text(*item) for item in sections(node).items())
    for path in asked:
        if path.rpartition("/")[2] not in settings:
            raise Exit(5, f"  Configuration node {path} not found")
    keys = [path.rpartition("/")[2] for path in asked]
    return "".join(f"{key}={re.sub(r'[ ]', '', settings[key])}\n" for key in keys or settings)


def section_text(name: str, settings: dict[str, str]) -> str:
    """A section as lvmconfig prints it."""
    rows = (f"\t{key}={re.sub(' ', '', value)}\n" for key, value in settings.items())
    return f"{name} {{\n{''.join(rows)}}}\n"


def lvm(node: FakeNode, args: tuple[str, ...], stdin: bytes) -> Answer:
    """`lvm version`, `lvm fullreport`, and `lvm COMMAND`."""
    if args[:1] in (("version",), ("--version",)):
        release = node.cluster.toolset.lvm
        return (
            f"  LVM version:     {release}(2) (2022-05-18)\n"
            "  Library version: 1.02.185 (2022-05-18)\n  Driver version:  4.47.0\n"
        )
    if args[:1] == ("fullreport",) and node.cluster.toolset.has("lvm", since="2.02.158"):
        return fullreport(node, args[1:])
    return node.answer(args, stdin)


def lvmlockctl(node: FakeNode, _args: tuple[str, ...], _stdin: bytes) -> Answer:
    """The locks of lvmlockd."""
    if "lvmlockd" not in node.running:
        why = "/run/lvm/lvmlockd.socket: connect failed: No such file or directory"
        raise Exit(255, why, "Cannot connect to lvmlockd.\n")
    rows = ["VG vg_uuid= lock_type= \nLS  lvm_global\nLK VG un ver 0\nLK GL un ver 2\n"]
    for name, group in scan(node).groups.items():
        if name in node.of(Lvm).started:
            rows.append(
                f"\nVG {name} lock_type=dlm {group.value.uuid}\n"
                f"LS dlm {lockspace(group.value)}\nLK VG un ver {group.value.sequence}\n"
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
    "lvm": lvm,
    "lvmlockctl": lvmlockctl,
}
