"""The graph of the engine: an engine with its surroundings, and all that can happen to it.

A node is an engine with its flash, its time and what the CA may have issued for it. `ways` are the
edges that lead on from it: each event of its state, a power cut, a flash that takes nothing, the
deadline, a look that comes late, three clocks, and settings. `engine_fold.py` folds the time in it,
`engine_walk.py` walks over it.
"""

from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any, NamedTuple

from agent.enrolment import automatic, verdicts
from agent.enrolment.actions import Commit, Now, Policy, StartJob, Stored
from agent.enrolment.attempt import Attempt
from agent.enrolment.engine import Engine
from agent.enrolment.states import (
    RESTING,
    TABLE,
    Abort,
    Apply,
    CaFetched,
    Chosen,
    Configured,
    Due,
    Event,
    Granted,
    Installed,
    JobFailed,
    Listed,
    NotStored,
    Removed,
    Restart,
    State,
    Waiting,
    is_under_way,
)
from agent.errors import OPERATOR, PeerError, fail
from hal.records import CertificateRecord, LocalRecord
from tests.helpers.engine_bench import FULL
from tests.helpers.engine_life import AUTO, DAY_S, START_S, lasting

LIFE_S = 100 * DAY_S
SECOND_NS = 1_000_000_000
CA = CaFetched((lasting(),), ("AES", "Renewal"))
OTHER = AUTO._replace(fingerprint=("sha256", "of another CA"))
POLICIES = (AUTO._replace(poll_times=1, at_once=True), AUTO._replace(poll_times=1, percent=50))
ERRORS = (
    "connection-timeout", "ca-badRequest", "ca-badCertId", "certrep-signer", "issued-key",
)  # fmt: skip
UNSIGNED = ("connection-timeout", "certrep-signer")
CERTIFICATES = ("whole", "shorter", "same end", "again")


def _error(code: str) -> JobFailed:
    if code in verdicts.FAILURES:
        return JobFailed(PeerError(code, "no", "because", "do", OPERATOR))
    return JobFailed(fail(code, host="ca", what="x", reason="x", count=2))


class Left(NamedTuple):
    """When a request left, by the monotonic clock and by the wall, or when its attempt ended, if
    the clock was set back between them. blind: the last start since then did not know how long ago
    that was."""

    wall_s: int = 0
    monotonic_ns: int = 0
    blind: bool = False

    def counted(self, now: Now) -> "Left":
        """After a start: it counts by its clock, if that is to be trusted."""
        if not now.trusted:
            return self._replace(blind=True)
        then_ns = now.monotonic_ns - (now.wall_s - self.wall_s) * SECOND_NS
        return Left(self.wall_s, min(self.monotonic_ns, then_ns))

    def ended(self, now: Now) -> "Left":
        return self._replace(wall_s=min(self.wall_s, now.wall_s))


