"""Feeding the watchdog: as long as the loop turns and the store answers, and no longer.

Fault model. The agent hangs, or its flash does: nobody feeds, and the machine is reset. A mount of
a big part takes long: it feeds while the part goes on answering. The agent dies, or is killed: the
watchdog goes on running, and whoever starts the agent again has until its time is over. A person
ends the agent: it is stopped, and only then. The watchdog itself fails: that is told once, and
certificates are looked after without it.
"""

from __future__ import annotations

from agent.log import Log
from agent.loop import Loop
from hal import record_keys
from hal.ports import Flash, HalError, Watchdog
from hal.store import Store

FEED_NS = 1_000_000_000


def time_of(watchdog: Watchdog) -> str:
    return (
        f"{watchdog.timeout_s} s" if watchdog.timeout_s else "a time that its driver does not tell"
    )


class Feeder:
    """The life of a watchdog from its opening on. each_ns: how often it is fed."""

    def __init__(self, watchdog: Watchdog, loop: Loop, log: Log, each_ns: int = FEED_NS) -> None:
        self._watchdog, self._loop, self._log = watchdog, loop, log
        self._each_ns = each_ns
        self._well = True
        self._last_ns = 0
        self._flash: _Feeding | None = None
        log.report(
            "WATCHDOG_ON", f"it {watchdog.effect} when it was not fed for {time_of(watchdog)}"
        )
        self.feed()

    def feed(self) -> None:
        self._last_ns = self._loop.outside_ns()
        try:
            self._watchdog.feed()
        except HalError as error:
            if self._well:
                self._log.report("WATCHDOG_ERR", str(error))
            self._well = False
        else:
            self._well = True

    def answered(self) -> None:
        """Something has: feeds, if it is time."""
        if self._loop.outside_ns() - self._last_ns >= self._each_ns:
            self.feed()

    def mounting(self, flash: Flash) -> Flash:
        """The same part; each answer of it counts until `begin`."""
        self._flash = _Feeding(flash, self)
        return self._flash

    def begin(self, store: Store) -> None:
        """From now on each time that the loop has turned and the store has answered."""
        if self._flash:
            self._flash.over = True

        def turned() -> None:
            store.get(record_keys.erase_key())
            self.feed()
            self._loop.after(self._each_ns, turned)

        turned()

    def end(self) -> None:
        """A person has ended the agent: the machine may go on without it."""
        try:
            self._watchdog.disarm()
        except HalError as error:
            self._log.report("WATCHDOG_ERR", f"not stopped: {error}")

    def close(self) -> None:
        """However the agent ends."""
        self._watchdog.close()


class _Feeding:
    """`hal.ports.Flash`: a part whose answers feed the watchdog until that is `over`."""

    def __init__(self, flash: Flash, feeder: Feeder) -> None:
        self.over = False
        self._flash, self._feeder = flash, feeder
        self.block_size, self.block_count = flash.block_size, flash.block_count
        self.program_size, self.can_have_bad_blocks = flash.program_size, flash.can_have_bad_blocks
        self.sync, self.close = flash.sync, flash.close

    def read(self, offset: int, length: int) -> bytes:
        data = self._flash.read(offset, length)
        self._answered()
        return data

    def program(self, offset: int, data: bytes) -> None:
        self._flash.program(offset, data)
        self._answered()

    def erase(self, block: int) -> None:
        self._flash.erase(block)
        self._answered()

    def _answered(self) -> None:
        if not self.over:
            self._feeder.answered()
