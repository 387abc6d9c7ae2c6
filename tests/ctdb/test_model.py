"""CTDB's files as typed values."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from clusternas.core.errors import UnsupportedError, ValidationError
from clusternas.core.versions import Toolset
from clusternas.ctdb.model import CtdbCluster, CtdbConfig, CtdbLegacy, CtdbLogging
from clusternas.ctdb.tables import (
    CtdbNodes,
    CtdbPublicAddress,
    CtdbPublicAddresses,
    CtdbScriptOption,
    CtdbScriptOptions,
    CtdbTunable,
    CtdbTunables,
)

TEXT = """\
# CTDB of the NAS
[Logging]
\tlog level = notice
[cluster]
\tcluster lock = /opt/.ctdb/reclock
# next
[legacy]
\trealtime scheduling = Yes
"""


def test_sections_and_options_are_typed() -> None:
    config = CtdbConfig.parse(TEXT)
    assert config.logging == CtdbLogging(log_level="NOTICE")
    assert config.cluster == CtdbCluster(cluster_lock="/opt/.ctdb/reclock")
    assert config.legacy == CtdbLegacy(realtime_scheduling=True)
    assert config.database is None


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_change_touches_its_own_bytes(newline: str) -> None:
    config = CtdbConfig.parse(TEXT.replace("\n", newline))
    assert config.render() == TEXT.replace("\n", newline)
    changed = evolve(config, cluster=evolve(config.cluster, cluster_lock="/x", leader_timeout=9))
    assert changed.render() == TEXT.replace(
        "/opt/.ctdb/reclock\n", "/x\n\tleader timeout = 9\n"
    ).replace("\n", newline)


@pytest.mark.parametrize("version", ["4.9", "4.15", "4.16", "4.25"])
def test_what_is_rendered_for_a_version_reads_back(version: str) -> None:
    cluster = CtdbCluster(cluster_lock="/opt/x", leader_capability=False)
    config = CtdbConfig(cluster=cluster, legacy=CtdbLegacy(start_as_disabled=True))
    text = config.render(Toolset(ctdb=version))
    assert CtdbConfig.parse(text) == config
    assert ("recovery lock" in text) == (version in ("4.9", "4.15"))
    assert ("recmaster capability" in text) == (version in ("4.9", "4.15"))


def test_what_a_version_does_not_have_is_refused() -> None:
    config = CtdbConfig(cluster=CtdbCluster(nodes_list="!onnode-list"))
    with pytest.raises(UnsupportedError, match="nodes_list"):
        config.render(Toolset(ctdb="4.17"))


def test_all_files_of_a_directory(tmp_path: Path) -> None:
    (tmp_path / "ctdb.conf").write_text(TEXT)
    (tmp_path / "nodes").write_text("10.0.0.1\n10.0.0.2\n")
    (tmp_path / "ctdb.tunables").write_text("MonitorInterval=3\n")
    config = CtdbConfig.read(tmp_path / "ctdb.conf")
    assert config.nodes.numbers() == {0: "10.0.0.1", 1: "10.0.0.2"}
    assert config.tunables.all["MonitorInterval"].value == 3
    assert list(config.public_addresses.all) == []
    files = config.files()
    assert [Path(path).name for path in files] == ["ctdb.conf", "nodes", "ctdb.tunables"]
    assert all(Path(path).read_text() == file.render() for path, file in files.items())


def test_a_configuration_from_nothing() -> None:
    config = CtdbConfig(
        cluster=CtdbCluster(cluster_lock="/opt/x"),
        nodes=["10.0.0.1", "10.0.0.2"],
        public_addresses=["192.168.1.21/24 lan0,lan1"],
    )
    address = config.public_addresses.all["192.168.1.21/24"]
    assert address.interfaces == ("lan0", "lan1")
    texts = {path: file.render() for path, file in config.files("/x").items()}
    assert texts == {
        "/x/ctdb.conf": "[cluster]\n\tcluster lock = /opt/x\n",
        "/x/nodes": "10.0.0.1\n10.0.0.2\n",
        "/x/public_addresses": "192.168.1.21/24 lan0,lan1\n",
    }
    assert pickle.loads(pickle.dumps(config)) == config


def test_nodes_keep_their_numbers() -> None:
    nodes = CtdbNodes.parse("10.0.0.1\n#10.0.0.2\n10.0.0.3\n")
    assert nodes.numbers() == {0: "10.0.0.1", 2: "10.0.0.3"}
    assert nodes.add("10.0.0.4").render() == "10.0.0.1\n#10.0.0.2\n10.0.0.3\n10.0.0.4\n"
    assert nodes.delete("10.0.0.1").render() == "#10.0.0.1\n#10.0.0.2\n10.0.0.3\n"
    with pytest.raises(KeyError):
        nodes.delete("10.0.0.9")


def test_tables_change_by_the_line() -> None:
    tunables = CtdbTunables.parse("A=1\n# why\nB=2\n")
    rows = tunables.all.put(CtdbTunable(name="B", value=3)).put(CtdbTunable(name="C", value=4))
    assert evolve(tunables, all=rows).render() == "A=1\n# why\nB=3\nC=4\n"
    options = CtdbScriptOptions.parse("CTDB_A='1 2' # x\n")
    more = options.all.put(CtdbScriptOption(name="CTDB_B", value="c d"))
    assert evolve(options, all=more).render() == "CTDB_A='1 2' # x\nCTDB_B=\"c d\"\n"
    addresses = CtdbPublicAddresses.parse("10.1.1.1/24 eth0\n")
    new = CtdbPublicAddress(address="10.1.1.2/24", interfaces=("eth0",))
    assert evolve(addresses, all=addresses.all.put(new)).render().endswith("10.1.1.2/24 eth0\n")


@pytest.mark.parametrize(
    "make",
    [
        lambda: CtdbConfig(nodes=["10.0.0.1 x"]),
        lambda: CtdbPublicAddress(address="10.0.0.1/24", interfaces=("a,b",)),
        lambda: CtdbPublicAddress(address="10.0.0.1/24", interfaces="eth0"),
        lambda: CtdbCluster(cluster_lock="a\nb"),
        lambda: CtdbTunable(name="A", value="1"),
    ],
)
def test_what_the_files_cannot_hold_is_refused(make) -> None:
    with pytest.raises(ValidationError):
        make()


@given(st.text("[]=abc \n\t#\\\r", max_size=60))
def test_any_text_comes_back(text: str) -> None:
    assert CtdbConfig.parse(text).render() == text
