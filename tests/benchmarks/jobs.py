"""What is timed: for each format, ours and the peers, each a function of a path.

Imports happen in the functions that need them: each job runs in a process of its own. A peer that
cannot read an input raises.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["JOBS", "OURS", "Job"]

Job = Callable[[str], Callable[[], object]]
"""Gets ready for a path, and gives what is timed."""

OURS = ("lazy tree", "typed", "open, edit, render")
TIMEOUT = 300.0


def text_of(path: str) -> str:
    """A file as text; each job reads it each time, as the tools do."""
    return Path(path).read_text("utf-8", "surrogateescape")


# ours


def model_of(format: str) -> Any:
    """Our class for the files of a format."""
    import clusternas

    names = {
        "drbd": "DrbdConfig",
        "smb": "SmbConf",
        "zone": "ZoneFile",
        "fstab": "Fstab",
        "lvm": "LvmConf",
        "lvm-dense": "LvmConf",
        "cluster": "CmanCluster",
    }
    return getattr(clusternas, names[format])


def lazy(format: str) -> Job:
    """Bytes to the top-level statements."""

    def prepare(path: str) -> Callable[[], object]:
        syntax = model_of(format).syntax
        return lambda: syntax.parse(Path(path).read_bytes()).root.children

    return prepare


def typed(format: str) -> Job:
    """Bytes to the values of all fields of all models inside."""

    def prepare(path: str) -> Callable[[], object]:
        model = model_of(format)
        return lambda: model.parse(Path(path).read_bytes()).load()

    return prepare


def edited(format: str) -> Job:
    """Bytes to a model, one value deep inside changed, and back to text."""

    def prepare(path: str) -> Callable[[], object]:
        model, change = model_of(format), CHANGES[format]
        return lambda: change(model.parse(Path(path).read_bytes())).render()

    return prepare


def change_drbd(whole: Any) -> Any:
    from attrs import evolve

    last = whole.resources[-1]
    last = evolve(last, net=evolve(last.net, max_buffers=9000))
    return evolve(whole, resources=whole.resources.put(last))


def change_last(field: str, name: str, value: object) -> Callable[[Any], Any]:
    """Change one field of the last of many."""

    def change(whole: Any) -> Any:
        from attrs import evolve

        items = getattr(whole, field)
        return evolve(whole, **{field: items.put(evolve(items[-1], **{name: value}))})

    return change


def change_lvm(whole: Any) -> Any:
    from attrs import evolve

    return evolve(whole, devices=evolve(whole.devices, scan=("/dev", "/dev/mapper")))


CHANGES: dict[str, Callable[[Any], Any]] = {
    "drbd": change_drbd,
    "smb": change_last("shares", "path", "/srv/other"),
    "zone": change_last("records", "data", ("10.1.2.3",)),
    "fstab": change_last("entries", "options", ("noatime",)),
    "lvm": change_lvm,
    "lvm-dense": change_lvm,
    "cluster": change_last("nodes", "votes", 2),
}


# the floor

TOKEN = re.compile(r'"[^"\n]*"|[#;][^\n]*|[^\s"#;{}=<>]+|[{}=<>]')


def floor(path: str) -> Callable[[], object]:
    """One pass of a bare regular expression over the words, doing nothing with them."""
    return lambda: deque(TOKEN.finditer(text_of(path)), maxlen=0)


# the tools themselves


def command(*argv: str, **environment: str) -> Job:
    """A tool that reads the file, `{}` in its arguments, from start to exit."""

    def prepare(path: str) -> Callable[[], object]:
        env = {**os.environ, "LC_ALL": "C", "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}
        env |= {name: value.format(path) for name, value in environment.items()}
        words = [word.format(path) for word in argv]

        def run() -> None:
            done = subprocess.run(
                words, env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT
            )
            if done.returncode:
                output = (done.stderr or done.stdout).decode(errors="replace").strip()
                raise ValueError(f"exit code {done.returncode}: {output.splitlines()[-1:]}")

        return run

    return prepare


def lvmconfig(path: str) -> Callable[[], object]:
    """LVM reads lvm.conf from a directory."""
    folder = Path(path).with_suffix(".d")
    folder.mkdir(exist_ok=True)
    (folder / "lvm.conf").write_bytes(Path(path).read_bytes())
    return command("lvmconfig", LVM_SYSTEM_DIR=str(folder))(path)


# other readers in Python


def configparser_job(path: str) -> Callable[[], object]:
    from configparser import ConfigParser

    def run() -> object:
        parser = ConfigParser(strict=False, interpolation=None, delimiters=("=",))
        parser.read_string(text_of(path))
        return parser

    return run


def configupdater(path: str) -> Callable[[], object]:
    from configupdater import ConfigUpdater

    def run() -> object:
        updater = ConfigUpdater(delimiters=("=",), comment_prefixes=("#", ";"))
        updater.read_string(text_of(path))
        return updater

    return run


def insights(module: str, name: str) -> Job:
    """A parser of insights-core."""

    def prepare(path: str) -> Callable[[], object]:
        from importlib import import_module

        from insights.tests import context_wrap

        parser = getattr(import_module(f"insights.parsers.{module}"), name)
        return lambda: parser(context_wrap(text_of(path)))

    return prepare


def jc(name: str) -> Job:
    """A parser of jc."""

    def prepare(path: str) -> Callable[[], object]:
        import jc as library

        return lambda: library.parse(name, text_of(path), quiet=True)

    return prepare


def augeas(lens: str) -> Job:
    """A lens of Augeas, through its Python binding."""

    def prepare(path: str) -> Callable[[], object]:
        from augeas import Augeas

        flags = Augeas.NO_LOAD | Augeas.NO_MODL_AUTOLOAD

        def run() -> object:
            tree = Augeas(root=str(Path(path).parent), flags=flags)
            tree.add_transform(f"{lens}.lns", [f"/{Path(path).name}"])
            tree.load()
            problem = tree.match("/augeas/files//error/message")
            if problem:
                raise ValueError(tree.get(problem[0]))
            return tree

        return run

    return prepare


def dnspython(path: str) -> Callable[[], object]:
    import dns.zone

    return lambda: dns.zone.from_text(text_of(path), "nas.example.", relativize=False)


def element_tree(path: str) -> Callable[[], object]:
    import xml.etree.ElementTree as ElementTree

    return lambda: ElementTree.parse(path)


def ours(format: str) -> dict[str, Job]:
    """Our three jobs for a format, and the floor."""
    jobs = dict(zip(OURS, (lazy(format), typed(format), edited(format)), strict=True))
    return {**jobs, "bare regex pass": floor}


DRBD_ENV = {"DRBD_DRIVER_VERSION_OVERRIDE": "9.0.0", "__DRBD_NODE__": "alpha"}
LVM = {
    "lvmconfig": lvmconfig,
    "insights-core": insights("lvm", "LvmConf"),
    "python-augeas": augeas("Lvm"),
}

JOBS: dict[str, dict[str, Job]] = {
    "drbd": {
        **ours("drbd"),
        "drbdadm dump": command("drbdadm", "-c", "{}", "dump", **DRBD_ENV),
    },
    "smb": {
        **ours("smb"),
        "testparm": command("testparm", "-s", "-l", "{}"),
        "configparser": configparser_job,
        "configupdater": configupdater,
        "insights-core": insights("samba", "SambaConfig"),
        "jc": jc("ini"),
        "python-augeas": augeas("Samba"),
    },
    "zone": {
        **ours("zone"),
        "named-checkzone": command("named-checkzone", "nas.example", "{}"),
        "dnspython": dnspython,
        "python-augeas": augeas("Dns_Zone"),
    },
    "lvm": {**ours("lvm"), **LVM},
    "lvm-dense": {**ours("lvm-dense"), **LVM},
    "fstab": {
        **ours("fstab"),
        "findmnt": command("findmnt", "--tab-file", "{}", "--list", "--noheadings"),
        "insights-core": insights("fstab", "FSTab"),
        "jc": jc("fstab"),
        "python-augeas": augeas("Fstab"),
    },
    "cluster": {
        **ours("cluster"),
        "xmllint": command("xmllint", "--noout", "{}"),
        "ElementTree": element_tree,
        "jc": jc("xml"),
        "python-augeas": augeas("Xml"),
    },
}
"""Format, and name of the job, to the job."""
