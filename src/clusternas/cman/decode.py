"""From what the tools of cman print to status values.

The forms are those of the printf calls: cman/cman_tool/main.c, rgmanager/src/utils/clustat.c,
fence/fence_tool/fence_tool.c, group/tool/main.c, config/tools/ccs_tool.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import zip_longest

import attrs

from clusternas.cman.status import (
    ClusterNodeState,
    ClusterState,
    CmanNode,
    CmanStatus,
    CmanVersion,
    ConfiguredFence,
    ConfiguredNode,
    FenceDomain,
    FenceDomainNode,
    Group,
    Membership,
    ServiceGroup,
)
from clusternas.core.command import Output
from clusternas.core.errors import ParseError
from clusternas.core.syntax.tree import Node
from clusternas.core.syntax.xml import XmlSyntax

__all__ = [
    "decode_clustat",
    "decode_fence_domain",
    "decode_fences",
    "decode_groups",
    "decode_node_table",
    "decode_nodes",
    "decode_nodes_conf",
    "decode_status",
    "decode_version",
]


def decode_status(output: Output) -> CmanStatus:
    """Read `cman_tool status`.

    Raises:
        ParseError: it does not say version, configuration or cluster.
    """
    found = _pairs(output.text)
    quorum = found.pop("Quorum", "0 unknown").split(None, 1)
    return CmanStatus(
        version=_need(found, "Version"),
        config_version=_int(_need(found, "Config Version")),
        cluster_name=_need(found, "Cluster Name"),
        cluster_id=_int(_need(found, "Cluster Id")),
        membership_state=found.pop("Membership state", ""),
        nodes=_int(found.pop("Nodes", "0")),
        expected_votes=_int(found.pop("Expected votes", "0")),
        total_votes=_int(found.pop("Total votes", "0")),
        quorum=_int(quorum[0]),
        quorate=len(quorum) == 1,
        flags=frozenset(found.pop("Flags", "").split()),
        ports=tuple(map(_int, found.pop("Ports Bound", "").split())),
        node_name=found.pop("Node name", ""),
        node_id=_int(found.pop("Node ID", "0")),
        multicast_addresses=tuple(found.pop("Multicast addresses", "").split()),
        node_addresses=tuple(found.pop("Node addresses", "").split()),
        disallowed=tuple(found.pop("Disallowed nodes", "").split()),
        extra=found,
    )


def decode_nodes(output: Output) -> tuple[CmanNode, ...]:
    """Read `cman_tool nodes -F id,type,votes,exp,state,name,addr`.

    Raises:
        ParseError: a row has other columns.
    """
    return tuple(_node_row(row) for row in _rows(output.text))


def decode_node_table(output: Output) -> tuple[CmanNode, ...]:
    """Read `cman_tool nodes`, with or without `-a`: the table for people.

    Raises:
        ParseError: a row is not one of the table.
    """
    found: list[CmanNode] = []
    for row in _rows(output.text):
        if row.startswith("Node "):
            continue
        if row.strip().startswith("Addresses:") and found:
            found[-1] = attrs.evolve(found[-1], addresses=tuple(row.split()[1:]))
            continue
        cells = NODE.fullmatch(row)
        if cells is None:
            raise _strange(row, "cman_tool nodes")
        membership = Membership(cells[2])
        joined = (cells[3] or "").strip()
        found.append(
            CmanNode(id=int(cells[1]), name=cells[4], membership=membership, joined=joined)
        )
    return tuple(found)


NODE = re.compile(r"\s*(\d+)\s+([MXd?])\s+\d+\s+(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)?\s*(\S+)\s*")


def decode_version(output: Output) -> CmanVersion:
    """Read `cman_tool version`: `6.2.0 config 42`.

    Raises:
        ParseError: it says something else.
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)*) config (\d+)\s*", output.text)
    if found is None:
        raise _strange(output.text, "cman_tool version")
    return CmanVersion(version=found[1], config_version=int(found[2]))


