"""From two new machines to a healthy NAS, on pretended nodes; a step fails on the way.

    python plan_and_apply.py article/today.toml

For real machines replace `machines.runners` by `Nodes.ssh("linux-nas01", "linux-nas02")`, and write
down the names of what you allow.
"""

import sys

from clusternas import NasCluster
from clusternas.nas.apply import Event
from clusternas.testing import FakeCluster


def show(event: Event) -> None:
    if event.state == "done":
        print(f"{event.step.node}: {event.step.command}")
    elif event.state == "failed":
        print(f"{event.step.node}: {event.step.command} failed: {event.detail}")


def main(description: str) -> int:
    nas = NasCluster.load(description)
    machines = FakeCluster(nas.nodes.keys())
    nodes = machines.runners

    plan = nas.plan(nas.gather(nodes))
    print(plan, plan.diff(), "These destroy data:", *plan.destroys, sep="\n")

    machines.fail("linux-nas01", "vgcreate", stderr="Global lock failed: check that lvmlockd runs")
    first = plan.apply(nodes, allow=plan.destroys, on=[show], sleep=machines.sleep)
    print(first)

    again = nas.plan(nas.gather(nodes))
    print(f"\n{len(again)} of {len(plan)} steps are left")
    again.apply(nodes, allow=again.destroys, on=[show], sleep=machines.sleep).raise_for_failure()

    machines.advance(600)  # the first synchronisation takes its time
    status = nas.status(nas.gather(nodes))
    print(status)
    return 0 if status.healthy else 1


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
