"""What a realm at rest does by itself, and when (VRP `auto-enroll`). Pure.

Four reasons to apply: there is no certificate, its share of the validity has passed, it has
expired, or nobody knows the time. While a certificate waits for its turn it is the one that counts.

An attempt that has failed is followed by another one, for ever: a device without a certificate is
worth nothing, and a CA comes back. The pause between them is one table by the place in the life of
the certificate (`_PACES`) and the kind of the error. What the CA has signed, and what it issued and
we refuse, costs it a certificate or an administrator each time, so that is tried once a day; the
requests that left are counted, so that an answer which never arrives does not have it issue for
ever. All pauses are spread by a CRC of what differs between devices: a herd does not come in step.
"""

from __future__ import annotations

from binascii import crc32

from agent import limits
from agent.enrolment.actions import NEVER, Deadline, Now, Policy, Stored
from agent.enrolment.schedule import SECOND_NS
from agent.enrolment.verdicts import is_verdict
from agent.errors import LocalError, from_map
from hal.named import NamedTuple
from hal.records import LocalRecord

HOUR_S = 3600
DAY_S = 24 * HOUR_S

FIRST = "there is no certificate"
DUE = "the certificate comes to its renewal"
EXPIRED = "the certificate has expired"
TIMELESS = "the clock is not trusted, so the certificate may have expired"
TAKE_OVER = "the certificate that waits takes the place of the one in use"


class Plan(NamedTuple):
    """The next step of a realm at rest: its reason, and when. reason "": nothing is planned."""

    reason: str
    deadline: Deadline


NOTHING = Plan("", NEVER)


def plan(stored: Stored, policy: Policy, now: Now, paused_ns: int, started_ns: int) -> Plan:
    """`paused_ns`: nothing is tried before it; `started_ns`: when the agent has started; both
    monotonic."""
    turn_s = _take_over_s(stored, policy)
    if turn_s is not None and (turn_s <= now.wall_s or _is_timeless(now)):
        return Plan(TAKE_OVER, Deadline(now.monotonic_ns))
    applies = NOTHING
    if policy.percent is not None:
        applies = _application(stored, now, paused_ns, started_ns)
    if turn_s is None:
        return applies
    moment_ns, due_wall_s = applies.deadline
    sooner = moment_ns is not None or (due_wall_s is not None and due_wall_s < turn_s)
    walls = [turn_s] if due_wall_s is None else [turn_s, due_wall_s]
    return Plan(applies.reason if sooner else TAKE_OVER, Deadline(moment_ns, min(walls)))


def _application(stored: Stored, now: Now, paused_ns: int, started_ns: int) -> Plan:
    newest, soonest_ns = stored.next or stored.local, max(paused_ns, now.monotonic_ns)
    if newest is None:
        return Plan(FIRST, Deadline(soonest_ns))
    if _is_timeless(now):
        known_ns = started_ns + limits.TIMELESS_S * SECOND_NS
        return Plan(TIMELESS, Deadline(max(soonest_ns, known_ns)))
    if now.trusted and newest.certificate.not_after_s <= now.wall_s:
        return Plan(EXPIRED, Deadline(soonest_ns))
    renew_s = due_s(newest)
    if renew_s > now.wall_s:
        return Plan(DUE, Deadline(wall_s=renew_s))
    return Plan(DUE, Deadline(soonest_ns))


def _is_timeless(now: Now) -> bool:
    """Nobody knows the time: not by the clock, nor by counting from when it was right. A clock that
    jumps while the agent runs costs no certificate."""
    return not now.trusted and not now.counted


def elapsed_ns(local: LocalRecord) -> int:
    """How long it lasts from its beginning to its renewal, for a device that knows no date."""
    return max(0, due_s(local) - local.certificate.not_before_s) * SECOND_NS


def due_s(local: LocalRecord) -> int:
    """From when on it is to be renewed: never sooner than a tenth of its life after it came."""
    certificate = local.certificate
    life_s = max(0, certificate.not_after_s - certificate.not_before_s)
    point_s = local.renew_s if local.renew_s is not None else certificate.not_after_s
    soonest_s = local.issued_s + life_s // 10
    if soonest_s >= certificate.not_after_s:  # what was stored by a clock that was wrong
        return point_s
    return max(point_s, soonest_s)


