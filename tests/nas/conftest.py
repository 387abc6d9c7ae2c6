"""Two nodes that serve, in either generation."""

import pytest
from serving import described, serving

from clusternas.testing import FakeCluster


@pytest.fixture(params=["today", "2010"])
def generation(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def running(generation: str) -> FakeCluster:
    """Two nodes that serve."""
    return serving(described({}, generation), generation)
