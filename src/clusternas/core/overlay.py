"""Laying what somebody wants over what a file says: the rest of the file stays as it is."""

from __future__ import annotations

from typing import Any, TypeVar

from attrs import evolve

from clusternas.core.fields import Option, Section, lens_of
from clusternas.core.keyed import Keyed
from clusternas.core.model import Model

__all__ = ["overlay"]

M = TypeVar("M", bound=Model)


def overlay(actual: M, wanted: M) -> M:
    """The actual value with every field that is set in the wanted one.

    Fields that are not set, items of other names and unknown statements stay; so rendering the
    result changes only what differs.

    Example:
        >>> overlay(LvmConf.read("/etc/lvm/lvm.conf"), wanted).diff()            # doctest: +SKIP
    """
    changes: dict[str, Any] = {}
    for name, meta in lens_of(type(actual)).fields.items():
        before, after = getattr(actual, name), getattr(wanted, name)
        if isinstance(meta, Section):
            after = _section(meta, before, after)
        elif isinstance(meta, Option) and meta.many:
            after = (*before, *(value for value in after if value not in before))
        if after is not None and after != before:
            changes[name] = after
    added = [statement for statement in wanted.extra if statement not in actual.extra]
    if added:
        changes["extra"] = [*actual.extra, *added]
    return evolve(actual, **changes) if changes else actual


def _section(meta: Section, before: Any, after: Any) -> Any:
    if not meta.many:
        return after if before is None or after is None else overlay(before, after)
    items: Keyed[Model] = before
    for item in after:
        known = items.get(items.key_of(item))
        items = items.put(item if known is None else overlay(known, item))
    return items
