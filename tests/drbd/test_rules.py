"""Every rule complains about its bad example, and not about its good one."""

import pytest

from clusternas.core.diagnostics import Rule, Severity, rules_of
from clusternas.core.versions import Toolset
from clusternas.drbd.files import DrbdFiles
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


HOST = "on nas0{0} {{ device /dev/drbd1; disk /dev/vda3; address {1}10.0.0.{0}:7789; {2} }} "
PAIR = "".join(HOST.format(n, "", "meta-disk internal;") for n in (1, 2))
SAFE = "fencing resource-and-stonith; "
HANDLERS = 'handlers { fence-peer "/f"; unfence-peer "/u"; } '


def r0(inside: str, hosts: str = PAIR) -> str:
    return f"resource r0 {{ {inside} {hosts} }}\n"


TWENTY = {
    "D01": ("DRBD000", r0("").rstrip()[:-1], r0("")),
    "D02": (
        "DRBD002",
        "common { protocol B; }\n" + r0("net { allow-two-primaries; }"),
        "common { protocol C; }\n" + r0("net { allow-two-primaries; }"),
    ),
    "D03": (
        "DRBD003",
        r0("net { allow-two-primaries; fencing resource-only; }"),
        r0(f"net {{ allow-two-primaries; }} disk {{ {SAFE} }}"),
    ),
    "D04": ("DRBD004", r0(f"disk {{ {SAFE} }}"), r0(f"disk {{ {SAFE} }} {HANDLERS}")),
    "D05": (
        "DRBD005",
        r0("net { allow-two-primaries; after-sb-1pri violently-as0p; }"),
        r0("net { allow-two-primaries; after-sb-1pri discard-secondary; }"),
    ),
    "D06": ("DRBD006", r0("") + r0("").replace("r0", "r1"), r0("")),
    "D07": (
        "DRBD007",
        r0("") + r0("").replace("r0", "r1").replace("drbd1", "drbd2").replace("7789", "7790"),
        r0(""),
    ),
    "D08": (
        "DRBD008",
        r0("net { shared-secret x; }"),
        r0("net { shared-secret x; cram-hmac-alg sha1; }"),
    ),
    "D09": ("DRBD009", r0("syncer { rate 30; }"), r0("syncer { rate 30M; }")),
    "D10": (
        "DRBD010",
        r0("connection { host nas01; host nas02; }"),
        r0("net { protocol C; }"),
    ),
    "D11": ("DRBD011", r0("", PAIR.replace("nas01", "disk")), r0("", PAIR.replace("nas01", "d"))),
    "D12": (
        "DRBD900",
        r0("", PAIR.replace("10.0.0.1", "[fd00::1]")),
        r0("", PAIR.replace("10.0.0.1", "ipv6 [fd00::1]")),
    ),
    "D13": ("DRBD013", r0("", PAIR.replace("10.0.0.1", "10.0.0.256")), r0("")),
    "D14": (
        "DRBD014",
        r0("", PAIR + HOST.format(3, "", "")),
        r0("", "".join(HOST.format(n, "", f"node-id {n};") for n in (1, 2, 3))),
    ),
    "D15": ("DRBD015", 'include "no.res";', 'include "no*.res";'),
    "D16": (
        "DRBD016",
        r0("startup { become-primary-on both; }"),
        r0("startup { become-primary-on both; } net { allow-two-primaries; }"),
    ),
    "D18": ("DRBD018", r0("net { timeout 60; timeout 60; }"), r0("net { timeout 60; }")),
    "D19": ("DRBD019", r0("disk { c-max-rate 0; }"), r0("disk { c-max-rate 4M; }")),
    "D20": (
        "DRBD020",
        r0("net { timeout 50; ping-int 5; }"),
        r0("net { timeout 49; ping-int 5; }"),
    ),
}
"""The rules of the project's reference; D17 compares with the cluster, and is NAS003."""


@pytest.mark.parametrize("name", TWENTY)
def test_the_rules_of_the_reference(name: str) -> None:
    code, bad, good = TWENTY[name]
    toolset = EIGHT if name == "D10" else Toolset.UNKNOWN

    def found(text: str) -> list[object]:
        files = DrbdFiles.collect("/etc/drbd.conf", {"/etc/drbd.conf": text})
        return [each for each in files.validate(toolset) if each.code == code]

    assert found(bad)
    assert all(each.line and each.help for each in found(bad))
    assert found(good) == []


@pytest.mark.parametrize(
    ("code", "text", "mended"),
    [
        (
            "DRBD002",
            "resource r0 { net { protocol A; allow-two-primaries; } }",
            "resource r0 { net { protocol C; allow-two-primaries; } }",
        ),
        ("DRBD011", "resource disk { } # disk", 'resource "disk" { } # disk'),
        (
            "DRBD011",
            "resource r0 { on nas-disk disk { } }",
            'resource r0 { on nas-disk "disk" { } }',
        ),
        ("DRBD011", "resource r0 { on 10 { } }", 'resource r0 { on "10" { } }'),
        (
            "DRBD018",
            "common {\n  net {\n    timeout 60;  # six\n    timeout 60;\n  }\n}\n",
            "common {\n  net {\n    timeout 60;\n  }\n}\n",
        ),
        ("DRBD018", "common { net { timeout 60; timeout 50; } }", None),
        ("DRBD009", "common { syncer { rate 30; } }", None),
    ],
)
def test_fixes_are_made_where_they_are_safe(code: str, text: str, mended: str | None) -> None:
    config = DrbdConfig.parse(text)
    (found,) = [each for each in config.validate() if each.code == code]
    assert bool(found.fix) is (mended is not None)
    if mended is not None:
        assert str(config.document.apply(found.fix)) == mended
        assert code not in {each.code for each in DrbdConfig.parse(mended).validate()}


@pytest.mark.parametrize("toolset", [Toolset.UNKNOWN, Toolset.EL9])
def test_becoming_primary_is_mended_for_each_generation(toolset: Toolset) -> None:
    config = DrbdConfig.parse(RULES["DRBD016"].bad)
    (found,) = [each for each in config.validate(toolset) if each.code == "DRBD016"]
    mended = DrbdConfig.parse(str(config.document.apply(found.fix)))
    assert "DRBD016" not in {each.code for each in mended.validate(toolset)}
    kept = mended.resources["r0"].startup.become_primary_on
    assert kept == (("both",) if toolset is Toolset.UNKNOWN else None)


def test_a_victim_that_is_no_host_is_told_of_in_8_x() -> None:
    text = RULES["DRBD024"].bad
    found = [each for each in DrbdConfig.parse(text).validate(EIGHT) if each.code == "DRBD024"]
    assert [each.severity for each in found] == [Severity.WARNING]
    assert found[0].help == "one of nas01, nas02"


def test_order_counts_in_8_x_alone() -> None:
    config = DrbdConfig.parse(RULES["DRBD023"].bad)
    codes = {each.code for each in config.validate(Toolset.EL9)}
    assert "DRBD023" not in codes
    assert "DRBD023" in {each.code for each in config.validate(EIGHT)}


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
