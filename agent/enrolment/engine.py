"""The enrolment engine of one realm: sans-IO. (state, event, now) -> actions, next deadline.

It reads no clock and no file, draws no random number and opens no socket. Time is an argument,
randomness arrives in events, and the device performs the actions in their order. `Commit` stands
before the `StartJob` that needs it, so a request is in flash before its first byte leaves. If a
commit fails, the device drops the rest of the actions and restores the engine from flash.

An application in the words of RFC 8894: GetCACaps and GetCACert (job `fetch-ca`); the pin; PKCSReq
or RenewalReq (job `enrol`); then SUCCESS, FAILURE or PENDING, and CertPoll (job `poll`) until the
CA has decided. The RFC leaves two questions to a device, and most handlers answer one of them.

Has the request arrived? Nobody knows after a time-out or a power cut, and the CA may have issued.
So no request is made anew while an answer to the older one may exist: the engine polls for that
first (RECOVERING), and sends the same bytes again when the CA does not know them.

Is it still the same CA? A CA renews its certificates, and an operator changes `fingerprint`, while
a request waits for days. So the pin is compared before each poll, and again before a certificate is
stored.
"""

from __future__ import annotations

from collections.abc import Callable

from agent import limits
from agent.enrolment import drafts, pins, renewal, retries, schedule, verdicts, vouched
from agent.enrolment.actions import (
    Action,
    Activate,
    CancelJob,
    Confirm,
    Finish,
    Now,
    Report,
    StartJob,
)
from agent.enrolment.attempt import Attempt, Refused
from agent.enrolment.states import (
    AS_STORED,
    TABLE,
    UNDER_WAY,
    Apply,
    CaAnswered,
    CaFetched,
    Event,
    Granted,
    Installed,
    JobFailed,
    Removed,
    State,
)
from agent.enrolment.verdicts import is_verdict
from agent.errors import AgentError, fail
from agent.visible import brief, named_print


