"""`Model`: a frozen attrs value that remembers the text it was read from.

Subclasses declare their fields with `clusternas.core.fields`; everything else is here, once:

>>> from attrs import evolve                                                    # doctest: +SKIP
>>> r0 = DrbdResource.parse(text)                                               # doctest: +SKIP
>>> evolve(r0, net=evolve(r0.net, protocol="C")).render()                       # doctest: +SKIP
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar, Self

import attrs

from clusternas.core.change import Change, Translation
from clusternas.core.errors import ParseError
from clusternas.core.fields import Argument, Option
from clusternas.core.keyed import Keyed
from clusternas.core.lens import EXTRA, NOTHING, lens_of
from clusternas.core.lower import Pending, encode
from clusternas.core.source import Source
from clusternas.core.syntax.tree import Document, Node, Statement, Syntax, uncollected
from clusternas.core.text import MASK, Edit, mask, unified

if TYPE_CHECKING:
    from clusternas.core.command import Result, Runner
    from clusternas.core.diagnostics import Diagnostic
    from clusternas.core.files import Written
    from clusternas.core.versions import Toolset

__all__ = ["MAX_BYTES", "Model"]

MAX_BYTES = 32 * 1024 * 1024
"""No configuration is larger; a file that is one is not read into memory."""


def _statements(items: Iterable[Statement]) -> Keyed[Statement]:
    return items if isinstance(items, Keyed) else Keyed(items, key=attrgetter("key"))


def _same(value: Any) -> Any:
    return value


@attrs.frozen(kw_only=True, slots=False, repr=False)
class Model:
    """Base of everything that is read from and written to a file.

    A model that was read is lazy: its fields get their values when the first of them is asked for.

    Attributes:
        extra: the statements inside that no field takes, as they are spelled.
    """

    syntax: ClassVar[Syntax]
    tool: ClassVar[str] = ""
    root: ClassVar[str] = ""
    """Keyword of the top-level section this is read from; empty when it is the whole file."""
    is_section: ClassVar[bool] = True
    """Whether its statement has an inside."""
    secret_fields: ClassVar[frozenset[str]] = frozenset()
    """Fields that are masked wherever the value is shown."""
    accepts_unknown: ClassVar[bool] = False
    """Whether statements that no field takes are normal in it, and no finding."""
    changes: ClassVar[type[Change]] = Change
    """What writes it; for formats whose statements lean on their neighbours."""

    extra: Keyed[Statement] = attrs.field(default=NOTHING, converter=_statements)
    _source: Source | None = attrs.field(default=None, eq=False, alias="_source")

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            own = self.__dict__
            source = own.get("_source")
            if source is None or name.startswith("__") or EXTRA in own:
                raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")
            values = source.values()
            object.__setattr__(self, "__dict__", {**values, **own} if len(own) > 1 else values)
            return getattr(self, name)

    def __attrs_post_init__(self) -> None:
        for name, meta in lens_of(type(self)).fields.items():
            value = self.__dict__[name]
            if value is None or not isinstance(meta, Option | Argument):
                continue
            if isinstance(meta, Argument):
                encode(name, meta.codec, value)
            else:
                for each in value if meta.many else (value,):
                    encode(name, meta.spellings[0].codec or meta.codec, each)

    def __getstate__(self) -> dict[str, Any]:
        values = {field.name: getattr(self, field.name) for field in attrs.fields(type(self))}
        return {
            name: tuple(value) if isinstance(value, Keyed) else value
            for name, value in values.items()
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        converters: dict[str, Callable[[Any], Any]] = {
            EXTRA: _statements,
            **lens_of(type(self)).converters,
        }
        self.__dict__.update(
            (name, converters.get(name, _same)(value)) for name, value in state.items()
        )

    @property
    def document(self) -> Document | None:
        """The text it was read from, with its path; None for a value made from nothing."""
        return None if self._source is None else self._source.tree

    @classmethod
    def of(cls, source: Source | Node) -> Self:
        """The model that a part of a text holds; its fields are read when asked for."""
        if isinstance(source, Node):
            source = Source(lens_of(cls), source.tree, (source,))
        self = cls.__new__(cls)
        object.__setattr__(self, "_source", source)
        return self

    @classmethod
    def living(cls, values: dict[str, Any]) -> Self:
        """The model that lives on values as a `Source` reads them."""
        self = cls.__new__(cls)
        object.__setattr__(self, "__dict__", values)
        return self

    @classmethod
    def parse(cls, text: str | bytes, path: str = "") -> Self:
        """Read it from a text.

        Args:
            text: the whole file; bytes that are not UTF-8 survive.
            path: what to call the file in messages.

        Raises:
            ParseError: no value can be read; what is merely wrong is in `validate()`.
        """
        tree = cls.syntax.parse(text, path)
        fatal = cls.refuse(tree)
        if fatal is not None:
            raise fatal
        if not cls.root:
            return cls.of(tree.root)
        found = [node for node in tree.root.children if node.key == cls.root]
        if len(found) != 1:
            what = f"{len(found)} sections" if found else "no section"
            raise ParseError(
                f"{what} {cls.root!r} in the text: {cls.__name__} reads exactly one",
                hint="read the whole file with the class for it",
                path=path,
                line=1,
            )
        return cls.of(found[0])

    @classmethod
    def refuse(cls, tree: Document) -> ParseError | None:
        """Why nothing can be read from this text, or None."""
        at = tree.text.find("\0")
        if at >= 0:
            return parse_error(
                tree,
                at,
                "not a text file: it holds NUL bytes",
                "give the path of a configuration file",
            )
        return None

    @classmethod
    def knows(cls, node: Node) -> bool:
        """Whether the tool knows a statement that no field takes, so that it is not reported."""
        return False

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Self:
        """Read it from a file of this machine.

        Raises:
            ParseError: it is not a readable text file of sensible size.
        """
        return cls.parse(read_bytes(path), os.fspath(path))

    def edits(self, toolset: Toolset | None = None) -> list[Edit]:
        """What to replace in the text it was read from; empty for a value that nobody changed.

        Raises:
            ValueError: it was not read from a text.
        """
        if self._source is None:
            raise ValueError("made from nothing: there is no text to edit")
        change = self.changes(toolset)
        change.flush(change.model(self._source, self, Pending()))
        return change.finish()

    def render(self, toolset: Toolset | None = None) -> str:
        """The whole text of its file.

        Without a toolset, text that nobody changed is byte-identical; a value made from nothing is
        written in one canonical style. With one, each statement is spelled as those tools read it.

        Raises:
            UnsupportedError: the toolset cannot express a field.
        """
        return self.translate(toolset)[0]

    def translate(self, toolset: Toolset | None = None) -> tuple[str, list[Translation]]:
        """`render`, with a report of each statement that was moved or spelled anew."""
        change = self.changes(toolset)
        if self._source is not None:
            return change.text(self._source, self), change.translations
        children = change.lower(self, outer := Pending())
        children += outer.statements()
        if self.root:
            key, words = change.head(self, self.root)
            children = (Statement(key, words, children),)
        return self.syntax.render(children), change.translations

    def diff(self, toolset: Toolset | None = None) -> str:
        """The unified diff from its text to `render`; empty when nothing changed."""
        before = "" if self._source is None else self._source.tree.text
        path = "" if self._source is None else self._source.tree.path
        diff = unified(before, self.render(toolset), path.lstrip("/") or type(self).__name__)
        return mask(diff, self.secrets())

    def write(
        self, path: str = "", runner: Runner | None = None, *, toolset: Toolset | None = None
    ) -> Result[Written]:
        """Write it to its file: atomic, mode and owner kept, nothing written when nothing changed.

        Args:
            path: where; by default where it was read from.
            runner: the machine; this one if not given.
            toolset: spell it for these tools.

        Raises:
            Drift: the file is not what was read.
            ValueError: there is no path.
        """
        from clusternas.core.files import digest, write_file
        from clusternas.core.text import encode as to_bytes

        target = path or (self.document.path if self.document else "")
        if not target:
            raise ValueError("no path: it was not read from a file")
        read_here = self.document is not None and target == self.document.path
        expect = digest(bytes(self.document)) if read_here and self.document else None
        return write_file(target, to_bytes(self.render(toolset)), expect=expect).run(runner)

    def validate(self, toolset: Toolset | None = None) -> list[Diagnostic]:
        """What is wrong with it for these tools: grammar, values, and the known mistakes."""
        from clusternas.core.diagnostics import validate

        return validate(self, toolset)

    def load(self) -> Self:
        """Read all of it now, and not piece by piece when asked for; much faster for large files.

        Returns:
            Itself: nothing about it has changed.

        Example:
            >>> from clusternas import DrbdConfig
            >>> DrbdConfig.parse("resource r0 { net { protocol C; } }").load().resources["r0"].net
            DrbdNet(protocol='C')
        """
        uncollected(_load, self)
        return self

    def nested(self) -> Iterator[Model]:
        """It and all models inside, in the order of the fields."""
        yield self
        for name, meta in lens_of(type(self)).sections:
            value = getattr(self, name)
            for each in value if meta.many else () if value is None else (value,):
                yield from each.nested()

    def own_secrets(self) -> Iterable[str]:
        """The texts in its own fields that are not for showing."""
        return [str(getattr(self, name)) for name in self.secret_fields if getattr(self, name)]

    def secrets(self) -> frozenset[str]:
        """The texts in it, and in what it was read from, that are not for showing."""
        versions = [self] if self._source is None else [self, type(self).of(self._source)]
        return frozenset(
            secret for one in versions for each in one.nested() for secret in each.own_secrets()
        )

    def __repr__(self) -> str:
        fields = attrs.fields(type(self))
        names = [field.name for field in fields if field.name not in (EXTRA, "_source")]
        lens = lens_of(type(self))
        shown = [
            (name, getattr(self, name))
            for name in names
            if getattr(self, name) != lens.defaults.get(name)
        ]
        if self.extra:
            shown.append((EXTRA, self.extra))
        texts = (
            f"{name}={MASK if name in self.secret_fields else repr(value)}" for name, value in shown
        )
        return f"{type(self).__name__}({', '.join(texts)})"


def _load(model: Model) -> None:
    _ = model.extra  # whoever asks for one field reads them all
    source = model._source
    if source is not None and source.values() is vars(model) and source.whole:
        return
    for name, meta in lens_of(type(model)).sections:
        value = getattr(model, name)
        for each in value if meta.many else () if value is None else (value,):
            _load(each)


def parse_error(tree: Document, offset: int, message: str, hint: str) -> ParseError:
    """A `ParseError` at an offset of a text."""
    line, column = tree.lines.position(offset)
    return ParseError(
        message,
        hint=hint,
        path=tree.path,
        line=line,
        column=column,
        source=tree.lines.source(line),
    )


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """The content of a file of this machine, or a `ParseError` that says why not."""
    name = os.fspath(path)
    try:
        if not os.path.isfile(name):
            what = "is a directory" if os.path.isdir(name) else "is not a file"
            raise ParseError(
                f"{name} {what if os.path.exists(name) else 'does not exist'}", path=name
            )
        if os.path.getsize(name) > MAX_BYTES:
            raise ParseError(
                f"{name} has {os.path.getsize(name)} bytes: no configuration is that large",
                hint=f"at most {MAX_BYTES} bytes are read",
                path=name,
            )
        with open(name, "rb") as file:
            return file.read(MAX_BYTES)
    except OSError as error:
        raise ParseError(
            f"cannot read {name}: {error.strerror}", hint="check the path and its mode", path=name
        ) from None
