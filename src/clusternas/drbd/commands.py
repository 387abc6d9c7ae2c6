"""The commands of drbdadm and drbdsetup, in the spelling of each generation.

8.3 takes options for drbdsetup before the verb (`drbdadm -- --discard-my-data connect r0`), 8.4 and
9 after it (`drbdadm connect --discard-my-data r0`). A toolset of unknown version gets the newer
spelling. Those that only ask are in `queries` and can be had from here too.
Checked with `drbdadm -d` of 8.3, 8.4 and 9.22; see drbdadm(8).
"""

from __future__ import annotations

from clusternas.core.command import Command, Effect, text
from clusternas.core.errors import UnsupportedError, ValidationError
from clusternas.core.versions import Toolset
from clusternas.drbd.call import DAY, SLOW, adm, need, old, size, target
from clusternas.drbd.queries import (
    counters,
    cstate,
    dstate,
    dump,
    dump_xml,
    events_now,
    overview,
    proc_drbd,
    resource_status,
    resources,
    role,
    show,
    status,
    status_json,
    status_xml,
    version,
)

__all__ = [
    "adjust",
    "apply_al",
    "attach",
    "check_resize",
    "connect",
    "counters",
    "create_md",
    "cstate",
    "detach",
    "disconnect",
    "disk_options",
    "down",
    "dstate",
    "dump",
    "dump_md",
    "dump_xml",
    "events_now",
    "forget_peer",
    "get_gi",
    "invalidate",
    "invalidate_remote",
    "net_options",
    "new_current_uuid",
    "outdate",
    "overview",
    "pause_sync",
    "peer_device_options",
    "primary",
    "proc_drbd",
    "resize",
    "resource_options",
    "resource_status",
    "resources",
    "resume_io",
    "resume_sync",
    "role",
    "secondary",
    "show",
    "show_gi",
    "status",
    "status_json",
    "status_xml",
    "suspend_io",
    "syncer",
    "target",
    "up",
    "verify",
    "version",
    "wait_connect",
    "wait_sync",
    "wipe_md",
]


# --- starting and stopping ---------------------------------------------------------------------


def up(resource: str) -> Command[str]:
    """Attach the disk, make the device and connect: `drbdadm up r0`."""
    return adm("up", target(resource), decode=text, timeout=SLOW)


def down(resource: str) -> Command[str]:
    """Disconnect, detach and remove the device: `drbdadm down r0`; fails while it is in use."""
    return adm("down", target(resource), decode=text, timeout=SLOW)


def adjust(resource: str) -> Command[str]:
    """Bring the kernel in line with the configuration file: `drbdadm adjust r0`."""
    return adm("adjust", target(resource), decode=text, timeout=SLOW)


def attach(resource: str, volume: int | None = None) -> Command[str]:
    """Attach the backing disk: `drbdadm attach r0`."""
    return adm("attach", target(resource, volume), decode=text, timeout=SLOW)


def detach(
    resource: str,
    volume: int | None = None,
    *,
    force: bool = False,
    toolset: Toolset = Toolset.UNKNOWN,
) -> Command[str]:
    """Detach the backing disk; I/O goes on over the peer: `drbdadm detach r0`.

    Args:
        resource: what.
        volume: one volume only.
        force: do not wait for I/O to a disk that answers no more.
        toolset: whose spelling.
    """
    options = ("--force",) if force else ()
    return adm(
        "detach", target(resource, volume), *options, toolset=toolset, decode=text, timeout=SLOW
    )


def connect(
    resource: str,
    peer: str = "",
    *,
    discard_my_data: bool = False,
    toolset: Toolset = Toolset.UNKNOWN,
) -> Command[str]:
    """Connect to the peer: `drbdadm connect r0`.

    Args:
        resource: what.
        peer: one peer only; DRBD 9.
        discard_my_data: this node is the victim of a split brain: what it wrote since is lost.
        toolset: whose spelling.
    """
    if peer:
        need("connect to one peer", toolset, "9")
    option = "--discard-my-data" if discard_my_data else ""
    return adm(
        "connect",
        target(resource, peer=peer),
        *filter(None, (option,)),
        toolset=toolset,
        decode=text,
        effect=Effect.DESTROY if discard_my_data else Effect.CHANGE,
        shown=option,
    )


