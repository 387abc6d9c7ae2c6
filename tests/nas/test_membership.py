"""In what order machines become a cluster."""

from clusternas import NasCluster
from clusternas.testing import FakeCluster
from clusternas.testing.demo import article


def test_nothing_comes_between_the_starts_of_the_lock_managers() -> None:
    # Real ones fenced a node here whose `systemctl enable dlm` took half a minute.
    nas = NasCluster.load(article() / "today.toml")
    cluster = FakeCluster(nas.nodes.keys())
    plan = nas.plan(nas.gather(cluster.runners))
    steps = {step.id: step for step in plan}
    starts = [steps[f"{node.name}: systemctl start dlm"] for node in nas.nodes]
    assert starts[0].after == starts[1].after
    for name in starts[0].after:
        assert "enable lvmlockd" in name
