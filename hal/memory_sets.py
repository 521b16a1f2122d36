"""What stands in one realm's folder of device memory: sets, links, and what is not the agent's.

The agent's are: folders named by a plain number (the sets), with the files in them; `current` and
`.current`; links of the form `NAME -> current/NAME`. All the rest is a stray: a folder inside a
set, a folder of another user, one that bears another name. A stray is never entered, followed or
deleted. Where it stands at a name that the agent needs, it is set aside as `.stray-1`.

Each function works below the descriptor of an open folder. All raise OSError.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

from hal.files import remove_quietly
from hal.folder import ForeignError, below, place

CURRENT = "current"

_NEXT_LINK = ".current"
_LARGEST = 999_999_999  # of the numbers of sets
_TOLD = 100

Tell = Callable[[str], None]


class Strays:
    """Tells of each stray once; of a hundred at most, since each is remembered."""

    __slots__ = ("_tell", "_told")

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._told: set[str] = set()

    def __call__(self, text: str) -> None:
        if text not in self._told and len(self._told) < _TOLD:
            self._told.add(text)
            self._tell(text)


def current_set(folder: int) -> str | None:
    """The set that consumers see; None when `current` is missing or not of the agent's making."""
    target = _target(folder, CURRENT)
    return target if target is not None and _is_set(target) else None


def make_set(folder: int) -> str:
    """Makes the next set, which nobody else can enter; its name."""
    number = int(current_set(folder) or 0)
    while True:
        number = number % _LARGEST + 1
        try:
            os.mkdir(str(number), 0o700, dir_fd=folder)
        except FileExistsError:  # still readable for consumers, or a stray
            continue
        return str(number)


def point(folder: int, target: str, name: str, tell: Tell) -> None:
    """Makes a link lead to the target in one step."""
    try:
        remove_quietly(_NEXT_LINK, folder)
    except IsADirectoryError:
        set_aside(folder, _NEXT_LINK, tell)
    os.symlink(target, _NEXT_LINK, dir_fd=folder)
    try:
        _rename(folder, _NEXT_LINK, name)
    except IsADirectoryError:
        set_aside(folder, name, tell)
        _rename(folder, _NEXT_LINK, name)


def set_aside(folder: int, name: str, tell: Tell) -> None:
    """Takes a stray out of the agent's way, whatever it is and whoever owns it."""
    known, number = set(os.listdir(folder)), 1
    while f".stray-{number}" in known:
        number += 1
    _rename(folder, name, f".stray-{number}")
    tell(f"{place(folder)}/{name} was in the way and is .stray-{number} now")


def remove_set(folder: int, name: str, tell: Tell) -> None:
    """Removes a set, which may be gone already, but never the current one; strays in it stay."""
    if name == current_set(folder):
        return
    try:
        with below(folder, name) as fd:
            _empty(fd)
        os.rmdir(name, dir_fd=folder)
    except FileNotFoundError:
        pass
    except OSError as error:
        stays(folder, name, error, tell)


def is_stray(error: OSError) -> bool:
    """Whether a folder could not be removed because it is, or holds, what is not ours."""
    return isinstance(error, ForeignError) or error.errno in (errno.ENOTEMPTY, errno.ENOTDIR)


def stays(folder: int, name: str, error: OSError, tell: Tell) -> None:
    """Tells why something was not removed."""
    tell(f"{place(folder)}/{name} stays: {error.strerror or error}")


def sweep(folder: int, tell: Tell) -> None:
    """Removes every set that is not current, and links of ours that lead nowhere."""
    for name in os.listdir(folder):
        if _is_set(name):
            remove_set(folder, name, tell)
        elif _is_our_link(folder, name) and _leads_nowhere(folder, name):
            os.unlink(name, dir_fd=folder)


def clear(folder: int, tell: Tell) -> None:
    """Removes all that is ours: first the links, so that consumers find nothing any more."""
    for name in os.listdir(folder):
        if _is_our_link(folder, name):
            os.unlink(name, dir_fd=folder)
    sweep(folder, tell)


def _empty(folder: int) -> None:
    for name in os.listdir(folder):
        try:
            os.unlink(name, dir_fd=folder)
        except OSError:
            pass  # a folder, or made immutable: the set cannot be removed either, which is told


def _is_set(name: str) -> bool:
    return name.isascii() and name.isdecimal() and name[0] != "0" and int(name) <= _LARGEST


def _target(folder: int, name: str) -> str | None:
    """Where a link leads; None when nothing stands there, or something that is no link."""
    try:
        return os.readlink(name, dir_fd=folder)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.EINVAL):
            return None
        raise


def _is_our_link(folder: int, name: str) -> bool:
    target = _target(folder, name)
    return target is not None and (name in (CURRENT, _NEXT_LINK) or target == f"{CURRENT}/{name}")


def _leads_nowhere(folder: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=folder)
    except FileNotFoundError:
        return True
    return False


def _rename(folder: int, name: str, to: str) -> None:
    os.rename(name, to, src_dir_fd=folder, dst_dir_fd=folder)
