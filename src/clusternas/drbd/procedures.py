"""What takes several commands on several nodes, in the order in which it works.

Each procedure only gives the steps; running them, one after the other, is up to the caller.
"""

from __future__ import annotations

from typing import NamedTuple

from clusternas.core.command import Command
from clusternas.core.errors import ValidationError
from clusternas.core.versions import Toolset
from clusternas.drbd.model import DrbdResource
from clusternas.drbd.status import ResourceStatus

__all__ = ["On", "add_volume", "first_sync", "grow", "recover_split_brain", "replace_disk"]


class On(NamedTuple):
    """A command on a node, and why."""

    node: str
    command: Command[object]
    why: str


def first_sync(
    resource: DrbdResource, good: str, *, blank: bool = False, toolset: Toolset = Toolset.UNKNOWN
) -> tuple[On, ...]:
    """Bring a new resource up for the first time.

    Args:
        resource: with its hosts.
        good: the host whose data counts, and which becomes primary.
        blank: both disks hold nothing yet: declare them equal instead of copying all.
        toolset: of the hosts.

    Example:
        >>> r0 = DrbdResource.parse("resource r0 { on nas01 { } on nas02 { } }")
        >>> [f"{step.node}: {step.command}" for step in first_sync(r0, "nas01")][-1]
        'nas01: drbdadm primary --force r0'
    """
    hosts = _hosts(resource, good)
    steps = [
        On(host, resource.create_md(toolset=toolset), "the disk has no meta data") for host in hosts
    ]
    steps += [On(host, resource.up(), "the device is not there yet") for host in hosts]
    if blank:
        command = resource.new_current_uuid(clear_bitmap=True, toolset=toolset)
        wait = On(good, resource.wait_connect(seconds=60), "the nodes must know each other first")
        steps += [wait, On(good, command, "nothing needs to be copied")]
        return (*steps, On(good, resource.primary(), "somebody must be the first primary"))
    command = resource.primary(overwrite_peer=True, toolset=toolset)
    return (*steps, On(good, command, "the first primary must be named: its data counts"))


def recover_split_brain(
    resource: DrbdResource,
    victim: str,
    statuses: dict[str, ResourceStatus] | None = None,
    *,
    toolset: Toolset = Toolset.UNKNOWN,
) -> tuple[On, ...]:
    """Give up what one node wrote during a split brain, and connect again.

    Whatever uses the device on the victim must be stopped before: file system, volume group.

    Args:
        resource: with its hosts.
        victim: the host whose changes are lost.
        statuses: by host, if known: a survivor that still listens is not connected again.
        toolset: of the hosts.
    """
    hosts = _hosts(resource, victim)
    steps = [On(victim, resource.secondary(), "a primary cannot be overwritten")]
    known = statuses or {}
    if victim in known and not known[victim].stand_alone:
        steps.append(
            On(victim, resource.disconnect(toolset=toolset), "it must connect as the victim")
        )
    command = resource.connect(discard_my_data=True, toolset=toolset)
    steps.append(On(victim, command, _at_stake(victim, hosts, known)))
    given_up = [host for host in hosts if host not in known or known[host].stand_alone]
    steps += [
        On(host, resource.connect(), "it has given the link up")
        for host in given_up
        if host != victim
    ]
    return tuple(steps)


def _at_stake(victim: str, hosts: tuple[str, ...], statuses: dict[str, ResourceStatus]) -> str:
    """What is lost and what is kept, as far as it is known."""
    counts = {host: statuses[host].written_alone for host in hosts if host in statuses}
    lost = counts.pop(victim, None)
    if lost is None:
        told = [f"what {victim} wrote alone is lost"]
    else:
        told = [f"{victim} wrote {lost} KiB alone since the split (in blocks of 4 KiB): lost"]
    told += [f"{host} wrote {kept} KiB: kept" for host, kept in counts.items() if kept is not None]
    return "; ".join(told)


def grow(resource: DrbdResource, node: str) -> tuple[On, ...]:
    """Take the new size after the backing disks have grown on every host; the device stays in use.

    Args:
        resource: with its hosts.
        node: a primary, where the command runs.
    """
    _hosts(resource, node)
    return (On(node, resource.resize(), "both disks are larger than the device"),)


def replace_disk(
    resource: DrbdResource, node: str, *, toolset: Toolset = Toolset.UNKNOWN
) -> tuple[On, ...]:
    """Put a new disk below a resource whose disk has failed; I/O goes on over the peer.

    Args:
        resource: with its hosts.
        node: the host with the new disk, under the name of the old.
        toolset: of the hosts.
    """
    _hosts(resource, node)
    return (
        On(node, resource.detach(toolset=toolset), "the old disk must be let go"),
        On(node, resource.create_md(overwrite=True, toolset=toolset), "the disk has no meta data"),
        On(node, resource.attach(), "it is filled from the peer then"),
    )


def add_volume(
    resource: DrbdResource, number: int, node: str, *, toolset: Toolset = Toolset.UNKNOWN
) -> tuple[On, ...]:
    """Give a resource that is up one more volume; the others stay in use.

    Its disks must hold nothing: they are declared equal, so that no first sync runs. See the user's
    guide of DRBD 8.4, "Adding volumes".

    Args:
        resource: as it is to be, the new volume described on every host; the file must be on
            them already.
        number: of the new volume.
        node: a host, where the volume is declared ready.
        toolset: of the hosts; 8.3 has one device a resource.

    Raises:
        ValidationError: a host has no such volume, or the tools have no volumes.
    """
    hosts = _hosts(resource, node)
    if not toolset.has("drbd", since="8.4"):
        raise ValidationError("DRBD 8.3 has no volumes", hint="describe another resource")
    for host in resource.hosts:
        if number not in [volume.number for volume in host.volumes]:
            raise ValidationError(
                f"{resource.name} has no volume {number} on {host.name}",
                hint="describe it on every host",
            )
    command = resource.new_current_uuid(number, clear_bitmap=True, toolset=toolset)
    return (
        *(
            On(host, resource.create_md(number, toolset=toolset), "the disk has no meta data")
            for host in hosts
        ),
        *(On(host, resource.adjust(), "the device is not there yet") for host in hosts),
        On(node, resource.wait_connect(seconds=60), "the nodes must know each other's volume"),
        On(node, command, "nothing needs to be copied"),
    )


def _hosts(resource: DrbdResource, node: str) -> tuple[str, ...]:
    hosts = resource.host_names()
    if node not in hosts:
        raise ValidationError(
            f"{node!r} is no host of {resource.name}", hint=f"one of {', '.join(hosts)}"
        )
    return hosts
