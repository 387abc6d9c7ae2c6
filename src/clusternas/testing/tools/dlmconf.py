"""dlm.conf as dlm_controld reads it: keys in column 0, booleans as numbers, fence devices."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from clusternas.testing.node import FakeNode

__all__ = ["DlmConfig", "load"]

SETTING = re.compile(r"^([a-z_]+)\s*=\s*(\S+)", re.M)
NODE = re.compile(r"\bnode=(\d+)")


@attrs.frozen
class DlmConfig:
    """Settings as written, and fence agents: for everybody, and by node id."""

    settings: dict[str, str]
    everybody: tuple[str, ...] = ()
    by_node: dict[int, tuple[str, ...]] = attrs.field(factory=dict)

    @property
    def enable_fencing(self) -> bool:
        """`enable_fencing`, where anything that is not a number means 0."""
        digits = re.match(r"\d+", self.settings.get("enable_fencing", "1"))
        return digits is not None and int(digits.group()) != 0

    def agents(self, node: int) -> tuple[str, ...]:
        """The agents that fence a node."""
        return self.everybody or self.by_node.get(node, ())


def load(node: FakeNode) -> DlmConfig:
    """The node's dlm.conf; without one, the defaults."""
    text = node.files.text("/etc/dlm/dlm.conf")
    devices: dict[str, str] = {}
    everybody: list[str] = []
    by_node: dict[int, tuple[str, ...]] = {}
    for line in text.splitlines():
        match line.split() if line[:1].strip() else []:
            case ["fence_all", agent, *_]:
                everybody.append(agent)
            case ["device", name, agent, *_]:
                devices[name] = agent
            case ["connect", name, *_] if name in devices and (found := NODE.search(line)):
                number = int(found.group(1))
                by_node[number] = (*by_node.get(number, ()), devices[name])
    return DlmConfig(dict(SETTING.findall(text)), tuple(everybody), by_node)
