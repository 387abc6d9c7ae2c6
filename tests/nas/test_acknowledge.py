"""A node died, nothing could fence it, and a person says that it is off."""

import pytest
from attrs import evolve

from clusternas import NasCluster
from clusternas.core.errors import PlanError, Refused
from clusternas.nas.acknowledge import plan_acknowledgement
from clusternas.nas.spec import load, loads
from clusternas.testing import FakeCluster
from clusternas.testing.demo import article

SPEC = article() / "today.toml"


@pytest.fixture
def nas() -> NasCluster:
    return load(SPEC)


@pytest.fixture
def waiting(nas: NasCluster) -> FakeCluster:
    """The second node is dead; neither the agent nor the handler could fence it."""
    cluster = FakeCluster(nas.nodes.keys())
    plan = nas.plan(nas.gather(cluster.runners))
    plan.apply(cluster.runners, allow=plan.destroys, sleep=cluster.sleep, workers=1)
    cluster.advance(600)
    for tool in ("fence_ipmilan", "drbd-fence-peer"):
        cluster.fail("linux-nas01", tool, times=10_000)
    cluster.kill("linux-nas02")
    return cluster


def test_the_status_says_what_it_waits_for(nas: NasCluster, waiting: FakeCluster) -> None:
    said = [
        each.what for each in nas.status(nas.gather(waiting.runners)).troubles if "01" in each.node
    ]
    assert "I/O on r0 waits: fencing" in said
    assert any("is stopped: wait fencing" in each for each in said)


def test_a_person_frees_it(nas: NasCluster, waiting: FakeCluster) -> None:
    plan = plan_acknowledgement(nas, nas.gather(waiting.runners), "linux-nas02")
    assert plan.destroys == ("dlm_tool fence_ack 2", "drbdadm resume-io r0")
    with pytest.raises(Refused):
        plan.apply(waiting.runners, sleep=waiting.sleep)
    plan.apply(waiting.runners, allow=plan.destroys, sleep=waiting.sleep).raise_for_failure()
    assert waiting["linux-nas01"].shell("tee /opt/new", "goes on").exit_code == 0
    with pytest.raises(PlanError, match="nobody waits for linux-nas02"):
        plan_acknowledgement(nas, nas.gather(waiting.runners), "linux-nas02")
    assert waiting.losses == []


def test_a_node_that_answers_is_not_off(nas: NasCluster, waiting: FakeCluster) -> None:
    state = nas.gather(waiting.runners)
    with pytest.raises(PlanError, match="linux-nas01 answers"):
        plan_acknowledgement(nas, state, "linux-nas01")
    with pytest.raises(PlanError, match="there is no node nas09"):
        plan_acknowledgement(nas, state, "nas09")


def test_cman_asks_the_person_itself() -> None:
    nas = loads(SPEC.read_text(encoding="utf-8").replace('"debian12"', '"el6"'))
    cluster = FakeCluster(nas.nodes.keys(), generation="2010")
    with pytest.raises(PlanError, match="cman asks a person"):
        plan_acknowledgement(nas, nas.gather(cluster.runners), "linux-nas02")


def test_a_node_that_comes_back_frees_it_and_nothing_is_made_anew(
    nas: NasCluster, waiting: FakeCluster
) -> None:
    # On real machines pvs hung, and its silence was taken for a device that holds nothing.
    waiting.clear_faults()
    waiting.boot("linux-nas02")
    state = nas.gather(waiting.runners)
    assert any("pvs" in each for each in state["linux-nas01"].hung)
    plan = nas.plan(state)
    assert plan.destroys == ()
    assert [str(step.command) for step in plan] == ["drbdadm up r0", "drbdadm primary r0"]
    plan.apply(waiting.runners, sleep=waiting.sleep).raise_for_failure()
    rest = nas.plan(nas.gather(waiting.runners))
    assert rest.destroys == ()
    rest.apply(waiting.runners, sleep=waiting.sleep, workers=1).raise_for_failure()
    state = nas.gather(waiting.runners)
    assert not nas.plan(state).changed
    assert waiting.losses == []


def test_while_nobody_knows_what_is_there_nothing_is_planned(
    nas: NasCluster, waiting: FakeCluster
) -> None:
    waiting.clear_faults()
    waiting.boot("linux-nas02")
    state = nas.gather(waiting.runners)
    up = {"r0": state["linux-nas01"].drbd["r0"]}
    nodes = {**state.nodes, "linux-nas02": evolve(state["linux-nas02"], drbd=up)}
    with pytest.raises(PlanError, match=r"nobody knows what is there: .* did not end"):
        nas.plan(evolve(state, nodes=nodes))
