"""The fakes act out the scripts of core.files as a real shell runs them."""

from __future__ import annotations

import grp
import os
import pwd
from collections.abc import Callable
from pathlib import Path

import pytest

from clusternas.core import files
from clusternas.core.command import Command
from clusternas.core.errors import CommandError, Drift
from clusternas.core.files import ABSENT, digest
from clusternas.runners.local import Local
from clusternas.testing import FakeCluster, FakeNode

OWNER, GROUP = pwd.getpwuid(os.getuid()).pw_name, grp.getgrgid(os.getgid()).gr_name


def commands(root: str) -> list[Command[object]]:
    path, link = f"{root}/a.conf", f"{root}/link"
    return [
        files.read_file(path),
        files.stat_file(path),
        files.write_file(path, b"one\n", expect=ABSENT),
        files.write_file(path, b"one\n"),
        files.write_file(path, b"one\n", mode=0o600),
        files.read_file(path),
        files.write_file(path, b"two\n", expect=digest(b"one\n")),
        files.write_file(path, b"three\n", expect=digest(b"one\n")),
        files.read_file(path),
        files.symlink(link, path),
        files.symlink(link, path),
        files.write_file(link, b"through\n"),
        files.read_files([path, link, f"{root}/none"], [f"{root}/*.conf"]),
        files.glob(f"{root}/*", f"{root}/none*"),
        files.stat_file(link),
        files.write_file(f"{root}/deep/er/x", b"", parents=True),
        files.write_file(f"{root}/no/such/x", b""),
        files.make_dir(f"{root}/dir", mode=0o750),
        files.make_dir(f"{root}/dir", mode=0o750),
        files.read_file(f"{root}/dir"),
        files.symlink(f"{root}/dir", path),
        files.remove_file(link),
        files.remove_file(path, expect=ABSENT),
        files.remove_file(path, expect=digest(b"through\n")),
        files.remove_file(path),
        files.glob(f"{root}/*"),
    ]


def told(run: Callable[[Command[object]], object], command: Command[object]) -> object:
    try:
        return run(command)
    except CommandError as error:
        return type(error), error.exit_code
    except Drift:
        return Drift


@pytest.mark.slow
def test_the_fake_does_what_the_shell_does(tmp_path: Path) -> None:
    root = str(tmp_path)
    node = FakeCluster()["linux-nas01"]
    node.files.make_directories(root)
    real = Local()
    for command in commands(root):
        want = told(lambda one: real.run(one).value, command)
        got = told(lambda one: node.run(one).value, command)
        assert repr(got).replace("root", OWNER) == repr(want).replace(GROUP, OWNER).replace(
            "root", OWNER
        ), command


def test_a_write_that_is_interrupted_writes_nothing() -> None:
    cluster = FakeCluster()
    node: FakeNode = cluster["linux-nas01"]
    cluster.fail("linux-nas01", "write /etc/motd", when="halfway")
    with pytest.raises(CommandError):
        node.run(files.write_file("/etc/motd", b"hello"))
    assert node.run(files.read_file("/etc/motd")).value is None
