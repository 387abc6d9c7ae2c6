"""Findings as data, and the rules that make them.

A rule is a function from a model to findings; its docstring is its page. It lives in the `rules`
module beside the model and is found there when a model is validated.
"""

from __future__ import annotations

import enum
import importlib
import importlib.util
import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import attrs

from clusternas.core.fields import Argument, Option
from clusternas.core.lens import lens_of
from clusternas.core.source import Source
from clusternas.core.syntax.tree import Document, Node
from clusternas.core.text import Edit, mask

if TYPE_CHECKING:
    from clusternas.core.model import Model
    from clusternas.core.versions import Toolset

__all__ = [
    "Diagnostic",
    "Finding",
    "Rule",
    "Severity",
    "find",
    "loaded_rules",
    "rule",
    "rules_of",
    "validate",
]

M = TypeVar("M")


class Severity(enum.Enum):
    """How bad it is: an error breaks or destroys something, a warning may, a note is advice."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@attrs.frozen(kw_only=True)
class Diagnostic:
    """Something to know about a configuration.

    Attributes:
        code: stable, like `DRBD003`.
        severity: how bad it is.
        message: what is wrong, one sentence.
        help: what to write or do.
        path: the file, where one is known.
        line, column: from 1; 0 where it is about no place in particular.
        end_column: where the place ends on its line; 0 where there is none.
        source: the line.
        node: the machine it is about, where that matters.
        link: where the fact comes from.
        fix: edits of that file that mend it, where mending is safe.
    """

    code: str
    severity: Severity
    message: str
    help: str = ""
    path: str = ""
    line: int = 0
    column: int = 0
    end_column: int = 0
    source: str = attrs.field(default="", repr=False)
    node: str = ""
    link: str = attrs.field(default="", repr=False)
    fix: tuple[Edit, ...] = attrs.field(default=(), repr=False)

    def __str__(self) -> str:
        where = ":".join(str(part) for part in (self.path, self.line, self.column) if part)
        who = f"{self.node}: " if self.node else ""
        return (
            f"{f'{where}: ' if where else ''}{self.code} {self.severity.value}: {who}{self.message}"
        )


@attrs.frozen
class Finding:
    """What a rule found; the rule adds code, severity and link.

    Attributes:
        message: what is wrong with these values.
        at: the model it is about, if not the one that was checked.
        field: the field to point at; its statement if it stands in the text, else the model's.
        help: what to write.
        fix: the checked model mended, where that is safe.
        edits: or edits of the text that mend it.
        node: the machine it is about.
    """

    message: str
    at: Model | None = None
    field: str = ""
    help: str = ""
    fix: Model | None = None
    node: str = ""
    edits: tuple[Edit, ...] = ()


@attrs.frozen
class Rule(Generic[M]):
    """A check with all that its documentation page says.

    Attributes:
        code, severity: as its diagnostics have them.
        model: the class it checks: a model, or the NAS as a whole.
        check: the function.
        link: the source of the fact.
        bad, good: a text that it complains about, and one that it does not.
    """

    code: str
    severity: Severity
    model: type[M]
    check: Callable[[M, Toolset], Iterable[Finding]]
    link: str
    bad: str
    good: str

    @property
    def summary(self) -> str:
        """What it is about, one line."""
        return (inspect.getdoc(self.check) or "").partition("\n")[0]


_RULES: dict[str, Rule[Any]] = {}


def rule(
    code: str, severity: Severity, model: type[M], *, link: str, bad: str = "", good: str = ""
) -> Callable[
    [Callable[[M, Toolset], Iterable[Finding]]], Callable[[M, Toolset], Iterable[Finding]]
]:
    """Make a function a rule for a model class.

    Example:
        >>> @rule("X001", Severity.ERROR, Model, link="man x")           # doctest: +SKIP
        ... def no_name(model, toolset):
        ...     "A name is needed."
        ...     if not model.name:
        ...         yield Finding("no name", field="name", help="write one")
    """

    def register(
        check: Callable[[M, Toolset], Iterable[Finding]],
    ) -> Callable[[M, Toolset], Iterable[Finding]]:
        if code in _RULES and _RULES[code].check.__qualname__ != check.__qualname__:
            raise ValueError(f"rule {code} stands twice")
        _RULES[code] = Rule(code, severity, model, check, link, bad, good)
        return check

    return register


def rules_of(model: type[object]) -> list[Rule[Any]]:
    """The rules for a class, from the `rules` module of its package."""
    package = model.__module__.rpartition(".")[0]
    if package and importlib.util.find_spec(f"{package}.rules") is not None:
        importlib.import_module(f"{package}.rules")
    return [each for each in loaded_rules() if issubclass(model, each.model)]


def loaded_rules() -> list[Rule[Any]]:
    """The rules of all packages imported so far, by code."""
    return [each for _, each in sorted(_RULES.items())]


MOST = 100
"""Mistakes of grammar that are told of a text one by one."""

IGNORE = re.compile(r"clusternas:\s*ignore\[([\w\s,]+)\]")


def validate(model: Model, toolset: Toolset | None = None) -> list[Diagnostic]:
    """Everything there is to say about a model: grammar, values, rules; in the order of the text.

    A line that holds the comment `clusternas: ignore[CODE]`, or that follows one, is not spoken of
    under that code.
    """
    from clusternas.core.versions import Toolset

    toolset = toolset or Toolset.UNKNOWN
    found: list[Diagnostic] = []
    texts: list[Document] = []
    rules: dict[type[Model], list[Rule[Any]]] = {}
    secrets: set[str] = set()
    for each in model.nested():
        tree = each.document
        secrets.update(each.own_secrets())
        part = list(_values(each, toolset))
        if tree is not None and not any(tree is known for known in texts):
            texts.append(tree)
            part += _grammar(each)
        if type(each) not in rules:
            rules[type(each)] = rules_of(type(each))
        for rule in rules[type(each)]:
            part += (diagnose(rule, each, finding) for finding in rule.check(each, toolset))
        found += (one for one in part if tree is None or not _ignored(tree, one))
    shown = (
        attrs.evolve(one, message=mask(one.message, secrets), source=mask(one.source, secrets))
        for one in found
    )
    return sorted(shown, key=lambda one: (one.path, one.line, one.column, one.code))


def _ignored(tree: Document, diagnostic: Diagnostic) -> bool:
    if not diagnostic.line:
        return False
    lines = [tree.lines.source(line) for line in (diagnostic.line, diagnostic.line - 1) if line]
    codes = " ".join(match.group(1) for line in lines for match in IGNORE.finditer(line))
    return diagnostic.code in codes.replace(",", " ").split()


def find(
    tree: Document | None,
    start: int,
    end: int,
    code: str,
    severity: Severity,
    message: str,
    **more: Any,
) -> Diagnostic:
    """A diagnostic about a span of a text."""
    if tree is None:
        return Diagnostic(code=code, severity=severity, message=message, **more)
    line, column = tree.lines.position(start)
    source = tree.lines.source(line)
    width = min(max(end - start, 1), max(len(source) - column + 1, 1))
    return Diagnostic(
        code=code,
        severity=severity,
        message=message,
        path=tree.path,
        line=line,
        column=column,
        end_column=column + width,
        source=source,
        **more,
    )


def _grammar(model: Model) -> Iterator[Diagnostic]:
    tree = model.document
    problems = tree.check() if tree is not None else []
    code = f"{model.tool.upper()}000"
    for start, end, message, hint, fatal in problems[:MOST]:
        severity = Severity.ERROR if fatal else Severity.WARNING
        yield find(tree, start, end, code, severity, message, help=hint)
    if len(problems) > MOST:
        start, end = problems[MOST][:2]
        message = f"{len(problems) - MOST} more mistakes like these from here on"
        yield find(tree, start, end, code, Severity.WARNING, message, help="mend the first ones")


def _values(model: Model, toolset: Toolset) -> Iterator[Diagnostic]:
    """Unreadable words, values out of range, statements and spellings the tool does not know."""
    lens, source = lens_of(type(model)), model._source
    tool = model.tool.upper()
    if source is not None:
        source.values()
        for name, place, reason in source.unreadable:
            hint = f"write {expects(lens.fields[name])}"
            yield _at(
                place.node,
                f"{tool}900",
                Severity.ERROR,
                f"{lens.spelled_name(name)}: {reason}",
                hint,
            )
        for place in () if model.accepts_unknown else source.unknown:
            if model.knows(place.node):
                continue
            message = f"unknown statement {source.tree.syntax.spelling(place.node)!r}"
            yield _at(
                place.node,
                f"{tool}901",
                Severity.WARNING,
                message,
                "it is kept as it is; check its spelling",
            )
    for name, meta in lens.fields.items():
        value = getattr(model, name)
        if isinstance(meta, Option | Argument) and value is not None:
            for each in (
                value if isinstance(value, tuple) and getattr(meta, "many", False) else (value,)
            ):
                yield from _value(model, name, meta, each)
            if isinstance(meta, Option):
                yield from _spelled(model, source, name, meta, toolset)


def _value(model: Model, name: str, meta: Option | Argument, value: Any) -> Iterator[Diagnostic]:
    codec = meta.spellings[0].codec or meta.codec if isinstance(meta, Option) else meta.codec
    wrong = codec.check(value)
    if wrong:
        node = _node(model, name)
        yield find(
            node.tree if node else None,
            node.start if node else 0,
            node.end if node else 0,
            f"{model.tool.upper()}902",
            Severity.ERROR,
            f"{lens_of(type(model)).spelled_name(name)}: {wrong}",
            help=f"write {codec.expects}",
        )


def _spelled(
    model: Model, source: Source | None, name: str, meta: Option, toolset: Toolset
) -> Iterator[Diagnostic]:
    """Each statement of an option that is spelled, or stands, as the toolset does not read it."""
    lens, tool = lens_of(type(model)), model.tool
    for place in (source.where.get(name) if source else None) or (None,):
        spellings = lens.spelled(name, place.node, place.place) if place else meta.spellings
        if any(toolset.has(tool, since=each.since, until=each.until) for each in spellings):
            continue
        node = place.node if place else _node(model, name)
        start, end = (node.start, node.end) if node else (0, 0)
        message = f"{spellings[0].key} is not understood here by {tool} {getattr(toolset, tool)}"
        hint = "render it for that toolset, or leave it out"
        yield find(
            node.tree if node else None,
            start,
            end,
            f"{tool.upper()}903",
            Severity.ERROR,
            message,
            help=hint,
        )


def expects(meta: Any) -> str:
    """What to write for a field."""
    return meta.codec.expects if isinstance(meta, Option | Argument) else "something else"


def _at(node: Node, code: str, severity: Severity, message: str, hint: str) -> Diagnostic:
    return find(node.tree, node.start, node.end, code, severity, message, help=hint)


def _node(model: object, field: str = "") -> Node | None:
    """The statement of a field where it stands in the text, else the model's own."""
    source = getattr(model, "_source", None)
    if not isinstance(source, Source):
        return None
    source.values()
    places = source.where.get(field)
    if places:
        return places[-1].node
    return source.nodes[0] if source.nodes else None


def diagnose(rule: Rule[Any], model: object, finding: Finding) -> Diagnostic:
    """The diagnostic that a rule's finding makes, at its place in the text if it has one."""
    about = finding.at or model
    node = _node(about, finding.field)
    tree = node.tree if node is not None else None
    start, end = (
        (node.start, node.end if node.body < 0 else max(node.args_end, node.start + 1))
        if node
        else (0, 0)
    )
    fix = (
        tuple(finding.fix.edits())
        if finding.fix is not None and finding.fix._source is not None
        else finding.edits
    )
    more = {"help": finding.help, "link": rule.link, "fix": fix, "node": finding.node}
    return find(tree, start, end, rule.code, rule.severity, finding.message, **more)
