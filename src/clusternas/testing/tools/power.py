"""Taking a machine's power away."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clusternas.testing.node import FakeNode

__all__ = ["cut"]


def cut(node: FakeNode) -> None:
    """Switch a node off: files and disks stay as they are, everything else is gone."""
    node.reset()
