"""lvm.conf as the fake tools read it: locking and filters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import attrs

from clusternas.testing.blocks import Device
from clusternas.testing.shell import Exit

if TYPE_CHECKING:
    from clusternas.testing.node import FakeNode

__all__ = ["LvmConfig", "load", "sections"]

CONF = "/etc/lvm/lvm.conf"
LOCAL = "/etc/lvm/lvmlocal.conf"
COMMENT = re.compile(r'#[^\n]*|("(?:[^"\\]|\\.)*")')
SETTING = re.compile(r'([\w/]+)\s*=\s*(\[[^\]]*\]|"(?:[^"\\]|\\.)*"|[^\s}#]+)')
SECTION = re.compile(r'(\w+)\s*\{((?:"(?:[^"\\]|\\.)*"|[^"}])*)\}')
STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')


@attrs.frozen
class LvmConfig:
    """What of lvm.conf matters here; a pattern is its action and its expression."""

    locking_type: int = 1
    use_lvmlockd: bool = False
    filters: tuple[tuple[tuple[bool, str], ...], ...] = ()
    settings: dict[str, str] = attrs.field(factory=dict)

    def accepts(self, device: Device) -> bool:
        """Whether LVM looks at a device: each filter must accept one of its names."""
        return all(self._passes(device, patterns) for patterns in self.filters)

    def _passes(self, device: Device, patterns: tuple[tuple[bool, str], ...]) -> bool:
        verdicts = [first_match(name, patterns) for name in device.names]
        return any(verdict is True for verdict in verdicts) or any(
            verdict is None for verdict in verdicts
        )


def first_match(name: str, patterns: tuple[tuple[bool, str], ...]) -> bool | None:
    """What the first pattern that matches a name says of it."""
    return next((accept for accept, expression in patterns if re.search(expression, name)), None)


def load(node: FakeNode) -> LvmConfig:
    """The node's lvm.conf; exit code 4 if it is broken."""
    text = COMMENT.sub(lambda match: match.group(1) or "", node.files.text(CONF))
    bare = STRING.sub("", text)
    if bare.count("{") != bare.count("}"):
        where = len(text.encode())
        raise Exit(
            4,
            f"Parse error at byte {where} (line {text.count(chr(10)) + 1}): unexpected "
            f"token\n  Failed to load config file {CONF}",
        )
    settings = {
        match.group(1).rpartition("/")[2]: match.group(2) for match in SETTING.finditer(text)
    }
    return LvmConfig(
        locking_type=int(settings.get("locking_type", "1")),
        use_lvmlockd=settings.get("use_lvmlockd", "0") == "1",
        filters=tuple(
            tuple(patterns(settings[name]))
            for name in ("filter", "global_filter")
            if name in settings
        ),
        settings=settings,
    )


def sections(node: FakeNode) -> dict[str, dict[str, str]]:
    """Both files section by section, in the order of LVM's tree: the first, then the last ones."""
    found: list[tuple[str, dict[str, str]]] = []
    for path in (CONF, LOCAL):
        text = COMMENT.sub(lambda match: match.group(1) or "", node.files.text(path))
        for match in SECTION.finditer(text):
            body = {one.group(1): one.group(2) for one in SETTING.finditer(match.group(2))}
            found.append((match.group(1), body))
    return dict([*found[:1], *reversed(found[1:])])


def patterns(text: str) -> Iterator[tuple[bool, str]]:
    """The patterns of a filter: `a|expression|` or `r|expression|`, any delimiter."""
    for string in STRING.findall(text):
        word = string.replace("\\\\", "\\")
        end = {"(": ")", "[": "]", "{": "}"}.get(word[1], word[1])
        yield word[0] == "a", word[2 : word.rindex(end)]
