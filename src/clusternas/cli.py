"""The command line: a thin layer over the API, for people and for CI.

Exit codes: 0 fine, 1 findings or differences, 2 the call or its input is wrong.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from clusternas.core.errors import ClusterNasError, ValidationError
from clusternas.core.versions import Toolset

if TYPE_CHECKING:
    from clusternas.core.diagnostics import Diagnostic
    from clusternas.nas.apply import Event
    from clusternas.nas.cluster import NasCluster
    from clusternas.nas.journal import Journal
    from clusternas.runners.nodes import Nodes

__all__ = ["main"]

TOOLSETS = {
    "el6": Toolset.EL6,
    "el9": Toolset.EL9,
    "debian12": Toolset.DEBIAN12,
    "unknown": Toolset.UNKNOWN,
}


CLEAR = "\x1b[H\x1b[2J"
"""Empties a terminal: ECMA-48, CUP and ED."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    options = _parser().parse_args(argv)
    try:
        run: Callable[[argparse.Namespace], int] = options.run
        return run(options)
    except ClusterNasError as error:
        print(f"clusternas: {error}", file=sys.stderr)
    except (OSError, UnicodeError) as error:
        print(f"clusternas: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        print("clusternas: stopped", file=sys.stderr)
        return 130
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="clusternas", description="A clustered NAS: check, render, plan, apply, status."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    demo = _command(
        commands, "demo", _demo, "the article's NAS on fake nodes, from findings to service"
    )
    demo.add_argument("-o", "--output", type=Path, help="folder for the rendered files")
    check = _command(
        commands, "check", _check, "find mistakes in a spec, a file, or a tree of /etc"
    )
    check.add_argument("path", type=Path, metavar="PATH|SPEC")
    check.add_argument("--format", choices=("text", "json", "sarif"), default="text")
    _toolset(check)
    render = _command(commands, "render", _render, "write every file of every node to a folder")
    render.add_argument("spec", type=Path)
    render.add_argument("-o", "--output", type=Path, required=True, metavar="DIR")
    _toolset(render)
    for name, run, text in (
        ("plan", _plan, "what would be done, and why; nothing runs"),
        ("apply", _apply, "do it, step by step, each one verified"),
        ("status", _status, "the state of the whole NAS"),
    ):
        command = _command(commands, name, run, text)
        command.add_argument("spec", type=Path)
        command.add_argument("--user", help="log in as")
        command.add_argument("--ssh-config", type=Path, metavar="FILE", help="configuration of ssh")
        command.add_argument("--sudo", action="store_true", help="run as root through sudo")
        if name != "apply":
            command.add_argument("--format", choices=("text", "json"), default="text")
        if name == "apply":
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
        if name == "status":
            command.add_argument(
                "--watch",
                type=float,
                nargs="?",
                const=2.0,
                metavar="SECONDS",
                help="show it again and again, until Ctrl-C",
            )
        if name == "plan":
            command.add_argument(
                "--diff", action="store_true", help="show the diffs of the files too"
            )
    return parser


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: Callable[[argparse.Namespace], int],
    text: str,
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=text, description=text)
    command.set_defaults(run=run)
    return command


def _toolset(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--toolset",
        metavar="NAME",
        help=f"the tools: {', '.join(TOOLSETS)}, or pairs like drbd=8.4,lvm=2.03",
    )


def toolset(name: str) -> Toolset:
    """A preset by its name, or versions by tool: `drbd=8.4,lvm=2.03`.

    Raises:
        ValidationError: it is neither.
    """
    if name.lower() in TOOLSETS:
        return TOOLSETS[name.lower()]
    pairs = {tool: version for tool, _, version in (p.partition("=") for p in name.split(","))}
    try:
        return Toolset(**pairs)
    except TypeError:
        raise ValidationError(
            f"unknown toolset {name!r}", hint=f"write one of {', '.join(TOOLSETS)}, or drbd=8.4,…"
        ) from None


