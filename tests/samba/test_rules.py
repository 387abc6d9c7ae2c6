"""The rules: each complains about its bad example, not its good one, and points at the place."""

from __future__ import annotations

import importlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusternas.core.diagnostics import Diagnostic, Rule, rules_of
from clusternas.core.text import apply
from clusternas.core.versions import Toolset
from clusternas.samba.model import SmbConf

RULES = rules_of(SmbConf)
each_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)


def findings(text: str, code: str = "", toolset: Toolset | None = None) -> list[Diagnostic]:
    return [one for one in SmbConf.parse(text).validate(toolset) if one.code == code or not code]


@each_rule
def test_it_complains_about_the_bad_example(rule: Rule[SmbConf]) -> None:
    found = findings(rule.bad, rule.code)
    assert found
    assert all(one.line and one.severity is rule.severity for one in found)


@each_rule
def test_it_has_nothing_against_the_good_example(rule: Rule[SmbConf]) -> None:
    assert findings(rule.good, rule.code) == []


@each_rule
def test_it_speaks_of_what_was_made_from_nothing_too(rule: Rule[SmbConf]) -> None:
    parsed = SmbConf.parse(rule.good)
    made = SmbConf(global_=parsed.global_, shares=list(parsed.shares), extra=())
    assert [one for one in made.validate() if one.code == rule.code] == []


@each_rule
def test_a_fix_mends_it(rule: Rule[SmbConf]) -> None:
    for one in findings(rule.bad, rule.code):
        if one.fix:
            assert findings(apply(rule.bad, one.fix), rule.code) == []


def test_the_codes_are_unique_and_documented() -> None:
    assert importlib.import_module("clusternas.samba.rules")
    assert len({rule.code for rule in RULES}) == len(RULES) >= 22
    assert all(rule.summary.endswith((".", ":")) and rule.link for rule in RULES)


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("[global]\n[s]\n\tpath = /s\n\toplocks = no # really\n", 4, 2),
        ("[s]\npath = /s\n\n  frobnicate = 1\n", 4, 3),
    ],
)
def test_a_finding_points_at_the_parameter(text: str, line: int, column: int) -> None:
    assert {(one.line, one.column) for one in findings(text)} == {(line, column)}


def test_unknown_parameters_come_with_a_guess() -> None:
    (one,) = findings("[s]\npath = /s\nvaild users = jo\n", "SAMBA006")
    assert "did you mean 'valid users'?" in one.help


@pytest.mark.parametrize(
    ("parameter", "toolset", "message"),
    [
        ("write cache size = 1", Toolset.DEBIAN12, "gone in 4.12"),
        ("smb2 leases = yes", Toolset.EL6, "since 4.2"),
    ],
)
def test_parameters_have_a_lifetime(parameter: str, toolset: Toolset, message: str) -> None:
    (one,) = findings(f"[global]\n{parameter}\n", "SAMBA006", toolset)
    assert message in one.message


@pytest.mark.parametrize(
    "text",
    [
        "[s]\npath = /s\nfruit:metadata = stream\n",
        "[s]\npath = /s\nhosts allow = 10. ; 11.\n",
        "[global]\nmax log size = 5000\nlog file = /var/log/%m\n[homes]\nread only = no\n",
        "[global]\nidmap config * : backend = tdb\nidmap config NAS : range = 1-2\n",
        "[global]\nstrict locking = true\nmap to guest = baduser\nserver role = standalone\n",
    ],
)
def test_nothing_is_said_of_what_is_right(text: str) -> None:
    assert findings(text) == []


@pytest.mark.parametrize(
    "text", ["[s]\npath = /s\nread only = maybe\n", "[s]\npath = /s\ncreate mask = 9\n"]
)
def test_typed_values_that_refuse_the_file_are_errors(text: str) -> None:
    (one,) = findings(text)
    assert (one.code, one.severity.value, one.line) == ("SAMBA900", "error", 3)


def test_the_grammar_is_spoken_of_too() -> None:
    assert [one.line for one in findings("[a]\npath = /a\n[b\n", "SAMBA000")] == [3]


def test_a_rule_can_be_silenced_in_the_file() -> None:
    text = "[s]\npath = /s\n# clusternas: ignore[SAMBA006]\nfrobnicate = 1\n"
    assert findings(text) == []


LINES = [
    *("[a]\n", "[ b ]\n", "[]\n", "[global]\n", "path = /\\", "copy = a\n", "x\n", "=\n", "[c"),
    *("clustering = yes\n", 'vfs objects = "" a\n', "include = x\n", "\\\n", "read only=q\n"),
]


@given(st.lists(st.sampled_from(LINES)).map("".join))
def test_whatever_stands_in_the_file_it_can_be_validated(text: str) -> None:
    for one in SmbConf.parse(text).validate():
        assert one.line


def test_the_article_s_share_is_fine() -> None:
    assert (
        findings("[global]\nworkgroup = HOME\n[opt]\n    path=/opt\n    comment=Test Cluster\n")
        == []
    )


def test_fileid_is_missed_where_a_share_s_list_replaces_that_of_global() -> None:
    text = (
        "[global]\nclustering = yes\nnetbios name = NAS\nvfs objects = fileid\n"
        "[a]\npath = /a\n[b]\npath = /b\nvfs objects = recycle\n[c]\ncopy = b\n"
    )
    found = findings(text, "SAMBA017")
    assert [one.line for one in found] == [9, 10]
