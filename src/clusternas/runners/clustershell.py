"""Fleets, through ClusterShell: node sets, groups, and its tree of gateways. An optional extra."""

from __future__ import annotations

import base64
import shlex
import threading
import time
from collections import defaultdict
from typing import TypeVar, Unpack

import attrs
from ClusterShell.Event import EventHandler
from ClusterShell.NodeSet import NodeSet
from ClusterShell.Task import Task, task_self, task_terminate

from clusternas.core.command import Command, Output, Result
from clusternas.core.errors import CommandError
from clusternas.runners.base import perform, too_late
from clusternas.runners.nodes import Nodes, Results
from clusternas.runners.remote import ended, remote
from clusternas.runners.ssh import SLACK, Ssh, SshOptions

__all__ = ["Fleet"]

T = TypeVar("T")

# ClusterShell reads lines, and loses carriage returns: so both outputs come in base64, one line
# each time. What ssh itself has to say has no such mark before it.
ARMOUR = r"""
{ { sh -c "$1" 2>&3 3>&- | base64 >&4; } 3>&1 | base64 | sed 's/^/=/' >&2; } 4>&1
"""


class Fleet(Nodes):
    """Nodes that one ClusterShell task reaches; see `Nodes.clustershell`.

    `run` is for all nodes at once. `run_each`, with a command of its own for each node, and the
    runners themselves use plain ssh, as other `Nodes` do.

    Args:
        names: node sets such as `nas[1-64]` or `@storage`.
        options: as for `Ssh`, the same for all.
    """

    def __init__(self, names: str, **options: Unpack[SshOptions]) -> None:
        self._nodes = NodeSet(names)
        self._ssh = Ssh("fleet", **options)
        super().__init__({str(name): Ssh(str(name), **options) for name in self._nodes})

    def run(self, command: Command[T]) -> Results[T]:
        """Run a command on every node; errors of nodes are among the results."""
        command.require_allowed()
        said = _Said()
        # A task belongs to a thread: one of our own leaves the task of this thread alone.
        thread = threading.Thread(target=self._run_task, args=(command, said))
        thread.start()
        thread.join()
        return Results({name: said.answer(command, name) for name in self})

    def _run_task(self, command: Command[object], said: _Said) -> None:
        task: Task = task_self()
        try:
            task.set_info("fanout", self.workers)
            task.set_info("ssh_options", shlex.join(self._ssh.flags()))
            task.set_default("stdout_msgtree", False)
            task.set_default("stderr_msgtree", False)
            worker = task.shell(
                shlex.join(["sh", "-c", ARMOUR.strip(), "clusternas", remote(command)]),
                nodes=self._nodes,
                handler=said,
                stderr=True,
                timeout=command.timeout + self._ssh.connect_timeout + SLACK,
            )
            if command.stdin:
                worker.write(command.stdin)
            worker.set_write_eof()
            task.run()
        finally:
            task_terminate()


class _Said(EventHandler):  # type: ignore[misc]
    """What each node printed, how it ended, and when."""

    def __init__(self) -> None:
        super().__init__()
        self._started = time.monotonic()
        self._lines: dict[tuple[str, str], list[bytes]] = defaultdict(list)
        self._ended: dict[str, tuple[int, float]] = {}

    def ev_read(self, worker: object, node: str, sname: str, msg: bytes) -> None:
        """Keep a line."""
        self._lines[node, sname].append(msg)

    def ev_hup(self, worker: object, node: str, rc: int) -> None:
        """Keep the exit code."""
        self._ended[node] = rc, time.monotonic() - self._started

    def answer(self, command: Command[T], node: str) -> Result[T] | CommandError:
        """The result of a node, or its error."""
        try:
            result = perform(command, lambda asked: self._output(asked, node), node)
        except CommandError as error:
            return error
        return attrs.evolve(result, duration=self._ended[node][1])

    def _output(self, command: Command[object], node: str) -> Output:
        errors = self._lines[node, "stderr"]
        stdout = _decoded(self._lines[node, "stdout"])
        stderr = _decoded([line[1:] for line in errors if line.startswith(b"=")])
        stderr += b"\n".join(line for line in errors if not line.startswith(b"="))
        if node not in self._ended:
            raise too_late(command, Output(-9, stdout, stderr), node)
        return ended(command, Output(self._ended[node][0], stdout, stderr), node)


def _decoded(lines: list[bytes]) -> bytes:
    data = b"".join(lines)
    return base64.b64decode(data[: len(data) // 4 * 4])  # what was cut has an odd end
