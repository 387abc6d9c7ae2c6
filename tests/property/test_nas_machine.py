"""A NAS that everything happens to: it becomes healthy, or says why not, and loses no data.

Controllers apply and crash, nodes die and boot, links are cut, commands fail, hang and break off,
files are changed by hand, disks grow, nodes come and go, a split brain is mended, the tools change.
Whatever was done before: once the machines are whole again, planning and applying ends with a
healthy NAS and an empty plan, and nothing of value was overwritten but what somebody has named.
"""

import contextlib
import itertools
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from attrs import evolve
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from serving import DISK, SAN, SAN_NODE, SPEC

from clusternas import NasCluster, SambaShare
from clusternas.core.command import Command, Result, Runner
from clusternas.core.errors import ClusterNasError
from clusternas.nas.actual import NasState
from clusternas.nas.conversion import plan_conversion
from clusternas.nas.day2 import plan_disk_replacement, plan_growth, plan_split_brain_recovery
from clusternas.nas.journal import Journal
from clusternas.nas.plan import Plan
from clusternas.nas.removal import plan_removal
from clusternas.nas.restart import RollingRestart
from clusternas.nas.spec import loads
from clusternas.nas.stopping import plan_shutdown, plan_stop
from clusternas.testing import FakeCluster
from clusternas.testing.shell import Exit, Hang

T = TypeVar("T")

UNFENCED = SPEC.replace('handler = "/usr/local/sbin/drbd-fence-peer"', "").replace(
    'unfence = "/usr/local/sbin/drbd-unfence-peer"', ""
)
SHARED = SAN + "".join(SAN_NODE.format(number) for number in (1, 2, 3))
NODES = st.integers(1, 3)
LEFT = st.just(10**6) | st.integers(1, 40)
"""Commands until the controller dies; mostly it does not."""
COMMANDS = st.sampled_from(
    (
        "sh",
        "drbdadm up r0",
        "drbdadm create-md r0",
        "drbdadm primary",
        "systemctl start",
        "service start",
        "pvcreate",
        "vgcreate",
        "lvcreate",
        "vgchange",
        "mkfs.gfs2",
        "mount",
        "drbdadm adjust",
        "drbdadm connect",
        "drbdadm resize",
        "pvresize",
        "lvextend",
        "lvchange",
        "gfs2_grow",
        "gfs2_jadd",
        "corosync-cfgtool",
        "cman_tool version",
        "systemctl stop",
        "umount",
        "smbcontrol",
        "rndc",
        "ctdb status",
    )
)
DRIFTS = st.sampled_from(
    (
        ("/etc/samba/smb.conf", "[global]\n\tworkgroup = OTHER\n"),
        ("/etc/fstab", "# by hand\n"),
        ("/etc/drbd.d/global_common.conf", "global { usage-count yes; }\n"),
    )
)
ROUNDS = 12
"""After so many plans in a quiet cluster it must have become healthy."""


class Crash(BaseException):
    """The controller dies."""


class Mortal:
    """A runner of a controller that dies after so many commands."""

    def __init__(self, runner: Runner, left: list[int]) -> None:
        self.runner, self.left = runner, left

    def run(self, command: Command[T], /) -> Result[T]:
        self.left[0] -= 1
        if self.left[0] < 0:
            raise Crash
        return self.runner.run(command)


