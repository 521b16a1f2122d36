"""The enrolment states of one realm, the events, and the transition table. Nothing else.

RFC 8894 (2.5, 3) knows three conditions of a client: nothing, pending, issued. A device that may
lose power at any moment needs a few more, because it must know after a restart whether a request
has left it. The rule behind all of them: a request is in flash before its first byte leaves, and
its record goes only when the transaction has ended.

    kept in flash   NOTHING  TRUSTED  ISSUED  FAILED       no application under way
                    FETCHING SENT  PENDING                 the phase of the request record; a fourth
                                                           one, `lost`, is FAILED (see below)
    only in memory  CONFIRMING  CHOOSING                   a person is being asked
                    RECOVERING  POLLING                    the CA is being asked

A power cut leaves the state that was in flash, and its row of `Restart` tells how that goes on.
FETCHING fetches again. PENDING waits for its next poll. SENT cannot know whether the request
arrived: it polls with the old transactionID first. Any answer without a certificate makes it send
the same bytes again (`verdicts.py`: ANSWERED). Silence is asked again at the interval of the polls,
`poll_times` times; then the request rests as `lost`, and the next application of a person polls for
it first. Some failures of a poll are signs of new certificates at the CA or its RA: then the CA set
is fetched once more.

An operator's event (Abort, Installed, Removed) changes the records of a realm that is at rest or
comes to rest by it. It leads to the state that the changed records tell of, so its one target is
AS_STORED. That stands for NOTHING, TRUSTED, ISSUED or FAILED (`Stored.at_rest`).

A pair that has no row is refused: the engine raises, nothing changes. A row names the targets that
its event can reach, and no other: a test walks all of them. The diagram in `docs/states.md` is
drawn from this table.
"""

from __future__ import annotations

from enum import Enum

from agent.errors import AgentError
from hal.annotations import Final, Literal
from hal.named import NamedTuple
from hal.records import CaRecord, CertificateRecord, LocalRecord


class State(Enum):
    """The state of a realm; the value is what the console prints."""

    NOTHING = "nothing"
    TRUSTED = "CA trusted"
    FETCHING = "getting the CA certificates"
    CONFIRMING = "CA to be confirmed"
    SENT = "sent"
    RECOVERING = "asking for a lost answer"
    PENDING = "pending"
    POLLING = "polling"
    CHOOSING = "shorter certificate to be confirmed"
    ISSUED = "issued"
    FAILED = "failed"


class CaCertificate(NamedTuple):
    """One certificate of a GetCACert answer; fingerprints over its DER, lower-case hexadecimal.

    Relations to other certificates are indexes into the answer (`agent/scep/relations.py`). below:
    those that it vouches for as the pin; generations: those of them that are this CA with the same
    key; above: its issuers, up to a self-signed one. sent: it was in the answer; else it is the
    stored pin beside it.
    """

    certificate: CertificateRecord
    is_ca: bool
    md5: str
    sha1: str
    sha256: str
    below: tuple[int, ...] = ()
    generations: tuple[int, ...] = ()
    above: tuple[int, ...] = ()
    self_signed: bool = True
    sent: bool = True


class Apply(NamedTuple):
    """A new application. Randomness (transactionID) and the sealed password come with it.

    attended: a person waits, can confirm a CA, and wants the first failure at once.
    renewable: the key pair of the certificate in use is there, so that it can sign.
    by_rule: the new certificate waits for its turn as one of a realm that renews by itself.
    """

    transaction: str
    settings: dict[str, object]
    generation: int
    password: str | None
    attended: bool
    renewable: bool = False
    by_rule: bool = False


class CaFetched(NamedTuple):
    """GetCACaps and GetCACert were answered. Nobody has signed anything of it."""

    certificates: tuple[CaCertificate, ...]
    caps: tuple[str, ...]


class CaAnswered(NamedTuple):
    """The operator compared the fingerprints and said yes or no (or nothing in time: no)."""

    yes: bool


class Chosen(NamedTuple):
    """The operator takes a certificate that ends before the one in use, or not (or nothing in time:
    not)."""

    yes: bool


class Granted(NamedTuple):
    """CertRep SUCCESS, and the certificate passed every check.

    ra_proven: it came through an RA that had the purpose of one. doubt: every check but that of its
    dates; nobody knows whether the clock of the CA is wrong, or that of this device.
    """

    certificate: CertificateRecord
    chain: tuple[bytes, ...]
    ra_proven: bool = False
    doubt: AgentError | None = None


class Waiting(NamedTuple):
    """CertRep PENDING."""


class JobFailed(NamedTuple):
    """The job of this realm ended with an error: FAILURE, a refused answer, the network, we."""

    error: AgentError


class Due(NamedTuple):
    """The deadline that the engine offered has come."""


class Restart(NamedTuple):
    """The agent has started and found this realm in flash.

    spread: a number that differs between devices; herd_s: over so many seconds their first attempts
    are spread; apart: so are their renewals.
    """

    spread: int = 0
    herd_s: int = 0
    apart: bool = False


class Configured(NamedTuple):
    """Settings of the realm have changed; they may be what the last attempt lacked.

    quiet_s: somebody types, and may not have typed all: so long nothing is done by them.
    """

    quiet_s: int = 0


class Listed(NamedTuple):
    """A revocation list that is current, and signed by the issuer of the realm's certificates, was
    read. reasons: the serial number (hexadecimal, as in the records) and the reason (the names of
    RFC 5280 5.3.1) of each certificate of the realm that it names."""

    reasons: tuple[tuple[str, str], ...] = ()


class NotStored(NamedTuple):
    """Flash has not taken the commit of the last event: nothing of it has happened."""

    error: AgentError


class Abort(NamedTuple):
    """The operator ends the application."""


