"""A lock on a node, which keeps two controllers from changing it at the same time.

It is a symbolic link to nowhere, whose target says who has it: making one is a single call of the
kernel that fails if it exists (symlink(2)), so nobody sees a lock without an owner. It outlives a
restart of the node, as the work that it protects may go on after that.
"""

from __future__ import annotations

from clusternas.core.command import Command, Output, operand

__all__ = ["LOCK", "RELEASE", "TAKE", "release_lock", "take_lock"]

LOCK = "/var/lib/clusternas.lock"

# Arguments: PATH OWNER. Output: who has it now. 74 if it cannot be made and is not there.
TAKE = r"""
ln -sT -- "$2" "$1" 2>/dev/null || [ -L "$1" ] || { echo "$1 cannot be made" >&2; exit 74; }
readlink -- "$1"
""".strip()

# Arguments: PATH OWNER. Removes the link if it is that owner's.
RELEASE = r"""
[ "$(readlink -- "$1")" != "$2" ] || rm -f -- "$1"
""".strip()


def take_lock(owner: str, path: str = LOCK) -> Command[str]:
    """Take the lock unless somebody has it; the value is who has it now.

    Example:
        >>> str(take_lock("root@desk:4711"))
        'lock /var/lib/clusternas.lock'
    """
    argv = ("sh", "-c", TAKE, "lock", path, operand(owner, "owner"))
    return Command(argv, _owner, title=f"lock {path}")


def release_lock(owner: str, path: str = LOCK) -> Command[str]:
    """Give the lock back; somebody else's stays."""
    argv = ("sh", "-c", RELEASE, "unlock", path, operand(owner, "owner"))
    return Command(argv, _owner, title=f"unlock {path}")


def _owner(output: Output) -> str:
    return output.text.strip()
