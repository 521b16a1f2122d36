"""The crash-safe store: atomic, durable transactions over named values, on raw flash.

Fault model. Power may fail at any byte of any program or erase, again and again, and what was
not synced may be lost in any combination: the state is the one before or the one after the
commit, never anything else. A part may claim success for what it did not do: everything is read
back. A program or an erase may fail: the state moves to another segment, and when that fails too
the store serves what it has and refuses commits. Bits may turn: it is noticed and reported.
Not promised: to survive more than the part has spare segments for, and to keep a commit that
raised from being found after the next mount when the reason was a failing part.

The bytes and the argument are in `docs/FORMAT.md`. In memory lies one bytes object for each key.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator, Mapping
from itertools import takewhile

from hal import cbor
from hal.log_format import MAP_HEAD_BYTES, PAYLOAD_BYTES
from hal.log_mount import Damage, survey
from hal.log_records import Entries, entry_bytes
from hal.log_segments import Segments
from hal.named import NamedTuple
from hal.ports import Flash, StoreError

KEY_BYTES = 300  # encoded; a realm's name has up to 64 characters of up to 4 bytes
_MANY = 64  # new keys of a commit: from then on it is better to sort anew


class Health(NamedTuple):
    """How the store is. `damaged` is what the mount found; the next commit writes it anew."""

    read_only: bool
    reason: str  # of read_only; empty while commits are possible
    damaged: tuple[Damage, ...]
    used_bytes: int  # keys and values, without the heads of records
    capacity_bytes: int  # room for records in one segment
    sequence: int  # of the last record


class Sizes(Mapping[str, int]):
    """Bytes of each key with its value: a view of the store, with changes or without."""

    def __init__(self, live: Mapping[str, bytes], used_bytes: int, changes: Entries) -> None:
        self._live, self._changes = live, changes
        self.total = used_bytes + sum(
            _bytes_of(key, value) - _bytes_of(key, live.get(key)) for key, value in changes.items()
        )

    def __getitem__(self, key: str) -> int:
        value = self._changes[key] if key in self._changes else self._live[key]
        if value is None:
            raise KeyError(key)
        return entry_bytes(key, value)

    def __iter__(self) -> Iterator[str]:
        changes = self._changes
        yield from (key for key in self._live if key not in changes)
        yield from (key for key, value in changes.items() if value is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Store:
    """Named values (bytes, text, numbers, lists, maps) in a log on a flash part."""

    segments = Segments

    def __init__(self, flash: Flash, take_over: bool = False) -> None:
        found = survey(flash, take_over)
        self._live, self._damaged = found.live, found.damaged
        self._segments = self.segments(flash, found, self._live)
        self._used = sum(entry_bytes(key, value) for key, value in self._live.items())
        self._sorted: list[str] | None = None
        self._due: Callable[[], None] = lambda: None
        self.counters = self._segments.counters

    @classmethod
    def mount(cls, flash: Flash, take_over: bool = False) -> Store:
        """Reads a part and writes nothing. A blank part (all FF or all 00) is an empty store.

        Raises StoreError, unless `take_over`, for a part that holds something else, was written by
        a newer release, does not fit what the board says, or is damaged so far that nothing can be
        found; and always for one that is too small. With `take_over` the store is empty, whatever
        lies there; that goes with the first commit.
        """
        return cls(flash, take_over)

    def get(self, key: str) -> object:
        """The value of a key, a fresh object each time; None when there is none.

        Bytes that were not made by us come as they are: no record has that shape.
        """
        value = self._live.get(key)
        try:
            return None if value is None else cbor.loads(value, max_bytes=PAYLOAD_BYTES)
        except cbor.CborError:
            return value

    def keys(self, prefix: str = "") -> list[str]:
        """The keys that begin with `prefix`, sorted."""
        if self._sorted is None:
            self._sorted = sorted(self._live)
        start = bisect_left(self._sorted, prefix)
        return list(takewhile(lambda key: key.startswith(prefix), self._sorted[start:]))

    def sizes(self, changes: Mapping[str, object] | None = None) -> Sizes:
        """Bytes of each key with its value, as they would be after `changes`; a view.

        A commit behind which they are no more than `room_bytes` together is never refused as full.
        Raises StoreError when a change is not storable.
        """
        return Sizes(self._live, self._used, _encoded(changes or {}))

    @property
    def room_bytes(self) -> int:
        """Keys and values that fit for sure; what was appended and replaced does not count."""
        return self._segments.layout.sure_bytes

    @property
    def health(self) -> Health:
        """How the store is."""
        return Health(
            read_only=bool(self._segments.reason),
            reason=self._segments.reason,
            damaged=self._damaged,
            used_bytes=self._used,
            capacity_bytes=self._segments.layout.record_space,
            sequence=self._segments.sequence,
        )

    def commit(self, changes: Mapping[str, object]) -> None:
        """Sets values and removes those that are None, all of them or none, and durably.

        A key with its value has 64 KiB at most; the room of the store is the only limit of all of
        them. Raises StoreError, with nothing changed: not storable, full, read-only. When it became
        read-only here, because the part failed, the next mount may find the changes.
        """
        encoded = _encoded(changes)
        self._segments.commit(encoded)
        self._apply(encoded)
        self._due()

    def settle(self) -> None:
        """Makes a part ready that the mount found torn, damaged, or full of zeroes: no commit waits
        for it then. It is all at once, so for a start, and what was damaged counts as noted.

        Raises StoreError as `commit` does.
        """
        self._segments.settle()

    def compact(self) -> None:
        """Moves the state and erases all else: no replaced value stays on what works.

        Raises StoreError as `commit` does.
        """
        self._segments.compact()

    def compacting(self) -> Iterator[None]:
        """The same in bounded pieces; the caller goes on to the end, and may commit meanwhile."""
        return self._segments.compacting()

    def when_due(self, call: Callable[[], None]) -> None:
        """`call` from each commit: there may be something for `work` to do."""
        self._due = call

    def work(self) -> int | None:
        """One bounded piece of what is due: at most one erase of a block, or one record.

        Returns the ns after which the next piece is due; None while nothing is. Commits find room,
        and an erased segment, without it too; with it they need not wait for them.
        """
        return self._segments.work(self._used)

    def _apply(self, changes: Entries) -> None:
        """Changes in memory what was committed."""
        live = self._live
        for key, value in changes.items():
            before = live.get(key)
            self._used += _bytes_of(key, value) - _bytes_of(key, before)
            if value is not None:
                live[key] = value
            elif before is not None:
                del live[key]
            if (before is None) != (value is None):
                self._reorder(key, before is None, len(changes))

    def _reorder(self, key: str, is_new: bool, many: int) -> None:
        """Keeps the keys sorted, unless so many change that they are better sorted anew."""
        if self._sorted is None or many > _MANY:
            self._sorted = None
        elif is_new:
            insort(self._sorted, key)
        else:
            del self._sorted[bisect_left(self._sorted, key)]


def _encoded(changes: Mapping[str, object]) -> dict[str, bytes | None]:
    try:
        for key in changes:
            if not 1 < len(cbor.dumps(key)) <= KEY_BYTES:
                raise StoreError(f"a key of {len(key)} characters")
        encoded = {
            key: None if value is None else cbor.dumps(value) for key, value in changes.items()
        }
    except cbor.CborError as error:
        raise StoreError(f"cannot be stored: {error}") from error
    for key, value in encoded.items():
        if (size := MAP_HEAD_BYTES + entry_bytes(key, value)) > PAYLOAD_BYTES:
            raise StoreError(f"a record of {size} bytes, {PAYLOAD_BYTES} are allowed")
    return encoded


def _bytes_of(key: str, value: bytes | None) -> int:
    return 0 if value is None else entry_bytes(key, value)
