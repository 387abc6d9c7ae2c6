"""The steps that write files: each is what the node has, with what is wanted laid over it."""

from __future__ import annotations

from collections.abc import Collection

import attrs

from clusternas.core.files import ABSENT, FileContent, remove_file, write_file
from clusternas.core.text import decode, encode, mask, unified
from clusternas.drbd.model import DrbdResource
from clusternas.nas.actual import NasState, NodeState
from clusternas.nas.cluster import NasCluster
from clusternas.nas.filetexts import Texts, parsed
from clusternas.nas.guards import is_down
from clusternas.nas.plan import Draft
from clusternas.nas.reloads import files_of_named, note_readers, readers
from clusternas.nas.wanted import DESCRIBED, remembered

__all__ = ["plan_files", "remember_files"]


def plan_files(
    nas: NasCluster, state: NasState, draft: Draft, texts: Texts, *, named: bool = False
) -> dict[str, list[str]]:
    """Write what is missing or says otherwise; nothing where a file says it already.

    First of all go the files of resources that are described no more, and are down.

    Args:
        nas: what is wanted.
        state: what is.
        draft: takes the steps.
        texts: of the files.
        named: whether it is the turn of named's files, the last of all; else of all others.

    Returns:
        What has to read its files again, by node.
    """
    notes: dict[str, list[str]] = {}
    late = files_of_named(nas)
    for node in nas.nodes:
        found = state[node.name].files
        if not named:
            _forget(nas, state[node.name], draft)
        changes = [
            _Change(path, found.get(path), text, model.secrets() if model else ())
            for path, text, model in texts.of(node.name)
            if named == (path in late) and _differs(found.get(path), text)
        ]
        names = readers(nas, state[node.name], (each.path for each in changes))
        note_readers(node.name, names, draft)
        for change in changes:
            _write(draft, node.name, change)
        notes[node.name] = names
    return notes


def _forget(nas: NasCluster, node: NodeState, draft: Draft) -> None:
    """Remove the files of what is described no more, unless it is in use or changed by hand."""
    last = remembered(node.files) if node.forgotten else {}
    for name, path in node.forgotten.items():
        found = node.files[path]
        text = decode(found.content) if found is not None else ""
        actual, was = parsed(DrbdResource, text), parsed(DrbdResource, last[path])
        if found is None or actual is None or actual != was or node.may_be_up(name):
            continue
        draft.add(
            node.name,
            remove_file(path, expect=found.digest),
            f"{name} is described no more, and is down",
            guard=is_down(nas, name),
            undo="write the old text",
            diff=mask(unified(text, "", path.lstrip("/")), actual.secrets()),
        )


def _differs(found: FileContent | None, text: str) -> bool:
    return found is None or text != decode(found.content)


def remember_files(nas: NasCluster, state: NasState, draft: Draft, texts: Texts) -> None:
    """Note on every node what is wanted in its files, once all of them say so."""
    for node in nas.nodes:
        found, note = state[node.name].files.get(DESCRIBED), texts.note(node.name)
        if found is None or found.content != note:
            draft.add(
                node.name,
                write_file(DESCRIBED, note, mode=0o600, parents=True),
                "what is taken out of the description later is taken out of the files then",
            )


@attrs.frozen
class _Change:
    """A file that is to say something else."""

    path: str
    found: FileContent | None
    text: str
    secrets: Collection[str] = ()


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
