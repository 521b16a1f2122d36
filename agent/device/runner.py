"""One realm at work: performs what its engine asks for, and feeds it what came of it.

The engine decides, this performs: commits to the store, starts jobs, arms the deadline, tells the
session that waits. A commit that fails drops the rest of the actions, and the engine goes back to
what flash holds.

Three of its parts end at times of their own, long after what started them: a job (`RealmJobs`), an
activation (`Use`), and a session (`Waiter`), which may hang up or come back for another task. Each
of them is one at most, and its end finds the engine as it is then, perhaps in another state than
the one that asked. So an end is an event like any other, or is looked at before it becomes one.

A request is built from the settings of its first moment (its record), our own policy from those of
now: `configure` changes what is refused and where packets leave, never the bytes of a request.
"""

from __future__ import annotations

from binascii import crc32
from collections.abc import Callable
from functools import lru_cache, partial
from operator import attrgetter

from agent.appliance import Done, Progress
from agent.device import asking, realm_records, reserve
from agent.device.activation import Activation, InUse, Use
from agent.device.alone import Alone
from agent.device.realm_jobs import Keys, RealmJobs
from agent.device.realm_records import RealmRecords
from agent.device.shared import Shared
from agent.device.timer import Timer
from agent.device.waiter import NOBODY, UNHEARD, Waiter
from agent.enrolment import pins, vouched
from agent.enrolment.actions import (
    Action,
    Activate,
    CancelJob,
    Choose,
    Commit,
    Confirm,
    Finish,
    Now,
    Policy,
    Report,
    StartJob,
    Stored,
    Wanted,
)
from agent.enrolment.engine import Engine
from agent.enrolment.states import (
    Abort,
    Apply,
    CaAnswered,
    CaFetched,
    Chosen,
    Configured,
    Due,
    Event,
    Installed,
    Listed,
    NextCa,
    NotStored,
    Removed,
    Restart,
    State,
    is_under_way,
)
from agent.errors import AgentError, fail
from agent.jobs import answers, maps
from agent.jobs.answers import Answer
from agent.settings import Realm


