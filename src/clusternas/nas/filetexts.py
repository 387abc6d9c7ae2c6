"""What the files of the nodes should say: what they say, with what is wanted laid over it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TypeVar

import attrs

from clusternas.cman.model import CmanCluster
from clusternas.cman.sections import ClusterNode
from clusternas.core.errors import ClusterNasError, PlanError
from clusternas.core.files import FileContent
from clusternas.core.keyed import Keyed, keyed
from clusternas.core.model import Model
from clusternas.core.overlay import overlay
from clusternas.core.text import decode
from clusternas.core.versions import Toolset
from clusternas.corosync.model import CorosyncCluster
from clusternas.corosync.sections import CorosyncNode
from clusternas.ctdb.tables import CtdbNodes
from clusternas.dns.model import ZoneFile
from clusternas.nas.actual import NasState
from clusternas.nas.cluster import NasCluster
from clusternas.nas.wanted import NAMED_CONF, remembered

__all__ = ["Texts", "parsed"]

M = TypeVar("M", bound=Model)
N = TypeVar("N", ClusterNode, CorosyncNode)


class Texts:
    """The texts of all files of a NAS; what is equal on many nodes is worked out once.

    Args:
        nas: what is wanted.
        state: what is.
    """

    def __init__(self, nas: NasCluster, state: NasState) -> None:
        self._nas = nas
        self._state = state
        self._numbered: dict[int, CmanCluster] = {}
        self._lists: dict[str, str] = {}
        self._shared: dict[str, Model] | None = None
        self._known: dict[tuple[str, int, bytes | None, str], str] = {}
        self._notes: dict[int, dict[str, str]] = {}

    def models(self, node: str) -> Mapping[str, Model]:
        """The wanted files of a node, by path."""
        if self._nas.nodes[node].files:
            return self._nas.nodes[node].files
        if self._shared is None:
            self._shared = self._nas.files(node)
        return self._shared

    def of(self, node: str) -> Iterator[tuple[str, str, Model | None]]:
        """Each file of a node that is wanted: path, text, and the model it is of."""
        found = self._state[node].files
        last = remembered(found)
        for path, wanted in self.models(node).items():
            model = self._in_step(path, wanted) if isinstance(wanted, CmanCluster) else wanted
            text = (
                self._of_ctdb(path, model, found.get(path))
                if isinstance(model, CtdbNodes)
                else self._text(path, model, found.get(path), last.get(path, ""))
            )
            yield path, text, model
        if self._nas.zones:
            path = NAMED_CONF[self._nas.toolset.init]
            yield path, _zone_clauses(self._nas, found.get(path)), None

    def note(self, node: str) -> bytes:
        """What is wanted in the files of a node, for the next time, and what was and is in use."""
        models = self.models(node)
        if id(models) not in self._notes:
            texts = {path: model.render(self._nas.toolset) for path, model in models.items()}
            self._notes[id(models)] = texts
        here = self._state[node]
        last = remembered(here.files) if here.forgotten else {}
        in_use = {path: last[path] for n, path in here.forgotten.items() if here.may_be_up(n)}
        return json.dumps(self._notes[id(models)] | in_use, indent=1).encode()

    def _in_step(self, path: str, model: CmanCluster) -> CmanCluster:
        """It with one `config_version` for all nodes: cman lets nobody join whose file differs."""
        if id(model) not in self._numbered:
            texts = set[str]()
            for node in self._nas.nodes:
                files = self._state[node.name].files
                if found := files.get(path):
                    last = remembered(files).get(path, "")
                    texts.add(self._text(path, model, found, last))
            read = [parsed(CmanCluster, text) for text in texts]
            numbers = [each.config_version or 1 for each in read if each is not None]
            same = attrs.evolve(model, config_version=max(numbers)) if numbers else model
            self._numbered[id(model)] = same
        return self._numbered[id(model)]

    def _of_ctdb(self, path: str, model: CtdbNodes, found: FileContent | None) -> str:
        """One list for all nodes: CTDB knows a node by its line, and wants it everywhere alike.

        It is the list of a node where CTDB runs, if there is one, with what is wanted over it.
        """
        if path not in self._lists:
            known = [s for n in self._nas.nodes if (s := self._state[n.name]).files.get(path)]
            known.sort(key=lambda each: "ctdb" not in each.running)
            first = known[0].files if known else {}
            last = remembered(first).get(path, "")
            self._lists[path] = self._text(path, model, first.get(path), last)
        text = self._lists[path]
        own, same = parsed(CtdbNodes, decode(found.content) if found else ""), CtdbNodes.parse(text)
        return decode(found.content) if found and own and own.all == same.all else text

    def _text(self, path: str, model: Model, found: FileContent | None, last: str) -> str:
        key = (path, id(model), None if found is None else found.content, last)
        if key not in self._known:
            self._known[key] = _text(path, model, found, self._nas.toolset, last)
        return self._known[key]


def parsed(model: type[M], text: str) -> M | None:
    """What a text says; None where nothing is known of it."""
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
        last = parsed(type(wanted), remembered)
        if isinstance(wanted, ZoneFile) and isinstance(actual, ZoneFile):
            return _zone(actual, wanted, last).render()
        if isinstance(wanted, CmanCluster) and isinstance(actual, CmanCluster):
            actual, wanted = _of_cman(actual, wanted), _numbered(actual, wanted)
        if isinstance(wanted, CorosyncCluster) and isinstance(actual, CorosyncCluster):
            actual = _of_corosync(actual, wanted)
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


def _of_corosync(actual: CorosyncCluster, wanted: CorosyncCluster) -> CorosyncCluster:
    """Without nodes that are not described: the example that Debian installs has one, with id 1."""
    quorum = actual.quorum
    if quorum is not None and quorum.two_node and len(wanted.nodes) != 2:
        quorum = attrs.evolve(quorum, two_node=None)
    return attrs.evolve(actual, nodes=_members(actual.nodes, wanted.nodes), quorum=quorum)


def _of_cman(actual: CmanCluster, wanted: CmanCluster) -> CmanCluster:
    """Without nodes that are not described."""
    cman = actual.cman
    if cman is not None and cman.two_node and len(wanted.nodes) != 2:
        cman = attrs.evolve(cman, two_node=None, expected_votes=None)
    return attrs.evolve(actual, nodes=_members(actual.nodes, wanted.nodes), cman=cman)


def _members(actual: Keyed[N], wanted: Keyed[N]) -> Keyed[N]:
    """The nodes of a cluster that are described.

    Raises:
        PlanError: a node would get another number while the cluster knows it by its old one.
    """
    kept = actual
    for node in actual:
        name = actual.key_of(node)
        known = wanted.get(name)
        if known is None:
            kept = kept.without(name)
        elif known.nodeid != node.nodeid:
            raise PlanError(
                f"{name} is number {node.nodeid} of the cluster, not {known.nodeid}",
                hint=f"write id = {node.nodeid} in [nodes.{name}]",
            )
    return kept


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
