"""What counts for a resource: its own options, then those of `common`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

import attrs

from clusternas.core.fields import lens_of
from clusternas.drbd.model import DrbdCommon, DrbdResource
from clusternas.drbd.sections import DrbdDisk, DrbdHandlers, DrbdModel, DrbdNet, DrbdStartup

__all__ = ["Effective", "Origin", "alone", "common_of", "effective", "under"]

M = TypeVar("M", bound=DrbdModel)


class Above:
    """A `common` that counts for what is looked at, and what counted for the resource seen last."""

    def __init__(self, common: DrbdCommon) -> None:
        self.common = common
        self.last: tuple[DrbdResource, Effective] | None = None


_ABOVE: ContextVar[Above | None] = ContextVar("above", default=None)


@contextmanager
def under(common: DrbdCommon | None) -> Iterator[None]:
    """Let a `common`, also of another file, count for what is looked at meanwhile."""
    above = _ABOVE.get()
    token = _ABOVE.set(Above(common or (above.common if above else DrbdCommon())))
    try:
        yield
    finally:
        _ABOVE.reset(token)


def alone() -> bool:
    """Whether a resource is looked at by itself, not as a part of its configuration."""
    return _ABOVE.get() is None


def common_of(resource: DrbdResource) -> DrbdCommon | None:
    """The `common` that counts for a resource: the one `under` gave, else that of its file."""
    above = _ABOVE.get()
    if above is not None:
        return above.common
    if resource.document is None:
        return None
    found = [node for node in resource.document.root.children if node.key == "common"]
    return DrbdCommon.of(found[0]) if found else None


@attrs.frozen(kw_only=True)
class Origin:
    """Where a value comes from: `own`, `common` or `default`, and the model that says it."""

    kind: str
    model: DrbdModel | None = None


@attrs.frozen(kw_only=True)
class Effective:
    """What counts for a resource.

    Attributes:
        net, disk, startup, handlers: its own options with those of `common` below them.
        origins: where the value of each `section.field` comes from.

    Example:
        >>> common = DrbdCommon(net=DrbdNet(protocol="C"))
        >>> r0 = DrbdResource(name="r0", net=DrbdNet(timeout=60))
        >>> found = effective(r0, common)
        >>> found.net.protocol, found.origins["net.protocol"].kind, found.net.timeout.seconds
        ('C', 'common', 6.0)
    """

    net: DrbdNet
    disk: DrbdDisk
    startup: DrbdStartup
    handlers: DrbdHandlers
    origins: dict[str, Origin] = attrs.field(repr=False, eq=False)


def effective(resource: DrbdResource, common: DrbdCommon | None = None) -> Effective:
    """The options that count for a resource.

    Args:
        resource: which.
        common: by default the one of `common_of`.
    """
    above = None if common else _ABOVE.get()
    if above and above.last and above.last[0] is resource:
        return above.last[1]
    below = common or common_of(resource) or DrbdCommon()
    origins: dict[str, Origin] = {}
    found = Effective(
        net=_merge(DrbdNet, "net", resource.net, below.net, origins),
        disk=_merge(DrbdDisk, "disk", resource.disk, below.disk, origins),
        startup=_merge(DrbdStartup, "startup", resource.startup, below.startup, origins),
        handlers=_merge(DrbdHandlers, "handlers", resource.handlers, below.handlers, origins),
        origins=origins,
    )
    if above:
        above.last = resource, found
    return found


def _merge(
    kind: type[M], section: str, own: M | None, common: M | None, origins: dict[str, Origin]
) -> M:
    merged = kind()
    for name in lens_of(kind).fields:
        for origin, model in (("own", own), ("common", common)):
            value = getattr(model, name, None)
            if value is not None:
                merged.__dict__[name] = value  # as it was read: even if it could not be written
                origins[f"{section}.{name}"] = Origin(kind=origin, model=model)
                break
    return merged
