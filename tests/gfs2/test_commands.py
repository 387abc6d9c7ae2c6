"""GFS2's commands and the outputs of its tools."""

from __future__ import annotations

import pickle
import shlex
from pathlib import Path

import pytest

from clusternas.core.command import Command, Effect, Output
from clusternas.core.errors import CommandFailed, ParseError, Refused, ValidationError
from clusternas.core.versions import Toolset
from clusternas.gfs2 import commands, names, status

DATA = Path(__file__).parents[1] / "data"
LV = "/dev/drbd_vg/drbd_lv"


def recorded(name: str) -> Output:
    return Output(0, (DATA / name).read_bytes())


@pytest.mark.parametrize(
    ("command", "line"),
    [
        (commands.superblock(LV), f"dd if={LV} bs=512 skip=128 count=1"),
        (commands.read_bytes(LV, 1024, 512), f"dd if={LV} bs=512 skip=2 count=1"),
        (commands.tunegfs2(LV), f"tunegfs2 -l {LV}"),
        (commands.signatures(LV), f"wipefs -n -p {LV}"),
        (commands.blkid(LV), f"blkid -c /dev/null {LV}"),
        (commands.blkid(), "blkid -c /dev/null"),
        (commands.fsck(LV), f"fsck.gfs2 -n {LV}"),
        (commands.version(), "mkfs.gfs2 -V"),
        (commands.jadd("/opt"), "gfs2_jadd -j 1 /opt"),
        (commands.jadd("/opt", 2, journal_size=64), "gfs2_jadd -J 64 -j 2 /opt"),
        (commands.grow("/opt"), "gfs2_grow /opt"),
        (commands.set_lock_table(LV, "New:opt"), f"tunegfs2 -o locktable=New:opt {LV}"),
        (commands.mount(LV, "/opt"), f"mount -t gfs2 {LV} /opt"),
        (commands.mount(LV, "/opt", ["noatime", "acl"]), f"mount -t gfs2 -o noatime,acl {LV} /opt"),
        (commands.umount("/opt"), "umount /opt"),
    ],
)
def test_command_lines(command: Command[object], line: str) -> None:
    assert command.shell() == line
    assert list(command.argv) == shlex.split(line)
    assert command.effect is not Effect.DESTROY
    assert pickle.loads(pickle.dumps(command)) == command


def test_inspect_has_a_title_and_takes_the_device_as_an_argument() -> None:
    command = commands.inspect(LV)
    assert str(command) == f"gfs2-inspect {LV}"
    assert command.argv[:2] == ("sh", "-c")
    assert command.argv[3:] == ("gfs2-inspect", LV)
    assert command.effect is Effect.READ


def test_mkfs() -> None:
    command = commands.mkfs(LV, "NASCluster:opt", 2)
    assert command.shell() == f"mkfs.gfs2 -O -p lock_dlm -j 2 -t NASCluster:opt {LV}"
    assert command.name == f"mkfs.gfs2 {LV}"
    old = commands.mkfs(LV, "NASCluster:opt", 2, toolset=Toolset.EL6)
    assert old.shell() == f"mkfs -t gfs2 -O -p lock_dlm -j 2 -t NASCluster:opt {LV}"
    assert old.name == command.name
    full = commands.mkfs(
        LV, "c:f", 3, lock_proto="lock_nolock", block_size=1024, journal_size=32, discard=False
    )
    assert full.shell() == f"mkfs.gfs2 -O -K -p lock_nolock -j 3 -b 1024 -J 32 -t c:f {LV}"


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (commands.mkfs(LV, "c:f", 1), f"mkfs.gfs2 {LV}"),
        (commands.repair(LV), f"fsck.gfs2 {LV}"),
        (commands.wipefs(LV), f"wipefs {LV}"),
    ],
)
def test_what_destroys_must_be_allowed_by_name(command: Command[object], name: str) -> None:
    assert command.name == name
    with pytest.raises(Refused):
        command.require_allowed()
    command.allow([name]).require_allowed()


