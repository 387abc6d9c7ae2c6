"""Clustered LVM: lvm.conf, the volume group on DRBD, clvmd and lvmlockd."""
