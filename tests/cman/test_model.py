"""cluster.conf as a value: nothing is lost, edits stay small, the version grows by itself."""

from __future__ import annotations

import pickle
from pathlib import Path

import attrs
import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from clusternas.cman.model import CmanCluster
from clusternas.cman.sections import (
    AltName,
    ClusterNode,
    CmanDlm,
    CmanOptions,
    CmanTotem,
    FenceDaemon,
    FenceDevice,
    FenceMethod,
    FenceUse,
    by_name,
    fence_params,
)
from clusternas.core.errors import ParseError, ValidationError
from clusternas.core.versions import Toolset

ARTICLE = Path(__file__).parent.parent / "data" / "cman" / "3.0.12" / "article-cluster.conf"

CONF = """\
<?xml version="1.0"?>
<!-- two racks -->
<cluster name='nas' config_version="7">\t<!-- ours -->
  <cman two_node="1" expected_votes="1">
    <multicast addr="239.192.1.1"/>
  </cman>
  <clusternodes>
    <!-- left -->
    <clusternode name="nas01" nodeid="1" votes="1">
      <fence>
        <method name="ipmi"> <device name="ipmi1" action="off"/> </method>
        <!-- second -->
        <method name="pdu"><device name="pdu" port="1"/></method>
      </fence>
    </clusternode>
    <clusternode name="nas02" nodeid="2">
      <fence/>
    </clusternode>
  </clusternodes>
  <rm log_level="5">
    <resources><ip address="10.0.0.9"/></resources>
    <service name="s" domain="d"><ip ref="10.0.0.9"/></service>
  </rm>
  <fencedevices>
    <fencedevice agent="fence_ipmilan" name="ipmi1" passwd="s3cret"/>
    <fencedevice agent="fence_apc" name="pdu"/>
  </fencedevices>
</cluster>
"""


@pytest.fixture
def nas() -> CmanCluster:
    return CmanCluster.parse(CONF, "/etc/cluster/cluster.conf")


def bumped(text: str) -> str:
    return text.replace('config_version="7"', 'config_version="8"')


def test_what_stands_deep_inside_is_read(nas: CmanCluster) -> None:
    node = nas.nodes["nas01"]
    assert (nas.name, nas.config_version, node.nodeid) == ("nas", 7, 1)
    assert node.fence.keys() == ["ipmi", "pdu"]
    assert node.fence["pdu"].devices["pdu"].params["port"].value == "1"
    assert node.fence_devices == ("ipmi1", "pdu")
    assert nas.fence_devices["pdu"].agent == "fence_apc"
    assert nas.cman is not None
    assert nas.cman.multicast is not None
    assert nas.multicast_address == "239.192.1.1"
    assert nas.rm is not None
    assert nas.rm.services["s"].domain == "d"
    assert [statement.key for statement in nas.rm.extra] == ["resources/ip"]


def test_what_nobody_changes_is_not_changed(nas: CmanCluster) -> None:
    assert nas.render() == CONF
    assert nas.edits() == []
    assert ARTICLE.read_text() == CmanCluster.read(ARTICLE).render()


def test_a_change_deep_inside_touches_its_bytes_and_the_version(nas: CmanCluster) -> None:
    node = nas.nodes["nas01"]
    method = node.fence["pdu"]
    use = evolve(method.devices["pdu"], params=fence_params({"port": "7", "delay": "15"}))
    method = evolve(method, devices=method.devices.put(use))
    changed = evolve(nas, nodes=nas.nodes.put(evolve(node, fence=node.fence.put(method))))
    assert changed.render() == bumped(CONF).replace('port="1"', 'port="7" delay="15"')


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_line_ends_and_missing_ones_stay(newline: str) -> None:
    text = CONF.rstrip("\n").replace("\n", newline)
    cluster = CmanCluster.parse(text).add_node("nas03", 5)
    line = f'    <clusternode name="nas03" votes="1" nodeid="5"/>{newline}'
    assert cluster.render() == bumped(text).replace("  </clusternodes>", line + "  </clusternodes>")