class Machines(RuleBasedStateMachine):
    """The machines, and what may happen to all of them.

    Attributes:
        text: the description.
        without: the nodes that are not, or no longer, among them.
        nas: what is wanted: the description, and perhaps more shares.
    """

    text: str
    without: frozenset[str]
    nas: NasCluster
    cluster: FakeCluster

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.journal = Path(self.folder.name) / "journal"
        self.destroying: set[str] = set()

    def teardown(self) -> None:
        try:
            self.becomes_healthy()
        finally:
            self.folder.cleanup()

    def begin(self, text: str, without: set[str], *, old: bool, built: bool) -> None:
        """Machines of that description, which serve already or are new."""
        self.text = text.replace('"debian12"', '"el6"') if old else text
        self.without = frozenset(without)
        self.nas = loads(self.text, without=self.without)
        shared = {} if self.nas.resources else {"/dev/sdb": DISK}
        self.cluster = FakeCluster(
            loads(text).nodes.keys(), generation="2010" if old else "today", shared=shared
        )
        if built:
            assert self.apply() == ""
            self.cluster.advance(600)

    def describe(self) -> None:
        """The description is read again; the shares that were added stay."""
        shares = self.nas.samba.shares if self.nas.samba else ()
        self.nas = loads(self.text, without=self.without)
        self.nas = evolve(self.nas, samba=evolve(self.nas.samba, shares=shares))

    def name(self, number: int) -> str:
        """The name of a machine; a number too high counts from the start again."""
        names = tuple(self.cluster.nodes)
        return names[(number - 1) % len(names)]

    def apply(self, nodes: dict[str, Runner] | None = None) -> str:
        """Plan and apply; why it stopped, empty if it did not."""
        runners = dict(nodes or self.cluster.runners)
        try:
            plan = self.nas.plan(self.nas.gather(runners))
            self.destroying.update(str(step.command) for step in plan if step.destroys)
            with Journal(self.journal) as journal:
                plan.apply(
                    runners,
                    allow=plan.destroys,
                    sleep=self.cluster.sleep,
                    workers=1,
                    journal=journal,
                ).raise_for_failure()
        except ClusterNasError as error:
            return str(error)
        return ""

    @rule()
    def controller_applies(self) -> None:
        self.apply()

    @rule(commands=st.integers(1, 120))
    def controller_crashes(self, commands: int) -> None:
        left = [commands]
        runners = {name: Mortal(each, left) for name, each in self.cluster.runners.items()}
        with contextlib.suppress(Crash):
            self.apply(dict(runners))

    @rule(node=NODES, left=LEFT)
    def node_is_stopped(self, node: int, left: int) -> None:
        self.day2(lambda state: plan_stop(self.nas, state, self.name(node)), left)

    @rule(left=LEFT)
    def nas_is_shut_down(self, left: int) -> None:
        self.day2(lambda state: plan_shutdown(self.nas, state), left)

    @rule(more=st.booleans(), size=st.sampled_from(("", "+100M")), left=LEFT)
    def file_system_grows(self, more: bool, size: str, left: int) -> None:
        disks = {id(d): d for node in self.cluster.nodes.values() for d in node.disks.values()}
        for disk in disks.values() if more else ():
            disk.bytes += 256 * 1024**2
        self.day2(lambda state: plan_growth(self.nas, state, "/opt", size), left)

    def day2(
        self, planned: Callable[[NasState], Plan], left: int = 10**6, *, consents: bool = False
    ) -> bool:
        """Plan something and apply it with so many commands left; whether all of it was done."""
        rest = [left]
        runners = {n: Mortal(each, rest) for n, each in self.cluster.runners.items()}
        with contextlib.suppress(Crash, ClusterNasError), Journal(self.journal) as journal:
            plan = planned(self.nas.gather(self.cluster.runners))
            return plan.apply(
                dict(runners),
                allow=plan.destroys if consents else (),
                sleep=self.cluster.sleep,
                workers=1,
                journal=journal,
            ).ok
        return False

    @rule(commands=st.integers(1, 60))
    def nodes_restart_until_the_controller_crashes(self, commands: int) -> None:
        left = [commands]
        with contextlib.suppress(Crash, ClusterNasError), Journal(self.journal) as journal:
            RollingRestart(
                nas=self.nas,
                nodes={n: Mortal(each, left) for n, each in self.cluster.runners.items()},
                sleep=self.cluster.sleep,
                journal=journal,
                workers=1,
            ).run()

    @rule(shares=st.sets(st.sampled_from(("photos", "mail"))))
    def description_changes(self, shares: set[str]) -> None:
        described = [SambaShare(name=name, path=f"/opt/{name}") for name in sorted(shares)]
        samba = self.nas.samba
        kept = [share for share in samba.shares if share.name == "opt"] if samba else []
        self.nas = evolve(self.nas, samba=evolve(samba, shares=[*kept, *described]))

    @rule(
        node=NODES,
        command=COMMANDS,
        fault=st.sampled_from(("fail", "hang", "lose")),
        when=st.sampled_from(("before", "halfway", "after")),
    )
    def command_will_break(self, node: int, command: str, fault: str, when: str) -> None:
        getattr(self.cluster, fault)(self.name(node), command, when=when)

    @rule(node=NODES)
    def node_dies(self, node: int) -> None:
        self.cluster.kill(self.name(node))

    @rule(node=NODES)
    def node_boots(self, node: int) -> None:
        if not self.cluster[self.name(node)].up:
            self.cluster.boot(self.name(node))

    @rule(node=NODES, link=st.sampled_from(("replication", "cluster", "")))
    def links_of_a_node_are_cut(self, node: int, link: str) -> None:
        for other in self.cluster.nodes.keys() - {self.name(node)}:
            self.cluster.cut(self.name(node), other, link=link)

    @rule()
    def links_are_mended(self) -> None:
        for one, other in itertools.combinations(self.cluster.nodes, 2):
            self.cluster.mend(one, other)

    @rule(node=NODES)
    def client_writes(self, node: int) -> None:
        if "/opt" in self.cluster[self.name(node)].mounts:
            with contextlib.suppress(Exit, Hang):
                self.cluster[self.name(node)].files.write(f"/opt/{self.name(node)}", "mine")

    @rule(node=NODES, drift=DRIFTS)
    def somebody_writes_a_file(self, node: int, drift: tuple[str, str]) -> None:
        self.cluster[self.name(node)].files.write(*drift)

    @rule(seconds=st.integers(1, 300))
    def time_passes(self, seconds: int) -> None:
        self.cluster.advance(seconds)

    @invariant()
    def nothing_is_lost(self) -> None:
        if hasattr(self, "cluster"):
            self.cluster.assert_nothing_lost()

    def becomes_healthy(self) -> None:
        """With everything repaired and nobody interfering, planning and applying converges."""
        if not hasattr(self, "cluster"):
            return
        self.cluster.clear_faults()
        self.links_are_mended()
        reasons = []
        for _ in range(ROUNDS):
            self.boot_the_dead()
            self.cluster.advance(600)
            reasons.append(self.apply())
            self.mend_by_hand(reasons[-1])
            if not reasons[-1] and self.is_settled():
                break
        else:
            raise AssertionError("it never became healthy:\n" + "\n".join(reasons[-2:]))
        self.nothing_is_lost()

    def mend_by_hand(self, reason: str) -> None:
        """What the last plan, or the status, asks a person to do."""
        if "stop the whole NAS" in reason:
            self.nas_is_shut_down(10**6)

    def boot_the_dead(self) -> None:
        dead = [name for name in self.nas.nodes.keys() if not self.cluster[name].up]  # noqa: SIM118
        if dead:
            self.cluster.boot(*dead)

    def is_settled(self) -> bool:
        self.cluster.advance(600)
        state = self.nas.gather(self.cluster.runners)
        return self.nas.status(state).healthy and self.nas.plan(state) == Plan()


