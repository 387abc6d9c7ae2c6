"""What each generation of drbdadm refuses, on 120 cases put to the three (drbd-utils 9.22)."""

import json
from pathlib import Path

import pytest

from clusternas.core.errors import ParseError
from clusternas.core.versions import Toolset
from clusternas.drbd.model import DrbdConfig

CASES = json.loads((Path(__file__).parent.parent / "data/drbd/edge-cases.json").read_text())
TOOLSETS = {
    "8.3": Toolset(drbd="8.3.16"),
    "8.4": Toolset(drbd="8.4.11"),
    "9": Toolset(drbd="9.1.19"),
}
LENIENT = {
    ("protocol D", "8.3"): "drbdadm takes any protocol, drbdsetup then refuses it",
    ("al-extents 7", "8.4"): "drbdadm does not look at the range, drbdsetup does",
    ("al-extents 7", "9"): "drbdadm does not look at the range, drbdsetup does",
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
@pytest.mark.parametrize("generation", TOOLSETS)
def test_refuses_what_drbdadm_refuses(case: dict, generation: str) -> None:
    try:
        found = DrbdConfig.parse(case["text"]).refused_by(TOOLSETS[generation])
    except ParseError as error:
        found = [error]
    expected = generation in case["refused"] or (case["name"], generation) in LENIENT
    assert bool(found) is expected, [str(each) for each in found]
    assert all(each.message and each.line for each in found)


def first(text: str, toolset: Toolset) -> tuple[str, str, int]:
    found = DrbdConfig.parse(text).refused_by(toolset)[0]
    return found.message, found.help, found.line


def test_messages_say_what_to_do() -> None:
    eight = TOOLSETS["8.4"]
    assert first("resource disk { }", eight) == (
        "'disk' is a keyword of DRBD",
        'write it in quotes: "disk"',
        1,
    )
    assert first("resource r0 {\n  options { quorum all; }\n}", eight)[:2] == (
        "quorum is not understood here by drbd 8.4.11",
        "render it for that toolset, or leave it out",
    )
    assert first("resource r0 { net { } net { } }", eight)[:2] == (
        "net stands twice",
        "it stands in line 1 already",
    )
    assert first("resource r0 { connection { } }", eight) == (
        "DRBD 8.4 knows no 'connection' in resource",
        "DRBD 9 would read it: render it for this one",
        1,
    )
