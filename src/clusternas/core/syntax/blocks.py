"""Sections in braces: drbd.conf, lvm.conf and corosync.conf, each as its own scanner reads it.

Sources: drbd-utils `user/v9/drbdadm_scanner.fl`, lvm2 `libdm/libdm-config.c`, corosync
    `exec/coroparse.c`.
"""

from __future__ import annotations

import re
from abc import abstractmethod

from clusternas.core.syntax.tree import (
    MAX_DEPTH,
    Document,
    LineSyntax,
    Node,
    Problem,
    Scan,
    Statement,
    Word,
)

__all__ = ["BlockSyntax", "CorosyncSyntax", "DrbdSyntax", "LvmSyntax", "quoted", "unquoted"]

STRING = r'"(?:[^"\\\n]++|\\[^\n])*+"'
OPENING = ("body", "open")
TRIVIA = r"[ \t\r\n]*+(?:#[^\n]*+[ \t\r\n]*+)*+"


def quoted(text: str) -> str:
    """A text between double quotes, as drbd.conf and lvm.conf read it.

    Raises:
        ValueError: it holds a line end or another control character.
    """
    if any(character < " " and character != "\t" for character in text):
        raise ValueError(f"cannot stand in quotes: {text!r}")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def unquoted(text: str) -> str:
    """What stands between double quotes, escapes undone."""
    inside = text[1:-1]
    return re.sub(r"\\(.)", r"\1", inside) if "\\" in inside else inside


def _opening(string: str) -> str:
    """Pattern of an opening brace, with the rest of the section if it is at most three deep."""
    inside = rf'[^{{}}"#]*+(?:(?:{string}|#[^\n]*+)[^{{}}"#]*+)*+'
    body = inside
    for _ in range(3):
        body = rf"{inside}(?:\{{{body}\}}{inside})*+"
    return rf"(?P<open>\{{)(?:(?P<body>(?s:{body}))\}})?+"


class BlockSyntax(LineSyntax):
    """What drbd.conf and lvm.conf share: free form, `#` comments, quotes, braces.

    A statement is matched as one, with the blanks and comments before it; a section is skipped as
    one and cut when somebody looks into it.
    """

    statement: re.Pattern[str]
    """Groups: `key`, then `entry`, `open` for a section, or `close` for a stray brace; `body` for
    the inside of a section that is closed and not too deep for the pattern."""
    brace: re.Pattern[str]
    """The tokens that count when braces are matched one by one."""
    trivia = re.compile(TRIVIA)
    junk = re.compile(r"[^;{}\n]*+(?:;|\n|\Z)|.")

    def cut(self, section: Node) -> list[Node]:
        tree = section.tree
        text, at, end = tree.text, section.body, section.body_end
        depth = section.depth + 1
        if depth > MAX_DEPTH:
            tree.problems.append(
                Problem(section.start, at, f"nested deeper than {MAX_DEPTH} sections", fatal=True)
            )
            return []
        nodes: list[Node] = []
        match = self.statement.match
        while found := match(text, at, end):
            if found.end() == at:
                break
            kind = found.lastgroup
            if kind == "entry":
                nodes.append(self.entry(tree, found, depth))
                at = found.end()
            elif kind in OPENING:
                nodes.append(node := self._section(tree, found, depth, end))
                at = node.end
            elif kind == "close":
                tree.problems.append(
                    Problem(
                        found.end() - 1, found.end(), "a '}' that closes nothing", "delete it", True
                    )
                )
                at = found.end()
            else:
                break
        self._rest(section, nodes, at)
        return nodes

    def may_hold(self, section: Node, key: str) -> bool:
        text, at, end = section.tree.text, section.body, section.body_end
        return text.find(key, at, end) >= 0 or text.find("\\", at, end) >= 0

    def _rest(self, section: Node, nodes: list[Node], at: int) -> None:
        """What no statement begins with: report it and go on behind it."""
        tree, end = section.tree, section.body_end
        while at < end:
            trivia = self.trivia.match(tree.text, at, end)
            at = trivia.end() if trivia else at
            if at >= end:
                return
            junk = self.junk.match(tree.text, at, end)
            stop = junk.end() if junk and junk.end() > at else at + 1
            tree.problems.append(
                Problem(at, stop, f"cannot read {tree.text[at:stop].strip()[:40]!r}", fatal=True)
            )
            at = stop
            while found := self.statement.match(tree.text, at, end):
                if found.end() == at or found.lastgroup not in ("entry", *OPENING):
                    break
                if found.lastgroup == "entry":
                    node = self.entry(tree, found, section.depth + 1)
                else:
                    node = self._section(tree, found, section.depth + 1, end)
                nodes.append(node)
                at = max(node.end, found.end())

    def _section(self, tree: Document, found: re.Match[str], depth: int, limit: int) -> Node:
        start, args = found.span(1)
        body, end = found.end("open"), found.end()
        body_end = end - 1
        if found.lastgroup == "open":
            body_end = self._close(tree.text, body, limit)
            end = body_end + 1
        if body_end < 0:
            body_end = end = limit
            what = f"section {found[1]!r} is not closed"
            tree.problems.append(Problem(start, body, what, "add the missing '}'"))
        return Node(tree, self.keyword(found[1]), start, args, body - 1, end, body, body_end, depth)

    def _close(self, text: str, at: int, limit: int) -> int:
        """The closing brace of a section of any depth, or -1."""
        depth = 0
        for found in self.brace.finditer(text, at, limit):
            token = found.group()
            if token == "{":
                depth += 1
            elif token == "}":
                if not depth:
                    return found.start()
                depth -= 1
        return -1

    def keyword(self, spelled: str) -> str:
        """The key of a keyword as it stands in the text."""
        return unquoted(spelled) if spelled[0] == '"' else spelled

    @abstractmethod
    def entry(self, tree: Document, found: re.Match[str], depth: int) -> Node:
        """The node of an entry that was matched."""

    def lines(self, statement: Statement, indent: str, unit: str) -> list[str]:
        head = " ".join((statement.key, *statement.words))
        if statement.children is None:
            return [indent + self.line(statement)]
        inside = [
            row for child in statement.children for row in self.lines(child, indent + unit, unit)
        ]
        return [f"{indent}{head} {{", *inside, f"{indent}}}"]

    @abstractmethod
    def line(self, statement: Statement) -> str:
        """An entry as one line."""


