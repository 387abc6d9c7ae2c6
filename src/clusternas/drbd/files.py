"""A whole configuration: /etc/drbd.conf with all that it includes.

drbdadm reads `include` patterns with glob(3), relative to the directory of the file that has them,
and each real file once. A pattern without a match is silent, a plain name without a file an error.
"""

from __future__ import annotations

import fnmatch
import glob
import os
import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import attrs

from clusternas.core.diagnostics import Diagnostic, Finding, Rule, diagnose, rules_of
from clusternas.core.errors import ParseError
from clusternas.core.keyed import Keyed
from clusternas.core.versions import Toolset
from clusternas.drbd.inherit import Effective, effective, under
from clusternas.drbd.model import DrbdCommon, DrbdConfig, DrbdGlobal, DrbdResource
from clusternas.drbd.options import generation
from clusternas.drbd.refuse import too_few_minors
from clusternas.drbd.sections import DrbdModel
from clusternas.drbd.unique import clashes, free_minor, free_node_id, free_port, shared_disks

__all__ = ["DrbdFiles"]

MAX_FILES = 100_000
"""More files than any cluster has: a bound for patterns that match too much."""


@attrs.frozen
class Missing:
    """A file that is not there: the name, and the statement that names it."""

    name: str
    model: DrbdConfig | DrbdResource
    field: str


@attrs.frozen(kw_only=True)
class DrbdFiles:
    """The files of a configuration, each a model of its own that can be changed and written.

    Attributes:
        files: by path, in the order drbdadm reads them.
        templates: by path, the files that `template-file` of DRBD 9 names.
        missing: includes of plain names, and template files, that are not there.

    Example:
        >>> found = DrbdFiles.collect("/etc/drbd.conf", {
        ...     "/etc/drbd.conf": 'include "drbd.d/*.res";',
        ...     "/etc/drbd.d/r0.res": "resource r0 { on nas01 { device /dev/drbd1; } }",
        ... })
        >>> list(found.files), found.resources["r0"].hosts["nas01"].minor, found.free_minor(1)
        (['/etc/drbd.conf', '/etc/drbd.d/r0.res'], 1, 2)
    """

    files: Mapping[str, DrbdConfig]
    templates: Mapping[str, DrbdConfig] = attrs.field(factory=dict)
    missing: tuple[Missing, ...] = ()

    @classmethod
    def read(cls, path: str = "/etc/drbd.conf") -> DrbdFiles:
        """Read a configuration of this machine.

        Raises:
            ParseError: a file that is there cannot be read.
        """
        return cls.begin(DrbdConfig.read(path))

    @classmethod
    def begin(cls, first: DrbdConfig) -> DrbdFiles:
        """Read what a file of this machine includes; see `DrbdConfig.with_includes`.

        Raises:
            ParseError: a file that is there cannot be read.
        """
        path = os.path.realpath(first.document.path if first.document else "/etc/drbd.conf")
        return _Collector(
            lambda name: first if name == path else DrbdConfig.read(name), _on_disk
        ).collect(path)

    @classmethod
    def collect(cls, path: str, contents: Mapping[str, str | bytes]) -> DrbdFiles:
        """Put a configuration together from texts, of another machine for instance.

        Args:
            path: the first file.
            contents: texts by absolute path; those that nothing includes are left out.
        """
        return _Collector(
            lambda name: DrbdConfig.parse(contents[name], name),
            lambda pattern: [name for name in sorted(contents) if _matches(name, pattern)],
        ).collect(path)

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
        return effective(self.resources[name], self._template_commons().get(name, self.common))

    def _template_commons(self) -> dict[str, DrbdCommon]:
        """The `common` of each template file, by the resources that name it."""
        if not self.templates:
            return {}
        return {
            resource.name: self.templates[path].common or DrbdCommon()
            for file, config in self.files.items()
            for resource in config.resources
            if (path := _beside(file, resource.template_file or "")) in self.templates
        }

    def free_minor(self, start: int = 0) -> int:
        """The lowest minor number from `start` on that no host uses."""
        return free_minor(self.resources, start)

    def free_port(self, start: int = 7788) -> int:
        """The lowest port from `start` on that no address uses."""
        return free_port(self.resources, start)

    def free_node_id(self, name: str) -> int:
        """The lowest node-id that no host of a resource has."""
        return free_node_id(self.resources[name])

    def validate(self, toolset: Toolset | None = None) -> list[Diagnostic]:
        """What is wrong in each file, and between them: DRBD006, 007 and 015."""
        found: list[Diagnostic] = []
        names = (each.name for each in self.resources)
        with under(self.common, names, self._template_commons()):
            for config in (*self.files.values(), *self.templates.values()):
                found += config.validate(toolset)
        judge = toolset or Toolset.UNKNOWN
        version = generation(judge) if judge.drbd else ""
        rules = {rule.code: rule for rule in rules_of(DrbdConfig)}
        again: list[tuple[Rule[Any], Iterable[Finding]]] = [
            (rules["DRBD006"], clashes(self.resources)),
            (rules["DRBD007"], shared_disks(self.resources)),
            (rules["DRBD006"], self._second("common")),
            (rules["DRBD006"], self._second("global")),
            (rules["DRBD010"], too_few_minors(self.global_, self.resources, version)),
        ]
        again += [(rule, rule.check(self, judge)) for rule in rules_of(DrbdFiles)]
        for rule, findings in again:
            known = {_place(each) for each in found}
            each_one = (diagnose(rule, self, finding) for finding in findings)
            found += [each for each in each_one if _place(each) not in known]
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


