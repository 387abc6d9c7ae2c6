"""What is about to be lost, on this machine in every shell there is."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from shells import Shell

from clusternas.core.command import Output
from clusternas.core.errors import CommandFailed, Drift, ParseError, ValidationError
from clusternas.core.salvage import ChangedFiles, changed_since, save_disk

BLOCK = 1 << 20


@pytest.fixture
def shell(shell: Shell) -> Shell:
    """One that has the tools of GNU: BusyBox runs its own find and cp, which cannot do this."""
    if "busybox" in shell.words:
        pytest.skip("BusyBox prefers its own tools")
    return shell


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """Three blocks, and between them twenty that were never written."""
    path = tmp_path / "disk"
    with path.open("wb") as file:
        for block in (0, 11, 22):
            file.seek(block * BLOCK)
            file.write(os.urandom(BLOCK))
        file.truncate(23 * BLOCK + 512)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One file of long ago; one that is new, but a client gave it an old time."""
    folder = tmp_path / "opt"
    (folder / "below").mkdir(parents=True)
    (folder / "new \n\udcff name").write_text("twelve bytes")
    (folder / "below" / "copied").write_text("x")
    os.utime(folder / "below" / "copied", (1.5, 1.5))
    (folder / "link").symlink_to("below")
    return folder


class TestChangedSince:
    def test_what_has_changed_is_listed(self, shell: Shell, folder: Path) -> None:
        found = shell.run(changed_since(str(folder), time.time() - 60)).value
        assert [(each.path, each.size) for each in found.files] == [
            (f"{folder}/below/copied", 1),
            (f"{folder}/new \n\udcff name", 12),
        ]
        assert found.files[0].mtime == 1.5
        assert found.more == 0

    def test_what_was_there_before_is_not(self, shell: Shell, folder: Path) -> None:
        assert shell.run(changed_since(str(folder), time.time() + 60)).value == ChangedFiles()

    @pytest.mark.parametrize("most", [1, 20, 60, 120, 4000])
    def test_of_very_many_some_are_listed_and_all_are_counted(
        self, shell: Shell, tmp_path: Path, most: int
    ) -> None:
        for number in range(30):
            (tmp_path / f"{number}").write_text("")
        found = shell.run(changed_since(str(tmp_path), 0, most=most)).value
        assert len(found.files) + found.more == 30
        assert bool(found.more) is (most < 4000)

    def test_what_cannot_be_read_is_no_empty_list(self, shell: Shell, folder: Path) -> None:
        with pytest.raises(CommandFailed) as failed:
            shell.run(changed_since(f"{folder}/nowhere", 0))
        assert "No such file" in failed.value.stderr

    def test_nonsense_is_refused(self) -> None:
        for arguments in (("opt", 0.0), ("/opt", float("nan")), ("/o\npt", 0.0)):
            with pytest.raises(ValidationError):
                changed_since(*arguments)
        for said in (b"hello\n", b"1 2\0\0\0", b"1 2 /x\0\0\0x"):
            with pytest.raises(ParseError):
                changed_since("/opt", 0).result(Output(stdout=said)).value  # noqa: B018


