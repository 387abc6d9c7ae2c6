"""drbdadm, drbdsetup and drbd-overview."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import attrs

from clusternas.core.command import Output
from clusternas.testing.blocks import Metadata, OtherData
from clusternas.testing.shell import Answer, Exit, Hang, said
from clusternas.testing.tools.drbd import show
from clusternas.testing.tools.drbd.config import ResourceConfig, load
from clusternas.testing.tools.drbd.link import lose_peer, react, start_sync
from clusternas.testing.tools.drbd.state import (
    Drbd,
    Replica,
    Resource,
    Volume,
    peer_of,
    usable_size,
)

if TYPE_CHECKING:
    from clusternas.testing.node import FakeNode

__all__ = ["drbdadm", "drbdsetup", "overview", "up"]

LOG_WAITS = "outdated-wfc-timeout has to be shorter than degr-wfc-timeout"


@attrs.frozen
class Request:
    """One drbdadm command for one resource.

    Attributes:
        command: the subcommand.
        options: all that begins with a dash, wherever it stood.
        config: the resource as the files say.
    """

    node: FakeNode
    command: str
    options: frozenset[str]
    config: ResourceConfig
    stdin: bytes = b""

    @property
    def resource(self) -> Resource:
        """The resource as it is up, or the module's complaint."""
        found = self.node.of(Drbd).resources.get(self.config.name)
        if found is None:
            raise self.refusal(
                10,
                "Failure: (127) Device minor not allocated\nadditional info from kernel:\nunknown minor",
            )
        return found

    @property
    def replicas(self) -> list[Replica]:
        """Its volumes here."""
        return [
            Replica(self.node, self.resource, volume) for volume in self.resource.volumes.values()
        ]

    def has(self, *names: str) -> bool:
        """Whether one of these options was given, in any spelling."""
        return any(option.startswith(f"--{name}") for option in self.options for name in names)

    def refusal(self, code: int, why: str) -> Exit:
        """The module says no: its words, and how drbdadm passes them on."""
        minor = min(volume.minor for volume in self.config.hosts[self.node.name].volumes.values())
        match show.family(self.node):
            case "8.3":
                called, subject = f"drbdsetup {minor} {self.command}", f"{minor}"
            case "8.4":
                called, subject = f"drbdsetup-84 {self.command} {minor}", f"{minor}"
            case _:
                called, subject = f"drbdsetup {self.command} {self.config.name}", self.config.name
        return Exit(code, f"{subject}: {why}\nCommand '{called}' terminated with exit code {code}")


def drbdadm(node: FakeNode, args: tuple[str, ...], stdin: bytes) -> Answer:
    """drbdadm in the spellings of 8.3 (`-- --option command`), 8.4 and 9 (`command --option`)."""
    words = [arg for arg in args if not arg.startswith("-")]
    given = frozenset(arg for arg in args if arg.startswith("-") and arg != "--")
    if "--version" in given or "-V" in given:
        return version(node)
    if not words:
        raise Exit(1, "USAGE: drbdadm COMMAND [OPTION...] {all|RESOURCE...}")
    command, names = words[0], words[1:]
    if show.family(node) == "8.3" and any(
        arg.startswith("--") and arg != "--" for arg in args[args.index(command) :]
    ):
        raise Exit(1, f"drbdadm: unrecognized option '{sorted(given)[0]}'")
    configs = load(node)
    if command in ("dump", "dump-xml", "sh-resources", "sh-nop", "status"):
        return whole(node, command, configs, names)
    action = ACTIONS.get(command)
    if action is None or (command == "wait-sync" and show.family(node) != "9"):
        raise Exit(1, f"drbdadm: Unknown command '{command}'")
    if not names:
        raise Exit(1, f"drbdadm: 1 argument expected for command '{command}'")
    answers = []
    for name in select(node, configs, names):
        answers.append(action(Request(node, command, given, configs[name], stdin)))
        react(node.cluster)
    return join(answers)


