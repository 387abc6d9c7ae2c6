"""`net conf`: Samba's configuration in the registry, one for all nodes where CTDB runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from clusternas.testing.shell import Answer, Exit, Tool, has
from clusternas.testing.tools.samba import clustered, keeper

if TYPE_CHECKING:
    from clusternas.testing.node import FakeNode

__all__ = ["TOOLS"]

REGISTRY = "/var/lib/samba/registry.fake"
Sections: TypeAlias = dict[str, dict[str, str]]


def net(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """`net conf SUBCOMMAND`, and `net cache flush`; a clustered Samba asks ctdbd for both."""
    if clustered(node) and "ctdb" not in node.running:
        raise Exit(1, "Unable to initialize messaging context!")
    if args == ("cache", "flush"):
        return ""
    words = [arg for arg in args if arg != "--"]
    action = ACTIONS.get(words[1]) if words[:1] == ["conf"] and len(words) > 1 else None
    if action is None:
        raise Exit(255, f"Invalid command: net {' '.join(words[:2])}")
    store = keeper(node).files
    sections = parse(store.text(REGISTRY))
    said_so = action(sections, words[2:])
    store.write(REGISTRY, text(sections), mode=0o600)
    return said_so


def parse(content: str) -> Sections:
    """The sections as `net conf list` prints them."""
    sections: Sections = {}
    for line in content.splitlines():
        if line.startswith("["):
            sections[line[1:-1]] = {}
        elif "=" in line:
            name, _, value = line.strip().partition(" = ")
            sections[list(sections)[-1]][name] = value
    return sections


def text(sections: Sections) -> str:
    """`net conf list`."""
    parts = []
    for name, settings in sections.items():
        rows = "".join(f"\t{key} = {value}\n" for key, value in settings.items())
        parts.append(f"[{name}]\n{rows}\n")
    return "".join(parts)


def section(sections: Sections, name: str) -> dict[str, str]:
    """A section that must be there."""
    if name not in sections:
        raise Exit(255, f"share {name} does not exist")
    return sections[name]


def show(sections: Sections, _words: list[str]) -> str:
    """net conf list."""
    return text(sections)


def names(sections: Sections, _words: list[str]) -> str:
    """net conf listshares."""
    return "".join(f"{name}\n" for name in sections)


def get(sections: Sections, words: list[str]) -> str:
    """net conf getparm SECTION PARAMETER."""
    found = section(sections, words[0]).get(words[1].lower())
    if found is None:
        raise Exit(255, f"Error: given parameter '{words[1]}' has not been set.")
    return f"{found}\n"


def put(sections: Sections, words: list[str]) -> str:
    """net conf setparm SECTION PARAMETER VALUE."""
    sections.setdefault(words[0], {})[words[1].lower()] = words[2]
    return ""


def drop(sections: Sections, words: list[str]) -> str:
    """net conf delparm SECTION PARAMETER."""
    get(sections, words)
    del sections[words[0]][words[1].lower()]
    return ""


def add_share(sections: Sections, words: list[str]) -> str:
    """net conf addshare NAME PATH [writeable=…] [guest_ok=…] [COMMENT]."""
    if words[0] in sections:
        raise Exit(255, f"ERROR: share {words[0]} already exists.")
    given = dict(word.split("=", 1) for word in words[2:] if "=" in word)
    read_only = "no" if given.get("writeable") == "y" else "yes"
    settings = {"path": words[1], "read only": read_only}
    settings["guest ok"] = "yes" if given.get("guest_ok") == "y" else "no"
    comment = [word for word in words[2:] if "=" not in word]
    sections[words[0]] = {**settings, **({"comment": comment[0]} if comment else {})}
    return ""


def drop_share(sections: Sections, words: list[str]) -> str:
    """net conf delshare NAME."""
    section(sections, words[0])
    del sections[words[0]]
    return ""


ACTIONS: dict[str, Callable[[Sections, list[str]], str]] = {
    "list": show,
    "listshares": names,
    "getparm": get,
    "setparm": put,
    "delparm": drop,
    "addshare": add_share,
    "delshare": drop_share,
}
TOOLS = {"net": Tool(net, has("samba"))}
