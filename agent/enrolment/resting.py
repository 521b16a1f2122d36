"""A realm that comes to rest: by the operator's word, or because flash has not taken a commit."""

from __future__ import annotations

from agent import limits
from agent.enrolment import drafts, schedule
from agent.enrolment.actions import (
    Action,
    Activate,
    CancelJob,
    Deadline,
    Finish,
    Now,
    Report,
)
from agent.enrolment.attempt import Attempt
from agent.enrolment.states import Event, Installed, NotStored, Removed, State, is_under_way
from agent.errors import fail


class Resting(Attempt):
    """The handlers that lead to what flash holds (AS_STORED)."""

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
            commit = self._commit(local=local, request=None, outcome=outcome)
        else:
            commit = self._commit(ca=event.ca, outcome=outcome)
        self.state = self.stored.at_rest
        kind = "LOCAL" if event.local else "CA"
        report = Report(f"{kind}_IMPORT_OK", "certificate stored by the operator")
        return [commit, report, Activate() if self.stored.local else Finish(None)]

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
            self.deadline = Deadline(now.monotonic_ns + pause_s * schedule.SECOND_NS)
            failure = failure or drafts.failed(flash, event.error, now)
        if failure:
            self.stored = self.stored._replace(outcome=failure)
        self.state = State.FAILED if interrupted else self.stored.at_rest
        return []
