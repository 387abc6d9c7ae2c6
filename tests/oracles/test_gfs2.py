"""mkfs.gfs2, tunegfs2, blkid, wipefs and fsck.gfs2 on a file say what we say."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from clusternas.core.command import Command, Output, Result
from clusternas.core.errors import CommandFailed
from clusternas.gfs2 import commands, names, sizes
from clusternas.gfs2.model import Gfs2Filesystem

PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
MIB = 1024 * 1024


class Here:
    """Runs a command on this machine, for these files only."""

    def run(self, command: Command) -> Result:
        done = subprocess.run(
            [shutil.which(command.argv[0], path=PATH) or command.argv[0], *command.argv[1:]],
            env={"LC_ALL": "C", "PATH": PATH},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=command.timeout,
        )
        return command.result(Output(done.returncode, done.stdout, done.stderr))


@pytest.fixture(scope="module", autouse=True)
def _tools(oracle) -> None:
    for tool in ("mkfs.gfs2", "tunegfs2", "fsck.gfs2"):
        oracle(tool, package="gfs2-utils")
    oracle("wipefs", package="util-linux")
    oracle("blkid", package="util-linux")


@pytest.fixture
def image(tmp_path: Path) -> str:
    path = tmp_path / "disk"
    with path.open("wb") as file:
        file.truncate(64 * MIB)
    return str(path)


@pytest.mark.parametrize(
    ("journals", "block_size"), [(1, 4096), (2, 4096), (3, 2048), (2, 1024), (2, 512)]
)
def test_what_mkfs_makes_is_read_alike(image: str, journals: int, block_size: int) -> None:
    here = Here()
    wanted = Gfs2Filesystem(
        device=image,
        lock_table="NASCluster:opt",
        journals=journals,
        mount_point="/opt",
        block_size=block_size,
        journal_size=8,
    )
    assert here.run(wanted.inspect()).value is None
    assert here.run(commands.signatures(image)).value == ()
    assert here.run(commands.blkid(image)).value == ()

    made = here.run(wanted.mkfs()).value
    assert (made.device, made.journals, made.block_size) == (image, journals, block_size)
    assert made.journal_size == 8 * MIB

    superblock = here.run(commands.superblock(image)).value
    assert superblock is not None
    assert superblock == here.run(commands.tunegfs2(image)).value
    assert superblock.uuid == made.uuid
    assert commands.read_journal_count(image, here) == journals

    found = here.run(wanted.inspect()).value
    assert found is not None
    assert found.journals == (journals if block_size >= 2048 else None)
    assert wanted.differences(found) == []

    [signature] = here.run(commands.signatures(image)).value
    assert (signature.kind, signature.offset, signature.uuid) == ("gfs2", 65536, made.uuid)
    [device] = here.run(commands.blkid(image)).value
    assert (device.kind, device.uuid, device.label) == ("gfs2", made.uuid, "NASCluster:opt")
    assert here.run(commands.fsck(image)).value.clean


@pytest.mark.parametrize("journals", [1, 2, 3])
@pytest.mark.parametrize("mib", [100, 600, 1500, 3000, 5000, 20_000, 60_000])
def test_a_journal_is_as_large_as_mkfs_makes_it(tmp_path: Path, mib: int, journals: int) -> None:
    image = tmp_path / "disk"
    with image.open("wb") as file:
        file.truncate(mib * MIB)
    made = Here().run(commands.mkfs(str(image), "c:f", journals, discard=False)).value
    assert made.journal_size == sizes.default_journal_size(mib * MIB, journals) * MIB


def test_another_cluster_takes_it_over(image: str) -> None:
    here = Here()
    here.run(commands.mkfs(image, "Old:opt", 1, journal_size=8))
    here.run(commands.set_lock_table(image, "New:opt"))
    found = here.run(commands.superblock(image)).value
    assert found is not None
    assert found.lock_table == "New:opt"
    here.run(commands.wipefs(image))
    assert here.run(commands.superblock(image)).value is None


@pytest.mark.parametrize(
    "table",
    [
        "c:f",
        "c",
        ":f",
        "c:",
        "c:f:g",
        "c d:f",
        "c.d:f",
        "a_-9:B",
        f"{'c' * 32}:{'f' * 30}",
        f"{'c' * 33}:f",
        f"c:{'f' * 31}",
    ],
)
def test_lock_tables_are_refused_alike(image: str, table: str) -> None:
    good = commands.mkfs(image, "c:f", 1, journal_size=8)
    argv = [table if word == "c:f" else word for word in good.argv]
    try:
        Here().run(Command(argv, good.decode, timeout=60))
        accepted = True
    except CommandFailed:
        accepted = False
    assert (names.lock_table_problem(table) == "") is accepted


def test_growing_what_is_not_mounted_fails_by_its_value(image: str, oracle) -> None:
    oracle("gfs2_grow", package="gfs2-utils")
    here = Here()
    here.run(commands.mkfs(image, "c:f", 1, journal_size=8))
    result = here.run(commands.grow(image))
    with pytest.raises(CommandFailed, match="not a mounted gfs2"):
        _ = result.value
    with pytest.raises(CommandFailed):
        here.run(commands.jadd(image))
