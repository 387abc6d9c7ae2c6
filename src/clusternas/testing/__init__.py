"""Fake machines for tests, docs and the demo: no root, no tools, no waiting.

`FakeCluster` gives machines that answer the commands of the stack, with state behind the answers:
files, replication, membership, locks, volumes, mounts, services. Each machine is a `Runner`.
"""

from __future__ import annotations

from clusternas.testing.cluster import Call, FakeCluster, Loss
from clusternas.testing.consistency import Impossible
from clusternas.testing.node import FakeNode

__all__ = ["Call", "FakeCluster", "FakeNode", "Impossible", "Loss"]
