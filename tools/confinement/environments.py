"""Where an agent may run: as whom, and what its container or its kernel leaves it."""

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from platforms.users import FIRST_JOB_USER

DEBIAN = "/usr/bin/python3"
NESTED = str(Path(__file__).with_name("nested.py"))
DENIED = str(Path(__file__).parents[2] / "tests" / "helpers" / "denied.py")
UID = 65534
OWN_USERS = (FIRST_JOB_USER, FIRST_JOB_USER, 1)
_SETPRIV = "/usr/bin/setpriv"
_ADMIN = (_SETPRIV, "--bounding-set=-sys_admin", "--inh-caps=-sys_admin")
_ORDINARY = (_SETPRIV, f"--reuid={UID}", f"--regid={UID}", "--clear-groups")
_VERSIONS = (
    "import platform, cryptography, serial; "
    "print('CPython', platform.python_version() + ', cryptography', cryptography.__version__)"
)


class Environment(NamedTuple):
    """A name, the command that makes it, and the user that a child of its agent takes."""

    name: str
    prefix: tuple[str, ...]
    user: tuple[int, int, int] | None


ENVIRONMENTS = (
    Environment("root", (), OWN_USERS),
    Environment("root without CAP_SYS_ADMIN", _ADMIN, OWN_USERS),
    Environment("not root", _ORDINARY, None),
    Environment("not root, no user name spaces", (DEBIAN, "-I", NESTED, str(UID)), None),
    Environment("root, seccomp denied", (DEBIAN, "-I", DENIED, "seccomp=EINVAL", "--"), OWN_USERS),
)


class Stack(NamedTuple):
    """An interpreter, the folders of its packages beside its own, and their versions."""

    python: str
    packages: tuple[str, ...]
    versions: str


def stacks(where: Environment) -> list[Stack]:
    """The stack of the tests and that of Debian, as far as the environment's user has them.

    Where that user cannot enter the folder of this interpreter, Debian's works with our packages.
    """
    packages = tuple(path for path in sys.path if path.endswith("site-packages"))
    enterable = where.user is not None or _enterable(os.path.realpath(sys.executable))
    ours = (sys.executable, ()) if enterable else (DEBIAN, packages)
    found = [Stack(*one, _versions(*one)) for one in (ours, (DEBIAN, ()))]
    return [stack for stack in found if stack.versions]


def _enterable(path: str) -> bool:
    return all(parent.stat().st_mode & 0o001 for parent in Path(path).parents)


def _versions(python: str, packages: tuple[str, ...]) -> str:
    code = f"import sys; sys.path[:0] = {list(packages)}; {_VERSIONS}"
    done = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, timeout=60)
    return done.stdout.strip() if done.returncode == 0 else ""