class Node:
    """An engine and its surroundings. `owed`: transactions for which the CA may have issued since a
    certificate was stored; `left`: when the last of them left; `before`: the one before it."""

    __slots__ = ("before", "engine", "flash", "left", "now", "owed", "serial")

    def __init__(self, policy: Policy, kind: type[Engine] = Engine) -> None:
        self.engine = kind(Stored(), policy)
        self.flash = Stored()
        self.now = Now(START_S, 10 * DAY_S * SECOND_NS, trusted=True)
        self.owed: frozenset[str] = frozenset()
        self.left, self.before = Left(), Left()
        self.serial = 0

    def copied(self) -> "Node":
        other = object.__new__(Node)
        for name in Node.__slots__:
            setattr(other, name, getattr(self, name))
        other.engine = _same(self.engine)
        return other

    # -- what happens ------------------------------------------------------------------------------

    def tell(self, event: Event, *, full: bool = False) -> list[str]:
        """The names of the actions; `full`: flash takes no commit."""
        names = []
        request, before = self.engine.request, self.engine.state
        for action in self.engine.handle(event, self.now):
            if isinstance(action, Commit) and full:
                self.engine.handle(NotStored(FULL), self.now)
                return [*names, "NotStored"]
            if isinstance(action, Commit):
                self._stored(action.stored)
            if isinstance(action, StartJob) and action.op == "enrol":
                self._left()
            names.append(type(action).__name__)
        if isinstance(event, JobFailed) and event.error.code in verdicts.FAILURES and request:
            self._refused(request.transaction)
        if is_under_way(before) or isinstance(event, Abort):
            self.left = self.left.ended(self.now)
        return names

    def cut(self) -> None:
        """Power fails, and comes back. A start counts by a clock that it may trust."""
        self.left, self.before = self.left.counted(self.now), self.before.counted(self.now)
        self.engine = type(self.engine)(self.flash, self.engine.policy)
        self.tell(Restart())

    def apply(self) -> None:
        self.tell(self.application(attended=False))

    def passes(self, rest_s: int) -> None:
        """So much time, by all clocks."""
        wall_s, monotonic_ns = self.now[:2]
        self.now = self.now._replace(
            wall_s=wall_s + rest_s, monotonic_ns=monotonic_ns + rest_s * SECOND_NS
        )

    def _stored(self, stored: Stored) -> None:
        held = {each.certificate.der for each in (self.flash.local, self.flash.next) if each}
        new = [each for each in (stored.local, stored.next) if each]
        if any(each.certificate.der not in held for each in new):
            self.owed = frozenset()
        self.flash = stored

    def _left(self) -> None:
        request = self.engine.request
        if request and request.transaction not in self.owed:  # else the same bytes once more
            self.owed |= {request.transaction}
            self.before, self.left = self.left, Left(*self.now[:2])

    def _refused(self, transaction: str) -> None:
        """The CA has signed a refusal, and is not asked again: it has not issued."""
        request = self.engine.request
        if self.engine.state is State.FAILED and not (
            request and request.transaction == transaction
        ):
            self.owed -= {transaction}
            self.left = self.before

    def application(self, *, attended: bool, by_rule: bool = False) -> Apply:
        self.serial += 1
        settings: dict[str, object] = {"key_pair": "k1", "entity": {"common_name": "r1"}}
        held = self.engine.stored.local is not None
        return Apply(f"{self.serial:032x}", settings, 1, "sealed", attended, held, by_rule)

    def granted(self, kind: str, life_s: int = LIFE_S) -> Granted | None:
        """A certificate beside the newest one that is held."""
        newest = self.engine.stored.next or self.engine.stored.local
        self.serial += 1
        serial = f"{self.serial:x}"
        begin_s, end_s = self.now.wall_s, self.now.wall_s + life_s
        if kind != "whole" and newest is None:
            return None
        if kind == "again" and newest:
            return Granted(newest.certificate, ())
        if kind == "shorter" and newest:
            end_s = min(end_s, newest.end_s - 1)
        if kind == "same end" and newest:
            end_s = newest.end_s
        if end_s <= begin_s:
            return None
        leaf = CertificateRecord(serial.encode(), "CN=r1", "CN=CA", serial, begin_s, end_s)
        return Granted(leaf, ())


_MEMORY = tuple(Attempt.__slots__)
_remembered = attrgetter(*_MEMORY)


def _same(engine: Engine) -> Engine:
    """Another one with the same memory."""
    other = object.__new__(type(engine))
    for name, value in zip(_MEMORY, _remembered(engine), strict=True):
        setattr(other, name, value)
    return other


# -- the ways on from a node -----------------------------------------------------------------------

# The groups of edges. Each face is closed in itself and small; all of them together is the graph.
TYPED, CLOCKS, SETTINGS, REVOKED, FULL_FLASH = "typed", "clocks", "settings", "revoked", "full"
FACES = {
    "late": frozenset[str](),
    "full": frozenset({FULL_FLASH}),
    "typed": frozenset({TYPED}),
    "clocks": frozenset({CLOCKS}),
    "settings": frozenset({SETTINGS, REVOKED}),
}
ALL = frozenset().union(*FACES.values())

Step = Callable[[Node], object]  # what happens to a copy of a node; False: it cannot happen there
Way = tuple[str, Step]


def ways(node: Node, face: frozenset[str] = ALL) -> Iterator[Way]:
    """All that may happen to a node, with the name of the edge; time passes to the deadline, or
    to one of the moments of the schedule: the device looks late."""
    yield from at_once(node, face)
    if (rest_s := _rest_s(node)) is not None:
        yield from later(node, "due", rest_s)
    yield from late(node)


def late(node: Node) -> Iterator[Way]:
    """The device looks when one of the moments has come, or two days later."""
    for name, moment_s in moments(node):
        if moment_s > node.now.wall_s:
            yield from later(node, name, moment_s - node.now.wall_s)
    if node.owed:
        yield from later(node, "two days", 2 * DAY_S)


def at_once(node: Node, face: frozenset[str]) -> Iterator[Way]:
    """The same, but for time that passes."""
    for name, event in _answers(node, face):
        yield from _told(node, name, event, FULL_FLASH in face)
    yield "cut", Node.cut
    if CLOCKS in face:
        yield from clocks(node)
    if SETTINGS in face:
        yield "another CA", _another_ca


def followed(node: Node, way: Way) -> Node | None:
    """Where a way leads; None: nowhere."""
    other = node.copied()
    return None if way[1](other) is False else other


def _told(node: Node, name: str, event: Event, full: bool) -> Iterator[Way]:
    """The event, and where flash does not take what it commits."""
    engine = node.engine
    if (engine.state, type(event)) not in TABLE:
        return
    if isinstance(event, Abort) and engine.request is None:
        return
    yield name, lambda other: other.tell(event)
    if full:
        yield f"{name} full", lambda other: "NotStored" in other.tell(event, full=True)


