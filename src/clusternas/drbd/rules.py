"""Checks of DRBD files alone; those that need other files too are in `nas.rules`.

Beside these, DRBD000 reports what the grammar does not allow (also an unclosed section, which every
drbdadm takes without a word), 900 words that cannot be read (an address that is a host name), 902
values out of range and 903 options that the toolset does not have.
"""

from __future__ import annotations

from collections.abc import Iterator

from attrs import evolve

from clusternas.core.diagnostics import Finding, Severity, rule
from clusternas.core.versions import Toolset
from clusternas.drbd.inherit import Effective, effective
from clusternas.drbd.model import DrbdResource
from clusternas.drbd.quantity import Quantity
from clusternas.drbd.sections import DrbdDisk, DrbdNet
from clusternas.drbd.textrules import MAN, pair

UG = "https://linbit.com/drbd-user-guide/users-guide-drbd-8-4/"
SAFE_RECOVERY = {
    "after_sb_0pri": ("disconnect", "discard-zero-changes"),
    "after_sb_1pri": ("disconnect", "consensus", "discard-secondary"),
    "after_sb_2pri": ("disconnect",),
}


HANDLERS = 'handlers { fence-peer "/sbin/fence"; unfence-peer "/sbin/unfence"; }'


def _at(counts: Effective, name: str, message: str, help: str) -> Finding:
    """A finding that points at the statement that a value comes from, in `common` too."""
    field = name.partition(".")[2]
    origin = counts.origins.get(name)
    return Finding(
        message, at=origin.model if origin else None, field=field if origin else "", help=help
    )


@rule(
    "DRBD002",
    Severity.ERROR,
    DrbdResource,
    link="ERR_NOT_PROTO_C in the kernel, include/linux/drbd.h",
    bad=pair("net { protocol A; allow-two-primaries yes; }"),
    good=pair("net { protocol C; allow-two-primaries yes; }"),
)
def dual_primary_needs_protocol_c(resource: DrbdResource, _: Toolset) -> Iterator[Finding]:
    """Two primaries need protocol C; the kernel refuses others, no drbdadm does."""
    counts = effective(resource)
    if counts.net.allow_two_primaries and counts.net.protocol not in (None, "C"):
        message = f"{resource.name} allows two primaries with protocol {counts.net.protocol}"
        found = _at(counts, "net.protocol", message, "write protocol C;")
        net = resource.net
        if net is not None and net.protocol is not None:
            found = evolve(found, fix=evolve(resource, net=evolve(net, protocol="C")))
        yield found


@rule(
    "DRBD003",
    Severity.ERROR,
    DrbdResource,
    link="https://lists.linbit.com/pipermail/drbd-user/2014-March/020625.html",
    bad=pair("net { protocol C; allow-two-primaries yes; }"),
    good=pair(f"net {{ allow-two-primaries yes; fencing resource-and-stonith; }} {HANDLERS}"),
)
def dual_primary_needs_fencing(resource: DrbdResource, _: Toolset) -> Iterator[Finding]:
    """Without `fencing resource-and-stonith` both primaries go on writing when the link breaks."""
    counts = effective(resource)
    fencing = counts.net.fencing or "dont-care"
    if counts.net.allow_two_primaries and fencing != "resource-and-stonith":
        yield _at(
            counts,
            "net.allow_two_primaries",
            f"dual-primary without fencing: {resource.name} has fencing {fencing}",
            "write fencing resource-and-stonith; and a fence-peer handler",
        )


@rule(
    "DRBD004",
    Severity.WARNING,
    DrbdResource,
    link=f"{UG}#s-pacemaker-fencing",
    bad=pair("net { fencing resource-only; }"),
    good=pair(f"net {{ fencing resource-only; }} {HANDLERS}"),
)
def fencing_needs_a_handler(resource: DrbdResource, toolset: Toolset) -> Iterator[Finding]:
    """Fencing does nothing without the program that fences."""
    counts = effective(resource)
    fencing, handlers = counts.net.fencing, counts.handlers
    if fencing in (None, "dont-care"):
        return
    if handlers.fence_peer is None:
        message = f"{resource.name} has fencing {fencing} and no fence-peer handler"
        yield _at(counts, "net.fencing", message, 'write handlers { fence-peer "…"; }')
    elif handlers.unfence_peer is None and toolset.has("drbd", since="8.4"):
        message = f"{resource.name} has a fence-peer handler and no unfence-peer handler"
        hint = 'write unfence-peer "…"; or the peer stays outdated after a resync'
        yield _at(counts, "handlers.fence_peer", message, hint)


