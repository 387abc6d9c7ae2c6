"""Builds the disk, kernel and initial RAM disk that all machines boot from."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
from pathlib import Path

import attrs

from clusterlab.recipe import GUEST, Recipe

__all__ = ["Image", "bootstrap", "image"]

# mmdebstrap(1): in a hook, APT of the machine that builds works for the new system.
KERNEL = r"""
set -e
export APT_CONFIG=$MMDEBSTRAP_APT_CONFIG
name=$(apt-cache depends linux-image-amd64 | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p')
mkdir "$1/kernel"
cd "$1/kernel"
apt-get download "$name"
dpkg-deb -x "$name"_*.deb .
"""
SSHD = """\
PermitRootLogin prohibit-password
UseDNS no
GSSAPIAuthentication no
UsePAM no
PrintMotd no
"""
JOURNAL = "[Journal]\nStorage=volatile\nRuntimeMaxUse=32M\n"
HOSTS = "127.0.0.1 localhost\n10.10.10.1 nas1\n10.10.10.2 nas2\n"


@attrs.frozen
class Image:
    """What machines boot from.

    Attributes:
        folder: where it is kept.
    """

    folder: Path

    @property
    def root(self) -> Path:
        """The root file system; machines write to a layer over it."""
        return self.folder / "root.img"

    @property
    def kernel(self) -> Path:
        return self.folder / "vmlinuz"

    @property
    def initrd(self) -> Path:
        return self.folder / "initrd.gz"

    @property
    def key(self) -> Path:
        """The private key that opens the machines."""
        return self.folder / "id_ed25519"


def image(recipe: Recipe, cache: Path) -> Image:
    """The image of a recipe, built if it is not in the cache yet."""
    folder = cache / f"image-{recipe.digest()}"
    if not folder.exists():
        building = cache / f"building-{os.getpid()}"
        building.mkdir(parents=True)
        try:
            _build(recipe, Image(building))
            building.rename(folder)  # only a whole one gets the name
        finally:
            shutil.rmtree(building, ignore_errors=True)
    return Image(folder)


def bootstrap(recipe: Recipe, target: Path) -> tuple[str, ...]:
    """The call of mmdebstrap that installs Debian into a folder."""
    return (
        "mmdebstrap", "--quiet", "--variant=minbase", "--mode=root", "--format=directory",
        '--aptopt=APT::Install-Recommends "false"',
        '--aptopt=Acquire::Languages "none"',
        "--dpkgopt=path-exclude=/usr/share/man/*",
        "--dpkgopt=path-exclude=/usr/share/locale/*",
        "--dpkgopt=path-exclude=/usr/share/doc/*",
        "--dpkgopt=path-include=/usr/share/doc/*/copyright",
        f"--include={','.join(recipe.packages)}",
        f"--customize-hook={KERNEL}",
        recipe.suite, str(target),
    )  # fmt: skip


def _build(recipe: Recipe, made: Image) -> None:
    root = made.folder / "root"
    _run(*bootstrap(recipe, root), limit=900)
    version = _install_kernel(recipe, root, made)
    _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f", str(made.key))
    _configure(recipe, root, made)
    _initrd(recipe, root, version, made)
    with made.root.open("wb") as file:
        file.truncate(recipe.size)
    _run(
        "mkfs.ext4", "-q", "-F", "-O", "^has_journal", "-E", "lazy_itable_init=1",
        "-d", str(root), str(made.root), limit=300,
    )  # fmt: skip
    shutil.rmtree(root)


def _run(*argv: str, limit: float = 60) -> str:
    done = subprocess.run(
        argv, timeout=limit, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(f"{argv[0]} exited with {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout


def _install_kernel(recipe: Recipe, root: Path, made: Image) -> str:
    """The kernel with the modules that the machines can need; returns its version."""
    unpacked = root / "kernel"
    modules = next((unpacked / "lib/modules").iterdir())
    shutil.copy(unpacked / f"boot/vmlinuz-{modules.name}", made.kernel)
    target = root / "usr/lib/modules" / modules.name
    target.parent.mkdir(parents=True, exist_ok=True)
    modules.rename(target)
    shutil.rmtree(unpacked)
    for folder in recipe.unneeded:
        shutil.rmtree(target / "kernel" / folder, ignore_errors=True)
    _run("depmod", "-b", str(root), target.name)
    return target.name


def _configure(recipe: Recipe, root: Path, made: Image) -> None:
    units = root / "etc/systemd/system"
    _write(root / "etc/fstab", "/dev/vdb / ext4 defaults,noatime 0 0\n")
    _write(root / "etc/hosts", HOSTS)
    _write(root / "etc/resolv.conf", "")
    _write(root / "etc/machine-id", "")
    _write(root / "etc/ssh/sshd_config.d/lab.conf", SSHD)
    _write(root / "etc/systemd/journald.conf.d/lab.conf", JOURNAL)
    _write(root / "root/.ssh/authorized_keys", made.key.with_suffix(".pub").read_text(), 0o600)
    _write(root / "usr/local/sbin/lab-net", (GUEST / "lab-net").read_text(), 0o755)
    _write(root / "usr/sbin/service", (GUEST / "service").read_text(), 0o755)
    _write(units / "lab-net.service", (GUEST / "lab-net.service").read_text())
    for unit in recipe.stopped:
        subprocess.run(
            ("chroot", root, "systemctl", "disable", unit), capture_output=True, timeout=60
        )
    # Links for an init that nobody boots with: each costs seconds, and all units are read again.
    install = root / "usr/lib/systemd/systemd-sysv-install"
    install.unlink(missing_ok=True)
    install.symlink_to("/bin/true")
    _run("chroot", str(root), "systemctl", "enable", "lab-net", "ssh")
    _run("chroot", str(root), "systemctl", "set-default", "multi-user.target")
    names = [units / unit for unit in recipe.masked]
    folder = root / "etc/systemd/system-generators"
    names += [folder / f"systemd-{name}-generator" for name in recipe.generators]
    folder.mkdir(exist_ok=True)
    for name in names:
        name.unlink(missing_ok=True)
        name.symlink_to("/dev/null")
    shutil.rmtree(root / "var/lib/apt/lists", ignore_errors=True)


def _write(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.write_text(text)
    path.chmod(mode)


def _initrd(recipe: Recipe, root: Path, version: str, made: Image) -> None:
    """busybox, the modules that reach the root disk in the order they need, and `init`."""
    folder = made.folder / "initrd"
    for name in ("bin", "proc", "sys", "dev", "new", "modules"):
        (folder / name).mkdir(parents=True)
    shutil.copy(shutil.which("busybox") or "/bin/busybox", folder / "bin/busybox")
    _write(folder / "init", (GUEST / "init").read_text(), 0o755)
    files: dict[str, None] = {}
    for module in recipe.boot_modules:
        listed = _run("modprobe", "-d", str(root), "-S", version, "--show-depends", module)
        rows = [row.split() for row in listed.splitlines()]
        files |= {row[1]: None for row in rows if row[0] == "insmod"}
    for number, file in enumerate(files):
        shutil.copy(file, folder / f"modules/{number:02}-{Path(file).name}")
    names = "\n".join(str(each.relative_to(folder)) for each in sorted(folder.rglob("*")))
    archive = subprocess.run(
        ("cpio", "-o", "-H", "newc", "--quiet"),
        cwd=folder, input=names.encode(), capture_output=True, check=True, timeout=60,
    ).stdout  # fmt: skip
    made.initrd.write_bytes(gzip.compress(archive, 1))
    shutil.rmtree(folder)
