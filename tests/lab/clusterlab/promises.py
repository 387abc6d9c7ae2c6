"""What the article promises of the NAS, asked of the real one."""

from __future__ import annotations

import secrets

from clusterlab.bringup import PASSWORD, USER
from clusterlab.lab import Lab
from clusterlab.table import Table
from clusternas import NasCluster
from clusternas.core.command import Command, Effect, text
from clusternas.core.errors import ClusterNasError
from clusternas.core.files import read_file, write_file
from clusternas.dns.commands import dig

__all__ = ["keep_promises", "locked", "share_across"]

SHARE = "opt"


def keep_promises(lab: Lab, nas: NasCluster, table: Table) -> None:
    """Ask for each; one that is not kept does not stop the others."""
    for says, promise in PROMISES.items():
        try:
            with table.step(says):
                promise(lab, nas)
        except ClusterNasError:  # it stands in the table
            continue


def _file_across(lab: Lab, nas: NasCluster) -> None:
    first, second = lab.runners().values()
    mark = secrets.token_bytes(1000)
    path = f"{nas.filesystems[0].mount_point}/written-on-the-first"
    first.run(write_file(path, mark))
    found = second.run(read_file(path)).value
    assert found is not None, f"{path} is not on the second node"
    assert found.content == mark, f"{path} has other content on the second node"


def _share_across(lab: Lab, nas: NasCluster) -> None:
    share_across(lab, nas, SHARE)


def share_across(lab: Lab, nas: NasCluster, share: str) -> None:
    """What is put into a share through one node comes out of it through the other."""
    runner = next(iter(lab.runners().values()))
    one, two = (node.public.partition("/")[0] for node in nas.nodes)
    mark = secrets.token_bytes(100_000)
    runner.run(write_file("/root/put", mark))
    runner.run(_smbclient(one, share, "put /root/put across"))
    runner.run(_smbclient(two, share, "get across /root/got"))
    found = runner.run(read_file("/root/got")).value
    assert found is not None, "nothing came back"
    assert found.content == mark, "something else came back"


def _smbclient(server: str, share: str, work: str) -> Command[str]:
    where = f"//{server}/{share}"
    return Command(
        ("smbclient", where, "-U", USER, "-c", work), text, timeout=90,
        env=(("PASSWD", PASSWORD.reveal()),), secrets=(PASSWORD,),
    )  # fmt: skip


def _locks_across(lab: Lab, nas: NasCluster) -> None:
    said = locked(lab, nas)
    assert said == "refused", f"the second node {said} a file that the first one holds"


def locked(lab: Lab, nas: NasCluster) -> str:
    """What the second server says of a file that the first one holds: `refused` or `opened`."""
    runner = next(iter(lab.runners().values()))
    servers = [node.public.partition("/")[0] for node in nas.nodes]
    trial = Command(
        ("/usr/local/sbin/share-mode", SHARE, USER, *servers), text, timeout=90,
        stdin=f"{PASSWORD.reveal()}\n".encode(), effect=Effect.CHANGE,
    )  # fmt: skip
    return runner.run(trial).value.strip()


def _name_has_both(lab: Lab, nas: NasCluster) -> None:
    robin = nas.cluster_name
    assert robin is not None, "the description has no name for the cluster"
    assert robin.zone is not None, "the name is in no zone"
    name = f"{robin.name}.{robin.zone.origin}"
    for runner in lab.runners().values():
        data = runner.run(dig(name, server="127.0.0.1")).value.data(name, "A")
        assert sorted(data) == sorted(robin.addresses), f"{name} is {', '.join(data) or 'nothing'}"


def _nothing_to_do(lab: Lab, nas: NasCluster) -> None:
    plan = nas.plan(nas.gather(lab.runners()))
    assert not plan.changed, str(plan)


def _no_troubles(lab: Lab, nas: NasCluster) -> None:
    status = nas.status(nas.gather(lab.runners()))
    waiting = [each for each in status.troubles if "no current data yet" not in each.what]
    assert not waiting, "; ".join(f"{each.node}: {each.what}" for each in waiting)


PROMISES = {
    "a file of one node is on the other": _file_across,
    "put through one node, got through the other": _share_across,
    "a file held through one is refused by the other": _locks_across,
    "the name has both addresses, on both": _name_has_both,
    "a second plan has nothing to do": _nothing_to_do,
    "the status knows no trouble but the first sync": _no_troubles,
}
