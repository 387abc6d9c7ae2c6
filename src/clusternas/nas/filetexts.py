"""What the files of the nodes should say: what they say, with what is wanted laid over it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import attrs

from clusternas.cman.model import CmanCluster
from clusternas.core.errors import ClusterNasError, PlanError
from clusternas.core.files import FileContent
from clusternas.core.keyed import keyed
from clusternas.core.model import Model
from clusternas.core.overlay import overlay
from clusternas.core.text import decode
from clusternas.core.versions import Toolset
from clusternas.corosync.model import CorosyncCluster
from clusternas.ctdb.tables import CtdbNodes
from clusternas.dns.model import ZoneFile
from clusternas.nas.cluster import NasCluster
from clusternas.nas.wanted import DESCRIBED, NAMED_CONF

__all__ = ["Texts"]


class Texts:
    """The texts of all files of a NAS; what is equal on many nodes is worked out once.

    Args:
        nas: what is wanted.
    """

    def __init__(self, nas: NasCluster) -> None:
        self._nas = nas
        self._shared: dict[str, Model] | None = None
        self._known: dict[tuple[str, int, bytes | None, str], str] = {}
        self._notes: dict[int, bytes] = {}

    def models(self, node: str) -> Mapping[str, Model]:
        """The wanted files of a node, by path."""
        if self._nas.nodes[node].files:
            return self._nas.nodes[node].files
        if self._shared is None:
            self._shared = self._nas.files(node)
        return self._shared

    def of(
        self, node: str, found: Mapping[str, FileContent | None]
    ) -> Iterator[tuple[str, str, Model | None]]:
        """Each file of a node that is wanted: path, text, and the model it is of.

        Args:
            node: which.
            found: what the files of the node say now.
        """
        last = _remembered(found)
        for path, model in self.models(node).items():
            yield path, self._text(path, model, found.get(path), last.get(path, "")), model
        if self._nas.zones:
            path = NAMED_CONF[self._nas.toolset.init]
            yield path, _zone_clauses(self._nas, found.get(path)), None

    def note(self, node: str) -> bytes:
        """What is wanted in the files of a node, for the next time."""
        models = self.models(node)
        if id(models) not in self._notes:
            texts = {path: model.render(self._nas.toolset) for path, model in models.items()}
            self._notes[id(models)] = json.dumps(texts, indent=1).encode()
        return self._notes[id(models)]

    def _text(self, path: str, model: Model, found: FileContent | None, last: str) -> str:
        key = (path, id(model), None if found is None else found.content, last)
        if key not in self._known:
            self._known[key] = _text(path, model, found, self._nas.toolset, last)
        return self._known[key]


def _remembered(found: Mapping[str, FileContent | None]) -> dict[str, str]:
    """What was wanted the last time, by path; empty where nothing readable is noted."""
    note = found.get(DESCRIBED)
    try:
        texts = json.loads(note.content) if note is not None else {}
    except ValueError:
        return {}
    return texts if isinstance(texts, dict) else {}


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
        if isinstance(wanted, CtdbNodes) and isinstance(actual, CtdbNodes):
            return _numbered_nodes(actual, wanted, last).render(tools)
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
    """Without nodes that are not described: the example that Debian installs has one, with id 1.

    Raises:
        PlanError: a node would get another number while the cluster knows it by its old one.
    """
    kept, quorum = actual.nodes, actual.quorum
    for node in actual.nodes:
        known = wanted.nodes.get(node.label)
        if known is None:
            kept = kept.without(node.label)
        elif known.nodeid != node.nodeid:
            raise PlanError(
                f"{node.label} is number {node.nodeid} of the cluster, not {known.nodeid}",
                hint=f"write id = {node.nodeid} in [nodes.{node.label}]",
            )
    if quorum is not None and quorum.two_node and len(wanted.nodes) != 2:
        quorum = attrs.evolve(quorum, two_node=None)
    return attrs.evolve(actual, nodes=kept, quorum=quorum)


def _numbered_nodes(actual: CtdbNodes, wanted: CtdbNodes, last: Model | None) -> CtdbNodes:
    """A node that is not wanted any more is marked: the line of each of the others is its number.

    A line that nobody has described stays as it is.
    """
    then = last.all.keys() if isinstance(last, CtdbNodes) else ()
    lines = []
    for each in actual.all:
        known = wanted.all.get(each.address)
        gone = known is None and each.address in then
        lines.append(attrs.evolve(each, state="deleted") if gone else known or each)
    lines += [each for each in wanted.all if actual.all.get(each.address) is None]
    return attrs.evolve(actual, all=keyed(*lines))


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
