"""Law 1 for every syntax, and what the engine builds on: spans nest, edits stay local.

A text of any kind is cut without an exception and comes back byte for byte.
"""

import contextlib
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clusternas.core.syntax.blocks import CorosyncSyntax, DrbdSyntax, LvmSyntax
from clusternas.core.syntax.ini import CTDB_CONF, SMB_CONF
from clusternas.core.syntax.table import (
    CTDB_NODES,
    CTDB_PUBLIC_ADDRESSES,
    CTDB_TUNABLES,
    DLM,
    FSTAB,
    SYSCONFIG,
)
from clusternas.core.syntax.tree import Document, Node, Scan, Syntax
from clusternas.core.syntax.xml import XmlSyntax
from clusternas.core.syntax.zone import ZoneSyntax
from clusternas.core.text import apply, encode
from clusternas.testing.strategies import texts

SYNTAXES: dict[str, tuple[Syntax, tuple[str, ...]]] = {
    "drbd.conf": (
        DrbdSyntax(),
        ("resource", "r0", "on", "net {", "protocol C;", "disk /dev/sda;", "}"),
    ),
    "lvm.conf": (LvmSyntax(), ("devices {", "filter =", '"a|x|"', "[", ",", "]", "1", "}")),
    "corosync.conf": (
        CorosyncSyntax(),
        ("totem {\n", "version: 2\n", "}\n", "nodelist {\n", "node {\n"),
    ),
    "smb.conf": (SMB_CONF, ("[global]\n", "workgroup = x\n", "[share]\n", "\\\n", "path")),
    "ctdb.conf": (CTDB_CONF, ("[cluster]\n", "cluster lock = /x\n", "\\\n")),
    "cluster.conf": (
        XmlSyntax(),
        ("<cluster", ' name="a"', ">", "/>", "<!--", "-->", "</cluster>", "<cman "),
    ),
    "zone": (
        ZoneSyntax(),
        ("$TTL 300\n", "@ IN SOA a b (1 2 3 4 5)\n", "www A 10.0.0.1\n", "\tA 10.0.0.2\n"),
    ),
    "fstab": (FSTAB, ("/dev/sda1 ", "/opt ", "gfs2 ", "defaults ", "0 0\n", "\\040")),
    "sysconfig": (SYSCONFIG, ("CLVMDOPTS=", '"-I cman"', "export ", "A=b\n", "\\\n")),
    "nodes": (CTDB_NODES, ("10.0.0.1\n", "#10.0.0.2\n")),
    "public_addresses": (CTDB_PUBLIC_ADDRESSES, ("10.0.0.1/24 ", "eth0,eth1\n")),
    "tunables": (CTDB_TUNABLES, ("KeepaliveInterval=", "5\n")),
    "dlm.conf": (
        DLM,
        ("log_debug=1\n", "device ", "connect ", "node=1 ", "lockspace x\n", "master x\n"),
    ),
}

each_syntax = pytest.mark.parametrize("name", SYNTAXES)


def check_spans(tree: Document) -> int:
    """Every node lies in its section behind the one before, its words in it; count them."""
    count, stack = 0, [tree.root]
    while stack:
        section = stack.pop()
        attributes = any(node.key.startswith("@") for node in section.children)
        at = section.args if attributes else section.body  # those of an element stand in its tag
        for node in section.children:
            assert at <= node.start <= node.end <= section.body_end
            for word in node.words:
                assert node.start <= word.start <= word.end <= node.end
            node.statement()
            if node.body >= 0:
                assert node.start <= node.body <= node.body_end <= section.body_end
                stack.append(node)
            at = node.end
            count += 1
    return count


@each_syntax
@given(st.binary(max_size=200))
def test_any_bytes_come_back(name: str, data: bytes) -> None:
    tree = SYNTAXES[name][0].parse(data)
    check_spans(tree)
    tree.check()
    assert bytes(tree) == data


@each_syntax
@given(data=st.data())
def test_texts_of_the_format_come_back(name: str, data: st.DataObject) -> None:
    syntax, words = SYNTAXES[name]
    text = data.draw(texts(*words))
    tree = syntax.parse(text)
    check_spans(tree)
    tree.check()
    assert str(tree) == text


def said(syntax: Syntax, scan: Scan) -> tuple[object, object]:
    """What a scan says, with all that is inside."""
    return (
        [syntax.said(entry) for entry in scan.entries],
        [(*syntax.said(head), said(syntax, inside)) for head, inside in scan.sections],
    )