def disconnect(
    resource: str, peer: str = "", *, force: bool = False, toolset: Toolset = Toolset.UNKNOWN
) -> Command[str]:
    """Take the link down: `drbdadm disconnect r0`."""
    if peer:
        need("disconnect from one peer", toolset, "9")
    options = ("--force",) if force else ()
    return adm("disconnect", target(resource, peer=peer), *options, toolset=toolset, decode=text)


# --- roles -------------------------------------------------------------------------------------


def primary(
    resource: str, *, overwrite_peer: bool = False, toolset: Toolset = Toolset.UNKNOWN
) -> Command[str]:
    """Become primary: `drbdadm primary r0`.

    Two nodes asked at the same moment can refuse each other (exit code 11): ask one by one.

    Args:
        resource: what.
        overwrite_peer: make the data here the good data, whatever the peer has; the formal first
            primary of a new resource. `--force`, in 8.3 `--overwrite-data-of-peer`.
        toolset: whose spelling.
    """
    if not overwrite_peer:
        return adm("primary", target(resource), decode=text, timeout=SLOW)
    option = "--overwrite-data-of-peer" if old(toolset) else "--force"
    return adm(
        "primary",
        target(resource),
        option,
        toolset=toolset,
        decode=text,
        effect=Effect.DESTROY,
        timeout=SLOW,
        shown="--force",
    )


def secondary(resource: str) -> Command[str]:
    """Become secondary: `drbdadm secondary r0`; exit code 11 while the device is in use."""
    return adm("secondary", target(resource), decode=text, timeout=SLOW)


# --- meta data ---------------------------------------------------------------------------------


def create_md(
    resource: str,
    volume: int | None = None,
    *,
    overwrite: bool = False,
    max_peers: int | None = None,
    toolset: Toolset = Toolset.UNKNOWN,
) -> Command[str]:
    """Write new meta data on the backing disk: `drbdadm create-md r0`.

    It asks on the terminal when it finds meta data or a file system, and fails where there is none.

    Args:
        resource: what.
        volume: one volume only.
        overwrite: do not ask: old meta data and file systems go.
        max_peers: room for so many peers, 1 to 31; DRBD 9.
        toolset: whose spelling.
    """
    options = ["--force"] if overwrite else []
    if max_peers is not None:
        need("create-md --max-peers", toolset, "9")
        if not 1 <= max_peers <= 31:
            raise ValidationError(f"not a number of peers: {max_peers}", hint="1 to 31")
        options.append(f"--max-peers={max_peers}")
    return adm(
        "create-md",
        target(resource, volume),
        *options,
        toolset=toolset,
        decode=text,
        effect=Effect.DESTROY,
        timeout=SLOW,
    )


def wipe_md(resource: str, volume: int | None = None) -> Command[str]:
    """Remove the meta data from the backing disk: `drbdadm wipe-md r0`."""
    return adm(
        "wipe-md", target(resource, volume), decode=text, effect=Effect.DESTROY, timeout=SLOW
    )


def dump_md(resource: str, volume: int | None = None) -> Command[str]:
    """The meta data as text; the device must be down: `drbdadm dump-md r0`."""
    return adm("dump-md", target(resource, volume), decode=text, effect=Effect.READ, timeout=SLOW)


def apply_al(
    resource: str, volume: int | None = None, *, toolset: Toolset = Toolset.UNKNOWN
) -> Command[str]:
    """Apply the activity log to the bitmap, offline: `drbdadm apply-al r0`."""
    need("apply-al", toolset, "8.4")
    return adm("apply-al", target(resource, volume), decode=text, timeout=SLOW)


