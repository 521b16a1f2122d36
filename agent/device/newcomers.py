"""Realms that hold nothing and are to apply by themselves: their first applications.

A device may be new with a thousand of them. Each has a key pair made, and takes more memory from
then on than its settings. So a few are at work at a time; whoever has applied, or cannot, makes
room for the next. That is one of the CA with the fewest at work, and among such CAs each has its
turn after the others: those of a CA that answers nothing hold up one another alone. Those of one CA
begin in the order in which they were configured.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial

from agent import limits
from agent.appliance import Done
from agent.device.shared import Shared
from agent.enrolment import automatic
from agent.enrolment.actions import Stored
from agent.enrolment.schedule import SECOND_NS
from agent.errors import AgentError
from agent.loop import Deadline


class Newcomers:
    """`is_new` says whether a realm of that name is still one; `apply` begins its application and
    tells of the end."""

    def __init__(
        self,
        shared: Shared,
        is_new: Callable[[str], bool],
        apply: Callable[[str, Done[None]], None],
    ) -> None:
        self._shared, self._is_new, self._apply = shared, is_new, apply
        # Names by CA; the first CA has the next turn.
        self._waiting: dict[str, dict[str, None]] = {}
        self._at_work: Counter[str] = Counter()  # by CA
        self._begun: set[str] = set()  # those; they are new until their key pair is made
        self._has_booted = self._may = False
        self._timer: Deadline | None = None
        self._quiet_ns = 0  # monotonic; until then somebody may be typing

    def add(self, name: str, ca: str) -> None:
        """It waits for its turn; `look` begins. ca: whatever tells one server from another. One
        that moves to another server may stand in both lines; it begins once at a time."""
        self._waiting.setdefault(ca, {})[name] = None

    def look(self, quiet_s: int = 0) -> None:
        """Lets the next ones begin when nothing has been configured for so long. Who configures
        behind the boot is no herd: he need not wait for his part of its time."""
        self._may |= self._has_booted
        now_ns = self._shared.time.now().monotonic_ns
        self._quiet_ns = max(self._quiet_ns, now_ns + quiet_s * SECOND_NS)
        if self._timer:
            self._timer.cancel()
        if self._may and self._waiting:
            self._timer = self._shared.loop.at_monotonic(self._quiet_ns, self._next)

    def start(self, herd_s: int) -> None:
        """At the boot: they wait for the part of this device of the time that a herd takes."""
        self._has_booted = True
        spread, now = int.from_bytes(self._shared.hardware.chance.draw(4)), self._shared.time.now()
        pause_ns = automatic.first_pause_ns(Stored(), now, spread, herd_s)
        self._shared.loop.at_monotonic(now.monotonic_ns + pause_ns, self._begin)

    def _begin(self) -> None:
        self._may = True
        self._next()

    def _next(self) -> None:
        while self._waiting and self._at_work.total() < limits.NEWCOMERS_AT_ONCE:
            ca = min(self._waiting, key=self._at_work.__getitem__)
            line = self._waiting.pop(ca)
            name = next(iter(line))
            del line[name]
            if line:
                self._waiting[ca] = line  # behind the other CAs
            if self._is_new(name) and name not in self._begun:
                self._at_work[ca] += 1
                self._begun.add(name)
                self._apply(name, partial(self._ended, ca, name))

    def _ended(self, ca: str, name: str, _result: AgentError | None) -> None:
        self._at_work[ca] -= 1
        self._begun.discard(name)
        self.look()
