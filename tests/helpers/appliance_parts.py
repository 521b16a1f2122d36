"""Parts of the fake appliance that need nothing of it: storage, machine, access."""

from collections.abc import Callable
from typing import Any, NamedTuple

from agent.appliance import Children, ClockState, Done, FileEntry, Progress, Seat
from agent.console.displays.board import STATISTICS
from agent.console.displays.document import FLAG
from agent.errors import AgentError, fail
from tests.helpers.appliance_values import START_S, hashed


class LogRow(NamedTuple):
    """A line of the log."""

    at_s: int
    level: int
    text: str


class Task(NamedTuple):
    """A task that was started and waits for the test."""

    name: str
    result: object
    done: Done[Any]
    progress: Progress | None
    given: tuple[object, ...] = ()


class FakeStorage:
    """Files of device storage in a dictionary."""

    def __init__(self) -> None:
        self.content: dict[str, bytes] = {}
        self.fails = False

    def entries(self) -> list[FileEntry]:
        if self.fails:
            raise fail("storage-failed", reason="it cannot be read")
        return [FileEntry(name, len(data), START_S) for name, data in self.content.items()]

    def exists(self, name: str) -> bool:
        return name in self.content

    def remove(self, name: str) -> None:
        self.content.pop(name, None)

    def read(self, name: str) -> bytes:
        if name not in self.content:
            raise fail("file-missing", name=name)
        return self.content[name]

    def write(self, name: str, data: bytes) -> None:
        self.content[name] = data


class FakeRevocation:
    """A list is there once it has been fetched or imported."""

    def __init__(self, task: Callable[..., int], storage: FakeStorage) -> None:
        self._task, self._storage = task, storage
        self.found: dict[str, bytes] = {}

    def fetch(self, realm: str, progress: Progress, done: Done[Any]) -> int:
        self.found[realm] = b"list of " + realm.encode()
        return self._task("crl", None, done, progress)

    def import_from(self, realm: str, file: str, progress: Progress, done: Done[Any]) -> int:
        self.found[realm] = self._storage.read(file)
        return self._task("import crl", None, done, progress)

    def current(self, realm: str) -> bytes | None:
        return self.found.get(realm)

    def delete(self, realm: str) -> None:
        if self.found.pop(realm, None) is None:
            raise fail("crl-absent", realm=realm)


class FakeSystem:
    """A machine whose clock is right and which notes what was done to it."""

    def __init__(self) -> None:
        self.done: list[tuple[str, object]] = []
        self.state = ClockState("ntp", True, "a time source vouches for it", START_S, START_S)
        self.recovery, self.key_missing, self.moved = True, False, False
        self.refusal: AgentError | None = None  # of the flash

    def clock(self) -> ClockState:
        return self.state

    def set_clock(self, wall_s: int) -> None:
        self.done.append(("clock", wall_s))

    def children(self) -> Children | None:
        return Children(("Landlock",), ("seccomp (EPERM)",))

    def statistics(self) -> dict[str, object]:
        kinds = {field.key: field.type for field in STATISTICS.fields}
        counted = {key: False if kind == FLAG else 0 for key, kind in kinds.items()}
        texts = {"store_read_only": None, "device_key": "there"}
        return {**counted, **texts, "events": ["GET_CA_CERT_OK : 2"]}

    def compact(self, done: Done[Any]) -> int:
        self.done.append(("compact", None))
        done(None)
        return 1

    def wipe(self) -> None:
        self.done.append(("wipe", None))

    def erase(self, done: Done[Any]) -> int:
        if self.refusal:
            raise self.refusal
        self.done.append(("erase", None))
        done(None)
        return 1

    def confirm_device(self) -> None:
        self.done.append(("confirm", None))

    def reboot(self) -> None:
        self.done.append(("reboot", None))


class FakeUnusable:
    """A storage that cannot be used; `renewed` holds what was asked of it."""

    def __init__(self, reason: str, task: Callable[[str, object, Done[Any]], int]) -> None:
        self.reason = reason
        self.renewed: list[bool] = []
        self._task = task

    def renew(self, everything: bool, done: Done[Any]) -> int:
        self.renewed.append(everything)
        return self._task("renew", None, done)


class FakeAccess:
    """Passwords are hashed by turning their bytes around; `checked` is what was compared."""

    def __init__(self, task: Callable[[str, object, Done[Any]], int]) -> None:
        self.seats = [Seat("SOCK 0", "terminal", "uid 0", 3, START_S, lambda: 0)]
        self.checked: list[tuple[str, str]] = []
        self._task = task

    def hash_password(self, plain: str, before: str | None, done: Done[Any]) -> int:
        return self._task("hash", hashed(plain), done)

    def check_password(self, plain: str, stored: str, done: Done[Any]) -> int:
        self.checked.append((plain, stored))
        return self._task("check-password", hashed(plain) == stored, done)
