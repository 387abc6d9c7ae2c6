"""The XML syntax: where things stand, what edits do, and agreement with the standard parser."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusternas.core.syntax.tree import MAX_DEPTH, Document, Node, Statement
from clusternas.core.syntax.xml import XmlSyntax, quote, unquote
from clusternas.core.text import apply

XML = XmlSyntax()

CONF = """\
<?xml version="1.0"?>
<!-- the article's cluster -->
<cluster name="NASCluster" config_version='4'>
  <cman two_node="1"
        expected_votes="1"/>
  <clusternodes>
    <!-- left rack -->
    <clusternode name="linux-nas01" nodeid="1"/> <!-- old -->
    <clusternode name="linux-nas02" nodeid="2">
      <fence/>
    </clusternode>
  </clusternodes>
  <fencedevices></fencedevices>
</cluster>
"""


def entry(key: str, value: str) -> Statement:
    return Statement(f"@{key}", (quote(value),))


def element(key: str, *children: Statement) -> Statement:
    return Statement(key, (), children)


def find(tree: Document, *path: str | int) -> Node:
    """The node at a path of keys and places."""
    node = tree.root
    for step in path:
        same = (
            node.children if isinstance(step, int) else [c for c in node.children if c.key == step]
        )
        node = same[step if isinstance(step, int) else 0]
    return node


@pytest.fixture
def conf() -> Document:
    return XML.parse(CONF)


def test_an_element_is_a_section_and_its_attributes_are_entries(conf: Document) -> None:
    cluster = find(conf, "cluster")
    assert [child.key for child in cluster.children] == [
        "@name",
        "@config_version",
        "cman",
        "clusternodes",
        "fencedevices",
    ]
    name = cluster.children[0]
    assert name.values == ["NASCluster"]
    assert CONF[name.words[0].start : name.words[0].end] == "NASCluster"
    assert find(conf, "cluster", "@config_version").values == ["4"]
    assert not conf.check()


def test_a_statement_has_attributes_then_elements(conf: Document) -> None:
    node = find(conf, "cluster", "clusternodes", 1)
    assert node.statement() == element(
        "clusternode", entry("name", "linux-nas02"), entry("nodeid", "2"), element("fence")
    )


def test_rewriting_a_value_changes_its_bytes_only(conf: Document) -> None:
    version = find(conf, "cluster", "@config_version")
    assert apply(CONF, XML.rewrite(version, ["5"])) == CONF.replace("'4'", "'5'")
    assert XML.rewrite(version, ["4"]) == []


def test_a_value_is_spelled_for_the_quotes_it_stands_in() -> None:
    tree = XML.parse("""<a b='x' c="y"/>""")
    single, double = find(tree, "a").children
    edits = XML.rewrite(single, ["it's"]) + XML.rewrite(double, ['"'])
    assert apply(tree.text, edits) == """<a b='it&apos;s' c="&quot;"/>"""


def test_new_attributes_follow_the_layout_of_the_tag(conf: Document) -> None:
    cman, cluster = find(conf, "cluster", "cman"), find(conf, "cluster")
    edits = XML.insert(cman, cman.children[-1], [entry("port", "5405")])
    edits += XML.insert(cluster, cluster.children[1], [entry("x", "1"), entry("y", "2")])
    assert apply(CONF, edits) == CONF.replace(
        'expected_votes="1"/>', 'expected_votes="1"\n        port="5405"/>'
    ).replace("'4'>", """'4' x="1" y="2">""")


def test_the_first_attribute_goes_behind_the_tag_name(conf: Document) -> None:
    nodes = find(conf, "cluster", "clusternodes")
    assert apply(CONF, XML.insert(nodes, None, [entry("x", "1")])) == CONF.replace(
        "<clusternodes>", '<clusternodes x="1">'
    )


def test_a_removed_attribute_takes_the_blanks_before_it(conf: Document) -> None:
    cman = find(conf, "cluster", "cman")
    assert apply(CONF, XML.remove(cman, cman.children[1])) == CONF.replace(
        '\n        expected_votes="1"', ""
    )
    assert apply(CONF, XML.remove(cman, cman.children[0])) == CONF.replace(' two_node="1"', "")


def test_a_removed_element_takes_its_lines_and_the_comment_on_them(conf: Document) -> None:
    nodes = find(conf, "cluster", "clusternodes")
    assert apply(CONF, XML.remove(nodes, nodes.children[0])) == CONF.replace(
        '    <clusternode name="linux-nas01" nodeid="1"/> <!-- old -->\n', ""
    )
    both = [edit for node in nodes.children for edit in XML.remove(nodes, node)]
    assert "clusternode " not in apply(CONF, both)
    assert "    <!-- left rack -->\n  </clusternodes>" in apply(CONF, both)


def test_elements_that_share_a_line_go_one_by_one() -> None:
    text = "<a>\n  <b/> <c/> <d/>\n</a>\n"
    parent = find(XML.parse(text), "a")
    for keys, left in (
        ("b", "   <c/> <d/>"),
        ("bc", "   <d/>"),
        ("cd", "  <b/>"),
        ("c", "  <b/> <d/>"),
    ):
        edits = [
            edit
            for node in parent.children
            if node.key in keys
            for edit in XML.remove(parent, node)
        ]
        assert apply(text, edits) == f"<a>\n{left}\n</a>\n"


def test_a_new_element_follows_its_sibling_with_its_indent(conf: Document) -> None:
    nodes = find(conf, "cluster", "clusternodes")
    new = element("clusternode", entry("name", "n"), element("fence"))
    lines = '    <clusternode name="n">\n      <fence/>\n    </clusternode>\n'
    after_first = apply(CONF, XML.insert(nodes, nodes.children[0], [new]))
    assert after_first == CONF.replace("<!-- old -->\n", "<!-- old -->\n" + lines)
    at_the_end = apply(CONF, XML.insert(nodes, nodes.children[1], [new]))
    assert at_the_end == CONF.replace("    </clusternode>\n", "    </clusternode>\n" + lines)


def test_a_place_is_good_even_if_its_node_is_removed(conf: Document) -> None:
    nodes = find(conf, "cluster", "clusternodes")
    edits = XML.remove(nodes, nodes.children[0])
    edits += XML.insert(nodes, nodes.children[0], [element("clusternode", entry("name", "n"))])
    assert apply(CONF, edits) == CONF.replace(
        '<clusternode name="linux-nas01" nodeid="1"/> <!-- old -->', '<clusternode name="n"/>'
    )


def test_the_first_of_its_section_goes_in_front(conf: Document) -> None:
    nodes = find(conf, "cluster", "clusternodes")
    assert apply(CONF, XML.insert(nodes, None, [element("x")])) == CONF.replace(
        "<clusternodes>\n", "<clusternodes>\n    <x/>\n"
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<a/>", "<a>\n  <x/>\n</a>"),
        ('<a b="1" />', '<a b="1">\n  <x/>\n</a>'),
        ("<a></a>", "<a>\n  <x/>\n</a>"),
        ("<a>\n</a>", "<a>\n  <x/>\n</a>"),
        ("<a>\r\n</a>", "<a>\r\n  <x/>\r\n</a>"),
        ("<a>\n  <!-- c -->\n</a>", "<a>\n  <!-- c -->\n  <x/>\n</a>"),
        ("<r>\n\t<a/>\n</r>", "<r>\n\t<a>\n\t\t<x/>\n\t</a>\n</r>"),
        ("<r><a/></r>", "<r><a><x/></a></r>"),
        ("<r><a></a></r>", "<r><a><x/></a></r>"),
    ],
)
def test_an_empty_element_is_opened_for_its_first_child(before: str, after: str) -> None:
    tree = XML.parse(before)
    node = find(tree, "r", "a") if before.startswith("<r") else find(tree, "a")
    assert apply(before, XML.insert(node, None, [element("x")])) == after


def test_attribute_and_element_go_into_an_empty_element_together() -> None:
    tree = XML.parse("<a/>")
    edits = XML.insert(find(tree, "a"), None, [entry("b", "1"), element("x")])
    assert apply(tree.text, edits) == '<a b="1">\n  <x/>\n</a>'


def test_elements_glued_on_one_line_stay_glued() -> None:
    text = "<r>\n  <a/><b/>\n</r>"
    tree = XML.parse(text)
    parent = find(tree, "r")
    edits = XML.insert(parent, parent.children[1], [element("c", element("d"))])
    assert apply(text, edits) == "<r>\n  <a/><b/><c><d/></c>\n</r>"


def test_a_root_is_written_into_an_empty_text() -> None:
    tree = XML.parse("<!-- nothing -->")
    edits = XML.insert(tree.root, None, [element("a")])
    assert apply(tree.text, edits) == "<!-- nothing -->\n<a/>\n"


def test_an_element_in_the_place_of_another_has_its_indent(conf: Document) -> None:
    node = find(conf, "cluster", "clusternodes", 0)
    assert XML.text_at(node, element("a", element("b"))) == "<a>\n      <b/>\n    </a>"
    assert XML.text_at(node.children[0], entry("a", "<")) == 'a="&lt;"'


def test_the_canonical_style() -> None:
    cluster = element(
        "cluster",
        entry("name", "a&b"),
        element("cman"),
        element("rm", element("service", entry("n", "1"))),
    )
    assert XML.render([cluster]) == (
        '<?xml version="1.0"?>\n'
        '<cluster name="a&amp;b">\n'
        "  <cman/>\n"
        "  <rm>\n"
        '    <service n="1"/>\n'
        "  </rm>\n"
        "</cluster>\n"
    )


def test_comments_cdata_and_instructions_hold_no_elements() -> None:
    tree = XML.parse("<a><!-- <b/> --><![CDATA[<c/>]]><?d <e/>?><f/></a>")
    assert [child.key for child in find(tree, "a").children] == ["f"]


@pytest.mark.parametrize(
    ("text", "message", "line", "column"),
    [
        ("<a>\n  <b>\n</a>", "mismatched tag", 3, 3),
        ("<a>\n  <b c=1/>\n</a>", "not well-formed", 2, 8),
        ("<a>é&x;</a>", "undefined entity", 1, 5),
        ("<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", "document type", 1, 13),
        ('<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "document type", 1, 40),
        ("<a b='1' b='2'/>", "duplicate attribute", 1, 10),
        ('<?xml version="1.0" encoding="utf-7"?><a/>', "encodings", 1, 1),
        ('<?xml version="1.0" encoding="klingon"?><a/>', "unknown encoding", 1, 1),
        ("", "no element found", 1, 1),
        ("<a/>\0", "NUL", 1, 5),
        ("<a>\ud800</a>", "not a character", 1, 4),
    ],
)
def test_what_is_not_well_formed_is_fatal(text: str, message: str, line: int, column: int) -> None:
    tree = XML.parse(text)
    problem = tree.check()[0]
    assert problem.fatal
    assert message in problem.message
    assert tree.lines.position(problem.start) == (line, column)


def test_depth_is_bounded() -> None:
    depth = 10_000
    tree = XML.parse("<a>" * depth + "</a>" * depth)
    assert sum(1 for _ in tree.root.walk()) == MAX_DEPTH
    assert [problem.fatal for problem in tree.check()] == [True]
    assert find(tree, "a").end == len(tree.text)


@pytest.mark.parametrize(
    "text", ["<", "<a '", '<a "', "<!--", "<?", "<a b", "</a ", "<![CDATA[", "<a b='\""]
)
def test_long_garbage_is_refused(text: str) -> None:
    # A scan that were quadratic would not end here.
    assert XML.parse(text * 100_000).check()[0].fatal


def test_broken_nesting_gives_the_best_guess() -> None:
    tree = XML.parse("<a><b><c></a><d/></x>")
    assert [node.key for node in tree.root.children] == ["a", "d"]
    assert find(tree, "a", "b").raw == "<b><c>"
    assert tree.check()[0].fatal


def test_bytes_that_are_not_utf8_survive() -> None:
    data = b'<?xml version="1.0" encoding="ISO-8859-1"?>\n<a b="\xe9" c="1"/>\n'
    tree = XML.parse(data)
    assert not tree.check()
    edited = tree.apply(XML.rewrite(find(tree, "a", "@c"), ["2"]))
    assert bytes(edited) == data.replace(b'"1"/', b'"2"/')


@pytest.mark.parametrize("value", ["a\nb", "\t", "\x7f", "\0", "\ud800", "\uffff"])
def test_control_characters_cannot_be_written(value: str) -> None:
    with pytest.raises(ValueError, match="control character"):
        quote(value)


def test_references_and_line_breaks_are_read_as_the_standard_says() -> None:
    assert unquote("a&#65;&#x42;&amp;lt;&nope;&#9999999;") == "aAB&lt;&nope;&#9999999;"
    assert unquote("a\r\nb\tc&#10;d") == "a b c\nd"


# laws

NAMES = st.from_regex(r"[a-zA-Z_é][a-zA-Z0-9_.é-]{0,6}", fullmatch=True)
VALUES = st.text(
    st.characters(
        min_codepoint=0x20, exclude_characters="\x7f\ufffe\uffff", exclude_categories=["Cs"]
    ),
    max_size=8,
)
ENTRIES = st.dictionaries(NAMES, VALUES, max_size=3).map(
    lambda values: tuple(entry(key, value) for key, value in values.items())
)
ELEMENTS = st.recursive(
    st.builds(lambda key, entries: element(key, *entries), NAMES, ENTRIES),
    lambda inner: st.builds(
        lambda key, entries, children: element(key, *entries, *children),
        NAMES,
        ENTRIES,
        st.lists(inner, max_size=3),
    ),
    max_leaves=12,
)
# fmt: off
PIECES = st.sampled_from(
    ["<a ", "<b ", "</a>", "</b>", "/>", ">", "<", "&amp;", "&", "'", '"', " ", "\n", "x", "=",
     "c='1'", 'd="<"', "<!--", "-->", "<![CDATA[", "]]>", "<?", "?>", "<!DOCTYPE a>", "é",
     "\udcff", "\0", "\ud800"]
)
# fmt: on
SOUP = st.lists(PIECES, max_size=25).map("".join) | st.text(max_size=40)
TRIVIA = st.sampled_from(
    ["", "\n", "\n  ", "\r\n\t", " ", "<!-- <x/> -->", "text", "<?pi x='>'?>", "<![CDATA[</a>]]>"]
)


def spans(node: Node) -> Iterator[tuple[int, int]]:
    for child in node.children:
        yield child.start, child.end
        assert node.start <= child.start <= child.args <= child.args_end <= child.end <= node.end
        if child.body >= 0:
            assert child.args_end <= child.body <= child.body_end <= child.end
        list(spans(child))


@given(SOUP)
def test_any_text_gives_a_tree_of_nested_ordered_spans(text: str) -> None:
    tree = XML.parse(text)
    tree.check()
    assert str(tree) == text
    for section in [tree.root, *(node for node in tree.root.walk() if node.body >= 0)]:
        found = list(spans(section))
        assert all(one[1] <= two[0] for one, two in pairwise(found))
    assert all(0 <= problem.start <= problem.end <= len(text) for problem in tree.problems)


def written(statement: Statement, trivia: st.SearchStrategy[str], draw: st.DrawFn) -> str:
    """An element with anything between its parts that XML allows there."""
    inner = statement.children or ()
    attributes = ""
    for child in inner:
        if child.key.startswith("@"):
            blank, mark = draw(st.sampled_from([" ", "\n  "])), draw(st.sampled_from("\"'"))
            attributes += f"{blank}{child.key[1:]}={mark}{child.words[0]}{mark}"
    elements = [child for child in inner if not child.key.startswith("@")]
    if not elements and draw(st.booleans()):
        return f"<{statement.key}{attributes}{draw(st.sampled_from(['', ' ']))}/>"
    body = "".join(draw(trivia) + written(child, trivia, draw) for child in elements) + draw(trivia)
    return f"<{statement.key}{attributes}>{body}</{statement.key}>"


@st.composite
def documents(draw: st.DrawFn) -> str:
    header = draw(st.sampled_from(["", '<?xml version="1.0"?>\n', "<!-- c -->"]))
    return header + written(draw(ELEMENTS), TRIVIA, draw) + draw(st.sampled_from(["", "\n"]))


def same(node: Node, other: ElementTree.Element) -> bool:
    attributes = {child.key[1:]: child.values[0] for child in node.children if child.body < 0}
    elements = [child for child in node.children if child.body >= 0]
    return (
        node.key == other.tag
        and attributes == other.attrib
        and len(elements) == len(other)
        and all(map(same, elements, other))
    )


@given(documents())
def test_it_agrees_with_the_standard_parser(text: str) -> None:
    tree = XML.parse(text)
    assert not tree.check()
    assert same(tree.root.children[0], ElementTree.fromstring(text))


@given(ELEMENTS)
def test_what_is_rendered_reads_back(statement: Statement) -> None:
    text = XML.render([statement])
    tree = XML.parse(text)
    assert not tree.check()
    assert tree.root.children[0].statement() == statement
    assert XML.render([tree.root.children[0].statement()]) == text


@given(documents(), ELEMENTS, st.data())
def test_edits_do_what_they_say_and_undo(text: str, new: Statement, data: st.DataObject) -> None:
    tree = XML.parse(text)
    parent = data.draw(st.sampled_from([n for n in tree.root.walk() if n.body >= 0]))
    places = [None, *(child for child in parent.children if child.body >= 0)]
    after = data.draw(st.sampled_from(places))
    at = sum(1 for n in tree.root.walk() if n.body >= 0 and n.start < parent.start)
    wanted = [child.statement() for child in parent.children]
    index = parent.children.index(after) + 1 if after else sum(c.body < 0 for c in parent.children)
    edited = tree.apply(XML.insert(parent, after, [new]))
    assert not edited.check()
    grown = [n for n in edited.root.walk() if n.body >= 0][at]
    assert [child.statement() for child in grown.children] == [
        *wanted[:index],
        new,
        *wanted[index:],
    ]
    again = edited.apply(XML.remove(grown, grown.children[index]))
    assert not again.check()
    assert ElementTree.canonicalize(str(again), strip_text=True, with_comments=True) == (
        ElementTree.canonicalize(text, strip_text=True, with_comments=True)
    )
