"""How a call of drbdadm is built: the names it takes, and where each generation wants options."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from clusternas.core.command import Command, Effect, Output
from clusternas.core.errors import UnsupportedError, ValidationError
from clusternas.core.versions import Toolset

__all__ = ["DAY", "QUICK", "SLOW", "adm", "need", "old", "size", "target"]

T = TypeVar("T")

NAME = re.compile(r"[A-Za-z0-9_.+%@][A-Za-z0-9_.+%@-]{0,127}")
SIZE = re.compile(r"[0-9]{1,18}[kKmMgGs]?")

QUICK = 30.0
SLOW = 300.0
"""For what drbdadm itself waits for up to 121 s, as `cmd-timeout-medium` says: fencing, a disk."""
DAY = 86400.0


def target(resource: str, volume: int | None = None, peer: str = "") -> str:
    """A resource, one volume or one link of it, as drbdadm takes it: `r0`, `r0/1`, `r0:nas02`.

    `all` means every resource of this host.

    Raises:
        ValidationError: drbdadm cannot take a resource or host of that name on its command line.
    """
    for name in filter(None, (resource, peer)):
        if not NAME.fullmatch(name):
            raise ValidationError(
                f"not a name of DRBD: {name!r}",
                hint="up to 128 letters, digits, and . _ + % @ -, not beginning with -",
            )
    if not resource:
        raise ValidationError("no resource", hint="give its name, or all")
    if volume is not None and not 0 <= volume <= 65535:
        raise ValidationError(f"not a volume number: {volume}", hint="0 to 65535")
    link = f":{peer}" if peer else ""
    return f"{resource}{link}" if volume is None else f"{resource}{link}/{volume}"


def old(toolset: Toolset) -> bool:
    """The command line of 8.3."""
    return not toolset.has("drbd", since="8.4")


def need(verb: str, toolset: Toolset, since: str) -> None:
    """Refuse a command that the toolset does not have."""
    if not toolset.has("drbd", since=since):
        raise UnsupportedError(f"drbdadm {verb} exists since DRBD {since}, here is {toolset.drbd}")


def adm(
    verb: str,
    operand: str,
    *options: str,
    toolset: Toolset = Toolset.UNKNOWN,
    decode: Callable[[Output], T],
    effect: Effect = Effect.CHANGE,
    timeout: float = QUICK,
    shown: str = "",
) -> Command[T]:
    """One call of drbdadm.

    Args:
        verb: the subcommand.
        operand: what `target` gave, or empty.
        options: for the subcommand; 8.3 wants them before it, after `--`.
        toolset: whose spelling.
        decode: as of `Command`.
        effect: as of `Command`.
        timeout: seconds.
        shown: the option that belongs into the name to consent to, if any.
    """
    before = ("--", *options) if options and old(toolset) else ()
    after = () if before else options
    operands = (operand,) if operand else ()
    return Command(
        ("drbdadm", *before, verb, *after, *operands),
        decode,
        effect=effect,
        timeout=timeout,
        name=" ".join(("drbdadm", verb, *filter(None, (shown,)), *operands)),
    )


def size(value: str) -> str:
    """A size for the command line, `10G`."""
    if not SIZE.fullmatch(value):
        raise ValidationError(f"not a size: {value!r}", hint="write digits and k, M, G or s")
    return value
