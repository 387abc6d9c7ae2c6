"""CTDB: ctdb.conf, nodes, public addresses, tunables, commands, status and checks."""
