"""Where the fields of a model stand in a file: field metadata, and the `Lens` made from it.

A slice only declares; `core.source` reads by the lens and `core.change` writes by it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Generic, Literal, NamedTuple, TypeVar

import attrs

from clusternas.core.codec import Codec
from clusternas.core.keyed import Keyed
from clusternas.core.syntax.tree import Node, Statement

if TYPE_CHECKING:
    from clusternas.core.model import Model
    from clusternas.core.syntax.tree import Syntax

__all__ = [
    "ANY",
    "Argument",
    "Field",
    "Keyword",
    "Lens",
    "Option",
    "Section",
    "Spelling",
    "argument",
    "arguments",
    "keyword",
    "lens_of",
    "option",
    "options",
    "required",
    "section",
    "sections",
]

T = TypeVar("T")
M = TypeVar("M", bound="Model")

META = "clusternas"
EXTRA = "extra"
KEY = attrgetter("key")
NOTHING: Keyed[Statement] = Keyed((), key=KEY)
ANY = "*"
"""As the key of `sections`: every statement that no other field takes."""


@attrs.frozen
class Spelling:
    """One way to write an option.

    Attributes:
        key: as it is written; empty for the field's own name in the style of the syntax.
        codec: for this spelling, if not the option's own.
        place: None in the section of the model; `""` in the section around it; a name for the
            sibling
            section of that name.
        since, until: the tool's versions that read it: `since <= version < until`.
    """

    key: str = ""
    codec: Codec[Any] | None = None
    place: str | None = None
    since: str = ""
    until: str = ""


@attrs.frozen
class Argument:
    """Words of the statement itself: one by index, or all from there on."""

    codec: Codec[Any]
    index: int = 0
    rest: bool = False


@attrs.frozen
class Keyword:
    """The keyword of the statement itself, as it is spelled.

    Attributes:
        samples: keywords that make sense, for tests and examples.
    """

    samples: tuple[str, ...] = ()


@attrs.frozen
class Option:
    """An entry of the section: a keyword and a value."""

    spellings: tuple[Spelling, ...]
    codec: Codec[Any]
    many: bool = False
    wins: Literal["first", "last"] = "last"


@attrs.frozen
class Section:
    """A section, or a repeated one, read as a model of its own."""

    key: str
    model: type[Model]
    many: bool = False
    name: str = ""
    since: str = ""
    until: str = ""


Field = Argument | Keyword | Option | Section


def argument(codec: Codec[T], index: int = 0, *, default: Any = attrs.NOTHING, doc: str = "") -> T:
    """A word of the statement itself, like the name of a resource."""
    return _field(Argument(codec, index), default, doc)


def arguments(codec: Codec[tuple[T, ...]], index: int = 0, *, doc: str = "") -> tuple[T, ...]:
    """All words of the statement itself from one on."""
    return _field(Argument(codec, index, rest=True), (), doc, converter=tuple)


def keyword(*, default: Any = attrs.NOTHING, samples: tuple[str, ...] = (), doc: str = "") -> str:
    """The keyword of the statement itself, where one model reads several."""
    return _field(Keyword(samples), default, doc)


def option(
    *spellings: str | Spelling,
    codec: Codec[T],
    wins: Literal["first", "last"] = "last",
    since: str = "",
    until: str = "",
    doc: str = "",
    converter: Callable[[Any], Any] | None = None,
) -> T | None:
    """An entry of the section, None where it is absent.

    Args:
        spellings: how it is written, newest first; by default the field's name in the style of the
            syntax.
        codec: its words.
        wins: which of several counts for the tool.
        since, until: the versions that know it, for a spelling that does not say so itself.
        doc: what the manual says of it, with the unit.
        converter: from what a caller may give, like a plain string, to the value; it gets None for
            absent.
    """
    return _field(
        Option(_spellings(spellings, since, until), codec, wins=wins), None, doc, converter
    )


def required(key: str, *, codec: Codec[T], default: T, doc: str = "") -> T:
    """An entry that every such section has, like its name.

    Args:
        key: how it is written.
        codec: its words.
        default: what it is where a broken file lacks it, so that nobody has to think of None.
        doc: what the manual says of it.
    """
    return _field(Option(_spellings((key,), "", ""), codec), default, doc)


def options(
    *spellings: str | Spelling, codec: Codec[T], since: str = "", until: str = "", doc: str = ""
) -> tuple[T, ...]:
    """An entry that may be repeated, each time with one value more."""
    return _field(
        Option(_spellings(spellings, since, until), codec, many=True), (), doc, converter=tuple
    )


def section(
    model: type[M], key: str = "", *, since: str = "", until: str = "", doc: str = ""
) -> M | None:
    """A section, None where it is absent; where it is repeated the tools read it as one."""
    return _field(Section(key, model, since=since, until=until), None, doc)


def sections(
    model: type[M],
    key: str = "",
    *,
    name: str,
    fold: Callable[[str], str] = str,
    first: bool = False,
    since: str = "",
    until: str = "",
    doc: str = "",
) -> Keyed[M]:
    """A repeated section (or statement) whose items have names.

    Args:
        model: what each is read as.
        key: its keyword.
        name: the field of the model that names an item.
        fold: how the tool folds names before it compares them.
        first: the first of two of one name counts, not the last.
    """
    key_of = named(name)

    def convert(items: Iterable[M]) -> Keyed[M]:
        if isinstance(items, Keyed) and not items.unnamed:
            return items
        return Keyed(items, key=key_of, fold=fold, first=first)

    return _field(
        Section(key, model, many=True, name=name, since=since, until=until),
        (),
        doc,
        converter=convert,
    )


def named(name: str) -> Callable[[Any], str]:
    """A function that names an item by one of its fields."""
    get = attrgetter(name)
    return lambda item: str(get(item))


def _spellings(given: tuple[str | Spelling, ...], since: str, until: str) -> tuple[Spelling, ...]:
    found = [each if isinstance(each, Spelling) else Spelling(each) for each in given or ("",)]
    return tuple(
        attrs.evolve(each, since=each.since or since, until=each.until or until) for each in found
    )


def _field(
    meta: Field, default: Any, doc: str, converter: Callable[[Any], Any] | None = None
) -> Any:
    return attrs.field(default=default, converter=converter, metadata={META: meta, "doc": doc})


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


def documented(cls: type[Model]) -> Mapping[str, str]:
    """What the fields of a model say of themselves."""
    return {field.name: str(field.metadata.get("doc", "")) for field in attrs.fields(cls)}
