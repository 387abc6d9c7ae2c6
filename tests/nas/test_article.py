"""The article end to end: its files, their mistakes, and the way to a NAS that works."""

import json
import re
from pathlib import Path

import pytest
from attrs import evolve

from clusternas import NasCluster
from clusternas.cli import main
from clusternas.core.command import Effect
from clusternas.core.errors import PlanError, Refused, ValidationError
from clusternas.core.versions import Toolset
from clusternas.nas.spec import loads
from clusternas.testing import FakeCluster
from clusternas.testing.demo import article

SPEC = article() / "today.toml"
OLD = SPEC.read_text(encoding="utf-8").replace('"debian12"', '"el6"')


@pytest.fixture
def today() -> NasCluster:
    return NasCluster.load(SPEC)


def codes(path: Path) -> set[str]:
    return {each.code for each in NasCluster.from_etc(path).check()}


def test_every_pitfall_of_the_article_is_found() -> None:
    found = codes(article())
    assert found >= {
        "DRBD010",  # become-primary-on both without allow-two-primaries
        "NAS004",  # a shared file system without it
        "CMAN008",  # fence_manual
        "NAS001",  # LVM sees the disk below DRBD
        "NAS008",  # DRBD starts after LVM
        "NAS006",  # Samba without CTDB
        "DNS003",  # a TTL of a day
    }


def test_one_etc_alone_counts_for_the_nodes_it_names() -> None:
    nas = NasCluster.from_etc(article() / "linux-nas01" / "etc")
    assert nas.nodes.keys() == ["linux-nas01", "linux-nas02"]
    assert nas.resources["r0"].hosts.keys() == nas.nodes.keys()
    assert nas.cluster_name is not None
    assert nas.cluster_name.addresses == ("192.168.122.11", "192.168.122.12")


def test_what_was_read_is_rendered_as_it_was() -> None:
    nas = NasCluster.from_etc(article())
    for node in nas.nodes:
        for path, model in node.files.items():
            original = article() / node.name / path.lstrip("/")
            assert model.render() == original.read_text(encoding="utf-8")


def test_the_description_for_today_is_well(today: NasCluster) -> None:
    assert {each.severity.value for each in today.check()} <= {"note"}


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (("", ""), False),
        (('agent = "/usr/sbin/fence_ipmilan"', 'agent = ""'), True),
        (('"debian12"', '"el6"'), False),
    ],
)
def test_dual_primary_wants_fencing(change: tuple[str, str], found: bool) -> None:
    text = SPEC.read_text(encoding="utf-8").replace(*change, 1)
    assert ("NAS017" in {each.code for each in loads(text).check()}) is found


@pytest.mark.parametrize(("text", "generation"), [(SPEC.read_text(), "today"), (OLD, "2010")])
def test_from_nothing_to_a_healthy_nas(text: str, generation: str) -> None:
    nas = loads(text)
    cluster = FakeCluster(nas.nodes.keys(), generation=generation)
    plan = nas.plan(nas.gather(cluster.runners))
    applied = plan.apply(cluster.runners, allow=plan.destroys, sleep=cluster.sleep, workers=1)
    applied.raise_for_failure()
    cluster.advance(600)
    state = nas.gather(cluster.runners)
    assert nas.status(state).troubles == ()
    assert not nas.plan(state).changed
    assert cluster.losses == []


def test_nothing_runs_that_destroys_unless_named(today: NasCluster) -> None:
    cluster = FakeCluster(today.nodes.keys())
    plan = today.plan(today.gather(cluster.runners))
    before = len(cluster.log)
    with pytest.raises(Refused, match=r"mkfs\.gfs2 /dev/drbd_vg/drbd_lv"):
        plan.apply(cluster.runners)
    assert len(cluster.log) == before


def test_a_disk_that_holds_data_is_never_initialised(today: NasCluster) -> None:
    cluster = FakeCluster(today.nodes.keys())
    cluster["linux-nas02"].shell("mkfs.ext4 /dev/vda3")
    state = today.gather(cluster.runners)
    with pytest.raises(PlanError, match=r"linux-nas02: /dev/vda3 holds ext4"):
        today.plan(state)


