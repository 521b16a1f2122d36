"""The appliance: the parts of one device, wired. One object, one thread.

It is what the console talks to (`agent/appliance.py`), and it holds no rule of its own: each part
gets what is shared, the book of realms and the parts that it asks, and none gets the device.
"""

from __future__ import annotations

from agent import limits
from agent.appliance import Configuration, Described, Done, Unusable
from agent.console.configuration.loader import loading
from agent.device import devicekey, losses
from agent.device.activation import Activation
from agent.device.ahead import Ahead
from agent.device.alarms import Alarms
from agent.device.application import Applications
from agent.device.authority import Authority
from agent.device.certificates import Certificates
from agent.device.configuration import Configuring
from agent.device.crls import Crls
from agent.device.diagnosis import Diagnosis
from agent.device.erasing import Erasure
from agent.device.hardware import Hardware, Part
from agent.device.identity import Identity
from agent.device.keypairs import KeyPairs
from agent.device.passwords import Logins, Passwords
from agent.device.realms import Realms
from agent.device.shared import Shared
from agent.device.sources import Sources
from agent.device.starts import Starts
from agent.device.status import Reports
from agent.device.storage import DeviceStorage
from agent.device.system import DeviceSystem
from agent.errors import fail
from agent.jobs import answers
from agent.jobs.answers import Answer
from agent.jobs.runner import JobRunner
from agent.log import Line, Log
from agent.loop import Loop
from agent.pieces import at_once
from agent.settings import Settings
from hal.store import Store


class Device:
    """`agent.appliance.Appliance`. `boot` loads the configuration and goes on."""

    def __init__(
        self, loop: Loop, store: Store, hardware: Hardware, jobs: JobRunner, log: Log
    ) -> None:
        shared = self.shared = Shared(loop, store, hardware, jobs, log)
        self.settings = shared.settings
        activation = Activation(loop, hardware.files, hardware.memory, jobs, log)
        self.when_filled = activation.when_idle  # memory, as far as it can be
        self.identity = Identity(shared)
        self.keys = KeyPairs(shared, lambda name: self.realms.keys_held(name), self.identity)
        self.starts = Starts(shared)
        self.realms = Realms(
            shared,
            self.keys,
            activation,
            self.starts,
            lambda name, done: self.applications.alone(name, done),
        )
        self.passwords, self.access = Passwords(shared), Logins(shared)
        self.storage = DeviceStorage(hardware.files)
        self.applications = Applications(shared, self.realms, self.keys, self.passwords)
        authority = Authority(shared, self.realms, self.storage)
        self.exchange = Certificates(
            shared, self.realms, self.keys, self.storage, self.applications, authority
        )
        self.revocation = Crls(shared, self.realms, self.keys, self.storage)
        self.alarms = Alarms(shared, self.realms)
        self.ahead = Ahead(shared, self.realms, authority, self.revocation)
        self.sources = Sources(shared, self.realms)
        erasure = Erasure(store, hardware.files, hardware.memory, log)
        self.system = DeviceSystem(
            shared, self.realms, self.keys, erasure, self.identity, self._start_anew
        )
        self._configuring = Configuring(
            shared, self.realms, lambda lines: at_once(loading(self, lines))
        )
        self.configuration: Configuration = self._configuring
        self.in_pieces = shared.in_pieces
        self.unusable: Unusable | None = None
        if hardware.withheld:
            self._stand_by(hardware.withheld)
        self._factory = ""
        self._offer()

    def _offer(self) -> None:
        """Verbs of the appliance that a part does: the part is called without a way round."""
        shared, keys, passwords, realms = self.shared, self.keys, self.passwords, self.realms
        self.wall_s, self.clock_trusted = shared.time.wall_s, shared.time.is_trusted
        self.outside_ns, self.interfaces = shared.hardware.clock.outside_ns, shared.interfaces
        names = shared.interface_names
        self.interface_name, self.linux_name = names.kept, names.linux
        self.router_names, self.listen = names.router, shared.log.listen
        self.key_pairs, self.key_pair_user = keys.all, keys.user
        self.key_pairs_held = realms.keys_users
        self.key_pair_unreadable = keys.unreadable
        self.create_key_pair, self.destroy_key_pair = keys.create, keys.destroy
        self.seal_password, self.check_sealed_password = passwords.seal, passwords.check
        self.detach = self.applications.detach
        self.forget_realm = realms.forget
        reports = Reports(shared, realms, self.identity, self.applications.snapshot)
        self.status, self.ca, self.local = reports.status, reports.ca, reports.local
        self.waiting, self.survey = reports.waiting, reports.survey
        parts = shared, realms, keys, passwords, self.system
        self.diagnose = Diagnosis(*parts, self.applications.snapshot).run

    def _stand_by(self, part: Part) -> None:
        """The storage cannot be used: until a person has decided, no realm is known and none is
        made up."""
        from agent.device import unusable  # rarely needed

        self.unusable = unusable.Withheld(self.shared, part)
        self.configuration = unusable.NoConfiguration(self.settings, part.reason)

    def boot(self, factory: str = "") -> None:
        """Loads the saved configuration (or `factory`), rebuilds memory, takes up what ran."""
        if self.unusable:
            error = fail("storage-unusable", reason=self.unusable.reason)
            self.shared.log.report("STORE_ERR", f"{error.what}; {error.remedy}")
            self.realms.changed()
            return
        self._factory = factory
        self.system.end_erase()
        losses.note(self.shared.store, self.shared.log)
        self.system.settle()
        self.identity.begin()
        if self.system.key_missing:
            self.shared.log.report("DEVICE_KEY_ERR", devicekey.MISSING)
        self._configuring.load(factory)
        self.keys.tell_missing()
        self.starts.begin(self.settings.realms)
        self.realms.boot()
        self.shared.time.start(self.realms.issued())  # nothing is in memory before the loop turns

    def close(self) -> None:
        """No callback comes any more; flash is as it is."""
        self.realms.stop()
        self.alarms.stop()
        self.sources.stop()
        self.shared.time.stop()

    def _start_anew(self) -> None:
        """The store is that of a new device: so is the rest, as after a start."""
        self.realms.stop()
        self.settings.become(Settings(self.shared.hardware.host_name))
        self._configuring.load(self._factory)
        self.realms.changed()

    def changed(self) -> None:
        self.shared.unsaved = True
        self.shared.edits += 1
        self.realms.changed(limits.QUIET_S)

    def board_serial(self) -> str:
        return self.shared.hardware.serial

    def log_lines(self) -> list[Line]:
        return list(self.shared.log.lines)

    def describe(self, kind: str, found: list[bytes], done: Done[list[Described]]) -> int:
        def described(answer: Answer) -> list[Described]:
            texts = answers.items(answer, "texts", str)
            return list(map(Described, texts, answers.items(answer, "items", dict)))

        return self.shared.task({"op": "inspect", "kind": kind, "ders": found}, described, done)
