"""What is mounted, from /proc/mounts, findmnt or mount."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

import attrs

from clusternas.core.command import Output
from clusternas.core.errors import ParseError
from clusternas.core.syntax.table import FSTAB

__all__ = ["Mount", "found_mounts", "listed_mounts", "mounts"]

LISTED = re.compile(r"^(\S+) on (.+) type (\S+) \(([^)]*)\)", re.MULTILINE)


@attrs.frozen(kw_only=True)
class Mount:
    """A mounted file system.

    Attributes:
        source: as the kernel names it, `/dev/mapper/drbd_vg-drbd_lv` for `/dev/drbd_vg/drbd_lv`.
        target: where it is mounted.
        fstype: such as `gfs2`.
        options: that are in force.
    """

    source: str
    target: str
    fstype: str
    options: tuple[str, ...] = ()

    @property
    def read_only(self) -> bool:
        """Whether it cannot be written to."""
        return "ro" in self.options


def mounts(output: Output) -> tuple[Mount, ...]:
    """Decode /proc/mounts; proc(5).

    Raises:
        ParseError: a line has too few fields.
    """
    found = []
    for row in FSTAB.parse(output.text).root.children:
        fields = row.values
        if len(fields) < 4:
            raise ParseError("not a line of /proc/mounts", source=row.raw[:80])
        found.append(_mount(*fields[:4]))
    return tuple(found)


def found_mounts(output: Output) -> tuple[Mount, ...]:
    """Decode `findmnt -J`, which prints nothing where there is nothing; a tree becomes a list.

    Raises:
        ParseError: it is not what findmnt prints.
    """
    if not output.text.strip():
        return ()
    try:
        top = json.loads(output.text)["filesystems"]
        return tuple(_walk(top))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ParseError(f"not an answer of findmnt -J: {error}") from None


def _walk(items: Iterable[Mapping[str, object]]) -> Iterable[Mount]:
    for item in items:
        yield _mount(
            *(str(item.get(key) or "") for key in ("source", "target", "fstype", "options"))
        )
        children = item.get("children")
        if isinstance(children, list):
            yield from _walk(children)


def listed_mounts(output: Output) -> tuple[Mount, ...]:
    """Decode `mount` without arguments: `DEVICE on PLACE type TYPE (OPTIONS)`."""
    return tuple(_mount(*row) for row in LISTED.findall(output.text))


def _mount(source: str, target: str, fstype: str, options: str) -> Mount:
    chosen = tuple(options.split(",")) if options else ()
    return Mount(source=source, target=target, fstype=fstype, options=chosen)
