"""Files as a distribution installs them, and what a plan makes of them."""

import pytest

from clusternas import NasCluster
from clusternas.corosync.model import CorosyncCluster
from clusternas.testing import FakeCluster
from clusternas.testing.demo import article

CONF = "/etc/corosync/corosync.conf"
EXAMPLE = """\
# Please read the corosync.conf.5 manual page
totem {
	version: 2
	cluster_name: debian
}
nodelist {
	# Change/uncomment/add node sections to match cluster configuration

	node {
		name: node1
		nodeid: 1
		ring0_addr: 127.0.0.1
	}
}
"""
"""From corosync 3.1.7 of Debian 12, shortened. The real corosync refuses two nodes of one id:
`Nodeid 1 appears twice in corosync.conf`."""


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster(NasCluster.load(article() / "today.toml").nodes.keys())


def test_the_example_node_of_a_distribution_goes(cluster: FakeCluster) -> None:
    nas = NasCluster.load(article() / "today.toml")
    for node in nas.nodes:
        cluster[node.name].files.write(CONF, EXAMPLE)
    plan = nas.plan(nas.gather(cluster.runners))
    assert "-\t\tname: node1" in plan.diff()
    plan.apply(
        cluster.runners, allow=plan.destroys, sleep=cluster.sleep, workers=1
    ).raise_for_failure()
    text = cluster["linux-nas01"].files.text(CONF)
    assert text.startswith("# Please read")
    written = CorosyncCluster.parse(text.encode())
    assert written.nodes.keys() == nas.nodes.keys()
    assert {node.nodeid for node in written.nodes} == {1, 2}
