"""The steps that write files: each is what the node has, with what is wanted laid over it."""

from __future__ import annotations

from collections.abc import Collection

from clusternas.core.errors import ClusterNasError, PlanError
from clusternas.core.files import ABSENT, FileContent, write_file
from clusternas.core.model import Model
from clusternas.core.overlay import overlay
from clusternas.core.text import decode, encode, mask, unified
from clusternas.core.versions import Toolset
from clusternas.dns.model import ZoneFile
from clusternas.nas.actual import NasState
from clusternas.nas.cluster import NasCluster
from clusternas.nas.plan import Draft
from clusternas.nas.wanted import NAMED_CONF

__all__ = ["plan_files"]


def plan_files(nas: NasCluster, state: NasState, draft: Draft) -> None:
    """Write what is missing or says otherwise; nothing where a file says it already."""
    for node in nas.nodes:
        found = state[node.name].files
        for path, model in nas.files(node.name).items():
            actual = found.get(path)
            text = _text(path, model, actual, nas.toolset)
            _write(draft, node.name, path, actual, text, model.secrets())
        if nas.zones:
            path = NAMED_CONF[nas.toolset.init]
            _write(draft, node.name, path, found.get(path), _zone_clauses(nas, found.get(path)))


def _write(
    draft: Draft,
    node: str,
    path: str,
    found: FileContent | None,
    text: str,
    secrets: Collection[str] = (),
) -> None:
    before = decode(found.content) if found is not None else ""
    if found is not None and text == before:
        return
    draft.add(
        node,
        write_file(
            path,
            encode(text),
            expect=ABSENT if found is None else found.digest,
            mode=0o600 if found is None and secrets else None,
            parents=True,
        ),
        "it is missing" if found is None else "it says otherwise",
        undo="remove it" if found is None else "write the old text",
        diff=mask(unified(before, text, path.lstrip("/")), secrets),
    )


def _text(path: str, wanted: Model, found: FileContent | None, tools: Toolset) -> str:
    """What a file should say: what it says, with the wanted values over it."""
    if found is None or not found.content.strip():
        return wanted.render(tools)
    try:
        actual = type(wanted).parse(found.content, path)
        if isinstance(wanted, ZoneFile) and isinstance(actual, ZoneFile):
            return _zone(actual, wanted).render()
        return overlay(actual, wanted).render(tools)
    except ClusterNasError as error:
        raise PlanError(
            f"{path} cannot be changed: {error.message}", hint=error.hint or "mend it by hand"
        ) from error


def _zone(actual: ZoneFile, wanted: ZoneFile) -> ZoneFile:
    """A zone with the wanted record sets; its serial grows once if anything changed."""
    zone = actual
    for each in wanted.rrsets().values():
        zone = zone.with_rrset(each.name, each.type, each.data, ttl=each.ttl)
    return zone.bump() if zone.records != actual.records else actual


def _zone_clauses(nas: NasCluster, found: FileContent | None) -> str:
    """named's own file with a clause for every zone that it does not have."""
    text = decode(found.content) if found is not None else ""
    for path, zone in nas.zones.items():
        name = (zone.origin or "").rstrip(".")
        if f'zone "{name}"' not in text:
            gap = "" if not text or text.endswith("\n") else "\n"
            text += f'{gap}zone "{name}" {{\n\ttype master;\n\tfile "{path}";\n}};\n'
    return text
