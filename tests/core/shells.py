"""Runs commands on this machine in a certain shell."""

from __future__ import annotations

import os
import subprocess
from typing import TypeVar

import attrs

from clusternas.core.command import Command, Output, Result
from clusternas.core.text import encode

__all__ = ["Shell"]

T = TypeVar("T")


@attrs.frozen
class Shell:
    """Runs commands with a certain program as `sh`."""

    words: tuple[str, ...]
    limit: int = 0

    def argv(self, command: Command[object]) -> list[bytes]:
        assert command.argv[0] == "sh"
        argv = [*self.words, *command.argv[1:]]
        if self.limit:
            argv = ["sh", "-c", f"ulimit -f {self.limit}; trap '' XFSZ; exec \"$@\"", "sh", *argv]
        return [encode(word) for word in argv]

    def run(self, command: Command[T]) -> Result[T]:
        done = subprocess.run(
            self.argv(command),
            input=command.stdin,
            capture_output=True,
            timeout=20,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
        )
        return command.result(Output(done.returncode, done.stdout, done.stderr))
