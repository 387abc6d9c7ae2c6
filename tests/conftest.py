"""What every test shares: the Hypothesis profiles, and marks that follow from the folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

TESTS = Path(__file__).parent
MARKS = {"oracles": "oracle", "property": "property"}

settings.register_profile("dev", deadline=None, max_examples=50)
settings.register_profile("ci", deadline=None, max_examples=100, derandomize=True)
settings.register_profile(
    "deep",
    deadline=None,
    max_examples=20_000,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what stands in tests/oracles and tests/property, so that `-m` can choose."""
    for item in items:
        if item.path.is_relative_to(TESTS):
            mark = MARKS.get(item.path.relative_to(TESTS).parts[0])
            if mark:
                item.add_marker(mark)
