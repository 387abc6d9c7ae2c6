"""ccs_tool of cluster 3.0 on the node's cluster.conf; misuse prints its usage and exits 0."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import TYPE_CHECKING

from clusternas.core.command import Output
from clusternas.testing.blocks import Entry
from clusternas.testing.shell import Answer, Exit, options, said

if TYPE_CHECKING:
    from clusternas.testing.node import FakeNode

__all__ = ["ccs_config_validate", "ccs_tool"]

CONF = "/etc/cluster/cluster.conf"
SKELETON = """<?xml version="1.0"?>
<cluster name="{}" config_version="1">

  <clusternodes>
  </clusternodes>

  <fencedevices>
  </fencedevices>

  <rm>
    <failoverdomains/>
    <resources/>
  </rm>
</cluster>
"""
USAGE = said("", "Usage: ccs_tool [options] <command>", 0)


class Misuse(Exception):
    """Anything that makes ccs_tool print its usage."""


def ccs_tool(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """create, addnode, delnode, addfence, delfence, lsnode, lsfence."""
    command, rest = (args[0], args[1:]) if args else ("", ())
    if command in ("update", "upgrade"):
        raise Exit(1, f"Unknown command, {command}.\nTry 'ccs_tool help' for help.")
    action = ACTIONS.get(command)
    try:
        return action(node, rest) if action is not None else USAGE
    except Misuse:
        return USAGE


def arguments(args: tuple[str, ...], short: str) -> tuple[dict[str, str], list[str]]:
    """Options and operands, or misuse."""
    try:
        given, operands = options(args, short)
    except Exit:
        raise Misuse from None
    if not operands:
        raise Misuse
    return dict(given), operands


def complain(text: str) -> Exit:
    """How ccs_tool says no."""
    return Exit(1, f"ccs_tool: {text}\n\n")


def read(node: FakeNode) -> ET.Element:
    """The file as a tree that keeps its comments."""
    parser = ET.XMLParser(target=ET.TreeBuilder(insert_comments=True))
    try:
        return ET.fromstring(node.files.text(CONF), parser=parser)
    except ET.ParseError:
        raise complain(f"Unable to parse {CONF}") from None


def save(node: FakeNode, root: ET.Element) -> Answer:
    """Write it with the next version; the mode becomes 0640, the old file gets the suffix .old."""
    root.set("config_version", str(int(root.get("config_version", "0")) + 1))
    text = f'<?xml version="1.0"?>\n{ET.tostring(root, encoding="unicode")}\n'
    old = node.files.get(CONF)
    if old is not None:
        node.files.put(f"{CONF}.old", old)
    node.files.put(CONF, Entry(text.encode(), mode=0o640))
    return ""


def section(root: ET.Element, name: str) -> ET.Element:
    """That child of the root, made if it is missing."""
    found = root.find(name)
    return ET.SubElement(root, name) if found is None else found


def named(root: ET.Element, tag: str, name: str) -> ET.Element | None:
    """The element of that tag and name."""
    return next((element for element in root.iter(tag) if element.get("name") == name), None)


def create(node: FakeNode, args: tuple[str, ...]) -> Answer:
    """A new cluster.conf; refuses to overwrite one."""
    _, operands = arguments(args, "2n:f")
    if node.files.get(CONF) is not None:
        raise complain(f"{CONF} already exists")
    node.files.write(CONF, SKELETON.format(operands[0]), mode=0o640)
    return ""


def addfence(node: FakeNode, args: tuple[str, ...]) -> Answer:
    """A fence device with its parameters."""
    _, operands = arguments(args, "c:o:")
    if len(operands) < 2:
        raise Misuse
    root = read(node)
    if named(root, "fencedevice", operands[0]) is not None:
        raise complain(f"fence type {operands[0]} already exists")
    pairs = dict(word.split("=", 1) for word in operands[2:] if "=" in word)
    ET.SubElement(
        section(root, "fencedevices"),
        "fencedevice",
        {"name": operands[0], "agent": operands[1], **pairs},
    )
    return save(node, root)


def addnode(node: FakeNode, args: tuple[str, ...]) -> Answer:
    """A node with its votes, id and fence device."""
    given, operands = arguments(args, "v:n:a:f:c:o:")
    root = read(node)
    name, device = operands[0], given.get("f", "")
    if "n" not in given:
        raise complain("nodeid not specified")
    if any(element.get("nodeid") == given["n"] for element in root.iter("clusternode")):
        raise complain(f"nodeid {given['n']} already in use")
    if named(root, "clusternode", name) is not None:
        raise complain(f"node {name} already exists in {CONF}")
    if device and named(root, "fencedevice", device) is None:
        raise complain(f"fence type '{device}' not known")
    attributes = {"name": name, "votes": given.get("v", "1"), "nodeid": given["n"]}
    element = ET.SubElement(section(root, "clusternodes"), "clusternode", attributes)
    method = ET.SubElement(ET.SubElement(element, "fence"), "method", {"name": "single"})
    if device:
        pairs = dict(word.split("=", 1) for word in operands[1:] if "=" in word)
        ET.SubElement(method, "device", {"name": device, **pairs})
    return save(node, root)


def remove(tag: str, missing: str) -> Callable[[FakeNode, tuple[str, ...]], Answer]:
    """A command that takes an element away."""

    def command(node: FakeNode, args: tuple[str, ...]) -> Answer:
        _, operands = arguments(args, "c:o:")
        root = read(node)
        element = named(root, tag, operands[0])
        if element is None:
            raise Exit(1, missing.format(operands[0], CONF))
        next(parent for parent in root.iter() if element in list(parent)).remove(element)
        return save(node, root)

    return command


def lsnode(node: FakeNode, _args: tuple[str, ...]) -> Answer:
    """The nodes."""
    root = read(node)
    rows = [f"\nCluster name: {root.get('name')}, config_version: {root.get('config_version')}\n\n"]
    rows.append("Nodename                        Votes Nodeid Fencetype\n")
    for element in root.iter("clusternode"):
        device = next((d.get("name", "") for d in element.iter("device")), "")
        votes, number = int(element.get("votes", "1")), int(element.get("nodeid", "0"))
        rows.append(f"{element.get('name', ''):<32} {votes:3d}  {number:3d}    {device}\n")
    return "".join(rows)


def lsfence(node: FakeNode, _args: tuple[str, ...]) -> Answer:
    """The fence devices."""
    devices = read(node).iter("fencedevice")
    rows = [f"{device.get('name', ''):<16} {device.get('agent', '')}\n" for device in devices]
    return "Name             Agent\n" + "".join(rows)


def ccs_config_validate(node: FakeNode, _args: tuple[str, ...], _stdin: bytes) -> Output:
    """Whether cluster.conf is well-formed, and its fence devices exist."""
    try:
        root = ET.fromstring(node.files.text(CONF))
    except ET.ParseError as error:
        return said("", f"{CONF}: {error}", 255)
    kinds = {device.get("name") for device in root.iter("fencedevice")}
    for device in root.iter("device"):
        if device.get("name") not in kinds:
            why = f'{CONF}: IDREF attribute name references an unknown ID "{device.get("name")}"'
            return said("Configuration fails to validate\n", why, 255)
    return said("Configuration validates\n")


ACTIONS = {
    "create": create,
    "addfence": addfence,
    "addnode": addnode,
    "delnode": remove("clusternode", "node {} does not exist in {}"),
    "delfence": remove("fencedevice", "fence device {} does not exist in {}"),
    "lsnode": lsnode,
    "lsfence": lsfence,
}