def test_data_that_appears_after_planning_is_not_initialised(today: NasCluster) -> None:
    cluster = FakeCluster(today.nodes.keys())
    plan = today.plan(today.gather(cluster.runners))
    cluster["linux-nas01"].shell("mkfs.ext4 /dev/vda3")
    applied = plan.apply(cluster.runners, allow=plan.destroys, sleep=cluster.sleep, workers=1)
    failed = applied.failed["linux-nas01: drbdadm create-md r0"]
    assert isinstance(failed, Refused)
    assert cluster.losses == []


def test_a_file_that_changes_after_planning_is_drift(today: NasCluster) -> None:
    cluster = FakeCluster(today.nodes.keys())
    plan = today.plan(today.gather(cluster.runners))
    cluster["linux-nas01"].files.write("/etc/samba/smb.conf", "[global]\n\tworkgroup = MINE\n")
    applied = plan.apply(cluster.runners, allow=plan.destroys, sleep=cluster.sleep, workers=1)
    assert "changed since it was read" in str(
        applied.failed["linux-nas01: write /etc/samba/smb.conf"]
    )
    assert cluster["linux-nas01"].files.text("/etc/samba/smb.conf").endswith("MINE\n")


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("generation", ["today", "2010"])
def test_every_command_may_fail_once(generation: str, when: str) -> None:
    nas = loads(SPEC.read_text() if generation == "today" else OLD)
    names = FakeCluster(nas.nodes.keys(), generation=generation)
    steps = nas.plan(nas.gather(names.runners)).steps
    for step in steps:
        cluster = FakeCluster(nas.nodes.keys(), generation=generation)
        command = step.command.title or " ".join(step.command.argv)
        cluster.fail(step.node, command, exit_code=1, stderr="no", when=when)
        plan = nas.plan(nas.gather(cluster.runners))
        applied = plan.apply(cluster.runners, allow=plan.destroys, sleep=cluster.sleep, workers=1)
        assert not applied.ok or step.command.effect is Effect.READ, step.id  # gathered already
        again = nas.plan(nas.gather(cluster.runners))
        applied = again.apply(cluster.runners, allow=again.destroys, sleep=cluster.sleep, workers=1)
        assert applied.ok, f"{step.id}: {applied}"
        cluster.advance(600)
        state = nas.gather(cluster.runners)
        assert nas.status(state).healthy, step.id
        assert not nas.plan(state).changed, step.id
        assert cluster.losses == [], step.id


def test_a_node_that_is_down_stops_the_plan(today: NasCluster) -> None:
    cluster = FakeCluster(today.nodes.keys())
    cluster.kill("linux-nas02")
    state = today.gather(cluster.runners)
    assert state.unreachable == ("linux-nas02",)
    with pytest.raises(PlanError, match="linux-nas02 did not answer"):
        today.plan(state)
    status = today.status(state)
    assert not status.healthy
    assert any(each.what == "does not answer" for each in status.troubles)


def test_rendering_for_other_tools(today: NasCluster) -> None:
    old = loads(OLD).render()["linux-nas01"]
    assert "allow-two-primaries;" in old["/etc/drbd.d/r0.res"]
    assert "syncer {" in old["/etc/drbd.d/r0.res"]
    assert "locking_type = 3" in old["/etc/lvm/lvm.conf"]
    assert '<cman two_node="1" expected_votes="1"/>' in old["/etc/cluster/cluster.conf"]
    nine = today.render(Toolset.EL9)["linux-nas01"]
    assert "fencing resource-and-stonith" in nine["/etc/drbd.d/r0.res"].partition("disk {")[0]


def test_the_patience_of_fencing_is_that_of_everything_that_fences() -> None:
    patient = ("[fencing] ", "[fencing]\npatience = 10\n")
    today, old = (loads(text.replace(*patient)).render() for text in (SPEC.read_text(), OLD))
    assert "ping-timeout 100;" in today["linux-nas01"]["/etc/drbd.d/r0.res"]
    # Real machines waited 15 s for each connect without it.
    assert "socket-check-timeout 5;" in today["linux-nas01"]["/etc/drbd.d/r0.res"]
    assert "token: 10000" in today["linux-nas01"]["/etc/corosync/corosync.conf"]
    assert "ping-timeout 100;" in old["linux-nas01"]["/etc/drbd.d/r0.res"]
    assert "socket-check-timeout" not in old["linux-nas01"]["/etc/drbd.d/r0.res"]
    assert 'token="10000"' in old["linux-nas01"]["/etc/cluster/cluster.conf"]


