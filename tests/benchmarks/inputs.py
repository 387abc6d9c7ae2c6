"""Generated configurations, small and large: valid for the real tools, with comments, and the same
each time."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

__all__ = ["INPUTS", "Input", "generate"]


class Input(NamedTuple):
    """One configuration to generate.

    Attributes:
        format: as in `jobs.JOBS`.
        size: how many resources, shares, records, lines or nodes; 0 for lvm.conf.
        make: size to the pieces of its text.
    """

    format: str
    size: int
    make: Callable[[int], Iterator[str]]

    @property
    def label(self) -> str:
        """What it is, for people: `drbd 1,000`."""
        return f"{self.format} {self.size:,}" if self.size else self.format


def drbd(count: int) -> Iterator[str]:
    """Resources as 8.4 and 9 read them; no two share a minor or a port."""
    yield """\
# managed by clusternas, do not edit by hand
global {
    usage-count no;
}

common {
    # defaults of every resource
    handlers {
        pri-on-incon-degr "/usr/lib/drbd/notify-pri-on-incon-degr.sh; reboot -f";
        split-brain       "/usr/lib/drbd/notify-split-brain.sh root";
    }
    startup {
        wfc-timeout      120;
        degr-wfc-timeout 60;
    }
    net {
        protocol C;
        ping-timeout 5;
    }
}

"""
    for at in range(count):
        draw = random.Random(at)
        name, rule = f"r{at:05d}", "#" + "-" * 70
        yield f"""\
{rule}
# resource {name}: home directories of department {at % 97}
{rule}
resource {name} {{

    net {{
        protocol C;
        cram-hmac-alg   sha1;
        shared-secret   "s3cr3t-{at:05d}-{draw.randrange(10**8)}";
        max-buffers     {draw.choice((8000, 8192, 20000))};   # tuned for 10GbE
        max-epoch-size  8000;
        sndbuf-size     {draw.choice(("512k", "1M", "0"))};
        after-sb-0pri   discard-zero-changes;
        after-sb-1pri   discard-secondary;
        after-sb-2pri   disconnect;
    }}

    disk {{
        # local I/O policy
        on-io-error     detach;
        al-extents      {draw.choice((1237, 3389, 6007))};
        resync-rate     {draw.choice(("33M", "100M", "200M"))};
        c-plan-ahead    20;
        disk-flushes    yes;
    }}

    on alpha {{
        node-id   0;
        device    /dev/drbd{at} minor {at};
        disk      "/dev/vg{at % 7}/lv_{name}";
        address   ipv4 127.0.0.1:{7000 + at};
        meta-disk internal;
    }}
    on beta {{
        node-id   1;
        device    /dev/drbd{at} minor {at};   # the same on every host
        disk      "/dev/vg{at % 7}/lv_{name}";
        address   ipv4 10.0.0.2:{7000 + at};
        meta-disk internal;
    }}
}}

"""


def smb(count: int) -> Iterator[str]:
    """Shares as Samba reads them, in the subset of the format that other readers know too."""
    yield """\
#======================= Global Settings =======================
[global]
   workgroup = NAS
   server string = %h server (clusternas)
   security = user
   map to guest = Bad User
   log file = /var/log/samba/log.%m
   max log size = 1000
   clustering = no
   server role = standalone server
   passwd program = /usr/bin/passwd %u
   load printers = no

#======================= Share Definitions =======================
"""
    for at in range(count):
        yield f"""
# share {at}: department {at % 97}
[dept{at:05d}]
   comment = Department {at} files on node{at % 16}
   path = /srv/nas/vol{at % 7}/dept{at:05d}
   browseable = yes
   read only = {"no" if at % 3 else "yes"}
   guest ok = no
   valid users = @dept{at % 97}, admin, "DOM\\user {at}"
   create mask = 0660
   directory mask = 2770
   force group = dept{at % 97}
   vfs objects = acl_xattr recycle
   recycle:repository = .recycle/%U
   # keep the tree
   recycle:keeptree = yes
"""


def zone(count: int) -> Iterator[str]:
    """Addresses, every tenth with a TTL and a comment."""
    yield """\
; zone file of nas.example. -- managed by clusternas
$ORIGIN nas.example.
$TTL 3600
@   IN  SOA ns1.nas.example. hostmaster.nas.example. (
            2024010101 ; serial
            7200       ; refresh
            3600       ; retry
            1209600    ; expire
            3600 )     ; minimum
    IN  NS  ns1
    IN  NS  ns2
    IN  MX  10 mail
ns1     IN A 10.255.0.1
ns2     IN A 10.255.0.2
mail    IN A 10.255.0.3
        IN TXT "v=spf1 mx -all"
