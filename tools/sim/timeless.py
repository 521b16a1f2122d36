"""A board that nobody ever tells the time: each start is in 1970, for ten years.

No RTC, no time source. The power goes a thousand times, for minutes or for weeks, and the CA is
away now and then. The whole device runs, on fake ports. What is asked of it: wherever it has been
up, with the CA there, for the hour in which a time source might have come and for two of its
longest pauses, the certificate in memory has not ended by the true time. And it never gives up: at
the end, after such a stretch, it has one that is valid.
"""

from __future__ import annotations

import random
import time
from typing import NamedTuple

from agent import limits
from agent.errors import fail
from hal.fakes.work import FakeClock
from tests.helpers.device_bench import (
    CONFIGURATION,
    RELATIONS,
    SHA256,
    Answer,
    Bench,
    certificate,
)

HOUR_S, DAY_S = 3600, 86400
YEAR_S = 365 * DAY_S
TRUE_START_S = limits.BUILD_S + 30 * DAY_S
LIFE_S = 30 * DAY_S
# A fortieth of the last tenth of such a life, and what jitter adds (commands.md 2).
PAUSE_S = LIFE_S // 10 // 40 * 3 // 2
STEP_S = 2 * HOUR_S
ON = 0.7  # of the time
CA_UP_S, CA_AWAY_S = 90 * DAY_S, 7 * DAY_S
CA_LIFE_S = 50 * YEAR_S
GRACE_S = limits.TIMELESS_S + 2 * PAUSE_S + 2 * STEP_S
BEFORE, AUTO = " fingerprint", " auto-enroll 100 updated-effective\n"
TURNS = 20


class Course(NamedTuple):
    cuts: int
    years: float
    issued: int
    steps: int
    judged: int
    lapses: int
    away_s: int
    ended_well: bool
    seconds: float

    def short(self) -> list[str]:
        rules = (
            (self.judged > 0, "nothing was looked at"),
            (self.lapses == 0, f"an ended certificate was served {self.lapses} times"),
            (self.ended_well, "it has given up"),
        )
        return [text for good, text in rules if not good]

    def line(self, seed: str) -> str:
        return (
            f"timeless: cuts={self.cuts} years={self.years:.1f} issued={self.issued} "
            f"looks={self.steps} judged={self.judged} ca_away_days={self.away_s // DAY_S} "
            f"lapses={self.lapses} seconds={self.seconds:.0f} seed={seed}"
        )


class Board(Bench):
    """A bench whose clock begins in 1970 at each start; the true time is kept outside of it."""

    def __init__(self, factory: str) -> None:
        self.true_s = self.up_since_s = self.ca_since_s = TRUE_START_S
        self.ca_is_up = True
        self.issued = 0
        super().__init__(factory)

    def _boot(self) -> None:
        self.clock, self.up_since_s = FakeClock(0), self.true_s
        self.worker.answers.update({"fetch-ca": self._authority, "enrol": self._leaf})
        super()._boot()
        self._settle()

    def cut(self, off_s: int) -> None:
        """The power goes, and comes back after so long."""
        self.true_s += off_s
        self.reboot()

    def wait(self, seconds: int) -> None:
        self.true_s += seconds
        self.advance(seconds)
        self._settle()

    def ca(self, is_up: bool) -> None:
        if is_up and not self.ca_is_up:
            self.ca_since_s = self.true_s
        self.ca_is_up = is_up

    @property
    def had_its_time(self) -> bool:
        """A certificate could be had for as long as that may take."""
        since_s = max(self.up_since_s, self.ca_since_s)
        return self.ca_is_up and self.true_s - since_s >= GRACE_S

    @property
    def serves(self) -> bool:
        """Whether what consumers can read is valid at the true time."""
        local = self.device.realms.runner("abc").engine.stored.local
        there = self.memory.current("abc", "cert.pem") is not None
        return there and local is not None and self.true_s < local.certificate.not_after_s

    def _settle(self) -> None:
        self.turn(TURNS)
        self.worker.jobs.clear()

    def _there(self) -> None:
        if not self.ca_is_up:
            raise fail("connection-refused", host="ca", what="x")

    def _authority(self, _job: Answer) -> Answer:
        self._there()
        ca = {**certificate("CN=CA", "01"), "is_ca": True, "key_usage": []}
        dates = {"not_before_s": TRUE_START_S - DAY_S, "not_after_s": TRUE_START_S + CA_LIFE_S}
        prints = {"md5": "5a" * 16, "sha1": "5a" * 20, "sha256": SHA256, **RELATIONS}
        return {"caps": ["AES"], "certificates": [{**ca, **dates, **prints}], "notes": []}

    def _leaf(self, job: Answer) -> Answer:
        """The CA knows the time."""
        self._there()
        self.issued += 1
        leaf = certificate("CN=r1.example", job["transaction"][:8])
        dates = {"not_before_s": self.true_s, "not_after_s": self.true_s + LIFE_S}
        return {"status": "issued", "certificate": {**leaf, **dates}, "chain": [], "notes": []}


def run(cuts: int, years: float, seed: str, *, alone: bool = True) -> Course:
    """alone: with `auto-enroll`; without it, planted, nobody renews."""
    begin, rng = time.monotonic(), random.Random(seed)
    text = CONFIGURATION.replace(BEFORE, AUTO + BEFORE)
    board = Board(text)
    if not alone:
        board.wait(DAY_S)
        board.factory = CONFIGURATION
    cycle_s = years * YEAR_S / cuts
    looks = judged = lapses = away_s = 0
    for _cut in range(cuts):
        left_s = int(rng.expovariate(1 / (ON * cycle_s)))
        while left_s > 0:
            step_s = min(STEP_S, left_s)
            board.wait(step_s)
            left_s -= step_s
            looks += 1
            away_s += 0 if board.ca_is_up else step_s
            if board.had_its_time:
                judged += 1
                lapses += not board.serves
            lasts_s = CA_UP_S if board.ca_is_up else CA_AWAY_S
            if rng.random() < step_s / lasts_s:
                board.ca(not board.ca_is_up)
        board.cut(int(rng.expovariate(1 / ((1 - ON) * cycle_s))))
    board.ca(True)
    for _step in range(GRACE_S // STEP_S + 1):
        board.wait(STEP_S)
    past_s = board.true_s - TRUE_START_S
    took = time.monotonic() - begin
    return Course(
        cuts, past_s / YEAR_S, board.issued, looks, judged, lapses, away_s, board.serves, took
    )
