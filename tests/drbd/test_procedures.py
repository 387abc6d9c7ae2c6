"""Procedures as steps, in the order in which they worked on real pairs."""

from pathlib import Path

import pytest

from clusternas.core.command import Effect, Output
from clusternas.core.errors import ValidationError
from clusternas.core.versions import Toolset
from clusternas.drbd.events import decode_events
from clusternas.drbd.model import DrbdHost, DrbdResource, DrbdVolume
from clusternas.drbd.procedures import (
    add_volume,
    first_sync,
    grow,
    recover_split_brain,
    replace_disk,
)
from clusternas.drbd.statustext import decode_status

R0 = DrbdResource(name="r0", hosts=[DrbdHost(name="nas01"), DrbdHost(name="nas02")])
LAB = Path(__file__).parent.parent / "data/drbd/8.4.11"


def shown(steps) -> list[str]:
    return [f"{step.node}: {step.command}" for step in steps]


def test_first_sync() -> None:
    assert shown(first_sync(R0, "nas01", toolset=Toolset.EL6)) == [
        "nas01: drbdadm create-md r0",
        "nas02: drbdadm create-md r0",
        "nas01: drbdadm up r0",
        "nas02: drbdadm up r0",
        "nas01: drbdadm -- --overwrite-data-of-peer primary r0",
    ]
    assert shown(first_sync(R0, "nas02", blank=True))[-3:] == [
        "nas02: drbdadm wait-connect r0",
        "nas02: drbdadm new-current-uuid --clear-bitmap r0",
        "nas02: drbdadm primary r0",
    ]


def test_split_brain_names_the_victim() -> None:
    steps = recover_split_brain(R0, "nas02")
    assert shown(steps) == [
        "nas02: drbdadm secondary r0",
        "nas02: drbdadm connect --discard-my-data r0",
        "nas01: drbdadm connect r0",
    ]
    assert [step.command.effect for step in steps].count(Effect.DESTROY) == 1


def test_a_survivor_that_listens_is_left_alone() -> None:
    def status(state: str):
        text = (LAB / state / "node1/drbdadm-status.txt").read_bytes()
        return decode_status(Output(stdout=text))["r0"]

    listening = status("07-drbd-link-cut-both-primary")
    alone = status("08-drbd-split-brain")
    statuses = {"nas01": listening, "nas02": alone}
    assert "nas01: drbdadm connect r0" not in shown(recover_split_brain(R0, "nas02", statuses))
    assert shown(recover_split_brain(R0, "nas01", statuses))[1] == "nas01: drbdadm disconnect r0"


def test_the_victim_and_the_survivor_say_what_is_at_stake() -> None:
    def status(node: str):
        folder = LAB / "08-drbd-split-brain" / node
        text = (folder / "drbdsetup-events2-now-stats.txt").read_bytes()
        return decode_events(Output(stdout=text))["r0"]

    steps = recover_split_brain(R0, "nas02", {"nas01": status("node1"), "nas02": status("node2")})
    assert [step.why for step in steps if step.command.effect is Effect.DESTROY] == [
        "nas02 wrote 80 KiB alone since the split (in blocks of 4 KiB): lost; "
        "nas01 wrote 88 KiB: kept"
    ]


def test_disks() -> None:
    assert shown(grow(R0, "nas01")) == ["nas01: drbdadm resize r0"]
    assert shown(replace_disk(R0, "nas02")) == [
        "nas02: drbdadm detach r0",
        "nas02: drbdadm create-md --force r0",
        "nas02: drbdadm attach r0",
    ]
    with pytest.raises(ValidationError, match="one of nas01, nas02"):
        grow(R0, "nas03")


def test_one_more_volume() -> None:
    volumes = [DrbdVolume(number=0), DrbdVolume(number=1, device="/dev/drbd2", disk="/dev/vdc")]
    hosts = [DrbdHost(name=name, volumes=volumes) for name in ("nas01", "nas02")]
    two = DrbdResource(name="r0", hosts=hosts)
    steps = add_volume(two, 1, "nas01", toolset=Toolset.DEBIAN12)
    assert shown(steps) == [
        "nas01: drbdadm create-md r0/1",
        "nas02: drbdadm create-md r0/1",
        "nas01: drbdadm adjust r0",
        "nas02: drbdadm adjust r0",
        "nas01: drbdadm wait-connect r0",
        "nas01: drbdadm new-current-uuid --clear-bitmap r0/1",
    ]
    destroying = {step.command.name for step in steps if step.command.effect is Effect.DESTROY}
    assert destroying == {"drbdadm create-md r0/1", "drbdadm new-current-uuid --clear-bitmap r0/1"}
    with pytest.raises(ValidationError, match="no volume 2 on nas01"):
        add_volume(two, 2, "nas01")
    with pytest.raises(ValidationError, match=r"8\.3 has no volumes"):
        add_volume(two, 1, "nas01", toolset=Toolset.EL6)
