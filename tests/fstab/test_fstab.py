"""fstab as a model, its checks, and what is mounted."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from attrs import evolve

from clusternas.core.command import Output
from clusternas.core.diagnostics import rules_of
from clusternas.core.errors import ParseError, ValidationError
from clusternas.core.text import apply
from clusternas.fstab import commands, status
from clusternas.fstab.model import Fstab, FstabEntry

DATA = Path(__file__).parents[1] / "data" / "util-linux" / "2.38.1"
UUID = "UUID=cdf6fd4a-4cb2-7883-e207-5477e44d688e"
TEXT = (
    "# /etc/fstab\r\n"
    f"{UUID} /opt              gfs2      defaults      0 0 # shared\r\n"
    "\r\n"
    "/dev/sda2\tnone\tswap\tsw\r\n"
    "  LABEL=old\\040disk /mnt/my\\040data ext4\n"
    "half a-line\n"
    "/dev/sdb1 /b ext4 defaults 0 x"
)


def recorded(name: str) -> Output:
    return Output(0, (DATA / name).read_bytes())


def changed(before: str, after: str) -> list[tuple[str, str]]:
    pairs = zip(before.splitlines(), after.splitlines(), strict=True)
    return [pair for pair in pairs if pair[0] != pair[1]]


def test_reading() -> None:
    fstab = Fstab.parse(TEXT)
    assert fstab.render() == TEXT
    opt = fstab.entries["/opt"]
    assert (opt.source, opt.fstype, opt.options) == (UUID, "gfs2", ("defaults",))
    assert (opt.dump, opt.passno) == (0, 0)
    assert fstab.entries["none"].options == ("sw",)
    old = fstab.entries["/mnt/my data"]
    assert (old.source, old.options, old.dump) == ("LABEL=old disk", (), None)
    assert fstab.of_type("gfs2") == (opt,)
    assert len(fstab.entries) == 5


def test_what_is_wrong_with_it() -> None:
    found = [(each.code, each.line) for each in Fstab.parse(TEXT).validate()]
    assert found == [("FSTAB001", 2), ("FSTAB005", 2), ("FSTAB000", 6), ("FSTAB900", 7)]


def test_one_field_changes_its_own_bytes() -> None:
    fstab = Fstab.parse(TEXT)
    opt = evolve(fstab.entries["/opt"], options=("noatime", "_netdev"))
    after = evolve(fstab, entries=fstab.entries.put(opt)).render()
    assert after == TEXT.replace(
        " defaults      0 0 # shared", " noatime,_netdev      0 0 # shared"
    )


def test_a_later_field_brings_the_earlier_ones() -> None:
    fstab = Fstab.parse(TEXT)
    old = evolve(fstab.entries["/mnt/my data"], passno=2)
    assert (old.options, old.dump) == (("defaults",), 0)
    after = evolve(fstab, entries=fstab.entries.put(old)).render()
    assert changed(TEXT, after) == [
        (
            "  LABEL=old\\040disk /mnt/my\\040data ext4",
            "  LABEL=old\\040disk /mnt/my\\040data ext4\tdefaults\t0\t2",
        )
    ]


def test_fields_go_from_the_end() -> None:
    fstab = Fstab.parse("a /b c d 1 2\n")
    short = evolve(fstab.entries["/b"], options=(), dump=None, passno=None)
    assert evolve(fstab, entries=[short]).render() == "a /b c\n"


def test_lines_come_and_go() -> None:
    fstab = Fstab.parse(TEXT)
    assert "/opt" not in evolve(fstab, entries=fstab.entries.without("/opt")).render()
    new = FstabEntry(source="/dev/my disk", mount_point="/new", fstype="gfs2", dump=0)
    after = evolve(fstab, entries=fstab.entries.put(new)).render()
    assert after == TEXT + "\r\n/dev/my\\040disk\t/new\tgfs2\tdefaults\t0"


def test_from_nothing() -> None:
    entry = FstabEntry(source="/dev/vg/lv", mount_point="/o p\tt", fstype="gfs2", passno=0)
    made = Fstab(entries=[entry])
    assert made.render() == "/dev/vg/lv\t/o\\040p\\011t\tgfs2\tdefaults\t0\t0\n"
    assert Fstab.parse(made.render()) == made
    assert pickle.loads(pickle.dumps(made)) == made


@pytest.mark.parametrize("missing", ["source", "mount_point", "fstype"])
def test_three_fields_are_needed(missing: str) -> None:
    fields = {"source": "a", "mount_point": "/b", "fstype": "c"} | {missing: ""}
    with pytest.raises(ValidationError):
        FstabEntry(**fields)


def test_options_are_no_string() -> None:
    with pytest.raises(ValidationError):
        FstabEntry(source="a", mount_point="/b", fstype="c", options="noatime")


def test_looking_at_options() -> None:
    entry = FstabEntry(
        source="a", mount_point="/b", fstype="gfs2", options=("acl", "commit=30", "commit=40")
    )
    assert entry.has("acl")
    assert not entry.has("noacl")
    assert (entry.option("commit"), entry.option("acl"), entry.option("x")) == ("40", "", None)
    assert entry.mount().shell() == "mount /b"
    assert entry.umount().shell() == "umount /b"


@pytest.mark.parametrize("rule", rules_of(Fstab) + rules_of(FstabEntry), ids=lambda rule: rule.code)
def test_rules_tell_bad_from_good(rule) -> None:
    assert Fstab.parse(rule.good).validate() == []
    [found] = Fstab.parse(rule.bad).validate()
    assert found.code == rule.code
    assert found.help
    if found.fix:
        assert Fstab.parse(apply(rule.bad, found.fix)).validate() == []


def test_recorded_mounts_agree() -> None:
    by_proc = status.mounts(recorded("proc-mounts.txt"))
    by_mount = status.listed_mounts(recorded("mount.txt"))
    by_findmnt = status.found_mounts(recorded("findmnt-J.txt"))
    assert by_proc == by_mount
    assert sorted(by_findmnt, key=str) == sorted(by_proc, key=str)
    [opt] = status.found_mounts(recorded("findmnt-J-opt.txt"))
    assert opt == status.Mount(
        source="/dev/mapper/drbd_vg-drbd_lv",
        target="/opt",
        fstype="gfs2",
        options=("rw", "noatime", "rgrplvb"),
    )
    assert not opt.read_only


def test_nothing_is_mounted() -> None:
    assert status.found_mounts(Output(1)) == ()
    assert status.mounts(Output()) == ()
    assert status.listed_mounts(Output()) == ()


@pytest.mark.parametrize("text", ["x", "[]", '{"filesystems": 1}', '{"filesystems": ["x"]}'])
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        status.found_mounts(Output(0, text.encode()))
    with pytest.raises(ParseError):
        status.mounts(Output(0, b"one two\n"))


def test_command_lines() -> None:
    assert commands.mount_all("gfs2").shell() == "mount -a -t gfs2"
    assert commands.mounts().shell() == "cat /proc/mounts"
    assert commands.findmnt("gfs2").shell() == "findmnt -J -t gfs2"
    assert commands.findmnt(target="/opt").shell() == "findmnt -J -M /opt"
    assert commands.findmnt().result(Output(1)).value == ()
    for wrong in ("", "-t", "a b"):
        with pytest.raises(ValidationError):
            commands.mount_all(wrong)
