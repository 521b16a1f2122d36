"""One realm at work: performs what its engine asks for, and feeds it what came of it.

The engine decides, this performs: commits to the store, starts jobs, arms the deadline, tells the
session that waits. A commit that fails drops the rest of the actions and rebuilds the engine from
flash, so engine and flash never disagree.
"""

from collections.abc import Callable

from agent import limits
from agent.appliance import Done, Progress
from agent.device import asking, crls, losses, reserve
from agent.device.commits import Commits
from agent.device.parts import PARTS, load
from agent.enrolment import pins, vouched
from agent.enrolment.actions import (
    Action,
    Activate,
    CancelJob,
    Commit,
    Confirm,
    Finish,
    Now,
    Policy,
    Report,
    StartJob,
    Stored,
)
from agent.enrolment.engine import Engine, is_under_way
from agent.enrolment.states import (
    Abort,
    Apply,
    CaAnswered,
    CaCertificate,
    CaFetched,
    Due,
    Event,
    Installed,
    Removed,
    Restart,
    State,
)
from agent.errors import AgentError, fail
from agent.jobs import answers, maps
from agent.jobs.answers import Answer
from agent.jobs.runner import JobRunner
from agent.log import Log
from agent.loop import Deadline, Loop
from agent.settings import Realm
from hal import records
from hal.named import NamedTuple
from hal.store import Store

UNBUILT = 0  # in place of a job's number: it could not be built, and its failure is on the way


class Use(NamedTuple):
    """Whether the local certificate has reached device memory; both false: it has."""

    under_way: bool
    error: AgentError | None


class Context(NamedTuple):
    """What every realm shares. `now` is the time of an event; `activate` puts a realm into use,
    and writes again what is there already if it is told to."""

    loop: Loop
    store: Store
    commits: Commits
    jobs: JobRunner
    log: Log
    now: Callable[[], Now]
    linux_name: Callable[[str], str]
    key: Callable[[str], records.KeyRecord | None]
    activate: Callable[[str, bool, Callable[[AgentError | None], None]], None]