def new_current_uuid(
    resource: str,
    volume: int | None = None,
    *,
    clear_bitmap: bool = False,
    toolset: Toolset = Toolset.UNKNOWN,
) -> Command[str]:
    """Begin a new data generation: `drbdadm new-current-uuid r0`.

    Args:
        resource: what.
        volume: one volume only.
        clear_bitmap: declare the disks of a new, connected pair equal, so that no first sync runs.
            What differs on them stays different.
        toolset: whose spelling.
    """
    option = "--clear-bitmap" if clear_bitmap else ""
    return adm(
        "new-current-uuid",
        target(resource, volume),
        *filter(None, (option,)),
        toolset=toolset,
        decode=text,
        effect=Effect.DESTROY if clear_bitmap else Effect.CHANGE,
        shown=option,
    )


def get_gi(resource: str) -> Command[str]:
    """The generation identifiers on one line: `drbdadm get-gi r0`."""
    return adm("get-gi", target(resource), decode=text, effect=Effect.READ)


def show_gi(resource: str) -> Command[str]:
    """The generation identifiers, explained: `drbdadm show-gi r0`."""
    return adm("show-gi", target(resource), decode=text, effect=Effect.READ)


def forget_peer(resource: str, peer: str, *, toolset: Toolset = Toolset.UNKNOWN) -> Command[str]:
    """Remove every trace of a peer from the meta data: `drbdadm forget-peer r0:nas03`."""
    need("forget-peer", toolset, "9")
    return adm("forget-peer", target(resource, peer=peer), decode=text, effect=Effect.DESTROY)


# --- synchronization ---------------------------------------------------------------------------


def invalidate(resource: str, volume: int | None = None) -> Command[str]:
    """Throw the data here away and get the peer's: `drbdadm invalidate r0`."""
    return adm("invalidate", target(resource, volume), decode=text, effect=Effect.DESTROY)


def invalidate_remote(resource: str, volume: int | None = None) -> Command[str]:
    """Throw the peer's data away and send ours: `drbdadm invalidate-remote r0`."""
    operand = target(resource, volume)
    return adm("invalidate-remote", operand, decode=text, effect=Effect.DESTROY, timeout=SLOW)


def outdate(resource: str, volume: int | None = None) -> Command[str]:
    """Mark the data here as outdated, so that it cannot become primary: `drbdadm outdate r0`."""
    return adm("outdate", target(resource, volume), decode=text)


def verify(resource: str, volume: int | None = None) -> Command[str]:
    """Start to compare the data of both nodes; needs `verify-alg`: `drbdadm verify r0`."""
    return adm("verify", target(resource, volume), decode=text)


def pause_sync(resource: str, volume: int | None = None) -> Command[str]:
    """Hold a resync: `drbdadm pause-sync r0`."""
    return adm("pause-sync", target(resource, volume), decode=text)


def resume_sync(resource: str, volume: int | None = None) -> Command[str]:
    """Go on with a resync that was held: `drbdadm resume-sync r0`."""
    return adm("resume-sync", target(resource, volume), decode=text)


def suspend_io(resource: str, volume: int | None = None) -> Command[str]:
    """Hold all I/O: `drbdadm suspend-io r0`."""
    return adm("suspend-io", target(resource, volume), decode=text)


def resume_io(resource: str, volume: int | None = None) -> Command[str]:
    """Let I/O flow again: `drbdadm resume-io r0`."""
    return adm("resume-io", target(resource, volume), decode=text)


