"""Every rule complains about its bad example, and not about its good one."""

import pytest

from clusternas.core.diagnostics import Rule, rules_of
from clusternas.core.versions import Toolset
from clusternas.drbd.model import (
    DrbdCommon,
    DrbdConfig,
    DrbdDisk,
    DrbdHandlers,
    DrbdNet,
    DrbdResource,
    DrbdStartup,
)

EIGHT = Toolset(drbd="8.4.11")
RULES = {
    each.code: each
    for model in (DrbdConfig, DrbdResource, DrbdNet, DrbdDisk)
    for each in rules_of(model)
}


def codes(rule: Rule, text: str) -> set[str]:
    toolset = EIGHT if rule.code == "DRBD010" else Toolset.UNKNOWN
    return {each.code for each in DrbdConfig.parse(text).validate(toolset)}


@pytest.mark.parametrize("code", sorted(RULES))
def test_examples(code: str) -> None:
    rule = RULES[code]
    assert rule.summary
    assert rule.link
    assert code in codes(rule, rule.bad)
    assert code not in codes(rule, rule.good)


def test_fixes_mend() -> None:
    for code in ("DRBD002", "DRBD016"):
        config = DrbdConfig.parse(RULES[code].bad)
        (found,) = [each for each in config.validate() if each.code == code]
        assert found.fix
        mended = str(config.document.apply(found.fix))
        assert code not in {each.code for each in DrbdConfig.parse(mended).validate()}


def test_common_counts() -> None:
    text = """common {
  net { fencing resource-and-stonith; }
  handlers { fence-peer "/f"; unfence-peer "/u"; }
}
resource r0 { net { protocol C; allow-two-primaries yes; } }
"""
    found = {each.code for each in DrbdConfig.parse(text).validate()}
    assert not found & {"DRBD003", "DRBD004"}
    made = DrbdConfig(
        common=DrbdCommon(
            net=DrbdNet(fencing="resource-and-stonith"),
            handlers=DrbdHandlers(fence_peer="/f", unfence_peer="/u"),
        ),
        resources=[DrbdResource(name="r0", net=DrbdNet(allow_two_primaries=True))],
    )
    assert not {each.code for each in made.validate()} & {"DRBD003", "DRBD004"}


def test_the_place_is_the_statement_even_in_common() -> None:
    text = "common {\n  net {\n    allow-two-primaries;\n  }\n}\nresource r0 { }\n"
    (found,) = [each for each in DrbdConfig.parse(text).validate() if each.code == "DRBD003"]
    assert (found.line, found.column) == (3, 5)


def test_the_article_has_these_findings() -> None:
    r0 = DrbdResource(
        name="r0",
        net=DrbdNet(protocol="C", after_sb_0pri="discard-zero-changes"),
        startup=DrbdStartup(become_primary_on=("both",)),
    )
    assert "DRBD016" in {each.code for each in r0.validate()}
    nine = {each.code: each.message for each in r0.validate(Toolset.EL9)}
    assert nine["DRBD016"] == "DRBD 9 ignores become-primary-on"
