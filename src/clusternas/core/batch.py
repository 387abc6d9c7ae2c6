"""Many reading commands in one call: what keeps gathering a node at a few round trips."""

from __future__ import annotations

from collections.abc import Sequence

from clusternas.core.command import Command, Effect, Output
from clusternas.core.errors import ParseError, ValidationError

__all__ = ["BATCH", "batch"]

# Arguments: `SECONDS COMMAND` lines for a shell. Output per command: a line `EXITCODE OUT ERR`,
# OUT bytes of its
# standard output and ERR bytes of its standard error. Each has no input and its own time limit,
# where there is coreutils' timeout (EL5 has none).
BATCH = r"""
set -u
umask 077
files=$(mktemp -d) || exit 74
trap 'rm -rf -- "$files"' EXIT
limit=$(command -v timeout || :)
for line; do
    seconds=${line%% *}
    sh -c "${limit:+$limit -k 1 $seconds} ${line#* }" </dev/null >"$files/out" 2>"$files/err"
    code=$?
    printf '%d %d %d\n' "$code" "$(wc -c <"$files/out")" "$(wc -c <"$files/err")"
    cat -- "$files/out" "$files/err"
done
""".strip()


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
