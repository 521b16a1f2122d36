"""Reading the log: what a part holds, and what it has lost. Writes nothing.

Fault model. A part may have been left by any number of power cuts, and bits of it may have
turned. The two must not be confused: a torn record at the end of the log was never committed and
is passed over in silence, anything else that is not as it was written is reported. A damaged
record is never half used: a record counts as a whole or not at all. A block that cannot be
read counts as bytes that are wrong.

Both mistakes cost. A cut that is taken for rot would shut a serial line that is open by choice. Rot
that is taken for a cut would bring back the state before, in which it may have been open
(docs/FORMAT.md 6 and 9). So each doubt is decided by what an interrupted program can leave.

The state is a sum: the snapshot of a segment, then its transactions in the order of their sequence
numbers, each a map of keys to values, None for a key that is removed. Numbers go on from segment to
segment, so they tell three things apart: the next record, a hole (numbers are missing), and what is
left of the segment's former life (its numbers are lower).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from hal import cbor
from hal.flash import is_blank
from hal.log_format import (
    HEAD_BYTES,
    PART,
    PAYLOAD_BYTES,
    TRANSACTION,
    Layout,
    Record,
    Segment,
    broken_record_at,
    record_at,
    unpack_segment,
    written_to_its_end,
)
from hal.named import NamedTuple
from hal.ports import Flash, FlashError, StoreError

_SECTOR_BYTES = 512  # the least that a file system writes back
_UNREADABLE = b"\0"  # stands for bytes that the part refuses: neither erased nor a record


class Damage(NamedTuple):
    """Something that is not as it was written: `what`, and the keys concerned when one can tell.

    The keys come from bytes whose CRC is wrong: good enough for a message, not for a decision.
    lost: the keys whose values may be gone, since no other copy and no later value of them is left;
    None when nobody can tell.
    """

    what: str
    keys: tuple[str, ...] = ()
    lost: tuple[str, ...] | None = None


class Scan(NamedTuple):
    """One segment: its good records in order, what is lost between them, where they end.

    end: an offset in the segment. A record that is torn is neither in `records` nor in `lost`.
    """

    records: list[Record]
    lost: dict[int, tuple[str, ...]]  # sequence numbers, with the keys when one can tell
    end: int
    clean: bool  # only erased bytes follow, and no part of a transaction waits: one may append

    def complete(self) -> bool:
        """Whether a transaction was committed here: only then the segment counts.

        A move writes it last, behind a sync: its presence says that the snapshot was complete.
        """
        return any(record.kind == TRANSACTION for record in self.records)

    def whole(self) -> bool:
        """Whether nothing is lost of the snapshot and of the transaction that completed it."""
        first = next(record.sequence for record in self.records if record.kind == TRANSACTION)
        return all(sequence > first for sequence in self.lost)

    def counting(self) -> list[Record]:
        """Without the parts of a transaction whose end was never written."""
        ends = (record.sequence for record in self.records if record.kind == TRANSACTION)
        last = max([*self.lost, *ends], default=0)
        return [record for record in self.records if record.kind != PART or record.sequence < last]

    def last(self) -> int:
        """The highest sequence number that is known of."""
        return max([*self.lost, *(record.sequence for record in self.records)], default=0)


class Found(NamedTuple):
    """The result of a mount: the state, how to go on, what to report."""

    live: dict[str, bytes]  # encoded values
    needed: tuple[int, ...]  # segments that the state was read from, the active one first
    numbers: dict[int, int]  # of the segments that have a header
    sequence: int  # of the newest record
    end: int  # where the active segment may be appended to; 0 when it may not
    damaged: tuple[Damage, ...]


def scan(layout: Layout, data: bytes, at: int, sequence: int) -> Scan:
    """Reads a segment's bytes from the record of the given sequence number at an offset.

    Behind a hole the log goes on: what was committed after the rot is as good as what came before.
    """
    records: list[Record] = []
    lost: dict[int, tuple[str, ...]] = {}
    while True:
        record = record_at(layout, data, at)
        if record is None or record.sequence != sequence:
            record = _resume(layout, data, at, sequence)
            if record is None:
                break
            # Only the first of several has its keys told: where the others began is not known.
            lost.update(dict.fromkeys(range(sequence, record.sequence), ()))
            lost[sequence] = _keys_at(layout, data, at)
        records.append(record)
        at, sequence = record.end, record.sequence + 1
    if _is_rotten(layout, data, at, sequence):
        lost[sequence] = _keys_at(layout, data, at)
    elif records and records[-1].kind == PART:
        # A cut took the end of a transaction, and of its parts what was in no cache any more.
        ends = (record.sequence for record in records if record.kind != PART)
        last = max(ends, default=0)
        lost = {number: keys for number, keys in lost.items() if number < last}
        return Scan(records, lost, at, clean=False)
    return Scan(records, lost, at, is_blank(data[at:]))


def _resume(layout: Layout, data: bytes, at: int, sequence: int) -> Record | None:
    """The next good record after bytes that are none, when there is one.

    When the head is good, its length is used: a payload that looks like a record is stepped over.
    Its number must be higher than the last, by no more than the records that fit in between: a
    number out of that range is of a former life, or was planted in a value by whoever chose it.
    """
    broken = broken_record_at(layout, data, at)
    start = broken.end if broken else at + layout.program_size
    for offset in _magics(layout, data, start):
        record = record_at(layout, data, offset)
        room = (offset - at) // layout.record_size(0)  # for records in between
        if record is not None and sequence < record.sequence <= sequence + room:
            return record
    return None


def _magics(layout: Layout, data: bytes, at: int) -> Iterator[int]:
    """Offsets from `at` on where a record could begin."""
    common = TRANSACTION[:3]  # of all kinds
    while (at := data.find(common, at)) >= 0:
        if at % layout.program_size == 0:
            yield at
        at += 1


def _is_rotten(layout: Layout, data: bytes, at: int, sequence: int) -> bool:
    """Whether the bytes after the last good record are a record that was whole once.

    A program that was cut stored a beginning and left the rest erased. So a record that is torn
    has no last byte, and one that is torn in its head has no payload: a map, whose first byte is
    far from 0xFF. A cache loses sector by sector: a record with an erased
    sector is torn too.
    """
    if is_blank(data[at + HEAD_BYTES : at + HEAD_BYTES + 1]):
        return False
    broken = broken_record_at(layout, data, at)
    end = broken.end if broken else at + HEAD_BYTES
    sector = min(layout.block_size, _SECTOR_BYTES)
    edges = [at, *range(at - at % sector + sector, end, sector), end]
    if any(is_blank(data[start:stop]) for start, stop in pairwise(edges)):
        return False
    # No sector is erased as a whole, so the program had come past the head, which is wrong all the
    # same, or is that of another record: no cut does this.
    if broken is None or broken.sequence != sequence:
        return True
    return written_to_its_end(data, broken)


def _keys_at(layout: Layout, data: bytes, at: int) -> tuple[str, ...]:
    """The keys of a record whose CRC is wrong, as far as its payload is still a map."""
    broken = broken_record_at(layout, data, at)
    return _keys(broken.payload) if broken else ()


def _keys(payload: bytes) -> tuple[str, ...]:
    try:
        return tuple(_changes(payload))
    except cbor.CborError:
        return ()


def _changes(payload: bytes) -> dict[str, object]:
    """The map of a record. Every limit but the bytes was checked when the values were committed."""
    value = cbor.loads(
        payload, max_bytes=PAYLOAD_BYTES, max_depth=cbor.MAX_DEPTH + 1, max_items=PAYLOAD_BYTES + 1
    )
    if not isinstance(value, dict):
        raise cbor.CborError("not a map")
    return value


def survey(flash: Flash, layout: Layout, take_over: bool = False) -> Found:
    """Reads a whole part. Raises StoreError for one that is not ours, unless `take_over`.

    The order matters. The loss of a segment without a header is measured against the newest
    number of the chain; damage is judged after the replay, which tells what was written since.
    """
    part = _Part(flash, layout)
    part.read_headers()
    order = sorted(part.segments, key=lambda index: part.segments[index].number, reverse=True)
    chain = part.follow(order)
    part.look_for_lost_segments()
    if not (order or part.sequence or take_over or part.is_fresh()):
        raise StoreError("holds neither our format nor erased flash; erase it if it may be used")
    # The log grows in place only where nothing is in doubt: the segment with the highest number is
    # the active one (else a move was interrupted), erased bytes follow, and all is as written. In
    # every other case the next commit moves, and programs nothing over bytes that are not erased.
    appendable = chain and chain[0][0] == order[0] and chain[0][1].clean and not part.damaged
    return Found(
        live=part.replay([contents for _, contents in chain]),
        needed=tuple(index for index, _ in chain),
        numbers={index: segment.number for index, segment in part.segments.items()},
        sequence=part.sequence,
        end=chain[0][1].end if appendable else 0,
        damaged=part.judged(),
    )


class _Part:
    """A part while it is surveyed: collects what is found and what is wrong."""

    def __init__(self, flash: Flash, layout: Layout) -> None:
        self._flash, self._layout = flash, layout
        self.segments: dict[int, Segment] = {}
        self._one_copy: set[int] = set()
        self.sequence = 0
        self.damaged: list[Damage] = []
        self._lost: dict[Damage, int] = {}  # by their sequence numbers
        self._written: dict[str, int] = {}  # keys, and the newest record that says what they are

    def read_headers(self) -> None:
        """Finds the segments that have a header."""
        for index in range(self._layout.segments):
            data = self._read(index, 1)
            segment, all_copies = unpack_segment(self._layout, data)
            if segment is not None:
                self.segments[index] = segment
            if not all_copies:
                self._one_copy.add(index)

    def follow(self, order: list[int]) -> list[tuple[int, Scan]]:
        """The segments that the state is made of, newest first.

        One is enough when its snapshot is whole. If not, the one before holds what was copied,
        because a move touches no segment but its target.
        """
        chain = []
        for index in order:
            segment = self.segments[index]
            contents = scan(self._layout, self._read(index), self._layout.records_at, segment.first)
            self._report(index, segment, contents)
            if contents.complete():
                chain.append((index, contents))
                self.sequence = max(self.sequence, contents.last())
                if contents.whole():
                    break
        else:  # what a snapshot has lost is nowhere else
            self.damaged = [damage._replace(lost=None) for damage in self.damaged]
        return chain

    def look_for_lost_segments(self) -> None:
        """Transactions newer than all others, in a segment whose header is gone.

        What a cut erase leaves behind is older than the state, and no reason for a report. The
        number is taken over, so that no later record has the number of one that was lost.
        """
        for index in range(self._layout.segments):
            if index in self.segments:
                continue
            data = self._read(index)
            records = (record_at(self._layout, data, at) for at in _magics(self._layout, data, 0))
            transactions = (record for record in records if record and record.kind == TRANSACTION)
            newest = max((record.sequence for record in transactions), default=0)
            if newest > self.sequence:
                self.damaged.append(Damage(f"segment {index}, with transactions up to {newest}"))
                self.sequence = newest

    def is_fresh(self) -> bool:
        """Whether a part without any header is erased, or a first start on it was cut.

        Until the first header is whole, nothing but the first block of a segment is touched.
        """
        return all(
            is_blank(self._read(index)[self._layout.block_size :])
            for index in range(self._layout.segments)
        )

    def replay(self, chain: list[Scan]) -> dict[str, bytes]:
        """The state: all good records in their order. Copies in a later snapshot change nothing.

        `chain`: newest first, as `follow` gives it.
        """
        live: dict[str, bytes] = {}
        for record in (record for contents in reversed(chain) for record in contents.counting()):
            try:
                changes = {
                    key: cbor.dumps(value) for key, value in _changes(record.payload).items()
                }
            except cbor.CborError as error:
                self.damaged.append(Damage(f"record {record.sequence}: {error}"))
                continue
            live.update(changes)
            self._written.update(dict.fromkeys(changes, record.sequence))
        deleted = cbor.dumps(None)
        return {key: value for key, value in live.items() if value != deleted}

    def judged(self) -> tuple[Damage, ...]:
        """The damage, after the replay: a key that was written since is not lost."""
        return tuple(map(self._judge, self.damaged))

    def _judge(self, damage: Damage) -> Damage:
        sequence = self._lost.get(damage)
        if sequence is None or not damage.keys:
            return damage
        lost = (key for key in damage.keys if self._written.get(key, 0) < sequence)
        return damage._replace(lost=tuple(lost))

    def _report(self, index: int, segment: Segment, contents: Scan) -> None:
        """Notes what is lost. Of a segment that was never completed, only a transaction counts.

        Its snapshot is a copy of what the segment before still has. A rotten transaction in it had
        been committed: whoever was told so would miss it.
        """
        if contents.complete() and index in self._one_copy:
            self.damaged.append(Damage(f"a header of segment {index}", lost=()))
        parts = [] if contents.complete() else contents.counting()
        more = [key for part in parts if part.kind == PART for key in _keys(part.payload)]
        for sequence, keys in contents.lost.items():
            if sequence >= segment.first + segment.parts:
                damage = Damage(f"transaction {sequence}", (*keys, *more) if keys else ())
                self.damaged.append(damage)
                self._lost[damage] = sequence
            elif contents.complete():
                self.damaged.append(Damage(f"record {sequence} of a snapshot", keys, lost=()))

    def _read(self, index: int, blocks: int = 0) -> bytes:
        """The bytes of a segment, or of its first blocks."""
        size, data = self._layout.block_size, []
        for block in range(blocks or self._layout.blocks):
            offset = index * self._layout.segment_size + block * size
            try:
                data.append(self._flash.read(offset, size))
            except FlashError as error:
                data.append(_UNREADABLE * size)
                what = f"block {offset // size} cannot be read: {error.what}"
                # The scan tells which records were in it; a header takes all its segment along.
                damage = Damage(what, lost=() if block else None)
                if damage not in self.damaged:
                    self.damaged.append(damage)
        return b"".join(data)
