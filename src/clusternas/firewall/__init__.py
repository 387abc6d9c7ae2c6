"""The ports that the parts of a clustered NAS need, as rules for the firewall of its nodes."""
