"""The graph of the engine: an engine with its surroundings, and all that can happen to it.

A node is an engine with its flash, its time and what the CA may have issued for it. `ways` are the
edges that lead on from it: each event of its state, a power cut, a flash that takes nothing, the
deadline, a look that comes late, three clocks, and settings. `engine_walk.py` walks over them.
"""

from collections.abc import Iterator

from agent.enrolment import automatic, verdicts
from agent.enrolment.actions import Commit, Now, Policy, StartJob, Stored, Wanted
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


class Node:
    """An engine and its surroundings. `owed`: transactions that nobody waits for, and for which the
    CA may have issued since a certificate was stored; `left_s`: when the last of them left;
    `decided`: the moment at which the application began, by which it was allowed."""

    __slots__ = (
        "before",
        "decided",
        "engine",
        "flash",
        "last",
        "left_ns",
        "left_s",
        "now",
        "owed",
        "serial",
    )

    def __init__(self, policy: Policy, kind: type[Engine] = Engine) -> None:
        self.engine = kind(Stored(), policy)
        self.flash = Stored()
        self.now = Now(START_S, 10 * DAY_S * SECOND_NS, trusted=True)
        self.owed: frozenset[str] = frozenset()
        self.left_s, self.left_ns, self.serial, self.last = 0, 0, 0, ""
        self.before, self.decided = (0, 0), self.now

    def copied(self) -> "Node":
        other = object.__new__(Node)
        for name in self.__slots__:
            setattr(other, name, getattr(self, name))
        other.engine = object.__new__(type(self.engine))
        for name in Attempt.__slots__:
            setattr(other.engine, name, getattr(self.engine, name))
        return other

    # -- what happens ------------------------------------------------------------------------------

    def tell(self, event: Event, *, full: bool = False) -> list[str]:
        """The names of the actions; `full`: flash takes no commit."""
        names = []
        if isinstance(event, Apply):
            self.decided = self.now
        if isinstance(event, JobFailed) and event.error.code in verdicts.FAILURES:
            self._refused()
        for action in self.engine.handle(event, self.now):
            if isinstance(action, Commit) and full:
                self.engine.handle(NotStored(FULL), self.now)
                return [*names, "NotStored"]
            if isinstance(action, Commit):
                self._stored(action.stored)
            if isinstance(action, StartJob) and action.op == "enrol":
                self._left()
            if isinstance(action, Wanted):
                names.append("Wanted")
            names.append(type(action).__name__)
        return names

    def _stored(self, stored: Stored) -> None:
        held = {each.certificate.der for each in (self.flash.local, self.flash.next) if each}
        new = [each for each in (stored.local, stored.next) if each]
        if any(each.certificate.der not in held for each in new):
            self.owed = frozenset()
        self.flash = stored

    def _left(self) -> None:
        request = self.engine.request
        if request and not request.attended:
            self.owed |= {request.transaction}
            if request.transaction != self.last:  # else the same bytes once more
                self.last, self.before = request.transaction, (self.left_s, self.left_ns)
                self.left_s, self.left_ns = self.now.wall_s, self.now.monotonic_ns

    def _refused(self) -> None:
        """A refusal that the CA has signed: it has not issued."""
        request = self.engine.request
        if request:
            self.owed -= {request.transaction}
            self.left_s, self.left_ns = self.before

    def application(self, *, attended: bool, by_rule: bool = False) -> Apply:
        self.serial += 1
        settings: dict[str, object] = {"key_pair": "k1", "entity": {"common_name": "r1"}}
        held = self.engine.stored.local is not None
        return Apply(f"{self.serial:032x}", settings, 1, "sealed", attended, held, by_rule)

    def granted(self, kind: str) -> Granted | None:
        """A certificate beside the newest one that is held."""
        newest = self.engine.stored.next or self.engine.stored.local
        self.serial += 1
        serial = f"{self.serial:x}"
        begin_s, end_s = self.now.wall_s, self.now.wall_s + LIFE_S
        if kind != "whole" and newest is None:
            return None
        if kind == "again" and newest:
            return Granted(newest.certificate, ())
        if kind == "shorter" and newest:
            end_s = newest.end_s - DAY_S
        if kind == "same end" and newest:
            end_s = newest.end_s
        if end_s <= begin_s:
            return None
        leaf = CertificateRecord(serial.encode(), "CN=r1", "CN=CA", serial, begin_s, end_s)
        return Granted(leaf, ())


# -- the ways on from a node -----------------------------------------------------------------------

# The groups of edges. Each face is closed in itself and small; all of them together is the graph.
TYPED, CLOCKS, SETTINGS, REVOKED = "typed", "clocks", "settings", "revoked"
FULL_FLASH, LATE = "full", "late"
FACES = (
    frozenset({TYPED, FULL_FLASH}),
    frozenset({CLOCKS}),
    frozenset({SETTINGS, REVOKED}),
    frozenset({LATE}),
)
ALL = frozenset().union(*FACES)