def decode_clustat(output: Output) -> ClusterState:
    """Read `clustat -x`. It does not escape names, so it need not be well-formed.

    Raises:
        ParseError: there is no `<clustat>` with a cluster in it.
    """
    top = [node for node in XmlSyntax().parse(output.text).root.children if node.key == "clustat"]
    parts = {node.key: node for root in top for node in root.children}
    if "cluster" not in parts:
        raise _strange(output.text, "clustat -x")
    cluster = _attributes(parts["cluster"])
    nodes = [_cluster_node(values) for values in _inside(parts, "nodes")]
    groups = [_service(values) for values in _inside(parts, "groups")]
    quorum = _attributes(parts["quorum"]) if "quorum" in parts else {}
    return ClusterState(
        name=cluster.get("name", ""),
        id=_int(cluster.get("id", "0")),
        quorate=quorum.get("quorate") == "1",
        nodes={node.name: node for node in nodes},
        services={group.name: group for group in groups},
    )


def decode_fence_domain(output: Output) -> FenceDomain:
    """Read `fence_tool ls`, with or without `-n`.

    Raises:
        ParseError: it does not begin with `fence domain`.
    """
    rows = _rows(output.text)
    if not rows or rows[0].strip() != "fence domain":
        raise _strange(output.text, "fence_tool ls")
    known = {key: value.strip() for key, value in FENCE.findall(output.text)}
    nodes = [_fence_node(row) for row in rows if row.startswith("nodeid ")]
    return FenceDomain(
        members=tuple(map(_int, known.get("members", "").split())),
        victims=_int(known.get("victim count", "0")),
        victim_now=_int(known.get("victim now", "0")),
        master=_int(known.get("master nodeid", "0")),
        wait_state=known.get("wait state", ""),
        nodes={node.id: node for node in nodes},
    )


FENCE = re.compile(
    r"^(members|victim count|victim now|master nodeid|wait state)[ \t]*([^\n]*)$", re.MULTILINE
)
FENCE_NODE = re.compile(
    r"nodeid (\d+) member (\d+) victim (\d+) last fence master (\d+) how (\S+)\s*"
)


def decode_groups(output: Output) -> tuple[Group, ...]:
    """Read `group_tool ls` or `cman_tool services`, in the form of RHEL 5 or of 3.x.

    Raises:
        ParseError: a line fits neither form.
    """
    rows = _rows(output.text)
    if rows and rows[0].split()[:2] == ["type", "level"]:
        return tuple(_groups_of_rows(rows[1:]))
    return tuple(_groups_of_blocks(rows))


KINDS = {"fence domain": "fence", "dlm lockspaces": "dlm", "gfs mountgroups": "gfs"}


def decode_nodes_conf(output: Output) -> tuple[ConfiguredNode, ...]:
    """Read `ccs_tool lsnode`. Its header does not line up with its rows.

    Raises:
        ParseError: there is no header.
    """
    head, mark, table = output.text.partition("Nodename ")
    if not mark:
        raise _strange(head, "ccs_tool lsnode")
    found = [CONF_NODE.fullmatch(row) for row in _rows(table)[1:]]
    return tuple(
        ConfiguredNode(name=row[1], votes=int(row[2]), id=int(row[3]), fence=row[4].strip())
        for row in found
        if row
    )


CONF_NODE = re.compile(r"(\S+)\s+(\d+)\s+(\d+)(.*)")


def decode_fences(output: Output) -> tuple[ConfiguredFence, ...]:
    """Read `ccs_tool lsfence`.

    Raises:
        ParseError: there is no header.
    """
    rows = _rows(output.text)
    if not rows or rows[0].split() != ["Name", "Agent"]:
        raise _strange(output.text, "ccs_tool lsfence")
    pairs = [row.split() for row in rows[1:] if not row.startswith(" ")]
    return tuple(ConfiguredFence(name=pair[0], agent=pair[1]) for pair in pairs if len(pair) == 2)


def _strange(text: str, tool: str) -> ParseError:
    return ParseError(f"not the output of {tool}: {text.strip()[:60]!r}")


def _int(word: str) -> int:
    try:
        return int(word, 0) if word.startswith("0x") else int(word)
    except ValueError:
        raise ParseError(f"not a number: {word[:40]!r}") from None


