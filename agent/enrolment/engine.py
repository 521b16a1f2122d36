"""The enrolment engine of one realm: sans-IO. (state, event, now) -> actions, next deadline.

It reads no clock and no file, draws no random number and opens no socket. Time is an argument,
randomness arrives in events, and the device performs the actions in their order. `Commit` stands
before the `StartJob` that needs it, so a request is in flash before its first byte leaves. If a
commit fails, the device drops the rest of the actions and says `NotStored`: the engine goes back to
what flash holds.

An application in the words of RFC 8894: GetCACaps and GetCACert (job `fetch-ca`); the pin; PKCSReq
or RenewalReq (job `enrol`); then SUCCESS, FAILURE or PENDING, and CertPoll (job `poll`) until the
CA has decided. The RFC leaves two questions to a device, and most handlers answer one of them.

Has the request arrived? Nobody knows after a time-out or a power cut, and the CA may have issued.
So no request is made anew while an answer to the older one may exist: the engine polls for that
first (RECOVERING), and sends the same bytes again when the CA does not know them.

Is it still the same CA? A CA renews its certificates, and an operator changes `fingerprint`, while
a request waits for days. So the pin is compared before each poll, and again before a certificate is
stored.

What is promised, whatever events come and wherever power fails: only SUCCESS or an operator touches
the certificate in use; engine and flash agree after each event; every state but those at rest has a
job, a deadline or a question outstanding, so nobody waits in vain. There is one job at most, and
the state says which: SENT has `enrol`, POLLING has `poll`, or `fetch-ca` on behalf of it.
"""

from __future__ import annotations

from collections.abc import Callable

from agent import limits
from agent.enrolment import drafts, pins, renewal, retries, schedule, verdicts, vouched
from agent.enrolment.actions import (
    NEVER,
    Action,
    Confirm,
    Deadline,
    Finish,
    Now,
    Report,
    StartJob,
)
from agent.enrolment.attempt import Refused
from agent.enrolment.resting import Resting
from agent.enrolment.states import (
    AS_STORED,
    RESTING,
    TABLE,
    Apply,
    CaAnswered,
    CaFetched,
    Configured,
    Event,
    Granted,
    JobFailed,
    Listed,
    NotStored,
    Restart,
    State,
    is_under_way,
)
from agent.enrolment.verdicts import is_verdict
from agent.errors import AgentError, fail
from agent.visible import named_print


