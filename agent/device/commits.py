"""The way to flash: every commit of the agent goes through here, with what it is for.

The store takes what fits. This refuses what fits and would take the room that renewals need; how
much that is, and for whom, says `agent/device/reserve.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from agent.device import losses, reserve
from agent.device.reserve import Need, Purpose, Room
from agent.errors import AgentError, fail
from hal import records
from hal.ports import StoreError, WithheldError
from hal.store import Store


def refused(error: StoreError) -> AgentError:
    """What a person reads of it."""
    code = "storage-unusable" if isinstance(error, WithheldError) else "store-failed"
    return fail(code, reason=error.what)


class Commits:
    """`realms` gives the settings of the moment, by folded name."""

    def __init__(self, store: Store, realms: Callable[[], reserve.Realms]) -> None:
        self._store, self._realms = store, realms

    def commit(self, changes: Mapping[str, object], purpose: Purpose) -> None:
        """One transaction. Raises AgentError, with nothing changed: `store-reserved` when it must
        leave more room behind it, `store-failed` when the store refuses."""
        try:
            changes = {**self._settled(changes), **changes}
            self._check(changes, purpose)
            self._store.commit(changes)
        except StoreError as error:
            raise refused(error) from error

    def room(self) -> Room:
        """The state of the store."""
        return reserve.room(self._store.sizes(), self._store.room_bytes, self._realms())

    def need(self, realm: str) -> Need:
        """The room that the next application of a realm (its folded name) takes, and has."""
        room_bytes, realms = self._store.room_bytes, self._realms()
        return reserve.need(self._store.sizes(), room_bytes, realms, realm)

    def expect(self, wanted: int) -> None:
        """Before work whose outcome is configured: `store-reserved` when it would find no room."""
        room = self.room()
        if wanted > room.free:
            raise fail("store-reserved", wanted=wanted, left=room.left)

    def _settled(self, changes: Mapping[str, object]) -> dict[str, object]:
        """What is written anew counts as lost no more."""
        if self._store.get(records.lost_key()) is None:
            return {}
        return losses.settled(self._store, changes)

    def _check(self, changes: Mapping[str, object], purpose: Purpose) -> None:
        """A commit that takes no more than before is always good: a full store can be emptied."""
        if purpose is Purpose.RENEWAL or self._store.health.read_only:
            return  # the store itself says what does not fit
        sizes, room = self._store.sizes(changes), self._store.room_bytes
        used = sizes.total
        growth, rest = used - self._store.sizes().total, room - used
        if growth <= 0:
            return
        if rest < 0:
            raise StoreError(f"full: {used} bytes, there is room for {room}")
        if rest < reserve.kept_bytes(sizes, self._realms(), purpose):
            raise fail("store-reserved", wanted=growth, left=rest + growth)