def select(node: FakeNode, configs: dict[str, ResourceConfig], names: list[str]) -> list[str]:
    """The resources meant, each of this host."""
    if names == ["all"]:
        return [name for name, config in configs.items() if node.name in config.hosts]
    plain = [name.partition("/")[0] for name in names]
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
    tools = {"8.3": str(node.cluster.toolset.drbd), "8.4": "9.22.0", "9": "9.22.0"}[
        show.family(node)
    ]
    module = number(str(node.cluster.toolset.drbd))
    return (
        f"DRBDADM_API_VERSION=1\nDRBD_KERNEL_VERSION_CODE={module}\n"
        f"DRBDADM_VERSION_CODE={number(tools)}\nDRBDADM_VERSION={tools}\n"
    )


def number(text: str) -> str:
    """A version as the hexadecimal number that the tools print."""
    return "0x" + "".join(f"{int(part):02x}" for part in text.split(".")[:3])


def whole(
    node: FakeNode, command: str, configs: dict[str, ResourceConfig], names: list[str]
) -> Answer:
    """Commands that need no resource up."""
    match command:
        case "sh-resources":
            return " ".join(select(node, configs, ["all"])) + "\n"
        case "status" if show.family(node) != "8.3":
            return status(node, select(node, configs, names or ["all"]))
        case "status":
            raise Exit(1, "drbdadm: Unknown command 'status'")
        case "dump":
            return "".join(
                node.files.text(configs[name].origin.rsplit(":", 1)[0])
                for name in select(node, configs, names or ["all"])
            )
        case _:
            return ""


def status(node: FakeNode, names: list[str]) -> str:
    """`drbdadm status`: each resource must be up."""
    for name in names:
        if name not in node.of(Drbd).resources:
            tool = "drbdsetup-84" if show.family(node) == "8.4" else "drbdsetup"
            why = f"{name}: No such resource\nCommand '{tool} status {name}' terminated with exit code 10"
            raise Exit(10, why)
    return show.status(node, names)


# Meta data and attaching


def create_md(request: Request) -> Answer:
    """Write fresh meta data; asks before it overwrites older."""
    yes = request.has("force") or request.stdin.strip() == b"yes"
    for config in request.config.hosts[request.node.name].volumes.values():
        disk = request.node.disks.get(config.disk)
        if disk is None:
            raise Exit(
                20,
                f"open({config.disk}) failed: No such file or directory\nCommand 'drbdmeta' terminated with exit code 20",
            )
        if request.node.claims.get(config.disk):
            raise Exit(
                20,
                f"Device '{config.minor}' is configured!\nCommand 'drbdmeta {config.minor}' terminated with exit code 20",
            )
        if disk.metadata is None and isinstance(disk.content, OtherData):
            raise Exit(
                40,
                f"md_offset {disk.size}\nFound {disk.content.type} filesystem\nDevice size would be truncated",
            )
        if disk.metadata is not None and not yes:
            raise Exit(1, OVERWRITE.format(config.disk, disk.size - 4096), "Operation cancelled.\n")
        request.node.cluster.overwrite(request.node, config.disk, disk.content)
        disk.content, disk.metadata = None, Metadata()
        bitmap = disk.size // 1024 - usable_size(disk.size) - 36
    made = "initializing activity log\nWriting meta data...\nNew drbd meta data block successfully created.\n"
    return said(made, f"initializing bitmap ({bitmap} KB) to all zero")


OVERWRITE = """You want me to create a v08 style flexible-size internal meta data block.
There appears to be a v08 flexible-size internal meta data block
already in place on {} at byte offset {}

Do you really want to overwrite the existing meta-data?
stdin not a TTY, not waiting for confirmation"""


def wipe_md(request: Request) -> Answer:
    """Remove the meta data."""
    for config in request.config.hosts[request.node.name].volumes.values():
        request.node.disks[config.disk].metadata = None
    return "Wiping meta data...\nDRBD meta data block successfully wiped out.\n"


