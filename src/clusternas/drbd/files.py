"""A whole configuration: /etc/drbd.conf with all that it includes.

drbdadm reads `include` patterns with glob(3), relative to the directory of the file that has them,
and each real file once. A pattern without a match is silent, a plain name without a file an error.
"""

from __future__ import annotations

import fnmatch
import glob
import os
import posixpath
from collections.abc import Callable, Iterator, Mapping

import attrs

from clusternas.core.diagnostics import Diagnostic, Finding, Severity, find
from clusternas.core.keyed import Keyed
from clusternas.core.versions import Toolset
from clusternas.drbd.inherit import Effective, effective, under
from clusternas.drbd.model import DrbdCommon, DrbdConfig, DrbdGlobal, DrbdResource
from clusternas.drbd.sections import DrbdModel
from clusternas.drbd.unique import clashes, free_minor, free_port, shared_disks

__all__ = ["DrbdFiles"]

MAX_FILES = 100_000
"""More files than any cluster has: a bound for patterns that match too much."""


@attrs.frozen
class Missing:
    """An include without a file: the file that has it, and the name."""

    config: DrbdConfig
    name: str


@attrs.frozen(kw_only=True)
class DrbdFiles:
    """The files of a configuration, each a model of its own that can be changed and written.

    Attributes:
        files: by path, in the order drbdadm reads them.
        missing: includes of plain names without a file.

    Example:
        >>> found = DrbdFiles.collect("/etc/drbd.conf", {
        ...     "/etc/drbd.conf": 'include "drbd.d/*.res";',
        ...     "/etc/drbd.d/r0.res": "resource r0 { on nas01 { device /dev/drbd1; } }",
        ... })
        >>> list(found.files), found.resources["r0"].hosts["nas01"].minor, found.free_minor(1)
        (['/etc/drbd.conf', '/etc/drbd.d/r0.res'], 1, 2)
    """

    files: Mapping[str, DrbdConfig]
    missing: tuple[Missing, ...] = ()

    @classmethod
    def read(cls, path: str = "/etc/drbd.conf") -> DrbdFiles:
        """Read a configuration of this machine.

        Raises:
            ParseError: a file that is there cannot be read.
        """
        return _collect(os.path.realpath(path), DrbdConfig.read, _on_disk)

    @classmethod
    def collect(cls, path: str, contents: Mapping[str, str | bytes]) -> DrbdFiles:
        """Put a configuration together from texts, of another machine for instance.

        Args:
            path: the first file.
            contents: texts by absolute path; those that nothing includes are left out.
        """
        return _collect(
            path,
            lambda name: DrbdConfig.parse(contents[name], name),
            lambda pattern: [name for name in sorted(contents) if _matches(name, pattern)],
        )

    @property
    def resources(self) -> Keyed[DrbdResource]:
        """The resources of all files."""
        found = [resource for config in self.files.values() for resource in config.resources]
        return Keyed(found, key=lambda resource: resource.name)

    @property
    def common(self) -> DrbdCommon | None:
        """The one `common` there may be."""
        return next((each.common for each in self.files.values() if each.common is not None), None)

    @property
    def global_(self) -> DrbdGlobal | None:
        """The one `global` there may be."""
        return next(
            (each.global_ for each in self.files.values() if each.global_ is not None), None
        )

    def effective(self, name: str) -> Effective:
        """The options that count for a resource, and where each comes from."""
        return effective(self.resources[name], self.common)

    def free_minor(self, start: int = 0) -> int:
        """The lowest minor number from `start` on that no host uses."""
        return free_minor(self.resources, start)

    def free_port(self, start: int = 7788) -> int:
        """The lowest port from `start` on that no address uses."""
        return free_port(self.resources, start)

    def validate(self, toolset: Toolset | None = None) -> list[Diagnostic]:
        """What is wrong in each file, and between them: DRBD006, 007 and 015."""
        found: list[Diagnostic] = []
        with under(self.common):
            for config in self.files.values():
                found += config.validate(toolset)
        for code, findings in (
            ("DRBD006", clashes(self.resources)),
            ("DRBD007", shared_disks(self.resources)),
            ("DRBD006", self._second("common")),
            ("DRBD006", self._second("global")),
            ("DRBD015", self._missing()),
        ):
            known = {_place(each) for each in found}
            found += [
                each for each in map(_diagnostic(code), findings) if _place(each) not in known
            ]
        return found

    def _second(self, section: str) -> Iterator[Finding]:
        nodes = [
            node
            for config in self.files.values()
            if config.document is not None
            for node in config.document.root.children
            if node.key == section
        ]
        for node in nodes[1:]:
            yield Finding(f"{section} stands in two files", DrbdModel.of(node), help="keep one")

    def _missing(self) -> Iterator[Finding]:
        for each in self.missing:
            message = f"the included file {each.name} does not exist"
            yield Finding(message, each.config, "includes", "correct its name")


def _place(each: Diagnostic) -> tuple[str, str, int, int]:
    """What tells a finding of one file from one between files."""
    return each.code, each.path, each.line, each.column


def _diagnostic(code: str) -> Callable[[Finding], Diagnostic]:
    def build(finding: Finding) -> Diagnostic:
        model = finding.at
        assert isinstance(model, DrbdModel)
        node = model.statement_of(finding.field)
        tree = None if node is None else node.tree
        start = 0 if node is None else node.start
        end = 0 if node is None else node.end if node.body < 0 else max(node.args_end, start + 1)
        return find(tree, start, end, code, Severity.ERROR, finding.message, help=finding.help)

    return build


def _collect(
    path: str, read: Callable[[str], DrbdConfig], expand: Callable[[str], list[str]]
) -> DrbdFiles:
    files: dict[str, DrbdConfig] = {}
    missing: list[Missing] = []
    waiting = [path]
    while waiting and len(files) < MAX_FILES:
        name = waiting.pop(0)
        if name in files:
            continue
        files[name] = config = read(name)
        inside: list[str] = []
        for include in config.includes:
            pattern = posixpath.join(posixpath.dirname(name), include)
            found = expand(posixpath.normpath(pattern))
            if not found and not glob.has_magic(include):
                missing.append(Missing(config, include))
            inside += found
        waiting = inside + waiting
    return DrbdFiles(files=files, missing=tuple(missing))


def _on_disk(pattern: str) -> list[str]:
    return [os.path.realpath(name) for name in sorted(glob.glob(pattern))]


def _matches(name: str, pattern: str) -> bool:
    """As glob(3) does: a star ends at a slash, and no star takes a leading dot."""
    parts, wanted = name.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(
        fnmatch.fnmatchcase(part, want) and not (part.startswith(".") > want.startswith("."))
        for part, want in zip(parts, wanted, strict=True)
    )
