"""Commands that every runner must answer alike, and its answers; imported where it lives."""

from __future__ import annotations

from clusternas.core.command import Command, Effect, Runner, Secret, text
from clusternas.core.errors import CommandError, Unreachable

BYTES = bytes(range(256)) * 40 + b"\r\n\r no newline at the end"
ARGUMENTS = ("", " ", "a'b\"c", "$(id)", "`id`", "*", "a\nb", "ü", "-n", "!!", "{}%s")
CUT = """
pid=$PPID
until read -r name </proc/$pid/comm; case $name in sshd*) true;; *) false; esac
do read -r _ _ _ pid _ </proc/$pid/stat
done
kill -9 $pid
sleep 5
"""


def shell(script: str, *arguments: str, **options: object) -> Command[str]:
    return Command(("sh", "-c", script, *arguments), text, **options)  # type: ignore[arg-type]


CASES = {
    "every byte": Command(("cat",), text, stdin=BYTES),
    "no input": Command(("cat",), text),
    "input that nobody reads": Command(("true",), text, stdin=b"x" * 3_000_000),
    "much input": Command(("cksum",), text, stdin=BYTES * 200),
    "much output": shell(r"head -c 3000000 /dev/zero | tr '\0' '\377'", timeout=30),
    "bytes of errors": shell(r"printf '\377\200\n\r' >&2"),
    "arguments": Command(("printf", r"%s\0", *ARGUMENTS), text),
    "an argument that is not UTF-8": Command(("printf", r"%s\0", "\udcff"), text),
    "environment": shell("echo $LC_ALL $A; tty", env=(("A", "b  c"),), ok={1}),
    "streams": shell("echo out; printf err >&2"),
    "fails": shell("echo out; echo why >&2; exit 3"),
    "fails with 255": shell("echo why >&2; exit 255"),
    "255 is fine": shell("exit 255", ok={255}),
    "missing": Command(("no-such-tool",), text),
    "late": shell("echo part; sleep 20", timeout=1),
    "secret": shell("echo $0 >&2; exit 1", "s3cret", secrets=(Secret("s3cret"),)),
    "destroys": Command(("true",), text, effect=Effect.DESTROY),
    "connection cut": shell(CUT),
    "after the cut": shell("echo here"),
}


def answers(runner: Runner) -> dict[str, list[object]]:
    """What the runner makes of each case, as JSON can hold it."""
    return {name: answer(runner, command) for name, command in CASES.items()}


def answer(runner: Runner, command: Command[str]) -> list[object]:
    """A result, or an error; why a node is unreachable is each library's own text."""
    try:
        result = runner.run(command)
    except CommandError as error:
        about = [type(error).__name__, error.node]
        if isinstance(error, Unreachable):
            return about
        return [*about, error.message, error.exit_code, error.stdout, error.stderr]
    except Exception as error:
        return ["not ours", repr(error)]
    output = result.output
    return [result.node, output.exit_code, ascii(output.stdout), ascii(output.stderr)]
