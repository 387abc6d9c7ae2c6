"""What stands inside a resource: hosts, volumes, and the links of DRBD 9."""

from __future__ import annotations

import re
from collections.abc import Sequence

import attrs

from clusternas.core.codec import Codec, boolean, integer, string
from clusternas.core.fields import argument, arguments, option, options, section, sections
from clusternas.core.keyed import Keyed
from clusternas.drbd.sections import DrbdDisk, DrbdModel, DrbdNet, DrbdOptions, DrbdProxy
from clusternas.drbd.words import Address, address, phrase, sequence, word, words

__all__ = [
    "DrbdConnection",
    "DrbdEndpoint",
    "DrbdFloating",
    "DrbdHost",
    "DrbdHostProxy",
    "DrbdMesh",
    "DrbdPath",
    "DrbdProxied",
    "DrbdStacked",
    "DrbdVolume",
    "device",
    "flexible_meta_disk",
    "meta_disk",
    "minor_of",
]

MAX_NODE_ID = 31
MAX_VOLUME = 65535

to_address = attrs.converters.optional(
    lambda value: Address.parse(value) if isinstance(value, str) else value
)


def device() -> str | None:
    """The field of a `device` statement."""
    form = r"(?:/dev/)?drbd(?:\d+(?: minor \d+)?|_\S+ minor \d+)|minor \d+"
    samples = ("/dev/drbd1", "minor 2", "/dev/drbd3 minor 3")
    codec = phrase(form, "/dev/drbdN or minor N", samples)
    return option(codec=codec, doc="/dev/drbdN, `minor N`, or both")


def meta_disk() -> str | None:
    """The field of a `meta-disk` statement."""
    form = r"internal|(?!internal(?:$|[ \[]))[^\s\[\]]+(?: ?\[ ?\d+ ?\])?"
    return option(
        codec=phrase(form, "internal, a device, or device[index]", ("internal", "/dev/sdb[0]")),
        doc="internal, a device, or device[index]; DRBD 9 takes internal where there is none",
    )


def flexible_meta_disk() -> str | None:
    """The field of a `flexible-meta-disk` statement."""
    return option(codec=string(word), doc="how 8.3 spells a meta-disk without an index")


def node_id() -> int | None:
    """The field of a `node-id` statement."""
    return option(codec=integer(0, MAX_NODE_ID), since="9", doc="0..31")


def addresses() -> tuple[Address, ...]:
    """The field of `address` statements in a connection of hosts that have no names."""
    return options("address", codec=address(), doc="the ends, where they are `floating`")


def minor_of(device: str | None) -> int | None:
    """The minor number that a `device` statement means, or None where it says none.

    Example:
        >>> minor_of("/dev/drbd1"), minor_of("minor 7"), minor_of("/dev/drbd_mail minor 3")
        (1, 7, 3)
    """
    found = re.fullmatch(r"(?:.* )?minor (\d+)|(?:/dev/)?drbd(\d+)", device or "")
    return int(found[1] or found[2]) if found else None


@attrs.frozen(kw_only=True, slots=False, repr=False)
class DrbdStorage(DrbdModel):
    """What a host, a volume or a resource says of its device."""

    device: str | None = device()
    disk: str | None = option(codec=string(word), doc="backing device, or `none`")
    meta_disk: str | None = meta_disk()
    flexible_meta_disk: str | None = flexible_meta_disk()

    @property
    def minor(self) -> int | None:
        """The minor number of the device, or None where it says none."""
        return minor_of(self.device)


@attrs.frozen(kw_only=True, slots=False, repr=False)
class DrbdVolume(DrbdStorage):
    """`volume N { … }`: one of several devices of a resource; 8.4 and 9.

    Example:
        >>> volume = DrbdVolume(number=0, device="/dev/drbd1", disk="/dev/vda3")
        >>> volume.minor
        1
    """

    number: int = argument(integer(0, MAX_VOLUME), doc="0..65535")
    tiebreaker: bool | None = option(codec=boolean(), since="9.2", doc="yes or no")
    disk_options: DrbdDisk | None = section(DrbdDisk, "disk", since="8.4")


def _on_hosts() -> Codec[tuple[str, ...]]:
    """Names of hosts behind the word `on`."""
    names = words()

    def decode(parts: Sequence[str]) -> tuple[str, ...]:
        if parts[:1] != ["on"]:
            raise ValueError("expected 'on' and names of hosts")
        return tuple(parts[1:])

    def encode(value: tuple[str, ...]) -> tuple[str, ...]:
        return ("on", *(names.encode(value) or ()))

    return Codec(decode, encode, "on, and names of hosts", samples=names.samples)


