"""Reading tables of TOML strictly: every key is taken once, by its type, and none is left over."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from clusternas.core.errors import ValidationError

__all__ = ["Table"]

T = TypeVar("T", str, int, bool)


class Table:
    """A table whose keys are taken one by one; `finish` complains about those that nobody took.

    Example:
        >>> table = Table({"port": 7789, "prot": "C"}, "drbd.r0")
        >>> table.number("port", 7788)
        7789
        >>> table.text("protocol", "C")
        'C'
        >>> table.finish()
        Traceback (most recent call last):
        clusternas.core.errors.ValidationError: drbd.r0.prot: unknown key
          help: did you mean port? known here: port, protocol
    """

    def __init__(self, values: Mapping[str, Any], where: str, path: str = "") -> None:
        self._left = dict(values)
        self._where = where
        self._path = path
        self._known: list[str] = []
        self._inside: list[Table] = []

    @property
    def name(self) -> str:
        """The last part of its place: the name of the thing it describes."""
        return self._where.rpartition(".")[2]

    def __bool__(self) -> bool:
        return bool(self._left) or bool(self._known)

    def wrong(self, key: str, what: str, hint: str) -> ValidationError:
        """The error about a key."""
        place = ".".join(part for part in (self._where, key) if part)
        return ValidationError(f"{place}: {what}", hint=hint, path=self._path)

    def take(self, key: str, default: object = None) -> object:
        """A value as it is."""
        self._known.append(key)
        return self._left.pop(key, default)

    def text(self, key: str, default: str | None = None) -> str:
        """A text; without a default it must be there."""
        value = self._typed(key, default, str, "a text", 'a text: key = "value"')
        return str(value)

    def path(self, key: str, default: str | None = None) -> str:
        """An absolute path; without a default it must be there."""
        value = self.text(key, default)
        if not value.startswith("/") or not value.isprintable():
            raise self.wrong(key, f"not a path: {value!r}", "write the absolute path")
        return value

    def number(self, key: str, default: int | None = None) -> int:
        """A whole number; without a default it must be there."""
        return int(self._typed(key, default, int, "a number", "a number without quotes"))

    def flag(self, key: str, default: bool) -> bool:
        """true or false."""
        return bool(self._typed(key, default, bool, "true or false", "true or false"))

    def texts(self, key: str, default: Iterable[str] = ()) -> tuple[str, ...]:
        """A list of texts."""
        value = self.take(key, list(default))
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise self.wrong(key, f"not a list of texts: {value!r}", 'a list: key = ["a", "b"]')
        return tuple(value)

    def mapping(self, key: str) -> dict[str, str]:
        """A table of texts with keys of any name."""
        value = self.take(key, {})
        if not isinstance(value, dict):
            raise self.wrong(key, "not a table", f"a table: [{self._where}.{key}]")
        return {name: str(each) for name, each in value.items()}

    def numbers(self, key: str) -> dict[str, int]:
        """A table of whole numbers with keys of any name."""
        inside = self.table(key)
        return {name: inside.number(name) for name in list(inside._left)}

    def table(self, key: str) -> Table:
        """A table inside; an empty one where there is none."""
        value = self.take(key, {})
        if not isinstance(value, dict):
            raise self.wrong(key, "not a table", f"a table: [{key}]")
        inside = Table(value, ".".join(part for part in (self._where, key) if part), self._path)
        self._inside.append(inside)
        return inside

    def tables(self, key: str) -> tuple[Table, ...]:
        """The tables inside a table, by name: `[nodes.nas01]`, `[nodes.nas02]`."""
        outer = self.table(key)
        return tuple(outer.table(name) for name in list(outer._left))

    def finish(self) -> None:
        """Raise for a key that nobody took, here or inside."""
        for key in self._left:
            near = difflib.get_close_matches(key, self._known, 1)
            guess = f"did you mean {near[0]}? " if near else ""
            known = ", ".join(dict.fromkeys(self._known))
            raise self.wrong(key, "unknown key", f"{guess}known here: {known}")
        for inside in self._inside:
            inside.finish()

    def _typed(self, key: str, default: T | None, kind: type[T], what: str, hint: str) -> T:
        value = self.take(key, default)
        if value is None:
            raise self.wrong(key, "is missing", f"write {hint}")
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.wrong(key, f"not {what}: {value!r}", f"write {hint}")
        return value
