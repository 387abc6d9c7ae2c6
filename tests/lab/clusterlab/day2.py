"""What an operator does to a NAS that is in use; each ends with a healthy one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable

import attrs

from clusterlab.bringup import PASSWORD, SPEC, USER
from clusterlab.dying import JOURNAL
from clusterlab.machine import DISK
from clusterlab.promises import locked, share_across
from clusterlab.qmp import ask
from clusterlab.trial import FIRST, SECOND, Trial
from clusternas.nas.conversion import plan_conversion
from clusternas.nas.day2 import plan_growth
from clusternas.nas.journal import Journal
from clusternas.nas.spec import loads
from clusternas.nas.stopping import plan_shutdown, plan_stop
from clusternas.samba.commands import cache_flush, smbpasswd_add

__all__ = ["DAY2"]

MORE = """
[shares.more]
path = "/opt/more"
valid_users = ["nasuser"]
"""
MARKED = """
set -e
drbdadm up r0
drbdadm wait-connect r0
drbdadm primary r0
vgcfgbackup --nolocking --file /root/group drbd_vg >&2
sed -i '/lock_type = /d; /lock_args = /d; s/status = \\["RESIZEABLE"/&, "CLUSTERED"/' /root/group
vgcfgrestore --nolocking --yes --file /root/group drbd_vg >&2
drbdadm down r0
"""
"""Marks the group as clvmd did, which LVM of today can no more; nobody has it open."""


def controller_killed(trial: Trial) -> None:
    """The controller dies in the middle of a plan, three times; the next one goes on."""
    with trial.table.step("  nas2 is taken out of service"):
        trial.apply(plan_stop(trial.nas, trial.gather(), SECOND))
    path = trial.lab.folder / JOURNAL
    path.unlink(missing_ok=True)
    for steps in (1, 4, 6):
        with trial.table.step(f"  a controller dies after {steps} steps"):
            call = (sys.executable, "-m", "clusterlab.dying", str(trial.lab.folder), str(steps))
            env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
            died = subprocess.run(call, env=env, timeout=600, capture_output=True, text=True)
            assert died.returncode < 0, f"it ended by itself: {died.stderr[-500:]}"
            with Journal(path) as journal:
                assert journal.broken is not None, "the journal knows nothing of it"
                trial.show(f"    {journal.broken}")
    with Journal(path) as journal:
        trial.heal(journal=journal)


def rolling_restart(trial: Trial) -> None:
    """Each machine is restarted in turn, while a client of the other one writes."""
    before = trial.fenced()
    for name, other in ((FIRST, SECOND), (SECOND, FIRST)):
        with trial.writer(other) as writer:
            with trial.table.step(f"  {name} is taken out of service"):
                trial.apply(plan_stop(trial.nas, trial.gather(), name))
                writer.goes_on(10, within=120)
            with trial.table.step(f"  {name} restarts"):
                trial.reset(name)
                trial.wait(name)
            trial.heal()
            writer.goes_on(10, within=120)
        trial.whole(writer)
    assert trial.fenced() == before, f"somebody was fenced: {trial.fenced()}"


def grown(trial: Trial) -> None:
    """The disks of both machines grow, and with them DRBD, the volume and GFS2, while in use."""
    before = _size(trial)
    with trial.writer(FIRST) as writer:
        with trial.table.step("  the disks grow"):
            for name in trial.lab.machines:
                _enlarge(trial, name, DISK + (120 << 20))
        with trial.table.step("  DRBD, volume and file system grow"):
            trial.apply(plan_growth(trial.nas, trial.gather(), "/opt"))
            # What the other node has counted of it is up to half a minute old.
            wanted = before + (100 << 20)
            trial.until(f"{wanted} bytes on both", lambda: _size(trial) > wanted, 120)
        writer.goes_on(10, within=60)
        trial.heal()
    trial.whole(writer)


def _enlarge(trial: Trial, name: str, size: int) -> None:
    """A larger disk under the same name, and its last partition with it."""
    machine = trial.machine(name)
    ask(machine.qmp, "block_resize", device="virtio0", size=size)
    subprocess.run(
        ("sfdisk", "-q", "--no-reread", "--force", "-N", "3", machine.data),
        input=b", +\n", check=True, timeout=60,
    )  # fmt: skip
    start = int(trial.run(name, "cat /sys/block/vda/vda3/start"))
    trial.run(name, f"resizepart /dev/vda 3 {size // 512 - start}")


def _size(trial: Trial) -> int:
    """Bytes of the file system, as the second machine sees it."""
    return int(trial.run(SECOND, "df -B1 --output=size /opt").split()[-1])


def share_added(trial: Trial) -> None:
    """One more share in the description; Samba serves it without a restart."""
    wider = attrs.evolve(trial, nas=loads(SPEC.read_text() + MORE, str(SPEC)))
    with trial.writer(FIRST) as writer:
        wider.heal()
        writer.goes_on(10, within=60)
    trial.whole(writer)
    with trial.table.step("  put through one node, got through the other"):
        trial.run(FIRST, f"chown {USER} /opt/more")
        share_across(trial.lab, wider.nas, "more")


def journals_added(trial: Trial) -> None:
    """A journal for one more node, while the file system is in use."""
    text = SPEC.read_text().replace('mount = "/opt"', 'mount = "/opt"\njournals = 3')
    with trial.writer(FIRST) as writer:
        attrs.evolve(trial, nas=loads(text, str(SPEC))).heal()
        writer.goes_on(10, within=60)
    trial.whole(writer)


def converted(trial: Trial) -> None:
    """The volume group is marked for clvmd, as in 2010: all is stopped, lvmlockd takes it."""
    with trial.writer(FIRST) as writer:
        writer.goes_on(10, within=60)
    with trial.table.step("  the NAS is stopped, its group marked for clvmd"):
        trial.apply(plan_shutdown(trial.nas, trial.gather()))
        trial.run(SECOND, "drbdadm up r0")
        trial.run(FIRST, MARKED)
        trial.run(SECOND, "drbdadm down r0")
    with trial.table.step("  lvmlockd takes it"):
        plan = plan_conversion(trial.nas, trial.gather())
        assert not plan.destroys, plan.destroys
        trial.apply(plan)
    trial.heal()
    trial.whole(writer)


def without_ctdb(trial: Trial) -> None:
    """The article's own Samba, one on each node: neither knows what the other one has locked."""
    text = re.sub(r"(?<=\[ctdb\]\n).*", "enabled = false", SPEC.read_text())
    alone = attrs.evolve(trial, nas=loads(text, str(SPEC)))
    alone.heal()
    for node in trial.nas.nodes:  # the addresses and the user were CTDB's
        trial.run(node.name, f"ip address add {node.public} dev {node.interface}")
        trial.machine(node.name).runner().run(smbpasswd_add(USER, PASSWORD))
    with trial.table.step("  a file held through one is opened by the other"):
        assert locked(trial.lab, alone.nas) == "opened"
    for node in trial.nas.nodes:
        trial.run(node.name, f"ip address del {node.public} dev {node.interface}")
    trial.heal()
    for runner in trial.lab.runners().values():
        runner.run(cache_flush())  # the user has the SID again that CTDB knows
    with trial.table.step("  with CTDB again it is refused"):
        assert locked(trial.lab, trial.nas) == "refused"


DAY2: dict[str, Callable[[Trial], None]] = {
    "controller-killed": controller_killed,
    "rolling-restart": rolling_restart,
    "grown": grown,
    "share-added": share_added,
    "journals-added": journals_added,
    "converted": converted,
    "without-ctdb": without_ctdb,
}
