"""Samba's commands, as they would be typed."""

from __future__ import annotations

import pytest

from clusternas.core.command import Command, Secret
from clusternas.core.errors import ValidationError
from clusternas.core.versions import Toolset
from clusternas.samba import commands
from clusternas.samba.model import SambaShare, SmbConf


@pytest.mark.parametrize(
    ("command", "line"),
    [
        (commands.version(), "smbd -V"),
        (commands.testparm(), "testparm -s"),
        (
            commands.testparm("/etc/samba/smb.conf", local=True),
            "testparm -s -l /etc/samba/smb.conf",
        ),
        (
            commands.testparm_value("/x", "read only", "my docs"),
            "testparm -s -l '--parameter-name=read only' '--section-name=my docs' /x",
        ),
        (commands.reload_config(), "smbcontrol all reload-config"),
        (commands.cache_flush(), "net cache flush"),
        (commands.smbstatus(Toolset.DEBIAN12), "smbstatus --json"),
        (commands.smbstatus(Toolset.EL6), "smbstatus"),
        (commands.list_shares("nas01"), "smbclient -N -g -L nas01"),
        (commands.pdbedit_list(), "pdbedit -L"),
        (commands.pdbedit_delete("jo"), "pdbedit -x -u jo"),
        (commands.smbpasswd_disable("jo"), "smbpasswd -d jo"),
        (commands.smbpasswd_enable("jo"), "smbpasswd -e jo"),
        (commands.conf_list(), "net conf list"),
        (commands.conf_listshares(), "net conf listshares"),
        (commands.conf_getparm("opt", "path"), "net conf getparm opt path"),
        (commands.conf_setparm("opt", "comment", "-x"), "net conf setparm -- opt comment -x"),
        (commands.conf_delparm("opt", "comment"), "net conf delparm opt comment"),
        (
            commands.conf_addshare("opt", "/opt", writeable=True, comment="Test Cluster"),
            "net conf addshare opt /opt writeable=y guest_ok=n 'Test Cluster'",
        ),
        (commands.conf_delshare("opt"), "net conf delshare opt"),
        (
            SambaShare(name="opt", path="/opt", read_only=False).add(),
            "net conf addshare opt /opt writeable=y guest_ok=n",
        ),
        (SambaShare(name="opt").remove(), "net conf delshare opt"),
        (
            SmbConf.parse("", path="/etc/samba/smb.conf").testparm(),
            "testparm -s /etc/samba/smb.conf",
        ),
    ],
    ids=str,
)
def test_a_command_reads_like_what_one_types(command: Command[object], line: str) -> None:
    assert command.shell() == line


@pytest.mark.parametrize("build", [commands.smbpasswd_add, commands.pdbedit_add])
def test_a_password_goes_by_standard_input_and_is_shown_nowhere(build) -> None:
    command = build("jo", Secret("s3cret"))
    assert command.stdin == b"s3cret\ns3cret\n"
    assert "s3cret" not in f"{command!r} {command} {command.shell()} {command.name}"


@pytest.mark.parametrize(
    "build",
    [
        lambda: commands.testparm("etc/smb.conf"),
        lambda: commands.list_shares("-U"),
        lambda: commands.pdbedit_delete("a:b"),
        lambda: commands.conf_setparm("-x", "path", "/"),
        lambda: commands.conf_setparm("opt", "path", "/\nguest ok = yes"),
        lambda: commands.conf_addshare("opt", "opt"),
        lambda: commands.conf_delshare(""),
        lambda: commands.smbpasswd_add("jo", Secret("")),
        lambda: commands.smbpasswd_add("jo", Secret("a\nb")),
    ],
)
def test_what_samba_would_misread_is_refused(build) -> None:
    with pytest.raises(ValidationError):
        build()
