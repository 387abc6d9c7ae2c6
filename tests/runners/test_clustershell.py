"""Fleets, through ClusterShell and real servers on loopback."""

from __future__ import annotations

import threading
import time

import pytest

pytest.importorskip("ClusterShell")

from clusternas.core.command import Command, Effect, Secret, text
from clusternas.core.errors import (
    CommandFailed,
    CommandNotFound,
    CommandTimeout,
    Drift,
    Refused,
    Unreachable,
    ValidationError,
)
from clusternas.core.files import ABSENT, write_file
from clusternas.runners.clustershell import Fleet
from clusternas.runners.nodes import Nodes

from .conftest import Server, free_port

ODD = bytes(range(256)) * 40 + b"\r\n\r\n \r no newline at the end"


@pytest.fixture
def fleet(servers: tuple[Server, Server]) -> Nodes:
    return Nodes.clustershell("nas[01-02]", config_file=str(servers[0].config))


def test_names_are_node_sets(fleet: Nodes) -> None:
    assert list(fleet) == ["nas01", "nas02"]
    assert len(Nodes.clustershell("nas[1-64]!nas7")) == 63
    with pytest.raises(ValidationError):
        Nodes.clustershell("-oProxyCommand=x")


def test_every_byte_comes_back(fleet: Nodes) -> None:
    results = fleet.run(Command(("cat",), text, stdin=ODD))
    assert [result.output.stdout for result in results.good.values()] == [ODD, ODD]
    assert [result.output.stderr for result in results.good.values()] == [b"", b""]
    assert [result.node for result in results.good.values()] == ["nas01", "nas02"]
    assert all(0 < result.duration < 10 for result in results.good.values())


def test_streams_stay_apart_and_fold(fleet: Nodes) -> None:
    results = fleet.run(Command(("sh", "-c", "echo out; printf err >&2"), text))
    assert {result.output.stderr for result in results.good.values()} == {b"err"}
    assert str(results) == "nas[01-02]:\n  out\n  err"


@pytest.mark.parametrize("code", [1, 255])
def test_an_exit_code_is_the_tool_s(fleet: Nodes, code: int) -> None:
    results = fleet.run(Command(("sh", "-c", f"echo why >&2; exit {code}"), text))
    assert [type(error) for error in results.failed.values()] == [CommandFailed, CommandFailed]
    assert results.failed["nas02"].stderr == "why\n"
    assert results.failed["nas02"].exit_code == code


def test_same_errors(fleet: Nodes, servers: tuple[Server, Server]) -> None:
    missing = fleet.run(Command(("no-such-tool",), text)).failed
    assert {type(error) for error in missing.values()} == {CommandNotFound}
    late = fleet.run(Command(("sh", "-c", "echo part; sleep 20"), text, timeout=1)).failed
    assert {type(error) for error in late.values()} == {CommandTimeout}
    assert late["nas01"].stdout == "part\n"
    options = {"Port": str(free_port())}
    down = Fleet("nas[01-02]", config_file=str(servers[0].config), options=options)
    failed = down.run(Command(("true",), text)).failed
    assert {type(error) for error in failed.values()} == {Unreachable}
    assert "Connection refused" in failed["nas01"].message


def test_a_file_written_twice(fleet: Nodes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("fleet") / "file"
    command = write_file(str(path), ODD, expect=ABSENT)
    results = fleet.select(["nas01"]).run(command)
    assert results.value["nas01"].changed
    assert path.read_bytes() == ODD
    again = fleet.run(command)
    assert {type(error) for error in again.failed.values()} == {Drift}


def test_consent_and_secrets(fleet: Nodes) -> None:
    wipe = Command(("true", "s3cret"), text, effect=Effect.DESTROY, name="wipe")
    with pytest.raises(Refused):
        fleet.run(wipe)
    assert len(fleet.run(wipe.allow(["wipe"])).good) == 2
    command = Command(
        ("sh", "-c", "echo $0 >&2; exit 1", "s3cret"), text, secrets=(Secret("s3cret"),)
    )
    assert "s3cret" not in str(fleet.run(command))


def test_the_callers_task_is_left_alone(fleet: Nodes) -> None:
    from ClusterShell.Task import task_self, task_terminate

    mine = task_self()
    fanout = mine.info("fanout")
    threads = threading.active_count()
    fleet.run(Command(("true",), text))
    assert task_self() is mine
    assert mine.info("fanout") == fanout
    time.sleep(0.05)
    assert threading.active_count() == threads
    task_terminate()


def test_each_its_own(fleet: Nodes) -> None:
    results = fleet.run_each({name: Command(("echo", name), text) for name in fleet})
    assert results.value == {"nas01": "nas01\n", "nas02": "nas02\n"}
