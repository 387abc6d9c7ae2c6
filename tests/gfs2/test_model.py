"""The wanted GFS2: its checks, its line in fstab, what differs on the disk."""

from __future__ import annotations

import pickle

import pytest
from attrs import evolve

from clusternas.core.diagnostics import Severity
from clusternas.core.errors import ValidationError
from clusternas.core.versions import Toolset
from clusternas.gfs2.model import Gfs2Filesystem
from clusternas.gfs2.status import OnDisk
from clusternas.gfs2.superblock import Superblock

OPT = Gfs2Filesystem(device="/dev/drbd_vg/drbd_lv", lock_table="NASCluster:opt", mount_point="/opt")


def codes(filesystem: Gfs2Filesystem, toolset: Toolset | None = None) -> list[str]:
    return [each.code for each in filesystem.validate(toolset)]


def test_the_article() -> None:
    assert codes(OPT) == codes(OPT, Toolset.EL6) == []
    assert (OPT.cluster, OPT.fs_name, OPT.journals) == ("NASCluster", "opt", 2)
    assert OPT.mount().shell() == "mount -t gfs2 -o noatime /dev/drbd_vg/drbd_lv /opt"
    assert OPT.umount().shell() == "umount /opt"
    assert OPT.jadd(2).shell() == "gfs2_jadd -j 2 /opt"
    assert OPT.jadd(device_size=900 << 20).shell() == "gfs2_jadd -J 32 -j 1 /opt"
    assert OPT.jadd(device_size=1 << 40).shell() == "gfs2_jadd -J 128 -j 1 /opt"
    small = evolve(OPT, journal_size=8)
    assert small.jadd(device_size=1 << 40).shell() == "gfs2_jadd -J 32 -j 1 /opt"
    assert OPT.grow().shell() == "gfs2_grow /opt"
    assert OPT.inspect().argv[-1] == OPT.device
    assert OPT.mkfs(Toolset.EL6).argv[:3] == ("mkfs", "-t", "gfs2")
    assert pickle.loads(pickle.dumps(OPT)) == OPT


def test_its_line_in_fstab() -> None:
    row = OPT.fstab_row()
    assert row["source"] == "/dev/drbd_vg/drbd_lv"
    assert row["options"] == ("noatime", "_netdev")
    assert (row["dump"], row["passno"]) == (0, 0)
    named = evolve(OPT, uuid="cdf6fd4a", options=("noauto",)).fstab_row()
    assert (named["source"], named["options"]) == ("UUID=cdf6fd4a", ("noauto",))


@pytest.mark.parametrize(
    ("change", "toolset", "code", "severity"),
    [
        ({"lock_table": "NASCluster"}, None, "GFS2002", Severity.ERROR),
        ({"lock_table": "a-cluster-name-16:o"}, Toolset.EL6, "GFS2002", Severity.ERROR),
        ({"lock_proto": "lock_nolock"}, None, "GFS2004", Severity.ERROR),
        ({"options": ("localflocks",)}, None, "GFS2007", Severity.WARNING),
        ({"options": ("locktable=a:b",)}, None, "GFS2005", Severity.WARNING),
        ({"options": ("errors=panic",)}, None, "GFS2008", Severity.NOTE),
    ],
)
def test_mistakes(change, toolset, code, severity) -> None:
    [found] = evolve(OPT, **change).validate(toolset)
    assert (found.code, found.severity) == (code, severity)
    assert found.help


def test_one_node_alone_may_do_without_dlm() -> None:
    assert codes(evolve(OPT, lock_proto="lock_nolock", options=("localflocks",), journals=1)) == []


def test_journals_for_nodes() -> None:
    assert (OPT.journals_missing(2), OPT.journals_missing(3)) == (0, 1)


def test_what_is_on_the_disk() -> None:
    there = Superblock(
        lock_proto="lock_dlm", lock_table="NASCluster:opt", uuid="u", block_size=4096
    )
    assert OPT.differences(OnDisk(superblock=there, journals=2)) == []
    assert OPT.differences(OnDisk(superblock=there)) == []
    other = evolve(there, lock_table="Other:opt")
    rows = OPT.differences(OnDisk(superblock=other, journals=1))
    assert rows == [
        "the lock table is Other:opt on /dev/drbd_vg/drbd_lv, not NASCluster:opt",
        "1 journals on /dev/drbd_vg/drbd_lv, 2 are wanted",
    ]
    again = Gfs2Filesystem.from_superblock(other, device=OPT.device, mount_point="/opt")
    assert (again.cluster, again.uuid) == ("Other", "u")
    assert again.differences(OnDisk(superblock=other)) == []


@pytest.mark.parametrize(
    "wrong", [{"device": "lv"}, {"mount_point": "opt"}, {"options": "noatime"}, {"options": ["-o"]}]
)
def test_what_could_not_be_one(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        evolve(OPT, **wrong)
