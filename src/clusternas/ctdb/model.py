"""CTDB's configuration as typed values: `CtdbConfig` is ctdb.conf with the files beside it.

Facts from ctdb.conf(5), ctdb(7) and `ctdb/*/…_conf.c` of Samba 4.9 to 4.25.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Self, TypeVar

import attrs

from clusternas.core.codec import boolean, choice, integer, string
from clusternas.core.fields import Spelling, option, section
from clusternas.core.model import Model, read_bytes
from clusternas.core.source import Source
from clusternas.core.syntax.ini import CTDB_CONF, spell
from clusternas.core.syntax.tree import Node
from clusternas.ctdb.tables import CtdbNodes, CtdbPublicAddresses, CtdbScriptOptions, CtdbTunables

__all__ = [
    "CtdbCluster",
    "CtdbConfig",
    "CtdbDatabase",
    "CtdbEvent",
    "CtdbFailover",
    "CtdbLegacy",
    "CtdbLogging",
    "CtdbModel",
]

M = TypeVar("M", bound=Model)
DIRECTORY = "/etc/ctdb"
TEXT = string(spell, "text")
SECONDS = integer(1, unit="s")
SWITCH = boolean(("true", "yes"), ("false", "no"), quote=spell)
"""ctdbd reads these four words, in lower or upper case, and no others."""
LEVEL = choice("ERROR", "WARNING", "NOTICE", "INFO", "DEBUG", fold=str.upper, quote=spell)


class CtdbModel(Model):
    """Base of all that ctdb.conf holds."""

    syntax = CTDB_CONF
    tool = "ctdb"

    @classmethod
    def knows(cls, node: Node) -> bool:
        """Rule CTDB001 speaks of what is unknown: to ctdbd it is an error."""
        return True


@attrs.frozen(kw_only=True, slots=False, repr=False)
class CtdbLogging(CtdbModel):
    """[logging]: where to and how much."""

    location: str | None = option(
        codec=TEXT, doc="file:PATH or syslog; file:/var/log/ctdb/log.ctdb"
    )
    log_level: str | None = option(codec=LEVEL, doc="NOTICE")


@attrs.frozen(kw_only=True, slots=False, repr=False)
class CtdbCluster(CtdbModel):
    """[cluster]: who belongs to it and what keeps it whole."""

    transport: str | None = option(codec=choice("tcp", "ib", quote=spell), doc="tcp")
    node_address: str | None = option(codec=TEXT, doc="which of the nodes is this one; found out")
    cluster_lock: str | None = option(
        Spelling("cluster lock", since="4.16"),
        "recovery lock",
        codec=TEXT,
        doc="a file on the cluster file system, or !command; without one the cluster can split",
    )
    nodes_list: str | None = option(codec=TEXT, since="4.22", doc="a file, or !command")
    leader_timeout: int | None = option(codec=SECONDS, since="4.16", doc="seconds; 5")
    leader_capability: bool | None = option(
        Spelling("leader capability", since="4.16"),
        Spelling("recmaster capability", place="legacy", until="4.16"),
        codec=SWITCH,
        doc="whether this node may lead; true",
    )


@attrs.frozen(kw_only=True, slots=False, repr=False)
class CtdbDatabase(CtdbModel):
    """[database]: where the databases are."""

    volatile_database_directory: str | None = option(
        codec=TEXT, doc="local; /var/lib/ctdb/volatile"
    )
    persistent_database_directory: str | None = option(codec=TEXT, doc="local too")
    state_database_directory: str | None = option(codec=TEXT, doc="local too")
    lock_debug_script: str | None = option(codec=TEXT)
    tdb_mutexes: bool | None = option(codec=SWITCH, doc="true")


@attrs.frozen(kw_only=True, slots=False, repr=False)
class CtdbEvent(CtdbModel):
    """[event]: the event daemon."""

    debug_script: str | None = option(codec=TEXT, doc="run when an event script hangs")


@attrs.frozen(kw_only=True, slots=False, repr=False)
class CtdbFailover(CtdbModel):
    """[failover]: public addresses."""

    disabled: bool | None = option(codec=SWITCH, doc="leave public addresses to others; false")
    shutdown_extra_timeout: int | None = option(codec=integer(0, unit="s"), since="4.23")
    shutdown_failover_timeout: int | None = option(codec=integer(0, unit="s"), since="4.23")


@attrs.frozen(kw_only=True, slots=False, repr=False)
class CtdbLegacy(CtdbModel):
    """[legacy]: what is there for compatibility."""

    realtime_scheduling: bool | None = option(codec=SWITCH, doc="true")
    lmaster_capability: bool | None = option(codec=SWITCH, doc="true")
    start_as_stopped: bool | None = option(codec=SWITCH, doc="false")
    start_as_disabled: bool | None = option(codec=SWITCH, doc="false")
    script_log_level: str | None = option(codec=LEVEL, doc="ERROR")


def _nodes(given: CtdbNodes | Iterable[str]) -> CtdbNodes:
    return given if isinstance(given, CtdbNodes) else CtdbNodes.of_addresses(given)


def _addresses(given: CtdbPublicAddresses | Iterable[str]) -> CtdbPublicAddresses:
    if isinstance(given, CtdbPublicAddresses):
        return given
    return CtdbPublicAddresses.of_lines(given)


@attrs.frozen(kw_only=True, slots=False, repr=False)
class CtdbConfig(CtdbModel):
    """ctdb.conf as a whole, and the files beside it.

    Attributes:
        nodes: the private addresses, in the order of their numbers; the same on all nodes.
        public_addresses: those that CTDB moves between the nodes; may differ from node to node.
        tunables: ctdb.tunables.
        script_options: script.options.

    Example:
        >>> config = CtdbConfig(
        ...     cluster=CtdbCluster(cluster_lock="/opt/.ctdb/reclock"),
        ...     nodes=["10.10.10.1", "10.10.10.2"],
        ...     public_addresses=["192.168.1.21/24 lan0"],
        ... )
        >>> for path, file in config.files().items():
        ...     print(f"{path}: {file.render()!r}")
        /etc/ctdb/ctdb.conf: '[cluster]\\n\\tcluster lock = /opt/.ctdb/reclock\\n'
        /etc/ctdb/nodes: '10.10.10.1\\n10.10.10.2\\n'
        /etc/ctdb/public_addresses: '192.168.1.21/24 lan0\\n'
    """

    logging: CtdbLogging | None = section(CtdbLogging)
    cluster: CtdbCluster | None = section(CtdbCluster)
    database: CtdbDatabase | None = section(CtdbDatabase)
    event: CtdbEvent | None = section(CtdbEvent)
    failover: CtdbFailover | None = section(CtdbFailover)
    legacy: CtdbLegacy | None = section(CtdbLegacy)

    nodes: CtdbNodes = attrs.field(factory=CtdbNodes, converter=_nodes)
    public_addresses: CtdbPublicAddresses = attrs.field(
        factory=CtdbPublicAddresses, converter=_addresses
    )
    tunables: CtdbTunables = attrs.field(factory=CtdbTunables)
    script_options: CtdbScriptOptions = attrs.field(factory=CtdbScriptOptions)

    @classmethod
    def of(cls, source: Source | Node) -> Self:
        """The configuration that a text holds, with nothing beside it."""
        self = super().of(source)
        self.__dict__.update(
            nodes=CtdbNodes(),
            public_addresses=CtdbPublicAddresses(),
            tunables=CtdbTunables(),
            script_options=CtdbScriptOptions(),
        )
        return self

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Self:
        """Read ctdb.conf, and of the files beside it those that exist.

        Raises:
            ParseError: ctdb.conf is not a readable text file of sensible size.
        """
        directory = os.path.dirname(os.fspath(path))
        return attrs.evolve(
            cls.parse(read_bytes(path), os.fspath(path)),
            nodes=_beside(CtdbNodes, directory, "nodes"),
            public_addresses=_beside(CtdbPublicAddresses, directory, "public_addresses"),
            tunables=_beside(CtdbTunables, directory, "ctdb.tunables"),
            script_options=_beside(CtdbScriptOptions, directory, "script.options"),
        )

    def files(self, directory: str = "") -> Mapping[str, Model]:
        """All its files by path, to render or to write each; those that hold nothing left out.

        Args:
            directory: where; by default where ctdb.conf was read from, else /etc/ctdb.
        """
        here = os.path.dirname(self.document.path) if self.document else ""
        base = directory or here or DIRECTORY
        return {f"{base}/ctdb.conf": self} | {
            f"{base}/{name}": file for name, file in self._beside().items()
        }

    def nested(self) -> Iterator[Model]:
        """It, its sections, and the files beside it with their lines."""
        yield from super().nested()
        for file in self._beside().values():
            yield from file.nested()

    def _beside(self) -> dict[str, Model]:
        files: dict[str, Model] = {
            "nodes": self.nodes,
            "public_addresses": self.public_addresses,
            "ctdb.tunables": self.tunables,
            "script.options": self.script_options,
        }
        return {name: file for name, file in files.items() if file.document or file.render()}


def _beside(kind: type[M], directory: str, name: str) -> M:
    """A file of a directory, empty where there is none."""
    path = os.path.join(directory, name)
    return kind.parse(read_bytes(path), path) if os.path.exists(path) else kind()