def up(request: Request) -> Answer:
    """Attach and connect."""
    drbd = request.node.of(Drbd)
    if request.config.name in drbd.resources:
        return adjust(request)
    volumes = {
        n: Volume(config) for n, config in request.config.hosts[request.node.name].volumes.items()
    }
    drbd.resources[request.config.name] = Resource(request.config, volumes)
    try:
        attach(request)
    except Exit:
        if show.family(request.node) != "8.3":
            del drbd.resources[request.config.name]
        raise
    request.node.cluster.halfway()
    return connect(request)


def attach(request: Request) -> Answer:
    """Give each volume its disk."""
    for replica in request.replicas:
        path = replica.volume.config.disk
        if replica.attached:
            raise request.refusal(
                10, "Failure: (124) Device is attached to a disk (use detach first)"
            )
        if path not in request.node.disks:
            raise request.refusal(10, "Failure: (104) Can not open backing device.")
        if request.node.claims.get(path):
            raise request.refusal(
                10,
                "Failure: (114) Lower device is already claimed. This usually means it is mounted.",
            )
        if replica.store.metadata is None:
            raise no_metadata(request)
        request.node.claims[path] = f"drbd {request.config.name}"
        open_replica(replica)
    return ""


def no_metadata(request: Request) -> Exit:
    """What each version says of a disk without meta data."""
    if show.family(request.node) == "8.3":
        advice = "\n\n\t==> Use 'drbdadm create-md res' to initialize meta-data area. <=="
        return request.refusal(10, f"Failure: (119) No valid meta-data signature found.{advice}\n")
    return Exit(
        1, "No valid meta data found\nCommand 'drbdmeta apply-al' terminated with exit code 255"
    )


def open_replica(replica: Replica) -> None:
    """The state of a disk just attached; a connected peer may have newer data."""
    meta = replica.meta
    replica.volume.disk = (
        "Inconsistent" if not meta.consistent else "Outdated" if meta.outdated else "UpToDate"
    )
    peer = replica.partner()
    if peer is not None and peer.attached and peer.meta.generation != meta.generation:
        peer.volume.changed = False
        start_sync(peer, replica)


def detach(request: Request) -> Answer:
    """Take the disks away; a Primary goes on through its peer."""
    for replica in request.replicas:
        peer = replica.partner()
        alone = peer is None or peer.volume.disk != "UpToDate"
        if request.resource.role == "Primary" and alone and not request.has("force"):
            raise request.refusal(17, "State change failed: (-2) Need access to UpToDate data")
        if replica.attached:
            replica.volume.disk = "Diskless"
            request.node.claims.pop(replica.volume.config.disk, None)
    return ""


def down(request: Request) -> Answer:
    """Disconnect, detach, forget."""
    drbd = request.node.of(Drbd)
    if request.config.name not in drbd.resources:
        return ""
    if request.resource.role == "Primary":
        secondary(request)
    for volume in request.resource.volumes.values():
        request.node.claims.pop(volume.config.disk, None)
    del drbd.resources[request.config.name]
    return ""


# Connecting


def connect(request: Request) -> Answer:
    """Look for the peer."""
    resource = request.resource
    if resource.connection != "StandAlone":
        raise request.refusal(10, "Failure: (102) Local address(port) already in use.")
    resource.config = request.config
    resource.connection = "WFConnection"
    resource.discard = request.has("discard-my-data")
    return warnings(request)


def warnings(request: Request) -> Answer:
    """What 8.4's drbdadm says of the waiting times."""
    waits = {
        name: request.config.get("startup", name)
        for name in ("outdated-wfc-timeout", "degr-wfc-timeout")
    }
    outdated, degraded = waits["outdated-wfc-timeout"], waits["degr-wfc-timeout"]
    if outdated.isdigit() and degraded.isdigit() and int(outdated) > int(degraded):
        return said(
            "",
            f"{LOG_WAITS}\noutdated-wfc-timeout implicitly set to degr-wfc-timeout ({degraded}s)",
        )
    return ""


def disconnect(request: Request) -> Answer:
    """Stop talking."""
    resource = request.resource
    if resource.connection == "Connected":
        lose_peer(request.node, resource)
    resource.connection = "StandAlone"
    return ""


