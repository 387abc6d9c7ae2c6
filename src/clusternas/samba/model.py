"""smb.conf as typed values: `SmbConf`, its [global] section and its shares.

Facts from smb.conf(5) of 3.6 to 4.24 and Samba's `source3/param/loadparm.c`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from typing import ClassVar, Self

import attrs

from clusternas.core.command import Command
from clusternas.core.errors import ParseError
from clusternas.core.fields import Spelling, argument, keyword, option, options, section, sections
from clusternas.core.keyed import Keyed
from clusternas.core.model import Model, read_bytes
from clusternas.core.syntax.ini import SMB_CONF
from clusternas.core.syntax.tree import Node
from clusternas.samba import commands
from clusternas.samba.status import ShareListing
from clusternas.samba.values import (
    AUTO,
    INVERSE,
    MODE,
    NUMBER,
    SHARE_NAME,
    SWITCH,
    TEXT,
    WORDS,
    one_of,
)

__all__ = [
    "SambaShare",
    "ServerOptions",
    "ShareOptions",
    "SmbConf",
    "SmbGlobal",
    "SmbModel",
    "SmbParameter",
]

PROTOCOLS = (
    "default", "CORE", "COREPLUS", "CORE+", "LANMAN1", "LANMAN2", "NT1",
    "SMB2", "SMB2_02", "SMB2_10", "SMB3", "SMB3_00", "SMB3_02", "SMB3_11",
)  # fmt: skip
READ_ONLY = (
    Spelling("read only"),
    Spelling("writeable", INVERSE),
    Spelling("writable", INVERSE),
    Spelling("write ok", INVERSE),
)


class SmbModel(Model):
    """Base of all that smb.conf holds."""

    syntax = SMB_CONF
    tool = "samba"

    @classmethod
    def knows(cls, node: Node) -> bool:
        """Every parameter: the rules know Samba's own table, and say what is not in it."""
        return node.body < 0


@attrs.frozen(kw_only=True, slots=False, repr=False)
class ShareOptions(SmbModel):
    """What a share can be told; in [global] the same sets what shares below it start with."""

    comment: str | None = option(codec=TEXT, doc="text that clients show beside the name")
    path: str | None = option("path", "directory", codec=TEXT, doc="the directory it shows")
    copy: str | None = option(codec=TEXT, doc="a share above whose parameters it takes over")
    available: bool | None = option(codec=SWITCH, doc="whether it can be connected to; yes")
    browseable: bool | None = option("browseable", "browsable", codec=SWITCH, doc="listed; yes")
    read_only: bool | None = option(*READ_ONLY, codec=SWITCH, doc="nobody writes; yes")
    guest_ok: bool | None = option("guest ok", "public", codec=SWITCH, doc="no password; no")
    guest_only: bool | None = option("guest only", "only guest", codec=SWITCH)
    valid_users: tuple[str, ...] | None = option(codec=WORDS, doc="who may log in; all if empty")
    invalid_users: tuple[str, ...] | None = option(codec=WORDS)
    read_list: tuple[str, ...] | None = option(codec=WORDS, doc="who only reads")
    write_list: tuple[str, ...] | None = option(codec=WORDS, doc="who writes all the same")
    admin_users: tuple[str, ...] | None = option(codec=WORDS, doc="who acts as root")
    hosts_allow: tuple[str, ...] | None = option("hosts allow", "allow hosts", codec=WORDS)
    hosts_deny: tuple[str, ...] | None = option("hosts deny", "deny hosts", codec=WORDS)
    force_user: str | None = option(codec=TEXT)
    force_group: str | None = option("force group", "group", codec=TEXT)
    create_mask: int | None = option("create mask", "create mode", codec=MODE, doc="0744")
    directory_mask: int | None = option("directory mask", "directory mode", codec=MODE, doc="0755")
    force_create_mode: int | None = option(codec=MODE)
    force_directory_mode: int | None = option(codec=MODE)
    inherit_acls: bool | None = option(codec=SWITCH)
    inherit_permissions: bool | None = option(codec=SWITCH)
    map_acl_inherit: bool | None = option(codec=SWITCH)
    nt_acl_support: bool | None = option(codec=SWITCH)
    store_dos_attributes: bool | None = option(codec=SWITCH, doc="in extended attributes")
    ea_support: bool | None = option(codec=SWITCH)
    max_connections: int | None = option(codec=NUMBER, doc="0 for no limit")
    follow_symlinks: bool | None = option(codec=SWITCH)
    wide_links: bool | None = option(codec=SWITCH)
    vfs_objects: tuple[str, ...] | None = option(
        "vfs objects", "vfs object", codec=WORDS, doc="modules; a share's list replaces [global]'s"
    )
    fileid_algorithm: str | None = option(
        "fileid:algorithm", "fileid:mapping", codec=TEXT, doc="fsname, fsid, … of vfs_fileid(8)"
    )
    oplocks: bool | None = option(codec=SWITCH, doc="yes")
    level2_oplocks: bool | None = option(codec=SWITCH, doc="yes")
    fake_oplocks: bool | None = option(codec=SWITCH, doc="grant all oplocks; no")
    kernel_oplocks: bool | None = option(codec=SWITCH, doc="no since 4.0")
    kernel_share_modes: bool | None = option(codec=SWITCH, since="4.0", doc="no since 4.14")
    posix_locking: bool | None = option(codec=SWITCH, doc="byte locks as fcntl locks; yes")
    locking: bool | None = option(codec=SWITCH, doc="no grants every lock; yes")
    strict_locking: str | None = option(codec=AUTO)
    strict_sync: bool | None = option(codec=SWITCH)
    durable_handles: bool | None = option(codec=SWITCH, since="4.0", doc="yes")
    include: tuple[str, ...] = options(codec=TEXT, doc="files read at this place")


