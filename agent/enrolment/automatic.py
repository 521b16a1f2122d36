"""What a realm at rest does by itself, and when (VRP `auto-enroll`). Pure.

Five reasons to apply: there is no certificate, its share of the validity has passed, it has
expired, its CA has revoked it, or nobody knows the time. A certificate of another CA than the realm
trusts now counts as none. While one waits for its turn it is the one that counts, but for its
share: what has come in good time is not renewed before its turn unless its own end is near.

An attempt that has failed is followed by another one, for ever: a device without a certificate is
worth nothing, and a CA comes back. The pause between them is one table by the place in the life of
the certificate (`_PACES`) and the kind of the error. What the CA has signed, and what it issued and
we refuse, costs it a certificate or an administrator each time, so that is tried once a day; the
requests that left are counted, so that an answer which never arrives does not have it issue for
ever. "A day" is a quarter of the renewal window where that is less: a limit must not be longer than
what it guards. All pauses are spread by a CRC of what differs between devices, and so are renewals,
over a twentieth of their lead: a herd does not come in step.
"""

from __future__ import annotations

from binascii import crc32
from collections.abc import Iterator
from itertools import count

from agent import limits
from agent.enrolment import drafts, pins
from agent.enrolment.actions import NEVER, Deadline, Now, Policy, Stored
from agent.enrolment.schedule import SECOND_NS
from agent.enrolment.verdicts import is_verdict
from agent.errors import OPERATOR, LocalError, from_map
from hal.named import NamedTuple
from hal.records import LocalRecord

HOUR_S = 3600
DAY_S = 24 * HOUR_S

FIRST = "there is no certificate"
FOREIGN = "the certificate is from another CA"
DUE = "the certificate is due for renewal"
EXPIRED = "the certificate has expired"
REVOKED = "the CA has revoked the certificate"
TIMELESS = "the time is not known"
TAKE_OVER = "the certificate that waits takes over"

HOLD = "certificateHold"  # RFC 5280 5.3.1: the only reason that may go away again
LEAD = 100  # PERCENT of a realm that renews in the lead alone


class Plan(NamedTuple):
    """The next step of a realm at rest: its reason, and when. reason "": nothing is planned."""

    reason: str
    deadline: Deadline


class Pace(NamedTuple):
    """What differs between devices and starts. paused_ns: nothing is tried before it; started_ns:
    when the agent has started; asked_ns: when the last attempt ended whose request the budget
    counts (None: unknown since the start); all monotonic. spread: a number of 32 bits; apart:
    renewals are spread by it."""

    paused_ns: int = 0
    started_ns: int = 0
    spread: int = 0
    apart: bool = False
    asked_ns: int | None = None


NOTHING = Plan("", NEVER)


def plan(stored: Stored, policy: Policy, now: Now, pace: Pace) -> Plan:
    """The next step, and when it is to be looked for again."""
    turn_s = take_over_s(stored, policy)
    if stored.next and stored.next.doubted and not _may_hold(stored.next, now):
        turn_s = None
    if turn_s is not None and (turn_s <= now.wall_s or _is_timeless(now)):
        return Plan(TAKE_OVER, Deadline(now.monotonic_ns))
    applies = NOTHING
    if policy.percent is not None:
        applies = _application(stored, policy, now, pace)
    if turn_s is None:
        return applies
    moment_ns, due_wall_s = applies.deadline
    sooner = moment_ns is not None or (due_wall_s is not None and due_wall_s < turn_s)
    walls = [turn_s] if due_wall_s is None else [turn_s, due_wall_s]
    return Plan(applies.reason if sooner else TAKE_OVER, Deadline(moment_ns, min(walls)))


