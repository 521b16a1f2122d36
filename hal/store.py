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

from collections.abc import Iterator, Mapping
from typing import NoReturn

from hal import cbor
from hal.flash import is_blank
from hal.log_format import (
    MAP_HEAD_BYTES,
    PART,
    PAYLOAD_BYTES,
    SNAPSHOT,
    TRANSACTION,
    Segment,
    layout_of,
    pack_record,
    pack_segment,
)
from hal.log_scan import Damage, survey
from hal.named import NamedTuple
from hal.ports import Flash, FlashError, StoreError

KEY_BYTES = 300  # encoded; a realm's name has up to 64 characters of up to 4 bytes


class Health(NamedTuple):
    """How the store is. `damaged` is what the mount found; the next commit writes it anew."""

    read_only: bool
    reason: str  # of read_only; empty while commits are possible
    damaged: tuple[Damage, ...]
    used_bytes: int  # keys and values, without the heads of records
    capacity_bytes: int  # room for records in one segment
    sequence: int  # of the last record


class Counters:
    """What was asked of the part since the mount."""

    __slots__ = ("erases", "programmed_bytes", "programs", "syncs")

    def __init__(self) -> None:
        self.programs = self.erases = self.syncs = self.programmed_bytes = 0


class Store:
    """Named values (bytes, text, numbers, lists, maps) in a log on a flash part."""

    record_bytes = PAYLOAD_BYTES  # at most, in each record that it writes

    def __init__(self, flash: Flash, take_over: bool = False) -> None:
        self._flash = flash
        self._layout = layout_of(flash)
        found = survey(flash, self._layout, take_over)
        self._live = found.live
        self._sizes: dict[str, int] | None = None  # of what is alive; each display of a realm asks
        self._needed = found.needed
        self._numbers = found.numbers
        self._fresh = not found.numbers  # no header yet: see `_erase`
        self._sequence, self._end = found.sequence, found.end
        self._damaged = found.damaged
        self._doubt = ""  # why the active segment may not be used any more
        self._reason = ""  # why nothing may be written any more
        self.counters = Counters()

    @classmethod
    def mount(cls, flash: Flash, take_over: bool = False) -> Store:
        """Reads a part and writes nothing. An erased part is an empty store.

        Raises StoreError for a part that is too small, that holds another format version or was
        written with another geometry, or, unless `take_over`, foreign content.
        """
        return cls(flash, take_over)

    def get(self, key: str) -> object:
        """The value of a key, a fresh object each time; None when there is none."""
        value = self._live.get(key)
        return None if value is None else cbor.loads(value, max_bytes=PAYLOAD_BYTES)

    def keys(self, prefix: str = "") -> list[str]:
        """The keys that begin with `prefix`, sorted."""
        return sorted(key for key in self._live if key.startswith(prefix))

    def sizes(self, changes: Mapping[str, object] | None = None) -> dict[str, int]:
        """Bytes of each key with its value, as they would be after `changes`.

        A commit behind which they are no more than `room_bytes` together is never refused as full.
        Raises StoreError when a change is not storable.
        """
        if self._sizes is None:
            self._sizes = {key: _entry_size(key, value) for key, value in self._live.items()}
        sizes = dict(self._sizes)
        for key, value in _encoded(changes or {}).items():
            sizes.pop(key, None)
            if changes and changes[key] is not None:
                sizes[key] = _entry_size(key, value)
        return sizes

    @property
    def room_bytes(self) -> int:
        """Keys and values that fit for sure; what was appended and replaced does not count."""
        return self._layout.sure_bytes

    @property
    def health(self) -> Health:
        """How the store is."""
        return Health(
            read_only=bool(self._reason),
            reason=self._reason,
            damaged=self._damaged,
            used_bytes=sum(self.sizes().values()),
            capacity_bytes=self._layout.record_space,
            sequence=self._sequence,
        )

    def commit(self, changes: Mapping[str, object]) -> None:
        """Sets values and removes those that are None, all of them or none, and durably.

        A key with its value has 64 KiB at most; the room of the store is the only limit of all of
        them. Raises StoreError, with nothing changed: not storable, full, read-only. When it became
        read-only here, because the part failed, the next mount may find the changes.
        """
        self._check_writable()
        encoded = _encoded(changes)
        if not self._append(encoded):
            self._move(encoded)
        for key in changes:
            self._live.pop(key, None)
        self._live.update((key, encoded[key]) for key in changes if changes[key] is not None)
        self._sizes = None

    def compact(self) -> None:
        """Moves the state once through all segments: no replaced value stays anywhere.

        Raises StoreError as `commit` does.
        """
        self._check_writable()
        for _ in range(self._layout.segments):
            self._move({})

    def _check_writable(self) -> None:
        if self._reason:
            raise StoreError(f"read-only: {self._reason}")

    def _append(self, changed: Mapping[str, bytes]) -> bool:
        """Adds a transaction to the active segment; False when it must go into a fresh one."""
        records = self._transaction(self._sequence + 1, changed)
        size = sum(map(len, records))
        if self._end == 0 or self._end + size > self._layout.segment_size:
            return False
        try:
            self._write_transaction(self._needed[0], self._end, records)
        except FlashError as error:
            self._doubt = str(error)
            return False
        self._sequence += len(records)
        self._end += size
        return True

    def _transaction(self, first: int, changed: Mapping[str, bytes]) -> list[bytes]:
        """The records of a transaction, of which only the last one makes the others count."""
        *parts, last = list(self._groups(changed)) or [{}]
        kinds = [PART] * len(parts) + [TRANSACTION]
        groups = zip(kinds, range(first, first + len(kinds)), [*parts, last], strict=True)
        return [pack_record(self._layout, kind, at, cbor.join(group)) for kind, at, group in groups]

    def _groups(self, live: Mapping[str, bytes]) -> Iterator[dict[str, bytes]]:
        """Keys and values in as few records as the order of the keys allows."""
        group: dict[str, bytes] = {}
        size = MAP_HEAD_BYTES
        for key in sorted(live):
            size += _entry_size(key, live[key])
            if group and size > self.record_bytes:
                yield group
                group, size = {}, MAP_HEAD_BYTES + _entry_size(key, live[key])
            group[key] = live[key]
        if group:
            yield group

    def _move(self, changed: Mapping[str, bytes]) -> None:
        """Writes a fresh segment: a snapshot of what stays, then the transaction completes it."""
        stays = {key: value for key, value in self._live.items() if key not in changed}
        first = self._sequence + 1
        copies = [
            pack_record(self._layout, SNAPSHOT, sequence, cbor.join(group))
            for sequence, group in enumerate(self._groups(stays), first)
        ]
        records = self._transaction(first + len(copies), changed)
        size = sum(map(len, [*copies, *records]))
        if size > self._layout.record_space:
            if self._doubt:
                self._fail(self._doubt)
            raise StoreError(f"full: {size} bytes, there is room for {self._layout.record_space}")
        index = self._fill_one(first, copies, records)
        self._needed, self._fresh, self._doubt = (index,), False, ""
        self._sequence += len(copies) + len(records)
        self._end = self._layout.records_at + size

    def _fill_one(self, first: int, copies: list[bytes], records: list[bytes]) -> int:
        """Fills the first segment that takes it; the active one is never touched.

        When all fail, one of them may look complete at the next mount, and be newer than the
        active segment: from then on the active one must not grow.
        """
        reason = self._doubt
        for index in self._candidates():
            others = (number for at, number in self._numbers.items() if at != index)
            self._numbers[index] = max(others, default=0) + 1
            try:
                segment = Segment(self._numbers[index], first, len(copies))
                self._fill(index, segment, copies, records)
            except FlashError as error:
                reason = str(error)
            else:
                return index
        return self._fail(reason)

    def _candidates(self) -> list[int]:
        """Round the ring from the active one, so that wear is level.

        An interrupted move is tried again in the same place. What a damaged state was put together
        from comes last.
        """
        count = self._layout.segments
        active = self._needed[0] if self._needed else -1
        ring = [(active + step) % count for step in range(1, count + 1)]
        spare = [index for index in ring if index not in self._needed]
        return spare + [index for index in ring if index in self._needed[1:]]

    def _fill(
        self, index: int, segment: Segment, copies: list[bytes], records: list[bytes]
    ) -> None:
        header = pack_segment(self._layout, segment)
        self._erase(index)
        self._write(index, 0, [header])
        self._write(index, len(header), copies)
        self._write_transaction(index, len(header) + sum(map(len, copies)), records)

    def _write_transaction(self, index: int, at: int, records: list[bytes]) -> None:
        """The last one when all others are stored: it must not survive a cut without them."""
        *parts, last = records
        self._write(index, at, parts)
        self._write(index, at + sum(map(len, parts)), [last])

    def _erase(self, index: int) -> None:
        """Erases a segment, its header last, and looks whether it is erased.

        Until the first header is whole, nothing may be left anywhere but where it belongs: only
        so a mount can tell a first start that was cut from foreign content (`is_fresh` in
        `hal/log_scan.py`). Hence the order, and the sync before the header goes.
        """
        header, *rest = range(index * self._layout.blocks, (index + 1) * self._layout.blocks)
        self._erase_blocks(rest)
        self._erase_blocks([header])
        size = self._layout.segment_size
        if not is_blank(self._flash.read(index * size, size)):
            raise FlashError(f"segment {index} is not erased after an erase")

    def _erase_blocks(self, blocks: list[int]) -> None:
        """Erases and syncs; on a part without any header, only what is not erased already."""
        size = self._layout.block_size
        for block in blocks:
            if self._fresh and is_blank(self._flash.read(block * size, size)):
                continue
            self._flash.erase(block)
            self.counters.erases += 1
        self._sync()

    def _write(self, index: int, at: int, pieces: list[bytes]) -> None:
        """Programs pieces one after the other, syncs, and reads them back."""
        if not pieces:
            return
        start = offset = index * self._layout.segment_size + at
        for piece in pieces:
            self._flash.program(offset, piece)
            self.counters.programs += 1
            self.counters.programmed_bytes += len(piece)
            offset += len(piece)
        self._sync()
        for piece in pieces:
            if self._flash.read(start, len(piece)) != piece:
                raise FlashError(f"{len(piece)} bytes at {start} read back differently")
            start += len(piece)

    def _sync(self) -> None:
        self._flash.sync()
        self.counters.syncs += 1

    def _fail(self, reason: str) -> NoReturn:
        self._reason = reason
        raise StoreError(f"read-only: {reason}")


def _encoded(changes: Mapping[str, object]) -> dict[str, bytes]:
    try:
        for key in changes:
            if not 1 < len(cbor.dumps(key)) <= KEY_BYTES:
                raise StoreError(f"a key of {len(key)} characters")
        encoded = {key: cbor.dumps(value) for key, value in changes.items()}
    except cbor.CborError as error:
        raise StoreError(f"cannot be stored: {error}") from error
    for key, value in encoded.items():
        if (size := MAP_HEAD_BYTES + _entry_size(key, value)) > PAYLOAD_BYTES:
            raise StoreError(f"a record of {size} bytes, {PAYLOAD_BYTES} are allowed")
    return encoded


def _entry_size(key: str, value: bytes) -> int:
    return len(cbor.dumps(key)) + len(value)
