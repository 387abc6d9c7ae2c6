"""Services: chkconfig and service on init scripts, systemctl on units, and the order of booting."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from clusternas.testing.blocks import Entry
from clusternas.testing.shell import Answer, Daemon, Exit, Hang, Tool, nothing, said
from clusternas.testing.tools import power

if TYPE_CHECKING:
    from clusternas.core.versions import Toolset
    from clusternas.testing.node import FakeNode

__all__ = ["DAEMONS", "TOOLS", "boot", "install"]

HEADER = re.compile(r"^#\s*chkconfig:\s*(\S+)\s+(\d+)\s+(\d+)", re.M)
WANTS = "/etc/systemd/system/multi-user.target.wants"
DAEMONS = {
    "iptables": Daemon(
        nothing, nothing, chkconfig="2345 08 92", installed=lambda t: sysv(t), enabled=True
    ),
    "nftables": Daemon(nothing, nothing, installed=lambda t: not sysv(t)),
    "firewalld": Daemon(nothing, nothing, installed=lambda t: not sysv(t)),
    "ssh": Daemon(nothing, nothing, installed=lambda t: not sysv(t), enabled=True),
    "sshd": Daemon(
        nothing, nothing, chkconfig="2345 55 25", installed=lambda t: sysv(t), enabled=True
    ),
    "ntpd": Daemon(nothing, nothing, chkconfig="- 58 74", installed=lambda t: sysv(t)),
}


def sysv(toolset: Toolset) -> bool:
    """Whether init scripts start the services."""
    return toolset.init == "sysv"


def known(node: FakeNode) -> Mapping[str, Daemon]:
    """The services installed on a node."""
    from clusternas.testing.tools import DAEMONS as every

    return {
        name: daemon for name, daemon in every.items() if daemon.installed(node.cluster.toolset)
    }


def install(node: FakeNode) -> None:
    """Init scripts, run level links and units as the packages bring them."""
    for name, daemon in known(node).items():
        if sysv(node.cluster.toolset):
            node.files.write(
                f"/etc/init.d/{name}",
                f"#!/bin/bash\n#\n# chkconfig: {daemon.chkconfig}\n",
                mode=0o755,
            )
            set_levels(node, name, default_levels(node, name) if daemon.enabled else "")
        elif daemon.enabled:
            enable(node, name)
        if daemon.enabled:
            node.running.add(name)


# Starting and stopping, whoever asks


def start(node: FakeNode, name: str) -> None:
    """Start a service that does not run yet."""
    if name not in node.running:
        known(node)[name].start(node)
        node.running.add(name)


def stop(node: FakeNode, name: str) -> None:
    """Stop a service that runs."""
    if name in node.running:
        known(node)[name].stop(node)
        node.running.discard(name)


def stopping(node: FakeNode) -> list[str]:
    """What runs, in the order in which a shutdown stops it: what needs others first."""
    return [name for name in reversed(list(known(node))) if name in node.running]


# Init scripts


def default_levels(node: FakeNode, name: str) -> str:
    """The run levels of the script's header; `-` means that chkconfig's own default counts."""
    levels = header(node, name)[0]
    return "2345" if levels == "-" else levels


def header(node: FakeNode, name: str) -> tuple[str, str, str]:
    """Levels, start and stop number of an init script."""
    found = HEADER.search(node.files.text(f"/etc/init.d/{name}"))
    if found is None:
        raise Exit(1, f"service {name} does not support chkconfig")
    return found.group(1), f"{int(found.group(2)):02d}", f"{int(found.group(3)):02d}"


def link_of(node: FakeNode, level: str, name: str) -> str:
    """The link of a service in a run level; empty if there is none."""
    links = node.files.below(f"/etc/rc.d/rc{level}.d")
    return next((link for link in links if link[3:] == name), "")


def set_levels(node: FakeNode, name: str, on: str, levels: str = "0123456") -> None:
    """Make the links of a service: S in the levels of `on`, K in the others."""
    _, first, last = header(node, name)
    for level in levels:
        folder = f"/etc/rc.d/rc{level}.d"
        if old := link_of(node, level, name):
            node.files.remove(f"{folder}/{old}")
        node.files.make_directories(folder)
        link = f"{folder}/{'S' + first if level in on else 'K' + last}{name}"
        node.files.put(link, Entry(f"../../init.d/{name}".encode(), kind="link", mode=0o777))


def chkconfig(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """chkconfig [--level LEVELS] NAME on|off, --list, --add, --del, NAME."""
    levels = ""
    rest = list(args)
    if rest[:1] == ["--level"]:
        levels, rest = rest[1], rest[2:]
    if rest[:1] == ["--list"]:
        return "".join(listed(node, name) for name in rest[1:] or sorted(known(node)))
    name = rest[1] if rest[0].startswith("--") else rest[0]
    if name not in known(node):
        raise Exit(1, f"error reading information on service {name}: No such file or directory")
    match rest:
        case ["--add" | "--override", _]:
            set_levels(node, name, header(node, name)[0])
        case [_, "on" | "off" as word]:
            change(
                node,
                name,
                word == "on",
                levels or ("2345" if word == "off" else default_levels(node, name)),
            )
        case [_, "reset"]:
            set_levels(node, name, default_levels(node, name))
        case [_]:
            raise Exit(0 if link_of(node, "3", name).startswith("S") else 1)
    return ""


def change(node: FakeNode, name: str, on: bool, levels: str) -> None:
    """Switch a service on or off in some levels and leave the others."""
    set_levels(node, name, levels if on else "", levels)


def listed(node: FakeNode, name: str) -> str:
    """A line of chkconfig --list."""
    if name not in known(node):
        raise Exit(1, f"error reading information on service {name}: No such file or directory")
    states = [
        f"{level}:{'on' if link_of(node, level, name).startswith('S') else 'off'}"
        for level in "0123456"
    ]
    return f"{name:<15}\t" + "\t".join(states) + "\n"


def service(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """service NAME start|stop|restart|reload|status."""
    name, action = (*args, "", "")[:2]
    if name not in known(node):
        raise Exit(1, f"{name}: unrecognized service")
    match action:
        case "start" | "stop" | "restart" | "condrestart" | "reload" | "force-reload":
            return scripted(node, name, action)
        case "status" if name in node.running:
            return f"{name} (pid  2010) is running...\n"
        case "status":
            raise Exit(3, "", f"{name} is stopped\n")
        case _:
            raise Exit(2, f"Usage: /etc/init.d/{name} {{start|stop|restart|reload|status}}")


def scripted(node: FakeNode, name: str, action: str) -> Answer:
    """Run an init script: what it does, with OK or FAILED."""
    said_so = []
    try:
        if action != "start" and action != "reload":
            stop(node, name)
            said_so.append(f"Stopping {name}: [  OK  ]\n")
        if action != "stop":
            start(node, name)
            said_so.append(f"Starting {name}: [  OK  ]\n")
    except Exit as failed:
        word = "Starting" if said_so or action == "start" else "Stopping"
        raise Exit(
            1, failed.output.error_text, "".join([*said_so, f"{word} {name}: [FAILED]\n"])
        ) from None
    return "".join(said_so)


# Units


def systemctl(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """systemctl: start, stop, restart, enable, disable, is-active, is-enabled, show, status."""
    given = zip(("", *args), args, strict=False)
    words = [arg for before, arg in given if not arg.startswith("-") and before != "-p"]
    names = [unit.removesuffix(".service") for unit in words[1:]]
    match words[:1]:
        case ["is-active"]:
            return active_states(node, names)
        case ["is-enabled"]:
            return enabled_states(node, names)
        case ["show"]:
            return "\n".join(shown(node, name) for name in names)
        case ["daemon-reload"]:
            return ""
        case ["reboot"]:
            power.restart(node)
            return ""
        case ["list-units"]:
            return ""
    for name in names:
        if name not in known(node):
            verb = words[0]
            raise Exit(
                5,
                f"Failed to {verb} {name}.service: Unit {name}.service not "
                f"{'found' if verb == 'start' else 'loaded'}.",
            )
        unit_action(node, words[0], name, now="--now" in args)
    return ""


def unit_action(node: FakeNode, verb: str, name: str, *, now: bool = False) -> None:
    """One verb on one unit."""
    match verb:
        case "start" | "reload" | "try-restart":
            start_unit(node, name)
        case "stop":
            stop_unit(node, name)
        case "restart" | "reload-or-restart":
            stop_unit(node, name)
            start_unit(node, name)
        case "enable":
            enable(node, name)
            if now:
                start_unit(node, name)
        case "disable" | "mask":
            node.files.remove(f"{WANTS}/{name}.service")
            if now:
                stop_unit(node, name)
        case "unmask" | "reset-failed":
            return
        case "status":
            raise Exit(
                0 if name in node.running else 3,
                "",
                f"{name}.service - {'active' if name in node.running else 'inactive'}\n",
            )
        case _:
            raise Exit(1, f"Unknown command verb {verb}.")


def start_unit(node: FakeNode, name: str) -> None:
    """Start a unit after those it requires."""
    for needed in known(node)[name].needs:
        start_unit(node, needed)
    try:
        start(node, name)
    except Exit as failed:
        hint = f'Job for {name}.service failed.\nSee "systemctl status {name}.service" for details.'
        raise Exit(1, failed.output.error_text + hint) from None


def stop_unit(node: FakeNode, name: str) -> None:
    """Stop a unit after those that require it."""
    for other, daemon in known(node).items():
        if name in daemon.needs:
            stop_unit(node, other)
    stop(node, name)


def enable(node: FakeNode, name: str) -> None:
    """Start a unit at boot."""
    node.files.make_directories(WANTS)
    target = f"/lib/systemd/system/{name}.service"
    node.files.put(f"{WANTS}/{name}.service", Entry(target.encode(), kind="link", mode=0o777))


def is_enabled(node: FakeNode, name: str) -> bool:
    """Whether a unit starts at boot."""
    return node.files.get(f"{WANTS}/{name}.service") is not None


def active_states(node: FakeNode, names: list[str]) -> Answer:
    """systemctl is-active: the exit code is 0 if any is."""
    words = ["active" if name in node.running else "inactive" for name in names]
    return said("".join(f"{word}\n" for word in words), "", 0 if "active" in words else 3)


def enabled_states(node: FakeNode, names: list[str]) -> Answer:
    """systemctl is-enabled: nothing is said of those after one that does not exist."""
    missing = [name for name in names if name not in known(node)][:1]
    asked = names[: names.index(missing[0])] if missing else names
    words = ["enabled" if is_enabled(node, name) else "disabled" for name in asked]
    why = "".join(
        f"Failed to get unit file state for {name}.service: No such file or directory\n"
        for name in missing
    )
    return said(
        "".join(f"{word}\n" for word in words), why, 0 if "enabled" in words and not missing else 1
    )


def shown(node: FakeNode, name: str) -> str:
    """systemctl show of one unit."""
    loaded, active = name in known(node), name in node.running
    state = ("enabled" if is_enabled(node, name) else "disabled") if loaded else ""
    rows = {
        "Result": "success",
        "Id": f"{name}.service",
        "LoadState": "loaded" if loaded else "not-found",
        "ActiveState": "active" if active else "inactive",
        "SubState": "running" if active else "dead",
        "UnitFileState": state,
    }
    return "".join(f"{key}={value}\n" for key, value in rows.items())


# Booting


def boot(nodes: Sequence[FakeNode], runlevel: int) -> None:
    """Start what each node's run level or enabled units say, in step; failures are on consoles."""
    turns = [(place, node, name) for node in nodes for place, name in order(node, runlevel)]
    for _, node, name in sorted(turns, key=lambda turn: turn[0]):
        starter = start if sysv(node.cluster.toolset) else start_unit
        try:
            starter(node, name)
        except Exit as failed:
            node.console.append(f"{name}: {failed.output.error_text}")
        except Hang as hang:
            node.console.append(f"{name}: {hang}")
    for node in nodes if not sysv(nodes[0].cluster.toolset) else ():
        mounted = node.answer(("mount", "-a"), b"")
        if mounted.exit_code:
            node.console.append(f"mount: {mounted.error_text}")


def order(node: FakeNode, runlevel: int) -> list[tuple[str, str]]:
    """The services to start, each with its place: the link's name, or the order of the units."""
    if sysv(node.cluster.toolset):
        links = node.files.below(f"/etc/rc.d/rc{runlevel}.d")
        return [(link, link[3:]) for link in links if link.startswith("S")]
    enabled = (name for name in known(node) if is_enabled(node, name))
    return [(f"{place:03d}", name) for place, name in enumerate(enabled)]


TOOLS = {
    "service": Tool(service, sysv),
    "chkconfig": Tool(chkconfig, sysv),
    "systemctl": Tool(systemctl, lambda toolset: not sysv(toolset)),
}
