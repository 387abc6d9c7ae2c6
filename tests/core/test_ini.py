"""The ini grammar: what Samba's reader sees, where it stands, and that edits touch nothing else."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusternas.core.syntax import tini
from clusternas.core.syntax.ini import CTDB_CONF, SMB_CONF, IniSyntax, collapse, spell
from clusternas.core.syntax.tree import Node, Statement
from clusternas.core.text import apply

Sections = list[tuple[str, list[str], list[tuple[str, str]]]]

ALPHABET = "ab= \\[]#;\t\r\n\v\0%:é\udcff\x85\ufeff"
PIECES = [
    "[global]\n",
    "[ Globals ]\r\n",
    "[a b]",
    "[c\\\n d]\n",
    "x = y\n",
    "X  y = z \\\n",
    " # c\n",
    "; [d]\\\n",
    "\\\\\n",
    "\\ \r\n",
    " [\n",
    "\n",
    "  \n",
    "]",
    "= v\n",
    "n\n",
]
texts = st.text(ALPHABET, max_size=60) | st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
dialects = pytest.mark.parametrize("syntax", [SMB_CONF, CTDB_CONF], ids=lambda syntax: syntax.name)


def sections(text: str, syntax: IniSyntax = SMB_CONF) -> Sections:
    return [
        (
            section.key,
            section.values,
            [(option.key, option.values[0]) for option in section.children],
        )
        for section in syntax.parse(text).root.children
    ]


def problems(text: str, syntax: IniSyntax = SMB_CONF) -> list[tuple[str, bool]]:
    tree = syntax.parse(text)
    return [(text[problem.start : problem.end], problem.fatal) for problem in tree.check()]


def by_the_line(text: str) -> list[str]:
    """Every line that Samba's reader acts on, read from the front: slow and obvious."""
    found, at = [], 0
    while at < len(text):
        while at < len(text) and text[at] in tini.SPACE:
            at += 1
        if text[at : at + 1] in ("#", ";"):
            at = (text + "\n").index("\n", at) + 1
            continue
        line = tini.logical_line(text, at)
        found += [line.text] if line.text else []
        at = line.end + 1
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("WORK  GROUP = A\n", [("workgroup", "A")]),
        ("Fruit : Metadata = stream\n", [("fruit:metadata", "stream")]),
        ("a = b # c ; d\n", [("a", "b # c ; d")]),
        ("a = b=c [d]; e\n", [("a", "b=c [d]; e")]),
        ("a = b    c\t\td\n", [("a", "b c\td")]),
        ('a = "b  c"\n', [("a", '"b c"')]),
        ("a =\n", [("a", "")]),
        ("a = b \\\n   c\\\nd\ne = f\n", [("a", "b cd"), ("e", "f")]),
        ("a = b \\ \n   c\n", [("a", "b c")]),
        ("a = b \\\n# c\n", [("a", "b # c")]),
        ("a = b\\\n[s]\nc = d\n", [("a", "b[s]"), ("c", "d")]),
        ("a \\\nb = c\n", [("ab", "c")]),
        ("a\\\n=\\\nb\n", [("a", "b")]),
        ("a = b\\\n\nc = d\n", [("a", "b"), ("c", "d")]),
        ("a = b\\", [("a", "b\\")]),
        ("a = b\\\\\nc = d\n", [("a", "b\\c = d")]),
        ("a = b\\\\\n\nc = d\n", [("a", "bc = d")]),
        ("# a \\\nb = c\n", [("b", "c")]),
        ("a = b \r\nc = d \\\r\n e\r\n", [("a", "b"), ("c", "d e")]),
        ("\va = b\n\fc = d\n", [("a", "b"), ("c", "d")]),
        ("a = b\0c\nd = e\n", [("a", "b"), ("d", "e")]),
        ("\0a = b\nc = d\n", [("c", "d")]),
        ("a = b", [("a", "b")]),
        ("\xa0a = b\n", [("\xa0a", "b")]),
    ],
)
def test_options_are_read_as_samba_reads_them(text: str, expected: list[tuple[str, str]]) -> None:
    assert sections("[global]\n" + text) == [("global", [], expected)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[s]\na = b\n", [("share", ["s"], [("a", "b")])]),
        ("[ GLO bals ]\na = b\n", [("global", [], [("a", "b")])]),
        ("a = b\n[s]\n", [("global", [], [("a", "b")]), ("share", ["s"], [])]),
        ("# a\n\n[s]\n", [("share", ["s"], [])]),
        ("  [s] # c\n", [("share", ["s"], [])]),
        ("[  a   b  ]\n", [("share", [" a b "], [])]),
        ("[a\\\nb]\n", [("share", ["ab"], [])]),
        ("[s] \\\na = b\nc = d\n", [("share", ["s"], [("c", "d")])]),
        ("a = b\n\\\n[s]\nc = d\n", [("global", [], [("a", "b")]), ("share", ["s"], [("c", "d")])]),
        ("\ufeff[s]\na = b\n", [("global", [], [("a", "b")])]),
        ("[s]\r\na = b\r\n[t]\r\n", [("share", ["s"], [("a", "b")]), ("share", ["t"], [])]),
        ("# a \\\n[s]\n", [("share", ["s"], [])]),
        ("", []),
    ],
)
def test_sections_are_read_as_samba_reads_them(text: str, expected: Sections) -> None:
    assert sections(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[global]\nworkgroup\n", [("workgroup", False)]),
        ("[s] junk\n", [("junk", False)]),
        ("[s] # comment\n", []),
        ("[s\na = b\n", [("[s", True)]),
        ("[]\n", [("[]", True)]),
        ("[s]\n = b\n", [("= b", True)]),
        ("\ufeff[s]\n", [("\ufeff[s]", False)]),
        ("[s]\ra = b\r", [("[s]\ra = b\r", False), ("a = b", False)]),
        ("a = b\0c\n", [("\0", False)]),
    ],
)
def test_what_samba_drops_or_refuses_is_reported_where_it_stands(
    text: str, expected: list[tuple[str, bool]]
) -> None:
    assert problems(text) == expected


