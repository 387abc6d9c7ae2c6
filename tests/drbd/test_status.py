"""The recorded states of a real pair, and forms we have no machine for."""

import pickle
from functools import partial
from pathlib import Path

import pytest

from clusternas.core.command import Output
from clusternas.core.errors import CommandFailed, ParseError
from clusternas.core.versions import Toolset
from clusternas.drbd.answers import (
    decode_cstate,
    decode_dstate,
    decode_names,
    decode_role,
    decode_version,
)
from clusternas.drbd.events import EventReader, decode_events, read_event
from clusternas.drbd.proc import decode_overview, decode_proc, decode_status_xml, read_proc
from clusternas.drbd.queries import status
from clusternas.drbd.status import (
    ConnectionState,
    DiskState,
    DrbdStatus,
    ReplicationState,
    ResourceStatus,
    Role,
    decode_resource,
    split_brain,
)
from clusternas.drbd.statusjson import decode_show, decode_status_json
from clusternas.drbd.statustext import decode_status

DATA = Path(__file__).parent.parent / "data" / "drbd"
LAB = DATA / "8.4.11"
R0 = {1: ("r0", 0)}
RECORDED = sorted(path for path in LAB.glob("[01]*/node*") if (path / "proc-drbd.txt").exists())
SET_UP = [path for path in RECORDED if not path.parent.name.startswith("00")]


def output(path: Path) -> Output:
    return Output(stdout=path.read_bytes())


def forms(node: Path) -> dict[str, ResourceStatus]:
    """The same moment as each command tells it."""
    proc = decode_proc(output(node / "proc-drbd.txt"), names=R0)
    return {
        "proc": proc.status["r0"],
        "status": decode_status(output(node / "drbdadm-status.txt"))["r0"],
        "verbose": decode_status(output(node / "drbdsetup-status-verbose-stats.txt"))["r0"],
        "events": decode_events(output(node / "drbdsetup-events2-now.txt"))["r0"],
        "statistics": decode_events(output(node / "drbdsetup-events2-now-stats.txt"))["r0"],
    }


