"""Pictures for notebooks: plain HTML and SVG, no scripts, colours of the page around."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clusternas.nas.cluster import NasCluster

__all__ = ["topology"]

WIDTH, HEIGHT, LEFT, TOP, GAP, LINE = 220, 26, 20, 60, 40, 30


def topology(nas: NasCluster) -> str:
    """The NAS as a drawing: a column a node, a box a layer, lines where nodes share one."""
    layers = _layers(nas)
    nodes = list(nas.nodes)
    width = LEFT * 2 + len(nodes) * WIDTH + (len(nodes) - 1) * GAP
    height = TOP + len(layers) * (HEIGHT + LINE)
    parts = [_text(width / 2, 24, nas.name, "bold")]
    for column, node in enumerate(nodes):
        left = LEFT + column * (WIDTH + GAP)
        parts.append(_text(left + WIDTH / 2, 48, node.name, "bold"))
        for row, (label, shared) in enumerate(layers):
            top = TOP + row * (HEIGHT + LINE)
            parts.append(_box(left, top, label))
            if shared and column:
                parts.append(_line(left - GAP, top + HEIGHT / 2, left, top + HEIGHT / 2))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
        f' font-family="sans-serif" font-size="12" fill="currentColor">{"".join(parts)}</svg>'
    )


def _layers(nas: NasCluster) -> list[tuple[str, bool]]:
    """From the clients down to the disks: the text of a box, and whether the nodes share it."""
    found: list[tuple[str, bool]] = []
    if nas.cluster_name is not None:
        found.append((f"DNS {nas.cluster_name.name}", False))
    if nas.samba is not None:
        shares = ", ".join(nas.samba.shares.keys())
        found.append((f"{'Samba + CTDB' if nas.ctdb else 'Samba'}: {shares}", nas.ctdb is not None))
    found += [(f"GFS2 {each.mount_point}", True) for each in nas.filesystems]
    found += [(f"LVM {each.name}", True) for each in nas.volume_groups]
    found += [(f"DRBD {each.name}", True) for each in nas.resources]
    return found


def _text(x: float, y: float, text: str, weight: str = "normal") -> str:
    return (
        f'<text x="{x:g}" y="{y:g}" text-anchor="middle" font-weight="{weight}">'
        f"{html.escape(text)}</text>"
    )


def _box(left: float, top: float, label: str) -> str:
    rect = (
        f'<rect x="{left:g}" y="{top:g}" width="{WIDTH}" height="{HEIGHT}" rx="4" fill="none"'
        ' stroke="currentColor"/>'
    )
    return rect + _text(left + WIDTH / 2, top + 17, label)


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return (
        f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}" stroke="currentColor"'
        ' stroke-dasharray="4 3"/>'
    )
