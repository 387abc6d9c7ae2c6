"""The pytest plugin: its fixtures, and that it costs nothing until they are used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TEST = """
def test_nodes(nas_nodes):
    assert sorted(nas_nodes) == ["linux-nas01", "linux-nas02"]
    assert nas_nodes["linux-nas02"].shell("ls /opt").exit_code == 0

def test_cluster(fake_cluster):
    assert not fake_cluster("a", "b", generation="2010")["a"].mounts
    assert "/opt" in fake_cluster("a", "b", up=True)["b"].mounts
"""


@pytest.mark.slow
def test_the_fixtures_work(tmp_path: Path) -> None:
    (tmp_path / "test_nas.py").write_text(TEST)
    plugin = ["-p", "no:clusternas", "-p", "clusternas.testing.plugin", "-p", "no:cacheprovider"]
    where = ["--rootdir", str(tmp_path), "-c", "/dev/null", str(tmp_path)]
    argv = [sys.executable, "-m", "pytest", "-q", *plugin, *where]
    ran = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert "2 passed" in ran.stdout, ran.stdout + ran.stderr


def test_loading_the_plugin_loads_no_fakes() -> None:
    program = "import sys, clusternas.testing.plugin; print(*sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = {name for name in ran.stdout.split() if name.startswith("clusternas")}
    assert loaded == {"clusternas", "clusternas.testing", "clusternas.testing.plugin"}
