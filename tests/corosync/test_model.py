"""corosync.conf as a value."""

from __future__ import annotations

import pickle

import attrs
import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from clusternas.core.errors import UnsupportedError, ValidationError
from clusternas.core.keyed import Keyed
from clusternas.core.versions import Toolset
from clusternas.corosync.model import CorosyncCluster
from clusternas.corosync.sections import (
    LINKS,
    CorosyncInterface,
    CorosyncLogging,
    CorosyncNode,
    CorosyncQuorum,
    CorosyncTotem,
)

EL7 = Toolset(corosync="2.4.5")

CONF = """\
# Please read the corosync.conf.5 manual page
totem {
	version: 2
	cluster_name: nas
	token:10000
	interface {
		ringnumber: 0
		bindnetaddr: 10.0.0.0
	}
}

quorum{
	provider:   corosync_votequorum
	two_node: 1
	two_node: 1
}
nodelist: {
	# left
	node {
		ring0_addr: 10.0.0.1
		name: nas01
		nodeid: 1
	}
	# right
	node {
		ring0_addr: 10.0.0.2
		name: nas02
		nodeid: 2
		rack: b
	}
}
logging {
	to_syslog: yes
	logger_subsys {
		subsys: QUORUM
		debug: off
	}
}
"""


@pytest.fixture
def nas() -> CorosyncCluster:
    return CorosyncCluster.parse(CONF, "/etc/corosync/corosync.conf")


def test_what_stands_deep_inside_is_read(nas: CorosyncCluster) -> None:
    assert nas.name == "nas"
    assert nas.totem is not None
    assert nas.totem.interfaces["0"].bindnetaddr == "10.0.0.0"
    assert nas.nodes.keys() == ["nas01", "nas02"]
    assert nas.nodes["nas02"].addresses == ("10.0.0.2",)
    assert nas.quorum is not None
    assert nas.quorum.two_node
    assert nas.logging is not None
    assert nas.logging.logger_subsys["QUORUM"].debug == "off"
    assert [statement.words for statement in nas.nodes["nas02"].extra] == [("b",)]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_what_nobody_changes_is_not_changed(newline: str) -> None:
    text = CONF.rstrip("\n").replace("\n", newline)
    assert CorosyncCluster.parse(text).render() == text


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_change_touches_its_bytes(newline: str) -> None:
    text = CONF.replace("\n", newline)
    nas = CorosyncCluster.parse(text)
    changed = evolve(nas, totem=evolve(nas.totem, token=3000))
    assert changed.render() == text.replace("token:10000", "token:3000")


def test_the_last_of_a_key_that_stands_twice_is_changed(nas: CorosyncCluster) -> None:
    changed = evolve(nas, quorum=evolve(nas.quorum, two_node=False)).render()
    assert changed == CONF.replace("two_node: 1\n}", "two_node: 0\n}")


def test_a_node_is_added_behind_the_others(nas: CorosyncCluster) -> None:
    grown = nas.add_node("nas03", "10.0.0.3")
    node = "\tnode {\n\t\tname: nas03\n\t\tnodeid: 3\n\t\tring0_addr: 10.0.0.3\n\t}\n"
    assert grown.render() == CONF.replace(
        "\t\track: b\n\t}\n", "\t\track: b\n\t}\n" + node
    ).replace("\ttwo_node: 1\n", "")
    assert grown.quorum is not None
    assert grown.quorum.two_node is None


def test_a_removed_node_leaves_the_comments(nas: CorosyncCluster) -> None:
    text = nas.remove_node("nas01").render()
    assert "10.0.0.1" not in text
    assert "# left" in text
    assert "two_node" not in text


def test_two_node_follows_the_number_of_nodes() -> None:
    nas = CorosyncCluster.create("nas")
    found = []
    for number in range(1, 4):
        nas = nas.add_node(f"n{number}", f"10.0.0.{number}")
        found.append(nas.quorum and nas.quorum.two_node)
    assert found == [None, True, None]
    assert [each.code for each in nas.validate()] == ["COROSYNC012"]


