"""Every rule of cluster.conf complains about its bad example and not about its good one."""

from __future__ import annotations

from pathlib import Path

import pytest

from clusternas.cman.model import CmanCluster
from clusternas.core.diagnostics import Rule, Severity, rules_of

RULES = rules_of(CmanCluster)
DATA = Path(__file__).parent.parent / "data" / "cman" / "3.0.12"


def codes(text: str) -> list[str]:
    return [found.code for found in CmanCluster.parse(text).validate()]


def test_codes_are_numbered_without_gaps() -> None:
    assert [rule.code for rule in RULES] == [f"CMAN{n:03}" for n in range(1, len(RULES) + 1)]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_each_rule_tells_bad_from_good(rule: Rule[CmanCluster]) -> None:
    assert rule.code in codes(rule.bad)
    assert rule.code not in codes(rule.good)
    assert rule.summary.endswith(".")


def test_a_good_file_gives_no_finding() -> None:
    assert codes(RULES[0].good) == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_what_can_be_mended_is_mended(rule: Rule[CmanCluster]) -> None:
    cluster = CmanCluster.parse(rule.bad)
    for found in cluster.validate():
        if found.fix and found.code == rule.code:
            tree = cluster.document
            assert tree is not None
            assert rule.code not in codes(str(tree.apply(found.fix)))


def test_findings_point_at_the_place() -> None:
    text = '<cluster name="nas" config_version="1">\n <cman two_node="1"\n  expected_votes="2"/>\n'
    text += ' <clusternodes>\n  <clusternode name="a" nodeid="1"/>\n'
    text += '  <clusternode name="b" nodeid="2"/>\n </clusternodes>\n</cluster>\n'
    found = {each.code: each for each in CmanCluster.parse(text, "cluster.conf").validate()}
    votes = found["CMAN004"]
    assert (votes.path, votes.line, votes.column) == ("cluster.conf", 3, 3)
    assert votes.severity is Severity.ERROR
    assert found["CMAN007"].line in (5, 6)


def test_the_articles_cluster_is_told_off_for_its_fencing() -> None:
    found = codes((DATA / "article-cluster.conf").read_text())
    assert found.count("CMAN008") == 2
    assert {"CMAN012", "CMAN016"} <= set(found)
    assert "CMAN007" not in found


def test_a_finding_can_be_silenced_by_a_comment() -> None:
    text = (DATA / "article-cluster.conf").read_text()
    device = '<fencedevice name="linux-nas01" agent="fence_manual"/>'
    comment = "<!-- clusternas: ignore[CMAN008] -->"
    assert codes(text.replace(device, f"{comment}\n{device}\n")).count("CMAN008") == 1


def test_values_that_cannot_be_read_and_names_nobody_knows() -> None:
    text = RULES[0].good.replace('two_node="1"', 'two_node="yes" two_nodes="1"')
    assert {"CMAN900", "CMAN901"} <= set(codes(text))