@rule(
    "DRBD005",
    Severity.WARNING,
    DrbdResource,
    link=f"{UG}#s-automatic-split-brain-recovery-configuration",
    bad=pair("net { allow-two-primaries yes; after-sb-2pri violently-as0p; }"),
    good=pair("net { allow-two-primaries yes; after-sb-2pri disconnect; }"),
)
def automatic_recovery_loses_data(resource: DrbdResource, _: Toolset) -> Iterator[Finding]:
    """After a split brain of two primaries nothing can choose the right data by itself."""
    counts = effective(resource)
    if not counts.net.allow_two_primaries:
        return
    for name, safe in SAFE_RECOVERY.items():
        value = getattr(counts.net, name)
        if value is not None and value not in safe:
            option = name.replace("_", "-")
            message = f"{option} {value} throws data away without asking"
            yield _at(counts, f"net.{name}", message, f"write {option} {safe[-1]};")


@rule(
    "DRBD008",
    Severity.WARNING,
    DrbdNet,
    link=MAN,
    bad=pair("net { shared-secret s3cret; }"),
    good=pair("net { cram-hmac-alg sha1; shared-secret s3cret; }"),
)
def secret_needs_an_algorithm(net: DrbdNet, _: Toolset) -> Iterator[Finding]:
    """A shared secret without `cram-hmac-alg` is never asked for."""
    if net.shared_secret is not None and net.cram_hmac_alg is None:
        yield Finding(
            "shared-secret without cram-hmac-alg",
            field="shared_secret",
            help="write cram-hmac-alg sha256;",
        )


@rule(
    "DRBD009",
    Severity.WARNING,
    DrbdDisk,
    link=MAN,
    bad=pair("disk { resync-rate 30; }"),
    good=pair("disk { resync-rate 30M; }"),
)
def rates_need_a_unit(disk: DrbdDisk, _: Toolset) -> Iterator[Finding]:
    """A rate without a unit is in KiB per second, not in MB as people mean it."""
    for name in ("resync_rate", "c_max_rate", "c_min_rate"):
        value: Quantity | None = getattr(disk, name)
        if value is not None and value.text.isdecimal() and 0 < value.count < 1000:
            option = name.replace("_", "-")
            yield Finding(
                f"{option} {value} is {value} KiB per second",
                field=name,
                help=f"write {option} {value}M;",
            )


@rule(
    "DRBD013",
    Severity.WARNING,
    DrbdResource,
    link="drbdadm_scanner.fl of drbd-utils",
    bad=pair("").replace("10.0.0.1", "10.0.0.300"),
    good=pair(""),
)
def addresses_are_addresses(resource: DrbdResource, _: Toolset) -> Iterator[Finding]:
    """No number of an IPv4 address is above 255, though drbdadm takes it."""
    for host in resource.hosts:
        address = host.address
        if address is None or address.host.count(".") != 3 or ":" in address.host:
            continue
        if any(int(part) > 255 for part in address.host.split(".")):
            yield Finding(
                f"{address.host} is no address", at=host, field="address", help="check it"
            )


@rule(
    "DRBD014",
    Severity.WARNING,
    DrbdResource,
    link="https://github.com/LINBIT/drbd-utils/issues/81",
    bad=pair("on nas03 { device /dev/drbd1; disk /dev/vda3; address 10.0.0.3:7789; }"),
    good=pair(""),
)
def three_hosts_need_connections(resource: DrbdResource, toolset: Toolset) -> Iterator[Finding]:
    """More than two hosts need DRBD 9, a node-id each, and connections."""
    hosts = resource.hosts
    if len(hosts) < 3 or toolset.drbd is not None:
        return
    if not all(host.node_id is not None for host in hosts):
        yield Finding(
            f"{resource.name} has {len(hosts)} hosts, not all with a node-id",
            help="write node-id N; in each, and connection-mesh { hosts …; }",
        )


