"""No herd comes in step: 10,000 devices that are switched on in one second, and a CA that was away.

The mean rate is requests divided by the window that the rules spread a herd over (commands.md 2):
five minutes after a start, the longest pause after failures, a twentieth of the lead for renewals.
In no ten seconds are there more than twice as many. A herd of a thousand is looked at in windows
ten times as long, so that chance weighs the same.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from agent import limits
from agent.enrolment import drafts
from agent.enrolment.actions import Stored
from hal.records import LocalRecord
from tools.sim.fleet import POLICY, SECOND_NS, START_S, Device, Fleet, Request, spread

DEVICES, WINDOW_S = 10_000, 10
LIMIT = 2
HOUR_S, DAY_S = 3600, 86400
LIFE_S = 30 * DAY_S
RENEWED_S = 5 * DAY_S
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
    over = _Over(LONGEST_S, away_s, away_s)
    return _run("back", count, seed, Stored(), over, alike=alike)


def renewals(count: int, seed: str, *, alike: bool = False) -> Herd:
    """Each has a certificate that was issued in the same second: they spread over a twentieth of
    the lead."""
    fleet = Fleet(RENEWED_S, lambda _at: True, limits.SPREAD_S)
    leaf = fleet.leaf(Device(0, 0, Stored()), START_S)
    held = LocalRecord(leaf, [], "k1", 1, START_S)
    point_s = drafts.renewal_s(held, POLICY)
    assert point_s is not None
    held = held._replace(renew_s=point_s)
    over = _Over((leaf.not_after_s - point_s) // 20, point_s - START_S)
    return _run("renewals", count, seed, Stored(local=held), over, alike=alike)


class _Over(NamedTuple):
    """Over which time the rules spread the requests, and when that begins; until when the CA is
    away."""

    spread_s: int = limits.SPREAD_S
    from_s: int = 0
    away_s: int = 0


AT_START = _Over()


def _run(
    name: str, count: int, seed: str, stored: Stored, over: _Over = AT_START, *, alike: bool
) -> Herd:
    begin = time.monotonic()
    fleet = Fleet(LIFE_S, lambda at_ns: at_ns >= over.away_s * SECOND_NS, limits.SPREAD_S)
    fleet.start(devices(count, seed, stored, alike=alike))
    fleet.run((over.from_s + 2 * over.spread_s) * SECOND_NS)
    heard = [request for request in fleet.requests if request.at_ns >= over.from_s * SECOND_NS]
    window_s = WINDOW_S * DEVICES // count
    return Herd(
        *(name, count, fleet.served, len(heard), peak(heard, window_s), window_s, over.spread_s),
        seconds=time.monotonic() - begin,
    )


HERDS: tuple[Make, ...] = (switched_on, expired, after_an_outage, renewals)
