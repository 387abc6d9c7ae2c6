"""`CmanCluster`: cluster.conf as a value."""

from __future__ import annotations

from typing import Self

import attrs
from attrs import evolve

from clusternas.cman import commands
from clusternas.cman.sections import (
    TEXT,
    AltName,
    ClusterNode,
    CmanDlm,
    CmanLogging,
    CmanModel,
    CmanOptions,
    CmanTotem,
    FenceDaemon,
    FenceDevice,
    FenceMethod,
    FenceUse,
    GfsControld,
    Quorumd,
    Rm,
    attribute,
    by_name,
    fence_params,
)
from clusternas.cman.status import CmanStatus
from clusternas.core.change import Translation
from clusternas.core.codec import integer
from clusternas.core.command import Command
from clusternas.core.errors import ParseError, ValidationError
from clusternas.core.fields import required, section, sections
from clusternas.core.keyed import Keyed
from clusternas.core.model import parse_error
from clusternas.core.syntax.tree import Document
from clusternas.core.text import Edit
from clusternas.core.versions import Toolset

__all__ = ["CmanCluster"]


@attrs.frozen(kw_only=True, slots=False, repr=False)
class CmanCluster(CmanModel):
    """The cluster of 2010: /etc/cluster/cluster.conf, the same file on every node.

    Rendering a value that was read and changed raises `config_version` by one, once, however much
    was changed; the running cluster takes a file only if its version has grown.

    Example:
        >>> nas = CmanCluster.create("NASCluster", two_node=True)
        >>> nas = nas.add_fence_device("apc", "fence_apc", ipaddr="10.0.0.5")
        >>> nas = nas.add_node("linux-nas01", fence="apc", port="1")
        >>> nas.nodes["linux-nas01"].fence["single"].devices["apc"].params["port"].value
        '1'
    """

    root = "cluster"

    name: str = required("@name", codec=TEXT, default="", doc="at most 15 characters")
    config_version: int | None = attribute(
        "config_version", integer(1), doc="grows with each change"
    )
    cman: CmanOptions | None = section(CmanOptions)
    nodes: Keyed[ClusterNode] = sections(
        ClusterNode, "clusternodes/clusternode", name="name", first=True
    )
    fence_devices: Keyed[FenceDevice] = sections(
        FenceDevice, "fencedevices/fencedevice", name="name", first=True
    )
    fence_daemon: FenceDaemon | None = section(FenceDaemon)
    totem: CmanTotem | None = section(CmanTotem)
    quorumd: Quorumd | None = section(Quorumd)
    dlm: CmanDlm | None = section(CmanDlm)
    gfs_controld: GfsControld | None = section(GfsControld)
    logging: CmanLogging | None = section(CmanLogging)
    rm: Rm | None = section(Rm)

    @classmethod
    def create(cls, name: str, *, two_node: bool = False) -> Self:
        """A cluster without nodes, as `ccs_tool create [-2] NAME` makes it."""
        cman = CmanOptions(two_node=True, expected_votes=1) if two_node else None
        return cls(name=name, config_version=1, cman=cman)

    @classmethod
    def refuse(cls, tree: Document) -> ParseError | None:
        """XML that is not well-formed is no cluster.conf: every tool refuses all of it."""
        bad = super().refuse(tree)
        if bad is None and tree.root.children is not None:
            fatal = [problem for problem in tree.problems if problem.fatal]
            if fatal:
                first = min(fatal)
                return parse_error(tree, first.start, first.message, first.help)
        return bad

    def add_node(
        self,
        name: str,
        nodeid: int | None = None,
        *,
        votes: int = 1,
        fence: str = "",
        altname: str = "",
        **params: str,
    ) -> Self:
        """With one more node, as `ccs_tool addnode` adds it.

        Args:
            name: as the host calls itself and as DNS knows it.
            nodeid: by default the first that is free.
            votes: of the node.
            fence: its fence device; without one fencing waits for a person.
            altname: its name on the second ring.
            params: what the fence device must know to hit this node, like `port`.

        Raises:
            ValidationError: the name or id is taken, or there is no such fence device.
        """
        taken = {node.nodeid for node in self.nodes}
        if nodeid is None:
            nodeid = next(number for number in range(1, len(taken) + 2) if number not in taken)
        if self.nodes.get(name) is not None:
            raise ValidationError(f"node {name} is in cluster {self.name} already")
        if nodeid in taken:
            raise ValidationError(
                f"node id {nodeid} is in use", hint="leave it out to get a free one"
            )
        node = ClusterNode(
            name=name, votes=votes, nodeid=nodeid, fence=self._methods(fence, params)
        )
        if altname:
            node = evolve(node, altname=AltName(name=altname))
        return evolve(self, nodes=self.nodes.put(node))

    def _methods(self, fence: str, params: dict[str, str]) -> Keyed[FenceMethod]:
        if not fence:
            if params:
                raise ValidationError("parameters without a fence device", hint="give fence=")
            return by_name(())
        if self.fence_devices.get(fence) is None:
            known = ", ".join(self.fence_devices.keys()) or "none"
            raise ValidationError(f"no fence device {fence}", hint=f"there are: {known}")
        use = FenceUse(name=fence, params=fence_params(params))
        return by_name([FenceMethod(name="single", devices=by_name([use]))])

    def remove_node(self, name: str) -> Self:
        """Without a node.

        Raises:
            ValidationError: there is no such node.
        """
        if self.nodes.get(name) is None:
            raise ValidationError(f"no node {name} in cluster {self.name}")
        return evolve(self, nodes=self.nodes.without(name))

    def add_fence_device(self, name: str, agent: str, **params: str) -> Self:
        """With one more fence device, as `ccs_tool addfence` adds it.

        Raises:
            ValidationError: the name is taken.
        """
        if self.fence_devices.get(name) is not None:
            raise ValidationError(f"fence device {name} exists already")
        device = FenceDevice(name=name, agent=agent, params=fence_params(params))
        return evolve(self, fence_devices=self.fence_devices.put(device))

    def remove_fence_device(self, name: str) -> Self:
        """Without a fence device, and without its uses: `ccs_tool delfence` leaves those dangling.

        Raises:
            ValidationError: there is no such device.
        """
        if self.fence_devices.get(name) is None:
            raise ValidationError(f"no fence device {name} in cluster {self.name}")
        nodes = by_name(_without_device(node, name) for node in self.nodes)
        devices = self.fence_devices.without(name)
        return evolve(self, nodes=nodes, fence_devices=devices)

    @property
    def cluster_id(self) -> int:
        """The number that cman makes of the name; two clusters of one id get in each other's way.

        From `cman/daemon/cman-preconfig.c`: each letter is added to twice the number before, and
        16 bits are kept. `hash_cluster_id` asks for another hash, which is not computed here.
        """
        if self.cman is not None and self.cman.cluster_id is not None:
            return self.cman.cluster_id
        number = 0
        for byte in self.name.encode("utf-8", "surrogateescape"):
            number = ((number << 1) + byte) & 0xFFFF
        return number

    @property
    def multicast_address(self) -> str:
        """Where the nodes meet, unless they use broadcast or udpu."""
        given = self.cman.multicast if self.cman is not None else None
        if given is not None and given.addr:
            return given.addr
        return f"239.192.{self.cluster_id >> 8}.{self.cluster_id & 0xFF}"

    def status(self) -> Command[CmanStatus]:
        """The cluster as a node sees it: compare `config_version` with this one's."""
        return commands.status()

    def reload(self, toolset: Toolset = Toolset.UNKNOWN) -> Command[str]:
        """Make the running cluster take the file; from 3 on it must be on every node already."""
        if toolset.has("cman", since="3"):
            return commands.reload(toolset=toolset)
        return commands.update(toolset=toolset)

    def edits(self, toolset: Toolset | None = None) -> list[Edit]:
        """What to replace in the text, `config_version` included."""
        return super(CmanCluster, self._versioned(toolset)).edits(toolset)

    def translate(self, toolset: Toolset | None = None) -> tuple[str, list[Translation]]:
        """`render`, with a report of each statement that was moved or spelled anew."""
        return super(CmanCluster, self._versioned(toolset)).translate(toolset)

    def _versioned(self, toolset: Toolset | None) -> CmanCluster:
        """It with the version that its text will need."""
        if self._source is None:
            return self if self.config_version is not None else evolve(self, config_version=1)
        before = self._source.values()["config_version"]
        if self.config_version != before or not super().edits(toolset):
            return self
        return evolve(self, config_version=(before or 0) + 1)


def _without_device(node: ClusterNode, name: str) -> ClusterNode:
    if name not in node.fence_devices and node.unfence.get(name) is None:
        return node
    left = [(evolve(method, devices=method.devices.without(name)), method) for method in node.fence]
    fence = by_name(new for new, old in left if new.devices or not old.devices)
    return evolve(node, fence=fence, unfence=node.unfence.without(name))
