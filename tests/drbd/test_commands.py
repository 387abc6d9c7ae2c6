"""The spelling of each generation, what destroys, and what is refused."""

import pytest

from clusternas.core.command import Command, Effect, Output
from clusternas.core.errors import Refused, UnsupportedError, ValidationError
from clusternas.core.versions import Toolset
from clusternas.drbd import commands as drbd
from clusternas.drbd.status import DiskState

OLD, MID, NEW = Toolset(drbd="8.3.11"), Toolset(drbd="8.4.11"), Toolset(drbd="9.1.19")


@pytest.mark.parametrize(
    ("build", "old", "mid"),
    [
        (
            drbd.primary,
            "drbdadm -- --overwrite-data-of-peer primary r0",
            "drbdadm primary --force r0",
        ),
        (
            drbd.connect,
            "drbdadm -- --discard-my-data connect r0",
            "drbdadm connect --discard-my-data r0",
        ),
        (
            drbd.new_current_uuid,
            "drbdadm -- --clear-bitmap new-current-uuid r0",
            "drbdadm new-current-uuid --clear-bitmap r0",
        ),
        (drbd.create_md, "drbdadm -- --force create-md r0", "drbdadm create-md --force r0"),
        (drbd.detach, "drbdadm -- --force detach r0", "drbdadm detach --force r0"),
        (drbd.disconnect, "drbdadm -- --force disconnect r0", "drbdadm disconnect --force r0"),
    ],
)
def test_options_stand_where_the_generation_wants_them(build, old: str, mid: str) -> None:
    flag = {
        drbd.primary: "overwrite_peer",
        drbd.connect: "discard_my_data",
        drbd.new_current_uuid: "clear_bitmap",
        drbd.create_md: "overwrite",
    }.get(build, "force")
    assert str(build("r0", toolset=OLD, **{flag: True})) == old
    assert str(build("r0", toolset=MID, **{flag: True})) == mid
    assert str(build("r0", toolset=NEW, **{flag: True})) == mid
    assert build("r0", toolset=OLD, **{flag: True}).name == build("r0", **{flag: True}).name


def test_what_destroys_needs_its_name() -> None:
    names = {
        "drbdadm create-md r0": drbd.create_md("r0", overwrite=True, max_peers=3),
        "drbdadm wipe-md r0": drbd.wipe_md("r0"),
        "drbdadm primary --force r0": drbd.primary("r0", overwrite_peer=True, toolset=OLD),
        "drbdadm connect --discard-my-data r0": drbd.connect("r0", discard_my_data=True),
        "drbdadm new-current-uuid --clear-bitmap r0": drbd.new_current_uuid(
            "r0", clear_bitmap=True
        ),
        "drbdadm invalidate r0/1": drbd.invalidate("r0", 1),
        "drbdadm invalidate-remote r0": drbd.invalidate_remote("r0"),
        "drbdadm forget-peer r0:nas03": drbd.forget_peer("r0", "nas03"),
        "drbdadm resize --assume-clean r0": drbd.resize("r0", assume_clean=True),
    }
    for name, command in names.items():
        assert command.effect is Effect.DESTROY
        assert command.name == name
        with pytest.raises(Refused):
            command.require_allowed()


def test_the_rest_changes_or_reads() -> None:
    changes = [
        drbd.up("r0"), drbd.down("r0"), drbd.adjust("all"), drbd.attach("r0"), drbd.detach("r0"),
        drbd.connect("r0"), drbd.disconnect("r0"), drbd.primary("r0"), drbd.secondary("r0"),
        drbd.outdate("r0"), drbd.verify("r0"), drbd.pause_sync("r0"), drbd.resume_sync("r0"),
        drbd.suspend_io("r0"), drbd.resume_io("r0"), drbd.apply_al("r0"), drbd.resize("r0"),
        drbd.new_current_uuid("r0"), drbd.check_resize("r0"), drbd.net_options("r0"),
        drbd.disk_options("r0"), drbd.resource_options("r0"), drbd.syncer("r0", toolset=OLD),
        drbd.peer_device_options("r0"),
    ]  # fmt: skip
    reads: list[Command[object]] = [
        drbd.status(), drbd.role("r0"), drbd.cstate("r0"), drbd.dstate("r0"), drbd.dump(),
        drbd.dump_xml(), drbd.dump_md("r0"), drbd.resources(), drbd.version(), drbd.show(),
        drbd.status_json(), drbd.events_now(), drbd.overview(), drbd.proc_drbd(), drbd.get_gi("r0"),
        drbd.show_gi("r0"), drbd.wait_connect("r0"), drbd.wait_sync("r0"), drbd.status_xml(),
    ]  # fmt: skip
    assert {command.effect for command in changes} == {Effect.CHANGE}
    assert {command.effect for command in reads} == {Effect.READ}
    assert str(drbd.resize("r0", to="10G")) == "drbdadm resize --size=10G r0"


