"""What LVM prints for people, typed: pvscan, vgscan, lvscan, lvmlockctl, lvmconfig.

These are the outputs the article looks at; the forms of 2.02 and 2.03 are both read. Sizes are the
rounded ones that are printed; for exact bytes use `clusternas.lvm.status`.
"""

from __future__ import annotations

import re

import attrs

from clusternas.core.command import Output

__all__ = [
    "ConfigCheck",
    "Lock",
    "Lockspace",
    "ScannedLv",
    "ScannedPv",
    "config_check",
    "lockspaces",
    "parse_size",
    "scanned_lvs",
    "scanned_pvs",
    "scanned_vgs",
]

SIZE = re.compile(r"<?(\d+(?:\.\d+)?)\s*([bsBSkmgtpeKMGTPE]?)(i?)B?")
POWERS = {unit: 1024**power for power, unit in enumerate(("b", "k", "m", "g", "t", "p", "e"))}
SECTOR = 512

PV = re.compile(
    r"^[ ]*PV (?P<device>.*?\S)\s+(?:VG (?P<vg>\S+)\s+)?(?P<format>lvm[12])\s+"
    r"\[(?P<size>[^]/]+?)(?: / (?P<free>[^]]+?) free)?\]",
    re.MULTILINE,
)
VG = re.compile(r'^[ ]*Found (?:exported )?volume group "([^"]+)"', re.MULTILINE)
LV = re.compile(
    r"^[ ]*(?P<state>ACTIVE|inactive)\s+(?P<kind>Original|Snapshot|)\s*"
    r"'(?P<path>[^']+)' \[(?P<size>[^]]+)\] (?P<policy>.*\S)",
    re.MULTILINE,
)
GROUP = re.compile(r"VG (?:(?P<vg>\S+) lock_type=(?P<type>\S*) (?P<uuid>\S+)|vg_uuid=.*)")
LOCKSPACE = re.compile(r"LS \S* (\S+)")
LOCK = re.compile(r"LK (?P<kind>GL|VG|LV) (?P<mode>\w+)(?: ver (?P<version>\d+)| (?P<uuid>\S+))?")
PARSE_ERROR = re.compile(r"Parse error at byte (\d+) \(line (\d+)\): (.+)")


@attrs.frozen(kw_only=True)
class ScannedPv:
    """A line of `pvscan`: device, group (empty for none), sizes in bytes as far as printed."""

    device: str
    vg: str = ""
    size: int = 0
    free: int = 0


@attrs.frozen(kw_only=True)
class ScannedLv:
    """A line of `lvscan`: path, whether it is active here, size in bytes as far as printed."""

    path: str
    active: bool
    size: int
    policy: str = "inherit"
    kind: str = ""


@attrs.frozen(kw_only=True)
class Lock:
    """A lock that lvmlockd holds on this node.

    Attributes:
        kind: `GL` global, `VG` or `LV`.
        mode: `ex` exclusive, `sh` shared, `un` none.
        uuid: of the logical volume, for `LV`.
    """

    kind: str
    mode: str
    uuid: str = ""


@attrs.frozen(kw_only=True)
class Lockspace:
    """A lockspace of lvmlockd.

    Attributes:
        name: `lvm_` and the group, or `lvm_global`.
        vg, lock_type, uuid: of the group; empty for the global lock.
        locks: what is held in it.
    """

    name: str = ""
    vg: str = ""
    lock_type: str = ""
    uuid: str = ""
    locks: tuple[Lock, ...] = ()

    def mode(self, lv_uuid: str) -> str:
        """How this node holds a logical volume: `sh`, `ex` or `un`."""
        modes = [lock.mode for lock in self.locks if lock.kind == "LV" and lock.uuid == lv_uuid]
        return modes[0] if modes else "un"


@attrs.frozen(kw_only=True)
class ConfigCheck:
    """What `lvmconfig --validate` says of lvm.conf.

    Attributes:
        valid: LVM takes the file.
        messages: its complaints and warnings, one each.
        line: of a syntax error, from 1; 0 where there is none.
    """

    valid: bool
    messages: tuple[str, ...] = ()
    line: int = 0


def parse_size(shown: str) -> int:
    """A size as LVM shows it to people, in bytes; 0 for what is none.

    Example:
        >>> parse_size("900.00 MiB"), parse_size("<1.14g")
        (943718400, 1224065679)
    """
    found = SIZE.fullmatch(shown.strip())
    if not found:
        return 0
    number, unit = float(found[1]), found[2].lower() or "b"
    return int(number * (SECTOR if unit == "s" else POWERS[unit]))


def scanned_pvs(output: Output) -> tuple[ScannedPv, ...]:
    """Decode `pvscan`."""
    return tuple(
        ScannedPv(
            device=found["device"],
            vg=found["vg"] or "",
            size=parse_size(found["size"]),
            free=parse_size(found["free"] or (found["size"] if not found["vg"] else "")),
        )
        for found in PV.finditer(output.text)
    )


def scanned_vgs(output: Output) -> tuple[str, ...]:
    """Decode `vgscan` to the names of the groups found."""
    return tuple(VG.findall(output.text))


def scanned_lvs(output: Output) -> tuple[ScannedLv, ...]:
    """Decode `lvscan`."""
    return tuple(
        ScannedLv(
            path=found["path"],
            active=found["state"] == "ACTIVE",
            size=parse_size(found["size"]),
            policy=found["policy"],
            kind=found["kind"],
        )
        for found in LV.finditer(output.text)
    )


def lockspaces(output: Output) -> tuple[Lockspace, ...]:
    """Decode `lvmlockctl --info`."""
    found: list[Lockspace] = []
    for line in map(str.rstrip, output.text.splitlines()):
        if group := GROUP.fullmatch(line):
            known = {key: value or "" for key, value in group.groupdict().items()}
            found.append(Lockspace(vg=known["vg"], lock_type=known["type"], uuid=known["uuid"]))
        elif found and (space := LOCKSPACE.fullmatch(line)):
            found[-1] = attrs.evolve(found[-1], name=space[1])
        elif found and (lock := LOCK.fullmatch(line)):
            held = Lock(kind=lock["kind"], mode=lock["mode"], uuid=lock["uuid"] or "")
            found[-1] = attrs.evolve(found[-1], locks=(*found[-1].locks, held))
    return tuple(found)


def config_check(output: Output) -> ConfigCheck:
    """Decode `lvmconfig --validate`: exit code 0 valid, 5 invalid settings, 4 unreadable."""
    messages = [line.strip() for line in output.error_text.splitlines() if line.strip()]
    broken = PARSE_ERROR.search(output.error_text)
    return ConfigCheck(
        valid=output.exit_code == 0,
        messages=tuple(messages),
        line=int(broken[2]) if broken else 0,
    )
