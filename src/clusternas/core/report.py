"""Views of diagnostics: text for people, JSON for programs, SARIF 2.1.0 for code review tools."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from clusternas.core.diagnostics import Diagnostic, Severity
from clusternas.core.text import excerpt

__all__ = ["records", "to_json", "to_sarif", "to_text"]

LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}


def to_text(diagnostics: Iterable[Diagnostic]) -> str:
    """Each finding with its line, a caret under the place, and what to do about it."""
    return "\n".join(_text(each) for each in diagnostics)


def _text(each: Diagnostic) -> str:
    rows = [str(each)]
    if each.source:
        length = max(each.end_column - each.column, 1)
        rows += [f"  {row}" for row in excerpt(each.source, each.column, length)]
    if each.help:
        rows.append(f"  help: {each.help}")
    if each.link:
        rows.append(f"  see: {each.link}")
    return "\n".join(rows)


def records(diagnostics: Iterable[Diagnostic]) -> list[dict[str, object]]:
    """Each finding as plain data; a data frame takes the list as it is."""
    return [
        {
            "code": each.code,
            "severity": each.severity.value,
            "message": each.message,
            "help": each.help,
            "path": each.path,
            "line": each.line,
            "column": each.column,
            "end_column": each.end_column,
            "node": each.node,
            "link": each.link,
            "fixable": bool(each.fix),
        }
        for each in diagnostics
    ]


def to_json(diagnostics: Iterable[Diagnostic]) -> str:
    """A JSON array of `records`."""
    return json.dumps(records(diagnostics), indent=2, ensure_ascii=True)


def to_sarif(diagnostics: Sequence[Diagnostic]) -> str:
    """A SARIF 2.1.0 log with one run."""
    codes = sorted({each.code for each in diagnostics})
    driver = {"name": "clusternas", "rules": [{"id": code} for code in codes]}
    run = {"tool": {"driver": driver}, "results": [_result(each) for each in diagnostics]}
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    return json.dumps(
        {"$schema": schema, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=True
    )


def _result(each: Diagnostic) -> dict[str, object]:
    text = each.message + (f"\n{each.help}" if each.help else "")
    result: dict[str, object] = {
        "ruleId": each.code,
        "level": LEVELS[each.severity],
        "message": {"text": text},
    }
    if each.path:
        place: dict[str, object] = {"artifactLocation": {"uri": each.path.lstrip("/")}}
        if each.line:
            end = {"endColumn": each.end_column} if each.end_column > each.column else {}
            place["region"] = {"startLine": each.line, "startColumn": max(each.column, 1), **end}
        result["locations"] = [{"physicalLocation": place}]
    return result
