"""Device memory: the certificates and keys that consumers (IKE, TLS, 802.1X) read, on tmpfs.

    memory/<realm>/3/cert.pem ...           an immutable folder, one for each switch
    memory/<realm>/current -> 3             the only thing that a switch changes
    memory/<realm>/cert.pem -> current/cert.pem

Fault model: the agent may be killed at any call; a consumer may open two files while they are
switched, may hold the old ones open, and may be hostile to its neighbours; the folder may be full;
a person may put files and folders anywhere in it. Promised: a consumer that resolves `current` once
sees one complete set, old or new; nothing is visible under `current` before it is complete, owned
and moded; a failed switch changes nothing. Folders belong to the agent, are never writable for
others and are opened as `hal.folder` says, so nobody can put a link in the agent's way; who may
read is said by the files.

What a killed agent left behind goes at the first use of each realm. What is not the agent's (see
`hal.memory_sets`) stays, blocks no realm, and is told of once.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial

from hal import memory_sets as sets
from hal.files import check_name, converted, read_regular
from hal.folder import ForeignError, below, open_below, opened
from hal.memory_sets import Strays, Tell
from hal.named import NamedTuple
from hal.ports import DeviceMemoryError, Reactor

GRACE_NS = 60_000_000_000  # a consumer that resolved the link has this long to open its files
REALM_CHARACTERS = 64

_MODE = 0o755  # of the folder of all realms: who may read is said below it
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
_FORBIDDEN = frozenset('/\\"')


class Readers(NamedTuple):
    """Who may read a realm's files: their owner and group (numbers, None for the agent's own), and
    their mode."""

    owner: int | None = None
    group: int | None = None
    mode: int = 0o600

    @property
    def folder_mode(self) -> int:
        """Who may read a file may pass its folder; another owner of files may at least enter."""
        readers = self.mode & 0o044 | (0o040 if self.group is not None else 0)
        enter = 0o011 if self.owner is not None else 0
        return 0o700 | readers | readers >> 2 | enter

    def has(self, found: os.stat_result) -> bool:
        """Whether a file is for them and for nobody else."""
        owner = os.geteuid() if self.owner is None else self.owner
        whose = found.st_uid == owner and self.group in (None, found.st_gid)
        return whose and stat.S_IMODE(found.st_mode) == self.mode


_PRIVATE = Readers()


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
    """A set that nobody sees yet, and the open descriptors of its files."""

    __slots__ = ("fds", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.fds: dict[str, int] = {}

    def close(self) -> None:
        for fd in self.fds.values():
            os.close(fd)
        self.fds.clear()


class FolderMemory:
    """Device memory below one folder, which is made when missing. See `hal.ports.DeviceMemory`.

    The descriptors that `stage` returns belong to this object: `switch` and `discard` close them.
    `readers`: of all realms but those (by their folders' names) that have others, `of_realms`.
    `tell` hears once of each stray that is in the agent's way, or that cannot be removed; and,
    unless `strict`, why the folder cannot be used now.
    """

    __slots__ = ("_of_realms", "_path", "_reactor", "_readers", "_stages", "_tell")

    def __init__(
        self,
        path: str,
        reactor: Reactor,
        readers: Readers = _PRIVATE,
        of_realms: Mapping[str, Readers] = {},
        tell: Tell = lambda _text: None,
        strict: bool = True,
    ) -> None:
        self._path, self._reactor, self._tell = path, reactor, Strays(tell)
        self._readers, self._of_realms = readers, of_realms
        self._stages: dict[str, _Stage | None] = {}  # None: seen, nothing staged
        try:
            with converted(DeviceMemoryError, path), opened(path, _MODE):
                pass
        except DeviceMemoryError as error:
            if strict or isinstance(error.__cause__, ForeignError):
                raise
            tell(str(error))

    def stage(self, realm: str, names: Sequence[str]) -> Mapping[str, int]:
        """Opens new empty files (0600), write-only, in a new private folder.

        What was staged before is discarded. Names are those of `hal.files.check_name`.
        """
        for name in names:
            check_name(name, DeviceMemoryError)
        with self._realm(realm) as (key, folder):
            self._drop(key, folder)
            stage = self._stages[key] = _Stage(sets.make_set(folder))
            with below(folder, stage.name) as fd:
                for name in names:
                    stage.fds[name] = os.open(name, _CREATE, 0o600, dir_fd=fd)
        return dict(stage.fds)

    def switch(self, realm: str) -> None:
        """Makes what was staged current; the set before stays for 60 s."""
        with self._realm(realm) as (key, folder):
            stage = self._stages[key]
            if stage is None:
                raise DeviceMemoryError("nothing is staged", realm)
            before = sets.current_set(folder)
            try:
                self._finish(key, folder, stage)
                for name in stage.fds:
                    sets.point(folder, f"{sets.CURRENT}/{name}", name, self._tell)
                sets.point(folder, stage.name, sets.CURRENT, self._tell)
                os.fsync(folder)
            finally:
                self._drop(key, folder)  # removes the set only when it did not become current
        if before is not None:
            self._reactor.after(GRACE_NS, partial(self._retire, key, before))

    def discard(self, realm: str) -> None:
        if self._stages.get(realm_folder(realm)) is not None:
            with self._realm(realm) as (key, folder):
                self._drop(key, folder)

    def current(self, realm: str, name: str) -> bytes | None:
        check_name(name, DeviceMemoryError)
        key = realm_folder(realm)
        with converted(DeviceMemoryError, realm):
            try:
                with opened(self._path) as memory, below(memory, key) as folder:
                    number = sets.current_set(folder)
                    if number is None:
                        return None
                    with below(folder, number) as fd:
                        found = os.stat(name, dir_fd=fd, follow_symlinks=False)
                        return read_regular(name, fd) if self._of(key).has(found) else None
            except FileNotFoundError:
                return None

    def remove(self, realm: str) -> None:
        """Takes everything of the realm away at once; nothing there is no error."""
        key = realm_folder(realm)
        self._forget(key)
        with converted(DeviceMemoryError, realm), opened(self._path, _MODE) as memory:
            try:
                with below(memory, key) as folder:
                    sets.clear(folder, self._tell)
                os.rmdir(key, dir_fd=memory)
            except FileNotFoundError:
                pass
            except OSError as error:
                if not sets.is_stray(error):
                    raise
                sets.stays(memory, key, error, self._tell)

    @contextmanager
    def _realm(self, realm: str) -> Iterator[tuple[str, int]]:
        """The realm's folder, open, moded, and swept at its first use or when it was gone.

        When it cannot be had, what was staged is closed. Raises DeviceMemoryError, also for the
        errors of what is done with it.
        """
        key = realm_folder(realm)
        with converted(DeviceMemoryError, realm):
            try:
                with opened(self._path, _MODE) as memory:
                    folder = self._enter(memory, key)
            except OSError:
                self._forget(key)
                raise
            try:
                self._give(folder, self._of(key))
                if key not in self._stages:
                    sets.sweep(folder, self._tell)
                    self._stages[key] = None
                yield key, folder
            finally:
                os.close(folder)

    def realms(self) -> list[str]:
        with (
            converted(DeviceMemoryError, self._path),
            opened(self._path, _MODE) as memory,
            os.scandir(memory) as entries,
        ):
            names = [one.name for one in entries if one.is_dir(follow_symlinks=False)]
        return sorted(name for name in names if _is_realm(name))

    def _enter(self, memory: int, key: str) -> int:
        try:
            return open_below(memory, key)
        except FileNotFoundError:
            pass
        except (NotADirectoryError, ForeignError):
            sets.set_aside(memory, key, self._tell)
        self._forget(key)
        return open_below(memory, key, 0o700)

    def _of(self, key: str) -> Readers:
        return self._of_realms.get(key, self._readers)

    @staticmethod
    def _give(folder: int, readers: Readers) -> None:
        os.fchown(folder, -1, _own(readers.group))
        os.fchmod(folder, readers.folder_mode)

    def _finish(self, key: str, folder: int, stage: _Stage) -> None:
        """Gives files, then their folder, to the consumers, and makes them durable."""
        readers = self._of(key)
        with below(folder, stage.name) as at:
            for name, fd in stage.fds.items():
                if not os.path.samestat(
                    os.stat(name, dir_fd=at, follow_symlinks=False), os.fstat(fd)
                ):
                    raise DeviceMemoryError("another file is there than was staged", name)
                os.fchmod(fd, readers.mode)  # first: the file of another owner needs CAP_FOWNER
                os.fchown(fd, _own(readers.owner), _own(readers.group))
                os.fsync(fd)
            self._give(at, readers)
            os.fsync(at)

    def _drop(self, key: str, folder: int) -> None:
        """Ends what is staged: closes its files and removes its set unless that is current."""
        stage = self._stages[key]
        if stage is not None:
            self._stages[key] = None
            stage.close()
            sets.remove_set(folder, stage.name, self._tell)

    def _forget(self, key: str) -> None:
        """Closes what is staged where its folder is out of reach; the next use sweeps."""
        stage = self._stages.pop(key, None)
        if stage is not None:
            stage.close()

    def _retire(self, key: str, name: str) -> None:
        stage = self._stages.get(key)
        if stage is not None and stage.name == name:
            return  # the realm was removed meanwhile, and numbers began anew
        try:
            with opened(self._path) as memory, below(memory, key) as folder:
                sets.remove_set(folder, name, self._tell)
        except OSError:
            pass  # what stays is swept at the next start; nobody waits for this


def _own(number: int | None) -> int:
    """For fchown(2), which takes -1 for whom the file has now."""
    return -1 if number is None else number
