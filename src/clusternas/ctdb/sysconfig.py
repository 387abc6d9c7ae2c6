"""CTDB before 4.9: the shell variables of /etc/sysconfig/ctdb, and their way into ctdb.conf.

Facts from ctdbd.conf(5) of 2.5 and `config_migrate.sh`, which Samba ships with CTDB.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import attrs

from clusternas.core.codec import Codec, boolean, string
from clusternas.core.fields import option
from clusternas.core.model import Model
from clusternas.core.syntax.table import SYSCONFIG, quote_shell, unquote_shell
from clusternas.core.syntax.tree import Node
from clusternas.ctdb.model import (
    CtdbCluster,
    CtdbConfig,
    CtdbDatabase,
    CtdbEvent,
    CtdbLegacy,
    CtdbLogging,
)
from clusternas.ctdb.tables import TUNABLES, CtdbScriptOptions, CtdbTunables

__all__ = ["CtdbSysconfig"]

M = TypeVar("M", bound=Model)
TEXT = string(quote_shell, "text")
SWITCH: Codec[bool] = boolean(("yes",), ("no",), quote=quote_shell)
TUNABLE = "CTDB_SET_"
SCRIPTS = {
    "manages_samba": "50.samba",
    "manages_winbind": "49.winbind",
    "manages_nfs": "60.nfs",
    "manages_vsftpd": "40.vsftpd",
    "manages_httpd": "41.httpd",
}
"""What each CTDB_MANAGES_… has become: an event script to enable."""


@attrs.frozen(kw_only=True, slots=False, repr=False)
class CtdbSysconfig(Model):
    """CTDB's configuration before 4.9: one file of shell variables.

    Example:
        >>> old = CtdbSysconfig.parse('CTDB_RECOVERY_LOCK="/opt/lock"\\nCTDB_MANAGES_SAMBA=yes\\n')
        >>> old.scripts()
        ('50.samba',)
        >>> old.config().render()
        '[cluster]\\n\\tcluster lock = /opt/lock\\n'
    """

    syntax = SYSCONFIG
    tool = "ctdb"

    recovery_lock: str | None = option("CTDB_RECOVERY_LOCK", codec=TEXT)
    node_address: str | None = option("CTDB_NODE_ADDRESS", codec=TEXT)
    transport: str | None = option("CTDB_TRANSPORT", codec=TEXT)
    nodes: str | None = option("CTDB_NODES", codec=TEXT, doc="a path; /etc/ctdb/nodes")
    public_addresses: str | None = option("CTDB_PUBLIC_ADDRESSES", codec=TEXT, doc="a path")
    capability_recmaster: bool | None = option("CTDB_CAPABILITY_RECMASTER", codec=SWITCH)
    capability_lmaster: bool | None = option("CTDB_CAPABILITY_LMASTER", codec=SWITCH)
    dbdir: str | None = option("CTDB_DBDIR", codec=TEXT)
    dbdir_persistent: str | None = option("CTDB_DBDIR_PERSISTENT", codec=TEXT)
    dbdir_state: str | None = option("CTDB_DBDIR_STATE", codec=TEXT)
    debug_locks: str | None = option("CTDB_DEBUG_LOCKS", codec=TEXT)
    debug_hung_script: str | None = option("CTDB_DEBUG_HUNG_SCRIPT", codec=TEXT)
    logging: str | None = option("CTDB_LOGGING", codec=TEXT)
    logfile: str | None = option("CTDB_LOGFILE", codec=TEXT, doc="before 2.5.1: see CTDB_LOGGING")
    debuglevel: str | None = option("CTDB_DEBUGLEVEL", codec=TEXT)
    script_log_level: str | None = option("CTDB_SCRIPT_LOG_LEVEL", codec=TEXT)
    nosetsched: bool | None = option("CTDB_NOSETSCHED", codec=SWITCH)
    start_as_disabled: bool | None = option("CTDB_START_AS_DISABLED", codec=SWITCH)
    start_as_stopped: bool | None = option("CTDB_START_AS_STOPPED", codec=SWITCH)
    manages_samba: bool | None = option("CTDB_MANAGES_SAMBA", codec=SWITCH)
    manages_winbind: bool | None = option("CTDB_MANAGES_WINBIND", codec=SWITCH)
    manages_nfs: bool | None = option("CTDB_MANAGES_NFS", codec=SWITCH)
    manages_vsftpd: bool | None = option("CTDB_MANAGES_VSFTPD", codec=SWITCH)
    manages_httpd: bool | None = option("CTDB_MANAGES_HTTPD", codec=SWITCH)

    @classmethod
    def knows(cls, node: Node) -> bool:
        """Every CTDB_… variable: tunables, and options of the event scripts."""
        return node.key.startswith("CTDB_")

    def scripts(self) -> tuple[str, ...]:
        """The event scripts that must be enabled in 4.9 and later."""
        return tuple(script for name, script in SCRIPTS.items() if getattr(self, name))

    def config(self) -> CtdbConfig:
        """The same in the files of 4.9 and later, without the lists of nodes and addresses."""
        location = self.logging or (f"file:{self.logfile}" if self.logfile else None)
        return CtdbConfig(
            logging=_said(CtdbLogging(location=location, log_level=self.debuglevel)),
            cluster=_said(
                CtdbCluster(
                    cluster_lock=self.recovery_lock,
                    node_address=self.node_address,
                    transport=self.transport,
                    leader_capability=self.capability_recmaster,
                )
            ),
            database=_said(
                CtdbDatabase(
                    volatile_database_directory=self.dbdir,
                    persistent_database_directory=self.dbdir_persistent,
                    state_database_directory=self.dbdir_state,
                    lock_debug_script=self.debug_locks,
                )
            ),
            event=_said(CtdbEvent(debug_script=self.debug_hung_script)),
            legacy=_said(
                CtdbLegacy(
                    realtime_scheduling=_opposite(self.nosetsched),
                    lmaster_capability=self.capability_lmaster,
                    start_as_disabled=self.start_as_disabled,
                    start_as_stopped=self.start_as_stopped,
                    script_log_level=self.script_log_level,
                )
            ),
            tunables=CtdbTunables.of_values(
                {name: int(value) for name, value in self._rest(TUNABLE) if value.isdecimal()}
            ),
            script_options=CtdbScriptOptions.of_values(dict(self._rest(""))),
        )

    def _rest(self, prefix: str) -> Iterator[tuple[str, str]]:
        """The other variables: tunables, or what the event scripts read."""
        for statement in self.extra:
            value = unquote_shell(" ".join(statement.words))
            if prefix and statement.key.startswith(prefix):
                yield canonical(statement.key.removeprefix(prefix)), value
            elif not prefix and statement.key.startswith("CTDB_") and TUNABLE not in statement.key:
                yield statement.key, value


def canonical(tunable: str) -> str:
    """A tunable as its manual page spells it; to ctdbd its case does not count."""
    return next((name for name in TUNABLES if name.lower() == tunable.lower()), tunable)


def _said(section: M) -> M | None:
    """A section, or None where it says nothing."""
    return None if section == type(section)() else section


def _opposite(value: bool | None) -> bool | None:
    return None if value is None else not value
