"""A whole device in dictionaries, for tests of the console.

Tasks end when the test says so (`finish`), or at once with `eager`.
"""

from collections.abc import Callable, Iterator
from typing import Any

from agent.appliance import (
    CaInfo,
    Certificate,
    Check,
    Described,
    Done,
    FromFile,
    Glance,
    KeyPair,
    LogLine,
    Progress,
    RealmStatus,
    Verdict,
)
from agent.console.commands.table import render_configuration
from agent.console.language.blocks import difference
from agent.console.language.interfaces import InterfaceNames
from agent.errors import AgentError, fail
from agent.pieces import Pieces, T, at_once
from agent.settings import Realm, Settings, fold
from hal.fakes.work import FakeReactor
from hal.ports import Interface
from tests.helpers.appliance_parts import (
    FakeAccess,
    FakeRevocation,
    FakeStorage,
    FakeSystem,
    FakeUnusable,
    LogRow,
    Task,
)
from tests.helpers.appliance_values import IDLE, START_S, seal


class FakeExchange:
    """Notes what was asked for; a file that is written holds its format."""

    def __init__(self, device: "FakeDevice") -> None:
        self._device = device
        self.asked: list[tuple[object, ...]] = []

    def _note(self, *asked: object) -> None:
        self.asked.append(asked)

    def get_ca(self, realm: str, progress: Progress, done: Done[Any]) -> int:
        self._note("get", realm)
        return self._device.task("get", None, done, progress)

    def get_next_ca(self, realm: str, progress: Progress, done: Done[Any]) -> int:
        self._note("next", realm)
        return self._device.task("next", None, done, progress)

    def get_local(self, realm: str, serial: str | None, progress: Progress, done: Done[Any]) -> int:
        self._note("get local", realm, serial)
        return self._device.task("get local", False, done, progress)

    def import_ca(self, realm: str, what: FromFile, progress: Progress, done: Done[Any]) -> int:
        self._note("import", "ca", realm, what)
        self._device.storage.read(what.file)
        return self._device.task("import", None, done, progress)

    def import_local(self, realm: str, what: FromFile, progress: Progress, done: Done[Any]) -> int:
        self._note("import", "local", realm, what)
        self._device.storage.read(what.file)
        return self._device.task("import", None, done, progress)

    def import_key(self, name: str, what: FromFile, exportable: bool, done: Done[Any]) -> int:
        self._note("import", "key", name, what, exportable)
        self._device.storage.read(what.file)
        self._device.add_key_pair(name)
        return self._device.task("import", self._device.pairs[name], done)

    def export(self, realm: str, kind: str, what: FromFile, done: Done[Any]) -> int:
        self._note("export", kind, realm, what)
        return self._write(what, done)

    def export_key(self, name: str, what: FromFile, done: Done[Any]) -> int:
        self._note("export", "key", name, what)
        if name not in self._device.pairs:
            raise fail("key-unknown", name=name)
        return self._write(what, done)

    def request(self, realm: str, file: str, with_password: bool, done: Done[Any]) -> int:
        self._note("request", realm, file, with_password)
        return self._write(FromFile(file, "pem"), done)

    def _write(self, what: FromFile, done: Done[Any]) -> int:
        self._device.storage.content[what.file] = str(what.format).encode()
        return self._device.task("write", None, done)

    def validate(self, realm: str, kind: str, done: Done[Any], file: str | None = None) -> int:
        rows = [Verdict("file" if file else kind, f"CN={realm}", "Valid", None)]
        if file:
            self._device.storage.read(file)
        return self._device.task("validate", rows, done)

    def download(self, realm: str, url: str, file: str, done: Done[Any]) -> int:
        self._note("download", realm, url, file)
        if self._device.storage.exists(file):
            raise fail("file-exists", name=file)
        self._device.storage.content[file] = url.encode()
        return self._device.task("download", None, done)

    def delete(self, realm: str, kind: str) -> None:
        found = self._device.cas if kind == "ca" else self._device.locals
        if found.pop(realm, None) is None:
            raise fail("ca-untrusted" if kind == "ca" else "certificate-missing", realm=realm)


