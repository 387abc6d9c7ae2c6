"""docs/nas.md names all the checks and files there are."""

from __future__ import annotations

import re
from pathlib import Path

from clusternas.core.diagnostics import rules_of
from clusternas.nas.cluster import NasCluster
from clusternas.nas.files import FILES

PAGE = (Path(__file__).parents[2] / "docs" / "nas.md").read_text(encoding="utf-8")


def test_every_check_of_the_whole_is_on_the_page_and_no_other() -> None:
    said = re.findall(r"^\| (NAS\d{3}) \| .+ \|$", PAGE, re.MULTILINE)
    assert said == [rule.code for rule in rules_of(NasCluster)]


def test_every_file_that_is_read_is_on_the_page_with_what_it_is_read_as() -> None:
    rows = re.findall(r"^\| (.+) \| `(\w+)` \|$", PAGE, re.MULTILINE)
    said = {name: model for names, model in rows for name in re.split(r", | and ", names)}
    assert {pattern: said.get(pattern) for pattern in FILES} == {
        pattern: model.__name__ for pattern, model in FILES.items()
    }
