"""The known mistakes with clustered LVM, as far as one file shows them.

Whether the filter lets LVM see the backing device of a DRBD needs drbd.conf too: NAS001 in
`clusternas.nas.rules`. LVM901 is the engine's: a setting that LVM does not know.
"""

from __future__ import annotations

from collections.abc import Iterator

from attrs import evolve

from clusternas.core.diagnostics import Finding, Severity, rule
from clusternas.core.errors import ValidationError
from clusternas.core.versions import Toolset
from clusternas.lvm.clvmd import ClvmdSysconfig
from clusternas.lvm.filter import DeviceFilter, Pattern
from clusternas.lvm.model import CLVMD_UNTIL, LvmConf, LvmDevices

__all__: list[str] = []

UG84 = "https://linbit.com/drbd-user-guide/users-guide-drbd-8-4/#s-lvm"
LVMLOCKD = "lvmlockd(8)"
SAFE_FILTER = '[ "a|^/dev/drbd.*|", "r|.*|" ]'


@rule(
    "LVM002",
    Severity.WARNING,
    LvmConf,
    link="https://github.com/LINBIT/drbd-utils/pull/59",
    bad='devices {\n\tuse_devicesfile = 1\n\tfilter = [ "a|^/dev/drbd.*|", "r|.*|" ]\n}\n',
    good='devices {\n\tuse_devicesfile = 0\n\tfilter = [ "a|^/dev/drbd.*|", "r|.*|" ]\n}\n',
)
def filter_ignored(conf: LvmConf, toolset: Toolset) -> Iterator[Finding]:
    """A filter counts for nothing while a devices file is used."""
    devices = conf.devices
    if devices and (devices.filter or devices.global_filter) and conf.filters_ignored(toolset):
        yield Finding(
            "use_devicesfile = 1: LVM looks at the devices file and ignores the filter",
            at=devices,
            field="use_devicesfile",
            help="write use_devicesfile = 0, or keep the backing devices out of the devices file",
            fix=evolve(conf, devices=evolve(devices, use_devicesfile=False)),
        )


@rule(
    "LVM003",
    Severity.ERROR,
    LvmConf,
    link=LVMLOCKD,
    bad="global {\n\tlocking_type = 3\n\tuse_lvmlockd = 1\n}\n",
    good="global {\n\tlocking_type = 1\n\tuse_lvmlockd = 1\n}\n",
)
def two_lock_managers(conf: LvmConf, toolset: Toolset) -> Iterator[Finding]:
    """locking_type = 3 asks for clvmd, which LVM 2.03 has not, and which excludes lvmlockd."""
    if not conf.clvmd or conf.global_ is None:
        return
    if conf.lvmlockd:
        yield Finding(
            "locking_type = 3 (clvmd) and use_lvmlockd = 1 exclude each other",
            at=conf.global_,
            field="locking_type",
            help="write locking_type = 1",
            fix=evolve(conf, global_=evolve(conf.global_, locking_type=1)),
        )
    elif not toolset.has("lvm", until=CLVMD_UNTIL):
        yield Finding(
            f"LVM {toolset.lvm} has no clvmd: it ignores locking_type = 3 and locks nothing",
            at=conf.global_,
            field="locking_type",
            help="write use_lvmlockd = 1, and make the group shared: vgchange --locktype dlm",
        )


@rule(
    "LVM004",
    Severity.ERROR,
    LvmConf,
    link="lvm.conf(5)",
    bad="global {\n\tlocking_type = 3\n\tfallback_to_local_locking = 1\n}\n",
    good="global {\n\tlocking_type = 3\n\tfallback_to_local_locking = 0\n}\n",
)
def local_locking_of_shared_disks(conf: LvmConf, toolset: Toolset) -> Iterator[Finding]:
    """Without clvmd, LVM falls back to locks that the other node does not see."""
    if conf.clvmd and conf.global_ and conf.global_.fallback_to_local_locking:
        yield Finding(
            "when clvmd does not answer, metadata of shared groups is written without its locks",
            at=conf.global_,
            field="fallback_to_local_locking",
            help="write fallback_to_local_locking = 0",
            fix=evolve(conf, global_=evolve(conf.global_, fallback_to_local_locking=False)),
        )


@rule(
    "LVM005",
    Severity.ERROR,
    LvmConf,
    link="lvm2 scripts/lvmconf.sh",
    bad="global {\n\tlocking_type = 3\n\tuse_lvmetad = 1\n}\n",
    good="global {\n\tlocking_type = 3\n\tuse_lvmetad = 0\n}\n",
)
def cached_metadata_of_shared_groups(conf: LvmConf, toolset: Toolset) -> Iterator[Finding]:
    """lvmetad keeps metadata in memory that another node changes."""
    if conf.clvmd and conf.global_ and conf.global_.use_lvmetad:
        yield Finding(
            "lvmetad does not see what other nodes change; it cannot be used with clvmd",
            at=conf.global_,
            field="use_lvmetad",
            help="write use_lvmetad = 0",
            fix=evolve(conf, global_=evolve(conf.global_, use_lvmetad=False)),
        )


