"""In each state of the lab the fake nodes answer as the real machines did.

What a comparison leaves out stands here, and nowhere else: `MASKS` for numbers and names that are
those of one machine or moment, `VIEWS` for parts of an output, `LEFT_OUT` for whole commands. A
number of one digit is an answer (an id, votes, how many members) unless `COUNTERS` names it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection
from pathlib import Path

import pytest

from clusternas.core.errors import CommandNotFound, CommandTimeout
from clusternas.testing import FakeCluster

LAB = Path(__file__).parents[1] / "data" / "lab"
CLUSTERLAB = Path(__file__).parents[1] / "lab" / "clusterlab"
FILES = sorted(path.stem for path in LAB.glob("*.json"))
NOT_FOUND, LATE = 127, 124
LEFT_OUT = {
    "dmsetup info -c": "a table of the kernel; LVM's own commands say it",
    "gfs2_edit -p jindex /dev/drbd_vg/drbd_lv": "blocks on the disk; the fakes have no blocks",
    "gfs2_edit -p sb /dev/drbd_vg/drbd_lv": "the same",
    "ip -br addr": "the cards and addresses of one machine",
    "ip -j addr": "the same",
    "ip route": "the same",
    "lsblk -f": "how full a file system is; the fakes print trees as JSON only",
    "named-checkconf -p": "how named spells named.conf again",
    "pvs --reportformat json --units b -o+pv_all": "all columns; the fakes know what is asked for",
    "vgs --reportformat json --units b -o+vg_all": "the same",
    "lvs --reportformat json --units b -o+lv_all,seg_all": "the same",
    "timeout 5 df -B1 /opt": "how full the file system is",
}
ONLY_EXIT_CODES = {
    "ctdb leader": "any node may win the election",
    "rndc status": "the kernel and the counters of that machine",
}
KERNEL_ONLY = "file systems of the kernel itself, such as /proc, are those of the machine's system"

COMPUTED = (
    "internal_configuration.",
    "resources.",
    "runtime.blackbox.",
    "runtime.config.",
    "runtime.force_gather",
    "runtime.services.",
)


COUNTERS = (
    # What DRBD has read and written, and what is under way
    r"\b(ns|nr|dw|dr|al|lo|pe|ua|ap|read|written|al-writes|received|sent"
    r"|(?:upper-|lower-)?pending|unacked|Query time):( ?)\d+",
    # What DLM and corosync have seen since they started, and how often a fence agent was tried
    r"\b(seq|join_count \(u32\) =)( )\d+(?:[, ]\d+)?",
    r"\b(nodedown pid \d+ actor \d+ fail|fence 0 now)( )\d+",
)


def flags(match: re.Match[str]) -> str:
    """Digits that are answers and no counters."""
    return match[0].replace("0", "no").replace("1", "yes")


MASKS: list[tuple[str, str | Callable[[re.Match[str]], str]]] = [
    (r"[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d (UTC )?\d{4}", "DATE"),
    (r"\b\d{4}-\d\d-\d\dT[\d:.]+\+[\d:]+", "TIME"),
    (r"\b\w{6}-(\w{4}-){5}\w{6}\b", "LVM-UUID"),
    (r"\b0x[\dA-F]{8}\b", "HASH"),
    (r"\b[\da-f]{8}-([\da-f]{4}-){3}[\da-f]{12}\b", "UUID"),
    (r"(UUID=\"?)[\da-f]{16}\b", r"\1ID"),
    (r"(PARTUUID=\"?)[\da-f]{8}(?=-\d)", r"\1ID"),
    # The history of generations: DRBD keeps two, and numbers them in its own way
    (r"\b[\dA-F]{16}:(0{16}):[\dA-F]{16}:[\dA-F]{16}(?=:)", "CURRENT:NONE:HISTORY"),
    (r"\b[\dA-F]{16}(:[\dA-F]{16}){3}(?=:)", "CURRENT:BASE:HISTORY"),
    (r"(?<=HISTORY):[01:]+", flags),
    (r"(LV Creation host, time )\w+", r"\1HOST"),
    (r"\bLeader:\d+", "Leader:PNN"),
    # What smbd numbers its clients and their files by
    (r'("(?:\w*_id|devid|inode)": "?)\d+', r"\1ID"),
    (r'"\d+(?::\d+/\d+)?": \{', '"ID": {'),
    (r"(Ring ID: +\d+\.)[\da-f]+", r"\1HEX"),
    (r" congested:yes| congested:no", ""),
    (r"-\d~deb\w*-Debian|-Debian\b|; COOKIE.*\n", ""),
    (r"(?<=version: 0, flags:; udp: )\d+", "SIZE"),
    (r"(?m)^(Built-in features|Available [\w ]+ models|  Configuration): .*\n", ""),  # the build
    *((counter, r"\1\2#") for counter in COUNTERS),
    (r"\b(oos|out-of-sync):[1-9]\d*", r"\1:some"),
    (r"(?<![\d.,])\d+(:\d\d:\d\d|[.,]\d+)(?![\d.,])", "#"),  # times, shares and speeds
    (r"\d\d+", "#"),
    (r"\s+\n", "\n"),
]


def shape(text: str) -> str:
    for pattern, mask in MASKS:
        text = re.sub(pattern, mask, text)
    return text


def plain(text: str) -> str:
    return text


def values(text: str) -> str:
    """JSON without its layout."""
    return json.dumps(json.loads(text), indent=1) if text else text


def on_devices(text: str) -> str:
    """Mounts of block devices; those of the kernel, such as /proc, are the system's."""
    return "".join(row for row in text.splitlines(keepends=True) if row.startswith("/dev/"))