class DrbdSyntax(BlockSyntax):
    """drbd.conf: `keyword words;` and `keyword words { … }`.

    Example:
        >>> tree = DrbdSyntax().parse('resource r0 { net { cram-hmac-alg "sha1"; } }')
        >>> [node.values for node in tree.root.walk()]
        [['r0'], [], ['sha1']]
    """

    name = "drbd.conf"
    indent = "  "
    _ARGS = rf'[^;{{}}"#]*+(?:(?:{STRING}|#[^\n]*+)[^;{{}}"#]*+)*+'
    _KEY = r'[^\s;{}"#]++'
    _OPEN = _opening(STRING)
    statement = re.compile(
        rf"{TRIVIA}(?:(?P<key>{STRING}|{_KEY}){_ARGS}(?:(?P<entry>;)|{_OPEN}|(?P<unended>(?=\}}|\Z)))|(?P<close>\}}))"
    )
    blank = re.compile(r"[ \t\r\n]*+(?:#[^\n]*+\n[ \t\r\n]*+)*+")
    alone = re.compile(rf'{TRIVIA}({_KEY})([^;{{}}"#]*+(?:(?:{STRING}|#[^\n]*+\n)[^;{{}}"#]*+)*+)')
    brace = re.compile(rf"{STRING}|#[^\n]*+|[{{}}]")
    word = re.compile(rf'({STRING})|#[^\n]*+|([^\s"#]++)')

    def cut(self, section: Node) -> list[Node]:
        if section.key == "skip":
            return []
        nodes = super().cut(section)
        last = nodes[-1].end if nodes else section.body
        tail = self.statement.match(section.tree.text, last, section.body_end)
        if tail and tail.lastgroup == "unended":
            nodes.append(self.entry(section.tree, tail, section.depth + 1))
        return nodes

    def _rest(self, section: Node, nodes: list[Node], at: int) -> None:
        found = self.statement.match(section.tree.text, at, section.body_end)
        if found and found.lastgroup == "unended":
            what = f"{found['key']!r} is not ended"
            section.tree.problems.append(
                Problem(found.start("key"), found.end("key"), what, "add the missing ';'", True)
            )
        else:
            super()._rest(section, nodes, at)

    def entry(self, tree: Document, found: re.Match[str], depth: int) -> Node:
        start, args = found.span(1)
        end = found.end()
        if found.lastgroup == "entry":
            return Node(tree, self.keyword(found[1]), start, args, end - 1, end, -1, -1, depth)
        words = self._split(tree.text, args, end)
        end = words[-1].end if words else args
        return Node(tree, self.keyword(found[1]), start, args, end, end, -1, -1, depth)

    def words(self, node: Node) -> list[Word]:
        return self._split(node.tree.text, node.args, node.args_end)

    def values(self, node: Node) -> list[str]:
        return self._texts(node.tree.text[node.args : node.args_end])

    def scan(self, section: Node) -> Scan | None:
        """Cut at `;`, `{` and `}`; where one was in quotes or a comment, `said` cannot read it."""
        if section.body < 0:
            return Scan([], [])
        if section.key == "skip" or section.depth < 0:
            return None
        outer: list[Scan] = []
        entries, sections = scan = Scan([], [])
        for closed, piece in enumerate(
            section.tree.text[section.body : section.body_end].split("}")
        ):
            if closed:
                if not outer:
                    return None
                entries, sections = scan = outer.pop()
            *heads, rest = piece.split("{")
            for part in heads:
                *before, head = part.split(";")
                entries += before
                outer.append(scan)
                scan = Scan([], [])
                sections.append((head, scan))
                entries, sections = scan
            *before, end = rest.split(";")
            entries += before
            if end.strip(" \t\r\n") and not self.blank.fullmatch(end):
                return None
        return None if outer else scan

    def said(self, entry: str) -> tuple[str, list[str]]:
        if '"' in entry or "#" in entry:
            found = self.alone.fullmatch(entry)
            if found:
                return found[1], self._texts(found[2])
        else:
            key, *words = entry.split() or ("",)
            if key and entry.lstrip(" \t\r\n").startswith(key):
                return key, words
        return super().said(entry)

    def _texts(self, raw: str) -> list[str]:
        if '"' in raw or "#" in raw:
            found = self.word.findall(raw)
            return [unquoted(text) if text else bare for text, bare in found if text or bare]
        return raw.split()

    def _split(self, text: str, start: int, end: int) -> list[Word]:
        words = []
        for found in self.word.finditer(text, start, end):
            if found.lastindex == 2:
                words.append(Word(found.group(), *found.span()))
            elif found.lastindex == 1:
                words.append(Word(unquoted(found.group()), *found.span()))
        return words

    def spell(self, name: str) -> str:
        return name.rstrip("_").replace("_", "-")

    def line(self, statement: Statement) -> str:
        return " ".join((statement.key, *statement.words)) + ";"


