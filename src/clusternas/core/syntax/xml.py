"""XML as cluster.conf uses it: elements are sections, attributes are entries in front of them.

An own scanner finds where everything stands; expat decides whether the text is well-formed. A
document type, and with it every entity declaration, is refused. Comments, processing instructions,
CDATA and text are trivia: nothing reads them, nothing touches them.

```xml
<clusternode name="nas1" nodeid="1"/>      section clusternode: entries @name, @nodeid
```
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from clusternas.core.syntax.tree import (
    MAX_DEPTH,
    Document,
    Node,
    Problem,
    Scan,
    Statement,
    Syntax,
    Word,
    indent_of,
    line_start,
    newline_of,
)
from clusternas.core.text import Edit, decode, encode

__all__ = ["XmlSyntax", "quote", "unquote"]

HEADER = '<?xml version="1.0"?>'
INDENT = "  "
BLANK = " \t\r\n"

# `<` cannot stand in a tag, so no match looks further than the next one: linear on any text.
MARKUP = re.compile(
    r"""<(?:
      ([^ \t\r\n<>/"'=!?][^ \t\r\n<>/"'=]*+)((?:[^"'<>]++|"[^"<]*+"|'[^'<]*+')*+)>
    | /([^ \t\r\n<>]++)[ \t\r\n]*+>
    | !--[^-]*+(?:-(?!->)[^-]*+)*+(?:-->|\Z)
    | !\[CDATA\[[^\]]*+(?:\](?!\]>)[^\]]*+)*+(?:\]\]>|\Z)
    | \?[^?]*+(?:\?(?!>)[^?]*+)*+(?:\?>|\Z)
    )""",
    re.VERBOSE,
)
"""A tag (name, inside), an end tag (name), or something to step over."""

ATTRIBUTE = re.compile(
    r"""(?<=[ \t\r\n"'])([^ \t\r\n<>/"'=]++)[ \t\r\n]*+=[ \t\r\n]*+(?:"([^"<]*+)"|'([^'<]*+)')"""
)
TAIL = re.compile(r"[ \t]*+(?:<!--(?:(?!-->)[^\n])*+-->[ \t]*+)?+\r?+(?:\n|\Z)")
"""From the end of an element to the end of its line, if nothing but a comment follows."""

REFERENCE = re.compile(r"&(?:(lt|gt|amp|quot|apos)|#0*([0-9]{1,7})|#x0*([0-9A-Fa-f]{1,6}));")
NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}
ESCAPES = {ord(character): f"&{name};" for name, character in NAMED.items()}
UNWRITABLE = re.compile("[\x00-\x1f\x7f\ud800-\udc7f\udd00-\udfff\ufffe\uffff]")
BREAK = re.compile(r"\r\n|[\t\r\n]")

HELP = {
    "not well-formed (invalid token)": "quote each attribute value; write & as &amp; and < as &lt;",
    "mismatched tag": "every element is closed by its own end tag, the innermost first",
    "no element found": "an element is not closed, or there is none",
    "undefined entity": "only &lt; &gt; &amp; &quot; &apos; and character numbers are known",
    "a document type is not allowed": "remove <!DOCTYPE ...> and the entities it declares",
    "duplicate attribute": "give an attribute once",
}


class Element(Node):
    """An element. `elements` are those directly inside; its attributes are cut when looked at."""

    __slots__ = ("elements",)

    elements: list[Node]

    @property
    def tag(self) -> str:
        """Its name in the text."""
        return self.tree.text[self.start + 1 : self.args]


def quote(value: str) -> str:
    """A text as it is spelled inside the quotes of an attribute.

    Raises:
        ValueError: it holds a control character. Fence agents read attributes as lines.

    Example:
        >>> quote('a < "b"')
        'a &lt; &quot;b&quot;'
    """
    bad = UNWRITABLE.search(value)
    if bad:
        raise ValueError(f"control character {bad.group()!r} in {value!r}")
    return value.translate(ESCAPES)


def unquote(raw: str) -> str:
    """What an attribute says: line breaks and tabs read as blanks, references undone."""
    if "\n" in raw or "\t" in raw or "\r" in raw:
        raw = BREAK.sub(" ", raw)
    return REFERENCE.sub(_referent, raw) if "&" in raw else raw


def _referent(found: re.Match[str]) -> str:
    name, decimal, hexadecimal = found.groups()
    if name:
        return NAMED[name]
    number = int(decimal) if decimal else int(hexadecimal, 16)
    return chr(number) if number <= 0x10FFFF else found.group()


class XmlSyntax(Syntax):
    """Elements, attributes, and the edits on them.

    Example:
        >>> tree = XmlSyntax().parse('<cluster name="nas"><cman/></cluster>')
        >>> [child.key for child in tree.root.children[0].children]
        ['@name', 'cman']
    """

    name = "xml"

    def cut(self, section: Node) -> list[Node]:
        """Attributes, then elements. The first look into a text scans it whole."""
        if not isinstance(section, Element):
            problem = _malformed(section.tree.text)
            if problem:
                section.tree.problems.append(problem)
            return _elements(section.tree)
        tree, depth = section.tree, section.depth + 1
        found = ATTRIBUTE.finditer(tree.text, section.args, section.args_end)
        attributes = [
            Node(
                tree,
                "@" + match[1],
                match.start(),
                match.end(1),
                match.end(),
                match.end(),
                depth=depth,
            )
            for match in found
        ]
        return attributes + section.elements

    def scan(self, section: Node) -> Scan | None:
        """The attributes of an element that holds no other."""
        if section.body < 0:
            return Scan([], [])
        if not isinstance(section, Element) or section.elements:
            return None
        return Scan(ATTRIBUTE.findall(section.tree.text, section.args, section.args_end), [])

    def said(self, entry: tuple[str, str, str]) -> tuple[str, list[str]]:
        """Name and value of an attribute."""
        name, double, single = entry
        return "@" + name, [unquote(double or single)]

    def words(self, node: Node) -> list[Word]:
        """The value of an attribute; an element has none."""
        found = None if node.body >= 0 else ATTRIBUTE.match(node.tree.text, node.start, node.end)
        if found is None:
            return []
        group = 2 if found[2] is not None else 3
        return [Word(unquote(found[group]), found.start(group), found.end(group))]

    def render(self, statements: Sequence[Statement]) -> str:
        """With an XML declaration, two blanks a level, attributes on the line of their tag."""
        rows = [row for statement in statements for row in _lines(statement, "", INDENT)]
        return "".join(row + "\n" for row in (HEADER, *rows))

    def rewrite(self, node: Node, words: Sequence[str]) -> list[Edit]:
        """Give an attribute another value, inside the quotes it has."""
        old, text = self.words(node), node.tree.text
        if len(old) != len(words):
            raise ValueError(f"an attribute has one value, not {len(words)}")
        return [
            Edit(word.start, word.end, spelled)
            for word, new in zip(old, words, strict=True)
            if (spelled := _inside(new, text[word.end])) != text[word.start : word.end]
        ]

    def remove(self, parent: Node, node: Node) -> list[Edit]:
        """An attribute goes with the blanks before it, an element with its lines."""
        text = node.tree.text
        if node.body < 0:
            return [Edit(_back(text, node.start), node.end, "")]
        tail = TAIL.match(text, node.end)
        if not _starts_line(node):
            return [Edit(_back(text, node.start, " \t"), node.end, "")]
        if tail:
            return [Edit(line_start(text, node.start), tail.end(), "")]
        return [Edit(node.start, node.end, "")]

    def insert(
        self, parent: Node, after: Node | None, statements: Sequence[Statement]
    ) -> list[Edit]:
        """Attributes go into the tag, laid out as those there; `<x/>` is opened for elements."""
        attributes = [statement for statement in statements if statement.key.startswith("@")]
        elements = [statement for statement in statements if not statement.key.startswith("@")]
        edits: list[Edit] = []
        if attributes:
            edits += _insert_attributes(parent, after, attributes)
        if elements and after is not None and after.body >= 0:
            edits += _insert_after(after, elements)
        elif elements:
            edits += _insert_first(parent, elements)
        return edits

    def text_at(self, node: Node, statement: Statement) -> str:
        """An attribute, or the lines of an element, indented for the place."""
        if statement.key.startswith("@"):
            return _attribute(statement)
        text = node.tree.text
        return (
            newline_of(text)
            .join(_rows(node.tree, [statement], indent_of(text, node.start)))
            .strip()
        )


def _malformed(text: str) -> Problem | None:
    """What expat has against a text. Without a document type it expands nothing: linear cost."""
    from xml.parsers import expat

    if "\0" in text:
        return _fatal(text, text.index("\0"), "NUL in the text", "write the file in UTF-8")
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse
    data = b""
    try:
        data = encode(text)
        parser.Parse(data, True)
    except UnicodeEncodeError as error:
        return _fatal(text, error.start, "not a character")
    except _DoctypeError:
        at, message = parser.CurrentByteIndex, "a document type is not allowed"
    except expat.ExpatError as error:
        at, message = parser.ErrorByteIndex, str(expat.ErrorString(error.code))
    except (LookupError, ValueError) as error:
        at, message = 0, str(error)
    else:
        return None
    return _fatal(text, len(decode(data[: max(at, 0)])), message, HELP.get(message, ""))


def _fatal(text: str, at: int, message: str, fix: str = "") -> Problem:
    at = min(at, len(text))
    return Problem(at, min(at + 1, len(text)), message, fix, fatal=True)


class _DoctypeError(Exception):
    pass


def _refuse(*_declaration: object) -> None:
    raise _DoctypeError


def _elements(tree: Document) -> list[Node]:
    """All elements of a text in one pass; where end tags are missing or wrong, the best guess."""
    text = tree.text
    top: list[Node] = []
    stack: list[Element] = []
    hidden = 0
    for found in MARKUP.finditer(text):
        if found.lastindex == 2:
            end = found.end()
            alone = text[end - 2] == "/"
            if len(stack) >= MAX_DEPTH:
                hidden += not alone
                _report_depth(tree, found.start())
                continue
            inside = end - 2 if alone else end - 1
            node = Element(
                tree, found[1], found.start(), found.end(1), inside, end, end, end, len(stack)
            )
            node.elements = []
            (stack[-1].elements if stack else top).append(node)
            if not alone:
                stack.append(node)
        elif found.lastindex == 3:
            if hidden:
                hidden -= 1
            else:
                _close(stack, found)
    for node in stack:
        node.body_end = node.end = len(text)
    return top


def _close(stack: list[Element], found: re.Match[str]) -> None:
    name = found[3]
    if not stack or (stack[-1].key != name and all(node.key != name for node in stack)):
        return
    while (node := stack.pop()).key != name:
        node.body_end = node.end = found.start()
    node.body_end, node.end = found.span()


def _report_depth(tree: Document, at: int) -> None:
    if not any(problem.message.startswith("elements stand") for problem in tree.problems):
        message = f"elements stand more than {MAX_DEPTH} deep"
        tree.problems.append(Problem(at, at + 1, message, fatal=True))


def _inside(spelled: str, mark: str) -> str:
    """A spelled value for these quotes: it may come from an attribute that had the other kind."""
    return spelled.replace(mark, "&quot;" if mark == '"' else "&apos;")


def _attribute(statement: Statement) -> str:
    return f'{statement.key[1:]}="{_inside(" ".join(statement.words), chr(34))}"'


def _lines(statement: Statement, indent: str, unit: str) -> list[str]:
    """An element as lines, attributes on the line of its tag."""
    inner = statement.children or ()
    tag = " ".join(
        [statement.key, *(_attribute(child) for child in inner if child.key.startswith("@"))]
    )
    elements = [child for child in inner if not child.key.startswith("@")]
    if not elements:
        return [f"{indent}<{tag}/>"]
    rows = [row for child in elements for row in _lines(child, indent + unit, unit)]
    return [f"{indent}<{tag}>", *rows, f"{indent}</{statement.key}>"]


def _starts_line(node: Node) -> bool:
    text = node.tree.text
    at = _back(text, node.start, " \t")
    return at == 0 or text[at - 1] == "\n"


def _back(text: str, at: int, over: str = BLANK) -> int:
    """Where the blanks in front of an offset begin."""
    while at and text[at - 1] in over:
        at -= 1
    return at


def _insert_attributes(parent: Node, after: Node | None, attributes: list[Statement]) -> list[Edit]:
    """Behind the attribute named, or the last one; on lines of their own if that one is."""
    text, lead, place = parent.tree.text, " ", parent.args
    last = after if after is None or after.body < 0 else _last_attribute(parent)
    if last is not None:
        before = text[_back(text, last.start) : last.start]
        lead, place = before if "\n" in before else " ", last.end
    return [Edit(place, place, "".join(lead + _attribute(statement) for statement in attributes))]


def _last_attribute(parent: Node) -> Node | None:
    return next((child for child in reversed(parent.children) if child.body < 0), None)


def _insert_after(after: Node, elements: list[Statement]) -> list[Edit]:
    text = after.tree.text
    tail = TAIL.match(text, after.end)
    if not _starts_line(after) or tail is None:
        return [Edit(after.end, after.end, _inline(elements))]
    rows = _rows(after.tree, elements, indent_of(text, after.start))
    newline = newline_of(text)
    block = "".join(row + newline for row in rows)
    if not tail.group().endswith("\n"):
        block = newline + block.removesuffix(newline)
    return [Edit(tail.end(), tail.end(), block)]


def _insert_first(parent: Node, elements: list[Statement]) -> list[Edit]:
    """In front of the first element inside; where there is none, behind the comments."""
    text, newline = parent.tree.text, newline_of(parent.tree.text)
    if not isinstance(parent, Element):
        rows = _rows(parent.tree, elements, "")
        lead = newline if text and not text.endswith("\n") else ""
        return [Edit(len(text), len(text), lead + "".join(row + newline for row in rows))]
    block, base = _inline(elements), ""
    if _starts_line(parent):
        base = newline + indent_of(text, parent.start)
        inner = base[len(newline) :] + _unit(parent.tree)
        block = "".join(newline + row for row in _rows(parent.tree, elements, inner))
    if text[parent.args_end] == "/":
        opening = _back(text, parent.args_end)
        return [Edit(opening, parent.end, f">{block}{base}</{parent.tag}>")]
    if parent.elements:
        return [Edit(parent.body, parent.body, block)]
    kept = _back(text, parent.body_end)
    return [Edit(kept, parent.body_end, block + base)]


def _inline(elements: list[Statement]) -> str:
    return "".join(row for statement in elements for row in _lines(statement, "", ""))


def _rows(tree: Document, elements: list[Statement], indent: str) -> list[str]:
    unit = _unit(tree)
    return [row for statement in elements for row in _lines(statement, indent, unit)]


def _unit(tree: Document) -> str:
    """One level of indent as this text has it, from its first nested element that starts a line."""
    for top in tree.root.children:
        for node in top.elements if isinstance(top, Element) else ():
            inner, outer = indent_of(tree.text, node.start), indent_of(tree.text, top.start)
            if _starts_line(node) and inner.startswith(outer) and inner != outer:
                return inner[len(outer) :]
    return INDENT