def adjust(request: Request) -> Answer:
    """Make what runs agree with the files."""
    drbd = request.node.of(Drbd)
    if request.config.name not in drbd.resources:
        return up(request)
    request.resource.config = request.config
    if any(not replica.attached for replica in request.replicas):
        attach(request)
    return connect(request) if request.resource.connection == "StandAlone" else ""


def wait_connect(request: Request) -> Answer:
    """Wait for the peer: at most the configured time, or for ever."""
    if request.resource.connection != "Connected":
        timeout = request.config.get("startup", "wfc-timeout", "0")
        if timeout == "0":
            raise Hang("the peer is not there")
        request.node.cluster.now += int(timeout)
        raise Exit(5, f"Command 'drbdsetup wait-connect' terminated with exit code 5")
    return warnings(request)


def wait_sync(request: Request) -> Answer:
    """Wait until nothing is to be copied any more."""
    cluster = request.node.cluster
    for _ in range(100_000):
        if not any(replica.volume.sync for replica in request.replicas):
            return ""
        cluster.now += 1
        react(cluster)
    raise Hang("the resync does not end")


# Roles


def primary(request: Request) -> Answer:
    """Promote; `--force` (8.3: `--overwrite-data-of-peer`) declares this node's data the good ones."""
    resource = request.resource
    peer = peer_of(request.node, resource) if resource.connection == "Connected" else None
    if peer is not None and peer[1].role == "Primary" and not resource.dual:
        raise request.refusal(
            11, "State change failed: (-1) Multiple primaries not allowed by config"
        )
    force = request.has("force", "overwrite-data-of-peer")
    for replica in request.replicas:
        if replica.truth() is None or replica.volume.disk == "Outdated":
            if not (force and replica.attached):
                raise request.refusal(17, f"State change failed: (-2) {no_data(request.node)}")
            declare_good(replica)
    resource.role = "Primary"
    for replica in request.replicas:
        if replica.attached:
            replica.meta.primary = True
    return ""


def no_data(node: FakeNode) -> str:
    """The module's words for a node without good data."""
    old = "Refusing to be Primary without at least one UpToDate disk"
    return old if show.family(node) == "8.3" else "Need access to UpToDate data"


def declare_good(replica: Replica) -> None:
    """Take this replica's data for good; a connected peer gets them all."""
    replica.meta.generation = replica.meta.generation.next(replica.node.cluster.number())
    replica.set_disk("UpToDate")
    replica.volume.changed = True
    peer = replica.partner()
    if peer is not None and peer.attached:
        start_sync(replica, peer, full=True)


def secondary(request: Request) -> Answer:
    """Demote, unless somebody holds the device open."""
    for replica in request.replicas:
        if request.node.claims.get(replica.volume.config.device):
            raise request.refusal(11, "State change failed: (-12) Device is held open by someone")
    request.resource.role = "Secondary"
    for replica in request.replicas:
        if replica.attached:
            replica.meta.primary = False
    return ""


# Data


def new_current_uuid(request: Request) -> Answer:
    """With `--clear-bitmap` on a fresh connected pair: both are declared equal, nothing is copied."""
    for replica in request.replicas:
        peer = replica.partner()
        fresh = (
            peer is not None and not replica.meta.generation.ids and not peer.meta.generation.ids
        )
        if peer is None or not request.has("clear-bitmap") or not fresh:
            raise request.refusal(17, "Failure: (139) Need to be connected, and both disks fresh")
        generation = replica.meta.generation.next(request.node.cluster.number())
        for one in (replica, peer):
            one.meta.generation = generation
            one.set_disk("UpToDate")
        peer.store.content = replica.store.content
    return ""


def invalidate(request: Request) -> Answer:
    """Throw the local data away and take the peer's."""
    for replica in request.replicas:
        peer = replica.partner()
        if peer is None or peer.volume.disk != "UpToDate":
            raise request.refusal(17, f"State change failed: (-2) {no_data(request.node)}")
        start_sync(peer, replica, full=True)
    return ""