def test_the_version_grows_once_however_much_is_changed(nas: CmanCluster) -> None:
    changed = nas.add_node("nas03").add_node("nas04").add_fence_device("x", "fence_x")
    assert CmanCluster.parse(changed.render()).config_version == 8
    assert changed.config_version == 7
    assert CmanCluster.parse(evolve(nas, config_version=20).render()).config_version == 20


def test_a_file_without_a_version_gets_one() -> None:
    cluster = CmanCluster.parse('<cluster name="a"/>')
    assert evolve(cluster, name="b").render() == '<cluster name="b" config_version="1"/>'


def test_the_articles_commands_as_one_value() -> None:
    cluster = CmanCluster.create("NASCluster")
    for node in ("linux-nas01", "linux-nas02"):
        cluster = cluster.add_fence_device(node, "fence_manual")
    for number, node in enumerate(("linux-nas01", "linux-nas02"), 1):
        cluster = cluster.add_node(node, number, votes=1, fence=node)
    article = CmanCluster.read(ARTICLE)
    assert cluster.nodes == article.nodes
    assert cluster.fence_devices == article.fence_devices
    assert cluster.render() == (
        '<?xml version="1.0"?>\n'
        '<cluster name="NASCluster" config_version="1">\n'
        "  <clusternodes>\n"
        '    <clusternode name="linux-nas01" votes="1" nodeid="1">\n'
        "      <fence>\n"
        '        <method name="single">\n'
        '          <device name="linux-nas01"/>\n'
        "        </method>\n"
        "      </fence>\n"
        "    </clusternode>\n"
        '    <clusternode name="linux-nas02" votes="1" nodeid="2">\n'
        "      <fence>\n"
        '        <method name="single">\n'
        '          <device name="linux-nas02"/>\n'
        "        </method>\n"
        "      </fence>\n"
        "    </clusternode>\n"
        "  </clusternodes>\n"
        "  <fencedevices>\n"
        '    <fencedevice name="linux-nas01" agent="fence_manual"/>\n'
        '    <fencedevice name="linux-nas02" agent="fence_manual"/>\n'
        "  </fencedevices>\n"
        "</cluster>\n"
    )


def test_a_skeleton_has_what_the_schema_insists_on() -> None:
    text = CmanCluster.create("nas", two_node=True).render()
    assert '<cman two_node="1" expected_votes="1"/>\n  <clusternodes/>\n' in text


def test_new_nodes_get_the_first_free_id(nas: CmanCluster) -> None:
    grown = nas.add_node("c").remove_node("nas01").add_node("d")
    assert [(node.name, node.nodeid) for node in grown.nodes] == [("nas02", 2), ("c", 3), ("d", 1)]


def test_holders_are_made_where_there_are_none() -> None:
    cluster = CmanCluster.parse('<cluster name="a" config_version="1"/>\n')
    grown = cluster.add_fence_device("pdu", "fence_apc", port="1").add_node("n", fence="pdu")
    assert grown.render() == (
        '<cluster name="a" config_version="2">\n'
        "  <clusternodes>\n"
        '    <clusternode name="n" votes="1" nodeid="1">\n'
        "      <fence>\n"
        '        <method name="single">\n'
        '          <device name="pdu"/>\n'
        "        </method>\n"
        "      </fence>\n"
        "    </clusternode>\n"
        "  </clusternodes>\n"
        "  <fencedevices>\n"
        '    <fencedevice name="pdu" agent="fence_apc" port="1"/>\n'
        "  </fencedevices>\n"
        "</cluster>\n"
    )


