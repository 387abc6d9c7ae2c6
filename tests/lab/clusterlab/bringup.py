"""From two empty machines to a NAS: clusternas alone, over ssh."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import attrs

from clusterlab.lab import Lab
from clusterlab.table import Table
from clusternas import NasCluster
from clusternas.core.command import Command, Secret, text
from clusternas.core.files import make_dir
from clusternas.nas.apply import Event
from clusternas.nas.journal import Journal
from clusternas.samba.commands import smbpasswd_add

__all__ = ["PASSWORD", "SPEC", "USER", "bring_up"]

SPEC = Path(__file__).parent.parent / "nas.toml"
USER, PASSWORD = "nasuser", Secret("lab-only")


@attrs.frozen
class Progress:
    """Shows every step of a plan when it ends."""

    show: Callable[[str], object]

    def __call__(self, event: Event) -> None:
        if event.state in ("done", "failed"):
            words = event.detail.splitlines()[:1] if event.state == "failed" else []
            self.show("  ".join([f"    {event.step.id:<62} {event.seconds:6.1f} s", *words]))


def bring_up(lab: Lab, nas: NasCluster, table: Table, show: Callable[[str], object]) -> None:
    """Read what is there, plan, apply; then what no description holds: a user."""
    runners = lab.runners()
    with table.step("gather"):
        state = nas.gather(runners)
    with table.step("plan"):
        plan = nas.plan(state)
    show(f"    {plan.summary()}")
    with table.step("apply"), Journal(lab.folder / "journal.jsonl") as journal:
        applied = plan.apply(runners, allow=plan.destroys, on=(Progress(show),), journal=journal)
        applied.raise_for_failure()
    with table.step("user"):
        _add_user(lab, nas)


def _add_user(lab: Lab, nas: NasCluster) -> None:
    """A Unix user everywhere, his password once, since CTDB shares it; his are the shares."""
    call = ("useradd", "--no-create-home", "--shell", "/usr/sbin/nologin", "--uid", "5000", USER)
    runners = lab.runners()
    for runner in runners.values():
        runner.run(Command(call, text, ok={0, 9}, timeout=60))  # 9: there is one (useradd(8))
    first = runners[nas.nodes[0].name]
    first.run(smbpasswd_add(USER, PASSWORD))
    for share in nas.samba.shares if nas.samba else ():
        first.run(make_dir(share.path or "", owner=USER))
