"""The DRBD configuration as the fake drbdadm reads it from its node's files.

A small reader of its own, so that what clusternas renders is not judged by clusternas.
"""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import attrs

from clusternas.testing.shell import Exit

if TYPE_CHECKING:
    from clusternas.testing.node import FakeNode

__all__ = [
    "HostConfig",
    "ResourceConfig",
    "VolumeConfig",
    "common_options",
    "global_options",
    "load",
]

TOKEN = re.compile(r'\s*(?:#[^\n]*|"((?:[^"\\\n]|\\.)*)"|([{};])|([^\s{};"#]+))')
MINOR = re.compile(r"(?:/dev/)?drbd(\d+)$")
FLAGS_83 = {
    "allow-two-primaries",
    "always-asbp",
    "no-disk-flushes",
    "no-disk-barrier",
    "no-md-flushes",
}
PLACES = {  # where 8.4 and 9 have what older files say elsewhere
    ("", "protocol"): ("net", "protocol"),
    ("syncer", "rate"): ("disk", "resync-rate"),
    ("net", "fencing"): ("disk", "fencing"),
    ("handlers", "outdate-peer"): ("handlers", "fence-peer"),
}
ONLY_9 = {"fencing": "net", "quorum": "options", "connection-mesh": ""}


@attrs.frozen
class Statement:
    """Words up to `;` or a block; the line where it starts."""

    words: tuple[str, ...]
    block: tuple[Statement, ...] | None
    line: int


@attrs.frozen
class VolumeConfig:
    """A volume of one host; `meta` is `internal` or a device."""

    number: int
    minor: int
    device: str
    disk: str
    meta: str


@attrs.frozen
class HostConfig:
    """An `on` section."""

    name: str
    address: str
    volumes: Mapping[int, VolumeConfig]


@attrs.frozen
class ResourceConfig:
    """A resource; options by section and name in the spelling of 8.4."""

    name: str
    hosts: Mapping[str, HostConfig]
    options: Mapping[tuple[str, str], str]
    origin: str

    def get(self, section: str, name: str, default: str = "") -> str:
        """An option's value."""
        return self.options.get((section, name), default)

    def flag(self, section: str, name: str) -> bool:
        """A boolean option; `name;` alone means yes."""
        return self.options.get((section, name), "no") in ("", "yes")


def load(node: FakeNode) -> dict[str, ResourceConfig]:
    """Every resource of the node's configuration, or exit code 10 with the parser's complaint."""
    common = common_options(node)
    found: dict[str, tuple[str, Statement]] = {}
    for path, statement in statements(node, "/etc/drbd.conf"):
        match statement.words:
            case ["resource", name]:
                if name in found:
                    raise Exit(
                        10,
                        f"{path}:{statement.line}: conflicting use of resource section "
                        f"'{name}' ...",
                    )
                found[name] = (path, statement)
    return {
        name: resource(node, path, statement, common) for name, (path, statement) in found.items()
    }


def common_options(node: FakeNode) -> dict[tuple[str, str], str]:
    """What the common sections say for all resources."""
    found: dict[tuple[str, str], str] = {}
    for _, statement in statements(node, "/etc/drbd.conf"):
        found |= option_table(statement) if statement.words == ("common",) else {}
    return found


def global_options(node: FakeNode) -> list[tuple[str, str]]:
    """The settings of the tools themselves."""
    return [
        (row.words[0], " ".join(row.words[1:]))
        for _, statement in statements(node, "/etc/drbd.conf")
        if statement.words == ("global",)
        for row in statement.block or ()
    ]


def statements(node: FakeNode, path: str) -> Iterator[tuple[str, Statement]]:
    """The top-level statements of a file and of those it includes."""
    if node.files.get(path) is None:
        raise Exit(20, f"Can not open '{path}'.\n: No such file or directory")
    for statement in parse(path, node.files.text(path)):
        if statement.words[0] == "include":
            for included in expand(node, path, statement.words[1]):
                yield from statements(node, included)
        else:
            yield path, statement


def expand(node: FakeNode, path: str, pattern: str) -> list[str]:
    """The files that an include means."""
    pattern = posixpath.join(posixpath.dirname(path), pattern)
    folder = posixpath.dirname(pattern)
    names = (posixpath.join(folder, name) for name in node.files.below(folder))
    return [
        name
        for name in names
        if fnmatch.fnmatch(name, pattern) and name.count("/") == pattern.count("/")
    ]


