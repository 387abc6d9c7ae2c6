"""Real ssh servers on loopback, each with its own configuration, keys and port."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import attrs
import pytest

from clusternas.runners.ssh import Ssh

SBIN = "/usr/local/sbin:/usr/sbin:/sbin"
# SHLVL: at its second level bash does not read the ~/.bashrc of whoever runs the tests.
CONFIG = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/user_key.pub
PidFile {folder}/pid
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin yes
SetEnv SHLVL=1
Subsystem sftp /bin/false
"""


@attrs.frozen
class Server:
    """An sshd of ours, with a client configuration that knows it by its name."""

    process: subprocess.Popen[bytes]
    name: str
    config: Path

    def ssh(self, **options: object) -> Ssh:
        """A runner for it."""
        return Ssh(self.name, config_file=str(self.config), **options)  # type: ignore[arg-type]


def tool(name: str) -> str:
    """Path of a tool; without it the test is skipped, or fails where oracles are required."""
    path = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:{SBIN}")
    return path or missing(f"{name} is not installed")


def missing(message: str) -> NoReturn:
    """Skip the test, or fail it where oracles are required."""
    if os.environ.get("CLUSTERNAS_REQUIRE_ORACLES") == "1":
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def keygen(path: Path) -> None:
    subprocess.run([tool("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)


def start_server(name: str, folder: Path, config: Path) -> Server:
    port = free_port()
    for key in ("host_key", "user_key"):
        keygen(folder / key)
    host_key = (folder / "host_key.pub").read_text()
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {host_key}")
    with config.open("a") as file:
        file.write(
            f"Host {name}\n  HostName 127.0.0.1\n  Port {port}\n  User {getpass.getuser()}\n"
            f"  IdentityFile {folder}/user_key\n  IdentitiesOnly yes\n"
            f"  UserKnownHostsFile {folder}/known_hosts\n"
            "  KexAlgorithms curve25519-sha256\n"  # the quickest
        )
    (folder / "sshd_config").write_text(CONFIG.format(port=port, folder=folder))
    with (folder / "log").open("wb") as log:
        command = [tool("sshd"), "-D", "-e", "-f", str(folder / "sshd_config")]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=log)
    wait_for(port, process, folder / "log")
    return Server(process, name, config)


def wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(100):
        if process.poll() is not None:
            pytest.fail(f"sshd did not start: {log.read_text()}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail("sshd does not listen")


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Server]]:
    """Two nodes, `nas01` and `nas02`, in one client configuration."""
    tool("sshd")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd run by root insists on it
    folder = tmp_path_factory.mktemp("ssh")
    started = []
    try:
        for name in ("nas01", "nas02"):
            (folder / name).mkdir()
            started.append(start_server(name, folder / name, folder / "config"))
        yield started[0], started[1]
    finally:
        for server in started:
            server.process.terminate()
            server.process.wait()
