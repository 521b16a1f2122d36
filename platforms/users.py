"""Users and groups of the system, by name or number.

`pwd` and `grp` are built into the interpreter; what costs is their first look-up, which may load
the name services of the C library. So a number is never looked up, and nothing at all without need.
"""

from __future__ import annotations

import os

from hal.files import read_text
from hal.ports import FilesError
from platforms.board import BoardError

WORKER_USER = "scep-agent-job"
# Of job children where there is no such user: one for each of sixteen places. Nobody else has them:
# 61168 to 61183 end a range that systemd leaves unused (systemd.io/UIDS-GIDS) and are above the
# users of people (60000 at most) and below systemd's dynamic ones; Debian's policy keeps 60000 to
# 64999 for itself and has assigned none of these. In a container that maps 65536 numbers they are.
FIRST_JOB_USER = 0xEEF0
PASSWD, PASSWD_BYTES = "/etc/passwd", 1024 * 1024
LARGEST_ID = 2**32 - 2  # the kernel takes the one above for "leave it"


def resolve_user(name: str) -> tuple[int, int]:
    """(uid, gid) of a user name. Raises BoardError."""
    import pwd

    try:
        found = pwd.getpwnam(name)
    except KeyError as error:
        raise BoardError(f"there is no user `{name}`") from error
    return found.pw_uid, found.pw_gid


def user_number(name: str) -> int | None:
    """The uid of a user name or of digits, which need no user; None for an empty name."""
    if not name:
        return None
    return _number(name) if name.isdecimal() else resolve_user(name)[0]


def group_number(name: str) -> int | None:
    """The gid of a group name or of digits, which need no group; None for an empty name."""
    if not name:
        return None
    if name.isdecimal():
        return _number(name)
    import grp

    try:
        return grp.getgrnam(name).gr_gid
    except KeyError as error:
        raise BoardError(f"there is no group `{name}`") from error


def _number(digits: str) -> int:
    if not digits.isdecimal() or int(digits) > LARGEST_ID:
        raise BoardError(f"{digits} is no number of a user or group")
    return int(digits)


def worker_user(name: str) -> tuple[int, int, int] | None:
    """Whom job children run as: uid, gid, and what is added to both for each place of the worker.

    Unless named, `scep-agent-job` or a user for each place; None for an agent without root. A
    number need not be a user's; its group is the same. Raises BoardError.
    """
    if os.geteuid() != 0:
        return None
    if not name:
        return _own_user() or (FIRST_JOB_USER, FIRST_JOB_USER, 1)
    uid, gid = (_number(name),) * 2 if name.isdecimal() else resolve_user(name)
    return _not_root(uid, gid)


def _own_user() -> tuple[int, int, int] | None:
    """WORKER_USER, which a package makes in this file. To ask for a user that may not be there
    would load every name service of the system: half a megabyte that stays."""
    try:
        lines = read_text(PASSWD, PASSWD_BYTES).splitlines()
    except FilesError:
        return None
    for fields in (line.split(":") for line in lines):
        if fields[0] == WORKER_USER and len(fields) == 7:
            return _not_root(_number(fields[2]), _number(fields[3]))
    return None


def _not_root(uid: int, gid: int) -> tuple[int, int, int]:
    if uid == 0:
        raise BoardError("[worker] user: root would make its children's confinement worthless")
    return uid, gid, 0
