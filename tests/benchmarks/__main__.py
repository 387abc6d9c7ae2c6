"""Time us and the peers on generated inputs, in the same run: `nox -s bench`.

python tests/benchmarks [--format drbd …] [--largest 1000] [--rounds 5] [--seconds 60] [--keep DIR]
"""

from __future__ import annotations

import argparse
import json
import selectors
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from inputs import INPUTS, Input, generate
from jobs import JOBS
from report import Measured, report

WORKER = Path(__file__).with_name("worker.py")
SYSTEM_PYTHON = "/usr/bin/python3"
"""Debian's binding of Augeas is for this one; the package for pip needs a compiler."""


class Worker:
    """A job in a process of its own, run whenever asked; the first run warms up."""

    def __init__(self, wanted: Input, name: str, path: Path, python: str = sys.executable) -> None:
        argv = [python, str(WORKER), wanted.format, name, str(path)]
        self.name = name
        self.times: list[float] = []
        self.kib = 0
        self.trouble = ""
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def run(self, patience: float) -> None:
        """Run it once and remember the time; not again after it failed or took too long."""
        if self.trouble:
            return
        answer = self._ask(patience)
        if "seconds" not in answer:
            kind, why = next(iter(answer.items()))
            self.trouble = f"{kind}: {why}"
            return
        if not self.kib:
            self.kib = max(answer["kib"], 1)
        else:
            self.times.append(answer["seconds"])
        if answer["seconds"] > patience / 4:
            self.times = self.times or [answer["seconds"]]
            self.trouble = "slow"

    def _ask(self, patience: float) -> dict[str, Any]:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        try:
            stdin.write(b"run\n")
            stdin.flush()
        except BrokenPipeError:
            pass
        with selectors.DefaultSelector() as selector:
            selector.register(stdout, selectors.EVENT_READ)
            if not selector.select(patience):
                return {"stopped": f"no result after {patience:.0f} s"}
        row = stdout.readline()
        return json.loads(row) if row else {"refused": "the process died"}

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()

    def measured(self) -> Measured:
        """What came out."""
        why = "" if self.times else self.trouble
        return Measured(tuple(self.times), self.kib * 1024, why)


def start(wanted: Input, name: str, path: Path) -> Worker:
    """A worker in this Python, or for Augeas in the system's where this one lacks the binding."""
    if (
        "augeas" in name
        and subprocess.run([sys.executable, "-c", "import augeas"], capture_output=True).returncode
    ):
        return Worker(wanted, name, path, SYSTEM_PYTHON)
    return Worker(wanted, name, path)


def measure(wanted: Input, folder: Path, rounds: int, patience: float) -> dict[str, Measured]:
    """All jobs on one input, in turns."""
    path = generate(wanted, folder)
    workers = [start(wanted, name, path) for name in JOBS[wanted.format]]
    try:
        for _ in range(rounds + 1):
            for worker in workers:
                worker.run(patience)
    finally:
        for worker in workers:
            worker.close()
    return {worker.name: worker.measured() for worker in workers}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="tests/benchmarks", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--format", nargs="*", choices=sorted(JOBS), default=sorted(JOBS))
    parser.add_argument("--largest", type=int, default=100_000, help="leave out larger inputs")
    parser.add_argument("--rounds", type=int, default=5, help="how often each job runs")
    parser.add_argument("--seconds", type=float, default=60, help="how long one run may take")
    given = parser.parse_args()
    chosen = [each for each in INPUTS if each.format in given.format and each.size <= given.largest]
    started, results = time.monotonic(), {}
    with tempfile.TemporaryDirectory(prefix="clusternas-bench-") as name:
        folder = Path(name)
        for each in chosen:
            print(f"… {each.label}", file=sys.stderr)
            measured = measure(each, folder, given.rounds, given.seconds)
            size = (folder / f"{each.format}-{each.size}.conf").stat().st_size
            results[each.format, each.size] = (size, measured)
    print(report(results))
    print(f"\n{time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
