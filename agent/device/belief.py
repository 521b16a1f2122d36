"""Whether the clock is believed, and which time counts. Pure: readings in, a belief out.

Fault model. A board without a battery begins in 1970; one whose battery is dying begins anywhere. A
time source may lie once (2099), a person may mistype, a card may be cloned with all that it knows.
A clock may stand still, or run 5 % too fast. Elapsed monotonic time is always good.

What is known without a clock: time is not before this software was made, the last record of a time
that somebody vouched for, and what CAs wrote into certificates that were accepted (`Known`). None
of these can be far ahead, so a notBefore of 2099 counts for nothing.

The rules. A person is believed. A time source is believed up to the latest time that is likely, and
beyond it after a day in which it said the same; else one reading of 2099 would end every
certificate. Nobody's word: at the start a reading is believed that is likely, as after a weekend
without power; from then on one that follows elapsed time to a day. Whatever is not believed is
counted: elapsed time from the last reading that was. So time goes on, no certificate expires by a
jump, and a clock that stands still or drifts is left behind when it has lost or won a day.
"""

from __future__ import annotations

from agent import limits
from hal.named import NamedTuple
from hal.records import ClockRecord

DAY_S = 86400
YEAR_S = 365 * DAY_S + DAY_S // 4
SECOND_NS = 1_000_000_000

NOBODY, SOURCE, PERSON = "", "source", "person"  # who vouches for a reading

VOUCHED, SET, LIKELY = "vouched", "set", "likely"
BEFORE, BEHIND, BEYOND, MOVED = "before", "behind", "beyond", "moved"
JUMPED, STANDS = "jumped", "stands"
WHY = {
    VOUCHED: "a time source vouches for it",
    SET: "the operator has set it",
    LIKELY: "it is later than every time that this device has recorded",
    BEFORE: "it is earlier than the build of this software",
    BEHIND: "a record or a certificate of this device shows that a later time has passed",
    BEYOND: "it is years later than every time that this device has recorded",
    MOVED: "it was moved up to the latest time that has passed for sure",
    JUMPED: "it moved by more than a day, and no time source vouches for it",
    STANDS: "it stands still",
}
_GOOD = (VOUCHED, SET, LIKELY)
# An agent that starts again finds the clock that it has moved to the floor: that far at most.
_MOVED_SLACK_S, _MOVED_DRIFT = 60, 10


class Reading(NamedTuple):
    """Wall clock, monotonic clock since boot, and who vouches for the first."""

    wall_s: int
    monotonic_ns: int
    vouched: str = NOBODY


class Known(NamedTuple):
    """Unix times: what has passed for sure, and the latest that is likely.

    moved: the board moves a clock that is behind up to `floor_s`.
    """

    floor_s: int
    latest_s: int
    moved: bool = False


class Belief(NamedTuple):
    """why: a key of `WHY`. since_s at since_ns (monotonic): where elapsed time counts from.

    seen: the reason why a reading was believed since the start, or "". claim: how far the wall
    clock of a source that says what is not likely is ahead of monotonic time, and since when.
    """

    why: str
    since_s: int
    since_ns: int
    seen: str = ""
    claim: tuple[int, int] | None = None

    @property
    def trusted(self) -> bool:
        return self.why in _GOOD


def known(
    record: ClockRecord | None, machine: str, issued_s: int = 0, moved: bool = False
) -> Known:
    """From the stored record, the identity of this machine, and the latest plausible notBefore.

    A record of another machine comes from a copied image: time has passed since then, but nobody
    knows how long the copy has lain.
    """
    here = record is not None and record.machine == machine
    likely_s = (limits.CLOCK_OFF_YEARS if here else limits.CLOCK_SHELF_YEARS) * YEAR_S
    floor_s = max(limits.BUILD_S, record.wall_s if record else 0)
    if floor_s < issued_s <= floor_s + likely_s:
        floor_s = issued_s
    return Known(floor_s, floor_s + likely_s, moved)


def time_s(belief: Belief, reading: Reading) -> int:
    """The time that counts: that of a clock which is believed, else what has been counted."""
    if belief.trusted:
        return reading.wall_s
    return _counted_s(belief, reading)


def look(before: Belief | None, reading: Reading, what: Known) -> Belief:
    """The belief after a reading; `before`: None at the start."""
    why = _why(before, reading, what)
    claim = before.claim if before else None
    if reading.vouched == SOURCE:
        claim = _claim(claim, reading) if why == BEYOND else None
    if why in _GOOD:
        if before is None or not before.seen or reading.vouched:
            return Belief(why, reading.wall_s, reading.monotonic_ns, why)
        return before._replace(why=why, claim=claim)
    if before is None or (not before.seen and what.floor_s > _counted_s(before, reading)):
        return Belief(why, what.floor_s, reading.monotonic_ns, "", claim)
    return before._replace(why=why, claim=claim)


def to_record(
    belief: Belief, reading: Reading, record: ClockRecord | None, machine: str
) -> ClockRecord | None:
    """The record to store now, if any: once a day, of a time that somebody vouches for.

    One that says too much, or comes from another machine, is replaced at once.
    """
    if not belief.trusted or not reading.vouched:
        return None
    new = ClockRecord(reading.wall_s, machine)
    fits = record is not None and record.machine == machine
    if record and fits and 0 <= new.wall_s - record.wall_s < DAY_S:
        return None
    return new


def _why(before: Belief | None, reading: Reading, what: Known) -> str:
    """The first rule that fits."""
    wall_s = reading.wall_s
    if wall_s < limits.BUILD_S:
        return BEFORE
    if reading.vouched == PERSON:
        return SET
    if reading.vouched == SOURCE:
        likely = wall_s <= what.latest_s or (before is not None and _insists(before, reading))
        return VOUCHED if likely else BEYOND
    if before and before.seen:
        return _unvouched(before, reading)
    if wall_s < what.floor_s:
        return BEHIND
    up_s = reading.monotonic_ns // SECOND_NS
    if what.moved and wall_s - what.floor_s <= up_s + up_s // _MOVED_DRIFT + _MOVED_SLACK_S:
        return MOVED
    return LIKELY if wall_s <= what.latest_s else BEYOND


def _unvouched(before: Belief, reading: Reading) -> str:
    """A clock that was believed, or that has come back to the time that was counted."""
    if abs(reading.wall_s - _counted_s(before, reading)) <= DAY_S:
        return before.seen
    stands = abs(reading.wall_s - before.since_s) * 100 <= _elapsed_s(before, reading)
    return STANDS if stands else JUMPED


def _claim(claim: tuple[int, int] | None, reading: Reading) -> tuple[int, int]:
    """What a source claims, since it began to."""
    if claim and abs(claim[0] - _ahead_s(reading)) <= DAY_S:
        return claim
    return _ahead_s(reading), reading.monotonic_ns


def _insists(before: Belief, reading: Reading) -> bool:
    """Whether a source has said the same for a day."""
    if before.claim is None:
        return False
    ahead_s, since_ns = before.claim
    same = abs(ahead_s - _ahead_s(reading)) <= DAY_S
    return same and reading.monotonic_ns - since_ns >= DAY_S * SECOND_NS


def _ahead_s(reading: Reading) -> int:
    return reading.wall_s - reading.monotonic_ns // SECOND_NS


def _elapsed_s(belief: Belief, reading: Reading) -> int:
    return (reading.monotonic_ns - belief.since_ns) // SECOND_NS


def _counted_s(belief: Belief, reading: Reading) -> int:
    return belief.since_s + _elapsed_s(belief, reading)
