"""Samba: smb.conf and its shares, commands, status and checks, with and without CTDB."""
