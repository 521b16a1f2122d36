"""The device as a machine: its storage folder, its clock, what it counts, its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from agent.appliance import Children, ClockState, Done
from agent.device import casets, losses
from agent.device.commits import BEING_ERASED, refused
from agent.device.erasing import Erasure
from agent.device.identity import Identity
from agent.device.keypairs import KeyPairs
from agent.device.realms import Realms
from agent.device.shared import Shared
from agent.enrolment import automatic
from agent.enrolment.states import is_under_way
from agent.errors import AgentError, fail
from agent.jobs.answers import Answer, items
from hal import calendar
from hal.ports import HalError, StoreError

DAY_S = 86400


class DeviceSystem:
    """`agent.appliance.System`. `start_anew`: the store is that of a new device, and the rest of
    the device follows it."""

    def __init__(
        self,
        shared: Shared,
        realms: Realms,
        keys: KeyPairs,
        erasure: Erasure,
        identity: Identity,
        start_anew: Callable[[], None],
    ) -> None:
        hardware = shared.hardware
        self._shared, self._realms, self._keys = shared, realms, keys
        self._store, self._reboot = shared.store, hardware.reboot
        self._erasure, self._renew_key = erasure, hardware.renew_key
        self._start_anew = start_anew
        self.recovery = hardware.recovery
        self._identity, self.confirm_device = identity, identity.confirm
        self._children: Children | None = None
        self._erasing = False

    def look_at_children(self) -> None:
        """Has a job child tell what confines it; what does not is one warning."""
        log = self._shared.log

        def told(result: Children | AgentError) -> None:
            if isinstance(result, Children):
                self._children = result
                weak = result.missing and f"job children lack {', '.join(result.missing)}"
            else:
                weak = f"nobody knows what confines job children: {result}"
            if weak:
                log.report("CONFINEMENT_WEAK", weak)

        self._shared.task({"op": "rungs"}, _children, told)

    def clock(self) -> ClockState:
        """Of the clock; and the first realm whose CA has issued by another time."""
        state = self._shared.time.state()
        for runner in self._realms:
            waits = runner.engine.stored.next
            if waits and waits.doubted and automatic.is_outside(waits, state.counts_s):
                begin, end = waits.certificate.not_before_s, waits.end_s
                life = f"valid from {calendar.text(begin)} to {calendar.text(end)}"
                says = f"but realm {runner.realm.name} was issued a certificate that is {life}"
                return state._replace(why=f"{state.why}; {says}: one of the two clocks is wrong")
        return state

    def children(self) -> Children | None:
        return self._children

    @property
    def moved(self) -> bool:
        return self._identity.moved

    @property
    def key_missing(self) -> bool:
        return self._renew_key is not None

    def set_clock(self, wall_s: int) -> None:
        self._shared.time.set(wall_s)
        self._shared.log.report("CLOCK_SET", "the clock was set by the operator")

    def statistics(self) -> dict[str, object]:
        """The fields of `display pki statistics`."""
        shared, now_s = self._shared, self._shared.time.wall_s()
        engines = [runner.engine for runner in self._realms]
        ends = [e.stored.local.end_s for e in engines if e.stored.local]
        soon_s = now_s + shared.settings.prewarning_days * DAY_S
        health, room = self._store.health, shared.commits.room()
        return {
            "realms": len(shared.settings.realms),
            "key_pairs": self._keys.count(),
            "certificates": len(ends),
            "expiring": sum(now_s <= end_s < soon_s for end_s in ends),
            "expired": sum(end_s < now_s for end_s in ends),
            "under_way": sum(is_under_way(engine.state) for engine in engines),
            "network_waiting": shared.jobs.waiting,
            "store_used_bytes": health.used_bytes,
            "store_capacity_bytes": health.capacity_bytes,
            "store_reserve_bytes": room.kept,
            "store_reserve_reached": room.reached,
            "store_free_bytes": room.free,
            "store_damaged": len(health.damaged),
            "store_read_only": health.reason or None,
            "device_key": "missing" if self.key_missing else "there",
            "log_lost": shared.log.lost,
            "events": [f"{name} : {count}" for name, count in sorted(shared.log.counts.items())],
        }

    def compact(self, done: Done[None]) -> int:
        try:
            pieces = self._store.compacting()
        except StoreError as error:
            raise refused(error) from error
        return self._in_pieces(pieces, done)

    def _in_pieces(self, pieces: Iterator[None], done: Done[None]) -> int:
        """A piece a turn, since a part of flash may take seconds for all of it."""

        def go_on() -> None:
            try:
                ended = next(pieces, True)
            except StoreError as error:
                done(refused(error))
                return
            if ended:
                done(None)
            else:
                self._shared.loop.aside(go_on)

        self._shared.loop.aside(go_on)
        return self._shared.number()

    def wipe(self) -> None:
        """Key pairs, certificates and requests go, in one commit; the configuration stays."""
        for realm in self._shared.settings.realms.values():
            self._realms.resting(realm.name)
        gone = [key for room in ("key/", "realm/", casets.ROOM) for key in self._store.keys(room)]
        self._shared.commit({**dict.fromkeys(gone), **losses.settled(self._store, losses.ROOMS)})
        text = "key pairs, certificates and requests were destroyed"
        self._shared.log.report("CLEAR_ALL_KEY", text)
        self._use_new_key()
        self._realms.start_anew()

    def erase(self, done: Done[None]) -> int:
        """All of it: the device is like a new one. AgentError: nothing was erased, or somebody else
        is at it."""
        if self._erasing:
            raise fail("store-failed", reason=BEING_ERASED)
        pieces = self._erasure.pieces(self._shared.time.wall_s())

        def ended(error: AgentError | None) -> None:
            self._erasing = False
            if not error:
                self._use_new_key()
            self._start_anew()
            done(error)

        try:
            next(pieces)
        except StoreError as error:
            raise refused(error) from error
        self._erasing = True
        self._realms.stop()  # nothing goes on with what is gone
        return self._in_pieces(pieces, ended)

    def end_erase(self) -> None:
        """At the start: goes on with an erase in which the power failed."""
        if self._erasure.is_under_way():
            try:
                for _piece in self._erasure.pieces(self._shared.time.wall_s()):
                    pass  # the loop does not turn yet
            except StoreError as error:
                self._shared.log.report("STORE_ERR", f"the erase cannot end: {error}")
            else:
                self._shared.log.report("ERASED", "the erase was ended at this start")
                self._use_new_key()

    def settle(self) -> None:
        """At the start, while no turn of the loop can take long."""
        try:
            self._store.settle()
        except StoreError as error:
            self._shared.log.report("STORE_ERR", f"the part cannot be made ready: {error}")

    def _use_new_key(self) -> None:
        """Nothing is sealed any more that the missing device key could open: another one serves.

        Where that cannot be made now, the next start tries again, since it finds no sealed record.
        """
        if self._renew_key:
            try:
                self._renew_key()
            except HalError as error:
                self._shared.log.report("DEVICE_KEY_ERR", str(error))
            else:
                self._renew_key = None
                self._shared.log.report("DEVICE_KEY_NEW", "made, in the place of the missing one")

    def reboot(self) -> None:
        if self._reboot is None:
            raise fail("reboot-refused")
        self._shared.log.report("REBOOT", "by the operator")
        try:
            self._reboot()
        except HalError as error:
            raise fail("reboot-failed", reason=error) from error


def _children(answer: Answer) -> Children:
    held, missing = (tuple(items(answer, name, str)) for name in Children._fields)
    return Children(held, missing)
