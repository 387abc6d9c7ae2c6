"""Which ports each part of a clustered NAS listens on, and who must reach them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from clusternas.core.errors import ValidationError
from clusternas.firewall.model import SSH, FirewallRule, Ports, Protocol

__all__ = ["COMPONENTS", "Listener", "rules_for"]


class Listener(NamedTuple):
    """What a component listens on.

    Attributes:
        proto, ports: as in `FirewallRule`.
        who: `peers` are the nodes of the cluster, `clients` whoever uses it, `admins` may log in.
    """

    proto: Protocol
    ports: tuple[int | Ports, ...]
    who: Literal["peers", "clients", "admins"] = "peers"


COMPONENTS: Mapping[str, tuple[Listener, ...]] = {
    "ssh": (Listener("tcp", (SSH,), "admins"),),
    "cman": (Listener("udp", (5404, 5405)), Listener("igmp", ())),
    "corosync": (Listener("udp", ((5404, 5412),)),),
    "dlm": (Listener("tcp", (21064,)),),
    "ricci": (Listener("tcp", (11111,)),),
    "rgmanager": (Listener("tcp", ((41966, 41969),)),),
    "ctdb": (Listener("tcp", (4379,)),),
    "samba": (Listener("tcp", (139, 445), "clients"), Listener("udp", (137, 138), "clients")),
    "smb": (Listener("tcp", (445,), "clients"),),
    "dns": (Listener("tcp", (53,), "clients"), Listener("udp", (53,), "clients")),
    "ntp": (Listener("udp", (123,)),),
}
"""RHEL 6 Cluster Administration 3.3.3, firewalld's services, ctdb/protocol/protocol.h of Samba.

DRBD is not here: its ports are in its resources, one each. clvmd and GFS2 use those of cman or dlm.
"""


def rules_for(
    components: Iterable[str],
    *,
    peers: Iterable[str],
    clients: Iterable[str] = (),
    admins: Iterable[str] = (),
    drbd_ports: Iterable[int] = (),
) -> tuple[FirewallRule, ...]:
    """The rules for a node.

    Args:
        components: keys of `COMPONENTS`.
        peers: the addresses of all nodes.
        clients: networks of the clients; none means anybody.
        admins: networks to log in from; none means anybody.
        drbd_ports: of all resources, from their `address` lines.

    Raises:
        ValidationError: a component is not known, or peers are needed and there are none.

    Example:
        >>> rules_for(["ctdb"], peers=["10.0.0.1", "10.0.0.2"])[0].why
        'ctdb'
    """
    who = {"peers": tuple(peers), "clients": tuple(clients), "admins": tuple(admins)}
    wanted = [(name, listener) for name in dict.fromkeys(components) for listener in _of(name)]
    ports = tuple(drbd_ports)
    if ports:
        wanted.append(("drbd", Listener("tcp", ports)))
    if not who["peers"] and any(listener.who == "peers" for _, listener in wanted):
        raise ValidationError("no peers: cluster ports would be open to all", hint="give the nodes")
    return tuple(
        FirewallRule(listener.proto, listener.ports, who[listener.who], name)
        for name, listener in wanted
    )


def _of(name: str) -> tuple[Listener, ...]:
    if name not in COMPONENTS:
        raise ValidationError(f"unknown component {name!r}", hint=f"one of {', '.join(COMPONENTS)}")
    return COMPONENTS[name]
