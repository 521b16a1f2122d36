"""Realms that hold nothing and are to apply by themselves: their first applications.

A device may be new with a thousand of them. Each has a key pair made, and takes more memory from
then on than its settings. So a few are at work at a time, in the order in which they were
configured; whoever has applied, or cannot, makes room for the next.
"""

from __future__ import annotations

from collections.abc import Callable

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
        self._waiting: dict[str, None] = {}  # names, in their order
        self._at_work, self._may = 0, False
        self._timer: Deadline | None = None
        self._quiet_ns = 0  # monotonic; until then somebody may be typing

    def add(self, name: str) -> None:
        """It waits for its turn; `look` begins."""
        self._waiting[name] = None

    def look(self, quiet_s: int = 0) -> None:
        """Lets the next ones begin when nothing has been configured for so long."""
        now_ns = self._shared.now().monotonic_ns
        self._quiet_ns = max(self._quiet_ns, now_ns + quiet_s * SECOND_NS)
        if self._timer:
            self._timer.cancel()
        if self._may and self._waiting:
            self._timer = self._shared.loop.at_monotonic(self._quiet_ns, self._next)

    def start(self, herd_s: int) -> None:
        """At the boot: they wait for the part of this device of the time that a herd takes."""
        spread, now = int.from_bytes(self._shared.hardware.chance.draw(4)), self._shared.now()
        pause_ns = automatic.first_pause_ns(Stored(), now, spread, herd_s)
        self._shared.loop.at_monotonic(now.monotonic_ns + pause_ns, self._begin)

    def _begin(self) -> None:
        self._may = True
        self._next()

    def _next(self) -> None:
        while self._waiting and self._at_work < limits.NEWCOMERS_AT_ONCE:
            name = next(iter(self._waiting))
            del self._waiting[name]
            if self._is_new(name):
                self._at_work += 1
                self._apply(name, self._ended)

    def _ended(self, _result: AgentError | None) -> None:
        self._at_work -= 1
        self.look()
