"""What wrong passwords cost on one serial line: a delay that grows, and a lock that ends by itself.

Time is an argument (outside nanoseconds). A line keeps its `Lockout` through hang-ups. Delays count
the failures in a row on the line, whatever names were typed; locks count those of one name. A name
that nobody has is treated as any other, so that nothing tells the two apart.

Fault model. Somebody at the line tries passwords, or thousands of names, and hangs up in between.
Promised: after the first five, one attempt in 8 seconds, and five for each name in five minutes;
what is remembered is bounded, and other users and lines are not shut out.
"""

from __future__ import annotations

from agent import limits

SECOND_NS = 1_000_000_000
FORGET_NS = LOCK_NS = limits.LOGIN_LOCK_S * SECOND_NS


class _Tries:
    """Failures of a name in a row, and the time of the last one."""

    __slots__ = ("count", "last_ns")

    def __init__(self) -> None:
        self.count, self.last_ns = 0, 0


class Lockout:
    """The memory of one line. The name "" is the line itself (`authentication-mode password`)."""

    def __init__(self) -> None:
        self.failures = 0  # in a row, on this line
        self._ready_ns = 0
        self._tries: dict[str, _Tries] = {}  # the name that failed last comes last

    def wait_ns(self, now_ns: int) -> int:
        """How long until the line asks again."""
        return max(0, self._ready_ns - now_ns)

    def locked_ns(self, name: str, now_ns: int) -> int:
        """How long until a name is heard again; 0 when it is not locked."""
        self._forget(now_ns)
        tries = self._tries.get(name)
        if tries is None or tries.count < limits.LOGIN_FAILURES:
            return 0
        return tries.last_ns + LOCK_NS - now_ns

    def failed(self, name: str, now_ns: int) -> bool:
        """Counts a wrong password; whether the name is locked by it."""
        delays = limits.LOGIN_DELAYS_S
        self._ready_ns = now_ns + delays[min(self.failures, len(delays) - 1)] * SECOND_NS
        self.failures += 1
        self._forget(now_ns)
        tries = self._tries.pop(name, None) or _Tries()
        tries.count, tries.last_ns = tries.count + 1, now_ns
        self._tries[name] = tries
        if len(self._tries) > limits.LOGIN_NAMES:
            del self._tries[next(iter(self._tries))]
        return tries.count >= limits.LOGIN_FAILURES

    def succeeded(self, name: str) -> int:
        """Forgets the failures of a name and of the line; how many there were on the line."""
        self._tries.pop(name, None)
        failures, self.failures, self._ready_ns = self.failures, 0, 0
        return failures

    def _forget(self, now_ns: int) -> None:
        for name in list(self._tries):
            if self._tries[name].last_ns + FORGET_NS > now_ns:
                break
            del self._tries[name]
