"""Decoders of what ctdb prints, against recordings."""

from __future__ import annotations

import contextlib
import json
import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusternas.core.command import Output
from clusternas.core.errors import ParseError
from clusternas.ctdb import status
from clusternas.ctdb.status import NodeStatus, PublicIp, ScriptStatus

DATA = Path(__file__).parents[1] / "data" / "ctdb" / "4.17.12"
WELL = "06-full-cluster-ok"
KILLED = "10-peer-killed-fenced"
BANNED = "14-node-banned"


def recorded(state: str, name: str) -> Output:
    errors = DATA / state / f"{name}.stderr"
    output = DATA / state / f"{name}.txt"
    return Output(
        stdout=output.read_bytes() if output.exists() else b"",
        stderr=errors.read_bytes() if errors.exists() else b"",
    )


def said(text: str) -> Output:
    return Output(stdout=text.encode())


def test_status_of_a_healthy_cluster() -> None:
    found = status.decode_status(recorded(WELL, "ctdb-status"))
    assert found.nodes == (
        NodeStatus(pnn=0, address="10.10.10.1", this=True),
        NodeStatus(pnn=1, address="10.10.10.2"),
    )
    assert (found.generation, found.leader, found.vnn_map) == (1790270030, 1, (0, 1))
    assert found.healthy
    assert found.this == found.nodes[0]


def test_status_with_a_dead_node() -> None:
    found = status.decode_status(recorded(KILLED, "ctdb-status"))
    assert found.nodes[1].flags == {"disconnected", "unhealthy", "inactive"}
    assert not found.healthy


def test_status_with_a_banned_node() -> None:
    found = status.decode_status(recorded(BANNED, "ctdb-status"))
    assert found.nodes[1].flags == {"banned", "inactive"}
    assert found.this is not None
    assert found.this.ok
    assert not found.healthy
    assert found.vnn_map == (0,)
    told = status.decode_ips(recorded(BANNED, "ctdb-ip-X"))
    assert {each.node for each in told} == {0}


def test_status_during_a_recovery_has_no_generation_and_no_leader() -> None:
    text = (
        "Number of nodes:1\npnn:0 10.0.0.1        BANNED|INACTIVE (THIS NODE)\nGeneration:INVALID\n"
        "Size:0\nRecovery mode:RECOVERY (1)\nLeader:UNKNOWN\n"
    )
    found = status.decode_status(said(text))
    assert (found.generation, found.leader, found.recovering) == (None, None, True)


def test_the_recovery_master_of_old_versions_is_the_leader() -> None:
    text = recorded(WELL, "ctdb-status").text.replace("Leader:", "Recovery master:")
    assert status.decode_status(said(text)).leader == 1


def test_json_says_what_the_text_says() -> None:
    flags = dict.fromkeys(["disconnected", "unknown", "disabled", "banned", "unhealthy"], False)
    node = {"partially_online": False, "flags_raw": 0, "flags": flags, "this_node": False}
    found = {
        "node_status": {
            "node_count": 2,
            "nodes": {
                "0": {**node, "pnn": 0, "address": "10.10.10.1", "this_node": True},
                "1": {**node, "pnn": 1, "address": "10.10.10.2"},
                "2": {**node, "pnn": 2, "address": "10.10.10.3", "flags": {"deleted": True}},
            },
        },
        "vnn_status": {
            "generation": 1790270030,
            "vnn_map": [{"hash": 0, "lmaster": 0}, {"hash": 1, "lmaster": 1}],
        },
        "recovery_mode_raw": 0,
        "leader": 1,
        "new": "later",
    }
    text = status.decode_status(recorded(WELL, "ctdb-status"))
    assert status.decode_json(said(json.dumps(found))) == text


@pytest.mark.parametrize("state", [WELL, KILLED])
def test_machine_tables_say_what_the_text_says(state: str) -> None:
    text = status.decode_status(recorded(state, "ctdb-status")).nodes
    assert status.decode_nodes(recorded(state, "ctdb-status-X")) == text


def test_frames_of_colons_before_4_2() -> None:
    text = (
        ":Node:IP:Disconnected:Banned:Disabled:Unhealthy:Stopped:Inactive:PartiallyOnline:ThisNode:\n"
        ":0:10.0.0.1:0:0:1:0:0:0:1:Y:\n"
    )
    (node,) = status.decode_nodes(said(text))
    assert node.flags == {"disabled", "partially online"}
    assert node.this
    assert not node.ok


@pytest.mark.parametrize(
    ("code", "flags"),
    [
        (0, set()),
        (4, {"disabled"}),
        (12, {"disabled", "banned"}),
        (3, {"disconnected", "unhealthy"}),
    ],
)
def test_the_exit_code_of_nodestatus_is_its_flags(code: int, flags: set[str]) -> None:
    assert status.exit_flags(code) == flags


