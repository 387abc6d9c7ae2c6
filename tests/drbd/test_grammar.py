"""What each generation of drbdadm refuses, on cases put to the three (drbd-utils 9.22)."""

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
DRBDSETUP = "drbdadm does not look at it, drbdsetup or the kernel then refuses it"
SUFFIX = "a port with a suffix: 7K is read as 7168, which nobody means"
NEWER = "later releases of 9 have it as a keyword"
IGNORED = "9 skips become-primary-on to the next semicolon, whatever stands there"
HELD = {
    ("protocol D", "8.3"): DRBDSETUP,
    ("al-extents 7", "8.4"): DRBDSETUP,
    ("al-extents 7", "9"): DRBDSETUP,
    ("node-id 32", "9"): DRBDSETUP,
    ("volume 65536", "8.4"): DRBDSETUP,
    ("volume 65536", "9"): DRBDSETUP,
    ("choice upper", "8.3"): DRBDSETUP,
    ("choice upper", "8.4"): DRBDSETUP,
    ("port with a suffix", "8.3"): SUFFIX,
    ("port with a suffix", "8.4"): SUFFIX,
    ("port with a suffix", "9"): SUFFIX,
    ("become-primary number", "9"): IGNORED,
    ("become-primary nothing", "9"): IGNORED,
    ("net no-flag yes", "9"): "no-tcp-cork yes: 9 takes the yes and switches it off all the same",
    ("host tiebreaker", "9"): NEWER,
    ("host outside-address", "9"): NEWER,
    ("stacked volumes fewer", "9"): "allowed, as its own source says; it compares the wrong host",
}
"""Where we differ from drbdadm 9.22, since we hold that to be its mistake."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
@pytest.mark.parametrize("generation", TOOLSETS)
def test_refuses_what_drbdadm_refuses(case: dict, generation: str) -> None:
    try:
        found = DrbdConfig.parse(case["text"]).refused_by(TOOLSETS[generation])
    except ParseError as error:
        found = [error]
    held = (case["name"], generation) in HELD
    assert bool(found) is ((generation in case["refused"]) is not held), [
        str(each) for each in found
    ]
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


@pytest.mark.parametrize(
    "text",
    [
        "resource r0 { startup { become-primary-on n2; } on { } on n1 { } }",
        "resource r0 { net { after-sb-0pri discard-node-n2; } on { } on n1 { } }",
        "resource r0 { on n1 { volume { } volume a { } volume 0 { } } volume { } }",
        "resource r0 { on n1 { address ipv6 [fe]:7788; } floating { } floating x; }",
        "resource { connection { host; path { host { } } volume { } } connection-mesh { hosts; } }",
        "resource r0 { stacked-on-top-of { } on n1 { proxy { } } connection { host a port; } }",
    ],
)
@pytest.mark.parametrize("generation", TOOLSETS)
def test_what_is_half_written_is_refused_in_words(text: str, generation: str) -> None:
    config = DrbdConfig.parse(text)
    assert config.refused_by(TOOLSETS[generation])
    assert config.validate()
    assert config.render() == text
