"""The commands for a NAS that runs: each shows its plan, and carries it out with `--apply`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from clusternas.cli import machines

if TYPE_CHECKING:
    from clusternas.core.command import Runner
    from clusternas.nas.actual import NasState
    from clusternas.nas.cluster import NasCluster
    from clusternas.nas.plan import Plan

__all__ = ["add_commands"]

Add = Callable[[str, Callable[[argparse.Namespace], int], str], argparse.ArgumentParser]


def add_commands(add: Add) -> None:
    """Add the commands.

    Args:
        add: makes the parser of a command, from its name, what runs, and a line of help.
    """
    stop = _command(add, "stop", _stop, "take a node out of service, or all of them with --all")
    stop.add_argument("node", nargs="?")
    stop.add_argument("--all", action="store_true", help="stop the whole NAS, layer by layer")
    restart = _command(
        add, "restart", _restart, "restart nodes one after the other, while the others serve"
    )
    restart.add_argument("node", nargs="*", help="by default all")
    _add_recover(add)
    replace = _command(add, "replace-disk", _replace, "put a new disk below a resource")
    replace.add_argument("resource")
    replace.add_argument("node")
    grow = _command(add, "grow", _grow, "let a file system take the room its disks have got")
    grow.add_argument("mount_point")
    grow.add_argument(
        "--size", default="", help="of the volume, or + and how much more; by default all there is"
    )
    remove = _command(add, "remove", _remove, "take a node out of the NAS for good")
    remove.add_argument("node")
    acknowledge = _command(
        add,
        "acknowledge",
        _acknowledge,
        "say that a node is off, where nothing could fence it",
    )
    acknowledge.add_argument("node")
    _command(add, "convert", _convert, "give the volume groups of clvmd to lvmlockd")


def _add_recover(add: Add) -> None:
    recover = _command(add, "recover", _recover, "mend a split brain: one node gives up its data")
    recover.add_argument("resource")
    recover.add_argument(
        "--victim", required=True, metavar="NODE", help="what it wrote alone is lost"
    )
    recover.add_argument(
        "--save-to",
        default="",
        metavar="FILE",
        help="copy the disk of the victim into a new file there before",
    )
    recover.add_argument(
        "--since",
        type=_time,
        metavar="TIME",
        help="when the link was lost: 2026-11-24T01:30, or with +00:00; by default as the log says",
    )


def _command(
    add: Add, name: str, run: Callable[[argparse.Namespace], int], text: str
) -> argparse.ArgumentParser:
    command = add(name, run, text)
    machines.add_login_options(command)
    machines.add_plan_options(command)
    command.add_argument(
        "--apply", action="store_true", help="do it; without this it is only shown"
    )
    machines.add_apply_options(command)
    return command


def _run(options: argparse.Namespace, planned: Callable[[NasCluster, NasState], Plan]) -> int:
    nas = machines.load(options.spec)

    def plan(nodes: Mapping[str, Runner]) -> Plan:
        return planned(nas, nas.gather(nodes))

    if options.apply:
        return machines.carry_out(nas, options, plan)
    return machines.show(plan(machines.connect(nas, options)), options)


def _stop(options: argparse.Namespace) -> int:
    from clusternas.core.errors import ValidationError
    from clusternas.nas.stopping import plan_shutdown, plan_stop

    if options.all == bool(options.node):
        raise ValidationError("stop what?", hint="name one node, or give --all")
    if options.all:
        return _run(options, plan_shutdown)
    return _run(options, lambda nas, state: plan_stop(nas, state, options.node))


def _time(text: str) -> float:
    """Seconds since the epoch of a time as ISO 8601 writes it, by default in the zone of here."""
    from datetime import datetime

    return datetime.fromisoformat(text).timestamp()


def _recover(options: argparse.Namespace) -> int:
    import json

    from clusternas.nas.day2 import plan_split_brain_recovery
    from clusternas.nas.lost import written_alone

    nas = machines.load(options.spec)
    split = (options.resource, options.victim)

    def plan(nodes: Mapping[str, Runner]) -> Plan:
        state = nas.gather(nodes)
        plan = plan_split_brain_recovery(nas, state, *split, save_to=options.save_to)
        if options.apply or options.format != "diff":
            lost = written_alone(nas, nodes, state, *split, since=options.since)
            if options.format == "json" and not options.apply:
                both = {"written_alone": lost.record(), "plan": plan.records()}
                print(json.dumps(both, indent=2))
            else:
                print(f"{lost}\n{_kept(options)}")
        return plan

    if options.apply:
        return machines.carry_out(nas, options, plan)
    made = plan(machines.connect(nas, options))
    if options.format == "json":
        return 1 if made.changed else 0
    return machines.show(made, options)


def _kept(options: argparse.Namespace) -> str:
    """Whether it can be had later."""
    if options.save_to:
        return f"saved before on {options.victim}: {options.save_to}"
    return f"all of it is lost; to save it before: --save-to FILE, a new file on {options.victim}"


def _replace(options: argparse.Namespace) -> int:
    from clusternas.nas.day2 import plan_disk_replacement as plan

    return _run(options, lambda nas, state: plan(nas, state, options.resource, options.node))


def _grow(options: argparse.Namespace) -> int:
    from clusternas.nas.day2 import plan_growth as plan

    return _run(options, lambda nas, state: plan(nas, state, options.mount_point, options.size))


def _remove(options: argparse.Namespace) -> int:
    from clusternas.nas.cluster import NasCluster
    from clusternas.nas.removal import plan_removal

    rest = NasCluster.load(options.spec, without=[options.node])
    return _run(options, lambda nas, state: plan_removal(nas, state, rest))


def _acknowledge(options: argparse.Namespace) -> int:
    from clusternas.nas.acknowledge import plan_acknowledgement as plan

    return _run(options, lambda nas, state: plan(nas, state, options.node))


def _convert(options: argparse.Namespace) -> int:
    from clusternas.nas.conversion import plan_conversion

    return _run(options, plan_conversion)


def _restart(options: argparse.Namespace) -> int:
    from clusternas.cli.progress import Progress
    from clusternas.nas.restart import RollingRestart
    from clusternas.nas.stopping import plan_stop

    nas = machines.load(options.spec)
    nodes = machines.connect(nas, options)
    with machines.journal_of(options) as journal:
        rolling = RollingRestart(
            nas=nas,
            nodes=nodes,
            names=options.node,
            on=[Progress()],
            tell=print,
            journal=journal,
            break_lock=options.break_lock,
        )
        order = rolling.left() or tuple(options.node) or tuple(nas.nodes.keys())
        if options.apply:
            rolling.run()
            return 0
        if options.format in ("text", "table"):
            print(f"to restart: {', '.join(order)}; {order[0]} first:")
        return machines.show(plan_stop(nas, nas.gather(nodes), order[0]), options)
