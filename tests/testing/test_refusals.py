"""What the tools refuse, in the words and with the exit codes of the recordings."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from clusternas.testing import FakeCluster
from clusternas.testing.scenes import bring_up

LV = "/dev/drbd_vg/drbd_lv"
FREE = ("systemctl stop ctdb", "umount /opt")
DOWN = (*FREE, "lvchange -an drbd_vg/drbd_lv", "vgchange --lock-stop drbd_vg")
MOUNT_FAILED = "       dmesg(1) may have more information after failed mount system call.\n"


@pytest.fixture
def nas() -> FakeCluster:
    return bring_up(FakeCluster(("node1", "node2")))


def run(cluster: FakeCluster, *lines: str, on: tuple[str, ...] = ("node1", "node2")) -> None:
    for line in lines:
        for name in on:
            output = cluster[name].shell(line)
            assert output.exit_code == 0, (name, line, output)


def refused(cluster: FakeCluster, line: str, node: str = "node1") -> tuple[int, str, str]:
    output = cluster[node].shell(line)
    return output.exit_code, output.text, output.error_text


def test_meta_data_are_not_overwritten_unasked(lab_state: Callable[[str], FakeCluster]) -> None:
    cluster = lab_state("01-drbd-connected-inconsistent")
    run(cluster, "drbdadm down r0")
    code, out, err = refused(cluster, "drbdadm create-md r0")
    assert (code, out) == (1, "Operation cancelled.\n")
    assert err.splitlines()[2] == "already in place on /dev/vda3 at byte offset 1223684096"
    assert err.endswith("stdin not a TTY, not waiting for confirmation\n")


def test_no_primary_without_good_data(lab_state: Callable[[str], FakeCluster]) -> None:
    assert refused(lab_state("01-drbd-connected-inconsistent"), "drbdadm primary r0") == (
        17,
        "",
        "1: State change failed: (-2) Need access to UpToDate data\n"
        "Command 'drbdsetup-84 primary 1' terminated with exit code 17\n",
    )


def test_no_secondary_while_it_is_open(nas: FakeCluster) -> None:
    assert refused(nas, "drbdadm secondary r0") == (
        11,
        "",
        "1: State change failed: (-12) Device is held open by someone\n"
        "Command 'drbdsetup-84 secondary 1' terminated with exit code 11\n",
    )


def test_no_second_connection(lab_state: Callable[[str], FakeCluster]) -> None:
    cluster = lab_state("03-drbd-dual-primary-uptodate")
    assert refused(cluster, "drbdadm connect r0") == (
        10,
        "",
        "r0: Failure: (102) Local address(port) already in use.\n"
        "Command 'drbdsetup-84 connect r0 ipv4:10.10.10.1:7789 ipv4:10.10.10.2:7789 --protocol=C "
        "--allow-two-primaries=yes --after-sb-0pri=discard-zero-changes "
        "--after-sb-1pri=discard-secondary --after-sb-2pri=disconnect' "
        "terminated with exit code 10\n",
    )


def test_84_waits_for_no_sync(lab_state: Callable[[str], FakeCluster]) -> None:
    answer = refused(lab_state("02-drbd-syncing"), "drbdadm wait-sync r0")
    assert answer == (1, "", "drbdadm: Unknown command 'wait-sync'\n")


def test_options_of_the_disk_last_until_the_files_are_read_again(nas: FakeCluster) -> None:
    run(nas, "drbdsetup disk-options 1 --fencing=resource-only", on=("node1",))
    assert "fencing         \tresource-only;" in nas["node1"].shell("drbdsetup show").text
    assert refused(nas, "drbdsetup disk-options 7 --fencing=dont-care")[0] == 10
    run(nas, "drbdadm adjust r0", on=("node1",))
    assert "fencing" not in nas["node1"].shell("drbdsetup show").text


def test_a_resource_of_other_hosts() -> None:
    cluster = FakeCluster(("node1", "elsewhere"))
    donor = bring_up(FakeCluster(("node1", "node2")))
    text = donor["node1"].files.text("/etc/drbd.d/r0.res")
    cluster["elsewhere"].files.write("/etc/drbd.d/r0.res", text)
    assert refused(cluster, "drbdadm up r0", "elsewhere") == (
        1,
        "",
        "'r0' not defined in your config (for this host).\n",
    )


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("allow-two-primaries;", "", "become-primary-on is set to both, but allow-two-primaries"),
        ("protocol C;", "protocol C; net { fencing resource-only; }", "'an option keyword'"),
        ("protocol C;", "protocol C; connection-mesh { }", "connection-mesh"),
        ("rate 100M;", "rate 100M", "';' expected"),
    ],
)
def test_a_configuration_that_84_refuses(nas: FakeCluster, old: str, new: str, words: str) -> None:
    text = nas["node1"].files.text("/etc/drbd.d/r0.res")
    nas["node1"].files.write("/etc/drbd.d/r0.res", text.replace(old, new, 1))
    code, _, err = refused(nas, "drbdadm dump")
    assert code == 10
    assert words in err


def test_83_takes_no_yes_and_no_options_behind_the_command() -> None:
    nas = bring_up(FakeCluster(("node1", "node2"), generation="2010"))
    assert refused(nas, "drbdadm primary --force r0")[0] == 1
    text = nas["node1"].files.text("/etc/drbd.d/r0.res")
    newer = text.replace("allow-two-primaries;", "allow-two-primaries yes;")
    nas["node1"].files.write("/etc/drbd.d/r0.res", newer)
    assert refused(nas, "drbdadm dump")[0] == 10


def test_clustered_groups_ended_and_shared_ones_need_lvmlockd(
    lab_state: Callable[[str], FakeCluster],
) -> None:
    cluster = lab_state("03-drbd-dual-primary-uptodate")
    run(cluster, "pvcreate -y /dev/drbd1", on=("node1",))
    assert refused(cluster, "vgcreate --clustered y drbd_vg /dev/drbd1") == (
        3,
        "",
        "  The clustered option is deprecated, see --shared.\n"
        "  Run `vgcreate --help' for more information.\n",
    )
    assert refused(cluster, "vgcreate --shared drbd_vg /dev/drbd1") == (
        3,
        "",
        "  Using a shared lock type requires lvmlockd (lvm.conf use_lvmlockd.)\n"
        "  Run `vgcreate --help' for more information.\n",
    )


def test_without_a_filter_the_backing_disk_is_seen_too(
    lab_state: Callable[[str], FakeCluster],
) -> None:
    cluster = lab_state("03-drbd-dual-primary-uptodate")
    run(cluster, "pvcreate -y /dev/drbd1", on=("node1",))
    code, out, err = refused(cluster, "pvs")
    assert (code, out.split()[6]) == (0, "/dev/drbd1")
    uuid = err.split("PV ")[1].split(".")[0]
    assert err == (
        f"  WARNING: Not using device /dev/vda3 for PV {uuid}.\n"
        f"  WARNING: PV {uuid} prefers device /dev/drbd1 because device is in subsystem.\n"
    )


def test_a_group_whose_locking_is_not_started(nas: FakeCluster) -> None:
    run(nas, *DOWN, on=("node2",))
    assert refused(nas, "lvs drbd_vg", "node2")[2] == "  Reading VG drbd_vg without a lock.\n"
    assert refused(nas, "lvcreate -y -n x -L 8M drbd_vg", "node2") == (
        5,
        "",
        "  Cannot access VG drbd_vg due to failed lock.\n",
    )


def test_a_group_that_nobody_sees_any_more(nas: FakeCluster) -> None:
    run(nas, *FREE, "lvchange -an drbd_vg/drbd_lv", "drbdadm secondary r0", on=("node2",))
    assert refused(nas, "vgchange --lock-stop drbd_vg", "node2") == (
        5,
        "",
        '  Volume group "drbd_vg" not found\n  Cannot process volume group drbd_vg\n',
    )


def test_a_setting_that_nobody_made(nas: FakeCluster) -> None:
    nas["node1"].files.write("/etc/lvm/lvm.conf", "devices {\n}\n")
    assert refused(nas, "lvmconfig devices/filter") == (
        5,
        "",
        "  Configuration node devices/filter not found\n",
    )


def test_a_volume_held_exclusively_by_the_other_node(nas: FakeCluster) -> None:
    run(nas, "lvcreate -y -n x -L 8M drbd_vg", on=("node1",))
    assert refused(nas, "lvchange -asy drbd_vg/x", "node2") == (
        5,
        "",
        "  LV locked by other host: drbd_vg/x\n  Failed to lock logical volume drbd_vg/x.\n",
    )
    run(nas, "lvchange -asy drbd_vg/x")


def test_a_broken_lvm_conf(nas: FakeCluster) -> None:
    nas["node1"].files.write("/etc/lvm/lvm.conf", "devices {\n")
    code, _, err = refused(nas, "pvs")
    assert code == 4
    assert err.startswith("Parse error at byte ")
    assert err.endswith("  Failed to load config file /etc/lvm/lvm.conf\n")


def test_lvm_refuses_the_disk_below_drbd(nas: FakeCluster) -> None:
    assert refused(nas, "pvcreate -y /dev/vda3")[2] == (
        "  Cannot use /dev/vda3: device is rejected by filter config\n"
    )
    assert refused(nas, "pvcreate -y /dev/drbd1")[0] == 5


def test_mkfs_asks_before_it_overwrites(nas: FakeCluster) -> None:
    run(nas, *FREE)
    line = f"mkfs -t gfs2 -p lock_dlm -j 2 -t NASCluster:opt {LV}"
    assert refused(nas, line) == (
        255,
        "It appears to contain an existing filesystem (gfs2)\n"
        f"{LV} is a symbolic link to /dev/dm-0\n"
        "This will destroy any data on /dev/dm-0\n"
        "Are you sure you want to proceed? [y/n] \n",
        "",
    )
    nas.assert_nothing_lost()


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("NASCluster:" + "x" * 60, "Invalid lock table: file system name is too long"),
        ("NASCluster", "Invalid lock table: missing colon"),
        ("''", "No lock table specified."),
        ("'NAS Cluster:opt'", "Invalid lock table: invalid character ' '"),
    ],
)
def test_a_lock_table_that_cannot_be(nas: FakeCluster, table: str, words: str) -> None:
    line = f"mkfs.gfs2 -O -p lock_dlm -j 2 -t {table} {LV}"
    assert refused(nas, line) == (255, "", f"{words}\n")


def test_a_file_system_of_another_cluster_cannot_be_mounted(nas: FakeCluster) -> None:
    run(nas, *FREE)
    run(nas, f"mkfs.gfs2 -O -p lock_dlm -j 2 -t OtherCluster:opt {LV}", on=("node1",))
    assert refused(nas, f"mount -t gfs2 {LV} /opt") == (
        32,
        "",
        f"mount: /opt: mount(2) system call failed: Invalid request descriptor.\n{MOUNT_FAILED}",
    )


def test_one_journal_is_one_mount(nas: FakeCluster) -> None:
    run(nas, *FREE)
    run(nas, f"mkfs.gfs2 -O -p lock_dlm -j 1 -t NASCluster:opt {LV}", on=("node1",))
    run(nas, f"mount -t gfs2 {LV} /opt", on=("node1",))
    assert refused(nas, f"mount -t gfs2 {LV} /opt", "node2") == (
        32,
        "",
        f"mount: /opt: mount(2) system call failed: Too many users.\n{MOUNT_FAILED}",
    )
    added = nas["node1"].shell("gfs2_jadd -j 1 /opt").text
    assert added == "Filesystem: /opt\nOld journals: 1\nNew journals: 2\n"
    run(nas, f"mount -t gfs2 {LV} /opt", on=("node2",))


def test_smbd_needs_ctdbd_where_it_is_clustered(nas: FakeCluster) -> None:
    run(nas, "systemctl stop ctdb", on=("node1",))
    code, _, err = refused(nas, "systemctl start smbd")
    assert code == 1
    assert "clustering=yes but ctdbd connect failed" in err
    assert refused(nas, "smbstatus") == (
        1,
        "",
        "ctdbd_init_connection: ctdbd_init_connection_internal failed "
        "(No such file or directory)\nUnable to initialize messaging context!\n",
    )


def test_services_need_what_they_stand_on() -> None:
    cluster = FakeCluster(("node1", "node2"), generation="2010")
    assert refused(cluster, "service clvmd start") == (
        1,
        "Starting clvmd: [FAILED]\n",
        "clvmd could not connect to cluster manager\nConsult syslog for more information\n",
    )
    assert refused(cluster, "service cman start")[0] == 1


def test_clvmd_told_to_use_the_wrong_stack_takes_cman_down() -> None:
    nas = bring_up(FakeCluster(("node1", "node2"), generation="2010"))
    run(nas, "service smb stop", "service gfs2 stop", "service clvmd stop", on=("node1",))
    nas["node1"].files.write("/etc/sysconfig/clvmd", 'CLVMDOPTS="-I corosync"\n')
    assert refused(nas, "service clvmd start")[0] == 1
    assert refused(nas, "cman_tool status")[0] == 1


def test_ccs_tool_prints_its_usage_and_says_that_all_is_well() -> None:
    cluster = FakeCluster(("node1", "node2"), generation="2010")
    run(cluster, "ccs_tool create NASCluster", on=("node1",))
    before = cluster["node1"].files.text("/etc/cluster/cluster.conf")
    code, _, err = refused(cluster, "ccs_tool addnode -C -n 1 -v 1 -f x node1")
    assert (code, cluster["node1"].files.text("/etc/cluster/cluster.conf")) == (0, before)
    assert err.startswith("Usage:")
    assert refused(cluster, "ccs_tool create Other")[0] == 1
    assert refused(cluster, "ccs_tool update /etc/cluster/cluster.conf")[0] == 1
