"""The transition table is exact: a walk over every pair of state and event takes each arrow of it.

The walk goes breadth first from a realm without records. At each engine that it meets it tries each
event of `EVENTS`, a power cut and each policy; of engines of one shape the first goes on for all.
Time stands still: a deadline is an event, so its length decides nothing here.
"""

import typing
from collections.abc import Iterator
from functools import cache

from agent.enrolment.actions import Policy, Stored
from agent.enrolment.attempt import Attempt
from agent.enrolment.engine import Engine, Refused
from agent.enrolment.retries import Tries
from agent.enrolment.states import (
    AS_STORED,
    RESTING,
    TABLE,
    Abort,
    CaAnswered,
    Chosen,
    Configured,
    Due,
    Event,
    Granted,
    Installed,
    JobFailed,
    Listed,
    NextCa,
    NotStored,
    Removed,
    Restart,
    State,
    Waiting,
)
from hal.records import CaRecord
from tests.helpers.engine_bench import (
    FETCHED,
    FULL,
    HELD,
    ISSUED,
    PINNED,
    RENEWED_RA,
    T0,
    application,
    busy,
    network,
    verdict,
)

POLICIES = (
    PINNED._replace(poll_times=2),
    Policy(None, 1, 1),
    PINNED._replace(poll_times=1, fingerprint=("sha256", "another")),
)
LOCAL = HELD._replace(certificate=ISSUED)


def _trusted() -> CaRecord:
    engine = Engine(Stored(), PINNED)
    for event in (application("t1"), FETCHED):
        engine.handle(event, T0)
    assert engine.stored.ca is not None
    return engine.stored.ca


SHORT = ISSUED._replace(der=b"short", serial="77", not_after_s=ISSUED.not_after_s - 1)
EVENTS: tuple[Event, ...] = (
    application("t1"),
    application("t2", attended=False)._replace(password="corrected"),
    FETCHED,
    RENEWED_RA,
    CaAnswered(True),
    CaAnswered(False),
    Chosen(True),
    Chosen(False),
    Granted(ISSUED, ()),
    Granted(SHORT, ()),
    Waiting(),
    network(),
    busy(),
    verdict(),
    verdict("ca-badCertId"),
    verdict("certrep-signer"),
    verdict("http-failed"),
    verdict("issued-key"),
    Due(),
    Configured(),
    Listed((("2a", "keyCompromise"),)),
    NotStored(FULL),
    Abort(),
    Installed(local=LOCAL),
    NextCa(_trusted()),
    Removed("ca"),
    Removed("local"),
)

Arrow = tuple[State, str, str]  # state, event, target


def _shape(engine: Engine) -> tuple[object, ...]:
    """What decides how an engine goes on; the bytes of its records do not."""
    ca, _request, local, _next, outcome = engine.stored
    request = engine.request
    memory = {name: getattr(engine, name) for name in Attempt.__slots__ if name.startswith("_")}
    flash, committed = memory.pop("_in_flash"), memory.pop("_committed")
    for when in ("_refusals", "_failure_ns", "_pace"):
        del memory[when]  # it decides when, not where
    if engine.state in RESTING:  # an application begins with a memory of its own
        assert memory["_draft"] is None
        memory.clear()
    return (
        engine.state,
        engine.policy.fingerprint,
        ca.pin if ca else None,
        (request.phase, min(request.polls, 3)) if request else None,
        local is None,
        bool(outcome and outcome.error),
        None if committed is flash else flash.state,
        *(value if isinstance(value, Tries | bool) else _error(value) for value in memory.values()),
    )


def _error(value: object) -> object:
    return value.error.code if isinstance(value, JobFailed) else value is None


def _ways_on(engine: Engine) -> Iterator[tuple[Engine, Event | None]]:
    """The engine after a change of the policy (no event), after a power cut, or before an event."""
    for policy in POLICIES:
        if policy != engine.policy:
            changed = _copied(engine)
            changed.policy = policy
            yield changed, None
    yield Engine(engine.stored, engine.policy), Restart()
    for event in (*EVENTS, *_imports(engine.stored)):
        yield _copied(engine), event


