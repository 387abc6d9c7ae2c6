"""The grammar of zone master files, and edits on them."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusternas.core.errors import ValidationError
from clusternas.core.syntax.tree import Document, Statement
from clusternas.core.syntax.zone import (
    Record,
    ZoneSyntax,
    is_absolute,
    qualify,
    quote,
    unquote,
)

ZONE = ZoneSyntax()

LAB = """\
$TTL 60
@\tIN\tSOA\tnode1.lab.test. root.lab.test. ( 2026112301 3600 600 86400 60 )
\tIN\tNS\tnode1.lab.test.
\tIN\tNS\tnode2.lab.test.
node1\tIN\tA\t192.168.1.11
cluster\tIN\tA\t192.168.1.11\t; first
\tIN\tA\t192.168.1.12
"""


def read(text: str) -> list[tuple[str, list[str]]]:
    return [(node.key, node.values) for node in ZONE.parse(text).root.children]


def messages(text: str) -> list[tuple[int, int, str]]:
    tree = ZONE.parse(text)
    return [(*tree.lines.position(problem.start), problem.message) for problem in tree.check()]


def node(tree: Document, key: str, at: int = 0) -> Record:
    found = [each for each in tree.root.children if each.key == key][at]
    assert isinstance(found, Record)
    return found


def test_words_stand_in_one_order():
    assert read(LAB)[0] == ("$TTL", ["60"])
    assert read(LAB)[1] == (
        "SOA",
        "@  IN node1.lab.test. root.lab.test. 2026112301 3600 600 86400 60".split(" "),
    )
    assert read(LAB)[2] == ("NS", ["@", "", "IN", "node1.lab.test."])
    assert read(LAB)[-1] == ("A", ["cluster", "", "IN", "192.168.1.12"])


@pytest.mark.parametrize(
    ("line", "key", "words"),
    [
        ("a 30 IN A 1.2.3.4", "A", ["a", "30", "IN", "1.2.3.4"]),
        ("a IN 30 A 1.2.3.4", "A", ["a", "30", "IN", "1.2.3.4"]),
        ("a 1h30m A 1.2.3.4", "A", ["a", "1h30m", "", "1.2.3.4"]),
        ("A A 1.2.3.4;c", "A", ["A", "", "", "1.2.3.4"]),
        ("IN in a 1.2.3.4", "A", ["IN", "", "in", "1.2.3.4"]),
        ("10 10 TXT 10", "TXT", ["10", "10", "", "10"]),
        ('a TXT "x ; y" "z\\"" ; c', "TXT", ["a", "", "", '"x ; y"', '"z\\""']),
        ('a TXT "x""y"z"w"', "TXT", ["a", "", "", '"x"', '"y"', "z", '"w"']),
        ("a TXT foo\\;bar", "TXT", ["a", "", "", "foo\\;bar"]),
        ('a TXT "x\\\ny" z', "TXT", ["a", "", "", '"x\\\ny"', "z"]),
        ("( a ; c\n30 A\n1.2.3.4 )", "A", ["a", "30", "", "1.2.3.4"]),
        ("a(A 1.2.3.4)", "A", ["a", "", "", "1.2.3.4"]),
        ("\\$TTL A 1.2.3.4", "A", ["\\$TTL", "", "", "1.2.3.4"]),
        ("a TYPE65280 \\# 1 00", "TYPE65280", ["a", "", "", "\\#", "1", "00"]),
        ("a APL", "APL", ["a", "", ""]),
        ("$ttl 1h ; one", "$TTL", ["1h"]),
        ("$GENERATE 1-3 n$ A 10.0.0.$", "$GENERATE", ["1-3", "n$", "A", "10.0.0.$"]),
    ],
)
@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\r"])
def test_one_statement(line, key, words, end):
    assert read(line + end) == [(key, words)]
    assert messages(line + end) == []


def test_a_lone_carriage_return_ends_a_line_but_no_comment():
    assert [words[0] for _, words in read("a A 1\r\tA 2\rb A 3 ; c\rd A 4\n")] == ["a", "a", "b"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a TXT ( x\nb A 1\n", [(1, 7, "this parenthesis is never closed")]),
        ("a A 1 )\n", [(1, 7, "there is no ( for this )")]),
        ('a TXT "x\nb A 1\n', [(1, 7, "this quote is never closed")]),
        ("a TXT x\\065\\999\n", [(1, 7, "bad escape \\999")]),
        ("a TXT \\12x \\255 \\\\1\n", [(1, 7, "bad escape \\12")]),
        ("a TXT x\\", [(1, 7, "bad escape \\")]),
        ("a 1y A 1\n", [(1, 1, "there is no record type here")]),
        ("a\n", [(1, 1, "there is no record type here")]),
        (" $TTL 5\n", [(1, 2, "there is no record type here")]),
        ("\tA 1\n", [(1, 1, "there is no owner above to inherit")]),
        ("$FOO x\n", [(1, 1, "unknown directive $FOO")]),
        ("$TTL\n", [(1, 1, "$TTL takes 1 to 1 words")]),
        ("\ufeffa A 1\n", [(1, 1, "a byte order mark, which named takes for a name")]),
    ],
)
def test_problems_have_places(text, found):
    assert messages(text) == found


def test_an_open_parenthesis_does_not_swallow_the_file():
    text = "a TXT ( x\nb TXT ( y\nc TXT ( z )\nd A 1\n"
    assert [words[0] for _, words in read(text)] == ["a", "b", "c", "d"]
    assert [line for line, *_ in messages(text)] == [1, 2]


@given(st.text(alphabet='ab19 \t\r\n;()"\\$@.IN', max_size=60) | st.text(max_size=80))
def test_any_text_is_cut_without_an_error(text):
    tree = ZONE.parse(text)
    tree.check()
    end = 0
    for each in tree.root.children:
        assert end <= each.start <= each.args <= each.args_end <= each.end <= len(text)
        end = each.end
        assert each.values == [word.text for word in each.words]
        for word in each.words:
            assert word.start == word.end or word.text == text[word.start : word.end]


@pytest.mark.parametrize(
    "unit",
    ["a A 1.2.3.4\n", "a ( A\n", 'a "x\n', ";;;\n", "a ) A 1\n", "\tA 1\n", "( ;\n", '\\\n"'],
)
def test_long_garbage_is_cut(unit):
    # A scan that were quadratic would not end here.
    tree = ZONE.parse("o A 1\n" + unit * 30_000)
    tree.check()
    assert tree.root.children[0].raw == "o A 1"
    assert all(a.end <= b.start for a, b in itertools.pairwise(tree.root.children))


# --- edits


def test_rewriting_changes_only_the_words_that_differ():
    tree = ZONE.parse(LAB)
    record = node(tree, "A", 1)
    words = ["cluster", "", "IN", "192.168.1.99"]
    assert str(tree.apply(ZONE.rewrite(record, words))) == LAB.replace(
        "cluster\tIN\tA\t192.168.1.11", "cluster\tIN\tA\t192.168.1.99"
    )


@pytest.mark.parametrize(
    ("line", "words", "expected"),
    [
        ("a\tIN\tA\t1 ; c", ["a", "60", "IN", "1"], "a\t60\tIN\tA\t1 ; c"),
        ("a 60 IN A 1", ["a", "", "IN", "1"], "a IN A 1"),
        ("a IN 60  A 1", ["a", "", "IN", "1"], "a IN A 1"),
        ("a A 1", ["a", "60", "IN", "1"], "a 60 IN A 1"),
        ("a IN A 1", ["b", "", "", "2"], "b A 2"),
        ("a TXT ( x ; c\n y )", ["a", "", "", "x", "z"], "a TXT ( x ; c\n z )"),
        ("a TXT ( x ; c\n y )", ["a", "", "", "x"], "a TXT ( x ; c\n )"),
        ("a TXT ( x )", ["a", "", "", "x", "y"], "a TXT ( x y )"),
        ("a APL", ["a", "", "", "1:10.0.0.0/8"], "a APL 1:10.0.0.0/8"),
        ("$TTL 60 ; c", ["1h"], "$TTL 1h ; c"),
    ],
)
def test_rewriting_puts_in_and_takes_out(line, words, expected):
    tree = ZONE.parse(line)
    assert str(tree.apply(ZONE.rewrite(tree.root.children[0], words))) == expected


def test_an_inherited_owner_is_handed_on():
    tree = ZONE.parse(LAB)
    assert str(tree.apply(ZONE.remove(tree.root, node(tree, "A", 1)))) == LAB.replace(
        "cluster\tIN\tA\t192.168.1.11\t; first\n\t", "cluster\t"
    )


def test_the_owner_takes_the_place_of_blanks():
    tree = ZONE.parse("cluster     IN A 1\n            IN A 2 ; c\n")
    assert str(tree.apply(ZONE.remove(tree.root, node(tree, "A")))) == "cluster     IN A 2 ; c\n"


def test_a_new_record_stands_in_the_columns_of_the_one_above():
    tree = ZONE.parse("cluster     IN  A      1 ; c\nx A 1\n")
    new = Statement("A", ("nas", "", "IN", "2"))
    assert str(tree.apply(ZONE.insert(tree.root, node(tree, "A"), [new]))) == (
        "cluster     IN  A      1 ; c\nnas         IN  A      2\nx A 1\n"
    )


def test_a_new_record_steals_no_owner_and_shares_one():
    tree = ZONE.parse(LAB)
    first = node(tree, "A", 1)
    other = Statement("TXT", ("other", "", "IN", "x"))
    text = str(tree.apply(ZONE.insert(tree.root, first, [other])))
    assert text.endswith("; first\nother\tIN\tTXT\tx\ncluster\tIN\tA\t192.168.1.12\n")
    same = Statement("A", ("cluster", "", "IN", "3"))
    text = str(tree.apply(ZONE.insert(tree.root, node(tree, "A", 2), [same])))
    assert text == LAB + "\tIN\tA\t3\n"


def test_a_last_line_without_an_end_gets_one():
    tree = ZONE.parse("a A 1\r\nb A 2")
    new = Statement("A", ("b", "", "", "3"))
    assert str(tree.apply(ZONE.insert(tree.root, node(tree, "A", 1), [new]))) == (
        "a A 1\r\nb A 2\r\nb A 3"
    )


def test_a_name_handed_over_an_origin_is_written_out():
    text = "$ORIGIN e.test.\na A 1\n$ORIGIN x.e.test.\n\tA 2\n"
    tree = ZONE.parse(text)
    assert str(tree.apply(ZONE.remove(tree.root, node(tree, "A")))) == (
        "$ORIGIN e.test.\n$ORIGIN x.e.test.\na.e.test.\tA 2\n"
    )
    unknown = ZONE.parse(text.partition("\n")[2])
    with pytest.raises(ValidationError, match="line 3 inherits its owner from before a \\$ORIGIN"):
        ZONE.remove(unknown.root, node(unknown, "A"))


def test_a_default_ttl_goes_before_the_records_it_is_for():
    tree = ZONE.parse("; zone\na A 1\n")
    edits = ZONE.insert(tree.root, tree.root.children[-1], [Statement("$TTL", ("60",))])
    assert str(tree.apply(edits)) == "; zone\n$TTL 60\na A 1\n"


def test_canonical_style():
    soa = Statement("SOA", ("@", "", "IN", "ns1", "root", "1", "3600", "600", "86400", "60"))
    record = Statement("A", ("cluster", "60", "", "1.2.3.4"))
    assert ZONE.render([Statement("$TTL", ("60",)), soa, record]) == (
        "$TTL 60\n"
        "@\tIN\tSOA\tns1 root (\n"
        "\t\t\t1     ; serial\n"
        "\t\t\t3600  ; refresh\n"
        "\t\t\t600   ; retry\n"
        "\t\t\t86400 ; expire\n"
        "\t\t\t60 )  ; minimum\n"
        "cluster\t60\tA\t1.2.3.4\n"
    )


OWNERS = st.sampled_from(["a", "b", "cluster", "x.y", "A", "@"])
BLANKS = st.sampled_from([" ", "\t", "\t\t", "            "])
TAILS = st.sampled_from(["", " ; c", "\t;", " "])
DATA = st.sampled_from(["1.2.3.4", "( 1\n 2 )", '"x ; y" z', "( ; c\n  x )"])


@st.composite
def lines(draw: st.DrawFn) -> str:
    owner = draw(OWNERS | st.just(""))
    head = "".join(draw(st.sampled_from(["", each])) for each in ("30 ", "IN\t"))
    line = owner + draw(BLANKS) + head + "TXT " + draw(DATA) + draw(TAILS) + "\n"
    return draw(st.sampled_from(["", "", "; comment\n", "\n", "$TTL 5\n"])) + line


@st.composite
def revisions(draw: st.DrawFn):
    text = draw(OWNERS) + "\tNS x\n" + "".join(draw(st.lists(lines(), max_size=7)))
    tree = ZONE.parse(text.replace("\n", draw(st.sampled_from(["\n", "\r\n"]))))
    actions = [draw(st.sampled_from("kkkrws")) for _ in tree.root.children]
    return tree, actions, draw(OWNERS), draw(st.booleans())


def seen(tree: Document) -> list[tuple[str, ...]]:
    found = [(each.key, *each.values) for each in tree.root.children]
    return [(key, words[0].lower(), *words[1:]) for key, *words in found]


@given(revisions())
def test_every_record_keeps_its_owner(revision):
    tree, actions, owner, first = revision
    removed, rewritten, inserted, expected = [], [], [], []
    new = Statement("NS", (owner, "", "", "new"))
    wanted = ("NS", owner.lower(), "", "", "new")
    for each, action, record in zip(tree.root.children, actions, seen(tree), strict=True):
        if action == "r":
            removed.append(each)
        elif action == "w" and isinstance(each, Record):
            rewritten.append((each, [owner, "7", *record[3:]]))
            expected.append((each.key, owner.lower(), "7", *record[3:]))
        else:
            expected.append(record)
        if action == "s":
            inserted.append((each, [new]))
            expected.append(wanted)
    if first:
        inserted.append((None, [new]))
        expected.insert(0, wanted)
    edits = ZONE.revise(tree.root, removed=removed, rewritten=rewritten, inserted=inserted)
    after = ZONE.parse(str(tree.apply(edits)))
    assert seen(after) == expected
    assert after.check() == tree.check() == []


@given(st.text(max_size=20).filter(lambda text: "\r" not in text))
def test_quoting(text):
    assert unquote(quote(text)) == text
    assert read(f"a TXT {quote(text)}\n") == [("TXT", ["a", "", "", quote(text)])]


def test_names():
    assert is_absolute("a.")
    assert not is_absolute("a\\.")
    assert is_absolute("a\\\\.")
    assert qualify("a", ".") == "a."
    assert qualify("@", "") == qualify("a", "") == ""
