"""A realm at rest: what it does by itself, the operator's words, a flash that takes nothing."""

from __future__ import annotations

from agent import limits
from agent.enrolment import automatic, drafts, schedule
from agent.enrolment.actions import (
    Action,
    Activate,
    CancelJob,
    Deadline,
    Finish,
    Now,
    Report,
    Wanted,
)
from agent.enrolment.attempt import Attempt
from agent.enrolment.states import (
    Configured,
    Event,
    Installed,
    NextCa,
    NotStored,
    Removed,
    State,
    is_under_way,
)
from agent.errors import fail


class Resting(Attempt):
    """The handlers that lead to what flash holds (AS_STORED)."""

    # -- by itself ---------------------------------------------------------------------------------

    def _act(self, _event: Event, now: Now) -> list[Action]:
        """The next step of a realm at rest, if it has come. Whoever is asked may never answer."""
        plan = self.plan(now)
        moment_ns = plan.deadline.monotonic_ns
        self.state = self.stored.at_rest
        if moment_ns is None or moment_ns > now.monotonic_ns:
            return []
        if plan.reason == automatic.TAKE_OVER:
            return self._take_over()
        self._paused_ns = now.monotonic_ns + automatic.HOUR_S * schedule.SECOND_NS
        return [Wanted(plan.reason)]

    def _take_over(self) -> list[Action]:
        """The certificate that waits is the one in use, in one commit."""
        commit = self._commit(local=self.stored.next, next=None)
        self.state = self.stored.at_rest
        return [commit, Report("LOCAL_IN_USE", automatic.TAKE_OVER), Activate()]

    def _configured(self, event: Configured, now: Now) -> list[Action]:
        """What the realm waited for may be there now, and the time of its renewal another one."""
        self._paused_ns = now.monotonic_ns + event.quiet_s * schedule.SECOND_NS
        changes = {
            part: held._replace(renew_s=drafts.renewal_s(held.certificate, self.policy))
            for part, held in (("local", self.stored.local), ("next", self.stored.next))
            if held
        }
        changed = any(getattr(self.stored, part) != held for part, held in changes.items())
        return [self._commit(**changes)] if changed else []

    # -- the operator's words ----------------------------------------------------------------------

    def _abort(self, _event: Event, _now: Now) -> list[Action]:
        """The operator's word ends the transaction; the certificate in use stays.

        At rest there may be a request, too: one whose answer was lost is kept. SCEP has no message
        for this, so the CA may issue all the same (`pki get-certificate` fetches it).
        """
        self._request()
        commit = self._commit(request=None)
        self._draft = self._next_application = None
        self.state = self.stored.at_rest
        report = Report("ABORT_REQUEST_OK", "given up by the operator")
        return [CancelJob(), commit, report, Finish(fail("request-aborted"))]

    def _install(self, event: Installed, now: Now) -> list[Action]:
        """Certificates that the operator brought. A local one ends a request that was lost."""
        outcome = drafts.succeeded(now)
        if event.local:
            local = event.local._replace(
                renew_s=drafts.renewal_s(event.local.certificate, self.policy)
            )
            commit = self._commit(local=local, next=None, request=None, outcome=outcome)
        else:
            commit = self._commit(ca=event.ca, outcome=outcome)
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

    def _rest(self, _event: Event, _now: Now) -> list[Action]:
        return []

    def _set_back(self, event: NotStored, now: Now) -> list[Action]:
        """A commit has failed, so the realm is what flash says, and nothing else has happened.

        An application under way goes on in a minute, and later each time: a flash that is full or
        worn out would have the CA asked without end. How an attempt has failed is kept in memory.
        """
        told, flash = self.stored.outcome, self._in_flash.outcome
        failure = told if told != flash and told and told.error else None
        self._refusals += 1
        self._committed = self._in_flash
        self._begin_with(self._in_flash)
        if self.state is State.PENDING:
            self.deadline = Deadline(schedule.poll_after_boot_ns(now.monotonic_ns))
            return []
        interrupted = is_under_way(self.state)
        if interrupted:
            pause_s = min(limits.STORE_AGAIN_S << min(self._refusals - 1, 16), limits.STORE_REST_S)
            self._paused_ns = now.monotonic_ns + pause_s * schedule.SECOND_NS
            failure = failure or drafts.failed(flash, event.error, now)
        if failure:
            self.stored = self.stored._replace(outcome=failure)
        self.state = State.FAILED if interrupted else self.stored.at_rest
        return []