class LvmSyntax(BlockSyntax):
    """lvm.conf: `key = value` and `key { … }`; the value is one word, spelled as it stands.

    Example:
        >>> tree = LvmSyntax().parse('devices { filter = [ "a|/dev/drbd.*|", "r|.*|" ] }')
        >>> tree.root.children[0].children[0].values
        ['[ "a|/dev/drbd.*|", "r|.*|" ]']
    """

    name = "lvm.conf"
    _TEXT = r'"(?:[^"\\]++|\\.)*+"'
    _ITEM = rf"(?s:{_TEXT})|'[^']*+'|#[^\n]*+"
    _KEY = r"[^\s={}\[\]\"'#,]++"
    _OPEN = _opening(rf"{_TEXT}|'[^']*+'")
    _VALUE = (
        rf"\[[^\]\"'#]*+(?:(?:{_ITEM})[^\]\"'#]*+)*+\]"
        rf"|(?s:{_TEXT})|'[^']*+'|[^\s#={{}}\[\]\"']++"
    )
    statement = re.compile(
        rf"{TRIVIA}(?:(?P<key>{STRING}|{_KEY})[ \t\r\n]*+"
        rf"(?:=[ \t\r\n]*+(?P<entry>{_VALUE})|{_OPEN})|(?P<close>\}}))"
    )
    plain = re.compile(rf"{TRIVIA}(?:({_KEY})[ \t\r\n]*+=[ \t\r\n]*+({_VALUE})|([\s\S]++)|\Z)")
    """Groups: key and value of an entry; or all that cannot be read; nothing at the end."""
    brace = re.compile(rf"{_ITEM}|[{{}}]")

    def entry(self, tree: Document, found: re.Match[str], depth: int) -> Node:
        value, end = found.span(2)
        return Node(tree, self.keyword(found[1]), found.start(1), value, end, end, -1, -1, depth)

    def words(self, node: Node) -> list[Word]:
        if node.body >= 0:
            return []
        return [Word(node.tree.text[node.args : node.args_end], node.args, node.args_end)]

    def scan(self, section: Node) -> Scan | None:
        text, at, end = section.tree.text, section.body, section.body_end
        if at < 0:
            return Scan([], [])
        if text.find("{", at, end) >= 0:
            return None
        found = self.plain.findall(text, at, end)
        while found and not any(found[-1]):
            found.pop()
        return Scan(found, [])

    def said(self, entry: tuple[str, str, str]) -> tuple[str, list[str]]:
        key, value, rest = entry
        return super().said(rest) if rest else (key, [value])

    def line(self, statement: Statement) -> str:
        return f"{statement.key} = {' '.join(statement.words)}"