def test_ctdb_conf_folds_sections_and_nothing_else() -> None:
    text = "[Cluster]\n\tcluster  lock = /opt/.ctdb/reclock\n\tNode Address = 10.0.0.1\n"
    assert sections(text, CTDB_CONF) == [
        ("cluster", [], [("cluster lock", "/opt/.ctdb/reclock"), ("Node Address", "10.0.0.1")])
    ]


def test_ctdb_conf_refuses_options_without_a_section() -> None:
    assert sections("a = b\n[cluster]\n", CTDB_CONF) == [("cluster", [], [])]
    assert problems("a = b\n[cluster]\n", CTDB_CONF) == [("a = b", True)]


def test_comments_before_the_next_header_belong_to_nobody() -> None:
    text = "[a]\nx = y\n; z = 1\n\n# about b\n[b]\n"
    first, second = SMB_CONF.parse(text).root.children
    assert (first.raw, second.raw) == ("[a]\nx = y", "[b]")


TEXT = """\
# head
[global]
   workgroup = A \t
   # comment
   Server  String = a \\
      b

; spare = 1

# about s
[s]
\tpath = /s
\tcomment =
"""


def edited(text: str, *edits: object) -> str:
    return apply(text, edits)  # type: ignore[arg-type]


def find(text: str, *path: str) -> tuple[Node, Node]:
    """A node and its parent, by keys; a share by its name."""
    parent = node = SMB_CONF.parse(text).root
    for key in path:
        parent = node
        node = next(child for child in node.children if key in (child.key, *child.values))
    return parent, node


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("path", "value", "old", "new"),
    [
        (("global", "workgroup"), "B", "= A \t\n", "= B \t\n"),
        (("global", "serverstring"), "c", "= a \\\n      b\n", "= c\n"),
        (("s", "path"), "/t", "path = /s", "path = /t"),
        (("s", "comment"), "hi", "comment =\n", "comment = hi\n"),
        (("s",), "t", "[s]", "[t]"),
    ],
)
def test_another_value_changes_the_bytes_of_the_value(
    path: tuple[str, ...], value: str, old: str, new: str, newline: str
) -> None:
    text = TEXT.replace("\n", newline)
    _, node = find(text, *path)
    wanted = TEXT.replace(old, new).replace("\n", newline)
    assert edited(text, *SMB_CONF.rewrite(node, [value])) == wanted


