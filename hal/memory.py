"""Device memory: the certificates and keys that consumers (IKE, TLS, 802.1X) read, on tmpfs.

    memory/<realm>/3/cert.pem ...           an immutable folder, one for each switch
    memory/<realm>/current -> 3             the only thing that a switch changes
    memory/<realm>/cert.pem -> current/cert.pem

Fault model: the agent may be killed at any call; a consumer may open two files while they are
switched, may hold the old ones open, and may be hostile to its neighbours; the folder may be full.
Promised: a consumer that resolves `current` once sees one complete set, old or new; nothing is
visible under `current` before it is complete, owned and moded; a failed switch changes nothing.
Folders belong to the agent and are never writable for others, so no consumer can put a link in
the agent's way; who may read is said by the files.

What a killed agent left behind goes at the first use of each realm.
"""

import os
from collections.abc import Mapping, Sequence

from hal.files import (
    check_name,
    converted,
    make_folder,
    read_regular,
    remove_quietly,
    sync_folder,
)
from hal.ports import DeviceMemoryError, Reactor

GRACE_NS = 60_000_000_000  # a consumer that resolved the link has this long to open its files
REALM_CHARACTERS = 64

_CURRENT, _NEXT_LINK = "current", ".current"
_FORBIDDEN = frozenset('/\\"')


def realm_folder(realm: str) -> str:
    """The folder name of a realm; names that differ in case only are one realm (VRP).

    Raises DeviceMemoryError for what the console would not take as a name.
    """
    folder = realm.casefold()
    good = 0 < len(realm) <= REALM_CHARACTERS and folder.isprintable()
    if not good or folder[0] == "." or not _FORBIDDEN.isdisjoint(folder):
        raise DeviceMemoryError("not a realm name", ascii(realm[:80]))
    return folder


def _is_realm(name: str) -> bool:
    """Whether a folder may be a realm's; others in there are not ours."""
    try:
        return realm_folder(name) == name
    except DeviceMemoryError:
        return False


class _Stage:
    """A folder that nobody sees yet, and the open descriptors of its files."""

    __slots__ = ("fds", "path")

    def __init__(self, path: str) -> None:
        self.path = path
        self.fds: dict[str, int] = {}

    def close(self) -> None:
        for fd in self.fds.values():
            os.close(fd)
        self.fds.clear()


