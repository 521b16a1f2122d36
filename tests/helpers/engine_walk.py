"""The walk over the graph of the engine: what each edge must keep, and how nodes are told apart.

The walk goes breadth first and knows a node by its shape: each time in it is folded to its place
among the moments that the schedule tells apart (before the renewal point, in the window, in its
last tenth, behind the end), each count to the numbers that decide. So it comes to an end: the graph
is closed when no edge leads to a shape that is new. The lengths of pauses differ by their jitter,
so a node stands for others that are not quite like it: strolls by chance, with their real times,
look for those, and the walk goes on from each of them.
"""

import random
from collections.abc import Iterator
from typing import Any

from agent import limits
from agent.enrolment import automatic, drafts, pins, verdicts
from agent.enrolment.actions import Policy, Stored
from agent.enrolment.engine import Engine
from agent.enrolment.retries import Tries
from agent.enrolment.states import RESTING, Restart, State, is_under_way
from agent.errors import from_map
from hal.records import LocalRecord, RequestRecord
from tests.helpers.engine_graph import ALL, AUTO, LIFE_S, SECOND_NS, Node, ways

Edge = tuple[Node, str, Node]
STROLL = 100  # steps; then it begins anew, since serial numbers and pauses grow for ever


def shape(node: Node) -> tuple[object, ...]:
    """What decides how it goes on, with each time in its place and each count capped."""
    engine, now = node.engine, node.now
    stored, outcome, request = engine.stored, engine.stored.outcome, engine.request
    asked = min(outcome.requests, limits.REQUESTS_LAST) if outcome else 0
    return (
        engine.state,
        engine.policy.fingerprint == AUTO.fingerprint,
        now.trusted,
        now.counted,
        stored.ca is None,
        _request(request),
        _request(node.flash.request),
        _life(stored.local, node),
        _life(stored.next, node),
        bool(outcome and outcome.anew),
        asked,
        node.flash.state,
        _held(node, node.flash),
        _held(node, _spent(stored)),
        _writes(node),
        _rest(node, asked) if engine.state in RESTING else _memory(node),
    )


def _held(node: Node, stored: Stored) -> bool:
    """Whether a cut leaves something of a day."""
    return automatic.held_s(stored, node.engine.policy, node.now, 0) > 0


def _spent(stored: Stored) -> Stored:
    """The same when the next request has left."""
    spent = stored.outcome and stored.outcome._replace(requests=limits.REQUESTS_LAST)
    return stored._replace(outcome=spent)


def _writes(node: Node) -> bool:
    """Whether a failure is long enough ago for another one to be written."""
    written_ns = node.engine._failure_ns
    return written_ns is None or node.now.monotonic_ns - written_ns >= drafts.NOTED_AGAIN_NS


def _request(request: RequestRecord | None) -> object:
    if request is None:
        return None
    return request.phase, request.renewal is None, request.attended, request.by_rule


def _rest(node: Node, asked: int) -> tuple[object, ...]:
    """At rest the pause counts, and no memory: an application begins with one of its own."""
    engine, now = node.engine, node.now
    outcome = engine.stored.outcome
    error = outcome.error if outcome else None
    return (
        error and verdicts.is_verdict(from_map(error)),
        engine.pace.paused_ns > now.monotonic_ns,
        asked >= limits.REQUESTS and now.wall_s - node.left_s >= _day_s(node) // 2,
    )


def _memory(node: Node) -> tuple[object, ...]:
    engine = node.engine
    heir, outcome = engine._next_application, engine.stored.outcome
    return (
        _decided(node).name,
        node.decided.trusted,
        engine._attended,
        bool(outcome and outcome.error),
        engine._tries != Tries(),
        engine._draft is None,
        engine._stale_failure is None,
        heir and heir.attended,
        engine._shorter is None,
    )


def _decided(node: Node, stored: Stored | None = None) -> automatic.Place:
    """Where the schedule was when the application began."""
    return automatic.place(stored or node.engine.stored, node.engine.policy, node.decided)


