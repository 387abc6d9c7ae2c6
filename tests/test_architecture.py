"""The shape of the package, where the import contracts of pyproject.toml cannot see it."""

from __future__ import annotations

import ast
import importlib
import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType

import pytest

import clusternas

SOURCE = Path(clusternas.__file__).parent
HOMES = {
    "ClusterShell": "runners/clustershell.py",
    "hypothesis": "testing/",
    "packaging": "core/versions.py",
    "pytest": "testing/",
    "sh": "runners/local.py",
}
DEPENDENCIES = {"attr", "attrs", *HOMES}
HEAVY = {
    "asyncio",
    "concurrent",
    "email",
    "hypothesis",
    "importlib.metadata",
    "pytest",
    "sh",
    "ssl",
    "xml",
}
DOCUMENTED = (FunctionType, property, classmethod, staticmethod)
MODULES_AT_MOST = 90


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(SOURCE.rglob("*.py")):
        yield path.relative_to(SOURCE).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def imported(tree: ast.Module) -> Iterator[str]:
    """The packages a module imports, at its top or inside its functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def outside() -> Iterator[tuple[str, str]]:
    """Every import of a package that is neither ours nor Python's, with its file."""
    for name, tree in modules():
        for package in imported(tree):
            if package != "clusternas" and package not in sys.stdlib_module_names:
                yield name, package


def modules_loaded_by(statement: str) -> set[str]:
    """What a fresh interpreter has loaded after a statement and had not before."""
    program = (
        f"import sys; before = set(sys.modules); {statement}; print(*set(sys.modules) - before)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(ran.stdout.split())


def test_each_dependency_stays_in_its_home() -> None:
    strays = [
        f"{name} imports {package}"
        for name, package in outside()
        if package in HOMES and not name.startswith(HOMES[package])
    ]
    assert not strays


def test_nothing_is_imported_that_is_no_dependency() -> None:
    unknown = [
        f"{name} imports {package}" for name, package in outside() if package not in DEPENDENCIES
    ]
    assert not unknown


def test_imports_are_absolute() -> None:
    relative = [
        f"{name}:{node.lineno}"
        for name, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert not relative


def test_every_package_has_an_init() -> None:
    folders = {path.parent for path in SOURCE.rglob("*.py")}
    assert [str(folder) for folder in folders if not (folder / "__init__.py").exists()] == []


def public() -> Iterator[tuple[str, object]]:
    """Every exported function and class, and every public method and property of those classes."""
    for name, _ in modules():
        dotted = ".".join(("clusternas", *Path(name).with_suffix("").parts)).removesuffix(
            ".__init__"
        )
        if dotted.endswith("__main__"):
            continue
        module = importlib.import_module(dotted)
        for exported in getattr(module, "__all__", ()):
            value = getattr(module, exported)
            if isinstance(value, type):
                for member, held in vars(value).items():
                    if not member.startswith("_") and isinstance(held, DOCUMENTED):
                        yield f"{dotted}.{exported}.{member}", getattr(value, member)
            if isinstance(value, (type, FunctionType)):
                yield f"{dotted}.{exported}", value


def test_everything_public_has_a_docstring() -> None:
    assert [name for name, value in public() if not inspect.getdoc(value)] == []


@pytest.mark.parametrize("statement", ["import clusternas", "import clusternas.cli"])
def test_importing_is_cheap(statement: str) -> None:
    loaded = modules_loaded_by(statement)
    assert {name for name in loaded if name in HEAVY or name.partition(".")[0] in HEAVY} == set()
    assert len(loaded) <= MODULES_AT_MOST, sorted(loaded)


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("clusternas.testing", {"hypothesis", "pytest", "sh"}),
        ("clusternas.testing.plugin", {"hypothesis", "sh"}),
        ("clusternas.runners", {"ClusterShell", "asyncio", "sh"}),
    ],
)
def test_importing_loads_no_extra(module: str, unwanted: set[str]) -> None:
    assert modules_loaded_by(f"import {module}") & unwanted == set()


def test_importing_does_nothing_else() -> None:
    quiet = (
        "import clusternas, logging, threading;"
        "assert not logging.getLogger().handlers and threading.active_count() == 1"
    )
    assert "clusternas" in modules_loaded_by(quiet)