def _answers(node: Node, face: frozenset[str]) -> Iterator[tuple[str, Event]]:
    state, stored = node.engine.state, node.engine.stored
    yield "abort", Abort()
    yield "configured", Configured()
    if REVOKED in face and stored.local:
        serial = stored.local.certificate.serial
        yield "list", Listed(() if stored.local.revoked else ((serial, "keyCompromise"),))
    if state in RESTING:
        if TYPED in face:
            yield from _typed(node)
        return
    yield "fetched", CA
    yield "waiting", Waiting()
    signed = state is not State.FETCHING  # nobody signs a set
    for code in ERRORS if signed else UNSIGNED:
        yield code, _error(code)
    for kind in CERTIFICATES:
        if granted := node.granted(kind):
            yield kind, granted
    yield "yes", Chosen(yes=True)
    yield "no", Chosen(yes=False)


def _typed(node: Node) -> Iterator[tuple[str, Event]]:
    begin_s, stored = node.now.wall_s, node.engine.stored
    yield "typed", node.application(attended=True)
    yield "renewed by hand", node.application(attended=True, by_rule=True)
    yield "removed", Removed("local")
    yield "untrusted", Removed("ca")
    if stored.ca:
        yield "brought", Installed(ca=stored.ca)
    if stored.local is None:
        leaf = CertificateRecord(b"file", "CN=r1", "CN=CA", "f0", begin_s, begin_s + LIFE_S)
        yield "imported", Installed(local=LocalRecord(leaf, [], "k1", 1, begin_s))


def _rest_s(node: Node) -> int | None:
    """Until the deadline."""
    now, deadline = node.now, node.engine.rearm(node.now)
    rests_s = []
    if deadline.wall_s is not None:
        rests_s.append(deadline.wall_s - now.wall_s)
    if deadline.monotonic_ns is not None:
        rests_s.append(-(-(deadline.monotonic_ns - now.monotonic_ns) // SECOND_NS))
    return max(0, min(rests_s)) if rests_s else None


def moments(node: Node) -> Iterator[tuple[str, int]]:
    """Of the certificates: those at which the schedule changes its mind. The renewal point of the
    one in use says nothing while one waits, until that takes its place."""
    stored, policy = node.engine.stored, node.engine.policy
    local, waits = stored.local, stored.next
    if local:
        points_s = [automatic.due_s(local)] if waits is None else []
        yield from _moments("l", local, points_s, policy)
    if waits:
        points_s = sorted({automatic.due_s(waits), automatic.point_s(waits, stored, policy)})
        yield from _moments("n", waits, points_s, policy)


def _moments(
    name: str, held: LocalRecord, points_s: list[int], policy: Policy
) -> Iterator[tuple[str, int]]:
    end_s = held.end_s
    yield f"{name} begin", held.certificate.not_before_s
    for number, point_s in enumerate(points_s):
        yield f"{name} point {number}", point_s
        yield f"{name} last {number}", end_s - (end_s - point_s) // 10
    if not policy.at_once:
        yield f"{name} turn", automatic._turn_s(held)
    yield f"{name} end", end_s


def later(node: Node, name: str, rest_s: int) -> Iterator[Way]:
    """Time passes, and the device looks; at rest it answers, or looks for what lacks."""

    def looked(other: Node) -> list[str] | None:
        other.passes(rest_s)
        if (other.engine.state, Due) not in TABLE:
            return None
        return other.tell(Due())

    def applied(other: Node) -> bool:
        if "Wanted" not in (looked(other) or ()):
            return False
        other.apply()
        return True

    yield name, looked
    if node.engine.state in RESTING:
        yield f"{name} applied", applied


def clocks(node: Node) -> Iterator[Way]:
    """The three clocks: right, not trusted (with and without elapsed time), jumped."""
    for name, trusted, counted in (
        ("trusted", True, False),
        ("timeless", False, False),
        ("counted", False, True),
    ):
        if (trusted, counted) != node.now[2:]:
            yield name, _set(trusted=trusted, counted=counted)
    newest = node.engine.stored.next or node.engine.stored.local
    if newest and node.now.trusted:
        for name, wall_s in (("back", START_S - 1), ("ahead", newest.end_s + 1)):
            if wall_s != node.now.wall_s:
                yield name, _set(wall_s=wall_s)


def _set(**clock: Any) -> Step:
    def change(other: Node) -> None:
        other.now = other.now._replace(**clock)

    return change


def _another_ca(other: Node) -> None:
    """Another CA is typed, and the first one again."""
    policy = other.engine.policy
    print_ = OTHER.fingerprint if policy.fingerprint == AUTO.fingerprint else AUTO.fingerprint
    other.engine.policy = policy._replace(fingerprint=print_)
    other.tell(Configured())
