"""The walk over the graph of the engine, and what each edge of it must keep.

The walk goes breadth first and knows a node by its shape (`engine_fold.py`). It comes to an end:
the graph is closed when no edge leads to a shape that is new. Strolls by chance, with their real
times, test the folding: each node that they come to must have a shape that the walk has met.
"""

import random
from collections.abc import Callable, Iterator
from typing import Any

from agent import limits
from agent.enrolment import automatic, pins
from agent.enrolment.actions import Policy
from agent.enrolment.engine import Engine
from agent.enrolment.states import Restart, State, is_under_way
from tests.helpers.engine_fold import folded, is_a_day_ago, rested, shape
from tests.helpers.engine_graph import ALL, LIFE_S, SECOND_NS, Node, followed, ways

Edge = tuple[Node, str, Node]
Path = tuple[Any, str] | None  # the path until then, and an edge: paths share their beginnings
STROLL = 100  # steps; then it begins anew, since serial numbers and pauses grow for ever


# -- what must hold --------------------------------------------------------------------------------

# What the names of edges begin with that may change what is served.
GIVES = ("whole", "same end", "shorter", "yes", "imported", "removed")


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
        if not took_over and not name.startswith(GIVES):
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
    if not after.owed - before.owed or (request and request.attended):
        return
    here = automatic.place(before.engine.stored, after.engine.policy, after.now)
    late = here.name in ("last tenth", "expired")  # which is behind the last tenth
    budget = limits.REQUESTS_LAST if late else limits.REQUESTS
    if len(after.owed) > budget and not is_a_day_ago(before):
        yield "more certificates may have been issued in one renewal than its budget"


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


def _names(path: Path) -> list[str]:
    """Of the edges, in their order."""
    names = []
    while path:
        path, name = path
        names.append(name)
    return names[::-1]


class Walk:
    """Of a policy and the edges of a face. `known`: the shapes that were met; `waves`: steps from
    the start, all of them done; `faults`: a way to each; `unmet`: ways of strolls to shapes that
    were not met."""

    def __init__(
        self, policy: Policy, face: frozenset[str] = ALL, kind: type[Engine] = Engine
    ) -> None:
        self.policy, self.face, self._kind = policy, face, kind
        self.known: set[Any] = set()
        self.edges, self.waves, self.strolled, self.closed = 0, 0, 0, False
        self.unmet: list[list[str]] = []
        self.faults: dict[str, list[str]] = {}

    def line(self) -> str:
        """The figures of the rig."""
        figures = f"states={len(self.known)} edges={self.edges} closed={int(self.closed)}"
        strolls = f"unfolded={self.strolled} unmet={len(self.unmet)}"
        return f"engine: {figures} violations={len(self.faults)} {strolls}"

    def born(self) -> Node:
        """A realm that holds nothing."""
        node = Node(self.policy, self._kind)
        node.tell(Restart())
        return node

    def close(
        self, start: Node, waves: int = 1_000, seen: Callable[["Walk"], None] = lambda _walk: None
    ) -> None:
        """All that follows from a node, in so many steps at most; `seen` is told of each node."""
        self.known.add(shape(start, self.face))
        wave: list[tuple[Node, Path]] = [(rested(start), None)]
        while wave and self.waves < waves:
            following = []
            for node, path in wave:
                for step in folded(node, self.face):
                    if (other := followed(node, step)) is None:
                        continue
                    self.edges += 1
                    self._look((node, step[0], other), path)
                    if (key := shape(other, self.face)) not in self.known:
                        self.known.add(key)
                        following.append((rested(other), (path, step[0])))
                seen(self)
            wave = following
            self.waves += 1
        self.closed = not wave

    def stroll(self, steps: int, seed: int) -> None:
        """By chance, so many steps with real times."""
        chance = random.Random(seed)
        node, path = self.born(), None
        for step in range(steps):
            if step % STROLL == 0:
                node, path = self.born(), None
            found = list(ways(node, self.face))
            while (other := followed(node, way := chance.choice(found))) is None:
                found.remove(way)
            self._look((node, way[0], other), path)
            path = path, way[0]
            if shape(other, self.face) not in self.known:
                self.unmet.append(_names(path))
            node = other
        self.strolled += steps

    def _look(self, edge: Edge, path: Path) -> None:
        for fault in violations(edge):
            if fault not in self.faults:
                self.faults[fault] = _names((path, edge[1]))
