"""The benchmarks themselves: inputs that say what they should, and a run of the smallest ones."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

HERE = Path(__file__).parent
OURS = ("lazy tree", "typed", "open, edit, render")


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Import a module of the benchmarks as they do themselves."""
    monkeypatch.syspath_prepend(HERE)

    def load_module(name: str) -> ModuleType:
        return importlib.import_module(name)

    return load_module


def test_inputs_are_valid_and_survive(load: Any, tmp_path: Path) -> None:
    inputs, jobs = load("inputs"), load("jobs")
    for wanted in inputs.INPUTS:
        if wanted.size <= 16:
            path = inputs.generate(wanted, tmp_path)
            model = jobs.model_of(wanted.format).parse(path.read_bytes())
            assert model.render() == path.read_text("utf-8", "surrogateescape"), wanted.label
            assert model.document.check() == [], wanted.label


def test_an_edit_changes_one_line(load: Any, tmp_path: Path) -> None:
    inputs, jobs = load("inputs"), load("jobs")
    changed = {"drbd": 1, "smb": 1, "zone": 1, "fstab": 1, "cluster": 2}  # and config_version
    for wanted in inputs.INPUTS:
        if wanted.format in changed and wanted.size <= 1_000:
            path = inputs.generate(wanted, tmp_path)
            before = path.read_text().splitlines()
            after = jobs.JOBS[wanted.format]["open, edit, render"](str(path))().splitlines()
            differ = sum(a != b for a, b in zip(before, after, strict=True))
            assert differ == changed[wanted.format], wanted.label


def test_bars_are_judged(load: Any) -> None:
    report = load("report")
    fast, slow = report.Measured((1.0, 2.0, 9.0), 300), report.Measured((10.0,), 50)
    absent = report.Measured((), 0, "absent: no such tool")
    jobs = {**dict.fromkeys(OURS, fast), "drbdadm dump": slow, "lark": absent}
    text = report.report({("drbd", 1_000): (100, jobs)})
    assert "| lark | absent: no such tool |" in text
    assert "| drbd 1000: lazy tree at least 3 times drbdadm dump | 5 | yes |" in text
    slower = {**jobs, "drbdadm dump": fast}
    assert "| 1 | **no** |" in report.report({("drbd", 1_000): (100, slower)})


def test_growth_is_an_exponent(load: Any) -> None:
    report = load("report")
    results = {
        ("drbd", size): (size * 100, dict.fromkeys(OURS, report.Measured((time,), 1)))
        for size, time in ((10, 1.0), (1_000, 11.0), (10_000, 1_001.0))
    }
    assert report.growth(results, "drbd", "typed") == pytest.approx(2)
    assert report.growth(results, "smb", "typed") is None


@pytest.mark.slow
def test_the_smallest_run_prints_every_job() -> None:
    argv = [sys.executable, str(HERE), "--format", "drbd", "lvm", "--largest", "10"]
    run = subprocess.run(
        [*argv, "--rounds", "1", "--seconds", "20"],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    for job in (*OURS, "bare regex pass", "drbdadm dump", "lvmconfig"):
        assert f"| {job} | " in run.stdout
    assert "refused" not in run.stdout
