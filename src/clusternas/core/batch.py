"""Many reading commands in one call: what keeps gathering a node at a few round trips."""

from __future__ import annotations

from collections.abc import Sequence

from clusternas.core.command import Command, Effect, Output
from clusternas.core.errors import ParseError, ValidationError

__all__ = ["BATCH", "LATE", "batch"]

LATE = 124
"""Exit code of a command that did not end in time, as of timeout(1)."""

HURRY = 5
"""Seconds for each command after one that did not end in time: it waits for a disk or a lock, and
what comes after it may well wait for the same."""

# Arguments: `SECONDS COMMAND` lines for a shell. Output per command: a line `EXITCODE OUT ERR`,
# OUT bytes of its standard output and ERR bytes of its standard error. Each has no input and its
# own time limit; one that cannot be killed is left alone, so that the others still answer. The
# clock is a process of its own that signals each second: EL5 has no timeout(1), and that of today
# waits for ever for what hangs in the kernel.
BATCH = (
    r"""
set -u
umask 077
files=$(mktemp -d) || exit 74
ticks=0 most=
trap 'ticks=$((ticks + 1))' USR1
(exec >/dev/null 2>&1; while sleep 1; do kill -s USR1 "$$" || exit; done) </dev/null &
clock=$!
trap 'kill "$clock"; rm -rf -- "$files"' EXIT
ends() {  # waits until $child has ended, or for so many ticks; sets code
    until=$((ticks + $1))
    while :; do
        wait "$child"
        code=$?
        kill -0 "$child" 2>/dev/null || return 0
        [ "$ticks" -lt "$until" ] || return 1
    done
}
for line; do
    seconds=${most:-${line%% *}}
    rm -f -- "$files/out" "$files/err"
    (eval "exec ${line#* }") </dev/null >"$files/out" 2>"$files/err" &
    child=$!
    if ! ends "$seconds"; then
        kill -s TERM "$child"
        ends 2 || kill -s KILL "$child"
        ends 1 || :
        code=LATE most=HURRY
    fi
    set -- $(cd -- "$files" && wc -c out err)
    printf '%d %d %d\n' "$code" "$1" "$3"
    cat -- "$files/out" "$files/err"
done
""".strip()
    .replace("HURRY", str(HURRY))
    .replace("LATE", str(LATE))
)


def batch(commands: Sequence[Command[object]]) -> Command[tuple[Output, ...]]:
    """Run commands one after the other in one call; their outputs, whatever the exit codes.

    Judge each with `commands[i].result(outputs[i])`: one that fails does not stop the others.

    Args:
        commands: only commands that read; none with input or environment variables of its own but
            plain ones.

    Raises:
        ValidationError: a command changes something or wants input.

    Example:
        >>> from clusternas.core.command import text
        >>> str(batch([Command(("uname", "-n"), text, effect=Effect.READ)]))
        'batch: uname -n'
    """
    for command in commands:
        if command.effect is not Effect.READ or command.stdin:
            raise ValidationError(
                f"{command} cannot run in a batch", hint="only commands that read, without input"
            )
    lines = (f"{command.timeout:.0f} {_line(command)}" for command in commands)
    return Command(
        ("sh", "-c", BATCH, "batch", *lines),
        _outputs,
        effect=Effect.READ,
        timeout=sum(command.timeout for command in commands) or 1.0,
        secrets=tuple(secret for command in commands for secret in command.secrets),
        title="batch: " + "; ".join(map(str, commands)),
    )


def _line(command: Command[object]) -> str:
    variables = "".join(f"{name}={value} " for name, value in command.env)
    return f"env {variables}{command.shell()}" if variables else command.shell()


def _outputs(output: Output) -> tuple[Output, ...]:
    data, at, found = output.stdout, 0, []
    while at < len(data):
        end = data.find(b"\n", at)
        try:
            code, out, err = map(int, data[at:end].split())
        except ValueError:
            raise ParseError(
                "the outputs of a batch were not read whole",
                hint="the shell prints something at login",
            ) from None
        middle = end + 1 + out
        at = middle + err
        found.append(Output(code, data[end + 1 : middle], data[middle:at]))
    return tuple(found)
