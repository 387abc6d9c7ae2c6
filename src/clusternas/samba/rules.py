"""The known mistakes with Samba on a cluster, as far as smb.conf alone shows them.

Whether a share is on a cluster file system, and whether the modules are installed, only the whole
NAS knows: `clusternas.nas.rules`. How the file is written is the matter of `wording`.
"""

from __future__ import annotations

from collections.abc import Iterator

from attrs import evolve

from clusternas.core.diagnostics import Finding, Severity, rule
from clusternas.core.errors import ValidationError
from clusternas.core.versions import Toolset
from clusternas.samba import wording
from clusternas.samba.model import SambaShare, SmbConf, SmbGlobal

__all__ = ["wording"]

WIKI = "https://wiki.samba.org/index.php/Configuring_clustered_Samba"
FILEID = "vfs_fileid(8)"
UNSAFE = ("hostname", "fsname_nodirs", "fsname_norootdir", "fsname_norootdir_ext")
WITHOUT_PATH = ("homes", "printers", "ipc$")
SMB1 = ("core", "coreplus", "core+", "lanman1", "lanman2", "nt1")
CLUSTER = "[global]\nclustering = yes\nnetbios name = NAS\nvfs objects = fileid\n"


def clustered(conf: SmbConf) -> SmbGlobal | None:
    """The [global] section of a server that is to be part of a cluster, else None."""
    return conf.global_ if conf.global_ is not None and conf.global_.clustering else None


def shown(conf: SmbConf) -> Iterator[tuple[SambaShare, SambaShare]]:
    """Every share as it is written last, and as it counts."""
    for name, counts in conf.effective.items():
        yield conf.shares[name], counts


@rule(
    "SAMBA015", Severity.WARNING, SmbConf, link="smb.conf(5)",
    bad="[s]\ncomment = x\n", good="[s]\npath = /s\n",
)  # fmt: skip
def share_without_a_path(conf: SmbConf, _: Toolset) -> Iterator[Finding]:
    """A share without a path is made unavailable; a relative one is none."""
    for share, counts in shown(conf):
        if counts.path is None and share.name.lower() not in WITHOUT_PATH and not share.include:
            yield Finding(f"[{share.name}] has no path", at=share, help="write path = /…")
        elif counts.path and not counts.path.startswith(("/", "%")):
            message = f"[{share.name}] has a relative path: {counts.path!r}"
            yield Finding(message, at=share, field="path", help="write path = /…")


@rule(
    "SAMBA017", Severity.WARNING, SmbConf, link=FILEID,
    bad=f"{CLUSTER}[s]\npath = /s\nvfs objects = recycle\n",
    good=f"{CLUSTER}[s]\npath = /s\nvfs objects = fileid recycle\n",
)  # fmt: skip
def share_without_fileid(conf: SmbConf, _: Toolset) -> Iterator[Finding]:
    """In a cluster every share needs the module fileid, or the locks of two nodes do not meet.

    Samba knows a file by its device number, and the same disk may have another number on each
    node. The list of a share replaces that of [global].
    """
    if clustered(conf) is None:
        return
    for share, counts in shown(conf):
        modules = counts.vfs_objects or ()
        if not any(module.split(":")[0] == "fileid" for module in modules):
            yield Finding(
                f"[{share.name}] is served without the module fileid",
                at=share, field="vfs_objects",
                help=f"write vfs objects = {' '.join(('fileid', *modules))}",
                fix=_with_fileid(conf, share, modules),
            )  # fmt: skip


def _with_fileid(conf: SmbConf, share: SambaShare, modules: tuple[str, ...]) -> SmbConf | None:
    try:
        mended = evolve(share, vfs_objects=("fileid", *modules))
        return evolve(conf, shares=conf.shares.put(mended))
    except ValidationError:  # another value of the share can be read but not written
        return None


@rule(
    "SAMBA018", Severity.ERROR, SmbConf, link=WIKI,
    bad=f"{CLUSTER}passdb backend = smbpasswd\n", good=f"{CLUSTER}passdb backend = tdbsam\n",
)  # fmt: skip
def accounts_of_one_node(conf: SmbConf, _: Toolset) -> Iterator[Finding]:
    """Accounts in a plain file are those of one node; in tdbsam CTDB keeps them for all."""
    server = clustered(conf)
    backend = server.passdb_backend if server else None
    if backend and backend.lower().startswith("smbpasswd"):
        yield Finding(
            f"passdb backend = {backend} is not shared between the nodes",
            at=server, field="passdb_backend", help="write passdb backend = tdbsam",
        )  # fmt: skip


@rule(
    "SAMBA025", Severity.WARNING, SmbConf, link=WIKI,
    bad=f"{CLUSTER}private dir = /opt/private\n", good=CLUSTER,
)  # fmt: skip
def directories_of_the_databases(conf: SmbConf, _: Toolset) -> Iterator[Finding]:
    """CTDB keeps the private databases itself: no `private dir` on shared storage is needed."""
    server = clustered(conf)
    if server and server.private_dir is not None:
        yield Finding(
            f"private dir = {server.private_dir}: CTDB keeps these databases itself",
            at=server, field="private_dir", help="leave it out",
        )  # fmt: skip


