"""ctdb.conf against `ctdb-config validate`, CTDB's own reader; no daemon runs."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clusternas.core.fields import Option
from clusternas.core.lens import lens_of
from clusternas.core.model import Model
from clusternas.core.versions import Toolset
from clusternas.ctdb.commands import CONFIG_TOOL, config_validate
from clusternas.ctdb.model import (
    LEVEL,
    SECONDS,
    SWITCH,
    CtdbCluster,
    CtdbConfig,
    CtdbFailover,
    CtdbLegacy,
    CtdbLogging,
)
from clusternas.ctdb.sysconfig import CtdbSysconfig
from clusternas.runners.local import Local

TOOLSET = Toolset.DEBIAN12


@pytest.fixture
def accepts(oracle, tmp_path: Path):
    """Whether CTDB accepts a ctdb.conf."""
    tool = oracle(CONFIG_TOOL, package="ctdb")

    def ask(text: str) -> bool:
        (tmp_path / "ctdb.conf").write_text(text)
        command = config_validate(str(tmp_path), tool)
        run = subprocess.run(command.argv, env=dict(command.env), capture_output=True)
        return run.returncode == 0

    return ask


def values_of(meta: Option) -> st.SearchStrategy[object]:
    if meta.codec is SWITCH:
        return st.booleans()
    if meta.codec is SECONDS or meta.codec.expects.startswith("a number"):
        return st.integers(1, 600)
    if meta.codec is LEVEL:
        return st.sampled_from(["ERROR", "WARNING", "NOTICE", "INFO", "DEBUG"])
    return st.just("tcp")


def models(model: type[Model], *left_out: str) -> st.SearchStrategy[Model]:
    fields = {
        name: st.none() | values_of(meta)
        for name, meta in lens_of(model).fields.items()
        if isinstance(meta, Option)
        and name not in left_out
        and TOOLSET.has("ctdb", since=meta.spellings[0].since, until=meta.spellings[-1].until)
    }
    return st.fixed_dictionaries(fields).map(lambda values: model(**values))


configs = st.builds(
    CtdbConfig,
    logging=st.none() | models(CtdbLogging, "location"),
    cluster=st.none() | models(CtdbCluster, "node_address", "cluster_lock"),
    failover=st.none() | models(CtdbFailover),
    legacy=st.none() | models(CtdbLegacy),
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(config=configs)
def test_ctdb_accepts_what_we_render(accepts, config: CtdbConfig) -> None:
    text = config.render(TOOLSET)
    assert accepts(text), text
    assert CtdbConfig.parse(text) == CtdbConfig.parse(config.render())


VERDICTS = {
    "the lab's": "[logging]\n\tlog level = NOTICE\n[cluster]\n\tcluster lock = /opt/x\n",
    "section in capitals": "[CLUSTER]\ncluster lock = /x\n",
    "blanks collapse": "[cluster]\ncluster  lock = /x\n",
    "option in capitals": "[cluster]\nCluster Lock = /x\n",
    "option without blank": "[cluster]\nclusterlock = /x\n",
    "unknown section": "[custer]\n",
    "unknown option": "[cluster]\nfrob = 1\n",
    "option before any section": "a = b\n[cluster]\n",
    "bad bool": "[legacy]\nrealtime scheduling = maybe\n",
    "bool of smb.conf": "[legacy]\nrealtime scheduling = on\n",
    "bool in capitals": "[legacy]\nrealtime scheduling = TRUE\n",
    "bad level": "[logging]\nlog level = LOUD\n",
    "level in small letters": "[logging]\nlog level = debug\n",
    "bad transport": "[cluster]\ntransport = udp\n",
    "bad number": "[cluster]\nleader timeout = soon\n",
    "number too small": "[cluster]\nleader timeout = 0\n",
    "old name of the lock": "[cluster]\nrecovery lock = /x\n",
    "comment": "# a\n; b\n[cluster] # c\n",
    "option of another section": "[cluster]\nlog level = DEBUG\n",
}
# ctdbd 4.17 starts with these: the first two make it forget the whole file without a word
HOLES = {
    "unterminated": "[cluster\ncluster lock = /x\n",
    "empty name": "[cluster]\n = x\ncluster lock = /x\n",
    "no equals": "[cluster]\ncluster lock\n",
}


@pytest.mark.parametrize("text", VERDICTS.values(), ids=VERDICTS.keys())
def test_our_errors_are_those_that_ctdb_refuses_the_file_for(accepts, text: str) -> None:
    found = [one for one in CtdbConfig.parse(text).validate(TOOLSET) if one.code != "CTDB002"]
    errors = [str(one) for one in found if one.severity.value == "error"]
    assert bool(errors) == (not accepts(text)), errors


@pytest.mark.parametrize("text", HOLES.values(), ids=HOLES.keys())
def test_we_speak_of_what_ctdb_passes_over(accepts, text: str) -> None:
    assert accepts(text)
    assert "CTDB000" in [one.code for one in CtdbConfig.parse(text).validate(TOOLSET)]


def test_the_command_runs(oracle, tmp_path: Path) -> None:
    tool = oracle(CONFIG_TOOL, package="ctdb")
    (tmp_path / "ctdb.conf").write_text("[cluster]\n")
    assert config_validate(str(tmp_path), tool).run(Local()).output.exit_code == 0


SYSCONFIG = """\
CTDB_RECOVERY_LOCK="/gfs/.ctdb/lock"
CTDB_NODES=/etc/ctdb/nodes
CTDB_MANAGES_SAMBA=yes
CTDB_MANAGES_WINBIND=yes
CTDB_CAPABILITY_RECMASTER=no
CTDB_NOSETSCHED=yes
CTDB_LOGGING=syslog
CTDB_DEBUGLEVEL=ERROR
CTDB_START_AS_STOPPED=yes
CTDB_DBDIR=/var/ctdb
CTDB_SET_eventscripttimeout=60
CTDB_SAMBA_CHECK_PORTS="445"
"""


def test_old_files_become_what_samba_s_own_script_makes_of_them(tmp_path: Path) -> None:
    script = Path("/usr/share/doc/ctdb/examples/config_migrate.sh")
    if not script.exists():
        pytest.skip("config_migrate.sh is not installed: apt-get install ctdb")
    source = tmp_path / "ctdb"
    source.write_text(SYSCONFIG)
    run = subprocess.run(
        ["/bin/sh", script, "-f", "-d", tmp_path, "-o", tmp_path / "out", source],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    theirs = CtdbConfig.read(tmp_path / "out" / "ctdb.conf")
    old = CtdbSysconfig.parse(SYSCONFIG)
    assert said(old.config()) == said(theirs)
    commands = (tmp_path / "out" / "commands.sh").read_text()
    assert all(script in commands for script in old.scripts())


def said(config: CtdbConfig) -> dict[str, dict[str, object]]:
    """What is set, without what is set to its default."""
    parts = {part: getattr(config, part) for part in ("logging", "cluster", "database", "legacy")}
    found = {
        part: {
            name: getattr(section, name)
            for name in lens_of(type(section)).fields
            if getattr(section, name) is not None
        }
        for part, section in parts.items()
        if section is not None
    }
    found["tunables"] = {each.name.lower(): each.value for each in config.tunables.all}
    found["options"] = {each.name: each.value for each in config.script_options.all}
    return found
