"""Decoders of what Samba's tools print, against recordings."""

from __future__ import annotations

import contextlib
import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusternas.core.command import Output
from clusternas.core.errors import ParseError
from clusternas.samba import status
from clusternas.samba.status import Process, ShareListing, User

DATA = Path(__file__).parents[1] / "data" / "samba" / "4.17.12"
CLUSTER = "06-full-cluster-ok"
ALONE = "05-samba-without-ctdb"

BEFORE_4 = """\

Samba version 3.5.4-68.el6
PID     Username      Group         Machine
-------------------------------------------------------------------
 2345      nasuser       nas users     client1      (192.168.1.11)

Service      pid     machine       Connected at
-------------------------------------------------------
my docs      2345   client1       Mon Nov 22 11:28:30 2010

Locked files:
Pid          Uid        DenyMode   Access      R/W        Oplock           SharePath   Name   Time
--------------------------------------------------------------------------------------------------
2345         5000       DENY_WRITE 0x12019f    RDWR    BATCH   /opt   a b   Mon Nov 22 11:28:30 2010

"""


def recorded(state: str, name: str) -> Output:
    return Output(stdout=(DATA / state / f"{name}.txt").read_bytes())


def said(text: str) -> Output:
    return Output(stdout=text.encode())


def test_json_of_a_cluster() -> None:
    found = status.decode_json(recorded(CLUSTER, "smbstatus-json"))
    assert found.version == "4.17.12-Debian"
    (session,), (connection,), (file,) = found.sessions, found.connections, found.open_files
    assert session.process == connection.process == file.process == Process(7497, node=0)
    assert (session.user, session.protocol) == ("nasuser", "SMB3_11")
    assert (connection.share, connection.machine) == ("opt", "192.168.1.11")
    assert (file.path, file.name, file.uid) == ("/opt/share", "held.txt", 5000)
    assert (file.deny, file.access, file.oplock) == ("DENY_ALL", 0x12019F, "NONE")
    assert session.extra["uid"] == 5000


def test_text_says_what_json_says() -> None:
    text = status.decode_text(recorded(CLUSTER, "smbstatus"))
    made = status.decode_json(recorded(CLUSTER, "smbstatus-json"))
    (file,), (same,) = text.open_files, made.open_files
    assert (file.process, file.path, file.name, file.deny, file.access, file.oplock) == (
        same.process,
        same.path,
        same.name,
        same.deny,
        same.access,
        same.oplock,
    )
    (session,), (again,) = text.sessions, made.sessions
    assert (session.user, session.group, session.address, session.protocol) == (
        again.user,
        again.group,
        again.address,
        again.protocol,
    )
    assert text.connections[0].share == made.connections[0].share


@pytest.mark.parametrize(
    ("decode", "name"),
    [(status.decode_json, "smbstatus-json"), (status.decode_text, "smbstatus")],
)
def test_nobody_is_connected(decode, name: str) -> None:
    found = decode(recorded(ALONE, name))
    assert (found.sessions, found.connections, found.open_files) == ((), (), ())


def test_the_text_of_2010() -> None:
    found = status.decode_text(said(BEFORE_4))
    assert found.version == "3.5.4-68.el6"
    (session,), (connection,), (file,) = found.sessions, found.connections, found.open_files
    assert session.process == Process(2345)
    assert (session.user, session.group) == ("nasuser", "nas users")
    assert (connection.share, connection.since) == ("my docs", "Mon Nov 22 11:28:30 2010")
    assert (file.path, file.name, file.deny) == ("/opt", "a b", "DENY_WRITE")


def test_shares_as_a_client_sees_them() -> None:
    assert status.decode_listing(recorded(CLUSTER, "smbclient-gL-user")) == (
        ShareListing(name="opt"),
        ShareListing(name="IPC$", kind="IPC", comment="IPC Service (node1)"),
    )
    (share,) = status.decode_listing(said("Disk|pub|a|b share\n"))
    assert share.comment == "a|b share"


def test_users() -> None:
    output = said("WARNING: deprecated: foo\nnasuser:5000:Nas User\nghost:4294967295:\n")
    assert status.decode_users(output) == (
        User(name="nasuser", uid=5000, full_name="Nas User"),
        User(name="ghost"),
    )
    assert status.decode_users(recorded(CLUSTER, "pdbedit-L")) == (User(name="nasuser", uid=5000),)


def test_testparm_prints_an_smb_conf() -> None:
    conf = status.decode_conf(recorded(CLUSTER, "testparm-s"))
    assert conf.global_ is not None
    assert conf.global_.clustering
    assert conf.shares["opt"].valid_users == ("nasuser",)


def test_version() -> None:
    assert status.decode_version(recorded(CLUSTER, "smbd-V")) == "4.17.12-Debian"


@pytest.mark.parametrize("decode", [status.decode_json, status.decode_text, status.decode_version])
@given(text=st.text(max_size=60) | st.text('{}":PIDSamba version\n 1', max_size=60))
def test_nonsense_is_a_parse_error_or_a_value(decode, text: str) -> None:
    with contextlib.suppress(ParseError):
        decode(said(text))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": "4", "sessions": {"1": {}}}'])
def test_json_without_its_keys_is_a_parse_error(text: str) -> None:
    with pytest.raises(ParseError, match="smbstatus --json"):
        status.decode_json(said(text))


def test_values_pickle() -> None:
    for decode, name in ((status.decode_json, "smbstatus-json"), (status.decode_text, "smbstatus")):
        found = decode(recorded(CLUSTER, name))
        assert pickle.loads(pickle.dumps(found)) == found