def _application(stored: Stored, policy: Policy, now: Now, pace: Pace) -> Plan:
    newest = pins.newest(stored, policy.fingerprint)
    free_ns = max(now.monotonic_ns, pace.paused_ns, allowed_ns(stored, policy, now, pace))
    at_once = Deadline(free_ns)
    if newest is None:
        return Plan(FOREIGN if stored.local else FIRST, at_once)
    if is_revoked(newest):
        return Plan(REVOKED, at_once)
    if _is_timeless(now):
        known_ns = pace.started_ns + limits.TIMELESS_S * SECOND_NS
        return Plan(TIMELESS, Deadline(max(free_ns, known_ns)))
    if now.trusted and newest.end_s <= now.wall_s:
        return Plan(EXPIRED, at_once)
    due_s = point_s(newest, stored, policy)
    if pace.apart:
        lead_s = newest.end_s - drafts.point_s(newest, policy, LEAD)
        due_s += pace.spread * (lead_s // 20) >> 32
    return Plan(DUE, Deadline(wall_s=due_s) if due_s > now.wall_s else at_once)


def _is_timeless(now: Now) -> bool:
    """Nobody knows the time: not by the clock, nor by counting from when it was right. A clock that
    jumps while the agent runs costs no certificate."""
    return not now.trusted and not now.counted


def _may_hold(doubted: LocalRecord, now: Now) -> bool:
    """Whether its dates do, or will, without the clock being set."""
    return not _is_timeless(now) and now.wall_s < doubted.end_s


def is_outside(local: LocalRecord, wall_s: int) -> bool:
    """Whether it is not valid at a time."""
    return not local.certificate.not_before_s <= wall_s < local.end_s


def is_revoked(local: LocalRecord) -> bool:
    """For good: what is on hold may be good again tomorrow."""
    return local.revoked not in ("", HOLD)


def elapsed_s(local: LocalRecord) -> int:
    """How long it lasts from its beginning to its renewal, for a device that knows no date."""
    return max(0, due_s(local) - local.certificate.not_before_s)


def point_s(newest: LocalRecord, stored: Stored, policy: Policy) -> int:
    """From when on `newest` is to be renewed, in its place: of one that waits the lead alone
    counts."""
    if newest is stored.next:
        newest = newest._replace(renew_s=drafts.point_s(newest, policy, LEAD))
    return due_s(newest)


def due_s(local: LocalRecord) -> int:
    """From when on it is to be renewed: never sooner than a tenth of its life after it came."""
    life_s = max(0, local.end_s - local.certificate.not_before_s)
    point_s = local.renew_s if local.renew_s is not None else local.end_s
    soonest_s = local.issued_s + life_s // 10
    if soonest_s >= local.end_s:  # what was stored by a clock that was wrong
        return point_s
    return max(point_s, soonest_s)


def next_renewal_s(stored: Stored, policy: Policy) -> int | None:
    """When the next renewal will begin, as far as is known today; None: it does not by itself."""
    turn_s, waits = take_over_s(stored, policy), stored.next
    if policy.percent is None or stored.local is None:
        return None
    if waits is None or waits.doubted or turn_s is None:
        return due_s(drafts.due(stored.local, policy))
    return min(max(turn_s, due_s(drafts.due(waits, policy))), point_s(waits, stored, policy))


def waits_for_its_turn(
    stored: Stored, new: LocalRecord, policy: Policy, now: Now, *, at_once: bool
) -> bool:
    """Whether a new certificate leaves the one in use where it is. at_once: a person wants it now.

    That is until the one in use is near its end, or where new ones take effect at once, until the
    new one begins by the clock of this device, which may be behind that of the CA. One that
    is of no use makes room.
    """
    local = stored.local
    if at_once or local is None or is_revoked(local):
        return False
    if not pins.counts(local, stored.ca, policy.fingerprint):
        return False
    if policy.at_once:
        return now.trusted and now.wall_s < min(new.certificate.not_before_s, local.end_s)
    return not now.trusted or now.wall_s < _turn_s(local)


def take_over_s(stored: Stored, policy: Policy) -> int | None:
    """When the certificate that waits is put into use; None: none waits. It must have begun, unless
    there is nothing better by then."""
    local, waits = stored.local, stored.next
    if waits is None or (local and is_revoked(waits)):
        return None
    if waits.doubted:
        return waits.certificate.not_before_s
    if local is None or is_revoked(local):
        return 0
    begins_s = waits.certificate.not_before_s
    turn_s = begins_s if policy.at_once else max(_turn_s(local), begins_s)
    return min(turn_s, local.end_s)


def _turn_s(local: LocalRecord) -> int:
    """When a certificate in use makes room for the one that waits."""
    life_s = max(0, local.end_s - local.certificate.not_before_s)
    return local.end_s - min(HOUR_S, life_s // 20)


# -- after a failure -------------------------------------------------------------------------------

_FIRST, _WINDOW, _LAST, _LATE = "first", "window", "last tenth", "expired"
_ALMOST_NONE_S = 10 * HOUR_S  # is "left" where there is no certificate: a tenth of it is an hour


class Place(NamedTuple):
    """The place in the life of the certificate; window_s: from the renewal point to its end."""

    name: str
    window_s: int
    rest_s: int

    @property
    def day_s(self) -> int:
        """A day, in a life that may be shorter than that."""
        return min(DAY_S, max(1, self.window_s // 4))

    @property
    def paces_s(self) -> tuple[int, int]:
        """The first pause after a failure and the longest, but for their jitter."""
        return _paces(self.window_s)[self.name]

    @property
    def longest_s(self) -> int:
        return self.paces_s[1]

    @property
    def budget(self) -> int:
        """Requests of one renewal that may each have been a certificate."""
        return limits.REQUESTS_LAST if self.name == _LAST else limits.REQUESTS


def place(stored: Stored, policy: Policy, now: Now) -> Place:
    """Where a realm is at this time."""
    newest = pins.newest(stored, policy.fingerprint)
    if newest is None:
        return Place(_FIRST, 4 * DAY_S, _ALMOST_NONE_S)
    end_s = newest.end_s
    window_s = max(1, end_s - point_s(newest, stored, policy))
    rest_s = end_s - now.wall_s
    if (now.trusted and rest_s <= 0) or is_revoked(newest):
        return Place(_LATE, window_s, _ALMOST_NONE_S)
    rest_s = max(1, rest_s)
    return Place(_LAST if rest_s * 10 <= window_s else _WINDOW, window_s, rest_s)


def stays_until_s(stored: Stored, policy: Policy, now: Now) -> int | None:
    """When the place of a realm becomes another one, or a certificate takes over. None: the time
    alone changes neither."""
    here, turn_s = place(stored, policy, now), take_over_s(stored, policy)
    end_s = now.wall_s + here.rest_s
    moments_s = {_WINDOW: [end_s - here.window_s // 10], _LAST: [end_s]}.get(here.name, [])
    if turn_s is not None:
        moments_s.append(turn_s)
    return min(moments_s, default=None)


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


def is_spent(stored: Stored, policy: Policy, now: Now) -> bool:
    """Whether so many requests have left since a certificate was stored that the next one waits."""
    outcome = stored.outcome
    return outcome is not None and outcome.requests >= place(stored, policy, now).budget


def allowed_ns(stored: Stored, policy: Policy, now: Now, pace: Pace) -> int:
    """From when on the budget allows another request, monotonic.

    A pause may end sooner: by a setting, a start, a clock that is set. So this is asked where an
    application begins and again where its request leaves, each time by the clock of that moment.
    Half a day is the shortest one that jitter makes.
    """
    if not is_spent(stored, policy, now):
        return 0
    day_s = place(stored, policy, now).day_s
    if pace.asked_ns is None:
        return pace.started_ns + min(day_s, limits.TIMELESS_S) * SECOND_NS
    return pace.asked_ns + day_s * SECOND_NS // 2


def asked_ns(stored: Stored, now: Now) -> int | None:
    """When the last attempt ended, by the clock of a start (`Pace`)."""
    if stored.outcome is None or not now.trusted:
        return None
    return now.monotonic_ns - max(0, now.wall_s - stored.outcome.at_s) * SECOND_NS


def pause_s(stored: Stored, policy: Policy, now: Now, spread: int) -> int:
    """Seconds until the next attempt after the end of the one of `stored.outcome`.

    spread: a number that differs between devices. A server that asked to be left alone is, within
    `peace_s`.
    """
    outcome, here = stored.outcome, place(stored, policy, now)
    if outcome is None:
        return 0
    spent = outcome.requests >= here.budget
    error = from_map(outcome.error) if outcome.error is not None else None
    if error is None and not spent:
        return 0
    if error and outcome.anew and is_verdict(error):  # the renewal goes on in another way
        return 1
    wait_s = _backed_off_s(here.paces_s, outcome.attempts)
    if isinstance(error, LocalError) and error.retry == OPERATOR and error.code != "store-failed":
        wait_s = min(HOUR_S, here.longest_s)
    if spent or (error and is_verdict(error)):
        wait_s = max(wait_s, here.day_s)
    wait_s = _jittered_s(wait_s, outcome.attempts, spread)
    return max(wait_s, _peace_s(here, error.after_s if error else 0))


def pauses_s(stored: Stored, policy: Policy, now: Now, spread: int) -> Iterator[int]:
    """`pause_s` after each further attempt that finds nobody, for as long as the place stays
    (`stays_until_s`): nothing but their number counts then."""
    here, outcome = place(stored, policy, now), stored.outcome
    least_s = here.day_s if is_spent(stored, policy, now) else 0
    paces_s = here.paces_s
    for attempts in count(outcome.attempts + 1 if outcome else 1):
        yield _jittered_s(max(least_s, _backed_off_s(paces_s, attempts)), attempts, spread)


def _backed_off_s(paces_s: tuple[int, int], attempts: int) -> int:
    first_s, longest_s = paces_s
    return min(first_s << min(max(attempts, 1) - 1, 16), longest_s)


def _jittered_s(wait_s: int, attempts: int, spread: int) -> int:
    jitter = crc32(b"%d %d" % (spread, attempts)) % 101 + 50
    return max(1, wait_s * jitter // 100)


def peace_s(stored: Stored, policy: Policy, now: Now, asked_s: int) -> int:
    """How much of the time is granted that a server asked to be left alone. Nobody has signed its
    wish, so a certificate must not come to its end by that: a tenth of what is left."""
    if policy.percent is None:
        return asked_s
    return _peace_s(place(stored, policy, now), asked_s)


def _peace_s(here: Place, asked_s: int) -> int:
    return min(asked_s, max(1, here.rest_s // 10))


def first_pause_ns(stored: Stored, now: Now, spread: int, longest_s: int) -> int:
    """Before the first attempt after a start: no herd comes in the second in which power is back.

    longest_s: over which time a herd is spread; less while a certificate has little left.
    """
    local, window_ns = stored.local, longest_s * SECOND_NS
    if local and now.trusted and local.end_s > now.wall_s:
        rest_s = local.end_s - now.wall_s
        window_ns = min(window_ns, rest_s * SECOND_NS // 20)
    return crc32(b"%d" % spread) * window_ns >> 32


def held_s(stored: Stored, policy: Policy, now: Now, spread: int) -> int:
    """What is left at a start of the day after a refusal, or of that of the budget: what the CA has
    signed is no other than before the start, and what it may have issued is counted."""
    outcome = stored.outcome
    if outcome is None or policy.percent is None:
        return 0
    spent = is_spent(stored, policy, now)
    if not now.trusted:
        return limits.TIMELESS_S if spent else 0
    refused = outcome.error is not None and is_verdict(from_map(outcome.error))
    if not (spent or refused) or outcome.at_s > now.wall_s:
        return 0
    return max(0, outcome.at_s + pause_s(stored, policy, now, spread) - now.wall_s)
