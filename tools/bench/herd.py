"""A thousand realms that are due at once: how many jobs, in which order, and who feels it.

Two herds, one behind the other, against the lab CA. *First*: realms that hold nothing but a key
pair, at a start. *Renewal*: the clock of the board jumps over the renewal points of all of their
certificates. Meanwhile somebody types at the console. A realm falls due by its place in the
configuration at the start, and by when it begins after the jump; all wait from the same moment.

A job is seen by its child that talks to the network: confined, in the worker's own network
namespace. `all / rate` is the time of the whole herd at the rate of its middle four fifths, so that
a slow beginning and a slow end are what the longest wait is judged for.

python -m tools.bench.herd --count 1000 --seed 1

Flash, storage and memory are files on a tmpfs, where memory is on each device: the disk of this
machine takes no part. With `--disk` they lie below TMPDIR; what that adds is the flushes of a disk
which the lab CA uses too.
"""

import argparse
import os
import re
import signal
import sys
import tempfile
import time
from bisect import bisect
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from agent import limits
from agent.doors.wire import hello
from hal.sockets import connect_unix
from tests.helpers.board import ROOT
from tests.helpers.labca import LabCa
from tools.bench import proc
from tools.bench.figures import COUNT, MS, TIMES, Figure, MissingPeerError
from tools.bench.herdboard import HerdBoard, names
from tools.bench.rig import FULL, Person, Probe, Rig, Samples

DAY_S = 86400
VALIDITY_S, JUMP_S = 10 * DAY_S, 8 * DAY_S  # over the renewal point, not over the end
REALM_S = 2  # for each, on a machine that does much else
START_S = 60
# For the last activations; minutes of the board, so that no realm is in its pause any more.
SETTLE_S, SETTLE_RATE = 2, 100
PAUSE_S = 0.01
LINE_KEYS = 40
KEY, CLEAR = b"x", b"\x03"
TELL_S = 10
REALMS, DISK_REALMS, QUICK_REALMS = 1000, 200, 20
RAM = Path("/dev/shm")

OVERTAKEN = 8
RATIO = 1100
P99_US = 20_000
ERRORS = ("GET_CA_CERT_ERR", "GET_LOCAL_CERT_ERR", "LOCAL_IMPORT_ERR", "STORE_ERR")
SECCOMP = re.compile(r"^Seccomp:\s+2$", re.MULTILINE)


