"""drbd.conf as values: a resource, `common`, and the whole file.

One model for 8.3, 8.4 and 9; `render(toolset)` spells it for one of them. See drbd.conf(5).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from clusternas.core.codec import string
from clusternas.core.diagnostics import Diagnostic, Severity
from clusternas.core.fields import argument, option, options, section, sections
from clusternas.core.keyed import Keyed
from clusternas.core.versions import Toolset
from clusternas.drbd.actions import DrbdActions
from clusternas.drbd.hosts import (
    DrbdConnection,
    DrbdEndpoint,
    DrbdFloating,
    DrbdHost,
    DrbdHostProxy,
    DrbdMesh,
    DrbdPath,
    DrbdProxied,
    DrbdStacked,
    DrbdVolume,
    device,
    flexible_meta_disk,
    meta_disk,
)
from clusternas.drbd.quantity import Quantity
from clusternas.drbd.sections import (
    DrbdDisk,
    DrbdGlobal,
    DrbdHandlers,
    DrbdModel,
    DrbdNet,
    DrbdOptions,
    DrbdProxy,
    DrbdStartup,
)
from clusternas.drbd.words import Address, word

if TYPE_CHECKING:
    from clusternas.drbd.files import DrbdFiles

__all__ = [
    "Address",
    "DrbdCommon",
    "DrbdConfig",
    "DrbdConnection",
    "DrbdDisk",
    "DrbdEndpoint",
    "DrbdFloating",
    "DrbdGlobal",
    "DrbdHandlers",
    "DrbdHost",
    "DrbdHostProxy",
    "DrbdMesh",
    "DrbdModel",
    "DrbdNet",
    "DrbdOptions",
    "DrbdPath",
    "DrbdProxied",
    "DrbdProxy",
    "DrbdResource",
    "DrbdStacked",
    "DrbdStartup",
    "DrbdVolume",
    "Quantity",
]


@attrs.frozen(kw_only=True, slots=False, repr=False)
class DrbdDefaults(DrbdModel):
    """What a resource and `common` both may say."""

    net: DrbdNet | None = section(DrbdNet)
    disk: DrbdDisk | None = section(DrbdDisk)
    options: DrbdOptions | None = section(DrbdOptions)
    startup: DrbdStartup | None = section(DrbdStartup)
    handlers: DrbdHandlers | None = section(DrbdHandlers)
    proxy: DrbdProxy | None = section(DrbdProxy)


@attrs.frozen(kw_only=True, slots=False, repr=False)
class DrbdCommon(DrbdDefaults):
    """`common { … }`: what every resource says, unless it says otherwise itself."""

    root = "common"


@attrs.frozen(kw_only=True, slots=False, repr=False)
class DrbdResource(DrbdDefaults, DrbdActions):
    """`resource NAME { … }`: a device and the hosts that it is the same on.

    Example:
        >>> r0 = DrbdResource.parse("resource r0 { protocol C; syncer { rate 33M; } }")
        >>> r0.net.protocol, str(r0.disk.resync_rate), str(r0.up())
        ('C', '33M', 'drbdadm up r0')
    """

    root = "resource"

    name: str = argument(string(word))
    device: str | None = device()
    backing_disk: str | None = option(
        "disk", codec=string(word), doc="backing device on every host"
    )
    meta_disk: str | None = meta_disk()
    flexible_meta_disk: str | None = flexible_meta_disk()
    volumes: Keyed[DrbdVolume] = sections(DrbdVolume, "volume", name="number", since="8.4")
    hosts: Keyed[DrbdHost] = sections(DrbdHost, "on", name="name")
    floating: Keyed[DrbdFloating] = sections(DrbdFloating, name="label")
    stacked: Keyed[DrbdStacked] = sections(DrbdStacked, "stacked-on-top-of", name="name")
    connections: Keyed[DrbdConnection] = sections(
        DrbdConnection, "connection", name="label", since="9"
    )
    meshes: Keyed[DrbdMesh] = sections(DrbdMesh, "connection-mesh", name="label", since="9")
    template_file: str | None = option(
        codec=string(word), since="9", doc="a file whose common counts for this resource"
    )

    def host_names(self) -> tuple[str, ...]:
        """The hosts of the resource, in the order of the file."""
        names = (name for host in self.hosts for name in (host.name, *host.aliases))
        return tuple(name for name in names if name)  # `on { … }` has none


@attrs.frozen(kw_only=True, slots=False, repr=False)
class DrbdConfig(DrbdModel):
    """A whole file: /etc/drbd.conf, or one of /etc/drbd.d.

    `with_includes` reads the files that it includes too.

    Example:
        >>> config = DrbdConfig.parse("resource r0 { on nas01 { device /dev/drbd1; } }")
        >>> config.resources["r0"].hosts["nas01"].minor
        1
    """

    global_: DrbdGlobal | None = section(DrbdGlobal)
    common: DrbdCommon | None = section(DrbdCommon)
    resources: Keyed[DrbdResource] = sections(DrbdResource, "resource", name="name")
    includes: tuple[str, ...] = options("include", codec=string(word), doc="files, with * and ?")

    def with_includes(self) -> DrbdFiles:
        """The whole configuration that begins with this file, from the disk that it was read from.

        Raises:
            ParseError: a file that is included and there cannot be read.
        """
        from clusternas.drbd.files import DrbdFiles

        return DrbdFiles.begin(self)

    def validate(self, toolset: Toolset | None = None) -> list[Diagnostic]:
        """What is wrong with it; its `common` counts for its resources."""
        from clusternas.drbd.inherit import under

        with under(self.common, (each.name for each in self.resources)):
            return super().validate(toolset)

    def refused_by(self, toolset: Toolset) -> list[Diagnostic]:
        """Why drbdadm of that version would not read the file; empty if it would.

        Other errors of `validate` are what the kernel refuses, or what no tool notices in time.
        """
        beyond = {"DRBD002", "DRBD003", "DRBD022"}
        if toolset.has("drbd", since="8.4"):
            beyond.add("DRBD007")
        return [
            each
            for each in self.validate(toolset)
            if each.severity is Severity.ERROR and each.code not in beyond
        ]
