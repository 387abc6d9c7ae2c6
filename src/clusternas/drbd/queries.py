"""The commands of drbdadm, drbdsetup and drbd-overview that only ask."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import attrs

from clusternas.core.command import Command, Effect, Output, text
from clusternas.core.versions import Toolset
from clusternas.drbd.answers import (
    DrbdVersion,
    decode_cstate,
    decode_dstate,
    decode_names,
    decode_role,
    decode_version,
)
from clusternas.drbd.call import QUICK, adm, old, target
from clusternas.drbd.events import decode_events
from clusternas.drbd.proc import ProcDrbd, decode_overview, decode_proc, decode_status_xml
from clusternas.drbd.status import (
    ConnectionState,
    DiskState,
    DrbdStatus,
    ResourceStatus,
    Role,
    decode_resource,
)
from clusternas.drbd.statusjson import RunningResource, decode_show, decode_status_json
from clusternas.drbd.statustext import decode_status, decode_status_of_all

__all__ = [
    "counters",
    "cstate",
    "dstate",
    "dump",
    "dump_xml",
    "events_now",
    "overview",
    "proc_drbd",
    "resource_status",
    "resources",
    "role",
    "show",
    "status",
    "status_json",
    "status_xml",
    "version",
]


SOME_DOWN = 10


def status(resource: str = "", *, toolset: Toolset = Toolset.UNKNOWN) -> Command[DrbdStatus]:
    """The status of all resources that are up, or of one: `drbdadm status`.

    Where the module is 8.4, drbd-utils must be 8.9.3 or newer; DRBD 8.3 answers in XML. Ask for the
    value: with the module of 8.4 the command ends with 10 both where a resource is down, which is
    no failure, and where its configuration is wrong.
    """
    if resource:
        decode = decode_status_xml if old(toolset) else decode_status
        return adm("status", target(resource), decode=decode, effect=Effect.READ)
    if old(toolset):
        return status_xml()
    command = adm("status", "", decode=decode_status_of_all, effect=Effect.READ)
    return attrs.evolve(command, ok=(0, SOME_DOWN))


def resource_status(
    resource: str,
    hosts: tuple[str, ...] = (),
    local: str = "",
    *,
    toolset: Toolset = Toolset.UNKNOWN,
) -> Command[ResourceStatus]:
    """The status of one resource, whose hosts are known: `drbdadm status r0`.

    Args:
        resource: which.
        hosts: its hosts, by whose names a nameless peer is found.
        local: the host that is asked, if known.
        toolset: whose form of output.
    """
    form = decode_status_xml if old(toolset) else decode_status
    decode = partial(decode_resource, decode=form, name=resource, hosts=hosts, local=local)
    return adm("status", target(resource), decode=decode, effect=Effect.READ)


def status_json() -> Command[DrbdStatus]:
    """The status of all resources with every counter; DRBD 9: `drbdsetup status --json`."""
    argv = ("drbdsetup", "status", "--json")
    return Command(argv, decode_status_json, effect=Effect.READ, timeout=QUICK)


def status_xml() -> Command[DrbdStatus]:
    """The status of all resources, from DRBD 8.3: `drbdadm status`."""
    return adm("status", "", decode=decode_status_xml, effect=Effect.READ)


def overview() -> Command[DrbdStatus]:
    """The status of all devices, from DRBD 8.3 and 8.4: `drbd-overview`."""
    return Command(("drbd-overview",), decode_overview, effect=Effect.READ, timeout=QUICK)


def proc_drbd(names: tuple[tuple[int, str, int], ...] = ()) -> Command[ProcDrbd]:
    """What the kernel says, 8.3 and 8.4: `cat /proc/drbd`.

    Args:
        names: minor, resource and volume number of the devices, as the configuration has them.
    """
    decode = partial(decode_proc, names={minor: (name, number) for minor, name, number in names})
    return Command(("cat", "/proc/drbd"), decode, effect=Effect.READ, timeout=QUICK)


def events_now() -> Command[DrbdStatus]:
    """The status as events, with counters, 8.4 and 9: `drbdsetup events2 --now --statistics`."""
    argv = ("drbdsetup", "events2", "--now", "--statistics")
    return Command(argv, decode_events, effect=Effect.READ, timeout=QUICK)


def counters(
    names: tuple[tuple[int, str, int], ...] = (), *, toolset: Toolset = Toolset.UNKNOWN
) -> Command[DrbdStatus]:
    """The status with what differs from a peer that is away, which `drbdadm status` does not tell.

    8.3 has it in /proc/drbd, later ones in `drbdsetup events2`; the latter does not say how far a
    resync has come, so it is no substitute for `status`.

    Args:
        names: as of `proc_drbd`; only 8.3 needs them.
        toolset: whose form of output.
    """
    if not old(toolset):
        return events_now()
    proc = proc_drbd(names)
    return Command(
        proc.argv, partial(_proc_status, decode=proc.decode), effect=proc.effect, timeout=QUICK
    )


def _proc_status(output: Output, *, decode: Callable[[Output], ProcDrbd]) -> DrbdStatus:
    return decode(output).status


def show() -> Command[tuple[RunningResource, ...]]:
    """The configuration as the kernel runs it; DRBD 9: `drbdsetup show --json`."""
    argv = ("drbdsetup", "show", "--json")
    return Command(argv, decode_show, effect=Effect.READ, timeout=QUICK)


def role(resource: str) -> Command[tuple[Role, ...]]:
    """The role here, and with DRBD 8 the peer's: `drbdadm role r0`."""
    return adm("role", target(resource), decode=decode_role, effect=Effect.READ)


def cstate(resource: str) -> Command[tuple[ConnectionState, ...]]:
    """The state of each link: `drbdadm cstate r0`."""
    return adm("cstate", target(resource), decode=decode_cstate, effect=Effect.READ)


def dstate(resource: str) -> Command[tuple[tuple[DiskState, ...], ...]]:
    """The disk states of each volume, ours first: `drbdadm dstate r0`."""
    return adm("dstate", target(resource), decode=decode_dstate, effect=Effect.READ)


def dump(resource: str = "all") -> Command[str]:
    """The configuration as drbdadm understands it: `drbdadm dump r0`. It shows shared secrets."""
    return adm("dump", target(resource), decode=text, effect=Effect.READ)


def dump_xml(resource: str = "all") -> Command[str]:
    """The configuration as XML: `drbdadm dump-xml r0`. It shows shared secrets."""
    return adm("dump-xml", target(resource), decode=text, effect=Effect.READ)


def resources() -> Command[tuple[str, ...]]:
    """The names of the resources of this host: `drbdadm sh-resources`."""
    return adm("sh-resources", "", decode=decode_names, effect=Effect.READ)


def version() -> Command[DrbdVersion]:
    """Versions of drbd-utils and of the loaded module: `drbdadm --version`."""
    return adm("--version", "", decode=decode_version, effect=Effect.READ)
