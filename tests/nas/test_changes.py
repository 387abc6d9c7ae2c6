"""A NAS that works, and its description changes: what has to be told that its file has changed."""

import pytest
from attrs import evolve
from serving import carry_out, described

from clusternas import NasCluster
from clusternas.core.errors import PlanError
from clusternas.nas.plan import Plan
from clusternas.testing import FakeCluster

NEW_SHARE = {"[dns]": '[shares.photos]\npath = "/opt/photos"\n\n[dns]'}


def commands(plan: Plan) -> list[str]:
    return [f"{step.node[-2:]}: {step.command}" for step in plan]


def settles(nas: NasCluster, cluster: FakeCluster) -> bool:
    return not nas.plan(nas.gather(cluster.runners)).changed


def test_a_share_is_added_while_all_runs(running: FakeCluster, generation: str) -> None:
    nas = described(NEW_SHARE, generation)
    plan = nas.plan(nas.gather(running.runners))
    assert commands(plan) == [
        "01: write /var/lib/clusternas/pending/samba",
        "01: write /etc/samba/smb.conf",
        "02: write /var/lib/clusternas/pending/samba",
        "02: write /etc/samba/smb.conf",
        "01: smbcontrol all reload-config",
        "02: smbcontrol all reload-config",
        "01: remove /var/lib/clusternas/pending/samba",
        "02: remove /var/lib/clusternas/pending/samba",
        "01: make-dir /opt/photos",
        "01: write /var/lib/clusternas/described",
        "02: write /var/lib/clusternas/described",
    ]
    carry_out(running, plan)
    assert settles(nas, running)
    assert running["linux-nas02"].files.is_dir("/opt/photos")


def test_a_share_that_is_described_no_more_goes(running: FakeCluster, generation: str) -> None:
    more, less = described(NEW_SHARE, generation), described({}, generation)
    carry_out(running, more.plan(more.gather(running.runners)))
    running["linux-nas01"].files.write("/opt/photos/one", "kept")
    for node in running.nodes.values():
        by_hand = node.files.text("/etc/samba/smb.conf") + "[mine]\n\tpath = /srv\n"
        node.files.write("/etc/samba/smb.conf", by_hand)
    plan = less.plan(less.gather(running.runners))
    assert "-[photos]" in plan.diff()
    assert "smbcontrol all reload-config" in str(plan)
    assert plan.destroys == ()
    carry_out(running, plan)
    shown = running["linux-nas02"].files.text("/etc/samba/smb.conf")
    assert "[photos]" not in shown
    assert "[mine]" in shown
    assert running["linux-nas01"].files.text("/opt/photos/one") == "kept"
    assert settles(less, running)


def test_what_nobody_has_described_stays(running: FakeCluster, generation: str) -> None:
    nas = described({}, generation)
    for node in running.nodes.values():
        node.files.remove("/var/lib/clusternas/described")
        by_hand = node.files.text("/etc/samba/smb.conf") + "[photos]\n\tpath = /srv\n"
        node.files.write("/etc/samba/smb.conf", by_hand)
    plan = nas.plan(nas.gather(running.runners))
    assert set(commands(plan)) == {f"0{n}: write /var/lib/clusternas/described" for n in (1, 2)}
    carry_out(running, plan)
    assert settles(nas, running)


@pytest.mark.parametrize("note", ["", "{", "[]", '{"/etc/samba/smb.conf": "["}'])
def test_a_note_that_cannot_be_read_takes_nothing_away(
    running: FakeCluster, generation: str, note: str
) -> None:
    nas = described({}, generation)
    for node in running.nodes.values():
        node.files.write("/var/lib/clusternas/described", note)
    plan = nas.plan(nas.gather(running.runners))
    assert plan.diff() == ""
    carry_out(running, plan)
    assert settles(nas, running)


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        ('rate = "33M"', 'rate = "50M"', "drbdadm adjust r0"),
        ("ttl = 300", "ttl = 60", "rndc reload"),
    ],
)
def test_what_runs_is_told(
    running: FakeCluster, generation: str, old: str, new: str, wanted: str
) -> None:
    nas = described({old: new}, generation)
    plan = nas.plan(nas.gather(running.runners))
    assert [each for each in commands(plan) if "write" not in each and "remove" not in each] == [
        f"01: {wanted}",
        f"02: {wanted}",
    ]
    carry_out(running, plan)
    assert settles(nas, running)


def test_membership_is_told_once(running: FakeCluster, generation: str) -> None:
    nas = described({'ip = "10.10.20.2"': 'ip = "10.10.20.3"'}, generation)
    plan = nas.plan(nas.gather(running.runners))
    told = [each for each in commands(plan) if "write" not in each and "remove" not in each]
    if generation == "2010":
        assert told == ["01: cman_tool version -r -S"]
    else:
        assert told == ["01: dlm_tool reload_config", "02: dlm_tool reload_config"]
    carry_out(running, plan)
    assert settles(nas, running)


@pytest.mark.parametrize("generation", ["2010"])
def test_members_that_do_not_see_each_other_are_told_one_by_one(running: FakeCluster) -> None:
    nas = described({'ip = "10.10.20.2"': 'ip = "10.10.20.3"'}, "2010")
    state = nas.gather(running.runners)
    alone = {name: evolve(node, members=frozenset({name})) for name, node in state.nodes.items()}
    told = [each for each in commands(nas.plan(evolve(state, nodes=alone))) if "cman_tool" in each]
    assert told == ["01: cman_tool version -r -S", "02: cman_tool version -r -S"]