class Installed(NamedTuple):
    """The operator brought the CA's certificates, or the local one, by another way."""

    ca: CaRecord | None = None
    local: LocalRecord | None = None


class NextCa(NamedTuple):
    """The pinned CA has named the one that will follow it: `ca.next` (RFC 8894 4.7)."""

    ca: CaRecord


class Removed(NamedTuple):
    """The operator deleted the CA's certificates, or the local one: kind is ca or local."""

    kind: str


Event = (
    Apply
    | CaFetched
    | CaAnswered
    | Chosen
    | Granted
    | Waiting
    | JobFailed
    | Due
    | Restart
    | Configured
    | Listed
    | NotStored
    | Abort
    | Installed
    | NextCa
    | Removed
)

RESTING = (State.NOTHING, State.TRUSTED, State.ISSUED, State.FAILED)
UNDER_WAY = (
    State.FETCHING,
    State.CONFIRMING,
    State.SENT,
    State.RECOVERING,
    State.PENDING,
    State.POLLING,
    State.CHOOSING,
)

AS_STORED: Final = "AS_STORED"  # the state that the records tell of, with no application under way
Target = State | Literal["AS_STORED"]

# (state, event) -> (name of the engine's handler, the targets that it may lead to). The second half
# is checked after every transition, and the diagram is drawn from it.
Transition = tuple[str, tuple[Target, ...]]
_STORED = (State.ISSUED, State.FAILED, State.CHOOSING)
TABLE: dict[tuple[State, type], Transition] = {
    (State.NOTHING, Apply): ("apply", (State.FETCHING,)),
    **{(s, Apply): ("apply", (State.FETCHING, State.RECOVERING)) for s in RESTING[1:]},
    **{(s, Restart): ("rest", (s,)) for s in RESTING},
    **{(s, Installed): ("install", (AS_STORED,)) for s in RESTING},
    **{(s, NextCa): ("follow", (s,)) for s in RESTING[1:]},
    **{(s, Removed): ("remove", (AS_STORED,)) for s in RESTING},
    **{(s, Abort): ("abort", (AS_STORED,)) for s in State},
    (State.NOTHING, NotStored): ("set_back", (AS_STORED, State.FAILED)),
    (State.TRUSTED, NotStored): ("set_back", (AS_STORED, State.FAILED, State.PENDING)),
    (State.ISSUED, NotStored): ("set_back", (AS_STORED, State.FAILED, State.PENDING)),
    (State.FAILED, NotStored): ("set_back", (State.FAILED, State.PENDING)),
    (State.FETCHING, NotStored): ("set_back", (AS_STORED, State.FAILED)),
    (State.SENT, NotStored): ("set_back", (AS_STORED, State.FAILED, State.PENDING)),
    (State.RECOVERING, NotStored): ("set_back", (AS_STORED, State.FAILED)),
    (State.PENDING, NotStored): ("set_back", (AS_STORED, State.FAILED, State.PENDING)),
    (State.POLLING, NotStored): ("set_back", (State.PENDING,)),
    **{(s, Listed): ("listed", (s,)) for s in State},
    **{(s, Configured): ("configured", (s,)) for s in State},
    (State.NOTHING, Due): ("act", (AS_STORED, State.FETCHING)),
    **{(s, Due): ("act", (AS_STORED, State.FETCHING, State.RECOVERING)) for s in RESTING[1:]},
    (State.FETCHING, Restart): ("fetch_again", (State.FETCHING,)),
    (State.FETCHING, Due): ("fetch", (State.FETCHING,)),
    (State.FETCHING, CaFetched): (
        "judge_ca",
        (State.SENT, State.CONFIRMING, State.FAILED),
    ),
    (State.FETCHING, JobFailed): ("fetch_failed", (State.FETCHING, State.FAILED)),
    (State.CONFIRMING, CaAnswered): ("confirm", (State.SENT, State.FAILED)),
    (State.CONFIRMING, Due): ("not_confirmed", (State.FAILED,)),
    (State.SENT, Restart): ("recover", (State.RECOVERING, State.FAILED)),
    (State.SENT, Granted): ("store", _STORED),
    (State.SENT, Waiting): ("wait", (State.PENDING, State.FAILED)),
    (State.SENT, JobFailed): (
        "send_failed",
        (State.FAILED, State.FETCHING, State.RECOVERING, State.PENDING),
    ),
    (State.RECOVERING, Due): ("poll", (State.RECOVERING, State.FAILED)),
    (State.RECOVERING, Granted): ("store", _STORED),
    (State.RECOVERING, Waiting): ("wait", (State.PENDING,)),
    (State.RECOVERING, JobFailed): (
        "recovery_failed",
        (State.RECOVERING, State.SENT, State.FETCHING, State.FAILED),
    ),
    (State.RECOVERING, CaFetched): (
        "looked",
        (State.RECOVERING, State.SENT, State.FETCHING, State.FAILED),
    ),
    (State.CHOOSING, Chosen): ("choose", (State.ISSUED,)),
    (State.CHOOSING, Due): ("not_chosen", (State.ISSUED,)),
    (State.PENDING, Restart): ("wait_again", (State.PENDING,)),
    (State.PENDING, Due): ("poll", (State.POLLING, State.FAILED)),
    (State.POLLING, Granted): ("store", _STORED),
    (State.POLLING, Waiting): ("wait", (State.PENDING, State.FAILED)),
    (State.POLLING, JobFailed): (
        "poll_failed",
        (State.POLLING, State.PENDING, State.SENT, State.FAILED),
    ),
    (State.POLLING, CaFetched): (
        "looked",
        (State.POLLING, State.PENDING, State.FAILED),
    ),
}


def is_under_way(state: State) -> bool:
    """An application runs in this state."""
    return state in UNDER_WAY