def _copied(engine: Engine) -> Engine:
    """As `copy.copy`, which takes three times as long and most of the walk."""
    copied = object.__new__(Engine)
    for name in Attempt.__slots__:
        setattr(copied, name, getattr(engine, name))
    return copied


def _imports(stored: Stored) -> list[Event]:
    return [Installed(ca=stored.ca)] if stored.ca else []


def _step(engine: Engine, event: Event) -> Arrow | None:
    """The arrow that the event takes; None: the table has no row for it, and nothing changes."""
    before, stored = engine.state, engine.stored
    row = TABLE.get((before, type(event)))
    nothing_to_end = isinstance(event, Abort) and engine.request is None
    if row is None or nothing_to_end:
        assert _is_refused(engine, event)
        assert (engine.state, engine.stored) == (before, stored)
        return None
    engine.handle(event, T0)  # Refused: a transition that is not in the table
    targets = row[1]
    as_stored = engine.state not in targets
    assert not as_stored or engine.state is engine.stored.at_rest
    return before, type(event).__name__, AS_STORED if as_stored else engine.state.name


def _is_refused(engine: Engine, event: Event) -> bool:
    """As `pytest.raises`, which costs as much as all else in a step."""
    try:
        engine.handle(event, T0)
    except Refused:
        return True
    return False


@cache
def _walk() -> tuple[frozenset[Arrow], frozenset[tuple[State, type]], int]:
    """The arrows that were taken, the pairs that were tried, and how many engines were met."""
    start = Engine(Stored(), POLICIES[0])
    known, wave = {_shape(start)}, [start]
    arrows: set[Arrow] = set()
    pairs: set[tuple[State, type]] = set()
    while wave:
        following = []
        for engine in wave:
            for one, event in _ways_on(engine):
                if event is not None:
                    pairs.add((one.state, type(event)))
                    arrow = _step(one, event)
                    if arrow is None:
                        continue
                    arrows.add(arrow)
                shape = _shape(one)
                if shape not in known:
                    known.add(shape)
                    following.append(one)
        wave = following
    return frozenset(arrows), frozenset(pairs), len(known)


def _configured_while_the_ca_set_is_fetched() -> Arrow | None:
    """An older request looks like the new one, until `compatibility` changes how that is made.

    The walk has no renewals, which would double it; this arrow needs one.
    """
    engine = Engine(Stored(local=LOCAL), PINNED)
    asked = application("t2")._replace(renewable=True)
    for event in (application("t1"), FETCHED, network(), asked, verdict("http-failed")):
        engine.handle(event, T0)
    engine.policy = PINNED._replace(compatibility=("renew-by-signed-pkcsreq",))
    return _step(engine, FETCHED)


def test_each_arrow_of_the_table_can_be_taken_and_no_other() -> None:
    drawn = {
        (state, event.__name__, target if target == AS_STORED else target.name)
        for (state, event), (_handler, targets) in TABLE.items()
        for target in targets
    }
    walked, _pairs, count = _walk()
    arrows = {*walked, _configured_while_the_ca_set_is_fetched()}
    print(f"walk: engines={count} arrows={len(arrows)}")
    assert sorted(map(str, drawn - arrows)) == [], "arrows that nothing can take"
    assert sorted(map(str, arrows - drawn)) == [], "arrows that are not drawn"


def test_the_walk_tries_every_pair() -> None:
    """`Restart` is the first event of an engine, so it meets only what flash can tell of."""
    _arrows, pairs, _count = _walk()
    every = {(state, event) for state in State for event in typing.get_args(Event)}
    assert {(s, e) for s, e in every - pairs if e is not Restart} == set()
    assert {pair for pair in pairs if pair[1] is Restart} <= set(TABLE)