class TestSaveDisk:
    def test_all_of_it_is_copied_and_zeros_take_no_room(
        self, shell: Shell, disk: Path, tmp_path: Path
    ) -> None:
        copy = tmp_path / "copy of it"
        saved = shell.run(save_disk(str(disk), str(copy))).value
        assert copy.read_bytes() == disk.read_bytes()
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
        assert (saved.changed, saved.size) == (True, disk.stat().st_size)
        assert saved.stored < 5 * BLOCK
        assert copy.stat().st_nlink == 1
        assert names(tmp_path) == ["copy of it", "disk"]

    def test_the_second_time_it_is_only_compared(
        self, shell: Shell, disk: Path, tmp_path: Path
    ) -> None:
        command = save_disk(str(disk), f"{tmp_path}/copy")
        shell.run(command)
        before = (tmp_path / "copy").stat()
        assert not shell.run(command).value.changed
        assert (tmp_path / "copy").stat().st_ctime == before.st_ctime

    @pytest.mark.parametrize("taken", ["half", "other", "folder", "dangling"])
    def test_nothing_is_overwritten(
        self, shell: Shell, disk: Path, tmp_path: Path, taken: str
    ) -> None:
        copy = tmp_path / "copy"
        match taken:
            case "half":
                copy.write_bytes(disk.read_bytes()[:BLOCK])
            case "other":
                copy.write_bytes(disk.read_bytes()[:-1] + b"\0")
                disk.write_bytes(disk.read_bytes()[:-1] + b"\1")
            case "folder":
                copy.mkdir()
            case _:
                copy.symlink_to("nowhere")
        before = copy.lstat()
        with pytest.raises(Drift, match="is no copy"):
            shell.run(save_disk(str(disk), str(copy)))
        after = copy.lstat()
        assert (after.st_ino, after.st_size, after.st_ctime) == (
            before.st_ino,
            before.st_size,
            before.st_ctime,
        )

    def test_half_of_a_run_that_was_killed_is_not_taken_for_the_whole(
        self, plain: Shell, disk: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "copy.saving-aB3xYz").write_bytes(b"half")
        plain.run(save_disk(str(disk), f"{tmp_path}/copy"))
        assert names(tmp_path) == ["copy", "disk"]
        assert (tmp_path / "copy").read_bytes() == disk.read_bytes()

    def test_a_copy_that_was_cut_off_leaves_nothing(
        self, shell: Shell, disk: Path, tmp_path: Path
    ) -> None:
        limited = Shell(shell.words, limit=2048)  # blocks of 512 bytes: half of what is needed
        with pytest.raises(CommandFailed):
            limited.run(save_disk(str(disk), f"{tmp_path}/copy"))
        assert names(tmp_path) == ["disk"]

    def test_a_disk_that_is_larger_than_what_is_free_is_not_begun(
        self, shell: Shell, tmp_path: Path
    ) -> None:
        with (tmp_path / "huge").open("wb") as file:
            file.truncate(shutil.disk_usage(tmp_path).total + BLOCK)
        with pytest.raises(CommandFailed) as failed:
            shell.run(save_disk(f"{tmp_path}/huge", f"{tmp_path}/copy"))
        assert "KiB are free" in failed.value.stderr
        assert names(tmp_path) == ["huge"]

    def test_what_is_not_there_is_said(self, plain: Shell, disk: Path, tmp_path: Path) -> None:
        for pair in ((f"{disk}x", f"{tmp_path}/copy"), (str(disk), f"{tmp_path}/no/copy")):
            with pytest.raises(CommandFailed) as failed:
                plain.run(save_disk(*pair))
            assert "no such" in failed.value.stderr
        with pytest.raises(ValidationError):
            save_disk("vda3", "/root/copy")

    def test_an_answer_is_an_answer(self) -> None:
        for said in (b"", b"changed 1\n", b"changed a b c\n", b"copied 1 2 3\n"):
            with pytest.raises(ParseError):
                save_disk("/dev/vda3", "/root/x").result(Output(stdout=said)).value  # noqa: B018


@pytest.fixture
def device(disk: Path) -> Iterator[str]:
    """A real block device."""
    made = subprocess.run(
        ["losetup", "--find", "--show", str(disk)], capture_output=True, text=True, check=False
    )
    if made.returncode:
        pytest.skip(f"no loop device: {made.stderr.strip()}")
    device = made.stdout.strip()
    yield device
    subprocess.run(["losetup", "--detach", device], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has block devices")
def test_a_block_device_is_saved_as_it_is_now(
    plain: Shell, device: str, disk: Path, tmp_path: Path
) -> None:
    assert plain.run(save_disk(device, f"{tmp_path}/copy")).value.size == disk.stat().st_size
    assert (tmp_path / "copy").read_bytes() == disk.read_bytes()
