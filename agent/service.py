"""The agent as a service: when it is ready, and a line that says how its realms stand.

It is ready when memory is filled as far as it can be, or is known to stay empty: consumers that are
started behind it then find what there is. The line is sent again when a realm has changed, a while
later, since a thousand realms may renew one after the other and each look at all of them costs.
"""

from __future__ import annotations

from collections.abc import Callable

from agent.appliance import Appliance, Glance
from agent.console.language.times import Times
from agent.errors import AgentError
from agent.loop import Loop
from hal.supervisor import Supervisor

LATER_NS, EACH_NS = 5_000_000_000, 50_000_000  # before the line, and more of it for each realm
TROUBLE = 3  # ranks below it need somebody


class Service:
    """Tells the service manager; `changed` is to be called when a realm may stand otherwise."""

    def __init__(self, loop: Loop, device: Appliance, supervisor: Supervisor) -> None:
        self._loop, self._device, self._supervisor = loop, device, supervisor
        self._waits = False

    def filled(self) -> None:
        """Memory is as it will be."""
        self._supervisor.ready()
        self._look()

    def changed(self) -> None:
        if not self._waits:
            self._waits = True
            realms = len(self._device.settings.realms)
            self._loop.after(LATER_NS + realms * EACH_NS, self._look)

    def _look(self) -> None:
        self._waits = False
        if self._device.unusable:
            self._supervisor.status(f"the storage cannot be used: {self._device.unusable.reason}")
        else:
            self._device.survey(self._tell)

    def _tell(self, found: list[Glance] | AgentError) -> None:
        zone = self._device.settings.timezone
        times = Times(self._device.wall_s(), zone.name, zone.ahead_s)
        if not isinstance(found, AgentError):
            self._supervisor.status(summary(found, times.moment))


def summary(found: list[Glance], moment: Callable[[int], str]) -> str:
    """One line: how many realms, the worst of them, and what comes next. found: the worst first."""
    if not found:
        return "no realms are configured"
    count = f"{len(found)} realm" + "s" * (len(found) != 1)
    in_trouble = sum(one.rank < TROUBLE for one in found)
    worst = found[0]
    why = worst.last_error.what if worst.last_error else worst.state
    state = f"{in_trouble} in trouble, {worst.realm}: {why}" if in_trouble else "none in trouble"
    next_s = [(one.next_s, one.realm) for one in found if one.next_s is not None]
    if not next_s:
        return f"{count}, {state}"
    soonest_s, realm = min(next_s)
    return f"{count}, {state}; next: {realm} at {moment(soonest_s)}"