class RealmRunner:
    """The engine of one realm, wired. `realm` is its configuration of the moment; `alone` is asked
    to apply for it when nobody else does, by its name, and `stirs` is told when it may stand
    otherwise than before. There may be a thousand, so each holds little beside its records."""

    __slots__ = (
        "_jobs", "_keys", "_mark", "_outdated", "_shared", "_stirs", "_timer", "_waiter",
        "alone", "engine", "realm", "records", "root_seen", "stopped", "use",
    )  # fmt: skip

    def __init__(
        self,
        shared: Shared,
        keys: Keys,
        activation: Activation,
        realm: Realm,
        alone: Callable[[str, None], None],
        stirs: Callable[[RealmRunner], None],
    ) -> None:
        self._shared, self._keys, self.realm = shared, keys, realm
        self._mark = mark(realm)
        self.alone = Alone(
            realm.name, alone, lambda: self.engine.plan(self.now()).deadline, self._report
        )
        self.records = RealmRecords(shared, realm.name)
        self.engine = Engine(self.records.stored, policy_of(realm))
        self.use = Use(shared.loop, activation, self._in_use, self._used)
        self.root_seen: pins.Fingerprint | None = None  # unverified, so it is nowhere but here
        self._jobs = RealmJobs(shared, keys)
        self._waiter = NOBODY
        self._timer = Timer(shared.loop, lambda: self._handle(Due()))
        self._outdated = (held := self.records.stored.local) and held.key  # may have older ones
        self._stirs, self.stopped = stirs, False

    # -- what the device asks ----------------------------------------------------------------------

    def configure(self, realm: Realm, quiet_s: int = 0) -> None:
        """The settings have changed; what is under way goes on with its own snapshot."""
        self.realm, marked = realm, mark(realm)
        if marked == self._mark:
            return  # as nearly all are whom a line does not concern
        before, self._mark = self.engine.policy, marked
        self.engine.policy = policy_of(realm)
        self.hear(Configured(quiet_s))
        # Files that say the same are left alone: a switch makes a daemon read all of them again.
        if before.roots != self.engine.policy.roots and self.engine.stored.local:
            self.use.put(again=False)  # `root-fingerprint` says what consumers trust

    def restart(self, herd_s: int = 0) -> None:
        """The agent has started: go on where flash says, without a session that waits."""
        local, hardware = self.engine.stored.local, self._shared.hardware
        seed = local.certificate.der if local else hardware.chance.draw(4)
        # A cloned image has the same certificates on many machines.
        spread = crc32(self.realm.name.encode(), crc32(hardware.machine.encode(), crc32(seed)))
        self._handle(Restart(spread, herd_s, apart=hardware.herd_s > 0))

    def hear(self, event: Configured | Listed) -> None:
        """What it lacked may be there now, or a revocation list of its CA was read."""
        if isinstance(event, Configured):
            self.alone.goes_on()
        self._handle(event)

    def apply(self, event: Apply, done: Done[None] | None) -> None:
        """It applies by itself, unless somebody was faster; `done` as of a person, if given."""
        if is_under_way(self.engine.state):
            if done:
                done(None)
            return
        self.alone.goes_on()
        if done:
            self._end(None, Waiter(UNHEARD, done))
        self._handle(event)

    def attend(
        self, event: Apply | Installed | NextCa | None, progress: Progress, done: Done[None]
    ) -> None:
        """A person applies, brings certificates, or (None) wants what is there in storage and
        memory once more. `done` is called with an error, or with None when they are stored and in
        use; PENDING is no error. Whoever waited before reads how the realm stands."""
        self._end(None, Waiter(progress, done))
        if event is None:
            self.use.put()
        else:
            self._handle(event)

    def remove(self, kind: str) -> None:
        """The operator deletes `ca` or `local`. Raises AgentError when flash does not take it."""
        self._handle(Removed(kind))
        # A failed commit is told to the session that waits, and this one does not wait.
        if getattr(self.engine.stored, kind) is not None:
            raise fail("store-failed", reason=f"the {kind} certificate is still there")

    def abort(self) -> bool:
        """Ends the application under way, or one that got no answer; False when there is none.

        Raises AgentError when flash does not take it: then nothing has changed.
        """
        if self.engine.request is None:
            return False
        self._handle(Abort())
        if self.engine.request is not None:
            raise fail("store-failed", reason="the request is still there")
        return True

    def saw(self, certificates: pins.Found) -> None:
        """A set of the CA has come in: a root above the pin is shown to a person, no more.

        Nobody has signed the set, and a signature authenticates downwards only: a key that fits the
        pin's own signature can be computed. A person who compares the fingerprint may vouch for it.
        """
        ca = self.engine.stored.ca
        for found in (one for one in certificates if ca and one.sha256 == ca.pin):
            self.root_seen = vouched.top(found, certificates)

    def detach(self) -> None:
        """Nobody waits any more; the work goes on, and a question is answered with No.

        Whoever hung up has compared no fingerprint.
        """
        self._waiter = NOBODY
        self._answer(False)

    def stop(self) -> None:
        """The realm goes away, or the agent does: who waits is told, and nothing acts any more."""
        self.stopped = True
        self._end(fail("realm-gone", realm=self.realm.name))
        self._timer.cancel()
        self.use.stop()
        self._jobs.cancel()

    def judged(self, chain: list[bytes]) -> dict[str, object]:
        """The fields of a job that works out what this realm trusts (`agent.scep.served`).

        `chain`: DER of the certificates above the one in use, the issuing CA first. The child
        verifies all of it anew, so a record that an earlier child wrote adds nothing.
        """
        # The stored set is judged by the time and the list of now, whenever it was fetched.
        job = maps.served_job(self.realm, self.engine.stored.ca, chain)
        crl = realm_records.crl_field(self._shared.store, self.realm)
        return {**job, "revocation": crl, **maps.moment(self.now())}

    # -- events and actions ------------------------------------------------------------------------

    def _handle(self, event: Event) -> None:
        """One event: the actions of the engine in their order, then its deadline."""
        if self.stopped:  # a job, an activation or a session may still end
            return
        actions = self.engine.handle(event, self.now())
        for action in actions:
            if not self._perform(action):
                break
        self.rearm()  # asked last: a commit that failed has been an event of its own

    def rearm(self) -> None:
        """The deadline by the clocks of this moment; the wall clock may have jumped."""
        if not self.stopped:
            self._timer.set(self.engine.rearm(self.now()))
            self._stirs(self)

    def now(self) -> Now:
        """The time of an event; a clock behind what this realm holds is not trusted (design).

        A notBefore was a moment of the CA's clock, and it has passed; a clock that is before it is
        wrong, as after a battery has died. Then no date decides: to refuse a good certificate by a
        wrong clock would do more harm.
        """
        now = self._shared.time.now()
        latest_s = max(realm_records.passed_s(self.engine.stored, now.wall_s), default=0)
        self._shared.time.learn(latest_s)
        return now._replace(trusted=now.trusted and now.wall_s >= latest_s)

    def _perform(self, action: Action) -> bool:
        """False: the rest of the actions must not happen.

        A job, an activation and a question end by an event from the loop, each in its own time.
        """
        match action:
            case Commit(stored):
                return self._commit(stored)
            case StartJob(op):
                self._start(op)
            case CancelJob():
                self._jobs.cancel()
            case Activate(again):
                self.use.put(again)
            case Wanted():
                self._shared.loop.aside(self.alone.ask)  # a thousand may be due by one jump
            case Confirm() | Choose():
                self._ask(action)
            case Finish(error):
                self._finish(error)
            case Report(mnemonic, text, told, again):
                self._report(mnemonic, text, told, again)
        return True

    def _commit(self, stored: Stored) -> bool:
        """Whether flash has it. What flash does not have must not be sent, used or told."""
        before = self.records.stored.local
        try:
            self.records.commit(stored)
        except AgentError as error:
            # The commit of a failure has failed: the failure is the news, not that of the flash.
            noted = reserve.failed(self.records.stored, stored)
            failure = self.engine.error if noted else None
            self._shared.log.report("STORE_ERR", f"realm {self.realm.name}: {error}")
            for action in self.engine.handle(NotStored(error), self.now()):
                self._perform(action)
            self._finish(failure or error)  # what was to be stored is what who waits wants to know
            return False
        local = stored.local
        if before and local and (before.key, before.generation) != (local.key, local.generation):
            self._outdated = before.key
        return True

    def _ask(self, question: Confirm | Choose) -> None:
        """Asks the person who waits. Nobody there means No, from the loop: the engine must have
        taken its deadline before it gets the next event."""
        if self._waiter is NOBODY:
            self._shared.later(lambda: self._answer(False))
        elif isinstance(question, Choose):
            self._waiter.progress.confirm(asking.about_end(question), self._answer)
        else:
            held, lost = self.engine.stored.ca, self.records.ca_was_lost()
            about = asking.about(question.candidate, question.above, held, lost)
            self._waiter.progress.confirm_ca(about, self._answer)

    def _answer(self, yes: bool) -> None:
        """An answer counts while the engine waits for it: the question may have run out."""
        if self.engine.state is State.CONFIRMING:
            self._handle(CaAnswered(yes))
        elif self.engine.state is State.CHOOSING:
            self._handle(Chosen(yes))

    def _finish(self, error: AgentError | None) -> None:
        """An error, or PENDING; what was granted ends when it has been activated.

        A person who reads that a certificate is there wants to use it, so the word comes when
        consumers can read it (`_used`).
        """
        if error is None and self.engine.state is State.ISSUED:
            return
        # Hours or days may pass until a CA decides; nobody holds a serial line for so long.
        if self.engine.state is State.PENDING:
            minutes = self.engine.policy.poll_interval_min
            self._waiter.progress.note(
                f"PENDING: the CA has not decided yet; asking again every {minutes} min"
            )
        self._end(error)

    # -- who waits ---------------------------------------------------------------------------------

    def _end(self, result: AgentError | None, then: Waiter = NOBODY) -> None:
        """Whoever waits hears the end; `then` waits from now on."""
        waiter, self._waiter = self._waiter, then
        waiter.done(result)

    # -- into use ----------------------------------------------------------------------------------

    def _in_use(self, again: bool) -> InUse | None:
        """Collected when its turn comes (`Use`): by then it may have been renewed or deleted."""
        stored, local = self.engine.stored, self.engine.stored.local
        if local is None:
            return None
        key, judged = self._keys.record(local.key, local.generation), self.judged(local.chain)
        judged.update(maps.former_ca(self.realm, stored.ca, local))
        form = self._shared.settings.file_format
        return InUse(self.realm.name, local, key, judged, form, again, stored.successor)

    def _used(self, error: AgentError | None) -> None:
        """The certificate can be read by its consumers, or it cannot and is tried again.

        The session that waits may have asked for something else since: with an application under
        way it is that one's end that it wants to hear.
        """
        if error:
            text = f"realm {self.realm.name}: {error.what}"
            self._shared.log.report("LOCAL_IMPORT_ERR", text)
        elif self._outdated:
            self._keys.tidy(self._outdated)
            self._outdated = None
        if not is_under_way(self.engine.state):
            self._end(error)

    # -- jobs --------------------------------------------------------------------------------------

    def _start(self, op: str) -> None:
        """Starts the job; what stops it from being built is an event like any other failure.

        `saw` comes behind the event: the pin that a root is looked for above may be of this answer.
        """

        def ended(answer: Answer | AgentError) -> None:
            event = answers.event(op, answer, partial(self._report, "NOTE", told=True))
            self._handle(event)
            if isinstance(event, CaFetched):
                self.saw(event.certificates)

        request, stored = self.engine.request, self.engine.stored
        attended = self._waiter is not NOBODY and bool(request and request.attended)
        held = stored._replace(request=request)
        self._jobs.start(op, self.realm, held, maps.moment(self.now()), attended, ended)

    def _report(self, mnemonic: str, text: str, told: bool = False, again: bool = False) -> None:
        self._shared.log.report(mnemonic, f"realm {self.realm.name}: {text}", again=again)
        if told:
            self._waiter.progress.note(text)


def policy_of(realm: Realm) -> Policy:
    """The settings that decide about answers. They may change while a request waits, and then the
    new ones count: an operator who has typed another pin does not trust the older one any more."""
    polls = realm.poll_interval_min, realm.poll_times
    trusted = realm.compatibility, realm.root_fingerprints
    auto = realm.auto_enroll
    alone = (auto.percent, auto.updated_effective) if auto else (None, False)
    return _shared_policy(Policy(realm.fingerprint, *polls, *trusted, *alone))


# Realms of one CA have the same policy, and the same object.
_shared_policy: Callable[[Policy], Policy] = lru_cache(maxsize=8)(lambda policy: policy)


def mark(realm: Realm) -> int:
    """Another one when a setting has changed; the settings themselves change in place."""
    return hash(_settings_of(realm))


_settings_of = attrgetter(*Realm.__slots__)
