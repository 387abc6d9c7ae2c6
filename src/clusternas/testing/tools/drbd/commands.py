"""drbdadm, drbdsetup and drbd-overview."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from clusternas.core.command import Output
from clusternas.testing.shell import Answer, Exit, said
from clusternas.testing.tools.drbd import (
    connecting,
    disks,
    dump,
    generations,
    roles,
    running,
    show,
    status,
)
from clusternas.testing.tools.drbd.config import ResourceConfig, load
from clusternas.testing.tools.drbd.pairing import react
from clusternas.testing.tools.drbd.request import Request
from clusternas.testing.tools.drbd.state import Drbd, Replica

if TYPE_CHECKING:
    from clusternas.testing.node import FakeNode

__all__ = ["drbdadm", "drbdsetup", "overview"]

ONLY_84 = {"apply-al", "net-options", "disk-options", "resource-options"}
ONLY_83 = {"syncer"}
ONLY_9 = {"wait-sync", "forget-peer"}
SETUP_84 = """primary secondary attach disk-options detach connect net-options disconnect resize
resource-options new-current-uuid invalidate invalidate-remote pause-sync resume-sync suspend-io
resume-io outdate verify down state role sh-status cstate dstate show-gi get-gi show status
check-resize events events2 wait-connect wait-sync new-resource new-minor del-minor
del-resource""".split()
BUILD = (
    "DRBDADM_BUILDTAG=GIT-hash:\\ 409097fe02187f83790b88ac3e0d94f3c167adab\\ reproducible\\"
    " build\\,\\ 2023-01-09\\ 14:51:18\n"
)


def drbdadm(node: FakeNode, args: tuple[str, ...], stdin: bytes) -> Answer:
    """drbdadm in the spellings of 8.3 (`-- --option command`), 8.4 and 9 (`command --option`)."""
    words = [arg for arg in args if not arg.startswith("-")]
    given = frozenset(arg for arg in args if arg.startswith("-") and arg != "--")
    if "--version" in given or "-V" in given:
        return version(node)
    if not words:
        raise Exit(1, "USAGE: drbdadm COMMAND [OPTION...] {all|RESOURCE...}")
    command, names = words[0], words[1:]
    late = [arg for arg in args[args.index(command) :] if arg.startswith("--") and arg != "--"]
    if late and show.family(node) == "8.3":
        raise Exit(1, f"drbdadm: unrecognized option '{late[0]}'")
    if command == "status" and "--statistics" in given and show.family(node) == "8.4":
        raise Exit(1, "drbdadm: unrecognized option '--statistics'\ntry 'drbdadm help'")
    configs = load(node)
    if command in WHOLE:
        return WHOLE[command](node, configs, names)
    action = ACTIONS.get(command)
    if action is None or not known(command, show.family(node)):
        raise Exit(1, f"drbdadm: Unknown command '{command}'")
    if not names:
        raise Exit(1, f"drbdadm: 1 argument expected for command '{command}'")
    answers = []
    for name in select(node, configs, names):
        answers.append(action(Request(node, command, given, configs[name], stdin)))
        react(node.cluster)
    return join(answers)


def known(command: str, family: str) -> bool:
    """Whether a generation's drbdadm has that command."""
    missing = {"8.3": ONLY_84 | ONLY_9, "8.4": ONLY_83 | ONLY_9, "9": ONLY_83}
    return command not in missing[family]


def select(node: FakeNode, configs: Mapping[str, ResourceConfig], names: list[str]) -> list[str]:
    """The resources meant, each of this host."""
    if names in (["all"], []):
        return [name for name, config in configs.items() if node.name in config.hosts]
    plain = [name.partition("/")[0].partition(":")[0] for name in names]
    for name in plain:
        if name not in configs or node.name not in configs[name].hosts:
            raise Exit(1, f"'{name}' not defined in your config (for this host).")
    return plain


def join(answers: list[Answer]) -> Answer:
    """The outputs of several resources as one."""
    outputs = [answer if isinstance(answer, Output) else said(answer) for answer in answers]
    return Output(0, b"".join(o.stdout for o in outputs), b"".join(o.stderr for o in outputs))


