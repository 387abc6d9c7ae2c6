"""File commands, run on this machine in every shell there is."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shells import Shell

from clusternas.core.command import Command, Effect, Output, text
from clusternas.core.errors import CommandFailed, Drift, ParseError, ValidationError
from clusternas.core.files import (
    ABSENT,
    FileContent,
    Written,
    digest,
    glob,
    make_dir,
    read_file,
    read_files,
    remove_file,
    stat_file,
    symlink,
    write_file,
)

T = TypeVar("T")
ODD = bytes(range(256)) + b"\r\n\n \t\r no newline"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "r0.res"
    path.write_bytes(b"old\n")
    return path


@pytest.fixture
def public() -> Iterator[Path]:
    """A directory that other users can enter; those of pytest they cannot."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


class TestRead:
    def test_everything_about_a_file(self, shell: Shell, file: Path) -> None:
        file.write_bytes(ODD)
        file.chmod(0o640)
        read = shell.run(read_file(str(file))).value
        assert read is not None
        assert (read.path, read.content, read.mode) == (str(file), ODD, 0o640)
        assert (read.owner, read.group) == (file.owner(), file.group())
        assert read.digest == digest(ODD)

    def test_a_missing_file_is_none(self, shell: Shell, tmp_path: Path) -> None:
        assert shell.run(read_file(f"{tmp_path}/none")).value is None

    def test_a_dangling_link_is_none(self, shell: Shell, tmp_path: Path) -> None:
        (tmp_path / "link").symlink_to("nowhere")
        assert shell.run(read_file(f"{tmp_path}/link")).value is None

    def test_a_link_is_followed(self, shell: Shell, file: Path) -> None:
        link = file.with_name("link")
        link.symlink_to(file)
        read = shell.run(read_file(str(link))).value
        assert read is not None
        assert read.content == b"old\n"

    def test_a_directory_is_an_error(self, shell: Shell, tmp_path: Path) -> None:
        with pytest.raises(CommandFailed, match="exit code 65") as caught:
            shell.run(read_file(str(tmp_path)))
        assert "not a regular file" in caught.value.stderr

    def test_below_a_file_is_an_error(self, shell: Shell, file: Path) -> None:
        with pytest.raises(CommandFailed) as caught:
            shell.run(read_file(f"{file}/x"))
        assert "Not a directory" in caught.value.stderr

    def test_many_in_one_command(self, shell: Shell, tmp_path: Path) -> None:
        contents = {"a b.res": ODD, "empty.res": b"", "file 3 x.res": b"absent /x\n", "no": b"x"}
        for name, content in contents.items():
            (tmp_path / name).write_bytes(content)
        (tmp_path / "folder.res").mkdir()
        files = shell.run(read_files([f"{tmp_path}/none"], [f"{tmp_path}/*.res"])).value
        assert files.pop(f"{tmp_path}/none") is None
        assert {Path(path).name: read.content for path, read in files.items() if read} == {
            name: content for name, content in contents.items() if name != "no"
        }

    def test_a_pattern_that_matches_nothing(self, shell: Shell, tmp_path: Path) -> None:
        assert shell.run(read_files([], [f"{tmp_path}/*"])).value == {}

    def test_a_path_is_no_pattern(self, shell: Shell, tmp_path: Path) -> None:
        (tmp_path / "[a]").write_bytes(b"1")
        (tmp_path / "a").write_bytes(b"2")
        read = shell.run(read_file(f"{tmp_path}/[a]")).value
        assert read is not None
        assert read.content == b"1"

    def test_what_the_kernel_makes_up(self, shell: Shell) -> None:
        read = shell.run(read_file("/proc/version")).value
        assert read is not None
        assert read.content == Path("/proc/version").read_bytes()

    @settings(max_examples=25)
    @given(content=st.binary(max_size=300))
    def test_any_content(self, content: bytes) -> None:
        header = b"file %d 644 0 0 root root /x\n" % len(content)
        decode = read_file("/x").decode
        assert decode(Output(stdout=header + content + b"\n")) == FileContent(
            path="/x", content=content, mode=0o644, owner="root", group="root"
        )

    @pytest.mark.parametrize(
        "stdout",
        [
            b"file 3 644 0 0 root root /x\nab\n",
            b"file 3 644 0 0 root root /x\nabcd\n",
            b"file 3 644 0 0 root root /x\nabc",
            b"Welcome to nas01\nabsent /x\n",
            b"file x\n\n",
            b"absent /x",
        ],
    )
    def test_what_does_not_add_up(self, stdout: bytes) -> None:
        with pytest.raises(ParseError):
            read_file("/x").decode(Output(stdout=stdout))

    def test_an_owner_without_a_name(self) -> None:
        read = read_file("/x").decode(Output(stdout=b"file 0 644 4321 0 UNKNOWN root /x\n\n"))
        assert read is not None
        assert read.owner == "4321"


