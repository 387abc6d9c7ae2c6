"""LVM's reports of both generations, and what it prints for people."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clusternas.core.command import Output
from clusternas.core.errors import ParseError
from clusternas.lvm import scan, status

DATA = Path(__file__).parents[1] / "data" / "lvm" / "2.03.16"


def recorded(name: str) -> Output:
    return Output(0, (DATA / name).read_bytes())


def test_volume_group_of_the_lab() -> None:
    [vg] = status.volume_groups(recorded("vgs-json-all.txt"))
    assert vg.name == "drbd_vg"
    assert (vg.size, vg.free, vg.extent_size) == (1220542464, 276824064, 4194304)
    assert (vg.lock_type, vg.lock_args, vg.seqno) == ("dlm", "1.0.0:NASCluster", 3)
    assert vg.shared
    assert vg.writeable
    assert (vg.clustered, vg.partial, vg.exported) == (False, False, False)
    assert vg.extra["vg_shared"] == "shared"


def test_physical_volume_of_the_lab() -> None:
    [pv] = status.physical_volumes(recorded("pvs-json-all.txt"))
    assert (pv.device, pv.vg, pv.device_size) == ("/dev/drbd1", "drbd_vg", 1223610368)
    assert pv.allocatable
    assert (pv.duplicate, pv.missing) == (False, False)


def test_logical_volume_of_the_lab() -> None:
    [lv] = status.logical_volumes(recorded("lvs-json-all.txt"))
    assert (lv.name, lv.vg, lv.path) == ("drbd_lv", "drbd_vg", "/dev/drbd_vg/drbd_lv")
    assert lv.size == 943718400
    assert lv.active
    assert lv.open
    assert lv.kind == "-"
    assert (lv.suspended, lv.partial) == (False, False)


def test_json_std_has_numbers_lists_and_null() -> None:
    row = {"vg_name": "v", "vg_size": 4096, "vg_free": None, "vg_tags": ["a", "b"]}
    text = json.dumps({"report": [{"vg": [row]}], "log": []})
    [vg] = status.volume_groups(Output(0, text.encode()))
    assert (vg.size, vg.free, vg.extra["vg_tags"]) == (4096, None, "a,b")


def test_lines_before_the_json_are_skipped() -> None:
    text = b'  WARNING: {odd} thing\n  {"x": 1}\n' + recorded("vgs-json-all.txt").stdout
    assert [vg.name for vg in status.volume_groups(Output(0, text))] == ["drbd_vg"]


def test_a_report_of_nothing() -> None:
    assert status.volume_groups(Output(0, b'  {"report": [{"vg": []}]}\n')) == ()
    assert status.volume_groups(Output(0, b"")) == ()


def test_name_prefixes_of_older_tools() -> None:
    line = (
        b"  LVM2_VG_NAME='drbd_vg' LVM2_VG_ATTR='wz--nc' LVM2_VG_SIZE='1220542464' "
        b"LVM2_PV_COUNT='1'\n  LVM2_VG_NAME='other' LVM2_VG_ATTR='wz--n-'\n"
    )
    first, second = status.volume_groups(Output(0, line))
    assert (first.name, first.size, first.pv_count) == ("drbd_vg", 1220542464, 1)
    assert first.clustered
    assert not second.clustered
    [lv] = status.logical_volumes(
        Output(0, b"  LVM2_LV_NAME='lv' LVM2_VG_NAME='v' LVM2_LV_ATTR='-wi-ao'\n")
    )
    assert lv.active
    assert lv.open
    assert not lv.partial


def test_full_report() -> None:
    part = {
        "vg": [{"vg_name": "v", "vg_attr": "wz--n-"}],
        "pv": [{"pv_name": "/dev/drbd1"}],
        "lv": [{"lv_name": "l"}],
        "seg": [],
    }
    found = status.report(Output(0, json.dumps({"report": [part]}).encode()))
    assert [vg.name for vg in found.volume_groups] == ["v"]
    assert found.physical_volumes[0].vg == "v"
    assert found.logical_volumes[0].vg == "v"


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        '{"report": 1}',
        '{"report": [{"vg": 1}]}',
        '{"report": [{"vg": [{"vg_size": "1.2g"}]}]}',
        "{" * 100_000,
    ],
)
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        status.volume_groups(Output(0, text.encode()))


def test_scans_of_the_lab() -> None:
    [pv] = scan.scanned_pvs(recorded("pvscan.txt"))
    assert (pv.device, pv.vg, pv.free) == ("/dev/drbd1", "drbd_vg", 264 * 1024**2)
    assert scan.scanned_vgs(recorded("vgscan.txt")) == ("drbd_vg",)
    [lv] = scan.scanned_lvs(recorded("lvscan.txt"))
    assert lv == scan.ScannedLv(path="/dev/drbd_vg/drbd_lv", active=True, size=943718400)


OLD_SCANS = b"""\
  Reading all physical volumes.  This may take a while...
  Found volume group "drbd_vg" using metadata type lvm2
  Found exported volume group "old" using metadata type lvm2
  PV /dev/drbd1   VG drbd_vg   lvm2 [1.14 GB / 264.00 MB free]
  PV /dev/sdb                  lvm2 [10.00 GiB]
  Total: 2 [11.14 GiB] / in use: 1 [1.14 GiB] / in no VG: 1 [10.00 GiB]
  inactive          '/dev/drbd_vg/drbd_lv' [900.00 MB] inherit
  ACTIVE   Original '/dev/drbd_vg/other' [1.00 TB] contiguous
