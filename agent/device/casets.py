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

This is the book of them, which touches no flash: `realm_records.py` reads and writes records, and
`commits.py` tells of each commit.
"""

from __future__ import annotations

from collections.abc import Mapping

from hal.records import CaHeldRecord, CaRecord, CaSetRecord

ROOM = "ca/"


class CaSets:
    """Sets by their numbers; realms that hold the same get the same objects."""

    def __init__(self) -> None:
        self._sets: dict[int, CaSetRecord] = {}
        self._holders: dict[str, int] = {}  # keys of realms' records, and the set of each

    # -- a record of a realm -----------------------------------------------------------------------

    def get(self, number: int) -> CaSetRecord | None:
        """A set that was read or written since the start."""
        return self._sets.get(number)

    def keep(self, number: int, record: CaSetRecord) -> None:
        """It is in flash, or on its way."""
        self._sets[number] = record

    def number(self, ca: CaRecord) -> int | None:
        """Of the set that holds the same; None: nobody has it. The record gets the certificates of
        that in the place of its own, which are equal."""
        wanted = common(ca)
        number = next((number for number, held in self._sets.items() if held == wanted), None)
        if number is not None:
            ca.certificates[:] = self._sets[number].certificates
        return number

    # -- a commit ----------------------------------------------------------------------------------

    def count(self, holders: Mapping[str, int | None]) -> None:
        """Keys of realms' records with the sets that they name: all that there are."""
        self._holders = {key: number for key, number in holders.items() if number is not None}

    def left(self, changes: Mapping[str, object]) -> list[int]:
        """The sets that no realm holds behind a commit, and that one has let go of."""
        touched = {key: named(value) for key, value in changes.items() if is_holder(key)}
        before = {self._holders.get(key) for key in touched}
        rest = {number for key, number in self._holders.items() if key not in touched}
        return [n for n in before - rest - {*touched.values()} if n is not None]

    def committed(self, changes: Mapping[str, object]) -> None:
        """The store has taken them."""
        for key, value in changes.items():
            if is_holder(key):
                number = named(value)
                self._holders.pop(key, None)
                if number is not None:
                    self._holders[key] = number
            elif key.startswith(ROOM) and value is None:
                self._sets.pop(int(key.removeprefix(ROOM)), None)


def common(ca: CaRecord) -> CaSetRecord:
    """What realms of one CA have in common."""
    return CaSetRecord(*(getattr(ca, field) for field in CaSetRecord._fields))


def joined(shared: CaSetRecord, held: CaHeldRecord) -> CaRecord:
    """The whole record of a realm."""
    own = held._asdict()
    del own["set"]
    return CaRecord(**shared._asdict(), **own)


def is_holder(key: str) -> bool:
    return key.startswith("realm/") and key.endswith("/ca")


def named(value: object) -> int | None:
    """The set that a stored record names."""
    number = value.get("set") if isinstance(value, dict) else None
    return number if type(number) is int else None