def _life(held: LocalRecord | None, node: Node) -> object:
    if held is None:
        return None
    now_s, stored, policy = node.now.wall_s, node.engine.stored, node.engine.policy
    point_s = automatic.point_s(held, stored, policy)
    window_s = held.end_s - point_s
    moments = (held.certificate.not_before_s, point_s, held.end_s - window_s // 10, held.end_s)
    place = sum(now_s >= moment_s for moment_s in moments)
    return place, held.revoked, held.ends_as_before


def _day_s(node: Node) -> int:
    return automatic.place(node.engine.stored, node.engine.policy, node.now).day_s


# -- what must hold --------------------------------------------------------------------------------

GIVES = {
    "whole",
    "same end",
    "shorter",
    "yes",
    "imported",
    "removed",
}  # edges that may change what is served


def violations(edge: Edge) -> Iterator[str]:
    """What an edge breaks of the invariants."""
    before, name, after = edge
    yield from _of_identity(before, name, after)
    yield from _of_requests(before, after)
    yield from _of_times(after)


def _of_identity(before: Node, name: str, after: Node) -> Iterator[str]:
    """What is served changes by a certificate that was granted, by its turn, or by a person."""
    old, new = before.flash.local, after.flash.local
    if old and new is None and name.split()[0] != "removed":
        yield "a certificate is gone"
    if old and new and old.certificate != new.certificate:
        waited = before.flash.next
        took_over = waited is not None and waited.certificate == new.certificate
        if not took_over and not set(name.split(" full")) & GIVES:
            yield "what is served has changed by nothing that may"
        if new.end_s < old.end_s and name != "yes" and not took_over and _counts(before):
            yield "what is served ends earlier"
    for held in (after.flash.local, after.flash.next):
        if held and (held.key, held.generation) != ("k1", 1):
            yield "the key is not the one that it was asked for with"
    if after.flash.next and after.flash.local is None and not before.flash.next:
        yield "one waits for nothing"


def _counts(node: Node) -> bool:
    """Whether there is a certificate that a new one is compared with."""
    stored = node.engine.stored
    held = pins.newest(stored, node.engine.policy.fingerprint)
    return held is not None and not held.revoked


def _of_requests(before: Node, after: Node) -> Iterator[str]:
    state, request = after.engine.state, after.flash.request
    if state in (State.SENT, State.PENDING, State.POLLING) and request is None:
        yield "a request has left that is not in flash"
    outcome = after.engine.stored.outcome
    counted = outcome.requests if outcome else 0
    if counted < len(after.owed):
        yield "a certificate may have been issued that is not counted"
    if not after.owed - before.owed:
        return
    here = automatic.place(before.engine.stored, after.engine.policy, after.now)
    then = _decided(after, before.engine.stored)  # a clock may have been set since
    day_s = min(here.day_s, then.day_s) // 2
    if not (after.now.trusted and after.decided.trusted):
        day_s = min(day_s, limits.TIMELESS_S)
    late = {here.name, then.name} & {"last tenth", "expired"}  # which is behind the last tenth
    budget = limits.REQUESTS_LAST if late else limits.REQUESTS
    if len(after.owed) > budget and _waited_s(before, after) < day_s:
        yield "more certificates may have been issued in one renewal than its budget"


def _waited_s(before: Node, after: Node) -> int:
    """Since the last request has left, by the clock that says more: one may have been set back."""
    elapsed_s = (after.now.monotonic_ns - before.left_ns) // SECOND_NS
    return max(elapsed_s, after.now.wall_s - before.left_s)


def _of_times(after: Node) -> Iterator[str]:
    engine, now = after.engine, after.now
    if is_under_way(engine.state):
        waits = engine.state in (State.CHOOSING, State.PENDING)
        if waits and not engine.deadline:
            yield "it waits without a deadline"
        return
    deadline = engine.rearm(now)
    if not deadline:
        yield "nothing comes next"
    if deadline.wall_s is not None and not now.trusted:
        yield "a deadline on a clock that is not trusted"
    if deadline.monotonic_ns is not None and deadline.wall_s is None:
        longest_s = 3 * LIFE_S
        if deadline.monotonic_ns - now.monotonic_ns > longest_s * SECOND_NS:
            yield "the next step is too far away"
    if deadline.wall_s is not None and deadline.wall_s - now.wall_s > 3 * LIFE_S:
        yield "the next step is too far away"


# -- the walk --------------------------------------------------------------------------------------


class Walk:
    """Of a policy and the edges of a face. `known`: the shapes that were met, each with a way to
    it; `faults`: a way to each."""

    def __init__(
        self, policy: Policy, face: frozenset[str] = ALL, kind: type[Engine] = Engine
    ) -> None:
        self.policy, self.face, self._kind = policy, face, kind
        self.known: dict[Any, list[str]] = {}
        self.edges, self.strolled, self.unmet = 0, 0, 0
        self.faults: dict[str, list[str]] = {}

    def line(self) -> str:
        """The figures of the rig."""
        figures = f"states={len(self.known)} edges={self.edges} closed=1"
        strolls = f"unfolded={self.strolled} unmet={self.unmet}"
        return f"engine: {figures} violations={len(self.faults)} {strolls}"

    def born(self) -> Node:
        """A realm that holds nothing."""
        node = Node(self.policy, self._kind)
        node.tell(Restart())
        return node

    def close(self, start: Node, path: list[str]) -> None:
        """All that follows from a node."""
        self.known[shape(start)] = path
        wave = [(start, path)]
        while wave:
            following = []
            for node, way in wave:
                for name, other in ways(node, self.face):
                    self._look((node, name, other), way)
                    if (key := shape(other)) not in self.known:
                        self.known[key] = [*way, name]
                        following.append((other, self.known[key]))
            wave = following

    def stroll(self, steps: int, seed: int) -> None:
        """By chance, so many steps; from each shape that is new the walk goes on."""
        chance = random.Random(seed)
        node, path = self.born(), list[str]()
        for _step in range(steps):
            if len(path) == STROLL:
                node, path = self.born(), []
            name, other = chance.choice(list(ways(node, self.face)))
            self._look((node, name, other), path)
            path = [*path, name]
            if shape(other) not in self.known:
                self.unmet += 1
                self.close(other, path)
            node = other
        self.strolled += steps

    def _look(self, edge: Edge, path: list[str]) -> None:
        self.edges += 1
        for fault in violations(edge):
            self.faults.setdefault(fault, [*path, edge[1]])
