"""`corosync -t` decides about our corosync.conf, in namespaces of its own.

It wants an address of the first node and an authkey. It starts nothing and sends nothing.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clusternas.core.command import Output
from clusternas.core.diagnostics import Severity
from clusternas.corosync.commands import check_config, version
from clusternas.corosync.model import CorosyncCluster
from clusternas.corosync.sections import CorosyncInterface, CorosyncLogging
from clusternas.runners.local import Local

ENTER = """
mount -t tmpfs none /etc/corosync &&
head -c 256 /dev/urandom >/etc/corosync/authkey &&
ip link set lo up && ip addr add 10.9.0.1/24 dev lo && ip addr add 10.9.1.1/24 dev lo || exit 99
"""
UNSHARE = ["unshare", "-n", "-m", "--propagation", "private"]
ISOLATED = [*UNSHARE, "sh", "-c", f'{ENTER}exec corosync -t -c "$1"', "sh"]
RELOAD = f"""{ENTER}
for place in /run /dev/shm /var/lib/corosync; do
    mkdir -p $place && mount -t tmpfs none $place || exit 99
done
until_expected() {{
    for _ in $(seq 60); do
        corosync-quorumtool -s 2>&1 | grep -q "Expected votes: *$1" && break
        sleep 0.5
    done
    corosync-quorumtool -s
}}
cp "$1" /etc/corosync/corosync.conf && corosync -f >&2 &
until_expected 2
for file in "$2" "$1"; do
    cp "$file" /etc/corosync/corosync.conf && corosync-cfgtool -R >&2
    until_expected "$(grep -c ring0_addr "$file")"
