"""Fake machines for tests, docs and the demo: no root, no tools, no waiting.

`FakeCluster` gives machines that answer the commands of the stack, with state behind the answers:
files, replication, membership, locks, volumes, mounts, services. Each machine is a `Runner`.

The names are imported when they are first used: pytest loads the plugin here for every test run.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clusternas.testing.cluster import Call, FakeCluster, Loss
    from clusternas.testing.consistency import Impossible
    from clusternas.testing.node import FakeNode

__all__ = ["Call", "FakeCluster", "FakeNode", "Impossible", "Loss"]

_HOMES = {"Impossible": "consistency", "FakeNode": "node"}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = importlib.import_module(f"{__name__}.{_HOMES.get(name, 'cluster')}")
    found: object = getattr(home, name)
    return found
