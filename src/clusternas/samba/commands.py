"""Samba's commands, one function each.

`net conf import` is not among them: it drops the whole configuration before it reads the new one,
and a single bad parameter then leaves nothing. Shares in the registry are changed one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from clusternas.core.command import Command, Effect, Output, Secret, absolute, operand, text
from clusternas.core.errors import ValidationError
from clusternas.core.versions import Toolset
from clusternas.samba import status
from clusternas.samba.status import ShareListing, SmbStatus, User

if TYPE_CHECKING:
    from clusternas.samba.model import SmbConf

__all__ = [
    "cache_flush",
    "conf_addshare",
    "conf_delparm",
    "conf_delshare",
    "conf_getparm",
    "conf_list",
    "conf_listshares",
    "conf_setparm",
    "list_shares",
    "pdbedit_add",
    "pdbedit_delete",
    "pdbedit_list",
    "reload_config",
    "smbpasswd_add",
    "smbpasswd_disable",
    "smbpasswd_enable",
    "smbstatus",
    "testparm",
    "testparm_value",
    "version",
]

T = TypeVar("T")
READ_WAIT = 30.0
CHANGE_WAIT = 60.0
"""Seconds; with clustering = yes each of them asks ctdbd, which may be recovering."""
JSON_SINCE = "4.17"


def _read(decode: Callable[[Output], T], *argv: str) -> Command[T]:
    return Command(argv, decode, effect=Effect.READ, timeout=READ_WAIT)


def _change(*argv: str) -> Command[str]:
    return Command(argv, text, effect=Effect.CHANGE, timeout=CHANGE_WAIT)


def version() -> Command[str]:
    """`smbd -V`: the version of the server."""
    return _read(status.decode_version, "smbd", "-V")


def testparm(path: str = "", *, local: bool = False) -> Command[str]:  # noqa: PT028
    """`testparm -s [-l] [FILE]`: have Samba read a file; exit code 1 if it refuses it.

    What it prints cannot be read back by Samba itself; read it with `SmbConf.parse`.

    Args:
        path: the file; the installed one if empty.
        local: skip the checks of the machine around (directories, realm).
    """
    options = ("-s", "-l") if local else ("-s",)
    return _read(text, "testparm", *options, *([absolute(path)] if path else []))


def testparm_value(path: str, parameter: str, section: str = "") -> Command[str]:  # noqa: PT028
    """`testparm -s --parameter-name P [--section-name S] FILE`: one value, defaults included."""
    where = (f"--section-name={operand(section, 'share')}",) if section else ()
    name = f"--parameter-name={operand(parameter, 'parameter')}"
    return _read(text, "testparm", "-s", "-l", name, *where, absolute(path))


def reload_config() -> Command[str]:
    """`smbcontrol all reload-config`: all daemons of this machine read their files again."""
    return _change("smbcontrol", "all", "reload-config")


def cache_flush() -> Command[str]:
    """`net cache flush`: forget which SID is whose; it is asked again, net(8).

    Samba alone and Samba under CTDB have a domain SID each, and what one has cached, for a week,
    makes the users of the other strangers to their own files. Under CTDB, CTDB must run.
    """
    return _change("net", "cache", "flush")


def smbstatus(toolset: Toolset = Toolset.UNKNOWN) -> Command[SmbStatus]:
    """`smbstatus [--json]`: sessions, connections and open files; of all nodes in a cluster."""
    if toolset.has("samba", since=JSON_SINCE):
        return _read(status.decode_json, "smbstatus", "--json")
    return _read(status.decode_text, "smbstatus")


def list_shares(server: str) -> Command[tuple[ShareListing, ...]]:
    """`smbclient -N -g -L SERVER`: what a server shows to a guest."""
    return _read(status.decode_listing, "smbclient", "-N", "-g", "-L", operand(server, "server"))


def pdbedit_list() -> Command[tuple[User, ...]]:
    """`pdbedit -L`: the accounts, without their hashes."""
    return _read(status.decode_users, "pdbedit", "-L")


def pdbedit_add(user: str, password: Secret) -> Command[str]:
    """`pdbedit -a -t -u USER`: add an account; the Unix user must exist."""
    return _with_password(password, "pdbedit", "-a", "-t", "-u", _user(user))


def pdbedit_delete(user: str) -> Command[str]:
    """`pdbedit -x -u USER`: remove an account; its files stay."""
    return _change("pdbedit", "-x", "-u", _user(user))


def smbpasswd_add(user: str, password: Secret) -> Command[str]:
    """`smbpasswd -s -a USER`: add an account, or give it another password."""
    return _with_password(password, "smbpasswd", "-s", "-a", _user(user))


def smbpasswd_disable(user: str) -> Command[str]:
    """`smbpasswd -d USER`."""
    return _change("smbpasswd", "-d", _user(user))


def smbpasswd_enable(user: str) -> Command[str]:
    """`smbpasswd -e USER`."""
    return _change("smbpasswd", "-e", _user(user))


def conf_list() -> Command[SmbConf]:
    """`net conf list`: the configuration in the registry, in the syntax of smb.conf."""
    return _read(status.decode_conf, "net", "conf", "list")


def conf_listshares() -> Command[str]:
    """`net conf listshares`: the names in the registry, one a line."""
    return _read(text, "net", "conf", "listshares")


def conf_getparm(section: str, parameter: str) -> Command[str]:
    """`net conf getparm SECTION PARAMETER`."""
    return _read(text, "net", "conf", "getparm", *_place(section, parameter))


def conf_setparm(section: str, parameter: str, value: str) -> Command[str]:
    """`net conf setparm SECTION PARAMETER VALUE`: checked by Samba, stored, read by all nodes."""
    if not value.isprintable():
        raise ValidationError(f"not a value: {value!r}", hint="it is one line of text")
    return _change("net", "conf", "setparm", "--", *_place(section, parameter), value)


def conf_delparm(section: str, parameter: str) -> Command[str]:
    """`net conf delparm SECTION PARAMETER`."""
    return _change("net", "conf", "delparm", *_place(section, parameter))


def conf_addshare(
    name: str, path: str, *, writeable: bool = False, guest_ok: bool = False, comment: str = ""
) -> Command[str]:
    """`net conf addshare NAME PATH writeable=… guest_ok=… [COMMENT]`."""
    return _change(
        "net", "conf", "addshare", operand(name, "share"), absolute(path),
        f"writeable={'y' if writeable else 'n'}", f"guest_ok={'y' if guest_ok else 'n'}",
        *([operand(comment, "comment")] if comment else []),
    )  # fmt: skip


def conf_delshare(name: str) -> Command[str]:
    """`net conf delshare NAME`: take a share out of the registry; its files stay."""
    return _change("net", "conf", "delshare", operand(name, "share"))


def _place(section: str, parameter: str) -> tuple[str, str]:
    return operand(section, "share"), operand(parameter, "parameter")


def _user(name: str) -> str:
    if ":" in name:
        raise ValidationError(f"not a user: {name!r}", hint="a user name holds no colon")
    return operand(name, "user")


def _with_password(password: Secret, *argv: str) -> Command[str]:
    word = password.reveal()
    if not word or "\n" in word:
        raise ValidationError("not a password", hint="it is one line, and not empty")
    return Command(
        argv,
        text,
        stdin=f"{word}\n{word}\n".encode(),
        effect=Effect.CHANGE,
        timeout=CHANGE_WAIT,
        secrets=(password,),
    )
