"""Ssh, against real servers on loopback."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusternas import NasCluster
from clusternas.core.command import Command, Effect, Output, Secret, text
from clusternas.core.errors import (
    CommandFailed,
    CommandNotFound,
    CommandTimeout,
    Drift,
    PlanError,
    Refused,
    Unreachable,
    ValidationError,
)
from clusternas.core.files import ABSENT, digest, read_file, read_files, write_file
from clusternas.runners.local import Local
from clusternas.runners.nodes import Nodes
from clusternas.runners.remote import REMOTE, ended, remote
from clusternas.runners.ssh import Ssh
from clusternas.testing.demo import article

from .conftest import Server, free_port


def shell(script: str, *, timeout: float = 20.0, stdin: bytes = b"") -> Command[str]:
    return Command(("sh", "-c", script), text, timeout=timeout, stdin=stdin)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


def gone(pid: int, within: float = 5.0) -> bool:
    end = time.monotonic() + within
    while alive(pid) and time.monotonic() < end:
        time.sleep(0.05)
    return not alive(pid)


class TestArgv:
    def test_reads_like_a_call_of_ssh(self) -> None:
        argv = Ssh("nas01", user="root", port=22022, identity="/root/key", config_file="/c").argv(
            Command(("uptime",), text)
        )
        assert argv[:3] == ("ssh", "-T", "-x")
        assert argv[-3:-1] == ("--", "nas01")
        for pair in (("-p", "22022"), ("-l", "root"), ("-i", "/root/key"), ("-F", "/c")):
            assert argv[argv.index(pair[0]) + 1] == pair[1]
        assert {"-oBatchMode=yes", "-oConnectTimeout=10", "-oStrictHostKeyChecking=yes"} <= {*argv}

    def test_own_options_win(self) -> None:
        ssh = Ssh("nas01", options={"ConnectTimeout": "3", "ProxyJump": "gate"})
        assert "-oConnectTimeout=3" in ssh.flags()
        assert "-oConnectTimeout=10" not in ssh.flags()
        assert "-oProxyJump=gate" in ssh.flags()

    @pytest.mark.parametrize(
        ("version", "kept"),
        [("OpenSSH_5.3p1, OpenSSL 1.0.1e-fips", False), ("OpenSSH_9.2p1 Debian-2", True)],
    )
    def test_connections_are_kept_where_the_client_can(
        self, tmp_path: Path, version: str, kept: bool
    ) -> None:
        client = tmp_path / "ssh"
        client.write_text(f"#!/bin/sh\necho '{version}' >&2\n")
        client.chmod(0o755)
        local = Local(path=f"{tmp_path}:{os.defpath}")
        flags = Ssh("nas01", persist=60, local=local).flags()
        assert ("-oControlPersist=60" in flags) is kept

    @pytest.mark.parametrize(
        "host", ["", "-oProxyCommand=x", "nas 01", "nas01;id", "$(id)", "a\nb", "root@nas01"]
    )
    def test_a_host_is_a_host(self, host: str) -> None:
        with pytest.raises(ValidationError):
            Ssh(host)

    @pytest.mark.parametrize("host", ["nas01", "nas-01.example.com", "192.0.2.1", "2001:db8::1"])
    def test_hosts(self, host: str) -> None:
        assert Ssh(host).host == host

    def test_a_user_is_a_user(self) -> None:
        with pytest.raises(ValidationError):
            Ssh("nas01", user="-x")

    @given(
        st.lists(
            st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), max_size=4
        )
    )
    def test_arguments_are_quoted_once(self, arguments: list[str]) -> None:
        line = remote(Command(("printf", *arguments), text, env=(("A", "b c"),)))
        assert shlex.split(line)[-1 - len(arguments) :] == ["printf", *arguments]
        assert "A=b c" in shlex.split(line)


class TestRemoteShell:
    """The script that runs on the node, in the shells there are."""

    @pytest.fixture(params=["dash", "bash --posix", "busybox sh", "mksh", "posh"])
    def interpreter(self, request: pytest.FixtureRequest) -> list[str]:
        words = str(request.param).split()
        if subprocess.run(["sh", "-c", f"command -v {words[0]}"], capture_output=True).returncode:
            pytest.skip(f"{words[0]} is not installed")
        return words

    def ask(
        self, interpreter: list[str], seconds: int, *argv: str, stdin: bytes = b""
    ) -> subprocess.CompletedProcess[bytes]:
        call = [*interpreter, "-c", REMOTE.strip(), "clusternas", str(seconds), *argv]
        return subprocess.run(call, input=stdin, capture_output=True, timeout=20)

    def test_input_output_and_code(self, interpreter: list[str]) -> None:
        done = self.ask(interpreter, 9, "sh", "-c", "cat; echo err >&2; exit 3", stdin=b"in\0")
        assert (done.stdout, done.stderr) == (b"in\0", b"err\n\nclusternas: exit 3\n")
        assert done.returncode == 3

    def test_a_late_tool_is_killed_with_its_children(self, interpreter: list[str]) -> None:
        done = self.ask(interpreter, 1, "sh", "-c", "sleep 50 & echo $!; wait")
        assert done.stderr.endswith(b"\nclusternas: timeout\n")
        assert gone(int(done.stdout))

    def test_a_missing_tool(self, interpreter: list[str]) -> None:
        assert self.ask(interpreter, 9, "no-such-tool").stderr == b"\nclusternas: missing\n"


class TestServer:
    def test_output_is_exact(self, servers: tuple[Server, Server]) -> None:
        data = bytes(range(256)) * 40 + b"\r\n\r no newline at the end"
        result = servers[0].ssh().run(Command(("cat",), text, stdin=data))
        assert result.output.stdout == data
        assert result.output.stderr == b""
        assert result.node == "nas01"

    def test_environment_is_plain(self, servers: tuple[Server, Server]) -> None:
        command = Command(("sh", "-c", "echo $LC_ALL $A; tty"), text, env=(("A", "b  c"),), ok={1})
        assert servers[0].ssh().run(command).value == "C b c\nnot a tty\n"

    def test_arguments_arrive_as_they_are(self, servers: tuple[Server, Server]) -> None:
        arguments = ["", " ", "a'b\"c", "$(id)", "`id`", "*", "a\nb", "ü", "\udcff", "-n", "!!"]
        command = Command(("printf", r"%s\0", *arguments), text)
        assert servers[0].ssh().run(command).value.split("\0")[:-1] == arguments

    def test_streams_stay_apart(self, servers: tuple[Server, Server]) -> None:
        output = servers[0].ssh().run(shell("echo out; printf err >&2")).output
        assert (output.stdout, output.stderr) == (b"out\n", b"err")

    @pytest.mark.parametrize("code", [1, 124, 127, 255])
    def test_an_exit_code_is_the_tool_s(self, servers: tuple[Server, Server], code: int) -> None:
        with pytest.raises((CommandFailed, CommandNotFound)) as caught:
            servers[0].ssh().run(shell(f"echo why >&2; exit {code}"))
        assert not isinstance(caught.value, Unreachable)
        assert caught.value.exit_code == code
        assert caught.value.stderr == "why\n"
        assert caught.value.node == "nas01"

    def test_255_may_be_fine(self, servers: tuple[Server, Server]) -> None:
        command = Command(("sh", "-c", "exit 255"), text, ok={255})
        assert servers[0].ssh().run(command).output.exit_code == 255

    def test_a_missing_tool(self, servers: tuple[Server, Server]) -> None:
        with pytest.raises(CommandNotFound, match="no-such-tool is not installed"):
            servers[0].ssh().run(Command(("no-such-tool", "--help"), text))

    def test_late_commands_are_killed_there(self, servers: tuple[Server, Server]) -> None:
        started = time.monotonic()
        with pytest.raises(CommandTimeout) as caught:
            servers[0].ssh().run(shell("sleep 60 & echo $!; wait", timeout=1))
        assert time.monotonic() - started < 50
        assert gone(int(caught.value.stdout))

    def test_nothing_destroys_without_consent(self, servers: tuple[Server, Server]) -> None:
        command = Command(("touch", "/no"), text, effect=Effect.DESTROY)
        with pytest.raises(Refused):
            servers[0].ssh().run(command)
        allowed = Command(("true",), text, effect=Effect.DESTROY).allow(["true"])
        assert servers[0].ssh().run(allowed).value == ""

    def test_secrets_do_not_show(self, servers: tuple[Server, Server]) -> None:
        command = Command(
            ("sh", "-c", "echo $0 >&2; exit 1", "s3cret"), text, secrets=(Secret("s3cret"),)
        )
        with pytest.raises(CommandFailed) as caught:
            servers[0].ssh().run(command)
        assert "s3cret" not in f"{caught.value}{caught.value!r}{caught.value.stderr}"

    def test_connections_can_be_kept(self, servers: tuple[Server, Server]) -> None:
        with tempfile.TemporaryDirectory(prefix="nas") as folder:  # sockets want short paths
            ssh = servers[0].ssh(persist=5, control_path=f"{folder}/%r@%h-%p")
            assert [ssh.run(shell("echo a")).value for _ in range(2)] == ["a\n", "a\n"]
            assert len(list(Path(folder).iterdir())) == 1
            leave = [*ssh.flags(), "-O", "exit", "--", "nas01"]
            Local().run(Command(("ssh", *leave), text))


class TestUnreachable:
    def test_nobody_listens(self) -> None:
        ssh = Ssh("127.0.0.1", port=free_port(), config_file="/dev/null")
        with pytest.raises(Unreachable, match="Connection refused") as caught:
            ssh.run(shell("echo"))
        assert isinstance(caught.value, ConnectionError)

    def test_unknown_host_key(self, servers: tuple[Server, Server]) -> None:
        stranger = servers[0].ssh(options={"UserKnownHostsFile": "/dev/null"})
        with pytest.raises(Unreachable) as caught:
            stranger.run(shell("echo"))
        assert "ssh-keyscan" in caught.value.hint

    def test_host_keys_can_be_learnt(self, servers: tuple[Server, Server], tmp_path: Path) -> None:
        learnt = tmp_path / "known"
        options = {"UserKnownHostsFile": str(learnt)}
        servers[0].ssh(options=options, host_keys="accept-new").run(shell("echo"))
        assert "ed25519" in learnt.read_text()
        servers[0].ssh(options=options).run(shell("echo"))

    def test_no_key(self, servers: tuple[Server, Server]) -> None:
        ssh = servers[0].ssh(options={"PubkeyAuthentication": "no"})
        with pytest.raises(Unreachable) as caught:
            ssh.run(shell("echo"))
        assert "without asking for a password" in caught.value.hint

    def test_a_silent_host(self) -> None:
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            port = silent.getsockname()[1]
            ssh = Ssh("127.0.0.1", port=port, config_file="/dev/null", connect_timeout=1)
            started = time.monotonic()
            with pytest.raises(Unreachable):
                ssh.run(shell("echo"))
            assert time.monotonic() - started < 50


def connection_of(server: Server, token: str) -> list[int]:
    """The server's processes that carry our command: parents of what has that token."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                line = (folder / "cmdline").read_bytes()
            except OSError:
                continue
            if token.encode() in line and not line.startswith(b"ssh\0"):
                found.append(int((folder / "stat").read_text().rpartition(")")[2].split()[1]))
    return [pid for pid in found if "sshd" in Path(f"/proc/{pid}/cmdline").read_text()]


