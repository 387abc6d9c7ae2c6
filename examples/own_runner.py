"""A runner of your own: commands inside a container, a chroot, a name space.

python own_runner.py podman exec -i nas01
python own_runner.py chroot /mnt/sysimage
python own_runner.py nsenter --net=/run/netns/nas01
"""

import subprocess
import sys
from typing import TypeVar

from clusternas import ClusterNasError, Command, Output, Result
from clusternas.drbd import commands as drbd
from clusternas.runners.base import perform, too_late, unknown_tool

T = TypeVar("T")


class Through:
    """Runs every command behind another one. A runner is anything with `run`."""

    def __init__(self, *prefix: str) -> None:
        self.prefix = prefix

    def run(self, command: Command[T], /) -> Result[T]:
        """`perform` refuses what nobody allowed, logs, takes the time, and judges the output."""
        return perform(command, self._execute, " ".join(self.prefix))

    def _execute(self, command: Command[object]) -> Output:
        env = ("env", "LC_ALL=C", *(f"{name}={value}" for name, value in command.env))
        argv = (*self.prefix, *env, *command.argv)
        try:
            done = subprocess.run(
                argv, input=command.stdin, capture_output=True, timeout=command.timeout, check=False
            )
        except subprocess.TimeoutExpired as late:
            printed = Output(-9, late.stdout or b"", late.stderr or b"")
            raise too_late(command, printed) from None
        except FileNotFoundError:
            raise unknown_tool(command, hint=f"is {argv[0]} installed?") from None
        return Output(done.returncode, done.stdout, done.stderr)


def main(*prefix: str) -> int:
    try:
        resources = drbd.status().run(Through(*prefix)).value
    except ClusterNasError as error:
        print(error, file=sys.stderr)
        return 2
    for name, resource in resources.items():
        print(name, resource.role.value, "healthy" if resource.healthy else "not healthy")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
