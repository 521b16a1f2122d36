"""The appliance: settings, store, engines, worker and console, wired. One object, one thread.

It is what the console talks to (`agent/appliance.py`). It holds no rule of its own about
enrolment (that is the engine's) and touches no hardware but through the ports.
"""

import os
from collections.abc import Callable, Iterable

from agent.appliance import (
    CaInfo,
    Certificate,
    Check,
    Described,
    Done,
    KeyPair,
    Progress,
    RealmStatus,
    T,
)
from agent.device import devicekey, diagnosis, losses, status
from agent.device.activation import Activation, InUse, Queue
from agent.device.certificates import Exchange
from agent.device.commits import Commits
from agent.device.configuration import Configuring
from agent.device.crls import Revocation
from agent.device.erasing import Erasure
from agent.device.hardware import Hardware
from agent.device.keypairs import KeyPairs
from agent.device.passwords import Access
from agent.device.reserve import Purpose
from agent.device.runner import Context, Enrolment
from agent.device.system import Storage, System
from agent.enrolment.actions import Now
from agent.enrolment.engine import is_under_way
from agent.enrolment.states import Apply
from agent.errors import AgentError, fail
from agent.jobs import answers, maps
from agent.jobs.answers import Answer
from agent.jobs.runner import JobRunner
from agent.log import Line, Log
from agent.loop import Loop
from agent.settings import Realm, Settings, fold
from hal import records
from hal.ports import HalError, Interface
from hal.records import CaRecord, KeyRecord
from hal.store import Health, Store


