"""Realms whose connections have no source yet: they go on when it comes, not by the table alone.

A lease may come an hour after the start, and by then a realm that was tried in vain rests for half
an hour. So as long as a realm rests because its interface or address is not there, the kernel tells
of each change (`hal.ports.LinkNews`); nobody else has it open, and nobody is woken by it. After
the first message it is quiet for a second, since addresses come in groups and one of IPv6 is
tentative at first. Then each of these realms is looked at: it goes on if its source is another one
than at the last look. A source that is there and does not serve (no address of the family that the
CA needs) is tried once, then again when it changes.

The pause of the table goes on beside it: it is what is left when the kernel tells nothing. The
switch that comes back gives all devices behind it their addresses in one second, so each of them
waits for its part of what a start is spread over, as long as the table does not have it go sooner.
"""

from __future__ import annotations

from agent.device.realms import SECOND_NS, Realms
from agent.device.rounds import Round
from agent.device.runner import RealmRunner
from agent.device.shared import Shared
from agent.enrolment import automatic, waits
from agent.enrolment.states import Configured, is_under_way
from agent.errors import AgentError
from agent.settings import Realm
from hal.ports import HalError, Interface, LinkNews

QUIET_NS = 1 * SECOND_NS

Found = tuple[str, ...]  # addresses that a realm may use as its source; none: it is not there


class Sources:
    """One a device; it begins by itself."""

    def __init__(self, shared: Shared, realms: Realms) -> None:
        self._shared = shared
        self._waiting: dict[RealmRunner, Found] = {}  # with what was found at the last look
        self._news: LinkNews | None = None
        self._is_coming = False  # a look
        self._going = Round(shared.loop, self._go_on)
        realms.watch.at_once.append(self.look)

    def look(self, runner: RealmRunner) -> None:
        """It may wait for its source from now on, or no more."""
        if runner.stopped or not _waits(runner):
            self._waiting.pop(runner, None)
            if not self._waiting:
                self.stop()
        elif not is_under_way(runner.engine.state):
            self._waiting.setdefault(runner, ())
            self._listen()
            self._soon()

    def stop(self) -> None:
        """Nothing is open any more."""
        news, self._news = self._news, None
        if news:
            self._shared.loop.unwatch(news.fileno())
            news.close()

    def _listen(self) -> None:
        if self._news is None:
            try:
                news = self._news = self._shared.hardware.link.news()
            except HalError:  # whoever waits next asks again
                return
            self._shared.loop.watch(news.fileno(), lambda: self._heard(news))

    def _heard(self, news: LinkNews) -> None:
        try:
            if news.read():
                self._soon()
        except HalError:
            self.stop()

    def _soon(self) -> None:
        if not self._is_coming:
            self._is_coming = True
            self._shared.loop.after(QUIET_NS, self._compare)

    def _compare(self) -> None:
        self._is_coming = False
        resting = [r for r in self._waiting if not is_under_way(r.engine.state)]
        if not resting:
            return
        try:
            interfaces = self._shared.interfaces()
        except AgentError:
            return
        for runner in resting:
            before, found = self._waiting[runner], self._found(runner.realm, interfaces)
            self._waiting[runner] = found
            if found and found != before:
                self._going.add((runner,))

    def _found(self, realm: Realm, interfaces: list[Interface]) -> Found:
        """What there is of the source that a realm has in its configuration (`hal.link`)."""
        up = {interface.name: interface.addresses for interface in interfaces if interface.up}
        if realm.vpn_instance is not None and realm.vpn_instance not in up:
            return ()
        if realm.source_interface is not None:
            return up.get(self._shared.interface_names.linux(realm.source_interface), ())
        every = [address for interface in interfaces for address in interface.addresses]
        if realm.source_address is None:
            return tuple(every)
        return (realm.source_address,) if realm.source_address in every else ()

    def _go_on(self, runner: RealmRunner) -> None:
        if runner not in self._waiting or is_under_way(runner.engine.state):
            return
        now, engine = runner.now(), runner.engine
        herd_s, pace = self._shared.hardware.herd_s, engine.pace
        spread_ns = automatic.first_pause_ns(engine.stored, now, pace.spread, herd_s)
        left_ns = max(0, pace.paused_ns - now.monotonic_ns)
        runner.hear(Configured(min(spread_ns, left_ns) // SECOND_NS))


def _waits(runner: RealmRunner) -> bool:
    """Its last attempt has found no source, and it makes another one by itself."""
    engine = runner.engine
    if engine.policy.percent is None or engine.error is None:
        return False
    return engine.error.code == waits.SOURCE_MISSING
