"""Nodes come and go while the others serve: here on a disk that all of them reach."""

import pytest
from serving import DISK, SAN, SAN_NODE

from clusternas import NasCluster
from clusternas.core.errors import PlanError
from clusternas.core.model import Model
from clusternas.core.overlay import overlay
from clusternas.nas.plan import Plan
from clusternas.nas.removal import plan_removal
from clusternas.nas.spec import loads
from clusternas.nas.stopping import plan_shutdown
from clusternas.testing import FakeCluster
from clusternas.testing.demo import article


def described(*numbers: int, head: str = SAN) -> NasCluster:
    return loads(head + "".join(SAN_NODE.format(number) for number in numbers))


TWO, THREE = described(1, 2), described(1, 2, 3)
EL6 = SAN.replace('"debian12"', '"el6"')
OLD = {count: described(*range(1, count + 1), head=EL6) for count in (2, 3, 4)}


def carry_out(cluster: FakeCluster, plan: Plan) -> None:
    applied = plan.apply(cluster.runners, allow=plan.destroys, sleep=cluster.sleep, workers=1)
    applied.raise_for_failure()
    cluster.advance(60)


def serving(nas: NasCluster) -> FakeCluster:
    """Four machines, of which those that are described serve."""
    names = ("nas1", "nas2", "nas3", "nas4")
    cluster = FakeCluster(names, generation=nas.toolset, shared={"/dev/sdb": DISK})
    carry_out(cluster, nas.plan(nas.gather(cluster.runners)))
    is_well(nas, cluster)
    return cluster


def is_well(nas: NasCluster, cluster: FakeCluster) -> None:
    state = nas.gather(cluster.runners)
    assert nas.status(state).troubles == ()
    assert not nas.plan(state).changed
    assert cluster.losses == []


def order(plan: Plan, *words: str) -> list[int]:
    """Where the steps with these words come first."""
    lines = [f"{step.node}: {step.command}" for step in plan]
    return [next(at for at, line in enumerate(lines) if word in line) for word in words]


def test_a_node_joins_while_the_others_serve() -> None:
    cluster = serving(TWO)
    cluster["nas1"].files.write("/opt/share/kept", "by two")
    plan = THREE.plan(THREE.gather(cluster.runners))
    assert plan.destroys == ()
    places = order(
        plan,
        "corosync-cfgtool -R",
        "ctdb reloadnodes",
        "nas3: systemctl start corosync",
        "gfs2_jadd",
        "nas3: mount",
        "nas3: systemctl start ctdb",
        "write /etc/bind/db.example.com",
        "rndc reload",
    )
    assert places == sorted(places)
    carry_out(cluster, plan)
    is_well(THREE, cluster)
    assert cluster["nas3"].files.text("/opt/share/kept") == "by two"
    assert "two_node" not in cluster["nas1"].files.text("/etc/corosync/corosync.conf")


def test_each_step_of_joining_may_fail_once() -> None:
    steps = THREE.plan(THREE.gather(serving(TWO).runners)).steps
    for step in steps:
        cluster = serving(TWO)
        command = step.command.title or " ".join(step.command.argv)
        cluster.fail(step.node, command, stderr="no")
        plan = THREE.plan(THREE.gather(cluster.runners))
        plan.apply(cluster.runners, sleep=cluster.sleep, workers=1)
        cluster.clear_faults()
        carry_out(cluster, THREE.plan(THREE.gather(cluster.runners)))
        is_well(THREE, cluster)


def test_a_node_leaves_while_the_others_serve() -> None:
    cluster = serving(THREE)
    plan = plan_removal(THREE, THREE.gather(cluster.runners), TWO)
    assert plan.destroys == ()
    places = order(
        plan,
        "write /etc/bind/db.example.com",
        "rndc reload",
        "nas3: systemctl stop ctdb",
        "nas3: umount",
        "nas3: systemctl stop corosync",
        "write /etc/corosync/corosync.conf",
        "corosync-cfgtool -R",
        "ctdb reloadnodes",
    )
    assert places == sorted(places)
    carry_out(cluster, plan)
    is_well(TWO, cluster)
    assert cluster["nas1"].files.text("/etc/ctdb/nodes").endswith("#10.10.10.3\n")
    assert not cluster["nas3"].running & {"corosync", "dlm", "ctdb"}
    cluster.kill("nas3")
    cluster.boot("nas3")
    assert not cluster["nas3"].running & {"corosync", "dlm", "ctdb"}