def _pairs(text: str) -> dict[str, str]:
    split = (row.partition(":") for row in text.split("\n"))
    return {key.strip(): value.strip() for key, mark, value in split if mark}


def _need(found: dict[str, str], key: str) -> str:
    if key not in found:
        raise ParseError(f"cman_tool status does not say {key!r}")
    return found.pop(key)


def _rows(text: str) -> list[str]:
    rows = [row.rstrip() for row in text.split("\n")]
    notes = ("NOTE: There are", "      members list may")
    return [row for row in rows if row and not row.startswith(notes)]


def _node_row(row: str) -> CmanNode:
    cells = row.split()
    if len(cells) not in (6, 7) or cells[1] not in set(Membership):
        raise _strange(row, "cman_tool nodes -F")
    return CmanNode(
        id=_int(cells[0]),
        membership=Membership(cells[1]),
        votes=_int(cells[2]),
        expected_votes=_int(cells[3]),
        state=cells[4],
        name=cells[5],
        addresses=tuple(cells[6].split(",")) if len(cells) == 7 else (),
    )


def _attributes(node: Node) -> dict[str, str]:
    return {child.key[1:]: child.values[0] for child in node.children if child.body < 0}


def _inside(parts: dict[str, Node], key: str) -> list[dict[str, str]]:
    children = parts[key].children if key in parts else []
    return [_attributes(child) for child in children if child.body >= 0]


def _cluster_node(values: dict[str, str]) -> ClusterNodeState:
    return ClusterNodeState(
        name=values.get("name", ""),
        id=_int(values.get("nodeid", "0")),
        online=values.get("state") == "1",
        local=values.get("local") == "1",
        estranged=values.get("estranged") == "1",
        rgmanager=values.get("rgmanager") == "1",
        quorum_disk=values.get("qdisk") == "1",
    )


def _service(values: dict[str, str]) -> ServiceGroup:
    return ServiceGroup(
        name=values.get("name", ""),
        state=values.get("state_str", ""),
        owner=values.get("owner", ""),
        last_owner=values.get("last_owner", ""),
        flags=values.get("flags_str", "").strip(),
        restarts=_int(values.get("restarts", "0")),
    )


def _fence_node(row: str) -> FenceDomainNode:
    found = FENCE_NODE.fullmatch(row)
    if found is None:
        raise _strange(row, "fence_tool ls -n")
    return FenceDomainNode(
        id=int(found[1]),
        member=found[2] == "1",
        victim=found[3] == "1",
        last_master=int(found[4]),
        how=found[5],
    )


def _groups_of_rows(rows: list[str]) -> Iterator[Group]:
    for row, members in zip_longest(rows[::2], rows[1::2], fillvalue=""):
        cells = row.split()
        if len(cells) != 5 or not re.fullmatch(r"\[[\d ]*\]", members):
            raise _strange(row, "group_tool")
        ids = tuple(map(int, members.strip("[]").split()))
        yield Group(kind=cells[0], name=cells[2], members=ids, state=cells[4])


def _groups_of_blocks(rows: list[str]) -> Iterator[Group]:
    """Blocks that begin with `name`; the fence domain has no name and is called `default`."""
    blocks: list[dict[str, str]] = []
    kind = ""
    for row in rows:
        if row in KINDS:
            kind = KINDS[row]
        if row == "fence domain" or (kind and row.startswith("name ")):
            blocks.append({"kind": kind, "name": row.removeprefix("name ").strip()})
        elif blocks and row not in KINDS:
            blocks[-1].update(
                {label: row[len(label) :].strip() for label in LABELS if row.startswith(label)}
            )
        elif not kind:
            raise _strange(row, "group_tool ls")
    for block in blocks:
        state = block.get("wait state") or block.get("new status", "")
        ids = tuple(map(_int, block.get("members", "").split()))
        name = "default" if block["kind"] == "fence" else block["name"]
        yield Group(kind=block["kind"], name=name, members=ids, state=state)


LABELS = ("members", "wait state", "new status")