class Device:
    """`agent.appliance.Appliance`. `boot` loads the configuration and goes on."""

    def __init__(
        self, loop: Loop, store: Store, hardware: Hardware, jobs: JobRunner, log: Log
    ) -> None:
        self.settings = Settings()
        self.log = log
        self._loop, self._store, self._hardware, self._jobs = loop, store, hardware, jobs
        self.commits = Commits(store, lambda: self.settings.realms)
        self._key_pairs = KeyPairs(self, store)
        self.storage = Storage(hardware.files)
        self.access = Access(self.task)
        self.exchange = Exchange(self, self._key_pairs)
        self.revocation = Revocation(self, store)
        erasure = Erasure(store, hardware.files, hardware.memory, log)
        self.system = System(self, store, hardware, erasure)
        self.configuration = Configuring(self, store)
        self._activation = Activation(hardware.files, hardware.memory, jobs, log)
        self._queue = Queue(loop)
        self._context = Context(
            loop,
            store,
            self.commits,
            jobs,
            log,
            self.now,
            hardware.linux_name,
            self.key,
            self._activate,
        )
        self._realms: dict[str, Enrolment] = {}
        self._waiters: dict[int, Enrolment] = {}  # who waits for an enrolment, by task
        self._last_task = 0
        self._factory = ""

    def boot(self, factory: str = "") -> None:
        """Loads the saved configuration (or `factory`), rebuilds memory, takes up what ran."""
        self._factory = factory
        self.system.end_erase()
        losses.note(self._store, self.log)
        if self.system.key_missing:
            self.log.report("DEVICE_KEY_ERR", devicekey.MISSING)
        self.configuration.load(factory)
        self.changed()

    def close(self) -> None:
        """No callback comes any more; flash is as it is."""
        for realm in self._realms.values():
            realm.stop()

    # -- board and clock ---------------------------------------------------------------------------

    def wall_s(self) -> int:
        return self._hardware.clock.wall_s()

    def outside_ns(self) -> int:
        return self._hardware.clock.outside_ns()

    def board_serial(self) -> str:
        return self._hardware.serial

    def interfaces(self) -> list[Interface]:
        try:
            return self._hardware.link.interfaces()
        except HalError as error:
            raise fail("interfaces-unknown", reason=error.what) from error

    def linux_name(self, interface: str) -> str:
        return self._hardware.linux_name(interface)

    def now(self) -> Now:
        """The time of an event."""
        clock = self._hardware.clock
        wall_s = clock.wall_s()
        return Now(wall_s, clock.monotonic_ns(), trusted=wall_s >= status.BUILD_S)

    def moment(self) -> dict[str, object]:
        """The fields of a job that say what time it is."""
        now = self.now()
        return {"now_s": now.wall_s, "clock_trusted": now.trusted}

    # -- configuration -----------------------------------------------------------------------------

    def changed(self) -> None:
        """After every configuration command: engines see the realm as it is now."""
        for key in list(self._realms):
            if key not in self.settings.realms:
                self._realms.pop(key).stop()
        for key, settings in self.settings.realms.items():
            if key in self._realms:
                self._realms[key].configure(settings)
            else:
                self._realms[key] = Enrolment(self._context, settings)
                self._take_up(key)

    def _take_up(self, key: str) -> None:
        """A realm is new here, but flash may know it: serve its certificate, go on where it was."""
        if self._realms[key].engine.stored.local:
            self._realms[key].put_into_use(again=False)
        self._realms[key].restart()

    # -- key pairs ---------------------------------------------------------------------------------

    def key_pairs(self) -> list[KeyPair]:
        return self._key_pairs.all()

    def key_pair_user(self, name: str) -> str | None:
        return self._key_pairs.user(name)

    def key_pair_unreadable(self, name: str) -> bool:
        return self._key_pairs.unreadable(name)

    def create_key_pair(self, name: str, bits: int, exportable: bool, done: Done[KeyPair]) -> int:
        return self._key_pairs.create(name, bits, exportable, done)

    def destroy_key_pair(self, name: str) -> None:
        self._key_pairs.destroy(name)

    # -- secrets -----------------------------------------------------------------------------------

    def seal_password(self, plain: str, before: str | None, done: Done[str]) -> int:
        job: dict[str, object] = {"op": "seal", "plain": plain, "before": before}
        return self.task(job, lambda answer: answers.field(answer, "sealed", str), done)

    def check_sealed_password(self, sealed: str, done: Done[None]) -> int:
        return self.task({"op": "check-sealed", "sealed": sealed}, lambda _answer: None, done)

    # -- enrolment ---------------------------------------------------------------------------------

    def enrol(self, realm: str, plain: str | None, progress: Progress, done: Done[None]) -> int:
        """Applies for a realm's certificate; `done` with None (issued, PENDING) or an error."""
        runner, settings = self.runner(realm), self.settings.realms[fold(realm)]
        if is_under_way(runner.engine.state):
            state = runner.engine.state.value
            raise fail("realm-busy", realm=settings.name, state=state)
        self.revocation.check_possible(settings, progress)
        event = self.application(settings)
        self._last_task += 1
        number = self._last_task
        self._waiters[number] = runner

        def finish(result: AgentError | None) -> None:
            self._waiters.pop(number, None)
            if result is None and self.configuration.unsaved():
                progress.note("A reboot forgets this realm until you type `save` in the user view.")
            done(result)

        def sealed(result: str | AgentError) -> None:
            if isinstance(result, AgentError):
                finish(result)
            elif self._realms.get(fold(realm)) is not runner:  # it was removed meanwhile
                finish(fail("realm-unknown", realm=realm))
            elif is_under_way(runner.engine.state):  # somebody else was faster
                finish(fail("realm-busy", realm=realm, state=runner.engine.state.value))
            else:
                runner.apply(event._replace(password=result), progress, finish)

        if plain is None:
            runner.apply(event, progress, finish)
        else:
            self.seal_password(plain, None, sealed)
        return number

    def application(self, settings: Realm) -> Apply:
        """An application of a person, as the configuration has it now."""
        snapshot = self.snapshot(settings)
        key = self.key(settings.key_pair or "")
        if key is None:
            raise fail("key-unknown", name=settings.key_pair)
        return Apply(
            transaction=os.urandom(16).hex(),
            settings=snapshot,
            generation=key.generation,
            password=settings.password,
            attended=True,
            renewable=self._renewable(settings.name),
        )

    def _renewable(self, realm: str) -> bool:
        """The key pair of the certificate in use is there, and is still the one it is for."""
        local = self.runner(realm).engine.stored.local
        key = self.key(local.key) if local else None
        return bool(local and key and key.generation == local.generation)

    def _addresses(self, text: str | None) -> list[str]:
        """An entity's `ip-address`: itself, or the primary addresses of the interface it names."""
        if text is None or maps.is_address(text):
            return [text] if text else []
        wanted = self.linux_name(text)
        for interface in self.interfaces():
            if interface.name == wanted and interface.addresses:
                return list(interface.addresses[:1])
        raise fail("entity-address", interface=text)

    def abort_request(self, realm: str) -> bool:
        return self.runner(realm).abort()

    def forget_realm(self, realm: str) -> None:
        """What the store and memory hold of a realm that is gone; files in storage stay (VRP)."""
        self.changed()
        self.commit(self.forgotten([realm]))
        self.forget_memory(realm)

    def forgotten(self, realms: Iterable[str]) -> dict[str, object]:
        """What a commit must hold so that the store knows these realms no more."""
        keys = [key for r in realms for key in self._store.keys(records.realm_key(r, ""))]
        return dict.fromkeys(keys)

    def forget_memory(self, realm: str) -> None:
        """Consumers find nothing of this realm any more."""
        try:
            self._hardware.memory.remove(realm)
        except HalError as error:  # something in there is not ours
            self.log.report("STORAGE_ERR", f"realm {realm}: {error}")

    def detach(self, task: int) -> None:
        runner = self._waiters.pop(task, None)
        if runner:
            runner.detach()

    def status(self, realm: str) -> RealmStatus:
        runner, now = self.runner(realm), self.now()
        settings, need = self.settings.realms[fold(realm)], self.commits.need(fold(realm))
        return status.of_realm(self.settings, settings, runner, now, need)

    def ca(self, realm: str) -> CaInfo | None:
        runner = self.runner(realm)
        return status.ca_info(runner.engine.stored.ca, runner.root_seen)

    def local(self, realm: str) -> Certificate | None:
        stored = self.runner(realm).engine.stored.local
        return status.certificate(stored.certificate) if stored else None

    def describe(self, kind: str, found: list[bytes], done: Done[list[Described]]) -> int:
        def described(answer: Answer) -> list[Described]:
            texts = answers.items(answer, "texts", str)
            return list(map(Described, texts, answers.items(answer, "items", dict)))

        return self.task({"op": "inspect", "kind": kind, "ders": found}, described, done)

    # -- the log -----------------------------------------------------------------------------------

    def log_lines(self) -> list[Line]:
        return list(self.log.lines)

    def listen(self, heard: Callable[[Line], None]) -> Callable[[], None]:
        return self.log.listen(heard)

    def diagnose(self, realm: str, done: Done[list[Check]]) -> int:
        return diagnosis.diagnose(self, realm, done)

    # -- what its parts ask ------------------------------------------------------------------------

    def runner(self, realm: str) -> Enrolment:
        """The engine of a realm, wired."""
        runner = self._realms.get(fold(realm))
        if runner is None:
            raise fail("realm-unknown", realm=realm)
        return runner

    def key(self, name: str) -> KeyRecord | None:
        return self._key_pairs.record(name)

    def holds(self, realm: str) -> list[object]:
        """The key pairs that a realm's stored certificate and request need."""
        runner = self._realms.get(realm)  # not yet, while a configuration is loaded
        return runner.keys_held() if runner else []

    def commit(self, changes: dict[str, object], purpose: Purpose = Purpose.CONFIGURING) -> None:
        """One transaction, for what people do unless it is said; what is refused is logged."""
        try:
            self.commits.commit(changes, purpose)
        except AgentError as error:
            self.log.report("STORE_ERR", error.what)
            raise

    def task(self, job: dict[str, object], use: Callable[[Answer], T], done: Done[T]) -> int:
        """Runs a job; `use` makes the result of its answer, and may raise AgentError."""
        return self.job(job, answers.reader(use, done))

    def job(self, job: dict[str, object], end: Done[Answer]) -> int:
        """Runs a job; `end` gets its answer. The number is one of the tasks of the console."""
        self._last_task += 1
        self._jobs.run(job, end)
        return self._last_task

    def tell(self, realm: str, answer: Answer, progress: Progress) -> None:
        """The notes of a job: to whoever waits, and to the log."""
        for text in answers.notes(answer):
            self.log.report("NOTE", f"realm {realm}: {text}")
            progress.note(text)

    def later(self, call: Callable[[], None]) -> None:
        """From the loop, when whoever asks has returned."""
        self._loop.after(0, call)

    def health(self) -> Health:
        return self._store.health

    def snapshot(self, settings: Realm) -> dict[str, object]:
        """What shapes a request, by the configuration of the moment."""
        entity = maps.check_complete(self.settings, settings)
        serial = self.board_serial() if entity.serial_number else None
        addresses = self._addresses(entity.ip_address)
        return maps.snapshot(settings, entity, addresses, serial)

    def start_realms_anew(self) -> None:
        """The records have gone: engines without a past, nothing in memory."""
        for key in list(self._realms):
            self._realms.pop(key).stop()
            self.forget_memory(self.settings.realms[key].name)
        self.changed()

    def start_anew(self) -> None:
        """The store is that of a new device: so is the rest, as after a start."""
        self.close()
        self._realms.clear()
        self.settings = Settings()
        self.configuration.load(self._factory)
        self.changed()

    def judged(self, realm: Realm, ca: CaRecord | None, chain: list[bytes]) -> dict[str, object]:
        """The fields of a job that works out what a realm trusts (`agent.scep.served`)."""
        job, moment = maps.served_job(realm, ca, chain), self.runner(realm.name).moment()
        return {**job, "revocation": self.revocation.job_field(realm), **moment}

    def _in_use(self, realm: str, again: bool) -> InUse | None:
        local, ca = self.runner(realm).engine.stored.local, self.runner(realm).engine.stored.ca
        if local is None:
            return None
        settings = self.settings.realms[fold(realm)]
        judged = self.judged(settings, ca, local.chain)
        return InUse(settings.name, local, self.key(local.key), judged, again)

    def _activate(self, realm: str, again: bool, done: Done[None]) -> None:
        """Into storage and memory, a few realms at a time: at boot all of them want to."""

        def begin(ended: Done[None]) -> None:
            in_use = self._in_use(realm, again) if fold(realm) in self._realms else None
            if in_use is None:  # removed while it waited
                ended(None)
                return
            self._activation.activate(in_use, self.settings.file_format, ended)

        self._queue.put(begin, done)
