"""Sphinx extension: docstrings are written in Markdown, autodoc reads reStructuredText."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

BEFORE_NAPOLEON = 400
FENCE = re.compile(r"(\s*)```(\w*)\s*$")
TABLE = re.compile(r"(\s*)\|.*\|\s*$")
CODE = re.compile(r"(?<![`:\w])`([^`]+)`(?![`_])")
LINK = re.compile(r"\[([^\]]+)\]\((https?://[^)\s]+)\)")
HANGING = re.compile(r"(?<=[^\W_])_(?!\w)")
NAMES = re.compile(r"\s+\w+(?:, \w+)+(?=: )")


def blocks(lines: list[str]) -> Iterator[str]:
    """The lines with fences and tables as literal blocks, and the rest as reStructuredText."""
    margin: str | None = None
    table = False
    for line in lines:
        fence, row = FENCE.match(line), TABLE.match(line)
        if fence:
            closing = margin is not None
            margin = None if closing else fence.group(1)
            yield from (
                ("",)
                if closing
                else ("", f"{margin}.. code-block:: {fence.group(2) or 'text'}", "")
            )
        elif margin is not None:
            yield "    " + line
        elif row:
            yield from () if table else ("", f"{row.group(1)}.. code-block:: text", "")
            yield "    " + line
        else:
            yield from ("",) if table else ()
            yield inline(line)
        table = margin is None and row is not None


def inline(line: str) -> str:
    """One line of prose: code, links, and `a, b: …` as one name, for Napoleon knows no lists."""
    if line.lstrip().startswith((">>>", "...")):
        return line
    line = NAMES.sub(lambda names: names.group().replace(", ", ","), line)
    parts = CODE.split(LINK.sub(r"`\1 <\2>`__", line))
    parts[::2] = (HANGING.sub(r"\_", prose) for prose in parts[::2])
    parts[1::2] = (f"``{code}``" for code in parts[1::2])
    return "".join(parts)


def convert(
    app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]
) -> None:
    """Rewrite a docstring in place."""
    lines[:] = blocks(lines)


def unexported(
    app: Sphinx, env: BuildEnvironment, node: nodes.Element, content: nodes.TextElement
) -> nodes.TextElement | None:
    """Show a name of ours that its module does not export (a type variable, an alias) as text."""
    module, _, name = node["reftarget"].rpartition(".")
    home = sys.modules.get(module)
    if home is not None and hasattr(home, name) and name not in getattr(home, "__all__", ()):
        return content
    return None


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.setup_extension("sphinx.ext.autodoc")
    app.connect("autodoc-process-docstring", convert, priority=BEFORE_NAPOLEON)
    app.connect("missing-reference", unexported)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
