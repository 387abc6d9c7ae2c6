"""The `Lens`: the fields of a model class, indexed by how a file spells them.

`core.source` reads by it, `core.change` writes by it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

import attrs

from clusternas.core.fields import ANY, META, Argument, Field, Keyword, Option, Section, Spelling
from clusternas.core.keyed import Keyed
from clusternas.core.syntax.tree import Node, Statement

if TYPE_CHECKING:
    from clusternas.core.model import Model
    from clusternas.core.syntax.tree import Syntax

__all__ = ["EXTRA", "KEY", "NOTHING", "Lens", "lens_of"]

T = TypeVar("T")

EXTRA = "extra"
KEY = attrgetter("key")
NOTHING: Keyed[Statement] = Keyed((), key=KEY)

Reader = tuple[str, Callable[[Sequence[str]], Any]]


class Lately(dict[Hashable, T], Generic[T]):
    """What was read lately, by what `Syntax.scan` gives: configurations repeat themselves.

    Args:
        read: what is called for the rest; it may raise `KeyError` and `ValueError`.
        most: how many are kept.
    """

    LONGEST = 160

    def __init__(self, read: Callable[[Hashable], T], most: int) -> None:
        super().__init__()
        self._read = read
        self._most = most

    def __missing__(self, entry: Hashable) -> T:
        found = self._read(entry)
        if len(str(entry)) <= self.LONGEST:
            if len(self) >= self._most:
                self.clear()
            self[entry] = found
        return found


class Opened(NamedTuple):
    """What the head of a nested section says.

    Attributes:
        name: the field that takes the section.
        many: whether it takes several.
        lens: of the model inside.
        values: the model's, before any statement inside is read.
    """

    name: str
    many: bool
    lens: Lens
    values: dict[str, Any]


class Lens:
    """The fields of one model class, indexed by how a file spells them.

    Attributes:
        fields: name to field, in the order of the class.
        table: the key of a child to the name of the field that takes it.
        heads: the fields that the statement itself says.
        keywords: those of them that are its keyword.
        sections: the fields that hold models.
        arguments: the others, with which of its words they are, and how to read them.
        known: field and value of an entry that is a plain option, by what `Syntax.scan` gives.
        opened: what the head of a nested section says that needs nothing from its neighbours.
        twins: keys that are an entry of one field and a section of another, to the latter.
        around: the key of a child to the nested section and option that it belongs to.
        aside: the key of a child section to the keys in it that belong to other sections.
        defaults: what absent fields are.
        inner: the lenses of nested sections, by field.
        blank: the values of a model that says nothing.
        lift: makes a model of a node or source.
    """

    def __init__(self, cls: type[Model]) -> None:
        self.cls = cls
        self.lift = cls.of
        self.living = cls.living
        self.syntax: Syntax = cls.syntax
        self.fields: dict[str, Field] = {}
        self.table: dict[str, str] = {}
        self.twins: dict[str, str] = {}
        self.around: dict[str, tuple[str, str]] = {}
        self.aside: dict[str, dict[str, tuple[str, str]]] = {}
        self.defaults: dict[str, Any] = {}
        self.converters: dict[str, Callable[[Any], Any]] = {}
        self.inner: dict[str, Lens] = {}
        self._peeks: dict[str, Callable[[Node], str] | None] = {}
        for field in attrs.fields(cls):
            meta = field.metadata.get(META)
            if meta is not None:
                self._add(field, meta)
        self.heads = [
            (name, meta)
            for name, meta in self.fields.items()
            if isinstance(meta, Argument | Keyword)
        ]
        self.keywords = [name for name, meta in self.heads if isinstance(meta, Keyword)]
        self.arguments = [
            (name, slice(meta.index, None if meta.rest else meta.index + 1), meta.codec.decode)
            for name, meta in self.heads
            if isinstance(meta, Argument)
        ]
        self.sections = [
            (name, meta) for name, meta in self.fields.items() if isinstance(meta, Section)
        ]
        self.any = self.table.pop(ANY, "")
        self.blank: dict[str, Any] = {**self.defaults, EXTRA: NOTHING}
        self._readers = self._plain()
        self.known = Lately(self._entry, 1024)
        self.opened = Lately(self._opened, 256)

    def _add(self, field: attrs.Attribute[Any], meta: Field) -> None:
        name = field.name
        self.fields[name] = meta
        default: Any = None if field.default is attrs.NOTHING else field.default
        convert: Any = field.converter
        self.defaults[name] = convert(default) if convert and default is not None else default
        if convert:
            self.converters[name] = convert
        if isinstance(meta, Section):
            key = meta.key or self.syntax.spell(name)
            self.fields[name] = meta = attrs.evolve(meta, key=key)
            folded = key if key == ANY else self.syntax.fold(key)
            if folded in self.table:
                self.twins[folded] = name
            self.table.setdefault(folded, name)
            self.inner[name] = lens_of(meta.model)
            self._strays(name, self.inner[name])
        elif isinstance(meta, Option):
            spellings = tuple(
                attrs.evolve(
                    each,
                    key=each.key or self.syntax.spell(name),
                    place=each.place and self.syntax.fold(each.place),
                )
                for each in meta.spellings
            )
            self.fields[name] = attrs.evolve(meta, spellings=spellings)
            keys = [self.syntax.fold(each.key) for each in spellings if each.place is None]
            for key in keys:
                if isinstance(self.fields.get(self.table.get(key, "")), Section):
                    self.twins[key] = self.table[key]
                self.table[key] = name

    def _entry(self, entry: Hashable) -> tuple[str, Any]:
        key, words = self.syntax.said(entry)
        name, decode = self._readers[key]
        return name, decode(words)

    def _opened(self, head: Hashable) -> Opened:
        key, words = self.syntax.said(head)
        name = self.twins.get(key) or self.table[key]
        meta, inner = self.fields[name], self.inner[name]
        assert isinstance(meta, Section)
        if inner.keywords or self.aside.get(key, {}).keys() & inner._readers.keys():
            raise KeyError(key)
        said = {
            field: decode(words[part])
            for field, part, decode in inner.arguments
            if words[part] or part.stop is None
        }
        return Opened(name, meta.many, inner, inner.blank | said)

    def _plain(self) -> dict[str, Reader]:
        """The key of a child to field and decoder, where the last of several entries counts."""
        readers: dict[str, Reader] = {}
        for name, meta in self.fields.items():
            if isinstance(meta, Option) and not meta.many and meta.wins == "last":
                for each in meta.spellings:
                    key = self.syntax.fold(each.key)
                    codec = each.codec or meta.codec
                    if each.place is None and (key not in readers or readers[key][0] != name):
                        readers[key] = (name, codec.decode)
        return readers

    def _strays(self, name: str, nested: Lens) -> None:
        for option_name, spelling in nested.placed():
            key = self.syntax.fold(spelling.key)
            if spelling.place:
                self.aside.setdefault(spelling.place, {})[key] = (name, option_name)
            else:
                self.around[key] = (name, option_name)

    def placed(self) -> Iterable[tuple[str, Spelling]]:
        """The spellings that stand outside the section of the model."""
        for name, meta in self.fields.items():
            if isinstance(meta, Option):
                yield from ((name, each) for each in meta.spellings if each.place is not None)

    def spelled(self, name: str, node: Node, place: str | None) -> list[Spelling]:
        """The spellings of an option that a node could be."""
        meta = self.fields[name]
        assert isinstance(meta, Option)
        return [
            each
            for each in meta.spellings
            if each.place == place and self.syntax.fold(each.key) == node.key
        ]

    def peek(self, name: str) -> Callable[[Node], str] | None:
        """How to read the name of an item alone, where it is a word of the statement."""
        if name not in self._peeks:
            self._peeks[name] = self._peek(name)
        return self._peeks[name]

    def _peek(self, name: str) -> Callable[[Node], str] | None:
        meta = self.fields.get(name)
        if not isinstance(meta, Argument) or meta.rest:
            return None

        def read(node: Node) -> str:
            try:
                return str(meta.codec.decode(node.values[meta.index : meta.index + 1]))
            except ValueError:
                return str(self.defaults[name])

        return read

    def spelled_name(self, name: str) -> str:
        """A field as the file calls it, for messages."""
        meta = self.fields[name]
        return meta.spellings[0].key if isinstance(meta, Option) else name


_LENSES: dict[type[Model], Lens] = {}


def lens_of(cls: type[Model]) -> Lens:
    """The lens of a model class, compiled once."""
    lens = _LENSES.get(cls)
    if lens is None:
        lens = _LENSES[cls] = Lens(cls)
    return lens
