"""QEMU's control socket: one command, one answer. It imports little: a fence agent waits for it."""

from __future__ import annotations

import json
import socket
import time

__all__ = ["QmpError", "ask", "migrated"]


class QmpError(Exception):
    """QEMU refused a command, and says why."""


def ask(path: str, command: str, **arguments: object) -> object:
    """Have a running QEMU do something.

    Raises:
        QmpError: it will not.
        OSError: it does not run, or does not answer.
    """
    with socket.socket(socket.AF_UNIX) as qmp:
        qmp.settimeout(10)
        qmp.connect(path)
        stream = qmp.makefile("rw")
        stream.readline()
        for execute in ({"execute": "qmp_capabilities"}, _call(command, arguments)):
            stream.write(json.dumps(execute) + "\n")
            stream.flush()
            answer = json.loads(stream.readline())
            while "return" not in answer and "error" not in answer:  # an event
                answer = json.loads(stream.readline())
    if "error" in answer:
        raise QmpError(answer["error"].get("desc", ""))
    result: object = answer["return"]
    return result


def _call(command: str, arguments: dict[str, object]) -> dict[str, object]:
    return {"execute": command, **({"arguments": arguments} if arguments else {})}


def migrated(path: str, limit: float = 120) -> None:
    """Wait until the memory of a machine has been written, or read.

    Raises:
        QmpError: that failed, or takes longer than `limit` seconds.
    """
    end = time.monotonic() + limit
    while time.monotonic() < end:
        found = ask(path, "query-migrate")
        state = found.get("status") if isinstance(found, dict) else None
        if state == "completed":
            return
        if state in ("failed", "cancelled"):
            raise QmpError(f"the memory of the machine: {found}")
        time.sleep(0.1)
    raise QmpError("the memory of the machine is not there in time")