class Engine(Resting):
    """The handlers of the table, one for each row. `handle` is the only way in."""

    __slots__ = ()

    def handle(self, event: Event, now: Now) -> list[Action]:
        """The actions of one event, to be performed in order. Refused when no row allows it."""
        row = TABLE.get((self.state, type(event)))
        if row is None:
            raise Refused(f"{type(event).__name__} in state {self.state.value}")
        if not isinstance(event, NotStored) and self._committed is not self._in_flash:
            self._in_flash, self._refusals = self._committed, 0
        # A deadline belongs to the state that set it. An event ends both; the handler sets another.
        before, (deadline, self.deadline) = self.state, (self.deadline, NEVER)
        name, targets = row
        actions: list[Action] = []
        if isinstance(event, Restart):
            self._began(event, now)
            actions = self._standing()
        actions += _HANDLERS[name](self, event, now)
        # The other half of the row: a handler that goes elsewhere is a fault of ours, and is told
        # before any of its actions is performed.
        as_stored = AS_STORED in targets and self.state is self.stored.at_rest
        if self.state not in targets and not as_stored:
            raise Refused(f"{before.value} -> {self.state.value} is not in the table")
        if self.state in RESTING:
            self.deadline = self.plan(now).deadline
        elif isinstance(event, Configured | Listed):  # what is under way goes on
            self.deadline = deadline
        return actions

    def next_deadline(self) -> Deadline:
        """When `Due` is wanted."""
        return self.deadline

    def rearm(self, now: Now) -> Deadline:
        """The same by the clocks of this moment; to be asked after a jump of the wall clock."""
        deadline = self.plan(now).deadline if self.state in RESTING else self.deadline
        return schedule.armed(deadline, now)

    # -- applying ----------------------------------------------------------------------------------

    def _apply(self, event: Apply, now: Now) -> list[Action]:
        """A new application, or the answer to an older one that was lost.

        The older request serves if it has the same settings and the same key: the CA may have
        issued for it (RFC 8894 7.4), and a second request would be a second certificate. Its record
        makes the same bytes, so the CA finds the transaction that it knows. Where nobody waits,
        nothing is written for that: a power cut leaves it lost, and the next attempt asks for it.
        """
        self._tries = retries.begun(event.attended, self.policy.poll_times)
        self._attended, self._stale_failure = event.attended, None
        older = self.stored.request
        same = older and (older.settings, older.generation) == (event.settings, event.generation)
        if older and same and self.pin_holds():
            self._next_application = event
            self.state = State.RECOVERING
            sent = older._replace(phase="sent", polls=0)
            return [*([self._commit(request=sent)] if event.attended else []), StartJob("poll")]
        return self._begin(event, now)

    def _begin(self, event: Apply, now: Now) -> list[Action]:
        """For a person the request is stored before the CA set is fetched: a restart goes on."""
        request = drafts.request(event, renewal.may_sign(event, self.stored, self.policy), now)
        outcome = drafts.begun(self.stored.outcome, now, attended=event.attended)
        self.state, self._next_application = State.FETCHING, None
        actions: list[Action] = []
        if event.attended:
            actions = [self._commit(request=request, outcome=outcome)]
        else:
            self.stored, self._draft = self.stored._replace(outcome=outcome), request
        report = Report("GETTING_CA_CERT", "getting the CA certificates")
        return [*actions, report, StartJob("fetch-ca")]

    def _fetch(self, _event: Event, _now: Now) -> list[Action]:
        return [StartJob("fetch-ca")]

    def _fetch_again(self, _event: Event, _now: Now) -> list[Action]:
        """After a restart. Nobody waits any more, and the network may be minutes behind us."""
        self._tries = retries.resumed(self.policy)
        return [StartJob("fetch-ca")]

    def _fetch_failed(self, event: JobFailed, now: Now) -> list[Action]:
        """Nothing has left yet, so the whole attempt may simply be made again."""
        return self._later(event.error, now) or self._failed(event.error, now)

    # -- trusting the CA ---------------------------------------------------------------------------

    def _judge_ca(self, event: CaFetched, now: Now) -> list[Action]:
        """Which certificate of the set is the pinned CA (design: Trust).

        Nobody has signed a GetCACert answer, so it is believed for what it pins, never by itself:
        `fingerprint`, a CA that was trusted before, or a person. A clock that is not trusted calls
        no certificate expired. The set is kept while a person compares: to fetch it again after the
        Yes would let somebody on the path exchange what was confirmed.
        """
        self._fetched = event
        try:
            now_s = now.wall_s if now.trusted else None
            fingerprint, ca = self.policy.fingerprint, self.stored.ca
            choice = pins.choose(fingerprint, ca, event.certificates, now_s)
        except AgentError as error:
            return self._failed(error, now)
        if choice.trusted_by:
            pinned = vouched.Pinned(choice.certificate, choice.trusted_by, self.policy.fingerprint)
            return self._trust(pinned, now)
        if not self._attended:  # nobody waits, so there is nobody to ask
            return self._failed(fail("ca-unconfirmed"), now)
        candidate = self._candidate = choice.certificate
        self.state = State.CONFIRMING
        self.deadline = Deadline(now.monotonic_ns + limits.CONFIRM_CA_S * schedule.SECOND_NS)
        return [Confirm(candidate, vouched.above(candidate, event.certificates))]

    def _confirm(self, event: CaAnswered, now: Now) -> list[Action]:
        """A person who says yes vouches for the pin and for the CAs above it that were shown."""
        candidate, fetched = self._candidate, self._fetched
        if candidate is None or fetched is None or not event.yes:
            return self._failed(fail("ca-unconfirmed"), now)
        authorities = vouched.above(candidate, fetched.certificates)
        return self._trust(vouched.Pinned(candidate, "operator", shown=authorities), now)

    def _not_confirmed(self, _event: Event, now: Now) -> list[Action]:
        """Nobody has answered in time. That means No: silence must never trust a CA."""
        return self._failed(fail("ca-unconfirmed"), now)

    def _trust(self, pinned: vouched.Pinned, now: Now) -> list[Action]:
        """The pin holds: CA set and phase `sent` are one commit, then the request goes.

        From this commit on a restart must assume that the request has left. Only now is it known
        who signs it: the CA lists `Renewal`, or not (RFC 8894 3.5.2), and the certificate in use is
        of this CA, or of another one. It is written down, since a retry must not depend on what an
        unsigned list of capabilities says by then.
        """
        request, fetched = self.request, self._fetched
        if request is None or fetched is None:
            raise Refused("trusting a CA without an application")
        certificate = pinned.certificate.certificate
        if now.trusted and certificate.not_after_s < now.wall_s:
            return self._failed(fail("ca-expired", subject=certificate.subject), now)
        arrived = vouched.Arrived(*fetched, now.wall_s, self.policy.roots)
        if not request.attended and not self._may_ask(now):
            return self._failed(fail("requests-spent"), now)
        ca = vouched.record(pinned, arrived, self.stored.ca)
        self._fetched = self._candidate = self._draft = None
        self.state = State.SENT
        signer = renewal.decide(request.renewal, ca, fetched.caps, self.policy.compatibility, now)
        request = request._replace(phase="sent", renewal=signer, caps=list(fetched.caps))
        name = named_print(ca.pin, certificate.subject)
        text = f"{renewal.said(signer)} with transactionID {request.transaction}"
        return [
            self._commit(ca=ca, request=request, outcome=drafts.left(self.stored.outcome)),
            Report("GET_CA_CERT_OK", f"CA trusted by {pinned.trusted_by}: {name}"),
            *(Report("NOTE", note, told=True) for note in vouched.notes(pinned, arrived, ca)),
            Report("GETTING_LOCAL_CERT", text),
            StartJob("enrol"),
        ]

    # -- the answer --------------------------------------------------------------------------------

    def _store(self, event: Granted, now: Now) -> list[Action]:
        """SUCCESS. The child has checked the certificate against the pin of its job. It could not
        know whether the realm has another pin since, and which certificate is in use (an old reply
        that is played again must not replace a newer certificate)."""
        request = self._request()
        if not self.pin_holds():
            return self._failed(fail("ca-pin-changed"), now)
        issued = drafts.local(event, request, self.stored.ca, now, self.policy)
        if event.doubt:
            return self._doubt(issued, event.doubt, now)
        held = self.stored
        before = pins.counted(held.newest, held.ca, self.policy.fingerprint)
        try:
            found = renewal.compared(self.stored, before, issued, attended=request.attended)
        except AgentError as error:
            return self._failed(error, now)
        if found.before_s is not None:
            return self._too_short(issued, found.before_s, now)
        ca = pins.with_proven_ra(self.stored.ca) if event.ra_proven else self.stored.ca
        self.stored = self.stored._replace(ca=ca)
        return self._keep(issued._replace(ends_as_before=found.same_end), now)

    def _wait(self, _event: Event, now: Now) -> list[Action]:
        """PENDING: the first answer opens the polls, each later one has used one up.

        A person who waits is told at the first one; hours may pass until the CA decides. The phase
        in flash tells the first: a request whose answer was lost is still `sent`, and its polls
        begin now, since those before asked only whether it had arrived.
        """
        request = self._request()
        if request.phase == "pending" and request.polls >= self.policy.poll_times:
            return self._failed(fail("poll-exhausted", polls=request.polls), now)
        self.state, self._next_application = State.PENDING, None
        self._arm(now)
        if request.phase == "pending":
            polls = f"poll {request.polls} of {self.policy.poll_times}"
            return [Report("GETTING_LOCAL_CERT", f"PENDING: {polls}")]
        commit = self._commit(request=request._replace(phase="pending", polls=0))
        report = Report("GETTING_LOCAL_CERT", "PENDING: the CA has not decided yet")
        return [commit, report, Finish(None)]

    def _wait_again(self, _event: Event, now: Now) -> list[Action]:
        """A restart while PENDING polls soon, whatever the interval is.

        How long the power was off is not known, and a device that is off at night must poll, too.
        """
        self.deadline = Deadline(schedule.poll_after_boot_ns(now.monotonic_ns))
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
        step = verdicts.after_poll(event.error, looked=self._stale_failure is not None)
        return self._go_on(step, event, now) or self._silent(event, now)

    def _silent(self, event: JobFailed, now: Now) -> list[Action]:
        """Silence uses up a poll as PENDING does, so a dead CA ends the application some day."""
        if self._request().polls >= self.policy.poll_times:
            return self._failed(event.error, now)
        self.state = State.PENDING
        self._arm(now, event.error.after_s)
        return [Report("GET_LOCAL_CERT_ERR", f"poll: {event.error.what}")]

    def _go_on(self, step: str, event: JobFailed, now: Now) -> list[Action]:
        """The actions of a way on; none for WAIT, which is another thing in each state.

        RESEND commits nothing: the record says `sent` or `pending`, and either is true after a cut.
        It ends all the same, because each round has used up a poll or a try.
        """
        if step == verdicts.ANEW and self._next_application:
            return self._begin(self._next_application, now)
        if step == verdicts.LOOK:
            self._stale_failure = event
            return [Report("GETTING_CA_CERT", event.error.what), StartJob("fetch-ca")]
        if step == verdicts.RESEND:
            reports = [Report("GETTING_LOCAL_CERT", event.error.what)]
            reports = reports if self.state is State.POLLING else []
            self.state = State.SENT
            return [*reports, StartJob("enrol")]
        return self._failed(event.error, now) if step == verdicts.END else []

    def _looked(self, event: CaFetched, now: Now) -> list[Action]:
        """If the CA has new certificates, poll again; otherwise handle the original failure.

        A set without the pinned CA is no news (`refreshed`): nobody has signed it, so it neither
        moves the trust of a request under way nor ends it.
        """
        arrived = vouched.Arrived(*event, now.wall_s, self.policy.roots)
        ca = vouched.refreshed(self.stored.ca, arrived)
        if ca:
            return [self._commit(ca=ca), StartJob("poll")]
        failure = self._stale_failure or JobFailed(fail("job-answer"))
        polling = self.state is State.POLLING
        return (self._poll_failed if polling else self._recovery_failed)(failure, now)

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
        if self._request().phase == "pending":  # it was sent again in the place of a poll
            return self._silent(event, now)
        if retry := self._later(event.error, now):
            self.state = State.RECOVERING
            return retry
        return self._failed(event.error, now)

    # -- a lost answer -----------------------------------------------------------------------------

    def _recover(self, _event: Event, now: Now) -> list[Action]:
        """After a restart in SENT nobody knows whether the request arrived: ask first.

        RFC 8894 5.2 would begin anew. But nothing confirms a certificate (7.4), so a CA that has
        issued would issue twice, or refuse a second request for the same subject.
        """
        if not self.pin_holds():
            return self._failed(fail("ca-pin-changed"), now)
        self._tries = retries.resumed(self.policy)
        self.state = State.RECOVERING
        return [
            Report("GETTING_LOCAL_CERT", f"asking for transaction {self._request().transaction}"),
            StartJob("poll"),
        ]

    def _recovery_failed(self, event: JobFailed, now: Now) -> list[Action]:
        """No answer to be had now. Silence is tried again; then the request is lost, for a later
        application to take up (`_apply`)."""
        heir, looked = self._next_application, self._stale_failure is not None
        differs = heir is not None and renewal.differs(heir, self.stored, self.policy, now)
        step = verdicts.after_lost(event.error, looked, heir is not None, differs)
        retry = self._go_on(step, event, now) or self._later(event.error, now)
        return retry or self._failed(event.error, now)

    # -- at rest -----------------------------------------------------------------------------------

    def _act(self, event: Event, now: Now) -> list[Action]:
        """The pause after a refused commit is over: as after a start, flash says where it was."""
        if not is_under_way(self.stored.state):
            return super()._act(event, now)
        self.state = self.stored.state
        again = {State.FETCHING: self._fetch_again, State.SENT: self._recover}
        return again[self.state](event, now)


# A row of the table without a handler fails here, when the module is loaded.
_Handler = Callable[[Engine, Event, Now], list[Action]]
_HANDLERS: dict[str, _Handler] = {
    name: getattr(Engine, f"_{name}") for name, _targets in TABLE.values()
}
