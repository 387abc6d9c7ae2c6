"""lvm.conf as a model: what matters for a volume group that several nodes share.

Settings and their order are those of lvm2's `lib/config/config_settings.h`; lvm.conf(5). Every
other setting is kept as it stands and is in `extra`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, TypeVar

import attrs

from clusternas.core.codec import Codec
from clusternas.core.errors import ValidationError
from clusternas.core.fields import Spelling, option, section
from clusternas.core.model import Model
from clusternas.core.syntax.blocks import LvmSyntax
from clusternas.core.syntax.tree import Node
from clusternas.core.versions import Toolset
from clusternas.lvm.filter import DeviceFilter, scanned
from clusternas.lvm.settings import SETTINGS
from clusternas.lvm.values import boolean, number, string, strings

__all__ = ["LvmActivation", "LvmConf", "LvmDevices", "LvmGlobal", "LvmLocal"]

T = TypeVar("T")

CLVMD_LOCKING = 3
"""The locking_type that means clvmd."""
CLVMD_UNTIL = "2.03"
LOCKD_SINCE = "2.02.124"
SYSTEM_ID_SINCE = "2.02.117"
DEVICESFILE_SINCE = "2.03.12"
SYNTAX = LvmSyntax()


def _setting(
    path: str, codec: Codec[T], *, since: str = "", until: str = "", doc: str = ""
) -> T | None:
    """A setting in its section, or as `section/name` at the top of the file."""
    within = Spelling(path.partition("/")[2], since=since, until=until)
    return option(within, Spelling(path, place="", since=since, until=until), codec=codec, doc=doc)


def _patterns(value: tuple[str, ...]) -> str:
    try:
        DeviceFilter(value)
    except ValidationError as error:
        return f"{error.message}: {error.hint}"
    return "an empty filter is refused" if not value else ""


class LvmModel(Model):
    """What the sections of lvm.conf share."""

    syntax = SYNTAX
    tool = "lvm"
    settings: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def knows(cls, node: Node) -> bool:
        """Whether LVM knows a setting that no field takes."""
        return node.key in cls.settings


@attrs.frozen(kw_only=True, slots=False, repr=False)
class LvmDevices(LvmModel):
    """`devices`: which devices LVM looks at.

    Attributes:
        directory: where device nodes are, `/dev`.
        scan: directories to look for them in.
        use_devicesfile: only the devices listed in a file are used; `filter` is ignored then.
        devicesfile: name of that file in /etc/lvm/devices.
        filter: patterns that accept and reject devices by name.
        global_filter: the same, and not overridden by --config.
        write_cache_state: keep a cache of devices over reboots; 0 with DRBD.
        scan_lvs: look for physical volumes on logical volumes.
    """

    settings = SETTINGS["devices"]

    directory: str | None = _setting("devices/dir", string())
    scan: tuple[str, ...] | None = _setting("devices/scan", strings())
    use_devicesfile: bool | None = _setting(
        "devices/use_devicesfile", boolean(), since=DEVICESFILE_SINCE
    )
    devicesfile: str | None = _setting("devices/devicesfile", string(), since=DEVICESFILE_SINCE)
    filter: tuple[str, ...] | None = _setting("devices/filter", strings(_patterns))
    global_filter: tuple[str, ...] | None = _setting(
        "devices/global_filter", strings(_patterns), since="2.02.98"
    )
    cache_dir: str | None = _setting("devices/cache_dir", string(), until=CLVMD_UNTIL)
    write_cache_state: bool | None = _setting(
        "devices/write_cache_state", boolean(), until=CLVMD_UNTIL
    )
    scan_lvs: bool | None = _setting("devices/scan_lvs", boolean(), since="2.02.182")


@attrs.frozen(kw_only=True, slots=False, repr=False)
class LvmGlobal(LvmModel):
    """`global`: who guards the metadata of volume groups.

    Attributes:
        locking_type: 1 files, 2 a library, 3 clvmd, 4 read-only, 5 none; ignored since 2.03.
        wait_for_locks: wait for a lock instead of failing.
        fallback_to_clustered_locking: use clvmd if the library of type 2 cannot be loaded.
        fallback_to_local_locking: lock by files if clvmd does not answer: unsafe on shared disks.
        locking_dir: where files for locks are.
        locking_library: of type 2.
        use_lvmetad: keep metadata in a daemon; 0 with clvmd.
        use_lvmlockd: ask lvmlockd for locks, for shared volume groups.
        lvmlockd_lock_retries: how often.
        system_id_source: what makes the system ID of this host; not for shared volume groups.
        event_activation: activate volumes when their devices appear.
    """

    settings = SETTINGS["global"]

    locking_type: int | None = _setting("global/locking_type", number(0, 5), until=CLVMD_UNTIL)
    wait_for_locks: bool | None = _setting("global/wait_for_locks", boolean())
    fallback_to_clustered_locking: bool | None = _setting(
        "global/fallback_to_clustered_locking", boolean(), until=CLVMD_UNTIL
    )
    fallback_to_local_locking: bool | None = _setting(
        "global/fallback_to_local_locking", boolean(), until=CLVMD_UNTIL
    )
    locking_dir: str | None = _setting("global/locking_dir", string())
    locking_library: str | None = _setting("global/locking_library", string(), until=CLVMD_UNTIL)
    event_activation: bool | None = _setting("global/event_activation", boolean(), since="2.03.1")
    use_lvmetad: bool | None = _setting(
        "global/use_lvmetad", boolean(), since="2.02.93", until=CLVMD_UNTIL
    )
    use_lvmlockd: bool | None = _setting("global/use_lvmlockd", boolean(), since=LOCKD_SINCE)
    lvmlockd_lock_retries: int | None = _setting(
        "global/lvmlockd_lock_retries", number(), since="2.02.125"
    )
    system_id_source: str | None = _setting(
        "global/system_id_source", string(), since=SYSTEM_ID_SINCE
    )


@attrs.frozen(kw_only=True, slots=False, repr=False)
class LvmActivation(LvmModel):
    """`activation`: which volumes may be activated here.

    Attributes:
        volume_list: only these; unset means all.
        auto_activation_volume_list: only these by themselves, at boot.
        read_only_volume_list: these only for reading.
        monitoring: let dmeventd watch volumes.
    """

    settings = SETTINGS["activation"]

    volume_list: tuple[str, ...] | None = _setting("activation/volume_list", strings())
    auto_activation_volume_list: tuple[str, ...] | None = _setting(
        "activation/auto_activation_volume_list", strings(), since="2.02.97"
    )
    read_only_volume_list: tuple[str, ...] | None = _setting(
        "activation/read_only_volume_list", strings(), since="2.02.89"
    )
    monitoring: bool | None = _setting("activation/monitoring", boolean())


@attrs.frozen(kw_only=True, slots=False, repr=False)
class LvmLocal(LvmModel):
    """`local`: what differs from host to host; it belongs into lvmlocal.conf.

    Attributes:
        system_id: of this host.
        extra_system_ids: whose groups may be used here as well.
        host_id: 1 to 2000, for sanlock, another one on every host.
    """

    settings = SETTINGS["local"]

    system_id: str | None = _setting("local/system_id", string(), since=SYSTEM_ID_SINCE)
    extra_system_ids: tuple[str, ...] | None = _setting(
        "local/extra_system_ids", strings(), since=SYSTEM_ID_SINCE
    )
    host_id: int | None = _setting("local/host_id", number(0, 2000), since=LOCKD_SINCE)


@attrs.frozen(kw_only=True, slots=False, repr=False)
class LvmConf(LvmModel):
    """/etc/lvm/lvm.conf or lvmlocal.conf.

    Example:
        >>> conf = LvmConf.parse('devices { filter = [ "a|^/dev/drbd.*|", "r|.*|" ] }')
        >>> conf.scans(["/dev/drbd1"]), conf.scans(["/dev/vda3"])
        (True, False)
        >>> print(LvmConf(global_=LvmGlobal(use_lvmlockd=True)).render(), end="")
        global {
                use_lvmlockd = 1
        }
    """

    settings = frozenset(SETTINGS)

    devices: LvmDevices | None = section(LvmDevices)
    global_: LvmGlobal | None = section(LvmGlobal, "global")
    activation: LvmActivation | None = section(LvmActivation)
    local: LvmLocal | None = section(LvmLocal)

    @property
    def clvmd(self) -> bool:
        """Whether it has clvmd guard volume groups, which tools since 2.03 cannot."""
        return self.global_ is not None and self.global_.locking_type == CLVMD_LOCKING

    @property
    def lvmlockd(self) -> bool:
        """Whether it asks lvmlockd for locks."""
        return self.global_ is not None and bool(self.global_.use_lvmlockd)

    def scans(self, names: Iterable[str]) -> bool:
        """Whether `filter` and `global_filter` let LVM look at a device.

        Args:
            names: all names of the device, symbolic links included.

        Raises:
            ValidationError: LVM would refuse a pattern.
        """
        devices = self.devices or LvmDevices()
        filters = [DeviceFilter(each) for each in (devices.filter, devices.global_filter) if each]
        return scanned(names, *filters)

    def filters_ignored(self, toolset: Toolset = Toolset.UNKNOWN) -> bool:
        """Whether the filters count for nothing because a devices file is used, lvmdevices(8)."""
        devices = self.devices or LvmDevices()
        return bool(devices.use_devicesfile) and toolset.has("lvm", since=DEVICESFILE_SINCE)
