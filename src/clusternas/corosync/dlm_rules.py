"""Checks of dlm.conf: dlm_controld cannot test a file, and says nothing of what it ignores.

Beside these, DLM000 reports lines that it does not read at all (indented ones), 900 values that
cannot be read, 901 settings that it does not know. Facts are from dlm_controld 4.2, config.c and
fence_config.c.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from attrs import evolve

from clusternas.core.diagnostics import Finding, Severity, rule
from clusternas.core.versions import Toolset
from clusternas.corosync.dlm import DlmConf

MAN = "dlm.conf(5)"
SOURCE = "https://pagure.io/dlm/blob/main/f/dlm_controld/fence_config.c"
NUMERIC = ("enable_", "plock_", "log_debug", "daemon_debug", "debug_logfile", "repeat_failed")
MAX_DEVICES = 4

DEVICE = "device ipmi fence_ipmilan lanplus=1\nconnect ipmi node=1 ip=10.0.0.1\n"
GOOD = f"enable_fencing=1\n{DEVICE}"


@rule("DLM001", Severity.ERROR, DlmConf, link=MAN, bad="enable_fencing=yes\n" + DEVICE, good=GOOD)
def words_for_numbers(conf: DlmConf, _: Toolset) -> Iterator[Finding]:
    """Flags are read by atoi(): `yes`, `on` and `true` mean 0: `enable_fencing=yes` is off."""
    tree = conf.document
    for node in tree.root.children if tree is not None else ():
        value = node.values[0] if node.values else ""
        if node.key.startswith(NUMERIC) and not value.isdecimal():
            line = tree.lines.position(node.start).line if tree is not None else 0
            yield Finding(f"line {line}: {node.key}={value} is read as 0", help="write 1 or 0")


@rule("DLM002", Severity.ERROR, DlmConf, link=MAN, bad="enable_fencing=0\n", good=GOOD)
def fencing_is_off(conf: DlmConf, _: Toolset) -> Iterator[Finding]:
    """Without fencing a survivor goes on at once; if the other node lives, both write."""
    if conf.enable_fencing is False:
        fix = evolve(conf, enable_fencing=True)
        shown = "fencing is off"
        yield Finding(shown, field="enable_fencing", help="write enable_fencing=1", fix=fix)


@rule(
    "DLM003", Severity.ERROR, DlmConf, link=SOURCE,
    bad=GOOD.replace("connect ipmi node=1", "connect impi node=1"), good=GOOD,
)  # fmt: skip
def connections(conf: DlmConf, _: Toolset) -> Iterator[Finding]:
    """A `connect` repeats the name of its device and says which node, or that has no fencing."""
    for device in conf.devices:
        for connect in device.connects:
            if connect.device != device.name:
                shown = f"connect {connect.device} stands below device {device.name}"
                help_ = f"write connect {device.name}"
                yield Finding(shown, at=connect, help=help_)
            if connect.node is None:
                shown = f"connect {connect.device} does not say which node"
                yield Finding(shown, at=connect, help="write node=ID behind the name")


@rule(
    "DLM004", Severity.ERROR, DlmConf, link=SOURCE,
    bad=GOOD + "\nfence_all dlm_stonith\n", good="fence_all dlm_stonith\n",
)  # fmt: skip
def fence_all_and_devices(conf: DlmConf, _: Toolset) -> Iterator[Finding]:
    """`fence_all` is for all nodes: devices behind it are ignored, and it is behind them."""
    if conf.fence_all and conf.devices:
        shown = "fence_all and device exclude each other"
        yield Finding(shown, field="fence_all", help="keep one of them")


@rule(
    "DLM005", Severity.ERROR, DlmConf, link=SOURCE,
    bad="".join(f"device d{n} f\nconnect d{n} node=1\n\n" for n in range(5)), good=GOOD,
)  # fmt: skip
def number_of_devices(conf: DlmConf, _: Toolset) -> Iterator[Finding]:
    """A node has at most four devices; dlm_controld writes a fifth beyond its table."""
    used = Counter(connect.node for device in conf.devices for connect in device.connects)
    for node, count in used.items():
        if node is not None and count > MAX_DEVICES:
            help_ = f"at most {MAX_DEVICES}"
            yield Finding(f"node {node} is connected to {count} devices", help=help_)


@rule("DLM006", Severity.WARNING, DlmConf, link=MAN, bad="enable_fencing=1\n", good=GOOD)
def no_fencing(conf: DlmConf, _: Toolset) -> Iterator[Finding]:
    """Without a device everything that takes a lock hangs when a node fails, until fence_ack."""
    if conf.enable_fencing is not False and not conf.fence_all and not conf.devices:
        help_ = "write device and connect lines; with pacemaker, fence_all dlm_stonith"
        yield Finding("no node can be fenced", help=help_)
