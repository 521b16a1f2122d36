"""The ports of the hardware abstraction layer: a few verbs each, and their errors.

Upper layers know these protocols only. Each has a real implementation and a fake in `hal/fakes`,
which no board installs; both pass the same contract test (`tests/hal/test_contract_*.py`). Offsets
and sizes are bytes, `_ns` and `_s` are integers, names never hold a path.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from socket import socket

from hal.named import NamedTuple
from hal.protocol import Protocol


class HalError(Exception):
    """Root of what a port may raise: `what` happened, on `where` (a name for people)."""

    def __init__(self, what: str, where: str = "") -> None:
        super().__init__(f"{where}: {what}" if where else what)
        self.what, self.where = what, where


class FlashError(HalError):
    """The part refused or failed a read, a program, an erase or a sync."""


class InUseError(FlashError):
    """Another agent has the part."""


class StoreError(HalError):
    """The store refused a commit: full, read-only, or a record over its cap."""


class WithheldError(StoreError):
    """Nothing is written: the part is not ours, or cannot be used, and nobody has given it up."""


class FilesError(HalError):
    """A folder or a file of device storage could not be read or written."""


class DeviceKeyError(FilesError):
    """The device key is not the private file that it must be, or cannot be made or read."""


class LinkError(HalError):
    """No such interface, no such address, no route, no name, refused, timed out: `kind` says which.

    kind is one of: interface, no-address, source, name, refused, route, timeout, reset, other.
    """

    def __init__(self, kind: str, what: str, where: str = "") -> None:
        super().__init__(what, where)
        self.kind = kind


class SerialError(HalError):
    """The line is gone or cannot be configured."""


class DeviceMemoryError(HalError):
    """Device memory (the folder that consumers read) could not be written."""


class WatchdogError(HalError):
    """The watchdog is missing, somebody else has it, or it takes nothing."""


class Flash(Protocol):
    """A raw flash part with NOR rules. Offsets are bytes from its start.

    `program` clears bits only: the target must be erased (every byte 0xFF). `erase` sets a whole
    block to 0xFF. Both may be cut by a power failure at any byte; what was not followed by `sync`
    may be lost. A part may lie about success: callers read back.

    can_have_bad_blocks: whether single blocks may fail for good while others work, as on raw flash
    (`mtd_can_have_bb` of Linux). Where not, the part fails as a whole, or what is below it (a file
    system) replaces bad blocks itself: nothing is gained there by spare room.
    """

    block_size: int
    block_count: int
    program_size: int  # offset and length of a program are multiples of this
    can_have_bad_blocks: bool

    def read(self, offset: int, length: int) -> bytes: ...
    def program(self, offset: int, data: bytes) -> None: ...
    def erase(self, block: int) -> None: ...
    def sync(self) -> None: ...
    def close(self) -> None: ...


class FileStat(NamedTuple):
    """Size in bytes, and the wall time of the last change."""

    size: int
    modified_s: int


class Files(Protocol):
    """Device storage: one folder of small files. `name` is one path component, checked again here.

    `write` is atomic and durable (temporary file, sync, rename, sync of the folder).
    """

    def read(self, name: str) -> bytes: ...
    def write(self, name: str, data: bytes) -> None: ...
    def remove(self, name: str) -> None: ...
    def names(self) -> list[str]: ...
    def stat(self, name: str) -> FileStat: ...


class Interface(NamedTuple):
    """A network interface: Linux name, up or not, addresses as text, the primary ones first; the
    frames that it could not receive or send since it is there."""

    name: str
    up: bool
    addresses: tuple[str, ...]
    in_errors: int = 0
    out_errors: int = 0


class Source(NamedTuple):
    """Where a connection must come from: an address, or an interface (and bound to it).

    `vrf` is the device of a VRF whose routes count: the socket is bound to it, unless it is bound
    to the interface itself.
    """

    address: str | None = None
    interface: str | None = None  # Linux name
    bind_device: bool = False
    vrf: str | None = None


class LinkNews(Protocol):
    """Tells that interfaces or addresses may be others than before; it never blocks.

    `fileno` is readable when something has changed since the opening or the last `read`. What got
    lost on the way (ENOBUFS: more than there is room for) counts as a change: look again.
    """

    def fileno(self) -> int: ...
    def read(self) -> bool: ...  # whether something may have changed; LinkError: it tells no more
    def close(self) -> None: ...


class Link(Protocol):
    """The network. `connect` fails closed: with a source it never uses another one."""

    def interfaces(self) -> list[Interface]: ...
    def connect(self, host: str, port: int, source: Source, timeout_s: int) -> socket: ...
    def news(self) -> LinkNews: ...  # from now on, until it is closed; LinkError


class Clock(Protocol):
    """The clocks of a board. The simulated board may shift and speed up all but `outside_ns`."""

    def wall_s(self) -> int: ...  # Unix time as the board has it, right or wrong
    def monotonic_ns(self) -> int: ...  # since boot, never jumps: polls, back-off
    def ahead_ns(self) -> int: ...  # wall minus monotonic, at one moment: a set clock changes it
    def outside_ns(self) -> int: ...  # real elapsed time: processes, peers, people at the console
    def synchronised(self) -> bool: ...  # a time source vouches for `wall_s`
    def set_wall(self, wall_s: int) -> None: ...  # the clock and the RTC


UNKNOWN_US = 16_000_000  # NTP_PHASE_LIMIT: the kernel says so while nobody keeps its clock


class KernelTime(NamedTuple):
    """What the kernel says of its wall clock.

    maxerror_us: how far it may be off (adjtimex(2)); `UNKNOWN_US` and more: nobody keeps it. timer:
    a descriptor that becomes readable when the clock is set, the receiver's from then on.
    """

    maxerror_us: int
    timer: int | None = None


class TimeSource(Protocol):
    """Asks the kernel, in a process that may load what that takes. From the loop, once."""

    def ask(
        self, watch: bool, done: Callable[[KernelTime | None], None]
    ) -> None: ...  # None: nobody could say; `watch`: with a timer


class Rtc(Protocol):
    """The clock that goes on without power. HalError: there is none, or it holds no time."""

    def read(self) -> int: ...  # Unix time
    def write(self, wall_s: int) -> None: ...


class Watchdog(Protocol):
    """A timer that acts when it was not fed for `timeout_s` (0: nobody knows it). effect: what it
    does then, as a predicate: `resets this machine`.

    It runs from the opening on, also behind `close` and the end of the process, until `disarm`.
    """

    effect: str
    timeout_s: int

    def feed(self) -> None: ...
    def disarm(self) -> None: ...  # and close
    def close(self) -> None: ...


class SerialPort(Protocol):
    """A serial line that never blocks: `read` gives what is there, `write` says what it took."""

    def fileno(self) -> int: ...
    def read(self) -> bytes: ...  # b"" when nothing is there; SerialError when the line is gone
    def write(self, data: bytes) -> int: ...
    def discard(self) -> None: ...  # what was written and has not left yet; never an error
    def close(self) -> None: ...


class DeviceMemory(Protocol):
    """What consumers (IKE, TLS, 802.1X) read: a folder on tmpfs for each realm.

    `stage` makes a new private folder and opens the named empty files in it for writing; `switch`
    syncs it and makes it the current one in one step; the folder before stays readable for 60 s.
    `current` reads a file of the current folder.
    """

    def stage(self, realm: str, names: Sequence[str]) -> Mapping[str, int]: ...
    def switch(self, realm: str) -> None: ...
    def discard(self, realm: str) -> None: ...  # what was staged and not switched
    def current(self, realm: str, name: str) -> bytes | None: ...
    def remove(self, realm: str) -> None: ...
    def realms(self) -> list[str]: ...  # folded names of those that have a folder, sorted


class JobEnd(NamedTuple):
    """How a job ended: `answer` bytes, or a `failure`: died, deadline, cancelled, start."""

    answer: bytes | None
    failure: str | None = None
    detail: str = ""


class Jobs(Protocol):
    """Work in short-lived processes. `done` is called once for each started job, from the loop.

    A job with `keys` has a second child without network, and the first descriptor is that one's.
    `library`: it needs a library that few jobs need.
    """

    def start(
        self,
        request: bytes,
        fds: Sequence[int],
        deadline_s: int,
        done: Callable[[JobEnd], None],
        network: bool = False,
        keys: bytes = b"",
        library: bool = False,
    ) -> int: ...  # without `network` the child has none; `keys`: the request to a key child
    def cancel(self, job: int) -> None: ...  # `done` still comes, with `cancelled`
    def close(self) -> None: ...


class Timer(Protocol):
    """A deadline that was asked for; `cancel` may be called at any time and more than once."""

    def cancel(self) -> None: ...


class Chance(Protocol):
    """Random bytes: transactionIDs, nonces, serials, jitter. A seed gives the same ones in tests.

    Keys and what encrypts are drawn by the worker's children, which have no seed.
    """

    def draw(self, count: int) -> bytes: ...


class Reactor(Protocol):
    """What ports may ask of the event loop: readiness of descriptors and real-time deadlines."""

    def watch(
        self,
        fd: int,
        on_read: Callable[[], None] | None,
        on_write: Callable[[], None] | None = None,
    ) -> None: ...  # replaces what was watched on this descriptor
    def unwatch(self, fd: int) -> None: ...
    def after(self, delay_ns: int, call: Callable[[], None]) -> Timer: ...  # outside time
