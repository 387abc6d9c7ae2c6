"""Sphinx extension: the reference, a page per package with a section per module."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from pathlib import Path

from sphinx.application import Sphinx

import clusternas

INTERNAL = ("clusternas.testing.tools", "clusternas.__main__")


def packages() -> dict[str, list[str]]:
    """The modules of every package."""
    found: dict[str, list[str]] = {"clusternas": []}
    for module in pkgutil.walk_packages(clusternas.__path__, "clusternas."):
        if module.name.startswith(INTERNAL):
            continue
        if module.ispkg:
            found[module.name] = []
        else:
            found[module.name.rpartition(".")[0]].append(module.name)
    return found


def page(package: str, modules: list[str]) -> Iterator[str]:
    """The lines of a page: the package's docstring, then its modules with all that they export."""
    yield f"{package}\n{'=' * len(package)}\n\n.. automodule:: {package}\n"
    for module in modules:
        title = module.removeprefix(f"{package}.")
        yield f"\n{title}\n{'-' * len(title)}\n"
        yield f"\n.. automodule:: {module}\n   :members:\n   :show-inheritance:\n"


def write(app: Sphinx) -> None:
    """Write the pages, when the builder starts."""
    folder = Path(app.srcdir, "generated", "api")
    folder.mkdir(parents=True, exist_ok=True)
    for package, modules in packages().items():
        (folder / f"{package}.rst").write_text("".join(page(package, modules)))


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("builder-inited", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