def invalidate_remote(request: Request) -> Answer:
    """Make the peer take the local data."""
    for replica in request.replicas:
        peer = replica.partner()
        if peer is None or replica.volume.disk != "UpToDate":
            raise request.refusal(
                17, "State change failed: (-15) Need a connection for a graceful change"
            )
        start_sync(replica, peer, full=True)
    return ""


def outdate(request: Request) -> Answer:
    """Mark the local data as outdated."""
    if request.resource.role == "Primary":
        raise request.refusal(
            17, "State change failed: (-7) Refusing to be Primary while peer is not outdated"
        )
    for replica in request.replicas:
        replica.set_disk("Outdated")
    return ""


def pause(request: Request) -> Answer:
    """Stop or resume copying."""
    for replica in request.replicas:
        replica.volume.paused = request.command == "pause-sync"
    return ""


def suspend_io(request: Request) -> Answer:
    """Let writes wait, or go on."""
    request.resource.suspended = request.command == "suspend-io"
    return ""


def nothing_to_do(request: Request) -> Answer:
    """Commands that leave no trace here: verify finds no difference, resize no space."""
    _ = request.resource
    return ""


# One word


def words_of(say: Callable[[Replica], str]) -> Callable[[Request], Answer]:
    """A command that prints one line per volume."""

    def command(request: Request) -> Answer:
        return "".join(say(replica) + "\n" for replica in request.replicas)

    return command


def dstate(request: Request) -> Answer:
    """Disk states; without a resource, what the meta data say."""
    if request.config.name not in request.node.of(Drbd).resources:
        for config in request.config.hosts[request.node.name].volumes.values():
            meta = request.node.disks[config.disk].metadata
            if meta is None:
                raise Exit(1, "No valid meta data found")
            return f"{'UpToDate' if meta.consistent else 'Inconsistent'}/DUnknown\n"
    return words_of(show.dstate)(request)


def sh_device(request: Request) -> Answer:
    """Paths for scripts."""
    volumes = request.config.hosts[request.node.name].volumes.values()
    return "".join(f"{v.device if request.command == 'sh-dev' else v.disk}\n" for v in volumes)


ACTIONS: dict[str, Callable[[Request], Answer]] = {
    "create-md": create_md,
    "wipe-md": wipe_md,
    "up": up,
    "down": down,
    "attach": attach,
    "detach": detach,
    "connect": connect,
    "disconnect": disconnect,
    "adjust": adjust,
    "primary": primary,
    "secondary": secondary,
    "wait-connect": wait_connect,
    "wait-sync": wait_sync,
    "new-current-uuid": new_current_uuid,
    "invalidate": invalidate,
    "invalidate-remote": invalidate_remote,
    "outdate": outdate,
    "pause-sync": pause,
    "resume-sync": pause,
    "suspend-io": suspend_io,
    "resume-io": suspend_io,
    "verify": nothing_to_do,
    "resize": nothing_to_do,
    "apply-al": lambda _request: "",
    "role": words_of(lambda replica: show.role(replica.resource, replica.partner())),
    "cstate": words_of(show.cstate),
    "dstate": dstate,
    "get-gi": words_of(show.generation_ids),
    "sh-dev": sh_device,
    "sh-ll-dev": sh_device,
}


def drbdsetup(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """The status commands of drbdsetup."""
    command = args[0] if args else ""
    if "--json" in args and show.family(node) != "9":
        raise Exit(20, f"{command}: unrecognized option '--json'")
    match command:
        case "status" if "--json" in args:
            return show.status_json(node)
        case "status":
            names = [arg for arg in args[1:] if not arg.startswith("-")] or list(
                node.of(Drbd).resources
            )
            return show.status(
                node, names, verbose="--verbose" in args, statistics="--statistics" in args
            )
        case "events2":
            return show.events(node, statistics="--statistics" in args)
        case _:
            raise Exit(1, f"drbdsetup: Unknown command '{command}'")


def overview(node: FakeNode, _args: tuple[str, ...], _stdin: bytes) -> Answer:
    """drbd-overview."""
    return show.overview(node)
