"""pytest fixtures: `fake_cluster` and `nas_nodes`.

Loaded by pytest through its entry point: the fakes are imported when a test asks for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from clusternas.core.versions import Toolset
    from clusternas.testing.cluster import FakeCluster
    from clusternas.testing.node import FakeNode

__all__ = ["fake_cluster", "nas_nodes"]


@pytest.fixture
def fake_cluster() -> Callable[..., FakeCluster]:
    """Make fake machines: `fake_cluster()` new ones, `fake_cluster(up=True)` with the NAS running.

    Positional arguments are names; `generation` and `disks` are those of `FakeCluster`.
    """

    def make(
        *names: str,
        generation: str | Toolset = "today",
        disks: Mapping[str, int] | None = None,
        up: bool = False,
    ) -> FakeCluster:
        from clusternas.testing.cluster import FakeCluster
        from clusternas.testing.scenes import bring_up

        hosts = names or ("linux-nas01", "linux-nas02")
        cluster = FakeCluster(hosts, generation=generation, disks=disks)
        return bring_up(cluster) if up else cluster

    return make


@pytest.fixture
def nas_nodes() -> Mapping[str, FakeNode]:
    """Two fake machines of today on which the article's NAS runs, as runners by name."""
    from clusternas.testing.cluster import FakeCluster
    from clusternas.testing.scenes import bring_up

    return bring_up(FakeCluster()).runners
