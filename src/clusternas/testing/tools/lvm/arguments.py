"""Command lines of LVM: options by their long names, sizes, identifiers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusternas.testing.blocks import VolumeGroup
from clusternas.testing.shell import Exit, options

if TYPE_CHECKING:
    from clusternas.testing.node import FakeNode

__all__ = ["lvm_uuid", "parse", "wanted"]

UNITS = {"b": 1, "s": 512, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
SHORT = "yfqvtn:L:l:W:Z:a:c:s:K"
LONG = """yes force quiet verbose test name= size= extents= wipesignatures= zero= activate=
clustered= shared lock-start lockstart lock-stop lockstop locktype= lockopt= config= resizefs
metadatasize= dataalignment= physicalextentsize= refresh addtag= nolocking sysinit""".split()
SAME = {
    name: other
    for name, _, other in (
        pair.partition("=")
        for pair in """lockstart=lock-start lockstop=lock-stop n=name L=size l=extents a=activate
    c=clustered y=yes W=wipesignatures f=force""".split()
    )
}


def parse(args: tuple[str, ...], tool: str) -> tuple[dict[str, str], list[str]]:
    """Options by their long names, and operands."""
    repeated = [arg for arg in args if arg == "-ff"]
    try:
        given, operands = options([arg for arg in args if arg != "-ff"], SHORT, LONG)
    except Exit as error:
        raise Exit(
            3, f"  {error.output.error_text}  Run `{tool} --help' for more information."
        ) from None
    found = {SAME.get(name, name): value for name, value in given.items()}
    return (found | {"force": "ff"} if repeated else found), operands


def lvm_uuid(node: FakeNode) -> str:
    """An identifier as LVM writes it."""
    letters = [LETTERS[node.cluster.number(8) % len(LETTERS)] for _ in range(32)]
    text = "".join(letters)
    return "-".join(
        (text[:6], text[6:10], text[10:14], text[14:18], text[18:22], text[22:26], text[26:])
    )


def size_in_extents(group: VolumeGroup, text: str) -> int:
    """Extents for a size such as 900M, rounded up; megabytes without a unit."""
    unit = UNITS.get(text[-1].lower())
    size = float(text[:-1]) * unit if unit else float(text) * UNITS["m"]
    return -(-round(size) // group.extent_size)


def wanted(group: VolumeGroup, given: dict[str, str], base: int) -> int:
    """Extents asked for by -L or -l, relative to `base` with a plus sign."""
    if "size" in given:
        text = given["size"]
        return (base if text[0] == "+" else 0) + size_in_extents(group, text.lstrip("+"))
    text = given.get("extents", "")
    if not text:
        raise Exit(3, "  Please specify either size or extents")
    count, percent, of = text.lstrip("+").partition("%")
    if percent:
        whole = {"FREE": group.free, "VG": group.extents}[of.upper()]
        return (base if text[0] == "+" else 0) + whole * int(count) // 100
    return (base if text[0] == "+" else 0) + int(count)
