"""The oracles: the real tools, which decide whether what we render is right."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Protocol

import pytest
from drbdadm import PATHS, Drbdadm

SBIN = "/usr/local/sbin:/usr/sbin:/sbin"


class Oracle(Protocol):
    """Finds a real tool, or skips the test."""

    def __call__(self, tool: str, /, package: str) -> str:
        """Path of the tool; `package` is what to install where it is missing."""
        ...


def find_oracle(tool: str, /, package: str) -> str:
    """Path of a tool, looked for in `PATH` and where system tools live.

    A missing one skips the test; with CLUSTERNAS_REQUIRE_ORACLES=1 it fails it.
    """
    path = shutil.which(tool, path=f"{os.environ.get('PATH', os.defpath)}:{SBIN}")
    if path:
        return path
    message = f"{tool} is not installed: apt-get install {package}"
    if os.environ.get("CLUSTERNAS_REQUIRE_ORACLES") == "1":
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


@pytest.fixture(scope="session")
def oracle() -> Oracle:
    """`oracle("drbdadm", package="drbd-utils")` gives the path of the tool, or skips the test."""
    return find_oracle


@pytest.fixture
def tools(oracle, tmp_path: Path) -> dict[str, Drbdadm]:
    return {
        generation: Drbdadm(oracle(path, package="drbd-utils"), generation, tmp_path / "drbd.conf")
        for generation, path in PATHS.items()
    }
