"""What the victim of a split brain loses, told and saved before."""

from __future__ import annotations

import json

import attrs
import pytest
from serving import described, serving

from clusternas import NasCluster, cli
from clusternas.core.errors import PlanError
from clusternas.core.salvage import ChangedFile
from clusternas.drbd.hosts import DrbdVolume
from clusternas.nas.day2 import plan_split_brain_recovery
from clusternas.nas.lost import WrittenAlone, saves, written_alone
from clusternas.testing import FakeCluster
from clusternas.testing.demo import article

UNFENCED = {
    'handler = "/usr/local/sbin/drbd-fence-peer"': "",
    'unfence = "/usr/local/sbin/drbd-unfence-peer"': "",
}
VICTIM = "linux-nas02"
IMAGE = "/root/r0-nas02.img"


@pytest.fixture
def nas(generation: str) -> NasCluster:
    return described(UNFENCED, generation)


@pytest.fixture
def cluster(nas: NasCluster, generation: str) -> FakeCluster:
    """Both nodes have written while the replication link was cut."""
    cluster = serving(nas, generation)
    cluster.advance(600)
    cluster.cut("linux-nas01", VICTIM, link="replication")
    for node in cluster.nodes.values():
        node.files.write(f"/opt/{node.name}", f"only on {node.name}")
    cluster.mend("linux-nas01", VICTIM, link="replication")
    cluster.advance(60)
    return cluster


def told(nas: NasCluster, cluster: FakeCluster, since: float | None = None) -> WrittenAlone:
    state = nas.gather(cluster.runners)
    return written_alone(nas, cluster.runners, state, "r0", VICTIM, since=since)


def paths(found: WrittenAlone) -> list[str]:
    return [each.path for each in found.files]


def test_the_files_of_the_victim_are_listed(
    nas: NasCluster, cluster: FakeCluster, generation: str
) -> None:
    # EL6 has no journal: somebody has to say when the link was lost.
    found = told(nas, cluster, None if generation == "today" else cluster.now - 100)
    assert found.kib == 20
    assert f"/opt/{VICTIM}" in paths(found)
    assert "/opt/linux-nas01" not in paths(found)
    assert found.unlisted == ""
    sizes = {each.path: each.size for each in found.files}
    assert sizes[f"/opt/{VICTIM}"] == len(f"only on {VICTIM}")
    assert f"{VICTIM} wrote alone to r0: 20 KiB" in str(found)
    assert paths(told(nas, cluster, since=cluster.now)) == []
    changes = [call for call in cluster.log[-6:] if call.effect.value != "read"]
    assert changes == []


def test_what_cannot_be_listed_says_why(
    nas: NasCluster, cluster: FakeCluster, generation: str
) -> None:
    victim = cluster[VICTIM]
    victim.kernel_log.clear()
    assert "since when: give the time" in told(nas, cluster).unlisted
    if generation == "today":
        cluster.fail(VICTIM, "journalctl", stderr="No journal files were found.")
        assert told(nas, cluster).unlisted == "No journal files were found."
    cluster.hang(VICTIM, "changed-since")
    assert "did not end" in told(nas, cluster, since=0).unlisted
    cluster.withdraw(VICTIM, "/opt")
    assert told(nas, cluster, since=0).unlisted == "GFS2 has withdrawn from /opt"
    cluster.kill(VICTIM)
    with pytest.raises(PlanError, match="did not answer"):
        told(nas, cluster)
    cluster.boot(VICTIM)
    found = told(nas, cluster)
    assert (found.kib, found.files) == (None, ())
    assert found.unlisted == f"/opt is not mounted on {VICTIM}"
    assert "nobody knows how much" in str(found)


def test_a_file_name_is_no_order_to_the_terminal() -> None:
    name = "/opt/\x1b[2J\n\udcff é"
    file = ChangedFile(path=name, size=1, mtime=0)
    found = WrittenAlone(resource="r0", victim=VICTIM, since=0.0, files=(file,) * 25, more=7)
    assert r"/opt/\x1b[2J\n\udcff é" in str(found)
    assert str(found).endswith("and 12 more")
    assert json.loads(json.dumps(found.record()))["files"][0]["path"] == name


def recover(nas: NasCluster, cluster: FakeCluster) -> tuple[list[str], bool]:
    """The commands on the victim, and whether all went well."""
    state = nas.gather(cluster.runners)
    plan = plan_split_brain_recovery(nas, state, "r0", VICTIM, save_to=IMAGE)
    applied = plan.apply(cluster.runners, allow=plan.destroys, sleep=cluster.sleep, workers=1)
    return [str(step.command) for step in plan if step.node == VICTIM], applied.ok


def test_the_disk_is_saved_when_nothing_writes_and_nothing_is_lost(
    nas: NasCluster, cluster: FakeCluster
) -> None:
    commands, done = recover(nas, cluster)
    assert done
    save = commands.index(f"save-disk /dev/vda3 {IMAGE}")
    assert commands[save - 1].startswith("drbdadm secondary")
    assert "connect" in commands[save + 1]
    assert b"only on linux-nas02" in cluster[VICTIM].files.data(IMAGE)


