"""Services of the machine: systemd units today, init scripts and chkconfig in 2010.

Every tool has one, so the slices share them. `init` is `Toolset.init`: `systemd` or `sysv`.

```
systemctl start corosync        service cman start
systemctl enable corosync       chkconfig cman on
systemctl is-active corosync    service cman status
systemctl show -p … corosync    chkconfig --list cman
```
"""

from __future__ import annotations

import re

import attrs

from clusternas.core.command import Command, Effect, Output, text
from clusternas.core.errors import ParseError, ValidationError

__all__ = [
    "RunLevels",
    "ServiceState",
    "disable",
    "enable",
    "enable_all",
    "is_active",
    "restart",
    "run_levels",
    "start",
    "states",
    "stop",
]

UNIT = re.compile(r"[A-Za-z0-9:_.@\\][A-Za-z0-9:_.@\\-]{0,254}")
SCRIPT = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.-]{0,254}")
LEVELS = re.compile(r"[0-6]{1,7}")
PROPERTIES = "Id,LoadState,ActiveState,SubState,UnitFileState,Result"
CHANGE = 300.0
"""Seconds a service may take: cman and DRBD wait for the other node."""
READ = 30.0
BOOT = 120.0
"""Seconds: systemd reloads everything, and runs update-rc.d for what has an init script too."""


@attrs.frozen(kw_only=True)
class ServiceState:
    """What systemd says of a unit; the words are systemd's own.

    Attributes:
        name: its id, the file that an alias stands for (`bind9` is `named.service`).
        load: `loaded`, `not-found`, `masked`, `error`, …
        active: `active`, `inactive`, `failed`, `activating`, `deactivating`, `reloading`.
        sub: finer, by type of unit: `running`, `exited`, `dead`, …
        enabled: `enabled`, `disabled`, `static`, `masked`, …; empty for a unit that has no file.
        result: `success`, or how it failed: `exit-code`, `timeout`, `signal`, …
    """

    name: str
    load: str = ""
    active: str = ""
    sub: str = ""
    enabled: str = ""
    result: str = ""

    @property
    def is_active(self) -> bool:
        """Whether it runs, or ran and is meant to have ended."""
        return self.active == "active"

    @property
    def is_installed(self) -> bool:
        """Whether there is a unit of that name."""
        return self.load not in ("not-found", "")


@attrs.frozen(kw_only=True)
class RunLevels:
    """In which run-levels an init script starts; see chkconfig(8).

    Attributes:
        name: of the script.
        on: the levels, in order; empty where it starts in none or chkconfig does not know it.
    """

    name: str = ""
    on: tuple[int, ...] = ()

    @property
    def is_enabled(self) -> bool:
        """Whether it starts in the levels a server boots to, 3 and 5."""
        return 3 in self.on and 5 in self.on


def start(unit: str, init: str = "systemd") -> Command[str]:
    """Start it now.

    Example:
        >>> str(start("cman", "sysv")), str(start("corosync"))
        ('service cman start', 'systemctl start corosync')
    """
    return _act("start", unit, init)


def stop(unit: str, init: str = "systemd") -> Command[str]:
    """Stop it now."""
    return _act("stop", unit, init)


def restart(unit: str, init: str = "systemd") -> Command[str]:
    """Stop it if it runs, and start it."""
    return _act("restart", unit, init)


def enable(unit: str, init: str = "systemd", levels: str = "") -> Command[str]:
    """Start it at boot.

    Args:
        unit: the unit or init script.
        init: `systemd` or `sysv`.
        levels: run-levels like `35`, sysv only; by default those its script asks for.
    """
    return _boot("enable", "on", unit, init, levels)


def enable_all(*units: str) -> Command[str]:
    """Start units at boot, all with one call: after each, systemd reads every unit again.

    systemd only; where a unit has an init script too, Debian's systemctl also runs update-rc.d.

    Raises:
        ValidationError: there is none, or one is not a unit.

    Example:
        >>> str(enable_all("corosync", "dlm"))
        'systemctl enable corosync dlm'
    """
    if not units:
        raise ValidationError("no unit", hint="name at least one")
    return Command(("systemctl", "enable", *map(_unit, units)), text, timeout=BOOT * len(units))


def disable(unit: str, init: str = "systemd", levels: str = "") -> Command[str]:
    """Do not start it at boot.

    Example:
        >>> str(disable("lvm2-monitor", "sysv", levels="2"))
        'chkconfig --level 2 lvm2-monitor off'
    """
    return _boot("disable", "off", unit, init, levels)


