# ruff: noqa: T201 - showing is what it is for
"""`clusternas demo`: the article's NAS from its mistakes to its service, on fake nodes."""

from __future__ import annotations

import tempfile
import time
from importlib import resources
from pathlib import Path

from clusternas.core.report import to_text
from clusternas.nas.apply import Event
from clusternas.nas.cluster import NasCluster
from clusternas.testing.cluster import FakeCluster

__all__ = ["article", "demo"]

WAIT = 600.0
"""Seconds of the fake nodes' own time that the first sync may take."""


def article() -> Path:
    """The folder with the article's files: in the package, or in the repository."""
    packaged = Path(str(resources.files("clusternas.testing"))) / "article"
    return packaged if packaged.is_dir() else Path(__file__).parents[3] / "examples" / "article"


def demo(output: Path | None = None) -> int:
    """Show it; returns 0 when the NAS is healthy in the end.

    Args:
        output: folder for the rendered files; by default a new temporary one.
    """
    began = time.monotonic()
    folder = output or Path(tempfile.mkdtemp(prefix="clusternas-"))
    _title("1. The NAS of the article, as its files describe it, and what is wrong with it")
    print(to_text(NasCluster.from_etc(article()).check()))
    _title("2. The same NAS described for the tools of today")
    spec = article() / "today.toml"
    print(spec.read_text(encoding="utf-8"))
    nas = NasCluster.load(spec)
    print(to_text(nas.check()) or "no findings")
    _title("3. What has to be done on two new machines")
    cluster = FakeCluster(nas.nodes.keys())
    nodes = cluster.runners
    plan = nas.plan(nas.gather(nodes))
    print(plan)
    _title("4. Doing it; steps that destroy data are allowed by name")
    print(f"allowed: {', '.join(plan.destroys)}\n")
    applied = plan.apply(nodes, allow=plan.destroys, on=[_show], sleep=cluster.sleep, workers=1)
    print(applied)
    cluster.advance(WAIT)
    _title("5. The NAS now")
    state = nas.gather(nodes)
    status = nas.status(state)
    print(status)
    print(f"\na second plan: {nas.plan(state)}")
    written = nas.write_to(folder)
    print(f"\n{len(written)} rendered files are in {folder}")
    print(f"{time.monotonic() - began:.1f} s")
    return 0 if applied.ok and status.healthy else 1


def _title(text: str) -> None:
    print(f"\n{text}\n{'=' * len(text)}\n")


def _show(event: Event) -> None:
    if event.state == "done":
        print(f"  ok      {event.step.node:<14}{event.step.command}")
    elif event.state == "failed":
        print(f"  FAILED  {event.step.node:<14}{event.step.command}\n{event.detail}")
