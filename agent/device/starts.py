"""Starts that ended without order, counted for each step that a realm was at: then it rests.

Fault model. Something about the step of one realm ends the agent, or the device: an answer that
finds a fault of ours, a radio that pulls the supply down. Whoever starts it again brings the realm
back to the very step, and so for ever: no other realm and no person has the device for long. So a
realm at whose step three starts in a row have ended without order rests before it goes on, ten
minutes or a tenth of what is left of its certificate, whichever is less. Where nobody knows what is
left (no certificate, a clock that is not trusted), or nothing is, it is ten minutes. It rests again
after each further end, and never gives up. Cuts of the power at different steps are just that.

A step is the phase in flash and the transaction. The counts are one record of the store, since a
brown-out takes the memory along. They cost one small commit at a start, and one at a stop in order,
which says so; both only where a realm is under way. A step forward costs none, since the count is
of another step then. So the end at which a step is found for the first time counts as well: what
did not end in order has no record that says so. Lost, the counts begin anew.
"""

from __future__ import annotations

from binascii import crc32
from collections.abc import Iterable

from agent.device.reserve import Purpose
from agent.device.shared import Shared
from agent.enrolment.actions import Now
from agent.errors import AgentError
from agent.settings import fold
from hal import record_codec, record_keys
from hal.records import LocalRecord, RequestRecord, StartsRecord

ENDS = 3  # in a row
REST_S = 600
_PHASES = ("fetching", "sent", "pending")
_STEP_BYTES = 4


class Starts:
    """`begin` at a start, before any realm goes on; `end` at a stop in order."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._ends: dict[str, int] = {}  # by folded name of a realm

    def begin(self, realms: Iterable[str]) -> None:
        """Counts this start as one that ends without order, until `end`."""
        before, steps = self._read(), self._steps(realms)
        last, one = ({}, 0) if before.in_order else (_counts(before), 1)
        self._ends = {name: min(ENDS, last.get(step, 0) + one) for name, step in steps.items()}
        counts = {step: self._ends[name] for name, step in steps.items()}
        now = StartsRecord([step + bytes([n]) for step, n in sorted(counts.items())], False)
        if steps and now != before:
            self._commit(record_codec.encode(now))

    def end(self) -> None:
        """What the realms are at has not ended the agent."""
        under_way = self._steps(self._shared.settings.realms)
        if under_way:
            self._commit(record_codec.encode(StartsRecord([], True)))
        elif record_keys.starts_key() in self._shared.store:
            self._commit(None)

    def _steps(self, realms: Iterable[str]) -> dict[str, bytes]:
        """Of those that are at one, by folded name."""
        return {fold(name): step for name in realms if (step := self._step(name))}

    def rests(self, name: str) -> bool:
        """Whether a realm rests before it goes on; asked once a start."""
        return self._ends.pop(fold(name), 0) >= ENDS

    def _step(self, name: str) -> bytes:
        """The step that a realm is at in flash; empty when it is at none."""
        value = self._shared.store.get(record_keys.realm_key(name, "request"))
        try:
            request = None if value is None else record_codec.decode(RequestRecord, value)
        except record_codec.RecordError:
            return b""
        if request is None or request.phase not in _PHASES:
            return b""
        text = f"{fold(name)}/{request.phase}/{request.transaction}"
        return crc32(text.encode()).to_bytes(_STEP_BYTES, "big")

    def _read(self) -> StartsRecord:
        value = self._shared.store.get(record_keys.starts_key())
        try:
            return record_codec.decode(StartsRecord, value)
        except record_codec.RecordError:  # there is none, or none that can be read
            return StartsRecord([], False)

    def _commit(self, record: object) -> None:
        try:
            self._shared.commit({record_keys.starts_key(): record}, Purpose.FAILURE)
        except AgentError:
            pass  # it is in the log; without the count nothing rests


def rest_s(local: LocalRecord | None, now: Now) -> int:
    """How long a realm with this certificate rests."""
    left_s = local.end_s - now.wall_s if local and now.trusted else 0
    return min(REST_S, left_s // 10) if left_s > 0 else REST_S


def _counts(record: StartsRecord) -> dict[bytes, int]:
    whole = [one for one in record.ends if len(one) > _STEP_BYTES]
    return {one[:_STEP_BYTES]: one[_STEP_BYTES] for one in whole}
