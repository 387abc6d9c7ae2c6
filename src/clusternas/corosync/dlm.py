"""`DlmConf`: dlm.conf as a value; see dlm.conf(5)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

import attrs

from clusternas.core.codec import Codec, boolean, choice, integer, string, strings
from clusternas.core.fields import argument, arguments, option, sections
from clusternas.core.keyed import Keyed
from clusternas.core.model import Model
from clusternas.core.syntax.table import DLM
from clusternas.core.syntax.tree import Syntax
from clusternas.core.text import mask

__all__ = ["DlmConf", "DlmConnect", "DlmDevice", "DlmLockspace", "DlmMaster", "DlmUnfence"]

SECRETS = ("passw", "secret", "key", "community")


def _numbered(key: str) -> Codec[int]:
    """A word `key=NUMBER`."""

    def decode(words: Sequence[str]) -> int:
        name, mark, number = words[0].partition("=") if words else ("", "", "")
        if name != key or not mark or not number.isdecimal():
            raise ValueError(f"expected {key}=NUMBER, not {' '.join(words)!r}")
        return int(number)

    def encode(value: object) -> tuple[str, ...]:
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise ValueError(f"not a number: {value!r}")
        return (f"{key}={value}",)

    return Codec(decode, encode, f"{key}=NUMBER", samples=(0, 1))


WORD = string()
WORDS = strings()
FLAG = boolean(("1",), ("0",))
COUNT = integer(0)


def _secrets(words: Sequence[str]) -> list[str]:
    """The values of parameters whose names sound like secrets."""
    pairs = [word.partition("=") for word in words]
    return [value for key, _, value in pairs if any(part in key.lower() for part in SECRETS)]


class DlmModel(Model):
    """What all parts of dlm.conf share."""

    syntax: ClassVar[Syntax] = DLM
    tool = "dlm"


@attrs.frozen(kw_only=True, slots=False, repr=False)
class DlmConnect(DlmModel):
    """`connect DEVICE node=ID [key=value …]`: what a device must know to hit a node."""

    is_section = False
    device: str = argument(WORD, 0, doc="the name of the device above")
    node: int | None = argument(_numbered("node"), 1, default=None, doc="node id")
    params: tuple[str, ...] = arguments(WORDS, 2, doc="key=value each, no blanks")

    def own_secrets(self) -> Iterable[str]:
        """The values of its parameters that sound like secrets."""
        return _secrets(self.params)

    def __repr__(self) -> str:
        shown = f"DlmConnect({self.device!r}, node={self.node}, params={self.params})"
        return mask(shown, self.own_secrets())


@attrs.frozen(kw_only=True, slots=False, repr=False)
class DlmUnfence(DlmModel):
    """`unfence DEVICE`, behind its connects: a node lets itself in again when it starts."""

    is_section = False
    device: str = argument(WORD, 0, doc="the name of the device above")


@attrs.frozen(kw_only=True, slots=False, repr=False)
class DlmDevice(DlmModel):
    """`device NAME AGENT [key=value …]` with its `connect` lines; devices are tried in order.

    Names that are equal up to a colon are used in parallel.
    """

    name: str = argument(WORD, 0)
    agent: str | None = argument(WORD, 1, default=None, doc="a program")
    params: tuple[str, ...] = arguments(WORDS, 2, doc="key=value each, no blanks")
    connects: Keyed[DlmConnect] = sections(DlmConnect, "connect", name="node")
    unfence: Keyed[DlmUnfence] = sections(DlmUnfence, "unfence", name="device")

    def own_secrets(self) -> Iterable[str]:
        """The values of its parameters that sound like secrets."""
        return _secrets(self.params)

    def __repr__(self) -> str:
        about = f"{self.name!r}, {self.agent!r}, params={self.params}"
        return mask(f"DlmDevice({about}, connects={self.connects!r})", self.own_secrets())


@attrs.frozen(kw_only=True, slots=False, repr=False)
class DlmMaster(DlmModel):
    """`master LOCKSPACE node=ID [weight=N]`: a node that masters locks."""

    is_section = False
    lockspace: str = argument(WORD, 0)
    node: int | None = argument(_numbered("node"), 1, default=None)
    weight: int | None = argument(_numbered("weight"), 2, default=None)


@attrs.frozen(kw_only=True, slots=False, repr=False)
class DlmLockspace(DlmModel):
    """`lockspace NAME [nodir=1]` with its `master` lines."""

    name: str = argument(WORD, 0)
    nodir: int | None = argument(_numbered("nodir"), 1, default=None)
    masters: Keyed[DlmMaster] = sections(DlmMaster, "master", name="node")


@attrs.frozen(kw_only=True, slots=False, repr=False)
class DlmConf(DlmModel):
    """/etc/dlm/dlm.conf. Numbers and flags are digits: `yes` is read as 0.

    Example:
        >>> conf = DlmConf(enable_fencing=True, fence_all=("dlm_stonith",))
        >>> print(conf.render(), end="")
        enable_fencing=1
        fence_all dlm_stonith
    """

    daemon_debug: bool | None = option(codec=FLAG)
    log_debug: bool | None = option(codec=FLAG)
    protocol: str | None = option(codec=choice("detect", "tcp", "sctp"))
    bind_all: bool | None = option(codec=FLAG)
    mark: int | None = option(codec=COUNT)
    debug_logfile: bool | None = option(codec=FLAG)
    enable_plock: bool | None = option(codec=FLAG, doc="POSIX locks over the cluster, default 1")
    plock_debug: bool | None = option(codec=FLAG)
    plock_rate_limit: int | None = option(codec=COUNT, doc="1/s, default 0: none")
    plock_ownership: bool | None = option(codec=FLAG, doc="default 0")
    drop_resources_time: int | None = option(codec=COUNT, doc="ms, default 10000")
    drop_resources_count: int | None = option(codec=COUNT, doc="default 10")
    drop_resources_age: int | None = option(codec=COUNT, doc="ms, default 10000")
    post_join_delay: int | None = option(codec=COUNT, doc="s, default 30")
    enable_fencing: bool | None = option(codec=FLAG, doc="default 1; needs a restart")
    enable_concurrent_fencing: bool | None = option(codec=FLAG, doc="default 0")
    enable_startup_fencing: bool | None = option(codec=FLAG, doc="default 1")
    repeat_failed_fencing: bool | None = option(codec=FLAG, doc="default 1")
    enable_quorum_fencing: bool | None = option(codec=FLAG, doc="default 1")
    enable_quorum_lockspace: bool | None = option(codec=FLAG, doc="default 1")
    enable_helper: bool | None = option(codec=FLAG, doc="default 1")
    fence_all: tuple[str, ...] | None = option(
        codec=WORDS, doc="agent and parameters for every node; before any device"
    )
    unfence_all: tuple[str, ...] | None = option(codec=WORDS)
    devices: Keyed[DlmDevice] = sections(DlmDevice, "device", name="name")
    lockspaces: Keyed[DlmLockspace] = sections(DlmLockspace, "lockspace", name="name")
