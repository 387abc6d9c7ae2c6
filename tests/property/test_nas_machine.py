"""A NAS that everything happens to: it becomes healthy, or says why not, and loses no data.

Controllers apply and crash, nodes die and boot, links are cut, commands fail, hang and break off,
files are changed by hand. Whatever was done before: once the machines are whole again, planning
and applying ends with a healthy NAS and an empty plan, and nothing of value was overwritten.
"""

import contextlib
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from attrs import evolve
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from clusternas import NasCluster, SambaShare
from clusternas.core.command import Command, Result, Runner
from clusternas.core.errors import ClusterNasError
from clusternas.nas.actual import NasState
from clusternas.nas.day2 import plan_disk_replacement
from clusternas.nas.journal import Journal
from clusternas.nas.plan import Plan
from clusternas.nas.restart import RollingRestart
from clusternas.nas.spec import loads
from clusternas.nas.stopping import plan_shutdown, plan_stop
from clusternas.testing import FakeCluster
from clusternas.testing.demo import article

T = TypeVar("T")

SPEC = (article() / "today.toml").read_text(encoding="utf-8")
NODES = st.sampled_from(("linux-nas01", "linux-nas02"))
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


class Nas(RuleBasedStateMachine):
    """The machines, and what may happen to them."""

    nas: NasCluster
    cluster: FakeCluster

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.journal = Path(self.folder.name) / "journal"

    def teardown(self) -> None:
        try:
            self.becomes_healthy()
        finally:
            self.folder.cleanup()

    @initialize(old=st.booleans(), built=st.booleans())
    def start(self, old: bool, built: bool) -> None:
        self.nas = loads(SPEC.replace('"debian12"', '"el6"') if old else SPEC)
        self.cluster = FakeCluster(self.nas.nodes.keys(), generation="2010" if old else "today")
        if built:
            assert self.apply() == ""
            self.cluster.advance(600)

    def apply(self, nodes: dict[str, Runner] | None = None) -> str:
        """Plan and apply; why it stopped, empty if it did not."""
        runners = dict(nodes or self.cluster.runners)
        try:
            plan = self.nas.plan(self.nas.gather(runners))
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

    @rule(node=NODES)
    def node_is_stopped(self, node: str) -> None:
        self.day2(lambda state: plan_stop(self.nas, state, node))

    @rule()
    def nas_is_shut_down(self) -> None:
        self.day2(lambda state: plan_shutdown(self.nas, state))

    @rule(node=NODES)
    def disk_is_let_go_and_taken_again(self, node: str) -> None:
        self.day2(lambda state: plan_disk_replacement(self.nas, state, "r0", node))

    def day2(self, planned: Callable[[NasState], Plan]) -> None:
        with contextlib.suppress(ClusterNasError), Journal(self.journal) as journal:
            plan = planned(self.nas.gather(self.cluster.runners))
            plan.apply(self.cluster.runners, sleep=self.cluster.sleep, workers=1, journal=journal)

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
        kept = [share for share in self.nas.samba.shares if share.name == "opt"]
        self.nas = evolve(self.nas, samba=evolve(self.nas.samba, shares=[*kept, *described]))

    @rule(
        node=NODES,
        command=COMMANDS,
        fault=st.sampled_from(("fail", "hang", "lose")),
        when=st.sampled_from(("before", "halfway", "after")),
    )
    def command_will_break(self, node: str, command: str, fault: str, when: str) -> None:
        getattr(self.cluster, fault)(node, command, when=when)

    @rule(node=NODES)
    def node_dies(self, node: str) -> None:
        self.cluster.kill(node)

    @rule(node=NODES)
    def node_boots(self, node: str) -> None:
        if not self.cluster[node].up:
            self.cluster.boot(node)

    @rule(link=st.sampled_from(("replication", "cluster", "")))
    def link_is_cut(self, link: str) -> None:
        self.cluster.cut("linux-nas01", "linux-nas02", link=link)

    @rule()
    def link_is_mended(self) -> None:
        self.cluster.mend("linux-nas01", "linux-nas02")

    @rule(node=NODES, drift=DRIFTS)
    def somebody_writes_a_file(self, node: str, drift: tuple[str, str]) -> None:
        self.cluster[node].files.write(*drift)

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
        self.cluster.mend("linux-nas01", "linux-nas02")
        reasons = []
        for _ in range(ROUNDS):
            self.boot_the_dead()
            self.cluster.advance(600)
            reasons.append(self.apply())
            if not reasons[-1] and self.is_settled():
                break
        else:
            raise AssertionError("it never became healthy:\n" + "\n".join(reasons[-2:]))
        self.cluster.assert_nothing_lost()

    def boot_the_dead(self) -> None:
        dead = [name for name, node in self.cluster.nodes.items() if not node.up]
        if dead:
            self.cluster.boot(*dead)
        for name, node in self.nas.gather(self.cluster.runners).nodes.items():
            if "r0" in node.drbd and node.drbd["r0"].diskless:
                self.cluster[name].shell("drbdadm attach r0")  # a person does: it may be broken

    def is_settled(self) -> bool:
        self.cluster.advance(600)
        state = self.nas.gather(self.cluster.runners)
        return self.nas.status(state).healthy and self.nas.plan(state) == Plan()


TestNas = Nas.TestCase
DEEP = settings.get_current_profile_name() == "deep"
TestNas.settings = settings(
    settings(),
    max_examples=5_000 if DEEP else 12,
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
