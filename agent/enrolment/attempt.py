"""The memory of the engine of a realm, and the moves that its handlers share.

Two kinds of memory. `stored` is what the realm holds. What a `Commit` has written of it is in
flash; what has changed since is a failure that says nothing new (`_failed`), or the count of
attempts, and the next commit takes it along. Everything else is lost with the power, and a restart
must be able to do without it: who waits (nobody, after a restart), the tries that are left (they
begin anew), a request that nobody waits for and that has not left yet, a CA that a person is being
asked about (nobody is there to answer), and an application that waits behind an older request (the
older request goes on, and the person types again).
"""

from __future__ import annotations

from collections.abc import Callable

from agent.enrolment import automatic, drafts, pins, renewal, retries, schedule, verdicts
from agent.enrolment.actions import (
    NEVER,
    Action,
    Activate,
    Commit,
    Deadline,
    Finish,
    Now,
    Policy,
    Report,
    Stored,
)
from agent.enrolment.states import (
    Apply,
    CaCertificate,
    CaFetched,
    Configured,
    Event,
    JobFailed,
    Restart,
    State,
    is_under_way,
)
from agent.errors import AgentError, from_map
from agent.visible import brief
from hal.records import LocalRecord, RequestRecord


class Refused(Exception):  # noqa: N818 - h11's word for it: a missing row is a refusal
    """The table has no row for this event in this state."""


