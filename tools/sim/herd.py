"""No herd comes in step: 10,000 devices that are switched on in one second, and a CA that was away.

The mean rate is requests divided by the window that the rules spread a herd over (commands.md 2):
five minutes after a start, the longest pause after failures. In no ten seconds are there more than
twice as many. A herd of a thousand is looked at in windows ten times as long, so that chance
weighs the same.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from agent import limits
from agent.enrolment.actions import Stored
from hal.records import LocalRecord
from tools.sim.fleet import SECOND_NS, START_S, Device, Fleet, Request, spread

DEVICES, WINDOW_S = 10_000, 10
LIMIT = 2
HOUR_S, DAY_S = 3600, 86400
LIFE_S = 30 * DAY_S
LONGEST_S = HOUR_S  # of the pauses of a realm that has no certificate that is valid


class Herd(NamedTuple):
    """peak: the most requests in `window_s`; over_s: what the rules spread them over."""

    name: str
    devices: int
    served: int
    requests: int
    peak: int
    window_s: int
    over_s: int
    seconds: float

    @property
    def mean(self) -> float:
        """Requests in a window, were they spread evenly."""
        return self.requests * self.window_s / self.over_s

    def short(self) -> list[str]:
        found = []
        if self.served < self.devices:
            found.append(f"{self.name}: {self.served} of {self.devices} have a certificate")
        if self.peak > LIMIT * self.mean:
            found.append(f"{self.name}: {self.peak} requests in {self.window_s} s")
        return found

    def line(self) -> str:
        return (
            f"{self.name}: devices={self.devices} served={self.served} requests={self.requests} "
            f"window_s={self.window_s} mean={self.mean:.1f} peak={self.peak} "
            f"ratio={self.peak / self.mean:.2f} seconds={self.seconds:.1f}"
        )


class Make(Protocol):
    def __call__(self, count: int, seed: str, *, alike: bool = False) -> Herd: ...


def peak(requests: Sequence[Request], window_s: int) -> int:
    """The most of them, in the order of time, that lie in one window wherever it begins."""
    most = first = 0
    for last, request in enumerate(requests):
        while request.at_ns - requests[first].at_ns >= window_s * SECOND_NS:
            first += 1
        most = max(most, last - first + 1)
    return most


def devices(count: int, seed: str, stored: Stored, *, alike: bool = False) -> list[Device]:
    """alike: planted; nothing differs between them."""
    rng = random.Random(seed)
    names = ["r" if alike else f"r{number}" for number in range(count)]
    seeds = [bytes(4) if alike else rng.randbytes(4) for _ in names]
    return [
        Device(number, spread(name, seed), stored)
        for number, (name, seed) in enumerate(zip(names, seeds, strict=True))
    ]


def switched_on(count: int, seed: str, *, alike: bool = False) -> Herd:
    """In one second, without a certificate; the CA is there."""
    return _run("first", count, seed, Stored(), alike=alike)


def expired(count: int, seed: str, *, alike: bool = False) -> Herd:
    """The same after a year on a shelf: each has a certificate that has ended."""
    fleet = Fleet(LIFE_S, lambda _at: True, limits.SPREAD_S)
    old = fleet.leaf(Device(0, 0, Stored()), START_S - 2 * LIFE_S)
    held = LocalRecord(old, [], "k1", 1, old.not_before_s, False, old.not_after_s - DAY_S)
    return _run("expired", count, seed, Stored(local=held), alike=alike)


def after_an_outage(count: int, seed: str, *, away_s: int = DAY_S, alike: bool = False) -> Herd:
    """Switched on in one second while the CA is away; it comes back after a day."""
    return _run("back", count, seed, Stored(), away_s, LONGEST_S, alike=alike)


def _run(
    name: str,
    count: int,
    seed: str,
    stored: Stored,
    away_s: int = 0,
    over_s: int = limits.SPREAD_S,
    *,
    alike: bool,
) -> Herd:
    begin = time.monotonic()
    fleet = Fleet(LIFE_S, lambda at_ns: at_ns >= away_s * SECOND_NS, limits.SPREAD_S)
    fleet.start(devices(count, seed, stored, alike=alike))
    fleet.run((away_s + 2 * over_s) * SECOND_NS)
    heard = [request for request in fleet.requests if request.at_ns >= away_s * SECOND_NS]
    window_s = WINDOW_S * DEVICES // count
    took = time.monotonic() - begin
    return Herd(
        name, count, fleet.served, len(heard), peak(heard, window_s), window_s, over_s, took
    )


HERDS: tuple[Make, ...] = (switched_on, expired, after_an_outage)
