# ruff: noqa: E501 - one option, one row
"""Every option of drbd.conf, as data: kind, unit, range and default in each generation.

The one source of truth for the fields of the models, their codecs and the checks. Taken from
`drbdsetup-83 xml`, `drbdsetup-84 xml-help`, `drbdsetup xml-help` (9.22) and drbd-headers of 9.34;
`tests/oracles/test_drbd.py` compares the table with these tools. For what an option does see
drbd.conf(5) of the version.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import attrs

from clusternas.core.versions import Toolset

__all__ = ["GENERATIONS", "OPTIONS", "DrbdOption", "Range", "generation", "option_of", "readable"]

GENERATIONS = ("8.3", "8.4", "9")
"""The generations that differ in what they read."""

YES, NO = "yes", "no"
OF_PEER = frozenset("resync-rate bitmap resync-without-replication peer-tiebreaker".split())
"""Beside c-*, what drbdsetup of 9 calls options of a peer-device."""


def generation(toolset: Toolset) -> str:
    """The generation of a toolset's DRBD; the newest if it is not known.

    Example:
        >>> generation(Toolset.EL6), generation(Toolset.DEBIAN12), generation(Toolset.EL9)
        ('8.3', '8.4', '9')
    """
    if not toolset.has("drbd", since="8.4"):
        return "8.3"
    return "9" if toolset.has("drbd", since="9") else "8.4"


@attrs.frozen
class Range:
    """Smallest and largest value and the default, in the unit of the option."""

    minimum: int
    maximum: int
    default: int


@attrs.frozen(kw_only=True)
class DrbdOption:
    """One option.

    Attributes:
        section: where DRBD 9 reads it.
        name: as DRBD 9 spells it, or the last version that had it.
        kind: `number`, `boolean`, `flag`, `choice`, `string` or `number or choice`. A flag is a
            word alone in every generation; a boolean has been one in 8.3.
        unit: of a bare number; see `Quantity`.
        ranges: per generation that has it, for numbers.
        values: the words of a choice, per generation.
        default: of a boolean or choice.
        since: first version that has it; empty if 8.3 had it.
        until: first version without it; empty if 9 has it.
        limit: most characters of a string in DRBD 9; 0 for no limit.
        old_section: the section of 8.3, if another.
        old_name: the name in 8.3, if another; `no-…` for one that is switched off by a word.
        mid_section: the section of 8.4, if another.
    """

    section: str
    name: str
    kind: str
    unit: str = ""
    ranges: Mapping[str, Range] = attrs.field(factory=dict)
    values: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)
    default: str = ""
    since: str = ""
    until: str = ""
    limit: int = 0
    old_section: str = ""
    old_name: str = ""
    mid_section: str = ""

    @property
    def of_peer(self) -> bool:
        """DRBD 9 has it for each link: how a resync over it goes."""
        return self.section == "disk" and (self.name.startswith("c-") or self.name in OF_PEER)

    @property
    def forgotten(self) -> bool:
        """DRBD 9 does not read it in its old place: fencing, and what belongs to a peer."""
        return self.name == "fencing" or self.of_peer

    @property
    def nine(self) -> str:
        """The first version of DRBD 9 that has it."""
        return self.since if self.since.startswith("9") else "9"

    def place(self, generation: str) -> tuple[str, str] | None:
        """Section and name in a generation, or None where it does not exist."""
        order = GENERATIONS.index(generation)
        if (self.since and GENERATIONS.index(family(self.since)) > order) or (
            self.until and GENERATIONS.index(family(self.until)) <= order
        ):
            return None
        if generation == "8.3":
            return self.old_section or self.section, self.old_name or self.name
        return (self.mid_section if generation == "8.4" else "") or self.section, self.name


def family(version: str) -> str:
    """The generation that a version number belongs to."""
    return version if version in GENERATIONS else "9"


Triple = tuple[int, int, int]


def number(
    section: str,
    name: str,
    triple: Triple,
    unit: str = "",
    *,
    v83: Triple | None = None,
    v84: Triple | None = None,
    since: str = "",
    until: str = "",
    old: str = "",
) -> DrbdOption:
    """A number; `v83` and `v84` where these versions have other bounds."""
    old_section, _, old_name = old.partition(" ")
    given = {"8.3": v83 or triple, "8.4": v84 or triple, "9": triple}
    return DrbdOption(
        section=section,
        name=name,
        kind="number",
        unit=unit,
        ranges={key: Range(*value) for key, value in given.items()},
        since=since,
        until=until,
        old_section=old_section,
        old_name=old_name,
    )


def boolean(
    section: str, name: str, default: str, *, since: str = "", until: str = "", old: str = ""
) -> DrbdOption:
    """Yes or no."""
    old_section, _, old_name = old.partition(" ")
    return DrbdOption(
        section=section,
        name=name,
        kind="boolean",
        default=default,
        since=since,
        until=until,
        old_section=old_section,
        old_name=old_name,
    )


def choice(
    section: str,
    name: str,
    values: str,
    *,
    default: str = "",
    more8: str = "",
    more9: str = "",
    since: str = "",
    until: str = "",
    old: str = "",
    mid: str = "",
) -> DrbdOption:
    """One of some words; the first is the default if none is named."""
    common, eight, nine = values.split(), more8.split(), more9.split()
    return DrbdOption(
        section=section,
        name=name,
        kind="choice",
        values={
            "8.3": (*common, *eight),
            "8.4": (*common, *eight),
            "9": (*common, *nine),
        },
        default=default or common[0],
        since=since,
        until=until,
        old_section=old,
        mid_section=mid,
    )


def string(
    section: str, name: str, *, since: str = "", until: str = "", old: str = "", limit: int = 0
) -> DrbdOption:
    """Any text."""
    old_section, _, old_name = old.partition(" ")
    return DrbdOption(
        section=section,
        name=name,
        kind="string",
        since=since,
        until=until,
        old_section=old_section,
        old_name=old_name,
        limit=limit,
    )


def flag(section: str, name: str, *, since: str = "") -> DrbdOption:
    """A word alone, in every generation."""
    return DrbdOption(section=section, name=name, kind="flag", default=NO, since=since)


def count_or(section: str, name: str, values: str, high: int, *, since: str) -> DrbdOption:
    """A number of nodes, or one of some words, the first of which is the default."""
    words = tuple(values.split())
    return DrbdOption(
        section=section,
        name=name,
        kind="number or choice",
        ranges={"9": Range(1, high, 0)},
        values={"9": words},
        default=words[0],
        since=since,
    )


KIB, SECTORS, DS, S = "KiB/s", "sectors", "1/10 s", "s"
MAX_RATE = 4194304
STRIPES = " ".join(f"{size}-striping" for size in ("32K", "64K", "128K", "256K", "512K", "1M"))
ASB = "disconnect discard-younger-primary discard-older-primary discard-zero-changes"

# fmt: off
_ROWS = (
    # net: the link
    choice("net", "protocol", "A B C", default="C", old="resource"),
    string("net", "transport", since="9", limit=63),
    number("net", "timeout", (1, 600, 60), DS),
    number("net", "ping-timeout", (1, 300, 5), DS, v83=(1, 100, 5)),
    number("net", "connect-int", (1, 120, 10), S),
    number("net", "ping-int", (1, 120, 10), S),
    number("net", "max-epoch-size", (1, 20000, 2048)),
    number("net", "max-buffers", (32, 131072, 2048)),
    number("net", "unplug-watermark", (1, 131072, 128), until="9"),
    number("net", "ko-count", (0, 200, 7), v83=(0, 200, 0)),
    number("net", "sndbuf-size", (0, 10485760, 0), "bytes"),
    number("net", "rcvbuf-size", (0, 10485760, 0), "bytes"),
    boolean("net", "allow-two-primaries", NO),
    boolean("net", "always-asbp", NO),
    string("net", "cram-hmac-alg", limit=63),
    string("net", "shared-secret", limit=63),
    string("net", "data-integrity-alg", limit=63),
    string("net", "verify-alg", old="syncer", limit=63),
    string("net", "csums-alg", old="syncer", limit=63),
    boolean("net", "csums-after-crash-only", NO, since="8.4"),
    boolean("net", "use-rle", YES, old="syncer use-rle"),
    choice("net", "after-sb-0pri", f"{ASB} discard-least-changes discard-local discard-remote"),
    choice("net", "after-sb-1pri", "disconnect consensus discard-secondary call-pri-lost-after-sb violently-as0p"),
    choice("net", "after-sb-2pri", "disconnect call-pri-lost-after-sb violently-as0p"),
    choice("net", "rr-conflict", "disconnect call-pri-lost violently", more9="retry-connect auto-discard"),
    boolean("net", "tcp-cork", YES, old="net no-tcp-cork"),
    choice("net", "on-congestion", "block pull-ahead disconnect"),
    number("net", "congestion-fill", (0, 20971520, 0), SECTORS),
    number("net", "congestion-extents", (67, 65534, 1237), v83=(7, 3833, 127)),
    number("net", "socket-check-timeout", (0, 300, 0), since="8.4"),
    choice("net", "fencing", "dont-care resource-only resource-and-stonith", old="disk", mid="disk"),
    boolean("net", "allow-remote-read", YES, since="9"),
    boolean("net", "tls", NO, since="9.2"),
    string("net", "tls-keyring", since="9.2"),
    string("net", "tls-privkey", since="9.2"),
    string("net", "tls-certificate", since="9.2"),
    boolean("net", "load-balance-paths", NO, since="9.2"),
    number("net", "rdma-ctrl-rcvbuf-size", (0, 10485760, 0), "bytes", since="9.2"),
    number("net", "rdma-ctrl-sndbuf-size", (0, 10485760, 0), "bytes", since="9.2"),
    # disk: the backing device, and the resync of it
    number("disk", "size", (0, 2199023255552, 0), SECTORS, v83=(0, 34359738368, 0)),
    choice("disk", "on-io-error", "pass_on call-local-io-error detach", default="detach", more8="panic"),
    boolean("disk", "disk-barrier", NO, old="disk no-disk-barrier"),
    boolean("disk", "disk-flushes", YES, old="disk no-disk-flushes"),
    boolean("disk", "disk-drain", YES, old="disk no-disk-drain"),
    boolean("disk", "md-flushes", YES, old="disk no-md-flushes"),
    boolean("disk", "use-bmbv", NO, until="9"),
    number("disk", "max-bio-bvecs", (0, 128, 0), until="9"),
    number("disk", "disk-timeout", (0, 6000, 0), DS),
    string("disk", "resync-after", old="syncer after"),
    number("disk", "al-extents", (67, 65534, 1237), v83=(7, 3833, 127), old="syncer al-extents"),
    boolean("disk", "al-updates", YES, since="8.4"),
    boolean("disk", "discard-zeroes-if-aligned", YES, since="8.4"),
    boolean("disk", "disable-write-same", NO, since="8.4"),
    choice("disk", "read-balancing",
           f"prefer-local prefer-remote round-robin least-pending when-congested-remote {STRIPES}", since="8.4"),
    number("disk", "rs-discard-granularity", (0, 1048576, 0), "bytes", since="8.4"),
    number("disk", "resync-rate", (1, 8388608, 250), KIB, v83=(1, MAX_RATE, 250), v84=(1, MAX_RATE, 250), old="syncer rate"),
    number("disk", "c-plan-ahead", (0, 300, 20), DS, v83=(0, 300, 0), old="syncer c-plan-ahead"),
    number("disk", "c-delay-target", (1, 100, 10), DS, old="syncer c-delay-target"),
    number("disk", "c-fill-target", (0, 1048576, 100), SECTORS, v83=(0, 1048576, 0), old="syncer c-fill-target"),
    number("disk", "c-max-rate", (0, MAX_RATE, 102400), KIB, v83=(250, MAX_RATE, 102400), v84=(250, MAX_RATE, 102400),
           old="syncer c-max-rate"),
    number("disk", "c-min-rate", (0, MAX_RATE, 250), KIB, v83=(0, MAX_RATE, 4096), old="syncer c-min-rate"),
    boolean("disk", "bitmap", YES, since="9"),
    number("disk", "max-bio-size", (512, 1048576, 1048576), "bytes", since="9.2"),
    boolean("disk", "diskless", NO, since="9.2"),
    number("disk", "block-size", (512, 4096, 512), "bytes", since="9.2"),
    number("disk", "discard-granularity", (0, 134217728, 4294967295), "bytes", since="9.2"),
    boolean("disk", "resync-without-replication", YES, since="9.2"),
    boolean("disk", "peer-tiebreaker", YES, since="9.2"),
    # options: the resource
    string("options", "cpu-mask", old="syncer"),
    choice("options", "on-no-data-accessible", "io-error suspend-io", old="syncer"),
    boolean("options", "auto-promote", YES, since="9"),
    number("options", "auto-promote-timeout", (0, 600, 20), DS, since="9"),
    number("options", "peer-ack-window", (2048, 204800, 4096), SECTORS, since="9"),
    number("options", "peer-ack-delay", (1, 10000, 100), "ms", since="9"),
    number("options", "twopc-timeout", (50, 600, 300), DS, since="9"),
    number("options", "twopc-retry-timeout", (1, 50, 1), DS, since="9"),
    number("options", "max-io-depth", (4, 4294967295, 8000), since="9"),
    count_or("options", "quorum", "off majority all", 32, since="9"),
    choice("options", "on-no-quorum", "suspend-io io-error", since="9"),
    count_or("options", "quorum-minimum-redundancy", "off majority all", 32, since="9"),
    choice("options", "on-suspended-primary-outdated", "disconnect force-secondary", since="9"),
    boolean("options", "drbd8-api-compatibility", NO, since="9.2"),
    # startup: waiting at boot
    number("startup", "wfc-timeout", (0, 300000, 0), S),
    number("startup", "degr-wfc-timeout", (0, 300000, 0), S),
    number("startup", "outdated-wfc-timeout", (0, 300000, 0), S),
    boolean("startup", "wait-after-sb", NO),
    flag("startup", "stacked-timeouts"),
    # handlers: programs the kernel module calls
    string("handlers", "pri-on-incon-degr"),
    string("handlers", "pri-lost-after-sb"),
    string("handlers", "pri-lost"),
    string("handlers", "initial-split-brain"),
    string("handlers", "split-brain"),
    string("handlers", "fence-peer"),
    string("handlers", "unfence-peer", since="8.4"),
    string("handlers", "local-io-error"),
    string("handlers", "before-resync-target"),
    string("handlers", "after-resync-target"),
    string("handlers", "before-resync-source"),
    string("handlers", "out-of-sync"),
    string("handlers", "quorum-lost", since="9"),
    string("handlers", "disconnected", since="9"),
    # global
    choice("global", "usage-count", "ask yes no"),
    number("global", "minor-count", (1, 255, 32), v83=(1, 256, 32)),
    number("global", "dialog-refresh", (0, 600, 1), S),
    flag("global", "disable-ip-verification"),
    flag("global", "udev-always-use-vnr", since="8.4"),
    number("global", "cmd-timeout-short", (0, 900, 5), S, since="8.4"),
    number("global", "cmd-timeout-medium", (0, 900, 121), S, since="8.4"),
    number("global", "cmd-timeout-long", (0, 900, 600), S, since="8.4"),
    # proxy: DRBD Proxy, an external program
    number("proxy", "memlimit", (0, 2**63 - 1, 0), "bytes"),
    number("proxy", "read-loops", (0, 2**63 - 1, 0)),
    DrbdOption(section="proxy", name="compression", kind="number or choice",
               ranges=dict.fromkeys(GENERATIONS, Range(0, 2**63 - 1, 0)),
               values={"8.3": ("on", "off"), "8.4": ("on", "off"), "9": ()}),
    number("proxy", "bwlimit", (0, 2**63 - 1, 0), "bytes", since="8.4"),
    number("proxy", "sndbuf-size", (0, 10485760, 0), "bytes"),
    number("proxy", "rcvbuf-size", (0, 10485760, 0), "bytes"),
    number("proxy", "ping-timeout", (1, 300, 5), DS, v83=(1, 100, 5)),
)
# fmt: on

OPTIONS: Mapping[tuple[str, str], DrbdOption] = {(row.section, row.name): row for row in _ROWS}
"""Every option by section and name."""


@lru_cache(maxsize=len(GENERATIONS))
def readable(generation: str) -> Mapping[tuple[str, str], DrbdOption]:
    """Section and name of everything that a generation reads, the spellings of older ones included."""
    found: dict[tuple[str, str], DrbdOption] = {}
    for row in _ROWS:
        here = row.place(generation)
        if here is None:
            continue
        found[here] = row
        if row.name == "fence-peer":
            found["handlers", "outdate-peer"] = row
        if generation != "8.3" and not (generation == "9" and row.forgotten):
            found.setdefault((row.old_section or row.section, row.old_name or row.name), row)
        if generation == "9" and row.kind == "boolean":
            found[row.section, f"no-{row.name}"] = row
    return found


def option_of(section: str, name: str, generation: str) -> DrbdOption | None:
    """The option that a generation reads under this name in this section, or None.

    Example:
        >>> option_of("syncer", "rate", "8.4").name
        'resync-rate'
    """
    return readable(generation).get((section, name))
