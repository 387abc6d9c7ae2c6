"""docs/cli.md and the command line say the same."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from pathlib import Path

from clusternas import cli

PAGE = (Path(__file__).parents[1] / "docs" / "cli.md").read_text(encoding="utf-8")


def parsers() -> Mapping[str, argparse.ArgumentParser]:
    parser = cli._parser()
    (commands,) = (each for each in parser._actions if isinstance(each.choices, dict))
    return commands.choices


def sections() -> dict[str, str]:
    _, *found = re.split(r"^## `clusternas ([\w-]+)[^`]*`$", PAGE, flags=re.MULTILINE)
    return dict(zip(found[::2], found[1::2], strict=True))


def options(parser: argparse.ArgumentParser) -> set[str]:
    return {action.option_strings[-1] for action in parser._actions if action.option_strings}


def test_every_command_has_its_section_in_its_order() -> None:
    assert list(sections()) == list(parsers())


def test_every_option_is_in_its_table_and_no_other() -> None:
    said = {
        name: set(re.findall(r"^\| `(--[\w-]+)` \|", text, re.MULTILINE))
        for name, text in sections().items()
    }
    assert said == {name: options(parser) - {"--help"} for name, parser in parsers().items()}


def test_every_choice_and_toolset_is_named() -> None:
    for name, parser in parsers().items():
        for action in parser._actions:
            assert all(f"`{choice}`" in sections()[name] for choice in action.choices or ())
    assert all(f"`{preset}`" in sections()["check"] for preset in cli.TOOLSETS)
