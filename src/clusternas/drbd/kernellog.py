"""What DRBD has told the kernel's log: when a link was lost."""

from __future__ import annotations

import re
from functools import partial

from clusternas.core.command import Command, Effect, Output
from clusternas.drbd.call import QUICK, target
from clusternas.drbd.proc import link_states
from clusternas.drbd.status import ConnectionState

__all__ = ["decode_link_lost", "link_lost"]

LINE = re.compile(r"(?P<at>\d+\.\d+) \S+ kernel: (?P<text>.*)")
EIGHT = r"drbd {}: (?:.* )?conn\( (?P<before>\w+) -> (?P<after>\w+) \)"
NINE = r"drbd {}/\d+ drbd\d+ \S+: (?:.* )?repl\( (?P<before>\w+) -> (?P<after>Off) \)"
"""DRBD 9 links up before it finds a split brain, and only replicates when there is none."""


def link_lost(resource: str) -> Command[float | None]:
    """When the link of a resource was lost last, since this machine was started.

    `journalctl -k -o short-unix`, so where systemd is; seconds since the epoch, or None where the
    log does not say. DRBD notices the end of a link only after it has waited for an answer.

    Example:
        >>> str(link_lost("r0"))
        'journalctl -k -o short-unix --no-pager'
    """
    argv = ("journalctl", "-k", "-o", "short-unix", "--no-pager")
    decode = partial(decode_link_lost, resource=target(resource))
    return Command(argv, decode, effect=Effect.READ, timeout=QUICK)


def decode_link_lost(output: Output, *, resource: str) -> float | None:
    r"""The time of the last line that tells of it.

    Example:
        >>> log = b"17.5 nas1 kernel: drbd r0: conn( Connected -> NetworkFailure ) \n"
        >>> decode_link_lost(Output(stdout=log), resource="r0")
        17.5
    """
    forms = [re.compile(form.format(re.escape(resource))) for form in (EIGHT, NINE)]
    lost = None
    for line in filter(None, map(LINE.match, output.text.splitlines())):
        found = next(filter(None, (form.match(line["text"]) for form in forms)), None)
        if found and _is_linked(found["before"]) and not _is_linked(found["after"]):
            lost = float(line["at"])
    return lost


def _is_linked(state: str) -> bool:
    """Whether data goes over the link in that state, of either generation."""
    return state != "Off" and link_states(state)[0] is ConnectionState.CONNECTED
