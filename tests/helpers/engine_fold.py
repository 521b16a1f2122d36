"""Time in the graph of the engine, folded: the shape by which a node is known, and what time does.

A shape has no lengths. It says which moments of the certificates are ahead, in their order, and of
each pause whether it is over. The lengths of pauses differ by their jitter, so in the folded graph
time is free: the next moment comes while all pauses stay as they are, and each pause ends while all
moments stay where they are. What real lengths do is one of the ways that are left by this, so a
walk with real lengths meets no shape that the folded graph does not have.

The day of the budget is told apart by half of it and by half of the longest one, since a change of
the certificate changes the length of a day.
"""

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any

from agent import limits
from agent.enrolment import automatic
from agent.enrolment.actions import Stored
from agent.enrolment.retries import Tries
from agent.enrolment.states import RESTING, TABLE, Apply, Granted, State
from agent.enrolment.verdicts import is_verdict
from agent.errors import from_map
from hal.records import OutcomeRecord, RequestRecord
from tests.helpers.engine_graph import (
    AUTO,
    CLOCKS,
    DAY_S,
    FULL_FLASH,
    SECOND_NS,
    UNSIGNED,
    Node,
    Step,
    Way,
    _error,
    at_once,
    clocks,
    late,
    later,
    moments,
)
from tests.helpers.engine_life import HOUR_S

Shape = tuple[object, ...]


def shape(node: Node, face: frozenset[str]) -> Shape:
    """What decides how it goes on, with each time in its place and each count capped."""
    engine, flash, now = node.engine, node.flash, node.now
    stored, outcome = engine.stored, engine.stored.outcome
    resting = engine.state in RESTING
    asked = _asked(stored)
    return (
        engine.state,
        now[2:],
        engine.policy.fingerprint == AUTO.fingerprint,
        stored.ca is None,
        _request(engine.request, node, face),
        _request(flash.request, node, face),
        _held(stored),
        _held(flash),
        tuple(name for _moment_s, names in _ahead(node) for name in names),
        outcome and (outcome.error is None, outcome.anew),
        flash.outcome and flash.outcome.error is None,
        asked,
        min(len(node.owed), limits.REQUESTS_LAST),
        _half_s(node) < DAY_S // 2,
        _day(node, face) if asked >= limits.REQUESTS else None,
        _is_timeless(node) and _is_young(node),
        resting and _is_paused(node),
        resting or _memory(node, face),
    )


def _asked(stored: Stored) -> int:
    return min(stored.outcome.requests, limits.REQUESTS_LAST) if stored.outcome else 0


def _request(request: RequestRecord | None, node: Node, face: frozenset[str]) -> object:
    stored = node.engine.stored
    if request is None:
        return None
    signer = request.renewal and request.renewal.certificate
    known = [held.certificate for held in (stored.local, stored.next) if held]
    signs = known.index(signer) if signer in known else signer is None
    return request.phase, signs, request.attended, _by_rule(request, node, face)


def _by_rule(of: RequestRecord | Apply, node: Node, face: frozenset[str]) -> bool:
    """It decides nothing where each certificate is put into use at once; a clock that is set back
    has it wait until it begins."""
    return of.by_rule and (CLOCKS in face or not node.engine.policy.at_once)


def _held(stored: Stored) -> object:
    return [
        held and (held.revoked, held.ends_as_before, bool(held.pin))
        for held in (stored.local, stored.next)
    ].__repr__()


def _ahead(node: Node) -> list[tuple[int, list[str]]]:
    """The moments that have not come, in their order; those of one second together."""
    now_s = node.now.wall_s
    ahead = sorted((moment_s, name) for name, moment_s in moments(node) if moment_s > now_s)
    return [
        (moment_s, ["|", *(name for _moment_s, name in same)])
        for moment_s, same in groupby(ahead, itemgetter(0))
    ]


def _is_paused(node: Node) -> bool:
    return node.engine.pace.paused_ns > node.now.monotonic_ns


def _is_young(node: Node) -> bool:
    """A start is so short ago that a time source may come."""
    young_ns = limits.TIMELESS_S * SECOND_NS
    return node.now.monotonic_ns - node.engine.pace.started_ns < young_ns


def _is_timeless(node: Node) -> bool:
    return not node.now.trusted and not node.now.counted


def _memory(node: Node, face: frozenset[str]) -> Shape:
    engine = node.engine
    heir = engine._next_application
    return (
        engine._attended,
        engine._tries != Tries(),
        engine._draft is None,
        engine._stale_failure is None,
        heir and (heir.attended, _by_rule(heir, node, face)),
    )


# -- the day of the budget -------------------------------------------------------------------------


def is_a_day_ago(node: Node) -> bool:
    """Whether the last request has left so long ago that another one may, by the clock that says
    more: one may have been set back. A start that did not know the time has waited for an hour."""
    ages, half_s = _ages_s(node), _half_s(node)
    least_s = min(half_s, limits.TIMELESS_S) if node.blind else half_s
    return max(ages["left"], ages["wall left"]) >= least_s


