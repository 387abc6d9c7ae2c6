"""The three drbdadm of drbd-utils, and configurations for them of every kind they read."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

from attrs import evolve
from hypothesis import strategies as st

from clusternas.core.versions import Toolset
from clusternas.drbd.hosts import DrbdPeerVolume
from clusternas.drbd.model import (
    DrbdCommon,
    DrbdConfig,
    DrbdConnection,
    DrbdDisk,
    DrbdEndpoint,
    DrbdFloating,
    DrbdGlobal,
    DrbdHandlers,
    DrbdHost,
    DrbdHostProxy,
    DrbdMesh,
    DrbdNet,
    DrbdOptions,
    DrbdPath,
    DrbdProxied,
    DrbdProxy,
    DrbdResource,
    DrbdStacked,
    DrbdStartup,
    DrbdVolume,
)
from clusternas.testing.strategies import models

PATHS = {"8.3": "/lib/drbd/drbdadm-83", "8.4": "/lib/drbd/drbdadm-84", "9": "drbdadm"}
TOOLSETS = {
    "8.3": Toolset(drbd="8.3.16"),
    "8.4": Toolset(drbd="8.4.11"),
    "9": Toolset(drbd="9.1.19"),
}
CALL = re.compile("drbd(setup|meta)")
NOTHING = re.compile("no (normal )?resources defined")


def accepted(done: subprocess.CompletedProcess[str]) -> bool:
    """No complaint, or only that this host has nothing to do with it."""
    return done.returncode == 0 or bool(NOTHING.search(done.stderr))


class Drbdadm:
    """One of the three, with a configuration file of its own, as the host node1."""

    def __init__(self, path: str, generation: str, file: Path) -> None:
        self.path = path
        self.file = file
        self.env = {
            "PATH": os.defpath + ":/usr/sbin:/sbin",
            "LC_ALL": "C",
            "__DRBD_NODE__": "node1",
            "DRBD_DRIVER_VERSION_OVERRIDE": "9.0.0" if generation == "9" else "8.4.0",
        }

    def run(self, text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        self.file.write_bytes(text.encode("utf-8", "surrogateescape"))
        return subprocess.run(
            [self.path, "-c", str(self.file), "-d", *arguments],
            stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", errors="replace",
            env=self.env, check=False, timeout=30,
        )  # fmt: skip

    def reads(self, text: str) -> bool:
        """Whether it accepts a file."""
        return accepted(self.run(text, "dump"))

    def plan(self, text: str) -> list[list[str]]:
        """The calls of drbdsetup and drbdmeta for `up all`, the words of each in order."""
        done = self.run(text, "up", "all")
        assert accepted(done), done.stderr + text
        calls = [line for line in done.stdout.splitlines() if CALL.search(line)]
        return sorted(sorted(shlex.split(line)[1:]) for line in calls)


def config(section: str = "", statement: str = "") -> str:
    """A resource that all three read, with one statement more."""
    top = f"global {{ {statement} }}\n" if section == "global" else ""
    inside = {"": "", "global": "", "resource": statement}.get(
        section, f"{section} {{ {statement} }}"
    )
    protocol = "" if statement.startswith("protocol") else "protocol C;"
    hosts = "".join(
        f"  on node{n} {{ device /dev/drbd0; disk /dev/sda5; address 10.0.0.{n}:7788;"
        " meta-disk internal; }\n"
        for n in (1, 2)
    )
    return f"{top}resource r0 {{\n  {protocol}\n{hosts}  {inside}\n}}\n"


# --- configurations -----------------------------------------------------------------------------

ONE = {"device": "/dev/drbd1", "disk": "/dev/sda5", "meta_disk": "internal"}
PEER = frozenset(
    "resync_rate c_plan_ahead c_delay_target c_fill_target c_max_rate c_min_rate".split()
)
KINDS = {
    "8.3": ("pair", "floating", "stacked", "proxied"),
    "8.4": ("pair", "floating", "stacked", "proxied", "volumes", "shared"),
    "9": ("pair", "floating", "stacked", "proxied", "volumes", "shared", "mesh", "linked"),
}


@st.composite
def sections(draw: st.DrawFn, generation: str) -> dict[str, Any]:
    """Any of the options of every section that `common` and a resource both may have."""
    toolset = TOOLSETS[generation]
    found = {
        "net": draw(models(DrbdNet, toolset)),
        "disk": evolve(draw(models(DrbdDisk, toolset)), resync_after=None),
        "options": draw(models(DrbdOptions, toolset)),
        "startup": evolve(draw(models(DrbdStartup, toolset)), become_primary_on=None),
        "handlers": draw(models(DrbdHandlers, toolset)),
        "proxy": draw(models(DrbdProxy, toolset)),
    }
    return {name: value for name, value in found.items() if value != type(value)()}


@st.composite
def resources(
    draw: st.DrawFn, generation: str, kind: str = "pair", number: int = 1
) -> DrbdResource:
    """A resource of one kind, with any of the options of every section."""
    more = draw(sections(generation))
    net = more.pop("net", DrbdNet())
    more["net"] = evolve(net, protocol=net.protocol or "C")
    if draw(st.booleans()) and kind != "floating":
        startup = more.get("startup", DrbdStartup())
        more["startup"] = evolve(startup, become_primary_on=("node1",))
    if kind == "stacked":
        more["startup"] = None
    name = draw(st.sampled_from(["disk", "10", "a.b-c_d", "1.2.3", "volume"])) + str(number)
    return DrbdResource(name=name, **more, **draw(layouts(generation, kind, number)))


@st.composite
def layouts(draw: st.DrawFn, generation: str, kind: str, number: int) -> dict[str, Any]:
    """The hosts, volumes and links of a resource."""
    hosts = [DrbdHost(name=f"node{n}", address=f"10.0.0.{n}:{7000 + 10 * number}") for n in (1, 2)]
    whole = ONE | {"device": f"/dev/drbd{10 * number}", "disk": f"/dev/vg/{number}"}
    pair = [evolve(host, **whole) for host in hosts]
    if kind == "floating":
        ends = [
            DrbdFloating(text=(*draw(st.sampled_from([(), ("ipv4",)])), str(host.address)), **whole)
            for host in hosts
        ]
        return {"floating": ends}
    if kind == "stacked":
        upper = evolve(pair[1], name="node3")
        device = whole["device"]
        return {
            "hosts": [upper],
            "stacked": [DrbdStacked(name="lower", device=device, address=hosts[0].address)],
        }
    if kind == "proxied":
        return {"hosts": [evolve(each, proxies=[proxy(each, generation, draw)]) for each in pair]}
    if kind == "pair":
        return {"hosts": pair}
    count = draw(st.integers(1, 3))
    alone = kind != "volumes"  # 9.22 loses its way where a resource and its volume say the same
    disk = st.none() if alone else models(DrbdDisk, TOOLSETS[generation])
    volumes = [
        DrbdVolume(
            number=n, device=f"minor {10 * number + n}", disk=f"/dev/vg/{number}-{n}",
            meta_disk=draw(st.sampled_from(["internal", f"/dev/md[{10 * number + n}]"])),
            disk_options=draw(disk.map(at_home)),
        )
        for n in range(count)
    ]  # fmt: skip
    if kind == "volumes":
        return {"hosts": [evolve(host, volumes=volumes) for host in hosts]}
    if kind == "shared":
        return {"hosts": hosts, "volumes": volumes}
    hosts.append(DrbdHost(name="node3", address=f"10.0.0.3:{7000 + 10 * number}"))
    hosts = [
        evolve(host, node_id=n, options=draw(st.none() | models(DrbdOptions, TOOLSETS["9"])))
        for n, host in enumerate(hosts)
    ]
    if kind == "mesh":
        mesh = DrbdMesh(hosts=("node1", "node2", "node3"))
        return {"hosts": hosts, "volumes": volumes, "meshes": [mesh]}
    links = [draw(connections(a, b, number)) for a, b in ((0, 1), (0, 2), (1, 2))]
    return {"hosts": hosts, "volumes": volumes, "connections": links}


def at_home(disk: DrbdDisk | None) -> DrbdDisk | None:
    """Options of a volume, without those of links: they have to agree with other places."""
    if disk is None:
        return None
    return evolve(disk, resync_after=None, bitmap=None, **dict.fromkeys(PEER))


def proxy(host: DrbdHost, generation: str, draw: st.DrawFn) -> DrbdHostProxy:
    own = None if generation == "8.3" else draw(st.none() | models(DrbdProxy, TOOLSETS[generation]))
    port = host.address.port if host.address else 0
    return DrbdHostProxy(
        hosts=(host.name,), options=own,
        inside=f"127.0.0.1:{port + 1}", outside=f"192.168.0.{host.name[-1]}:{port + 2}",
    )  # fmt: skip


@st.composite
def connections(draw: st.DrawFn, first: int, second: int, number: int) -> DrbdConnection:
    """A link between two of three hosts, in each of the forms of DRBD 9."""
    names = [f"node{each + 1}" for each in (first, second)]
    port = 20000 + 100 * number + 10 * (first + second)
    more: dict[str, Any] = {
        "net": draw(st.none() | models(DrbdNet, TOOLSETS["9"])),
        "volumes": draw(st.lists(models(DrbdDisk, TOOLSETS["9"]).map(of_peer), max_size=1)),
    }
    form = draw(st.sampled_from(["plain", "port", "paths", "proxied"]))
    if form == "paths":
        more["paths"] = [
            DrbdPath(hosts=[end(name, f"10.{n}.{port % 250}.{name[-1]}:{port}") for name in names])
            for n in (1, 2)
        ]
    elif form == "proxied":
        more["proxied"] = [
            DrbdProxied(
                name=name, details=("address", f"127.0.0.1:{port}", "via", "proxy", "on", name),
                inside=f"127.0.0.1:{port + 1}", outside=f"192.168.1.{name[-1]}:{port + 2}",
            )
            for name in names
        ]  # fmt: skip
    elif form == "port":
        more["hosts"] = [
            DrbdEndpoint(name=name, details=("port", str(port + n))) for n, name in enumerate(names)
        ]
    else:
        more["hosts"] = [DrbdEndpoint(name=name) for name in names]
    return DrbdConnection(**more)


def end(name: str, address: str) -> DrbdEndpoint:
    return DrbdEndpoint(name=name, details=("address", address))


def of_peer(disk: DrbdDisk) -> DrbdPeerVolume:
    """A volume of a link, with the options that a link may have."""
    own = {name: getattr(disk, name) for name in PEER} | {"resync_rate": "20M"}
    return DrbdPeerVolume(number=0, disk_options=DrbdDisk(**own))


@st.composite
def configs(draw: st.DrawFn, generation: str) -> DrbdConfig:
    """A whole file: `global`, `common`, and resources of any kind."""
    kinds = draw(st.lists(st.sampled_from(KINDS[generation]), min_size=1, max_size=2, unique=True))
    found = [draw(resources(generation, kind, n)) for n, kind in enumerate(kinds, 1)]
    lower = DrbdResource(
        name="lower", net=DrbdNet(protocol="C"),
        hosts=[DrbdHost(name=f"node{n}", address=f"10.0.9.{n}:7788", **ONE) for n in (1, 2)],
    )  # fmt: skip
    last = found[-1]
    if draw(st.booleans()):
        after = evolve(last.disk or DrbdDisk(), resync_after="lower")
        found[-1] = evolve(last, disk=after)
    return DrbdConfig(
        global_=evolve(
            draw(models(DrbdGlobal, TOOLSETS[generation])),
            disable_ip_verification=True,
            minor_count=draw(st.sampled_from([None, 21, 255])),
        ),
        common=DrbdCommon(**draw(sections(generation))),
        resources=[lower, *found],
    )
