"""The generation identifiers of a replica: get-gi and show-gi, from the module or the meta data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import attrs

from clusternas.testing.blocks import Metadata
from clusternas.testing.shell import Answer, Exit
from clusternas.testing.tools.drbd.request import Request
from clusternas.testing.tools.drbd.show import dstate
from clusternas.testing.tools.drbd.state import Drbd, Replica, replicas

if TYPE_CHECKING:
    from clusternas.testing.node import FakeNode

__all__ = ["get_gi", "show_gi", "show_minor"]

JUST_CREATED = 4
HEAD = """
       +--<  Current data generation UUID  >-
       |               +--<  Bitmap's base data generation UUID  >-
       |               |                 +--<  younger history UUID  >-
       |               |                 |         +-<  older history  >-
       V               V                 V         V
"""
FOOT = """
                                                                    ^ ^ ^ ^ ^ ^ ^
                                      -<  Data consistency flag  >--+ | | | | | |
                             -<  Data was/is currently up-to-date  >--+ | | | | |
                                  -<  Node was/is currently primary  >--+ | | | |
                                  -<  Node was/is currently connected  >--+ | | |
         -<  Node was in the progress of setting all bits in the bitmap  >--+ | |
                        -<  The peer's disk was out-dated or inconsistent  >--+ |
      -<  This node was a crashed primary, and has not seen its peer since   >--+

"""


@attrs.frozen
class Identifiers:
    """The line of get-gi; `bitmap` is the generation that the peer is known to have, or 0."""

    current: int
    bitmap: int
    history: tuple[int, ...]
    consistent: bool
    up_to_date: bool
    primary: bool
    connected: bool
    peer_bad: bool

    def __str__(self) -> str:
        younger, older = [*self.history, 0, 0][:2]
        numbers = (self.current, self.bitmap, younger, older)
        flags = (
            self.consistent,
            self.up_to_date,
            self.primary,
            self.connected,
            False,  # the bitmap is never half set here
            self.peer_bad,
            False,  # nor does a crashed Primary start without seeing its peer
        )
        words = [f"{number:016X}" for number in numbers]
        return ":".join([*words, *(str(int(flag)) for flag in flags)])

    def words(self) -> str:
        """The line of flags below the drawing."""
        state = "UpToDate" if self.up_to_date else "Outdated" if self.consistent else "Inconsistent"
        found = [
            "Primary" if self.primary else "Secondary",
            "Connected" if self.connected else "StandAlone",
            state,
            *["peer Outdated"] * self.peer_bad,
        ]
        return f"flags: {', '.join(found)}\n"


def of_metadata(meta: Metadata, *, primary: bool, connected: bool) -> Identifiers:
    """What the meta data alone say."""
    ids = meta.generation.ids or (JUST_CREATED,)
    return Identifiers(
        current=ids[0],
        bitmap=0,
        history=ids[1:],
        consistent=meta.consistent,
        up_to_date=meta.consistent and not meta.outdated,
        primary=primary,
        connected=connected,
        peer_bad=False,
    )


def of_replica(replica: Replica) -> Identifiers:
    """What a replica that is up knows."""
    found = of_metadata(
        replica.meta,
        primary=replica.resource.role == "Primary",
        connected=replica.resource.connection == "Connected",
    )
    peer = dstate(replica).partition("/")[2]
    found = attrs.evolve(found, peer_bad=replica.attached and peer in ("Outdated", "Inconsistent"))
    if replica.volume.changed or replica.volume.sync == "SyncSource":
        base, *older = *found.history, JUST_CREATED
        return attrs.evolve(found, bitmap=base, history=tuple(older))
    return found


def identifiers(request: Request) -> Iterator[Identifiers]:
    """Of every volume; a resource that is down is read from its meta data."""
    if request.config.name in request.node.of(Drbd).resources:
        yield from map(of_replica, request.replicas)
        return
    for config in request.config.hosts[request.node.name].volumes.values():
        meta = request.node.disks[config.disk].metadata
        if meta is None:
            raise Exit(1)
        yield of_metadata(meta, primary=meta.primary, connected=False)


def get_gi(request: Request) -> Answer:
    """`drbdadm get-gi`."""
    return "".join(f"{found}\n" for found in identifiers(request))


def show_gi(request: Request) -> Answer:
    """`drbdadm show-gi`."""
    return "".join(map(explained, identifiers(request)))


def show_minor(node: FakeNode, names: tuple[str, ...]) -> Answer:
    """`drbdsetup show-gi MINOR` of 8.4; it says nothing of a volume without its disk."""
    found = [one for one in replicas(node) if names == (str(one.volume.config.minor),)]
    if not found:
        why = "Failure: (127) Device minor not allocated\nadditional info from kernel:"
        raise Exit(10, f"{' '.join(names)}: {why}\nunknown minor")
    if not found[0].attached:
        raise Exit(1, "Device has no disk")
    return explained(of_replica(found[0])) + "meta-data: need apply-al\n"


def explained(found: Identifiers) -> str:
    """The line with what each of its columns is."""
    return f"{HEAD}{found}{FOOT}{found.words()}"
