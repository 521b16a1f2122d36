"""The appliance: the parts of one device, wired. One object, one thread.

It is what the console talks to (`agent/appliance.py`), and it holds no rule of its own: each part
gets what is shared, the book of realms and the parts that it asks, and none gets the device.
"""

from collections.abc import Callable
from functools import partial

from agent.appliance import CaInfo, Certificate, Described, Done, KeyPair, Progress, RealmStatus
from agent.console.configuration.loader import load_configuration
from agent.device import devicekey, losses, status
from agent.device.activation import Activation
from agent.device.application import Applications
from agent.device.certificates import Certificates
from agent.device.configuration import Configuring
from agent.device.crls import Crls
from agent.device.diagnosis import Diagnosis
from agent.device.erasing import Erasure
from agent.device.hardware import Hardware
from agent.device.keypairs import KeyPairs
from agent.device.passwords import Logins, Passwords
from agent.device.realms import Realms
from agent.device.shared import Shared
from agent.device.storage import DeviceStorage
from agent.device.system import DeviceSystem
from agent.jobs import answers
from agent.jobs.answers import Answer
from agent.jobs.runner import Tasks
from agent.log import Line, Log
from agent.loop import Loop
from agent.settings import Settings, fold
from hal.ports import Interface
from hal.store import Store


class Device:
    """`agent.appliance.Appliance`. `boot` loads the configuration and goes on."""

    def __init__(self, loop: Loop, store: Store, hardware: Hardware, jobs: Tasks, log: Log) -> None:
        shared = self.shared = Shared(loop, store, hardware, jobs, log)
        activation = Activation(loop, hardware.files, hardware.memory, jobs, log)
        self.keys = KeyPairs(shared, lambda name: self.realms.keys_held(name))
        self.realms = Realms(shared, self.keys.record, activation)
        self.passwords, self.access = Passwords(shared), Logins(shared)
        self.storage = DeviceStorage(hardware.files)
        self.applications = Applications(shared, self.realms, self.keys, self.passwords)
        self.exchange = Certificates(
            shared, self.realms, self.keys, self.storage, self.applications
        )
        self.revocation = Crls(shared, self.realms, self.keys, self.storage)
        erasure = Erasure(store, hardware.files, hardware.memory, log)
        self.system = DeviceSystem(shared, self.realms, self.keys, erasure, self._start_anew)
        self.configuration = Configuring(shared, self.realms, partial(load_configuration, self))
        self._diagnosis = Diagnosis(shared, self.realms, self.keys, self.passwords, self.system)
        self._factory = ""

    def boot(self, factory: str = "") -> None:
        """Loads the saved configuration (or `factory`), rebuilds memory, takes up what ran."""
        self._factory = factory
        self.system.end_erase()
        losses.note(self.shared.store, self.shared.log)
        if self.system.key_missing:
            self.shared.log.report("DEVICE_KEY_ERR", devicekey.MISSING)
        self.configuration.load(factory)
        self.realms.changed()

    def close(self) -> None:
        """No callback comes any more; flash is as it is."""
        self.realms.stop()

    def _start_anew(self) -> None:
        """The store is that of a new device: so is the rest, as after a start."""
        self.realms.stop()
        self.shared.settings = Settings()
        self.configuration.load(self._factory)
        self.realms.changed()

    # -- board, clock, log -------------------------------------------------------------------------

    @property
    def settings(self) -> Settings:
        return self.shared.settings

    @settings.setter
    def settings(self, settings: Settings) -> None:
        self.shared.settings = settings

    def wall_s(self) -> int:
        return self.shared.wall_s()

    def outside_ns(self) -> int:
        return self.shared.hardware.clock.outside_ns()

    def board_serial(self) -> str:
        return self.shared.hardware.serial

    def interfaces(self) -> list[Interface]:
        return self.shared.interfaces()

    def linux_name(self, interface: str) -> str:
        return self.shared.hardware.linux_name(interface)

    def log_lines(self) -> list[Line]:
        return list(self.shared.log.lines)

    def listen(self, heard: Callable[[Line], None]) -> Callable[[], None]:
        return self.shared.log.listen(heard)

    def changed(self) -> None:
        self.shared.unsaved = True
        self.realms.changed()

    # -- key pairs and passwords -------------------------------------------------------------------

    def key_pairs(self) -> list[KeyPair]:
        return self.keys.all()

    def key_pair_user(self, name: str) -> str | None:
        return self.keys.user(name)

    def key_pair_unreadable(self, name: str) -> bool:
        return self.keys.unreadable(name)

    def create_key_pair(self, name: str, bits: int, exportable: bool, done: Done) -> int:
        return self.keys.create(name, bits, exportable, done)

    def destroy_key_pair(self, name: str) -> None:
        self.keys.destroy(name)

    def seal_password(self, plain: str, before: str | None, done: Done) -> int:
        return self.passwords.seal(plain, before, done)

    def check_sealed_password(self, sealed: str, done: Done) -> int:
        return self.passwords.check(sealed, done)

    # -- realms ------------------------------------------------------------------------------------

    def enrol(self, realm: str, plain: str | None, progress: Progress, done: Done) -> int:
        return self.applications.enrol(realm, plain, progress, done)

    def detach(self, task: int) -> None:
        self.applications.detach(task)

    def abort_request(self, realm: str) -> bool:
        return self.realms.runner(realm).abort()

    def forget_realm(self, realm: str) -> None:
        self.realms.forget(realm)

    def diagnose(self, realm: str, done: Done) -> int:
        return self._diagnosis.run(realm, done)

    def status(self, realm: str) -> RealmStatus:
        runner, need = self.realms.runner(realm), self.shared.commits.need(fold(realm))
        configured, now = self.realms.realm(realm), self.shared.now()
        return status.of_realm(self.settings, configured, runner, now, need)

    def ca(self, realm: str) -> CaInfo | None:
        runner = self.realms.runner(realm)
        return status.ca_info(runner.engine.stored.ca, runner.root_seen)

    def local(self, realm: str) -> Certificate | None:
        stored = self.realms.runner(realm).engine.stored.local
        return status.certificate(stored.certificate) if stored else None

    def describe(self, kind: str, found: list[bytes], done: Done) -> int:
        def described(answer: Answer) -> list[Described]:
            texts = answers.items(answer, "texts", str)
            return list(map(Described, texts, answers.items(answer, "items", dict)))

        return self.shared.task({"op": "inspect", "kind": kind, "ders": found}, described, done)