def version(node: FakeNode) -> str:
    """`drbdadm --version`: of the tools, and of the module."""
    module = str(node.cluster.toolset.drbd)
    old = show.family(node) == "8.3"
    tools = module if old else "9.22.0"
    return ("" if old else BUILD) + (
        f"DRBDADM_API_VERSION=1\nDRBD_KERNEL_VERSION_CODE={number(module)}\n"
        f"DRBDADM_VERSION_CODE={number(tools)}\nDRBDADM_VERSION={tools}\n"
    )


def number(text: str) -> str:
    """A version as the hexadecimal number that the tools print."""
    return "0x" + "".join(f"{int(part):02x}" for part in text.split(".")[:3])


# Commands that need no resource up


def status_of(node: FakeNode, configs: Mapping[str, ResourceConfig], names: list[str]) -> Answer:
    """`drbdadm status`: 8.3 answers in XML, 9 asks for all at once, 8.4 complains of each down."""
    chosen = select(node, configs, names)
    family = show.family(node)
    if family == "8.3":
        return show.status_xml(node)
    up = [name for name in chosen if name in node.of(Drbd).resources]
    tool = "drbdsetup-84" if family == "8.4" else "drbdsetup"
    missing = "".join(
        f"{name}: No such resource\nCommand '{tool} status {name}' terminated with exit code 10\n"
        for name in chosen
        if name not in up and (family == "8.4" or names)
    )
    return said(status.status(node, up), missing, 10 if missing else 0)


def resources(node: FakeNode, configs: Mapping[str, ResourceConfig], _names: list[str]) -> str:
    """`drbdadm sh-resources`."""
    return " ".join(select(node, configs, [])) + "\n"


def dumped(node: FakeNode, configs: Mapping[str, ResourceConfig], names: list[str]) -> str:
    """`drbdadm dump`; of everything, the global and common sections too."""
    head = dump.preamble(node) if names in ([], ["all"]) else ""
    return head + dump.as_text(node, [configs[name] for name in select(node, configs, names)])


def dumped_xml(node: FakeNode, configs: Mapping[str, ResourceConfig], names: list[str]) -> str:
    """`drbdadm dump-xml`."""
    return dump.as_xml(node, (configs[name] for name in select(node, configs, names)))


WHOLE: dict[str, Callable[[FakeNode, Mapping[str, ResourceConfig], list[str]], Answer]] = {
    "status": status_of,
    "sh-resources": resources,
    "dump": dumped,
    "dump-xml": dumped_xml,
    "sh-nop": lambda _node, _configs, _names: "",
}


# One word per volume


def words_of(say: Callable[[Replica], str]) -> Callable[[Request], Answer]:
    """A command that prints one line per volume."""

    def command(request: Request) -> Answer:
        return "".join(say(replica) + "\n" for replica in request.replicas)

    return command


def dstate(request: Request) -> Answer:
    """Disk states; of a resource that is down, what the meta data say."""
    if request.config.name in request.node.of(Drbd).resources:
        return words_of(show.dstate)(request)
    rows = []
    for config in request.config.hosts[request.node.name].volumes.values():
        meta = request.node.disks[config.disk].metadata
        if meta is None:
            raise Exit(1, "No valid meta data found")
        rows.append(f"{'UpToDate' if meta.consistent else 'Inconsistent'}/DUnknown\n")
    return "".join(rows)


def sh_device(request: Request) -> Answer:
    """Paths for scripts."""
    volumes = request.config.hosts[request.node.name].volumes.values()
    return "".join(f"{v.device if request.command == 'sh-dev' else v.disk}\n" for v in volumes)


def nothing_to_do(request: Request) -> Answer:
    """Commands that leave no trace here: verify finds no difference, resize no space."""
    _ = request.resource
    return ""