class TestKilledMidCommand:
    def test_the_connection_breaks(self, servers: tuple[Server, Server], tmp_path: Path) -> None:
        token = f"token-{tmp_path.name}-{os.getpid()}"
        marker = tmp_path / "started"
        killer = threading.Thread(target=self.cut, args=(servers[1], token, marker))
        killer.start()
        started = time.monotonic()
        with pytest.raises(Unreachable) as caught:
            servers[1].ssh().run(shell(f": {token}; touch {marker}; sleep 60", timeout=90))
        killer.join()
        assert time.monotonic() - started < 50
        assert caught.value.node == "nas02"

    def test_nothing_is_half_written(self, servers: tuple[Server, Server], tmp_path: Path) -> None:
        target = tmp_path / "r0.res"
        target.write_bytes(b"old\n")
        content = b"new\n" * 2_000_000
        command = write_file(str(target), content, expect=digest(b"old\n"), timeout=20)
        slow = servers[1].ssh(options={"RekeyLimit": "16K"})  # new keys all the time
        marker = tmp_path / ".clusternas"
        killer = threading.Thread(target=self.cut, args=(servers[1], str(target), marker))
        killer.start()
        with pytest.raises(Unreachable):
            slow.run(command)
        killer.join()
        for _ in range(100):
            if [path.name for path in tmp_path.iterdir()] == ["r0.res"]:
                break
            time.sleep(0.05)
        assert [path.name for path in tmp_path.iterdir()] == ["r0.res"]
        assert target.read_bytes() == b"old\n"

    def cut(self, server: Server, token: str, marker: Path) -> None:
        """Kill the server's side of a connection as soon as a file like the marker is there."""
        end = time.monotonic() + 10
        while time.monotonic() < end:
            if any(path.name.startswith(marker.name) for path in marker.parent.iterdir()):
                break
            time.sleep(0.002)
        for pid in connection_of(server, token):
            os.kill(pid, signal.SIGKILL)


