"""The NAS of 2010 moves to the tools of today: stopped, reinstalled, converted, and serving."""

import pytest
from serving import SPEC, carry_out, serving

from clusternas import NasCluster
from clusternas.core.errors import PlanError
from clusternas.nas.conversion import plan_conversion
from clusternas.nas.plan import Plan
from clusternas.nas.spec import loads
from clusternas.nas.stopping import plan_shutdown
from clusternas.testing import FakeCluster

OLD, NEW = loads(SPEC.replace('"debian12"', '"el6"')), loads(SPEC)


@pytest.fixture
def stopped() -> FakeCluster:
    """Two nodes of 2010 that have served, are stopped, and have the tools of today."""
    cluster = serving(OLD, "2010")
    cluster["linux-nas01"].files.write("/opt/share/kept", "since 2010")
    carry_out(cluster, plan_shutdown(OLD, OLD.gather(cluster.runners)))
    cluster.reinstall("today")
    return cluster


def converts(cluster: FakeCluster) -> Plan:
    return plan_conversion(NEW, NEW.gather(cluster.runners))


def becomes_healthy(cluster: FakeCluster, nas: NasCluster = NEW) -> None:
    plan = nas.plan(nas.gather(cluster.runners))
    assert plan.destroys == ()
    carry_out(cluster, plan)
    state = nas.gather(cluster.runners)
    assert nas.status(state).troubles == ()
    assert not nas.plan(state).changed
    assert cluster.losses == []
    assert cluster["linux-nas02"].files.text("/opt/share/kept") == "since 2010"


def test_the_whole_nas_moves_with_its_data(stopped: FakeCluster) -> None:
    plan = converts(stopped)
    assert plan.destroys == ()
    assert [str(step.command) for step in plan][-2:] == [
        "vgchange --locktype none --lockopt force -y drbd_vg",
        "vgchange --locktype dlm drbd_vg",
    ]
    carry_out(stopped, plan)
    becomes_healthy(stopped)
    assert not converts(stopped).changed


def test_a_group_of_clvmd_is_never_opened_as_it_is(stopped: FakeCluster) -> None:
    plan = NEW.plan(NEW.gather(stopped.runners))
    applied = plan.apply(stopped.runners, allow=plan.destroys, sleep=stopped.sleep, workers=1)
    assert 'Volume group "drbd_vg" not found' in str(applied)
    with pytest.raises(PlanError, match="holds LVM2_member") as refused:
        NEW.plan(NEW.gather(stopped.runners))
    assert "clusternas convert" in refused.value.hint
    carry_out(stopped, converts(stopped))
    becomes_healthy(stopped)


def test_every_step_may_fail_once(stopped: FakeCluster) -> None:
    for step in converts(stopped):
        cluster = FakeCluster(OLD.nodes.keys(), generation="2010")
        carry_out(cluster, OLD.plan(OLD.gather(cluster.runners)))
        cluster["linux-nas01"].files.write("/opt/share/kept", "since 2010")
        carry_out(cluster, plan_shutdown(OLD, OLD.gather(cluster.runners)))
        cluster.reinstall("today")
        cluster.fail(step.node, str(step.command).split(" -")[0], stderr="no")
        converts(cluster).apply(cluster.runners, sleep=cluster.sleep, workers=1)
        cluster.clear_faults()
        carry_out(cluster, converts(cluster))
        becomes_healthy(cluster)


def test_half_way_the_group_is_nobodys_and_is_not_opened(stopped: FakeCluster) -> None:
    stopped.fail("linux-nas01", "vgchange --locktype dlm", stderr="no")
    plan = converts(stopped)
    plan.apply(stopped.runners, sleep=stopped.sleep, workers=1)
    with pytest.raises(PlanError, match="drbd_vg is guarded by none, not by dlm"):
        NEW.plan(NEW.gather(stopped.runners))
    rest = converts(stopped)
    assert "vgchange --locktype none" not in str(rest)
    carry_out(stopped, rest)
    becomes_healthy(stopped)


def test_nothing_is_converted_while_somebody_has_it_open(stopped: FakeCluster) -> None:
    carry_out(stopped, converts(stopped))
    becomes_healthy(stopped)
    for node in stopped.nodes.values():
        node.shell("systemctl stop ctdb")
        node.shell("umount /opt")
        node.shell("vgchange -an drbd_vg")
    assert stopped["linux-nas01"].shell("vgchange --locktype none drbd_vg").exit_code == 0
    assert stopped["linux-nas02"].shell("lvchange -ay drbd_vg/drbd_lv").exit_code == 0
    with pytest.raises(PlanError, match="linux-nas02 has volumes of drbd_vg open"):
        converts(stopped)


def test_a_node_that_is_silent_might_have_it_open(stopped: FakeCluster) -> None:
    stopped.kill("linux-nas02")
    with pytest.raises(PlanError, match="linux-nas02 did not answer"):
        converts(stopped)
