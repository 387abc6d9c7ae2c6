"""What every runner does around the running itself: consent, time, log, judgement."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from clusternas.core.command import Command, Output, Result
from clusternas.core.errors import CommandError, CommandNotFound, CommandTimeout

__all__ = ["perform", "too_late", "unknown_tool"]

T = TypeVar("T")

logger = logging.getLogger("clusternas.runners")
logger.addHandler(logging.NullHandler())


def perform(
    command: Command[T], execute: Callable[[Command[object]], Output], node: str = ""
) -> Result[T]:
    """Run a command by a function, log one line, and judge the output.

    Args:
        command: what to run.
        execute: runs it and returns its output, whatever the exit code.
        node: the node's name, empty for this machine.

    Raises:
        Refused: it destroys data and nobody allowed it by name.
        CommandError: `execute` raised it, or the exit code is not one of `ok`.
    """
    command.require_allowed()
    started = time.monotonic()
    try:
        output = execute(command)
    except CommandError as error:
        _log(command, node, type(error).__name__, time.monotonic() - started)
        raise
    duration = time.monotonic() - started
    _log(command, node, f"exit code {output.exit_code}", duration)
    return command.result(output, node=node, duration=duration)


def too_late(command: Command[object], printed: Output, node: str = "") -> CommandTimeout:
    """The error of a command that did not end in time, with what it printed until then."""
    shown = command.title or command.argv[0]
    message = f"{shown} did not end within {command.timeout:g} s and was killed"
    return command.error(CommandTimeout, message, printed, node=node)


def unknown_tool(command: Command[object], node: str = "", hint: str = "") -> CommandNotFound:
    """The error of a command whose tool is not there."""
    message = f"{command.argv[0]} is not installed"
    return command.error(CommandNotFound, message, node=node, hint=hint)


def _log(command: Command[object], node: str, outcome: str, duration: float) -> None:
    logger.debug(
        "%s%s: %s in %.3f s",
        f"{node}: " if node else "",
        command,
        outcome,
        duration,
        extra={"node": node, "command": str(command), "outcome": outcome, "duration": duration},
    )
