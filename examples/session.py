"""A session as in a notebook, on pretended nodes: look, ask, see what has gone, mend it.

    python session.py article/today.toml

Each `# %%` is a cell, for Jupyter (through jupytext) and for editors. There a value alone on the
last line shows itself: a NAS as a drawing, a plan as a table. Here it is printed.
"""

# %% Two machines on which the article's NAS runs
import sys

from clusternas import NasCluster, Nodes
from clusternas.drbd import commands as drbd
from clusternas.fstab import commands as fstab
from clusternas.testing import FakeCluster

nas = NasCluster.load(sys.argv[1])
machines = FakeCluster(nas.nodes.keys())
nodes = Nodes(machines.runners)
plan = nas.plan(nas.gather(nodes))
plan.apply(nodes, allow=plan.destroys, sleep=machines.sleep).raise_for_failure()
machines.advance(600)

# %% How it is
status = nas.status(nas.gather(nodes))
print(status)

# %% One command on all nodes, typed values back
for node, resources in nodes.run(drbd.status()).value.items():
    r0 = resources["r0"]
    print(node, r0.role.value, *(volume.disk_state.value for volume in r0.volumes.values()))

# %% What is mounted where, as rows: pandas.DataFrame(rows)
rows = [
    {"node": node, "target": mount.target, "type": mount.fstype}
    for node, mounts in nodes.run(fstab.mounts()).value.items()
    for mount in mounts
]
print(*rows, sep="\n")

# %% Somebody stops the name server of one machine by hand
machines["linux-nas02"].shell("systemctl stop named")
status = nas.status(nas.gather(nodes))
print(status)

# %% What would be done about it
plan = nas.plan(nas.gather(nodes))
print(plan)

# %% Do it
print(plan.apply(nodes, sleep=machines.sleep))
status = nas.status(nas.gather(nodes))
print(status)
