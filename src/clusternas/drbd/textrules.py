"""Checks of the text of a file, and of what stands twice in a configuration; see `rules`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from clusternas.core.diagnostics import Finding, Severity, rule
from clusternas.core.source import Place
from clusternas.core.text import Edit
from clusternas.core.versions import Toolset
from clusternas.drbd.files import DrbdFiles
from clusternas.drbd.grammar import refused_by_all
from clusternas.drbd.inherit import alone
from clusternas.drbd.layout import FIELDS, ends, said, start
from clusternas.drbd.model import DrbdConfig, DrbdResource
from clusternas.drbd.options import GENERATIONS, generation, option_of
from clusternas.drbd.refuse import refusals, too_few_minors
from clusternas.drbd.scan import tokens
from clusternas.drbd.sections import DrbdModel
from clusternas.drbd.unique import clashes, shared_disks

MAN = "drbd.conf(5)"
PAIR = """resource {name} {{
  on nas01 {{
    device /dev/drbd{minor}; disk /dev/vda3; address 10.0.0.1:{port}; meta-disk internal;
  }}
  on nas02 {{
    device /dev/drbd{minor}; disk /dev/vda3; address 10.0.0.2:{port}; meta-disk internal;
  }}
  {inside}
}}
"""


def pair(inside: str = "", name: str = "r0", minor: int = 1, port: int = 7789) -> str:
    """A resource on two hosts, for the examples."""
    return PAIR.format(name=name, minor=minor, port=port, inside=inside)


@rule(
    "DRBD006",
    Severity.ERROR,
    DrbdConfig,
    link="https://github.com/LINBIT/linstor-server/issues/25",
    bad=pair("") + pair("", "r1"),
    good=pair(""),
)
def nothing_twice(config: DrbdConfig, _: Toolset) -> Iterator[Finding]:
    """A resource name, a minor number, an address or a node-id that stands twice."""
    yield from clashes(config.resources)


@rule(
    "DRBD007",
    Severity.ERROR,
    DrbdConfig,
    link=MAN,
    bad=pair("") + pair("", "r1", 2, 7790),
    good=pair(""),
)
def no_disk_twice(config: DrbdConfig, _: Toolset) -> Iterator[Finding]:
    """A backing disk under two resources is destroyed; drbdadm of 8.3 alone looks."""
    yield from shared_disks(config.resources)


@rule(
    "DRBD010",
    Severity.ERROR,
    DrbdModel,
    link="drbdadm_parser.c of drbd-utils",
    bad="resource r0 { frobnicate; }",
    good=pair("net { protocol C; }"),
)
def refused_by_drbdadm(model: DrbdModel, toolset: Toolset) -> Iterator[Finding]:
    """What drbdadm of the toolset's version refuses, or of every version where it is not known."""
    versions = [generation(toolset)] if toolset.drbd else list(GENERATIONS)
    root, kind = None, "file"
    if isinstance(model, DrbdConfig) and model.document is not None:
        root = model.document.root
    elif isinstance(model, DrbdResource) and alone() and model.statement_of():
        root, kind = model.statement_of(), "resource"
    if root is not None:
        yield from (
            Finding(each.message, at=DrbdModel.of(each.node), help=each.help)
            for each in refused_by_all(root, kind, versions)
        )
    if isinstance(model, DrbdResource) and toolset.drbd:
        yield from refusals(model, versions[0])
    if isinstance(model, DrbdConfig):
        yield from too_few_minors(model.global_, model.resources, versions[-1])


@rule(
    "DRBD011",
    Severity.WARNING,
    DrbdConfig,
    link="drbdadm_scanner.fl of drbd-utils",
    bad="resource disk { }",
    good='resource "disk" { }',
)
def names_are_not_keywords(config: DrbdConfig, toolset: Toolset) -> Iterator[Finding]:
    """A bare name that is a keyword or a number in some version needs quotes."""
    tree = config.document
    if tree is None or toolset.drbd is not None:
        return
    named = ("resource", "on", "host", "stacked-on-top-of")
    for node in tree.root.walk():
        for token in tokens(node, "8.4") if node.key in named and node.body >= 0 else ():
            if token.kind in "ki":
                spelled = f'"{token.text}"'
                yield Finding(
                    f"{token.text!r} is a keyword or a number to drbdadm",
                    at=DrbdModel.of(node), help=f"write it in quotes: {spelled}",
                    edits=(Edit(token.start, token.start + len(token.text), spelled),),
                )  # fmt: skip


@rule(
    "DRBD015",
    Severity.ERROR,
    DrbdFiles,
    link="https://github.com/LINBIT/linstor-client/issues/19",
    bad='include "drbd.d/global_common.conf";  # which does not exist',
    good='include "drbd.d/*.res";',
)
def files_exist(files: DrbdFiles, _: Toolset) -> Iterator[Finding]:
    """A file is named that does not exist; only a pattern may match none."""
    for each in files.missing:
        message = f"the file {each.name} does not exist"
        yield Finding(message, each.model, each.field, "correct its name")


@rule(
    "DRBD018",
    Severity.WARNING,
    DrbdModel,
    link=MAN,
    bad=pair("net { timeout 60; timeout 50; }"),
    good=pair("net { timeout 60; }"),
)
def options_stand_once(model: DrbdModel, toolset: Toolset) -> Iterator[Finding]:
    """An option that stands twice: 9 refuses two values, older ones take the last."""
    source = model._source
    if source is None:
        return
    source.values()
    for name, places in source.where.items():
        node = places[-1].node
        keys = [place.node.key for place in places]
        parent = places[-1].parent.key
        plain = any(option_of(parent, node.key, g) for g in ("8.3", "9")) or parent == "volume"
        if len(keys) > 1 and node.body < 0 and plain:
            message = f"{node.key} stands {len(keys)} times"
            edits = surplus(places)
            yield Finding(message, field=name, help="keep one", edits=edits)


def surplus(places: Sequence[Place]) -> tuple[Edit, ...]:
    """The edits that leave the last of some statements that all say the same, or none."""
    if len({tuple(place.node.values) for place in places}) > 1:
        return ()
    syntax = places[0].node.tree.syntax
    return tuple(edit for place in places[:-1] for edit in syntax.remove(place.parent, place.node))


@rule(
    "DRBD023",
    Severity.WARNING,
    DrbdResource,
    link="inherit_volumes in drbdadm_parser.c of 8.4",
    bad="resource r0 { on nas01 { address 10.0.0.1:1; } on nas02 { address 10.0.0.2:1; }"
    " device /dev/drbd1; disk /dev/vda3; meta-disk internal; }",
    good="resource r0 { device /dev/drbd1; disk /dev/vda3; meta-disk internal;"
    " on nas01 { address 10.0.0.1:1; } on nas02 { address 10.0.0.2:1; } }",
)
def what_counts_for_hosts_stands_before_them(
    resource: DrbdResource, toolset: Toolset
) -> Iterator[Finding]:
    """8.x gives a host only what the resource says above it; 9 takes the whole resource."""
    first = min((start(end) for end in ends(resource)), default=-1)
    if first < 0 or (toolset.drbd is not None and toolset.has("drbd", since="9")):
        return
    own = [each for name in FIELDS if (each := said(resource, name))]
    models = [(each.model, each.field) for each in own] + [(v, "") for v in resource.volumes]
    for model, field in models:
        if start(model, field) > first:
            message = f"{resource.name} says this behind its hosts, where 8.x does not see it"
            yield Finding(message, at=model, field=field, help="write it before the hosts")