@rule(
    "DRBD016",
    Severity.WARNING,
    DrbdResource,
    link=MAN,
    bad=pair("protocol C; startup { become-primary-on both; }"),
    good=pair("protocol C;"),
)
def become_primary_needs_two_primaries(
    resource: DrbdResource, toolset: Toolset
) -> Iterator[Finding]:
    """`become-primary-on both` needs `allow-two-primaries`; DRBD 9 ignores it."""
    counts = effective(resource)
    wanted, name = counts.startup.become_primary_on or (), "startup.become_primary_on"
    if wanted and toolset.drbd is not None and toolset.has("drbd", since="9"):
        hint = "use auto-promote, or a cluster manager"
        found = _at(counts, name, "DRBD 9 ignores become-primary-on", hint)
        own = resource.startup
        if own is not None and own.become_primary_on:
            mended = evolve(resource, startup=evolve(own, become_primary_on=None))
            found = evolve(found, fix=mended)
        yield found
    elif "both" in wanted and not counts.net.allow_two_primaries and toolset.drbd is None:
        message = "become-primary-on both without allow-two-primaries"
        found = _at(counts, name, message, "write net { allow-two-primaries; }")
        net = evolve(resource.net or DrbdNet(), allow_two_primaries=True)
        yield evolve(found, fix=evolve(resource, net=net))


@rule(
    "DRBD019",
    Severity.WARNING,
    DrbdDisk,
    link="https://lists.linbit.com/pipermail/drbd-user/2011-November/017183.html",
    bad=pair("disk { c-max-rate 0; }"),
    good=pair("disk { c-max-rate 100M; }"),
)
def c_max_rate_is_a_rate(disk: DrbdDisk, toolset: Toolset) -> Iterator[Finding]:
    """`c-max-rate 0` means no resync at all, and 8.x refuses it."""
    if disk.c_max_rate is not None and disk.c_max_rate.count == 0:
        yield Finding(
            "c-max-rate 0 lets no resync pass", field="c_max_rate", help="write c-max-rate 100M;"
        )


@rule(
    "DRBD020",
    Severity.WARNING,
    DrbdNet,
    link=f"{MAN}, timeout",
    bad=pair("net { timeout 120; }"),
    good=pair("net { timeout 60; }"),
)
def timeout_is_shorter_than_the_intervals(net: DrbdNet, _: Toolset) -> Iterator[Finding]:
    """`timeout` is in tenths of a second, and must be shorter than connect-int and ping-int."""
    timeout = (net.timeout or Quantity(60, "1/10 s")).seconds
    for name in ("connect_int", "ping_int"):
        interval: Quantity = getattr(net, name) or Quantity(10, "s")
        given = net.timeout is not None or getattr(net, name) is not None
        if given and timeout >= interval.seconds:
            option = name.replace("_", "-")
            yield Finding(
                f"timeout is {timeout:g} s, not shorter than {option} ({interval.seconds:g} s)",
                field="timeout" if net.timeout else name,
                help=f"write timeout {max(int(interval.seconds * 10) - 40, 1)};",
            )


@rule(
    "DRBD022",
    Severity.ERROR,
    DrbdResource,
    link="ERR_STONITH_AND_PROT_A in the kernel",
    bad=pair("net { protocol A; fencing resource-and-stonith; }"),
    good=pair(f"net {{ protocol C; fencing resource-and-stonith; }} {HANDLERS}"),
)
def stonith_needs_acknowledged_writes(resource: DrbdResource, _: Toolset) -> Iterator[Finding]:
    """The kernel refuses resource-and-stonith with protocol A, and pull-ahead with another."""
    counts = effective(resource)
    net = counts.net
    if net.fencing == "resource-and-stonith" and net.protocol == "A":
        message = "resource-and-stonith with protocol A"
        yield _at(counts, "net.protocol", message, "write protocol C;")
    if net.on_congestion == "pull-ahead" and net.protocol not in (None, "A"):
        message = f"on-congestion pull-ahead with protocol {net.protocol}"
        yield _at(counts, "net.on_congestion", message, "write protocol A;")


@rule(
    "DRBD024",
    Severity.WARNING,
    DrbdResource,
    link="after_sb_0pri in drbdadm_main.c of 8.4",
    bad=pair("net { after-sb-0pri discard-node-nas03; }"),
    good=pair("net { after-sb-0pri discard-node-nas02; }"),
)
def the_victim_is_a_host(resource: DrbdResource, _: Toolset) -> Iterator[Finding]:
    """`discard-node-NAME` of 8.x: every name that is not the own one discards the peer."""
    counts, prefix = effective(resource), "discard-node-"
    value, hosts = counts.net.after_sb_0pri or "", resource.host_names()
    if value.startswith(prefix) and hosts and value.removeprefix(prefix) not in hosts:
        message = f"after-sb-0pri {value} names no host of {resource.name}"
        yield _at(counts, "net.after_sb_0pri", message, f"one of {', '.join(hosts)}")
