"""The configuration as drbdadm prints it again: dump, dump-xml, and drbdsetup show."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from clusternas.testing.tools.drbd.config import HostConfig, ResourceConfig
from clusternas.testing.tools.drbd.state import Drbd, Resource, other_node

if TYPE_CHECKING:
    from clusternas.testing.node import FakeNode

__all__ = ["as_text", "as_xml", "running"]

SECTIONS = ("net", "disk", "syncer", "options", "startup", "handlers")


def sections(config: ResourceConfig) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """The sections that have options, in drbdadm's order."""
    for name in SECTIONS:
        rows = [(key, value) for (section, key), value in config.options.items() if section == name]
        if rows:
            yield name, rows


def as_text(node: FakeNode, configs: Iterable[ResourceConfig]) -> str:
    """`drbdadm dump`."""
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
    for name, options in sections(config):
        lines = (f"        {key:<16} {value or 'yes'};" for key, value in options)
        rows += [f"    {name} {{", *lines, "    }"]
    return "\n".join([*rows, "}"]) + "\n\n"


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


def as_xml(configs: Iterable[ResourceConfig]) -> str:
    """`drbdadm dump-xml`."""
    root = ET.Element("config", {"file": "/etc/drbd.conf"})
    ET.SubElement(root, "common")
    for config in configs:
        resource = ET.SubElement(
            root, "resource", {"name": config.name, "conf-file-line": config.origin}
        )
        for host in config.hosts.values():
            host_element(resource, host)
        for name, options in sections(config):
            section = ET.SubElement(resource, "section", {"name": name})
            for key, value in options:
                ET.SubElement(section, "option", {"name": key, "value": value or "yes"})
    ET.indent(root, "    ")
    return ET.tostring(root, encoding="unicode") + "\n"


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


def running(node: FakeNode) -> str:
    """`drbdsetup show --json` of 9."""
    found = [running_resource(node, one) for one in node.of(Drbd).resources.values()]
    return json.dumps(found, indent=4) + "\n"


def running_resource(node: FakeNode, resource: Resource) -> dict[str, object]:
    """One resource of it."""
    config = resource.config
    tables = {name: dict(options) for name, options in sections(config)}
    other = other_node(node, config)
    peer = config.hosts[other.name] if other is not None else None
    return {
        "resource": config.name,
        "options": {},
        "_this_host": {
            "node-id": node.number - 1,
            "volumes": [
                {
                    "volume_nr": volume.config.number,
                    "device_minor": volume.config.minor,
                    "backing-disk": volume.config.disk if volume.disk != "Diskless" else "none",
                    "meta-disk": volume.config.meta,
                    "disk": {},
                }
                for volume in resource.volumes.values()
            ],
        },
        "connections": [
            {
                "_peer_node_id": other.number - 1 if other is not None else 0,
                "paths": [
                    {
                        "_this_host": f"ipv4 {config.hosts[node.name].address}",
                        "_remote_host": f"ipv4 {peer.address if peer is not None else ''}",
                    }
                ],
                "_cstate": resource.connection,
                "net": {
                    "_name": other.name if other is not None else "",
                    **{k: v == "" or v == "yes" or v for k, v in tables.get("net", {}).items()},
                },
                "volumes": [],
            }
        ],
    }