def resize(
    resource: str,
    volume: int | None = None,
    *,
    to: str = "",
    assume_clean: bool = False,
    toolset: Toolset = Toolset.UNKNOWN,
) -> Command[str]:
    """Take the new size of the backing disks: `drbdadm resize r0`.

    Args:
        resource: what.
        volume: one volume only.
        to: a size, `10G`; as large as the disks if empty. Not in 8.4's drbdadm.
        assume_clean: the new space is equal on both nodes, so do not sync it. Not in 8.4's drbdadm.
        toolset: whose spelling.
    """
    options = ([f"--size={size(to)}"] if to else []) + (["--assume-clean"] if assume_clean else [])
    if options and toolset.drbd is not None and toolset.has("drbd", since="8.4", until="9"):
        raise UnsupportedError(
            f"drbdadm of 8.4 has no resize {options[0]}", hint="write disk { size } and adjust"
        )
    return adm(
        "resize",
        target(resource, volume),
        *options,
        toolset=toolset,
        decode=text,
        effect=Effect.DESTROY if assume_clean else Effect.CHANGE,
        timeout=SLOW,
        shown="--assume-clean" if assume_clean else "",
    )


def check_resize(resource: str, volume: int | None = None) -> Command[str]:
    """Remember the size of the backing disk, to find moved meta data: `drbdadm check-resize r0`."""
    return adm("check-resize", target(resource, volume), decode=text)


def wait_connect(resource: str, *, seconds: float = DAY) -> Command[str]:
    """Wait until the peer is there, or `wfc-timeout` has passed: `drbdadm wait-connect r0`."""
    return adm("wait-connect", target(resource), decode=text, effect=Effect.READ, timeout=seconds)


def wait_sync(
    resource: str,
    minor: int | None = None,
    *,
    seconds: float = DAY,
    toolset: Toolset = Toolset.UNKNOWN,
) -> Command[str]:
    """Wait until a resync has ended: `drbdadm wait-sync r0`.

    drbdadm of 8.x has no such command; there drbdsetup waits, and needs the minor number.

    Raises:
        UnsupportedError: 8.x, and no minor was given.
    """
    if toolset.has("drbd", since="9"):
        return adm("wait-sync", target(resource), decode=text, effect=Effect.READ, timeout=seconds)
    if minor is None:
        raise UnsupportedError(
            "drbdadm wait-sync exists since DRBD 9",
            hint="give the minor number: drbdsetup waits then",
        )
    words = (str(minor), "wait-sync") if old(toolset) else ("wait-sync", str(minor))
    return Command(("drbdsetup", *words), text, effect=Effect.READ, timeout=seconds)


# --- options at run time -----------------------------------------------------------------------


def net_options(resource: str, *, toolset: Toolset = Toolset.UNKNOWN) -> Command[str]:
    """Set the `net` options of the file in the kernel: `drbdadm net-options r0`."""
    need("net-options", toolset, "8.4")
    return adm("net-options", target(resource), decode=text)


def disk_options(resource: str, *, toolset: Toolset = Toolset.UNKNOWN) -> Command[str]:
    """Set the `disk` options of the file in the kernel: `drbdadm disk-options r0`."""
    need("disk-options", toolset, "8.4")
    return adm("disk-options", target(resource), decode=text)


def peer_device_options(resource: str, *, toolset: Toolset = Toolset.UNKNOWN) -> Command[str]:
    """Set the resync options of the file in the kernel, 9: `drbdadm peer-device-options r0`."""
    need("peer-device-options", toolset, "9")
    return adm("peer-device-options", target(resource), decode=text)


def resource_options(resource: str, *, toolset: Toolset = Toolset.UNKNOWN) -> Command[str]:
    """Set the `options` of the file in the kernel: `drbdadm resource-options r0`."""
    need("resource-options", toolset, "8.4")
    return adm("resource-options", target(resource), decode=text)


def syncer(resource: str, *, toolset: Toolset) -> Command[str]:
    """Set the `syncer` options of the file in the kernel; 8.3 only: `drbdadm syncer r0`."""
    if not old(toolset):
        raise UnsupportedError("drbdadm syncer ended with DRBD 8.3", hint="use disk-options")
    return adm("syncer", target(resource), decode=text)