@pytest.mark.parametrize("node", SET_UP, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_every_form_tells_the_same(node: Path) -> None:
    seen = forms(node)
    facts = {
        (
            form.role,
            form.disk_state,
            form.stand_alone,
            form.syncing,
            form.healthy,
            form.diskless,
            form.split_brain,
        )
        for form in seen.values()
    }
    assert len(facts) == 1, seen
    roles = decode_role(output(node / "drbdadm-role.txt"))
    disks = decode_dstate(output(node / "drbdadm-dstate.txt"))
    assert seen["proc"].role is roles[0]
    assert seen["proc"].peers["peer"].role is roles[1]
    assert disks == ((seen["proc"].disk_state, seen["proc"].peers["peer"].disk_state),)
    assert decode_cstate(output(node / "drbdadm-cstate.txt")) == (
        seen["proc"].peers["peer"].connection_state,
    )


def test_nothing_configured() -> None:
    node = LAB / "00-fresh-nothing-configured" / "node1"
    for path in node.glob("drbdadm-status.txt"):
        assert decode_status(output(path)) == DrbdStatus()
    assert decode_status(Output(stdout=b"# No currently configured DRBD found.\n")) == DrbdStatus()


def test_sync_progress_of_proc() -> None:
    source = forms(LAB / "02-drbd-syncing" / "node1")["proc"]
    sync = source.peers["peer"].sync
    assert sync is not None
    assert (sync.percent, sync.rate, sync.seconds_left, sync.stalled) == (1.4, 11264.0, 102, False)
    assert source.peers["peer"].volumes[0].out_of_sync == 1183668
    target = forms(LAB / "02-drbd-syncing" / "node2")["proc"]
    assert target.inconsistent
    assert target.peers["peer"].replication_state is ReplicationState.SYNC_TARGET


def test_sync_progress_of_the_status_text() -> None:
    seen = forms(LAB / "02-drbd-syncing" / "node1")["verbose"]
    sync = seen.peers["peer"].sync
    assert sync is not None
    assert (sync.percent, sync.rate) == (5.16, None)
    assert seen.volumes[0].size == 1194932
    assert seen.volumes[0].extra["al-writes"] == "8"


def test_what_was_written_alone_is_counted() -> None:
    wrote = []
    for node in ("node1", "node2"):
        seen = forms(LAB / "08-drbd-split-brain" / node)
        assert seen["status"].written_alone is None
        told = {seen["status"].counted(seen[form]).written_alone for form in ("proc", "statistics")}
        assert len(told) == 1
        wrote += told
    assert wrote == [88, 80]
    fine = forms(LAB / "03-drbd-dual-primary-uptodate" / "node1")
    both = fine["status"].counted(fine["statistics"])
    assert both.written_alone is None
    assert both == fine["status"]


def test_split_brain_is_seen_on_both_nodes() -> None:
    both = [forms(LAB / "08-drbd-split-brain" / node)["status"] for node in ("node1", "node2")]
    assert split_brain(both)
    assert all(status.split_brain for status in both)
    cut = [forms(LAB / "07-drbd-link-cut-both-primary" / n)["status"] for n in ("node1", "node2")]
    assert not split_brain(cut)
    fine = [forms(LAB / "06-full-cluster-ok" / n)["status"] for n in ("node1", "node2")]
    assert not split_brain(fine)
    assert all(status.healthy for status in fine)


def test_fenced_peer_and_lost_disk() -> None:
    fenced = forms(LAB / "12-drbd-fenced-peer-outdated" / "node1")
    assert fenced["proc"].peers["peer"].disk_state is DiskState.OUTDATED
    assert fenced["statistics"].peers["peer"].disk_state is DiskState.OUTDATED
    lost = forms(LAB / "13-drbd-diskless" / "node1")["status"]
    assert lost.diskless
    assert lost.peers["peer"].disk_state is DiskState.UP_TO_DATE


def test_a_nameless_peer_is_found_by_the_name_of_a_host() -> None:
    text = output(LAB / "06-full-cluster-ok" / "node1" / "drbdadm-status.txt")
    decode = partial(decode_resource, decode=decode_status, name="r0", hosts=("nas01", "nas02"))
    decode = pickle.loads(pickle.dumps(decode))
    assert decode(text).peers["nas02"].disk_state is DiskState.UP_TO_DATE
    assert list(decode(text, local="nas01").peers) == ["nas02"]
    with pytest.raises(KeyError):
        decode(text).peers["nas03"]
    with pytest.raises(KeyError):
        decode(text, local="nas01").peers["nas01"]


def test_a_link_that_was_given_up_has_no_peer() -> None:
    text = output(LAB / "08-drbd-split-brain" / "node1" / "drbdadm-status.txt")
    status = decode_resource(text, decode=decode_status, name="r0", hosts=("nas01", "nas02"))
    peer = status.peers["nas02"]
    assert peer.connection_state is ConnectionState.STAND_ALONE
    assert (peer.disk_state, peer.sync) == (DiskState.UNKNOWN, None)


def test_status_of_a_resource_that_is_down() -> None:
    with pytest.raises(ParseError, match="drbdadm up r1"):
        decode_resource(Output(stdout=b""), decode=decode_status, name="r1")


NINE = b"""\
r0 node-id:0 role:Primary suspended:quorum
    write-ordering:flush
  volume:0 minor:0 disk:UpToDate quorum:no
      size:1048508 read:2112 written:0 al-writes:0 bm-writes:0 upper-pending:0
      lower-pending:0 al-suspended:no blocked:no
  volume:1 minor:1 disk:Diskless client:yes quorum:yes
  nas02 node-id:1 connection:Connected role:Secondary congested:no
      ap-in-flight:0 rs-in-flight:0
    local:ipv4:10.0.0.1:7789 peer:ipv4:10.0.0.2:7789 established:yes
    volume:0 replication:SyncSource peer-disk:Inconsistent done:12.50
        resync-suspended:user,dependency
        received:0 sent:1048508 out-of-sync:917444 pending:0 unacked:0
    volume:1 replication:Established peer-disk:UpToDate resync-suspended:no
  nas03 node-id:2 connection:Connecting

r1 role:Secondary
  disk:UpToDate
  nas02 role:Primary
    peer-disk:UpToDate
"""


def test_text_of_drbd_9() -> None:
    status = decode_status(Output(stdout=NINE))
    r0 = status["r0"]
    assert (r0.node_id, r0.suspended) == (0, ("quorum",))
    assert not r0.volumes[0].quorum
    assert r0.volumes[1].client
    assert not r0.diskless
    nas02 = r0.peers["nas02"]
    assert nas02.node_id == 1
    assert nas02.volumes[0].resync_suspended == ("user", "dependency")
    assert nas02.volumes[0].sync is not None
    assert nas02.volumes[0].sync.percent == 12.5
    assert nas02.extra["local"] == "ipv4:10.0.0.1:7789"
    assert not r0.peers["nas03"].connected
    with pytest.raises(LookupError, match="2 volumes"):
        assert nas02.disk_state
    assert status["r1"].healthy


JSON = b"""[{"name": "r0", "node-id": 0, "role": "Primary", "suspended": true,
"suspended-quorum": true, "suspended-user": false, "write-ordering": "flush", "future": 1,
"devices": [{"volume": 0, "minor": 0, "disk-state": "UpToDate", "client": false, "quorum": true,
  "size": 1048508, "lower-pending": 0}],
"connections": [{"peer-node-id": 1, "name": "nas02", "connection-state": "Connected",
  "congested": false, "peer-role": "Secondary", "ap-in-flight": 0, "paths": [],
  "peer_devices": [{"volume": 0, "replication-state": "SyncSource",
    "peer-disk-state": "Inconsistent", "peer-client": false, "resync-suspended": "no",
    "out-of-sync": 4294967296, "percent-in-sync": 87.5, "db0/dt0 [MiB/s]": 10.50,
    "estimated-seconds-to-finish": 12, "percent-resync-done": 25.0}]}]}]"""


def test_json_of_drbd_9() -> None:
    r0 = decode_status_json(Output(stdout=JSON))["r0"]
    assert r0.suspended == ("quorum",)
    assert r0.extra["future"] == 1
    link = r0.peers["nas02"].volumes[0]
    assert link.out_of_sync == 4294967296
    assert link.sync is not None
    assert (link.sync.percent, link.sync.rate, link.sync.seconds_left) == (25.0, 10752.0, 12)
    assert not r0.stalled


def test_json_from_a_module_that_has_none() -> None:
    with pytest.raises(ParseError, match=r"8\.4 kernel module"):
        decode_status_json(output(LAB / "other" / "drbdsetup-status-json.txt"))
    with pytest.raises(ParseError):
        decode_status_json(Output(stdout=b'{"a": 1}'))
    with pytest.raises(ParseError):
        decode_status_json(Output(stdout=b'[{"connections": 1}]'))


SHOW = b"""[{"resource": "r0", "options": {"quorum": "majority"}, "_this_host": {"node-id": 0,
 "volumes": [{"volume_nr": 0, "device_minor": 1, "backing-disk": "/dev/vda3",
   "meta-disk": "internal", "disk": {"disk-flushes": false}}]},
 "connections": [{"_peer_node_id": 1, "path": {"_this_host": "ipv4 10.0.0.1:7789",
   "_remote_host": "ipv4 10.0.0.2:7789"}, "net": {"_name": "nas02", "allow-two-primaries": true},
   "volumes": [{"volume_nr": 0, "disk": {"resync-rate": "102400k"}}]}]}]"""


def test_show_json() -> None:
    (r0,) = decode_show(Output(stdout=SHOW))
    assert (r0.name, r0.node_id, r0.volumes[0].backing_disk) == ("r0", 0, "/dev/vda3")
    (link,) = r0.connections
    assert link.name == "nas02"
    assert link.paths == (("ipv4 10.0.0.1:7789", "ipv4 10.0.0.2:7789"),)
    assert link.volumes == {0: {"resync-rate": "102400k"}}


PROC83 = """\
version: 8.3.8 (api:88/proto:86-94)
GIT-hash: 299ed9ef8a45 build by root@nas01, 2010-11-02 10:00:00
 0: cs:SyncSource ro:Primary/Secondary ds:UpToDate/Inconsistent C r----
    ns:12 nr:0 dw:0 dr:44 al:0 bm:2 lo:0 pe:1 ua:0 ap:0 ep:1 wo:b oos:1048
\t[=>..................] sync'ed: 12.7% (91524/104820)M delay_probe: 12
\tfinish: 1:03:12 speed: 0 (1,234) K/sec (stalled)
 1: cs:Unconfigured
 2: cs:StandAlone ro:Secondary/Unknown ds:UpToDate/DUnknown   s-a--
    ns:0 nr:0 dw:0 dr:0 al:0 bm:0 lo:0 pe:0 ua:0 ap:0 ep:1 wo:b oos:0
"""


def test_proc_of_8_3() -> None:
    proc = read_proc(PROC83, {0: ("r0", 0)})
    assert (proc.version, proc.api) == ("8.3.8", 88)
    assert list(proc.status) == ["r0", "drbd2"]
    sync = proc.status["r0"].peers["peer"].sync
    assert sync is not None
    assert (sync.rate, sync.seconds_left, sync.stalled) == (0.0, 3792, True)
    alone = proc.status["drbd2"]
    assert alone.suspended == ("user",)
    assert alone.peers["peer"].volumes[0].resync_suspended == ("dependency",)


def test_proc_groups_the_volumes_of_a_resource() -> None:
    proc = read_proc(PROC83, {0: ("r0", 0), 2: ("r0", 1)})
    assert sorted(proc.status["r0"].volumes) == [0, 1]


def test_overview() -> None:
    text = b"""  0:r0/0  SyncSource Primary/Secondary UpToDate/Inconsistent C r----- /opt gfs2 10G
\t[=>..................] sync'ed: 14.1% (1030524/1194932)K
  1:r0/1  StandAlone Primary/Unknown UpToDate/DUnknown   r-----
  2:??not-found??  Connected Secondary/Secondary UpToDate/UpToDate C r-----
  3:r3  Unconfigured . . . .
"""
    status = decode_overview(Output(stdout=text))
    assert sorted(status["r0"].volumes) == [0, 1]
    sync = status["r0"].peers["peer"].volumes[0].sync
    assert sync is not None
    assert sync.percent == 14.1
    assert status["??not-found??"].healthy
    with pytest.raises(ParseError):
        decode_overview(Output(stdout=b" 0:r0/0  Connected(2*) Primar/Second UpToDa/UpToDa\n"))


def test_overview_of_a_stacked_resource() -> None:
    text = b"""  0:r0-L      Connected Primary/Secondary UpToDate/UpToDate lvm-pv: vg 10.00g 5.00g
 10:r0-U  ^^0 Connected Primary/Secondary UpToDate/UpToDate
"""
    status = decode_overview(Output(stdout=text))
    assert (status["r0-L"].healthy, status["r0-U"].volumes[0].minor) == (True, 10)


SYNCING = b"""r0 node-id:0 role:Primary suspended:no force-io-failures:no
    write-ordering:flush
  volume:0 minor:1 disk:UpToDate backing_dev:/dev/vda3 quorum:yes open:yes blocked:no
      size:1048508 read:2112 written:0 al-writes:0 bm-writes:0 upper-pending:0 lower-pending:0
  nas02 node-id:1 connection:Connected role:Secondary tls:no congested:no ap-in-flight:0
      rs-in-flight:4096
    volume:0 replication:SyncSource peer-disk:Inconsistent done:12.50 resync-suspended:no
        received:0 sent:131064 out-of-sync:917444 pending:4 unacked:4
        dbdt1:%s eta:%s
"""


@pytest.mark.parametrize(
    ("rate", "eta", "expected"),
    [("10.50", "85", (12.5, 10752.0, 85, False)), ("0.00", "nan", (12.5, 0.0, None, True))],
)
def test_rate_and_time_left_of_the_text_of_9(rate: str, eta: str, expected: tuple) -> None:
    text = SYNCING % (rate.encode(), eta.encode())
    status = decode_status(Output(stdout=text))["r0"]
    sync = status.peers["nas02"].sync
    assert (sync.percent, sync.rate, sync.seconds_left, sync.stalled) == expected
    assert status.stalled is expected[3]
    assert status.volumes[0].extra["open"] == "yes"


def test_a_time_that_json_cannot_know() -> None:
    text = JSON.replace(
        b'"estimated-seconds-to-finish": 12', b'"estimated-seconds-to-finish": 987654321'
    )
    sync = decode_status_json(Output(stdout=text))["r0"].peers["nas02"].sync
    assert sync.seconds_left is None


def test_events_of_a_resync_with_diff() -> None:
    reader = EventReader()
    reader.feed(
        "exists resource name:r0 role:Primary suspended:no\n"
        "exists connection name:r0 peer-node-id:1 conn-name:nas02 connection:Connected\n"
        "exists device name:r0 volume:0 minor:1 disk:UpToDate\n"
        "exists peer-device name:r0 peer-node-id:1 conn-name:nas02 volume:0 "
        "replication:SyncSource peer-disk:Inconsistent done:10.00 resync-suspended:no\n"
        "exists -\n"
    )
    assert reader.complete
    assert reader.status()["r0"].peers["nas02"].sync.percent == 10.0
    reader.feed(
        "change peer-device name:r0 peer-node-id:1 conn-name:nas02 volume:0 "
        "replication:SyncSource->Established peer-disk:Inconsistent->UpToDate "
        "resync-suspended:no\n"
    )
    status = reader.status()["r0"]
    assert (status.syncing, status.healthy) == (False, True)


def test_xml_of_8_3() -> None:
    text = b"""<drbd-status version="8.3.11" api="88">
<resources config_file="/etc/drbd.conf">
<resource minor="0" name="r0" cs="SyncTarget" ro1="Secondary" ro2="Primary" ds1="Inconsistent" \
ds2="UpToDate" suspended resynced_percent="12.5" />
<!-- resource minor="1" name="r1" not available or not yet created -->
<resource minor="2" name="r2" cs="Unconfigured" />
</resources>
</drbd-status>
"""
    status = decode_status_xml(Output(stdout=text))
    assert list(status) == ["r0"]
    assert status["r0"].suspended
    sync = status["r0"].peers["peer"].sync
    assert sync is not None
    assert sync.percent == 12.5


def test_events_go_on_after_the_dump() -> None:
    reader = EventReader()
    reader.feed((LAB / "06-full-cluster-ok" / "node1" / "drbdsetup-events2-now.txt").read_text())
    assert reader.complete
    (change,) = reader.feed(
        "2024-01-01T10:00:00.000000+00:00 change connection name:r0 peer-node-id:0 "
        "conn-name:peer connection:Connected->Connecting role:Primary->Unknown\nchange resour"
    )
    assert change.before == {"connection": "Connected", "role": "Primary"}
    assert change.timestamp.startswith("2024")
    assert not reader.status()["r0"].peers["peer"].connected
    reader.feed("ce name:r0 role:Primary->Secondary\nrename resource name:r0 new_name:r9\n")
    assert reader.status()["r9"].role is Role.SECONDARY
    assert reader.status()["r9"].peers["peer"].role is Role.UNKNOWN
    reader.feed("call helper name:r9 helper:pri-lost\ndestroy connection name:r9 peer-node-id:0\n")
    assert len(reader.status()["r9"].peers) == 0


def test_nonsense_is_refused() -> None:
    for decode in (decode_status, decode_overview, decode_proc, decode_status_xml, decode_events):
        with pytest.raises(ParseError):
            decode(Output(stdout=b"bash: drbdadm: command not found\n"))
    with pytest.raises(ParseError, match="DiskState"):
        decode_status(Output(stdout=b"r0 role:Primary\n  disk:Wet\n"))
    with pytest.raises(ParseError):
        decode_events(Output(stdout=b"exists resource name:r0 role:Primary\n"))
    with pytest.raises(ParseError):
        read_event("exists resource name")
    with pytest.raises(ParseError):
        decode_version(Output(stdout=b"1.0"))
    with pytest.raises(ParseError):
        decode_role(Output(stdout=b"Tertiary"))


def test_names() -> None:
    assert decode_names(output(LAB / "other" / "drbdadm-sh-resources.txt")) == ("r0",)


def test_version() -> None:
    version = decode_version(output(LAB / "other" / "drbdadm-version.txt"))
    assert (version.utils, version.kernel, version.api) == ("9.22.0", "8.4.11", 1)
    alone = decode_version(
        Output(
            stdout=b"DRBDADM_API_VERSION=88\nDRBD_KERNEL_VERSION_CODE=0x000000\nDRBDADM_VERSION=8.3.11\n"
        )
    )
    assert alone.kernel is None


UP = b"r1 role:Primary\n  disk:UpToDate\n  peer role:Primary\n\n"
DOWN = b"""r0: No such resource
Command '/usr/lib/drbd/drbdsetup-84 status r0' terminated with exit code 10
"""
"""As drbdadm of 8.4 ends where one of two resources is down; it goes on to the next one."""


def test_who_is_up_is_told_where_others_are_down() -> None:
    command = status(toolset=Toolset.DEBIAN12)
    assert set(command.result(Output(10, UP, DOWN)).value.keys()) == {"r1"}
    assert not command.result(Output(10, b"", DOWN)).value
    wrong = b"/etc/drbd.d/r1.res:3: Parse error: 'net' expected,\n but got 'nets'\n"
    with pytest.raises(CommandFailed, match="exit code 10"):
        _ = command.result(Output(10, b"", wrong)).value
