"""The parts of the board that the appliance is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from agent import limits
from hal.named import NamedTuple
from hal.ports import Chance, Clock, DeviceMemory, Files, Flash, Link, Rtc, TimeSource


class Part(NamedTuple):
    """The flash of a store that could not be mounted, and why. `open` gives the part to be erased,
    or raises HalError; `restart` lets the agent start anew."""

    reason: str
    open: Callable[[], Flash]
    restart: Callable[[], object]


class Hardware(NamedTuple):
    """The ports of a board, and what its board file says: names, RTC, whether it can reboot.

    interfaces: router names to Linux names. time_source: None where the wall clock is not the
    kernel's, which then knows nothing of it. machine: what tells this machine from a copy.
    clock_floor: a clock that is behind all that has passed for sure is moved up to it.
    """

    clock: Clock
    chance: Chance
    files: Files
    link: Link
    memory: DeviceMemory
    interfaces: Mapping[str, str]
    serial: str
    rtc: Rtc | None = None
    time_source: TimeSource | None = None
    machine: str = ""
    clock_floor: bool = False
    reboot: Callable[[], None] | None = None
    recovery: bool = True  # a serial line that lets nobody in may erase the device
    host_name: str = ""  # of the system that the agent runs on; "": it has none
    withheld: Part | None = None  # the store that the device has is then an empty one
    herd_s: int = limits.SPREAD_S  # over which time the first attempts after a start are spread
    renew_key: Callable[[], None] | None = None  # makes the device key that is missing
