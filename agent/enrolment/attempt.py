"""The memory of the engine of a realm, and the moves that its handlers share.

Two kinds of memory. `stored` is in flash: after each event the device has performed a `Commit` of
it, or has dropped the engine. Everything else is lost with the power, and a restart must be able to
do without it: who waits (nobody, after a restart), the tries that are left (they begin anew), a CA
that a person is being asked about (nobody is there to answer), and an application that waits behind
an older request (the older request goes on, and the person types again).
"""

from __future__ import annotations

from agent.enrolment import drafts, retries, schedule
from agent.enrolment.actions import Action, Commit, Finish, Now, Policy, Report, Stored
from agent.enrolment.states import Apply, CaCertificate, CaFetched, JobFailed, State
from agent.errors import AgentError, from_map
from hal.records import RequestRecord


class Refused(Exception):  # noqa: N818 - h11's word for it: a missing row is a refusal
    """The table has no row for this event in this state."""


class Attempt:
    """The memory of one realm. A handler changes it, and returns the actions that follow."""

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
        # The set that a person is asked about, and the certificate in it that would be the pin.
        self._fetched: CaFetched | None = None
        self._candidate: CaCertificate | None = None

    @property
    def error(self) -> AgentError | None:
        """The error of the last attempt, if it failed."""
        outcome = self.stored.outcome
        return from_map(outcome.error) if outcome and outcome.error is not None else None

    def _failed(self, error: AgentError, now: Now) -> list[Action]:
        """The attempt is over; its request stays where the CA may still answer it."""
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
        """The job once more at a deadline, while the attempt has tries left; else no action."""
        interval_min = self.policy.poll_interval_min
        again = retries.after(error, self._tries, now.monotonic_ns, interval_min)
        if again is None:
            return []
        self._tries, self.deadline_ns = again
        return [Report("GET_LOCAL_CERT_ERR", f"{error.what}; trying again", told=True)]

    def _arm(self, now: Now, peace_s: int = 0) -> None:
        """Sets the deadline to the next poll. `peace_s`: the server asked to be left alone."""
        interval_min = self.policy.poll_interval_min
        self.deadline_ns = schedule.next_poll_ns(now.monotonic_ns, interval_min, peace_s)

    def _request(self) -> RequestRecord:
        """The request under way, or lost; Refused when there is none."""
        if self.stored.request is None:
            raise Refused(f"{self.state.value} without a request record")
        return self.stored.request

    def _commit(self, **changes: object) -> Commit:
        """Changes records of `stored`, all of them in one transaction of the store."""
        self.stored = self.stored._replace(**changes)  # type: ignore[arg-type]
        return Commit(self.stored)


_ABOUT_CA = (State.FETCHING, State.CONFIRMING)
