"""Input of an engine beside events, and its output: time, policy, records, actions.

Actions are performed in the order in which they are returned (`agent/device/runner.py`).
"""

from __future__ import annotations

from agent.enrolment.states import CaCertificate, State
from agent.errors import AgentError
from hal.named import NamedTuple
from hal.records import CaRecord, LocalRecord, OutcomeRecord, RequestRecord


class Now(NamedTuple):
    """The time of an event: wall time, monotonic clock, and whether the wall clock is trusted.

    counted: it is not, but `wall_s` is elapsed time from a moment at which it was. So it is known
    when a renewal is due, while nothing is called expired and no request says the time.
    """

    wall_s: int
    monotonic_ns: int
    trusted: bool
    counted: bool = False


class Deadline(NamedTuple):
    """When `Due` is wanted: at a time of the monotonic clock, of the wall clock, or of the first of
    both; None: not by this clock.

    Polls and back-off stand on the monotonic clock, which never jumps. What a certificate says
    stands on the wall clock.
    """

    monotonic_ns: int | None = None
    wall_s: int | None = None

    def __bool__(self) -> bool:
        return self != NEVER


NEVER = Deadline()


class Policy(NamedTuple):
    """The settings of a realm that decide here. `fingerprint`, and each of `roots`: (md5 | sha1 |
    sha256, hex); `compatibility`: keywords of the realm; `percent`: of the life of a certificate,
    after which it is renewed; None: not by the device itself. at_once: a certificate that the
    device has renewed is put into use when it is stored, and does not wait for its turn."""

    fingerprint: tuple[str, str] | None
    poll_interval_min: int
    poll_times: int
    compatibility: tuple[str, ...] = ()
    roots: tuple[tuple[str, str], ...] = ()
    percent: int | None = None
    at_once: bool = False


class Stored(NamedTuple):
    """The records of a realm in flash; `next`: a certificate that waits for its turn."""

    ca: CaRecord | None = None
    request: RequestRecord | None = None
    local: LocalRecord | None = None
    next: LocalRecord | None = None
    outcome: OutcomeRecord | None = None

    @property
    def state(self) -> State:
        """The state after a start; a state in memory alone is gone (agent/enrolment/states.py)."""
        phases = {"fetching": State.FETCHING, "sent": State.SENT, "pending": State.PENDING}
        if self.request and self.request.phase in phases:
            return phases[self.request.phase]
        return self.at_rest

    @property
    def successor(self) -> LocalRecord | None:
        """The certificate that waits for its turn; one whose dates are doubted has none."""
        return self.next if self.next and not self.next.doubted else None

    @property
    def newest(self) -> LocalRecord | None:
        """That or, where none waits, the one in use."""
        return self.successor or self.local

    @property
    def at_rest(self) -> State:
        """The state while no application is under way (`AS_STORED`)."""
        if self.outcome and self.outcome.error is not None:
            return State.FAILED
        if self.local:
            return State.ISSUED
        return State.TRUSTED if self.ca else State.NOTHING


class StartJob(NamedTuple):
    """Start the one job of this realm: fetch-ca, enrol or poll."""

    op: str


class CancelJob(NamedTuple):
    """Stop the job that runs; its end is no event any more."""


class Commit(NamedTuple):
    """Write `stored` to flash, in one transaction."""

    stored: Stored


class Activate(NamedTuple):
    """Put the local certificate into device memory and storage, and the one that waits into
    storage. Not `again`: what consumers read already is left as it is."""

    again: bool = True


class Wanted(NamedTuple):
    """The realm is to apply by itself: the device answers with `Apply`, or looks for what lacks."""

    reason: str


class Confirm(NamedTuple):
    """Ask the operator whether this is the CA; `above`: the CAs that seem to stand above it."""

    candidate: CaCertificate
    above: tuple[CaCertificate, ...] = ()


class Choose(NamedTuple):
    """Ask the operator whether to take a certificate that ends before the one in use (wall time in
    seconds)."""

    ends_s: int
    issued_ends_s: int


class Finish(NamedTuple):
    """The attempt is over, or PENDING: tell whoever waits. error None: issued or PENDING."""

    error: AgentError | None


class Report(NamedTuple):
    """A log line: VRP mnemonic and text; `told` to whoever waits, too. again: it was told before a
    start, and still stands."""

    mnemonic: str
    text: str
    told: bool = False
    again: bool = False


Action = StartJob | CancelJob | Commit | Activate | Wanted | Confirm | Choose | Finish | Report