def tree_on_devices(text: str) -> str:
    """The same of findmnt's tree."""
    tree = json.loads(text)
    rows = list(tree["filesystems"])
    for row in rows:
        rows += row.pop("children", [])
    return json.dumps([row for row in rows if row["source"].startswith("/dev/")], indent=1)


def in_order(text: str) -> str:
    """Lines in the order in which blkid came across devices, and smbd opened databases."""
    return "".join(sorted(text.splitlines(keepends=True)))


def paragraphs_in_order(text: str) -> str:
    """The same of paragraphs."""
    return "\n\n".join(sorted(text.strip().split("\n\n")))


def words_in_order(text: str) -> str:
    """Which nodes have addresses; CTDB chooses who has which."""
    return " ".join(sorted(re.findall(r"[^\s|]+", text)))


def configured(text: str) -> str:
    """Keys of corosync that are no counters and no timeouts it works out."""
    rows = (row for row in text.splitlines(keepends=True) if not row.startswith(COMPUTED))
    return "".join(rows)


def unaligned(text: str) -> str:
    """Columns that are as wide as a number of this machine."""
    return re.sub(" +", " ", text)


def unwrapped(text: str) -> str:
    """Counters that drbdsetup breaks into lines by how many digits they have."""
    return re.sub(r"\n {6}(?=\S+-pending:)", " ", text)


VIEWS: dict[str, Callable[[str], str]] = {
    "blkid": in_order,
    "corosync-cmapctl": configured,
    "corosync-cpgtool": unaligned,
    "blkid -o export": paragraphs_in_order,
    "cat /proc/mounts": on_devices,
    "ctdb getdbmap -X": in_order,
    "ctdb ip": words_in_order,
    "ctdb ip -X": words_in_order,
    "ctdb ip all": words_in_order,
    "dig @127.0.0.1 lab.test NS": in_order,
    "drbdsetup status --verbose --statistics": unwrapped,
    "findmnt -J": tree_on_devices,
    "lsblk -J": values,
    "mount": on_devices,
    "smbstatus --json": values,
}


def answer(cluster: FakeCluster, node: str, command: str) -> tuple[int, str, str]:
    try:
        output = cluster[node].shell(command)
    except CommandNotFound:
        return NOT_FOUND, "", ""
    except CommandTimeout:
        return LATE, "", ""
    return seen(command, output.exit_code, output.text, output.error_text)


def seen(command: str, exit_code: int, stdout: str, stderr: str) -> tuple[int, str, str]:
    if exit_code in (NOT_FOUND, LATE):
        return exit_code, "", ""
    view = VIEWS.get(command, plain) if exit_code == 0 else plain
    return exit_code, shape(view(stdout)), shape(stderr)


RECORDER = (CLUSTERLAB / "recorder.py").read_text()
ASKED = re.findall(r"(?m)^    (\S.*)$", RECORDER.partition('COMMANDS = """')[2].partition('"""')[0])
RECORDED = sorted(
    name
    for path in CLUSTERLAB.glob("*.py")
    for name in re.findall(r"\.record\(\"(.*?)\"\)", path.read_text())
)


def test_every_state_has_a_scene(lab_states: Collection[str]) -> None:
    """A new recording in tests/data/lab is compared without more code."""
    assert {*RECORDED, *(name.rpartition(".")[0] for name in FILES)} <= set(lab_states)


@pytest.mark.parametrize("state", RECORDED)
def test_the_fakes_answer_all_that_the_recorder_asks(
    state: str, lab_state: Callable[[str], FakeCluster]
) -> None:
    cluster = lab_state(state)
    assert ASKED
    assert not LEFT_OUT.keys() & set(ASKED)
    for node in cluster.alive():
        missing = [each for each in ASKED if answer(cluster, node.name, each)[0] == NOT_FOUND]
        assert missing == []


@pytest.mark.parametrize("name", FILES)
def test_the_fakes_answer_what_the_machines_answered(
    name: str, lab_state: Callable[[str], FakeCluster]
) -> None:
    state, _, node = name.rpartition(".")
    cluster = lab_state(state)
    different = {}
    for recorded in json.loads((LAB / f"{name}.json").read_text()):
        command = recorded["command"]
        if command in LEFT_OUT:
            continue
        got = answer(cluster, node, command)
        want = seen(**recorded)
        if got != want and not (command in ONLY_EXIT_CODES and got[0] == want[0]):
            different[command] = (want, got)
    assert different == {}
