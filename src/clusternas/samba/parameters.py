"""Samba's own table of parameters: scope, type, synonyms, versions.

The table is `parameters.tsv` beside this file; it is read when somebody first asks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from importlib import resources
from typing import Literal, cast

import attrs

from clusternas.core.syntax.ini import SMB_CONF
from clusternas.samba.values import FALSE, TRUE

__all__ = ["Kind", "Parameter", "lookup", "near", "parameters", "wrong"]

Kind = Literal["bool", "bytes", "char", "enum", "integer", "list", "list+", "octal", "string"]
BYTES = re.compile(r"[+-]?(?:0[xX][0-9a-fA-F]+|\d+)[ \t]?[kKmMgGtTpP]?")
OCTAL = re.compile(r"[+-]?[0-7]+")


@attrs.frozen
class Parameter:
    """A parameter of smb.conf.

    Attributes:
        name: as the manual has it.
        scope: `S` may stand in shares, `G` in [global] alone.
        kind: of value; `list+` takes `+item` and `-item` for what to add and remove.
        since, until: the versions that document it, `since <= version < until`; empty where open.
        synonyms: other names, those of opposite sense behind an exclamation mark.
        values: what an `enum` takes.
    """

    name: str
    scope: Literal["S", "G"]
    kind: Kind
    since: str = ""
    until: str = ""
    synonyms: tuple[str, ...] = ()
    values: tuple[str, ...] = ()


@cache
def parameters() -> Mapping[str, Parameter]:
    """All parameters by folded name, synonyms included.

    Example:
        >>> parameters()["writeable"].name
        'read only'
    """
    table = resources.files("clusternas.samba").joinpath("parameters.tsv").read_text("utf-8")
    found: dict[str, Parameter] = {}
    for row in table.splitlines():
        if not row.startswith("#"):
            parameter = _parameter(row)
            for name in (parameter.name, *parameter.synonyms):
                found[SMB_CONF.fold(name.lstrip("!"))] = parameter
    return found


def _parameter(row: str) -> Parameter:
    name, scope, kind, *rest = row.split("\t")
    since, until, synonyms, values = (*rest, "", "", "", "")[:4]
    return Parameter(
        name,
        cast('Literal["S", "G"]', scope),
        cast("Kind", kind),
        since,
        until,
        tuple(synonyms.split(", ")) if synonyms else (),
        tuple(values.split("|")) if values else (),
    )


def lookup(name: str) -> Parameter | None:
    """The parameter of a name, however it is spelled, or None."""
    table = parameters()
    return table.get(name) or table.get(SMB_CONF.fold(name))


def near(name: str) -> str:
    """The known name that an unknown one most looks like, or an empty string.

    Example:
        >>> near("vaild users")
        'valid users'
    """
    close = get_close_matches(SMB_CONF.fold(name), parameters(), n=1, cutoff=0.8)
    return parameters()[close[0]].name if close else ""


def wrong(parameter: Parameter, value: str) -> str:
    """Why Samba refuses the whole file for this value, or an empty string.

    Samba refuses for booleans, enumerations, octal numbers and sizes; a number that it cannot read
    it takes for 0 without a word.
    """
    folded = "".join(value.split()).lower()
    allowed = {"bool": (*TRUE, *FALSE), "enum": parameter.values}.get(parameter.kind, ())
    if allowed and folded not in ("".join(each.split()).lower() for each in allowed):
        return f"{value!r} is none of {', '.join(allowed)}"
    if parameter.kind == "octal" and not OCTAL.match(value):
        return f"{value!r} is not an octal number"
    if parameter.kind == "bytes" and not BYTES.fullmatch(value):
        return f"{value!r} is not a size"
    return ""
