"""The scripts in examples/ do what they say they do."""

from __future__ import annotations

import json
import runpy
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest
from attrs import evolve

from clusternas import NasCluster
from clusternas.core.errors import CommandNotFound, CommandTimeout, Refused
from clusternas.drbd import commands as drbd
from clusternas.testing import FakeCluster

EXAMPLES = Path(__file__).parents[1] / "examples"
ARTICLE = EXAMPLES / "article"
TODAY = str(ARTICLE / "today.toml")


def script(name: str) -> SimpleNamespace:
    """What a script defines; its `main` does not run."""
    return SimpleNamespace(**runpy.run_path(str(EXAMPLES / f"{name}.py")))


@pytest.fixture
def article(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ARTICLE, tmp_path / "article"))


@pytest.fixture
def running() -> FakeCluster:
    """Machines on which the NAS of today.toml runs."""
    nas = NasCluster.load(TODAY)
    machines = FakeCluster(nas.nodes.keys())
    plan = nas.plan(nas.gather(machines.runners))
    plan.apply(machines.runners, allow=plan.destroys, sleep=machines.sleep).raise_for_failure()
    machines.advance(600)
    return machines


@pytest.mark.parametrize(
    ("version", "lines"),
    [
        ("8.3", {"allow-two-primaries;", "fencing resource-and-stonith;", "disk {"}),
        ("9", {"allow-two-primaries yes;", "fencing resource-and-stonith;"}),
    ],
)
def test_edit_drbd(
    article: Path, version: str, lines: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    path = article / "linux-nas01/etc/drbd.d/r0.res"
    before = path.read_text()
    call = [str(path), version, "/usr/local/sbin/fence-peer"]
    assert script("edit_drbd").main(call) == 0
    assert path.read_text() == before
    assert script("edit_drbd").main([*call, "--write"]) == 0
    added = [line.strip() for line in path.read_text().splitlines()]
    for line in before.splitlines():
        added.remove(line.strip())
    assert lines | {"handlers {", "fence-peer /usr/local/sbin/fence-peer;"} <= set(added)
    assert "drbdadm adjust r0" in capsys.readouterr().out


def test_lint_etc(article: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main, report, accepted = script("lint_etc").main, tmp_path / "it.sarif", tmp_path / "accepted"
    call = (str(article), str(report), str(accepted))
    assert main(*call) == 1
    found = capsys.readouterr().out
    assert "NAS001" in found
    assert len(json.loads(report.read_text())["runs"][0]["results"]) >= len(found.splitlines())
    accepted.write_text(found)
    assert main(*call) == 0
    res = article / "linux-nas01/etc/drbd.d/r0.res"
    res.write_text("# moves every line\n" + res.read_text().replace("7789", "99999", 1))
    capsys.readouterr()
    assert main(*call) == 1
    new = capsys.readouterr().out.splitlines()
    assert any("99999" in line for line in new)
    assert not any(line.startswith("NAS004") for line in new)


def test_plan_and_apply(capsys: pytest.CaptureFixture[str]) -> None:
    assert script("plan_and_apply").main(TODAY) == 0
    out = capsys.readouterr().out
    assert "vgcreate" in out.partition("failed:")[0]
    assert "steps are left" in out
    assert "NASCluster: healthy" in out


def test_own_runner() -> None:
    through = script("own_runner").Through
    assert drbd.version().run(through("echo", "DRBDADM_VERSION_CODE=0x090000;")) is not None
    with pytest.raises(Refused):
        through("env").run(drbd.create_md("r0"))
    with pytest.raises(CommandNotFound, match="no-such-tool"):
        drbd.version().run(through("no-such-tool"))
    with pytest.raises(CommandTimeout):
        evolve(drbd.version(), timeout=0.1).run(through("sh", "-c", "sleep 5"))


@pytest.mark.parametrize(
    ("trouble", "expected"),
    [
        ({}, ["192.168.1.21", "192.168.1.22"]),
        ({"linux-nas01": "9.50 1 1 1/1 1"}, ["192.168.1.22"]),
        ({"linux-nas02": ""}, ["192.168.1.21"]),
    ],
    ids=["all well", "one busy", "one dead"],
)
def test_dns_by_health(
    running: FakeCluster, trouble: Mapping[str, str], expected: list[str]
) -> None:
    example, server = script("dns_by_health"), running["linux-nas01"]
    for name, node in running.nodes.items():
        node.files.write("/proc/loadavg", (trouble.get(name) or "0.10 0 0 1/1 1") + "\n")
    for name in [name for name, load in trouble.items() if not load]:
        running.kill(name)
    nas = NasCluster.load(TODAY)
    chosen = example.choose(example.candidates(nas, running.runners), max_load=4)
    assert list(chosen) == expected
    changed = example.publish("/etc/bind/db.example.com", "cluster", chosen, server)
    assert changed == (len(expected) < 2)
    answer = server.shell("dig @127.0.0.1 cluster.example.com +short").text.split()
    assert sorted(answer) == expected
    assert not example.publish("/etc/bind/db.example.com", "cluster", chosen, server)


def test_session(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["session.py", TODAY])
    cells = runpy.run_path(str(EXAMPLES / "session.py"))
    out = capsys.readouterr().out
    assert "! linux-nas02: named does not run" in out
    assert [step.node for step in cells["plan"]] == ["linux-nas02"]
    assert cells["status"].healthy


def test_every_script_is_listed() -> None:
    page = (EXAMPLES / "README.md").read_text()
    scripts = {path.name for path in EXAMPLES.glob("*.py")}
    assert scripts == {name for name in scripts if f"({name})" in page}