class FakeApplications:
    """They end as the test says, and leave no trace."""

    def __init__(self, device: "FakeDevice") -> None:
        self._device = device
        self.outdated: set[str] = set()

    def enrol(self, realm: str, plain: str | None, progress: Progress, done: Done[Any]) -> int:
        self._device.asked.append((realm, plain))
        if self._device.realm(realm).url is None:
            raise fail(
                "realm-incomplete", realm=realm, missing="enrollment-url", command="enrollment-url"
            )
        return self._device.task("enrol", None, done, progress)

    def update(self, realm: str, progress: Progress, done: Done[Any]) -> int:
        self._device.realm(realm)
        if realm not in self._device.locals:
            raise fail("certificate-missing", realm=realm)
        return self._device.task("update", None, done, progress)

    def abort(self, realm: str) -> bool:
        self._device.realm(realm)
        return self._device.statuses.pop(realm, None) is not None

    def is_outdated(self, realm: str) -> bool:
        return realm in self.outdated


class FakeConfiguration:
    """The Configuration protocol: the saved text is a string, or missing."""

    def __init__(self, device: "FakeDevice") -> None:
        self._device = device
        self.text: str | None = None
        self.times = 0  # it was saved
        self.refusal: AgentError | None = None  # of the flash
        self.missing = ""  # what was lost of the saved one
        self.copies = ""  # what is there once only

    def running(self) -> Iterator[str]:
        return iter(render_configuration(self._device.settings))

    def saved(self) -> Pieces[list[str] | None]:
        yield from ()
        return None if self.text is None else self.text.splitlines()

    def lost(self) -> str:
        return self.missing

    def worn(self) -> str:
        return self.copies

    def closed(self) -> str:
        return self.missing if self._device.settings.console.mode == "none" else ""

    def save(self) -> Pieces[None]:
        return self._write(self._device.settings)

    def _write(self, settings: Settings) -> Pieces[None]:
        yield
        if self.refusal:
            raise self.refusal
        self.text = "\n".join(render_configuration(settings)) + "\n"
        self.times += 1
        self.missing = self.copies = ""

    def unsaved(self) -> bool:
        lines = (self.text or "").splitlines()
        return self.text is None or bool(at_once(difference(lines, self.running())))

    def edits(self) -> int:
        return self._device.changes

    def reset(self) -> Pieces[None]:
        yield
        self.text = None

    def replace(self, settings: Settings, edits: int) -> Pieces[None]:
        if edits != self.edits():
            raise fail("apply-raced")
        yield from self._write(settings)
        self._device.settings.become(settings)
        self._device.changed()


