"""The steps that write files: each is what the node has, with what is wanted laid over it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping

import attrs

from clusternas.cman.model import CmanCluster
from clusternas.core.errors import ClusterNasError, PlanError
from clusternas.core.files import ABSENT, FileContent, write_file
from clusternas.core.model import Model
from clusternas.core.overlay import overlay
from clusternas.core.text import decode, encode, mask, unified
from clusternas.core.versions import Toolset
from clusternas.corosync.model import CorosyncCluster
from clusternas.dns.model import ZoneFile
from clusternas.nas.actual import NasState, NodeState
from clusternas.nas.cluster import NasCluster
from clusternas.nas.plan import Draft
from clusternas.nas.reloads import note_readers, readers
from clusternas.nas.wanted import DESCRIBED, NAMED_CONF

__all__ = ["plan_files"]


def plan_files(nas: NasCluster, state: NasState, draft: Draft) -> dict[str, list[str]]:
    """Write what is missing or says otherwise; nothing where a file says it already.

    Returns:
        What has to read its files again, by node.
    """
    notes: dict[str, list[str]] = {}
    for node in nas.nodes:
        changes = list(_changes(nas, node.name, state[node.name].files))
        names = readers(nas, state[node.name], (each.path for each in changes))
        note_readers(node.name, names, draft)
        for change in changes:
            _write(draft, node.name, change)
        _remember(nas, state[node.name], draft)
        notes[node.name] = names
    return notes


def _remember(nas: NasCluster, node: NodeState, draft: Draft) -> None:
    """Note on the node what is wanted in its files, once they say so."""
    texts = {path: model.render(nas.toolset) for path, model in nas.files(node.name).items()}
    note = json.dumps(texts, indent=1).encode()
    found = node.files.get(DESCRIBED)
    if found is None or found.content != note:
        draft.add(
            node.name,
            write_file(DESCRIBED, note, mode=0o600, parents=True),
            "what is taken out of the description later is taken out of the files then",
        )


def _remembered(found: Mapping[str, FileContent | None]) -> dict[str, str]:
    """What was wanted the last time, by path; empty where nothing readable is noted."""
    note = found.get(DESCRIBED)
    try:
        texts = json.loads(note.content) if note is not None else {}
    except ValueError:
        return {}
    return texts if isinstance(texts, dict) else {}


@attrs.frozen
class _Change:
    """A file that is to say something else."""

    path: str
    found: FileContent | None
    text: str
    secrets: Collection[str] = ()


def _changes(
    nas: NasCluster, node: str, found: Mapping[str, FileContent | None]
) -> Iterator[_Change]:
    remembered = _remembered(found)
    for path, model in nas.files(node).items():
        actual = found.get(path)
        text = _text(path, model, actual, nas.toolset, remembered.get(path, ""))
        if actual is None or text != decode(actual.content):
            yield _Change(path, actual, text, model.secrets())
    path = NAMED_CONF[nas.toolset.init]
    actual = found.get(path)
    text = _zone_clauses(nas, actual) if nas.zones else ""
    if nas.zones and (actual is None or text != decode(actual.content)):
        yield _Change(path, actual, text)


def _write(draft: Draft, node: str, change: _Change) -> None:
    found = change.found
    before = decode(found.content) if found is not None else ""
    draft.add(
        node,
        write_file(
            change.path,
            encode(change.text),
            expect=ABSENT if found is None else found.digest,
            mode=0o600 if found is None and change.secrets else None,
            parents=True,
        ),
        "it is missing" if found is None else "it says otherwise",
        undo="remove it" if found is None else "write the old text",
        diff=mask(unified(before, change.text, change.path.lstrip("/")), change.secrets),
    )


def _parsed(model: type[Model], text: str) -> Model | None:
    """What was wanted the last time; None where nothing is known of it."""
    try:
        return model.parse(text) if text else None
    except ClusterNasError:
        return None


def _text(
    path: str, wanted: Model, found: FileContent | None, tools: Toolset, remembered: str
) -> str:
    """What a file should say: what it says, with the wanted values over it."""
    if found is None or not found.content.strip():
        return wanted.render(tools)
    try:
        actual = type(wanted).parse(found.content, path)
        last = _parsed(type(wanted), remembered)
        if isinstance(wanted, ZoneFile) and isinstance(actual, ZoneFile):
            return _zone(actual, wanted, last).render()
        if isinstance(wanted, CmanCluster) and isinstance(actual, CmanCluster):
            wanted = _numbered(actual, wanted)
        if isinstance(wanted, CorosyncCluster) and isinstance(actual, CorosyncCluster):
            actual = _members(actual, wanted)
        return overlay(actual, wanted, last).render(tools)
    except ClusterNasError as error:
        raise PlanError(
            f"{path} cannot be changed: {error.message}", hint=error.hint or "mend it by hand"
        ) from error


def _numbered(actual: CmanCluster, wanted: CmanCluster) -> CmanCluster:
    """With the number of the file, if that is the higher one; it grows with each change."""
    version = max(actual.config_version or 1, wanted.config_version or 1)
    return attrs.evolve(wanted, config_version=version)


def _members(actual: CorosyncCluster, wanted: CorosyncCluster) -> CorosyncCluster:
    """Without nodes that are not described: the example that Debian installs has one, with id 1."""
    kept = actual.nodes
    for node in actual.nodes:
        if wanted.nodes.get(node.label) is None:
            kept = kept.without(node.label)
    return attrs.evolve(actual, nodes=kept)


def _zone(actual: ZoneFile, wanted: ZoneFile, last: Model | None) -> ZoneFile:
    """A zone with the wanted record sets; its serial grows once if anything changed."""
    zone = actual
    then = last.rrsets() if isinstance(last, ZoneFile) else {}
    for key, each in then.items():
        if key not in wanted.rrsets():
            zone = zone.with_rrset(each.name, each.type, ())
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
