"""A realm at rest: what it does by itself, a certificate that may not be of use, the operator's
words, a flash that takes nothing."""

from __future__ import annotations

from agent import limits
from agent.enrolment import automatic, drafts, renewal, schedule
from agent.enrolment.actions import (
    Action,
    Activate,
    CancelJob,
    Choose,
    Deadline,
    Finish,
    Now,
    Report,
    Wanted,
)
from agent.enrolment.attempt import Attempt, Refused
from agent.enrolment.states import (
    Chosen,
    Due,
    Event,
    Installed,
    Listed,
    NextCa,
    NotStored,
    Removed,
    State,
    is_under_way,
)
from agent.errors import AgentError, fail
from hal import calendar
from hal.records import LocalRecord


class Resting(Attempt):
    """The handlers that lead to what flash holds (AS_STORED)."""

    __slots__ = ()

    # -- by itself ---------------------------------------------------------------------------------

    def _act(self, _event: Event, now: Now) -> list[Action]:
        """The next step of a realm at rest, if it has come. Whoever is asked may never answer."""
        plan = self.plan(now)
        moment_ns = plan.deadline.monotonic_ns
        self.state = self.stored.at_rest
        if moment_ns is None or moment_ns > now.monotonic_ns:
            return []
        if plan.reason == automatic.TAKE_OVER:
            return self._take_over(now)
        self._pause(now, automatic.HOUR_S)
        return [Wanted(plan.reason)]

    def _take_over(self, now: Now) -> list[Action]:
        """The certificate that waits is the one in use, in one commit. One whose dates were doubted
        ends the renewal that it came by."""
        local, outcome = self.stored.next, self.stored.outcome
        if local and local.doubted:
            local, outcome = local._replace(doubted=False), drafts.succeeded(now)
        commit = self._commit(local=local, next=None, outcome=outcome)
        self.state = self.stored.at_rest
        return [commit, Report("LOCAL_IN_USE", automatic.TAKE_OVER), Activate()]

    def _listed(self, event: Listed, _now: Now) -> list[Action]:
        """Revocation is told once, and so is the end of a hold. The certificate stays in use until
        there is another one: it may serve those who read no list."""
        reasons = dict(event.reasons)
        before = self._held(lambda held: held)
        after = self._held(
            lambda held: held._replace(revoked=reasons.get(held.certificate.serial, ""))
        )
        reports = [
            _told_of(held) for part, held in after.items() if held.revoked != before[part].revoked
        ]
        return [*self._changed(after), *reports]

    def _standing(self) -> list[Action]:
        """What stands at a start is told once more: the log is empty, and the list no news."""
        held = (self.stored.local, self.stored.next)
        return [_told_of(one)._replace(again=True) for one in held if one and one.revoked]

    # -- a certificate that ends too early ---------------------------------------------------------

    def _too_short(self, issued: LocalRecord, before_s: int, now: Now) -> list[Action]:
        """The CA grants a shorter life now. A person may want the certificate all the same, since
        the key of the one in use is in wrong hands."""
        self._shorter = issued
        if not self._request().attended:
            return self._not_chosen(Due(), now)
        self.state = State.CHOOSING
        self.deadline = Deadline(now.monotonic_ns + limits.CONFIRM_CA_S * schedule.SECOND_NS)
        return [Choose(before_s, issued.end_s)]

    def _choose(self, event: Chosen, now: Now) -> list[Action]:
        if event.yes and self._shorter:
            return self._keep(self._shorter, now)
        return self._not_chosen(event, now)

    def _not_chosen(self, _event: Event, now: Now) -> list[Action]:
        """An earlier end is nobody's fault, and a certificate a day is what gets a device blocked.
        So the life that was granted is a lesson: the renewal point moves to its last part."""
        issued, newest = self._shorter, self.stored.newest
        if issued is None or newest is None:
            raise Refused("no certificate to choose")
        begun_s = max(issued.certificate.not_before_s, now.wall_s if now.trusted else 0)
        taught = newest._replace(granted_s=max(1, issued.end_s - begun_s))
        part = "next" if newest is self.stored.next else "local"
        outcome = drafts.taught(self.stored.outcome, now)
        until, until_now = calendar.text(issued.end_s), calendar.text(newest.end_s)
        ends = f"it ends {until}, and the one in use {until_now}"
        text = f"certificate {issued.certificate.serial} is kept out of use: {ends}"
        self.state, self._next_application, self._shorter = State.ISSUED, None, None
        commit = self._commit(
            **{part: drafts.due(taught, self.policy)}, request=None, outcome=outcome
        )
        self._asked(now)
        self._pause(now, automatic.pause_s(self.stored, self.policy, now, self._pace.spread))
        finish = Finish(fail("issued-shorter", reason=ends))
        return [commit, Report("NOTE", text), finish]

    # -- a certificate whose dates contradict the clock --------------------------------------------

    def _doubt(self, issued: LocalRecord, error: AgentError, now: Now) -> list[Action]:
        """It is kept as the one that waits, and comes into use when the clock is within its dates:
        what was issued is too dear to be lost by a wrong clock. For the rest the attempt has
        failed. It takes no place of a better one."""
        try:
            renewal.check_new(self.stored, issued)
        except AgentError as replayed:
            return self._failed(replayed, now)
        waits = self.stored.next
        if waits and not waits.doubted and now.wall_s < waits.end_s:
            return self._failed(error, now)
        self.stored = self.stored._replace(next=issued._replace(doubted=True))
        text = f"certificate {issued.certificate.serial} waits for a clock that is within its dates"
        return [*self._failed(error, now), Report("NOTE", text)]

    # -- the operator's words ----------------------------------------------------------------------

    def _abort(self, _event: Event, now: Now) -> list[Action]:
        """The operator's word ends the transaction; the certificate in use stays.

        At rest there may be a request, too: one whose answer was lost is kept. SCEP has no message
        for this, so the CA may issue all the same (`pki get-certificate` fetches it), and the
        request counts. A realm that applies by itself does so again, not at once.
        """
        self._request()
        if self.has_left:
            self._asked(now)
        outcome = drafts.given_up(self.stored.outcome, now)
        commit = self._commit(request=None, outcome=outcome)
        pause_s = automatic.pause_s(self.stored, self.policy, now, self._pace.spread)
        day_s = automatic.place(self.stored, self.policy, now).day_s
        self._pause(now, max(pause_s, min(automatic.HOUR_S, day_s)))
        self._draft = self._next_application = None
        self.state = self.stored.at_rest
        report = Report("ABORT_REQUEST_OK", "given up by the operator")
        return [CancelJob(), commit, report, Finish(fail("request-aborted"))]

    def _install(self, event: Installed, now: Now) -> list[Action]:
        """Certificates that the operator brought. A local one ends a request that was lost."""
        outcome = drafts.succeeded(now)
        if event.local:
            local = drafts.held(event.local, self.stored.ca, self.policy)
            commit = self._commit(local=local, next=None, request=None, outcome=outcome)
        else:
            asked = self.stored.outcome.requests if self.stored.outcome else 0
            commit = self._commit(ca=event.ca, outcome=outcome._replace(requests=asked))
        self.state = self.stored.at_rest
        kind = "LOCAL" if event.local else "CA"
        report = Report(f"{kind}_IMPORT_OK", "certificate stored by the operator")
        return [commit, report, Activate() if self.stored.local else Finish(None)]

    def _follow(self, event: NextCa, _now: Now) -> list[Action]:
        """The CA has named its next one. That is no application: what the last one came to stays,
        and consumers trust the next CA when it has taken over."""
        commit = self._commit(ca=event.ca)
        report = Report("GET_CA_CERT_OK", "the CA has named the one that will follow it")
        return [commit, report, Activate(again=False) if self.stored.local else Finish(None)]

    def _remove(self, event: Removed, _now: Now) -> list[Action]:
        """Records alone change: the error of the last attempt can still be read. Behind the commit
        the device takes away what consumers read."""
        commit = self._commit(**{event.kind: None})
        self.state = self.stored.at_rest
        return [commit, Report(f"DEL_{event.kind.upper()}_OK", "deleted by the operator")]

    def _set_back(self, event: NotStored, now: Now) -> list[Action]:
        """A commit has failed, so the realm is what flash says, and nothing else has happened.

        An application under way goes on in a minute, and later each time: a flash that is full or
        worn out would have the CA asked without end. How an attempt has failed is kept in memory.
        """
        told, flash = self.stored.outcome, self._in_flash.outcome
        failure = told if told != flash and told and told.error else None
        if failure:  # what flash does not have has not left, and what it has is still there
            failure = failure._replace(requests=flash.requests if flash else 0)
        self._refusals += 1
        self._committed = self._in_flash
        self._begin_with(self._in_flash)
        if self.state is State.PENDING:
            self.deadline = Deadline(schedule.poll_after_boot_ns(now.monotonic_ns))
            return []
        interrupted = is_under_way(self.state)
        if interrupted:
            pause_s = min(limits.STORE_AGAIN_S << min(self._refusals - 1, 16), limits.STORE_REST_S)
            self._pause(now, pause_s)
            failure = failure or drafts.failed(flash, event.error, now)
        if failure:
            self.stored = self.stored._replace(outcome=failure)
        self.state = State.FAILED if interrupted else self.stored.at_rest
        return []


def _told_of(held: LocalRecord) -> Report:
    serial = held.certificate.serial
    if held.revoked:
        return Report(
            "LOCAL_REVOKED", f"certificate {serial} is on the revocation list: {held.revoked}"
        )
    return Report("LOCAL_VALID", f"certificate {serial} is no longer on the revocation list")