done
"""
"""corosync on one node of a file, which becomes another one, and the first again."""

Judge = Callable[[str], tuple[bool, str]]


@pytest.fixture(scope="session")
def judge(oracle: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Judge:
    """Whether corosync would start with a text on the first node, and what it says."""
    oracle("corosync", package="corosync")
    oracle("ip", package="iproute2")
    path = tmp_path_factory.mktemp("corosync") / "corosync.conf"
    required = os.environ.get("CLUSTERNAS_REQUIRE_ORACLES") == "1"

    def run(text: str) -> tuple[bool, str]:
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        done = subprocess.run([*ISOLATED, str(path)], capture_output=True, timeout=60, check=False)
        said = (done.stdout + done.stderr).decode(errors="replace")
        if done.returncode not in (0, 8):
            message = f"no namespaces here: {said}"
            pytest.fail(message) if required else pytest.skip(message)
        return done.returncode == 0, said

    return run


def test_two_node_comes_and_goes_while_it_runs(judge: Judge, tmp_path: Path) -> None:
    """What `NasCluster.plan` relies on when a third node joins or leaves; votequorum(5)."""
    judge(BASE)
    two, three = tmp_path / "two", tmp_path / "three"
    two.write_text(cluster(2).render())
    three.write_text(cluster(3).render())
    alone = [*UNSHARE, "-i", "-p", "--fork", "--kill-child", "sh", "-c", RELOAD, "sh"]
    argv = [*alone, str(two), str(three)]
    done = subprocess.run(argv, capture_output=True, timeout=200, check=False)
    flags = [line for line in done.stdout.decode().splitlines() if line.startswith("Flags:")]
    assert [line.split()[1:] for line in flags] == [
        ["2Node", "WaitForAll"],
        [],
        ["2Node", "Quorate", "WaitForAll"],  # whoever has stopped waiting does not wait again
    ]


def cluster(nodes: int = 2, links: int = 1) -> CorosyncCluster:
    found = CorosyncCluster.create("nas")
    for number in range(1, nodes + 1):
        addresses = [f"10.9.{link}.{number}" for link in range(links)]
        found = found.add_node(f"nas{number:02}", *addresses)
    return evolve(found, logging=CorosyncLogging(to_stderr=True, to_syslog=False))


BASE = cluster().render()
NODE = "\tnode {\n\t\tname: c\n\t\tnodeid: 3\n\t\tring0_addr: 10.9.0.3\n\t}\n"


@pytest.mark.parametrize("nodes", [1, 2, 3, 16])
@pytest.mark.parametrize("links", [1, 2])
def test_it_starts_with_what_we_render(judge: Judge, nodes: int, links: int) -> None:
    accepted, said = judge(cluster(nodes, links).render())
    assert accepted, said


def test_it_starts_with_all_that_we_can_say(judge: Judge) -> None:
    nas = cluster()
    interface = CorosyncInterface(linknumber=0, knet_transport="udp", knet_ping_interval=500)
    totem = evolve(
        nas.totem,
        crypto_cipher="aes256",
        crypto_hash="sha256",
        token=5000,
        consensus=6000,
        join=60,
        ip_version="ipv4",
        link_mode="passive",
        block_unlisted_ips=True,
        interfaces=[interface],
    )
    accepted, said = judge(evolve(nas, totem=totem).render())
    assert accepted, said


def test_edits_keep_it_starting(judge: Judge) -> None:
    text = BASE.replace("totem {", "# ours\ntotem: {").replace("\t", "    ")
    nas = CorosyncCluster.parse(text)
    for changed in (nas.add_node("nas03", "10.9.0.3"), nas.remove_node("nas02")):
        accepted, said = judge(changed.render())
        assert accepted, said


REFUSED = {
    "duplicate nodeid": ("nodeid: 2", "nodeid: 1", "COROSYNC004"),
    "nodeid missing": ("\t\tnodeid: 2\n", "", "COROSYNC004"),
    "nodeid misspelled": ("nodeid: 2", "id: 2", "COROSYNC004"),
    "version": ("version: 2", "version: 1", "COROSYNC017"),
    "no version": ("\tversion: 2\n", "", "COROSYNC017"),
    "comment after a number": ("version: 2", "version: 2 # two", "COROSYNC900"),
    "cipher without hash": ("version: 2", "version: 2\n\tcrypto_cipher: aes256", "COROSYNC011"),
    "crypto and udpu": (
        "transport: knet",
        "transport: udpu\n\tcrypto_cipher: aes256\n\tcrypto_hash: sha1",
        "COROSYNC011",
    ),
    "bad transport": ("transport: knet", "transport: tcp", "COROSYNC902"),
    "bad link mode": ("version: 2", "version: 2\n\tlink_mode: fast", "COROSYNC902"),
    "links differ": ("10.9.0.1", "10.9.0.1\n\t\tring1_addr: 10.9.1.1", "COROSYNC014"),
    "open section": ("}\nquorum", "quorum", "COROSYNC000"),
    "equals sign": ("version: 2", "version = 2", "COROSYNC000"),
    "second node list": ("logging {", f"nodelist {{\n{NODE}}}\nlogging {{", "COROSYNC008"),
    "a long line": ("version: 2", f"version: 2\n#{'x' * 600}", "COROSYNC017"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_it_refuses_is_an_error_of_ours(judge: Judge, name: str) -> None:
    old, new, code = REFUSED[name]
    text = BASE.replace(old, new, 1)
    assert text != BASE
    assert not judge(text)[0]
    found = [each for each in CorosyncCluster.parse(text).validate() if each.code == code]
    assert found
    assert found[0].severity is Severity.ERROR


ACCEPTED = {
    "three nodes and two_node": ("nodelist {\n", f"nodelist {{\n{NODE}", "COROSYNC001"),
    "wait_for_all off": ("two_node: 1", "two_node: 1\n\twait_for_all: 0", "COROSYNC002"),
    "votes": ("two_node: 1", "two_node: 1\n\texpected_votes: 7", "COROSYNC003"),
    "duplicate names": ("name: nas02", "name: nas01", "COROSYNC005"),
    "a long cluster name": ("cluster_name: nas", f"cluster_name: {'a' * 60}", "COROSYNC006"),
    "a comment in the name": ("cluster_name: nas", "cluster_name: nas # ours", "COROSYNC007"),
    "no two_node": ("\ttwo_node: 1\n", "", "COROSYNC009"),
    "provider": ("corosync_votequorum", "corosync_votequorums", "COROSYNC010"),
    "a short consensus": ("version: 2", "version: 2\n\tconsensus: 100", "COROSYNC013"),
    "an unknown key": ("two_node: 1", "two_nodes: 1", "COROSYNC901"),
    "no name": ("\t\tname: nas01\n", "", "COROSYNC016"),
}  # fmt: skip


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_it_lets_pass_is_a_finding_of_ours(judge: Judge, name: str) -> None:
    old, new, code = ACCEPTED[name]
    text = BASE.replace(old, new, 1)
    assert text != BASE
    accepted, said = judge(text)
    assert accepted, said
    assert code in [each.code for each in CorosyncCluster.parse(text).validate()]


TOKENS = st.sampled_from(
    ["ab", "bcd:", "c: d", ":", "{", "}", " ", "\t", "#", "\n", "\r\n", "x {", "\r"]
)
SOUP = st.lists(TOKENS, max_size=10).map("".join)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(SOUP)
def test_the_grammar_is_corosyncs(judge: Judge, soup: str) -> None:
    """What it takes on the top level and in a section that it does not know is what we take."""
    text = f"{BASE}{soup}\nunknown {{\n{soup}\n}}\n"
    accepted, said = judge(text)
    tree = CorosyncCluster.parse(text).document
    assert tree is not None
    fatal = [problem for problem in tree.check() if problem.fatal]
    assert accepted == (not fatal), (said, fatal)


def test_its_version_is_read(oracle: Callable[..., str]) -> None:
    oracle("corosync", package="corosync")
    assert version().run(Local()).value[0].isdecimal()


def test_the_command_reads_the_file_it_is_given(judge: Judge, tmp_path: Path) -> None:
    path = tmp_path / "c.conf"
    path.write_text("totem {\n")
    result = check_config(str(path)).run(Local())
    assert not result.value.ok
    assert check_config(str(path)).decode(Output()).ok