@pytest.mark.parametrize(
    "wrong",
    [
        {"journals": 0},
        {"lock_proto": "lock_x"},
        {"block_size": 1000},
        {"journal_size": 7},
        {"table": "NASCluster"},
        {"device": "drbd1"},
        {"device": "-O"},
    ],
)
def test_mkfs_refuses(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        commands.mkfs(**{"device": LV, "table": "c:f", "journals": 2, **wrong})


@pytest.mark.parametrize("option", ["", "-o", "a,b", "a b", "a\nb"])
def test_mount_refuses(option: str) -> None:
    with pytest.raises(ValidationError):
        commands.mount(LV, "/opt", [option])


def test_others_refuse() -> None:
    with pytest.raises(ValidationError):
        commands.jadd("/opt", 0)
    with pytest.raises(ValidationError, match="gfs2_jadd -J does not take 8"):
        commands.jadd("/opt", 1, journal_size=8)
    with pytest.raises(ValidationError):
        commands.read_bytes(LV, 100, 512)
    with pytest.raises(ValidationError):
        commands.umount("opt")


@pytest.mark.parametrize(
    ("table", "toolset", "good"),
    [
        ("NASCluster:opt", Toolset.UNKNOWN, True),
        (f"{'c' * 32}:{'f' * 30}", Toolset.UNKNOWN, True),
        (f"{'c' * 33}:f", Toolset.UNKNOWN, False),
        (f"c:{'f' * 31}", Toolset.UNKNOWN, False),
        (f"{'c' * 15}:{'f' * 16}", Toolset.EL6, True),
        (f"{'c' * 16}:f", Toolset.EL6, False),
        (f"{'c' * 16}:f", Toolset(gfs2="3.1.8"), True),
        (f"c:{'f' * 17}", Toolset(gfs2="3.1.8"), False),
        (f"c:{'f' * 17}", Toolset(gfs2="3.1.9"), True),
        ("c", Toolset.UNKNOWN, False),
        (":f", Toolset.UNKNOWN, False),
        ("c:", Toolset.UNKNOWN, False),
        ("c:f:g", Toolset.UNKNOWN, False),
        ("c d:f", Toolset.UNKNOWN, False),
        ("c:f.g", Toolset.UNKNOWN, False),
    ],
)
def test_lock_tables(table: str, toolset: Toolset, good: bool) -> None:
    assert (names.lock_table_problem(table, toolset) == "") is good


def test_recorded_mkfs() -> None:
    made = status.made_filesystem(recorded("gfs2/3.5.0/mkfs.out"))
    assert made == status.MadeFilesystem(
        device=LV,
        lock_table="NASCluster:opt",
        lock_proto="lock_dlm",
        uuid="9014e88b-3885-48e6-961e-22060e987336",
        journals=2,
        journal_size=8 * 1024**2,
        block_size=4096,
    )


OLD_MKFS = b"""\
Device:                    /dev/drbd_vg/drbd_lv
Blocksize:                 4096
Device Size                0.88 GB (230400 blocks)
Filesystem Size:           0.88 GB (230400 blocks)
Journals:                  2
Resource Groups:           4
Locking Protocol:          "lock_dlm"
Lock Table:                "NASCluster:opt"
UUID:                      CDF6FD4A-4CB2-7883-E207-5477E44D688E
"""


def test_mkfs_of_2010() -> None:
    made = status.made_filesystem(Output(0, OLD_MKFS))
    assert (made.uuid, made.journals) == ("cdf6fd4a-4cb2-7883-e207-5477e44d688e", 2)
    assert (made.block_size, made.journal_size) == (4096, 0)


def test_recorded_tunegfs2() -> None:
    found = status.tuned_superblock(recorded("gfs2/3.5.0/tunegfs2-l.txt"))
    assert (found.lock_table, found.lock_proto) == ("NASCluster:opt", "lock_dlm")
    assert (found.master_block, found.root_block, found.fs_format) == (2072, 4656, 1802)


def test_journals_added() -> None:
    added = status.journals_added(recorded("gfs2/3.5.0/gfs2_jadd.out"))
    assert (added.before, added.after) == (1, 2)
    old = Output(
        0, b"Filesystem:            /opt\nOld Journals           2\nNew Journals           3\n"
    )
    assert status.journals_added(old).after == 3


def test_growing() -> None:
    done = b"FS: Mount point:  /opt\nThe file system will grow by 124MB.\ngfs2_grow complete.\n"
    assert status.grown(Output(0, done)).size == 124 * 1024**2
    # Messages of gfs2/mkfs/main_grow.c, 3.5.0 and 3.1.1.
    small = b"The calculated resource group size is too small.\n/opt has not grown.\n"
    less = b"Error: The device has grown by less than one Resource Group (RG).\n"
    grow = commands.grow("/opt")
    assert grow.result(Output(255, b"gfs2_grow complete.\n", small)).value.size == 0
    assert grow.result(Output(0, b"gfs2_grow complete.\n", less)).value.size == 0
    with pytest.raises(CommandFailed, match="Could not initialise"):
        _ = grow.result(Output(255, b"", b"Could not initialise resource groups: No\n")).value
    with pytest.raises(CommandFailed, match="not a mounted gfs2"):
        status.grown(Output(0, b"gfs2_grow complete.\n", b"/opt: not a mounted gfs2 file system\n"))


@pytest.mark.parametrize(
    ("code", "clean", "corrected"), [(0, True, False), (1, False, True), (4, False, False)]
)
def test_checks(code: int, clean: bool, corrected: bool) -> None:
    checked = status.checked(Output(code, b"fsck.gfs2 complete\n"))
    assert (checked.clean, checked.corrected) == (clean, corrected)


def test_an_fsck_that_did_not_run_has_failed() -> None:
    with pytest.raises(CommandFailed):
        commands.fsck(LV).result(Output(8, b"", b"Operational error"))


def test_signatures() -> None:
    text = b"# offset,uuid,label,type\n0x10000,d14b5a93-cccf,my, label,gfs2\n0x1fe,,,dos\n"
    first, second = status.signatures(Output(0, text))
    assert first == status.Signature(
        kind="gfs2", offset=65536, uuid="d14b5a93-cccf", label="my, label"
    )
    assert (second.kind, second.offset) == ("dos", 510)
    assert status.signatures(Output(0, b"")) == ()


def test_recorded_blkid() -> None:
    devices = {
        each.device: each for each in status.block_devices(recorded("util-linux/2.38.1/blkid.txt"))
    }
    lv = devices["/dev/mapper/drbd_vg-drbd_lv"]
    assert (lv.kind, lv.label) == ("gfs2", "NASCluster:opt")
    assert lv.extra == {"BLOCK_SIZE": "4096"}
    assert devices["/dev/vda3"].kind == "drbd"
    assert devices["/dev/drbd1"].kind == "LVM2_member"
    assert devices["/dev/vda1"].kind == ""


@pytest.mark.parametrize(
    "decode",
    [status.made_filesystem, status.tuned_superblock, status.journals_added, status.signatures],
)
def test_nonsense_is_refused(decode) -> None:
    with pytest.raises(ParseError):
        decode(Output(0, b"something else\n"))
