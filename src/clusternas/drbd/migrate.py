"""From one generation to another: 8.3 → 8.4 → 9, with a report of every move and every loss.

`render(toolset)` changes only what that toolset cannot read; `migrate` also moves what it still
reads in an old place (`syncer`, `protocol` outside `net`), and leaves out what it does not have.
"""

from __future__ import annotations

from typing import Any, TypeVar

import attrs
from attrs import evolve

from clusternas.core.change import Change, Translation
from clusternas.core.fields import Option, Section
from clusternas.core.lens import lens_of
from clusternas.core.versions import Toolset
from clusternas.drbd.hosts import DrbdStorage
from clusternas.drbd.model import DrbdCommon, DrbdConfig, DrbdResource
from clusternas.drbd.options import OPTIONS, DrbdOption, generation
from clusternas.drbd.quantity import Quantity
from clusternas.drbd.sections import DrbdModel, DrbdStartup

__all__ = ["Loss", "Migration", "migrate"]

M = TypeVar("M", bound=DrbdModel)
C = TypeVar("C", DrbdConfig, DrbdResource, DrbdCommon)


@attrs.frozen
class Loss:
    """A statement that was left out.

    Attributes:
        line: of the old text; 0 for a value that was not read from one.
        statement: as it stood, or the name of the option.
        reason: why.
    """

    line: int
    statement: str
    reason: str


@attrs.frozen(kw_only=True)
class Migration:
    """A file for another generation.

    Attributes:
        text: the new file; comments, and all that needed no change, as they were.
        moves: statements that were moved or spelled anew.
        losses: statements that were left out.
    """

    text: str
    moves: tuple[Translation, ...]
    losses: tuple[Loss, ...]


def migrate(model: C, to: Toolset) -> Migration:
    """Write a file for another generation.

    Args:
        model: a whole file, a resource, or a `common`.
        to: the toolset that shall read it.

    Raises:
        UnsupportedError: it has a section that cannot be left out, like two volumes for 8.3.

    Example:
        >>> text = "resource r0 {\\n  protocol C;\\n  syncer { rate 33M; }\\n}\\n"
        >>> print(migrate(DrbdResource.parse(text), Toolset.EL9).text, end="")
        resource r0 {
          net {
            protocol C;
          }
          disk {
            resync-rate 33M;
          }
        }
    """
    losses: list[Loss] = []
    fitting = _fit(model, to, losses)
    if fitting._source is None:
        text, moves = fitting.translate(to)
    else:
        change = Change(to, newest=True)
        text, moves = change.text(fitting._source, fitting), change.translations
    return Migration(text=text, moves=tuple(moves), losses=tuple(losses))


def _fit(model: M, to: Toolset, losses: list[Loss]) -> M:
    """The model without what the toolset does not have."""
    changes: dict[str, Any] = _meta_disk(model, to) if isinstance(model, DrbdStorage) else {}
    for name, meta in lens_of(type(model)).fields.items():
        value = getattr(model, name)
        if value is None or name in changes:
            continue
        if isinstance(meta, Option):
            reason = _reason(model, name, meta, value, to)
            if reason:
                losses.append(_loss(model, name, meta, reason))
                changes[name] = () if meta.many else None
        elif isinstance(meta, Section):
            before = list(value) if meta.many else [value]
            after = [_fit(each, to, losses) for each in before]
            if any(new is not old for new, old in zip(after, before, strict=True)):
                changes[name] = after if meta.many else after[0]
    return evolve(model, **changes) if changes else model


def _meta_disk(model: DrbdStorage, to: Toolset) -> dict[str, Any]:
    """8.3 has another word for a meta-disk without an index."""
    if model.flexible_meta_disk is not None and to.has("drbd", since="8.4"):
        return {"meta_disk": model.flexible_meta_disk, "flexible_meta_disk": None}
    meta = model.meta_disk
    plain = meta is not None and meta != "internal" and "[" not in meta
    if plain and not to.has("drbd", since="8.4"):
        return {"meta_disk": None, "flexible_meta_disk": meta}
    return {}


def _reason(model: DrbdModel, name: str, meta: Option, value: object, to: Toolset) -> str:
    """Why the toolset cannot have an option, or an empty text."""
    tool, version = model.tool, generation(to)
    if not any(to.has(tool, since=each.since, until=each.until) for each in meta.spellings):
        return f"DRBD {to.drbd} has no {meta.spellings[0].key}"
    if isinstance(model, DrbdStartup) and name == "become_primary_on" and version == "9":
        return "DRBD 9 ignores it: use auto-promote, or a cluster manager"
    row = OPTIONS.get((SECTIONS.get(type(model).__name__, ""), meta.spellings[0].key))
    return "" if row is None else _out_of_range(row, value, version)


SECTIONS = {
    "DrbdNet": "net",
    "DrbdDisk": "disk",
    "DrbdOptions": "options",
    "DrbdStartup": "startup",
    "DrbdGlobal": "global",
}


def _out_of_range(row: DrbdOption, value: object, version: str) -> str:
    bounds = row.ranges.get(version)
    if row.kind == "number" and bounds is not None:
        count = value.count if isinstance(value, Quantity) else value
        if isinstance(count, int) and not bounds.minimum <= count <= bounds.maximum:
            return f"DRBD {version} takes {bounds.minimum}..{bounds.maximum}"
    if row.kind == "choice" and value not in row.values[version]:
        known = version != "9" and str(value).startswith("discard-node-")
        return "" if known else f"DRBD {version} knows no {value}"
    return ""


def _loss(model: DrbdModel, name: str, meta: Option, reason: str) -> Loss:
    source = model._source
    if source is not None and source.values() and name in source.where:
        node = source.where[name][-1].node
        return Loss(node.tree.lines.position(node.start).line, node.raw, reason)
    return Loss(0, meta.spellings[0].key, reason)
