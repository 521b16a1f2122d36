"""Systems on which job children are tried: with root and without, with all rungs and with few."""

import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from platforms.users import FIRST_JOB_USER
from tests.helpers.board import ROOT, copy_program
from tests.helpers.taken_over import START

DEBIAN_PYTHON = "/usr/bin/python3"
OTHER_USER = 65534
OWN_USERS = (FIRST_JOB_USER, FIRST_JOB_USER, 1)
TRY_S = 300
SPACES = ("network name space", "IPC name space", "mount name space")
RUNGS = ("no new privileges", *SPACES, "Landlock", "own user", "no privileges", "seccomp")
NO_SPACES = dict.fromkeys(SPACES, "EPERM")
NO_LANDLOCK = {"Landlock": errno.errorcode[errno.EOPNOTSUPP]}  # as where it is switched off at boot


class System(NamedTuple):
    """A system by what it denies: system calls (`denied.py`), CAP_SYS_ADMIN, root. And the rungs
    that are missing there, with the reasons that children tell."""

    name: str
    denies: tuple[str, ...] = ()
    admin: bool = True
    root: bool = True
    missing: dict[str, str] = {}

    def prefix(self, python: str = sys.executable, clone: Path = ROOT) -> list[str]:
        """In front of a command that is to run on this system."""
        words = (
            [] if self.admin else ["capsh", "--drop=cap_sys_admin", "--shell=/usr/bin/env", "--"]
        )
        if self.denies:
            denied = clone / "tests" / "helpers" / "denied.py"
            words += [python, "-I", str(denied), *self.denies, "--"]
        return words


SYSTEMS = (
    System("root"),
    System("no-admin", admin=False, missing=NO_SPACES),
    System("no-mount", ("mount=EPERM",), missing={"mount name space": "EPERM"}),
    System("no-landlock", ("landlock_create_ruleset=EOPNOTSUPP",), missing=NO_LANDLOCK),
    System("no-seccomp", ("seccomp=EINVAL",), missing={"seccomp": "EINVAL"}),
    System(
        "user-alone",
        ("unshare=EPERM", "landlock_create_ruleset=EOPNOTSUPP", "seccomp=EINVAL"),
        missing={**NO_SPACES, **NO_LANDLOCK, "seccomp": "EINVAL"},
    ),
    System("not-root", root=False),
    System("not-root-no-spaces", ("unshare=EPERM",), root=False, missing=NO_SPACES),
)


def copy_for(folder: Path) -> Path:
    """A copy of the program that every user can read, with the child that was taken over in it."""
    folder.chmod(0o755)
    clone = copy_program(folder)
    (clone / "tests" / "helpers").mkdir(parents=True)
    helpers = (f"helpers/{name}.py" for name in ("__init__", "taken_over", "denied"))
    for name in ("__init__.py", *helpers):
        shutil.copy(ROOT / "tests" / name, clone / "tests" / name)
    return clone


def overtake(
    attempts: Sequence[Sequence[object]],
    *,
    prefix: Sequence[str] = (),
    clone: Path = ROOT,
    python: str = sys.executable,
    users: tuple[int, int, int] = OWN_USERS,
    without: Sequence[str] = (),
    network: bool = False,
    uid: int | None = None,
) -> dict[str, Any]:
    """What children that were taken over came to (see `tests/helpers/taken_over.py`)."""
    other = uid is not None or os.geteuid() != 0
    plan = {"attempts": attempts, "without": without, "network": network}
    plan["user"] = (-1, -1, 0) if other else users
    done = subprocess.run(
        [*prefix, python, "-I", "-c", START, str(clone), "agent", json.dumps(plan)],
        capture_output=True,
        text=True,
        timeout=TRY_S,
        user=uid,
        group=uid,
        extra_groups=None if uid is None else [],
        cwd="/",
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found
