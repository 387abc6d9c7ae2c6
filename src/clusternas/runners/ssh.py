"""Run commands on another machine, through the ssh of this one."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Mapping
from typing import Literal, TypedDict, TypeVar

import attrs

from clusternas.core.command import Command, Effect, Output, Result, text
from clusternas.core.errors import CommandTimeout, ValidationError
from clusternas.runners.base import perform
from clusternas.runners.local import Local
from clusternas.runners.remote import ended, remote

__all__ = ["Ssh", "SshOptions"]

T = TypeVar("T")

FOR_SSH = ("SSH_AUTH_SOCK", "KRB5CCNAME")
SLACK = 5.0  # seconds for the login and for the node to kill what is late


def _host(_: object, __: object, value: str) -> None:
    # Stricter than ssh: a name may end up in a ProxyCommand, that is, in a shell.
    if not re.fullmatch(r"[A-Za-z0-9_\[][A-Za-z0-9_.:%\[\]-]*", value):
        raise ValidationError(f"not a host: {value!r}", hint="a host name or an address")


def _user(_: object, __: object, value: str) -> None:
    if value and not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.@\\-]*\$?", value):
        raise ValidationError(f"not a user: {value!r}", hint="a login name")


class SshOptions(TypedDict, total=False):
    """The keyword arguments of `Ssh`, for many hosts alike."""

    user: str
    port: int | None
    identity: str
    config_file: str
    options: Mapping[str, str]
    connect_timeout: int
    host_keys: Literal["yes", "accept-new", "no"]
    persist: int
    control_path: str
    local: Local


@attrs.frozen
class Ssh:
    """A machine reached by the system's ssh: your configuration, keys, agent and jump hosts.

    It never asks a question, and never waits longer than it was told. The machine needs a POSIX
    shell; nothing is installed there, and no Python runs there.

    Attributes:
        host: name or address, or an alias of your ssh configuration.
        user: login name; by default what ssh takes.
        port: by default what ssh takes.
        identity: path of a private key.
        config_file: a configuration instead of yours.
        options: more options of ssh_config(5), such as `{"ProxyJump": "gate"}`.
        connect_timeout: seconds until a machine that does not answer is `Unreachable`.
        host_keys: what to do about an unknown host key: `yes` refuses it, `accept-new` learns it.
        persist: seconds to keep a connection for the next command; 0 makes one per command.
        control_path: socket of a kept connection, as in ssh_config(5).
        name: the node's name in results; by default the host.
        local: how ssh itself is run.

    Example:
        >>> from clusternas.core.command import Command, text
        >>> Ssh("nas01", user="root", port=2222).argv(Command(("uptime",), text))[:5]
        ('ssh', '-T', '-x', '-p', '2222')
    """

    host: str = attrs.field(validator=_host)
    user: str = attrs.field(default="", kw_only=True, validator=_user)
    port: int | None = attrs.field(default=None, kw_only=True)
    identity: str = attrs.field(default="", kw_only=True)
    config_file: str = attrs.field(default="", kw_only=True)
    options: Mapping[str, str] = attrs.field(factory=dict, kw_only=True)
    connect_timeout: int = attrs.field(default=10, kw_only=True)
    host_keys: Literal["yes", "accept-new", "no"] = attrs.field(default="yes", kw_only=True)
    persist: int = attrs.field(default=0, kw_only=True)
    control_path: str = attrs.field(default="~/.ssh/clusternas-%r@%h-%p", kw_only=True)
    name: str = attrs.field(default="", kw_only=True)
    local: Local = attrs.field(factory=Local, kw_only=True)

    @property
    def node(self) -> str:
        """The node's name in results."""
        return self.name or self.host

    def run(self, command: Command[T], /) -> Result[T]:
        """Run it there.

        Raises:
            Refused: it destroys data and nobody allowed it by name.
            Unreachable: the machine could not be reached, or the connection broke.
            CommandNotFound: there is no such tool, there or, for ssh, here.
            CommandTimeout: it did not end in time and was killed, or the machine does not answer.
            CommandFailed: its exit code is not one of `ok`.
        """
        return perform(command, self._execute, self.node)

    def argv(self, command: Command[object]) -> tuple[str, ...]:
        """The call of ssh that runs a command there."""
        return ("ssh", *self.flags(), "--", self.host, remote(command))

    def flags(self) -> tuple[str, ...]:
        """The options of ssh, without the host."""
        keep = self.persist and _knows_control_persist(self.local.path)
        settings = {
            "BatchMode": "yes",
            "ClearAllForwardings": "yes",
            "ConnectTimeout": str(self.connect_timeout),
            "LogLevel": "ERROR",
            "ServerAliveInterval": "5",
            "StrictHostKeyChecking": self.host_keys,
            **({"ControlMaster": "auto", "ControlPersist": str(self.persist)} if keep else {}),
            **({"ControlPath": self.control_path} if keep else {}),
            **self.options,
        }
        return (
            "-T", "-x",
            *(("-p", str(self.port)) if self.port else ()),
            *(("-l", self.user) if self.user else ()),
            *(("-i", self.identity) if self.identity else ()),
            *(("-F", self.config_file) if self.config_file else ()),
            *(f"-o{name}={value}" for name, value in settings.items()),
        )  # fmt: skip

    def _execute(self, command: Command[object]) -> Output:
        call = attrs.evolve(
            command,
            argv=self.argv(command),
            env=tuple((name, os.environ[name]) for name in FOR_SSH if name in os.environ),
            timeout=command.timeout + self.connect_timeout + SLACK,
            title=str(command),
        )
        try:
            output = self.local.execute(call)
        except CommandTimeout as error:
            error.node = self.node
            raise
        return ended(command, output, self.node)


@functools.cache
def _knows_control_persist(path: str) -> bool:
    """Whether the client keeps connections: OpenSSH does from 5.6 on."""
    said = Local(path=path).run(Command(("ssh", "-V"), text, effect=Effect.READ)).output
    version = re.search(r"OpenSSH_(\d+)\.(\d+)", said.error_text)
    return version is not None and tuple(map(int, version.groups())) >= (5, 6)