"""
    for at in range(count):
        if at % 20 == 0:
            yield f"\n; rack {at // 20}: hosts from {at}\n"
        address = f"10.{at >> 16 & 255}.{at >> 8 & 255}.{at & 255}"
        if at % 10 == 3:
            yield f"host{at:07d}\t300\tIN\tA\t{address}\t; spare node {at % 16}\n"
        else:
            yield f"host{at:07d}\tIN\tA\t{address}\n"


def fstab(count: int) -> Iterator[str]:
    """Local, DRBD, CIFS and NFS lines; every tenth is a comment."""
    yield """\
# /etc/fstab: static file system information.
# <file system> <mount point>   <type>  <options>       <dump>  <pass>
UUID=0a3407de-014b-458b-b5c1-848e92a327a3 /     ext4 errors=remount-ro 0 1
proc  /proc proc defaults 0 0

"""
    ext4 = "UUID={0:08x}-014b-458b-b5c1-848e92a327a3\t/srv/data/vol{0:06d}\text4\tdefaults\t0\t2\n"
    kinds = {
        0: "# volume group {0}\n",
        5: ext4,
        7: "/dev/drbd{0}  /srv/nas/drbd{0:06d}  xfs  noauto,_netdev,usrquota,inode64  0 0\n",
        9: "//filer/share{0:06d} /mnt/share\\040{0:06d} cifs credentials=/etc/smb,uid=9 0 0\n",
    }
    nfs = "filer:/export/vol{0:06d}\t/mnt/vol{0:06d}\tnfs4\trw,hard,intr,timeo=600,_netdev\t0\t0\n"
    for at in range(count - 5):
        yield kinds.get(at % 10, nfs).format(at)


def cluster(count: int) -> Iterator[str]:
    """Nodes with two ways of fencing each."""
    yield f"""\
<?xml version="1.0"?>
<!-- cluster.conf managed by clusternas -->
<cluster name="nas" config_version="{count}">
  <cman expected_votes="{count}"/>
  <totem token="21000"/>
  <clusternodes>
"""
    for at in range(count):
        yield f"""\
    <clusternode name="node{at:04d}.nas.example" nodeid="{at + 1}" votes="1">
      <!-- rack {at // 16} -->
      <fence>
        <method name="ipmi">
          <device name="ipmi{at:04d}" action="reboot"/>
        </method>
        <method name="pdu">
          <device name="pdu{at // 16:03d}" port="{at % 16 + 1}" action="off"/>
          <device name="pdu{at // 16:03d}" port="{at % 16 + 1}" action="on"/>
        </method>
      </fence>
    </clusternode>
"""
    yield "  </clusternodes>\n  <fencedevices>\n"
    for at in range(count):
        yield (
            f'    <fencedevice agent="fence_ipmilan" name="ipmi{at:04d}" '
            f'ipaddr="10.1.{at >> 8}.{at & 255}" login="admin" passwd="p&amp;w{at}" lanplus="1"/>\n'
        )
    for at in range((count + 15) // 16):
        yield (
            f'    <fencedevice agent="fence_apc_snmp" name="pdu{at:03d}" '
            f'ipaddr="10.2.{at >> 8}.{at & 255}" community="private"/>\n'
        )
    yield """\
  </fencedevices>
  <rm>
    <service name="nas" recovery="relocate">
      <ip address="10.0.0.100/24" monitor_link="1"/>
    </service>
  </rm>
</cluster>
"""


def lvm(_count: int) -> Iterator[str]:
    """lvm.conf as installed: nearly all of it is comments."""
    installed = Path("/etc/lvm/lvm.conf")
    if installed.exists():
        yield installed.read_text("utf-8", "surrogateescape")
    else:
        yield from lvm_dense(_count)


def lvm_dense(_count: int) -> Iterator[str]:
    """Every setting with its default, without comments; a few of them where lvm2 is missing."""
    try:
        argv = ["lvmconfig", "--type", "default", "--config", "log{verbose=0}"]
        dump = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        dump = 'devices {\n\tdir="/dev"\n\tfilter=[ "a|.*|" ]\n}\nglobal {\n\tlocking_type=1\n}\n'
    for row in dump.splitlines(keepends=True):
        yield row.replace("\t# ", "\t", 1)


INPUTS = (
    Input("drbd", 10, drbd),
    Input("drbd", 1_000, drbd),
    Input("drbd", 10_000, drbd),
    Input("smb", 10, smb),
    Input("smb", 1_000, smb),
    Input("smb", 20_000, smb),
    Input("zone", 1_000, zone),
    Input("zone", 100_000, zone),
    Input("lvm", 0, lvm),
    Input("lvm-dense", 0, lvm_dense),
    Input("fstab", 1_000, fstab),
    Input("fstab", 100_000, fstab),
    Input("cluster", 16, cluster),
    Input("cluster", 500, cluster),
    Input("cluster", 5_000, cluster),
)


def generate(wanted: Input, folder: Path) -> Path:
    """Write one input into a folder."""
    path = folder / f"{wanted.format}-{wanted.size}.conf"
    with path.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        file.writelines(wanted.make(wanted.size))
    return path