ACTIONS: dict[str, Callable[[Request], Answer]] = {
    "create-md": disks.create_md,
    "wipe-md": disks.wipe_md,
    "up": disks.up,
    "down": disks.down,
    "attach": disks.attach,
    "detach": disks.detach,
    "connect": connecting.connect,
    "disconnect": connecting.disconnect,
    "adjust": disks.adjust,
    "primary": roles.primary,
    "secondary": roles.secondary,
    "wait-connect": connecting.wait_connect,
    "wait-sync": connecting.wait_sync,
    "new-current-uuid": roles.new_current_uuid,
    "invalidate": roles.invalidate,
    "invalidate-remote": roles.invalidate_remote,
    "outdate": roles.outdate,
    "pause-sync": roles.pause,
    "resume-sync": roles.pause,
    "suspend-io": roles.suspend_io,
    "resume-io": roles.suspend_io,
    "net-options": disks.reload,
    "disk-options": disks.reload,
    "resource-options": disks.reload,
    "syncer": disks.reload,
    **dict.fromkeys(("verify", "resize", "check-resize", "apply-al", "forget-peer"), nothing_to_do),
    "role": words_of(show.roles),
    "cstate": words_of(show.cstate),
    "dstate": dstate,
    "get-gi": generations.get_gi,
    "show-gi": generations.show_gi,
    "dump-md": words_of(lambda replica: f'version "v08";\nla-size-sect {2 * replica.size};'),
    "sh-dev": sh_device,
    "sh-ll-dev": sh_device,
}


# drbdsetup and drbd-overview


def drbdsetup(node: FakeNode, args: tuple[str, ...], stdin: bytes) -> Answer:
    """The status commands of drbdsetup, and its wait-sync of 8.x."""
    command = args[0] if args else ""
    if "--json" in args and show.family(node) != "9":
        raise Exit(20, f"{command}: unrecognized option '--json'\n", usage_84())
    if "wait-sync" in args:
        return wait_minor(node, args, stdin)
    if command == "disk-options" and show.family(node) == "8.4":
        return running.set_disk_options(node, args[1:])
    match command if show.family(node) != "8.3" else "":
        case "status" if "--json" in args:
            return status.status_json(node)
        case "show" if "--json" in args:
            return running.as_json(node)
        case "show" if show.family(node) == "8.4":
            return running.as_text(node)
        case "show-gi" if show.family(node) == "8.4":
            return generations.show_minor(node, args[1:])
        case "status":
            chosen = [arg for arg in args[1:] if not arg.startswith("-")]
            names = chosen or list(node.of(Drbd).resources)
            how = {name: f"--{name}" in args for name in ("verbose", "statistics")}
            return status.status(node, names, **how)
        case "events2":
            return status.events(node, statistics="--statistics" in args)
        case _:
            raise Exit(1, f"drbdsetup: Unknown command '{command}'")


def usage_84() -> str:
    """What drbdsetup of 8.4 prints when it is called wrongly."""
    rows = (SETUP_84[i : i + 3] for i in range(0, len(SETUP_84), 3))
    table = "".join(f"    {''.join(f'{name:<20}' for name in row)}\n" for row in rows)
    return (
        "\nUSAGE: drbdsetup command device arguments options\n\n"
        f"Device is usually /dev/drbdX or /dev/drbd/X.\n\nCommands are:\n{table}\n"
        "To get more details about a command issue 'drbdsetup help cmd'.\n\n"
    )


def wait_minor(node: FakeNode, args: tuple[str, ...], stdin: bytes) -> Answer:
    """`drbdsetup wait-sync MINOR` of 8.4, `drbdsetup MINOR wait-sync` of 8.3."""
    minor = next(arg for arg in args if arg != "wait-sync")
    for name, resource in node.of(Drbd).resources.items():
        if any(str(volume.config.minor) == minor for volume in resource.volumes.values()):
            return connecting.wait_sync(
                Request(node, "wait-sync", frozenset(), load(node)[name], stdin)
            )
    raise Exit(10, f"{minor}: Failure: (127) Device minor not allocated")


def overview(node: FakeNode, _args: tuple[str, ...], _stdin: bytes) -> Answer:
    """drbd-overview."""
    return show.overview(node)
