"""/etc/sysconfig/clvmd: what the init script of clvmd is told; clvmd(8), until LVM 2.03.

The script (lvm2 stable-2.02 `scripts/clvmd_init_red_hat.in`) reads /etc/sysconfig/cluster too.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from clusternas.core.codec import Codec, integer, string
from clusternas.core.fields import option
from clusternas.core.model import Model
from clusternas.core.syntax.table import SYSCONFIG, quote_shell

__all__ = ["ClvmdSysconfig"]


def _words() -> Codec[tuple[str, ...]]:
    """Words in one value, set off by blanks."""

    def decode(words: Sequence[str]) -> tuple[str, ...]:
        return tuple(word for value in words for word in value.split())

    def encode(value: Sequence[str]) -> tuple[str, ...]:
        if isinstance(value, str) or any(not word or word.split() != [word] for word in value):
            raise ValueError(f"not a sequence of words: {value!r}")
        return (quote_shell(" ".join(value)),)

    return Codec(decode, encode, 'words, like "-I cman -T30"')


@attrs.frozen(kw_only=True, slots=False, repr=False)
class ClvmdSysconfig(Model):
    """The variables of clvmd.

    Attributes:
        options: of the daemon: `-I cman` names the cluster stack, `-T30` waits 30 s at start.
        cluster_interface: the cluster stack, as the script passes it on with `-I`.
        stop_timeout: seconds until the script gives up stopping.
        volume_groups: those to activate at start; none means all.

    Example:
        >>> clvmd = ClvmdSysconfig.parse('CLVMDOPTS="-I cman"')
        >>> clvmd.options, clvmd.cluster_stack, clvmd.startup_timeout
        (('-I', 'cman'), 'cman', None)
    """

    syntax = SYSCONFIG
    tool = "lvm"

    options: tuple[str, ...] | None = option("CLVMDOPTS", codec=_words())
    cluster_interface: str | None = option("CLVMD_CLUSTER_IFACE", codec=string(quote_shell))
    stop_timeout: int | None = option("CLVMD_STOP_TIMEOUT", codec=integer(0, unit="s"))
    volume_groups: tuple[str, ...] | None = option("LVM_VGS", codec=_words())

    @property
    def cluster_stack(self) -> str:
        """The cluster manager that clvmd is told to use; empty means that it guesses (`auto`)."""
        return self._argument("-I") or self.cluster_interface or ""

    @property
    def startup_timeout(self) -> int | None:
        """Seconds that it waits for the cluster at start, None where it does not say."""
        given = self._argument("-T")
        return int(given) if given.isascii() and given.isdigit() else None

    def _argument(self, letter: str) -> str:
        """What follows an option, in the same word or the next."""
        words = self.options or ()
        for word, following in zip(words, (*words[1:], ""), strict=False):
            if word.startswith(letter):
                return word.removeprefix(letter) or following
        return ""
