"""What goes wrong: one thing at a time, each no longer than a third of the lead by intention."""

import random
import signal
import time
from collections.abc import Callable
from typing import NamedTuple

from tests.rigs.unbroken.site import LEAD_S, TAKE_OVER_S, Site

LIMIT_S = LEAD_S // 3  # of the board's seconds
# What a certificate that waits has for its turn is for a step of the clock and for a kill.
STEP_S = TAKE_OVER_S // 2
DAY_S = 86400
LEAP_S = (2 * DAY_S, 3 * 365 * DAY_S)
# Between two outages: what a failed attempt may cost, twice the longest wait, and an exchange.
CALM_S = (22, 34)


class Outage(NamedTuple):
    """kind; how long it took, and how long it may take, in seconds of the board."""

    kind: str
    took_s: float
    limit_s: float

    @property
    def unfair(self) -> bool:
        return self.took_s > self.limit_s


class Weather:
    """at_once: of no realm a certificate waits, so that nothing is due but renewals."""

    def __init__(self, site: Site, rng: random.Random, *, at_once: bool) -> None:
        self._site, self._rng = site, rng
        self._kill_s = LIMIT_S if at_once else TAKE_OVER_S - STEP_S

    def strike(self) -> Outage:
        """One outage of a random kind, from its beginning to its end."""
        kind = self._rng.choice(tuple(KINDS))
        wish_s = self._rng.uniform(0.1, 0.7) * LIMIT_S
        begin = time.monotonic()
        KINDS[kind](self, wish_s / self._site.rate)
        took_s = (time.monotonic() - begin) * self._site.rate
        return Outage(kind, took_s, self._kill_s if kind == "kill" else LIMIT_S)

    def calm_s(self) -> float:
        return self._rng.uniform(*CALM_S) / self._site.rate

    def _kill(self, _seconds: float) -> None:
        """Whatever supervises it starts it again at once."""
        self._site.agent.kill()
        self._site.agent.start()

    def _restart_ca(self, seconds: float) -> None:
        self._site.ca.stop(signal.SIGKILL)
        time.sleep(seconds)
        self._site.ca.__enter__()

    def _cut(self, seconds: float, *, far: bool = False) -> None:
        self._site.link(up=False, far=far)
        time.sleep(seconds)
        self._site.link(up=True, far=far)

    def _cut_far(self, seconds: float) -> None:
        """Packets go nowhere, and nobody says so."""
        self._cut(seconds, far=True)

    def _step(self, _seconds: float) -> None:
        """The clock of the board is off by some seconds from now on."""
        self._site.set_clock(self._rng.randint(-STEP_S, STEP_S))

    def _leap(self, seconds: float) -> None:
        """Nobody vouches for such a clock; it comes back."""
        before_s = self._site.offset_s
        self._site.set_clock(self._rng.choice((-1, 1)) * self._rng.randint(*LEAP_S))
        time.sleep(seconds)
        self._site.set_clock(before_s)


KINDS: dict[str, Callable[[Weather, float], None]] = {
    "kill": Weather._kill,
    "ca": Weather._restart_ca,
    "link": Weather._cut,
    "far": Weather._cut_far,
    "step": Weather._step,
    "leap": Weather._leap,
}
