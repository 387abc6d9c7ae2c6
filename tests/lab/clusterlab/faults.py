"""What goes wrong in a cluster, done to the real one; each ends with a healthy NAS."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from clusterlab.trial import FIRST, SECOND, Trial
from clusterlab.writer import Writer
from clusternas.nas.acknowledge import plan_acknowledgement
from clusternas.nas.day2 import plan_disk_replacement, plan_split_brain_recovery
from clusternas.nas.lost import written_alone

__all__ = ["FAULTS"]

SERVED = 180.0
"""Seconds until clients must be served again; a node that is gone is fenced after 15 here."""
CUT = """
nft -f - <<end
table inet labcut {{
  chain i {{ type filter hook input priority 0; {into} }}
  chain o {{ type filter hook output priority 0; {out} }}
}}
end
"""
"""Not by its cable: CTDB would see that, and serve nobody on a machine that has none."""
DRBD = "tcp dport 7789 drop; tcp sport 7789 drop;"
DRBD_CUT = CUT.format(into=DRBD, out=DRBD)
ALL_CUT = CUT.format(into="iifname { repl0, lan0 } drop;", out="oifname { repl0, lan0 } drop;")
ALONE = "only-the-victim-wrote-this"
SAVED = "/root/r0-nas2.img"
"""On the root disk, which has more room than the data disk is large."""
MEND = "nft delete table inet labcut || true"


def machine_killed(trial: Trial) -> None:
    """One machine loses its power: the other one fences it and goes on serving."""
    with trial.writer(FIRST) as writer:
        with trial.table.step("  nas2 is killed, clients go on"):
            trial.machine(SECOND).kill()
            writer.goes_on(20, within=SERVED)
            assert SECOND in trial.fenced(), "nobody fenced it"
        trial.record("machine-killed")
        _boot(trial, SECOND)
        trial.heal()
        writer.goes_on(10, within=60)
    trial.whole(writer)


def both_restart(trial: Trial) -> None:
    """Both machines lose their power at once: LVM comes up on DRBD, not on the partition below."""
    with trial.writer(FIRST) as writer, trial.table.step("  both machines lose their power"):
        trial.reset(*trial.lab.machines)
        trial.wait(*trial.lab.machines)
    trial.heal()
    with trial.table.step("  LVM stands on DRBD"):
        for name in trial.lab.machines:
            found = trial.run(name, "pvs --noheadings -o pv_name").split()
            assert found == ["/dev/drbd1"], f"on {name}: {found}"
    trial.whole(writer)


def split_brain(trial: Trial) -> None:
    """Without fencing both go on alone: one is named the victim, and loses what it wrote.

    What it loses is told before, and saved aside.
    """
    for name in trial.lab.machines:
        trial.run(name, "drbdsetup disk-options 1 --fencing=dont-care")
    with trial.table.step("  both write alone"):
        trial.run(FIRST, DRBD_CUT)
        trial.until("the link is cut", lambda: "Established" not in _drbd(trial, FIRST), 60)
        for name in trial.lab.machines:
            # The lock manager still joins them, the disks no more: one may find its GFS2 broken,
            # and withdraw from it.
            orelse = "" if name == FIRST else "|| true"
            mark = name if name == FIRST else ALONE
            trial.run(name, f"mkdir /opt/{name} && echo {mark} >/opt/{name}/alone && sync {orelse}")
        trial.run(FIRST, MEND)
        trial.until("they refuse each other", lambda: "StandAlone" in _states(trial), 180)
        trial.record("split-brain")
    with trial.table.step("  the status knows it"):
        troubles = _troubles(trial)
        assert any("split brain" in each for each in troubles), "; ".join(troubles)
    with trial.table.step("  what nas2 wrote alone is known"):
        lost = written_alone(trial.nas, trial.lab.runners(), trial.gather(), "r0", SECOND)
        trial.show(f"    {lost}")
        assert lost.kib, "nobody has counted it"
        state = trial.gather()  # to look may be what GFS2 needed to find its disk wrong
        if not state[SECOND].withdrawn:
            assert f"/opt/{SECOND}/alone" in [each.path for each in lost.files], str(lost)
    if state[SECOND].withdrawn:
        with trial.table.step("  GFS2 has withdrawn: nas2 restarts"):
            trial.reset(SECOND)
            trial.settled(SECOND, time.time())
    with trial.table.step("  nas2 is the victim"):
        plan = plan_split_brain_recovery(trial.nas, trial.gather(), "r0", SECOND, save_to=SAVED)
        assert len(plan.destroys) == 1, plan.destroys
        assert plan.destroys[0].startswith("drbdadm connect"), plan.destroys
        trial.apply(plan, allow=plan.destroys)
    with trial.table.step("  what nas2 lost is saved"):
        sizes = f"blockdev --getsize64 /dev/vda3; stat -c %s {SAVED}"
        disk, saved = trial.run(SECOND, sizes).split()
        assert saved == disk, f"{saved} of {disk} bytes"
        if not state[SECOND].withdrawn:
            trial.run(SECOND, f"grep -aq {ALONE} {SAVED}")
    for name in trial.lab.machines:
        trial.run(name, "drbdadm adjust r0")
    trial.heal()
    with trial.table.step("  what the survivor wrote is there"):
        for name in trial.lab.machines:
            assert trial.run(name, "cat /opt/nas1/alone") == "nas1\n"


def replication_cut(trial: Trial) -> None:
    """Only DRBD's link is cut: I/O waits until one machine is fenced, and goes on."""
    _cut(trial, DRBD_CUT)


