"""DRBD: configuration, commands, status and checks for 8.3, 8.4 and 9."""
