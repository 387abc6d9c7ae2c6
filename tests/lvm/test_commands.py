"""LVM's commands: what they look like, what they refuse."""

from __future__ import annotations

import pickle
import shlex

import pytest

from clusternas.core.command import Command, Effect
from clusternas.core.errors import Refused, UnsupportedError, ValidationError
from clusternas.core.versions import Toolset
from clusternas.lvm import commands, names

EL6 = Toolset.EL6
REPORT = "--reportformat json --units b --nosuffix -o "
VG_FIELDS = "vg_name,vg_uuid,vg_attr,vg_size,vg_free,vg_extent_size,pv_count,lv_count,vg_seqno"


@pytest.mark.parametrize(
    ("command", "line"),
    [
        (commands.pvcreate("/dev/drbd1"), "pvcreate /dev/drbd1"),
        (commands.vgcreate("drbd_vg", ["/dev/drbd1"]), "vgcreate drbd_vg /dev/drbd1"),
        (
            commands.vgcreate("drbd_vg", ["/dev/drbd1"], locking="clvmd", toolset=EL6),
            "vgcreate -c y drbd_vg /dev/drbd1",
        ),
        (
            commands.vgcreate("drbd_vg", ["/dev/drbd1"], locking="dlm"),
            "vgcreate --shared --locktype dlm drbd_vg /dev/drbd1",
        ),
        (commands.lvchange_refresh("drbd_vg", "drbd_lv"), "lvchange --refresh drbd_vg/drbd_lv"),
        (
            commands.lvcreate("drbd_vg", "drbd_lv", size="900M"),
            "lvcreate -n drbd_lv -L 900M drbd_vg",
        ),
        (
            commands.lvcreate("drbd_vg", "drbd_lv", extents="100%FREE", shared=True),
            "lvcreate -asy -n drbd_lv -l 100%FREE drbd_vg",
        ),
        (commands.lvextend("v", "l", size="+1G"), "lvextend -L +1G v/l"),
        (commands.lvchange_activate("v", "l"), "lvchange -asy v/l"),
        (commands.lvchange_activate("v", "l", toolset=EL6), "lvchange -ay v/l"),
        (commands.lvchange_activate("v", "l", "exclusive"), "lvchange -aey v/l"),
        (commands.vgchange_activate("v", "no"), "vgchange -an v"),
        (commands.vgchange_start_locking("v"), "vgchange --lockstart v"),
        (commands.vgchange_stop_locking("v"), "vgchange --lockstop v"),
        (commands.vgchange_clustered("v", False, toolset=EL6), "vgchange -c n v"),
        (
            commands.vgchange_locktype("v", "none"),
            "vgchange --locktype none --lockopt force -y v",
        ),
        (commands.vgchange_locktype("v", "dlm"), "vgchange --locktype dlm v"),
        (commands.vgextend("v", "/dev/drbd2"), "vgextend v /dev/drbd2"),
        (commands.vgreduce("v", "/dev/drbd2"), "vgreduce v /dev/drbd2"),
        (commands.pvresize("/dev/drbd1"), "pvresize /dev/drbd1"),
        (commands.vgs("v"), f"vgs {REPORT}{VG_FIELDS},vg_lock_type,vg_lock_args v"),
        (
            commands.vgs(toolset=EL6),
            f"vgs --noheadings --nameprefixes --units b --nosuffix -o {VG_FIELDS}",
        ),
        (
            commands.pvs("/dev/drbd1"),
            f"pvs {REPORT}pv_name,vg_name,pv_uuid,pv_attr,pv_size,pv_free,dev_size /dev/drbd1",
        ),
        (commands.lvs(), f"lvs {REPORT}lv_name,vg_name,lv_uuid,lv_attr,lv_size,lv_path"),
        (commands.fullreport(), "lvm fullreport --reportformat json --units b --nosuffix"),
        (commands.pvscan(), "pvscan"),
        (commands.vgscan(), "vgscan"),
        (commands.lvscan(), "lvscan"),
        (commands.lvmlockctl_info(), "lvmlockctl --info"),
        (commands.lvmconfig_validate(), "lvmconfig --validate"),
        (commands.version(), "lvm version"),
        (commands.lvmconf_enable_cluster(), "lvmconf --enable-cluster"),
        (commands.lvmconf_disable_cluster(), "lvmconf --disable-cluster"),
        (commands.clvmd_reload(), "clvmd -R"),
    ],
)
def test_command_lines(command: Command[object], line: str) -> None:
    assert command.shell() == line
    assert list(command.argv) == shlex.split(line)
    assert command.effect is not Effect.DESTROY
    assert pickle.loads(pickle.dumps(command)) == command


