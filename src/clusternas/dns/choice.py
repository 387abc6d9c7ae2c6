"""Which addresses a round-robin name should give out: the script that the article wishes for."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from clusternas.core.errors import ValidationError

__all__ = ["Candidate", "choose"]


@attrs.frozen
class Candidate:
    """An address that could be published, and the state of the node behind it.

    Attributes:
        address: of the node.
        healthy: it serves; CTDB, a probe or an operator says so.
        load: how busy it is, in whatever unit `choose` gets its limit in; None if nobody knows.
    """

    address: str
    healthy: bool = True
    load: float | None = None


def choose(
    candidates: Iterable[Candidate], *, max_load: float | None = None, limit: int | None = None
) -> tuple[str, ...]:
    """The addresses to publish: of healthy nodes that are not too busy. Never none.

    If every node looks dead, it is more likely that nobody can see them than that all are: then all
    are published, as CTDB and PowerDNS do. If all healthy ones are too busy, all healthy ones are.

    Args:
        candidates: all nodes, in the order to publish them in.
        max_load: above it a node gets no new clients.
        limit: publish at most so many, those with the least load.

    Raises:
        ValidationError: there are no candidates, or the limit leaves none.

    Example:
        >>> nodes = [Candidate("192.0.2.1", load=9), Candidate("192.0.2.2")]
        >>> nodes.append(Candidate("192.0.2.3", healthy=False))
        >>> choose(nodes), choose(nodes, max_load=5)
        (('192.0.2.1', '192.0.2.2'), ('192.0.2.2',))
    """
    every = tuple(candidates)
    if not every or (limit is not None and limit < 1):
        raise ValidationError("no address to publish", hint="give nodes, and a limit above 0")
    chosen = [each for each in every if each.healthy] or list(every)
    if max_load is not None:
        chosen = [each for each in chosen if (each.load or 0) <= max_load] or chosen
    idle = sorted(chosen, key=lambda each: each.load or 0)[:limit]
    return tuple(each.address for each in every if each in idle)