def test_each_step_of_leaving_may_fail_once() -> None:
    steps = plan_removal(THREE, THREE.gather(serving(THREE).runners), TWO).steps
    for step in steps:
        cluster = serving(THREE)
        command = step.command.title or " ".join(step.command.argv)
        cluster.fail(step.node, command, stderr="no")
        plan_removal(THREE, THREE.gather(cluster.runners), TWO).apply(
            cluster.runners, sleep=cluster.sleep, workers=1
        )
        cluster.clear_faults()
        carry_out(cluster, plan_removal(THREE, THREE.gather(cluster.runners), TWO))
        is_well(TWO, cluster)


def test_cman_takes_a_third_node_and_lets_it_go_only_while_it_is_stopped() -> None:
    cluster = serving(OLD[2])
    with pytest.raises(PlanError, match="nas1: cman runs for two nodes") as refused:
        OLD[3].plan(OLD[3].gather(cluster.runners))
    assert "clusternas stop SPEC --all" in refused.value.hint
    carry_out(cluster, plan_shutdown(OLD[2], OLD[2].gather(cluster.runners)))
    with pytest.raises(PlanError, match="/opt has 3 journals is not true"):
        carry_out(cluster, OLD[3].plan(OLD[3].gather(cluster.runners)))
    carry_out(cluster, OLD[3].plan(OLD[3].gather(cluster.runners)))  # now it can be seen
    is_well(OLD[3], cluster)
    assert "two_node" not in cluster["nas2"].files.text("/etc/cluster/cluster.conf")

    with pytest.raises(PlanError, match="nas1: cman runs not for two nodes"):
        plan_removal(OLD[3], OLD[3].gather(cluster.runners), OLD[2])
    carry_out(cluster, plan_shutdown(OLD[3], OLD[3].gather(cluster.runners)))
    carry_out(cluster, plan_removal(OLD[3], OLD[3].gather(cluster.runners), OLD[2]))
    carry_out(cluster, OLD[2].plan(OLD[2].gather(cluster.runners)))
    is_well(OLD[2], cluster)
    cluster.kill("nas3")
    cluster.boot("nas3")
    assert "cman" not in cluster["nas3"].running


def test_a_node_that_came_up_alone_gets_its_quorum() -> None:
    cluster = serving(OLD[3])
    cluster.kill("nas3")
    cluster.advance(60)
    carry_out(cluster, plan_shutdown(OLD[3], OLD[3].gather(cluster.runners)))
    cluster.boot("nas3")  # clvmd lets nobody see its volumes now
    assert OLD[3].gather(cluster.runners)["nas3"].hung
    plan = OLD[3].plan(OLD[3].gather(cluster.runners))
    assert [f"{step.node}: {step.command}" for step in plan] == [
        "nas1: service cman start",
        "nas2: service cman start",
    ]
    carry_out(cluster, plan)
    carry_out(cluster, OLD[3].plan(OLD[3].gather(cluster.runners)))
    is_well(OLD[3], cluster)


def test_cman_takes_a_fourth_node_while_it_runs() -> None:
    cluster = serving(OLD[3])
    plan = OLD[4].plan(OLD[4].gather(cluster.runners))
    places = order(plan, "cman_tool version -r", "nas4: service cman start", "nas4: mount")
    assert places == sorted(places)
    carry_out(cluster, plan)
    is_well(OLD[4], cluster)
    carry_out(cluster, plan_removal(OLD[4], OLD[4].gather(cluster.runners), OLD[3]))
    is_well(OLD[3], cluster)


def test_a_node_that_was_to_join_and_is_no_more_described_goes_from_the_files() -> None:
    cluster = serving(OLD[3])
    plan = OLD[4].plan(OLD[4].gather(cluster.runners))
    cluster.fail("nas4", "service cman start")
    assert not plan.apply(cluster.runners, sleep=cluster.sleep, workers=1).ok
    carry_out(cluster, OLD[3].plan(OLD[3].gather(cluster.runners)))
    is_well(OLD[3], cluster)
    assert "nas4" not in cluster["nas1"].files.text("/etc/cluster/cluster.conf")


def test_the_others_keep_their_numbers() -> None:
    cluster = serving(THREE)
    rest = loads(SAN + "".join(SAN_NODE.format(n) for n in (1, 2, 3)), without=["nas2"])
    carry_out(cluster, plan_removal(THREE, THREE.gather(cluster.runners), rest))
    is_well(rest, cluster)
    assert cluster["nas1"].files.text("/etc/ctdb/nodes").split()[1] == "#10.10.10.2"
    forgot = described(1, 3)
    with pytest.raises(PlanError, match="nas3 is number 3 of the cluster, not 2") as refused:
        forgot.plan(forgot.gather(cluster.runners))
    assert refused.value.hint == "write id = 3 in [nodes.nas3]"
    numbered = loads(SAN + SAN_NODE.format(1) + SAN_NODE.format(3) + "id = 3\n")
    is_well(numbered, cluster)