def ways(node: Node, face: frozenset[str] = ALL) -> Iterator[tuple[str, Node]]:
    """All nodes that one event leads to, with the name of the edge."""
    for name, event in _answers(node, face):
        yield from _told(node, name, event, FULL_FLASH in face)
    cut = node.copied()
    cut.engine = type(node.engine)(node.flash, node.engine.policy)
    cut.tell(Restart())
    yield "cut", cut
    yield from _times(node, face)
    if CLOCKS in face:
        yield from _clocks(node)
    if SETTINGS in face:
        yield from _settings(node)


def _told(node: Node, name: str, event: Event, full: bool) -> Iterator[tuple[str, Node]]:
    """The event, and where flash does not take what it commits."""
    engine = node.engine
    if (engine.state, type(event)) not in TABLE:
        return
    if isinstance(event, Abort) and engine.request is None:
        return
    for refused in (False, True) if full else (False,):
        other = node.copied()
        names = other.tell(event, full=refused)
        if refused and "NotStored" not in names:
            continue
        yield f"{name}{' full' if refused else ''}", other
        if "Wanted" in names:  # the device answers, or looks for what lacks
            answered = other.copied()
            answered.tell(answered.application(attended=False))
            yield f"{name} applied", answered


def _answers(node: Node, face: frozenset[str]) -> Iterator[tuple[str, Event]]:
    state, stored = node.engine.state, node.engine.stored
    yield "abort", Abort()
    yield "configured", Configured()
    if REVOKED in face and stored.local:
        serial = stored.local.certificate.serial
        yield "revoked", Listed(((serial, "keyCompromise"),))
        yield "good", Listed()
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
    begin_s = node.now.wall_s
    yield "typed", node.application(attended=True)
    yield "renewed by hand", node.application(attended=True, by_rule=True)
    yield "removed", Removed("local")
    yield "untrusted", Removed("ca")
    if node.engine.stored.local is None:
        leaf = CertificateRecord(b"file", "CN=r1", "CN=CA", "f0", begin_s, begin_s + LIFE_S)
        yield "imported", Installed(local=LocalRecord(leaf, [], "k1", 1, begin_s))


def _times(node: Node, face: frozenset[str]) -> Iterator[tuple[str, Node]]:
    """The deadline comes; or the device looks late, behind one of the moments of the schedule."""
    now, deadline = node.now, node.engine.rearm(node.now)
    rests_s = []
    if deadline.wall_s is not None:
        rests_s.append(deadline.wall_s - now.wall_s)
    if deadline.monotonic_ns is not None:
        rests_s.append(-(-(deadline.monotonic_ns - now.monotonic_ns) // SECOND_NS))
    if rests_s:
        yield from _later(node, "due", max(0, min(rests_s)))
    for name, moment_s in _moments(node):
        if moment_s > now.wall_s and (LATE in face or name.endswith("end")):
            yield from _later(node, name, moment_s - now.wall_s)


def _moments(node: Node) -> Iterator[tuple[str, int]]:
    stored, policy = node.engine.stored, node.engine.policy
    for name, held in (("local", stored.local), ("next", stored.next)):
        if held:
            point_s = automatic.point_s(held, stored, policy)
            yield f"{name} point", point_s
            yield f"{name} last", held.end_s - max(1, (held.end_s - point_s) // 10)
            yield f"{name} end", held.end_s
    if node.owed:
        yield "a day", node.left_s + 2 * DAY_S


def _later(node: Node, name: str, rest_s: int) -> Iterator[tuple[str, Node]]:
    other = node.copied()
    now = node.now
    other.now = now._replace(
        wall_s=now.wall_s + rest_s, monotonic_ns=now.monotonic_ns + rest_s * SECOND_NS
    )
    if (other.engine.state, Due) not in TABLE:
        yield name, other
        return
    names = other.tell(Due())
    yield name, other
    if "Wanted" in names:
        answered = other.copied()
        answered.tell(answered.application(attended=False))
        yield f"{name} applied", answered


def _clocks(node: Node) -> Iterator[tuple[str, Node]]:
    """The three clocks: right, not trusted (with and without elapsed time), jumped."""
    for name, trusted, counted in (
        ("trusted", True, False),
        ("timeless", False, False),
        ("counted", False, True),
    ):
        if (trusted, counted) != node.now[2:]:
            other = node.copied()
            other.now = node.now._replace(trusted=trusted, counted=counted)
            yield name, other
    newest = node.engine.stored.next or node.engine.stored.local
    if newest and node.now.trusted:
        for name, wall_s in (("back", START_S - 1), ("ahead", newest.end_s + 1)):
            if wall_s != node.now.wall_s:
                other = node.copied()
                other.now = node.now._replace(wall_s=wall_s)
                yield name, other


def _settings(node: Node) -> Iterator[tuple[str, Node]]:
    """Another CA is typed, and the first one again."""
    policy = node.engine.policy
    print_ = OTHER.fingerprint if policy.fingerprint == AUTO.fingerprint else AUTO.fingerprint
    other = node.copied()
    other.engine.policy = policy._replace(fingerprint=print_)
    other.tell(Configured())
    yield "another CA", other
