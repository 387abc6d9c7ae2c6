"""From what corosync's tools and dlm_tool print to status values.

The forms are those recorded from corosync 3.1.7 and dlm 4.2.0, and of the printf calls of
corosync 2: tools/corosync-quorumtool.c, tools/corosync-cfgtool.c.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from clusternas.core.command import Output
from clusternas.core.errors import ParseError
from clusternas.corosync.status import (
    ConfigCheck,
    DlmFencing,
    DlmNode,
    DlmSetting,
    DlmStatus,
    Link,
    Links,
    Lockspace,
    Peer,
    PeerLink,
    QuorumMember,
    QuorumStatus,
)

__all__ = [
    "decode_check",
    "decode_cmap",
    "decode_dlm_config",
    "decode_dlm_status",
    "decode_links",
    "decode_lockspaces",
    "decode_peers",
    "decode_quorum",
    "decode_version",
]

MEMBER = re.compile(
    r"\s*(?P<id>\d+|0x[0-9a-f]+)\s+(?P<votes>\d+)?"
    r"(?:\s+(?P<qdevice>N?A,N?V,N?MW|NR)(?=\s))?\s*(?P<name>\S*)(?P<local> \(local\))?.*"
)
PLAIN_MEMBER = re.compile(
    r"\s*(?P<id>\d+|0x[0-9a-f]+)(?P<votes>)(?P<qdevice>)\s+(?P<name>\S*)(?P<local> \(local\))?.*"
)
LINK = re.compile(r"(?:LINK|RING) ID (?P<id>\d+)(?: (?P<transport>\S+))?\s*")
LINK_FIELD = re.compile(r"\s+(addr|id|status)\s*= ?(.*)")
LINK_NODE = re.compile(r"\s+nodeid:\s*(\d+):\s*(\S+)\s*")
PEER = re.compile(r"nodeid: (\d+) (reachable|unreachable)\b.*")
PEER_LINK = re.compile(
    r"\s+LINK: (?P<id>\d+) (?P<transport>\S+) \((?P<local>\S*?)->(?P<remote>\S*?)\)"
    r"(?P<words>[a-z ]*?)(?: mtu: (?P<mtu>\d+))?\s*"
)
CMAP = re.compile(r"(\S+) \((\w+)\) = (.*)")
DLM_FIELD = re.compile(r"(name|id|flags|change|members|new change|new status|new members)\b *(.*)")
DLM_NODE = re.compile(
    r"node (\d+) ([MX]) add (\d+) rem (\d+) fail (\d+) fence (\d+) at (\d+) (\d+).*"
)
DLM_HEAD = re.compile(r"cluster nodeid (\d+) quorate (\d+) .*")
DLM_FENCE = re.compile(r"fence (\d+) (.*?) pid (-?\d+) actor (\d+).*")


def decode_version(output: Output) -> str:
    """Read `corosync -v`.

    Raises:
        ParseError: it names no version.
    """
    found = re.search(r"version '([0-9][^']*)'", output.text)
    if found is None:
        raise _strange(output.text, "corosync -v")
    return found[1]


def decode_check(output: Output) -> ConfigCheck:
    """Read `corosync -t`: the exit code decides, the words are for people."""
    message = output.error_text.strip() or output.text.strip()
    return ConfigCheck(ok=output.exit_code == 0, message="" if output.exit_code == 0 else message)


def decode_quorum(output: Output) -> QuorumStatus:
    """Read `corosync-quorumtool -s`, with or without `-p`.

    Raises:
        ParseError: it is not that.
    """
    head, _, table = output.text.partition("Membership information")
    found = {key.strip(): value.strip() for key, value in re.findall(r"^(.*?):(.*)$", head, re.M)}
    if "Quorum provider" not in found:
        raise _strange(output.text, "corosync-quorumtool -s")
    members = {member.id: member for member in _members(table)}
    return QuorumStatus(
        provider=found.pop("Quorum provider"),
        nodes=_int(found.pop("Nodes", "0")),
        node_id=_int(found.pop("Node ID", "0")),
        ring_id=found.pop("Ring ID", ""),
        quorate=found.pop("Quorate", "") == "Yes",
        expected_votes=_int(found.pop("Expected votes", "0")),
        highest_expected=_int(found.pop("Highest expected", "0")),
        total_votes=_int(found.pop("Total votes", "0")),
        quorum=_int(found.pop("Quorum", "0").split()[0]),
        flags=frozenset(found.pop("Flags", "").split()),
        members=members,
        extra=found,
    )


def _members(table: str) -> Iterator[QuorumMember]:
    rows = [row for row in table.split("\n") if row.strip(" -")]
    if not rows:
        return
    pattern = MEMBER if "Votes" in rows[0] else PLAIN_MEMBER
    for row in rows[1:]:
        found = pattern.fullmatch(row)
        if found is None:
            raise _strange(row, "corosync-quorumtool -s")
        yield QuorumMember(
            id=_int(found["id"]),
            name=found["name"],
            votes=_int(found["votes"]) if found["votes"] else None,
            local=bool(found["local"]),
            qdevice=found["qdevice"] or "",
        )


def decode_links(output: Output) -> Links:
    """Read `corosync-cfgtool -s` of 2.x and 3.x.

    Raises:
        ParseError: it does not say which node this is, or nothing of a link.
    """
    head = re.search(r"^Local node ID (\d+)(?:, transport (\S+))?", output.text, re.M)
    parts = re.split(r"^(?=(?:LINK|RING) ID )", output.text, flags=re.M)[1:]
    if head is None:
        raise _strange(output.text, "corosync-cfgtool -s")
    links = [_link(part) for part in parts]
    return Links(
        node_id=int(head[1]), transport=head[2] or "", links={link.id: link for link in links}
    )


def _link(part: str) -> Link:
    rows = part.split("\n")
    head = LINK.fullmatch(rows[0])
    if head is None:
        raise _strange(rows[0], "corosync-cfgtool -s")
    fields = {found[1]: found[2].strip() for row in rows if (found := LINK_FIELD.fullmatch(row))}
    nodes = {int(found[1]): found[2] for row in rows if (found := LINK_NODE.fullmatch(row))}
    return Link(
        id=int(head["id"]),
        transport=head["transport"] or "",
        address=fields.get("addr") or fields.get("id", ""),
        nodes=nodes,
        detail=fields.get("status", ""),
    )


def decode_peers(output: Output) -> Mapping[int, Peer]:
    """Read `corosync-cfgtool -n`, 3.1 and later: nodes by id.

    Raises:
        ParseError: a line is not one of it.
    """
    found: dict[int, tuple[bool, list[PeerLink]]] = {}
    links: list[PeerLink] = []
    for row in output.text.split("\n"):
        if peer := PEER.fullmatch(row):
            links = []
            found[int(peer[1])] = (peer[2] == "reachable", links)
        elif link := PEER_LINK.fullmatch(row):
            links.append(_peer_link(link))
        elif row.strip() and not row.startswith("Local node ID"):
            raise _strange(row, "corosync-cfgtool -n")
    return {
        node: Peer(id=node, reachable=reachable, links=tuple(its))
        for node, (reachable, its) in found.items()
    }


def _peer_link(found: re.Match[str]) -> PeerLink:
    words = found["words"].split()
    return PeerLink(
        id=int(found["id"]),
        transport=found["transport"],
        local=found["local"],
        remote=found["remote"],
        enabled="enabled" in words,
        connected="connected" in words,
        mtu=int(found["mtu"] or 0),
    )


def decode_cmap(output: Output) -> Mapping[str, str | int | float]:
    """Read `corosync-cmapctl`: numbers as numbers, all else as it is printed.

    Raises:
        ParseError: a line is not `key (type) = value`.
    """
    found: dict[str, str | int | float] = {}
    for row in filter(None, output.text.split("\n")):
        entry = CMAP.fullmatch(row)
        if entry is None:
            raise _strange(row, "corosync-cmapctl")
        found[entry[1]] = _cmap_value(entry[2], entry[3])
    return found


def _cmap_value(kind: str, value: str) -> str | int | float:
    if kind in ("flt", "dbl"):
        return float(value)
    return _int(value) if kind[0] in "iu" else value


def decode_lockspaces(output: Output) -> Mapping[str, Lockspace]:
    """Read `dlm_tool ls`, with or without `-n`; nothing printed means no lockspace.

    Raises:
        ParseError: it is something else.
    """
    if not output.text.strip():
        return {}
    head, *blocks = re.split(r"^(?=name )", output.text, flags=re.M)
    if head.strip() != "dlm lockspaces":
        raise _strange(output.text, "dlm_tool ls")
    return {space.name: space for space in map(_lockspace, blocks)}


def _lockspace(block: str) -> Lockspace:
    rows = (DLM_FIELD.fullmatch(row) for row in block.split("\n"))
    found = {row[1]: row[2].strip() for row in rows if row}
    return Lockspace(
        name=found["name"],
        id=_int(found.get("id", "0")),
        flags=frozenset(found.get("flags", "").split()[1:]),
        members=_ids(found.get("members", "")),
        change=found.get("change", ""),
        waiting=found.get("new status", ""),
        new_members=_ids(found.get("new members", "")),
    )


def decode_dlm_status(output: Output) -> DlmStatus:
    """Read `dlm_tool status`.

    Raises:
        ParseError: it is something else.
    """
    if output.text.startswith("cannot connect"):
        return DlmStatus(running=False)
    head = DLM_HEAD.match(output.text)
    if head is None:
        raise _strange(output.text, "dlm_tool status")
    rows = output.text.split("\n")
    nodes = [_dlm_node(found) for row in rows if (found := DLM_NODE.fullmatch(row))]
    fencing = tuple(
        DlmFencing(node=int(found[1]), reason=found[2], pid=int(found[3]), actor=int(found[4]))
        for row in rows
        if (found := DLM_FENCE.fullmatch(row))
    )
    return DlmStatus(
        running=True,
        node_id=int(head[1]),
        quorate=head[2] == "1",
        fencing=fencing,
        nodes={node.id: node for node in nodes},
    )


def _dlm_node(found: re.Match[str]) -> DlmNode:
    added, removed, failed, fenced, by, at = map(int, found.groups()[2:])
    return DlmNode(
        id=int(found[1]),
        member=found[2] == "M",
        added=added,
        removed=removed,
        failed=failed,
        fenced=fenced,
        fenced_by=by,
        fenced_at=at,
    )


def decode_dlm_config(output: Output) -> Mapping[str, DlmSetting]:
    """Read `dlm_tool dump_config`; empty where dlm_controld does not run.

    Raises:
        ParseError: a line is not `setting=value`.
    """
    found: dict[str, DlmSetting] = {}
    for row in filter(str.strip, output.text.split("\n")):
        entry = re.fullmatch(r"(\w+)=(\S*)(?: \((.*)\))?\s*", row)
        if entry is None:
            raise _strange(row, "dlm_tool dump_config")
        found[entry[1]] = DlmSetting(value=entry[2], source=entry[3] or "")
    return found


def _strange(text: str, tool: str) -> ParseError:
    return ParseError(f"not the output of {tool}: {text.strip()[:60]!r}")


def _int(word: str) -> int:
    try:
        return int(word, 0) if word.startswith("0x") else int(word)
    except ValueError:
        raise ParseError(f"not a number: {word[:40]!r}") from None


def _ids(words: str) -> tuple[int, ...]:
    return tuple(map(_int, words.split()))