def heed_hangups() -> None:
    """Undo nohup, under which the tests may run: a shell cannot trap what it was born to ignore."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def killed(process: subprocess.Popen[bytes], number: signal.Signals) -> int:
    """The exit code of a process group that is signalled until it ends, as an impatient one is."""
    for _ in range(100):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(0.2)
    raise AssertionError("it does not end")


class TestWrite:
    def test_a_new_file(self, shell: Shell, tmp_path: Path) -> None:
        path = tmp_path / "new file"
        done = shell.run(write_file(str(path), ODD)).value
        assert done == Written(changed=True, before=ABSENT)
        assert path.read_bytes() == ODD
        assert mode(path) == 0o644
        assert names(tmp_path) == ["new file"]

    def test_mode_is_kept(self, shell: Shell, file: Path) -> None:
        file.chmod(0o4750)
        done = shell.run(write_file(str(file), b"new\n", expect=digest(b"old\n"))).value
        assert done == Written(changed=True, before=digest(b"old\n"))
        assert (file.read_bytes(), mode(file)) == (b"new\n", 0o4750)
        assert names(file.parent) == ["r0.res"]

    @as_root
    def test_owner_is_kept(self, shell: Shell, file: Path) -> None:
        os.chown(file, 12, 4321)
        shell.run(write_file(str(file), b"new\n"))
        assert (file.stat().st_uid, file.stat().st_gid) == (12, 4321)

    def test_nothing_to_do(self, shell: Shell, file: Path) -> None:
        before = file.stat()
        done = shell.run(write_file(str(file), b"old\n", mode=mode(file))).value
        assert done == Written(changed=False, before=digest(b"old\n"))
        after = file.stat()
        assert (after.st_ino, after.st_mtime_ns, after.st_ctime_ns) == (
            before.st_ino,
            before.st_mtime_ns,
            before.st_ctime_ns,
        )

    def test_only_the_mode(self, shell: Shell, file: Path) -> None:
        inode = file.stat().st_ino
        command = write_file(str(file), b"old\n", mode=0o600)
        assert shell.run(command).value.changed
        assert (mode(file), file.stat().st_ino) == (0o600, inode)
        assert not shell.run(command).value.changed

    @as_root
    def test_owner_by_name_and_number(self, shell: Shell, file: Path) -> None:
        by_name = write_file(str(file), b"new\n", mode=0o640, owner="daemon", group="daemon")
        assert shell.run(by_name).value.changed
        assert (file.owner(), file.group(), mode(file)) == ("daemon", "daemon", 0o640)
        assert not shell.run(by_name).value.changed
        number = str(file.stat().st_uid)
        assert not shell.run(write_file(str(file), b"new\n", owner=number)).value.changed
        assert shell.run(write_file(str(file), b"new\n", group="0")).value.changed
        assert file.stat().st_gid == 0

    @pytest.mark.parametrize("expect", [ABSENT, digest(b"other")])
    def test_drift(self, shell: Shell, file: Path, expect: str) -> None:
        with pytest.raises(Drift, match="changed since it was read") as caught:
            shell.run(write_file(str(file), b"new\n", expect=expect))
        assert caught.value.exit_code == 75
        assert str(file) in caught.value.command
        assert file.read_bytes() == b"old\n"
        assert names(file.parent) == ["r0.res"]

    def test_drift_of_a_file_that_is_gone(self, shell: Shell, tmp_path: Path) -> None:
        with pytest.raises(Drift):
            shell.run(write_file(f"{tmp_path}/none", b"new\n", expect=digest(b"old\n")))
        assert names(tmp_path) == []

    def test_drift_while_the_input_comes(self, plain: Shell, file: Path) -> None:
        command = write_file(str(file), b"new\n", expect=digest(b"old\n"))
        with subprocess.Popen(
            plain.argv(command), stdin=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            assert process.stdin is not None
            wait_until(lambda: len(names(file.parent)) == 2)
            file.write_bytes(b"somebody else's\n")
            process.communicate(b"new\n")
        assert process.returncode == 75
        assert file.read_bytes() == b"somebody else's\n"
        assert names(file.parent) == ["r0.res"]

    def test_through_a_link(self, shell: Shell, file: Path) -> None:
        folder = file.with_name("links")
        folder.mkdir()
        link = folder / "link"
        link.symlink_to("../r0.res")
        shell.run(write_file(str(link), b"new\n", expect=digest(b"old\n")))
        assert link.is_symlink()
        assert (file.is_symlink(), file.read_bytes()) == (False, b"new\n")
        assert names(folder) == ["link"]

    def test_missing_parents(self, shell: Shell, tmp_path: Path) -> None:
        path = tmp_path / "a" / "b" / "c"
        with pytest.raises(CommandFailed, match="exit code 66"):
            shell.run(write_file(str(path), b"x"))
        assert names(tmp_path) == []
        shell.run(write_file(str(path), b"x", parents=True))
        assert path.read_bytes() == b"x"
        assert mode(path.parent) == 0o755

    def test_a_directory_is_an_error(self, shell: Shell, tmp_path: Path) -> None:
        with pytest.raises(CommandFailed, match="exit code 65"):
            shell.run(write_file(str(tmp_path), b"x"))

    def test_input_that_is_cut(self, shell: Shell, file: Path) -> None:
        command = attrs.evolve(write_file(str(file), b"new\n" * 1000), stdin=b"new\n" * 900)
        with pytest.raises(CommandFailed, match="exit code 74") as caught:
            shell.run(command)
        assert "cut" in caught.value.stderr
        assert file.read_bytes() == b"old\n"
        assert names(file.parent) == ["r0.res"]

    def test_no_room(self, shell: Shell, file: Path) -> None:
        full = attrs.evolve(shell, limit=16)
        with pytest.raises(CommandFailed, match="exit code 74"):
            full.run(write_file(str(file), b"new\n" * 100_000))
        assert file.read_bytes() == b"old\n"
        assert names(file.parent) == ["r0.res"]

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
    def test_killed_while_the_input_comes(
        self, shell: Shell, file: Path, number: signal.Signals
    ) -> None:
        command = write_file(str(file), b"new\n")
        with subprocess.Popen(
            shell.argv(command),
            stdin=subprocess.PIPE,
            process_group=0,
            preexec_fn=heed_hangups,
        ) as process:
            wait_until(lambda: len(names(file.parent)) == 2)
            assert killed(process, number) != 0
        assert file.read_bytes() == b"old\n"
        assert names(file.parent) == ["r0.res"]

    def test_a_new_file_is_never_open_to_others(self, plain: Shell, tmp_path: Path) -> None:
        command = write_file(f"{tmp_path}/secret", b"s3cret", mode=0o600)
        with subprocess.Popen(plain.argv(command), stdin=subprocess.PIPE) as process:
            wait_until(lambda: len(names(tmp_path)) == 1)
            assert mode(next(tmp_path.iterdir())) == 0o600
            process.communicate(b"s3cret")
        assert mode(tmp_path / "secret") == 0o600

    def test_extended_attributes_are_kept(self, plain: Shell, file: Path) -> None:
        try:
            os.setxattr(file, "user.note", b"kept")
        except OSError:
            pytest.skip("this file system has no extended attributes")
        plain.run(write_file(str(file), b"new\n"))
        assert os.getxattr(file, "user.note") == b"kept"

    def test_a_large_file(self, plain: Shell, tmp_path: Path) -> None:
        content = os.urandom(3_000_000)
        plain.run(write_file(f"{tmp_path}/large", content))
        assert (tmp_path / "large").read_bytes() == content

    @as_root
    def test_what_one_may_not_write(self, public: Path) -> None:
        file = public / "file"
        file.write_bytes(b"old\n")
        nobody = Shell(("setpriv", "--reuid=65534", "--clear-groups", "sh"))
        with pytest.raises(CommandFailed, match="exit code 74"):
            nobody.run(write_file(str(file), b"new\n"))
        assert file.read_bytes() == b"old\n"

    @as_root
    def test_what_one_may_not_see_is_not_absent(self, public: Path) -> None:
        hidden = public / "hidden"
        hidden.mkdir(mode=0o700)
        (hidden / "file").write_bytes(b"old\n")
        nobody = Shell(("setpriv", "--reuid=65534", "--clear-groups", "sh"))
        for command in (read_file(f"{hidden}/file"), stat_file(f"{hidden}/file")):
            with pytest.raises(CommandFailed) as caught:
                nobody.run(command)
            assert "Permission denied" in caught.value.stderr


class TestRemove:
    def test_a_file(self, shell: Shell, file: Path) -> None:
        command = remove_file(str(file), expect=digest(b"old\n"))
        assert shell.run(command).value == Written(changed=True, before=digest(b"old\n"))
        assert names(file.parent) == []
        with pytest.raises(Drift):
            shell.run(command)

    def test_nothing(self, shell: Shell, tmp_path: Path) -> None:
        assert not shell.run(remove_file(f"{tmp_path}/none")).value.changed
        assert not shell.run(remove_file(f"{tmp_path}/none", expect=ABSENT)).value.changed

    def test_drift(self, shell: Shell, file: Path) -> None:
        with pytest.raises(Drift):
            shell.run(remove_file(str(file), expect=digest(b"other")))
        assert file.exists()

    def test_a_link_not_its_target(self, shell: Shell, file: Path) -> None:
        for target in (file, file.parent, "nowhere"):
            link = file.with_name("link")
            link.symlink_to(target)
            assert shell.run(remove_file(str(link))).value.changed
        assert names(file.parent) == ["r0.res"]

    def test_a_directory_is_an_error(self, shell: Shell, tmp_path: Path) -> None:
        with pytest.raises(CommandFailed, match="exit code 65"):
            shell.run(remove_file(str(tmp_path)))


class TestMakeDir:
    def test_once(self, shell: Shell, tmp_path: Path) -> None:
        path = tmp_path / "share one"
        command = make_dir(str(path), mode=0o2770)
        assert shell.run(command).value.changed
        assert mode(path) == 0o2770
        assert not shell.run(command).value.changed

    def test_only_the_mode(self, shell: Shell, tmp_path: Path) -> None:
        assert shell.run(make_dir(str(tmp_path), mode=0o711)).value.changed
        assert mode(tmp_path) == 0o711

    def test_parents(self, shell: Shell, tmp_path: Path) -> None:
        path = tmp_path / "a" / "b"
        with pytest.raises(CommandFailed):
            shell.run(make_dir(str(path)))
        shell.run(make_dir(str(path), parents=True))
        assert (mode(path), mode(path.parent)) == (0o755, 0o755)

    def test_a_file_is_in_the_way(self, shell: Shell, file: Path) -> None:
        with pytest.raises(CommandFailed, match="exit code 74"):
            shell.run(make_dir(str(file)))


class TestSymlink:
    def test_make_move_and_leave(self, shell: Shell, file: Path) -> None:
        link = file.with_name("link")
        assert shell.run(symlink(str(link), "r0.res")).value.changed
        assert not shell.run(symlink(str(link), "r0.res")).value.changed
        assert shell.run(symlink(str(link), str(file.parent))).value.changed
        assert shell.run(symlink(str(link), "r0.res")).value.changed
        assert link.readlink() == Path("r0.res")
        assert names(file.parent) == ["link", "r0.res"]

    def test_a_file_is_left_alone(self, shell: Shell, file: Path) -> None:
        with pytest.raises(CommandFailed, match="exit code 65"):
            shell.run(symlink(str(file), "elsewhere"))
        assert file.read_bytes() == b"old\n"


class TestStat:
    def test_kinds(self, shell: Shell, file: Path) -> None:
        link = file.with_name("link")
        link.symlink_to("a b")
        os.mkfifo(file.with_name("pipe"))
        kinds = {}
        for path in (file, file.parent, link, file.with_name("pipe"), Path("/dev/null")):
            found = shell.run(stat_file(str(path))).value
            assert found is not None
            kinds[found.kind] = found
        assert list(kinds) == ["file", "directory", "symlink", "fifo", "character"]
        assert (kinds["file"].size, kinds["file"].mode) == (4, mode(file))
        assert kinds["file"].owner == file.owner()
        assert kinds["symlink"].target == "a b"

    def test_nothing(self, shell: Shell, tmp_path: Path) -> None:
        assert shell.run(stat_file(f"{tmp_path}/none")).value is None

    @pytest.mark.parametrize("stdout", [b"", b"zz 1 0 0 root root \n", b"0 1 0 0 root root \n"])
    def test_nonsense(self, stdout: bytes) -> None:
        with pytest.raises(ParseError):
            stat_file("/x").decode(Output(stdout=stdout))


class TestGlob:
    def test_paths(self, shell: Shell, tmp_path: Path) -> None:
        for name in ("b.res", "a b.res", "c.conf"):
            (tmp_path / name).touch()
        found = shell.run(glob(f"{tmp_path}/*.res", f"{tmp_path}/c*", f"{tmp_path}/no*")).value
        assert [Path(path).name for path in found] == ["a b.res", "b.res", "c.conf"]


class TestBuilding:
    COMMANDS = (
        read_file("/etc/fstab"),
        read_files(["/etc/fstab"], ["/etc/drbd.d/*.res"]),
        write_file("/etc/fstab", b"x"),
        remove_file("/etc/fstab"),
        make_dir("/srv/share"),
        symlink("/etc/drbd.conf", "drbd.d"),
        stat_file("/dev/drbd0"),
        glob("/etc/drbd.d/*.res"),
    )

    def test_they_read_like_what_they_do(self) -> None:
        assert [str(command) for command in self.COMMANDS] == [
            "read /etc/fstab",
            "read /etc/fstab /etc/drbd.d/*.res",
            "write /etc/fstab",
            "remove /etc/fstab",
            "make-dir /srv/share",
            "symlink /etc/drbd.conf",
            "stat /dev/drbd0",
            "glob /etc/drbd.d/*.res",
        ]

    def test_the_operation_is_the_fourth_word(self) -> None:
        words = {command.argv[3] for command in self.COMMANDS}
        assert words == {"read", "write", "remove", "make-dir", "symlink", "stat", "glob"}

    def test_effects(self) -> None:
        reads = {c.argv[3] for c in self.COMMANDS if c.effect is Effect.READ}
        assert reads == {"read", "stat", "glob"}
        assert not any(c.effect is Effect.DESTROY for c in self.COMMANDS)

    @pytest.mark.parametrize("command", COMMANDS, ids=str)
    def test_they_pickle(self, command: Command[object]) -> None:
        assert pickle.loads(pickle.dumps(command)) == command

    def test_content_does_not_show(self) -> None:
        command = write_file("/etc/drbd.d/r0.res", b"shared-secret s3cret;")
        assert "s3cret" not in repr(command) + str(command) + command.shell()

    @pytest.mark.parametrize("path", ["", "-rf", "a\nb", "a\0b", "\udcff"])
    def test_a_path_is_a_path(self, path: str) -> None:
        with pytest.raises(ValidationError):
            write_file(path, b"")
        with pytest.raises(ValidationError):
            read_files(["/etc/fstab", path])

    @pytest.mark.parametrize(
        "wrong",
        [
            {"mode": 0o10000},
            {"mode": -1},
            {"owner": "a:b"},
            {"owner": "-x"},
            {"group": "a b"},
            {"expect": "1234"},
            {"expect": "any"},
        ],
    )
    def test_what_cannot_be(self, wrong: dict[str, object]) -> None:
        with pytest.raises(ValidationError):
            write_file("/etc/fstab", b"", **wrong)  # type: ignore[arg-type]

    @pytest.mark.parametrize("answer", [b"", b"changed a b\n", b"rewritten\n"])
    def test_an_answer_is_an_answer(self, answer: bytes) -> None:
        with pytest.raises(ParseError):
            write_file("/x", b"").decode(Output(stdout=answer))

    def test_the_default_runner(self, file: Path) -> None:
        assert write_file(str(file), b"new\n").run().value.changed
        read = read_file(str(file)).run().value
        assert read is not None
        assert read.content == b"new\n"
        assert Command(("cat", str(file)), text).run().value == "new\n"


def wait_until(condition: Callable[[], bool]) -> None:
    for _ in range(1000):
        if condition():
            return
        time.sleep(0.005)
    raise AssertionError("it never happened")