def test_ctdb_has_one_list_of_nodes_whatever_the_order_of_the_description() -> None:
    cluster = serving(loads(SAN + "".join(SAN_NODE.format(n) for n in (1, 2, 3)), without=["nas1"]))
    carry_out(cluster, THREE.plan(THREE.gather(cluster.runners)))
    is_well(THREE, cluster)
    lists = {cluster[each.name].files.text("/etc/ctdb/nodes") for each in THREE.nodes}
    assert lists == {"10.10.10.2\n10.10.10.3\n10.10.10.1\n"}


def test_who_comes_back_gets_his_number() -> None:
    cluster = serving(THREE)
    carry_out(cluster, plan_removal(THREE, THREE.gather(cluster.runners), TWO))
    carry_out(cluster, THREE.plan(THREE.gather(cluster.runners)))
    is_well(THREE, cluster)
    assert "#" not in cluster["nas1"].files.text("/etc/ctdb/nodes")


def test_a_dead_node_is_forgotten_once_it_is_no_member() -> None:
    cluster = serving(THREE)
    cluster.kill("nas3")
    cluster.advance(60)
    carry_out(cluster, plan_removal(THREE, THREE.gather(cluster.runners), TWO))
    is_well(TWO, cluster)


def test_what_cannot_be_is_refused() -> None:
    cluster = serving(THREE)
    state = THREE.gather(cluster.runners)
    with pytest.raises(PlanError, match="no node goes"):
        plan_removal(THREE, state, THREE)
    cluster.kill("nas1")
    with pytest.raises(PlanError, match="nas1 did not answer, and is to stay"):
        plan_removal(THREE, THREE.gather(cluster.runners), TWO)


def test_a_copy_is_not_taken_away_and_a_third_writer_not_added() -> None:
    text = (article() / "today.toml").read_text(encoding="utf-8")
    nas = loads(text)
    cluster = FakeCluster((*nas.nodes.keys(), "nas3"))
    carry_out(cluster, nas.plan(nas.gather(cluster.runners)))
    rest = loads(text, without=["linux-nas02"])
    with pytest.raises(PlanError, match="linux-nas02 holds the other copy of r0"):
        plan_removal(nas, nas.gather(cluster.runners), rest)
    more = loads(text.replace("[fencing] ", SAN_NODE.format(3) + "[fencing] "))
    assert "NAS018" in {each.code for each in more.check()}
    with pytest.raises(PlanError, match="r0 has 3 hosts"):
        more.plan(more.gather(cluster.runners))


def test_a_new_machine_takes_the_place_of_a_dead_one() -> None:
    nas = loads((article() / "today.toml").read_text(encoding="utf-8"))
    cluster = FakeCluster(nas.nodes.keys())
    carry_out(cluster, nas.plan(nas.gather(cluster.runners)))
    cluster.advance(600)
    cluster["linux-nas01"].files.write("/opt/share/kept", "yes")
    cluster.replace("linux-nas02")
    cluster.advance(60)
    plan = nas.plan(nas.gather(cluster.runners))
    assert plan.destroys == ("drbdadm create-md r0",)
    carry_out(cluster, plan)
    cluster.advance(600)
    is_well(nas, cluster)
    assert cluster["linux-nas02"].files.text("/opt/share/kept") == "yes"


def test_what_is_equal_on_64_nodes_is_worked_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    nas = described(*range(1, 65))
    cluster = FakeCluster(nas.nodes.keys(), shared={"/dev/sdb": DISK})
    plan = nas.plan(nas.gather(cluster.runners))
    for step in plan:
        if step.command.title.startswith("write /etc"):
            cluster[step.node].run(step.command)
    laid: list[str] = []

    def counted(actual: Model, wanted: Model, last: Model | None = None) -> Model:
        laid.append(type(wanted).__name__)
        return overlay(actual, wanted, last)

    monkeypatch.setattr("clusternas.nas.filetexts.overlay", counted)
    state = nas.gather(cluster.runners)
    laid.clear()
    assert not [step for step in nas.plan(state) if step.command.title.startswith("write /etc")]
    assert 0 < len(laid) == len(set(laid))
