"""The way to flash: every commit of the agent goes through here, with what it is for.

The store takes what fits. This refuses what fits and would take the room that renewals need; how
much that is, and for whom, says `agent/device/reserve.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from agent.device import casets, losses, reserve
from agent.device.casets import CaSets
from agent.device.reserve import Kept, Ledger, Need, Purpose, Room
from agent.errors import AgentError, fail
from hal import record_keys
from hal.ports import StoreError, WithheldError
from hal.store import Store

BEING_ERASED = "the device is being erased"


def refused(error: StoreError) -> AgentError:
    """What a person reads of it."""
    code = "storage-unusable" if isinstance(error, WithheldError) else "store-failed"
    return fail(code, reason=error.what)


class Commits:
    """`realms` gives the settings of the moment, by folded name."""

    def __init__(self, store: Store, ca_sets: CaSets, realms: Callable[[], reserve.Realms]) -> None:
        self._store, self._ca_sets, self._realms = store, ca_sets, realms
        self._ledger = Ledger(())
        self._version = -1  # of the store when the ledger was right
        self._held_at = -2  # the same of the sets
        self._kept: Kept | None = None  # as long as nothing changes that it is counted from

    def commit(self, changes: Mapping[str, object], purpose: Purpose) -> None:
        """One transaction. Raises AgentError, with nothing changed: `store-reserved` when it must
        leave more room behind it, `store-failed` when the store refuses, or is being erased."""
        if record_keys.erase_key() in self._store:
            raise fail("store-failed", reason=BEING_ERASED)
        self._counted()
        try:
            changes = {**self._settled(changes), **self._left(changes), **changes}
            before, after = self._sizes(changes, {}), self._sizes(changes, changes)
            self._count(after)
            try:
                self._check(sum(n for _, n in after) - sum(n for _, n in before), purpose)
                self._store.commit(changes)
            except BaseException:
                self._count(before)
                raise
        except StoreError as error:
            raise refused(error) from error
        if self._held_at == self._version:
            self._ca_sets.committed(changes)
            self._held_at = self._store.version
        self._version = self._store.version

    def growth(self, changes: Mapping[str, object]) -> int:
        """The bytes that the state of the store takes more behind a commit, if it goes alone."""
        try:
            before, after = self._sizes(changes, {}), self._sizes(changes, changes)
        except StoreError as error:
            raise refused(error) from error
        return sum(n for _, n in after) - sum(n for _, n in before)

    def allow(self, growth: int, purpose: Purpose = Purpose.CONFIGURING) -> None:
        """Before several commits of one purpose: raises as a commit does that takes so much."""
        self._counted()
        try:
            self._check(growth, purpose)
        except StoreError as error:
            raise refused(error) from error

    def configured(self) -> None:
        """The settings of realms may have changed."""
        self._kept = None

    def room(self) -> Room:
        """The state of the store, by the settings of this moment."""
        self._kept = None
        return self._room(self._reserve().bytes())

    def need(self, realm: str) -> Need:
        """The room that the next application of a realm (its folded name) takes, and has."""
        room = self._room(self._reserve().bytes())
        return reserve.need(room, self._counted(), self._realms(), realm)

    def expect(self, wanted: int) -> None:
        """Before work whose outcome is configured: `store-reserved` when it would find no room."""
        room = self.room()
        if wanted > room.free:
            raise fail("store-reserved", wanted=wanted, left=room.left)

    def _room(self, kept: int) -> Room:
        return Room(self._store.room_bytes, self._store.health.used_bytes, kept)

    def _reserve(self) -> Kept:
        """Most commits of many realms at once, as alarms are, leave it as it was."""
        ledger = self._counted()
        if self._kept is None:
            self._kept = reserve.kept(ledger, self._realms())
        return self._kept

    def _count(self, sizes: list[tuple[str, int]]) -> None:
        if self._ledger.put(sizes):
            self._kept = None

    def _counted(self) -> Ledger:
        """The ledger: made anew where something has written past this, as an erase does."""
        if self._store.version != self._version:
            self._ledger = Ledger(self._store.sizes().items())
            self._version, self._kept = self._store.version, None
        return self._ledger

    def _left(self, changes: Mapping[str, object]) -> dict[str, object]:
        """The removals that go with a commit: sets of CAs that no realm holds behind it."""
        if not any(map(casets.is_holder, changes)):
            return {}
        store = self._store
        if self._held_at != store.version:
            keys = filter(casets.is_holder, store.keys("realm/"))
            self._ca_sets.count({key: casets.named(store.get(key)) for key in keys})
            self._held_at = store.version
        return dict.fromkeys(map(record_keys.ca_set_key, self._ca_sets.left(changes)))

    def _sizes(self, keys: Iterable[str], changes: Mapping[str, object]) -> list[tuple[str, int]]:
        sizes = self._store.sizes(changes)
        return [(key, sizes.get(key, 0)) for key in keys]

    def _settled(self, changes: Mapping[str, object]) -> dict[str, object]:
        """What is written anew counts as lost no more."""
        if record_keys.lost_key() not in self._store:
            return {}
        return losses.settled(self._store, changes)

    def _check(self, growth: int, purpose: Purpose) -> None:
        """A commit that takes no more than before is always good: a full store can be emptied."""
        if growth <= 0 or purpose is Purpose.RENEWAL or self._store.health.read_only:
            return  # the store itself says what does not fit
        room = self._store.room_bytes
        used = self._store.health.used_bytes + growth
        rest = room - used
        if rest < 0:
            raise StoreError(f"full: {used} bytes, there is room for {room}")
        if rest < self._reserve().bytes(purpose):
            raise fail("store-reserved", wanted=growth, left=rest + growth)