@attrs.frozen(kw_only=True, slots=False, repr=False)
class SambaShare(ShareOptions):
    """One share: a `[name]` section of smb.conf.

    Example:
        >>> print(SambaShare(name="opt", path="/opt", comment="Test Cluster").render(), end="")
        [opt]
                comment = Test Cluster
                path = /opt
    """

    root: ClassVar[str] = "share"

    name: str = argument(SHARE_NAME, doc="what clients connect to; its case does not count")

    @classmethod
    def parse(cls, text: str | bytes, path: str = "", *, name: str = "") -> Self:
        """Read it from a text.

        Args:
            text: the whole file.
            path: what to call the file in messages.
            name: which share; not needed where the text holds one alone.

        Raises:
            ParseError: there is no such share, or no name and several shares.
        """
        if not name:
            return super().parse(text, path)
        fatal = cls.refuse(tree := cls.syntax.parse(text, path))
        if fatal is not None:
            raise fatal
        found = [node for node in tree.root.children if node.key == "share"]
        same = [node for node in found if node.values[0].lower() == name.lower()]
        if not same:
            known = ", ".join(node.values[0] for node in found[:20]) or "none"
            raise ParseError(f"no share {name!r}", hint=f"there are: {known}", path=path, line=1)
        return cls.of(same[-1])

    @classmethod
    def read(cls, path: str | os.PathLike[str], *, name: str = "") -> Self:
        """Read it from a file of this machine; see `parse`."""
        return cls.parse(read_bytes(path), os.fspath(path), name=name)

    def list_on(self, server: str) -> Command[tuple[ShareListing, ...]]:
        """The command that lists what a server shows to a guest."""
        return commands.list_shares(server)

    def add(self) -> Command[str]:
        """The command that adds it to the registry, with path, access and comment."""
        return commands.conf_addshare(
            self.name,
            self.path or "",
            writeable=not (self.read_only is None or self.read_only),
            guest_ok=bool(self.guest_ok),
            comment=self.comment or "",
        )

    def remove(self) -> Command[str]:
        """The command that takes it out of the registry."""
        return commands.conf_delshare(self.name)