class FolderMemory:
    """Device memory below one folder, which is made when missing. See `hal.ports.DeviceMemory`.

    The descriptors that `stage` returns belong to this object: `switch` and `discard` close them.
    `owner`, `group` (numbers, None for the agent's own) and `mode` are those of the files.
    """

    __slots__ = ("_folder_mode", "_group", "_mode", "_owner", "_path", "_reactor", "_stages")

    def __init__(
        self,
        path: str,
        reactor: Reactor,
        owner: int | None = None,
        group: int | None = None,
        mode: int = 0o600,
    ) -> None:
        self._path, self._reactor, self._mode = path, reactor, mode
        self._owner = -1 if owner is None else owner
        self._group = -1 if group is None else group
        self._folder_mode = _folder_mode(mode, owner, group)
        self._stages: dict[str, _Stage | None] = {}  # None: seen, nothing staged
        with converted(DeviceMemoryError, path):
            make_folder(path, 0o755)

    def stage(self, realm: str, names: Sequence[str]) -> Mapping[str, int]:
        """Opens new empty files (0600), write-only, in a new private folder.

        What was staged before is discarded. Names are those of `hal.files.check_name`.
        """
        for name in names:
            check_name(name, DeviceMemoryError)
        with converted(DeviceMemoryError, realm):
            folder = self._enter(realm)
            self._drop(folder)
            stage = self._stages[folder] = _Stage(os.path.join(folder, _next_name(folder)))
            os.mkdir(stage.path, 0o700)
            for name in names:
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
                stage.fds[name] = os.open(os.path.join(stage.path, name), flags, 0o600)
        return dict(stage.fds)

    def switch(self, realm: str) -> None:
        """Makes what was staged current; the set before stays for 60 s."""
        with converted(DeviceMemoryError, realm):
            folder = self._enter(realm)
            stage = self._stages[folder]
            if stage is None:
                raise DeviceMemoryError("nothing is staged", realm)
            before = _target(folder)
            try:
                self._finish(stage)
                for name in stage.fds:
                    _link(os.path.join(_CURRENT, name), folder, name)
                _link(os.path.basename(stage.path), folder, _CURRENT)
                sync_folder(folder)
            finally:
                self._drop(folder)  # removes the folder only when it did not become current
        if before is not None:
            self._reactor.after(GRACE_NS, lambda: self._retire(folder, before))

    def discard(self, realm: str) -> None:
        with converted(DeviceMemoryError, realm):
            self._drop(os.path.join(self._path, realm_folder(realm)))

    def current(self, realm: str, name: str) -> bytes | None:
        check_name(name, DeviceMemoryError)
        folder = os.path.join(self._path, realm_folder(realm))
        with converted(DeviceMemoryError, realm):
            try:
                return read_regular(os.path.join(folder, _CURRENT, name))
            except FileNotFoundError:
                return None

    def remove(self, realm: str) -> None:
        """Takes everything of the realm away at once; nothing there is no error."""
        folder = os.path.join(self._path, realm_folder(realm))
        with converted(DeviceMemoryError, realm):
            self._drop(folder)
            self._stages.pop(folder, None)
            if os.path.isdir(folder):
                remove_quietly(os.path.join(folder, _CURRENT))
                _sweep(folder)
                os.rmdir(folder)

    def realms(self) -> list[str]:
        with converted(DeviceMemoryError, self._path):
            make_folder(self._path, 0o755)
            with os.scandir(self._path) as entries:
                names = [one.name for one in entries if one.is_dir(follow_symlinks=False)]
        return sorted(name for name in names if _is_realm(name))

    def _enter(self, realm: str) -> str:
        """The realm's folder, made, moded and swept when this is its first use, or somebody has
        removed it. Raises OSError."""
        folder = os.path.join(self._path, realm_folder(realm))
        if folder not in self._stages or not os.path.isdir(folder):
            make_folder(folder)
            self._open_folder(folder)
            _sweep(folder)
            self._stages[folder] = None
        return folder

    def _open_folder(self, path: str) -> None:
        os.chown(path, -1, self._group)
        os.chmod(path, self._folder_mode)

    def _finish(self, stage: _Stage) -> None:
        """Gives files, then their folder, to the consumers, and makes them durable."""
        for fd in stage.fds.values():
            os.fchown(fd, self._owner, self._group)
            os.fchmod(fd, self._mode)
            os.fsync(fd)
        self._open_folder(stage.path)
        sync_folder(stage.path)

    def _drop(self, folder: str) -> None:
        """Ends what is staged: closes its files and removes its folder unless that is current."""
        stage = self._stages.get(folder)
        if stage is not None:
            self._stages[folder] = None
            stage.close()
            _remove_set(folder, os.path.basename(stage.path))

    def _retire(self, folder: str, name: str) -> None:
        stage = self._stages.get(folder)
        if stage is not None and os.path.basename(stage.path) == name:
            return  # the realm was removed meanwhile, and numbers began anew
        try:
            _remove_set(folder, name)
        except OSError:
            pass  # what stays is swept at the next start; nobody waits for this


def _folder_mode(mode: int, owner: int | None, group: int | None) -> int:
    """Whoever may read a file may pass its folder; another owner of files may at least enter."""
    readers = mode & 0o044 | (0o040 if group is not None else 0)
    enter = 0o011 if owner is not None else 0
    return 0o700 | readers | readers >> 2 | enter


def _target(folder: str) -> str | None:
    try:
        return os.readlink(os.path.join(folder, _CURRENT))
    except FileNotFoundError:
        return None


def _next_name(folder: str) -> str:
    return str(1 + max((int(name) for name in os.listdir(folder) if name.isdecimal()), default=0))


def _link(target: str, folder: str, name: str) -> None:
    """Makes a link point to the target in one step."""
    temporary = os.path.join(folder, _NEXT_LINK)
    remove_quietly(temporary)
    os.symlink(target, temporary)
    os.rename(temporary, os.path.join(folder, name))


def _remove_set(folder: str, name: str) -> None:
    """Removes one folder of files; never the current one, and it may be gone already."""
    path = os.path.join(folder, name)
    if name == _target(folder) or not os.path.isdir(path):
        return
    for entry in os.listdir(path):
        os.unlink(os.path.join(path, entry))
    os.rmdir(path)


def _sweep(folder: str) -> None:
    """Removes every set that is not current, and links that lead nowhere."""
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if not os.path.islink(path):
            _remove_set(folder, name)
        elif not os.path.exists(path):
            os.unlink(path)