class CorosyncSyntax(LineSyntax):
    """corosync.conf: one thing a line, no quotes, no comment after a value.

    Example:
        >>> tree = CorosyncSyntax().parse("totem {\\n  version: 2 # two\\n}\\n")
        >>> tree.root.children[0].children[0].values
        ['2 # two']
    """

    name = "corosync.conf"
    tail = re.compile(r"[ \t]*+\r?+(?:\n|\Z)")
    _ROW = re.compile(r"[^\n]*+(?:\n|\Z)")
    _BLANK = " \t"

    def cut(self, section: Node) -> list[Node]:
        tree, at, end = section.tree, section.body, section.body_end
        if section.depth >= MAX_DEPTH:
            tree.problems.append(
                Problem(section.start, at, f"nested deeper than {MAX_DEPTH} sections", fatal=True)
            )
            return []
        nodes: list[Node] = []
        while at < end:
            stop = self._line_end(tree.text, at, end)
            row = tree.text[at:stop].removesuffix("\r").strip(self._BLANK)
            start = at + len(tree.text[at:stop]) - len(tree.text[at:stop].lstrip(self._BLANK))
            if not row or row[0] == "#":
                pass
            elif "{" in row:
                nodes.append(self._section(section, start, start + len(row), stop))
                stop = nodes[-1].end
            elif ":" in row:
                nodes.append(self._entry(section, start, start + len(row)))
            else:
                what = (
                    "a '}' that closes nothing"
                    if row == "}"
                    else f"neither a section nor 'key: value': {row[:40]!r}"
                )
                tree.problems.append(Problem(start, start + len(row), what, fatal=True))
            at = stop + 1
        return nodes

    def _line_end(self, text: str, at: int, end: int) -> int:
        stop = text.find("\n", at, end)
        return end if stop < 0 else stop

    def _entry(self, section: Node, start: int, end: int) -> Node:
        text = section.tree.text
        colon = text.index(":", start, end)
        value = colon + 1
        while value < end and text[value] in self._BLANK:
            value += 1
        key = text[start:colon].rstrip(self._BLANK)
        return Node(section.tree, key, start, value, end, end, depth=section.depth + 1)

    def _section(self, parent: Node, start: int, end: int, stop: int) -> Node:
        tree, text = parent.tree, parent.tree.text
        brace = text.index("{", start, end)
        key = text[start:brace].rstrip(self._BLANK + ":")
        if brace + 1 != end:
            tree.problems.append(
                Problem(
                    brace + 1, end, "something stands after '{'", "put it on the next line", True
                )
            )
        if not key:
            tree.problems.append(
                Problem(start, end, "a section without a name", "write it before the '{'", True)
            )
        close = self._close(text, stop + 1, parent.body_end)
        if close < 0:
            close = parent.body_end
            tree.problems.append(
                Problem(start, end, f"section {key!r} is not closed", "add a line with '}'", True)
            )
        body = min(brace + 1 if brace + 1 == end else stop, close)
        last = min(close + 1, parent.body_end)
        return Node(tree, key, start, brace, brace, last, body, close, parent.depth + 1)

    def _close(self, text: str, at: int, end: int) -> int:
        depth = 0
        while at < end:
            stop = self._line_end(text, at, end)
            row = text[at:stop].removesuffix("\r").strip(self._BLANK)
            if row[:1] == "#":
                pass
            elif "{" in row:
                depth += 1
            elif row == "}":
                if not depth:
                    return text.index("}", at, stop)
                depth -= 1
            at = stop + 1
        return -1

    def words(self, node: Node) -> list[Word]:
        if node.body >= 0:
            return []
        return [Word(node.tree.text[node.args : node.args_end], node.args, node.args_end)]

    def lines(self, statement: Statement, indent: str, unit: str) -> list[str]:
        if statement.children is None:
            return [f"{indent}{statement.key}: {' '.join(statement.words)}"]
        inside = [
            row for child in statement.children for row in self.lines(child, indent + unit, unit)
        ]
        return [f"{indent}{statement.key} {{", *inside, f"{indent}}}"]