def is_active(unit: str, init: str = "systemd") -> Command[bool]:
    """Whether it runs. An init script answers with its exit code (LSB), systemd with a word too."""
    if _is_systemd(init):
        argv = ("systemctl", "is-active", _unit(unit))
        return Command(argv, _active, effect=Effect.READ, timeout=READ, ok={0, 3, 4})
    argv = ("service", _script(unit), "status")
    return Command(argv, _running, effect=Effect.READ, timeout=READ, ok={0, 1, 2, 3, 4})


def states(*units: str) -> Command[tuple[ServiceState, ...]]:
    """The states of units, in their order; systemd only. Units that do not exist are among them."""
    if not units:
        raise ValidationError("no unit", hint="name at least one")
    argv = ("systemctl", "show", "-p", PROPERTIES, *map(_unit, units))  # fmt: skip
    return Command(argv, decode_states, effect=Effect.READ, timeout=READ)


def run_levels(unit: str) -> Command[RunLevels]:
    """In which run-levels an init script starts; sysv only. It exits 1 where it starts in none."""
    argv = ("chkconfig", "--list", _script(unit))
    return Command(argv, decode_run_levels, effect=Effect.READ, timeout=READ, ok={0, 1})


def decode_states(output: Output) -> tuple[ServiceState, ...]:
    """Read `systemctl show`: blocks of `Key=value`, an empty line between them.

    Raises:
        ParseError: a line is not `Key=value`, or a block has no Id.
    """
    found = []
    for block in filter(None, (part.strip("\n") for part in re.split(r"\n\n+", output.text))):
        pairs = [line.partition("=") for line in block.split("\n")]
        values = {key: value for key, _, value in pairs}
        if not values.get("Id") or not all(mark for _, mark, _ in pairs):
            raise ParseError(f"not the output of systemctl show: {block[:60]!r}")
        found.append(
            ServiceState(
                name=values["Id"],
                load=values.get("LoadState", ""),
                active=values.get("ActiveState", ""),
                sub=values.get("SubState", ""),
                enabled=values.get("UnitFileState", ""),
                result=values.get("Result", ""),
            )
        )
    return tuple(found)


def decode_run_levels(output: Output) -> RunLevels:
    """Read `chkconfig --list NAME`: `drbd  0:off 1:off 2:on …`; an error means that it is off.

    Raises:
        ParseError: it exited 0 and printed something else.
    """
    if output.exit_code:
        return RunLevels()
    name, *columns = output.text.split() or [""]
    pairs = [re.fullmatch(r"([0-6]):(on|off)", column) for column in columns]
    if not pairs or not all(pairs):
        raise ParseError(f"not the output of chkconfig --list: {output.text[:60]!r}")
    on = tuple(int(pair[1]) for pair in pairs if pair and pair[2] == "on")
    return RunLevels(name=name, on=on)


def _active(output: Output) -> bool:
    return output.text.strip() == "active"


def _running(output: Output) -> bool:
    return output.exit_code == 0


def _act(verb: str, unit: str, init: str) -> Command[str]:
    if _is_systemd(init):
        return Command(("systemctl", verb, _unit(unit)), text, timeout=CHANGE)
    return Command(("service", _script(unit), verb), text, timeout=CHANGE)


def _boot(verb: str, switch: str, unit: str, init: str, levels: str) -> Command[str]:
    if _is_systemd(init):
        if levels:
            raise ValidationError("systemd has no run-levels", hint="leave levels out")
        return Command(("systemctl", verb, _unit(unit)), text, timeout=BOOT)
    if levels and not LEVELS.fullmatch(levels):
        raise ValidationError(f"not run-levels: {levels!r}", hint="digits from 0 to 6, like 35")
    at = ("--level", levels) if levels else ()
    return Command(("chkconfig", *at, _script(unit), switch), text, timeout=BOOT)


def _is_systemd(init: str) -> bool:
    if init not in ("systemd", "sysv"):
        raise ValidationError(f"unknown init {init!r}", hint="write systemd or sysv")
    return init == "systemd"


def _unit(name: str) -> str:
    if not UNIT.fullmatch(name):
        raise ValidationError(f"not a unit: {name!r}", hint="letters, digits and : _ . @ \\ -")
    return name


def _script(name: str) -> str:
    if not SCRIPT.fullmatch(name):
        raise ValidationError(f"not an init script: {name!r}", hint="letters, digits and _ . -")
    return name
