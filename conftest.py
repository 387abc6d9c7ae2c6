"""The examples of README.md and docs/ are tests, each page in a namespace of its own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser

ARTICLE = Path(__file__).parent / "examples" / "article"


@pytest.fixture(scope="module")
def article_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder that the examples of a page stand in: the files of the article's first node."""
    before = Path.cwd()
    folder = tmp_path_factory.mktemp("page")
    shutil.copytree(ARTICLE / "linux-nas01", folder, dirs_exist_ok=True)
    shutil.copy(ARTICLE / "today.toml", folder)
    os.chdir(folder)
    yield folder
    os.chdir(before)


pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser(), SkipParser()],
    patterns=["README.md", "docs/*.md", "docs/**/*.md"],
    fixtures=["article_folder"],
).pytest()
