"""The short answers of drbdadm: role, cstate, dstate, --version, get-gi."""

from __future__ import annotations

import re

import attrs

from clusternas.core.command import Output
from clusternas.core.errors import ParseError
from clusternas.drbd import records
from clusternas.drbd.proc import link_states
from clusternas.drbd.status import ConnectionState, DiskState, Role

__all__ = [
    "DrbdVersion",
    "decode_cstate",
    "decode_dstate",
    "decode_names",
    "decode_role",
    "decode_version",
]


def decode_role(output: Output) -> tuple[Role, ...]:
    r"""The output of `drbdadm role r0`: the role here, and with DRBD 8 the peer's after it.

    Example:
        >>> decode_role(Output(stdout=b"Primary/Secondary\n"))
        (<Role.PRIMARY: 'Primary'>, <Role.SECONDARY: 'Secondary'>)
    """
    return tuple(records.state(Role, name) for name in output.text.strip().split("/"))


def decode_cstate(output: Output) -> tuple[ConnectionState, ...]:
    """The output of `drbdadm cstate r0`: one state per link; a resync counts as connected."""
    return tuple(link_states(line.strip())[0] for line in output.text.splitlines() if line.strip())


def decode_dstate(output: Output) -> tuple[tuple[DiskState, ...], ...]:
    """The output of `drbdadm dstate r0`: per volume the state here, then that of each peer."""
    return tuple(
        tuple(records.state(DiskState, name) for name in line.strip().split("/"))
        for line in output.text.splitlines()
        if line.strip()
    )


def decode_names(output: Output) -> tuple[str, ...]:
    """Names with blanks or newlines between them: `drbdadm sh-resources`, `sh-dev`, `sh-ll-dev`."""
    return tuple(output.text.split())


@attrs.frozen(kw_only=True)
class DrbdVersion:
    """What `drbdadm --version` says.

    Attributes:
        utils: version of drbd-utils, `9.22.0`.
        kernel: version of the loaded module, or None when there is none.
        api: version of the interface between the two.
    """

    utils: str
    kernel: str | None
    api: int


def decode_version(output: Output) -> DrbdVersion:
    """The output of `drbdadm --version`, shell assignments.

    Raises:
        ParseError: it is something else.
    """
    found = dict(re.findall(r"^(\w+)=(\S+)", output.text, re.MULTILINE))
    try:
        code = int(found["DRBD_KERNEL_VERSION_CODE"], 16)
        return DrbdVersion(
            utils=found["DRBDADM_VERSION"],
            kernel=f"{code >> 16}.{code >> 8 & 255}.{code & 255}" if code else None,
            api=int(found["DRBDADM_API_VERSION"]),
        )
    except (KeyError, ValueError):
        raise ParseError("not the output of drbdadm --version") from None