@rule(
    "SAMBA019", Severity.WARNING, SmbConf, link=WIKI,
    bad="[global]\nclustering = yes\nworkgroup = NAS\n", good=f"{CLUSTER}workgroup = HOME\n",
)  # fmt: skip
def one_name_for_all_nodes(conf: SmbConf, _: Toolset) -> Iterator[Finding]:
    """All nodes go by one NetBIOS name of at most 15 characters, which is not the workgroup's."""
    server = conf.global_
    if server is None:
        return
    name = server.netbios_name or ""
    if server.clustering and not name:
        message = "no netbios name: every node goes by its host name"
        yield Finding(message, at=server, help="write the same netbios name on all nodes")
    if server.clustering and "%" in name:
        yield Finding(
            f"netbios name = {name} differs between the nodes", at=server, field="netbios_name"
        )
    if len(name) > 15:
        message = f"netbios name = {name} has more than 15 characters"
        yield Finding(message, at=server, field="netbios_name", help="choose a shorter one")
    if name and name.upper() == (server.workgroup or "WORKGROUP").upper():
        message = f"netbios name and workgroup are both {name}"
        yield Finding(
            message, at=server, field="netbios_name", help="give one of them another name"
        )


@rule(
    "SAMBA020", Severity.WARNING, SmbConf, link="smb.conf(5), ctdbd socket",
    bad=f"{CLUSTER}ctdbd socket = /run/ctdb/ctdbd.socket\n", good=CLUSTER,
)  # fmt: skip
def settings_for_tests(conf: SmbConf, _: Toolset) -> Iterator[Finding]:
    """`ctdbd socket` is for tests, and a `ctdb timeout` ends smbd during a long recovery."""
    server = conf.global_
    if server is not None and server.ctdbd_socket is not None:
        yield Finding(
            "ctdbd socket should not be set in production",
            at=server, field="ctdbd_socket", help="leave it out",
        )  # fmt: skip
    if server is not None and server.ctdb_timeout:
        yield Finding(
            f"ctdb timeout = {server.ctdb_timeout}: smbd ends when ctdbd takes longer",
            at=server, field="ctdb_timeout", help="leave it out: 0 waits",
        )  # fmt: skip


@rule(
    "SAMBA021", Severity.WARNING, SmbConf, link="vfs_fruit(8)",
    bad="[a]\npath = /a\nvfs objects = fruit\n[b]\npath = /b\n",
    good="[global]\nvfs objects = fruit streams_xattr\n[a]\npath = /a\n[b]\npath = /b\n",
)  # fmt: skip
def fruit_here_and_not_there(conf: SmbConf, _: Toolset) -> Iterator[Finding]:
    """The module fruit must be on all shares or on none, and needs streams_xattr after it."""
    with_fruit = {
        name for name, each in conf.effective.items() if "fruit" in (each.vfs_objects or ())
    }
    for share, counts in shown(conf):
        modules = counts.vfs_objects or ()
        if with_fruit and share.name.lower() not in with_fruit:
            message = f"[{share.name}] is without fruit, and other shares are not"
            yield Finding(
                message, at=share, field="vfs_objects", help="put vfs objects into [global]"
            )
        elif "fruit" in modules and "streams_xattr" not in modules[modules.index("fruit") :]:
            message = f"[{share.name}] has fruit without streams_xattr after it"
            yield Finding(message, at=share, field="vfs_objects", help="add streams_xattr")


@rule(
    "SAMBA022", Severity.ERROR, SmbConf, link="smb.conf(5)",
    bad="[s]\npath = /s\nlocking = no\n", good="[s]\npath = /s\n",
)  # fmt: skip
def locks_that_are_none(conf: SmbConf, _: Toolset) -> Iterator[Finding]:
    """`locking = no` and `fake oplocks = yes` grant every lock: files get corrupted."""
    for share, counts in shown(conf):
        if counts.locking is False:
            message = f"[{share.name}] grants every lock: locking = no"
            yield Finding(message, at=share, field="locking", help="leave it out")
        if counts.fake_oplocks:
            message = f"[{share.name}] lets every client cache: fake oplocks = yes"
            yield Finding(message, at=share, field="fake_oplocks", help="leave it out")


@rule(
    "SAMBA026", Severity.ERROR, SmbConf, link=FILEID,
    bad=f"{CLUSTER}fileid:algorithm = hostname\n[s]\npath = /s\n",
    good=f"{CLUSTER}fileid:algorithm = fsname\n[s]\npath = /s\n",
)  # fmt: skip
def fileid_that_splits(conf: SmbConf, _: Toolset) -> Iterator[Finding]:
    """Some algorithms of fileid name a file differently on each node: no lock is shared then."""
    if clustered(conf) is None:
        return
    for share, counts in shown(conf):
        algorithm = counts.fileid_algorithm or ""
        if algorithm.lower() in UNSAFE:
            yield Finding(
                f"[{share.name}]: fileid:algorithm = {algorithm} parts the nodes' locks",
                at=share, field="fileid_algorithm", help="write fileid:algorithm = fsname",
            )  # fmt: skip


