"""Laying what somebody wants over what a file says: the rest of the file stays as it is."""

from __future__ import annotations

from typing import Any, TypeVar

from attrs import evolve

from clusternas.core.fields import Option, Section
from clusternas.core.keyed import Keyed
from clusternas.core.lens import lens_of
from clusternas.core.model import Model

__all__ = ["overlay"]

M = TypeVar("M", bound=Model)


def overlay(actual: M, wanted: M, last: M | None = None) -> M:
    """The actual value with every field that is set in the wanted one.

    Fields that are not set, items of other names and unknown statements stay; so rendering the
    result changes only what differs.

    Args:
        actual: as it is.
        wanted: as it is to be.
        last: what was wanted the last time. What is in it and no longer wanted goes, unless
            somebody has changed it since; what never was wanted always stays.

    Example:
        >>> overlay(LvmConf.read("/etc/lvm/lvm.conf"), wanted).diff()            # doctest: +SKIP
    """
    changes: dict[str, Any] = {}
    lens = lens_of(type(actual))
    for name, meta in lens.fields.items():
        before, after = getattr(actual, name), getattr(wanted, name)
        then = getattr(last, name) if last is not None else None
        if isinstance(meta, Section):
            after = _section(meta, before, after, then)
        elif isinstance(meta, Option) and meta.many:
            kept = [value for value in before if value in after or value not in (then or ())]
            after = (*kept, *(value for value in after if value not in before))
        elif after is None and then is not None and before == then:
            changes[name] = lens.defaults.get(name)
        if after is not None and after != before:
            changes[name] = after
    extra = _extra(actual, wanted, last)
    if extra != list(actual.extra):
        changes["extra"] = extra
    return evolve(actual, **changes) if changes else actual


def _extra(actual: Model, wanted: Model, last: Model | None) -> list[Any]:
    then = last.extra if last is not None else ()
    kept = [each for each in actual.extra if each in wanted.extra or each not in then]
    return [*kept, *(each for each in wanted.extra if each not in actual.extra)]


def _section(meta: Section, before: Any, after: Any, then: Any) -> Any:
    if not meta.many:
        if before is None or (after is None and then is None):
            return after
        return overlay(before, meta.model() if after is None else after, then)
    items: Keyed[Model] = before
    for item in then or ():
        name = items.key_of(item)
        if items.get(name) is not None and after.get(name) is None:
            items = items.without(name)
    for item in after:
        known = items.get(items.key_of(item))
        was = then.get(items.key_of(item)) if then is not None else None
        items = items.put(item if known is None else overlay(known, item, was))
    return items
