"""The enrolment engine of one realm: sans-IO. (state, event, now) -> actions, next deadline.

It reads no clock and no file, draws no random number and opens no socket: time is an argument,
randomness arrives in events, and what must happen is returned as actions that the device performs
in order. `Commit` stands before the `StartJob` that needs it, so a request is in flash before its
first byte leaves; if a commit fails, the device drops the rest and restores the engine from flash.
"""

from collections.abc import Callable

from agent import limits
from agent.enrolment import drafts, pins, renewal, retries, schedule, vouched
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
from agent.enrolment.states import (
    AS_STORED,
    TABLE,
    UNDER_WAY,
    Apply,
    CaAnswered,
    CaCertificate,
    CaFetched,
    Event,
    Granted,
    Installed,
    JobFailed,
    Removed,
    State,
)
from agent.enrolment.verdicts import ANSWERED, ENDED, FORGOTTEN, STALE, is_verdict
from agent.errors import AgentError, fail, from_map
from agent.visible import brief
from hal.records import RequestRecord


class Refused(Exception):  # noqa: N818 - h11's word for it: a missing row is a refusal
    """The table has no row for this event in this state."""


class Engine:
    """One realm. `handle` is the only way in; `stored` is always what flash holds after it."""

    def __init__(self, stored: Stored, policy: Policy) -> None:
        self.stored = stored
        self.policy = policy
        self.state = stored.state
        self.deadline_ns: int | None = None  # monotonic
        self._tries = retries.Tries()
        # A CA that has renewed its certificates cannot read what was encrypted for the old ones. So
        # this failure of a poll had the CA set fetched again; one failure a poll, to end at all.
        self._stale_failure: JobFailed | None = None
        # The CA may have issued for the older request (RFC 8894 7.4), so its answer is asked for
        # first. This application follows if the CA has none.
        self._next_application: Apply | None = None
        self._fetched: CaFetched | None = None
        self._candidate: CaCertificate | None = None

    def handle(self, event: Event, now: Now) -> list[Action]:
        """The actions of one event, to be performed in order. Refused when no row allows it."""
        row = TABLE.get((self.state, type(event)))
        if row is None:
            raise Refused(f"{type(event).__name__} in state {self.state.value}")
        before, self.deadline_ns = self.state, None
        name, targets = row
        actions = _HANDLERS[name](self, event, now)
        as_stored = AS_STORED in targets and self.state is self.stored.at_rest
        if self.state not in targets and not as_stored:
            raise Refused(f"{before.value} -> {self.state.value} is not in the table")
        return actions

    def next_deadline(self) -> int | None:
        """Monotonic time at which `Due` is wanted, or None."""
        return self.deadline_ns

    @property
    def error(self) -> AgentError | None:
        """How the last attempt failed, if it did."""
        outcome = self.stored.outcome
        return from_map(outcome.error) if outcome and outcome.error is not None else None

    # -- applying ----------------------------------------------------------------------------------

    def _apply(self, event: Apply, now: Now) -> list[Action]:
        self._tries = retries.begun(event.attended, self.policy.poll_times)
        self._stale_failure = None
        lost = self.stored.request
        same = lost and (lost.settings, lost.generation) == (event.settings, event.generation)
        if lost and same and self.pin_holds():
            # The CA may have issued already (RFC 8894 7.4): ask before applying anew.
            self._next_application = event
            self.state = State.RECOVERING
            return [self._commit(request=lost._replace(phase="sent", polls=0)), StartJob("poll")]
        return self._begin(event, now)

    def _begin(self, event: Apply, now: Now) -> list[Action]:
        request = drafts.request(event, self.stored.local, now)
        attempts = self.stored.outcome.attempts + 1 if self.stored.outcome else 1
        self.state, self._next_application = State.FETCHING, None
        return [
            self._commit(request=request, outcome=drafts.outcome(now, attempts)),
            Report("GETTING_CA_CERT", "getting the CA certificates"),
            StartJob("fetch-ca"),
        ]

    def _fetch(self, _event: Event, _now: Now) -> list[Action]:
        return [StartJob("fetch-ca")]

    def _fetch_again(self, _event: Event, _now: Now) -> list[Action]:
        self._tries = self._tries._replace(unattended=self.policy.poll_times)
        return [StartJob("fetch-ca")]

    def _fetch_failed(self, event: JobFailed, now: Now) -> list[Action]:
        return self._later(event.error, now) or self._failed(event.error, now)

    # -- trusting the CA ---------------------------------------------------------------------------

    def _judge_ca(self, event: CaFetched, now: Now) -> list[Action]:
        """Which certificate of the set is the pinned CA (design: Trust)."""
        self._fetched = event
        try:
            now_s = now.wall_s if now.trusted else None
            known = self.stored.ca
            choice = pins.choose(self.policy.fingerprint, known, event.certificates, now_s)
        except AgentError as error:
            return self._failed(error, now)
        if choice.trusted_by:
            pinned = vouched.Pinned(choice.certificate, choice.trusted_by, self.policy.fingerprint)
            return self._trust(pinned, now)
        if self._tries.unattended:  # after a restart nobody is there to ask
            return self._failed(fail("ca-unconfirmed"), now)
        candidate = self._candidate = choice.certificate
        self.state = State.CONFIRMING
        self.deadline_ns = now.monotonic_ns + limits.CONFIRM_CA_S * 1_000_000_000
        return [Confirm(candidate, vouched.above(candidate, event.certificates))]

    def _confirm(self, event: CaAnswered, now: Now) -> list[Action]:
        candidate, fetched = self._candidate, self._fetched
        if candidate is None or fetched is None or not event.yes:
            return self._failed(fail("ca-unconfirmed"), now)
        shown = vouched.above(candidate, fetched.certificates)
        return self._trust(vouched.Pinned(candidate, "operator", shown=shown), now)

    def _not_confirmed(self, _event: Event, now: Now) -> list[Action]:
        return self._failed(fail("ca-unconfirmed"), now)

    def _trust(self, pinned: vouched.Pinned, now: Now) -> list[Action]:
        """The pin holds: CA set and phase `sent` are committed together, then the request goes."""
        request, fetched = self.stored.request, self._fetched
        if request is None or fetched is None:
            raise Refused("trusting a CA without an application")
        one = pinned.certificate.certificate
        if now.trusted and one.not_after_s < now.wall_s:
            return self._failed(fail("ca-expired", subject=one.subject), now)
        arrived = vouched.Arrived(*fetched, now.wall_s, self.policy.roots)
        ca = vouched.record(pinned, arrived, self.stored.ca)
        self._fetched = self._candidate = None
        self.state = State.SENT
        way = renewal.decide(request.renewal, ca, fetched.caps, self.policy.compatibility, now)
        sent = request._replace(phase="sent", renewal=way, caps=list(fetched.caps))
        named = pins.shown(ca.pin, one.subject)
        text = f"{renewal.said(way)} with transactionID {request.transaction}"
        return [
            self._commit(ca=ca, request=sent),
            Report("GET_CA_CERT_OK", f"CA trusted by {pinned.trusted_by}: {named}"),
            *(Report("NOTE", note, told=True) for note in vouched.notes(pinned, arrived, ca)),
            Report("GETTING_LOCAL_CERT", text),
            StartJob("enrol"),
        ]

    # -- the answer --------------------------------------------------------------------------------

    def _store(self, event: Granted, now: Now) -> list[Action]:
        request, before, ca = self._request(), self.stored.local, self.stored.ca
        if not self.pin_holds():  # `fingerprint` was changed while the job ran
            return self._failed(fail("ca-pin-changed"), now)
        try:
            attended = not self._tries.unattended
            same_end = renewal.check_newer(before, event.certificate, attended=attended)
        except AgentError as error:
            return self._failed(error, now)
        ca = pins.with_proven_ra(ca) if event.ra_proven else ca
        local = drafts.local(event, request, same_end, now)
        self.state, self._next_application = State.ISSUED, None
        text = f"certificate {event.certificate.serial} for {brief(event.certificate.subject)}"
        alarm = Report("CA_WILL_EXPIRED", "the new certificate ends no later than the one before")
        return [
            self._commit(ca=ca, local=local, request=None, outcome=drafts.outcome(now, 0)),
            Report("GET_LOCAL_CERT_OK", text),
            *([alarm] if same_end else []),
            Activate(),
            Finish(None),
        ]

    def _wait(self, _event: Event, now: Now) -> list[Action]:
        """PENDING: the first answer opens the polls, each later one has used one up."""
        request = self._request()
        if request.polls >= self.policy.poll_times:
            return self._failed(fail("poll-exhausted", polls=request.polls), now)
        first = request.phase != "pending"
        actions: list[Action] = []
        if first:
            actions.append(self._commit(request=request._replace(phase="pending", polls=0)))
            actions.append(Report("GETTING_LOCAL_CERT", "PENDING: the CA has not decided yet"))
        else:
            polls = f"poll {request.polls} of {self.policy.poll_times}"
            actions.append(Report("GETTING_LOCAL_CERT", f"PENDING: {polls}"))
        self.state, self._next_application = State.PENDING, None
        self._arm(now)
        return [*actions, Finish(None)] if first else actions

    def _wait_again(self, _event: Event, now: Now) -> list[Action]:
        # How long the power was off is not known: a device that is off at night must poll as well.
        self.deadline_ns = schedule.poll_after_boot_ns(now.monotonic_ns)
        return []

    def _poll(self, _event: Event, now: Now) -> list[Action]:
        request, self._stale_failure = self._request(), None
        if not self.pin_holds():
            return self._failed(fail("ca-pin-changed"), now)
        if self.state is State.RECOVERING:
            return [StartJob("poll")]
        self.state = State.POLLING
        return [self._commit(request=request._replace(polls=request.polls + 1)), StartJob("poll")]

    def _poll_failed(self, event: JobFailed, now: Now) -> list[Action]:
        """A verdict ends the application; a CA that has forgotten it gets the same bytes again."""
        if actions := self._look_again(event):
            return actions
        if event.error.code == FORGOTTEN:
            self.state = State.SENT
            return [Report("GETTING_LOCAL_CERT", event.error.what), StartJob("enrol")]
        if is_verdict(event.error):
            return self._failed(event.error, now)
        return self._silent(event, now)

    def _silent(self, event: JobFailed, now: Now) -> list[Action]:
        """Silence uses up a poll as PENDING does."""
        if self._request().polls >= self.policy.poll_times:
            return self._failed(event.error, now)
        self.state = State.PENDING
        self._arm(now, event.error.after_s)
        return [Report("GET_LOCAL_CERT_ERR", f"poll: {event.error.what}")]

    def _look_again(self, event: JobFailed) -> list[Action]:
        """Once for each poll: the CA or its RA may have new certificates."""
        if self._stale_failure or event.error.code not in STALE:
            return []
        self._stale_failure = event
        return [Report("GETTING_CA_CERT", event.error.what), StartJob("fetch-ca")]

    def _looked(self, event: CaFetched, now: Now) -> list[Action]:
        """With new certificates the poll is sent again; else its failure is what it was."""
        arrived = vouched.Arrived(*event, now.wall_s, self.policy.roots)
        ca = vouched.refreshed(self.stored.ca, arrived)
        if ca:
            return [self._commit(ca=ca), StartJob("poll")]
        doubt = self._stale_failure or JobFailed(fail("job-answer"))
        polling = self.state is State.POLLING
        return self._poll_failed(doubt, now) if polling else self._recovery_failed(doubt, now)

    def _send_failed(self, event: JobFailed, now: Now) -> list[Action]:
        if self._next_application is not None and is_verdict(event.error):
            # The old request is dead at last; now the one that the operator typed.
            return self._begin(self._next_application, now)
        if is_verdict(event.error):
            return self._failed(event.error, now)
        if self._request().phase == "pending":
            return self._silent(event, now)
        if again := self._later(event.error, now):
            self.state = State.RECOVERING
            return again
        return self._failed(event.error, now)

    # -- a lost answer -----------------------------------------------------------------------------

    def _recover(self, _event: Event, now: Now) -> list[Action]:
        """After a restart nobody knows whether the request arrived: ask first."""
        if not self.pin_holds():
            return self._failed(fail("ca-pin-changed"), now)
        self._tries = self._tries._replace(unattended=self.policy.poll_times)
        self.state = State.RECOVERING
        return [
            Report("GETTING_LOCAL_CERT", f"asking for transaction {self._request().transaction}"),
            StartJob("poll"),
        ]

    def _recovery_failed(self, event: JobFailed, now: Now) -> list[Action]:
        """A CA that answers but does not know the transaction gets the same bytes again."""
        after, policy = self._next_application, self.policy
        answered, ended = event.error.code in ANSWERED, event.error.code == ENDED
        if after and (ended or (answered and renewal.differs(after, self.stored, policy, now))):
            # The CA has nothing for the old one, and the new one says something else.
            return self._begin(after, now)
        if actions := self._look_again(event):
            return actions
        if answered:
            self.state = State.SENT
            return [StartJob("enrol")]
        if is_verdict(event.error):
            return self._failed(event.error, now)
        return self._later(event.error, now) or self._failed(event.error, now)

    # -- ends --------------------------------------------------------------------------------------

    def _abort(self, _event: Event, _now: Now) -> list[Action]:
        """The operator's word ends the transaction; the certificate in use stays.

        At rest there may be one, too: a request whose answer was lost is kept until it is used.
        """
        self._request()
        commit = self._commit(request=None)
        self.state, self._next_application = self.stored.at_rest, None
        report = Report("ABORT_REQUEST_OK", "given up by the operator")
        return [CancelJob(), commit, report, Finish(fail("request-aborted"))]

    def _install(self, event: Installed, now: Now) -> list[Action]:
        """What the operator brought; a request that was lost is for nothing any more."""
        outcome = drafts.outcome(now, 0)
        if event.local:
            commit = self._commit(local=event.local, request=None, outcome=outcome)
        else:
            commit = self._commit(ca=event.ca, outcome=outcome)
        self.state = self.stored.at_rest
        kind = "LOCAL" if event.local else "CA"
        report = Report(f"{kind}_IMPORT_OK", "certificate stored by the operator")
        return [commit, report, Activate() if self.stored.local else Finish(None)]

    def _remove(self, event: Removed, _now: Now) -> list[Action]:
        commit = self._commit(**{event.kind: None})
        self.state = self.stored.at_rest
        return [commit, Report(f"DEL_{event.kind.upper()}_OK", "deleted by the operator")]

    def _rest(self, _event: Event, _now: Now) -> list[Action]:
        return []

    def _failed(self, error: AgentError, now: Now) -> list[Action]:
        """The attempt is over."""
        request = drafts.kept(self.stored.request, error)
        attempts = self.stored.outcome.attempts if self.stored.outcome else 1
        outcome = drafts.outcome(now, attempts, error)
        mnemonic = "GET_CA_CERT_ERR" if self.state in _ABOUT_CA else "GET_LOCAL_CERT_ERR"
        self.state, self._next_application = State.FAILED, None
        return [
            self._commit(request=request, outcome=outcome),
            Report(mnemonic, error.what),
            Finish(error),
        ]

    def _later(self, error: AgentError, now: Now) -> list[Action]:
        """The same again, if the attempt has tries left; else no action."""
        interval_min = self.policy.poll_interval_min
        again = retries.after(error, self._tries, now.monotonic_ns, interval_min)
        if again is None:
            return []
        self._tries, self.deadline_ns = again
        return [Report("GET_LOCAL_CERT_ERR", f"{error.what}; trying again", told=True)]

    def pin_holds(self) -> bool:
        """The stored CA is the one that the realm trusts now."""
        return pins.holds(self.stored.ca, self.policy.fingerprint)

    def _arm(self, now: Now, peace_s: int = 0) -> None:
        interval_min = self.policy.poll_interval_min
        self.deadline_ns = schedule.next_poll_ns(now.monotonic_ns, interval_min, peace_s)

    def _request(self) -> RequestRecord:
        if self.stored.request is None:
            raise Refused(f"{self.state.value} without a request record")
        return self.stored.request

    def _commit(self, **changes: object) -> Commit:
        self.stored = self.stored._replace(**changes)  # type: ignore[arg-type]
        return Commit(self.stored)


_ABOUT_CA = (State.FETCHING, State.CONFIRMING)

# A row of the table without a handler fails here, when the module is loaded.
_Handler = Callable[[Engine, Event, Now], list[Action]]
_HANDLERS: dict[str, _Handler] = {
    name: getattr(Engine, f"_{name}") for name, _targets in TABLE.values()
}


def is_under_way(state: State) -> bool:
    """An application runs in this state."""
    return state in UNDER_WAY
