"""The crash-safe store: atomic, durable transactions over named values, on raw flash.

Fault model. Power may fail at any byte of any program or erase, again and again, and what was
not synced may be lost in any combination: the state is the one before or the one after the
commit, never anything else. A part may claim success for what it did not do: everything is read
back. A program or an erase may fail: the state moves to another segment, and when that fails too
the store serves what it has and refuses commits. Bits may turn: it is noticed and reported.
Not promised: to survive more than the part has spare segments for, and to keep a commit that
raised from being found after the next mount when the reason was a failing part.

The bytes and the argument are in `docs/FORMAT.md`. In memory lie the keys, and where their values
are; a value is read when somebody asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from hal import cbor
from hal.log_format import MAP_HEAD_BYTES, PAYLOAD_BYTES
from hal.log_mount import Damage, survey
from hal.log_records import Lengths, entry_bytes, lengths
from hal.log_segments import Segments
from hal.log_values import Values
from hal.named import NamedTuple
from hal.ports import Flash, StoreError

KEY_BYTES = 300  # encoded; a realm's name has up to 64 characters of up to 4 bytes


class Health(NamedTuple):
    """How the store is. `damaged`: what the mount found, which the next commit writes anew, and the
    values that could not be read since."""

    read_only: bool
    reason: str  # of read_only; empty while commits are possible
    damaged: tuple[Damage, ...]
    used_bytes: int  # keys and values, without the heads of records
    capacity_bytes: int  # room for records in one segment
    sequence: int  # of the last record


class Sizes(Mapping[str, int]):
    """Bytes of each key with its value: a view of the store, with changes or without."""

    def __init__(self, values: Values, changes: Lengths) -> None:
        self._values, self._changes = values, changes
        self.total = values.used_bytes + sum(
            _bytes_of(key, length) - _bytes_of(key, values.get(key))
            for key, length in changes.items()
        )

    def __getitem__(self, key: str) -> int:
        length = self._changes[key] if key in self._changes else self._values[key]
        if length is None:
            raise KeyError(key)
        return entry_bytes(key, length)

    def __iter__(self) -> Iterator[str]:
        changes = self._changes
        yield from (key for key in self._values if key not in changes)
        yield from (key for key, length in changes.items() if length is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Store:
    """Named values (bytes, text, numbers, lists, maps) in a log on a flash part."""

    segments = Segments

    def __init__(self, flash: Flash, take_over: bool = False) -> None:
        found = survey(flash, take_over)
        self._values, self._damaged = found.values, found.damaged
        self._segments = self.segments(flash, found)
        self._due: Callable[[], None] = lambda: None
        self._tell: Callable[[str, tuple[str, ...]], None] = lambda _what, _keys: None
        self._values.on_lost = self._lost
        self.counters = self._segments.counters
        self.version = 0  # of all values, since the mount; a move changes none

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
        """The value of a key, read now, a fresh object each time; None when there is none.

        Bytes that were not made by us come as they are, and empty ones where the part does not give
        what was written: no record has that shape.
        """
        return _decoded(self._values.read(key))

    def both(self, first: str, second: str) -> tuple[object, object]:
        """The values of two keys, as `get` gives them; equal ones are one object."""
        value, other = self._values.read(first), self._values.read(second)
        found = _decoded(value)
        return found, found if other == value else _decoded(other)

    def keys(self, prefix: str = "") -> list[str]:
        """The keys that begin with `prefix`, sorted."""
        return self._values.beginning(prefix)

    def __contains__(self, key: str) -> bool:
        """Whether there is a value, which may be unreadable."""
        return key in self._values

    def sizes(self, changes: Mapping[str, object] | None = None) -> Sizes:
        """Bytes of each key with its value, as they would be after `changes`; a view.

        A commit behind which they are no more than `room_bytes` together is never refused as full.
        Raises StoreError when a change is not storable.
        """
        return Sizes(self._values, lengths(_encoded(changes or {})))

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
            used_bytes=self._values.used_bytes,
            capacity_bytes=self._segments.layout.record_space,
            sequence=self._segments.sequence,
        )

    def commit(self, changes: Mapping[str, object]) -> None:
        """Sets values and removes those that are None, all of them or none, and durably.

        A key with its value has 64 KiB at most; the room of the store is the only limit of all of
        them. Raises StoreError, with nothing changed: not storable, full, read-only. When it became
        read-only here, because the part failed, the next mount may find the changes.
        """
        self._segments.commit(_encoded(changes))
        self.version += 1
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
        return self._segments.work()

    def make_way(self, changes: Mapping[str, object]) -> bool:
        """One bounded piece of what a commit of these would have to wait for; False when it need
        not wait, or no piece would help. Raises StoreError when a change is not storable."""
        return self._segments.make_way(lengths(_encoded(changes)))

    def when_damaged(self, tell: Callable[[str, tuple[str, ...]], None]) -> None:
        """`tell` of what is damaged since the mount, and of its keys; once, when it is found."""
        self._tell = tell

    def _lost(self, key: str, why: str) -> None:
        damage = Damage(f"a value that cannot be read any more: {why}", (key,), (key,))
        self._damaged = (*self._damaged, damage)
        self._segments.leave()
        self.version += 1
        self._tell(damage.what, damage.keys)
        self._due()


def _decoded(value: bytes | None) -> object:
    try:
        return None if value is None else cbor.loads(value, max_bytes=PAYLOAD_BYTES)
    except cbor.CborError:
        return value


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
    for key, length in lengths(encoded).items():
        if (size := MAP_HEAD_BYTES + entry_bytes(key, length)) > PAYLOAD_BYTES:
            raise StoreError(f"a record of {size} bytes, {PAYLOAD_BYTES} are allowed")
    return encoded


def _bytes_of(key: str, length: int | None) -> int:
    return 0 if length is None else entry_bytes(key, length)