def _ages_s(node: Node) -> dict[str, int]:
    """How long ago each of the times is by which a day counts."""
    now, pace, stored = node.now, node.engine.pace, node.engine.stored
    asked_ns = pace.started_ns if pace.asked_ns is None else pace.asked_ns
    ages = {"asked": (now.monotonic_ns - asked_ns) // SECOND_NS}
    for name, (wall_s, monotonic_ns) in (("left", node.left), ("before", node.before)):
        ages[name] = (now.monotonic_ns - monotonic_ns) // SECOND_NS
        ages[f"wall {name}"] = now.wall_s - wall_s
    for name, outcome in (("wall memory", stored.outcome), ("wall flash", node.flash.outcome)):
        if outcome:
            ages[name] = now.wall_s - outcome.at_s
    return ages


def _half_s(node: Node) -> int:
    return automatic.place(node.engine.stored, node.engine.policy, node.now).day_s // 2


def _day(node: Node, face: frozenset[str]) -> Shape:
    """Where the day of the budget is, in memory and after a cut. The last request is a day ago
    when that day is over, in an engine without a fault."""
    half_s, blind, ages = _half_s(node), node.engine.pace.asked_ns is None, _ages_s(node)
    asked, flash = (
        (age_s >= 0) + (age_s >= half_s) + (age_s >= DAY_S // 2)
        for age_s in (ages["asked"], ages.get("wall flash", DAY_S))
    )
    if blind:
        asked = int(ages["asked"] >= min(2 * half_s, limits.TIMELESS_S))
    wanted = node.engine.state in (*RESTING, State.FETCHING)
    faulty = wanted and asked > 1 and not is_a_day_ago(node)
    return blind, asked, faulty, flash if CLOCKS in face or flash > asked else 0


def _aged(ages: dict[str, int], least_s: int, most_s: int) -> Step:
    """Time passes for those that are at least so long ago, until all of them are `most_s` ago."""

    def change(other: Node) -> None:
        moved = {name: most_s for name, age_s in ages.items() if least_s <= age_s < most_s}
        _moved(other, moved)

    return change


def _moved(node: Node, ages: dict[str, int]) -> None:
    """The times become so long ago."""
    now, engine = node.now, node.engine
    for name, age_s in ages.items():
        then_s, then_ns = now.wall_s - age_s, now.monotonic_ns - age_s * SECOND_NS
        match name:
            case "asked" if engine.pace.asked_ns is None:
                engine._pace = engine.pace._replace(started_ns=then_ns)
            case "asked":
                engine._pace = engine.pace._replace(asked_ns=then_ns)
            case "left":
                node.left = node.left[0], then_ns
            case "before":
                node.before = node.before[0], then_ns
            case "wall left":
                node.left = then_s, node.left[1]
            case "wall before":
                node.before = then_s, node.before[1]
    _dated(node, ages.get("wall memory"), ages.get("wall flash"))


def _dated(node: Node, memory_s: int | None, flash_s: int | None) -> None:
    """The outcomes in memory and in flash become so long ago; what is one of them stays one."""
    engine, changed = node.engine, dict[int, Stored]()
    if flash_s is not None:
        changed[id(node.flash)] = _at(node.flash, node.now.wall_s - flash_s)
    if memory_s is not None and engine.stored is not node.flash:
        changed[id(engine.stored)] = _at(engine.stored, node.now.wall_s - memory_s)
    for name in ("stored", "_in_flash", "_committed"):
        setattr(engine, name, changed.get(id(getattr(engine, name)), getattr(engine, name)))
    node.flash = changed.get(id(node.flash), node.flash)


def _at(stored: Stored, at_s: int) -> Stored:
    outcome = stored.outcome
    return stored._replace(outcome=outcome and outcome._replace(at_s=at_s))


# -- what time does --------------------------------------------------------------------------------


def folded(node: Node, face: frozenset[str]) -> Iterator[Way]:
    """All that may happen to any of the nodes of this shape."""
    yield from at_once(node, face)
    yield from later("look", 0)
    if node.engine.state is State.CHOOSING:  # a look ends the question
        yield from late(node)
    else:
        for moment_s, names in _ahead(node)[:1]:
            yield " ".join(names), _came(moment_s)
    if node.engine.state in RESTING:
        yield from _pauses(node, face)
    if _is_timeless(node) and _is_young(node):
        yield "the hour is over", _grown
    if CLOCKS in face and not _is_timeless(node):
        yield "timeless, young", _timeless(0)
        yield "timeless, grown", _timeless(limits.TIMELESS_S)
    if _asked(node.engine.stored) >= limits.REQUESTS:
        yield from _agings(node, face)
    yield from _cuts(node)
    if node.engine.state is State.FETCHING:
        yield from _noted()
    if CLOCKS in face:
        yield from _jumps(node)
    if not node.engine.policy.at_once:
        yield from _short_lives(node)


def _jumps(node: Node) -> Iterator[Way]:
    """A clock that jumps may leave anything of a day, or nothing."""
    if _asked(node.engine.stored) < limits.REQUESTS:
        return
    for name, jump in clocks(node):
        if name in ("back", "ahead"):
            for age_s in (-1, 0, _half_s(node), DAY_S // 2):

                def jumped(other: Node, jump: Step = jump, age_s: int = age_s) -> None:
                    jump(other)
                    _moved(other, {"wall left": age_s, "wall memory": age_s, "wall flash": age_s})

                yield f"{name}, {age_s} s", jumped


def _short_lives(node: Node) -> Iterator[Way]:
    """The point of a shorter life comes before its turn, or behind it."""
    if node.engine.state not in RESTING and node.engine.state is not State.FETCHING:
        for hours in (1, 10):
            granted = node.granted("shorter", hours * HOUR_S)
            if granted and (node.engine.state, Granted) in TABLE:
                yield f"shorter, {hours} h", lambda other, event=granted: other.tell(event)


def _came(moment_s: int) -> Step:
    """A moment comes, while all pauses stay as they are."""

    def change(other: Node) -> None:
        ages = _ages_s(other)
        paused_s = _is_paused(other)
        started_ns = other.now.monotonic_ns - other.engine.pace.started_ns
        other.passes(moment_s - other.now.wall_s)
        pace = other.engine.pace
        other.engine._pace = pace._replace(started_ns=other.now.monotonic_ns - started_ns)
        if pace.asked_ns is None:
            del ages["asked"]
        _moved(other, ages)
        if paused_s:
            _paused(1)(other)

    return change


def _paused(rest_s: int) -> Step:
    def change(other: Node) -> None:
        paused_ns = other.now.monotonic_ns + rest_s * SECOND_NS
        other.engine._pace = other.engine.pace._replace(paused_ns=paused_ns)

    return change


def _pauses(node: Node, face: frozenset[str]) -> Iterator[Way]:
    """A pause ends. A flash that takes nothing leaves the one of before the application."""
    if _is_paused(node):
        yield "the pause is over", _paused(0)
    elif FULL_FLASH in face:
        yield "the older pause", _paused(1)


def _grown(other: Node) -> None:
    started_ns = other.now.monotonic_ns - limits.TIMELESS_S * SECOND_NS
    other.engine._pace = other.engine.pace._replace(started_ns=started_ns)


def _timeless(age_s: int) -> Step:
    """The clock is not to be trusted any more, so long after a start."""

    def change(other: Node) -> None:
        other.now = other.now._replace(trusted=False, counted=False)
        if other.engine.pace.asked_ns is not None:
            started_ns = other.now.monotonic_ns - age_s * SECOND_NS
            other.engine._pace = other.engine.pace._replace(started_ns=started_ns)

    return change


def _agings(node: Node, face: frozenset[str]) -> Iterator[Way]:
    """A time becomes half a day ago, with all that are older: by both clocks, or by one of them."""
    ages = _ages_s(node)
    wall = {name: age_s for name, age_s in ages.items() if name.startswith("wall")}
    other = {name: age_s for name, age_s in ages.items() if name not in wall}
    for clock, times in ((" all", ages), (" wall", wall), (" elapsed", other)):
        if clock == " all" or CLOCKS in face:
            half_s = _half_s(node)
            for most_s in {0, half_s, min(2 * half_s, limits.TIMELESS_S), DAY_S // 2}:
                for least_s in {age_s for age_s in times.values() if age_s < most_s}:
                    yield f"{most_s} s{clock}", _aged(times, least_s, most_s)


def _cuts(node: Node) -> Iterator[Way]:
    """Something of a day is left then, or nothing."""
    outcome = node.flash.outcome
    if outcome and (_asked(node.flash) >= limits.REQUESTS or _is_refused(outcome)):
        for name, rest_s in (("free", 0), ("held", 1), ("young", 1)):

            def cut(other: Node, rest_s: int = rest_s, young: bool = name == "young") -> None:
                if young:  # a failure that tells nothing more has been written all the same
                    _dated(other, None, 0)
                other.cut()
                _paused(rest_s)(other)

            yield f"cut {name}", cut


def _is_refused(outcome: OutcomeRecord) -> bool:
    return outcome.error is not None and is_verdict(from_map(outcome.error))


def _noted() -> Iterator[Way]:
    """A failure that is written, since the last one was so long ago; and one that is not."""
    for code in UNSIGNED:
        for name, ago in (("noted", True), ("unnoted", False)):

            def fails(other: Node, code: str = code, ago: bool = ago) -> Any:
                other.engine._failure_ns = None if ago else other.now.monotonic_ns
                return other.tell(_error(code))

            yield f"{code} {name}", fails
