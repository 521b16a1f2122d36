"""The time of the device: reads the clock, asks who vouches for it, and keeps what is believed.

The rules are in `belief.py`. A reading is judged whenever somebody wants to know the time, which
costs some comparisons. Whoever has deadlines hears of each jump and of each change of trust by
`on_change`, and arms them anew by `now` (`schedule.armed`).

Who vouches is known from a file at once, and from the kernel by asking the worker. It is asked
after the start and after each jump, in ever longer steps, then once a day: a time source that only
slews makes itself known by nothing. The first answer brings the timer that tells of a set clock;
from then on an idle device does not wake up by itself but for that daily question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from agent import limits
from agent.appliance import ClockState
from agent.device import belief
from agent.device.commits import Commits
from agent.device.hardware import Hardware
from agent.device.reserve import Purpose
from agent.enrolment.actions import Now
from agent.errors import AgentError, fail
from agent.log import Log
from agent.loop import Deadline, Loop
from hal import record_codec, record_keys
from hal.ports import UNKNOWN_US, HalError, KernelTime
from hal.record_codec import RecordError
from hal.records import ClockRecord
from hal.store import Store

QUIET_NS = 3600 * belief.SECOND_NS  # after that a jump is a new one
_REMEDY = "; type `clock datetime HH:MM:SS YYYY-MM-DD` in the user view"


class Timekeeper:
    """One a device. `start` is for the boot, when the realms' records have been read."""

    def __init__(
        self, loop: Loop, hardware: Hardware, store: Store, commits: Commits, log: Log
    ) -> None:
        self._loop, self._hardware, self._clock = loop, hardware, hardware.clock
        self._store, self._commits, self._log = store, commits, log
        self._issued_s = 0
        self._belief: belief.Belief | None = None
        self._vouched, self._by_hand = False, False  # by whom, as it was at the last answer
        self._listeners: list[Callable[[], None]] = []
        self._told_trust = True
        self._jumps = _Jumps()
        self._step, self._asking, self._stale = 0, False, False
        self._watched = False
        self._timer: Deadline | None = None
        self._use_known()
        loop.on_jump(self._jumped)

    # -- the time ----------------------------------------------------------------------------------

    def now(self) -> Now:
        """The time of an event: that which counts, by a clock that is trusted or without one."""
        reading = self._reading()
        found = self._look(reading)
        counted = not found.trusted and bool(found.seen)
        wall_s = belief.time_s(found, reading)
        return Now(wall_s, reading.monotonic_ns, found.trusted, counted)

    def wall_s(self) -> int:
        """Seconds since 1970: the time that counts, also where the clock says another one."""
        return self.now().wall_s

    def is_trusted(self) -> bool:
        """Whether the clock is good enough for dates."""
        return self.now().trusted

    def on_change(self, call: Callable[[], None]) -> None:
        """`call` after each jump of the clock and each change of trust."""
        self._listeners.append(call)

    def state(self) -> ClockState:
        """The source of the time, and whether and why it is trusted."""
        reading = self._reading()
        found = self._look(reading)
        source = "rtc" if self._hardware.rtc else "system"
        if self._by_hand:
            source = "operator"
        if self._vouched or self._clock.synchronised():
            source = "ntp"
        why = belief.WHY[found.why] + ("" if found.trusted else _REMEDY)
        counts_s = belief.time_s(found, reading)
        return ClockState(source, found.trusted, why, reading.wall_s, counts_s)

    # -- what happens to it ------------------------------------------------------------------------

    def learn(self, issued_s: int) -> None:
        """A CA wrote this notBefore into a certificate that was accepted, so the time has passed.

        One that is years ahead of all else was written by a clock that is wrong, or by a liar.
        """
        if self._issued_s < issued_s <= self._known.latest_s:
            self._issued_s = issued_s
            self._use_known()

    def start(self, issued: Iterable[int]) -> None:
        """At the boot: `issued` has the notBefore of what realms hold. Sets a clock that is behind,
        from the RTC or to what has passed for sure, as the board file says."""
        for issued_s in issued:
            self.learn(issued_s)
        self._belief = None
        if self._clock.wall_s() < self._known.floor_s:
            self._catch_up()
        self._belief = None
        self._note(self._look(self._reading()))
        self._ask_later()

    def set(self, wall_s: int) -> None:
        """A person sets clock and RTC, and is believed. AgentError `clock-refused`."""
        try:
            self._move(wall_s)
        except HalError as error:
            raise fail("clock-refused", reason=error) from error
        self._by_hand, self._vouched = True, False
        self._settle(belief.PERSON)

    def stop(self) -> None:
        """No callback comes any more."""
        self._listeners.clear()
        if self._timer:
            self._timer.cancel()

    def _catch_up(self) -> None:
        """The kernel reads the RTC where it can; a module that came later, or none, is for us."""
        rtc, what = self._hardware.rtc, self._known
        try:
            if rtc and what.floor_s <= (rtc_s := rtc.read()) <= what.latest_s:
                self._move(rtc_s)
                self._log.report("CLOCK_SET", "the clock was behind, and was set from the RTC")
                return
        except HalError as error:
            self._log.report("CLOCK_ERR", str(error))
        if not self._hardware.clock_floor:
            return
        try:
            self._move(what.floor_s)
        except HalError as error:
            self._log.report("CLOCK_ERR", str(error))
        else:
            text = "the clock was behind, and was moved up to the last time that is known"
            self._log.report("CLOCK_SET", text)

    def _move(self, wall_s: int) -> None:
        self._clock.set_wall(wall_s)
        self._jumps.expect(self._clock.ahead_ns())

    # -- what is believed --------------------------------------------------------------------------

    def _reading(self, vouched: str = belief.NOBODY) -> belief.Reading:
        return belief.Reading(self._clock.wall_s(), self._clock.monotonic_ns(), vouched)

    def _use_known(self) -> None:
        self._known = belief.known(
            self._record(), self._hardware.machine, self._issued_s, self._hardware.clock_floor
        )

    def _look(self, reading: belief.Reading) -> belief.Belief:
        """What nobody's word makes good may be vouched for by the file, which is looked for then
        alone."""
        found = belief.look(self._belief, reading, self._known)
        if not found.trusted and not reading.vouched and self._clock.synchronised():
            vouched = reading._replace(vouched=belief.SOURCE)
            found = belief.look(self._belief, vouched, self._known)
        self._belief = found
        return found

    def _settle(self, vouched: str) -> None:
        """After somebody has vouched, or nobody would: stores what is to be stored, and tells."""
        reading = self._reading(vouched)
        found = self._look(reading)
        self._store_record(found, reading)
        self._note(found)

    def _note(self, found: belief.Belief) -> None:
        """Tells of a change of trust."""
        if found.trusted == self._told_trust:
            return
        self._told_trust = found.trusted
        text = "trusted" if found.trusted else "not trusted, elapsed time counts"
        mnemonic = "CLOCK_TRUSTED" if found.trusted else "CLOCK_WEAK"
        self._log.report(mnemonic, f"the clock is {text}: {belief.WHY[found.why]}")
        self._tell()

    def _tell(self) -> None:
        for call in list(self._listeners):
            call()

    def _record(self) -> ClockRecord | None:
        """None also for one that cannot be read: its loss makes a clock a little less doubted."""
        try:
            return record_codec.decode(ClockRecord, self._store.get(record_keys.clock_key()))
        except RecordError:
            return None

    def _store_record(self, found: belief.Belief, reading: belief.Reading) -> None:
        machine = self._hardware.machine
        new = belief.to_record(found, reading, self._record(), machine)
        if new is None:
            return
        try:
            self._commits.commit(
                {record_keys.clock_key(): record_codec.encode(new)}, Purpose.FAILURE
            )
        except AgentError as error:  # tomorrow is another day
            self._log.report("STORE_ERR", error.what)
        else:
            self._use_known()

    # -- jumps, and who vouches --------------------------------------------------------------------

    def _jumped(self, jump_s: int) -> None:
        """The loop has seen the wall clock move against elapsed time."""
        ahead_ns, now_ns = self._clock.ahead_ns(), self._clock.monotonic_ns()
        self._vouched, self._stale = False, True
        if text := self._jumps.told(jump_s, ahead_ns, now_ns):
            self._log.report("CLOCK_JUMP", text)
            self._step = 0
            self._ask_later()  # what is not trusted may be vouched for, which is known in a moment
        else:
            self._note(self._look(self._reading()))
        self._tell()

    def _ask_later(self) -> None:
        """The next question, by elapsed time."""
        if self._asking:
            return
        if self._timer:
            self._timer.cancel()
        wait_ns = limits.CLOCK_ASK_S[self._step] * belief.SECOND_NS
        when_ns = self._clock.monotonic_ns() + wait_ns
        self._timer = self._loop.at_monotonic(when_ns, self._ask)

    def _ask(self) -> None:
        source = self._hardware.time_source
        if source is None:
            self._answered(None)
            return
        self._asking, self._stale = True, False
        source.ask(not self._watched, self._said)

    def _said(self, said: KernelTime | None) -> None:
        self._asking = False
        if said and said.timer is not None:
            self._watched = True
            self._loop.hear_sets(said.timer)
        if self._stale:  # the clock moved meanwhile, so the answer says nothing about it
            self._ask_later()
        else:
            self._answered(said)

    def _answered(self, said: KernelTime | None) -> None:
        """A day until the next question when somebody vouches, else the next step."""
        self._vouched = said is not None and said.maxerror_us < UNKNOWN_US
        vouched = self._vouched or self._clock.synchronised()
        last = len(limits.CLOCK_ASK_S) - 1
        self._step = last if vouched else min(self._step + 1, last)
        self._settle(belief.SOURCE if vouched else belief.NOBODY)
        self._ask_later()


class _Jumps:
    """Which jumps are told: each, but of a clock that drifts or stands still only when it has gone
    wrong by twice as much as was told."""

    def __init__(self) -> None:
        self._expected_ns: int | None = None
        self._last_ns, self._sum_s, self._most_s = 0, 0, 0

    def expect(self, ahead_ns: int) -> None:
        """We have set the clock ourselves; the wall is that far ahead of monotonic time now."""
        self._expected_ns = ahead_ns

    def told(self, jump_s: int, ahead_ns: int, now_ns: int) -> str:
        """The text for the log; "" for a jump that is our own or no news."""
        own, self._expected_ns = self._expected_ns, None
        if own is not None and abs(ahead_ns - own) <= belief.SECOND_NS:
            return ""
        if now_ns - self._last_ns > QUIET_NS:
            self._sum_s, self._most_s = 0, 0
        self._last_ns, self._sum_s = now_ns, self._sum_s + jump_s
        if max(abs(jump_s), abs(self._sum_s)) < 2 * self._most_s:
            return ""
        self._most_s = max(abs(jump_s), abs(self._sum_s))
        return f"the clock moved by {jump_s:+} s against elapsed time, {self._sum_s:+} s in all"