class Nas(Machines):
    """Two nodes with DRBD between them."""

    @initialize(old=st.booleans(), built=st.booleans(), fenced=st.booleans())
    def start(self, old: bool, built: bool, fenced: bool) -> None:
        self.begin(SPEC if fenced else UNFENCED, set(), old=old, built=built)

    @rule(node=NODES, left=LEFT)
    def disk_is_let_go_and_taken_again(self, node: int, left: int) -> None:
        self.day2(lambda state: plan_disk_replacement(self.nas, state, "r0", self.name(node)), left)

    @rule(victim=NODES, left=LEFT)
    def split_brain_is_mended(self, victim: int, left: int) -> None:
        self.recover(self.name(victim), left)

    def recover(self, victim: str, left: int = 10**6) -> None:
        """A person names the node whose changes are lost."""
        self.day2(
            lambda state: plan_split_brain_recovery(self.nas, state, "r0", victim),
            left,
            consents=True,
        )

    @precondition(lambda self: self.nas.toolset.init == "sysv")
    @rule()
    def tools_of_today_are_installed(self) -> None:
        self.day2(lambda state: plan_shutdown(self.nas, state))
        state = self.nas.gather(self.cluster.runners)
        if not state.unreachable and not plan_shutdown(self.nas, state).changed:
            self.cluster.reinstall("today")
            self.text = self.text.replace('"el6"', '"debian12"')
            self.describe()

    @rule(left=LEFT)
    def group_is_converted(self, left: int) -> None:
        self.day2(lambda state: plan_conversion(self.nas, state), left)

    def mend_by_hand(self, reason: str) -> None:
        super().mend_by_hand(reason)
        if "clusternas convert" in reason:
            self.group_is_converted(10**6)
        troubles = self.nas.status(self.nas.gather(self.cluster.runners)).troubles
        if any("split brain" in each.what for each in troubles):
            for name in self.cluster.nodes:
                self.recover(name)

    def boot_the_dead(self) -> None:
        super().boot_the_dead()
        for name, node in self.nas.gather(self.cluster.runners).nodes.items():
            if "r0" in node.drbd and node.drbd["r0"].diskless:
                self.cluster[name].shell("drbdadm attach r0")  # a person does: it may be broken

    @invariant()
    def nothing_is_lost(self) -> None:
        """Where nothing fences, DRBD drops what it is told to, and a person names a victim."""
        if hasattr(self, "cluster"):
            split = "handler" not in self.text
            self.cluster.losses[:] = [
                each for each in self.cluster.losses if not split or each.command in self.destroying
            ]
            self.cluster.assert_nothing_lost()


class San(Machines):
    """Up to three nodes, with a disk that all of them reach."""

    @initialize(old=st.booleans(), built=st.booleans(), absent=st.sets(NODES, max_size=2))
    def start(self, old: bool, built: bool, absent: set[int]) -> None:
        self.begin(SHARED, {f"nas{n}" for n in absent}, old=old, built=built)

    @rule(node=NODES)
    def node_joins(self, node: int) -> None:
        self.without -= {self.name(node)}
        self.describe()
        self.apply()

    @rule(node=NODES, left=LEFT)
    def node_leaves(self, node: int, left: int) -> None:
        fewer = self.without | {self.name(node)}
        if len(fewer) < len(self.cluster.nodes):
            rest = loads(self.text, without=fewer)
            if self.day2(lambda state: plan_removal(self.nas, state, rest), left):
                self.without = fewer
                self.describe()


DEEP = settings.get_current_profile_name() == "deep"
TestNas, TestSan = Nas.TestCase, San.TestCase
TestNas.settings = TestSan.settings = settings(
    settings(),
    max_examples=5_000 if DEEP else 12,
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
