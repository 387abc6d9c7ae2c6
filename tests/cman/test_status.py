"""What cman's tools print, in each generation, as values."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from clusternas.cman import decode
from clusternas.cman.status import CmanNode, ConfiguredFence, ConfiguredNode, Group, Membership
from clusternas.core.command import Output
from clusternas.core.errors import ParseError

DATA = Path(__file__).parent.parent / "data" / "cman" / "3.0.12"


def output(name: str) -> Output:
    return Output(stdout=(DATA / f"{name}.txt").read_bytes())


def test_status_of_a_two_node_cluster() -> None:
    status = decode.decode_status(output("cman_tool-status"))
    assert (status.cluster_name, status.config_version, status.version) == (
        "NASCluster",
        5,
        "6.2.0",
    )
    assert (status.quorate, status.quorum, status.expected_votes) == (True, 1, 1)
    assert status.two_node
    assert status.ports == (0, 11, 177)
    assert status.node_addresses == ("192.168.122.11",)
    assert status.extra == {
        "Cluster Member": "Yes",
        "Cluster Generation": "8",
        "Node votes": "1",
        "Active subsystems": "9",
    }


def test_status_without_quorum_in_rhel_5() -> None:
    status = decode.decode_status(output("cluster2-cman_tool-status"))
    assert (status.quorate, status.quorum) == (False, 2)
    assert status.disallowed == ("b2", "b3")
    assert status.flags == {"Dirty"}
    assert status.extra["Quorum device votes"] == "1"


def test_nodes_for_programs() -> None:
    nodes = decode.decode_nodes(output("cman_tool-nodes-F"))
    assert [node.name for node in nodes] == ["linux-nas01", "linux-nas02", "linux-nas03"]
    assert nodes[1].addresses == ("192.168.122.12", "10.0.0.2")
    assert nodes[2] == CmanNode(
        id=3,
        name="linux-nas03",
        membership=Membership.DEAD,
        votes=1,
        expected_votes=1,
        state="Dead",
    )


def test_nodes_for_people() -> None:
    nodes = decode.decode_node_table(output("cman_tool-nodes"))
    assert [node.membership for node in nodes] == ["M", "X", "d"]
    assert nodes[0].addresses == ("192.168.122.11",)
    assert nodes[0].joined == "2010-11-23 10:00:01"
    assert (nodes[1].name, nodes[1].joined) == ("linux-nas02", "")


def test_version() -> None:
    found = decode.decode_version(Output(stdout=b"6.2.0 config 42\n"))
    assert (found.version, found.config_version) == ("6.2.0", 42)


def test_clustat_with_names_that_are_not_escaped() -> None:
    state = decode.decode_clustat(output("clustat-x"))
    assert (state.name, state.id, state.quorate) == ("NASCluster", 12980, True)
    assert state.nodes["linux-nas01"].local
    assert not state.nodes["linux-nas02"].online
    assert state.nodes["/dev/disk/by-id/q"].quorum_disk
    service = state.services["service:a&b"]
    assert (service.state, service.owner, service.restarts) == ("started", "linux-nas01", 2)
    assert service.flags == "frozen"


def test_clustat_without_quorum() -> None:
    state = decode.decode_clustat(output("clustat-x-inquorate"))
    assert (state.quorate, state.nodes, state.services) == (False, {}, {})


def test_fence_domain_that_waits() -> None:
    domain = decode.decode_fence_domain(output("fence_tool-ls-n"))
    assert (domain.members, domain.victims, domain.victim_now) == ((1,), 1, 2)
    assert domain.is_waiting
    assert domain.nodes[2].victim
    assert domain.nodes[2].how == "agent"


def test_groups_of_3_and_of_rhel_5() -> None:
    new, old = (decode.decode_groups(output(n)) for n in ("group_tool-ls", "cluster2-group_tool"))
    assert new == (
        Group(kind="fence", name="default", members=(1, 2), state="none"),
        Group(kind="dlm", name="clvmd", members=(1, 2)),
        Group(
            kind="dlm", name="opt", members=(1, 2), state="wait_messages 0 wait_condition 1 fencing"
        ),
        Group(kind="gfs", name="opt", members=(1, 2)),
    )
    assert [group.is_waiting for group in new] == [False, False, True, False]
    assert [(group.kind, group.name, group.members) for group in old] == [
        ("fence", "default", (1, 2)),
        ("dlm", "clvmd", (1, 2)),
        ("gfs", "opt", (1,)),
    ]
    assert old[2].is_waiting


def test_ccs_tool_lists() -> None:
    assert decode.decode_nodes_conf(output("ccs_tool-lsnode")) == (
        ConfiguredNode(name="linux-nas01", votes=1, id=1, fence="linux-nas01"),
        ConfiguredNode(name="linux-nas02", votes=1, id=2),
    )
    assert decode.decode_fences(output("ccs_tool-lsfence")) == (
        ConfiguredFence(name="linux-nas01", agent="fence_manual"),
        ConfiguredFence(name="apc", agent="fence_apc"),
    )


@pytest.mark.parametrize("name", decode.__all__)
@pytest.mark.parametrize("text", [b"", b"Usage: nonsense\n", b"\xff\xfe\n", b"type level\nfence\n"])
def test_nonsense_is_refused(name: str, text: bytes) -> None:
    read: Callable[[Output], object] = getattr(decode, name)
    if text == b"" and name in ("decode_nodes", "decode_node_table", "decode_groups"):
        assert read(Output()) == ()
        return
    with pytest.raises(ParseError):
        read(Output(stdout=text))


@pytest.mark.parametrize("name", ["cman_tool-status", "clustat-x"])
def test_values_pickle(name: str) -> None:
    read = decode.decode_status if name == "cman_tool-status" else decode.decode_clustat
    value = read(output(name))
    assert pickle.loads(pickle.dumps(value)) == value