def test_nothing_is_given_up_before_drbdadm_gives_it_up() -> None:
    """`cmd-timeout-medium` is 121 s: what fences a peer, or waits for a disk, takes that long."""
    medium = [
        drbd.primary("r0"), drbd.primary("r0", overwrite_peer=True), drbd.secondary("r0"),
        drbd.down("r0"), drbd.up("r0"), drbd.attach("r0"), drbd.detach("r0"),
        drbd.invalidate_remote("r0"), drbd.resize("r0"), drbd.adjust("r0"),
    ]  # fmt: skip
    assert min(command.timeout for command in medium) > 121
    assert min(drbd.wait_connect("r0").timeout, drbd.wait_sync("r0").timeout) >= 86400


def test_what_a_version_does_not_have() -> None:
    for refused in (
        lambda: drbd.apply_al("r0", toolset=OLD),
        lambda: drbd.connect("r0", "nas02", toolset=MID),
        lambda: drbd.disconnect("r0", "nas02", toolset=MID),
        lambda: drbd.create_md("r0", max_peers=3, toolset=MID),
        lambda: drbd.resize("r0", to="10G", toolset=MID),
        lambda: drbd.wait_sync("r0", toolset=MID),
        lambda: drbd.syncer("r0", toolset=MID),
        lambda: drbd.net_options("r0", toolset=OLD),
        lambda: drbd.peer_device_options("r0", toolset=MID),
    ):
        with pytest.raises(UnsupportedError):
            refused()
    assert str(drbd.wait_sync("r0", 1, toolset=OLD)) == "drbdsetup 1 wait-sync"
    assert str(drbd.wait_sync("r0", 1, toolset=MID)) == "drbdsetup wait-sync 1"
    assert str(drbd.wait_sync("r0", toolset=NEW)) == "drbdadm wait-sync r0"


@pytest.mark.parametrize(
    "name", ["", "-r0", "r 0", "r0;reboot", "r0\nr1", "r/0", "r:0", "é", "r" * 129]
)
def test_names_drbdadm_cannot_take(name: str) -> None:
    with pytest.raises(ValidationError):
        drbd.up(name)


def test_other_operands_are_checked() -> None:
    with pytest.raises(ValidationError):
        drbd.invalidate("r0", -1)
    with pytest.raises(ValidationError):
        drbd.resize("r0", to="10GB")
    with pytest.raises(ValidationError):
        drbd.create_md("r0", max_peers=32)
    with pytest.raises(ValidationError):
        drbd.forget_peer("r0", "--all")


def test_status_reads_the_form_of_the_generation() -> None:
    text = Output(
        stdout=b"r0 role:Primary\n  disk:UpToDate\n  peer role:Secondary\n    peer-disk:UpToDate\n"
    )
    xml = Output(
        stdout=b'<drbd-status><resource minor="0" name="r0" cs="Connected" ro1="Primary" '
        b'ro2="Secondary" ds1="UpToDate" ds2="UpToDate" /></drbd-status>'
    )
    hosts = ("nas01", "nas02")
    for toolset, output in ((OLD, xml), (MID, text), (NEW, text)):
        found = drbd.resource_status("r0", hosts, toolset=toolset).result(output).value
        assert found.peers["nas02"].disk_state is DiskState.UP_TO_DATE
        assert drbd.status(toolset=toolset).decode(output)["r0"].healthy