class Engine(Attempt):
    """The handlers of the table, one for each row. `handle` is the only way in."""

    def pin_holds(self) -> bool:
        """The stored CA is the one that the realm trusts now."""
        return pins.holds(self.stored.ca, self.policy.fingerprint)

    def handle(self, event: Event, now: Now) -> list[Action]:
        """The actions of one event, to be performed in order. Refused when no row allows it."""
        row = TABLE.get((self.state, type(event)))
        if row is None:
            raise Refused(f"{type(event).__name__} in state {self.state.value}")
        # A deadline belongs to the state that set it. An event ends both; the handler sets another.
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

    # -- applying ----------------------------------------------------------------------------------

    def _apply(self, event: Apply, now: Now) -> list[Action]:
        """A new application, or the answer to an older one that was lost.

        The older request serves if it has the same settings and the same key: the CA may have
        issued for it (RFC 8894 7.4), and a second request would be a second certificate. Its record
        makes the same bytes, so the CA finds the transaction that it knows.
        """
        self._tries = retries.begun(event.attended, self.policy.poll_times)
        self._stale_failure = None
        lost = self.stored.request
        same = lost and (lost.settings, lost.generation) == (event.settings, event.generation)
        if lost and same and self.pin_holds():
            self._next_application = event
            self.state = State.RECOVERING
            return [self._commit(request=lost._replace(phase="sent", polls=0)), StartJob("poll")]
        return self._begin(event, now)

    def _begin(self, event: Apply, now: Now) -> list[Action]:
        """The request is stored before the CA set is fetched: a restart goes on from here."""
        request = drafts.request(event, renewal.may_sign(event, self.stored.local), now)
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
        """After a restart. Nobody waits any more, and the network may be minutes behind us."""
        self._tries = self._tries._replace(unattended=self.policy.poll_times)
        return [StartJob("fetch-ca")]

    def _fetch_failed(self, event: JobFailed, now: Now) -> list[Action]:
        """Nothing has left yet, so the whole attempt may simply be made again."""
        return self._later(event.error, now) or self._failed(event.error, now)

    # -- trusting the CA ---------------------------------------------------------------------------

    def _judge_ca(self, event: CaFetched, now: Now) -> list[Action]:
        """Which certificate of the set is the pinned CA (design: Trust).

        Nobody has signed a GetCACert answer, so it is believed for what it pins, never by itself:
        `fingerprint`, a CA that was trusted before, or a person. A clock that is not trusted calls
        no certificate expired.
        """
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
        if self._tries.unattended:  # nobody waits, so there is nobody to ask
            return self._failed(fail("ca-unconfirmed"), now)
        candidate = self._candidate = choice.certificate
        self.state = State.CONFIRMING
        self.deadline_ns = now.monotonic_ns + limits.CONFIRM_CA_S * 1_000_000_000
        return [Confirm(candidate, vouched.above(candidate, event.certificates))]

    def _confirm(self, event: CaAnswered, now: Now) -> list[Action]:
        """A person who says yes vouches for the pin and for the CAs above it that were shown."""
        candidate, fetched = self._candidate, self._fetched
        if candidate is None or fetched is None or not event.yes:
            return self._failed(fail("ca-unconfirmed"), now)
        shown = vouched.above(candidate, fetched.certificates)
        return self._trust(vouched.Pinned(candidate, "operator", shown=shown), now)

    def _not_confirmed(self, _event: Event, now: Now) -> list[Action]:
        """Nobody has answered in time. That means No: silence must never trust a CA."""
        return self._failed(fail("ca-unconfirmed"), now)

    def _trust(self, pinned: vouched.Pinned, now: Now) -> list[Action]:
        """The pin holds: CA set and phase `sent` are one commit, then the request goes.

        From this commit on a restart must assume that the request has left. Only now is it known
        who signs it: the CA lists `Renewal`, or not (RFC 8894 3.5.2), and the certificate in use is
        of this CA, or of another one.
        """
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
        named = named_print(ca.pin, one.subject)
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
        """SUCCESS. Certificate, outcome and the end of the request are one commit.

        The child has checked the certificate against the pin of its job. What it could not know:
        whether the realm has another pin since, and which certificate is in use (an old reply that
        is played again must not replace a newer certificate).
        """
        request, before, ca = self._request(), self.stored.local, self.stored.ca
        if not self.pin_holds():
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
        """PENDING: the first answer opens the polls, each later one has used one up.

        A person who waits is told at the first one; hours may pass until the CA decides.
        """
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
        """A restart while PENDING polls soon, whatever the interval is.

        How long the power was off is not known, and a device that is off at night must poll, too.
        """
        self.deadline_ns = schedule.poll_after_boot_ns(now.monotonic_ns)
        return []

    def _poll(self, _event: Event, now: Now) -> list[Action]:
        """CertPoll (RFC 8894 4.4). Its count is committed first: power cuts give no more polls.

        A poll for a lost answer is not counted: it ends by `_tries`.
        """
        request, self._stale_failure = self._request(), None
        if not self.pin_holds():
            return self._failed(fail("ca-pin-changed"), now)
        if self.state is State.RECOVERING:
            return [StartJob("poll")]
        self.state = State.POLLING
        return [self._commit(request=request._replace(polls=request.polls + 1)), StartJob("poll")]

    def _poll_failed(self, event: JobFailed, now: Now) -> list[Action]:
        """The CA has the request (it was PENDING), so silence leaves everything as it was."""
        way = verdicts.after_poll(event.error, looked=self._stale_failure is not None)
        return self._go_on(way, event, now) or self._silent(event, now)

    def _silent(self, event: JobFailed, now: Now) -> list[Action]:
        """Silence uses up a poll as PENDING does, so a dead CA ends the application some day."""
        if self._request().polls >= self.policy.poll_times:
            return self._failed(event.error, now)
        self.state = State.PENDING
        self._arm(now, event.error.after_s)
        return [Report("GET_LOCAL_CERT_ERR", f"poll: {event.error.what}")]

    def _go_on(self, way: str, event: JobFailed, now: Now) -> list[Action]:
        """The actions of a way on; none for WAIT, which is another thing in each state."""
        if way == verdicts.ANEW and self._next_application:
            return self._begin(self._next_application, now)
        if way == verdicts.LOOK:
            self._stale_failure = event
            return [Report("GETTING_CA_CERT", event.error.what), StartJob("fetch-ca")]
        if way == verdicts.RESEND:
            told = [Report("GETTING_LOCAL_CERT", event.error.what)]
            told = told if self.state is State.POLLING else []
            self.state = State.SENT
            return [*told, StartJob("enrol")]
        return self._failed(event.error, now) if way == verdicts.END else []

    def _looked(self, event: CaFetched, now: Now) -> list[Action]:
        """If the CA has new certificates, poll again; otherwise handle the original failure."""
        arrived = vouched.Arrived(*event, now.wall_s, self.policy.roots)
        ca = vouched.refreshed(self.stored.ca, arrived)
        if ca:
            return [self._commit(ca=ca), StartJob("poll")]
        failure = self._stale_failure or JobFailed(fail("job-answer"))
        polling = self.state is State.POLLING
        return self._poll_failed(failure, now) if polling else self._recovery_failed(failure, now)

    def _send_failed(self, event: JobFailed, now: Now) -> list[Action]:
        """The request has no answer, or one that is none.

        A verdict ends it. After anything else the CA may have it: a request that was PENDING before
        goes on as that, and another one is asked for (RECOVERING) while tries are left.
        """
        if self._next_application is not None and is_verdict(event.error):
            # The CA has refused the older request. Now comes the one that the operator typed.
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
        """After a restart in SENT nobody knows whether the request arrived: ask first."""
        if not self.pin_holds():
            return self._failed(fail("ca-pin-changed"), now)
        self._tries = self._tries._replace(unattended=self.policy.poll_times)
        self.state = State.RECOVERING
        return [
            Report("GETTING_LOCAL_CERT", f"asking for transaction {self._request().transaction}"),
            StartJob("poll"),
        ]

    def _recovery_failed(self, event: JobFailed, now: Now) -> list[Action]:
        """No answer to be had now. Silence is tried again; then the request is lost, for a later
        application to take up (`_apply`)."""
        after, looked = self._next_application, self._stale_failure is not None
        differs = after is not None and renewal.differs(after, self.stored, self.policy, now)
        way = verdicts.after_lost(event.error, looked, after is not None, differs)
        again = self._go_on(way, event, now) or self._later(event.error, now)
        return again or self._failed(event.error, now)

    # -- the operator's events ---------------------------------------------------------------------

    def _abort(self, _event: Event, _now: Now) -> list[Action]:
        """The operator's word ends the transaction; the certificate in use stays.

        At rest there may be a request, too: one whose answer was lost is kept.
        """
        self._request()
        commit = self._commit(request=None)
        self.state, self._next_application = self.stored.at_rest, None
        report = Report("ABORT_REQUEST_OK", "given up by the operator")
        return [CancelJob(), commit, report, Finish(fail("request-aborted"))]

    def _install(self, event: Installed, now: Now) -> list[Action]:
        """Certificates that the operator brought. A local one ends a request that was lost."""
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
        """Records alone change: the error of the last attempt can still be read."""
        commit = self._commit(**{event.kind: None})
        self.state = self.stored.at_rest
        return [commit, Report(f"DEL_{event.kind.upper()}_OK", "deleted by the operator")]

    def _rest(self, _event: Event, _now: Now) -> list[Action]:
        return []


# A row of the table without a handler fails here, when the module is loaded.
_Handler = Callable[[Engine, Event, Now], list[Action]]
_HANDLERS: dict[str, _Handler] = {
    name: getattr(Engine, f"_{name}") for name, _targets in TABLE.values()
}


def is_under_way(state: State) -> bool:
    """An application runs in this state."""
    return state in UNDER_WAY