@attrs.frozen(kw_only=True, slots=False, repr=False)
class ServerOptions(SmbModel):
    """What the server can be told, in [global] alone."""

    workgroup: str | None = option(codec=TEXT)
    realm: str | None = option(codec=TEXT)
    netbios_name: str | None = option(codec=TEXT, doc="one for the whole cluster; host name")
    netbios_aliases: tuple[str, ...] | None = option(codec=WORDS)
    additional_dns_hostnames: tuple[str, ...] | None = option(codec=WORDS, since="4.12")
    server_string: str | None = option(codec=TEXT)
    server_role: str | None = option(codec=TEXT, since="4.0")
    security: str | None = option(codec=one_of("auto", "user", "domain", "ads", "share", "server"))
    map_to_guest: str | None = option(codec=one_of("Never", "Bad User", "Bad Password", "Bad Uid"))
    guest_account: str | None = option(codec=TEXT)
    passdb_backend: str | None = option(codec=TEXT, doc="tdbsam, ldapsam:URL; tdbsam")
    encrypt_passwords: bool | None = option(codec=SWITCH)
    null_passwords: bool | None = option(codec=SWITCH)
    lanman_auth: bool | None = option(codec=SWITCH)
    ntlm_auth: str | None = option(codec=TEXT)
    server_min_protocol: str | None = option(
        Spelling("server min protocol", since="4.0"),
        "min protocol",
        codec=one_of(*PROTOCOLS),
        doc="SMB2_02 since 4.11, before LANMAN1",
    )
    server_max_protocol: str | None = option(
        Spelling("server max protocol", since="4.0"),
        "max protocol",
        "protocol",
        codec=one_of(*PROTOCOLS),
    )
    clustering: bool | None = option(codec=SWITCH, doc="locks and sessions go through ctdbd; no")
    cluster_addresses: tuple[str, ...] | None = option(codec=WORDS)
    ctdbd_socket: str | None = option(codec=TEXT, doc="for tests: leave it out")
    ctdb_timeout: int | None = option(codec=NUMBER, doc="seconds; 0 waits for ever")
    idmap_backend: str | None = option(
        Spelling("idmap config * : backend"), Spelling("idmap backend"), codec=TEXT
    )
    idmap_range: str | None = option("idmap config * : range", codec=TEXT)
    interfaces: tuple[str, ...] | None = option(codec=WORDS)
    bind_interfaces_only: bool | None = option(codec=SWITCH)
    smb_ports: tuple[str, ...] | None = option(
        "smb ports", Spelling("server smb transports", since="4.23"), codec=WORDS
    )
    disable_netbios: bool | None = option(codec=SWITCH)
    private_dir: str | None = option("private dir", "private directory", codec=TEXT)
    lock_directory: str | None = option("lock directory", "lock dir", codec=TEXT)
    state_directory: str | None = option(codec=TEXT)
    cache_directory: str | None = option(codec=TEXT)
    config_backend: str | None = option(codec=one_of("file", "registry"))
    config_file: str | None = option(codec=TEXT)
    registry_shares: bool | None = option(codec=SWITCH)
    log_file: str | None = option(codec=TEXT)
    log_level: str | None = option("log level", "debuglevel", codec=TEXT)
    load_printers: bool | None = option(codec=SWITCH)
    printcap_name: str | None = option("printcap name", "printcap", codec=TEXT)
    disable_spoolss: bool | None = option(
        Spelling("disable spoolss"), Spelling("enable spoolss", INVERSE), codec=SWITCH
    )


@attrs.frozen(kw_only=True, slots=False, repr=False)
class SmbGlobal(ShareOptions, ServerOptions):
    """The [global] section: the server, and the defaults of the shares below it."""


@attrs.frozen(kw_only=True, slots=False, repr=False)
class SmbParameter(SmbModel):
    """One parameter as it is spelled, whatever it is: what the rules point at."""

    is_section: ClassVar[bool] = False

    name: str = keyword()
    value: str = argument(TEXT)


@attrs.frozen(kw_only=True, slots=False, repr=False)
class SmbConf(SmbModel):
    """smb.conf as a whole.

    Example:
        >>> conf = SmbConf.parse("[global]\\n\\tworkgroup = NAS\\n\\n[opt]\\n\\tpath = /opt\\n")
        >>> conf.shares["OPT"].path
        '/opt'
    """

    global_: SmbGlobal | None = section(SmbGlobal, "global")
    shares: Keyed[SambaShare] = sections(SambaShare, "share", name="name", fold=str.lower)

    @cached_property
    def effective(self) -> Mapping[str, SambaShare]:
        """Each share as Samba sees it, by lower-case name; see `clusternas.samba.effective`."""
        from clusternas.samba.effective import effective

        return effective(self)

    def testparm(self, path: str = "") -> Command[str]:
        """The command that has Samba itself read the file it is in."""
        return commands.testparm(path or (self.document.path if self.document else ""))
