"""testparm: smb.conf as Samba understands it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusternas.testing.shell import Answer, Exit, Tool, has, options, said
from clusternas.testing.tools.samba import CONF, config

if TYPE_CHECKING:
    from clusternas.testing.node import FakeNode

__all__ = ["TOOLS"]

SHARE = set(
    """comment path browseable printable printing available administrative_share
    read_only guest_ok guest_only valid_users invalid_users read_list write_list admin_users
    create_mask directory_mask force_user force_group force_create_mode force_directory_mode
    vfs_objects posix_locking locking strict_locking oplocks level2_oplocks kernel_oplocks
    kernel_share_modes hide_dot_files veto_files map_archive store_dos_attributes""".split()
)
"""What is set for a share; in [global] it is the shares' default, and listed last."""
DEFAULTS = {
    "workgroup": "workgroup",
    "browseable": "yes",
    "available": "yes",
    "read only": "yes",
    "guest ok": "no",
    "printable": "no",
    "clustering": "no",
    "posix locking": "yes",
    "load printers": "yes",
    "disable spoolss": "no",
    "security": "auto",
}
UNSEEN = {"log level"}
"""testparm sets its own."""
WORDS = {"yes": "Yes", "no": "No", "user": "USER", "bad user": "Bad User"}
KEPT = {"comment", "path", "valid users", "server string", "vfs objects"}
IDMAP = ("idmap config * : backend", "tdb")


def testparm(node: FakeNode, args: tuple[str, ...], _stdin: bytes) -> Answer:
    """testparm -s: what is not the default, in Samba's own order and spelling."""
    given, operands = options(
        args, "svlt:", ["suppress-prompt", "section-name=", "parameter-name=", "verbose"]
    )
    path = operands[0] if operands else CONF
    if node.files.follow(path) is None:
        raise Exit(1, f"Load smb config files from {path}\nError loading services.")
    sections = config(node)
    if "parameter-name" in given:
        place = sections.get(given.get("section-name", "global").lower(), {})
        return f"{place.get(given['parameter-name'].lower(), '')}\n"
    rows = ["# Global parameters\n[global]\n", *global_rows(node, sections["global"])]
    for section, settings in sections.items():
        if section != "global":
            rows.append(f"\n\n[{section}]\n")
            rows += [row(*item) for item in sorted(shown(node, settings))]
    weak = (
        "Weak crypto is allowed by GnuTLS (e.g. NTLM as a compatibility fallback)\n\n"
        if node.cluster.toolset.has("samba", since="4.12")
        else ""
    )
    head = f"Load smb config files from {path}\nLoaded services file OK.\n"
    return said("".join(rows), f"{head}{weak}Server role: ROLE_STANDALONE\n\n")


def global_rows(node: FakeNode, settings: dict[str, str]) -> list[str]:
    """Global settings, those of modules, and defaults for all shares, each in order."""
    found = sorted(shown(node, settings))
    modules = [item for item in found if ":" in item[0]]
    if node.cluster.toolset.has("samba", since="3.6"):
        modules = sorted({*modules, IDMAP})
    shares = [item for item in found if item[0].replace(" ", "_") in SHARE]
    rest = [item for item in found if item not in modules and item not in shares]
    return [row(*item) for item in (*rest, *modules, *shares)]


def shown(node: FakeNode, settings: dict[str, str]) -> list[tuple[str, str]]:
    """What is not as it is anyway; a server is called as its host."""
    normal = {**DEFAULTS, "netbios name": node.name}
    return [
        (name, value)
        for name, value in settings.items()
        if name not in UNSEEN and normal.get(name) != value.lower()
    ]


def row(name: str, value: str) -> str:
    """A setting in testparm's spelling."""
    known = value if name in KEPT else WORDS.get(value.lower(), value)
    return f"\t{name} = {known}\n"


TOOLS = {"testparm": Tool(testparm, has("samba"))}
