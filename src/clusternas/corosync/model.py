"""`CorosyncCluster`: corosync.conf as a value."""

from __future__ import annotations

from typing import Self

import attrs
from attrs import evolve

from clusternas.core.command import Command
from clusternas.core.errors import ValidationError
from clusternas.core.fields import section, sections
from clusternas.core.keyed import Keyed
from clusternas.core.versions import Toolset
from clusternas.corosync import commands
from clusternas.corosync.sections import (
    LINKS,
    CorosyncLogging,
    CorosyncModel,
    CorosyncNode,
    CorosyncOther,
    CorosyncQuorum,
    CorosyncSystem,
    CorosyncTotem,
    CorosyncUidGid,
)
from clusternas.corosync.status import ConfigCheck, QuorumStatus

__all__ = ["CorosyncCluster"]

VOTEQUORUM = "corosync_votequorum"


@attrs.frozen(kw_only=True, slots=False, repr=False)
class CorosyncCluster(CorosyncModel):
    """The cluster of today: /etc/corosync/corosync.conf, the same file on every node.

    Example:
        >>> nas = CorosyncCluster.create("NASCluster")
        >>> nas = nas.add_node("nas01", "10.0.0.1").add_node("nas02", "10.0.0.2")
        >>> nas.nodes["nas02"].nodeid, nas.quorum.two_node
        (2, True)
    """

    totem: CorosyncTotem | None = section(CorosyncTotem)
    quorum: CorosyncQuorum | None = section(CorosyncQuorum)
    nodes: Keyed[CorosyncNode] = sections(CorosyncNode, "nodelist/node", name="label")
    logging: CorosyncLogging | None = section(CorosyncLogging)
    system: CorosyncSystem | None = section(CorosyncSystem)
    uidgid: Keyed[CorosyncUidGid] = sections(CorosyncUidGid, "uidgid", name="uid")
    resources: CorosyncOther | None = section(CorosyncOther)
    nozzle: CorosyncOther | None = section(CorosyncOther, since="3")
    service: CorosyncOther | None = section(CorosyncOther, until="2")

    @classmethod
    def create(cls, name: str, *, transport: str = "knet") -> Self:
        """A cluster without nodes.

        Args:
            name: the first part of GFS2's lock table: at most 32 letters, digits, `_` and `-`.
            transport: `knet` from 3.x on; `udpu` for 2.x.
        """
        return cls(
            totem=CorosyncTotem(version=2, cluster_name=name, transport=transport),
            quorum=CorosyncQuorum(provider=VOTEQUORUM),
            logging=CorosyncLogging(to_syslog=True),
        )

    @property
    def name(self) -> str:
        """The name of the cluster; empty where it has none."""
        return (self.totem and self.totem.cluster_name) or ""

    def add_node(self, name: str, *addresses: str, nodeid: int | None = None) -> Self:
        """With one more node; `two_node` follows the number of nodes.

        Args:
            name: as the host calls itself.
            addresses: one per link.
            nodeid: by default the first that is free.

        Raises:
            ValidationError: name, id or address is taken, or there is no address.
        """
        taken = {node.nodeid for node in self.nodes}
        if nodeid is None:
            nodeid = next(number for number in range(1, len(taken) + 2) if number not in taken)
        if self.nodes.get(name) is not None:
            raise ValidationError(f"node {name} is in cluster {self.name} already")
        if nodeid in taken:
            raise ValidationError(f"node id {nodeid} is in use", hint="leave it out")
        if not 1 <= len(addresses) <= LINKS:
            raise ValidationError(f"{len(addresses)} addresses for {name}", hint=f"1 to {LINKS}")
        used = {address for node in self.nodes for address in node.addresses}
        if used & set(addresses):
            raise ValidationError(f"address in use: {', '.join(used & set(addresses))}")
        node = CorosyncNode.on(name, nodeid, addresses)
        return self._with(self.nodes.put(node))

    def remove_node(self, name: str) -> Self:
        """Without a node; `two_node` follows the number of nodes.

        Raises:
            ValidationError: there is no such node.
        """
        if self.nodes.get(name) is None:
            raise ValidationError(f"no node {name} in cluster {self.name}")
        return self._with(self.nodes.without(name))

    def _with(self, nodes: Keyed[CorosyncNode]) -> Self:
        quorum = self.quorum or CorosyncQuorum(provider=VOTEQUORUM)
        two = len(nodes) == 2 and quorum.device is None
        if two or quorum.two_node:
            quorum = evolve(quorum, two_node=True if two else None)
        return evolve(self, nodes=nodes, quorum=quorum)

    def check(self, path: str, toolset: Toolset = Toolset.UNKNOWN) -> Command[ConfigCheck]:
        """Whether corosync on a host would start with the file at a path there."""
        return commands.check_config(path, toolset)

    def status(self) -> Command[QuorumStatus]:
        """Members, votes and quorum as a node sees them."""
        return commands.quorum_status()

    def reload(self) -> Command[str]:
        """Make every running node read its file again; it must be on all of them already."""
        return commands.reload()
