"""What the module runs with: `drbdsetup show`, in the text of 8.4 and the JSON of 9."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import attrs

from clusternas.testing.shell import Answer, Exit
from clusternas.testing.tools.drbd.dump import sections
from clusternas.testing.tools.drbd.state import RATES, Drbd, Resource, other_node, replicas

if TYPE_CHECKING:
    from clusternas.testing.node import FakeNode

__all__ = ["as_json", "as_text", "set_disk_options"]

DEFAULTS = {  # options that are commonly written out; the module shows no default
    "protocol": "C",
    "after-sb-0pri": "disconnect",
    "after-sb-1pri": "disconnect",
    "after-sb-2pri": "disconnect",
    "rr-conflict": "disconnect",
    "allow-two-primaries": "no",
    "timeout": "60",
    "ping-timeout": "5",
    "ping-int": "10",
    "connect-int": "10",
    "ko-count": "7",
    "max-buffers": "2048",
    "max-epoch-size": "2048",
    "fencing": "dont-care",
    "on-io-error": "detach",
    "al-extents": "1237",
    "resync-rate": "250k",
}
ORDER = """timeout max-epoch-size connect-int ping-int sndbuf-size rcvbuf-size ko-count
allow-two-primaries cram-hmac-alg shared-secret after-sb-0pri after-sb-1pri after-sb-2pri
always-asbp rr-conflict ping-timeout data-integrity-alg tcp-cork on-congestion congestion-fill
congestion-extents csums-alg csums-after-crash-only verify-alg use-rle socket-check-timeout
on-io-error fencing disk-barrier disk-flushes disk-drain md-flushes resync-rate resync-after
al-extents""".split()
"""How drbdsetup orders the options, however they were given."""
UNITS = {
    "timeout": "1/10 seconds",
    "ping-timeout": "1/10 seconds",
    "ping-int": "seconds",
    "connect-int": "seconds",
    "resync-rate": "bytes/second",
}


def as_text(node: FakeNode) -> str:
    """`drbdsetup show` of 8.4."""
    return "".join(
        "\n".join(resource_rows(node, one)) + "\n" for one in node.of(Drbd).resources.values()
    )


def resource_rows(node: FakeNode, resource: Resource) -> Iterator[str]:
    """One resource; without a connection its network settings are gone."""
    config = resource.config
    tables = dict(sections(config.options))
    alone = resource.connection == "StandAlone"
    other = other_node(node, config)
    yield f"resource {config.name} {{"
    yield from ["    options {", *option_rows(tables.get("options", ()), 8), "    }"]
    if not alone and other is not None:
        yield from ["    net {", *option_rows(tables.get("net", ()), 8), "    }"]
        yield from ["    _remote_host {", address(config.hosts[other.name].address), "    }"]
    yield "    _this_host {"
    if not alone:
        yield address(config.hosts[node.name].address)
    for volume in resource.volumes.values():
        yield f"        volume {volume.config.number} {{"
        yield f"            device\t\t\tminor {volume.config.minor};"
        if volume.disk != "Diskless":
            yield f'            disk\t\t\t"{volume.config.disk}";'
            yield f"            meta-disk\t\t\t{volume.config.meta};"
            rows = option_rows(tables.get("disk", ()), 16)
            yield from ["            disk {", *rows, "            }"]
        yield "        }"
    yield from ["    }", "}"]


def address(text: str) -> str:
    """An end of the connection."""
    return f"        address\t\t\tipv4 {text};"


def option_rows(options: Iterable[tuple[str, str]], indent: int) -> Iterator[str]:
    """Options that are not as the module has them anyway."""
    for name, value in sorted(options, key=place):
        shown = value or "yes"
        if DEFAULTS.get(name) != shown:
            unit = f" # {UNITS[name]}" if name in UNITS else ""
            yield f"{' ' * indent}{name:<16}\t{spelled(name, shown)};{unit}"


def place(option: tuple[str, str]) -> int:
    """Where drbdsetup shows an option; the others last."""
    return ORDER.index(option[0]) if option[0] in ORDER else len(ORDER)


def spelled(name: str, value: str) -> str:
    """A value as the module counts it: rates in KiB."""
    if name != "resync-rate":
        return value
    unit = RATES.get(value[-1:], 0)
    return f"{int(value[:-1]) * unit}k" if unit else f"{value}k"


def set_disk_options(node: FakeNode, args: tuple[str, ...]) -> Answer:
    """`drbdsetup disk-options MINOR --NAME=VALUE…` of 8.4: until the files are read again."""
    given = dict(arg[2:].split("=", 1) for arg in args if arg.startswith("--") and "=" in arg)
    minors = [arg for arg in args if not arg.startswith("-")]
    for replica in replicas(node):
        if minors == [str(replica.volume.config.minor)]:
            config = replica.resource.config
            more = {("disk", name): value for name, value in given.items()}
            replica.resource.config = attrs.evolve(config, options={**config.options, **more})
            return ""
    raise Exit(10, f"{' '.join(minors)}: Failure: (127) Device minor not allocated")


def as_json(node: FakeNode) -> str:
    """`drbdsetup show --json` of 9."""
    found = [json_resource(node, one) for one in node.of(Drbd).resources.values()]
    return json.dumps(found, indent=4) + "\n"


def json_resource(node: FakeNode, resource: Resource) -> dict[str, object]:
    """One resource of it."""
    config = resource.config
    tables = {name: dict(options) for name, options in sections(config.options)}
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
