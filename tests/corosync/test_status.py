"""What corosync's tools and dlm_tool print: recorded from a real cluster, and the forms of 2.x."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from clusternas.core.command import Output
from clusternas.core.errors import ParseError
from clusternas.corosync import decode
from clusternas.corosync.status import DlmFencing, PeerLink, QuorumMember

DATA = Path(__file__).parent.parent / "data"
COROSYNC, DLM, OLD = DATA / "corosync" / "3.1.7", DATA / "dlm" / "4.2.0", DATA / "corosync" / "2.4"
GOOD, FENCED, HUNG = "06-full-cluster-ok", "10-peer-killed-fenced", "11-peer-killed-fencing-fails"
OFF = "00-fresh-nothing-configured"


def output(path: Path, exit_code: int = 0) -> Output:
    return Output(exit_code=exit_code, stdout=path.with_suffix(path.suffix + ".txt").read_bytes())


def test_version() -> None:
    found = decode.decode_version(
        Output(stdout=(COROSYNC / GOOD / "corosync-version.txt").read_bytes())
    )
    assert found == "3.1.7"


def test_quorum_of_two_nodes() -> None:
    status = decode.decode_quorum(output(COROSYNC / GOOD / "corosync-quorumtool-s"))
    assert (status.quorate, status.expected_votes, status.total_votes, status.quorum) == (
        True,
        2,
        2,
        1,
    )
    assert (status.node_id, status.ring_id) == (1, "1.e")
    assert status.flags == {"2Node", "Quorate"}
    assert status.members == {
        1: QuorumMember(id=1, name="node1", votes=1, local=True),
        2: QuorumMember(id=2, name="node2", votes=1),
    }
    assert list(status.extra) == ["Date"]


def test_quorum_of_the_survivor() -> None:
    status = decode.decode_quorum(output(COROSYNC / FENCED / "corosync-quorumtool-s"))
    assert (status.quorate, status.nodes, status.missing_votes) == (True, 1, 1)
    assert list(status.members) == [1]


def test_quorum_with_a_device_of_2() -> None:
    status = decode.decode_quorum(output(OLD / "corosync-quorumtool-s-qdevice", exit_code=2))
    assert (status.quorate, status.quorum, status.ring_id) == (False, 3, "1/8272")
    assert [member.qdevice for member in status.members.values()] == ["A,NV,NMW", "NR", ""]
    assert status.members[0] == QuorumMember(id=0, name="Qdevice", votes=0)
    assert status.members[1].local


def test_quorum_without_a_provider() -> None:
    status = decode.decode_quorum(output(OLD / "corosync-quorumtool-s-no-provider"))
    assert (status.provider, status.quorum) == ("Not configured", 0)
    assert status.members[1] == QuorumMember(id=1, name="nas01", local=True)


def test_links_of_both_generations() -> None:
    new = decode.decode_links(output(COROSYNC / GOOD / "corosync-cfgtool-s"))
    assert (new.node_id, new.transport) == (1, "knet")
    assert new.links[0].address == "10.10.10.1"
    assert new.links[0].nodes == {1: "localhost", 2: "connected"}
    assert not new.links[0].is_faulty
    cut = decode.decode_links(output(COROSYNC / FENCED / "corosync-cfgtool-s"))
    assert cut.links[0].is_faulty
    old = decode.decode_links(output(OLD / "corosync-cfgtool-s"))
    assert [link.address for link in old.links.values()] == ["10.0.0.1", "10.0.1.1"]
    assert [link.is_faulty for link in old.links.values()] == [False, True]


def test_peers() -> None:
    peers = decode.decode_peers(output(COROSYNC / GOOD / "corosync-cfgtool-n"))
    assert peers[2].reachable
    assert peers[2].links == (
        PeerLink(
            id=0,
            transport="udp",
            local="10.10.10.1",
            remote="10.10.10.2",
            enabled=True,
            connected=True,
            mtu=1446,
        ),
    )
    assert decode.decode_peers(output(COROSYNC / FENCED / "corosync-cfgtool-n")) == {}


def test_peers_with_the_wire_version_and_a_broken_link() -> None:
    text = b"""Local node ID 1, transport knet
nodeid: 2 unreachable   onwire (min/max/cur): 0, 1, 1
   LINK: 0 udp (a->b) enabled mtu: 1397
   LINK: 1 sctp (c->d) enabled connected mtu: 1397
"""
    peer = decode.decode_peers(Output(stdout=text))[2]
    assert not peer.reachable
    assert [(link.connected, link.enabled) for link in peer.links] == [(False, True), (True, True)]


def test_cmap_has_types() -> None:
    found = decode.decode_cmap(output(COROSYNC / GOOD / "corosync-cmapctl"))
    assert found["nodelist.node.1.ring0_addr"] == "10.10.10.2"
    assert found["runtime.config.totem.consensus"] == 12000
    assert found["resources.system.load_15min.current"] == 0.0


def test_lockspaces() -> None:
    spaces = decode.decode_lockspaces(output(DLM / GOOD / "dlm_tool-ls"))
    assert list(spaces) == ["opt", "lvm_drbd_vg", "lvm_global"]
    assert (spaces["opt"].members, spaces["opt"].id) == ((1, 2), 0xAFA653C0)
    assert not any(space.is_blocked for space in spaces.values())
    assert decode.decode_lockspaces(output(DLM / OFF / "dlm_tool-ls")) == {}


def test_lockspaces_that_wait_for_fencing() -> None:
    space = decode.decode_lockspaces(output(DLM / HUNG / "dlm_tool-ls"))["opt"]
    assert space.is_blocked
    assert space.waits_for_fencing
    assert (space.members, space.new_members) == ((1, 2), (1,))
    assert space.flags == {"kern_stop"}


def test_dlm_status() -> None:
    good = decode.decode_dlm_status(output(DLM / GOOD / "dlm_tool-status"))
    assert (good.running, good.quorate, good.node_id, good.fencing) == (True, True, 1, ())
    assert [node.member for node in good.nodes.values()] == [True, True]
    fenced = decode.decode_dlm_status(output(DLM / FENCED / "dlm_tool-status")).nodes[2]
    assert (fenced.member, fenced.fenced_by, fenced.fenced_at) == (False, 1, 1795434034)
    hung = decode.decode_dlm_status(output(DLM / HUNG / "dlm_tool-status"))
    assert hung.fencing == (DlmFencing(node=2, reason="nodedown", actor=1, pid=17652),)
    assert not decode.decode_dlm_status(output(DLM / OFF / "dlm_tool-status")).running


def test_dlm_config() -> None:
    found = decode.decode_dlm_config(output(DLM / GOOD / "dlm_tool-dump_config"))
    assert (found["enable_fencing"].value, found["enable_fencing"].source) == ("1", "dlm.conf")
    assert found["foreground"].source == "cli option"
    assert found["port"].source == ""
    assert decode.decode_dlm_config(output(DLM / OFF / "dlm_tool-dump_config")) == {}


@pytest.mark.parametrize("name", [name for name in decode.__all__ if name != "decode_check"])
@pytest.mark.parametrize("text", [b"Usage:\n", b"\xff\n", b"Quorum provider:  x\nNodes: many\n"])
def test_nonsense_is_refused(name: str, text: bytes) -> None:
    read: Callable[[Output], object] = getattr(decode, name)
    with pytest.raises(ParseError):
        read(Output(stdout=text))


def test_values_pickle() -> None:
    value = decode.decode_quorum(output(COROSYNC / GOOD / "corosync-quorumtool-s"))
    assert pickle.loads(pickle.dumps(value)) == value
