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
    assert all("start corosync" in name for name in starts[0].after)


def test_services_start_at_boot_once_all_of_them_run() -> None:
    nas = NasCluster.load(article() / "today.toml")
    cluster = FakeCluster(nas.nodes.keys())
    plan = nas.plan(nas.gather(cluster.runners))
    shown = [str(step.command) for step in plan if "described" not in str(step.command)]
    last = shown[-len(nas.nodes) :]
    assert last == ["systemctl enable corosync dlm lvmlockd named"] * len(nas.nodes)
    plan.apply(cluster.runners, allow=plan.destroys, sleep=cluster.sleep, workers=1)
    state = nas.gather(cluster.runners)
    assert all(
        state[node.name].enabled == {"corosync", "dlm", "lvmlockd", "named"} for node in nas.nodes
    )
