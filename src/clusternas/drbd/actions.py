"""The commands of a resource as its methods: `r0.up()` is `drbdadm up r0`, and runs nothing."""

from __future__ import annotations

from clusternas.core.command import Command
from clusternas.core.versions import Toolset
from clusternas.drbd import commands
from clusternas.drbd.states import ConnectionState, DiskState, Role
from clusternas.drbd.status import ResourceStatus

__all__ = ["DrbdActions"]


class DrbdActions:
    """What can be done with a resource of some name; see `drbd.commands` for each."""

    name: str

    def host_names(self) -> tuple[str, ...]:
        """The hosts of the resource."""
        return ()

    def up(self) -> Command[str]:
        """Attach, make the device, connect."""
        return commands.up(self.name)

    def down(self) -> Command[str]:
        """Disconnect, detach, remove the device."""
        return commands.down(self.name)

    def adjust(self) -> Command[str]:
        """Bring the kernel in line with the file."""
        return commands.adjust(self.name)

    def attach(self, volume: int | None = None) -> Command[str]:
        """Attach the backing disk."""
        return commands.attach(self.name, volume)

    def detach(
        self, volume: int | None = None, *, force: bool = False, toolset: Toolset = Toolset.UNKNOWN
    ) -> Command[str]:
        """Detach the backing disk."""
        return commands.detach(self.name, volume, force=force, toolset=toolset)

    def connect(
        self,
        peer: str = "",
        *,
        discard_my_data: bool = False,
        toolset: Toolset = Toolset.UNKNOWN,
    ) -> Command[str]:
        """Connect; with `discard_my_data` as the victim of a split brain."""
        return commands.connect(self.name, peer, discard_my_data=discard_my_data, toolset=toolset)

    def disconnect(
        self, peer: str = "", *, force: bool = False, toolset: Toolset = Toolset.UNKNOWN
    ) -> Command[str]:
        """Take the link down."""
        return commands.disconnect(self.name, peer, force=force, toolset=toolset)

    def primary(
        self, *, overwrite_peer: bool = False, toolset: Toolset = Toolset.UNKNOWN
    ) -> Command[str]:
        """Become primary; with `overwrite_peer` whatever the peer has."""
        return commands.primary(self.name, overwrite_peer=overwrite_peer, toolset=toolset)

    def secondary(self) -> Command[str]:
        """Become secondary."""
        return commands.secondary(self.name)

    def create_md(
        self,
        volume: int | None = None,
        *,
        overwrite: bool = False,
        max_peers: int | None = None,
        toolset: Toolset = Toolset.UNKNOWN,
    ) -> Command[str]:
        """Write new meta data."""
        return commands.create_md(
            self.name, volume, overwrite=overwrite, max_peers=max_peers, toolset=toolset
        )

    def wipe_md(self, volume: int | None = None) -> Command[str]:
        """Remove the meta data."""
        return commands.wipe_md(self.name, volume)

    def new_current_uuid(
        self,
        volume: int | None = None,
        *,
        clear_bitmap: bool = False,
        toolset: Toolset = Toolset.UNKNOWN,
    ) -> Command[str]:
        """Begin a new data generation; with `clear_bitmap` without a first sync."""
        return commands.new_current_uuid(
            self.name, volume, clear_bitmap=clear_bitmap, toolset=toolset
        )

    def invalidate(self, volume: int | None = None) -> Command[str]:
        """Throw the data here away and get the peer's."""
        return commands.invalidate(self.name, volume)

    def invalidate_remote(self, volume: int | None = None) -> Command[str]:
        """Throw the peer's data away and send ours."""
        return commands.invalidate_remote(self.name, volume)

    def outdate(self, volume: int | None = None) -> Command[str]:
        """Mark the data here as outdated."""
        return commands.outdate(self.name, volume)

    def verify(self, volume: int | None = None) -> Command[str]:
        """Start to compare the data of both nodes."""
        return commands.verify(self.name, volume)

    def pause_sync(self, volume: int | None = None) -> Command[str]:
        """Hold a resync."""
        return commands.pause_sync(self.name, volume)

    def resume_sync(self, volume: int | None = None) -> Command[str]:
        """Go on with a resync."""
        return commands.resume_sync(self.name, volume)

    def suspend_io(self, volume: int | None = None) -> Command[str]:
        """Hold all I/O."""
        return commands.suspend_io(self.name, volume)

    def resume_io(self, volume: int | None = None) -> Command[str]:
        """Let I/O flow again."""
        return commands.resume_io(self.name, volume)

    def resize(
        self,
        volume: int | None = None,
        *,
        to: str = "",
        assume_clean: bool = False,
        toolset: Toolset = Toolset.UNKNOWN,
    ) -> Command[str]:
        """Take the new size of the backing disks."""
        return commands.resize(self.name, volume, to=to, assume_clean=assume_clean, toolset=toolset)

    def apply_al(
        self, volume: int | None = None, *, toolset: Toolset = Toolset.UNKNOWN
    ) -> Command[str]:
        """Apply the activity log to the bitmap, offline."""
        return commands.apply_al(self.name, volume, toolset=toolset)

    def wait_sync(
        self,
        minor: int | None = None,
        *,
        seconds: float = 86400.0,
        toolset: Toolset = Toolset.UNKNOWN,
    ) -> Command[str]:
        """Wait until a resync has ended; 8.x needs the minor number."""
        return commands.wait_sync(self.name, minor, seconds=seconds, toolset=toolset)

    def wait_connect(self, *, seconds: float = 86400.0) -> Command[str]:
        """Wait until the peer is there."""
        return commands.wait_connect(self.name, seconds=seconds)

    def dump(self) -> Command[str]:
        """The configuration as drbdadm understands it."""
        return commands.dump(self.name)

    def dump_md(self, volume: int | None = None) -> Command[str]:
        """The meta data as text."""
        return commands.dump_md(self.name, volume)

    def role(self) -> Command[tuple[Role, ...]]:
        """The role here, and with DRBD 8 the peer's."""
        return commands.role(self.name)

    def cstate(self) -> Command[tuple[ConnectionState, ...]]:
        """The state of each link."""
        return commands.cstate(self.name)

    def dstate(self) -> Command[tuple[tuple[DiskState, ...], ...]]:
        """The disk states of each volume, ours first."""
        return commands.dstate(self.name)

    def status(
        self, local: str = "", *, toolset: Toolset = Toolset.UNKNOWN
    ) -> Command[ResourceStatus]:
        """The status; `local` is the host that is asked, if known."""
        return commands.resource_status(self.name, self.host_names(), local, toolset=toolset)
