"""The configuration before 4.9, and its way into today's files."""

from __future__ import annotations

from attrs import evolve

from clusternas.ctdb.sysconfig import CtdbSysconfig

TEXT = """\
# Options to ctdbd. This is sourced by /etc/init.d/ctdb
CTDB_RECOVERY_LOCK="/gfs/.ctdb/lock"   # on GFS2
CTDB_PUBLIC_ADDRESSES=/etc/ctdb/public_addresses
CTDB_MANAGES_SAMBA=yes
# CTDB_MANAGES_WINBIND=yes
CTDB_CAPABILITY_RECMASTER=no
CTDB_NOSETSCHED=yes
CTDB_LOGFILE=/var/log/log.ctdb
CTDB_DEBUGLEVEL=ERR
CTDB_SET_eventscripttimeout=60
CTDB_SAMBA_CHECK_PORTS="445 139"
ulimit -n 10000
"""


def test_variables_are_typed() -> None:
    old = CtdbSysconfig.parse(TEXT)
    assert old.recovery_lock == "/gfs/.ctdb/lock"
    assert (old.manages_samba, old.manages_winbind) == (True, None)
    assert old.extra["CTDB_SAMBA_CHECK_PORTS"].words == ('"445 139"',)
    assert old.render() == TEXT


def test_a_change_touches_its_own_line() -> None:
    old = CtdbSysconfig.parse(TEXT)
    assert evolve(old, recovery_lock="/x").render() == TEXT.replace('"/gfs/.ctdb/lock"', '"/x"')
    more = evolve(old, manages_winbind=True).render()
    assert more.replace('CTDB_MANAGES_WINBIND="yes"\n', "") == TEXT


def test_today_s_files_say_the_same() -> None:
    old = CtdbSysconfig.parse(TEXT)
    texts = {path: file.render() for path, file in old.config().files().items()}
    assert texts == {
        "/etc/ctdb/ctdb.conf": (
            "[logging]\n\tlocation = file:/var/log/log.ctdb\n\tlog level = ERR\n\n"
            "[cluster]\n\tcluster lock = /gfs/.ctdb/lock\n\tleader capability = false\n\n"
            "[legacy]\n\trealtime scheduling = false\n"
        ),
        "/etc/ctdb/ctdb.tunables": "EventScriptTimeout=60\n",
        "/etc/ctdb/script.options": 'CTDB_SAMBA_CHECK_PORTS="445 139"\n',
    }
    assert old.scripts() == ("50.samba",)


def test_nothing_said_is_nothing_written() -> None:
    assert CtdbSysconfig.parse("# nothing\n").config().files()["/etc/ctdb/ctdb.conf"].render() == ""
