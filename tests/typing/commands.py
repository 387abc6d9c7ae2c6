"""What a user's type checker sees of commands. Read by pyright, never run."""

from typing import TypeVar, assert_type

from clusternas.core.command import Command, Effect, Output, Result, Runner, Secret, text

T = TypeVar("T")


def lines(output: Output) -> int:
    return len(output.text.splitlines())


counted = Command(("drbdadm", "sh-resources"), lines, effect=Effect.READ)
assert_type(counted, Command[int])
assert_type(counted.run(), Result[int])
assert_type(counted.run().value, int)
assert_type(counted.allow(["drbdadm create-md r0"]), Command[int])
assert_type(counted.result(Output()), Result[int])
assert_type(Command(("drbdadm", "role", "r0"), text).run().value, str)

counted.timeout = 5.0  # pyright: ignore[reportAttributeAccessIssue]
Command(("drbdadm",), lines, force=True)  # pyright: ignore[reportCallIssue]
Command(("mount",), text, secrets=("word",))  # pyright: ignore[reportArgumentType]
Command(("mount",), text, secrets=(Secret("word"),))


class Paper:
    """A runner needs one method and no base class."""

    def run(self, command: Command[T], /) -> Result[T]:
        return command.result(Output())


runner: Runner = Paper()
assert_type(counted.run(runner), Result[int])