@rule(
    "SAMBA027", Severity.WARNING, SmbConf, link="smb.conf(5), kernel share modes",
    bad=f"{CLUSTER}[s]\npath = /s\nkernel share modes = yes\n", good=f"{CLUSTER}[s]\npath = /s\n",
)  # fmt: skip
def kernel_share_modes_in_a_cluster(conf: SmbConf, _: Toolset) -> Iterator[Finding]:
    """CTDB has share modes of its own; those of the kernel are flock locks, slow or refused."""
    if clustered(conf) is None:
        return
    for share, counts in shown(conf):
        if counts.kernel_share_modes:
            message = f"[{share.name}] has kernel share modes = yes in a cluster"
            yield Finding(
                message, at=share, field="kernel_share_modes", help="write kernel share modes = no"
            )


@rule(
    "SAMBA023", Severity.NOTE, SmbConf, link="smb.conf(5), durable handles",
    bad="[s]\npath = /s\ndurable handles = yes\n",
    good="[s]\npath = /s\ndurable handles = yes\nposix locking = no\n",
)  # fmt: skip
def durable_handles_never_granted(conf: SmbConf, _: Toolset) -> Iterator[Finding]:
    """Durable handles exclude POSIX locking, kernel oplocks and kernel share modes."""
    for share, counts in shown(conf):
        if not counts.durable_handles:
            continue
        against = {
            "posix locking": counts.posix_locking is not False,
            "kernel oplocks": bool(counts.kernel_oplocks),
            "kernel share modes": bool(counts.kernel_share_modes),
        }
        names = [name for name, stands in against.items() if stands]
        if names:
            yield Finding(
                f"[{share.name}] grants no durable handles: {', '.join(names)} is on",
                at=share, field="durable_handles",
                help="switch that off where SMB alone serves the files",
            )  # fmt: skip


@rule(
    "SAMBA024", Severity.WARNING, SmbConf, link="https://www.samba.org/samba/security/",
    bad="[global]\nserver min protocol = NT1\n", good="[global]\nserver min protocol = SMB2_02\n",
)  # fmt: skip
def old_and_open(conf: SmbConf, toolset: Toolset) -> Iterator[Finding]:
    """SMB1, LANMAN hashes and empty passwords are open doors."""
    server = conf.global_
    if server is None:
        return
    oldest = (server.server_min_protocol or "").lower()
    if oldest in SMB1 and toolset.has("samba", since="4.11"):
        message = f"server min protocol = {server.server_min_protocol} lets SMB1 in"
        yield Finding(message, at=server, field="server_min_protocol", help="leave it out")
    if server.lanman_auth:
        message = "lanman auth = yes stores passwords that anybody can crack"
        yield Finding(message, at=server, field="lanman_auth", help="leave it out")
    if server.null_passwords:
        message = "null passwords = yes lets in who has none"
        yield Finding(message, at=server, field="null_passwords", help="leave it out")


@rule(
    "SAMBA028", Severity.WARNING, SmbConf, link="smb.conf(5), map to guest",
    bad="[global]\nmap to guest = Bad User\n[s]\npath = /s\nguest ok = yes\nread only = no\n",
    good="[global]\nmap to guest = Bad User\n[s]\npath = /s\nguest ok = yes\n",
)  # fmt: skip
def anybody_may_write(conf: SmbConf, _: Toolset) -> Iterator[Finding]:
    """A share that guests may write, where a wrong name makes a guest: anybody writes."""
    server = conf.global_
    if server is None or server.map_to_guest in (None, "Never"):
        return
    for share, counts in shown(conf):
        if counts.guest_ok and counts.read_only is False:
            yield Finding(
                f"anybody can write to [{share.name}]",
                at=share, field="guest_ok", help="write guest ok = no, or read only = yes",
            )  # fmt: skip


@rule(
    "SAMBA029", Severity.ERROR, SmbConf, link="https://www.samba.org/samba/history/samba-4.0.0.html",
    bad="[global]\nsecurity = share\n", good="[global]\nsecurity = user\n",
)  # fmt: skip
def security_of_the_past(conf: SmbConf, toolset: Toolset) -> Iterator[Finding]:
    """`security = share` and `security = server` are gone since 4.0: the whole file is refused."""
    server = conf.global_
    if server and server.security in ("share", "server") and toolset.has("samba", since="4.0"):
        yield Finding(
            f"security = {server.security} is gone since Samba 4.0",
            at=server, field="security", help="write security = user, and map to guest for guests",
        )  # fmt: skip
