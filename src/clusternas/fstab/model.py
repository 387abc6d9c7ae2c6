"""/etc/fstab as a model; fstab(5), and libmount for what a line is."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from clusternas.core.codec import Codec, integer, string
from clusternas.core.command import Command
from clusternas.core.fields import argument, sections
from clusternas.core.keyed import Keyed
from clusternas.core.model import Model
from clusternas.core.syntax.table import FSTAB, quote_field
from clusternas.fstab import commands

__all__ = ["Fstab", "FstabEntry"]

DEFAULTS = ("defaults",)


def _options() -> Codec[tuple[str, ...]]:
    """Options in one field, set off by commas."""

    def decode(words: Sequence[str]) -> tuple[str, ...]:
        return tuple(words[0].split(",")) if words else ()

    def encode(value: Sequence[str]) -> tuple[str, ...] | None:
        if isinstance(value, str):
            raise ValueError(f"not a sequence of options: {value!r}")
        return (quote_field(",".join(value)),) if value else None

    samples = (DEFAULTS, ("noatime", "_netdev"))
    return Codec(decode, encode, "mount options", samples=samples)


@attrs.frozen(kw_only=True, slots=False, repr=False)
class FstabEntry(Model):
    """One line: a file system and where it is mounted.

    Later fields need the earlier ones in the file: where `dump` or `passno` is given, options are
    written as `defaults` and dump as 0.

    Attributes:
        source: the device, or like `UUID=…`, `LABEL=…`.
        mount_point: where; `none` for swap.
        fstype: such as `gfs2`.
        options: of mount(8); empty where the line leaves them out.
        dump: whether dump(8) saves it; None where the line leaves it out.
        passno: when fsck checks it at boot, 0 for never; None where the line leaves it out.
    """

    syntax = FSTAB
    tool = "fstab"
    is_section = False

    source: str = argument(string(quote_field), 0, default="")
    mount_point: str = argument(string(quote_field), 1, default="")
    fstype: str = argument(string(quote_field), 2, default="")
    options: tuple[str, ...] = argument(_options(), 3, default=())
    dump: int | None = argument(integer(), 4, default=None)
    passno: int | None = argument(integer(), 5, default=None)

    def __attrs_post_init__(self) -> None:
        if self.passno is not None and self.dump is None:
            self.__dict__["dump"] = 0
        if self.dump is not None and not self.options:
            self.__dict__["options"] = DEFAULTS
        super().__attrs_post_init__()

    def has(self, option: str) -> bool:
        """Whether an option is given, by itself or with a value.

        Example:
            >>> FstabEntry(source="/dev/x", mount_point="/x", fstype="gfs2",
            ...            options=("noatime", "commit=30")).has("commit")
            True
        """
        return any(each.partition("=")[0] == option for each in self.options)

    def option(self, name: str) -> str | None:
        """The value of the last option of that name, empty for one without; None where absent."""
        found = [each.partition("=")[2] for each in self.options if each.partition("=")[0] == name]
        return found[-1] if found else None

    def mount(self) -> Command[str]:
        """Mount it as the line says."""
        return commands.mount(self.mount_point)

    def umount(self) -> Command[str]:
        """Unmount it."""
        return commands.umount(self.mount_point)


@attrs.frozen(kw_only=True, slots=False, repr=False)
class Fstab(Model):
    """/etc/fstab.

    Attributes:
        entries: its lines, by mount point (the last of equal ones) or place.

    Example:
        >>> fstab = Fstab.parse("/dev/vg/lv /opt gfs2 noatime 0 0\\n")
        >>> fstab.entries["/opt"].options
        ('noatime',)
    """

    syntax = FSTAB
    tool = "fstab"

    entries: Keyed[FstabEntry] = sections(FstabEntry, "row", name="mount_point")

    def of_type(self, fstype: str) -> tuple[FstabEntry, ...]:
        """The lines for one type of file system."""
        return tuple(entry for entry in self.entries if entry.fstype == fstype)
