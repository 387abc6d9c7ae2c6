"""Where the fields of a model stand in a file: what a slice declares; see `core.lens`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import attrs

from clusternas.core.codec import Codec
from clusternas.core.keyed import Keyed

if TYPE_CHECKING:
    from clusternas.core.model import Model

__all__ = [
    "ANY",
    "Argument",
    "Field",
    "Keyword",
    "Option",
    "Section",
    "Spelling",
    "argument",
    "arguments",
    "keyword",
    "option",
    "options",
    "required",
    "section",
    "sections",
]

T = TypeVar("T")
M = TypeVar("M", bound="Model")

META = "clusternas"
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


def documented(cls: type[Model]) -> Mapping[str, str]:
    """What the fields of a model say of themselves."""
    return {field.name: str(field.metadata.get("doc", "")) for field in attrs.fields(cls)}
