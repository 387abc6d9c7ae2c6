"""The article's NAS on fake nodes, in either generation, built and at work."""

from collections.abc import Mapping

from clusternas import NasCluster
from clusternas.nas.plan import Plan
from clusternas.nas.spec import loads
from clusternas.testing import FakeCluster
from clusternas.testing.demo import article

__all__ = ["DISK", "SAN", "SAN_NODE", "SPEC", "carry_out", "described", "serving"]

SPEC = (article() / "today.toml").read_text(encoding="utf-8")
SAN = """
name = "SAN"
toolset = "debian12"
[fencing]
agent = "/usr/sbin/fence_ipmilan"
[lvm.san_vg]
pvs = ["/dev/sdb"]
volumes = { lv = "900M" }
[gfs2.opt]
device = "/dev/san_vg/lv"
mount = "/opt"
[shares.opt]
path = "/opt/share"
[dns]
zone = "example.com"
"""
SAN_NODE = """
[nodes.nas{0}]
address = "10.10.10.{0}"
public = "192.168.2.{0}/24"
interface = "lan0"
"""
DISK = 2 * 1024**3
"""Bytes of the disk that all of them reach."""


def described(changes: Mapping[str, str], generation: str) -> NasCluster:
    """The article's NAS, with parts of its description replaced."""
    text = SPEC if generation == "today" else SPEC.replace('"debian12"', '"el6"')
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    return loads(text)


def carry_out(cluster: FakeCluster, plan: Plan) -> None:
    """Apply it, and let a sync end."""
    applied = plan.apply(cluster.runners, allow=plan.destroys, sleep=cluster.sleep, workers=1)
    applied.raise_for_failure()
    cluster.advance(600)


def serving(nas: NasCluster, generation: str) -> FakeCluster:
    """New nodes that have become that NAS."""
    cluster = FakeCluster(nas.nodes.keys(), generation=generation)
    carry_out(cluster, nas.plan(nas.gather(cluster.runners)))
    return cluster
