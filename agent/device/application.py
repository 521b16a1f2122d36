"""`agent.appliance.Applications`: of people who wait, and of realms alone.

A realm that is to apply by itself (`auto-enroll`) and whose key pair does not exist gets it made,
and each renewal a new one where `regenerate` says so. The pair in use stays beside it until the new
certificate is in use.
"""

from __future__ import annotations

from collections.abc import Callable

from agent import limits
from agent.appliance import Done, KeyPair, Progress
from agent.device import realm_records
from agent.device.activation import Queue
from agent.device.keypairs import KeyPairs
from agent.device.passwords import Passwords
from agent.device.realms import Realms
from agent.device.runner import RealmRunner
from agent.device.shared import Shared
from agent.device.waiter import UNHEARD
from agent.enrolment import automatic
from agent.enrolment.actions import Stored
from agent.enrolment.states import Apply
from agent.errors import AgentError, fail
from agent.jobs import maps
from agent.settings import Realm, fold

UNSAVED = "A reboot will lose this realm unless you type `save` in the user view."


def _end(done: Done[None] | None, error: AgentError) -> None:
    if done:
        done(error)


def _none(result: KeyPair | AgentError) -> AgentError | None:
    return result if isinstance(result, AgentError) else None


class Applications:
    """The means by which a realm applies, and the sessions that wait for one."""

    def __init__(
        self, shared: Shared, realms: Realms, keys: KeyPairs, passwords: Passwords
    ) -> None:
        self._shared, self._realms, self._keys, self._passwords = shared, realms, keys, passwords
        self._waiters: dict[int, RealmRunner] = {}  # who waits for an enrolment, by task
        self._making = Queue(shared.loop, limits.KEYS_AT_ONCE)

    def enrol(self, name: str, plain: str | None, progress: Progress, done: Done[None]) -> int:
        """Applies for a realm's certificate; `done` with None (issued, PENDING) or an error."""
        realm, runner = self._realms.resting(name), self._realms.runner(name)
        realm_records.check_crl(self._shared, realm, progress)
        event = self.event(realm)
        number, attend = self._awaited(name, runner, progress, done)

        def sealed(result: str | AgentError) -> None:
            error = result if isinstance(result, AgentError) else None
            attend(error, lambda: event._replace(password=str(result)))

        if plain is None:
            attend(None, lambda: event)
        else:
            self._passwords.seal(plain, None, sealed)
        return number

    def update(self, name: str, progress: Progress, done: Done[None]) -> int:
        """A renewal as the realm makes it by itself, now; `done` as of `enrol`."""
        realm, runner = self._realms.resting(name), self._realms.runner(name)
        if runner.engine.stored.local is None:
            raise fail("certificate-missing", realm=realm.name)
        realm_records.check_crl(self._shared, realm, progress)
        self.snapshot(realm)  # a key pair is not made for a realm that is not complete
        number, attend = self._awaited(name, runner, progress, done)

        def made(error: AgentError | None) -> None:
            attend(error, lambda: self.event(self._realms.realm(name))._replace(by_rule=True))

        bits = self._key_wanted(realm, runner.engine.stored)
        if bits:
            self._make_key(realm, bits, made)
        else:
            made(None)
        return number

    def abort(self, name: str) -> bool:
        """Gives up what is under way, or got no answer; AgentError."""
        return self._realms.runner(name).abort()

    def is_outdated(self, name: str) -> bool:
        """A request goes on with the settings that it was made by; AgentError `realm-unknown`."""
        request = self._realms.look(name).engine.request
        if request is None:
            return False
        try:
            return self.snapshot(self._realms.realm(name)) != request.settings
        except AgentError:  # the configuration is not complete any more
            return True

    def _awaited(
        self, name: str, runner: RealmRunner, progress: Progress, done: Done[None]
    ) -> tuple[int, Callable[[AgentError | None, Callable[[], Apply]], None]]:
        """The number of a task that a session waits for, and what begins its application, or ends
        it by the error of what came before."""
        number = self._shared.number()
        self._waiters[number] = runner

        def finish(result: AgentError | None) -> None:
            self._waiters.pop(number, None)
            if result is None and self._shared.unsaved:
                progress.note(UNSAVED)
            done(result)

        def attend(before: AgentError | None, event: Callable[[], Apply]) -> None:
            try:
                if before:
                    raise before
                self._check_still(name, runner)
                runner.attend(event(), progress, finish)
            except AgentError as error:
                finish(error)

        return number, attend

    def _check_still(self, name: str, runner: RealmRunner) -> None:
        """Somebody else may have been faster, or the realm was removed meanwhile; AgentError."""
        self._realms.resting(name)
        if self._realms.runner(name) is not runner:
            raise fail("realm-unknown", realm=name)

    def detach(self, task: int) -> None:
        """The session that waits for a task has gone away; the work goes on."""
        runner = self._waiters.pop(task, None)
        if runner:
            runner.detach()

    def alone(self, name: str, done: Done[None] | None = None) -> None:
        """A realm applies by itself, or says what it lacks and is looked at again in an hour.

        `done` hears of the end of its attempt, as a person would. A new realm that is not yet
        configured to the end says nothing: each further line has it looked at.
        """
        try:
            realm = self._realms.realm(name)
            stored = self._realms.look(name).engine.stored
        except AgentError as error:  # it has gone meanwhile
            _end(done, error)
            return
        try:
            bits = self._key_wanted(realm, stored)
            if bits:
                self._make_key(realm, bits, lambda result: self._made(name, result, done))
                return
            realm_records.check_crl(self._shared, realm, UNHEARD)
            event = self.event(realm)._replace(attended=False)
        except AgentError as error:
            if done is None or error.code != "realm-incomplete":
                self._lacks(name, error)
            _end(done, error)
        else:
            self._realms.runner(name).apply(event, done)

    def _key_wanted(self, realm: Realm, stored: Stored) -> int:
        """The bits of the key pair that must be made before the realm can apply; 0: it is there."""
        auto, name, newest = realm.auto_enroll, realm.key_pair, stored.newest
        if auto is None or name is None or self._keys.unreadable(name):
            return 0
        key = self._keys.record(name)
        if key is None:
            return auto.key_bits or limits.KEY_BITS_DEFAULT
        if newest is None or (newest.key, newest.generation) != (name, key.generation):
            return 0
        wanted = auto.regenerate or automatic.is_revoked(newest)
        return (auto.key_bits or key.bits) if wanted else 0

    def _make_key(self, realm: Realm, bits: int, done: Done[None]) -> None:
        """In its turn, if it is still wanted by then."""
        name = str(realm.key_pair)
        before = self._keys.record(name)
        exportable = before is not None and before.exportable

        def begin(made: Done[None]) -> None:
            try:
                if not self._key_wanted(realm, self._realms.look(realm.name).engine.stored):
                    made(None)  # somebody was faster
                    return
                self._keys.create(
                    name, bits, exportable, lambda result: made(_none(result)), realm.name
                )
            except AgentError as error:
                made(error)

        self._making.put(begin, done)

    def _made(self, name: str, result: AgentError | None, done: Done[None] | None) -> None:
        """The key pair of a realm that applies by itself is there: it does, as it is by now."""
        if isinstance(result, AgentError):
            self._lacks(name, result)
            _end(done, result)
        else:
            self.alone(name, done)

    def _lacks(self, name: str, error: AgentError) -> None:
        try:
            self._realms.runner(name).alone.lacks(error)
        except AgentError:
            return  # it has gone meanwhile

    def event(self, realm: Realm) -> Apply:
        """An application of a person, as the configuration has it now; AgentError."""
        snapshot = self.snapshot(realm)
        key = self._keys.record(realm.key_pair or "")
        if key is None:
            raise fail("key-unknown", name=realm.key_pair)
        return Apply(
            transaction=self._shared.hardware.chance.draw(16).hex(),
            settings=snapshot,
            generation=key.generation,
            password=realm.password,
            attended=True,
            renewable=self._renewable(realm.name),
        )

    def snapshot(self, realm: Realm) -> dict[str, object]:
        """The settings that shape a request, by the configuration of the moment; AgentError."""
        entity = self._shared.settings.entities.get(fold(realm.entity or ""))
        entity = maps.check_complete(realm, entity)
        serial = self._shared.hardware.serial if entity.serial_number else None
        return maps.snapshot(realm, entity, self._addresses(entity.ip_address), serial)

    def _renewable(self, name: str) -> bool:
        """The key pair of the certificate in use is there, and is still the one it is for."""
        local = self._realms.runner(name).engine.stored.local
        return bool(local and self._keys.record(local.key, local.generation))

    def _addresses(self, text: str | None) -> list[str]:
        """An entity's `ip-address`: itself, or the primary addresses of the interface it names."""
        if text is None or maps.is_address(text):
            return [text] if text else []
        wanted = self._shared.interface_names.linux(text)
        for interface in self._shared.interfaces():
            if interface.name == wanted and interface.addresses:
                return list(interface.addresses[:1])
        raise fail("entity-address", interface=text)
