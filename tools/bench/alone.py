"""Automatic mode: what it costs while nothing is due, and one renewal, beside certmonger.

The days pass in virtual time, on a whole device on fake ports with one realm: its loop sleeps as
long as it would, and what wakes it is counted. A minute of a real agent says whether something else
wakes it. The renewal is one that nobody asks for: the clock of the board passes the renewal point.
certmonger renews because it is told to (`getcert resubmit`), with the same key, by its own helper
for SCEP, on the same CA; it runs on a D-Bus daemon of its own, as a distribution starts it.
"""

import os
import shutil
import tempfile
import time
from pathlib import Path

from hal.fakes.flash import FakeFlash
from tests.helpers import alone
from tests.helpers.board import SAVE, procedure
from tests.helpers.certmonger import PATIENT, Certmonger
from tests.helpers.device_bench import CONFIGURATION, Bench, certificate
from tests.helpers.labca import LabCa, wait_for
from tools.bench import proc
from tools.bench.figures import BYTES, COUNT, MIB, MS, TIMES, Figure, MissingPeerError, Unit
from tools.bench.peers import CHALLENGE
from tools.bench.rig import QUICK, Board, Probe, Rig, Samples

DAY_S, HOURS = 86400, 24
SECOND_NS = 1_000_000_000
DAYS, FIRST_DAYS = 30, 2  # the first ones have the questions for the time that follow a start
PART = Unit("", "1/100", 100)
LONGEST_NS = 400 * DAY_S * SECOND_NS  # nothing but a deadline wakes a loop that hears of set clocks
MINUTE_S, QUICK_S = 60, 1
RENEWALS, QUICK_RENEWALS = 10, 1
VALIDITY_S = 10 * DAY_S
LOOK_S = 0.1

QUIET = (
    Figure("quiet_wakeups", PART, "wake-ups an hour of an idle agent with one realm", 2 * 100),
    Figure("quiet_records", PART, "records a day that it writes", 100),
    Figure("quiet_bytes", BYTES, "bytes a day of them"),
)
MINUTE = (
    Figure(
        "quiet_minute",
        COUNT,
        "how often it goes to sleep in a minute, from the third on",
    ),
)
RENEWAL = (
    Figure("alone_cpu", MS, "CPU of one renewal by itself: agent, worker and its children"),
    Figure("certmonger_cpu", MS, "CPU of one renewal by certmonger: daemon and helpers"),
    Figure("alone_cpu_ratio", TIMES, "ours in times certmonger's"),
    Figure("alone_resident", MIB, "resident set of the agent after it; the worker has gone"),
    Figure("alone_dirty", MIB, "Private_Dirty of the same"),
    Figure("certmonger_resident", MIB, "resident set of certmonger and its D-Bus daemon after it"),
    Figure("certmonger_dirty", MIB, "Private_Dirty of the same"),
)


# -- nothing is due --------------------------------------------------------------------------------