class Enrolment:
    """The engine of one realm, wired. `settings` is the realm's configuration of the moment."""

    def __init__(self, context: Context, settings: Realm) -> None:
        self._context, self._settings = context, settings
        self._flash = load(context.store, settings.name, context.log)
        self.engine = Engine(self._flash, _policy(settings))
        self._job: int | None = None
        self._timer: Deadline | None = None
        self._waiter: tuple[Progress, Done[None]] | None = None
        self.use = Use(under_way=False, error=None)
        self._use_again: Deadline | None = None
        self.root_seen: pins.Fingerprint | None = None  # unverified, so it is nowhere but here
        self._use_stale = False  # what is being put into use was replaced meanwhile
        self._stopped = False

    # -- what the device asks ----------------------------------------------------------------------

    def configure(self, settings: Realm) -> None:
        """The settings have changed; what is under way goes on with its own snapshot."""
        before, self._settings = self.engine.policy, settings
        self.engine.policy = _policy(settings)
        if before.roots != self.engine.policy.roots and self.engine.stored.local:
            self.put_into_use(again=False)  # what consumers trust may have changed

    def restart(self) -> None:
        """The agent has started: go on where flash says."""
        self._handle(Restart())

    def apply(self, event: Apply, progress: Progress, done: Done[None]) -> None:
        """A person applies; `done` is called with None, or with an error. PENDING is no error."""
        self._await(progress, done)
        self._handle(event)

    def unread(self) -> list[str]:
        """The parts of the realm that flash holds and nobody can read."""
        store, name = self._context.store, self._settings.name
        found = [records.realm_key(name, part) for part in PARTS if not getattr(self._flash, part)]
        return [key.rpartition("/")[2] for key in found if store.get(key) is not None]

    def ca_was_lost(self) -> bool:
        """Whether a CA was trusted that flash has lost, as far as one can tell."""
        key = records.realm_key(self._settings.name, "ca")
        maybe = losses.maybe(self._context.store, key)
        return self.engine.stored.ca is None and ("ca" in self.unread() or maybe)

    def keys_held(self) -> list[object]:
        """The names of the key pairs that what is stored needs."""
        local, request = self.engine.stored.local, self.engine.stored.request
        names: list[object] = [local.key] if local else []
        if request:
            names += [request.settings.get("key_pair")]
            names += [request.renewal.key] if request.renewal else []
        return names

    def install(self, event: Installed, progress: Progress, done: Done[None]) -> None:
        """What the operator brought; `done` with None when it is stored and in use."""
        self._await(progress, done)
        self._handle(event)

    def use_again(self, progress: Progress, done: Done[None]) -> None:
        """Into storage and memory once more; `done` with None, or with an error."""
        self._await(progress, done)
        self.put_into_use()

    def remove(self, kind: str) -> None:
        """The operator deletes `ca` or `local`. Raises AgentError when flash does not take it."""
        self._handle(Removed(kind))
        if getattr(self.engine.stored, kind) is not None:
            raise fail("store-failed", reason=f"the {kind} certificate is still there")

    def abort(self) -> bool:
        """Ends the application under way, or one that got no answer; False when there is none.

        Raises AgentError when flash does not take it: then nothing has changed.
        """
        if self.engine.stored.request is None:
            return False
        self._handle(Abort())
        if self.engine.stored.request is not None:
            raise fail("store-failed", reason="the request is still there")
        return True

    def saw(self, found: pins.Found) -> None:
        """A set of the CA has come in: a root above the pin is shown to a person, no more."""
        ca = self.engine.stored.ca
        for one in found:
            if ca and one.sha256 == ca.pin:
                self.root_seen = vouched.top(one, found)

    def detach(self) -> None:
        """Nobody waits any more; the work goes on, and a question is answered with No."""
        self._waiter = None
        if self.engine.state is State.CONFIRMING:
            self._handle(CaAnswered(yes=False))

    def stop(self) -> None:
        """The realm goes away, or the agent does: who waits is told, and nothing acts any more."""
        self._stopped = True
        self._tell(fail("realm-gone", realm=self._settings.name))
        for timer in (self._timer, self._use_again):
            if timer:
                timer.cancel()
        self._cancel_job()

    # -- events and actions ------------------------------------------------------------------------

    def _handle(self, event: Event) -> None:
        if self._stopped:
            return
        actions = self.engine.handle(event, self._now())
        for action in actions:
            if not self._perform(action):
                break
        if self._timer:
            self._timer.cancel()
        deadline_ns = self.engine.next_deadline()
        self._timer = (
            self._context.loop.at_monotonic(deadline_ns, lambda: self._handle(Due()))
            if deadline_ns is not None
            else None
        )

    def _now(self) -> Now:
        """The time of an event; a clock behind what this realm holds is not trusted (design)."""
        now, stored = self._context.now(), self.engine.stored
        known = [stored.local.certificate.not_before_s] if stored.local else []
        if stored.ca and stored.ca.pin_index < len(stored.ca.certificates):
            known.append(stored.ca.certificates[stored.ca.pin_index].not_before_s)
        return now._replace(trusted=now.trusted and now.wall_s >= max(known, default=0))

    def moment(self) -> dict[str, object]:
        """The fields of a job of this realm that say what time it is."""
        now = self._now()
        return {"now_s": now.wall_s, "clock_trusted": now.trusted}

    def _perform(self, action: Action) -> bool:
        """False: the rest of the actions must not happen."""
        match action:
            case Commit(stored):
                return self._commit(stored)
            case StartJob(op):
                self._start(op)
            case CancelJob():
                self._cancel_job()
            case Activate():
                self.put_into_use()
            case Confirm(candidate, above):
                self._confirm(candidate, above)
            case Finish(error):
                self._finish(error)
            case Report(mnemonic, text, told):
                self._report(mnemonic, text, told)
        return True

    def _commit(self, stored: Stored) -> bool:
        changes: dict[str, object] = {}
        for part, old, new in zip(Stored._fields, self._flash, stored, strict=True):
            if old != new:
                key = records.realm_key(self._settings.name, part)
                changes[key] = None if new is None else records.encode(new)
        changes.update(losses.settled(self._context.store, list(changes)))
        purpose = reserve.purpose(self._flash, stored)
        try:
            self._context.commits.commit(changes, purpose)
        except AgentError as error:
            failure = self.engine.error if reserve.failed(self._flash, stored) else None
            self._back_to_flash()
            self._context.log.report("STORE_ERR", f"realm {self._settings.name}: {error}")
            self._finish(failure or error)  # what was to be stored is what who waits wants to know
            return False
        self._flash = stored
        return True

    def _back_to_flash(self) -> None:
        """A commit failed: what flash has of an application goes on when that costs nothing.

        PENDING asks again at its interval. Everything else would repeat at once what just failed,
        so it rests until the next start or the operator's next word.
        """
        self.engine = Engine(self._flash, self.engine.policy)
        if self.engine.state is State.PENDING:
            self._context.loop.after(0, lambda: self._handle(Restart()))
        elif is_under_way(self.engine.state):
            self.engine.state = State.FAILED

    def _confirm(self, candidate: CaCertificate, above: tuple[CaCertificate, ...]) -> None:
        if self._waiter is None:
            self._context.loop.after(0, lambda: self._answer_ca(False))
            return
        asked = asking.about(candidate, above, self.engine.stored.ca, self.ca_was_lost())
        self._waiter[0].confirm_ca(asked, self._answer_ca)

    def _answer_ca(self, yes: bool) -> None:
        if self.engine.state is State.CONFIRMING:  # the question may have run out meanwhile
            self._handle(CaAnswered(yes))

    def _finish(self, error: AgentError | None) -> None:
        """An error, or PENDING; what was granted ends when it has been activated."""
        if error is None and self.engine.state is State.ISSUED:
            return
        if self.engine.state is State.PENDING and self._waiter:
            minutes = self.engine.policy.poll_interval_min
            self._waiter[0].note(
                f"PENDING: the CA has not decided yet; asking again every {minutes} min"
            )
        self._tell(error)

    def put_into_use(self, again: bool = True) -> None:
        """Writes the local certificate to storage and memory, again and again until it is there.

        One after the other: the end of an earlier one must not switch to the files of a later one.
        Not `again`: what consumers read already is left as it is.
        """
        if self.use.under_way:
            self._use_stale = True
            return
        if self._use_again:
            self._use_again.cancel()
        self.use = Use(under_way=True, error=None)
        self._context.activate(self._settings.name, again, self._put)

    def _put(self, error: AgentError | None) -> None:
        if self._stopped:
            return
        self.use = Use(under_way=False, error=error)
        if self._use_stale:
            self._use_stale = False
            self.put_into_use()
            return
        if error:
            name = self._settings.name
            self._context.log.report("LOCAL_IMPORT_ERR", f"realm {name}: {error.what}")
            self._use_again = self._context.loop.after(limits.USE_AGAIN_NS, self.put_into_use)
        if not is_under_way(self.engine.state):  # else who waits, waits for an application
            self._tell(error)

    def _await(self, progress: Progress, done: Done[None]) -> None:
        """Somebody else waits now; who waited until here reads how the realm stands."""
        self._tell(None)
        self._waiter = (progress, done)

    def _tell(self, result: AgentError | None) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter:
            waiter[1](result)

    # -- jobs --------------------------------------------------------------------------------------

    def _start(self, op: str) -> None:
        """Starts the job; what stops it from being built is an event like any other failure."""
        number = UNBUILT

        def done(answer: Answer | AgentError) -> None:
            if self._job == number:  # a cancelled job ends unheard
                self._job = None
                event = answers.event(op, answer, self._note)
                self._handle(event)
                if isinstance(event, CaFetched):
                    self.saw(event.certificates)

        try:
            number = self._job = self._context.jobs.run(self._job_map(op), done)
        except AgentError as error:
            self._job, problem = UNBUILT, error
            self._context.loop.after(0, lambda: done(problem))

    def _job_map(self, op: str) -> dict[str, object]:
        request, ca = self.engine.stored.request, self.engine.stored.ca
        moment = self.moment()
        if request is None:
            raise fail("job-answer")
        if op == "fetch-ca":
            name_of = self._context.linux_name
            job = maps.fetch_job(self._settings, request.settings, ca, name_of)
            return {**job, **moment}
        if ca is None:
            raise fail("job-answer")
        key, way = self._key(str(request.settings["key_pair"]), request.generation), request.renewal
        signer = self._key(way.key, way.generation) if way else key
        keys = maps.Keys(key, signer)
        name_of = self._context.linux_name
        job = maps.request_job(op, self._settings, request, ca, keys, name_of)
        check = crls.job_field(self._context.store, self._settings)
        return {**job, "revocation": check, **moment}

    def _key(self, name: str, generation: int) -> records.KeyRecord:
        key = self._context.key(name)
        if key is None or key.generation != generation:
            raise fail("key-unknown", name=name)
        return key

    def _cancel_job(self) -> None:
        if self._job is not None:
            number, self._job = self._job, None
            if number != UNBUILT:
                self._context.jobs.cancel(number)

    def _note(self, text: str) -> None:
        self._report("NOTE", text, told=True)

    def _report(self, mnemonic: str, text: str, told: bool) -> None:
        self._context.log.report(mnemonic, f"realm {self._settings.name}: {text}")
        if told and self._waiter:
            self._waiter[0].note(text)


def _policy(settings: Realm) -> Policy:
    polls = settings.poll_interval_min, settings.poll_times
    trusted = settings.compatibility, settings.root_fingerprints
    return Policy(settings.fingerprint, *polls, *trusted)
