"""drbdadm on disks: meta data, attaching, and bringing resources up and down."""

from __future__ import annotations

from clusternas.testing.blocks import Disk, Metadata, OtherData, PhysicalVolume
from clusternas.testing.shell import Answer, Exit, said
from clusternas.testing.tools.drbd import connecting, roles, show
from clusternas.testing.tools.drbd.pairing import abort_sync, leave, start_sync
from clusternas.testing.tools.drbd.request import Request
from clusternas.testing.tools.drbd.state import Drbd, Replica, Resource, Volume, usable_size

__all__ = ["adjust", "attach", "create_md", "detach", "down", "reload", "up", "wipe_md"]


def create_md(request: Request) -> Answer:
    """Write fresh meta data; asks before it overwrites older, or where data stand.

    The data stay where they are, but nobody knows any more whether they are good.
    """
    yes = request.has("force") or request.stdin.strip() == b"yes"
    disks = own_disks(request)
    for disk in disks:
        if disk.metadata is None and isinstance(disk.content, OtherData):
            why = f"Found {disk.content.type} filesystem\nDevice size would be truncated"
            raise Exit(40, f"md_offset {disk.size}\n{why}")
        if not yes and (disk.metadata is not None or disk.content is not None):
            raise Exit(1, question(disk), "Operation cancelled.\n")
        request.node.cluster.overwrite(request.node, disk.device, disk.content)
        disk.metadata = Metadata()
    bitmap = sum(disk.size // 1024 - usable_size(disk.size) - 36 for disk in disks)
    return said(MADE, f"initializing bitmap ({bitmap} KB) to all zero")


def own_disks(request: Request) -> list[Disk]:
    """The partitions of the resource here, which nobody may have open."""
    found = []
    for config in request.config.hosts[request.node.name].volumes.values():
        disk = request.node.disks.get(config.disk)
        if disk is None or request.node.claims.get(config.disk):
            missing = f"open({config.disk}) failed: No such file or directory"
            why = missing if disk is None else f"Device '{config.minor}' is configured!"
            called = f"drbdmeta {config.minor} v08 {config.disk} {config.meta} {request.command}"
            raise Exit(20, f"{why}\nCommand '{called}' terminated with exit code 20")
        found.append(disk)
    return found


def question(disk: Disk) -> str:
    """What drbdmeta asks before it writes."""
    if disk.metadata is not None:
        return OVERWRITE.format(disk.device, disk.size - 4096)
    kind = "LVM2 physical volume" if isinstance(disk.content, PhysicalVolume) else "GFS2 filesystem"
    return f"md_offset {disk.size - 4096}\nFound {kind} signature\n{MIGHT}"


MADE = """initializing activity log
Writing meta data...
New drbd meta data block successfully created.
"""
OVERWRITE = """You want me to create a v08 style flexible-size internal meta data block.
There appears to be a v08 flexible-size internal meta data block
already in place on {} at byte offset {}

Do you really want to overwrite the existing meta-data?
stdin not a TTY, not waiting for confirmation"""
MIGHT = """ ==> This might destroy existing data! <==

Do you want to proceed?
stdin not a TTY, not waiting for confirmation"""


def wipe_md(request: Request) -> Answer:
    """Remove the meta data."""
    for disk in own_disks(request):
        disk.metadata = None
    return "Wiping meta data...\nDRBD meta data block successfully wiped out.\n"


def up(request: Request) -> Answer:
    """Attach and connect."""
    drbd = request.node.of(Drbd)
    if request.config.name in drbd.resources:
        return adjust(request)
    volumes = {
        n: Volume(config) for n, config in request.config.hosts[request.node.name].volumes.items()
    }
    drbd.resources[request.config.name] = Resource(request.config, volumes)
    try:
        attach(request)
    except Exit:
        if show.family(request.node) != "8.3":
            del drbd.resources[request.config.name]
        raise
    request.node.cluster.halfway()
    return connecting.connect(request)


def attach(request: Request) -> Answer:
    """Give each volume its disk."""
    for replica in request.replicas:
        path = replica.volume.config.disk
        if replica.attached:
            raise request.refusal(
                10, "Failure: (124) Device is attached to a disk (use detach first)"
            )
        if path not in request.node.disks:
            raise request.refusal(10, "Failure: (104) Can not open backing device.")
        if request.node.claims.get(path):
            raise request.refusal(
                10,
                "Failure: (114) Lower device is already claimed. This usually means it is mounted.",
            )
        if replica.store.metadata is None:
            raise no_metadata(request)
        request.node.claims[path] = f"drbd {request.config.name}"
        open_replica(replica)
    return ""


def no_metadata(request: Request) -> Exit:
    """What each version says of a disk without meta data."""
    if show.family(request.node) == "8.3":
        advice = "\n\n\t==> Use 'drbdadm create-md res' to initialize meta-data area. <=="
        return request.refusal(10, f"Failure: (119) No valid meta-data signature found.{advice}\n")
    return Exit(
        1, "No valid meta data found\nCommand 'drbdmeta apply-al' terminated with exit code 255"
    )


def open_replica(replica: Replica) -> None:
    """The state of a disk just attached; a connected peer may have newer data."""
    meta = replica.meta
    replica.volume.disk = (
        "Inconsistent" if not meta.consistent else "Outdated" if meta.outdated else "UpToDate"
    )
    peer = replica.partner()
    if peer is not None and peer.attached and peer.meta.generation != meta.generation:
        peer.volume.changed = False
        start_sync(peer, replica)


def detach(request: Request) -> Answer:
    """Take the disks away; a Primary goes on through its peer."""
    for replica in request.replicas:
        peer = replica.partner()
        alone = peer is None or peer.volume.disk != "UpToDate"
        if request.resource.role == "Primary" and alone and not request.has("force"):
            raise request.refusal(17, "State change failed: (-2) Need access to UpToDate data")
        if replica.attached:
            abort_sync(replica)
            replica.volume.disk = "Diskless"
            request.node.claims.pop(replica.volume.config.disk, None)
            if peer is not None and peer.resource.role == "Primary":
                peer.begin_generation()
    return ""


def down(request: Request) -> Answer:
    """Disconnect, detach, forget."""
    drbd = request.node.of(Drbd)
    if request.config.name not in drbd.resources:
        return ""
    if request.resource.role == "Primary":
        roles.secondary(request)
    leave(request.node, request.resource)
    for volume in request.resource.volumes.values():
        request.node.claims.pop(volume.config.disk, None)
    del drbd.resources[request.config.name]
    return ""


def adjust(request: Request) -> Answer:
    """Make what runs agree with the files."""
    drbd = request.node.of(Drbd)
    if request.config.name not in drbd.resources:
        return up(request)
    request.resource.config = request.config
    if any(not replica.attached for replica in request.replicas):
        attach(request)
    return connecting.connect(request) if request.resource.connection == "StandAlone" else ""


def reload(request: Request) -> Answer:
    """Take the options of the files over; disks and links stay as they are."""
    request.resource.config = request.config
    return ""
