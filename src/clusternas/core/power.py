"""Restarting a machine, and telling whether it has restarted."""

from __future__ import annotations

from clusternas.core.command import Command, Effect, Output, text
from clusternas.core.errors import ParseError, ValidationError

__all__ = ["BOOT_ID", "boot_id", "reboot"]

BOOT_ID = "/proc/sys/kernel/random/boot_id"
"""Another text after every start of the kernel; random(4)."""
REBOOT = {"systemd": ("systemctl", "reboot"), "sysv": ("shutdown", "-r", "now")}


def boot_id() -> Command[str]:
    """What tells this start of the machine from the one before."""
    return Command(("cat", BOOT_ID), _line, effect=Effect.READ, timeout=30)


def reboot(init: str = "systemd") -> Command[str]:
    """Restart the machine in good order. The connection may break before it is answered.

    Example:
        >>> reboot("sysv").shell()
        'shutdown -r now'
    """
    if init not in REBOOT:
        raise ValidationError(f"unknown init {init!r}", hint="write systemd or sysv")
    return Command(REBOOT[init], text, timeout=60)


def _line(output: Output) -> str:
    found = output.text.strip()
    if not found:
        raise ParseError(f"{BOOT_ID} is empty")
    return found