class TestNodes:
    def test_two_nodes(self, servers: tuple[Server, Server]) -> None:
        nodes = Nodes.ssh("nas01", "nas02", config_file=str(servers[0].config))
        results = nodes.run(Command(("echo", "hello"), text, effect=Effect.READ))
        assert results.value == {"nas01": "hello\n", "nas02": "hello\n"}
        assert str(results) == "nas[01-02]: hello"

    def test_files(self, servers: tuple[Server, Server], tmp_path: Path) -> None:
        nodes = Nodes.ssh("nas01", "nas02", config_file=str(servers[0].config))
        data = bytes(range(256)) + b"\r\n\r"
        each = {name: write_file(f"{tmp_path}/{name}", data, expect=ABSENT) for name in nodes}
        assert all(done.changed for done in nodes.run_each(each).value.values())
        again = nodes.run_each(each)
        assert {type(error) for error in again.failed.values()} == {Drift}
        paths = [f"{tmp_path}/nas01", f"{tmp_path}/nas02", f"{tmp_path}/none"]
        for files in nodes.run(read_files(paths)).value.values():
            assert [file.content if file else None for file in files.values()] == [data, data, None]

    def test_one_down_does_not_hide_the_other(self, servers: tuple[Server, Server]) -> None:
        down = Ssh("127.0.0.1", port=free_port(), config_file="/dev/null")
        nodes = Nodes({"nas01": servers[0].ssh(), "nas02": down})
        results = nodes.run(read_file("/etc/hostname"))
        assert list(results.good) == ["nas01"]
        assert isinstance(results.failed["nas02"], Unreachable)


