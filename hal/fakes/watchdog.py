"""A watchdog on a fake clock. For tests.

Fault model: it resets the machine when it was not fed for `timeout_s`, and once is enough
(`has_bitten`); feeding may fail (`refuse`). Out of the model: a driver that rounds, or never stops.
"""

from __future__ import annotations

from collections.abc import Callable

from hal.ports import WatchdogError

SECOND_NS = 1_000_000_000


class FakeWatchdog:
    """`hal.ports.Watchdog`. `fed_ns`: when it was fed, the opening first."""

    effect = "resets this machine"

    def __init__(self, outside_ns: Callable[[], int], timeout_s: int = 60) -> None:
        self.timeout_s = timeout_s
        self._outside_ns = outside_ns
        self.fed_ns = [outside_ns()]
        self.armed = self._open = True
        self.refuse = False
        self._bitten = False

    @property
    def has_bitten(self) -> bool:
        """Whether the machine was reset, by now."""
        silent_ns = self._outside_ns() - self.fed_ns[-1]
        self._bitten |= self.armed and silent_ns > self.timeout_s * SECOND_NS
        return self._bitten

    def feed(self) -> None:
        if self.refuse or not self._open:
            raise WatchdogError("refused" if self.refuse else "closed")
        if not self.has_bitten:
            self.fed_ns.append(self._outside_ns())

    def disarm(self) -> None:
        self.feed()
        self.armed = False
        self.close()

    def close(self) -> None:
        self._open = False
