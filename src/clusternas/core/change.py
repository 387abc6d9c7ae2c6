"""Writing a changed model: how it differs from the text it was read from, as edits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from clusternas.core.errors import ValidationError
from clusternas.core.fields import Keyword, Option, Section, Spelling
from clusternas.core.keyed import Keyed
from clusternas.core.lens import EXTRA, Lens, lens_of
from clusternas.core.lower import Lowering, Pending, add_extra, encode
from clusternas.core.source import Place, Source
from clusternas.core.syntax.tree import Node, Statement
from clusternas.core.text import Edit, apply

if TYPE_CHECKING:
    from clusternas.core.model import Model
    from clusternas.core.versions import Toolset

__all__ = ["Change", "Translation"]


class Translation(NamedTuple):
    """A statement that was moved or spelled anew for a toolset."""

    line: int
    before: str
    after: str


class Change(Lowering):
    """Collects the edits that make a text say what a model says.

    With a toolset it also spells every statement as that toolset reads it, and records each
    translation.
    """

    def __init__(self, toolset: Toolset | None = None, *, newest: bool = False) -> None:
        super().__init__(toolset, newest=newest)
        self.edits: list[Edit] = []
        self.translations: list[Translation] = []
        self._removed: dict[int, Place] = {}
        self._emptied: dict[int, Node] = {}
        self._filled: set[int] = set()

    def text(self, source: Source, new: Model) -> str:
        """The text of the source, changed to say what the model says."""
        self.flush(self.model(source, new, Pending()))
        return apply(source.tree.text, self.finish())

    def finish(self) -> list[Edit]:
        """The edits in order, none overlapping another."""
        for place in self._removed.values():
            if id(place.parent) not in self._emptied:
                self.edits += place.node.tree.syntax.remove(place.parent, place.node)
        ordered, at = [], 0
        for edit in sorted(self.edits, key=lambda edit: (edit.start, edit.end)):
            ordered.append(Edit(max(edit.start, at), max(edit.end, at), edit.text))
            at = max(edit.end, at)
        return ordered

    # reading a model against its source

    def model(self, source: Source, new: Model, outer: Pending) -> Pending:
        """Compare field by field; return what must be added to the section."""
        old = source.values()
        pending = Pending(source)
        for name, meta in source.lens.fields.items():
            before, after = old[name], getattr(new, name)
            if before is after and self.toolset is None:
                continue
            if isinstance(meta, Option):
                self._option(source, name, meta, before, after, (pending, outer))
            elif isinstance(meta, Section) and meta.many:
                self._sections(source, name, meta, before, after, pending)
            elif isinstance(meta, Section):
                self._section(source, name, meta, before, after, pending)
        self._heads(source, new, old)
        if new.extra is not old[EXTRA]:
            self._extra(source, old[EXTRA], new.extra, pending)
        return pending

    def _heads(self, source: Source, new: Model, old: dict[str, Any]) -> None:
        heads = [
            (name, meta) for name, meta in source.lens.heads if getattr(new, name) != old[name]
        ]
        if not heads or not source.nodes:
            return
        node = source.nodes[0]
        text = source.tree.text
        words = [text[word.start : word.end] for word in node.words]
        for meta, spelled in self.arguments(heads, new):
            words[meta.index : len(words) if meta.rest else meta.index + 1] = spelled
        renamed = next((name for name, meta in heads if isinstance(meta, Keyword)), "")
        if not renamed:
            self.edits += source.tree.syntax.rewrite(node, words)
        elif node.body >= 0:
            raise ValidationError(f"{renamed} cannot be changed", hint="remove it and add another")
        else:
            statement = Statement(getattr(new, renamed), tuple(words))
            line = source.tree.syntax.text_at(node, statement)
            self.edits.append(Edit(node.start, node.end, line))

    def _option(
        self,
        source: Source,
        name: str,
        meta: Option,
        before: Any,
        after: Any,
        out: tuple[Pending, Pending],
    ) -> None:
        places = source.where.get(name, [])
        if before == after and (self.toolset is None or not places):
            return
        if meta.many:
            self._values(source, name, meta, before, after, out)
        elif after is None:
            if before is not None:
                self._drop(places)
        elif not places:
            self.put(source.lens, name, meta, after, out)
        else:
            self._respell(source, name, meta, before == after, after, out)

    def _respell(
        self,
        source: Source,
        name: str,
        meta: Option,
        same: bool,
        value: Any,
        out: tuple[Pending, Pending],
    ) -> None:
        """Give an option that stands in the text another value, or another spelling."""
        places = source.where[name]
        place = places[0 if meta.wins == "first" else -1]
        current = self._current(source.lens, name, meta, place)
        understood = self.toolset is None or (
            not self.newest
            and self.toolset.has(source.lens.cls.tool, since=current.since, until=current.until)
        )
        wanted = current if understood else self.pick(source.lens, name, meta, place)
        here = wanted.place == place.place and source.lens.syntax.fold(wanted.key) == place.node.key
        codec = wanted.codec or meta.codec
        if here and same and reads(codec, place.node):
            return
        words = encode(name, codec, value)
        if not here or words is None:
            self._drop(places)
            self.put(source.lens, name, meta, value, out)
            self._translate(place, wanted, words, same)
            return
        edits = source.tree.syntax.rewrite(place.node, words)
        self.edits += edits
        if edits:
            self._translate(place, wanted, words, same)

    def _translate(
        self, place: Place, wanted: Spelling, words: Sequence[str] | None, same: bool
    ) -> None:
        if same:
            after = "" if words is None else " ".join((wanted.key, *words))
            where = f"{wanted.place} {{ {after} }}" if wanted.place else after
            line = place.node.tree.lines.position(place.node.start).line
            self.translations.append(Translation(line, place.node.raw, where))

    def _current(self, lens: Lens, name: str, meta: Option, place: Place) -> Spelling:
        found = lens.spelled(name, place.node, place.place)
        return next(
            (each for each in found if reads(each.codec or meta.codec, place.node)), found[0]
        )

    def _values(
        self,
        source: Source,
        name: str,
        meta: Option,
        before: Any,
        after: Any,
        out: tuple[Pending, Pending],
    ) -> None:
        """A repeated entry: values that stay keep their statement, the others go or come."""
        left = list(after)
        unread = {id(place.node) for _, place, _ in source.unreadable}
        places = [place for place in source.where.get(name, []) if id(place.node) not in unread]
        if list(before) == list(after):
            return
        for value, place in zip(before, places, strict=True):
            if left and value == left[0]:
                left.pop(0)
            else:
                self._drop([place])
        for value in left:
            self.put(source.lens, name, meta, value, out)

    def _section(
        self,
        source: Source,
        name: str,
        meta: Section,
        before: Model | None,
        after: Model | None,
        pending: Pending,
    ) -> None:
        if before is None:
            if after is not None:
                self.add_section(name, meta, self.lower(after, pending), None, pending)
            return
        inner = before._source
        assert inner is not None
        if after is None and inner.skip and self._shared(inner):
            after = type(before)()
        if after is None:
            self._drop([*source.where.get(name, []), *(place for _, place in inner.strays)])
            return
        added = self.model(inner, after, pending)
        if inner.nodes:
            self.supported(meta, name, source, inner.nodes[0])
            self.flush(added)
        elif added.statements():
            self.add_section(name, meta, added.statements(), None, pending)

    def _shared(self, source: Source) -> bool:
        """Whether a section holds what belongs to another, and has to stay for it."""
        return any(child.key in source.skip for node in source.nodes for child in node.children)

    def _sections(
        self,
        source: Source,
        name: str,
        meta: Section,
        before: Keyed[Model],
        after: Keyed[Model],
        pending: Pending,
    ) -> None:
        places = source.where.get(name, [])
        matches = match(before, after, [place.node for place in places])
        kept = {at for at in matches if at is not None}
        self._drop([place for at, place in enumerate(places) if at not in kept])
        slots = [places[at].node for at in sorted(kept)]
        items = list(zip(after.raw(), matches, strict=True))
        if in_order(matches):
            self._in_place(meta, places, items, pending)
        else:
            self._permuted(meta, places, slots, items, pending)

    def _in_place(
        self,
        meta: Section,
        places: list[Place],
        items: list[tuple[Any, int | None]],
        pending: Pending,
    ) -> None:
        last = None if any(at is not None for _, at in items) or not places else places[-1].node
        for item, at in items:
            if at is None:
                pending.placed.append((last, self.statement(meta, item)))
                continue
            last = places[at].node
            if not isinstance(item, Node):
                self.flush(self.model(source_of(item, last), item, pending))
            elif self.toolset is not None:
                self.flush(
                    self.model(
                        Source(lens_of(meta.model), item.tree, (item,)),
                        meta.model.of(item),
                        pending,
                    )
                )

    def _permuted(
        self,
        meta: Section,
        places: list[Place],
        slots: list[Node],
        items: list[tuple[Any, int | None]],
        pending: Pending,
    ) -> None:
        """Another order: the places and the comments between stay, the contents move."""
        for slot, (item, at) in zip(slots, items, strict=False):
            node = None if at is None else places[at].node
            text = (
                slot.tree.syntax.text_at(slot, self.statement(meta, item))
                if node is None
                else self._moved(meta, item, node)
            )
            self.edits.append(Edit(slot.start, slot.end, text))
        for item, at in items[len(slots) :]:
            node = None if at is None else places[at].node
            if isinstance(item, Node):
                statement = item.statement()
            elif node is not None and item == meta.model.of(node):
                statement = node.statement()
            else:
                statement = self.statement(meta, item)
            pending.placed.append((slots[-1], statement))

    def _moved(self, meta: Section, item: Any, node: Node) -> str:
        inner = Change(self.toolset, newest=self.newest)
        if not isinstance(item, Node):
            inner.flush(inner.model(source_of(item, node), item, Pending()))
        edits = inner.finish()
        stop = max([node.end, *(edit.end for edit in edits)])
        shifted = [Edit(start - node.start, end - node.start, text) for start, end, text in edits]
        return apply(node.tree.text[node.start : stop], shifted).rstrip("\r\n")

    def _extra(
        self, source: Source, before: Keyed[Statement], after: Keyed[Statement], pending: Pending
    ) -> None:
        left = list(after)
        for place, statement in zip(source.unknown, before, strict=True):
            if statement in left:
                left.remove(statement)
                continue
            twin = next(
                (each for each in left if each.key == statement.key and each.children is None), None
            )
            if twin is None or statement.children is not None:
                self._drop([place])
            else:
                left.remove(twin)
                self.edits += source.tree.syntax.rewrite(place.node, twin.words)
        for statement in left:
            add_extra(pending, statement)

    def _drop(self, places: Iterable[Place]) -> None:
        for place in places:
            self._removed[id(place.node)] = place

    # adding

    def flush(self, pending: Pending) -> None:
        """Write what is pending into the section it is for."""
        source = pending.source
        if source is None or not source.nodes:
            return
        parent, syntax = source.nodes[-1], source.tree.syntax
        children = parent.children
        if pending.entries or pending.placed or pending.asides:
            self._filled.add(id(parent))
        homeless: dict[str, list[Statement]] = {}
        for key, entries in pending.asides.items():
            staying = (node for node in children if id(node) not in self._removed)
            home = next(
                (node for node in staying if node.key == syntax.fold(key) and node.body >= 0), None
            )
            if home is None:
                homeless[key] = entries
            else:
                self._filled.add(id(home))
                self.edits += syntax.insert(home, self._last(home, entries=True), entries)
        if pending.entries:
            self.edits += syntax.insert(parent, self._last(parent, entries=True), pending.entries)
        together: dict[int, tuple[Node | None, list[Statement]]] = {}
        for after, statement in pending.sections(homeless):
            same = [node for node in children if node.key == syntax.fold(statement.key)]
            place = after or last(same or children)
            together.setdefault(id(place), (place, []))[1].append(statement)
        for place, statements in together.values():
            self.edits += syntax.insert(parent, place, statements)
        self._collapse(parent)

    def _last(self, section: Node, *, entries: bool) -> Node | None:
        found = [node for node in section.children if (node.body < 0) is entries]
        staying = [node for node in found if id(node) not in self._removed]
        return last(staying or found)

    def _collapse(self, parent: Node) -> None:
        """Remove the sections beside that a translation has emptied."""
        if self.toolset is None:
            return
        for section in parent.children:
            inside = section.children
            if id(section) in self._filled or not inside:
                continue
            if all(id(node) in self._removed for node in inside):
                self._emptied[id(section)] = section
                self._removed[id(section)] = Place(section, parent)


def reads(codec: Any, node: Node) -> bool:
    """Whether a codec reads the words of a node."""
    try:
        codec.decode(node.values)
    except ValueError:
        return False
    return True


def source_of(item: Model, node: Node) -> Source:
    """The source of an item for the node it stands at, even if the item was made anew."""
    source = item._source
    if source is not None and source.nodes and source.nodes[0] is node:
        return source
    return Source(lens_of(type(item)), node.tree, (node,))


def last(nodes: Sequence[Node]) -> Node | None:
    """The last of them, if there is one."""
    return nodes[-1] if nodes else None


def in_order(matches: Sequence[int | None]) -> bool:
    """Whether what stays is in its old order, and what is new comes after something that stays."""
    kept = [at for at in matches if at is not None]
    return kept == sorted(kept) and (not kept or matches[0] is not None)


def match(before: Keyed[Model], after: Keyed[Model], nodes: Sequence[Node]) -> list[int | None]:
    """For each new item the place of the old one that it was: by origin, else by name."""
    index = {id(node): at for at, node in enumerate(nodes)}
    found: list[int | None] = []
    for item in after.raw():
        node = item if isinstance(item, Node) else origin(item)
        found.append(index.pop(id(node), None))
    left = sorted(index.values())
    if left and None in found:
        names = {before.key_of(before[at]): at for at in reversed(left)}
        for position, at in enumerate(found):
            if at is None:
                found[position] = names.pop(after.key_of(after[position]), None)
    return found


def origin(item: Model) -> Node | None:
    """The statement that an item was read from."""
    source = item._source
    return source.nodes[0] if source is not None and source.nodes else None