@attrs.frozen(kw_only=True, slots=False, repr=False)
class DrbdHostProxy(DrbdModel):
    """`proxy on HOST { … }`: the addresses of DRBD Proxy."""

    hosts: tuple[str, ...] = arguments(_on_hosts(), doc="where the proxy runs")
    inside: Address | None = option(codec=address(), converter=to_address, doc="towards DRBD")
    outside: Address | None = option(codec=address(), converter=to_address, doc="towards the peer")
    options: DrbdProxy | None = section(DrbdProxy, "options")

    @property
    def label(self) -> str:
        """The hosts where it runs."""
        return " ".join(self.hosts)


@attrs.frozen(kw_only=True, slots=False, repr=False)
class DrbdHost(DrbdStorage):
    """`on HOST { … }`: what the resource is on one host. An address may be given as a text.

    Example:
        >>> str(DrbdHost(name="nas01", address="10.0.0.1:7789").address)
        '10.0.0.1:7789'
    """

    name: str = argument(string(word), doc="as `uname -n` says it")
    aliases: tuple[str, ...] = arguments(words(), 1, doc="more hosts that share the section")
    node_id: int | None = node_id()
    address: Address | None = option(codec=address(), converter=to_address, doc="of the link")
    volumes: Keyed[DrbdVolume] = sections(DrbdVolume, "volume", name="number", since="8.4")
    options: DrbdOptions | None = section(DrbdOptions, since="8.4")
    proxies: Keyed[DrbdHostProxy] = sections(DrbdHostProxy, "proxy", name="label")

    @property
    def storage(self) -> tuple[DrbdStorage, ...]:
        """Its volumes; the host itself where the one volume is not spelled out."""
        return tuple(self.volumes) or (self,)


def _floats() -> Codec[tuple[str, ...]]:
    """The words of an address, as they are spelled."""

    def encode(value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(Address.parse(" ".join(sequence(value)))).split())

    samples = (("10.0.0.1:7789",), ("ipv6", "[fd00::1]:7789"))
    return Codec(tuple, encode, "an address", samples=samples)


@attrs.frozen(kw_only=True, slots=False, repr=False)
class DrbdFloating(DrbdStorage):
    """`floating ADDRESS { … }`: a host known by its address alone.

    Example:
        >>> DrbdFloating(text=("ipv4", "10.0.0.1:7789"), device="/dev/drbd1").address.port
        7789
    """

    text: tuple[str, ...] = arguments(_floats(), doc="the address, word by word")
    node_id: int | None = node_id()
    volumes: Keyed[DrbdVolume] = sections(DrbdVolume, "volume", name="number", since="8.4")
    options: DrbdOptions | None = section(DrbdOptions, since="8.4")
    proxies: Keyed[DrbdHostProxy] = sections(DrbdHostProxy, "proxy", name="label")

    @property
    def label(self) -> str:
        """The address as it is spelled."""
        return " ".join(self.text)

    @property
    def address(self) -> Address | None:
        """The address that it is known by, or None where that is none."""
        try:
            return Address.parse(self.label)
        except ValueError:
            return None


@attrs.frozen(kw_only=True, slots=False, repr=False)
class DrbdStacked(DrbdStorage):
    """`stacked-on-top-of RESOURCE { … }`: the upper end of a three-node chain."""

    name: str = argument(string(word), doc="the resource below")
    node_id: int | None = node_id()
    address: Address | None = option(codec=address(), converter=to_address, doc="of the link")
    volumes: Keyed[DrbdVolume] = sections(DrbdVolume, "volume", name="number", since="8.4")
    proxies: Keyed[DrbdHostProxy] = sections(DrbdHostProxy, "proxy", name="label")


def _details() -> Codec[tuple[str, ...]]:
    """The words behind the host of an endpoint, spelled as they are."""

    def encode(value: tuple[str, ...]) -> tuple[str, ...]:
        parts = sequence(value)
        if any(set(part) & set(' \t\n;{}"#') for part in parts):
            raise ValueError(f"not words: {value!r}")
        return parts

    return Codec(tuple, encode, "address A, or port N", samples=((), ("address", "10.0.0.1:7")))


