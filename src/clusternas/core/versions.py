"""Which tool in which version: `Toolset`, and a reader for the banners that tools print."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

import attrs

from clusternas.core.errors import ValidationError

if TYPE_CHECKING:
    from packaging.version import Version

__all__ = ["Toolset", "parse_version"]

NUMBER = re.compile(r"(?<![\d.])(\d+(?:\.\d+)+)(?:[-~.]?(rc|pre|alpha|beta)[-.]?(\d*))?")
MAJOR = re.compile(r"\d+")


@lru_cache(maxsize=256)
def parse_version(banner: str) -> Version:
    """The version in what a tool prints of itself.

    Takes the first dotted number, with a release-candidate tag where there is one; the rest is the
    distributor's. A candidate counts as its release, since it already speaks the new spelling.

    Raises:
        ValidationError: there is no number in it.

    Example:
        >>> str(parse_version("LVM version:     2.03.16(2) (2022-05-18)"))
        '2.3.16'
        >>> parse_version("8.4.0rc1") >= parse_version("8.4")
        True
    """
    from packaging.version import Version

    found = NUMBER.search(banner)
    if found:
        return Version(found.group(1))
    alone = MAJOR.search(banner)
    if alone is None:
        raise ValidationError(
            f"no version number in {banner!r}", hint="give a version like 8.4 or 2.03.16"
        )
    return Version(alone.group())


@attrs.frozen(kw_only=True)
class Toolset:
    """The tools of a machine and their versions; None means not installed or not known.

    Attributes:
        drbd: of the module that runs, not of the userland: Debian 12 ships utils 9.22 and module
            8.4.
        lvm, gfs2, cman, corosync, dlm, samba, ctdb, bind, linux: as each prints them.
        init: what starts the services, `systemd` or `sysv`.

    Example:
        >>> Toolset(drbd="8.4", lvm="2.03.16").has("drbd", since="8.4")
        True
        >>> Toolset.EL6.has("drbd", since="8.4")
        False
    """

    drbd: str | None = None
    lvm: str | None = None
    gfs2: str | None = None
    cman: str | None = None
    corosync: str | None = None
    dlm: str | None = None
    samba: str | None = None
    ctdb: str | None = None
    bind: str | None = None
    linux: str | None = None
    init: str = "systemd"

    EL6: ClassVar[Toolset]
    EL9: ClassVar[Toolset]
    DEBIAN12: ClassVar[Toolset]
    UNKNOWN: ClassVar[Toolset]

    def __attrs_post_init__(self) -> None:
        for field in attrs.fields(type(self)):
            value = getattr(self, field.name)
            if field.name != "init" and value is not None:
                parse_version(value)
        if self.init not in ("systemd", "sysv"):
            raise ValidationError(f"unknown init {self.init!r}", hint="write systemd or sysv")

    def version(self, tool: str) -> Version | None:
        """The version of a tool, or None where it is not known."""
        raw: str | None = getattr(self, tool, None)
        return None if raw is None else parse_version(raw)

    def has(self, tool: str, *, since: str = "", until: str = "") -> bool:
        """Whether `since <= version < until`; a tool of unknown version has everything."""
        version = self.version(tool)
        if version is None:
            return True
        return not (since and version < parse_version(since)) and not (
            until and version >= parse_version(until)
        )


Toolset.EL6 = Toolset(
    drbd="8.3.16",
    lvm="2.02.118",
    gfs2="3.0.12",
    cman="3.0.12",
    samba="3.6.23",
    bind="9.8.2",
    linux="2.6.32",
    init="sysv",
)
Toolset.EL9 = Toolset(
    drbd="9.1.19",
    lvm="2.03.21",
    gfs2="3.5.0",
    corosync="3.1.7",
    dlm="4.2.0",
    samba="4.18.6",
    ctdb="4.18.6",
    bind="9.16.23",
    linux="5.14.0",
)
Toolset.DEBIAN12 = Toolset(
    drbd="8.4.11",
    lvm="2.03.16",
    gfs2="3.5.0",
    corosync="3.1.7",
    dlm="4.2.0",
    samba="4.17.12",
    ctdb="4.17.12",
    bind="9.18.49",
    linux="6.1.0",
)
Toolset.UNKNOWN = Toolset()