def test_what_was_not_told_before_a_crash_is_told_by_the_next_plan(
    running: FakeCluster, generation: str
) -> None:
    nas = described({'rate = "33M"': 'rate = "50M"'}, generation)
    plan = nas.plan(nas.gather(running.runners))
    running.lose("linux-nas01", "drbdadm adjust r0", when="before")
    applied = plan.apply(running.runners, sleep=running.sleep, workers=1)
    assert not applied.ok
    again = nas.plan(nas.gather(running.runners))
    assert commands(again)[0] == "01: drbdadm adjust r0"
    carry_out(running, again)
    assert settles(nas, running)


@pytest.mark.parametrize("generation", ["today"])
def test_ctdb_is_restarted_one_by_one(running: FakeCluster) -> None:
    nas = described({}, "today")
    assert nas.ctdb is not None
    cluster = evolve(nas.ctdb.cluster, leader_capability=True) if nas.ctdb.cluster else None
    nas = evolve(nas, ctdb=evolve(nas.ctdb, cluster=cluster))
    plan = nas.plan(nas.gather(running.runners))
    restarts = [step for step in plan if "restart" in str(step.command)]
    assert [step.node for step in restarts] == ["linux-nas01", "linux-nas02"]
    assert restarts[0].guard is not None
    assert restarts[0].guard.node == "linux-nas02"
    assert restarts[0].id in restarts[1].after
    carry_out(running, plan)
    assert settles(nas, running)


def test_journals_are_added_while_it_is_mounted(running: FakeCluster, generation: str) -> None:
    nas = described({}, generation)
    fs = nas.filesystems["/opt"]
    nas = evolve(nas, filesystems=[evolve(fs, journals=fs.journals + 1)])
    plan = nas.plan(nas.gather(running.runners))
    assert commands(plan) == ["01: gfs2_jadd -J 32 -j 1 /opt"]
    carry_out(running, plan)
    assert settles(nas, running)


def needed(plan: Plan, last: str) -> set[str]:
    """The ids of all steps that come before one."""
    after = {step.id: step.after for step in plan}
    found: set[str] = set()
    todo = list(after[last])
    while todo:
        found.add(step := todo.pop())
        todo += after[step]
    return found


def test_no_first_sync_where_a_peer_is_up_to_date(generation: str) -> None:
    nas = described({}, generation)
    cluster = FakeCluster(nas.nodes.keys(), generation=generation)
    plan = nas.plan(nas.gather(cluster.runners))
    first = next(step for step in plan if "primary" in step.command.name and step.destroys)
    for step in plan:
        if step.id in needed(plan, first.id):
            cluster[step.node].run(step.command.allow(plan.destroys))
    other = cluster["linux-nas02"]
    force = nas.resources["r0"].primary(overwrite_peer=True, toolset=nas.toolset)
    other.run(force.allow([force.name]))
    assert first.guard is not None
    with pytest.raises(PlanError, match="UpToDate nowhere is not true"):
        Plan((evolve(first, after=()),)).apply(
            cluster.runners, allow=plan.destroys, sleep=cluster.sleep
        ).raise_for_failure()
    assert cluster.losses == []


@pytest.mark.parametrize("generation", ["today"])
def test_samba_is_left_to_ctdb(running: FakeCluster) -> None:
    nas = described({}, "today")
    assert "smbd" in running["linux-nas01"].running
    assert settles(nas, running)
    running["linux-nas01"].shell("systemctl enable smbd nmbd")
    plan = nas.plan(nas.gather(running.runners))
    assert commands(plan) == ["01: systemctl disable smbd", "01: systemctl disable nmbd"]
    carry_out(running, plan)
    assert settles(nas, running)


@pytest.mark.parametrize("generation", ["today"])
def test_samba_that_runs_before_ctdb_does_is_stopped(generation: str) -> None:
    nas = described({}, generation)
    cluster = FakeCluster(nas.nodes.keys())
    for node in cluster.nodes.values():
        assert node.shell("systemctl enable --now smbd").exit_code == 0
    plan = nas.plan(nas.gather(cluster.runners))
    shown = commands(plan)
    assert shown.index("02: systemctl stop smbd") < shown.index("02: systemctl start ctdb")
    carry_out(cluster, plan)
    assert settles(nas, cluster)
    assert nas.status(nas.gather(cluster.runners)).healthy


@pytest.mark.parametrize("generation", ["today"])
def test_ctdb_leaves_and_comes_back(running: FakeCluster) -> None:
    alone = described({"[dns]": "[ctdb]\nenabled = false\n\n[dns]"}, "today")
    running["linux-nas01"].shell("systemctl enable ctdb")
    plan = alone.plan(alone.gather(running.runners))
    shown = commands(plan)
    assert "01: systemctl disable ctdb" in shown
    assert "01: smbcontrol all reload-config" not in shown
    assert shown.index("02: systemctl stop ctdb") < shown.index("01: systemctl start smbd")
    carry_out(running, plan)
    assert settles(alone, running)
    assert alone.status(alone.gather(running.runners)).healthy
    assert [node.running & {"ctdb", "smbd"} for node in running.nodes.values()] == [{"smbd"}] * 2
    nas = described({}, "today")
    carry_out(running, nas.plan(nas.gather(running.runners)))
    assert settles(nas, running)
    assert nas.status(nas.gather(running.runners)).healthy
