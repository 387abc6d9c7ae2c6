"""DNS: zone files, the round-robin name of the cluster, and the tools of BIND."""