@pytest.mark.parametrize(
    ("path", "gone"),
    [
        (("global", "workgroup"), "   workgroup = A \t\n"),
        (("global", "serverstring"), "   Server  String = a \\\n      b\n"),
        (("s", "comment"), "\tcomment =\n"),
        (("s",), "[s]\n\tpath = /s\n\tcomment =\n"),
    ],
)
def test_what_is_removed_takes_its_own_lines(path: tuple[str, ...], gone: str) -> None:
    assert edited(TEXT, *SMB_CONF.remove(*find(TEXT, *path))) == TEXT.replace(gone, "")


def test_a_new_option_goes_below_the_last_with_its_indent() -> None:
    section, option = find(TEXT, "global", "serverstring")
    edits = SMB_CONF.insert(section, option, [Statement("security", ("user",))])
    assert edited(TEXT, *edits) == TEXT.replace("      b\n", "      b\n   security = user\n")


def test_the_first_option_goes_below_its_header() -> None:
    _, section = find(TEXT + "[t]", "t")
    edits = SMB_CONF.insert(section, None, [Statement("path", ("/t",))])
    assert edited(TEXT + "[t]", *edits) == TEXT + "[t]\n   path = /t"


NEW = [Statement("share", ("t",), (Statement("path", ("/t",)),))]


@pytest.mark.parametrize(
    ("text", "after", "expected"),
    [
        (TEXT, "global", TEXT.replace("\n# about s", "\n[t]\n   path = /t\n\n# about s")),
        (TEXT, "s", TEXT + "\n[t]\n   path = /t\n"),
        (TEXT, None, TEXT.replace("# head\n", "[t]\n   path = /t\n\n# head\n")),
        ("[s]\n a = b", "s", "[s]\n a = b\n\n[t]\n path = /t"),
        ("[s]\na = b\n[u]\n", "s", "[s]\na = b\n\n[t]\npath = /t\n\n[u]\n"),
        ("[s]\r\n", "s", "[s]\r\n\r\n[t]\r\n\tpath = /t\r\n"),
        ("a = b\n", None, "a = b\n\n[t]\npath = /t\n"),
        ("# only\n", None, "# only\n\n[t]\n\tpath = /t\n"),
        ("", None, "[t]\n\tpath = /t\n"),
        ("[s]\na = b\\", "s", "[s]\na = b\\\n\n\n[t]\npath = /t"),
    ],
)
def test_a_new_section_stands_apart_and_takes_no_comment(
    text: str, after: str | None, expected: str
) -> None:
    root, node = find(text, after) if after else (SMB_CONF.parse(text).root, None)
    assert edited(text, *SMB_CONF.insert(root, node, NEW)) == expected


def test_a_section_added_and_removed_leaves_the_text_as_it_was() -> None:
    for after in ("global", "s"):
        text = edited(TEXT, *SMB_CONF.insert(*find(TEXT, after), NEW))
        assert edited(text, *SMB_CONF.remove(*find(text, "t"))) == TEXT


def test_a_section_can_replace_its_neighbours_in_one_go() -> None:
    root, last = find(TEXT, "s")
    edits = [
        *SMB_CONF.remove(root, root.children[0]),
        *SMB_CONF.remove(root, last),
        *SMB_CONF.insert(root, root.children[0], NEW),
    ]
    assert sections(edited(TEXT, *edits)) == [("share", ["t"], [("path", "/t")])]