def test_new_elements_are_indented_as_the_others() -> None:
    text = '<cluster name="a" config_version="1">\n\t<clusternodes>\n\t\t<clusternode name="n"/>\n'
    text += "\t</clusternodes>\n</cluster>\n"
    grown = CmanCluster.parse(text).add_fence_device("pdu", "fence_apc").render()
    assert '\n\t<fencedevices>\n\t\t<fencedevice name="pdu" agent="fence_apc"/>\n' in grown


def test_a_method_goes_into_the_fence_that_is_there(nas: CmanCluster) -> None:
    node = nas.nodes["nas02"]
    method = FenceMethod(name="pdu", devices=by_name([FenceUse(name="pdu")]))
    changed = evolve(nas, nodes=nas.nodes.put(evolve(node, fence=node.fence.put(method))))
    assert "<fence>\n" in changed.render()
    assert changed.render().count("fence>") == CONF.count("fence>") + 2
    assert CmanCluster.parse(changed.render()).nodes["nas02"].fence_devices == ("pdu",)


def test_a_removed_fence_device_leaves_no_use_behind(nas: CmanCluster) -> None:
    less = nas.remove_fence_device("pdu")
    assert less.nodes["nas01"].fence.keys() == ["ipmi"]
    text = less.render()
    assert "pdu" not in text
    assert "<!-- second -->" in text
    assert not [found for found in less.validate() if found.code == "CMAN009"]


def test_nodes_can_change_places(nas: CmanCluster) -> None:
    text = evolve(nas, nodes=by_name(reversed(nas.nodes))).render()
    assert CmanCluster.parse(text).nodes.keys() == ["nas02", "nas01"]
    assert all(comment in text for comment in ("<!-- left -->", "<!-- second -->", "<!-- ours -->"))


@pytest.mark.parametrize(
    "change",
    [
        lambda nas: nas.add_node("nas01"),
        lambda nas: nas.add_node("c", 2),
        lambda nas: nas.add_node("c", fence="none"),
        lambda nas: nas.add_node("c", port="1"),
        lambda nas: nas.remove_node("c"),
        lambda nas: nas.add_fence_device("pdu", "fence_apc"),
        lambda nas: nas.remove_fence_device("c"),
        lambda nas: evolve(nas, name="a\nb"),
    ],
)
def test_what_makes_no_sense_is_refused(nas: CmanCluster, change: object) -> None:
    assert callable(change)
    with pytest.raises(ValidationError):
        change(nas)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ('<cluster name="a">\n<cman>\n</cluster>', 3, "mismatched tag"),
        ('<!DOCTYPE c [<!ENTITY a "b">]>\n<cluster name="&a;"/>', 1, "document type"),
        ('<cluster name="a" name="b"/>', 1, "duplicate attribute"),
        ("<cib/>", 1, "cluster"),
        ("", 1, "no element"),
        ("<a>" * 10_000 + "</a>" * 10_000, 1, "deep"),
    ],
)
def test_what_is_no_cluster_conf_is_refused_with_its_place(
    text: str, line: int, message: str
) -> None:
    with pytest.raises(ParseError, match=message) as caught:
        CmanCluster.parse(text, "cluster.conf")
    assert (caught.value.path, caught.value.line) == ("cluster.conf", line)


def test_secrets_do_not_show(nas: CmanCluster) -> None:
    assert "s3cret" not in repr(nas)
    assert nas.fence_devices["ipmi1"].params["passwd"].value == "s3cret"


def test_it_pickles(nas: CmanCluster) -> None:
    copy = pickle.loads(pickle.dumps(nas))
    assert copy == nas
    assert copy.nodes["nas01"].fence["pdu"].devices["pdu"].params["port"].value == "1"


def test_cluster_ids_are_those_of_cman() -> None:
    """Known pair: a cluster `build` whose cman_tool status said 3240."""
    assert CmanCluster(name="build").cluster_id == 3240
    assert CmanCluster(name="build").multicast_address == "239.192.12.168"
    fixed = CmanCluster(name="build", cman=CmanOptions(cluster_id=258))
    assert fixed.multicast_address == "239.192.1.2"


