"""Sphinx extension: the page of all fields of all models, made from what they declare."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

from sphinx.application import Sphinx

import clusternas
from clusternas.core.fields import (
    ANY,
    Argument,
    Field,
    Keyword,
    Option,
    Section,
    Spelling,
    documented,
)
from clusternas.core.lens import lens_of
from clusternas.core.model import Model

HEAD = """\
# Fields

Each value that is read from a file, field by field: how the file spells it, what it takes, since when the tool knows it. A field that
is spelled in several ways is written in the newest one that the toolset knows. `extra` holds the statements that no field takes.

Values that stand in no file of their own are with their modules: {py:mod}`clusternas.lvm.group`, {py:mod}`clusternas.gfs2.model`,
{py:mod}`clusternas.nas.cluster`.
"""
COLUMNS = ("field", "in the file", "takes", "meaning")
ATTRIBUTES = re.compile(r"^Attributes:\n((?: .*\n|\n)*)", re.MULTILINE)
ENTRY = re.compile(r"^    (\w+(?:, \w+)*): (.*(?:\n {5,}.*)*)", re.MULTILINE)


def models(base: type[Model] = Model) -> Iterator[type[Model]]:
    """Every model that has fields, a base before what derives from it."""
    for model in base.__subclasses__():
        ours = model.__module__.startswith("clusternas.") and "__attrs_attrs__" in vars(model)
        if ours and lens_of(model).fields:
            yield model
        yield from models(model)


def meanings(model: type[Model]) -> dict[str, str]:
    """What a class says of its fields: in the declaration, else in a docstring."""
    found: dict[str, str] = {}
    for cls in reversed(model.__mro__):
        for block in ATTRIBUTES.findall((inspect.cleandoc(cls.__doc__ or "")) + "\n"):
            for names, text in ENTRY.findall(block):
                found |= dict.fromkeys(names.split(", "), " ".join(text.split()))
    return found | {name: text for name, text in documented(model).items() if text}


def spelled(meta: Field) -> str:
    """How a file says a field."""
    if isinstance(meta, Keyword):
        return "the keyword itself"
    if isinstance(meta, Argument):
        return f"word {meta.index + 1}{' and those after it' if meta.rest else ''}"
    if isinstance(meta, Section):
        return "any other" if meta.key == ANY else f"`{meta.key}`{span(meta)}"
    return ", ".join(f"`{each.key}`{place(each)}{span(each)}" for each in meta.spellings)


def place(each: Spelling) -> str:
    """Where an option stands, if not in the section itself."""
    return {None: "", "": " around the section"}.get(each.place, f" in `{each.place}`")


def span(each: Spelling | Section) -> str:
    """The versions that know it, if not all."""
    parts = [
        f"since {each.since}" if each.since else "",
        f"before {each.until}" if each.until else "",
    ]
    said = ", ".join(part for part in parts if part)
    return f" ({said})" if said else ""


def takes(meta: Field) -> str:
    """What to write for a field."""
    if isinstance(meta, Keyword):
        return ", ".join(f"`{each}`" for each in meta.samples)
    if isinstance(meta, Section):
        name = meta.model.__name__
        link = f"[{name}](#{anchor(meta.model)})" if lens_of(meta.model).fields else name
        return f"{link}s, named by `{meta.name}`" if meta.many else link
    codec = meta.spellings[0].codec or meta.codec if isinstance(meta, Option) else meta.codec
    return f"{codec.expects}{', repeated' if isinstance(meta, Option) and meta.many else ''}"


def anchor(model: type[Model]) -> str:
    """Where the table of a model stands on the page."""
    return f"fields-{model.__name__.lower()}"


def table(model: type[Model]) -> Iterator[str]:
    """The lines of one model."""
    yield f"\n({anchor(model)})=\n### {model.__name__}\n"
    summary = (inspect.getdoc(model) or "").partition("\n")[0]
    yield f"{{py:class}}`~{model.__module__}.{model.__name__}`: {summary}\n"
    yield row(*COLUMNS)
    yield row(*("---" for _ in COLUMNS))
    said = meanings(model)
    for name, meta in lens_of(model).fields.items():
        words, meaning = takes(meta), said.get(name, "")
        yield row(f"`{name}`", spelled(meta), words, "" if meaning in words else meaning)


def row(*cells: str) -> str:
    """A line of a table."""
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def page() -> Iterator[str]:
    """The lines of the page."""
    for module in pkgutil.walk_packages(clusternas.__path__, "clusternas."):
        if module.name.endswith((".model", ".dlm", ".clvmd", ".sysconfig", ".tables")):
            importlib.import_module(module.name)
    yield HEAD
    tool = ""
    for model in sorted(dict.fromkeys(models()), key=lambda each: each.__module__.split(".")[1]):
        package = model.__module__.split(".")[1]
        if package != tool:
            yield f"\n## {package}\n"
        tool = package
        yield from table(model)


def write(app: Sphinx) -> None:
    """Write the page, when the builder starts."""
    target = Path(app.srcdir, "generated", "fields.md")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("\n".join(page()) + "\n")


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("builder-inited", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
