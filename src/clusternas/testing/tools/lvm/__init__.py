"""LVM: its commands, lvmconf, clvmd, lvmlockd and lvm2-monitor."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from clusternas.testing.blocks import Entry
from clusternas.testing.shell import Answer, Daemon, Exit, Tool, has
from clusternas.testing.tools import dlm, membership
from clusternas.testing.tools.lvm import groups, labels, volumes
from clusternas.testing.tools.lvm.displays import DISPLAYS
from clusternas.testing.tools.lvm.groups import vgchange
from clusternas.testing.tools.lvm.scans import REPORTS
from clusternas.testing.tools.lvm.state import Lvm, deactivate, devices, scan
from clusternas.testing.tools.membership import Member

if TYPE_CHECKING:
    from clusternas.core.versions import Toolset
    from clusternas.testing.node import FakeNode

__all__ = ["DAEMONS", "TOOLS", "autoactivate", "devices", "install"]

CONF = "/etc/lvm/lvm.conf"
SECTIONS = """config devices allocation log backup shell global activation dmeventd""".split()
STACK = re.compile(r"-I\s*(\w+)")


def lvmconf(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """`lvmconf --enable-cluster` and `--disable-cluster`: edits lvm.conf in place."""
    if not args or args[0] not in ("--enable-cluster", "--disable-cluster"):
        raise Exit(1, "Usage: lvmconf [--enable-cluster|--disable-cluster]")
    wanted = "3" if args[0] == "--enable-cluster" else "1"
    text = node.files.text(CONF)
    new, count = re.subn(
        r"^(\s*)locking_type\s*=\s*\d+", rf"\g<1>locking_type = {wanted}", text, flags=re.M
    )
    if not count:
        new = re.sub(
            r"^(\s*global\s*\{)", rf"\1\n    locking_type = {wanted}", text, count=1, flags=re.M
        )
        new = new if new != text else f"{text}global {{\n    locking_type = {wanted}\n}}\n"
    node.files.put(CONF, Entry(new.encode()))
    return ""


def start_clvmd(node: FakeNode) -> None:
    """Start clvmd and activate all volumes; told to use another stack it takes cman down."""
    options = STACK.search(node.files.text("/etc/sysconfig/clvmd"))
    if options is not None and options.group(1) not in ("cman", "auto"):
        membership.leave(node)
        node.running.discard("cman")
        raise Exit(
            1, "clvmd could not connect to cluster manager\nConsult syslog for more information"
        )
    if node.of(Member).config is None:
        raise Exit(
            1, "clvmd could not connect to cluster manager\nConsult syslog for more information"
        )
    dlm.join(node, "clvmd")
    node.running.add("clvmd")
    volumes.activate_all(node, "clustered")


def stop_clvmd(node: FakeNode) -> None:
    """Deactivate the clustered volumes and stop."""
    for group, volume in list(node.of(Lvm).active):
        deactivate(node, group, volume)
    dlm.leave(node, "clvmd")


def start_lvmlockd(node: FakeNode) -> None:
    """lvmlockd needs dlm_controld."""
    if "dlm" not in node.running:
        raise Exit(1, "lvmlockd: dlm is not running")


def stop_lvmlockd(node: FakeNode) -> None:
    """Refused while a group's locking is started."""
    if node.of(Lvm).started:
        raise Exit(1, "lvmlockd: lockspaces exist")
    dlm.leave(node, "lvm_global")


def start_lvmlocks(node: FakeNode) -> None:
    """Start the locking of all shared groups."""
    for name, group in scan(node).groups.items():
        if group.value.locking == "dlm":
            vgchange(node, ("--lock-start", name), b"")


def stop_lvmlocks(node: FakeNode) -> None:
    """Deactivate the shared volumes and leave their lock spaces."""
    for group, volume in list(node.of(Lvm).active):
        deactivate(node, group, volume)
    for name in list(node.of(Lvm).started):
        vgchange(node, ("--lock-stop", name), b"")


def clvmd(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """`clvmd -R`: every node's clvmd reads the devices again; here they always do."""
    if "-R" not in args or "clvmd" not in node.running:
        raise Exit(1, "clvmd not running")
    return ""


def autoactivate(node: FakeNode) -> None:
    """What booting does with local groups: activate them, on whatever device is there by then."""
    volumes.activate_all(node, "")


def monitor(node: FakeNode) -> None:
    """lvm2-monitor of the article: LVM comes up on the devices that exist now."""
    autoactivate(node)


def keep(_node: FakeNode) -> None:
    """Stopping the monitor leaves everything active."""


def is_old(toolset: Toolset) -> bool:
    """LVM with clvmd."""
    return has("lvm", until="2.03")(toolset)


COMMANDS: dict[str, Callable[[FakeNode, tuple[str, ...], bytes], Answer]] = {
    "pvcreate": labels.pvcreate,
    "pvremove": labels.pvremove,
    "pvresize": labels.pvresize,
    "vgcreate": groups.vgcreate,
    "vgchange": groups.vgchange,
    "vgremove": groups.vgremove,
    "vgextend": groups.vgextend,
    "vgreduce": groups.vgreduce,
    "lvcreate": volumes.lvcreate,
    "lvchange": volumes.lvchange,
    "lvremove": volumes.lvremove,
    "lvextend": volumes.lvextend,
}
TOOLS = {
    **{
        name: Tool(run, has("lvm"))
        for name, run in {**COMMANDS, **REPORTS, **DISPLAYS}.items()
        if name != "lvmlockctl"
    },
    "lvmlockctl": Tool(REPORTS["lvmlockctl"], has("dlm")),
    "lvmconf": Tool(lvmconf, is_old),
    "clvmd": Tool(clvmd, is_old),
}
DAEMONS = {
    "lvm2-monitor": Daemon(
        monitor, keep, chkconfig="12345 02 99", installed=has("lvm"), enabled=True
    ),
    "clvmd": Daemon(start_clvmd, stop_clvmd, chkconfig="- 24 76", installed=is_old),
    "lvmlockd": Daemon(
        start_lvmlockd, stop_lvmlockd, needs=("dlm",), installed=has("lvm", since="2.03")
    ),
    "lvmlocks": Daemon(
        start_lvmlocks, stop_lvmlocks, needs=("lvmlockd",), installed=has("lvm", since="2.03")
    ),
}


def install(node: FakeNode) -> None:
    """The package's lvm.conf."""
    if is_old(node.cluster.toolset):
        text = "devices {\n    write_cache_state = 1\n}\nglobal {\n    locking_type = 1\n}\n"
    else:
        text = "".join(f"{name} {{\n}}\n" for name in SECTIONS)
        node.files.write("/etc/lvm/lvmlocal.conf", "local {\n}\n")
    node.files.write(CONF, text)