class Course(NamedTuple):
    """What was seen of a herd. order: realms as they fell due; issued: with their moments
    (monotonic), as they were issued; echo_us: of each key press; errors: lines of the log."""

    name: str
    order: Sequence[str]
    since_ns: int
    issued: dict[str, int]
    jobs: int
    echo_us: Sequence[int]
    errors: Sequence[str]

    @property
    def overtaken(self) -> int:
        """By how many that fell due later the unluckiest one was overtaken."""
        places = {realm: place for place, realm in enumerate(self.order)}
        before: list[int] = []  # places of those that were issued already
        most = 0
        for realm in self.issued:
            at = bisect(before, places[realm])
            most = max(most, len(before) - at)
            before.insert(at, places[realm])
        return most

    @property
    def ratio(self) -> int:
        """The longest wait in thousandths of all / rate."""
        moments = list(self.issued.values())
        count = len(moments)
        first, last = count // 10, count - 1 - count // 10
        if last <= first or moments[last] == moments[first]:
            return 0
        all_ns = (moments[last] - moments[first]) * count // (last - first)
        return (moments[-1] - self.since_ns) * 1000 // all_ns

    @property
    def p99_us(self) -> int:
        return sorted(self.echo_us)[len(self.echo_us) * 99 // 100]

    @property
    def seconds(self) -> float:
        return (max(self.issued.values(), default=self.since_ns) - self.since_ns) / 1e9

    def short(self) -> list[str]:
        """What falls short of the counts; not of the times."""
        rules = (
            (set(self.issued) == set(self.order), f"{len(self.issued)} were issued"),
            (0 < self.jobs <= limits.NETWORK_JOBS, f"{self.jobs} network jobs at once"),
            (self.overtaken <= OVERTAKEN, f"one was overtaken by {self.overtaken}"),
            (not self.errors, f"{len(self.errors)} errors: {self.errors[:3]}"),
        )
        return [f"{self.name}: {text}" for good, text in rules if not good]

    def slow(self) -> list[str]:
        """What falls short of the times."""
        rules = (
            (self.ratio <= RATIO, f"the longest wait was {self.ratio / 1000:.3f} x all / rate"),
            (self.p99_us < P99_US, f"p99 of the echo was {self.p99_us / 1000:.1f} ms"),
        )
        return [f"{self.name}: {text}" for good, text in rules if not good]

    def line(self) -> str:
        return (
            f"{self.name}: realms={len(self.order)} issued={len(self.issued)} "
            f"jobs_at_once={self.jobs} overtaken={self.overtaken} "
            f"longest_wait_ratio={self.ratio / 1000:.3f} echo_p99_ms={self.p99_us / 1000:.1f} "
            f"echo_max_ms={max(self.echo_us) / 1000:.1f} keys={len(self.echo_us)} "
            f"errors={len(self.errors)} seconds={self.seconds:.1f}"
        )


class Watch:
    """Types, and notes what the board does meanwhile."""

    def __init__(self, board: HerdBoard, person: Person, tell: Callable[[str], None]) -> None:
        self._board, self._person, self._tell = board, person, tell
        self._began: dict[str, None] = {}
        self._issued: dict[str, int] = {}
        self._errors: list[str] = []
        self._echo_us: list[int] = []
        self._jobs = self._keys = 0

    def course(
        self, name: str, count: int, since_ns: int | None = None, order: Sequence[str] = ()
    ) -> Course:
        """Until so many were issued, or the time is up. since_ns: when they fell due; None: when
        the first one begins. order: as they fell due; none: as they begin."""
        deadline_ns = time.monotonic_ns() + (START_S + REALM_S * count) * 1_000_000_000
        told_ns = time.monotonic_ns()
        while len(self._issued) < count and time.monotonic_ns() < deadline_ns:
            self._press()
            self._look()
            if self._began and since_ns is None:
                since_ns = time.monotonic_ns()
            if time.monotonic_ns() - told_ns > TELL_S * 1_000_000_000:
                told_ns = time.monotonic_ns()
                self._tell(f"{name}: {len(self._issued)} of {count}")
            time.sleep(PAUSE_S)
        since_ns = time.monotonic_ns() if since_ns is None else since_ns
        order = order or tuple(self._began)
        return Course(name, order, since_ns, self._issued, self._jobs, self._echo_us, self._errors)

    def _press(self) -> None:
        begin_ns = time.monotonic_ns()
        self._person.press(KEY)
        self._person.wait(KEY)
        self._echo_us.append((time.monotonic_ns() - begin_ns) // 1000)
        self._keys += 1
        if self._keys % LINE_KEYS == 0:
            self._person.press(CLEAR)
            self._person.wait(b">")

    def _look(self) -> None:
        self._jobs = max(self._jobs, talking(self._board.worker()))
        for mnemonic, realm, at_ns in self._board.news():
            if mnemonic == "GETTING_CA_CERT":
                self._began[realm] = None
            elif mnemonic == "GET_LOCAL_CERT_OK":
                self._issued.setdefault(realm, at_ns)
            elif mnemonic in ERRORS:
                self._errors.append(f"{mnemonic} {realm}")


def talking(worker: int | None) -> int:
    """The confined children of a worker that share its network."""
    if worker is None:
        return 0
    confined = filter(_confined, proc.children(worker))
    return [_network(pid) for pid in confined].count(_network(worker))


def _network(pid: int) -> str:
    """The network namespace; of one that has ended, none that another one has."""
    try:
        return os.readlink(f"/proc/{pid}/ns/net")
    except OSError:
        return f"gone with {pid}"


def _confined(pid: int) -> bool:
    try:
        return bool(SECCOMP.search(Path(f"/proc/{pid}/status").read_text()))
    except OSError:
        return False


def run(
    folder: Path,
    count: int,
    seed: str,
    clone: Path = ROOT,
    python: str = sys.executable,
    tell: Callable[[str], None] = lambda _text: None,
) -> list[Course]:
    """Both herds. `clone`: of the program that the board runs."""
    realms = names(count, seed)
    with ExitStack() as stack:
        ca = stack.enter_context(LabCa(folder, "--validity", str(VALIDITY_S)))
        board = stack.enter_context(HerdBoard(folder, ca, realms, clone, python))
        sock = stack.enter_context(connect_unix(str(board.dir / "console.sock")))
        sock.sendall(hello("terminal", 80, 24))
        person = Person(sock.fileno())
        person.wait(b">")
        first = Watch(board, person, tell).course("first", count, order=realms)
        tell(first.line())
        board.set_clock(0, SETTLE_RATE)
        time.sleep(SETTLE_S)
        list(board.news())
        board.set_clock(JUMP_S)
        watch = Watch(board, person, tell)
        person.press(CLEAR)
        person.wait(b">")
        renewal = watch.course("renewal", count, since_ns=time.monotonic_ns())
        tell(renewal.line())
    return [first, renewal]


def closing(courses: Sequence[Course], seed: str) -> str:
    """The last line: the worst of all herds."""
    return (
        f"herd: realms={len(courses[0].order)} "
        f"issued={min(len(course.issued) for course in courses)} "
        f"jobs_at_once={max(course.jobs for course in courses)} "
        f"overtaken={max(course.overtaken for course in courses)} "
        f"longest_wait_ratio={max(course.ratio for course in courses) / 1000:.3f} "
        f"echo_p99_ms={max(course.p99_us for course in courses) / 1000:.1f} "
        f"seconds={sum(course.seconds for course in courses):.0f} seed={seed}"
    )


# -- rows of `make bench` --------------------------------------------------------------------------

HERD = "1,000 realms that are due at once, at a start and after a jump of the clock"
FIGURES = (
    Figure("herd_jobs", COUNT, f"network jobs at once, most of {HERD}", limits.NETWORK_JOBS),
    Figure(
        "herd_overtaken",
        COUNT,
        "the most that fell due later and overtook one",
        OVERTAKEN,
    ),
    Figure("herd_wait", TIMES, "the longest wait in times all / rate", RATIO),
    Figure("herd_echo_p99", MS, "key press to echo at the socket meanwhile: p99", P99_US),
    Figure(
        "herd_echo_disk_p99",
        MS,
        f"the same with {DISK_REALMS} realms, and flash, storage and memory on the disk",
    ),
    Figure("herd_first", MS, "a realm's share of the time of all first certificates"),
    Figure("herd_renewal", MS, "a realm's share of the time of all renewals"),
)


def herd(rig: Rig) -> Samples:
    """One run; AssertionError when not all were issued."""
    if os.geteuid() != 0:
        raise MissingPeerError("needs root: children let nobody else look at their namespaces")
    if not RAM.is_dir():
        raise MissingPeerError(f"needs a tmpfs at {RAM}")
    count, fewer = (REALMS, DISK_REALMS) if rig.scale == FULL else (QUICK_REALMS, QUICK_REALMS)
    with tempfile.TemporaryDirectory(dir=RAM) as folder:
        courses = run(Path(folder), count, "1", python=rig.python)
    on_disk = run(rig.folder, fewer, "1", python=rig.python)
    short = list(chain.from_iterable(course.short() for course in (*courses, *on_disk)))
    assert not short, short
    shares = [int(course.seconds * 1_000_000) // count for course in courses]
    values = (
        max(course.jobs for course in courses),
        max(course.overtaken for course in courses),
        max(course.ratio for course in courses),
        max(course.p99_us for course in courses),
        max(course.p99_us for course in on_disk),
        *shares,
    )
    return {figure.name: [value] for figure, value in zip(FIGURES, values, strict=True)}


PROBES = (Probe("herd", herd, FIGURES, once=True, own=True),)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=REALMS)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--disk", action="store_true", help="files below TMPDIR")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=None if wanted.disk else RAM) as folder:
        courses = run(Path(folder), wanted.count, wanted.seed, tell=lambda t: print(t, flush=True))
    found = [text for course in courses for text in (*course.short(), *course.slow())]
    for text in found:
        print(f"falls short: {text}")
    print(closing(courses, wanted.seed))
    return int(bool(found))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    sys.exit(main())