"""


def test_scans_of_older_tools() -> None:
    output = Output(0, OLD_SCANS)
    assert scan.scanned_vgs(output) == ("drbd_vg", "old")
    one, two = scan.scanned_pvs(output)
    assert (one.vg, one.free) == ("drbd_vg", 264 * 1024**2)
    assert (two.vg, two.size, two.free) == ("", 10 * 1024**3, 10 * 1024**3)
    idle, original = scan.scanned_lvs(output)
    assert not idle.active
    assert (original.kind, original.policy, original.size) == ("Original", "contiguous", 1024**4)


def test_a_backing_device_without_filter_is_seen_twice() -> None:
    [pv] = scan.scanned_pvs(recorded("pvs-duplicate.out"))
    assert (pv.device, pv.vg) == ("/dev/drbd1", "")


@pytest.mark.parametrize(
    ("shown", "size"),
    [
        ("0 ", 0),
        ("512b", 512),
        ("8s", 4096),
        ("1.50 KiB", 1536),
        ("odd", 0),
        ("<2.00g", 2 * 1024**3),
    ],
)
def test_sizes(shown: str, size: int) -> None:
    assert scan.parse_size(shown) == size


def test_locks_of_the_lab() -> None:
    glob, space = scan.lockspaces(recorded("lvmlockctl-i.txt"))
    assert (glob.name, glob.vg, glob.locks[1].kind) == ("lvm_global", "", "GL")
    assert (space.name, space.vg, space.lock_type) == ("lvm_drbd_vg", "drbd_vg", "dlm")
    assert space.mode("Std4Di-oZ6E-Riye-IqDa-YbWo-8CG5-2qdLXK") == "sh"
    assert space.mode("another") == "un"


def test_config_checks() -> None:
    assert scan.config_check(Output(0, b"LVM configuration valid.\n")).valid
    broken = scan.config_check(
        Output(4, b"", b"Parse error at byte 286 (line 16): unexpected token\n  Failed to load\n")
    )
    assert (broken.valid, broken.line, len(broken.messages)) == (False, 16, 2)
    unknown = scan.config_check(Output(5, b"", b'  Configuration setting "a/b" unknown.\n'))
    assert not unknown.valid
    assert unknown.messages == ('Configuration setting "a/b" unknown.',)