class FakeDevice:
    """The Appliance protocol over plain dictionaries."""

    def __init__(self, *, eager: bool = False) -> None:
        self.settings = Settings()
        self.storage = FakeStorage()
        self.applications = FakeApplications(self)
        self.exchange = FakeExchange(self)
        self.revocation = FakeRevocation(self.task, self.storage)
        self.system = FakeSystem()
        self.unusable: FakeUnusable | None = None
        self.access = FakeAccess(self.task)
        self.reactor = FakeReactor()  # its time is that of all sessions
        self.eager = eager
        self.tasks: dict[int, Task] = {}
        self.detached: list[int] = []
        self.forgotten: list[str] = []
        self.asked: list[tuple[str, str | None]] = []
        self.pairs: dict[str, KeyPair] = {}
        self.unreadable: set[str] = set()  # names of further pairs
        self.statuses: dict[str, RealmStatus] = {}
        self.locals: dict[str, Certificate] = {}
        self.waits: dict[str, Certificate] = {}
        self.cas: dict[str, CaInfo] = {}
        self.log: list[LogRow] = []
        self.listeners: list[Callable[[LogLine], None]] = []
        self.changes = 0
        self.configuration = FakeConfiguration(self)
        self._next = 1
        names = InterfaceNames({"GigabitEthernet0/0/1": "eth1", "LoopBack0": "lo"})
        self.interface_name, self.linux_name = names.kept, names.linux
        self.router_names = names.router

    # -- what a test does to it

    def finish(self, result: object = None) -> None:
        """Ends the oldest task, with its own result or another one."""
        task = self.tasks.pop(min(self.tasks))
        task.done(task.result if result is None else result)

    def report(self, text: str) -> None:
        """Logs a line."""
        self.log.append(LogRow(START_S, 5, text))
        for heard in list(self.listeners):
            heard(self.log[-1])

    def add_key_pair(self, name: str, bits: int = 2048) -> None:
        self.pairs[name] = KeyPair(name, 1, bits, False, START_S, b"\x30\x03\x02\x01\x05")

    def task(
        self,
        name: str,
        result: object,
        done: Done[Any],
        progress: Progress | None = None,
        given: tuple[object, ...] = (),
    ) -> int:
        handle, self._next = self._next, self._next + 1
        self.tasks[handle] = Task(name, result, done, progress, given)
        if self.eager:
            self.finish()
        return handle

    def realm(self, name: str) -> Realm:
        record = self.settings.realms.get(fold(name))
        if record is None:
            raise fail("realm-unknown", realm=name)
        return record

    # -- the protocol

    def clock_trusted(self) -> bool:
        return self.system.clock().trusted

    def wall_s(self) -> int:
        return START_S

    def outside_ns(self) -> int:
        return self.reactor.clock.outside_ns()

    def board_serial(self) -> str:
        return "SN0001"

    def interfaces(self) -> list[Interface]:
        return [
            Interface("lo", True, ("127.0.0.1",)),
            Interface("eth0", True, ("192.0.2.1", "2001:db8::1"), 3, 4),
            Interface("eth1", False, ()),
        ]

    def changed(self) -> None:
        self.changes += 1

    def in_pieces(self, work: Pieces[T], done: Done[T]) -> int:
        try:
            result: T | AgentError = at_once(work)
        except AgentError as error:
            result = error
        done(result)
        return 0

    def key_pairs(self) -> list[KeyPair]:
        return list(self.pairs.values())

    def key_pair_user(self, name: str) -> str | None:
        for realm in self.settings.realms.values():
            if realm.key_pair == name:
                return realm.name
        return None

    def key_pairs_held(self) -> dict[str, list[str]]:
        return {}

    def key_pair_unreadable(self, name: str) -> bool:
        return name in self.unreadable

    def create_key_pair(self, name: str, bits: int, exportable: bool, done: Done[Any]) -> int:
        self.pairs[name] = KeyPair(name, 1, bits, exportable, START_S, b"\x30\x03\x02\x01\x05")
        return self.task("create", self.pairs[name], done)

    def destroy_key_pair(self, name: str) -> None:
        if self.pairs.pop(name, None) is None:
            raise fail("key-unknown", name=name)

    def seal_password(self, plain: str, before: str | None, done: Done[Any]) -> int:
        return self.task("seal", seal(plain), done, given=(plain, before))

    def check_sealed_password(self, sealed: str, done: Done[Any]) -> int:
        return self.task("check", None, done)

    def forget_realm(self, realm: str) -> None:
        self.forgotten.append(realm)

    def diagnose(self, realm: str, done: Done[Any]) -> int:
        self.realm(realm)
        checks = [
            Check("clock", "ok", "fine", None),
            Check("challenge", "warning", "no password", "set one"),
        ]
        return self.task("diagnose", checks, done)

    def status(self, realm: str) -> RealmStatus:
        self.realm(realm)
        return self.statuses.get(realm, IDLE)

    def survey(self, done: Done[list[Glance]]) -> int:
        found = [
            Glance(6, realm.name, self.status(realm.name).state, None, None, None)
            for realm in self.settings.realms.values()
        ]
        return self.task("survey", found, done)

    def ca(self, realm: str) -> CaInfo | None:
        self.realm(realm)
        return self.cas.get(realm)

    def local(self, realm: str) -> Certificate | None:
        self.realm(realm)
        return self.locals.get(realm)

    def waiting(self, realm: str) -> Certificate | None:
        self.realm(realm)
        return self.waits.get(realm)

    def describe(self, kind: str, found: list[bytes], done: Done[Any]) -> int:
        texts = [f"{kind.capitalize()} {number}\n  Version: 3" for number, _ in enumerate(found)]
        return self.task("describe", [Described(t, {"subject": "CN=x"}) for t in texts], done)

    def log_lines(self) -> list[LogRow]:
        return self.log

    def listen(self, heard: Callable[[LogLine], None]) -> Callable[[], None]:
        self.listeners.append(heard)

        def cancel() -> None:
            if heard in self.listeners:
                self.listeners.remove(heard)

        return cancel

    def detach(self, task: int) -> None:
        self.detached.append(task)
