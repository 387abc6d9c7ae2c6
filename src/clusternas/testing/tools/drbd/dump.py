"""The configuration as drbdadm prints it again: dump and dump-xml."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from clusternas.testing.tools.drbd.config import (
    HostConfig,
    ResourceConfig,
    common_options,
    global_options,
)
from clusternas.testing.tools.drbd.show import family

if TYPE_CHECKING:
    from clusternas.testing.node import FakeNode

__all__ = ["as_text", "as_xml", "preamble", "sections"]

GAPS = {
    **dict.fromkeys(("protocol", "socket-check-timeout"), "   "),
    **dict.fromkeys(("wfc-timeout", "degr-wfc-timeout", "outdated-wfc-timeout"), "  "),
}
UNASKED = {"cmd-timeout-medium": "600", "cmd-timeout-long": "0"}
"""What drbd-utils for 8.4 prints although nobody has set it."""
SILENT = "udev-always-use-vnr"
"""A global option that they leave out."""
LAST = "become-primary-on"
SECTIONS = ("net", "disk", "syncer", "options", "startup", "handlers")


def sections(
    options: Mapping[tuple[str, str], str],
) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """The sections that have options, in drbdadm's order."""
    for name in SECTIONS:
        rows = [(key, value) for (section, key), value in options.items() if section == name]
        if rows:
            yield name, sorted(rows, key=lambda row: row[0] == LAST)


def preamble(node: FakeNode) -> str:
    """What `drbdadm dump` of everything prints first: the global and common sections."""
    shown = dict(global_options(node))
    if family(node) == "8.4":
        shown = {name: value for name, value in (shown | UNASKED | shown).items() if name != SILENT}
    head = [f"    {name}{f' {value}' if value else ''};" for name, value in shown.items()]
    common = section_rows(common_options(node))
    rows = ["# /etc/drbd.conf", "global {", *head, "}", "", "common {", *common, "}"]
    return "\n".join(rows) + "\n\n"


def section_rows(options: Mapping[tuple[str, str], str]) -> Iterator[str]:
    """The sections of options."""
    for name, rows in sections(options):
        yield f"    {name} {{"
        for key, value in rows:
            yield f"        {key:<16}{GAPS.get(key, ' ')}{value or 'yes'};"
        yield "    }"


def as_text(node: FakeNode, configs: Iterable[ResourceConfig]) -> str:
    """Resources as `drbdadm dump` prints them."""
    return "".join(resource_text(node, config) for config in configs)


def resource_text(node: FakeNode, config: ResourceConfig) -> str:
    """One resource of it."""
    rows = [
        f"# resource {config.name} on {node.name}: not ignored, not stacked",
        f"# defined at {config.origin}",
        f"resource {config.name} {{",
    ]
    for host in config.hosts.values():
        rows += [f"    on {host.name} {{", *host_rows(host), "    }"]
    return "\n".join([*rows, *section_rows(config.options), "}"]) + "\n\n"


def host_rows(host: HostConfig) -> Iterator[str]:
    """The inside of an `on` section; volumes are shown where there are several."""
    for number, volume in host.volumes.items():
        many = len(host.volumes) > 1
        indent = "            " if many else "        "
        yield from [f"        volume {number} {{"] * many
        yield f"{indent}device           {volume.device} minor {volume.minor};"
        yield f"{indent}disk             {volume.disk};"
        yield f"{indent}meta-disk        {volume.meta};"
        yield from ["        }"] * many
    yield f"        address          ipv4 {host.address};"


def as_xml(node: FakeNode, configs: Iterable[ResourceConfig]) -> str:
    """`drbdadm dump-xml`."""
    root = ET.Element("config", {"file": "/etc/drbd.conf"})
    common = ET.SubElement(root, "common")
    section_elements(common, common_options(node))
    for config in configs:
        resource = ET.SubElement(
            root, "resource", {"name": config.name, "conf-file-line": config.origin}
        )
        for host in config.hosts.values():
            host_element(resource, host)
        section_elements(resource, config.options)
    ET.indent(root, "    ")
    common.text = common.text or "\n    "
    return ET.tostring(root, encoding="unicode").replace(" />", "/>") + "\n"


def section_elements(parent: ET.Element, options: Mapping[tuple[str, str], str]) -> None:
    """The sections of options."""
    for name, rows in sections(options):
        section = ET.SubElement(parent, "section", {"name": name})
        for key, value in rows:
            ET.SubElement(section, "option", {"name": key, "value": value or "yes"})


def host_element(resource: ET.Element, host: HostConfig) -> None:
    """One host of it."""
    element = ET.SubElement(resource, "host", {"name": host.name})
    for number, volume in host.volumes.items():
        part = ET.SubElement(element, "volume", {"vnr": str(number)})
        ET.SubElement(part, "device", {"minor": str(volume.minor)}).text = volume.device
        ET.SubElement(part, "disk").text = volume.disk
        ET.SubElement(part, "meta-disk").text = volume.meta
    address, _, port = host.address.rpartition(":")
    ET.SubElement(element, "address", {"family": "ipv4", "port": port}).text = address
