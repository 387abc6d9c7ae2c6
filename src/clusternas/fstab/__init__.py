"""/etc/fstab: its lines, what is mounted, and the checks for a cluster file system."""
