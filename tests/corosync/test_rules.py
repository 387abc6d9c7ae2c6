"""Every rule complains about its bad example and not about its good one."""

from __future__ import annotations

from typing import Any

import pytest

from clusternas.core.diagnostics import Rule, rules_of
from clusternas.core.versions import Toolset
from clusternas.corosync.dlm import DlmConf
from clusternas.corosync.model import CorosyncCluster

COROSYNC, DLM = rules_of(CorosyncCluster), rules_of(DlmConf)
EVERY = [*COROSYNC, *DLM]
EL7 = Toolset(corosync="2.4.5")


def codes(rule: Rule[Any], text: str, toolset: Toolset | None = None) -> list[str]:
    return [found.code for found in rule.model.parse(text).validate(toolset)]


def test_codes_are_numbered_without_gaps() -> None:
    assert [r.code for r in COROSYNC] == [f"COROSYNC{n:03}" for n in range(1, len(COROSYNC) + 1)]
    assert [r.code for r in DLM] == [f"DLM{n:03}" for n in range(1, len(DLM) + 1)]


@pytest.mark.parametrize("rule", EVERY, ids=lambda rule: rule.code)
def test_each_rule_tells_bad_from_good(rule: Rule[Any]) -> None:
    assert rule.code in codes(rule, rule.bad)
    assert rule.code not in codes(rule, rule.good)
    assert rule.summary.endswith(".")


@pytest.mark.parametrize("rule", [COROSYNC[0], DLM[0]], ids=lambda rule: rule.code)
def test_a_good_file_gives_no_finding(rule: Rule[Any]) -> None:
    assert codes(rule, rule.good) == []


@pytest.mark.parametrize("rule", EVERY, ids=lambda rule: rule.code)
def test_what_can_be_mended_is_mended(rule: Rule[Any]) -> None:
    model = rule.model.parse(rule.bad)
    for found in model.validate():
        if found.fix and found.code == rule.code:
            assert rule.code not in codes(rule, str(model.document.apply(found.fix)))


def test_findings_point_at_the_place() -> None:
    text = COROSYNC[0].good.replace("cluster_name: nas", "cluster_name: nas # ours")
    found = {each.code: each for each in CorosyncCluster.parse(text, "c").validate()}
    comment = found["COROSYNC007"]
    assert (comment.path, comment.line, comment.column) == ("c", 3, 2)


def test_a_comment_after_a_number_makes_it_unreadable() -> None:
    text = COROSYNC[0].good.replace("two_node: 1", "two_node: 1 # two")
    assert "COROSYNC900" in codes(COROSYNC[0], text)


def test_a_misspelled_key_is_told() -> None:
    text = COROSYNC[0].good.replace("nodeid: 1", "id: 1")
    assert {"COROSYNC901", "COROSYNC004"} <= set(codes(COROSYNC[0], text))


def test_udpu_may_encrypt_in_2_only() -> None:
    text = COROSYNC[0].good.replace("version: 2", "version: 2\n transport: udpu")
    assert "COROSYNC011" in codes(COROSYNC[0], text)
    assert "COROSYNC011" not in codes(COROSYNC[0], text, EL7)


def test_an_indented_setting_of_dlm_is_told() -> None:
    assert "DLM000" in codes(DLM[0], DLM[0].good + "\n enable_fencing=1\n")