@pytest.mark.parametrize(
    ("command", "name", "line"),
    [
        (commands.vgremove("v"), "vgremove v", "vgremove -f v"),
        (commands.lvremove("v", "l"), "lvremove v/l", "lvremove -f v/l"),
        (commands.pvremove("/dev/drbd1"), "pvremove /dev/drbd1", "pvremove /dev/drbd1"),
    ],
)
def test_what_destroys_must_be_allowed_by_name(command: Command[str], name: str, line: str) -> None:
    assert (command.name, command.shell()) == (name, line)
    with pytest.raises(Refused):
        command.require_allowed()
    command.allow([name]).require_allowed()


def test_reading_reads() -> None:
    assert commands.vgs().effect is Effect.READ
    assert commands.lvmconfig_validate("/etc/lvm").env[-1] == ("LVM_SYSTEM_DIR", "/etc/lvm")


@pytest.mark.parametrize("name", ["", "-v", "a b", "a/b", ".", "..", "é", "v" * 128, "a\nb"])
def test_names_that_lvm_refuses(name: str) -> None:
    with pytest.raises(ValidationError):
        names.vg_name(name)
    with pytest.raises(ValidationError):
        names.lv_name(name)


@pytest.mark.parametrize("name", ["snapshot1", "pvmove0", "a_mlog", "x_rimage_0"])
def test_names_that_lvm_keeps_for_itself(name: str) -> None:
    assert names.vg_name(name) == name
    with pytest.raises(ValidationError):
        names.lv_name(name)


def test_names_too_long_together() -> None:
    assert names.volume("v" * 60, "l" * 60) == f"{'v' * 60}/{'l' * 60}"
    with pytest.raises(ValidationError):
        names.volume("v" * 100, "l" * 100)
    with pytest.raises(ValidationError):
        names.volume("v-" * 40, "l-" * 20)


@pytest.mark.parametrize("device", ["drbd1", "-f", "/dev/a b", "/dev/a\n", ""])
def test_devices_that_are_none(device: str) -> None:
    with pytest.raises(ValidationError):
        commands.pvcreate(device)


@pytest.mark.parametrize("size", ["", "0", "0M", "900X", "-1G", "1 G", 0, "1..2M"])
def test_sizes_that_are_none(size: str | int) -> None:
    with pytest.raises(ValidationError):
        commands.lvcreate("v", "l", size=size)


@pytest.mark.parametrize("extents", ["", "x", "100%", "100%ALL", "-5", "5 0"])
def test_extents_that_are_none(extents: str) -> None:
    with pytest.raises(ValidationError):
        commands.lvextend("v", "l", extents=extents)


def test_one_of_size_and_extents() -> None:
    with pytest.raises(ValidationError):
        commands.lvcreate("v", "l", size=1024, extents="5")
    assert "-L 1024b" in commands.lvcreate("v", "l", size=1024).shell()


def test_a_group_needs_a_device() -> None:
    with pytest.raises(ValidationError):
        commands.vgcreate("v", [])


def test_generations_do_not_mix() -> None:
    with pytest.raises(UnsupportedError):
        commands.vgcreate("v", ["/dev/drbd1"], locking="dlm", toolset=EL6)
    with pytest.raises(UnsupportedError):
        commands.vgcreate("v", ["/dev/drbd1"], locking="clvmd", toolset=Toolset.DEBIAN12)
    with pytest.raises(UnsupportedError):
        commands.vgchange_clustered("v", True, toolset=Toolset.EL9)