class TestNas:
    """A NAS whose two nodes are real servers, and have none of its tools."""

    def test_it_is_gathered_with_what_is_missing(self, servers: tuple[Server, Server]) -> None:
        nas = NasCluster.load(article() / "today.toml")
        nodes = dict(zip(nas.nodes.keys(), (each.ssh() for each in servers), strict=True))
        state = nas.gather(nodes)
        assert state.unreachable == ()
        for node in state.nodes.values():
            assert node.mounted("/") is not None
            assert node.drbd == {}
            assert node.failures
            assert "/etc/fstab" in node.files
        assert not nas.status(state).healthy

    def test_one_that_is_down_is_named_and_not_planned_around(
        self, servers: tuple[Server, Server]
    ) -> None:
        nas = NasCluster.load(article() / "today.toml")
        down = Ssh("127.0.0.1", port=free_port(), config_file="/dev/null")
        state = nas.gather({"linux-nas01": servers[0].ssh(), "linux-nas02": down})
        assert state.unreachable == ("linux-nas02",)
        with pytest.raises(PlanError, match="linux-nas02 did not answer"):
            nas.plan(state)


def test_what_is_no_shell_is_no_success() -> None:
    with pytest.raises(CommandFailed, match="login shell"):
        ended(shell("true"), Output(0, b"Welcome\n", b""), "nas01")
