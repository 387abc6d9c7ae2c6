"""The power switch of the lab: QEMU runs this for every connection of a fence agent.

Usage: python -m clusterlab.fence FOLDER. One line comes in, `ACTION MACHINE`, one goes out, `OK …`
or `FAIL …`. While there is a file `fence-broken` in the folder, the switch is broken.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from clusterlab.qmp import QmpError, ask

COMMANDS = {"reboot": "system_reset", "off": "quit", "status": "query-status"}


def main(folder: Path, line: str) -> str:
    """Answer one request."""
    action, _, name = line.strip().partition(" ")
    if (folder / "fence-broken").exists():
        return "FAIL the switch is broken"
    if action == "monitor":
        return "OK"
    if name not in ("nas1", "nas2") or action not in COMMANDS:
        return f"FAIL cannot {line.strip()!r}"
    try:
        ask(str(folder / f"{name}.qmp"), COMMANDS[action])
    except (ConnectionRefusedError, FileNotFoundError):  # a machine that does not run is off
        return "OK off" if action != "status" else "FAIL off"
    except (OSError, QmpError) as error:
        return f"FAIL {error}"
    return "OK"


if __name__ == "__main__":
    where = Path(sys.argv[1])
    request = sys.stdin.readline()
    reply = main(where, request)
    with (where / "fence.log").open("a") as log:
        log.write(f"{time.strftime('%H:%M:%S')} {request.strip()}: {reply}\n")
    sys.stdout.write(f"{reply}\n")
