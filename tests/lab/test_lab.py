"""What of the lab can be tried without a machine: the recipe, the calls, the switch, the table."""

import hashlib
import json
import os
import socket
import threading
from pathlib import Path

import attrs
import pytest
from clusterlab import fence, main, recipe
from clusterlab.bringup import SPEC
from clusterlab.image import Image, bootstrap, image
from clusterlab.lab import Lab
from clusterlab.machine import Machine, Ports, free_ports, lacks
from clusterlab.qmp import QmpError, ask
from clusterlab.recipe import Recipe
from clusterlab.table import Table
from clusterlab.trial import Trial
from clusterlab.writer import sha256

from clusternas import NasCluster


@pytest.fixture
def machines(tmp_path: Path) -> list[Machine]:
    first = Ports(ssh=2201, repl=1, repl_peer=2, lan=3, lan_peer=4)
    second = Ports(ssh=2202, repl=2, repl_peer=1, lan=4, lan_peer=3)
    return [
        Machine(number=number, folder=tmp_path, image=Image(tmp_path), ports=ports)
        for number, ports in enumerate((first, second), 1)
    ]


def test_the_same_recipe_has_the_same_name() -> None:
    assert Recipe().digest() == Recipe().digest()


@pytest.mark.parametrize(
    "change",
    [
        {"packages": ("samba",)},
        {"suite": "trixie"},
        {"size": 1},
        {"masked": ()},
        {"generators": ()},
    ],
)
def test_another_recipe_has_another_name(change: dict[str, object]) -> None:
    assert attrs.evolve(Recipe(), **change).digest() != Recipe().digest()


def test_a_changed_file_of_the_guest_makes_another_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = Recipe().digest()
    for name in Recipe().files:
        (tmp_path / name).write_bytes((recipe.GUEST / name).read_bytes())
    monkeypatch.setattr(recipe, "GUEST", tmp_path)
    assert Recipe().digest() == before
    (tmp_path / "init").write_text("#!/bin/sh\n")
    assert Recipe().digest() != before


def test_an_image_of_the_recipe_is_not_built_again(tmp_path: Path) -> None:
    kept = tmp_path / f"image-{Recipe().digest()}"
    kept.mkdir()
    assert image(Recipe(), tmp_path) == Image(kept)


def test_a_build_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FileNotFoundError):
        image(Recipe(), tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_debian_is_installed_with_every_package() -> None:
    call = bootstrap(Recipe(packages=("samba", "ctdb")), Path("there"))
    assert "--include=samba,ctdb" in call
    assert call[-2:] == ("bookworm", "there")


def test_all_traffic_stays_on_the_loopback_interface(machines: list[Machine]) -> None:
    for machine in machines:
        networks = [each for each in machine.qemu() if each.startswith(("user,", "socket,"))]
        assert len(networks) == 3
        assert "restrict=on" in networks[0]
        assert "hostfwd=tcp:127.0.0.1:" in networks[0]
        for link in networks[1:]:
            assert link.count("127.0.0.1:") == 2


def test_each_machine_sends_where_the_other_listens(machines: list[Machine]) -> None:
    ends = [
        dict(part.split("=", 1) for part in each.split(",")[1:])
        for machine in machines
        for each in machine.qemu()
        if each.startswith("socket,")
    ]
    first, second = ends[:2], ends[2:]
    for one, other in zip(first, second, strict=True):
        assert (one["udp"], one["localaddr"]) == (other["localaddr"], other["udp"])


def test_the_number_of_another_process_is_no_machine(machines: list[Machine]) -> None:
    machine = machines[0]
    assert machine.pid() is None
    machine.pidfile.write_text("1")
    assert machine.pid() is None


def test_ports_are_free_and_different() -> None:
    ports = free_ports(6)
    assert len(set(ports)) == 6
    with socket.socket() as other:
        other.bind(("127.0.0.1", ports[0]))


def test_the_description_is_of_the_machines_and_well() -> None:
    nas = NasCluster.load(SPEC)
    found = {each.code for each in nas.check() if each.severity.value != "note"}
    assert found == {"DRBD004"}  # no unfence-peer: a machine that was reset needs none
    assert nas.nodes.keys() == ["nas1", "nas2"]


def test_machines_that_were_made_are_found_again(tmp_path: Path, machines: list[Machine]) -> None:
    ports = [attrs.asdict(each.ports) for each in machines]
    (tmp_path / "lab.json").write_text(json.dumps({"image": str(tmp_path), "ports": ports}))
    assert list(Lab.find(tmp_path)) == machines


# the power switch


@pytest.fixture
def qmp(tmp_path: Path) -> list[str]:
    """A QEMU that has heard so much."""
    heard: list[str] = []
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(tmp_path / "nas2.qmp"))
    server.listen()

    def serve() -> None:
        with server, server.accept()[0] as one, one.makefile("rw") as stream:
            stream.write('{"QMP": {}}\n')
            stream.flush()
            for line in stream:
                heard.append(json.loads(line)["execute"])
                stream.write('{"event": "RESET"}\n{"return": {}}\n')
                stream.flush()

    threading.Thread(target=serve, daemon=True).start()
    return heard


