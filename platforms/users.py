"""Users and groups of the system, by name or number.

`pwd` and `grp` are built into the interpreter; what costs is their first look-up, which may load
the name services of the C library. So a number is never looked up, and nothing at all without need.
"""

import os

from platforms.board import BoardError

WORKER_USER = "nobody"
LARGEST_ID = 2**32 - 2  # the kernel takes the one above for "leave it"


def resolve_user(name: str) -> tuple[int, int]:
    """(uid, gid) of a user name, or of a uid in digits. Raises BoardError."""
    import pwd

    try:
        found = pwd.getpwuid(int(name)) if name.isdecimal() else pwd.getpwnam(name)
    except (KeyError, OverflowError) as error:
        raise BoardError(f"there is no user `{name}`") from error
    return found.pw_uid, found.pw_gid


def user_number(name: str) -> int | None:
    """The uid of a user name or of digits, which need no user; None for an empty name."""
    return _number(name) if not name or name.isdecimal() else resolve_user(name)[0]


def group_number(name: str) -> int | None:
    """The gid of a group name or of digits, which need no group; None for an empty name."""
    if not name or name.isdecimal():
        return _number(name)
    import grp

    try:
        return grp.getgrnam(name).gr_gid
    except KeyError as error:
        raise BoardError(f"there is no group `{name}`") from error


def _number(digits: str) -> int | None:
    if not digits:
        return None
    if int(digits) > LARGEST_ID:
        raise BoardError(f"{digits} is no number of a user or group")
    return int(digits)


def worker_user(name: str) -> tuple[int, int] | None:
    """(uid, gid) that a job child takes: `nobody` unless named; None for an agent without root."""
    if os.geteuid() != 0:
        return None
    found = resolve_user(name or WORKER_USER)
    if found[0] == 0:
        raise BoardError("[worker] user: root would make its children's confinement worthless")
    return found
