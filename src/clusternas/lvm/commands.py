"""The commands of LVM, clvmd and lvmlockd, one function each.

Nothing here answers LVM's questions with yes, except where the command's purpose is to destroy and
it must be allowed by name: a `pvcreate` on a device with a known signature fails instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal, TypeAlias, TypeVar

from clusternas.core.command import Command, Effect, Output, absolute, text
from clusternas.core.errors import UnsupportedError, ValidationError
from clusternas.core.versions import Toolset
from clusternas.lvm import scan, status
from clusternas.lvm.names import lv_name, physical_volume, size_operand, vg_name, volume

__all__ = [
    "Activation",
    "Locking",
    "clvmd_reload",
    "fullreport",
    "lvchange_activate",
    "lvchange_refresh",
    "lvcreate",
    "lvextend",
    "lvmconf_disable_cluster",
    "lvmconf_enable_cluster",
    "lvmconfig_validate",
    "lvmlockctl_info",
    "lvremove",
    "lvs",
    "lvscan",
    "pvcreate",
    "pvremove",
    "pvresize",
    "pvs",
    "pvscan",
    "version",
    "vgchange_activate",
    "vgchange_clustered",
    "vgchange_locktype",
    "vgchange_start_locking",
    "vgchange_stop_locking",
    "vgcreate",
    "vgextend",
    "vgreduce",
    "vgremove",
    "vgs",
    "vgscan",
]

T = TypeVar("T")
Locking: TypeAlias = Literal["none", "clvmd", "dlm", "sanlock"]
"""Who guards the metadata of a volume group between nodes."""
Activation: TypeAlias = Literal["shared", "exclusive", "local", "no", "not here"]

QUIET = (("LVM_SUPPRESS_FD_WARNINGS", "1"),)
WAIT = 120.0
READ_WAIT = 60.0

VG_FIELDS = "vg_name,vg_uuid,vg_attr,vg_size,vg_free,vg_extent_size,pv_count,lv_count,vg_seqno"
VG_LOCK_FIELDS = ",vg_lock_type,vg_lock_args"
PV_FIELDS = "pv_name,vg_name,pv_uuid,pv_attr,pv_size,pv_free,dev_size"
LV_FIELDS = "lv_name,vg_name,lv_uuid,lv_attr,lv_size,lv_path"
JSON = ("--reportformat", "json")
BYTES = ("--units", "b", "--nosuffix")
JSON_SINCE = "2.02.158"
LOCKD_SINCE = "2.02.124"
CLVMD_UNTIL = "2.03"
LV_PATH_SINCE = "2.02.79"


def _read(decode: Callable[[Output], T], *argv: str, ok: Iterable[int] = (0,)) -> Command[T]:
    return Command(argv, decode, effect=Effect.READ, timeout=READ_WAIT, ok=frozenset(ok), env=QUIET)


def _change(*argv: str) -> Command[str]:
    return Command(argv, text, effect=Effect.CHANGE, timeout=WAIT, env=QUIET)


def _destroy(name: str, *argv: str) -> Command[str]:
    return Command(argv, text, effect=Effect.DESTROY, timeout=WAIT, env=QUIET, name=name)


# --- looking


def _report(
    tool: str, fields: str, names: Iterable[str], decode: Callable[[Output], T], toolset: Toolset
) -> Command[T]:
    form = JSON if toolset.has("lvm", since=JSON_SINCE) else ("--noheadings", "--nameprefixes")
    return _read(decode, tool, *form, *BYTES, "-o", fields, *names)


def vgs(*names: str, toolset: Toolset = Toolset.UNKNOWN) -> Command[tuple[status.VolumeGroup, ...]]:
    """Report volume groups, all of them if none is named."""
    locks = VG_LOCK_FIELDS if toolset.has("lvm", since=LOCKD_SINCE) else ""
    groups = [vg_name(name) for name in names]
    return _report("vgs", VG_FIELDS + locks, groups, status.volume_groups, toolset)


def pvs(
    *devices: str, toolset: Toolset = Toolset.UNKNOWN
) -> Command[tuple[status.PhysicalVolume, ...]]:
    """Report physical volumes, all of them if none is named."""
    paths = [physical_volume(device) for device in devices]
    return _report("pvs", PV_FIELDS, paths, status.physical_volumes, toolset)


def lvs(
    *groups: str, toolset: Toolset = Toolset.UNKNOWN
) -> Command[tuple[status.LogicalVolume, ...]]:
    """Report the logical volumes of some groups, of all if none is named."""
    fields = LV_FIELDS
    if not toolset.has("lvm", since=LV_PATH_SINCE):
        fields = fields.removesuffix(",lv_path")
    return _report(
        "lvs", fields, [vg_name(group) for group in groups], status.logical_volumes, toolset
    )


def fullreport() -> Command[status.Report]:
    """Report everything at once; since 2.02.158."""
    return _read(status.report, "lvm", "fullreport", *JSON, *BYTES)


def pvscan() -> Command[tuple[scan.ScannedPv, ...]]:
    """List physical volumes, as the article does on the second node."""
    return _read(scan.scanned_pvs, "pvscan", ok=(0, 5))


def vgscan() -> Command[tuple[str, ...]]:
    """List volume groups."""
    return _read(scan.scanned_vgs, "vgscan")


def lvscan() -> Command[tuple[scan.ScannedLv, ...]]:
    """List logical volumes with their activation."""
    return _read(scan.scanned_lvs, "lvscan")


def lvmlockctl_info() -> Command[tuple[scan.Lockspace, ...]]:
    """Show the locks that lvmlockd holds here; lvmlockctl(8)."""
    return _read(scan.lockspaces, "lvmlockctl", "--info")


def lvmconfig_validate(directory: str = "") -> Command[scan.ConfigCheck]:
    """Let LVM check its configuration; lvmconfig(8).

    Args:
        directory: the one that holds lvm.conf, if not /etc/lvm.
    """
    where = (("LVM_SYSTEM_DIR", absolute(directory, "directory")),) if directory else ()
    return Command(
        ("lvmconfig", "--validate"),
        scan.config_check,
        effect=Effect.READ,
        timeout=READ_WAIT,
        ok=frozenset({0, 4, 5}),
        env=QUIET + where,
    )


def version() -> Command[str]:
    """Print the version of LVM, for `Toolset`."""
    return _read(text, "lvm", "version")


# --- physical volumes


def pvcreate(device: str) -> Command[str]:
    """Make a device a physical volume; it fails where LVM sees another signature.

    LVM before 2.02.105 knows few of them: look first, with `clusternas.gfs2.commands.signatures`.
    """
    return _change("pvcreate", physical_volume(device))


def pvresize(device: str) -> Command[str]:
    """Take the new size of a device that has grown."""
    return _change("pvresize", physical_volume(device))


def pvremove(device: str) -> Command[str]:
    """Take the LVM label off a device that is in no group."""
    return _destroy(f"pvremove {device}", "pvremove", physical_volume(device))


# --- volume groups


def vgcreate(
    name: str,
    devices: Iterable[str],
    *,
    locking: Locking = "none",
    toolset: Toolset = Toolset.UNKNOWN,
) -> Command[str]:
    """Make a volume group.

    Args:
        name: of the group.
        devices: its physical volumes.
        locking: `clvmd` (until 2.03), `dlm` or `sanlock` (lvmlockd, since 2.02.124), or `none`.
        toolset: what the node runs.

    Raises:
        UnsupportedError: this LVM has no such locking.

    Example:
        >>> vgcreate("drbd_vg", ["/dev/drbd1"], locking="dlm").shell()
        'vgcreate --shared --locktype dlm drbd_vg /dev/drbd1'
    """
    paths = [physical_volume(device) for device in devices]
    if not paths:
        raise ValidationError("a volume group needs a device")
    return _change("vgcreate", *_locking_options(locking, toolset), vg_name(name), *paths)


def _locking_options(locking: Locking, toolset: Toolset) -> tuple[str, ...]:
    if locking == "none":
        return ()
    if locking == "clvmd":
        _require_clvmd(toolset)
        return ("-c", "y")
    if not toolset.has("lvm", since=LOCKD_SINCE):
        raise UnsupportedError(
            f"LVM {toolset.lvm} has no lvmlockd", hint="use locking='clvmd', or LVM 2.02.124"
        )
    return ("--shared", "--locktype", locking)


def _require_clvmd(toolset: Toolset) -> None:
    if not toolset.has("lvm", until=CLVMD_UNTIL):
        raise UnsupportedError(
            f"LVM {toolset.lvm} has no clvmd",
            hint="use lvmlockd: locking='dlm' (vgcreate --shared)",
        )


def vgextend(vg: str, device: str) -> Command[str]:
    """Add a device to a group."""
    return _change("vgextend", vg_name(vg), physical_volume(device))


def vgreduce(vg: str, device: str) -> Command[str]:
    """Take an unused device out of a group; it fails where the device holds data."""
    return _change("vgreduce", vg_name(vg), physical_volume(device))


def vgremove(vg: str) -> Command[str]:
    """Remove a group with every volume in it."""
    return _destroy(f"vgremove {vg}", "vgremove", "-f", vg_name(vg))


def vgchange_activate(
    vg: str, activation: Activation = "shared", *, toolset: Toolset = Toolset.UNKNOWN
) -> Command[str]:
    """Activate or deactivate all volumes of a group; see `lvchange_activate`."""
    return _change("vgchange", _activation(activation, toolset), vg_name(vg))


def vgchange_start_locking(vg: str) -> Command[str]:
    """Join the lockspace of a shared group: needed on every node but the one that made it."""
    return _change("vgchange", "--lockstart", vg_name(vg))


def vgchange_stop_locking(vg: str) -> Command[str]:
    """Leave the lockspace of a shared group, before DRBD becomes secondary and it is gone."""
    return _change("vgchange", "--lockstop", vg_name(vg))


def vgchange_clustered(
    vg: str, clustered: bool, *, toolset: Toolset = Toolset.UNKNOWN
) -> Command[str]:
    """Give a group to clvmd or take it away; until 2.03.

    Raises:
        UnsupportedError: this LVM has no clvmd.
    """
    _require_clvmd(toolset)
    return _change("vgchange", "-c", "y" if clustered else "n", vg_name(vg))


def vgchange_locktype(vg: str, locking: Literal["none", "dlm", "sanlock"]) -> Command[str]:
    """Change who guards a group; to `none` also where its lock manager is gone, lvmlockd(8).

    LVM asks before it forces `none`; the answer yes is given, since no data is touched. No other
    node may use the group meanwhile.
    """
    force = ("--lockopt", "force", "-y") if locking == "none" else ()
    return _change("vgchange", "--locktype", locking, *force, vg_name(vg))


# --- logical volumes

ACTIVATIONS = {
    "shared": "-asy",
    "exclusive": "-aey",
    "local": "-aly",
    "no": "-an",
    "not here": "-aln",
}


def lvcreate(
    vg: str, name: str, *, size: str | int = "", extents: str = "", shared: bool = False
) -> Command[str]:
    """Make a logical volume.

    Args:
        vg: the group.
        name: of the volume.
        size: bytes, or as LVM reads it, like `900M`.
        extents: instead of a size: a number of extents, or like `100%FREE`.
        shared: activate it shared at once; lvmlockd activates a new volume exclusively.

    Raises:
        ValidationError: a name is bad, or not exactly one of size and extents is given.

    Example:
        >>> lvcreate("drbd_vg", "drbd_lv", size="900M").shell()
        'lvcreate -n drbd_lv -L 900M drbd_vg'
    """
    volume(vg, name)
    mode = (ACTIVATIONS["shared"],) if shared else ()
    return _change("lvcreate", *mode, "-n", lv_name(name), *_amount(size, extents), vg_name(vg))


def lvextend(vg: str, name: str, *, size: str | int = "", extents: str = "") -> Command[str]:
    """Grow a logical volume to a size, or by one that starts with `+`.

    Example:
        >>> lvextend("drbd_vg", "drbd_lv", extents="+100%FREE").shell()
        'lvextend -l +100%FREE drbd_vg/drbd_lv'
    """
    return _change("lvextend", *_amount(size, extents), volume(vg, name))


def _amount(size: str | int, extents: str) -> tuple[str, str]:
    if bool(size) == bool(extents):
        raise ValidationError("give either a size or extents")
    if size:
        return "-L", size_operand(size)
    number, percent, of = extents.removeprefix("+").partition("%")
    if not (number.isascii() and number.isdigit()) or (
        percent and of not in ("FREE", "VG", "PVS", "ORIGIN")
    ):
        raise ValidationError(f"not extents: {extents!r}", hint="write a number, or like 100%FREE")
    return "-l", extents


def lvchange_refresh(vg: str, name: str) -> Command[str]:
    """Give a volume that is active here the size that another node has given it: `--refresh`.

    With lvmlockd, `lvextend` changes the device on its own node only; see lvmlockd(8).
    """
    return _change("lvchange", "--refresh", volume(vg, name))


def lvchange_activate(
    vg: str, name: str, activation: Activation = "shared", *, toolset: Toolset = Toolset.UNKNOWN
) -> Command[str]:
    """Activate or deactivate a volume on this node.

    Args:
        vg: the group.
        name: of the volume.
        activation: `shared` on many nodes at once, which GFS2 needs (clvmd does it on all of them);
            `exclusive` on this one alone; `local` on this one, with clvmd; `no` for not, with
            clvmd on no node; `not here` for not on this one, with clvmd.
        toolset: what the node runs.
    """
    return _change("lvchange", _activation(activation, toolset), volume(vg, name))


def _activation(activation: Activation, toolset: Toolset) -> str:
    if activation == "shared" and not toolset.has("lvm", since=LOCKD_SINCE):
        return "-ay"
    return ACTIVATIONS[activation]


def lvremove(vg: str, name: str) -> Command[str]:
    """Remove a logical volume and what is on it."""
    where = volume(vg, name)
    return _destroy(f"lvremove {where}", "lvremove", "-f", where)


# --- clvmd


def lvmconf_enable_cluster() -> Command[str]:
    """Set lvm.conf up for clvmd: locking_type = 3; until 2.03."""
    return _change("lvmconf", "--enable-cluster")


def lvmconf_disable_cluster() -> Command[str]:
    """Set lvm.conf back to local locking; until 2.03."""
    return _change("lvmconf", "--disable-cluster")


def clvmd_reload() -> Command[str]:
    """Let every clvmd of the cluster read the devices again; clvmd(8), until 2.03."""
    return _change("clvmd", "-R")
