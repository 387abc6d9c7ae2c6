"""Let the name of the cluster give out only nodes that serve and are not too busy.

    python dns_by_health.py today.toml /etc/bind/db.example.com cluster 4.0

Run it every minute on the machine whose named serves the zone; the description has no [dns] then.
Where CTDB moves the public addresses, all stay reachable without this: leave them in the zone.
"""

import sys
from collections.abc import Mapping

from attrs import evolve

from clusternas import Command, DnsRoundRobin, Effect, Local, NasCluster, Nodes, Output, Runner
from clusternas.core.files import read_file
from clusternas.dns.choice import Candidate, choose
from clusternas.dns.commands import Rndc
from clusternas.nas.actual import NodeState
from clusternas.nas.units import file_service


def load(output: Output) -> float:
    """The first number of /proc/loadavg: processes that run or wait, over the last minute."""
    return float(output.text.split()[0])


def serves(nas: NasCluster, node: NodeState) -> bool:
    """Whether clients get files from it: not whether all is well, or a dead node took all along."""
    mounted = all(node.mounted(each.mount_point) for each in nas.filesystems)
    return node.reachable and mounted and file_service(nas) in node.running


def candidates(nas: NasCluster, nodes: Mapping[str, Runner]) -> list[Candidate]:
    state = nas.gather(nodes)
    ask = Command(("cat", "/proc/loadavg"), load, effect=Effect.READ)
    return [
        Candidate(
            address=(node.public or node.address).partition("/")[0],
            healthy=serves(nas, state[node.name]),
            load=ask.run(nodes[node.name]).value if state[node.name].reachable else None,
        )
        for node in nas.nodes
    ]


def publish(path: str, name: str, addresses: tuple[str, ...], server: Runner) -> bool:
    """Change the zone file if it says otherwise, and let named read it; whether it did."""
    file = read_file(path).run(server).value
    if file is None:
        raise FileNotFoundError(path)
    cluster = evolve(DnsRoundRobin.parse(file.content, name, path=path), addresses=addresses)
    if not cluster.diff():
        return False
    print(cluster.diff())
    cluster.write(runner=server)  # Drift, if somebody else has changed it meanwhile
    Rndc().reload().run(server)
    return True


def main(description: str, zone: str, name: str, max_load: str) -> int:
    nas = NasCluster.load(description)
    nodes = Nodes.ssh(*nas.nodes.keys())
    addresses = choose(candidates(nas, nodes), max_load=float(max_load))
    publish(zone, name, addresses, Local())
    print(*addresses)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
