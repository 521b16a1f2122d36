"""Many realms and their CA in virtual time: each is a real engine; flash, jobs and network are not.

A device does what `agent/device/runner.py` does with actions: what is committed is in flash, a job
is one request to the CA, and a realm that wants to apply does.
"""

from __future__ import annotations

import heapq
from binascii import crc32
from collections.abc import Callable
from typing import NamedTuple

from agent.enrolment.actions import Action, Now, Policy, StartJob, Stored, Wanted
from agent.enrolment.engine import Engine
from agent.enrolment.states import Apply, CaFetched, Due, Event, Granted, JobFailed, Restart
from agent.errors import fail
from hal.records import CertificateRecord
from tests.helpers import engine_bench

SECOND_NS = 1_000_000_000
START_S = 1_800_000_000
EXCHANGE_NS = SECOND_NS // 5
POLICY = Policy(engine_bench.PINNED.fingerprint, 1, 5, percent=100, at_once=True)
SETTINGS: dict[str, object] = {**engine_bench.SETTINGS}
CENTURY_S = 100 * 366 * 86400


class Request(NamedTuple):
    at_ns: int
    op: str


class Device:
    """One realm. due_ns: when it is to be looked at next; None: never."""

    __slots__ = ("due_ns", "engine", "issued", "number", "spread")

    def __init__(self, number: int, spread: int, stored: Stored) -> None:
        self.number, self.spread = number, spread
        self.engine = Engine(stored, POLICY)
        self.due_ns: int | None = None
        self.issued = 0


class Fleet:
    """`start` switches devices on; `run` lets time pass. is_up: whether the CA answers then."""

    def __init__(self, life_s: int, is_up: Callable[[int], bool], herd_s: int) -> None:
        self.now_ns = 0
        self.requests: list[Request] = []
        self.devices: list[Device] = []
        self._life_s, self._is_up, self._herd_s = life_s, is_up, herd_s
        self._events: list[tuple[int, int, Device, Event]] = []
        self._count = 0

    def start(self, devices: list[Device]) -> None:
        """All of them in this very moment."""
        self.devices += devices
        for device in devices:
            self._handle(device, Restart(device.spread, self._herd_s, apart=True))

    def run(self, until_ns: int) -> None:
        """Up to this moment."""
        while self._events and self._events[0][0] <= until_ns:
            self.now_ns, _order, device, event = heapq.heappop(self._events)
            if not isinstance(event, Due) or device.due_ns == self.now_ns:
                self._handle(device, event)
        self.now_ns = until_ns

    @property
    def served(self) -> int:
        """How many have got a certificate."""
        return sum(device.issued > 0 for device in self.devices)

    def now(self) -> Now:
        return Now(START_S + self.now_ns // SECOND_NS, self.now_ns, trusted=True)

    def leaf(self, device: Device, begin_s: int) -> CertificateRecord:
        serial = f"{device.number:x}{device.issued:04x}"
        der = f"leaf {serial}".encode()
        return CertificateRecord(der, "CN=r", "CN=CA", serial, begin_s, begin_s + self._life_s)

    def _handle(self, device: Device, event: Event) -> None:
        now = self.now()
        for action in device.engine.handle(event, now):
            self._perform(device, action)
        deadline = device.engine.rearm(now)
        moments_ns = [] if deadline.monotonic_ns is None else [deadline.monotonic_ns]
        if deadline.wall_s is not None:
            moments_ns.append((deadline.wall_s - START_S) * SECOND_NS)
        device.due_ns = max(min(moments_ns), self.now_ns) if moments_ns else None
        if device.due_ns is not None:
            self._at(device.due_ns, device, Due())

    def _perform(self, device: Device, action: Action) -> None:
        if isinstance(action, StartJob):
            self.requests.append(Request(self.now_ns, action.op))
            self._at(self.now_ns + EXCHANGE_NS, device, self._answer(device, action.op))
        elif isinstance(action, Wanted):
            transaction = f"{device.number:x} {self.now_ns:x}"
            held = device.engine.stored.local is not None
            apply = Apply(transaction, SETTINGS, 1, None, False, held)
            self._at(self.now_ns, device, apply)

    def _answer(self, device: Device, op: str) -> Event:
        if not self._is_up(self.now_ns):
            return JobFailed(fail("connection-refused", host="ca", what="x"))
        if op == "fetch-ca":
            return FETCHED
        device.issued += 1
        return Granted(self.leaf(device, self.now().wall_s), ())

    def _at(self, when_ns: int, device: Device, event: Event) -> None:
        self._count += 1
        heapq.heappush(self._events, (when_ns, self._count, device, event))


def _authority() -> CaFetched:
    ca = engine_bench.authority()
    record = ca.certificate._replace(not_after_s=START_S + CENTURY_S)
    return CaFetched((ca._replace(certificate=record),), ("AES", "Renewal"))


FETCHED = _authority()


def spread(name: str, seed: bytes) -> int:
    """What differs between devices, as a realm that starts works it out (`RealmRunner.restart`)."""
    return crc32(name.encode(), crc32(seed))
