"""`drbdadm dump-xml` as models of drbd.conf, `drbdsetup show` of 8.4 as what the kernel runs."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator

from clusternas.core.command import Command, Effect, Output
from clusternas.core.errors import ParseError
from clusternas.core.syntax.tree import Node, Statement
from clusternas.drbd.call import QUICK, adm, target
from clusternas.drbd.hosts import minor_of
from clusternas.drbd.model import DrbdConfig
from clusternas.drbd.sections import DrbdModel
from clusternas.drbd.statusjson import RunningConnection, RunningResource, RunningVolume
from clusternas.drbd.words import word

__all__ = ["decode_dump_xml", "decode_show_text", "dump_config", "show_text"]

LISTS = frozenset({"become-primary-on"})
"""Options whose value is several words."""


def dump_config(resource: str = "all") -> Command[DrbdConfig]:
    """The configuration as drbdadm understands it, as a value: `drbdadm dump-xml r0`.

    DRBD 9 tells each connection twice: as it is written, and as it counts.
    """
    return adm("dump-xml", target(resource), decode=decode_dump_xml, effect=Effect.READ)


def show_text() -> Command[tuple[RunningResource, ...]]:
    """The configuration as the kernel runs it; DRBD 8.4: `drbdsetup show`."""
    return Command(("drbdsetup", "show"), decode_show_text, effect=Effect.READ, timeout=QUICK)


def decode_dump_xml(output: Output) -> DrbdConfig:
    """The output of `drbdadm dump-xml`.

    Raises:
        ParseError: it is something else. Document types and entities are refused.

    Example:
        >>> xml = b'<config><resource name="r0"><host name="nas01"/></resource></config>'
        >>> decode_dump_xml(Output(stdout=xml)).resources["r0"].host_names()
        ('nas01',)
    """
    if b"<!" in output.stdout:
        raise ParseError("not the output of drbdadm dump-xml: it declares a document type")
    try:
        root = ElementTree.fromstring(output.stdout)
    except ElementTree.ParseError as error:
        raise ParseError(f"not the output of drbdadm dump-xml: {error}") from None
    statements = [each for child in root for each in _statements(child, inside="config")]
    return DrbdConfig.parse(DrbdModel.syntax.render(statements))


def _statements(element: ElementTree.Element, inside: str) -> Iterator[Statement]:
    """An element as drbd.conf writes it."""
    text, tag = (element.text or "").strip(), element.tag
    name = element.get("name", "")
    if tag == "option":
        value = element.get("value")
        words = () if value is None else tuple(value.split()) if name in LISTS else (value,)
        yield Statement(name, tuple(map(word, words)))
    elif tag == "section":
        yield Statement(name, (), _children(element))
    elif tag == "host" and inside == "resource":
        yield Statement("on", (word(name),), _children(element))
    elif tag == "host":
        ends = [
            part for child in element for each in _statements(child, tag) for part in each.words
        ]
        yield Statement("host", (word(name), "address", *ends) if ends else (word(name),))
    elif tag == "address":
        host = f"[{text}]" if element.get("family") == "ipv6" else text
        if text != "(null)":
            yield Statement(tag, (element.get("family", ""), f"{host}:{element.get('port')}"))
    elif tag == "device":
        yield Statement(tag, (*text.split(), "minor", element.get("minor", "0")))
    elif tag == "meta-disk" and element.get("index") is not None:
        yield Statement(tag, (f"{text}[{element.get('index')}]",))
    elif tag in ("disk", "meta-disk", "flexible-meta-disk"):
        yield Statement(tag, (text if text == "internal" else word(text or "none"),))
    elif inside == "global":
        yield Statement(tag, tuple(element.attrib.values()))
    else:
        label = name if tag == "resource" else element.get("vnr") or ""
        words = (label if label.isdecimal() and tag == "volume" else word(label),) if label else ()
        protocol = element.get("protocol")
        own = (Statement("protocol", (protocol,)),) if protocol else ()
        yield Statement(tag, words, (*own, *_children(element)))


def _children(element: ElementTree.Element) -> tuple[Statement, ...]:
    return tuple(each for child in element for each in _statements(child, element.tag))


def decode_show_text(output: Output) -> tuple[RunningResource, ...]:
    """The output of `drbdsetup show` of DRBD 8.4.

    Raises:
        ParseError: it is something else.
    """
    tree = DrbdModel.syntax.parse(output.text)
    if tree.check():
        raise ParseError("not the output of drbdsetup show")
    return tuple(_running(node) for node in tree.root.children if node.key == "resource")


def _running(node: Node) -> RunningResource:
    here, there = _section(node, "_this_host"), _section(node, "_remote_host")
    ends = (_entry(here, "address"), _entry(there, "address"))
    link = RunningConnection(peer_node_id=0, name="peer", paths=(ends,), net=_options(node, "net"))
    volumes = [child for child in (here.children if here else ()) if child.key == "volume"]
    return RunningResource(
        name=" ".join(node.values),
        node_id=0,
        options=_options(node, "options"),
        volumes=tuple(map(_running_volume, volumes)),
        connections=(link,) if there else (),
    )


def _running_volume(node: Node) -> RunningVolume:
    return RunningVolume(
        number=int(node.values[0]),
        minor=minor_of(_entry(node, "device")) or 0,
        backing_disk=_entry(node, "disk") or "none",
        meta_disk=_entry(node, "meta-disk"),
        disk=_options(node, "disk"),
    )


def _section(node: Node, key: str) -> Node | None:
    return next((child for child in node.children if child.key == key and child.body >= 0), None)


def _entry(node: Node | None, key: str) -> str:
    found = (
        child for child in (node.children if node else ()) if child.key == key and child.body < 0
    )
    return next((" ".join(child.values) for child in found), "")


def _options(node: Node, key: str) -> dict[str, object]:
    section = _section(node, key)
    return {child.key: " ".join(child.values) for child in (section.children if section else ())}
