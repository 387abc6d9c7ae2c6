"""Every rule of every tool: it has a page to show, and does what its page says."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from typing import Any

import pytest

import clusternas
from clusternas.core.diagnostics import Rule, loaded_rules
from clusternas.core.errors import ConfigError
from clusternas.core.model import Model
from clusternas.core.versions import Toolset

TOOLSETS = (Toolset.UNKNOWN, Toolset.EL6, Toolset.EL9, Toolset.DEBIAN12)


def every_rule() -> list[Rule[Any]]:
    for module in pkgutil.walk_packages(clusternas.__path__, "clusternas."):
        if module.name.endswith(".rules"):
            importlib.import_module(module.name)
    return [rule for rule in loaded_rules() if rule.check.__module__.startswith("clusternas.")]


def models_of(package: str, base: type[Model] = Model) -> Iterator[type[Model]]:
    """The models of a package that have fields: those that its files can be read as."""
    for model in base.__subclasses__():
        if model.__module__.startswith(package) and "__attrs_attrs__" in vars(model):
            yield model
        yield from models_of(package, model)


def finds(rule: Rule[Any], model: type[Model], text: str, toolset: Toolset) -> bool:
    """Whether a text, read as that class, is found by the rule; not if it cannot be read so."""
    try:
        found = model.parse(inspect.cleandoc(text) + "\n").validate(toolset)
    except (ConfigError, AttributeError):
        return False
    return rule.code in {each.code for each in found}


RULES = every_rule()
WITH_TEXTS = [rule for rule in RULES if rule.bad and issubclass(rule.model, Model)]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_rule_says_what_and_why(rule: Rule[Any]) -> None:
    assert re.fullmatch(r"[A-Z][A-Z0-9]*\d{3}", rule.code)
    assert rule.summary.endswith(".")
    assert rule.link


@pytest.mark.parametrize("rule", WITH_TEXTS, ids=lambda rule: rule.code)
def test_a_rule_finds_its_wrong_example_and_not_its_right_one(rule: Rule[Any]) -> None:
    package = rule.check.__module__.rpartition(".")[0]
    finders = [
        (model, toolset)
        for model in models_of(package)
        for toolset in TOOLSETS
        if finds(rule, model, rule.bad, toolset)
    ]
    assert finders
    assert any(not finds(rule, model, rule.good, toolset) for model, toolset in finders)
