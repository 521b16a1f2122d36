"""The book of realms: one runner for each that is configured, and what is asked of a realm."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from agent import limits
from agent.appliance import Done, Progress
from agent.device import realm_records
from agent.device.activation import Activation
from agent.device.newcomers import Newcomers
from agent.device.orphans import Orphans
from agent.device.realm_jobs import Keys
from agent.device.realm_records import Held
from agent.device.rounds import Round
from agent.device.runner import RealmRunner
from agent.device.shared import Shared
from agent.device.starts import ENDS, Starts, rest_s
from agent.enrolment.states import Configured, Installed, NextCa, is_under_way
from agent.errors import AgentError, fail
from agent.jobs.turns import server
from agent.loop import Loop
from agent.settings import Realm, fold
from hal.named import NamedTuple
from hal.ports import HalError
from hal.records import CaRecord, RequestRecord

SECOND_NS = 1_000_000_000
WATCHED_NS = 1 * SECOND_NS
RESTS = f"the agent ended {ENDS} times in a row while this realm was at this step, so it rests"


class Rest(NamedTuple):
    """Of a realm at this request; until a monotonic time, as soon as that is known."""

    request: RequestRecord | None
    until_ns: int = 0


class Watch:
    """Tells of realms that may stand otherwise than before: those of `at_once` now, and `call` a
    moment later. An application stirs several times in a moment: `call` gets each once, one a turn
    of the loop.
    """

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self.at_once: list[Callable[[RealmRunner], None]] = []
        self.call: Callable[[RealmRunner], None] = lambda _runner: None
        self._stirred: dict[RealmRunner, None] = {}
        self._round: Round[RealmRunner] = Round(loop, lambda runner: self.call(runner))

    def stirs(self, runner: RealmRunner) -> None:
        """Also of one that has stopped."""
        for call in self.at_once:
            call(runner)
        self.later(runner)

    def later(self, runner: RealmRunner) -> None:
        """For `call` alone."""
        if not self._stirred:
            self._loop.after(WATCHED_NS, self._tell)
        self._stirred[runner] = None

    def now(self, runners: Iterable[RealmRunner]) -> None:
        """For `call`, from the next turn on."""
        self._round.add(runners)

    def stop(self) -> None:
        """Nothing is told of what has happened before."""
        self._stirred.clear()
        self._round.clear()

    def _tell(self) -> None:
        stirred, self._stirred = self._stirred, {}
        self.now(stirred)


class Realms:
    """Names of realms are as an operator types them. `alone` is called with the name of one that is
    to apply by itself, and with what hears of the end.

    A realm of which flash knows nothing has no runner until somebody asks it for work, or it is to
    work by itself: a runner takes more memory than its settings, and there may be a thousand.
    """

    def __init__(
        self,
        shared: Shared,
        keys: Keys,
        activation: Activation,
        starts: Starts,
        alone: Callable[[str, Done[None] | None], None],
    ) -> None:
        self._shared, self._keys, self._activation = shared, keys, activation
        self._starts, self._alone = starts, alone
        self._runners: dict[str, RealmRunner | None] = {}
        self._rests: dict[RealmRunner, Rest] = {}
        self.watch = Watch(shared.loop)
        self._prewarning_days = shared.settings.prewarning_days
        self._herd_s = shared.hardware.herd_s  # what is configured later applies at once
        self._newcomers = Newcomers(shared, self._is_new, alone)
        self._orphans = Orphans(shared, self._made)
        self._rearming = Round(shared.loop, self._rearm)
        # The clock has jumped, or its trust has changed.
        shared.time.on_change(lambda: self._rearming.add(self))

    def __iter__(self) -> Iterator[RealmRunner]:
        """Those that hold something, or have worked."""
        return filter(None, self._runners.values())

    # -- one realm ---------------------------------------------------------------------------------

    def runner(self, name: str) -> RealmRunner:
        """For work; AgentError `realm-unknown`."""
        key = fold(name)
        runner = self._runners.get(key)
        if runner is None:
            runner = self._runners[key] = self.look(name)
            runner.restart()
            runner.hear(
                Configured(limits.QUIET_S)
            )  # who asks may be a person who is about to apply
        return runner

    def look(self, name: str) -> RealmRunner:
        """To see how it stands: it may be one that goes again; AgentError `realm-unknown`."""
        key = fold(name)
        if key not in self._runners:
            raise fail("realm-unknown", realm=name)
        return self._runners[key] or self._made(self.realm(name))

    def _made(self, realm: Realm) -> RealmRunner:
        stirs = self.watch.stirs
        return RealmRunner(self._shared, self._keys, self._activation, realm, self._alone, stirs)

    def realm(self, name: str) -> Realm:
        """The configuration of a realm; AgentError `realm-unknown`."""
        realm = self._shared.settings.realms.get(fold(name))
        if realm is None:
            raise fail("realm-unknown", realm=name)
        return realm

    def resting(self, name: str) -> Realm:
        """The configuration of a realm that has no application under way; AgentError."""
        runner, realm = self.runner(name), self.realm(name)
        if is_under_way(runner.engine.state):
            raise fail("realm-busy", realm=realm.name, state=runner.engine.state.value)
        return realm

    def trusted_ca(self, realm: Realm) -> CaRecord:
        """The stored CA, which the realm trusts now; AgentError `ca-untrusted`."""
        engine = self.runner(realm.name).engine
        if engine.stored.ca is None or not engine.pin_holds():
            raise fail("ca-untrusted", realm=realm.name)
        return engine.stored.ca

    def keys_held(self, name: str) -> list[Held]:
        """The key pairs that a realm's stored certificate and request need."""
        runner = self._runners.get(fold(name))  # not yet, while a configuration is loaded
        return runner.records.keys_held() if runner else []

    def keys_users(self) -> dict[str, list[str]]:
        """The folded names of the realms whose records need a key pair, by its name."""
        found: dict[str, list[str]] = {}
        for key, runner in self._runners.items():
            for held in runner.records.keys_held() if runner else ():
                found.setdefault(held.name, []).append(key)
        return found

    def install(
        self, name: str, event: Installed | NextCa, progress: Progress, done: Done[None]
    ) -> None:
        """One commit, and into use; `done` with None, or with an error."""
        try:
            self.resting(name)  # an application may have begun meanwhile
            self.runner(name).attend(event, progress, done)
        except AgentError as error:
            done(error)

    # -- all of them -------------------------------------------------------------------------------

    def boot(self) -> None:
        """At the start: all of the configured realms."""
        self.changed()
        self._orphans.begin()
        self._newcomers.start(self._herd_s)
        self._herd_s = 0

    def _rearm(self, runner: RealmRunner) -> None:
        """By the clock of now."""
        error = runner.engine.error
        if error and error.code == "ca-badTime":  # the CA may take this time
            runner.hear(Configured())
        else:
            runner.rearm()

    def changed(self, quiet_s: int = 0) -> None:
        """After a change of the configuration: engines see the realms as they are now.

        quiet_s: for so long nothing is done by that: more lines may come.
        """
        realms = self._shared.settings.realms
        self._shared.commits.configured()
        self._orphans.look()
        for key in [key for key in self._runners if key not in realms]:
            self._drop(key)
        for key, realm in realms.items():
            if runner := self._runners.get(key):
                runner.configure(realm, quiet_s)
            elif key not in self._runners or realm.auto_enroll:
                self._take_up(key, realm)
        self._newcomers.look(quiet_s)
        before, self._prewarning_days = self._prewarning_days, self._shared.settings.prewarning_days
        if before != self._prewarning_days:
            for runner in self:
                self.watch.later(runner)

    def _is_new(self, name: str) -> bool:
        """It is configured, holds nothing and has not worked."""
        return self._runners.get(fold(name), self) is None

    def _drop(self, key: str) -> None:
        runner = self._runners.pop(key)
        if runner:
            runner.stop()
            self.watch.stirs(runner)

    def _take_up(self, key: str, realm: Realm) -> None:
        """A realm is new here, but flash may know it: serve its certificate, go on where it was."""
        self._runners[key] = None
        if not realm_records.any_of(self._shared.store, key):
            if realm.auto_enroll:
                self._newcomers.add(realm.name, server(realm.url))
            return
        runner = self._runners[key] = self._made(realm)
        if runner.engine.stored.local:
            runner.use.put(again=False)
        if self._starts.rests(realm.name):
            self.watch.later(runner)
            self._rests[runner] = Rest(runner.engine.stored.request)
            self._shared.log.report("REALM_RESTS", f"realm {realm.name}: {RESTS}")
            self._shared.later(lambda: self._rest(runner))  # the clock may yet be set
        else:
            runner.restart(self._herd_s)

    def _rest(self, runner: RealmRunner) -> None:
        """It goes on behind the rest, if nobody has ended its request meanwhile."""
        now, stored = self._shared.time.now(), runner.engine.stored
        until_ns = now.monotonic_ns + rest_s(stored.local, now) * SECOND_NS
        self._rests[runner] = self._rests[runner]._replace(until_ns=until_ns)

        def go_on() -> None:
            if runner.engine.stored.request == self._rests.pop(runner).request:
                runner.restart()

        self._shared.loop.at_monotonic(until_ns, go_on)

    def rest(self, runner: RealmRunner) -> Rest | None:
        """That of a realm whose request nobody has ended."""
        rest = self._rests.get(runner)
        return rest if rest and rest.request == runner.engine.stored.request else None

    def issued(self) -> Iterator[int]:
        """The moments that have passed, as the certificates of the realms say."""
        wall_s = self._shared.hardware.clock.wall_s()
        for runner in self:
            yield from realm_records.passed_s(runner.engine.stored, wall_s)

    def forget(self, name: str) -> None:
        """Removes a realm that is gone from store and memory; files in storage stay (VRP)."""
        self.changed()
        self._shared.commit(self.forgotten([name]))
        self.forget_memory(name)

    def forgotten(self, names: Iterable[str]) -> dict[str, object]:
        """Changes for a commit, so that the store knows these realms no more."""
        gone = set(map(fold, names))
        keys = self._shared.store.keys("realm/") if gone else []
        return dict.fromkeys(key for key in keys if key.split("/")[1] in gone)

    def forget_memory(self, name: str) -> None:
        """Consumers find nothing of this realm any more."""
        try:
            self._shared.hardware.memory.remove(name)
        except HalError as error:  # something in there is not ours
            self._shared.log.report("STORAGE_ERR", f"realm {name}: {error}")

    def start_anew(self) -> None:
        """The records have gone: engines without a past, nothing in memory."""
        realms = self._shared.settings.realms
        for key in list(self._runners):
            self._drop(key)
            self.forget_memory(realms[key].name)
        for name in self._orphans.stop():
            self.forget_memory(name)
        self.changed()

    def stop(self) -> None:
        """No callback comes any more; flash is as it is."""
        for key in list(self._runners):
            self._drop(key)
        self._orphans.stop()
        self.watch.stop()
        self._rearming.clear()