def test_the_first_of_two_nodes_of_one_name_counts() -> None:
    text = '<cluster name="a" config_version="1"><clusternodes><clusternode name="n" nodeid="1"/>'
    text += '<clusternode name="n" nodeid="2"/></clusternodes></cluster>'
    assert CmanCluster.parse(text).nodes["n"].nodeid == 1


def test_commands_of_each_generation(nas: CmanCluster) -> None:
    assert nas.reload(Toolset.EL6).shell() == "cman_tool version -r -S"
    old = nas.reload(Toolset(cman="2.0.115"))
    assert old.shell() == "ccs_tool update /etc/cluster/cluster.conf"
    assert nas.status().shell() == "cman_tool status"


def test_what_cluster_2_lacks_is_said() -> None:
    cluster = CmanCluster.parse(CONF.replace('two_node="1"', 'two_node="1" transport="udpu"'))
    found = [each.code for each in cluster.validate(Toolset(cman="2.0.115"))]
    assert "CMAN903" in found
    assert "CMAN903" not in [each.code for each in cluster.validate(Toolset.EL6)]


NAME = st.text("abcdefgh-&'\"<é", min_size=1, max_size=6)
NUMBER = st.none() | st.integers(1, 9999)
FLAG = st.none() | st.booleans()
PARAMS = st.dictionaries(st.sampled_from(["port", "ipaddr", "delay", "x1"]), NAME).map(fence_params)
USES = st.lists(st.builds(FenceUse, name=NAME, params=PARAMS), max_size=2).map(by_name)
METHODS = st.lists(st.builds(FenceMethod, name=NAME, devices=USES), max_size=2).map(by_name)
NODES = st.builds(
    ClusterNode,
    name=NAME,
    nodeid=NUMBER,
    votes=NUMBER,
    altname=st.none() | st.builds(AltName, name=NAME),
    fence=METHODS,
    unfence=USES,
)
CLUSTERS = st.builds(
    CmanCluster,
    name=NAME,
    config_version=st.integers(1, 99),
    cman=st.none() | st.builds(CmanOptions, two_node=FLAG, port=NUMBER, keyfile=st.none() | NAME),
    nodes=st.lists(NODES, max_size=3, unique_by=lambda node: node.name).map(by_name),
    fence_devices=st.lists(
        st.builds(FenceDevice, name=NAME, agent=NAME, params=PARAMS), max_size=2
    ).map(by_name),
    fence_daemon=st.none() | st.builds(FenceDaemon, post_join_delay=NUMBER, clean_start=FLAG),
    totem=st.none() | st.builds(CmanTotem, token=NUMBER, secauth=FLAG),
    dlm=st.none() | st.builds(CmanDlm, protocol=st.none() | NAME),
)


def normal(cluster: CmanCluster) -> CmanCluster:
    """Without sections that say nothing: they are not written."""
    names = ("cman", "fence_daemon", "totem", "dlm")
    empty = {name: None for name in names if _says_nothing(getattr(cluster, name))}
    return evolve(cluster, **empty)


def _says_nothing(section: object) -> bool:
    return section is not None and section == type(section)()


@given(CLUSTERS)
def test_what_is_rendered_reads_back(cluster: CmanCluster) -> None:
    text = cluster.render()
    again = CmanCluster.parse(text)
    assert again == normal(cluster)
    assert again.render() == text


@given(CLUSTERS, CLUSTERS)
def test_any_value_can_be_edited_into_any_other(one: CmanCluster, other: CmanCluster) -> None:
    read = CmanCluster.parse(one.render())
    fields = {
        field.name: getattr(other, field.name)
        for field in attrs.fields(CmanCluster)
        if field.name not in ("_source", "config_version")
    }
    edited = CmanCluster.parse(evolve(read, **fields).render())
    assert evolve(normal(edited), config_version=1) == evolve(normal(other), config_version=1)