def _demo(options: argparse.Namespace) -> int:
    from clusternas.testing.demo import demo

    return demo(options.output)


def _check(options: argparse.Namespace) -> int:
    from clusternas.core.report import to_json, to_sarif, to_text

    found = _findings(options.path, toolset(options.toolset) if options.toolset else None)
    if options.format == "json":
        print(to_json(found))
    elif options.format == "sarif":
        print(to_sarif(found))
    elif found:
        print(to_text(found))
        print(f"{len(found)} findings")
    else:
        print("no findings")
    return 1 if found else 0


def _findings(path: Path, tools: Toolset | None) -> list[Diagnostic]:
    from clusternas.nas.cluster import NasCluster
    from clusternas.nas.files import model_for

    if path.is_dir():
        return NasCluster.from_etc(path).check(tools)
    if path.suffix == ".toml":
        return NasCluster.load(path).check(tools)
    return model_for(str(path)).read(path).validate(tools)


def _render(options: argparse.Namespace) -> int:
    nas = _load(options.spec)
    written = nas.write_to(options.output, toolset(options.toolset) if options.toolset else None)
    for path in written:
        print(path)
    return 0


def _load(spec: Path) -> NasCluster:
    from clusternas.nas.cluster import NasCluster

    return NasCluster.load(spec)


def _nodes(nas: NasCluster, options: argparse.Namespace) -> Nodes:
    from clusternas.runners.nodes import Nodes
    from clusternas.runners.ssh import Ssh
    from clusternas.runners.wrap import Sudo

    config = str(options.ssh_config or "")
    runners = {
        node.name: Ssh(node.name, user=options.user, config_file=config) for node in nas.nodes
    }
    return Nodes({name: Sudo(each) for name, each in runners.items()} if options.sudo else runners)


def _plan(options: argparse.Namespace) -> int:
    nas = _load(options.spec)
    plan = nas.plan(nas.gather(_nodes(nas, options)))
    if options.format == "json":
        print(plan.to_json())
    else:
        print(plan)
        if options.diff and plan.diff():
            print(plan.diff())
    return 1 if plan.changed else 0


def _apply(options: argparse.Namespace) -> int:
    from clusternas.nas.journal import Journal

    nas = _load(options.spec)
    nodes = _nodes(nas, options)
    if options.journal is None:
        return _carry_out(nas, nodes, options, None)
    with Journal(options.journal) as journal:
        if journal.broken:
            print(f"{journal.broken}; going on from what the nodes are now")
        return _carry_out(nas, nodes, options, journal)


def _carry_out(
    nas: NasCluster, nodes: Nodes, options: argparse.Namespace, journal: Journal | None
) -> int:
    plan = nas.plan(nas.gather(nodes))
    print(plan)
    applied = plan.apply(
        nodes,
        allow=options.allow,
        on=[Progress()],
        journal=journal,
        break_lock=options.break_lock,
    )
    print(applied)
    return 0 if applied.ok else 1


def _status(options: argparse.Namespace) -> int:
    nas = _load(options.spec)
    nodes = _nodes(nas, options)
    while True:
        status = nas.status(nas.gather(nodes))
        if options.watch is not None and sys.stdout.isatty():
            print(CLEAR, end="")
        print(json.dumps(status.record(), indent=2) if options.format == "json" else status)
        if options.watch is None:
            return 0 if status.healthy else 1
        sys.stdout.flush()
        time.sleep(max(options.watch, 0.1))


class Progress:
    """Prints each step as it ends, with how long it took."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def __call__(self, event: Event) -> None:
        if event.state in ("start", "wait"):
            return
        mark = {"done": "ok", "failed": "FAILED", "skipped": "skipped"}[event.state]
        spent = time.monotonic() - self._began
        print(f"{spent:7.1f} s  {mark:<8}{event.step.node:<14}{event.step.command}", flush=True)
        if event.state == "failed":
            print("\n".join(f"           {line}" for line in event.detail.splitlines()), flush=True)
