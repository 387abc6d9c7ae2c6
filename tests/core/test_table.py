"""The line tables: where their statements stand, and that edits touch nothing else."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusternas.core.errors import ValidationError
from clusternas.core.syntax.table import (
    CTDB_NODES,
    CTDB_PUBLIC_ADDRESSES,
    CTDB_TUNABLES,
    DLM,
    FSTAB,
    SYSCONFIG,
    TableSyntax,
    quote_field,
    quote_shell,
    quote_word,
)
from clusternas.core.syntax.tree import Node, Statement
from clusternas.core.text import apply

DIALECTS = [FSTAB, SYSCONFIG, CTDB_NODES, CTDB_PUBLIC_ADDRESSES, CTDB_TUNABLES, DLM]
SAMPLES = {
    FSTAB: ("/dev/sda1\t/boot\text4\tdefaults\t1\t2", Statement("row", ("tmpfs", "/tmp", "tmpfs"))),
    SYSCONFIG: ('CLVMDOPTS="-T30"', Statement("LVM_VGS", ('"drbd_vg"',))),
    CTDB_NODES: ("10.0.0.1", Statement("deleted", ("10.0.0.9",))),
    CTDB_PUBLIC_ADDRESSES: ("10.1.1.1/24 eth0", Statement("address", ("10.1.1.2/24", "eth1"))),
    CTDB_TUNABLES: ("MonitorInterval=15", Statement("RecoverTimeout", ("30",))),
    DLM: ("enable_fencing=1", Statement("log_debug", ("1",))),
}
dialect = pytest.mark.parametrize("syntax", DIALECTS, ids=lambda syntax: syntax.name)

ALPHABET = "ab1=#;\"'\\$`(){}[] \t\r\n/,.\0\x0b\x85\u2028é\udcff"
texts = st.text(alphabet=ALPHABET, max_size=60) | st.lists(
    st.sampled_from(
        [
            "a /b c d 0 0 # e\n",
            "export A='b\n",
            'C="d e" F=g;H=1 # i\r\n',
            "device f x\n",
            "connect f node=1\n",
            "#10.0.0.1\r\n",
            " \n",
            "K = v",
            "\\\n",
        ]
    ),
    max_size=8,
).map("".join)


def values(syntax: TableSyntax, text: str) -> list[tuple[str, list[str]]]:
    return [(node.key, node.values) for node in syntax.parse(text).root.walk()]


def complaints(syntax: TableSyntax, text: str) -> list[str]:
    tree = syntax.parse(text)
    return [text[problem.start : problem.end] for problem in tree.check()]


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        ("a /b c", ["a", "/b", "c"]),
        (" \ta  /b\tc d 1 2  \n", ["a", "/b", "c", "d", "1", "2"]),
        ("a /b c d 1 2 # note\r\n", ["a", "/b", "c", "d", "1", "2"]),
        ("a /b c d 1 2 3 4\n", ["a", "/b", "c", "d", "1", "2"]),
        (r"a\040b /\303\251 c\134040 d\x\04", ["a b", "/é", r"c\040", r"d\x\04"]),
        ('LABEL="x" /b c\x0b\n', ['LABEL="x"', "/b", "c\x0b"]),
        ("a /b c\r\n", ["a", "/b", "c"]),
    ],
)
def test_fstab_fields(line: str, fields: list[str]) -> None:
    assert values(FSTAB, line) == [("row", fields)]
    assert complaints(FSTAB, line) == []


def test_fstab_skips_comments_and_blank_lines_and_keeps_short_rows() -> None:
    text = "# a /b c\n\n  # d\n \r\nx y\n"
    assert values(FSTAB, text) == [("row", ["x", "y"])]
    assert complaints(FSTAB, text) == ["x y"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A=1", [("A", ["1"])]),
        ("A=", [("A", [""])]),
        ('export A="b c" # d\n', [("A", ["b c"])]),
        ("A=b B='c d'; C=e", [("A", ["b"]), ("B", ["c d"]), ("C", ["e"])]),
        (r'A="q\"\\\$\`\n"', [("A", ['q"\\$`\\n'])]),
        ("A='$X'\"$Y\"\\ z", [("A", ["$X$Y z"])]),
        ('A="two\nlines"\nB=1', [("A", ["two\nlines"]), ("B", ["1"])]),
        ("A=one\\\ntwo\n", [("A", ["onetwo"])]),
        ('A="one\\\ntwo"\n', [("A", ["onetwo"])]),
        ("A=x#y\n# B=2\n", [("A", ["x#y"])]),
        ("A=$(hostname -s)${B:-c d}`uname -r`", [("A", ["$(hostname -s)${B:-c d}`uname -r`"])]),
        ("A=1\r\nB=2\r\n", [("A", ["1"]), ("B", ["2"])]),
    ],
)
def test_sysconfig_assignments(text: str, expected: list[tuple[str, list[str]]]) -> None:
    assert values(SYSCONFIG, text) == expected
    assert complaints(SYSCONFIG, text) == []


@pytest.mark.parametrize(
    ("text", "junk"),
    [
        ("if true; then\nA=1\nfi\n", ["if true; then", "fi"]),
        ("A=1 start\n", ["start"]),
        ("A=1|b\n", ["A=1|b"]),
        ('A="open\nB=1', ['A="open']),
        ("A = 1\n", ["A = 1"]),
        ("echo 'B=2\nC=3'\n", ["echo 'B=2\nC=3'"]),
    ],
)
def test_sysconfig_reports_what_is_no_assignment(text: str, junk: list[str]) -> None:
    assert complaints(SYSCONFIG, text) == junk


def test_ctdb_nodes_keeps_the_numbering() -> None:
    text = " 10.0.0.1 \n\n#10.0.0.2\n# 10.0.0.3\n#\nfd00::1"
    assert values(CTDB_NODES, text) == [
        ("node", ["10.0.0.1"]),
        ("deleted", ["10.0.0.2"]),
        ("deleted", ["10.0.0.3"]),
        ("deleted", [""]),
        ("node", ["fd00::1"]),
    ]


def test_ctdb_public_addresses_and_tunables() -> None:
    addresses = "# c\n10.1.1.1/24 eth0,eth1\n10.1.1.2/24\n"
    assert values(CTDB_PUBLIC_ADDRESSES, addresses) == [
        ("address", ["10.1.1.1/24", "eth0,eth1"]),
        ("address", ["10.1.1.2/24"]),
    ]
    tunables = "# c\n; d\nMonitorInterval=15\n  EventScriptTimeout = 120 \r\n[x]\n"
    assert values(CTDB_TUNABLES, tunables) == [
        ("MonitorInterval", ["15"]),
        ("EventScriptTimeout", ["120"]),
    ]
    assert complaints(CTDB_TUNABLES, tunables) == ["[x]"]


DLM_TEXT = """\
# comment
log_debug = 1 ignored
 post_join_delay=3
