"""When a realm that renews by itself asks for what its CA publishes. Pure.

The next CA (GetNextCACert, RFC 8894 4.7): at the renewal point of each certificate; and daily once
the CA has less than three of our lives left, because from then on a renewal may be the last one
that it signs. A CA that has named its next one is asked no more. Devices of one age come to both
in the same second, so each begins at a moment of its own: within a twentieth of the lead behind
the point, as renewals do, and within a day.

A revocation list lives as a certificate does: its successor is asked for when nine tenths of its
life have passed. All devices of a CA hold the same list, so each begins at a moment of its own in
the first half of the tenth that is left.

More often than in a tenth of what the CA has left (a day at most; an hour where it does not answer)
nobody asks for the next one: lives of minutes would have it asked each minute for years.

What fails is tried again by the table of the applications (`automatic.pause_s`). For a list, its
own life stands in the place of that of the certificate: an hourly one cannot wait for hours.
"""

from __future__ import annotations

from binascii import crc32

from agent.enrolment import automatic, drafts
from agent.enrolment.actions import NEVER, Deadline, Now, Policy, Stored
from agent.enrolment.automatic import DAY_S, LEAD
from agent.enrolment.schedule import SECOND_NS
from agent.errors import AgentError
from hal.named import NamedTuple
from hal.records import CertificateRecord, CrlRecord, LocalRecord, OutcomeRecord

_ANY = Policy(None, 1, 1)  # the pauses go by a life, whatever the settings are
LIVES = 3  # of our certificates: a CA with less than that left is asked daily for its next one


class Tries(NamedTuple):
    """What came of asking so far; it is in memory alone.

    paused_ns: nothing is asked before it, monotonic. owed: it was due and has no answer yet, with
    the serial number of the certificate of that time; answered: the same of the last answer.
    outcome: of the failures in a row.
    """

    paused_ns: int = 0
    owed: str = ""
    answered: str = ""
    outcome: OutcomeRecord | None = None


class Lists(NamedTuple):
    """The wish of a realm for revocation lists. required: it sends nothing without one in date."""

    wanted: bool
    required: bool


def next_ca(stored: Stored, policy: Policy, now: Now, tries: Tries) -> Deadline:
    """When the next CA comes to be asked for; behind that, when it is asked for."""
    newest, ca = stored.newest, stored.ca
    if policy.percent is None or newest is None or ca is None or ca.next:
        return NEVER
    near_s = ca.certificates[ca.pin_index].not_after_s - LIVES * _life_s(newest)
    point_s = min(near_s, automatic.due_s(newest))
    if tries.answered == newest.certificate.serial:
        point_s = near_s
    return _from(0 if tries.owed else point_s, now, tries)


def revocation_list(
    crl: CrlRecord | None,
    lists: Lists,
    stored: Stored,
    policy: Policy,
    now: Now,
    tries: Tries,
    spread: int,
) -> Deadline:
    """When a list is asked for. spread: a number that differs between devices.

    The certificate in use says where the list is, and signs where the CA itself is asked: so it
    comes first, unless nothing is sent without a list.
    """
    if policy.percent is None or not lists.wanted:
        return NEVER
    if not lists.required and (stored.ca is None or (crl is None and stored.local is None)):
        return NEVER
    return _from(0 if crl is None else successor_s(crl, spread), now, tries)