def test_the_switch_resets_a_machine(tmp_path: Path, qmp: list[str]) -> None:
    assert fence.main(tmp_path, "reboot nas2\n") == "OK"
    assert qmp == ["qmp_capabilities", "system_reset"]


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("reboot nas1", "OK off"),  # one that does not run cannot write
        ("status nas1", "FAIL off"),
        ("monitor -", "OK"),
        ("reboot nas3", "FAIL cannot 'reboot nas3'"),
        ("dance nas1", "FAIL cannot 'dance nas1'"),
        ("", "FAIL cannot ''"),
    ],
)
def test_the_switch_answers(tmp_path: Path, line: str, answer: str) -> None:
    assert fence.main(tmp_path, line) == answer


def test_a_broken_switch_resets_nothing(tmp_path: Path, qmp: list[str]) -> None:
    (tmp_path / "fence-broken").touch()
    assert fence.main(tmp_path, "reboot nas2\n") == "FAIL the switch is broken"
    assert qmp == []


def test_what_qemu_refuses_is_an_error(tmp_path: Path) -> None:
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(tmp_path / "qmp"))
    server.listen()

    def serve() -> None:
        with server, server.accept()[0] as one, one.makefile("rw") as stream:
            for answer in ("{}", '{"return": {}}', '{"error": {"desc": "no such link"}}'):
                stream.write(f"{answer}\n")
                stream.flush()
                stream.readline()

    threading.Thread(target=serve, daemon=True).start()
    with pytest.raises(QmpError, match="no such link"):
        ask(str(tmp_path / "qmp"), "set_link", name="repl", up=False)


# trials


@pytest.fixture
def trial(tmp_path: Path, machines: list[Machine]) -> Trial:
    lab = Lab(tmp_path, {each.name: each for each in machines})
    return Trial(lab, NasCluster.load(SPEC), Table(print), print, stays=False)


def test_who_was_fenced_is_in_the_log_of_the_switch(trial: Trial) -> None:
    assert trial.fenced() == []
    (trial.lab.folder / "fence.log").write_text(
        "10:00:00 status nas1: OK\n10:00:01 reboot nas1: FAIL the switch is broken\n"
        "10:00:02 reboot nas2: OK off\n10:00:03 monitor -: OK\n"
    )
    assert trial.fenced() == ["nas2"]


def test_what_does_not_happen_in_time_is_a_promise_not_kept(trial: Trial) -> None:
    with pytest.raises(AssertionError, match="not within 0 s: it rains"):
        trial.until("it rains", lambda: False, 0)


def test_only_whole_lines_without_an_error_are_acknowledged(trial: Trial) -> None:
    writer = trial.writer("nas1")
    writer.log = trial.lab.folder / "log"
    writer.log.write_text("7 192.168.1.21\n# 8 192.168.1.22 timed out\n8 192.168.1.21\n9 192.1")
    assert writer.acknowledged() == [7, 8]


def test_the_sum_of_a_file_is_of_what_the_client_writes() -> None:
    text = (recipe.GUEST / "smb-writer").read_text()
    assert 'f"{number:09}\\n".encode() * 400' in text
    assert sha256(7) == hashlib.sha256(b"000000007\n" * 400).hexdigest()


def test_every_trial_says_what_it_is() -> None:
    assert all((trial.__doc__ or "").strip() for trial in main.TRIALS.values())


# the table


def test_a_promise_that_is_not_kept_is_in_the_table() -> None:
    lines: list[str] = []
    table = Table(lines.append)
    with table.step("good"):
        pass
    assert not table.failed
    with table.step("bad"):
        assert 1 == 2, "one is not two"
    assert table.failed
    assert "NOT KEPT: one is not two" in lines[1]
    assert [row.result.split(":")[0] for row in table.rows] == ["ok", "NOT KEPT"]


def test_an_error_is_in_the_table_and_goes_on() -> None:
    table = Table(lambda _: None)
    with pytest.raises(ValueError, match="no"), table.step("bad"):
        raise ValueError("no")
    assert table.failed
    assert str(table).splitlines()[0].endswith("ValueError: no")


def test_without_the_tools_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(main, "missing_tools", lambda: ["mmdebstrap", "qemu-utils"])
    assert main.main(["smoke"]) == 4
    assert capsys.readouterr().out == "the lab was skipped: install mmdebstrap qemu-utils\n"


def test_where_it_cannot_run_it_says_why(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(main, "missing_tools", list)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert main.main(["smoke"]) == 3
    assert "only root" in capsys.readouterr().out


def test_it_wants_memory_for_two_machines(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal:  8000000 kB\nMemAvailable:  1048576 kB\n")
    assert lacks(meminfo) == "1024 MiB of memory are free, 2560 are needed"
    meminfo.write_text("MemTotal:  8000000 kB\nMemAvailable:  4000000 kB\n")
    assert not lacks(meminfo)
