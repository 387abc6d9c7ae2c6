"""GFS2: the file system on the shared volume; its superblock, commands, mounts and checks."""
