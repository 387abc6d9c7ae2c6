"""Writing a whole model: its fields as statements, spelled for a toolset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from clusternas.core.errors import UnsupportedError, ValidationError
from clusternas.core.fields import Argument, Keyword, Option, Section, Spelling
from clusternas.core.lens import Lens, lens_of
from clusternas.core.source import Place, Source
from clusternas.core.syntax.tree import Node, Statement

if TYPE_CHECKING:
    from clusternas.core.model import Model
    from clusternas.core.versions import Toolset

__all__ = ["Lowering", "Pending", "encode"]


class Pending:
    """New statements for a section, until it is known where they go.

    Attributes:
        source: what the section was read from, or None for a section that is all new.
        entries: entries to add after the last entry.
        placed: sections to add after a node, or after the last of their kind.
        asides: entries for sibling sections of nested models, by section keyword.
    """

    def __init__(self, source: Source | None = None) -> None:
        self.source = source
        self.entries: list[Statement] = []
        self.placed: list[tuple[Node | None, Statement]] = []
        self.asides: dict[str, list[Statement]] = {}

    def statements(self) -> tuple[Statement, ...]:
        """All of them, as the inside of a new section: entries first."""
        return (*self.entries, *(statement for _, statement in self.sections(self.asides)))

    def sections(self, asides: dict[str, list[Statement]]) -> list[tuple[Node | None, Statement]]:
        """The sections to add; entries for a sibling go into it, or make it."""
        left = dict(asides)
        found: list[tuple[Node | None, Statement]] = []
        for after, statement in self.placed:
            if statement.children is not None and not statement.words:
                inside = (*left.pop(statement.key, ()), *statement.children)
                statement = Statement(statement.key, (), inside)
            found.append((after, statement))
        return found + [(None, Statement(key, (), tuple(more))) for key, more in left.items()]


class Lowering:
    """Spells models for a toolset; without one in the newest way that is known.

    Args:
        toolset: who is to read it.
        newest: spell anew also what the toolset reads as it is.
    """

    def __init__(self, toolset: Toolset | None = None, *, newest: bool = False) -> None:
        self.toolset = toolset
        self.newest = newest

    def statement(self, meta: Section, item: Model) -> Statement:
        """An item of a repeated section as a new statement."""
        key, words = self.head(item, meta.key)
        children = self.lower(item, Pending())
        return Statement(key, words, children if meta.model.is_section else None)

    def head(self, item: Model, key: str) -> tuple[str, tuple[str, ...]]:
        """The keyword and the words of a model's own statement."""
        heads = lens_of(type(item)).heads
        key = next((getattr(item, name) for name, meta in heads if isinstance(meta, Keyword)), key)
        words: list[str] = []
        for meta, spelled in self.arguments(heads, item):
            words[meta.index : len(words) if meta.rest else meta.index + 1] = spelled
        return key, tuple(words)

    def lower(self, item: Model, outer: Pending) -> tuple[Statement, ...]:
        """The inside of a model's section; what stands outside of it goes to `outer`."""
        pending = Pending()
        lens = lens_of(type(item))
        for name, meta in lens.fields.items():
            value = getattr(item, name)
            if isinstance(meta, Option):
                for each in value if meta.many else () if value is None else (value,):
                    self.put(lens, name, meta, each, (pending, outer))
            elif isinstance(meta, Section) and meta.many:
                for each in value:
                    self.supported(meta, name)
                    pending.placed.append((None, self.statement(meta, each)))
            elif isinstance(meta, Section) and value is not None:
                self.add_section(name, meta, self.lower(value, pending), None, pending)
        for statement in item.extra:
            add_extra(pending, statement)
        return pending.statements()

    def pick(self, lens: Lens, name: str, meta: Option, place: Place | None = None) -> Spelling:
        """The newest spelling that the toolset reads."""
        tool = lens.cls.tool
        for spelling in meta.spellings:
            if self.toolset is None or self.toolset.has(
                tool, since=spelling.since, until=spelling.until
            ):
                return spelling
        raise self._unsupported(lens.cls.tool, name, place and place.node)

    def supported(
        self, meta: Section, name: str, source: Source | None = None, node: Node | None = None
    ) -> None:
        """Raise for a section that the toolset does not have."""
        tool = meta.model.tool
        if self.toolset is not None and not self.toolset.has(
            tool, since=meta.since, until=meta.until
        ):
            raise self._unsupported(tool, name, node)

    def _unsupported(self, tool: str, name: str, node: Node | None) -> UnsupportedError:
        version = getattr(self.toolset, tool)
        message = f"{tool} {version} cannot express {name}"
        hint = "leave the field out, or render for a toolset that has it"
        if node is None:
            return UnsupportedError(message, hint=hint)
        line, column = node.tree.lines.position(node.start)
        path, shown = node.tree.path, node.tree.lines.source(line)
        return UnsupportedError(
            message, hint=hint, path=path, line=line, column=column, source=shown
        )

    def arguments(
        self, heads: Sequence[tuple[str, Argument | Keyword]], new: Model
    ) -> list[tuple[Argument, tuple[str, ...]]]:
        """The words to set, in order; then those to take out, the last first: none shifts."""
        there: list[tuple[Argument, tuple[str, ...]]] = []
        gone: list[tuple[Argument, tuple[str, ...]]] = []
        for name, meta in heads:
            if isinstance(meta, Argument):
                value = getattr(new, name)
                spelled = () if value is None else encode(name, meta.codec, value) or ()
                (there if spelled else gone).append((meta, spelled))
        return there + gone[::-1]

    def put(
        self, lens: Lens, name: str, meta: Option, value: Any, out: tuple[Pending, Pending]
    ) -> None:
        """Write a value of an option down: in its own section, or where its spelling has it."""
        pending, outer = out
        spelling = self.pick(lens, name, meta)
        words = encode(name, spelling.codec or meta.codec, value)
        if words is None:
            return
        statement = Statement(spelling.key, words)
        if spelling.place is None:
            pending.entries.append(statement)
        elif spelling.place:
            outer.asides.setdefault(spelling.place, []).append(statement)
        else:
            outer.entries.append(statement)

    def add_section(
        self,
        name: str,
        meta: Section,
        children: tuple[Statement, ...],
        after: Node | None,
        pending: Pending,
    ) -> None:
        """Write a section down after a node, or after the last of its kind."""
        self.supported(meta, name)
        if children or meta.many:
            pending.placed.append((after, Statement(meta.key, (), children)))


def encode(name: str, codec: Any, value: Any) -> tuple[str, ...] | None:
    """The words of a value, or `ValidationError` naming the field."""
    try:
        words: tuple[str, ...] | None = codec.encode(value)
    except (ValueError, TypeError, AttributeError) as error:
        raise ValidationError(
            f"{name}: {getattr(error, 'message', error)}",
            hint=f"write {codec.expects}" if codec.expects else "",
        ) from None
    return words


def add_extra(pending: Pending, statement: Statement) -> None:
    """An unknown statement goes among the entries or among the sections."""
    if statement.children is None:
        pending.entries.append(statement)
    else:
        pending.placed.append((None, statement))
