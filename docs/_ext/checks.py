"""Sphinx extension: the page of all checks, made from the rules themselves."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path

from sphinx.application import Sphinx

import clusternas
from clusternas.core.diagnostics import Rule, loaded_rules

HEAD = """\
# Checks

`validate()` reports what is wrong with one file, `NasCluster.check()` also what does not fit together. Each finding has a code
that stays the same in every release. A comment `clusternas: ignore[CODE]` on a line, or on the line before it, silences
that code there, where the format has comments.

Every tool also has these codes: 000, the text does not follow the grammar; 900, words that cannot be read; 901, an unknown statement;
902, a value out of range; 903, a statement that the chosen version does not know.
"""


def rules() -> list[Rule]:
    """Every rule there is."""
    for module in pkgutil.walk_packages(clusternas.__path__, "clusternas."):
        if module.name.endswith(".rules"):
            importlib.import_module(module.name)
    return loaded_rules()


def entry(rule: Rule) -> Iterator[str]:
    """The lines of one rule."""
    _, _, why = (inspect.getdoc(rule.check) or "").partition("\n")
    yield f"\n({rule.code.lower()})=\n## {rule.code}: {rule.summary.rstrip('.')}\n"
    yield f"{rule.severity.value.capitalize()}, of `{rule.model.__name__}`.\n{why.rstrip()}\n"
    for title, text in (("Wrong", rule.bad), ("Right", rule.good)):
        if text:
            yield f"{title}:\n\n```text\n{inspect.cleandoc(text)}\n```\n"
    if rule.link:
        yield f"Source: {f'<{rule.link}>' if rule.link.startswith('http') else rule.link}\n"


def write(app: Sphinx) -> None:
    """Write the page, when the builder starts."""
    page = Path(app.srcdir, "generated", "checks.md")
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(HEAD + "".join(line for rule in rules() for line in entry(rule)))


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("builder-inited", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