@attrs.frozen(kw_only=True, slots=False, repr=False)
class DrbdEnd(DrbdModel):
    """One end of a link: a host, and the address or port of it."""

    name: str = argument(string(word))
    details: tuple[str, ...] = arguments(_details(), 1, doc="what follows the name")

    @property
    def address(self) -> Address | None:
        """The address it says, or None."""
        if self.details[:1] != ("address",):
            return None
        try:
            return Address.parse(" ".join(before(self.details[1:], "via")))
        except ValueError:
            return None

    @property
    def port(self) -> int | None:
        """The port it says, alone or in its address, or None."""
        if self.details[:1] == ("port",) and self.details[1:2] and self.details[1].isdecimal():
            return int(self.details[1])
        return self.address.port if self.address else None


@attrs.frozen(kw_only=True, slots=False, repr=False)
class DrbdEndpoint(DrbdEnd):
    """`host NAME [address A | port N];` in a connection or path of DRBD 9.

    Example:
        >>> str(DrbdEndpoint(name="nas01", details=("address", "10.0.0.1:7789")).address)
        '10.0.0.1:7789'
    """

    is_section = False


@attrs.frozen(kw_only=True, slots=False, repr=False)
class DrbdProxied(DrbdEnd):
    """`host NAME address A via proxy on HOST { … }`: an end behind DRBD Proxy; DRBD 9."""

    inside: Address | None = option(codec=address(), converter=to_address, doc="towards DRBD")
    outside: Address | None = option(codec=address(), converter=to_address, doc="towards the peer")
    options: DrbdProxy | None = section(DrbdProxy, "options")


def before(parts: Sequence[str], stop: str) -> Sequence[str]:
    """The words up to one of them."""
    return parts[: parts.index(stop)] if stop in parts else parts


@attrs.frozen(kw_only=True, slots=False, repr=False)
class DrbdPath(DrbdModel):
    """`path { … }`: one of several routes of a connection; DRBD 9."""

    hosts: Keyed[DrbdEndpoint] = sections(DrbdEndpoint, "host", name="name")
    proxied: Keyed[DrbdProxied] = sections(DrbdProxied, "host", name="name")
    addresses: tuple[Address, ...] = addresses()

    @property
    def ends(self) -> tuple[DrbdEnd, ...]:
        """The hosts it joins, with and without a proxy."""
        return (*self.hosts, *self.proxied)

    @property
    def label(self) -> str:
        """The hosts it joins, and their addresses."""
        ends = (" ".join((end.name, *end.details)) for end in self.ends)
        return " ".join((*ends, *map(str, self.addresses)))


@attrs.frozen(kw_only=True, slots=False, repr=False)
class DrbdPeerVolume(DrbdModel):
    """`volume N { disk { … } }` in a connection: options of the resync over this link."""

    number: int = argument(integer(0, MAX_VOLUME), doc="0..65535")
    disk_options: DrbdDisk | None = section(DrbdDisk, "disk")


@attrs.frozen(kw_only=True, slots=False, repr=False)
class DrbdConnection(DrbdModel):
    """`connection [NAME] { … }`: one link of DRBD 9."""

    name: str | None = argument(string(word), default=None)
    hosts: Keyed[DrbdEndpoint] = sections(DrbdEndpoint, "host", name="name")
    proxied: Keyed[DrbdProxied] = sections(DrbdProxied, "host", name="name")
    addresses: tuple[Address, ...] = addresses()
    paths: Keyed[DrbdPath] = sections(DrbdPath, "path", name="label")
    net: DrbdNet | None = section(DrbdNet)
    disk: DrbdDisk | None = section(DrbdDisk)
    volumes: Keyed[DrbdPeerVolume] = sections(DrbdPeerVolume, "volume", name="number")

    @property
    def routes(self) -> tuple[DrbdConnection | DrbdPath, ...]:
        """Its paths; the connection itself where the one path is not spelled out."""
        return tuple(self.paths) or (self,)

    @property
    def ends(self) -> tuple[DrbdEnd, ...]:
        """The hosts that it names outside of a path."""
        return (*self.hosts, *self.proxied)

    @property
    def label(self) -> str:
        """Its name, or the hosts that it joins."""
        first = self.routes[0]
        ends = [end.name for end in first.ends] or map(str, first.addresses)
        return self.name or "-".join(ends)


@attrs.frozen(kw_only=True, slots=False, repr=False)
class DrbdMesh(DrbdModel):
    """`connection-mesh { hosts …; }`: a link between each two of some hosts; DRBD 9."""

    hosts: tuple[str, ...] | None = option(codec=words())
    net: DrbdNet | None = section(DrbdNet)

    @property
    def label(self) -> str:
        """The hosts that it joins."""
        return " ".join(self.hosts or ())
