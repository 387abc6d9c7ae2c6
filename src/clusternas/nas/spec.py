"""The description of a NAS in TOML: few words, from which every file follows.

The defaults are the safe ones: protocol C, fencing, a filter that shows LVM only DRBD, a journal a
node, clustered Samba on CTDB. What is not wanted is left out; every table is optional but `nodes`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import attrs

from clusternas.core.errors import ParseError, ValidationError
from clusternas.core.model import read_bytes
from clusternas.core.text import decode
from clusternas.core.versions import Toolset
from clusternas.nas.build import Described, Table, build
from clusternas.nas.cluster import NasCluster

__all__ = ["load", "loads"]

TOOLSETS = {"el6": Toolset.EL6, "el9": Toolset.EL9, "debian12": Toolset.DEBIAN12}


def load(path: Path, without: Collection[str] = ()) -> NasCluster:
    """The NAS that a file describes; see `NasCluster.load`."""
    return loads(decode(read_bytes(path)), str(path), without)


def loads(text: str, path: str = "", without: Collection[str] = ()) -> NasCluster:
    """The NAS that a text describes.

    Args:
        text: in TOML.
        path: where it was read.
        without: names of nodes that are left out; the others keep their numbers.

    Raises:
        ParseError: it is not TOML; with line and column.
        ValidationError: a key is unknown, missing or wrong; with its place in the tables.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ParseError(f"not TOML: {error}", hint="see docs/spec.md", path=path) from None
    top = Table(tables, "", path)
    described = Described(
        name=top.text("name"),
        toolset=_toolset(top),
        nodes=top.tables("nodes"),
        fencing=top.table("fencing"),
        drbd=top.tables("drbd"),
        lvm=top.tables("lvm"),
        gfs2=top.tables("gfs2"),
        samba=top.table("samba"),
        shares=top.tables("shares"),
        ctdb=top.table("ctdb"),
        dns=top.table("dns"),
    )
    if not described.nodes:
        raise top.wrong("nodes", "is missing", "write [nodes.NAME] for every machine")
    for name in without:
        if name not in [table.name for table in described.nodes]:
            raise top.wrong("nodes", f"there is no node {name}", "name one that is described")
    nas = build(described, without)
    top.finish()
    return nas


def _toolset(top: Table) -> Toolset:
    given = top.take("toolset", "debian12")
    if isinstance(given, str):
        if given.lower() not in TOOLSETS:
            raise top.wrong(
                "toolset", f"unknown toolset {given!r}", f"one of {', '.join(TOOLSETS)}"
            )
        return TOOLSETS[given.lower()]
    if not isinstance(given, Mapping):
        raise top.wrong("toolset", "not a toolset", "a name, or a table of versions")
    known = {field.name for field in attrs.fields(Toolset)}
    for key in given:
        if key not in known:
            raise top.wrong(f"toolset.{key}", "unknown tool", f"one of {', '.join(sorted(known))}")
    versions: dict[str, Any] = dict(given)
    try:
        return Toolset(**versions)
    except (TypeError, ValidationError) as error:
        raise top.wrong("toolset", str(error), 'versions are texts: drbd = "8.4"') from None
