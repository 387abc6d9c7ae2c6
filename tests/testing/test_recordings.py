"""In each state of the lab the fake nodes print what the real machines printed, numbers aside."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from clusternas.core.errors import CommandNotFound, CommandTimeout
from clusternas.testing import FakeCluster

LAB = Path(__file__).parents[1] / "data" / "lab"
FILES = sorted(path.stem for path in LAB.glob("*.json"))
ONLY_EXIT_CODES = {
    "drbdsetup status --json",  # a page of usage, where the module is 8.4
    "rndc status",  # the kernel and the counters of that machine
    "smbclient -L localhost -U nasuser%secret",  # the share had no comment, and it can say why not
}
NOT_FOUND, LATE = 127, 124
MASKS = [
    (r"[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d (UTC )?\d{4}", "DATE"),
    (r"\b\w{6}-(\w{4}-){5}\w{6}\b", "LVM-UUID"),
    (r"\b[\da-f]{8}-([\da-f]{4}-){3}[\da-f]{12}\b", "UUID"),
    (r"(Ring ID: +\d+\.)[\da-f]+", r"\1HEX"),
    (r" congested:yes| congested:no", ""),
    (r"-\d~deb\w*-Debian|; COOKIE.*\n", ""),
    (r"(?<=version: 0, flags:; udp: )\d+", "SIZE"),
    (r"/etc/bind/|/var/named/", "DIR/"),
    (r"\d+", "#"),
    (r"\s+\n", "\n"),
]


def shape(text: str) -> str:
    for pattern, mask in MASKS:
        text = re.sub(pattern, mask, text)
    return text


def answer(cluster: FakeCluster, node: str, command: str) -> tuple[int, str, str]:
    try:
        output = cluster[node].shell(command.replace("/etc/bind/", "/var/named/"))
    except CommandNotFound:
        return NOT_FOUND, "", ""
    except CommandTimeout:
        return LATE, "", ""
    return output.exit_code, shape(output.text), shape(output.error_text)


@pytest.mark.parametrize("name", FILES)
def test_the_fakes_print_what_the_machines_printed(
    name: str, lab_state: Callable[[str], FakeCluster]
) -> None:
    state, _, node = name.rpartition(".")
    cluster = lab_state(state)
    different = {}
    for recorded in json.loads((LAB / f"{name}.json").read_text()):
        command = recorded["command"]
        got = answer(cluster, node, command)
        want = (recorded["exit_code"], shape(recorded["stdout"]), shape(recorded["stderr"]))
        if want[0] in (NOT_FOUND, LATE):
            want = (want[0], "", "")
        if got != want and not (command in ONLY_EXIT_CODES and got[0] == want[0]):
            different[command] = (want, got)
    assert different == {}
