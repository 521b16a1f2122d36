"""The machine that this storage belongs to, and the alarm that it was made on another one.

A storage with its device key may be copied to many boards, when an image is written that was
enrolled before; or it was moved, from a board that has died to its spare. Only a person can tell
which. So the device serves and renews on, as a spare must, and each start says so until a person
confirms that the board has replaced another one, or no key pair is left that came along.

The record says which machine made the first key pair; at a start on another one, which key pairs
came along. A board that does not know what it is has no such alarm.
"""

from __future__ import annotations

from agent.console.language.times import Times
from agent.device.reserve import Purpose
from agent.device.shared import Shared
from agent.errors import AgentError
from hal import record_codec, record_keys
from hal.records import MachineRecord

CHANGED = "DEVICE_CHANGED"
MOVED = "this storage was made on another device"
_REMEDY = (
    "if this board has taken the place of that one, type `pki confirm-device` in the system view;"
    " if not, its key pairs are in use on both: make new ones"
)
KEYS = 1000  # that are remembered as having come along


class Identity:
    """`moved`: the alarm stands."""

    def __init__(self, shared: Shared) -> None:
        self._shared, self._here = shared, shared.hardware.machine
        self.moved = False

    def begin(self) -> None:
        """At the start."""
        record = self._read()
        if record and self._here and record.machine != self._here:
            keys = self._shared.store.keys("key/")[:KEYS]
            self._keep(MachineRecord(self._here, keys, self._shared.time.wall_s()))
            self.moved = bool(keys)
            if self.moved:
                self._shared.log.report(CHANGED, f"{MOVED}: {_REMEDY}")
            return
        self.look()
        if record and self.moved:
            zone = self._shared.settings.timezone
            since = Times(0, zone.name, zone.ahead_s).moment(record.moved_s)
            text = f"{MOVED}: {_REMEDY}; standing since {since}"
            self._shared.log.report(CHANGED, text, again=True)

    def look(self) -> None:
        """Key pairs have come or gone."""
        record, store = self._read(), self._shared.store
        self.moved = record is not None and any(key in store for key in record.foreign)

    def first(self) -> dict[str, object]:
        """Changes for the commit of a key pair: the machine that made the first one."""
        if not self._here or self._read():
            return {}
        return {record_keys.machine_key(): record_codec.encode(MachineRecord(self._here, [], 0))}

    def confirm(self) -> None:
        """A person says that this board has replaced another one. AgentError: not in flash."""
        record = record_codec.encode(MachineRecord(self._here, [], 0))
        self._shared.commit({record_keys.machine_key(): record})
        self.moved = False
        self._shared.log.report("DEVICE_CONFIRMED", "the operator says that it replaced another")

    def _read(self) -> MachineRecord | None:
        value = self._shared.store.get(record_keys.machine_key())
        try:
            return None if value is None else record_codec.decode(MachineRecord, value)
        except record_codec.RecordError:
            return None

    def _keep(self, record: MachineRecord) -> None:
        changes: dict[str, object] = {record_keys.machine_key(): record_codec.encode(record)}
        try:
            self._shared.commit(changes, Purpose.FAILURE)
        except AgentError:
            pass  # it is in the log; the next start tells it again