def test_public_addresses() -> None:
    assert status.decode_ips(recorded(WELL, "ctdb-ip-X")) == (
        PublicIp(address="192.168.1.21", node=1),
        PublicIp(address="192.168.1.22", node=0),
    )


def test_an_address_that_nobody_has() -> None:
    text = (
        "|Public IP|Node|ActiveInterfaces|AvailableInterfaces|ConfiguredInterfaces|\n"
        "|10.1.1.1|-1||eth0|eth0,eth1|\n"
    )
    expected = PublicIp(address="10.1.1.1", available=("eth0",), configured=("eth0", "eth1"))
    assert status.decode_ips(said(text)) == (expected,)


def test_databases() -> None:
    found = {each.name: each for each in status.decode_databases(recorded(WELL, "ctdb-getdbmap-X"))}
    assert found["passdb.tdb"].persistent
    assert not found["locking.tdb"].persistent
    assert len(found) == 16


def test_interfaces() -> None:
    text = "|Name|LinkStatus|References|\n|eth2|1|2|\n|eth1|0|4|\n"
    found = status.decode_interfaces(said(text))
    assert [(each.name, each.up, each.references) for each in found] == [
        ("eth2", True, 2),
        ("eth1", False, 4),
    ]


def test_nodes_file_and_capabilities() -> None:
    listed = status.decode_listnodes(recorded(WELL, "ctdb-listnodes-X"))
    assert listed == {0: "10.10.10.1", 1: "10.10.10.2"}
    capabilities = status.decode_capabilities(recorded(WELL, "ctdb-getcapabilities"))
    assert capabilities == {"leader": True, "lmaster": True}


def test_event_scripts() -> None:
    found = status.decode_scripts(recorded(WELL, "ctdb-scriptstatus"))
    assert found[-1] == ScriptStatus(
        name="50.samba", status="OK", duration=11.08, time="Mon Nov 23 11:29:06 2026"
    )
    assert found == status.decode_scripts(recorded(WELL, "ctdb-event-status"))


def test_an_event_script_that_failed_says_why() -> None:
    text = (
        "00.ctdb              OK         0.013 Mon Nov 23 09:45:08 2026\n"
        "49.winbind           DISABLED  \n"
        "50.samba             ERROR      0.002 Mon Nov 23 09:45:08 2026\n"
        "  OUTPUT: ERROR: samba tcp port 445 is not responding\nand more\n"
    )
    found = status.decode_scripts(said(text))
    assert [each.status for each in found] == ["OK", "DISABLED", "ERROR"]
    assert found[2].output == "ERROR: samba tcp port 445 is not responding\nand more"


def test_uptime() -> None:
    found = status.decode_uptime(recorded(WELL, "ctdb-uptime-X"))
    assert (found.node, found.running, found.since_recovery) == (0, 470, 405)
    assert found.recovery_duration == pytest.approx(6.740664)


def test_numbers_and_versions() -> None:
    assert status.decode_number(recorded(WELL, "ctdb-pnn")) == 0
    assert status.decode_number(recorded(WELL, "ctdb-leader")) == 1
    assert status.decode_number(said("UNKNOWN\n")) is None
    assert status.decode_version(recorded(WELL, "ctdb-version")) == "4.17.12-Debian"
    assert status.decode_version(said("CTDB version: 1.0.114.5-3.el6\n")) == "1.0.114.5-3.el6"


DECODERS = [
    status.decode_status,
    status.decode_json,
    status.decode_nodes,
    status.decode_ips,
    status.decode_databases,
    status.decode_interfaces,
    status.decode_capabilities,
    status.decode_listnodes,
    status.decode_uptime,
    status.decode_number,
    status.decode_version,
]
decoders = pytest.mark.parametrize("decode", DECODERS, ids=lambda each: each.__name__)


@decoders
def test_without_ctdbd_the_error_says_what_ctdb_said(decode) -> None:
    with pytest.raises(ParseError, match="ctdbd running"):
        decode(recorded("00-fresh-nothing-configured", "ctdb-status"))


@decoders
@given(st.text(max_size=60) | st.text("|:0-1 \nYNOK", max_size=60))
def test_nonsense_is_a_parse_error_or_a_value(decode, text: str) -> None:
    with contextlib.suppress(ParseError):
        decode(said(text))


def test_values_pickle() -> None:
    found = status.decode_status(recorded(KILLED, "ctdb-status"))
    assert pickle.loads(pickle.dumps(found)) == found
