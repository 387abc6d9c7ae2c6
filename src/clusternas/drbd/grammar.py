"""What each generation of drbdadm reads where: sections, keywords, and the form of what follows.

The structure is a table; the options in it come from `drbd.options`. Facts: `drbdadm_parser.c` of
drbd-utils for 8.3, 8.4 and 9; `tests/oracles/test_drbd.py` checks them against the three.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

import attrs

from clusternas.core.syntax.tree import Node
from clusternas.drbd.options import GENERATIONS, DrbdOption, option_of
from clusternas.drbd.quantity import Quantity
from clusternas.drbd.scan import DEPRECATED, tokens

__all__ = ["Complaint", "complaints", "refused_by_all"]

NAME, NAMES, VALUE = "[sw]", "[sw]+", "[swi]"
ADDRESS = r"(?:(?:<(?:ipv4|sci|sdp|ssocks)>)?a|<ipv6>\[<6>\]):i"
META = r"[sw](?:\[i\])?"
DEVICE = "[sw](?:<minor>i)?|<minor>i"
END = rf"(?:<address>{ADDRESS}|<port>i)?"
NEW, NINE, OLD = ("8.4", "9"), ("9",), ("8.3", "8.4")


@attrs.frozen
class Form:
    """A statement that may stand in a section.

    Attributes:
        words: pattern of the kinds of its tokens; keywords are spelled between angle brackets.
        inside: the section it opens; empty for an entry.
        generations: that read it.
        once: a second one is refused.
        free: what stands inside is not looked at.
    """

    words: str = ""
    inside: str = ""
    generations: tuple[str, ...] = GENERATIONS
    once: bool = True
    free: bool = False


def _sections(*names: str) -> dict[str, Form]:
    return {f"{name} {{": Form("", name) for name in names}


SKIP = Form(".*", "skip", NINE, once=False, free=True)
SKIPPING = frozenset({"file", "common", "resource", "on", "volume", "connection"})
MAY_END_THE_FILE = frozenset({"common", "resource"})
"""Sections that drbdadm takes without their closing brace; it complains of others."""
STORAGE = {
    "device": Form(DEVICE),
    "disk": Form(NAME),
    "meta-disk": Form(META),
    "flexible-meta-disk": Form(NAME),
}
AGAIN = {name: attrs.evolve(form, once=False) for name, form in STORAGE.items()}
VOLUME = {"volume {": Form("i", "volume", NEW, once=False)}
PROXY = {"proxy {": Form(f"<on>{NAMES}", "proxy on", once=False)}
HOST = {
    **STORAGE,
    **VOLUME,
    **PROXY,
    "node-id": Form("i", generations=NINE),
    "options {": Form("", "options", NEW),
}
LINK = {"address": Form(ADDRESS), "alternate-link-address": Form(ADDRESS, generations=("8.4",))}
DEFAULTS = {
    **_sections("net", "disk", "syncer", "startup", "handlers", "proxy"),
    "options {": Form("", "options", NEW),
    "protocol": Form(NAME),
    **AGAIN,
    "device": Form(DEVICE),
    **VOLUME,
}
ENDS = {
    "host": Form(f"{NAME}{END}", generations=NINE, once=False),
    "address": Form(ADDRESS, generations=NINE, once=False),
    "host {": Form(f"{NAME}{END}<via><proxy><on>{NAMES}", "proxy on", NINE, once=False),
    "address {": Form(f"{ADDRESS}<via><proxy><on>{NAMES}", "proxy on", NINE, once=False),
}

STRUCTURE: dict[str, dict[str, Form]] = {
    "file": {
        "global {": Form("", "global"),
        "common {": Form("", "common"),
        "resource {": Form(NAME, "resource", once=False),
        "include": Form("s", once=False),
        "skip {": Form("[swi]?", "skip", OLD, once=False, free=True),
        **{
            f"require-drbd-module-version-{op}": Form("v", generations=NINE, once=False)
            for op in ("eq", "ne", "gt", "ge", "lt", "le")
        },
    },
    "common": DEFAULTS,
    "resource": {
        **DEFAULTS,
        "on {": Form(NAMES, "on", once=False),
        "floating {": Form(ADDRESS, "floating", once=False),
        "floating": Form(ADDRESS, once=False),
        "stacked-on-top-of {": Form(NAME, "stacked-on-top-of", once=False),
        "ignore-on": Form(NAME, generations=OLD, once=False),
        "connection {": Form(f"{NAME}?", "connection", NINE, once=False),
        "connection-mesh {": Form("", "connection-mesh", NINE, once=False),
        "template-file": Form(NAME, generations=NINE),
    },
    "on": {**HOST, **LINK},
    "floating": HOST,
    "stacked-on-top-of": {
        **PROXY,
        **LINK,
        "device": Form(DEVICE, once=False),
        "volume {": Form("i", "volume on top", NEW, once=False),
        "node-id": Form("i", generations=NINE),
    },
    "volume on top": {
        "device": Form(DEVICE, once=False),
        "disk {": Form("", "disk", NINE, once=False),
    },
    "volume": {
        **AGAIN,
        "disk {": Form("", "disk", NEW),
    },
    "connection": {
        **ENDS,
        "path {": Form("", "path", NINE, once=False),
        "net {": Form("", "net"),
        "disk {": Form("", "peer disk", once=False),
        "volume {": Form("i", "volume of a peer", NINE, once=False),
    },
    "path": ENDS,
    "volume of a peer": {"disk {": Form("", "peer disk")},
    "connection-mesh": {"hosts": Form(NAMES, once=False), "net {": Form("", "net")},
    "proxy on": {
        "inside": Form(ADDRESS, once=False),
        "outside": Form(ADDRESS, once=False),
        "options {": Form("", "proxy", NEW, once=False),
    },
    "startup": {"become-primary-on": Form(NAMES, once=False)},
    "proxy": {"plugin {": Form("", "plugin", once=False, free=True)},
}
IGNORING = {
    "8.3": {"net", "disk", "syncer", "startup", "handlers", "proxy"},
    "8.4": {"net", "disk", "options", "startup", "handlers", "proxy"},
    "9": set[str](),
}
"""Where each generation reads over the options of early 8.3."""


@attrs.frozen
class Complaint:
    """Something that drbdadm of a generation refuses."""

    node: Node
    message: str
    help: str = ""


def complaints(section: Node, kind: str, generation: str) -> Iterator[Complaint]:
    """What is refused among the statements of a section, and inside them.

    Options that another generation has are left to the model, which reports them as DRBD903.

    Args:
        section: the section, or the root of a file.
        kind: `file`, `common`, `resource`, `on` and so on.
        generation: 8.3, 8.4 or 9.
    """
    seen: dict[str, Node] = {}
    for node in section.children:
        form = _form(kind, node, generation)
        if form is None:
            if not any(_option(kind, node.key, each) for each in GENERATIONS):
                yield _unknown(node, kind, generation)
            continue
        if quoted(node) and (generation != "9" or form.inside or not _option(kind, node.key, "9")):
            yield Complaint(node, f"{node.key} is in quotes", "a keyword stands without them")
        if 0 <= node.body_end == node.end and form.inside not in MAY_END_THE_FILE:
            yield Complaint(node, f"{node.key} is not closed", "add the missing '}'")
        label = "meta-disk" if node.key == "flexible-meta-disk" else _label(node)
        first = seen.setdefault(label, node)
        if form.once and first is not node:
            line = node.tree.lines.position(first.start).line
            yield Complaint(node, f"{node.key} stands twice", f"it stands in line {line} already")
        if not _pattern(form.words).fullmatch(_kinds(node, generation)):
            yield _wrong(node, generation)
        option = _option(kind, node.key, generation)
        if option is not None and node.body < 0:
            yield from _value(node, option, generation)
        if form.inside and not form.free:
            yield from complaints(node, form.inside, generation)


def refused_by_all(section: Node, kind: str, generations: Sequence[str]) -> Iterator[Complaint]:
    """What each of some generations refuses; said in the words of the last."""
    *others, last = generations
    refused = [{each.node.start for each in complaints(section, kind, other)} for other in others]
    for each in complaints(section, kind, last):
        if all(each.node.start in starts for starts in refused):
            yield each


def quoted(node: Node) -> bool:
    """The keyword of a statement is in quotes, so that it is none."""
    return node.tree.text.startswith('"', node.start)


def _label(node: Node) -> str:
    return f"{node.key} {{" if node.body >= 0 else node.key


def _option(kind: str, name: str, generation: str) -> DrbdOption | None:
    if kind != "peer disk":
        return option_of(kind, name, generation)
    found = option_of("disk", name, generation)
    return found if found is not None and found.of_peer else None


def _form(kind: str, node: Node, generation: str) -> Form | None:
    if node.key == "skip" and node.body >= 0 and generation == "9":
        return SKIP if kind in SKIPPING else None
    form = STRUCTURE.get(kind, {}).get(_label(node))
    if form is not None:
        return form if generation in form.generations else None
    if node.key in DEPRECATED and kind in IGNORING[generation]:
        return Form(VALUE, once=False)
    option = _option(kind, node.key, generation)
    if option is None or node.body >= 0:
        return None
    return Form(_words_of(option, node, generation), once=False)


def _words_of(option: DrbdOption, node: Node, generation: str) -> str:
    """The tokens that an option takes."""
    if option.kind == "flag" or node.key.startswith("no-"):
        return ""
    if option.kind == "boolean":
        return {"8.3": "", "8.4": "(?:<(?:yes|no)>)?"}.get(generation, "(?:<(?:yes|no)>|s)?")
    if option.section == "global":
        return "<(?:yes|no|ask)>" if option.kind == "choice" else "i"
    if option.section == "proxy" and generation != "9":
        return "[swi]|<[^>]+>"
    return "(?:[swiav]|<[^>]+>)?" if generation == "9" else VALUE


def _value(node: Node, option: DrbdOption, generation: str) -> Iterator[Complaint]:
    """A value that this generation refuses, though another would not."""
    values = node.values
    if len(values) != 1:
        return
    bounds = option.ranges.get(generation)
    if option.kind == "number" and bounds is not None:
        try:
            count = Quantity(values[0], option.unit).count
        except ValueError:
            return
        if not bounds.minimum <= count <= bounds.maximum:
            unit = f" {option.unit}" if option.unit else ""
            yield Complaint(
                node,
                f"{node.key} {values[0]} is out of range for DRBD {generation}",
                f"write {bounds.minimum}..{bounds.maximum}{unit}",
            )
    elif option.kind.endswith("choice") and not _known(values[0], option, generation):
        words = ", ".join(option.values[generation])
        yield Complaint(
            node, f"{node.key}: DRBD {generation} knows no {values[0]!r}", f"one of {words}"
        )
    elif option.limit and generation == "9" and len(values[0].encode()) > option.limit:
        yield Complaint(node, f"{node.key} is longer than {option.limit} bytes", "shorten it")


def _known(value: str, option: DrbdOption, generation: str) -> bool:
    if option.kind != "choice" and value.isdecimal():
        return True
    if option.name == "protocol":
        return generation == "8.3" or value.upper() in option.values[generation]
    if option.name == "after-sb-0pri" and generation != "9" and value.startswith("discard-node-"):
        return True
    return value in option.values[generation]


@lru_cache(maxsize=256)
def _pattern(words: str) -> re.Pattern[str]:
    return re.compile(words)


def _kinds(node: Node, generation: str) -> str:
    spelled = {"p": "{}", "k": "<{}>", "six": "<6>"}
    return "".join(spelled.get(t.kind, t.kind).format(t.text) for t in tokens(node, generation))


def _unknown(node: Node, kind: str, generation: str) -> Complaint:
    others = [
        each for each in GENERATIONS if each != generation and _form(kind, node, each) is not None
    ]
    where = "at the top" if kind == "file" else f"in {kind}"
    message = f"DRBD {generation} knows no {node.key!r} {where}"
    if others:
        return Complaint(
            node, message, f"DRBD {' and '.join(others)} would read it: render it for this one"
        )
    return Complaint(node, message, "check its spelling")


def _wrong(node: Node, generation: str) -> Complaint:
    found = tokens(node, generation)
    keyword = next((token.text for token in found if token.kind == "k"), "")
    if keyword and node.body >= 0:
        return Complaint(
            node, f"{keyword!r} is a keyword of DRBD", f'write it in quotes: "{keyword}"'
        )
    junk = next((token.text for token in found if token.kind == "x"), "")
    if junk:
        return Complaint(
            node, f"{node.key}: cannot read {junk[:40]!r}", "write it in double quotes"
        )
    what = " ".join(token.text for token in found) or "nothing"
    return Complaint(node, f"{node.key} cannot be followed by {what[:60]!r}", "see drbd.conf(5)")
