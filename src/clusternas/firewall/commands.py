"""The commands of nftables, firewalld and iptables."""

from __future__ import annotations

from clusternas.core.command import Command, Effect, absolute, operand, text

__all__ = [
    "firewalld_new_service",
    "firewalld_reload",
    "iptables_restore",
    "nft_check",
    "nft_list",
    "nft_load",
]

WAIT = 30.0


def nft_check(script: str) -> Command[str]:
    """Let nft judge a script; it loads nothing, but wants to be root."""
    return Command(
        ("nft", "-c", "-f", "-"), text, stdin=script.encode(), effect=Effect.READ, timeout=WAIT
    )


def nft_load(path: str) -> Command[str]:
    """Load a script: all of it, or nothing."""
    return Command(("nft", "-f", absolute(path)), text, timeout=WAIT)


def nft_list() -> Command[str]:
    """All tables, as JSON."""
    return Command(("nft", "-j", "list", "ruleset"), text, effect=Effect.READ, timeout=WAIT)


def iptables_restore(rules: str, *, check: bool = False, version: int = 4) -> Command[str]:
    """Load rules in place of all others, or with `check` only judge them."""
    tool = "iptables-restore" if version == 4 else "ip6tables-restore"
    return Command(
        (tool, *(("--test",) if check else ())),
        text,
        stdin=rules.encode(),
        effect=Effect.READ if check else Effect.CHANGE,
        timeout=WAIT,
    )


def firewalld_new_service(name: str, path: str) -> Command[str]:
    """Make a service of a file that `firewalld_service` rendered; known after a reload."""
    file = f"--new-service-from-file={absolute(path)}"
    named = f"--name={operand(name, 'service')}"
    return Command(("firewall-cmd", "--permanent", file, named), text, timeout=WAIT)


def firewalld_reload() -> Command[str]:
    """Bring what is permanent into effect."""
    return Command(("firewall-cmd", "--reload"), text, timeout=WAIT)