def test_nothing_is_lost_unless_it_is_saved(nas: NasCluster, cluster: FakeCluster) -> None:
    cluster[VICTIM].files.write(IMAGE, "something else")
    assert not recover(nas, cluster)[1]
    assert cluster.losses == []
    cluster[VICTIM].files.remove(IMAGE)
    cluster.fail(VICTIM, "save-disk", when="halfway")
    assert not recover(nas, cluster)[1]
    assert cluster.losses == []
    assert cluster[VICTIM].files.data(IMAGE) == b""
    assert recover(nas, cluster)[1]
    assert [name for name in cluster[VICTIM].files.below("/root") if "saving" in name] == []
    assert {loss.node for loss in cluster.losses} == {VICTIM}


def test_a_victim_that_was_restarted_is_saved_before_it_can_meet_the_others(
    nas: NasCluster, cluster: FakeCluster
) -> None:
    cluster.kill(VICTIM)
    cluster.boot(VICTIM)
    commands, done = recover(nas, cluster)
    assert done
    disks = [each for each in commands if not each.startswith("service")]
    assert disks[:2] == [f"save-disk /dev/vda3 {IMAGE}", "drbdadm up r0"]
    assert b"only on linux-nas02" in cluster[VICTIM].files.data(IMAGE)


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/opt/x.img", "below /opt"),
        ("/root/../opt/deep/x.img", "below /opt"),
        ("/run/x.img", "in the memory"),
    ],
)
def test_a_place_that_keeps_nothing_is_refused(path: str, why: str) -> None:
    nas = described(UNFENCED, "today")
    cluster = FakeCluster(nas.nodes.keys())
    state = nas.gather(cluster.runners)
    here = state[VICTIM]
    memory = attrs.evolve(here.mounts[0], source="tmpfs", target="/run", fstype="tmpfs")
    here = attrs.evolve(here, mounts=(*here.mounts, memory))
    state = attrs.evolve(state, nodes={**state.nodes, VICTIM: here})
    with pytest.raises(PlanError, match=why):
        saves(nas, state, nas.resources["r0"], VICTIM, path)
    assert saves(nas, state, nas.resources["r0"], VICTIM, "/running/x.img")


def test_each_volume_has_a_file() -> None:
    nas = described(UNFENCED, "today")
    r0 = nas.resources["r0"]
    volumes = [
        DrbdVolume(number=n, device=f"/dev/drbd{n}", disk=f"/dev/vda{n}", meta_disk="internal")
        for n in (1, 2)
    ]
    host = attrs.evolve(r0.hosts[VICTIM], device=None, disk=None, meta_disk=None, volumes=volumes)
    r0 = attrs.evolve(r0, hosts=r0.hosts.put(host))
    state = nas.gather(FakeCluster(nas.nodes.keys()).runners)
    assert [str(each) for each in saves(nas, state, r0, VICTIM, IMAGE)] == [
        "save-disk /dev/vda1 /root/r0-nas02-1.img",
        "save-disk /dev/vda2 /root/r0-nas02-2.img",
    ]


@pytest.fixture
def spec(cluster: FakeCluster, tmp_path_factory, monkeypatch) -> str:
    """The command line reaches them."""
    monkeypatch.setattr("clusternas.cli.machines.connect", lambda *_: cluster.runners)
    monkeypatch.setattr("time.sleep", cluster.sleep)
    text = (article() / "today.toml").read_text(encoding="utf-8")
    for old, new in UNFENCED.items():
        text = text.replace(old, new)
    if cluster.toolset.init == "sysv":
        text = text.replace('"debian12"', '"el6"')
    path = tmp_path_factory.mktemp("spec") / "nas.toml"
    path.write_text(text)
    return str(path)


def test_the_command_line_says_what_is_lost(spec: str, capsys: pytest.CaptureFixture[str]) -> None:
    call = ["recover", spec, "r0", "--victim", VICTIM, "--since", "2000-01-01T00:00+00:00"]
    assert cli.main(call) == 1
    said = capsys.readouterr().out
    assert said.startswith(f"{VICTIM} wrote alone to r0: 20 KiB\n")
    assert f"/opt/{VICTIM}\n" in said
    assert "to save it before: --save-to FILE" in said
    assert cli.main([*call, "--format", "json"]) == 1
    shown = json.loads(capsys.readouterr().out)
    assert shown["written_alone"]["kib"] == 20
    assert [each for each in shown["plan"] if each["effect"] == "destroy"]
    assert cli.main([*call, "--format", "diff"]) == 1
    assert capsys.readouterr().out == ""


def test_the_command_line_saves_it(
    spec: str, cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ["recover", spec, "r0", "--victim", VICTIM, "--save-to", IMAGE, "--apply"]
    assert cli.main([*call, "--allow", "drbdadm connect --discard-my-data r0"]) == 0
    assert f"saved before on {VICTIM}: {IMAGE}" in capsys.readouterr().out
    assert b"only on linux-nas02" in cluster[VICTIM].files.data(IMAGE)


def test_a_time_is_a_time(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["recover", "x", "r0", "--victim", VICTIM, "--since", "yesterday"])
    assert "--since" in capsys.readouterr().err