def stands(section: Node) -> tuple[object, object]:
    """What the children of a section say."""
    entries = [(node.key, node.values) for node in section.children if node.body < 0]
    sections = [node for node in section.children if node.body >= 0]
    return entries, [(node.key, node.values, stands(node)) for node in sections]


@each_syntax
@given(data=st.data())
def test_scanning_says_what_the_children_say(name: str, data: st.DataObject) -> None:
    syntax, words = SYNTAXES[name]
    root = syntax.parse(data.draw(texts(*words, "# a; b {\n", '"a; }" '))).root
    for section in (root, *(node for node in root.walk() if node.body >= 0)):
        scan = syntax.scan(section)
        if scan is not None:
            with contextlib.suppress(ValueError):
                assert said(syntax, scan) == stands(section)


DEEP = settings.get_current_profile_name() == "deep"


@each_syntax
def test_a_hundred_thousand_byte_strings_come_back(name: str) -> None:
    """The bar itself in the deep profile, a fiftieth of it otherwise; the same ones every time."""
    syntax, words = SYNTAXES[name]
    chance = random.Random(2010)
    pieces = [word.encode() for word in words] + [
        b"\n",
        b" ",
        b"\t",
        b"\r\n",
        b"#",
        b'"',
        b"{",
        b"}",
    ]
    for _ in range(100_000 if DEEP else 2_000):
        parts = [*chance.choices(pieces, k=chance.randrange(6)), chance.randbytes(3)]
        data = b"".join(chance.sample(parts, len(parts)))
        tree = syntax.parse(data)
        check_spans(tree)
        assert bytes(tree) == data


def entries(tree: Document) -> list[tuple[Node, Node]]:
    """All entries with the sections they stand in."""
    found, stack = [], [tree.root]
    while stack:
        section = stack.pop()
        for node in section.children:
            found.append((section, node))
            if node.body >= 0:
                stack.append(node)
    return found


@each_syntax
@given(data=st.data())
def test_the_same_words_change_nothing(name: str, data: st.DataObject) -> None:
    syntax, words = SYNTAXES[name]
    tree = syntax.parse(data.draw(texts(*words)))
    for _, node in entries(tree):
        if node.body < 0:
            spelled = [tree.text[word.start : word.end] for word in node.words]
            assert apply(tree.text, syntax.rewrite(node, spelled)) == tree.text


@each_syntax
@given(data=st.data())
def test_removing_a_statement_leaves_the_other_lines(name: str, data: st.DataObject) -> None:
    syntax, words = SYNTAXES[name]
    tree = syntax.parse(data.draw(texts(*words)))
    found = entries(tree)
    if not found:
        return
    section, node = data.draw(st.sampled_from(found))
    edits = syntax.remove(section, node)
    goes_on = tree.text[: node.end].endswith("\\\n")  # so the next line belongs to it too
    first, last = (
        tree.lines.position(node.start).line,
        tree.lines.position(max(node.end - (not goes_on), node.start)).line,
    )
    blanks = " \t\r\v\f\\" if name in ("smb.conf", "ctdb.conf") else ""
    before, after = tree.text.split("\n"), apply(tree.text, edits).split("\n")
    above, rest = before[: first - 1], before[last:]
    if name in ("smb.conf", "ctdb.conf"):
        while above and above[-1].endswith("\\"):  # its line began up there
            above.pop()
        while above and not above[-1].strip(blanks):  # that set a section off, and go with it
            above.pop()
    assert above == after[: len(above)]
    for lines in (rest, after):  # what nobody closed runs to the end of the text
        while lines and not lines[-1].strip(blanks):
            lines.pop()
    left = after[len(after) - len(rest) :]
    changed = [(old, new) for old, new in zip(rest, left, strict=True) if old != new]
    if name == "zone":  # it may hand its owner on to the record that has none of its own
        assert len(changed) <= 1
        assert all(new.endswith(old.lstrip()) and old[:1].isspace() for old, new in changed)
    else:
        assert not changed


@each_syntax
@pytest.mark.parametrize(
    "text",
    ["{" * 10_000, "a {\n" * 10_000, "<a>" * 10_000, "[" * 10_000, "(" * 10_000, '"' * 9_999],
)
def test_deep_nesting_is_bounded(name: str, text: str) -> None:
    tree = SYNTAXES[name][0].parse(text)
    check_spans(tree)
    assert encode(str(tree)) == text.encode()
