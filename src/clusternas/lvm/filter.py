"""What LVM would scan: a simulator of `devices/filter` and `global_filter`.

As in lvm2's `lib/filters/filter-regex.c`: each name of a device, symbolic links too, is tested
against the patterns in order, and the first that matches decides for that name. One accepted name
accepts the device; else one rejected name rejects it; a device that nothing matches is accepted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import attrs

from clusternas.core.errors import ValidationError

__all__ = ["DeviceFilter", "Pattern", "scanned"]

CLOSING = {"(": ")", "[": "]", "{": "}"}
TOKEN = re.compile(
    r"\\(?P<escaped>[\s\S])|\[(?P<not>\^?)(?P<set>(?:\\[\s\S]|[^\]\\])*)\]"
    r"|(?P<repeat>[*+?]{2,})|(?P<brace>[{}])"
)
IN_SET = re.compile(r"\\([\s\S])|([\[&~|])")
CONTROL = {"n": r"\n", "r": r"\r", "t": r"\t"}


def _escaped(character: str) -> str:
    return CONTROL.get(character) or re.escape(character)


def _token(found: re.Match[str]) -> str:
    if found["escaped"]:
        return _escaped(found["escaped"])
    if found["repeat"]:
        kinds = set(found["repeat"])
        return kinds.pop() if len(kinds) == 1 else "*"
    if found["brace"]:
        return "\\" + found["brace"]
    inside = IN_SET.sub(lambda each: _escaped(each[1] or each[2]), found["set"])
    if not inside:
        return "." if found["not"] else "(?!)"
    return f"[{found['not']}{inside}]"


def _translate(pattern: str) -> str:
    """A regex of device-mapper, which has no counts and no lazy repeats, as one of Python."""
    return TOKEN.sub(_token, pattern)


@attrs.frozen
class Pattern:
    """One pattern of a filter, such as `a|^/dev/drbd.*|`.

    Attributes:
        text: as lvm.conf has it.
        accept: whether it accepts the names it matches.
        regex: the regular expression in it, which matches anywhere in the name.

    Raises:
        ValidationError: LVM would refuse it.
    """

    text: str
    accept: bool = attrs.field(init=False)
    regex: str = attrs.field(init=False)
    _matcher: re.Pattern[str] = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        action, body = self.text[:1], self.text[1:]
        if action not in ("a", "r") or len(body) < 3:
            raise self._bad("write a or r, a delimiter, a regular expression, the delimiter")
        if body[-1] != CLOSING.get(body[0], body[0]):
            raise self._bad("it ends with the delimiter it starts with")
        try:
            matcher = re.compile(_translate(body[1:-1]))
        except (re.error, RecursionError) as error:
            raise self._bad(f"not a regular expression: {error}") from None
        for name, value in (
            ("accept", action == "a"),
            ("regex", body[1:-1]),
            ("_matcher", matcher),
        ):
            object.__setattr__(self, name, value)

    def _bad(self, why: str) -> ValidationError:
        return ValidationError(f"not a filter pattern: {self.text!r}", hint=why)

    @property
    def anchored(self) -> bool:
        """Whether it says where in the name it matches, or matches every name."""
        return self.regex.startswith("^") or self.regex in (".*", ".")

    def matches(self, name: str) -> bool:
        """Whether it matches a name of a device."""
        return self._matcher.search(name) is not None


def _patterns(texts: Iterable[str | Pattern]) -> tuple[Pattern, ...]:
    return tuple(text if isinstance(text, Pattern) else Pattern(text) for text in texts)


@attrs.frozen
class DeviceFilter:
    """A filter as a whole.

    Example:
        >>> only_drbd = DeviceFilter(["a|^/dev/drbd.*|", "r|.*|"])
        >>> only_drbd.accepts(["/dev/drbd1"]), only_drbd.accepts(["/dev/vda3"])
        (True, False)
        >>> DeviceFilter(["a|drbd.*|", "a|sda.*|"]).accepts(["/dev/vda3"])
        True
    """

    patterns: Sequence[Pattern] = attrs.field(default=(), converter=_patterns)

    def decides(self, name: str) -> Pattern | None:
        """The pattern that decides for one name, None if none matches."""
        return next((pattern for pattern in self.patterns if pattern.matches(name)), None)

    def accepts(self, names: Iterable[str]) -> bool:
        """Whether LVM would look at a device with these names, its symbolic links among them."""
        verdicts = [decided.accept for name in names if (decided := self.decides(name))]
        return any(verdicts) or not verdicts


def scanned(names: Iterable[str], *filters: DeviceFilter) -> bool:
    """Whether a device passes every filter: `filter` and `global_filter` both have to accept it."""
    known = tuple(names)
    return all(each.accepts(known) for each in filters)
