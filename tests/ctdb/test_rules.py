"""The rules: each complains about its bad example, not its good one, and points at the place."""

from __future__ import annotations

import pytest

from clusternas.core.diagnostics import Rule, rules_of
from clusternas.core.model import Model
from clusternas.core.text import apply
from clusternas.core.versions import Toolset
from clusternas.ctdb.model import CtdbCluster, CtdbConfig, CtdbLegacy
from clusternas.ctdb.tables import (
    CtdbNodes,
    CtdbPublicAddresses,
    CtdbScriptOptions,
    CtdbTunables,
)

MODELS = (CtdbConfig, CtdbNodes, CtdbPublicAddresses, CtdbTunables, CtdbScriptOptions)
RULES = {
    rule.code: rule for model in (*MODELS, CtdbCluster, CtdbLegacy) for rule in rules_of(model)
}
each_rule = pytest.mark.parametrize(
    "rule", [rule for rule in RULES.values() if rule.bad], ids=lambda rule: rule.code
)


def codes(rule: Rule[Model], text: str) -> list[str]:
    model = rule.model if rule.model in MODELS else CtdbConfig
    return [one.code for one in model.parse(text).validate()]


@each_rule
def test_it_complains_about_the_bad_example_alone(rule: Rule[Model]) -> None:
    assert rule.code in codes(rule, rule.bad)
    assert rule.code not in codes(rule, rule.good)


@each_rule
def test_a_fix_mends_it(rule: Rule[Model]) -> None:
    model = rule.model if rule.model in MODELS else CtdbConfig
    for one in model.parse(rule.bad).validate():
        if one.fix:
            assert one.code not in codes(rule, apply(rule.bad, one.fix))


def test_a_public_address_that_is_private() -> None:
    config = CtdbConfig(
        cluster=CtdbCluster(cluster_lock="/opt/x"),
        nodes=["10.0.0.1", "10.0.0.2"],
        public_addresses=["10.0.0.2/24 eth0"],
    )
    assert [one.code for one in config.validate()] == ["CTDB008"]


def test_files_beside_are_checked_with_it() -> None:
    config = CtdbConfig(
        cluster=CtdbCluster(cluster_lock="/opt/x"), nodes=CtdbNodes.parse("# a\nhost\n", "nodes")
    )
    found = {(one.path, one.line, one.code) for one in config.validate()}
    assert ("nodes", 1, "CTDB004") in found
    assert ("nodes", 2, "CTDB902") in found


def test_unknown_options_come_with_a_guess() -> None:
    text = "[cluster]\ncluster lock = /x\nCluster  Lock = /x\n[custer]\na = b\n"
    found = CtdbConfig.parse(text).validate()
    assert [one.code for one in found] == ["CTDB001", "CTDB001"]
    assert {one.help for one in found} == {
        "did you mean 'cluster lock'?",
        "did you mean 'cluster'?",
    }


def test_the_old_name_of_the_lock_is_right_for_old_versions() -> None:
    config = CtdbConfig.parse("[cluster]\nrecovery lock = /x\n")
    assert [one.code for one in config.validate(Toolset(ctdb="4.15"))] == []
    assert [one.code for one in config.validate(Toolset(ctdb="4.17"))] == ["CTDB003"]


def test_what_works_is_not_complained_of() -> None:
    text = "[logging]\n\tlog level = NOTICE\n[cluster]\n\tcluster lock = /opt/.ctdb/reclock\n"
    assert CtdbConfig.parse(text).validate(Toolset.DEBIAN12) == []
