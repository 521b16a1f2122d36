"""The device as a machine: its storage folder, its clock, what it counts, its end."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from agent.console.appliance import ClockState, FileEntry
from agent.engine import is_under_way
from agent.errors import fail
from hal.ports import Clock, Files, FilesError, HalError, StoreError
from hal.store import Store

if TYPE_CHECKING:
    from agent.device import Device

DAY_S = 86400


class Storage:
    """`agent.console.appliance.Storage`: the port, with the errors of the console."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def entries(self) -> list[FileEntry]:
        try:
            return [FileEntry(name, *self._files.stat(name)) for name in self._files.names()]
        except FilesError as error:
            raise fail("storage-failed", reason=error.what) from error

    def exists(self, name: str) -> bool:
        try:
            return name in self._files.names()
        except FilesError as error:
            raise fail("storage-failed", reason=error.what) from error

    def read(self, name: str) -> bytes:
        try:
            return self._files.read(name)
        except FilesError as error:
            raise fail("file-unreadable", name=name, reason=error.what) from error

    def write(self, name: str, data: bytes) -> None:
        try:
            self._files.write(name, data)
        except FilesError as error:
            raise fail("storage-failed", reason=error.what) from error


class System:
    """`agent.console.appliance.System`. `reboot` is None where the board cannot."""

    def __init__(
        self,
        device: "Device",
        store: Store,
        clock: Clock,
        has_rtc: bool,
        reboot: Callable[[], None] | None,
    ) -> None:
        self._device, self._store, self._clock = device, store, clock
        self._has_rtc, self._reboot = has_rtc, reboot
        self._set_by_hand = False

    def clock(self) -> ClockState:
        """Who vouches for the time, and whether it can be right at all."""
        source = "rtc" if self._has_rtc else "system"
        if self._set_by_hand:
            source = "operator"
        if self._clock.synchronised():
            source = "ntp"
        if not self._device.now().trusted:
            why = (
                "it is before this software was made; type"
                " `clock datetime HH:MM:SS YYYY-MM-DD` in the user view"
            )
            return ClockState(source, False, why)
        return ClockState(source, True, "it is later than this software")

    def set_clock(self, wall_s: int) -> None:
        try:
            self._clock.set_wall(wall_s)
        except HalError as error:
            raise fail("clock-refused", reason=error) from error
        self._set_by_hand = True
        self._device.log.report("CLOCK_SET", "the clock was set by the operator")

    def statistics(self) -> dict[str, object]:
        """The fields of `display pki statistics`."""
        device, now_s = self._device, self._device.wall_s()
        engines = [device.runner(realm).engine for realm in device.settings.realms]
        ends = [e.stored.local.certificate.not_after_s for e in engines if e.stored.local]
        soon_s = now_s + device.settings.prewarning_days * DAY_S
        health, room = self._store.health, device.commits.room()
        return {
            "realms": len(engines),
            "key_pairs": len(device.key_pairs()),
            "certificates": len(ends),
            "expiring": sum(now_s <= end_s < soon_s for end_s in ends),
            "expired": sum(end_s < now_s for end_s in ends),
            "under_way": sum(is_under_way(engine.state) for engine in engines),
            "store_used_bytes": health.used_bytes,
            "store_capacity_bytes": health.capacity_bytes,
            "store_reserve_bytes": room.kept,
            "store_reserve_reached": room.reached,
            "store_free_bytes": room.free,
            "store_damaged": len(health.damaged),
            "store_read_only": health.reason or None,
            "log_lost": device.log.lost,
            "events": [f"{name} : {count}" for name, count in sorted(device.log.counts.items())],
        }

    def compact(self) -> None:
        try:
            self._store.compact()
        except StoreError as error:
            raise fail("store-failed", reason=error.what) from error

    def wipe(self) -> None:
        """Key pairs, certificates and requests go, in one commit; the configuration stays."""
        device = self._device
        for realm, settings in device.settings.realms.items():
            state = device.runner(realm).engine.state
            if is_under_way(state):
                raise fail("realm-busy", realm=settings.name, state=state.value)
        gone = [*self._store.keys("key/"), *self._store.keys("realm/")]
        device.commit(dict.fromkeys(gone))
        device.log.report("CLEAR_ALL_KEY", "key pairs, certificates and requests were destroyed")
        device.start_realms_anew()

    def reboot(self) -> None:
        if self._reboot is None:
            raise fail("reboot-refused")
        self._device.log.report("REBOOT", "by the operator")
        try:
            self._reboot()
        except HalError as error:
            raise fail("reboot-failed", reason=error) from error
