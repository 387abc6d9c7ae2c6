"""The lock on all nodes that an apply holds, and who it is that holds it."""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar

from clusternas.core.command import Runner
from clusternas.core.errors import CommandError, Refused, Unreachable
from clusternas.core.lock import release_lock, take_lock

__all__ = ["NodeLocks", "new_owner"]


def new_owner() -> str:
    """Who is about to apply: user, machine, process, time, and a word that nobody else has.

    Example:
        >>> new_owner().count("/")
        2
    """
    user = os.environ.get("SUDO_USER") or os.environ.get("USER") or f"uid{os.getuid()}"
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return f"{user}@{socket.gethostname()}:{os.getpid()}/{at}/{secrets.token_hex(3)}"


class NodeLocks:
    """The locks of one apply.

    Args:
        nodes: all nodes: also those that it does not touch are kept from others.
        needed: nodes that must answer.
        owner: who it is.
        workers: how many nodes at a time.

    Attributes:
        unasked: nodes that did not answer, and are not needed: a lock may be there.
    """

    _given_back: ClassVar[set[tuple[str, str]]] = set()
    """Of this process: a node may lose its power before its disk knows that the lock is gone."""

    def __init__(
        self, nodes: Mapping[str, Runner], needed: Collection[str], owner: str, workers: int
    ) -> None:
        self._nodes = nodes
        self._needed = frozenset(needed)
        self._owner = owner
        self._workers = workers or len(nodes) or 1
        self.unasked: set[str] = set()

    def take(self, broken: Collection[str] = ()) -> None:
        """Take all of them, or none.

        Args:
            broken: owners that have died, whose locks are broken before.

        Raises:
            Refused: somebody else has one.
            CommandError: a node that is needed does not answer.
        """
        try:
            with ThreadPoolExecutor(self._workers, "clusternas-lock") as pool:
                holders = list(pool.map(lambda name: self._take(name, broken), self._nodes))
            for name, holder in zip(self._nodes, holders, strict=True):
                if holder != self._owner:
                    raise _refused(name, holder)
        except BaseException:  # an interrupt too must not leave some of them behind
            self.release()
            raise

    def _take(self, name: str, broken: Collection[str]) -> str:
        try:
            for each in broken:
                self._nodes[name].run(release_lock(each))
            holder = self._nodes[name].run(take_lock(self._owner)).value
            if (name, holder) not in self._given_back:
                return holder
            self._nodes[name].run(release_lock(holder))
            return self._nodes[name].run(take_lock(self._owner)).value
        except Unreachable:
            if name in self._needed:
                raise
            self.unasked.add(name)
            return self._owner

    def release(self) -> tuple[str, ...]:
        """Give them back; the nodes where that was not possible."""
        with ThreadPoolExecutor(self._workers, "clusternas-lock") as pool:
            return tuple(filter(None, pool.map(self._release, self._nodes)))

    def _release(self, name: str) -> str:
        try:
            self._nodes[name].run(release_lock(self._owner))
            self._given_back.add((name, self._owner))
        except Unreachable:
            return "" if name in self.unasked else name
        except CommandError:
            return name
        return ""


def _refused(node: str, holder: str) -> Refused:
    who, _, rest = holder.partition("/")
    return Refused(
        f"{node} is locked by {who} since {rest.partition('/')[0]}: {_alive(who)}",
        hint=f"if it is dead, break its lock by its name: break_lock={holder!r}",
        holder=holder,
    )


def _alive(who: str) -> str:
    """What is known of the process that has a lock."""
    host, _, pid = who.partition("@")[2].rpartition(":")
    if host != socket.gethostname() or not pid.isdigit():
        return "look there whether it still runs"
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return "that process has ended"
    except PermissionError:
        pass
    return "that process still runs"
