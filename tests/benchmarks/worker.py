"""One job in a process of its own: a line `run` in, a line of JSON out, until the input ends.

python worker.py FORMAT JOB PATH
"""

from __future__ import annotations

import gc
import json
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jobs import JOBS


def own_kib(name: str) -> int:
    """`VmRSS`, what the process holds now, or `VmHWM`, the most it held."""
    rows = Path("/proc/self/status").read_text(errors="replace").splitlines()
    return next(int(row.split()[1]) for row in rows if row.startswith(f"{name}:"))


def cpu_seconds() -> float:
    """User and system time of this process and the commands it ran: others may be busy too."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def run(job: Callable[[], object]) -> dict[str, Any]:
    """Time it once; peak memory beyond what was held before, that of a command whole."""
    try:
        gc.collect()  # what earlier runs left behind is no business of this one
        before = own_kib("VmRSS")
        start = cpu_seconds()
        result = job()
        seconds = cpu_seconds() - start
        del result
    except FileNotFoundError as error:
        return {"absent": str(error)}
    except Exception as error:
        return {"refused": f"{type(error).__name__}: {error}"[:200]}
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return {"seconds": seconds, "kib": children or max(own_kib("VmHWM") - before, 0)}


def main(format: str, name: str, path: str) -> None:
    """Serve one job until the driver closes the pipe."""
    try:
        job = JOBS[format][name](path)
    except ImportError as error:
        print(json.dumps({"absent": str(error)}), flush=True)
        return
    for _ in sys.stdin:
        print(json.dumps(run(job)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
