"""Services, in both generations."""

from __future__ import annotations

from pathlib import Path

import pytest

from clusternas.core import services
from clusternas.core.command import Command, Output
from clusternas.core.errors import ParseError, ValidationError

DATA = Path(__file__).parent.parent / "data" / "systemd" / "252"


@pytest.mark.parametrize(
    ("command", "line"),
    [
        (services.start("corosync"), "systemctl start corosync"),
        (services.stop("dlm.service"), "systemctl stop dlm.service"),
        (services.restart("ctdb"), "systemctl restart ctdb"),
        (services.enable("drbd@r0.target"), "systemctl enable drbd@r0.target"),
        (services.disable("smbd"), "systemctl disable smbd"),
        (services.is_active("corosync"), "systemctl is-active corosync"),
        (services.start("cman", "sysv"), "service cman start"),
        (services.stop("iptables", "sysv"), "service iptables stop"),
        (services.enable("drbd", "sysv"), "chkconfig drbd on"),
        (services.disable("lvm2-monitor", "sysv", "2"), "chkconfig --level 2 lvm2-monitor off"),
        (services.is_active("clvmd", "sysv"), "service clvmd status"),
        (services.run_levels("drbd"), "chkconfig --list drbd"),
    ],
)
def test_command_lines(command: Command[object], line: str) -> None:
    assert command.shell() == line


def test_states_as_recorded() -> None:
    command = services.states("drbd", "corosync", "winbind")
    assert command.argv[:3] == ("systemctl", "show", "-p")
    path = DATA / "06-full-cluster-ok" / "systemctl-show.txt"
    found = {
        state.name: state for state in services.decode_states(Output(stdout=path.read_bytes()))
    }
    assert not found["drbd.service"].is_active
    assert found["corosync.service"].is_active
    assert found["corosync.service"].enabled == "disabled"
    assert not found["winbind.service"].is_installed
    assert len(found) == 11


@pytest.mark.parametrize(
    ("init", "output", "active"),
    [
        ("systemd", Output(stdout=b"active\n"), True),
        ("systemd", Output(exit_code=3, stdout=b"inactive\n"), False),
        ("systemd", Output(exit_code=4, stdout=b"inactive\n"), False),
        ("systemd", Output(stdout=b"activating\n"), False),
        ("sysv", Output(stdout=b"corosync is running...\n"), True),
        ("sysv", Output(exit_code=3, stdout=b"cman is stopped\n"), False),
    ],
)
def test_is_active(init: str, output: Output, active: bool) -> None:
    assert services.is_active("cman", init).result(output).value is active


def test_run_levels() -> None:
    text = b"drbd           \t0:off\t1:off\t2:on\t3:on\t4:on\t5:on\t6:off\n"
    found = services.decode_run_levels(Output(stdout=text))
    assert (found.name, found.on, found.is_enabled) == ("drbd", (2, 3, 4, 5), True)
    missing = services.run_levels("drbd").result(Output(exit_code=1, stderr=b"not referenced\n"))
    assert not missing.value.is_enabled


@pytest.mark.parametrize("text", [b"nonsense\n", b"Id=\n", b"LoadState=loaded\n"])
def test_nonsense_is_refused(text: bytes) -> None:
    with pytest.raises(ParseError):
        services.decode_states(Output(stdout=text))
    with pytest.raises(ParseError):
        services.decode_run_levels(Output(stdout=text))


@pytest.mark.parametrize(
    "build",
    [
        lambda: services.start("-h"),
        lambda: services.start("a b"),
        lambda: services.start("a/b", "sysv"),
        lambda: services.start("cman", "upstart"),
        lambda: services.enable("cman", levels="35"),
        lambda: services.enable("cman", "sysv", levels="7"),
        lambda: services.states(),
    ],
)
def test_what_is_no_service_is_refused(build: object) -> None:
    assert callable(build)
    with pytest.raises(ValidationError):
        build()