def _place(each: Diagnostic) -> tuple[str, str, int, int]:
    """What tells a finding of one file from one between files."""
    return each.code, each.path, each.line, each.column


@attrs.define
class _Collector:
    """Reads files and what they include: `read` one, `expand` a pattern to names."""

    read: Callable[[str], DrbdConfig]
    expand: Callable[[str], list[str]]
    files: dict[str, DrbdConfig] = attrs.field(factory=dict)
    templates: dict[str, DrbdConfig] = attrs.field(factory=dict)
    missing: list[Missing] = attrs.field(factory=list)

    def collect(self, path: str) -> DrbdFiles:
        waiting = [path]
        while waiting:
            name = waiting.pop(0)
            if name in self.files:
                continue
            if len(self.files) == MAX_FILES:
                raise ParseError(f"more than {MAX_FILES} files are included", path=path)
            self.files[name] = config = self.read(name)
            self._templates(name, config)
            waiting = self._includes(name, config) + waiting
        return DrbdFiles(files=self.files, templates=self.templates, missing=tuple(self.missing))

    def _includes(self, name: str, config: DrbdConfig) -> list[str]:
        found: list[str] = []
        for include in config.includes:
            names = self.expand(_beside(name, include))
            if not names and not glob.has_magic(include):
                self.missing.append(Missing(include, config, "includes"))
            found += names
        return found

    def _templates(self, name: str, config: DrbdConfig) -> None:
        if config.document is None or "template-file" not in config.document.text:
            return
        for resource in config.resources:
            path = resource.template_file and _beside(name, resource.template_file)
            if path and path not in self.expand(glob.escape(path)):
                self.missing.append(Missing(path, resource, "template_file"))
            elif path:
                self.templates.setdefault(path, self.read(path))


def _beside(file: str, name: str) -> str:
    """A name in a file, as seen from the directory of that file."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(file), name))


def _on_disk(pattern: str) -> list[str]:
    return [os.path.realpath(name) for name in sorted(glob.glob(pattern))]


def _matches(name: str, pattern: str) -> bool:
    """As glob(3) does: a star ends at a slash, and no star takes a leading dot."""
    parts, wanted = name.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(
        fnmatch.fnmatchcase(part, want) and not (part.startswith(".") > want.startswith("."))
        for part, want in zip(parts, wanted, strict=True)
    )