device apc fence_apc ip=10.0.0.9
connect apc node=1 port=1
# still inside
connect apc node=2 port=2
unfence apc

lockspace data nodir=1
master data node=1 weight=2
quorum
"""


def test_dlm_sections() -> None:
    top = DLM.parse(DLM_TEXT).root.children
    assert [(node.key, node.values) for node in top] == [
        ("log_debug", ["1"]),
        ("device", ["apc", "fence_apc", "ip=10.0.0.9"]),
        ("lockspace", ["data", "nodir=1"]),
    ]
    assert [child.values for child in top[1].children] == [
        ["apc", "node=1", "port=1"],
        ["apc", "node=2", "port=2"],
        ["apc"],
    ]
    assert [child.key for child in top[2].children] == ["master"]
    assert complaints(DLM, DLM_TEXT) == ["post_join_delay=3", "quorum"]


def test_dlm_section_ends_at_a_blank_line() -> None:
    tree = DLM.parse("device a f\n\nconnect a node=1\n")
    assert [node.key for node in tree.root.children] == ["device", "connect"]


def test_dlm_inserts_into_and_after_sections() -> None:
    tree = DLM.parse(DLM_TEXT)
    device = tree.root.children[1]
    member = Statement("connect", ("apc", "node=3"))
    last = DLM.insert(device, device.children[-1], [member])
    assert "unfence apc\nconnect apc node=3\n\n" in apply(DLM_TEXT, last)
    first = DLM.insert(device, None, [member])
    assert "ip=10.0.0.9\nconnect apc node=3\nconnect apc node=1" in apply(DLM_TEXT, first)
    section = Statement("device", ("b", "fence_b"), (Statement("connect", ("b", "node=1")),))
    after = apply(DLM_TEXT, DLM.insert(tree.root, device, [section]))
    assert "unfence apc\n\ndevice b fence_b\nconnect b node=1\n\n" in after
    assert len(DLM.parse(after).root.children) == 4


def test_dlm_insert_after_a_section_without_final_newline() -> None:
    text = "device a f"
    tree = DLM.parse(text)
    device = tree.root.children[0]
    child = DLM.insert(device, None, [Statement("connect", ("a", "node=1"))])
    assert apply(text, child) == "device a f\nconnect a node=1\n"
    sibling = DLM.insert(tree.root, device, [Statement("log_debug", ("1",))])
    assert apply(text, sibling) == "device a f\n\nlog_debug=1"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("a", "/b", "c"), " a  /b c # x"),
        (("a", "/z", "c", "d"), " a  /z c\td"),
    ],
)
def test_fstab_changes_the_number_of_fields(words: tuple[str, ...], expected: str) -> None:
    text = " a  /b c # x" if len(words) == 3 else " a  /b c"
    node = FSTAB.parse(text).root.children[0]
    got = apply(text, FSTAB.rewrite(node, words))
    assert got == (" a  /b c" if len(words) == 3 else expected)


def test_fstab_shrinking_takes_the_ignored_rest() -> None:
    text = "a /b c d 0 0 # note\n"
    node = FSTAB.parse(text).root.children[0]
    assert apply(text, FSTAB.rewrite(node, ("a", "/b", "c", "d"))) == "a /b c d\n"


def test_sysconfig_edits_keep_their_line() -> None:
    text = "export A=1; B=2 # two\nC=3\n"
    tree = SYSCONFIG.parse(text)
    a, b, c = tree.root.children
    assert apply(text, SYSCONFIG.rewrite(b, ('"x y"',))) == 'export A=1; B="x y" # two\nC=3\n'
    assert apply(text, SYSCONFIG.remove(tree.root, a)) == "B=2 # two\nC=3\n"
    assert apply(text, SYSCONFIG.remove(tree.root, b)) == "export A=1; # two\nC=3\n"
    assert apply(text, SYSCONFIG.remove(tree.root, c)) == "export A=1; B=2 # two\n"


@dialect
def test_insert_and_remove_undo_each_other(syntax: TableSyntax) -> None:
    line, new = SAMPLES[syntax]
    for text in (line, f"{line}\r\n", f"\n{line}\n{line}\n\n"):
        tree = syntax.parse(text)
        grown = syntax.parse(apply(text, syntax.insert(tree.root, tree.root.children[0], [new])))
        added = grown.root.children[1]
        assert added.statement() == new
        if text.endswith("\n"):
            assert apply(grown.text, syntax.remove(grown.root, added)) == text


@dialect
def test_render_is_read_back(syntax: TableSyntax) -> None:
    line, new = SAMPLES[syntax]
    old = syntax.parse(line).root.children[0].statement()
    tree = syntax.parse(syntax.render([old, new]))
    assert [node.statement() for node in tree.root.children] == [old, new]
    assert tree.text.splitlines()[0] == line


def in_order(nodes: list[Node], start: int, end: int) -> None:
    for node in nodes:
        assert start <= node.start <= node.args <= node.args_end <= node.end <= end
        at = node.args
        for word in node.words:
            assert at <= word.start <= word.end <= node.args_end
            at = word.end
        if node.body >= 0:
            assert node.body <= node.body_end <= end
            in_order(node.children, node.body, node.body_end)
        start = node.end


@dialect
@given(text=texts)
def test_any_text_has_ordered_spans_and_no_error(syntax: TableSyntax, text: str) -> None:
    tree = syntax.parse(text)
    in_order(tree.root.children, 0, len(text))
    for problem in tree.check():
        assert 0 <= problem.start < problem.end <= len(text)


@dialect
@given(text=texts, data=st.data())
def test_an_edit_leaves_the_other_statements_alone(
    syntax: TableSyntax, text: str, data: st.DataObject
) -> None:
    nodes = syntax.parse(text).root.children
    if not nodes:
        return
    place = data.draw(st.integers(0, len(nodes) - 1))
    node = nodes[place]
    before = [other.statement() for other in nodes]
    changed = apply(text, syntax.rewrite(node, ["zz" for _ in node.words]))
    after = [other.statement() for other in syntax.parse(changed).root.children]
    assert before[:place] + before[place + 1 :] == after[:place] + after[place + 1 :]
    assert set(after[place].words) <= {"zz"}


@given(st.text(alphabet=st.characters(exclude_characters="\0"), min_size=1))
def test_fields_survive_quoting(text: str) -> None:
    [row] = FSTAB.parse(f"a /b {quote_field(text)} d\n").root.children
    assert row.values == ["a", "/b", text, "d"]
    [first] = FSTAB.parse(f"{quote_field(text)} /b c").root.children
    assert first.values[0] == text


@given(st.text(alphabet=st.characters(exclude_characters="\0")))
def test_shell_values_survive_quoting(text: str) -> None:
    quoted = quote_shell(text)
    [node] = SYSCONFIG.parse(f"A={quoted}\n").root.children
    assert node.values == [text]
    if not set(text) & set("$`"):  # shlex undoes fewer escapes than a shell
        assert shlex.split(quoted) == [text]


@pytest.mark.parametrize("bad", ["", "a b", "#a", "a\n", "a\tb"])
def test_words_that_cannot_be_written(bad: str) -> None:
    with pytest.raises(ValidationError):
        quote_word(bad)
    assert quote_word("10.0.0.1/24") == "10.0.0.1/24"


@pytest.mark.parametrize("quote", [quote_field, quote_shell])
def test_nul_cannot_be_written(quote) -> None:
    with pytest.raises(ValidationError):
        quote("a\0b")


def test_insert_among_others_on_a_line() -> None:
    text = 'A="x";B=2 # two\n'
    tree = SYSCONFIG.parse(text)
    edits = SYSCONFIG.insert(tree.root, tree.root.children[0], [Statement("C", ("3",))])
    assert apply(text, edits) == 'A="x"; C=3 B=2 # two\n'


def test_insert_below_a_line_with_odd_blanks_at_its_end() -> None:
    text = "a /b c\r\t\nd /e f\n"
    tree = FSTAB.parse(text)
    new = Statement("row", ("x", "/y", "z"))
    edits = FSTAB.insert(tree.root, tree.root.children[0], [new])
    assert apply(text, edits) == "a /b c\r\t\nx\t/y\tz\nd /e f\n"
