"""`Keyed`: an immutable sequence whose items also have names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Generic, TypeVar, overload

from clusternas.core.syntax.tree import Node

__all__ = ["Keyed", "keyed"]

T = TypeVar("T")


class Keyed(Sequence[T], Generic[T]):
    """Named items in the order of the file; looked up by name or by place, never changed in place.

    Items that were read from a file become values when somebody asks for them. Where a name stands
    twice, looking it up gives the last, or the first where the tool takes the first.

    Example:
        >>> words = Keyed(["alpha", "beta"], key=lambda word: word[0])
        >>> words["b"], words[0], words.put("bravo"), words.without("a")
        ('beta', 'alpha', ['alpha', 'bravo'], ['beta'])
    """

    __slots__ = ("_first", "_fold", "_index", "_items", "_key", "_lift", "_peek")

    def __init__(
        self,
        items: Iterable[T | Node] = (),
        *,
        key: Callable[[T], str],
        lift: Callable[[Node], T] | None = None,
        fold: Callable[[str], str] = str,
        first: bool = False,
        peek: Callable[[Node], str] | None = None,
    ) -> None:
        self._items: list[T | Node] = list(items)
        self._key = key
        self._lift = lift
        self._fold = fold
        self._first = first
        self._peek = peek
        self._index: dict[str, int] | None = None

    def _at(self, index: int) -> T:
        item = self._items[index]
        if isinstance(item, Node):
            assert self._lift is not None
            item = self._items[index] = self._lift(item)
        return item

    def _names(self) -> dict[str, int]:
        if self._index is None:
            pairs = [(self._fold(self._name(at)), at) for at in range(len(self._items))]
            self._index = dict(reversed(pairs) if self._first else pairs)
        return self._index

    def _name(self, index: int) -> str:
        item = self._items[index]
        if isinstance(item, Node) and self._peek is not None:
            return self._peek(item)
        return self._key(self._at(index))

    @property
    def unnamed(self) -> bool:
        """Whether it came from `keyed` and no field has said yet what names its items."""
        return self._key is _unnamed

    def raw(self) -> Sequence[T | Node]:
        """The items as they are held: nodes where nobody has asked for the value yet."""
        return self._items

    def key_of(self, item: T) -> str:
        """The name of an item."""
        return self._key(item)

    @overload
    def __getitem__(self, index: int | str) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Keyed[T]: ...
    def __getitem__(self, index: int | str | slice) -> T | Keyed[T]:
        if isinstance(index, str):
            at = self._names().get(self._fold(index))
            if at is None:
                raise KeyError(f"{index!r} is not one of {', '.join(self.keys()) or 'none'}")
            return self._at(at)
        if isinstance(index, slice):
            return self._with(self._items[index])
        if not -len(self._items) <= index < len(self._items):
            raise IndexError(f"no item {index}: there are {len(self._items)}")
        return self._at(index)

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[T]:
        return map(self._at, range(len(self._items)))

    def __contains__(self, item: object) -> bool:
        if isinstance(item, str):
            return self._fold(item) in self._names()
        return any(item is other or item == other for other in self)

    def get(self, name: str) -> T | None:
        """The item of that name, or None."""
        at = self._names().get(self._fold(name))
        return None if at is None else self._at(at)

    def keys(self) -> list[str]:
        """The names, in order, each once for every item that has it."""
        return [self._name(at) for at in range(len(self._items))]

    def put(self, item: T) -> Keyed[T]:
        """With this item in the place of the one of its name, or at the end if there is none."""
        at = self._names().get(self._fold(self._key(item)))
        items = list(self._items)
        if at is None:
            items.append(item)
        else:
            items[at] = item
        return self._with(items)

    def without(self, name: str) -> Keyed[T]:
        """Without the items of that name."""
        gone = self._fold(name)
        return self._with(
            raw for at, raw in enumerate(self._items) if self._fold(self._name(at)) != gone
        )

    def lifted(
        self,
        items: Iterable[T | Node],
        lift: Callable[[Node], T],
        peek: Callable[[Node], str] | None = None,
    ) -> Keyed[T]:
        """Other items under the same rules, made from nodes when asked for; `peek` reads a name."""
        return Keyed(items, key=self._key, lift=lift, fold=self._fold, first=self._first, peek=peek)

    def _with(self, items: Iterable[T | Node]) -> Keyed[T]:
        return Keyed(
            items,
            key=self._key,
            lift=self._lift,
            fold=self._fold,
            first=self._first,
            peek=self._peek,
        )

    def _ipython_key_completions_(self) -> list[str]:
        return self.keys()

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if isinstance(other, Keyed):
            return len(self) == len(other) and all(
                a is b or a == b for a, b in zip(self, other, strict=True)
            )
        return isinstance(other, (tuple, list)) and list(self) == list(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"[{', '.join(map(repr, self))}]"


def _unnamed(item: object) -> str:
    raise LookupError(f"nothing names {item!r}: give it to a model first")


def keyed(*items: T) -> Keyed[T]:
    """Items for a field that wants a `Keyed`; the field says what names them.

    A list does as well; type checkers want this.

    Example:
        >>> from clusternas import DrbdResource
        >>> from clusternas.drbd.model import DrbdHost
        >>> DrbdResource(name="r0", hosts=keyed(DrbdHost(name="nas01"))).hosts.keys()
        ['nas01']
    """
    return Keyed(items, key=_unnamed)