def test_tunables_of_ctdb_are_laid_over_ours() -> None:
    given = "\n[ctdb.tunables]\nTakeoverTimeout = 60\n"
    files = loads(SPEC.read_text() + given).render()["linux-nas01"]
    assert files["/etc/ctdb/ctdb.tunables"] == "EventScriptTimeout=120\nTakeoverTimeout=60\n"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("[samba]", "[ctdb]\ntunables = { A = true }\n[samba]"), "ctdb.tunables.A: not a number"),
        (("device =", "devise ="), "drbd.r0.device: is missing"),
        (("rate =", "rat ="), "drbd.r0.rat: unknown key"),
        (("port = 7789", 'port = "7789"'), "drbd.r0.port: not a number"),
        (('"debian12"', '"debian13"'), "toolset: unknown toolset 'debian13'"),
        (('name = "NASCluster"', ""), "name: is missing"),
    ],
)
def test_mistakes_in_the_description_are_named(change: tuple[str, str], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        loads(SPEC.read_text().replace(*change, 1))


def test_the_nas_draws_itself(today: NasCluster) -> None:
    labels = re.findall(r">([^<>]+)</text>", today._repr_html_())
    assert labels == [
        "NASCluster",
        *("linux-nas01", "linux-nas02"),
        "DNS: cluster",
        "Samba, CTDB: opt",
        "GFS2: /opt",
        "LVM: drbd_vg, drbd_lv",
        "Cluster: corosync, dlm",
        "DRBD: r0",
        *("/dev/vda3", "/dev/vda3"),
    ]


def test_the_drawing_shows_what_the_nodes_do_not_share() -> None:
    picture = NasCluster.from_etc(article())._repr_html_()
    assert picture.count("Samba: opt") == 2  # each node alone: nobody sees the other's locks
    assert picture.count("GFS2: /opt") == 1


def test_a_long_label_is_cut_and_told_whole_when_pointed_at(today: NasCluster) -> None:
    path = "/dev/disk/by-id/scsi-36001405abcdef0123456789"
    host = today.resources["r0"].hosts["linux-nas01"]
    hosts = today.resources["r0"].hosts.put(evolve(host, disk=path))
    resource = evolve(today.resources["r0"], hosts=hosts)
    picture = evolve(today, resources=[resource])._repr_html_()
    assert f"…<title>{path}</title>" in picture


# the command line


def test_check_exits_1_with_findings(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(article())]) == 1
    assert "fence_manual" in capsys.readouterr().out
    assert main(["check", str(article()), "--format", "json"]) == 1
    assert any(each["code"] == "NAS001" for each in json.loads(capsys.readouterr().out))
    assert main(["check", str(article() / "linux-nas01/etc/fstab"), "--format", "sarif"]) == 1
    assert json.loads(capsys.readouterr().out)["version"] == "2.1.0"


def test_check_exits_0_without(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "fstab").write_text("/dev/vda1 / ext4 defaults 1 1\n")
    assert main(["check", str(tmp_path / "fstab")]) == 0
    assert capsys.readouterr().out == "no findings\n"


def test_render_writes_every_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render", str(SPEC), "-o", str(tmp_path), "--toolset", "el9"]) == 0
    assert (tmp_path / "linux-nas02/etc/drbd.d/r0.res").exists()
    assert "r0.res" in capsys.readouterr().out


def test_the_demo_ends_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "-o", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "NASCluster: healthy" in shown
    assert "a second plan: nothing to do" in shown


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = ", "not TOML"),
        ("", "name: is missing"),
        ("\0", "not TOML"),
    ],
)
def test_bad_input_exits_2_without_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, message: str
) -> None:
    spec = tmp_path / "nas.toml"
    spec.write_text(text)
    for command in (["check"], ["render", "-o", str(tmp_path / "out")]):
        assert main([*command, str(spec)]) == 2
        assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_files_that_cannot_be_read_exit_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    large = tmp_path / "smb.conf"
    with large.open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    for path in (tmp_path / "none.res", large, tmp_path):
        assert main(["check", str(path)]) == 2
        assert capsys.readouterr().err.startswith("clusternas: ")
