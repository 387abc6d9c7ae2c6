"""The table of options, held against the three drbdadm and drbdsetup of drbd-utils 9.22.

No kernel module is needed: `-d` prints what drbdadm would do, as the host of `__DRBD_NODE__`.
"""

import subprocess
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator

import pytest
from drbdadm import TOOLSETS, config

from clusternas.drbd.model import DrbdConfig
from clusternas.drbd.options import GENERATIONS, OPTIONS, DrbdOption, readable

SETUP = {"8.3": "/lib/drbd/drbdsetup-83", "8.4": "/lib/drbd/drbdsetup-84", "9": "drbdsetup"}
each_generation = pytest.mark.parametrize("generation", GENERATIONS)

HELP = {
    "8.3": {"net": ("xml", "net"), "disk": ("xml", "disk"), "syncer": ("xml", "syncer")},
    "8.4": {
        "net": ("xml-help", "connect"),
        "disk": ("xml-help", "attach", "disk-options"),
        "options": ("xml-help", "resource-options"),
    },
    "9": {
        "net": ("xml-help", "new-peer"),
        "disk": ("xml-help", "attach", "disk-options", "peer-device-options"),
        "options": ("xml-help", "resource-options"),
    },
}
NOT_IN_FILES = {
    "set-defaults", "discard-my-data", "tentative", "dry-run", "alternate-address",
    "alternate-peer-address", "_name",
}  # fmt: skip
UNITS = {
    ("1", "bytes"): "bytes", ("k", "bytes/second"): "KiB/s", ("s", "bytes"): "sectors",
    ("s", "byte"): "sectors", ("1", "1/10 seconds"): "1/10 s", ("1", "seconds"): "s",
    ("1", "milliseconds"): "ms", ("1", ""): "",
}  # fmt: skip
KINDS = {"numeric": "number", "handler": "choice", "numeric-or-symbol": "number or choice"}


def described(tool: str, words: tuple[str, ...]) -> Iterator[ElementTree.Element]:
    kind, *verbs = words
    for verb in verbs:
        done = subprocess.run(
            [tool, kind, verb], capture_output=True, text=True, check=True, timeout=30
        )
        yield from ElementTree.fromstring(done.stdout).iter("option")


def compare(option: DrbdOption, found: ElementTree.Element, generation: str) -> Iterator[str]:
    """What the table says otherwise than the tool."""
    kind = KINDS.get(str(found.get("type")), found.get("type"))
    texts = {child.tag: child.text for child in found}
    if option.name == "resync-after":  # a number for the kernel, a name in the file
        return
    if kind != option.kind:
        yield f"kind {kind}"
    if kind == "number":
        bounds = option.ranges[generation]
        have = (str(bounds.minimum), str(bounds.maximum), str(bounds.default))
        if have != (texts["min"], texts["max"], texts["default"]):
            yield f"range {texts}"
        unit = UNITS[str(texts["unit_prefix"]), texts.get("unit") or ""]
        if unit != option.unit and option.name != "rs-discard-granularity":  # 8.4 says none
            yield f"unit {unit}"
    if kind == "choice":
        words = {child.text for child in found if child.tag == "handler"}
        if words != set(option.values[generation]) - {"panic"}:  # read, but not for drbdsetup
            yield f"values {words}"
    if kind == "boolean" and generation != "8.3" and texts["default"] != option.default:
        yield f"default {texts['default']}"


@each_generation
def test_the_table_is_what_drbdsetup_says(oracle, generation: str) -> None:
    tool = oracle(SETUP[generation], package="drbd-utils")
    for section, words in HELP[generation].items():
        found = {str(each.get("name")): each for each in described(tool, words)}
        table = {
            row.place(generation)[1]: row
            for row in OPTIONS.values()
            if (row.place(generation) or ("",))[0] == section and row.since != "9.2"
        }
        assert set(found) - NOT_IN_FILES == set(table) - {"use-bmbv" if generation == "8.4" else ""}
        wrong = {
            name: list(compare(row, found[name], generation))
            for name, row in table.items()
            if name in found
        }
        assert {name: what for name, what in wrong.items() if what} == {}


def sample(option: DrbdOption, generation: str) -> str:
    if option.kind.startswith("number"):
        return str(option.ranges[generation].minimum)
    return option.values[generation][0] if option.kind == "choice" else "abc"


@each_generation
def test_each_option_is_read_where_the_table_says(tools, generation: str) -> None:
    everywhere = {place for each in GENERATIONS for place in readable(each)}
    here = readable(generation)
    wrong = []
    for section, name in sorted(everywhere):
        option = here.get((section, name)) or next(
            readable(each)[section, name]
            for each in GENERATIONS
            if (section, name) in readable(each)
        )
        if option.since == "9.2" or section in ("proxy", "common"):
            continue
        bare = option.kind in ("boolean", "flag")
        value = (
            "" if bare else f" {sample(option, generation if generation in option.ranges else '9')}"
        )
        accepted = tools[generation].reads(config(section, f"{name}{value};"))
        if accepted is not ((section, name) in here):
            wrong.append((section, name, accepted))
    assert wrong == []


PROXY = {"memlimit", "read-loops", "compression"}
UNLOOKED = {
    "8.3": PROXY | {"disk-timeout", "max-bio-bvecs", "unplug-watermark", "ping-timeout"},
    "8.4": PROXY
    | {"disk-timeout", "max-bio-bvecs", "unplug-watermark", "ping-timeout", "bwlimit"}
    | {"al-extents", "rs-discard-granularity", "socket-check-timeout"},
    "9": PROXY | {"al-extents", "transport", "bwlimit"},
}
"""Options whose values drbdadm hands on as they are; drbdsetup or the kernel then refuses them."""


def held(option: DrbdOption, name: str, value: str, generation: str) -> bool:
    """Whether we refuse what drbdadm reads, since it looks at the value too late or never."""
    if option.name in UNLOOKED[generation]:
        return True
    if generation == "9":  # it takes an option without its value, and `no-tcp-cork yes;`
        return not value or name.startswith("no-")
    return option.kind == "choice"


def values(option: DrbdOption, generation: str) -> Iterator[str]:
    """What may stand behind an option, and what may not."""
    yield from ("", "abc", '"a b"', "10", "yes", "no")
    if generation in option.ranges:
        bounds = option.ranges[generation]
        low, high = bounds.minimum, bounds.maximum
        yield from map(str, (low, high, low - 1, high + 1))
        yield from ("1k", "1K", "2M", "1G", "3s", "1S", "1.5M", "1MB")
    yield from {word for words in option.values.values() for word in words}
    if option.limit:
        yield from ("x" * option.limit, "x" * (option.limit + 1))


@each_generation
def test_each_value_is_judged_as_drbdadm_does(tools, generation: str) -> None:
    wrong = []
    for (section, name), option in sorted(readable(generation).items()):
        if option.since == "9.2":
            continue
        for value in values(option, generation):
            text = config(section, f"{name} {value};".replace(" ;", ";"))
            theirs = tools[generation].reads(text)
            ours = not DrbdConfig.parse(text).refused_by(TOOLSETS[generation])
            if ours is not theirs and (ours or not held(option, name, value, generation)):
                wrong.append((section, name, value, theirs))
    assert wrong == []
