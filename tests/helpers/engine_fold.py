"""Time in the graph of the engine, folded: the shape by which a node is known, and what time does.

A shape has no lengths. It says which moments of the certificates are ahead, in their order. Time is
free in the folded graph: a moment comes while all that counts by elapsed time stays as it is, and
each of those times passes while all moments stay where they are. What real lengths do is one of the
ways that are left by this, so a walk with real lengths meets no shape that the folded graph does
not have.

A shape has nothing that decides nothing from there on:
* a pause: it ends at any time, so each realm at rest is one whose pause is over, and a look that
  comes sooner changes nothing;
* who asked for a request that has left: that decides when it is granted, and each grant is a way
  for a person and one for nobody (`_granted`);
* what a poll has looked for: a set that brings no news ends as silence does;
* the day of the budget while a request is under way, which begins anew with its end
  (`_counts_days`);
* the pin under which a certificate came: there is one CA, which is trusted or not.

A day is told apart by half of it, which is the shortest one that jitter makes, and by half of the
longest one where a change of the certificate may change the length of a day (`_parts_s`).
"""

from collections.abc import Iterator
from typing import Any

from agent import limits
from agent.enrolment import automatic
from agent.enrolment.actions import Stored
from agent.enrolment.states import RESTING, TABLE, Apply, Granted, State, is_under_way
from hal.records import RequestRecord
from tests.helpers.engine_graph import (
    AUTO,
    CLOCKS,
    DAY_S,
    SECOND_NS,
    SETTINGS,
    TYPED,
    UNSIGNED,
    Node,
    Step,
    Way,
    _error,
    at_once,
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
    parts_s, held = _parts_s(node, face), _held(stored)
    return (
        engine.state,
        now[2:],
        engine.policy.fingerprint == AUTO.fingerprint,
        stored.ca is None,
        _request(engine.request, node),
        _request(flash.request, node),
        held,
        held if flash is stored else _held(flash),
        _order(node),
        outcome and (outcome.error is None, outcome.anew),
        flash.outcome and flash.outcome.error is None,
        _asked(stored),
        min(len(node.owed), limits.REQUESTS_LAST),
        parts_s[0] < parts_s[-1],
        CLOCKS in face and 2 * parts_s[0] < limits.TIMELESS_S,
        _day(node, face, parts_s) if _counts_days(node) else None,
        _is_timeless(node) and _is_young(node),
        (heir := _heir(node)) and heir.attended,
    )


def _asked(stored: Stored) -> int:
    return min(stored.outcome.requests, limits.REQUESTS_LAST) if stored.outcome else 0


def _request(request: RequestRecord | None, node: Node) -> Shape | None:
    """Once it has left, whether a person waits decides when it is granted alone (`_granted`)."""
    stored = node.engine.stored
    if request is None:
        return None
    signer = request.renewal and request.renewal.certificate
    known = [held.certificate for held in (stored.local, stored.next) if held]
    signs = str(known.index(signer)) if signer in known else signer is None
    return request.phase, signs, request.phase == "fetching" and request.attended


def _held(stored: Stored) -> Shape:
    """The end of the one in use is compared with no other while one waits."""
    local, waits = stored.local, stored.next
    return (
        local and (local.revoked, waits is None and local.ends_as_before),
        waits and (waits.revoked, waits.ends_as_before),
    )


def _ahead(node: Node) -> list[tuple[int, str]]:
    """The moments that have not come, in their order."""
    now_s = node.now.wall_s
    return sorted((moment_s, name) for name, moment_s in moments(node) if moment_s > now_s)


def _order(node: Node) -> Shape:
    """Their names; those of one second together."""
    names, before_s = [], None
    for moment_s, name in _ahead(node):
        if moment_s != before_s:
            names.append("|")
        names.append(name)
        before_s = moment_s
    return tuple(names)


def _is_young(node: Node) -> bool:
    """A start is so short ago that a time source may come."""
    young_ns = limits.TIMELESS_S * SECOND_NS
    return node.now.monotonic_ns - node.engine.pace.started_ns < young_ns


def _is_timeless(node: Node) -> bool:
    return not node.now.trusted and not node.now.counted


def _heir(node: Node) -> Apply | None:
    """The application that may follow; no answer to a question leads to it."""
    engine = node.engine
    return engine._next_application if engine.state in (State.SENT, State.RECOVERING) else None


# -- the day of the budget -------------------------------------------------------------------------


def is_a_day_ago(node: Node) -> bool:
    """Whether the last request has left so long ago that another one may, by the clock that says
    more: one may have been set back. A start that did not know the time has waited for an hour."""
    ages, half_s = _ages_s(node), _half_s(node)
    least_s = min(half_s, limits.TIMELESS_S) if node.left.blind else half_s
    return max(ages["left"], ages["wall left"]) >= least_s


def _ages_s(node: Node) -> dict[str, int]:
    """How long ago each of the times is by which a day counts."""
    now, pace, stored = node.now, node.engine.pace, node.engine.stored
    asked_ns = pace.started_ns if pace.asked_ns is None else pace.asked_ns
    ages = {"asked": (now.monotonic_ns - asked_ns) // SECOND_NS}
    for name, left in (("left", node.left), ("before", node.before)):
        ages[name] = (now.monotonic_ns - left.monotonic_ns) // SECOND_NS
        ages[f"wall {name}"] = now.wall_s - left.wall_s
    for name, outcome in (("wall memory", stored.outcome), ("wall flash", node.flash.outcome)):
        if outcome:
            ages[name] = now.wall_s - outcome.at_s
    return ages


def _counts_days(node: Node) -> bool:
    """Whether the budget may be asked, by a day that has begun, before another request has left. A
    request that is under way ends, and the day begins with that; or the CA refuses it by its
    signature, and it does not count."""
    engine, asked = node.engine, _asked(node.engine.stored)
    if engine.state is State.FETCHING or _heir(node) or asked > limits.REQUESTS:
        return asked >= limits.REQUESTS
    rests = engine.state in RESTING and not is_under_way(engine.stored.state)
    return rests and asked >= limits.REQUESTS


def _half_s(node: Node) -> int:
    return automatic.place(node.engine.stored, node.engine.policy, node.now).day_s // 2


def _parts_s(node: Node, face: frozenset[str]) -> tuple[int, ...]:
    """The ages at which a day is over: now, and where the day may become another one while it runs,
    the longest. It does with the certificate that counts: it is removed, or of another CA, or comes
    into use. Where a shorter life is learnt, a day begins."""
    fixed = node.engine.policy.at_once and not face & {TYPED, SETTINGS}
    return (_half_s(node),) if fixed else (_half_s(node), DAY_S // 2)


def _day(node: Node, face: frozenset[str], parts_s: tuple[int, ...]) -> Shape:
    """Where the day of the budget is, in memory and after a cut. The last request is a day ago
    when that day is over, in an engine without a fault. A clock that jumps leaves in flash any age
    (`_cuts`)."""
    blind, ages = node.engine.pace.asked_ns is None, _ages_s(node)
    asked, flash = (
        sum(age_s >= part_s for part_s in parts_s)
        for age_s in (ages["asked"], ages.get("wall flash", DAY_S))
    )
    if blind:
        asked = int(ages["asked"] >= min(2 * parts_s[0], limits.TIMELESS_S))
    wanted = node.engine.state in (*RESTING, State.FETCHING)
    too_young = wanted and not is_a_day_ago(node)
    later = flash > 0 and too_young if CLOCKS in face else flash if flash > asked else 0
    return blind, asked, asked > 0 and too_young, later


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
                node.left = node.left._replace(monotonic_ns=then_ns)
            case "before":
                node.before = node.before._replace(monotonic_ns=then_ns)
            case "wall left":
                node.left = node.left._replace(wall_s=then_s)
            case "wall before":
                node.before = node.before._replace(wall_s=then_s)
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


def rested(node: Node) -> Node:
    """The same with its pause over: a pause decides when a realm at rest acts, and nothing else."""
    paused_ns = min(node.engine.pace.paused_ns, node.now.monotonic_ns)
    node.engine._pace = node.engine.pace._replace(paused_ns=paused_ns)
    return node


def folded(node: Node, face: frozenset[str]) -> Iterator[Way]:
    """All that may happen to any of the nodes of this shape."""
    yield from at_once(node, face)
    yield from later(node, "look", 0)
    if node.engine.state is State.CHOOSING:  # a look ends the question
        yield from late(node)
    else:
        for moment_s, name in _ahead(node)[:1]:
            yield f"{name} comes", _came(moment_s)
    if _is_timeless(node) and _is_young(node):
        yield "the hour is over", _grown
    if CLOCKS in face and not _is_timeless(node) and node.engine.pace.asked_ns is not None:
        yield from _timeless(node)
    if _counts_days(node):
        yield from _agings(node, face)
    yield from _cuts(node, face)
    if node.engine.state is State.FETCHING:
        yield from _noted(node)
    if TYPED in face or not node.engine.policy.at_once:
        yield from _granted(node, face)


def _granted(node: Node, face: frozenset[str]) -> Iterator[Way]:
    """For a person, for one whose certificate waits for its turn, and for nobody: a request that
    has left does not tell them apart in the shape. The point of a shorter life comes before its
    turn, or behind it."""
    engine, request = node.engine, node.engine.request
    if (engine.state, Granted) not in TABLE or request is None:
        return
    kinds = ("whole", "shorter", "same end")
    found = {kind: node.granted(kind) for kind in kinds}
    if not engine.policy.at_once:
        found |= {f"shorter, {h} h": node.granted("shorter", h * HOUR_S) for h in (1, 10)}
    for attended, by_rule in ((False, False), (True, False), (True, True)):
        asked = request._replace(attended=attended, by_rule=by_rule)
        for kind, event in found.items():
            new = kind not in kinds if asked == request else TYPED in face
            if event and new:
                yield f"{kind}, {attended:d} {by_rule:d}", _as_asked(asked, event)


def _as_asked(request: RequestRecord, event: Granted) -> Step:
    def change(other: Node) -> None:
        other.engine.stored = other.engine.stored._replace(request=request)
        other.tell(event)

    return change


def _came(moment_s: int) -> Step:
    """A moment comes, while all that counts by elapsed time stays as it is."""

    def change(other: Node) -> None:
        ages = _ages_s(other)
        started_ns = other.now.monotonic_ns - other.engine.pace.started_ns
        other.passes(moment_s - other.now.wall_s)
        pace = other.engine.pace
        other.engine._pace = pace._replace(started_ns=other.now.monotonic_ns - started_ns)
        if pace.asked_ns is None:
            del ages["asked"]
        _moved(other, ages)

    return change


def _grown(other: Node) -> None:
    """The start is an hour ago; what was before it is so at least."""
    ages, begun_s = _ages_s(other), _since_s(other)
    older = [name for name in ("left", "before", "asked") if ages[name] >= begun_s]
    started_ns = other.now.monotonic_ns - limits.TIMELESS_S * SECOND_NS
    other.engine._pace = other.engine.pace._replace(started_ns=started_ns)
    _moved(other, {name: max(ages[name], limits.TIMELESS_S) for name in older})


def _since_s(node: Node) -> int:
    """How long ago the start was."""
    return (node.now.monotonic_ns - node.engine.pace.started_ns) // SECOND_NS


def _timeless(node: Node) -> Iterator[Way]:
    """The clock is not to be trusted any more, and the start is of another age than it is."""
    age_s = limits.TIMELESS_S if _is_young(node) else 0

    def change(other: Node) -> None:
        other.now = other.now._replace(trusted=False, counted=False)
        started_ns = other.now.monotonic_ns - age_s * SECOND_NS
        other.engine._pace = other.engine.pace._replace(started_ns=started_ns)

    yield f"timeless, {age_s} s", change


def _agings(node: Node, face: frozenset[str]) -> Iterator[Way]:
    """A time becomes half a day ago, with all that are older."""
    parts_s, ages = _parts_s(node, face), _ages_s(node)
    for most_s in {*parts_s, min(2 * parts_s[0], limits.TIMELESS_S)}:
        for least_s in {ages[name] for name in _SHOWN if name in ages}:
            if least_s < most_s:
                yield f"{most_s} s", _aged(ages, least_s, most_s)


_SHOWN = ("asked", "left", "wall left", "wall flash")  # the times that a shape tells of


def _cuts(node: Node, face: frozenset[str]) -> Iterator[Way]:
    """Power fails behind a failure that tells nothing more and has been written all the same; or
    behind a jump of the clock, by which all that is written is so long ago."""
    asked, flash = _asked(node.flash), node.flash
    if asked <= (limits.REQUESTS if is_under_way(flash.state) else limits.REQUESTS - 1):
        return
    yield "cut, young", _cut(0, ("wall flash",))
    if CLOCKS in face and node.now.trusted:
        for age_s in _parts_s(node, face):
            yield f"cut, {age_s} s", _cut(age_s, ("wall flash", "wall left", "wall before"))


def _cut(age_s: int, names: tuple[str, ...]) -> Step:
    def change(other: Node) -> None:
        _moved(other, dict.fromkeys(names, age_s))
        other.cut()

    return change


def _noted(node: Node) -> Iterator[Way]:
    """Another failure than the last one is written, since that was so long ago; or it is not."""
    outcome = node.flash.outcome
    last = outcome.error.get("error") if outcome and outcome.error else None
    code = next(code for code in UNSIGNED if code != last)
    for name, ago in (("noted", True), ("unnoted", False)):

        def fails(other: Node, ago: bool = ago) -> Any:
            other.engine._failure_ns = None if ago else other.now.monotonic_ns
            return other.tell(_error(code))

        yield f"{code} {name}", fails
