"""corosync and dlm, the cluster of today: their files, commands, output and the known mistakes."""