@rule(
    "LVM006",
    Severity.WARNING,
    LvmDevices,
    link=UG84,
    bad='devices {\n\tfilter = [ "a|^/dev/drbd.*|", "r|.*|" ]\n\twrite_cache_state = 1\n}\n',
    good='devices {\n\tfilter = [ "a|^/dev/drbd.*|", "r|.*|" ]\n\twrite_cache_state = 0\n}\n',
)
def cached_device_names(devices: LvmDevices, toolset: Toolset) -> Iterator[Finding]:
    """A cache of device names survives a change of the filter."""
    drbd = any("drbd" in pattern for pattern in devices.filter or ())
    if drbd and devices.write_cache_state and toolset.has("lvm", until=CLVMD_UNTIL):
        yield Finding(
            "LVM may find the backing device again in its cache of devices",
            field="write_cache_state",
            help="write write_cache_state = 0 and remove /etc/lvm/cache/.cache",
            fix=evolve(devices, write_cache_state=False),
        )


@rule(
    "LVM007",
    Severity.WARNING,
    LvmConf,
    link="lvm.conf(5)",
    bad='global {\n\tlocking_type = 3\n}\nactivation {\n\tvolume_list = [ "vg00" ]\n}\n',
    good="global {\n\tlocking_type = 3\n}\n",
)
def volumes_not_listed(conf: LvmConf, toolset: Toolset) -> Iterator[Finding]:
    """With volume_list, shared volumes that are not in it are not activated."""
    if conf.clvmd and conf.activation and conf.activation.volume_list:
        yield Finding(
            "clvmd activates only volumes that volume_list names",
            at=conf.activation,
            field="volume_list",
            help="leave volume_list out, or name the shared group in it",
        )


@rule(
    "LVM008",
    Severity.WARNING,
    ClvmdSysconfig,
    link="clvmd(8)",
    bad='CLVMDOPTS="-T30"\n',
    good='CLVMDOPTS="-I cman -T30"\n',
)
def stack_guessed(clvmd: ClvmdSysconfig, toolset: Toolset) -> Iterator[Finding]:
    """clvmd that guesses the cluster stack may take another, and cman down with it."""
    if clvmd.cluster_stack in ("", "auto"):
        yield Finding(
            "clvmd guesses which cluster manager runs, and may guess wrong",
            field="options",
            help='write CLVMDOPTS="-I cman"',
            fix=evolve(clvmd, options=("-I", "cman", *_without_stack(clvmd))),
        )


def _without_stack(clvmd: ClvmdSysconfig) -> tuple[str, ...]:
    return tuple(
        word for word in clvmd.options or () if not word.startswith("-I") and word != "auto"
    )


@rule(
    "LVM009",
    Severity.WARNING,
    LvmDevices,
    link=UG84,
    bad='devices {\n\tfilter = [ "a|drbd|", "r|.*|" ]\n}\n',
    good='devices {\n\tfilter = [ "a|^/dev/drbd.*|", "r|.*|" ]\n}\n',
)
def unanchored_pattern(devices: LvmDevices, toolset: Toolset) -> Iterator[Finding]:
    """A pattern without ^ matches anywhere in a name, and any symbolic link is a name."""
    for name, patterns in _filters(devices):
        loose = [pattern.text for pattern in patterns if pattern.accept and not pattern.anchored]
        if loose:
            yield Finding(
                f"{loose[0]!r} matches anywhere in a name, also in a link to a backing device",
                field=name,
                help=f"begin it with ^, like {SAFE_FILTER}",
            )


@rule(
    "LVM011",
    Severity.WARNING,
    LvmDevices,
    link="lvm2 lib/filters/filter-regex.c",
    bad='devices {\n\tfilter = [ "a|^/dev/drbd.*|", "a|^/dev/sda.*|" ]\n}\n',
    good='devices {\n\tfilter = [ "a|^/dev/drbd.*|", "r|.*|" ]\n}\n',
)
def nothing_rejected(devices: LvmDevices, toolset: Toolset) -> Iterator[Finding]:
    """A device that no pattern matches is accepted."""
    for name, patterns in _filters(devices):
        names_some = any(pattern.accept and pattern.regex != ".*" for pattern in patterns)
        if names_some and not any(not pattern.accept for pattern in patterns):
            yield Finding(
                "it names devices to accept, yet every other device is accepted as well",
                field=name,
                help='end it with "r|.*|"',
                fix=_rejecting(devices, name),
            )


def _rejecting(devices: LvmDevices, name: str) -> LvmDevices:
    if name == "filter":
        return evolve(devices, filter=(*(devices.filter or ()), "r|.*|"))
    return evolve(devices, global_filter=(*(devices.global_filter or ()), "r|.*|"))


def _filters(devices: LvmDevices) -> Iterator[tuple[str, tuple[Pattern, ...]]]:
    """The filters that LVM can read, by field."""
    for name in ("filter", "global_filter"):
        try:
            patterns = tuple(DeviceFilter(getattr(devices, name) or ()).patterns)
        except ValidationError:
            continue
        if patterns:
            yield name, patterns