def test_a_node_list_is_made_where_there_is_none() -> None:
    nas = CorosyncCluster.parse("totem {\n  version: 2\n}\n").add_node("a", "10.0.0.1", "10.1.0.1")
    assert nas.render() == (
        "totem {\n  version: 2\n}\n"
        "quorum {\n  provider: corosync_votequorum\n}\n"
        "nodelist {\n  node {\n    name: a\n    nodeid: 1\n"
        "    ring0_addr: 10.0.0.1\n    ring1_addr: 10.1.0.1\n  }\n}\n"
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda nas: nas.add_node("nas01", "10.0.0.9"),
        lambda nas: nas.add_node("c", "10.0.0.1"),
        lambda nas: nas.add_node("c", "10.0.0.9", nodeid=2),
        lambda nas: nas.add_node("c"),
        lambda nas: nas.add_node("c", *map(str, range(LINKS + 1))),
        lambda nas: nas.remove_node("c"),
        lambda nas: nas.add_node("c {", "10.0.0.9"),
        lambda nas: nas.add_node("c\nname: d", "10.0.0.9"),
    ],
)
def test_what_makes_no_sense_is_refused(nas: CorosyncCluster, change: object) -> None:
    assert callable(change)
    with pytest.raises(ValidationError):
        change(nas)


def test_each_generation_has_its_spelling() -> None:
    totem = CorosyncTotem(version=2, link_mode="passive")
    nas = CorosyncCluster(totem=totem)
    assert "rrp_mode: passive" in nas.render(EL7)
    assert "link_mode: passive" in nas.render(Toolset.DEBIAN12)
    interface = CorosyncInterface(linknumber=0)
    nas = evolve(nas, totem=evolve(totem, interfaces=[interface]))
    assert "ringnumber: 0" in nas.render(EL7)
    assert "linknumber: 0" in nas.render()
    with pytest.raises(UnsupportedError, match="knet_mtu"):
        CorosyncCluster(totem=CorosyncTotem(knet_mtu=1400)).render(EL7)


def test_it_pickles(nas: CorosyncCluster) -> None:
    copy = pickle.loads(pickle.dumps(nas))
    assert copy == nas
    assert copy.nodes["nas01"].nodeid == 1


def test_commands() -> None:
    nas = CorosyncCluster.create("nas")
    assert nas.check("/tmp/c").shell() == "corosync -t -c /tmp/c"
    assert nas.status().shell() == "corosync-quorumtool -s"
    assert nas.reload().shell() == "corosync-cfgtool -R"


WORD = st.text("abc.:1-}#é ", min_size=1, max_size=6).filter(lambda word: word == word.strip())
NUMBER = st.none() | st.integers(0, 99999)
FLAG = st.none() | st.booleans()
NODES = st.builds(CorosyncNode, name=st.none() | WORD, nodeid=NUMBER, ring0_addr=WORD)
CLUSTERS = st.builds(
    CorosyncCluster,
    totem=st.builds(CorosyncTotem, version=st.just(2), cluster_name=WORD, token=NUMBER),
    quorum=st.builds(CorosyncQuorum, provider=WORD, two_node=FLAG, expected_votes=NUMBER),
    nodes=st.lists(NODES, max_size=3, unique_by=lambda node: node.label),
    logging=st.builds(CorosyncLogging, to_syslog=st.booleans(), logfile=st.none() | WORD),
)


@given(CLUSTERS)
def test_what_is_rendered_reads_back(cluster: CorosyncCluster) -> None:
    text = cluster.render()
    assert CorosyncCluster.parse(text) == cluster
    assert CorosyncCluster.parse(text).render() == text


@given(CLUSTERS, CLUSTERS)
def test_any_value_can_be_edited_into_any_other(
    one: CorosyncCluster, other: CorosyncCluster
) -> None:
    read = CorosyncCluster.parse(one.render())
    names = [field.name for field in attrs.fields(CorosyncCluster) if field.name != "_source"]
    edited = evolve(read, **{name: getattr(other, name) for name in names})
    assert CorosyncCluster.parse(edited.render()) == other


def test_nodes_may_be_given_as_a_list() -> None:
    nodes = [CorosyncNode(name="a", nodeid=1, ring0_addr="10.0.0.1")]
    assert isinstance(CorosyncCluster(nodes=nodes).nodes, Keyed)
