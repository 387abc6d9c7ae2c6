"""cman, the cluster of 2010: cluster.conf, its commands, their output and the known mistakes."""
