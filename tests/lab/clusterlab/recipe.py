"""What the image of the machines is made of, and the hash by which it is kept."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import attrs

__all__ = ["GUEST", "Recipe"]

GUEST = Path(__file__).parent.parent / "guest"
"""Files that the machines get as they are."""

PACKAGES = """
    systemd-sysv udev dbus kmod iproute2 procps util-linux psmisc ethtool
    drbd-utils lvm2 lvm2-lockd dlm-controld corosync gfs2-utils
    samba samba-common-bin samba-vfs-modules smbclient python3-samba ctdb tdb-tools
    bind9 bind9-utils bind9-dnsutils openssh-server python3 nftables iptables
""".split()

STOPPED = """
    corosync dlm lvmlockd lvmlocks drbd smbd nmbd winbind samba-ad-dc ctdb named nftables
    apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer e2scrub_reap fstrim.timer
    dpkg-db-backup.timer networking
""".split()
"""Nothing of the cluster starts by itself: that is for clusternas to do."""

MASKED = """
    getty@tty1.service serial-getty@ttyS0.service systemd-binfmt.service sys-kernel-debug.mount
    dev-hugepages.mount systemd-update-utmp.service systemd-random-seed.service
    systemd-firstboot.service systemd-update-done.service systemd-journal-catalog-update.service
    systemd-machine-id-commit.service systemd-pcrphase.service systemd-pcrphase-sysinit.service
    systemd-sysusers.service systemd-tmpfiles-clean.timer systemd-udev-settle.service
    kmod-static-nodes.service dev-mqueue.mount sys-kernel-tracing.mount systemd-pstore.service
    modprobe@drm.service modprobe@efi_pstore.service modprobe@fuse.service modprobe@loop.service
    sys-fs-fuse-connections.mount proc-sys-fs-binfmt_misc.automount lvm2-lvmpolld.socket
    systemd-logind.service systemd-user-sessions.service man-db.timer
""".split()
"""What only costs time when booting a machine without processor support for virtual machines."""

GENERATORS = """
    cryptsetup debug getty gpt-auto hibernate-resume integritysetup rc-local run system-update sysv
    veritysetup
""".split()
"""What systemd runs whenever it reads its units; each takes half a second on such a machine."""

UNNEEDED = """
    sound drivers/gpu drivers/media drivers/staging drivers/infiniband drivers/usb drivers/hid
    drivers/iio drivers/input drivers/scsi drivers/ata drivers/bluetooth drivers/mmc drivers/mtd
    drivers/hwmon drivers/comedi drivers/platform drivers/nvme drivers/target drivers/net/wireless
    drivers/net/ethernet drivers/net/usb drivers/net/can drivers/net/phy net/bluetooth net/mac80211
    net/wireless net/can
""".split()
"""Folders of kernel modules for hardware that the machines do not have."""

BOOT_MODULES = ("virtio_pci", "virtio_blk", "crc32c_generic", "ext4")


@attrs.frozen(kw_only=True)
class Recipe:
    """Everything that decides what is in the image.

    Attributes:
        suite: the Debian that is installed.
        packages: that are installed, beside the essential ones.
        stopped: services that do not start at boot.
        masked: units that cannot start at all.
        generators: of systemd that do not run: `systemd-NAME-generator`.
        unneeded: folders of kernel modules that are left out.
        boot_modules: kernel modules of the initial RAM disk; what they need comes along.
        size: of the root file system, bytes.
        files: of the folder `guest`, that are copied in.
    """

    suite: str = "bookworm"
    packages: tuple[str, ...] = tuple(PACKAGES)
    stopped: tuple[str, ...] = tuple(STOPPED)
    masked: tuple[str, ...] = tuple(MASKED)
    generators: tuple[str, ...] = tuple(GENERATORS)
    unneeded: tuple[str, ...] = tuple(UNNEEDED)
    boot_modules: tuple[str, ...] = BOOT_MODULES
    size: int = 3 << 30
    files: tuple[str, ...] = ("init", "lab-net", "lab-net.service", "service")

    def parts(self) -> Iterator[bytes]:
        """What the hash is made of: every value, every file, and the code that builds."""
        yield repr(self).encode()
        yield Path(__file__).with_name("image.py").read_bytes()
        for name in self.files:
            yield (GUEST / name).read_bytes()

    def digest(self) -> str:
        """The name under which an image of this recipe is kept."""
        whole = hashlib.sha256()
        for part in self.parts():
            whole.update(len(part).to_bytes(8, "big"))
            whole.update(part)
        return whole.hexdigest()[:16]