def test_the_canonical_style_reads_back() -> None:
    statements = [Statement("global", (), (Statement("workgroup", ("A",)),)), *NEW]
    text = SMB_CONF.render(statements)
    assert text == "[global]\n\tworkgroup = A\n\n[t]\n\tpath = /t\n"
    assert [node.statement() for node in SMB_CONF.parse(text).root.children] == statements


def test_statements_keep_the_spelling_of_the_text() -> None:
    _, node = find(TEXT, "global")
    assert node.statement().children == (
        Statement("workgroup", ("A",)),
        Statement("Server String", ("a \\\n      b",)),
    )


@pytest.mark.parametrize("value", [" a", "a ", "a\nb", "a  b", "a\\", "a\0b", "a\t b"])
def test_a_value_that_would_not_come_back_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match=r"blanks|backslash"):
        spell(value)


@given(st.text(ALPHABET, max_size=12))
def test_a_spelled_value_comes_back(value: str) -> None:
    try:
        spelled = spell(value)
    except ValueError:
        return
    assert sections(f"[s]\na = {spelled}\nb = c\n")[0][2] == [("a", value), ("b", "c")]


@dialects
@given(text=texts)
def test_any_text_gives_spans_in_order_and_inside_each_other(syntax: IniSyntax, text: str) -> None:
    tree = syntax.parse(text)
    tree.check()
    at = 0
    for section in tree.root.children:
        assert at <= section.start <= section.args <= section.args_end <= section.end <= len(text)
        at = section.start
        for option in section.children:
            assert at <= option.start < option.args <= option.args_end == option.end <= section.end
            assert all(option.args <= word.start <= word.end <= option.end for word in option.words)
            at = option.end
        at = section.end


@given(texts)
def test_the_fast_cuts_agree_with_reading_line_by_line(text: str) -> None:
    """Headers found backwards, and options by one regex, are those of a plain reader."""
    expected: list[list[tuple[str, str]]] = [[]]
    for line in by_the_line(text):
        name, equals, value = line.partition("=")
        if line[0] == "[":
            expected.append([])
        elif name and equals:
            expected[-1].append((SMB_CONF.fold(name), value.strip(tini.SPACE)))
    found = sections(text)
    if not expected[0]:
        del expected[0]
    assert [options for _, _, options in found] == expected


@given(texts, st.data())
def test_edits_do_what_they_say(text: str, data: st.DataObject) -> None:
    root = SMB_CONF.parse(text).root
    if not root.children:
        return
    before = sections(text)
    place = data.draw(st.integers(0, len(before) - 1))
    section = root.children[place]
    added = sections(edited(text, *SMB_CONF.insert(section, None, [Statement("q", ("1",))])))
    if text[section.args_end : section.args_end + 1] == "]":
        assert added[place][2][0] == ("q", "1")
        assert added[place][2][1:] == before[place][2]
    for number, option in enumerate(section.children):
        without = sections(edited(text, *SMB_CONF.remove(section, option)))
        rest = before[place][2][:number] + before[place][2][number + 1 :]
        assert rest == (without[place][2] if len(without) == len(before) else [])


@pytest.mark.parametrize(
    "line", ["\n", "#\n", " \\\n", "[a]\n", "a = \\\n", "# [\\\n[", "  ", "\\", "=\n"]
)
def test_long_garbage_is_cut(line: str) -> None:
    # A scan that were quadratic would not end here.
    tree = SMB_CONF.parse(line * 30_000)
    tree.check()
    assert str(tree) == line * 30_000
    assert all(a.end <= b.start for a, b in itertools.pairwise(tree.root.children))


def test_white_space_collapses_to_its_first_character() -> None:
    assert collapse("a\t  b \r c") == "a\tb c"