def parse(path: str, text: str) -> list[Statement]:
    """The statements of a text."""
    tokens = [
        (
            m.group(1) if m.group(1) is not None else m.group(2) or m.group(3),
            m.group(2),
            text.count("\n", 0, m.end()) + 1,
        )
        for m in TOKEN.finditer(text)
        if m.lastindex
    ]
    position = 0

    def block(depth: int) -> Iterator[Statement]:
        nonlocal position
        words: list[str] = []
        line = 0
        while position < len(tokens):
            token, mark, line_here = tokens[position]
            position += 1
            line = line if words else line_here
            if mark is None:
                words.append(token)
            elif mark == ";" and words:
                yield Statement(tuple(words), None, line)
                words = []
            elif mark == "{" and words:
                yield Statement(tuple(words), tuple(block(depth + 1)), line)
                words = []
            elif mark == "}" and depth and not words:
                return
            else:
                raise Exit(
                    10,
                    f"{path}:{line_here}: Parse error: ';' expected,\n"
                    f"\tbut got '{token}' (TK {ord(mark)})",
                )

    return list(block(0))


def option_table(statement: Statement) -> dict[tuple[str, str], str]:
    """The options in a resource or in common, moved to where 8.4 has them."""
    found: dict[tuple[str, str], str] = {}
    for child in statement.block or ():
        rows = (
            [("", child)] if child.block is None else [(child.words[0], row) for row in child.block]
        )
        for section, row in rows:
            key = (section, row.words[0])
            found[PLACES.get(key, key)] = " ".join(row.words[1:])
    return found


def resource(
    node: FakeNode, path: str, statement: Statement, common: Mapping[tuple[str, str], str]
) -> ResourceConfig:
    """One resource, checked as the node's version checks it."""
    check(node, path, statement)
    name = statement.words[1]
    options = {**common, **option_table(statement)}
    hosts = {
        host: host_config(host, child, statement)
        for child in statement.block or ()
        if child.words[0] == "on"
        for host in child.words[1:]
    }
    config = ResourceConfig(name, hosts, options, f"{path}:{statement.line}")
    both = config.get("startup", "become-primary-on") == "both"
    if (
        both
        and not config.flag("net", "allow-two-primaries")
        and not node.cluster.toolset.has("drbd", since="9")
    ):
        why = "become-primary-on is set to both, but allow-two-primaries is not set."
        raise Exit(10, f"{path}:{statement.line}: in resource {name}:\n{why}")
    return config


def check(node: FakeNode, path: str, statement: Statement) -> None:
    """Refuse what that version's parser does not know."""
    nine = node.cluster.toolset.has("drbd", since="9")
    old = not node.cluster.toolset.has("drbd", since="8.4")
    for child in statement.block or ():
        section = child.words[0]
        for row in child.block or (child,):
            word = row.words[0]
            if not nine and word in ONLY_9 and ONLY_9[word] in ("", section):
                raise Exit(
                    10,
                    f"{path}:{row.line}: Parse error: 'an option keyword' expected,\n"
                    f"\tbut got '{word}'",
                )
            if old and word in FLAGS_83 and len(row.words) > 1:
                raise Exit(
                    10, f"{path}:{row.line}: Parse error: ';' expected,\n\tbut got '{row.words[1]}'"
                )
    if old and option_table(statement).get(("net", "protocol")) is None:
        raise Exit(
            10,
            f"{path}:{statement.line}: in resource {statement.words[1]}:\n"
            "\tprotocol definition missing.",
        )


def host_config(name: str, statement: Statement, owner: Statement) -> HostConfig:
    """One `on` section, with what the resource says for all hosts."""
    shared = [
        row
        for row in owner.block or ()
        if row.words[0] in ("volume", "device", "disk", "meta-disk")
    ]
    rows = [*shared, *(statement.block or ())]
    address = next((row.words[-1] for row in rows if row.words[0] == "address"), "")
    parts: dict[int, dict[str, str]] = {}
    for row in rows:
        if row.words[0] == "volume":
            part = parts.setdefault(int(row.words[1]), {})
            part |= {
                line.words[0]: " ".join(line.words[1:])
                for line in row.block or ()
                if line.block is None
            }
        elif row.block is None and row.words[0] in (
            "device",
            "disk",
            "meta-disk",
            "flexible-meta-disk",
        ):
            parts.setdefault(0, {})[row.words[0]] = " ".join(row.words[1:])
    return HostConfig(
        name, address, {number: volume(number, part) for number, part in parts.items()}
    )


def volume(number: int, part: Mapping[str, str]) -> VolumeConfig:
    """A volume from its statements."""
    device, _, minor = part.get("device", "").rpartition("minor ")
    device = device.strip() or (f"/dev/drbd{minor}" if minor.isdigit() else minor)
    plain = MINOR.match(device)
    found = int(minor) if minor.isdigit() else int(plain.group(1)) if plain else 0
    meta = part.get("meta-disk") or part.get("flexible-meta-disk") or "internal"
    return VolumeConfig(
        number,
        found,
        device if device.startswith("/") else f"/dev/{device}",
        part.get("disk", ""),
        meta,
    )
