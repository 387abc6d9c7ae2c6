"""The article's NAS on two real machines under QEMU."""
