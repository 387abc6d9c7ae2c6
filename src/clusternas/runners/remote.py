"""A command as the string that ssh carries, and what came back of it."""

from __future__ import annotations

import math
import shlex

import attrs

from clusternas.core.command import Command, Output
from clusternas.core.errors import CommandFailed, Unreachable
from clusternas.runners.base import too_late, unknown_tool

__all__ = ["ended", "remote"]

LATE = 124  # what REMOTE, as timeout(1), exits with
NO_CONNECTION = 255  # what ssh exits with for errors of its own (ssh(1), EXIT STATUS)
MARK = b"\nclusternas: "
HINTS = {
    "Host key verification failed": "learn its key first (ssh-keyscan), or host_keys='accept-new'",
    "Permission denied": "it must let you in by key, without asking for a password",
}

# What runs on the node, as `sh -c REMOTE clusternas SECONDS TOOL ARGUMENT…`. It kills the tool, and
# all that it started, when the time is over, whether or not anybody still listens; and it says in
# the last line of standard error how the tool ended: ssh's exit code 255 means too many things.
REMOTE = r"""
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
exec 3<&0 4>&2 </dev/null 2>/dev/null
say() { printf '\nclusternas: %s\n' "$*" >&4; }
limit=$1 late= group=
shift
command -v "$1" >/dev/null || { say missing; exit 127; }
if command -v setsid >/dev/null; then group=-; set -- setsid "$@"; fi
trap late=yes USR1
"$@" <&3 2>&4 3<&- 4>&- &
child=$!
exec 3<&-
(
    exec >/dev/null 4>&-
    trap 'kill "$nap"; exit' TERM
    sleep "$limit" &
    nap=$!
    wait "$nap"
    trap '' TERM
    kill -s USR1 "$$"
    kill -s TERM -- "$group$child"
    sleep 2
    kill -s KILL -- "$group$child"
) &
watch=$!
wait "$child"
code=$?
if [ "$late" ]; then say timeout; exit 124; fi
kill -s TERM "$watch"
say exit "$code"
exit "$code"
"""


def remote(command: Command[object]) -> str:
    """A command line for a login shell: quoted once, with its variables and its timeout."""
    env = [f"{name}={value}" for name, value in command.env]
    limit = str(math.ceil(command.timeout))
    argv = ["env", "LC_ALL=C", *env, "sh", "-c", REMOTE.strip(), "clusternas", limit, *command.argv]
    return f"exec {shlex.join(argv)}"


def ended(command: Command[object], output: Output, node: str) -> Output:
    """The output of the tool itself, from that of ssh running `remote`.

    Raises:
        Unreachable: ssh failed, or the connection broke.
        CommandTimeout: the node killed it in time.
        CommandNotFound: the node has no such tool.
        CommandFailed: the node did something else.
    """
    before, mark, rest = output.stderr.rpartition(MARK)
    said, _, after = rest.partition(b"\n")
    if not mark:
        if output.exit_code == NO_CONNECTION:
            raise _unreachable(command, output, node)
        message, hint = "the login shell did not run it", "the node needs a POSIX shell"
        raise command.error(CommandFailed, message, output, node=node, hint=hint)
    output = attrs.evolve(output, stderr=before + after)
    match said.decode().split():
        case ["exit", code]:
            return attrs.evolve(output, exit_code=int(code))
        case ["timeout"]:
            raise too_late(command, attrs.evolve(output, exit_code=LATE), node)
    raise unknown_tool(command, node)


def _unreachable(command: Command[object], output: Output, node: str) -> Unreachable:
    why = output.error_text.strip().splitlines() or ["the connection broke"]
    hint = next((hint for text, hint in HINTS.items() if text in output.error_text), "")
    message = f"could not be reached: {why[-1]}"
    return command.error(Unreachable, message, output, node=node, hint=hint)
