"""A real 32-bit Debian 12 (i386), in which the agent runs: its C library ends time in 2038.

The tree is made once, from packages alone, and kept below `build/`. Needs root and mmdebstrap, and
a kernel that runs i386 programs; x86-64 kernels do.
"""

import os
import platform
import shutil
from pathlib import Path

from tests.helpers import trees
from tests.helpers.board import ROOT

PYTHON = "/usr/bin/python3.11"
CLONE = Path("/mnt")  # where the product lies in it
PACKAGES = ("python3-minimal", "python3-cryptography", "python3-serial")
HOOKS = "/usr/share/mmdebstrap/hooks/merged-usr"
MAKE_S = 180
# What is mounted is gone with the last process of the name space.
ENTER = f"""set -e
tree=$1 clone=$2 folder=$3
shift 3
mount -t tmpfs tmpfs "$tree/tmp"
mkdir -p "$tree$folder" "$tree{CLONE}" "$tree/proc"
mount --bind "$clone" "$tree{CLONE}"
mount --bind "$folder" "$tree$folder"
mount -t proc proc "$tree/proc"
mount --rbind /dev "$tree/dev"
exec chroot "$tree" "$@"
"""


def missing() -> str:
    """The reason why there is none here; empty when there is."""
    if os.geteuid() != 0:
        return "a tree of packages needs root"
    if platform.machine() != "x86_64":
        return f"{platform.machine()} does not run i386 programs"
    if not shutil.which("mmdebstrap"):
        return "mmdebstrap is not installed (`make packages`)"
    return ""


def tree() -> Path:
    """The tree; security updates are left out: their index is out of step for i386 now and then."""
    options = ("--variant=extract", "--architectures=i386", f"--hook-dir={HOOKS}")
    return trees.tree("debian32", PACKAGES, *options, seconds=MAKE_S)


def prefix(folder: Path) -> list[str]:
    """What stands in front of a command that is to run there; `folder` has the same name inside."""
    return ["unshare", "-m", "sh", "-c", ENTER, "sh", str(tree()), str(ROOT), str(folder)]