class Attempt:
    """The memory of one realm. A handler changes it, and returns the actions that follow."""

    __slots__ = (
        "_attended", "_candidate", "_committed", "_draft", "_failure_ns", "_fetched", "_in_flash",
        "_next_application", "_pace", "_refusals", "_shorter", "_stale_failure", "_tries",
        "deadline", "policy", "state", "stored",
    )  # fmt: skip

    def __init__(self, stored: Stored, policy: Policy) -> None:
        self.policy = policy
        self._in_flash = self._committed = stored  # for certain; when the last commit has succeeded
        self._refusals = 0  # commits in a row that flash did not take
        self._failure_ns: int | None = None  # when a failure was written last, monotonic
        self._pace = automatic.Pace()
        self._begin_with(stored)

    def _begin_with(self, stored: Stored) -> None:
        """The rest of the memory, as it is after a start."""
        self.stored = stored
        self.state = stored.state
        self.deadline = NEVER
        self._attended = False  # a person waits, or has waited, for this attempt
        self._tries = retries.Tries()
        # A request that nobody waits for is in flash from the moment at which it leaves.
        self._draft: RequestRecord | None = None
        # A CA that has renewed its certificates cannot read what was encrypted for the old ones. So
        # this failure of a poll had the CA set fetched again; one failure a poll, to end at all.
        self._stale_failure: JobFailed | None = None
        # The CA may have issued for the older request (RFC 8894 7.4), so its answer is asked for
        # first. This application follows if the CA has none.
        self._next_application: Apply | None = None
        # The set that a person is asked about, and the certificate in it that would be the pin.
        self._fetched: CaFetched | None = None
        self._candidate: CaCertificate | None = None
        # A certificate that was issued for too short a life, while a person is asked whether it is
        # wanted. The CA may be asked for it again.
        self._shorter: LocalRecord | None = None

    def _began(self, event: Restart, now: Now) -> None:
        """What a start brings; it has its own pause, also after a commit that flash has refused."""
        begun_ns, spread = now.monotonic_ns, event.spread
        pause_ns = automatic.first_pause_ns(self.stored, now, spread, event.herd_s)
        held_s = automatic.held_s(self.stored, self.policy, now, spread)
        paused_ns = begun_ns + max(pause_ns, held_s * schedule.SECOND_NS)
        asked_ns = automatic.asked_ns(self.stored, now)
        self._pace = automatic.Pace(paused_ns, begun_ns, spread, event.apart, asked_ns)

    def _pause(self, now: Now, seconds: int) -> None:
        """At rest nothing is tried for so long."""
        paused_ns = now.monotonic_ns + seconds * schedule.SECOND_NS
        self._pace = self._pace._replace(paused_ns=paused_ns)

    def _asked(self, now: Now) -> None:
        """The attempt ends, and the CA may have issued for its request."""
        self._pace = self._pace._replace(asked_ns=now.monotonic_ns)

    def _may_ask(self, now: Now) -> bool:
        """The budget allows another request; a person who has typed it is not asked for that."""
        allowed_ns = automatic.allowed_ns(self.stored, self.policy, now, self._pace)
        return allowed_ns <= now.monotonic_ns

    def pin_holds(self) -> bool:
        """The stored CA is the one that the realm trusts now."""
        return pins.holds(self.stored.ca, self.policy.fingerprint)

    @property
    def pace(self) -> automatic.Pace:
        """What the times of the next steps hang on beside flash."""
        return self._pace

    @property
    def error(self) -> AgentError | None:
        """The error of the last attempt, if it failed."""
        outcome = self.stored.outcome
        return from_map(outcome.error) if outcome and outcome.error is not None else None

    @property
    def has_left(self) -> bool:
        """There is a request, and the CA may have it."""
        return self.request is not None and self.request.phase != "fetching"

    @property
    def request(self) -> RequestRecord | None:
        """The request under way, or lost."""
        return self._draft or self.stored.request

    def plan(self, now: Now) -> automatic.Plan:
        """The next step of a realm at rest."""
        if is_under_way(self.stored.state):  # flash has refused a commit in the middle of it
            return automatic.Plan("", Deadline(self._pace.paused_ns))
        return automatic.plan(self.stored, self.policy, now, self._pace)

    def _keep(self, local: LocalRecord, now: Now) -> list[Action]:
        """Certificate, outcome and the end of the request are one commit. Consumers come last:
        their files are made from flash, so a cut before `Activate` is repaired at the next start.
        """
        request, certificate = self._request(), local.certificate
        at_once = (request.attended and not request.by_rule) or self._shorter is not None
        waits = automatic.waits_for_its_turn(self.stored, local, self.policy, now, at_once=at_once)
        place = {"next": local} if waits else {"local": local, "next": None}
        # Without a clock the next renewal is counted from here.
        self._pause(now, 0 if now.trusted else automatic.elapsed_s(local))
        self.state, self._next_application, self._shorter = State.ISSUED, None, None
        text = f"certificate {certificate.serial} for {brief(certificate.subject)}"
        return [
            self._commit(ca=self.stored.ca, **place, request=None, outcome=drafts.succeeded(now)),
            Report("GET_LOCAL_CERT_OK", text),
            Activate(again=not waits),
            Finish(None),
        ]

    def _failed(self, error: AgentError, now: Now) -> list[Action]:
        """The attempt is over; its request stays where the CA may still answer it.

        Flash wears out, and a CA may be away for a month: what fails as the attempt before did is
        not written (`drafts.tells_more`), unless a person waits for it.
        """
        before = self._in_flash.outcome
        older = self.stored.request
        request = older if self._draft else drafts.kept(older, error)
        has_left = self.has_left
        if has_left and error.code not in verdicts.FAILURES:
            self._asked(now)
        anew = has_left and renewal.is_refused(self.request, error, now)
        told = drafts.failed(self.stored.outcome, error, now, anew=anew, has_left=has_left)
        mnemonic = "GET_CA_CERT_ERR" if self.state in _ABOUT_CA else "GET_LOCAL_CERT_ERR"
        self.state, self._next_application, self._draft = State.FAILED, None, None
        ended = self.stored._replace(outcome=told)
        self._pause(now, automatic.pause_s(ended, self.policy, now, self._pace.spread))
        news = drafts.tells_more(before, told, self._failure_ns, now)
        if news or request != self._in_flash.request or self._attended:
            self._failure_ns = now.monotonic_ns
            actions: list[Action] = [self._commit(request=request, outcome=told)]
        else:
            self.stored, actions = ended, []
        return [*actions, Report(mnemonic, error.what), Finish(error)]

    def _configured(self, event: Configured, now: Now) -> list[Action]:
        """What the realm waited for may be there now, and the time of its renewal another one."""
        self._pause(now, event.quiet_s)
        return self._changed(self._due())

    def _rest(self, _event: Event, now: Now) -> list[Action]:
        """After a start at rest. No attempt ends in the future: the clock of that time was wrong,
        and the day of the budget must not begin anew at each start."""
        outcome = self.stored.outcome
        if outcome and now.trusted and outcome.at_s > now.wall_s:
            return [self._commit(outcome=outcome._replace(at_s=now.wall_s), **self._due())]
        return self._changed(self._due())

    def _due(self) -> dict[str, LocalRecord]:
        """Renewal points by the settings of now."""
        return self._held(lambda held: drafts.due(held, self.policy))

    def _later(self, error: AgentError, now: Now) -> list[Action]:
        """The job once more at a deadline, while the attempt has tries left; else no action."""
        interval_min = self.policy.poll_interval_min
        again = retries.after(error, self._tries, now.monotonic_ns, interval_min)
        if again is None:
            return []
        self._tries, moment_ns = again
        self.deadline = Deadline(moment_ns)
        return [Report("GET_LOCAL_CERT_ERR", f"{error.what}; trying again", told=True)]

    def _arm(self, now: Now, peace_s: int = 0) -> None:
        """Sets the deadline to the next poll. `peace_s`: the server asked to be left alone."""
        interval_min = self.policy.poll_interval_min
        granted_s = automatic.peace_s(self.stored, self.policy, now, peace_s)
        self.deadline = Deadline(schedule.next_poll_ns(now.monotonic_ns, interval_min, granted_s))

    def _request(self) -> RequestRecord:
        """The request under way, or lost; Refused when there is none."""
        if self.request is None:
            raise Refused(f"{self.state.value} without a request record")
        return self.request

    def _held(self, change: Callable[[LocalRecord], LocalRecord]) -> dict[str, LocalRecord]:
        parts = (("local", self.stored.local), ("next", self.stored.next))
        return {part: change(held) for part, held in parts if held}

    def _changed(self, parts: dict[str, LocalRecord]) -> list[Action]:
        """At rest what changes is committed. While a job runs its end is the next commit: one that
        failed now would be the end of an application that goes well."""
        if all(getattr(self.stored, part) == held for part, held in parts.items()):
            return []
        if is_under_way(self.state) or is_under_way(self.stored.state):
            self.stored = self.stored._replace(**parts)  # type: ignore[arg-type]
            return []
        return [self._commit(**parts)]

    def _commit(self, **changes: object) -> Commit:
        """Changes records of `stored`, all of them in one transaction of the store."""
        self.stored = self._committed = self.stored._replace(**changes)  # type: ignore[arg-type]
        return Commit(self.stored)


_ABOUT_CA = (State.FETCHING, State.CONFIRMING)
