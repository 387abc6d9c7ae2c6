"""Every file of the described NAS, in each generation, before the tool that reads it."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from clusternas import NasCluster
from clusternas.nas.convert import to_corosync
from clusternas.nas.spec import loads
from clusternas.testing.demo import article

NODE = "linux-nas01"
SPEC = (article() / "today.toml").read_text(encoding="utf-8")
GENERATIONS = {"el6": "/lib/drbd/drbdadm-83", "debian12": "/lib/drbd/drbdadm-84", "el9": "drbdadm"}

Oracle = Callable[..., str]

# corosync wants a local address and its key: both exist in a namespace of the test's own.
COROSYNC = """
mount -t tmpfs none /etc/corosync && head -c 256 /dev/urandom >/etc/corosync/authkey &&
ip link set lo up && ip addr add 10.10.10.1/24 dev lo && exec corosync -t -c "$1"
"""
ISOLATED = ("unshare", "-n", "-m", "--propagation", "private", "sh", "-c", COROSYNC, "sh")


@pytest.fixture(params=GENERATIONS)
def generation(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def files(generation: str, tmp_path: Path) -> dict[str, Path]:
    """The files of the first node, written down, by their paths there."""
    nas = loads(SPEC.replace('"debian12"', f'"{generation}"'))
    nas.write_to(tmp_path)
    base = tmp_path / NODE
    return {f"/{each.relative_to(base)}": each for each in base.rglob("*") if each.is_file()}


def run(*argv: str | Path, **env: str) -> str:
    """What a tool prints; it must succeed."""
    done = subprocess.run(
        [str(word) for word in argv],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "LC_ALL": "C", "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin", **env},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_drbdadm(oracle: Oracle, generation: str, files: dict[str, Path]) -> None:
    drbdadm = oracle(GENERATIONS[generation], package="drbd-utils")
    pretend = {"__DRBD_NODE__": NODE, "DRBD_DRIVER_VERSION_OVERRIDE": "9.1.19"}
    if generation != "el9":
        del pretend["DRBD_DRIVER_VERSION_OVERRIDE"]
    said = run(drbdadm, "-c", files["/etc/drbd.d/r0.res"], "-d", "up", "all", **pretend)
    assert "/dev/vda3" in said
    assert "resource-and-stonith" in said
    assert "10.10.10.2:7789" in said


def test_lvmconfig(oracle: Oracle, files: dict[str, Path]) -> None:
    lvmconfig = oracle("lvmconfig", package="lvm2")
    folder = str(files["/etc/lvm/lvm.conf"].parent)
    quiet = {"LVM_SYSTEM_DIR": folder, "LVM_SUPPRESS_FD_WARNINGS": "1"}
    assert "valid" in run(lvmconfig, "--validate", **quiet)
    assert "/dev/drbd" in run(lvmconfig, "devices/filter", **quiet)


def test_findmnt(oracle: Oracle, files: dict[str, Path]) -> None:
    findmnt = oracle("findmnt", package="util-linux")
    said = run(findmnt, "--fstab", "-F", files["/etc/fstab"], "-n", "-o", "SOURCE,TARGET,FSTYPE")
    assert said.split() == ["/dev/drbd_vg/drbd_lv", "/opt", "gfs2"]


def test_testparm(oracle: Oracle, files: dict[str, Path]) -> None:
    testparm = oracle("testparm", package="samba-common-bin")
    said = run(testparm, "-s", "-l", files["/etc/samba/smb.conf"])
    assert "path = /opt/share" in said
    assert "read only = No" in said


def test_named_checkzone(oracle: Oracle, files: dict[str, Path]) -> None:
    checkzone = oracle("named-checkzone", package="bind9-utils")
    assert "OK" in run(checkzone, "example.com", files["/etc/bind/db.example.com"])


def test_membership(oracle: Oracle, generation: str, files: dict[str, Path]) -> None:
    if generation == "el6":
        xmllint = oracle("xmllint", package="libxml2-utils")
        run(xmllint, "--noout", files["/etc/cluster/cluster.conf"])
    else:
        oracle("corosync", package="corosync")
        run(*ISOLATED, files["/etc/corosync/corosync.conf"])


def test_a_converted_cluster(oracle: Oracle, tmp_path: Path) -> None:
    oracle("corosync", package="corosync")
    old = NasCluster.from_etc(article()).cman
    assert old is not None
    new = to_corosync(old, {name: f"10.10.10.{at}" for at, name in enumerate(old.nodes.keys(), 1)})
    path = tmp_path / "corosync.conf"
    path.write_text(new.corosync.render(), encoding="utf-8")
    run(*ISOLATED, path)
