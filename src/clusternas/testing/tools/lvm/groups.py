"""Volume groups: making, changing, removing, and their locking."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from clusternas.testing.blocks import PV_LABEL, PhysicalVolume, VolumeGroup
from clusternas.testing.shell import Answer, Exit, said
from clusternas.testing.tools import dlm
from clusternas.testing.tools.lvm.arguments import lvm_uuid, parse
from clusternas.testing.tools.lvm.labels import label_for
from clusternas.testing.tools.lvm.state import Group, Lvm, find_group, lockspace, old, scan, update
from clusternas.testing.tools.lvm.volumes import remove_volume, set_active
from clusternas.testing.tools.membership import Member

if TYPE_CHECKING:
    from clusternas.testing.node import FakeNode

__all__ = ["vgchange", "vgcreate", "vgextend", "vgreduce", "vgremove"]


def vgcreate(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """A group; local, clustered by clvmd, or shared by lvmlockd."""
    given, operands = parse(args, "vgcreate")
    locking = locking_of(node, given)
    if len(operands) < 2:
        raise Exit(
            3,
            "  Please enter physical volume name(s)\n  Run `vgcreate --help' for more information.",
        )
    name, paths = operands[0], operands[1:]
    if name in scan(node).groups:
        raise Exit(5, f"  A volume group called {name} already exists.")
    labels = {path: label_for(node, path) for path in paths}
    node.cluster.halfway()
    config = node.of(Member).config
    group = VolumeGroup(
        name=name,
        uuid=lvm_uuid(node),
        devices={one.uuid: (one.size - PV_LABEL) // (4 * 1024**2) for one in labels.values()},
        locking=locking,
        cluster=config.name if locking == "dlm" and config is not None else "",
        sequence=int(locking == "dlm"),  # which lvmlockd writes into it before it can be used
    )
    update(node, Group(group, {one.uuid: path for path, one in labels.items()}), group)
    kind = "Clustered volume" if locking == "clustered" else "Volume"
    said_so = f'  {kind} group "{name}" successfully created\n'
    return said_so + (lock_start(node, group) if locking == "dlm" else "")


def locking_of(node: FakeNode, given: dict[str, str]) -> str:
    """Which locking a new group gets, by options and lvm.conf."""
    config = scan(node).config
    help_ = "\n  Run `vgcreate --help' for more information."
    if old(node):
        wanted = given.get("clustered", "y" if config.locking_type == 3 else "n")
        if wanted == "y" and "clvmd" not in node.running and config.locking_type == 3:
            raise Exit(5, scan(node).warnings)
        return "clustered" if wanted == "y" else ""
    if "clustered" in given:
        raise Exit(3, f"  The clustered option is deprecated, see --shared.{help_}")
    if "shared" not in given:
        return ""
    if not config.use_lvmlockd:
        raise Exit(
            3, f"  Using a shared lock type requires lvmlockd (lvm.conf use_lvmlockd.){help_}"
        )
    if "lvmlockd" not in node.running:
        raise Exit(3, f"  Using a shared lock type requires lvmlockd.{help_}")
    return "dlm"


def lock_start(node: FakeNode, group: VolumeGroup) -> str:
    """Join the lock space of a shared group."""
    if "lvmlockd" not in node.running:
        raise Exit(5, f"  Cannot access VG {group.name} with lock type dlm that requires lvmlockd.")
    waiting = "  Starting locking.  Waiting until locks are ready...\n"
    if group.name in node.of(Lvm).started:
        return waiting
    dlm.join(node, "lvm_global")
    dlm.join(node, lockspace(group))
    node.of(Lvm).started.add(group.name)
    dlm.wait_for_locks(node, lockspace(group))
    return f"  VG {group.name} starting dlm lockspace\n{waiting}"


def vgchange(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """Lock spaces, activation and the kind of locking, of the groups named or of all."""
    given, operands = parse(args, "vgchange")
    forced = given.get("lockopt") == "force"
    found = scan(node, forced=forced)
    rows = []
    for name in operands or list(found.groups):
        if name not in found.groups:
            raise Exit(
                5,
                f'{found.warnings}  Volume group "{name}" not found\n'
                f"  Cannot process volume group {name}",
            )
        rows.append(vgchange_one(node, found.groups[name], given))
    return said("".join(rows), found.warnings)


def vgchange_one(node: FakeNode, group: Group, given: dict[str, str]) -> str:
    """vgchange of one group."""
    value = group.value
    if "lock-start" in given:
        return lock_start(node, value) if value.locking == "dlm" else ""
    if "lock-stop" in given:
        stop_locking(node, value)
        return ""
    if "clustered" in given:
        update(
            node,
            group,
            attrs.evolve(value, locking="clustered" if given["clustered"] == "y" else ""),
        )
        return f'  Volume group "{value.name}" successfully changed\n'
    if "locktype" in given:
        return change_locking(node, group, given)
    group = find_group(node, value.name, change=True)
    for volume in value.volumes:
        set_active(node, group, volume, given.get("activate", "y"))
    active = sum(key[0] == value.name for key in node.of(Lvm).active)
    return f'  {active} logical volume(s) in volume group "{value.name}" now active\n'


def change_locking(node: FakeNode, group: Group, given: dict[str, str]) -> str:
    """`vgchange --locktype`: by force only to none, else with lvmlockd and nothing active."""
    wanted, forced = given["locktype"], given.get("lockopt") == "force"
    if forced and wanted != "none":
        raise Exit(5, '  Lock type can only be forced to "none" for recovery.')
    if forced and "yes" not in given:
        raise Exit(
            5, "  Forcibly change VG lock type to none? [y/n]: [n]\n  VG lock type not changed."
        )
    if not forced and "lvmlockd" not in node.running:
        raise Exit(5, "  Using lock type requires lvmlockd.")
    if any(name == group.value.name for name, _ in node.of(Lvm).active):
        raise Exit(5, f"  VG {group.value.name} lock type change requires inactive LVs.")
    config = node.of(Member).config
    cluster = config.name if config is not None and wanted == "dlm" else ""
    value = attrs.evolve(group.value, locking=wanted.replace("none", ""), cluster=cluster)
    update(node, group, value)
    return f'  Volume group "{value.name}" successfully changed\n'


def stop_locking(node: FakeNode, group: VolumeGroup) -> None:
    """Leave the lock space, unless a volume is active."""
    if any(name == group.name for name, _ in node.of(Lvm).active):
        raise Exit(5, f"  VG {group.name} stop failed: LVs must first be deactivated")
    if group.name in node.of(Lvm).started:
        node.of(Lvm).started.discard(group.name)
        dlm.leave(node, lockspace(group))


def vgremove(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """A group away, with its volumes if forced."""
    given, operands = parse(args, "vgremove")
    group = find_group(node, operands[0], change=True)
    if group.value.volumes and not given.keys() & {"yes", "force"}:
        raise Exit(
            5, "  Do you really want to remove volume group? [y/n]: [n]\n  Volume group not removed"
        )
    for volume in group.value.volumes:
        remove_volume(node, group, volume)
    stop_locking(node, group.value)
    for uuid, path in group.paths.items():
        device = node.device(path, code=5)
        device.write(PhysicalVolume(uuid, device.size))
    return f'  Volume group "{group.value.name}" successfully removed\n'


def vgreduce(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """A physical volume out of a group; what is allocated must fit on the others."""
    _, operands = parse(args, "vgreduce")
    group = find_group(node, operands[0], change=True)
    paths = {path: uuid for uuid, path in group.paths.items()}
    for path in operands[1:]:
        left = {u: n for u, n in group.value.devices.items() if u != paths.get(path)}
        used = group.value.extents - group.value.free
        if path not in paths or not left or sum(left.values()) < used:
            raise Exit(5, f'  Physical volume "{path}" still in use')
        device = node.device(path, code=5)
        device.write(PhysicalVolume(paths[path], device.size))
        kept = {u: p for u, p in group.paths.items() if u != paths[path]}
        group = update(node, Group(group.value, kept), attrs.evolve(group.value, devices=left))
    name = group.value.name
    return "".join(f'  Removed "{path}" from volume group "{name}"\n' for path in operands[1:])


def vgextend(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """More physical volumes for a group."""
    _, operands = parse(args, "vgextend")
    group = find_group(node, operands[0], change=True)
    labels = {path: label_for(node, path) for path in operands[1:]}
    sizes = {one.uuid: (one.size - PV_LABEL) // group.value.extent_size for one in labels.values()}
    paths = {**group.paths, **{one.uuid: path for path, one in labels.items()}}
    update(
        node,
        Group(group.value, paths),
        attrs.evolve(group.value, devices={**group.value.devices, **sizes}),
    )
    return f'  Volume group "{group.value.name}" successfully extended\n'