def all_links_cut(trial: Trial) -> None:
    """The switches between them fail, all of them: fencing decides who goes on."""
    _cut(trial, ALL_CUT)


def _cut(trial: Trial, cut: str) -> None:
    """One of the two is fenced, whichever was slower; its rules go with it."""
    before = len(trial.fenced())
    with trial.writer(FIRST) as writer:
        with trial.table.step("  the link is cut, one is fenced"):
            trial.run(FIRST, cut)
            trial.until("one is fenced", lambda: len(trial.fenced()) > before, 120)
        victim = trial.fenced()[before]
        trial.show(f"    {victim} was fenced")
        if victim == SECOND:
            with trial.table.step("  clients go on"):
                writer.goes_on(20, within=SERVED)
        with trial.table.step("  the link is mended"):
            trial.settled(victim)
            trial.run(FIRST, MEND)
            assert set(trial.fenced()[before:]) == {victim}, trial.fenced()[before:]
        trial.heal()
    trial.whole(writer)


def disk_replaced(trial: Trial) -> None:
    """The disk of a node is let go, and a new one, with nothing on it, takes its place."""
    with trial.writer(SECOND) as writer:
        with trial.table.step("  the disk of nas2 is let go"):
            trial.apply(plan_disk_replacement(trial.nas, trial.gather(), "r0", SECOND))
            writer.goes_on(10, within=60)
        with trial.table.step("  the status knows it"):
            troubles = _troubles(trial)
            assert "r0 has lost its disk" in troubles, "; ".join(troubles)
        trial.record("disk-detached")
        trial.run(
            SECOND, "blkdiscard -f /dev/vda3; sync; dd if=/dev/zero of=/dev/vda3 bs=1M || true"
        )
        with trial.table.step("  a new disk is put in"):
            plan = plan_disk_replacement(trial.nas, trial.gather(), "r0", SECOND)
            assert plan.destroys == ("drbdadm create-md r0",), plan.destroys
            trial.apply(plan, allow=plan.destroys)
            writer.goes_on(10, within=60)
        trial.heal()
    trial.whole(writer)


def fence_broken(trial: Trial) -> None:
    """Nobody can fence: everything waits, nothing is lost, a person says that the node is dead."""
    with trial.writer(FIRST) as writer:
        broken = _unfenced(trial, writer)
        trial.record("fence-broken")
        with trial.table.step("  a person acknowledges, clients go on"):
            plan = plan_acknowledgement(trial.nas, trial.gather(), SECOND)
            assert plan.destroys == ("dlm_tool fence_ack 2", "drbdadm resume-io r0"), plan.destroys
            trial.apply(plan, allow=plan.destroys)
            writer.goes_on(20, within=SERVED)
            broken.unlink()
        _boot(trial, SECOND)
        trial.heal()
    trial.whole(writer)


def fence_mended(trial: Trial) -> None:
    """Nobody can fence until the switch is mended: then the dead node comes back."""
    with trial.writer(FIRST) as writer:
        _unfenced(trial, writer).unlink()
        trial.until("the switch is heard", lambda: SECOND in trial.fenced(), 120)
        _boot(trial, SECOND)
        trial.heal()
        writer.goes_on(20, within=SERVED)
    trial.whole(writer)


def _unfenced(trial: Trial, writer: Writer) -> Path:
    """A machine dies, and the switch is broken as long as this file is there."""
    broken = trial.lab.folder / "fence-broken"
    with trial.table.step("  nas2 is killed, nobody can fence it"):
        broken.touch()
        trial.machine(SECOND).kill()
        trial.until("lock spaces stop", lambda: "fencing" in trial.run(FIRST, "dlm_tool ls"), 120)
        known = writer.acknowledged()
        time.sleep(10)
        assert writer.acknowledged() == known, "somebody was served while nobody was fenced"
    with trial.table.step("  the status knows what all wait for"):
        troubles = _troubles(trial)
        assert any("wait fencing" in each for each in troubles), "; ".join(troubles)
    return broken


def _boot(trial: Trial, name: str) -> None:
    with trial.table.step(f"  {name} boots"):
        trial.machine(name).start(stays=trial.stays)
        trial.wait(name)


def _drbd(trial: Trial, name: str) -> str:
    return trial.run(name, "drbdadm status r0")


def _states(trial: Trial) -> str:
    return " ".join(trial.run(name, "drbdadm cstate r0") for name in trial.lab.machines)


def _troubles(trial: Trial) -> list[str]:
    return [each.what for each in trial.status().troubles]


FAULTS: dict[str, Callable[[Trial], None]] = {
    "machine-killed": machine_killed,
    "both-restart": both_restart,
    "split-brain": split_brain,
    "replication-cut": replication_cut,
    "disk-replaced": disk_replaced,
    "all-links-cut": all_links_cut,
    "fence-broken": fence_broken,
    "fence-mended": fence_mended,
}
