"""Rules about how smb.conf is written: what Samba reads otherwise than people mean it.

SAMBA000 is the grammar's: an unclosed section, a value without a name, a line without `=`, a byte
order mark. SAMBA900 is a typed value that cannot be read: for booleans, enumerations and octal
numbers Samba then refuses the whole file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from clusternas.core.diagnostics import Finding, Severity, rule
from clusternas.core.fields import Option
from clusternas.core.lens import lens_of
from clusternas.core.syntax.tini import fold
from clusternas.core.syntax.tree import Node
from clusternas.core.versions import Toolset
from clusternas.samba.model import SambaShare, SmbConf, SmbGlobal, SmbParameter
from clusternas.samba.parameters import Parameter, lookup, near, wrong
from clusternas.samba.values import TEXT

__all__: list[str] = []

TINI = "lib/util/tini.c of Samba"
LOADPARM = "source3/param/loadparm.c of Samba"
INLINE = re.compile(r"[ \t\n]([#;])")
SWALLOWED = re.compile(r"\\[ \t\r\v\f]*\n[ \t\r\v\f]*([\[#;])")
LATE = ("include", "copy")
"""Parameters that may come again: each time they do something."""


def sections(conf: SmbConf) -> list[Node]:
    """The sections as they stand in the text, or would."""
    tree = conf.document
    if tree is None or conf.edits():
        tree = SmbConf.syntax.parse(conf.render())
    return tree.root.children


def options(conf: SmbConf) -> Iterator[tuple[Node, Node]]:
    """Every parameter with its section."""
    for section in sections(conf):
        for option in section.children:
            yield section, option


def point(node: Node) -> SmbParameter:
    """What a finding about a parameter points at."""
    return SmbParameter.of(node)


def spelled(node: Node) -> str:
    """The name of a parameter as the text has it."""
    return node.tree.syntax.spelling(node)


def value(node: Node) -> str:
    """The value of a parameter as Samba sees it."""
    return node.values[0]


@rule(
    "SAMBA003", Severity.WARNING, SmbConf, link=TINI,
    bad="[s]\npath = /s\noplocks = no # does this work\n",
    good="[s]\npath = /s\n# does this work\noplocks = no\n",
)  # fmt: skip
def comment_after_a_value(conf: SmbConf, _: Toolset) -> Iterator[Finding]:
    """A comment must stand on a line of its own: behind a value it is part of the value."""
    for _section, option in options(conf):
        if not INLINE.search(option.raw) or not (found := INLINE.search(value(option))):
            continue
        parameter = lookup(option.key)
        if found[1] == "#" or parameter is None or not parameter.kind.startswith("list"):
            yield Finding(
                f"{spelled(option)}: {value(option)[found.start(1) :]!r} is part of the value",
                at=point(option), help="put the comment on a line of its own",
            )  # fmt: skip


@rule(
    "SAMBA005", Severity.WARNING, SmbConf, link=TINI,
    bad="[global]\nserver string = a\\\n[s]\npath = /s\n",
    good="[global]\nserver string = a\n[s]\npath = /s\n",
)  # fmt: skip
def swallowed_line(conf: SmbConf, _: Toolset) -> Iterator[Finding]:
    """A backslash at the end of a line takes in the next, also a section header or a comment."""
    for _section, option in options(conf):
        found = SWALLOWED.search(option.raw)
        if found:
            what = "section header" if found[1] == "[" else "comment"
            yield Finding(
                f"{spelled(option)}: a {what} is part of the value, after a backslash",
                at=point(option), help="take the backslash away",
            )  # fmt: skip


TYPED = frozenset(lens_of(SmbGlobal).table) | frozenset(lens_of(SambaShare).table)
"""What the engine knows the lifetime of."""
CHECKED = frozenset(
    key
    for model in (SmbGlobal, SambaShare)
    for key, name in lens_of(model).table.items()
    if isinstance(meta := lens_of(model).fields[name], Option) and meta.codec is not TEXT
)
"""What the engine checks the values of."""


@rule(
    "SAMBA006", Severity.WARNING, SmbConf, link="smb.conf(5)",
    bad="[s]\npath = /s\nvaild users = jo\n", good="[s]\npath = /s\nvalid users = jo\n",
)  # fmt: skip
def unknown_parameter(conf: SmbConf, toolset: Toolset) -> Iterator[Finding]:
    """Samba ignores a parameter that it does not know; most are misspelled, some are gone."""
    for _section, option in options(conf):
        if ":" in option.key:
            continue  # a module's own: Samba checks none of them
        parameter = lookup(option.key)
        if parameter is None:
            guess = near(option.key)
            yield Finding(
                f"Samba does not know {spelled(option)!r}",
                at=point(option), help=f"did you mean {guess!r}?" if guess else "it is ignored",
            )  # fmt: skip
        elif option.key not in TYPED and _unsupported(parameter, toolset):
            yield Finding(
                f"samba {toolset.samba} does not know {spelled(option)!r}: "
                + _lifetime(parameter),
                at=point(option), help="it is ignored; take it out",
            )  # fmt: skip


def _unsupported(parameter: Parameter, toolset: Toolset) -> bool:
    return not toolset.has("samba", since=parameter.since, until=parameter.until)


def _lifetime(parameter: Parameter) -> str:
    since = f"since {parameter.since}" if parameter.since else ""
    until = f"gone in {parameter.until}" if parameter.until else ""
    return ", ".join(part for part in (since, until) if part)


@rule(
    "SAMBA007", Severity.ERROR, SmbConf, link=LOADPARM,
    bad="[global]\nwins support = maybe\n", good="[global]\nwins support = yes\n",
)  # fmt: skip
def value_that_refuses_the_file(conf: SmbConf, _: Toolset) -> Iterator[Finding]:
    """One bad boolean, enumeration, octal number or size, and Samba refuses the whole file."""
    for _section, option in options(conf):
        parameter = lookup(option.key)
        if parameter is not None and option.key not in CHECKED:
            reason = wrong(parameter, value(option))
            if reason:
                yield Finding(
                    f"{spelled(option)}: {reason}; Samba refuses the whole file",
                    at=point(option), help="correct it: no share works until then",
                )  # fmt: skip


@rule(
    "SAMBA008", Severity.WARNING, SmbConf, link=LOADPARM,
    bad="[s]\npath = /s\nworkgroup = NAS\n", good="[global]\nworkgroup = NAS\n[s]\npath = /s\n",
)  # fmt: skip
def global_parameter_in_a_share(conf: SmbConf, _: Toolset) -> Iterator[Finding]:
    """A parameter of the server is ignored inside a share."""
    for section, option in options(conf):
        parameter = lookup(option.key)
        if section.key == "share" and parameter is not None and parameter.scope == "G":
            yield Finding(
                f"{spelled(option)} belongs to [global]; in a share it is ignored",
                at=point(option), help="move it to [global]",
            )  # fmt: skip


@rule(
    "SAMBA009", Severity.WARNING, SmbConf, link=LOADPARM,
    bad="[s]\npath = /s\nread only = no\nwriteable = no\n",
    good="[s]\npath = /s\nread only = yes\n",
)  # fmt: skip
def said_twice(conf: SmbConf, _: Toolset) -> Iterator[Finding]:
    """Of a parameter that a section says twice, in whatever spelling, the last counts."""
    for section in sections(conf):
        before: dict[str, Node] = {}
        for option in section.children:
            parameter = lookup(option.key)
            name = parameter.name if parameter else option.key
            if name in before and name not in LATE:
                line = option.tree.lines.position(before[name].start).line
                yield Finding(
                    f"{spelled(option)} is also said in line {line}; this one counts",
                    at=point(option), help="keep one of them",
                )  # fmt: skip
            before[name] = option


@rule(
    "SAMBA010", Severity.WARNING, SmbConf, link=LOADPARM,
    bad="[s]\npath = /s\n[t]\npath = /t\n[S]\nread only = no\n",
    good="[s]\npath = /s\nread only = no\n[t]\npath = /t\n",
)  # fmt: skip
def section_twice(conf: SmbConf, _: Toolset) -> Iterator[Finding]:
    """A share that comes again adds to the first, and makes it forget its `module:option`s."""
    before: dict[str, Node] = {}
    for section in sections(conf):
        if section.key != "share":
            continue
        name = value(section).lower()
        if name in before:
            line = section.tree.lines.position(before[name].start).line
            lost = [spelled(each) for each in before[name].children if ":" in each.key]
            losing = f", and its {', '.join(lost)} is forgotten" if lost else ""
            yield Finding(
                f"[{value(section)}] is also in line {line}{losing}",
                at=SambaShare.of(section), help="write one section",
            )  # fmt: skip
        before[name] = section


@rule(
    "SAMBA011", Severity.WARNING, SmbConf, link=LOADPARM,
    bad="[s]\npath = /s\n[global]\nread only = no\n",
    good="[global]\nread only = no\n[s]\npath = /s\n",
)  # fmt: skip
def default_below_a_share(conf: SmbConf, _: Toolset) -> Iterator[Finding]:
    """What [global] says for shares reaches only the shares below it."""
    above: list[str] = []
    for section in sections(conf):
        if section.key == "share":
            above.append(value(section))
            continue
        for option in section.children if above else ():
            parameter = lookup(option.key)
            if parameter is not None and parameter.scope == "S" and parameter.name not in LATE:
                yield Finding(
                    f"{spelled(option)} does not reach {_few(above)}, which stand above",
                    at=point(option), help="move [global] to the top",
                )  # fmt: skip


def _few(names: list[str]) -> str:
    return ", ".join(f"[{name}]" for name in names[:3]) + (" …" if len(names) > 3 else "")


@rule(
    "SAMBA012", Severity.WARNING, SmbConf, link=LOADPARM,
    bad="[global]\ninclude = extra.conf\n", good="[global]\ninclude = /etc/samba/extra.conf\n",
)  # fmt: skip
def include_goes_nowhere(conf: SmbConf, _: Toolset) -> Iterator[Finding]:
    """A file to include that is not there is passed over: a relative path depends on the daemon."""
    for section, option in options(conf):
        if option.key != "include":
            continue
        if fold(value(option)) == "registry":
            if section.key == "share":
                yield Finding("include = registry works in [global] alone", at=point(option))
        elif not value(option).startswith(("/", "%")):
            yield Finding(
                f"{value(option)!r} is looked for where the daemon was started",
                at=point(option), help="write the absolute path",
            )  # fmt: skip


@rule(
    "SAMBA013", Severity.ERROR, SmbConf, link=LOADPARM,
    bad="[b]\ncopy = a\n[a]\npath = /a\n", good="[a]\npath = /a\n[b]\ncopy = a\n",
)  # fmt: skip
def copy_of_nothing(conf: SmbConf, _: Toolset) -> Iterator[Finding]:
    """A share can copy a share above it alone; else Samba refuses the whole file."""
    above: set[str] = set()
    for section in sections(conf):
        if section.key == "share":
            for option in section.children:
                if option.key == "copy" and value(option).lower() not in above:
                    yield Finding(
                        f"there is no share [{value(option)}] above to copy",
                        at=point(option), help="move it above this share",
                    )  # fmt: skip
            above.add(value(section).lower())


@rule(
    "SAMBA014", Severity.WARNING, SmbConf, link=LOADPARM,
    bad="[my share]\npath = /s\n[myshare]\npath = /t\n",
    good="[my share]\npath = /s\n[other]\npath = /t\n",
)  # fmt: skip
def names_that_differ_in_blanks(conf: SmbConf, _: Toolset) -> Iterator[Finding]:
    """Names that differ in blanks alone are two shares to smbd and one to other parts of Samba."""
    before: dict[str, str] = {}
    for share in conf.shares:
        other = before.setdefault(fold(share.name), share.name)
        if other.lower() != share.name.lower():
            yield Finding(
                f"[{share.name}] and [{other}] differ in blanks alone",
                at=share, help="give one of them another name",
            )  # fmt: skip
