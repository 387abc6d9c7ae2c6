"""nft, iptables-restore and xmllint decide about our rules, in a network namespace of their own."""

from __future__ import annotations

import json
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clusternas.firewall.commands import iptables_restore, nft_check, nft_list
from clusternas.firewall.components import COMPONENTS, rules_for
from clusternas.firewall.model import FirewallRule
from clusternas.firewall.render import firewalld_service, iptables, nftables

RULES = rules_for(
    COMPONENTS,
    peers=["10.0.0.1", "10.0.0.2", "fd00::1"],
    clients=["192.168.0.0/16", "fd00::/8"],
    drbd_ports=range(7788, 7800),
)
SSH = FirewallRule("tcp", [22], [], "ssh")


@pytest.fixture(scope="module")
def alone(oracle) -> list[str]:
    """How to call a tool in a network namespace of its own."""
    unshare = oracle("unshare", package="util-linux")
    for call in ([unshare, "-n"], [unshare, "-rn"]):
        if subprocess.run([*call, "true"], capture_output=True).returncode == 0:
            return call
    pytest.skip("no network namespaces here")


def accepts(alone: list[str], argv: tuple[str, ...], stdin: bytes) -> str:
    done = subprocess.run([*alone, *argv], input=stdin, capture_output=True)
    return "" if done.returncode == 0 else done.stderr.decode()


def test_nft_takes_it(oracle, alone):
    oracle("nft", package="nftables")
    command = nft_check(nftables(RULES))
    assert accepts(alone, command.argv, command.stdin) == ""
    command = nft_check(nftables([SSH]).replace("dport { 22 }", "dport { ssj }"))
    assert "ssj" in accepts(alone, command.argv, command.stdin)


def test_loading_twice_is_loading_once(oracle, alone, tmp_path):
    oracle("nft", package="nftables")
    script = tmp_path / "nas.nft"
    script.write_text(nftables(RULES))
    call = f"nft -f {script} && nft -f {script} && {nft_list().shell()}"
    done = subprocess.run([*alone, "sh", "-c", call], check=True, capture_output=True)
    found = json.loads(done.stdout)["nftables"]
    (chain,) = [each["chain"] for each in found if "chain" in each]
    assert (chain["hook"], chain["policy"]) == ("input", "drop")
    comments = [each["rule"].get("comment") for each in found if "rule" in each]
    assert set(comments) - {None} == {*COMPONENTS, "drbd"}


@pytest.mark.parametrize("version", [4, 6])
def test_iptables_restore_takes_it(oracle, alone, version):
    oracle("iptables-restore", package="iptables")
    command = iptables_restore(iptables(RULES, version=version), check=True, version=version)
    assert accepts(alone, command.argv, command.stdin) == ""


SOURCES = st.sampled_from(["10.0.0.1", "10.0.0.0/24", "10.0.0.0/8", "fd00::1", "fd00::/64"])
PORTS = st.integers(1, 65535) | st.tuples(st.integers(1, 300), st.integers(300, 65535))
RULE = st.builds(
    FirewallRule,
    st.sampled_from(["tcp", "udp"]),
    st.lists(PORTS, min_size=1, max_size=30),
    st.lists(SOURCES, max_size=4),
    st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters='"\\')).map(
        lambda text: text[:100]
    ),
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(RULE, max_size=5))
def test_any_rules_are_taken(oracle, alone, rules):
    oracle("nft", package="nftables")
    oracle("iptables-restore", package="iptables")
    command = nft_check(nftables([SSH, *rules]))
    assert accepts(alone, command.argv, command.stdin) == ""
    command = iptables_restore(iptables([SSH, *rules]), check=True)
    assert accepts(alone, command.argv, command.stdin) == ""


def test_the_service_is_xml(oracle):
    xmllint = oracle("xmllint", package="libxml2-utils")
    text = firewalld_service(RULES, short="NAS & co")
    subprocess.run([xmllint, "--noout", "-"], input=text.encode(), check=True)
