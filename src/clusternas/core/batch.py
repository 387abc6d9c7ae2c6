"""Many reading commands in one call: what keeps gathering a node at a few round trips."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise

from clusternas.core.command import Command, Effect, Output
from clusternas.core.errors import ParseError, ValidationError

__all__ = ["BATCH", "LATE", "batch"]

LATE = 124
"""Exit code of a command that did not end in time, as of timeout(1)."""

PATIENCE = 3
"""Seconds to wait for a command before the next one starts beside it: what waits for a disk or a
lock must not hold up the others, nor what waits for the same."""
ENDING = 2
"""Seconds that a command has to end when it is told to."""

# Arguments: `SECONDS COMMAND` lines for a shell. Output: a line with all exit codes; what `wc -c`
# says of the standard output and the standard error of each command; then these themselves, without
# a process per command. Each has no input and its own time limit; one that cannot be killed is left
# alone, so that the others still answer. The clock is a process of its own that signals each
# second: EL5 has no timeout(1), and that of today waits for ever for what hangs in the kernel.
BATCH = (
    r"""
set -u
umask 077
files=$(mktemp -d) || exit 74
ticks=0
trap 'ticks=$((ticks + 1))' USR1
(exec >/dev/null 2>&1; while sleep 1; do kill -s USR1 "$$" || exit; done) </dev/null &
clock=$!
trap 'kill "$clock"; rm -rf -- "$files"' EXIT
ends() {  # waits until command $1 has ended, at most until tick $2; keeps its exit code
    eval "child=\$child$1"
    while :; do
        wait "$child"
        code=$?
        kill -0 "$child" 2>/dev/null || break
        [ "$ticks" -lt "$2" ] || return 1
    done
    eval "code$1=$code"
}
n=0 slow= late= stubborn=
for line; do
    n=$((n + 1))
    (eval "exec ${line#* }") </dev/null >"$files/$n.out" 2>"$files/$n.err" &
    eval "child$n=$! end$n=$((ticks + ${line%% *}))"
    [ "${line%% *}" -gt PATIENCE ] && wait=PATIENCE || wait=${line%% *}
    ends "$n" $((ticks + wait)) || slow="$slow $n"
done
for each in $slow; do
    eval "end=\$end$each"
    ends "$each" "$end" || late="$late $each"
done
for each in $late; do eval "kill -s TERM \$child$each"; done
end=$((ticks + ENDING))
for each in $late; do ends "$each" "$end" || stubborn="$stubborn $each"; done
for each in $stubborn; do eval "kill -s KILL \$child$each"; done
end=$((ticks + 1))
for each in $stubborn; do ends "$each" "$end"; done
for each in $late; do eval "code$each=LATE"; done
n=0 codes= names=
for line; do
    n=$((n + 1))
    eval "codes=\"\$codes \$code$n\""
    names="$names $n.out $n.err"
done
echo $codes
[ "$n" = 0 ] || (cd -- "$files" && wc -c $names && cat $names)
""".strip()
    .replace("PATIENCE", str(PATIENCE))
    .replace("ENDING", str(ENDING))
    .replace("LATE", str(LATE))
)


def batch(commands: Sequence[Command[object]], *, limit: float = 60) -> Command[tuple[Output, ...]]:
    """Run commands one after the other in one call; their outputs, whatever the exit codes.

    Judge each with `commands[i].result(outputs[i])`: one that fails does not stop the others, nor
    does one that hangs: its exit code is `LATE`.

    Args:
        commands: only commands that read; none with input or environment variables of its own but
            plain ones.
        limit: seconds that each may take at most, whatever its own time limit.

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
    limits = [min(limit, command.timeout) for command in commands]
    lines = (f"{most:.0f} {_line(each)}" for most, each in zip(limits, commands, strict=True))
    return Command(
        ("sh", "-c", BATCH, "batch", *lines),
        _outputs,
        effect=Effect.READ,
        timeout=sum(min(PATIENCE, most) for most in limits) + max(limits, default=0) + 2 * PATIENCE,
        secrets=tuple(secret for command in commands for secret in command.secrets),
        title="batch: " + "; ".join(map(str, commands)),
    )


def _line(command: Command[object]) -> str:
    variables = "".join(f"{name}={value} " for name, value in command.env)
    return f"env {variables}{command.shell()}" if variables else command.shell()


def _outputs(output: Output) -> tuple[Output, ...]:
    first, _, rest = output.stdout.partition(b"\n")
    words = first.split()
    if not words:
        return ()
    try:
        codes = list(map(int, words))
        *counted, data = rest.split(b"\n", 2 * len(codes) + 1)
        *sizes, total = (int(line.split()[0]) for line in counted)
        if len(sizes) != 2 * len(codes) or not len(data) == total == sum(sizes):
            raise ValueError
    except (ValueError, IndexError):
        raise ParseError(
            "the outputs of a batch were not read whole", hint="the shell prints something at login"
        ) from None
    ends = list(accumulate(sizes, initial=0))
    parts = [data[start:end] for start, end in pairwise(ends)]
    return tuple(map(Output, codes, parts[::2], parts[1::2]))
