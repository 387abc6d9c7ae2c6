"""The power switch of the lab: QEMU runs this for every connection of a fence agent.

Usage: fence.py FOLDER. One line comes in, `ACTION MACHINE`, one goes out, `OK …` or `FAIL …`.
"""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path

COMMANDS = {"reboot": "system_reset", "off": "quit", "status": "query-status"}


def ask(path: str, command: str) -> str:
    """Have a running QEMU do something."""
    with socket.socket(socket.AF_UNIX) as qmp:
        qmp.settimeout(5)
        qmp.connect(path)
        stream = qmp.makefile("rw")
        stream.readline()
        for each in ("qmp_capabilities", command):
            stream.write(json.dumps({"execute": each}) + "\n")
            stream.flush()
            answer = json.loads(stream.readline())
            while "return" not in answer and "error" not in answer:
                answer = json.loads(stream.readline())
    return "OK" if "return" in answer else f"FAIL {answer['error'].get('desc', '')}"


def main(folder: Path, line: str) -> str:
    """Answer one request."""
    action, _, name = line.strip().partition(" ")
    if action == "monitor":
        return "OK"
    if name not in ("nas1", "nas2") or action not in COMMANDS:
        return f"FAIL cannot {line.strip()!r}"
    try:
        return ask(str(folder / f"{name}.qmp"), COMMANDS[action])
    except (ConnectionRefusedError, FileNotFoundError):  # a machine that does not run is off
        return "OK off" if action != "status" else "FAIL off"
    except OSError as error:
        return f"FAIL {error}"


if __name__ == "__main__":
    where = Path(sys.argv[1])
    request = sys.stdin.readline()
    reply = main(where, request)
    with (where / "fence.log").open("a") as log:
        log.write(f"{request.strip()}: {reply}\n")
    sys.stdout.write(f"{reply}\n")
