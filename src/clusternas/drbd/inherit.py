"""What counts for a resource: its own options, then those of `common`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

import attrs

from clusternas.core.lens import lens_of
from clusternas.drbd.model import DrbdCommon, DrbdResource
from clusternas.drbd.sections import (
    DrbdDisk,
    DrbdHandlers,
    DrbdModel,
    DrbdNet,
    DrbdOptions,
    DrbdProxy,
    DrbdStartup,
)

__all__ = ["Effective", "Origin", "alone", "common_of", "effective", "known", "under"]

M = TypeVar("M", bound=DrbdModel)


@attrs.define
class Around:
    """What a resource is looked at with.

    Attributes:
        common: of the configuration.
        names: of all its resources; empty if they are not known.
        templates: by resource, the `common` of its template file, which counts in place of the
            other.
        last: what counted for the resource seen last.
    """

    common: DrbdCommon
    names: frozenset[str] = frozenset()
    templates: Mapping[str, DrbdCommon] = attrs.field(factory=dict)
    last: tuple[DrbdResource, Effective] | None = None


_AROUND: ContextVar[Around | None] = ContextVar("around", default=None)


@contextmanager
def under(
    common: DrbdCommon | None,
    names: Iterable[str] = (),
    templates: Mapping[str, DrbdCommon] | None = None,
) -> Iterator[None]:
    """Let a `common`, also of another file, count for what is looked at meanwhile.

    Args:
        common: of the configuration.
        names: of all its resources, if they are known.
        templates: see `Around`.
    """
    outer = _AROUND.get() or Around(DrbdCommon())
    around = Around(
        common or outer.common, outer.names or frozenset(names), templates or outer.templates
    )
    token = _AROUND.set(around)
    try:
        yield
    finally:
        _AROUND.reset(token)


def alone() -> bool:
    """Whether a resource is looked at by itself, not as a part of its configuration."""
    return _AROUND.get() is None


def known(name: str) -> bool:
    """Whether there is a resource of that name, as far as the configuration is known."""
    around = _AROUND.get()
    return around is None or not around.names or name in around.names


def common_of(resource: DrbdResource) -> DrbdCommon | None:
    """The `common` that counts for a resource: of its template, what `under` gave, of its file."""
    around = _AROUND.get()
    if around is not None:
        return around.templates.get(resource.name, around.common)
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
        net, disk, options, startup, handlers, proxy: its own, with those of `common` below them.
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
    options: DrbdOptions
    startup: DrbdStartup
    handlers: DrbdHandlers
    proxy: DrbdProxy
    origins: dict[str, Origin] = attrs.field(repr=False, eq=False)


def effective(resource: DrbdResource, common: DrbdCommon | None = None) -> Effective:
    """The options that count for a resource.

    Args:
        resource: which.
        common: by default the one of `common_of`.
    """
    around = None if common else _AROUND.get()
    if around and around.last and around.last[0] is resource:
        return around.last[1]
    below = common or common_of(resource) or DrbdCommon()
    origins: dict[str, Origin] = {}
    found = Effective(
        net=_merge(DrbdNet, "net", resource.net, below.net, origins),
        disk=_merge(DrbdDisk, "disk", resource.disk, below.disk, origins),
        options=_merge(DrbdOptions, "options", resource.options, below.options, origins),
        startup=_merge(DrbdStartup, "startup", resource.startup, below.startup, origins),
        handlers=_merge(DrbdHandlers, "handlers", resource.handlers, below.handlers, origins),
        proxy=_merge(DrbdProxy, "proxy", resource.proxy, below.proxy, origins),
        origins=origins,
    )
    if around:
        around.last = resource, found
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