def waits_for_its_turn(stored: Stored, policy: Policy, now: Now, *, attended: bool) -> bool:
    """Whether a new certificate leaves the one in use where it is, until that is near its end."""
    if attended or policy.at_once or stored.local is None:
        return False
    return not now.trusted or now.wall_s < _turn_s(stored.local)


def _take_over_s(stored: Stored, policy: Policy) -> int | None:
    """When the certificate that waits is put into use; None: none waits."""
    if stored.next is None:
        return None
    if stored.local is None or policy.at_once:
        return stored.next.certificate.not_before_s
    return max(_turn_s(stored.local), stored.next.certificate.not_before_s)


def _turn_s(local: LocalRecord) -> int:
    """When a certificate in use makes room for the one that waits."""
    certificate = local.certificate
    life_s = max(0, certificate.not_after_s - certificate.not_before_s)
    return certificate.not_after_s - min(HOUR_S, life_s // 20)


# -- after a failure -------------------------------------------------------------------------------

_FIRST, _WINDOW, _LAST, _LATE = "first", "window", "last tenth", "expired"


class _Place(NamedTuple):
    """The place in the life of the certificate; window_s: from the renewal point to its end."""

    name: str
    window_s: int
    rest_s: int


def _place(stored: Stored, now: Now) -> _Place:
    newest = stored.next or stored.local
    if newest is None:
        return _Place(_FIRST, 4 * DAY_S, 10 * HOUR_S)
    end_s = newest.certificate.not_after_s
    window_s = max(1, end_s - due_s(newest))
    rest_s = end_s - now.wall_s
    if now.trusted and rest_s <= 0:
        return _Place(_LATE, window_s, 10 * HOUR_S)
    rest_s = max(1, rest_s)
    return _Place(_LAST if rest_s * 10 <= window_s else _WINDOW, window_s, rest_s)


def longest_pause_s(window_s: int) -> int:
    """Between two attempts in a window of that size, from a renewal point to the end."""
    return min(max(window_s // 40, 5), 6 * HOUR_S)


def _paces(window_s: int) -> dict[str, tuple[int, int]]:
    """Place -> the first pause after a failure, and the longest: each is twice the one before."""
    longest_s = longest_pause_s(window_s)
    return {
        _FIRST: (60, HOUR_S),
        _WINDOW: (min(60, longest_s), longest_s),
        _LAST: (min(60, max(1, longest_s // 2)), max(1, longest_s // 2)),
        _LATE: (60, HOUR_S),
    }


def pause_s(stored: Stored, now: Now, spread: int) -> int:
    """Seconds until the next attempt after the failure of `stored.outcome`.

    spread: a number that differs between devices. A server that asked to be left alone is, but not
    for longer than a tenth of what is left: nobody has signed its wish.
    """
    outcome, place = stored.outcome, _place(stored, now)
    if outcome is None or outcome.error is None:
        return 0
    error = from_map(outcome.error)
    first_s, longest_s = _paces(place.window_s)[place.name]
    wait_s = min(first_s << min(max(outcome.attempts, 1) - 1, 16), longest_s)
    if isinstance(error, LocalError) and error.code != "store-failed":
        wait_s = min(HOUR_S, longest_s)
    day_s = min(DAY_S, max(1, place.window_s // 4))
    budget = limits.REQUESTS_LAST if place.name == _LAST else limits.REQUESTS
    if is_verdict(error) or outcome.requests >= budget:
        wait_s = max(wait_s, day_s)
    jitter = crc32(b"%d %d" % (spread, outcome.attempts)) % 101 + 50
    wait_s = max(1, wait_s * jitter // 100)
    return max(wait_s, min(error.after_s, max(1, place.rest_s // 10)))


def first_pause_ns(stored: Stored, now: Now, spread: int, longest_s: int) -> int:
    """Before the first attempt after a start: no herd comes in the second in which power is back.

    longest_s: over which time a herd is spread; less while a certificate has little left.
    """
    local, window_ns = stored.local, longest_s * SECOND_NS
    if local and now.trusted and local.certificate.not_after_s > now.wall_s:
        rest_s = local.certificate.not_after_s - now.wall_s
        window_ns = min(window_ns, rest_s * SECOND_NS // 20)
    return crc32(b"%d" % spread) * window_ns >> 32
