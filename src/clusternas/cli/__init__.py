"""The command line: a thin layer over the API, for people and for CI.

Exit codes: 0 fine, 1 findings or differences, 2 the call or its input is wrong.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from clusternas.cli import day2, machines
from clusternas.core.errors import ClusterNasError, Refused, ValidationError
from clusternas.core.versions import Toolset

if TYPE_CHECKING:
    from clusternas.core.diagnostics import Diagnostic

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
    except Refused as error:
        print(f"clusternas: {error.message}", file=sys.stderr)
        print(*_options_for(error), sep="\n", file=sys.stderr)
    except ClusterNasError as error:
        print(f"clusternas: {error}", file=sys.stderr)
    except (OSError, UnicodeError) as error:
        print(f"clusternas: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        print("clusternas: stopped", file=sys.stderr)
        return 130
    return 2


def _options_for(error: Refused) -> Iterator[str]:
    """What to add to the call, in place of the hint, which is for Python."""
    import shlex

    if error.allow:
        names = " ".join(f"--allow {shlex.quote(name)}" for name in error.allow)
        yield f"  help: allow it by name: {names}"
    elif error.holder:
        yield f"  help: if it is dead, break its lock: --break-lock {shlex.quote(error.holder)}"
    elif error.hint:
        yield f"  help: {error.hint}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="clusternas",
        description="A clustered NAS, from its description to its service, and while it runs.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    add = partial(_command, commands)
    demo = add("demo", _demo, "the article's NAS on fake nodes, from findings to service")
    demo.add_argument("-o", "--output", type=Path, help="folder for the rendered files")
    check = add("check", _check, "find mistakes in a spec, a file, or a tree of /etc")
    check.add_argument("path", type=Path, metavar="PATH|SPEC")
    check.add_argument("--format", choices=("text", "json", "sarif"), default="text")
    _toolset(check)
    render = add("render", _render, "write every file of every node to a folder")
    render.add_argument("spec", type=Path)
    render.add_argument("-o", "--output", type=Path, required=True, metavar="DIR")
    _toolset(render)
    plan = add("plan", _plan, "what would be done, and why; nothing runs")
    machines.add_login_options(plan)
    machines.add_plan_options(plan)
    apply = add("apply", _apply, "do it, step by step, each one verified")
    machines.add_login_options(apply)
    machines.add_apply_options(apply)
    status = add("status", _status, "the state of the whole NAS")
    machines.add_login_options(status)
    status.add_argument("--format", choices=("text", "json"), default="text")
    status.add_argument(
        "--watch",
        type=float,
        nargs="?",
        const=2.0,
        metavar="SECONDS",
        help="show it again and again, until Ctrl-C",
    )
    day2.add_commands(add)
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
    nas = machines.load(options.spec)
    written = nas.write_to(options.output, toolset(options.toolset) if options.toolset else None)
    for path in written:
        print(path)
    return 0


def _plan(options: argparse.Namespace) -> int:
    nas = machines.load(options.spec)
    return machines.show(nas.plan(nas.gather(machines.connect(nas, options))), options)


def _apply(options: argparse.Namespace) -> int:
    nas = machines.load(options.spec)
    return machines.carry_out(nas, options, lambda nodes: nas.plan(nas.gather(nodes)))


def _status(options: argparse.Namespace) -> int:
    import json

    nas = machines.load(options.spec)
    nodes = machines.connect(nas, options)
    while True:
        status = nas.status(nas.gather(nodes))
        if options.watch is not None and sys.stdout.isatty():
            print(CLEAR, end="")
        print(json.dumps(status.record(), indent=2) if options.format == "json" else status)
        if options.watch is None:
            return 0 if status.healthy else 1
        sys.stdout.flush()
        time.sleep(max(options.watch, 0.1))
