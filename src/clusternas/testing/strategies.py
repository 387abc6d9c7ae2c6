"""Hypothesis strategies: any model, and texts that look like a format."""

from __future__ import annotations

from typing import Any, TypeVar

from hypothesis import strategies as st

from clusternas.core.codec import Codec
from clusternas.core.fields import Argument, Keyword, Option, Section
from clusternas.core.lens import lens_of
from clusternas.core.model import Model
from clusternas.core.versions import Toolset

__all__ = ["models", "texts"]

M = TypeVar("M", bound=Model)

MAX_ITEMS = 3


def models(model: type[M], toolset: Toolset = Toolset.UNKNOWN) -> st.SearchStrategy[M]:
    """Values of a model class, with any of the fields that a toolset can express.

    Example:
        >>> from clusternas import DrbdResource                                  # doctest: +SKIP
        >>> models(DrbdResource, Toolset.EL6).example()                          # doctest: +SKIP
    """
    fields: dict[str, st.SearchStrategy[Any]] = {}
    optional: dict[str, st.SearchStrategy[Any]] = {}
    for name, meta in lens_of(model).fields.items():
        if isinstance(meta, Argument):
            if meta.codec.samples:
                fields[name] = _values(meta.codec)
        elif isinstance(meta, Keyword) and (meta.samples or lens_of(model).defaults[name] is None):
            fields[name] = st.sampled_from(meta.samples or ("alpha", "b-2"))
        elif isinstance(meta, Option) and _codec(meta, model.tool, toolset):
            codec = _codec(meta, model.tool, toolset)
            assert codec is not None
            if codec.samples:
                optional[name] = _options(_values(codec), many=meta.many)
        elif isinstance(meta, Section) and toolset.has(
            model.tool, since=meta.since, until=meta.until
        ):
            optional[name] = _section(meta, toolset)
    return st.fixed_dictionaries(fields, optional=optional).map(lambda values: model(**values))


def _section(meta: Section, toolset: Toolset) -> st.SearchStrategy[Any]:
    inside = models(meta.model, toolset)
    if not meta.many:
        empty = meta.model()  # nothing is written for a section that says nothing
        return inside.map(lambda value: None if value == empty else value)
    key = meta.name
    return st.lists(inside, max_size=MAX_ITEMS, unique_by=lambda item: str(getattr(item, key)))


def _options(values: st.SearchStrategy[Any], *, many: bool) -> st.SearchStrategy[Any]:
    return st.lists(values, max_size=MAX_ITEMS, unique=True).map(tuple) if many else values


def _values(codec: Codec[Any]) -> st.SearchStrategy[Any]:
    return st.sampled_from(codec.samples)


def _codec(meta: Option, tool: str, toolset: Toolset) -> Codec[Any] | None:
    for spelling in meta.spellings:
        if toolset.has(tool, since=spelling.since, until=spelling.until):
            return spelling.codec or meta.codec
    return None


def texts(*words: str) -> st.SearchStrategy[str]:
    """Texts made of a format's own words and marks, with noise between."""
    marks = st.sampled_from(
        [
            *words,
            " ",
            "\t",
            "\n",
            "\r\n",
            "#",
            ";",
            "{",
            "}",
            "[",
            "]",
            "=",
            ":",
            '"',
            "'",
            "\\",
            "(",
            ")",
            "<",
            ">",
            "/",
        ]
    )
    noise = st.text(st.characters(codec="utf-8"), max_size=3)
    return st.lists(st.one_of(marks, noise), max_size=60).map("".join)
