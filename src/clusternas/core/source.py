"""Reading: the nodes of a text to the values of a model's fields."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from clusternas.core.fields import Option, Section, Spelling
from clusternas.core.keyed import Keyed
from clusternas.core.lens import EXTRA, KEY, Lens, lens_of
from clusternas.core.syntax.tree import Document, Node, Scan, Statement

if TYPE_CHECKING:
    from clusternas.core.model import Model

__all__ = ["Place", "Source"]


class Place(NamedTuple):
    """Where a statement stands.

    Attributes:
        node: the statement.
        parent: the section that it stands in.
        place: as in `Spelling.place`: where that section is, seen from the model.
    """

    node: Node
    parent: Node
    place: str | None = None


class Source:
    """The part of a text that a model was read from.

    Attributes:
        nodes: its statement; several where the tools read repeated sections as one; none where the
            model is made of options that stand elsewhere only.
        strays: options of the model that stand outside its section, by field.
        where: the statements of each field.
        whole: after `values`: everything inside has been read too.
        unknown: the statements that no field takes.
        unreadable: after `values`: statements whose words no codec reads, with the reason.
    """

    __slots__ = (
        "_at",
        "_nodes",
        "_outer",
        "_sections",
        "_values",
        "_where",
        "lens",
        "skip",
        "strays",
        "tree",
        "unknown",
        "unreadable",
        "whole",
    )

    def __init__(
        self,
        lens: Lens,
        tree: Document,
        nodes: Sequence[Node],
        strays: Sequence[tuple[str, Place]] = (),
        skip: Sequence[str] = (),
    ) -> None:
        self.lens = lens
        self.tree = tree
        self._nodes = nodes
        self._outer: Source | None = None
        self._at = 0
        self._sections: list[Node] | None = None
        self.strays = strays
        self.skip = skip
        self.whole = False
        self.unknown: Sequence[Place] = ()
        self.unreadable: Sequence[tuple[str, Place, str]] = ()
        self._values: dict[str, Any] | None = None
        self._where: dict[str, list[Place]] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self.lens.cls, self.tree, self.nodes, self.strays, self.skip)

    @property
    def nodes(self) -> Sequence[Node]:
        """Its statement; several, or none."""
        if self._outer is not None:
            self._nodes, self._outer = (self._outer.sections()[self._at],), None
        return self._nodes

    def sections(self) -> list[Node]:
        """The sections inside."""
        if self._sections is None:
            self._sections = [node for node in self.nodes[0].children if node.body >= 0]
        return self._sections

    def values(self) -> dict[str, Any]:
        """The values of all fields, read once; the model that is read from here lives on them."""
        if self._values is None:
            self._values = self._quick() or self._read()
            self._values["_source"] = self
        return self._values

    @property
    def where(self) -> dict[str, list[Place]]:
        """The statements of each field."""
        if self._where is None:
            self._where = self._sort()[0]
        return self._where

    def _quick(self) -> dict[str, Any] | None:
        """The values, if all here can be read without a look at the rest: most of a file."""
        if self.strays:
            return None
        values = self.lens.blank.copy()
        try:
            for node in self.nodes:
                scan = self.lens.syntax.scan(node)
                if scan is None or (scan.sections and len(self.nodes) > 1):
                    return None
                self._fill(values, scan)
        except (KeyError, ValueError):
            return None
        if self.lens.heads:
            self._heads(values)
        self.whole = True
        return values

    def _fill(self, values: dict[str, Any], scan: Scan) -> None:
        """Read the inside of a section, and of all sections in it.

        Raises:
            KeyError: something in it is more than a plain option or section.
            ValueError: something in it cannot be read.
        """
        lens = self.lens
        entries, sections = scan
        values.update(map(lens.known.__getitem__, entries))
        several: dict[str, list[Model]] = {}
        for at, (head, inside) in enumerate(sections):
            name, many, inner, blank = lens.opened[head]
            source = Source(inner, self.tree, ())
            source._outer, source._at, source.whole = self, at, True
            source._values = found = blank.copy()
            found["_source"] = source
            source._fill(found, inside)
            model = inner.living(found)
            if many:
                several.setdefault(name, []).append(model)
            elif values[name] is None:
                values[name] = model
            else:
                raise KeyError(head)
        for name, models in several.items():
            values[name] = self._items(name, models)

    def _read(self) -> dict[str, Any]:
        lens = self.lens
        values = lens.blank.copy()
        where, strays = self._sort()
        if lens.heads:
            self._heads(values)
        for name, places in where.items():
            meta = lens.fields[name]
            if isinstance(meta, Option):
                self._option(values, name, meta, places)
            elif isinstance(meta, Section):
                values[name] = self._section(name, meta, places, strays.pop(name, ()))
        for name, found in strays.items():
            meta = lens.fields[name]
            assert isinstance(meta, Section)
            values[name] = self._section(name, meta, [], found)
        if self.unknown:
            unknown = [place.node for place in self.unknown]
            fold = lens.syntax.fold
            values[EXTRA] = Keyed(unknown, key=KEY, lift=Node.statement, fold=fold)
        return values

    def _sort(self) -> tuple[dict[str, list[Place]], dict[str, list[tuple[str, Place]]]]:
        """Share out the children: to fields, to options of nested sections, or to the unknown."""
        where: dict[str, list[Place]] = {}
        strays: dict[str, list[tuple[str, Place]]] = {}
        unknown: list[Place] = []
        lens = self.lens
        table, twins, rest = lens.table, lens.twins, lens.any
        for parent in self.nodes:
            for node in parent.children:
                key = node.key
                name = table.get(key, rest)
                if key in twins and node.body >= 0:
                    name = twins[key]
                if name:
                    where.setdefault(name, []).append(Place(node, parent))
                elif key in lens.around:
                    section, option = lens.around[key]
                    strays.setdefault(section, []).append((option, Place(node, parent, "")))
                elif key not in lens.aside and key not in self.skip:
                    unknown.append(Place(node, parent))
                if key in lens.aside:
                    self._aside(node, strays, unknown)
        for name, stray in self.strays:
            where.setdefault(name, []).append(stray)
        if self.strays:
            for places in where.values():
                places.sort(key=lambda place: place.node.start)
        self.unknown = unknown or ()
        return where, strays

    def _aside(
        self,
        container: Node,
        strays: dict[str, list[tuple[str, Place]]],
        unknown: list[Place],
    ) -> None:
        routes = self.lens.aside[container.key]
        declared = container.key in self.lens.table
        if declared and not any(self.lens.syntax.may_hold(container, key) for key in routes):
            return
        for node in container.children:
            if node.key in routes:
                section, option = routes[node.key]
                strays.setdefault(section, []).append(
                    (option, Place(node, container, container.key))
                )
            elif not declared:
                unknown.append(Place(node, container, container.key))

    def _heads(self, values: dict[str, Any]) -> None:
        """The words of the statement itself, and its keyword."""
        if not self.nodes:
            return
        node = self.nodes[0]
        words = node.values
        for name, part, decode in self.lens.arguments:
            found = words[part]
            if found or part.stop is None:
                try:
                    values[name] = decode(found)
                except ValueError as error:
                    self._cannot_read(name, Place(node, node), str(error))
        for name in self.lens.keywords:
            values[name] = self.tree.syntax.spelling(node)

    def _option(self, values: dict[str, Any], name: str, meta: Option, places: list[Place]) -> None:
        if meta.many:
            found = [self._decode(name, meta, place) for place in places]
            values[name] = tuple(value for value in found if value is not None)
        else:
            values[name] = self._decode(name, meta, places[0 if meta.wins == "first" else -1])

    def _decode(self, name: str, meta: Option, place: Place) -> Any:
        words = place.node.values
        spellings: Sequence[Spelling] = meta.spellings
        if len(spellings) > 1:
            spellings = self.lens.spelled(name, place.node, place.place)
        reason = ""
        for spelling in spellings:
            try:
                return (spelling.codec or meta.codec).decode(words)
            except ValueError as error:
                reason = reason or str(error)
        self._cannot_read(name, place, reason)
        return None

    def _cannot_read(self, name: str, place: Place, reason: str) -> None:
        self.unreadable = (*self.unreadable, (name, place, reason))

    def _section(
        self, name: str, meta: Section, places: list[Place], strays: Sequence[tuple[str, Place]]
    ) -> Any:
        nodes, inner = [place.node for place in places], self.lens.inner[name]
        if meta.many:
            return self._items(name, nodes)
        skip = tuple(self.lens.aside.get(self.lens.syntax.fold(meta.key), ()))
        return inner.lift(Source(inner, self.tree, nodes, strays, skip))

    def _items(self, name: str, items: Sequence[Model | Node]) -> Keyed[Model]:
        meta, inner = self.lens.fields[name], self.lens.inner[name]
        assert isinstance(meta, Section)
        default: Keyed[Model] = self.lens.defaults[name]
        return default.lifted(items, inner.lift, inner.peek(meta.name))

    def statements(self) -> list[Statement]:
        """The unknown statements, without their places."""
        return [place.node.statement() for place in self.unknown]


def _rebuild(cls: type[Model], tree: Document, nodes: Any, strays: Any, skip: Any) -> Source:
    return Source(lens_of(cls), tree, nodes, strays, skip)
