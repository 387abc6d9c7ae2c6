"""Measurements as tables: ratios, memory, growth, and which bars are met."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import log
from statistics import median
from typing import NamedTuple

from jobs import OURS

__all__ = ["BARS", "Measured", "Results", "growth", "report"]

LAZY, TYPED, EDITED = OURS


class Measured(NamedTuple):
    """One job on one input.

    Attributes:
        times: CPU seconds of each round; empty if it has none.
        bytes: peak memory beyond what the process held before, that of a command whole.
        trouble: why there are no times.
    """

    times: tuple[float, ...]
    bytes: int
    trouble: str = ""

    @property
    def seconds(self) -> float:
        """The median time."""
        return median(self.times)


Results = Mapping[tuple[str, int], tuple[int, Mapping[str, Measured]]]
"""Format and size to bytes of input, and measurements by job."""


class Bar(NamedTuple):
    """What one of ours has to reach against a peer: `ratio` times its speed."""

    format: str
    sizes: tuple[int, ...]
    job: str
    peer: str
    ratio: float


class Limit(NamedTuple):
    """How much memory one of ours may take, in bytes for each byte of input."""

    format: str
    size: int
    job: str
    most: float


BARS = (
    Bar("drbd", (1_000, 10_000), LAZY, "drbdadm dump", 3),
    Bar("drbd", (1_000, 10_000), TYPED, "drbdadm dump", 0.7),
    Bar("drbd", (1_000, 10_000), EDITED, "drbdadm dump", 3),
    Bar("smb", (1_000, 20_000), LAZY, "configparser", 8),
    Bar("zone", (1_000, 100_000), LAZY, "dnspython", 20),
    *(
        Bar(format, sizes, LAZY, "python-augeas", 10)
        for format, sizes in (
            ("smb", (1_000, 20_000)),
            ("zone", (1_000, 100_000)),
            ("lvm", (0,)),
            ("lvm-dense", (0,)),
            ("fstab", (1_000, 100_000)),
            ("cluster", (500, 5_000)),
        )
    ),
)
LIMITS = (Limit("drbd", 10_000, LAZY, 4), Limit("drbd", 10_000, TYPED, 14))
STEEPEST = log(12, 10)
"""Ten times the input in at most twelve times the time."""
NOISE = 0.02
"""What an exponent of the same program differs by from run to run."""


def growth(results: Results, format: str, job: str) -> float | None:
    """The exponent with which cost grows from the second largest input to the largest.

    What the smallest of three takes is taken off before: that is mostly how long a command starts.
    """
    sizes = sorted(size for kind, size in results if kind == format)
    found = [(bytes, jobs[job]) for bytes, jobs in (results[format, size] for size in sizes)]
    if len(found) < 2 or not all(measured.times for _, measured in found):
        return None
    start = found[0][1].seconds if len(found) > 2 else 0.0
    (small, before), (large, after) = found[-2:]
    return log((after.seconds - start) / (before.seconds - start)) / log(large / small)


def report(results: Results) -> str:
    """Everything as Markdown."""
    return "\n".join([*tables(results), "", *bars(results)])


def tables(results: Results) -> Iterator[str]:
    """One table an input: each job with its speed, ours against it, its memory."""
    for (format, size), (bytes, jobs) in results.items():
        yield f"\n### {format} {size or ''}, {bytes:,} bytes\n"
        heads = ("", "MB/s", *(f"against {name}" for name in OURS), "bytes per byte", "growth")
        yield f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}"
        largest = size == max(other for kind, other in results if kind == format)
        for name, measured in jobs.items():
            if not measured.times:
                yield f"| {name} | {measured.trouble} {'| ' * 5}|"
                continue
            ratios = [against(measured, jobs[own]) for own in OURS]
            slope = growth(results, format, name) if largest else None
            yield (
                f"| {name} | {bytes / measured.seconds / 1e6:.3g} | {' | '.join(ratios)} "
                f"| {measured.bytes / bytes:.1f} | {'' if slope is None else f'{slope:.2f}'} |"
            )


def against(peer: Measured, own: Measured) -> str:
    """How many times as fast ours is."""
    return f"{peer.seconds / own.seconds:.3g}" if own.times else ""


def bars(results: Results) -> Iterator[str]:
    """Each bar, and whether it is met."""
    yield "| bar | reached | met |\n|---|---|---|"
    for bar in BARS:
        for size in bar.sizes:
            _, jobs = results.get((bar.format, size), (0, {}))
            own, peer = jobs.get(bar.job), jobs.get(bar.peer)
            if own and peer and own.times and peer.times:
                ratio = peer.seconds / own.seconds
                what = f"{bar.format} {size or ''}: {bar.job} at least {bar.ratio} times {bar.peer}"
                yield f"| {what} | {ratio:.3g} | {verdict(ratio >= bar.ratio)} |"
    for limit in LIMITS:
        bytes, jobs = results.get((limit.format, limit.size), (0, {}))
        if bytes and jobs[limit.job].times:
            each = jobs[limit.job].bytes / bytes
            what = f"{limit.format} {limit.size}: {limit.job} at most {limit.most} bytes per byte"
            yield f"| {what} | {each:.1f} | {verdict(each <= limit.most)} |"
    for format in dict.fromkeys(kind for kind, _ in results):
        slope = growth(results, format, LAZY)
        if slope is not None:
            what = f"{format}: {LAZY} exponent at most {STEEPEST:.2f}"
            yield f"| {what} | {slope:.2f} | {verdict(slope <= STEEPEST)} |"
    theirs = growth(results, "drbd", "drbdadm dump")
    for job in OURS if theirs is not None else ():
        slope = growth(results, "drbd", job)
        if slope is not None and theirs is not None:
            what = (
                f"drbd: {job} exponent at most that of drbdadm dump, {theirs:.2f}, within {NOISE}"
            )
            yield f"| {what} | {slope:.2f} | {verdict(slope <= theirs + NOISE)} |"


def verdict(met: bool) -> str:
    return "yes" if met else "**no**"
