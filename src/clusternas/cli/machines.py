"""How the commands reach the machines, and how a plan is shown or carried out."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clusternas.core.command import Runner
    from clusternas.nas.cluster import NasCluster
    from clusternas.nas.journal import Journal
    from clusternas.nas.plan import Plan

__all__ = [
    "add_apply_options",
    "add_login_options",
    "add_plan_options",
    "carry_out",
    "connect",
    "journal_of",
    "load",
    "show",
]


def load(spec: Path) -> NasCluster:
    """The NAS that a file describes."""
    from clusternas.nas.cluster import NasCluster

    return NasCluster.load(spec)


def connect(nas: NasCluster, options: argparse.Namespace) -> Mapping[str, Runner]:
    """A runner for every node, over ssh."""
    from clusternas.runners.nodes import Nodes
    from clusternas.runners.ssh import Ssh
    from clusternas.runners.wrap import Sudo

    config = str(options.ssh_config or "")
    runners = {
        node.name: Ssh(node.name, user=options.user, config_file=config) for node in nas.nodes
    }
    return Nodes({name: Sudo(each) for name, each in runners.items()} if options.sudo else runners)


def add_login_options(command: argparse.ArgumentParser) -> None:
    """The description, and how to log in."""
    command.add_argument("spec", type=Path)
    command.add_argument("--user", help="log in as")
    command.add_argument("--ssh-config", type=Path, metavar="FILE", help="configuration of ssh")
    command.add_argument("--sudo", action="store_true", help="run as root through sudo")


def add_plan_options(command: argparse.ArgumentParser) -> None:
    """How a plan is shown."""
    command.add_argument("--format", choices=("text", "table", "json", "diff"), default="text")
    command.add_argument("--diff", action="store_true", help="show the diffs of the files too")


def add_apply_options(command: argparse.ArgumentParser) -> None:
    """What carrying out wants to know."""
    command.add_argument(
        "--allow",
        action="append",
        default=[],
        metavar="NAME",
        help="allow a step that destroys data",
    )
    command.add_argument(
        "--journal",
        type=Path,
        metavar="FILE",
        help="write every step here before it is taken; give it again after a crash",
    )
    command.add_argument(
        "--break-lock",
        default="",
        metavar="OWNER",
        help="break the lock of a controller that is dead",
    )
    command.add_argument(
        "--wait", action="store_true", help="in the end, wait until all data is on all nodes"
    )


def show(plan: Plan, options: argparse.Namespace) -> int:
    """Print a plan; 1 if there is something to do."""
    if options.format == "json":
        print(plan.to_json())
    elif options.format == "table":
        print(plan.table())
    elif options.format == "diff":
        print(plan.diff(), end="")
    else:
        print(plan)
        if options.diff and plan.diff():
            print(plan.diff())
    return 1 if plan.changed else 0


@contextmanager
def journal_of(options: argparse.Namespace) -> Iterator[Journal | None]:
    """The journal that was given, if one was."""
    from clusternas.nas.journal import Journal

    if options.journal is None:
        yield None
        return
    with Journal(options.journal) as journal:
        if journal.broken:
            print(f"{journal.broken}; going on from what the nodes are now")
        yield journal


def carry_out(
    nas: NasCluster, options: argparse.Namespace, planned: Callable[[Mapping[str, Runner]], Plan]
) -> int:
    """Make a plan from what the machines are, print it, and do it; 1 if it did not all succeed."""
    from clusternas.nas.day2 import plan_sync

    nodes = connect(nas, options)
    with journal_of(options) as journal:
        done = _apply(planned(nodes), nodes, options, journal)
        if done and options.wait:
            done = _apply(plan_sync(nas, nas.gather(nodes)), nodes, options, journal)
    return 0 if done else 1


def _apply(
    plan: Plan,
    nodes: Mapping[str, Runner],
    options: argparse.Namespace,
    journal: Journal | None,
) -> bool:
    from clusternas.cli.progress import Progress

    print(plan)
    applied = plan.apply(
        nodes,
        allow=options.allow,
        on=[Progress(len(plan))],
        journal=journal,
        break_lock=options.break_lock,
    )
    print(applied)
    return applied.ok