def successor_s(crl: CrlRecord, spread: int) -> int:
    """The wall time from which the list that follows is asked for."""
    local = _as_local(crl)
    tenth_s = _life_s(local) // 10
    return local.certificate.not_after_s - tenth_s + _part(spread, tenth_s // 2)


def _from(wall_s: int, now: Now, tries: Tries) -> Deadline:
    """From a wall time on, but for the pause."""
    if wall_s > now.wall_s:
        return Deadline(wall_s=wall_s)
    return Deadline(max(tries.paused_ns, now.monotonic_ns))


# -- what came of it -------------------------------------------------------------------------------


def owing(tries: Tries, stored: Stored, now: Now, wait_s: int = 0) -> Tries:
    """It has come due, and is asked for `wait_s` later. It stays so: the application that is due at
    the same moment brings a certificate that is not."""
    newest = stored.newest
    paused_ns = max(tries.paused_ns, now.monotonic_ns + wait_s * SECOND_NS)
    owed = newest.certificate.serial if newest else "-"
    return tries if tries.owed else tries._replace(paused_ns=paused_ns, owed=owed)


def herd_s(stored: Stored, policy: Policy, now: Now, spread: int) -> int:
    """How long a device waits behind the moment to which all of its age come. spread: a number that
    differs between them."""
    newest = stored.newest
    if newest is None:
        return 0
    point_s, lead_s = automatic.due_s(newest), newest.end_s - drafts.point_s(newest, policy, LEAD)
    return _part(spread, lead_s // 20 if point_s <= now.wall_s else _day_s(newest.end_s - point_s))


def answered(tries: Tries, stored: Stored, now: Now, spread: int) -> Tries:
    """The CA has no next one: asked again in a day, if it is near its end by then."""
    newest = stored.newest
    window_s = newest.certificate.not_after_s - automatic.due_s(newest) if newest else 4 * DAY_S
    pause_s = max(_day_s(window_s), _tenth_s(stored, now, DAY_S))
    return Tries(now.monotonic_ns + _spread_ns(pause_s, now, spread), answered=tries.owed)


def not_answered(tries: Tries, error: AgentError, stored: Stored, now: Now, spread: int) -> Tries:
    """A failure to ask for the next CA: by the table, and not as often as a life of minutes has
    it."""
    found = failed(tries, error, stored, now, spread)
    least_ns = _spread_ns(_tenth_s(stored, now, automatic.HOUR_S), now, spread)
    return found._replace(paused_ns=max(found.paused_ns, now.monotonic_ns + least_ns))


def _tenth_s(stored: Stored, now: Now, most_s: int) -> int:
    """Of what the CA has left: to ask more often is in vain, however short our lives are."""
    if stored.ca is None:
        return 0
    end_s = stored.ca.certificates[stored.ca.pin_index].not_after_s
    return min(most_s, max(0, end_s - now.wall_s) // 10)


def the_same(crl: CrlRecord, now: Now, spread: int) -> Tries:
    """The CA has not published another list yet."""
    life_s = _life_s(_as_local(crl))
    window_s = 4 * life_s if crl.next_update_s is None else life_s // 10
    return Tries(now.monotonic_ns + _day_ns(window_s, now, spread))


def failed(tries: Tries, error: AgentError, stored: Stored, now: Now, spread: int) -> Tries:
    """The pause after a failure. stored: by whose life the table goes."""
    begun = drafts.begun(tries.outcome, now, attended=False)
    outcome = drafts.failed(begun, error, now)
    pause_s = automatic.pause_s(stored._replace(outcome=outcome), _ANY, now, spread)
    paused_ns = now.monotonic_ns + pause_s * SECOND_NS
    return tries._replace(paused_ns=paused_ns, outcome=outcome)


def life_of(crl: CrlRecord | None, stored: Stored) -> Stored:
    """A list in the place of the certificate; without one, the certificate stays."""
    return stored if crl is None else Stored(local=_as_local(crl))


def _as_local(crl: CrlRecord) -> LocalRecord:
    """A list without an end lives for a day from when it came."""
    begin_s, end_s = crl.this_update_s, crl.next_update_s
    if end_s is None:
        begin_s, end_s = crl.fetched_s, crl.fetched_s + DAY_S
    point_s = end_s - max(0, end_s - begin_s) // 10
    life = CertificateRecord(crl.der, "", crl.issuer, "", begin_s, end_s)
    return LocalRecord(life, [], "", 0, crl.fetched_s, renew_s=point_s)


def _life_s(local: LocalRecord) -> int:
    return max(0, local.certificate.not_after_s - local.certificate.not_before_s)


def _day_ns(window_s: int, now: Now, spread: int) -> int:
    return _spread_ns(_day_s(window_s), now, spread)


def _spread_ns(pause_s: int, now: Now, spread: int) -> int:
    """Up to a quarter more or less."""
    jitter = crc32(b"%d %d" % (spread, now.wall_s)) % 51 + 75
    return max(1, pause_s * jitter // 100) * SECOND_NS


def _day_s(window_s: int) -> int:
    """A day, or a quarter of a window that is shorter than four."""
    return min(DAY_S, max(1, window_s // 4))


def _part(spread: int, span_s: int) -> int:
    """The moment of a device within a time that a herd takes."""
    return crc32(b"%d" % spread) * span_s >> 32
