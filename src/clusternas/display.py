"""Pictures for notebooks: plain HTML and SVG, no scripts, colours of the page around."""

from __future__ import annotations

import html
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clusternas.nas.cluster import NasCluster, NasNode

__all__ = ["topology"]

WIDTH, HEIGHT, GAP, MARGIN, TOP, LETTER = 200, 26, 12, 10, 44, 7.2
FRAME, BOX = 'fill-opacity="0.09"', 'fill="none" stroke="currentColor"'


def topology(nas: NasCluster) -> str:
    """The NAS as a drawing: a column for every node, from the clients down to the disks.

    What the nodes share is one box across all of them, what each has for itself a box in each.
    """
    nodes, layers = list(nas.nodes), list(_layers(nas))
    width = MARGIN * 2 + len(nodes) * WIDTH + (len(nodes) - 1) * GAP
    height = TOP * 2 + len(layers) * (HEIGHT + GAP) - GAP + MARGIN * 2
    parts = [f"<title>{html.escape(nas.name)}</title>", _text(width / 2, 24, nas.name, "bold")]
    for column, node in enumerate(nodes):
        left = MARGIN + column * (WIDTH + GAP)
        parts.append(_box(left, TOP, WIDTH, height - TOP - MARGIN, FRAME))
        parts.append(_text(left + WIDTH / 2, TOP + 24, node.name, "bold"))
    for row, labels in enumerate(layers):
        parts += _row(labels, TOP * 2 + row * (HEIGHT + GAP), width)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}"'
        ' style="max-width:100%" role="img" font-family="sans-serif" font-size="12"'
        f' fill="currentColor">{"".join(parts)}</svg>'
    )


def _layers(nas: NasCluster) -> Iterator[tuple[str, ...]]:
    """From the clients down to the disks: one label for all nodes, or one for each."""
    each_node = len(nas.nodes)
    if nas.cluster_name is not None:
        yield (f"DNS: {nas.cluster_name.name.rstrip('.')}",)
    if nas.samba is not None:
        shares = ", ".join(nas.samba.shares.keys())
        yield (f"Samba, CTDB: {shares}",) if nas.ctdb else (f"Samba: {shares}",) * each_node
    fstab = nas.mounts()
    for entry in fstab.of_type("gfs2") if fstab is not None else ():
        yield (f"GFS2: {entry.mount_point}",)
    for group in nas.volume_groups:
        yield (f"LVM: {', '.join((group.name, *group.logical_volumes.keys()))}",)
    if nas.cman is not None or nas.corosync is not None:
        yield ("Cluster: cman" if nas.cman is not None else "Cluster: corosync, dlm",)
    for resource in nas.resources:
        yield (f"DRBD: {resource.name}",)
    disks = tuple(", ".join(_disks(nas, node)) for node in nas.nodes)
    if any(disks):
        yield disks


def _disks(nas: NasCluster, node: NasNode) -> Iterator[str]:
    """The disks of a node below DRBD."""
    for resource in nas.resources:
        host = resource.hosts.get(node.name)
        for storage in host.storage if host is not None else ():
            if storage.disk and storage.disk != "none":
                yield storage.disk


def _row(labels: tuple[str, ...], top: float, width: float) -> Iterator[str]:
    """The boxes of one layer: one across all columns, or one inside each."""
    inner = (width - MARGIN * 4) if len(labels) == 1 else WIDTH - MARGIN * 2
    for column, label in enumerate(labels):
        if label:
            left = MARGIN * 2 + column * (WIDTH + GAP)
            shown = _fit(label, inner)
            yield _box(left, top, inner, HEIGHT, BOX)
            yield _text(left + inner / 2, top + 17, shown, title=label if shown != label else "")


def _fit(label: str, width: float) -> str:
    most = int(width / LETTER)
    return label if len(label) <= most else f"{label[: most - 1]}…"


def _text(x: float, y: float, text: str, weight: str = "normal", title: str = "") -> str:
    hint = f"<title>{html.escape(title)}</title>" if title else ""
    return (
        f'<text x="{x:g}" y="{y:g}" text-anchor="middle" font-weight="{weight}">'
        f"{html.escape(text)}{hint}</text>"
    )


def _box(left: float, top: float, width: float, height: float, paint: str) -> str:
    return f'<rect x="{left:g}" y="{top:g}" width="{width:g}" height="{height:g}" rx="4" {paint}/>'
