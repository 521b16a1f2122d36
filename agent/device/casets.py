"""The sets of CA certificates: one in the store and in memory for all realms that hold the same.

A set is all that realms of one CA have in common: the certificates, which of them is the pin, on
whose word it was taken. A realm's record of its CA says which set it holds, by number, when it was
fetched, and what is on the way to the next CA. A set never changes: another one gets another
number, and no number comes again (it is that of the store's record that brought the set). So what
rot lays open again is never taken for another set. A set goes in the commit in which the last realm
lets go of it.

Fault model. A set is lost or cannot be read: each realm that holds it says so, and has lost its CA
as if that record itself were gone. A realm's record cannot be read: its set may be needed again, so
until there is none such only sets are removed that a realm has let go of.
"""

from __future__ import annotations

from collections.abc import Mapping

from hal import record_codec, record_keys
from hal.record_codec import RecordError
from hal.records import CaHeldRecord, CaRecord, CaSetRecord
from hal.store import Store

ROOM = "ca/"


class CaSets:
    """Sets by their numbers; realms that hold the same get the same objects."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._sets: dict[int, CaSetRecord] = {}
        self._holders: dict[str, int] | None = None  # keys of realms' records, and the set of each
        self._sequence = -1  # of the store when the holders were right

    # -- a record of a realm -----------------------------------------------------------------------

    def decode(self, value: object) -> CaRecord:
        """The CA of a realm; RecordError."""
        if isinstance(value, dict) and "certificates" in value:
            return record_codec.decode(CaRecord, value)  # of a release before: all of it is in here
        held = record_codec.decode(CaHeldRecord, value)
        return CaRecord(
            **self.held(held.set)._asdict(),
            fetched_s=held.fetched_s,
            next=held.next,
            lineage=held.lineage,
        )

    def held(self, number: int) -> CaSetRecord:
        """A set; RecordError."""
        if number not in self._sets:
            value = self._store.get(record_keys.ca_set_key(number))
            if value is None:
                raise RecordError(f"its CA certificates, set {number}, are gone")
            self._sets[number] = record_codec.decode(CaSetRecord, value)
        return self._sets[number]

    def encode(self, ca: CaRecord) -> tuple[dict[str, object], dict[str, object]]:
        """The map to store for a realm, and the set where nobody holds the same.

        The record gets the certificates of the set in the place of its own, which are equal.
        """
        changes: dict[str, object] = {}
        wanted = CaSetRecord(*(getattr(ca, field) for field in CaSetRecord._fields))
        number = next((number for number, held in self._sets.items() if held == wanted), None)
        if number is None or record_keys.ca_set_key(number) not in self._store:
            number = self._store.health.sequence + 1
            changes[record_keys.ca_set_key(number)] = record_codec.encode(wanted)
        else:
            ca.certificates[:] = self._sets[number].certificates
        held = CaHeldRecord(number, ca.fetched_s, ca.next, ca.lineage)
        return record_codec.encode(held), changes

    # -- a commit ----------------------------------------------------------------------------------

    def left(self, changes: Mapping[str, object]) -> dict[str, object]:
        """The removals that go with a commit: sets that no realm holds behind it."""
        touched = {key: _number(value) for key, value in changes.items() if _is_holder(key)}
        if not touched:
            return {}
        holders = self._counted()
        before = {holders.get(key) for key in touched}
        rest = {number for key, number in holders.items() if key not in touched}
        gone = before - rest - {None, *touched.values()}
        return dict.fromkeys(
            record_keys.ca_set_key(number) for number in gone if number is not None
        )

    def committed(self, changes: Mapping[str, object]) -> None:
        """The store has taken them."""
        self._sequence = self._store.health.sequence
        for key, value in changes.items():
            if _is_holder(key) and self._holders is not None:
                number = _number(value)
                self._holders.pop(key, None)
                if number is not None:
                    self._holders[key] = number
            elif key.startswith(ROOM):
                self._sets.pop(int(key.removeprefix(ROOM)), None)
                if value is not None:
                    self.held(int(key.removeprefix(ROOM)))

    def _counted(self) -> dict[str, int]:
        """Made anew where something has written past this, as an erase does."""
        if self._holders is None or self._sequence != self._store.health.sequence:
            keys = filter(_is_holder, self._store.keys("realm/"))
            found = ((key, _number(self._store.get(key))) for key in keys)
            self._holders = {key: number for key, number in found if number is not None}
            self._sequence = self._store.health.sequence
        return self._holders


def _is_holder(key: str) -> bool:
    return key.startswith("realm/") and key.endswith("/ca")


def _number(value: object) -> int | None:
    """The set that a stored record names."""
    number = value.get("set") if isinstance(value, dict) else None
    return number if type(number) is int else None