def quiet(_rig: Rig) -> Samples:
    """A month in virtual time."""
    automatic = CONFIGURATION.replace(" fingerprint", " auto-enroll 100\n fingerprint")
    bench = Bench(automatic, FakeFlash(4096, 64))
    bench.worker.answers["enrol"] = lambda job: {
        **bench.worker.issue(job),
        "certificate": {
            **certificate("CN=r1.example", job["transaction"][:8]),
            "not_after_s": bench.clock.wall_s() + 365 * DAY_S,
        },
    }
    bench.loop.use_clock(bench.clock, LONGEST_NS)
    bench.turn(50)
    assert bench.device.status("abc").state == "issued"
    _sleep(bench, FIRST_DAYS)
    before, written = bench.store.health.sequence, bench.store.counters.programmed_bytes
    wakeups = _sleep(bench, DAYS)
    records = bench.store.health.sequence - before
    return {
        "quiet_wakeups": [wakeups * PART.size // (DAYS * HOURS)],
        "quiet_records": [records * PART.size // DAYS],
        "quiet_bytes": [(bench.store.counters.programmed_bytes - written) // DAYS],
    }


def _sleep(bench: Bench, days: int) -> int:
    """So many days as the loop sleeps through them; how often it wakes."""
    left_ns, wakeups = days * DAY_S * SECOND_NS, 0
    while left_ns > 0:
        sleep_ns = min(max(bench.loop._sleep_ns(), 1), left_ns)
        bench.clock.advance(sleep_ns)
        left_ns -= sleep_ns
        bench.turn()
        wakeups += 1
    return wakeups


def minute(rig: Rig) -> Samples:
    """On a board of a file, where a set clock wakes the agent and no file is looked at."""
    wiring = rig.folder / "board.toml"
    wiring.write_text("[herd]\nfirst_s = 1\n")
    with LabCa(rig.folder, "--challenge", CHALLENGE) as ca:
        board = Board(rig.folder, python=rig.python)
        board.board = str(wiring)
        with board:
            _configure(board, ca)
            board.stop()
            board.start()  # who types has half a minute, a start has none here
            _applied(board)
            short = rig.scale == QUICK
            time.sleep(QUICK_S if short else 2 * MINUTE_S)
            before = _switches(board.pid)
            time.sleep(QUICK_S if short else MINUTE_S)
            return {"quiet_minute": [_switches(board.pid) - before]}


def _switches(pid: int) -> int:
    """How often a process has gone to sleep."""
    text = Path(f"/proc/{pid}/status").read_text()
    fields = dict(line.split(":", 1) for line in text.splitlines())
    return int(fields["voluntary_ctxt_switches"])


# -- one renewal -----------------------------------------------------------------------------------


def renewal(rig: Rig) -> Samples:
    """Ours and certmonger's, on the same CA in the same run."""
    for program in ("certmonger", "dbus-daemon"):
        if shutil.which(program) is None:
            raise MissingPeerError(f"needs Debian's package `{program.removesuffix('-daemon')}`")
    if os.geteuid() != 0:
        raise MissingPeerError("certmonger runs as root only")
    board = Board(rig.folder, python=rig.python)
    flags = ("--challenge", CHALLENGE, "--validity", str(VALIDITY_S), "--no-backdate")
    with LabCa(rig.folder, *flags, "--clock", str(board.dir / "clock")) as ca:
        with tempfile.TemporaryDirectory() as folder:
            theirs_us, theirs = _certmonger(rig, ca, Certmonger(Path(folder), bus=True))
        ours_us, ours = _ours(board, ca)
    return {
        "alone_cpu": [ours_us],
        "certmonger_cpu": [theirs_us],
        "alone_cpu_ratio": [ours_us * TIMES.size // theirs_us],
        "alone_resident": [ours.resident_kib],
        "alone_dirty": [ours.dirty_kib],
        "certmonger_resident": [theirs.resident_kib],
        "certmonger_dirty": [theirs.dirty_kib],
    }


def _certmonger(rig: Rig, ca: LabCa, daemon: Certmonger) -> tuple[int, proc.Memory]:
    files = ("-k", str(daemon.dir / "k.pem"), "-f", str(daemon.dir / "cert.pem"))
    count = QUICK_RENEWALS if rig.scale == QUICK else RENEWALS
    with daemon.running():
        daemon.use(ca)
        names = ("-N", "CN=dev1,O=Lab", "-L", CHALLENGE)
        daemon.getcert("request", *files, "-c", "lab", *names, *PATIENT)
        before_us, issued = proc.cpu_with_children_us(daemon.pid), len(ca.issued())
        for _renewal in range(count):
            daemon.getcert("resubmit", "-f", str(daemon.dir / "cert.pem"), *PATIENT)
        assert len(ca.issued()) == issued + count, "not every renewal was granted"
        spent_us = proc.cpu_with_children_us(daemon.pid) - before_us
        both = [proc.memory(process.pid) for process in daemon.processes]
    spent_us = max(spent_us, proc.TICK_US)  # below a tick nothing is known
    return spent_us // count, proc.Memory(*map(sum, zip(*both, strict=True)))


def _ours(board: Board, ca: LabCa) -> tuple[int, proc.Memory]:
    with board:
        _configure(board, ca)
        board.rate(alone.FAST)
        _applied(board)
        board.rate(1)
    board.start()  # another life: no worker
    with board:
        old, before_us = board.memory("cert.pem").read_bytes(), _spent(board)
        board.clock(VALIDITY_S * 95 // 100, synchronised=True)
        wait_for(
            lambda: board.memory("cert.pem").read_bytes() != old,
            alone.WITHIN_S,
            "it does not renew",
        )
        assert board.worker(), "no worker has worked"
        wait_for(lambda: not _looked(board), alone.WITHIN_S, "the worker does not go")
        return _spent(board) - before_us, proc.memory(board.pid)


def _spent(board: Board) -> int:
    """With the worker that has gone."""
    return proc.cpu_with_children_us(board.pid)


def _looked(board: Board) -> int | None:
    time.sleep(LOOK_S)
    return board.worker()


def _configure(board: Board, ca: LabCa) -> None:
    trusted = (f"fingerprint sha256 {ca.fingerprint}", f"password cipher {CHALLENGE}")
    board.must(*procedure(ca.url, *trusted, "auto-enroll 90 updated-effective"), *SAVE)


def _applied(board: Board) -> None:
    board.wait_state("issued", timeout_s=alone.WITHIN_S)


PROBES = (
    Probe("quiet", quiet, QUIET, once=True, own=True),
    Probe("quiet_minute", minute, MINUTE, once=True, own=True),
    Probe("renewal", renewal, RENEWAL),
)
