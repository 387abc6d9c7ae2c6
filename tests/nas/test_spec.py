"""docs/spec.md and the description of a NAS say the same: its tables are loaded as they stand."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import attrs
import pytest

from clusternas.core.diagnostics import Severity
from clusternas.core.errors import ValidationError
from clusternas.core.versions import Toolset
from clusternas.nas import spec
from clusternas.nas.table import Table

PAGE = (Path(__file__).parents[2] / "docs" / "spec.md").read_text(encoding="utf-8")
TYPES: dict[str, type] = {
    "text": str,
    "number": int,
    "true or false": bool,
    "list of texts": list,
    "table": dict,
    "text or table": str,
}
EMPTY: tuple[object, ...] = ("", [], {})
HEADING = re.compile(r"^## (?:`\[(?P<table>[\w.]+)\]`|The top)$")
ROW = re.compile(
    r"^\| `(?P<key>\w+)` \| (?P<type>[^|]+) \| (?P<default>[^|]+) \| [^|]+ \| `(?P<example>.+)` \|$"
)


@attrs.frozen
class Key:
    """A row of the page."""

    table: str
    name: str
    type: str
    default: str
    example: str

    @property
    def place(self) -> str:
        return ".".join(part for part in (self.table, self.name) if part)


def documented() -> list[Key]:
    found, table = [], ""
    for line in PAGE.splitlines():
        if heading := HEADING.match(line):
            table = heading["table"] or ""
        elif row := ROW.match(line):
            found.append(Key(table, *map(str.strip, row.groups())))
    return found


KEYS = documented()
NAMED = [key for key in KEYS if key.table != "toolset"]
"""All but the table of versions, which is another way to say `toolset`."""


def example(keys: list[Key]) -> str:
    """The examples of some keys as one description."""
    rows: dict[str, list[str]] = {}
    for key in keys:
        rows.setdefault(key.table, []).append(f"{key.name} = {key.example}")
    heads = {table: [f"[{table.replace('NAME', 'one')}]"] if table else [] for table in rows}
    return "\n".join(line for table, lines in rows.items() for line in heads[table] + lines)


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """What is taken from the tables while a description is loaded: place to default."""
    found: dict[str, object] = {}
    take = Table.take

    def record(self: Table, key: str, default: object = None) -> object:
        place = ".".join(part for part in (self._where, key) if part)
        found[re.sub(r"\bone\b", "NAME", place)] = default
        return take(self, key, default)

    monkeypatch.setattr(Table, "take", record)
    return found


def test_every_key_that_is_read_is_on_the_page_with_its_default(taken: dict[str, object]) -> None:
    spec.loads(example(NAMED))
    tables = {place for key in KEYS for place in prefixes(key.table)}
    defaults = {key.place: key.default for key in NAMED}
    free = tuple(f"{key.place}." for key in NAMED if key.type == "table")
    strays = {place for place in taken if place not in defaults and not place.startswith(free)}
    assert strays <= tables
    assert set(defaults) <= set(taken)
    for place, said in defaults.items():
        if place not in tables:
            assert agrees(said, taken[place]), f"{place}: {said}, but it is {taken[place]!r}"


def prefixes(table: str) -> list[str]:
    parts = table.split(".")
    return [".".join(parts[: end + 1]) for end in range(len(parts))]


def agrees(said: str, default: object) -> bool:
    """Whether the page's word for a default is right; one that is computed is told in prose."""
    if said.startswith("`"):
        return bool(tomllib.loads(f"it = {said.strip('`')}")["it"] == default)
    return (said == "required") == (default is None) and (said != "none" or default in EMPTY)


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.place)
def test_an_example_is_of_the_type_that_the_page_says(key: Key) -> None:
    assert isinstance(tomllib.loads(f"it = {key.example}")["it"], TYPES[key.type])


def test_the_versions_are_those_of_a_toolset() -> None:
    versions = [key for key in KEYS if key.table == "toolset"]
    assert {key.name for key in versions} == {field.name for field in attrs.fields(Toolset)}
    assert Toolset().init == tomllib.loads(f"it = {versions[-1].default.strip('`')}")["it"]
    spec.loads(example([key for key in KEYS if key.place != "toolset"]))


@pytest.mark.parametrize(
    "key", [key for key in NAMED if key.default == "required"], ids=lambda key: key.place
)
def test_what_is_required_is_required(key: Key) -> None:
    others = [other for other in NAMED if other is not key]
    others.append(attrs.evolve(key, name="keeps_the_table", example="1"))
    with pytest.raises(ValidationError, match=rf"\b{key.name}: is missing"):
        spec.loads(example(others))


def test_the_example_lacks_nothing_but_fencing() -> None:
    text = PAGE.partition("```toml\n")[2].partition("```")[0]
    found = spec.loads(text).check()
    assert {each.code for each in found if each.severity is Severity.ERROR} == {
        "DRBD003",
        "NAS017",
    }


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("drbd.NAME.rate", '"fast"'),
        ("drbd.NAME.port", "true"),
        ("shares.NAME.path", '"share"'),
        ("dns.file", '""'),
        ("lvm.NAME.pvs", '"/dev/drbd1"'),
    ],
)
def test_a_wrong_value_is_named_with_its_place(place: str, value: str) -> None:
    keys = [attrs.evolve(key, example=value) if key.place == place else key for key in NAMED]
    with pytest.raises(ValidationError, match=f"^{place.replace('NAME', 'one')}: not "):
        spec.loads(example(keys))


def test_there_are_nodes() -> None:
    with pytest.raises(ValidationError, match=r"^nodes: is missing"):
        spec.loads('name = "NASCluster"\n[dns]\nzone = "example.com"\n')
