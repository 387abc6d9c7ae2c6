"""smb.conf and ctdb.conf as trees of spans.

Both go through the same lexer of Samba's, `tini`. What that drops without a word is a `Problem`
here, and what makes Samba refuse the whole file is a fatal one.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence

from clusternas.core.syntax import tini
from clusternas.core.syntax.tini import BLANK, SPACE, Logical, collapse, spell
from clusternas.core.syntax.tree import (
    Document,
    LineSyntax,
    Node,
    Problem,
    Statement,
    Word,
    indent_of,
    line_start,
    newline_of,
)
from clusternas.core.text import Edit

__all__ = ["CTDB_CONF", "SMB_CONF", "IniSyntax", "collapse", "spell"]


IGNORED = {
    "=": ("a value without a name", "the whole file is refused; write `name = value`"),
    tini.BOM: ("a byte order mark hides this line", "save the file as UTF-8 without one"),
    "": ("a line without `=` is ignored", "write `name = value`, or make it a comment"),
}
"""What is wrong with a line that is no option, by what it begins with, and what to do."""


class IniSyntax(LineSyntax):
    """The grammar shared by smb.conf and ctdb.conf.

    The root holds sections, a section holds options with one word each: the value. A section
    reaches to its last option; what follows up to the next header is nobody's.
    """

    tail = BLANK

    @abstractmethod
    def section_key(self, name: str) -> str:
        """The key of the section with that name, white space collapsed."""

    @abstractmethod
    def outside(self, tree: Document, end: int) -> list[Node]:
        """What the options before the first header become."""

    def cut(self, section: Node) -> list[Node]:
        """The sections of a text, or the options of a section."""
        if section.depth >= 0:
            return self.options(section)
        tree, text = section.tree, section.tree.text
        found = tini.headers(text)
        limits = [line_start(text, at) for at in found] + [len(text)]
        nodes = self.outside(tree, limits[0])
        nodes.extend(map(self.section, [tree] * len(found), found, limits[1:]))
        return nodes

    def section(self, tree: Document, at: int, limit: int) -> Node:
        """The section whose `[` stands at an offset; the next header or the end limits it."""
        text = tree.text
        newline = text.find("\n", at, limit)
        end = limit if newline < 0 else newline
        close = text.find("]", at, end)
        name = text[at + 1 : close]
        if close < 0 or "\0" in name or (end - close > 1 and text[close + 1 : end].strip(SPACE)):
            end, close, name = self.odd_header(tree, at)
        if not name:
            message = "a section without a name"
            tree.problems.append(
                Problem(at, close + 1, message, "the whole file is refused", fatal=True)
            )
        body = min(end + 1, len(text))
        stop = tini.content_end(text, body, limit)
        if stop == body:
            stop = max(end - (text[end - 1] == "\r"), close)
        key = self.section_key(collapse(name))
        return Node(tree, key, at, at + 1, close, stop, body, max(stop, body), 0)

    def odd_header(self, tree: Document, at: int) -> tuple[int, int, str]:
        """End, place of `]` and name of a header that is continued, open, or followed by text."""
        line = tini.logical_line(tree.text, at)
        close = line.text.find("]")
        if close < 0:
            last = tini.last_visible(tree.text, at, line.end) + 1
            message = "the section name has no closing bracket"
            tree.problems.append(
                Problem(at, last, message, "the whole file is refused; write `[name]`", fatal=True)
            )
            return line.end, last, line.text[1:]
        rest = line.text[close + 1 :].strip(SPACE)
        if rest and rest[0] not in "#;":
            start = line.places[line.text.index(rest, close)]
            end = tini.last_visible(tree.text, start, line.end) + 1
            message = "text after a section name is ignored"
            tree.problems.append(Problem(start, end, message, "put it on a line of its own"))
        return line.end, line.places[close], line.text[1:close]

    def options(self, section: Node) -> list[Node]:
        """The options of a section, one match per line."""
        tree, end, depth = section.tree, section.body_end, section.depth + 1
        text, fold = tree.text, self.fold
        resume = section.body
        nul = text.find("\0", resume, end) >= 0
        nodes: list[Node] = []
        for match in tini.OPTION.finditer(text, resume, end):
            start, name_end = match.span(1)
            stop = match.end()
            if start < resume or start == stop:
                continue
            last = text[stop - 1]
            if (
                nul
                or last == "\\"
                or (last in SPACE and text[start:stop].rstrip(SPACE).endswith("\\"))
            ):
                line = tini.logical_line(text, start)
                resume = line.end
                if line.text and line.places[0] < end:
                    nodes.extend(self.odd_option(tree, line, depth))
            elif start == name_end or match.end(2) == name_end:
                self.not_an_option(tree, start, stop)
            else:
                stop -= last == "\r"
                key = fold(text[start:name_end])
                nodes.append(Node(tree, key, start, name_end + 1, stop, stop, -1, -1, depth))
        return nodes

    def odd_option(self, tree: Document, line: Logical, depth: int) -> Iterator[Node]:
        """The option on a line with continuations or a NUL, if there is one."""
        equals = line.text.find("=")
        end = line.end - (tree.text[line.end - 1] == "\r")
        if equals > 0:
            places, key = line.places, self.fold(line.text[:equals])
            yield Node(tree, key, places[0], places[equals] + 1, end, end, -1, -1, depth)
        else:
            self.not_an_option(tree, line.places[0], line.places[-1] + 1)

    def not_an_option(self, tree: Document, start: int, end: int) -> None:
        """Report a line that has no `=`, or no name before it."""
        end = tini.last_visible(tree.text, start, end) + 1
        message, hint = IGNORED.get(tree.text[start], IGNORED[""])
        tree.problems.append(Problem(start, end, message, hint, fatal=tree.text[start] == "="))

    def words(self, node: Node) -> list[Word]:
        """The value of an option, as Samba sees it; the name of a share."""
        text = node.tree.text
        raw = text[node.args : node.args_end]
        if node.body >= 0:
            return self.titles(node, raw)
        if "\n" in raw or "\0" in raw:
            return [self.joined_word(node)]
        value = raw.strip(SPACE)
        start = node.args + (len(raw) - len(raw.lstrip(SPACE)) if value else min(len(raw), 1))
        return [Word(collapse(value), start, start + len(value))]

    def joined_word(self, node: Node) -> Word:
        """The value of an option that goes over several lines or holds a NUL."""
        line = tini.logical_line(node.tree.text, node.start)
        equals = line.text.index("=")
        value = line.text[equals + 1 :].strip(SPACE)
        if not value:
            return Word("", node.args, node.args)
        first = line.text.index(value, equals + 1)
        return Word(value, line.places[first], line.places[first + len(value) - 1] + 1)

    def titles(self, node: Node, raw: str) -> list[Word]:
        """The words of a section, from what stands between its brackets."""
        return []

    def title(self, statement: Statement) -> str:
        """What stands between the brackets of a new section."""
        return statement.key

    def spell(self, name: str) -> str:
        """The keyword of a field: underscores are blanks."""
        return name.rstrip("_").replace("_", " ")

    def spelling(self, node: Node) -> str:
        """The name of an option as the text has it, white space collapsed."""
        if node.body >= 0:
            return node.key
        return tini.logical_line(node.tree.text[: node.args - 1], node.start).text.strip(SPACE)

    def check(self, tree: Document) -> None:
        """Report what hides text from Samba without being a statement."""
        text = tree.text
        if "\r" in text and "\n" not in text:
            message = "carriage returns alone end no line: all of this is one"
            tree.problems.append(
                Problem(0, len(text), message, "convert the file to Unix line ends")
            )
        nul = text.find("\0")
        if nul >= 0:
            message = "a NUL byte hides the rest of its line"
            tree.problems.append(Problem(nul, nul + 1, message, "the file is damaged, or not text"))

    def lines(self, statement: Statement, indent: str, unit: str) -> list[str]:
        """`key = value`, or a header with its options below."""
        if statement.children is None:
            return [f"{indent}{statement.key} = {' '.join(statement.words)}".rstrip(SPACE)]
        rows = [f"{indent}[{self.title(statement)}]"]
        for child in statement.children:
            rows += self.lines(child, indent + unit, unit)
        return rows

    def render(self, statements: Sequence[Statement]) -> str:
        """Sections with a blank line between, options indented by a tab."""
        texts = (
            "".join(row + "\n" for row in self.lines(each, "", self.indent)) for each in statements
        )
        return "\n".join(texts)

    def rewrite(self, node: Node, words: Sequence[str]) -> list[Edit]:
        """Another value, with a blank after `=` where there was nothing at all."""
        text = node.tree.text
        return [
            edit._replace(text=" " + edit.text)
            if edit.start == edit.end and text[edit.start - 1] == "="
            else edit
            for edit in super().rewrite(node, words)
        ]

    def unit(self, tree: Document) -> str:
        """How the options of this text are indented, by its first one."""
        for section in tree.root.children:
            if section.children:
                return indent_of(tree.text, section.children[0].start)
        return self.indent

    def remove(self, parent: Node, node: Node) -> list[Edit]:
        """Take out the lines of an option; of a section also a blank line of the two around it."""
        text = node.tree.text
        start, end = tini.first_line(text, node.start), tini.line_end(text, node.end)
        if node.body >= 0 and start and BLANK.match(text, end):
            above = line_start(text, start - 1)
            if not text[above:start].strip(SPACE + "\n"):
                start = above
        return [Edit(start, end, "")]

    def insert(
        self, parent: Node, after: Node | None, statements: Sequence[Statement]
    ) -> list[Edit]:
        """New options below the last one of a section, new sections below a section."""
        text, unit = parent.tree.text, self.unit(parent.tree)
        if parent.depth < 0:
            return [self.insert_sections(parent, after, statements)]
        sibling = after or (parent.children[0] if parent.children else None)
        indent = indent_of(text, sibling.start) if sibling else unit
        top = line_start(text, parent.body) if parent.body == parent.start else parent.body
        place = tini.line_end(text, after.end) if after else top
        return [
            new_lines(
                text, place, [row for each in statements for row in self.lines(each, indent, unit)]
            )
        ]

    def insert_sections(
        self, root: Node, after: Node | None, statements: Sequence[Statement]
    ) -> Edit:
        """New sections, above the blank line and the comment of the section that follows."""
        text, unit = root.tree.text, self.unit(root.tree)
        first = root.children[0] if root.children else None
        if after is None and first is not None and first.start == first.body:
            after = first  # options without a header: whatever comes before takes them in
        floor = after.end if after else 0
        if after is None and first is not None:
            limit = line_start(text, first.start)
        else:
            header = tini.HEADER.search(text, floor)
            limit = header.start() + 1 if header else len(text)
        if limit < len(text):
            limit = tini.comment_top(text, limit, floor)
        visible = tini.last_visible(text, floor, limit)
        place = tini.line_end(text, visible + 1) if visible >= floor or after else 0
        rows: list[str] = []
        for each in statements:
            rows += ["", *self.lines(each, "", unit)]
        if not BLANK.match(text, place):
            rows.append("")
        return new_lines(text, place, rows if place else rows[1:])


def new_lines(text: str, place: int, rows: Sequence[str]) -> Edit:
    """Lines to insert at the begin of a line, or after a last line that has no newline."""
    newline = newline_of(text)
    lead = newline * tini.open_ends(text) if place == len(text) else ""
    if place == 0 or text[place - 1] == "\n":
        return Edit(place, place, lead + "".join(row + newline for row in rows))
    return Edit(place, place, lead + "".join(newline + row for row in rows))


class SmbConfSyntax(IniSyntax):
    """smb.conf: sections are `global`, or `share` with a name; option names fold."""

    name = "smb.conf"

    def section_key(self, name: str) -> str:
        """`global` for [global] and [globals], however they are spaced; else `share`."""
        return "global" if self.fold(name) in ("global", "globals") else "share"

    def outside(self, tree: Document, end: int) -> list[Node]:
        """A `global` section without a header, as Samba starts reading inside [global]."""
        section = Node(tree, "global", 0, 0, 0, end, 0, end, 0)
        options = section.children
        if not options:
            return []
        section.start = section.args = section.args_end = section.body = options[0].start
        section.end = section.body_end = options[-1].end
        return [section]

    def titles(self, node: Node, raw: str) -> list[Word]:
        """The name of a share."""
        if node.key == "global":
            return []
        name = tini.logical_line(raw, 0).text if "\n" in raw or "\0" in raw else collapse(raw)
        return [Word(name, node.args, node.args_end)]

    def title(self, statement: Statement) -> str:
        """The name of a share, or `global`."""
        return statement.words[0] if statement.words else statement.key

    def fold(self, key: str) -> str:
        """Lower case, without any white space."""
        return tini.fold(key)


class CtdbConfSyntax(IniSyntax):
    """ctdb.conf: section names fold case; option names fold nothing."""

    name = "ctdb.conf"

    def section_key(self, name: str) -> str:
        """The name in lower case."""
        return name.lower()

    def outside(self, tree: Document, end: int) -> list[Node]:
        """Nothing: ctdbd refuses such a file."""
        for option in Node(tree, "", 0, 0, 0, end, 0, end, 0).children:
            message = "an option outside of any section"
            tree.problems.append(
                Problem(option.start, option.end, message, "write `[section]` above it", fatal=True)
            )
        return []

    def fold(self, key: str) -> str:
        """The name as it is, white space collapsed."""
        return collapse(key.strip(SPACE))


SMB_CONF = SmbConfSyntax()
CTDB_CONF = CtdbConfSyntax()
