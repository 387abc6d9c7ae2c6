"""Checking the NAS: every file once, then what the files have to agree on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from clusternas.core.diagnostics import Diagnostic, diagnose, rules_of
from clusternas.core.model import Model
from clusternas.core.versions import Toolset
from clusternas.drbd.inherit import under
from clusternas.nas.cluster import NasCluster

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["check"]


def check(nas: NasCluster, toolset: Toolset) -> list[Diagnostic]:
    """Everything there is to say about a NAS; see `NasCluster.check`."""
    common = nas.drbd.common if nas.drbd is not None else None
    with under(common):  # a resource is judged with what all resources share
        found = [each for path, model in _files(nas) for each in _named(model, path, toolset)]
    found += [each for fs in nas.filesystems for each in fs.validate(toolset)]
    for rule in rules_of(NasCluster):
        found += (diagnose(rule, nas, finding) for finding in rule.check(nas, toolset))
    return list(dict.fromkeys(found))


def _files(nas: NasCluster) -> Iterator[tuple[str, Model]]:
    """Each file once, however many nodes have the same."""
    seen = set()
    for node in nas.nodes:
        for path, model in nas.files(node.name).items():
            key = (path, str(model.document) if model.document else id(model))
            if key not in seen:
                seen.add(key)
                yield path, model


def _named(model: Model, path: str, toolset: Toolset) -> Iterator[Diagnostic]:
    """What is wrong with a file; one that was described has the path it is going to have."""
    for each in model.validate(toolset):
        yield each if each.path else attrs.evolve(each, path=path)
