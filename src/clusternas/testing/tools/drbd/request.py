"""One drbdadm command for one resource, and how the module refuses it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from clusternas.testing.shell import Exit
from clusternas.testing.tools.drbd import show
from clusternas.testing.tools.drbd.config import ResourceConfig
from clusternas.testing.tools.drbd.state import Drbd, Replica, Resource

if TYPE_CHECKING:
    from clusternas.testing.node import FakeNode

__all__ = ["Request"]


@attrs.frozen
class Request:
    """One drbdadm command for one resource.

    Attributes:
        command: the subcommand.
        options: all that begins with a dash, wherever it stood.
        config: the resource as the files say.
    """

    node: FakeNode
    command: str
    options: frozenset[str]
    config: ResourceConfig
    stdin: bytes = b""

    @property
    def resource(self) -> Resource:
        """The resource as it is up, or the module's complaint."""
        found = self.node.of(Drbd).resources.get(self.config.name)
        if found is None:
            raise self.refusal(
                10,
                "Failure: (127) Device minor not allocated\nadditional info from kernel:\n"
                "unknown minor",
            )
        return found

    @property
    def replicas(self) -> list[Replica]:
        """Its volumes here."""
        return [
            Replica(self.node, self.resource, volume) for volume in self.resource.volumes.values()
        ]

    def has(self, *names: str) -> bool:
        """Whether one of these options was given, in any spelling."""
        return any(option.startswith(f"--{name}") for option in self.options for name in names)

    def refusal(self, code: int, why: str) -> Exit:
        """The module says no: its words, and how drbdadm passes them on."""
        minor = min(volume.minor for volume in self.config.hosts[self.node.name].volumes.values())
        match show.family(self.node):
            case "8.3":
                called, subject = f"drbdsetup {minor} {self.command}", f"{minor}"
            case "8.4":
                called, subject = f"drbdsetup-84 {self.command} {minor}", f"{minor}"
            case _:
                called, subject = f"drbdsetup {self.command} {self.config.name}", self.config.name
        return Exit(code, f"{subject}: {why}\nCommand '{called}' terminated with exit code {code}")
