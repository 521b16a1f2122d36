"""Reading the log of one segment: its records, and what is lost of them.

Fault model. A part may have been left by any number of power cuts, and bits of it may have
turned. The two must not be confused: a torn record at the end of the log was never committed and
is passed over in silence, anything else that is not as it was written is reported. A damaged
record is never half used: a record counts as a whole or not at all.

Both mistakes cost. A cut that is taken for rot would shut a serial line that is open by choice. Rot
that is taken for a cut would bring back the state before, in which it may have been open
(docs/FORMAT.md 6 and 9). So each doubt is decided by what an interrupted program can leave.

Numbers tell three things apart: the next record, a hole (numbers are missing), and what is left of
the segment's former life (its numbers are lower).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from hal import cbor
from hal.flash import is_blank
from hal.log_format import (
    HEAD_BYTES,
    PART,
    TRANSACTION,
    Layout,
    Record,
    broken_record_at,
    record_at,
    written_to_its_end,
)
from hal.log_records import unpack_map
from hal.named import NamedTuple

_SECTOR_BYTES = 512  # the least that a file system writes back


class Scan(NamedTuple):
    """One segment: its bytes, its good records in order, what is lost between them, where they end.

    end: an offset in the segment. A record that is torn is neither in `records` nor in `lost`.
    """

    data: bytes
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
        return Scan(data, records, lost, at, clean=False)
    return Scan(data, records, lost, at, is_blank(data[at:]))


def _resume(layout: Layout, data: bytes, at: int, sequence: int) -> Record | None:
    """The next good record after bytes that are none, when there is one.

    When the head is good, its length is used: a payload that looks like a record is stepped over.
    Its number must be higher than the last, by no more than the records that fit in between: a
    number out of that range is of a former life, or was planted in a value by whoever chose it.
    """
    broken = broken_record_at(layout, data, at)
    start = broken.end if broken else at + layout.program_size
    for offset in magics(layout, data, start):
        record = record_at(layout, data, offset)
        room = (offset - at) // layout.record_size(0)  # for records in between
        if record is not None and sequence < record.sequence <= sequence + room:
            return record
    return None


def magics(layout: Layout, data: bytes, at: int) -> Iterator[int]:
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
    return keys_of(broken.payload(data)) if broken else ()


def keys_of(payload: bytes) -> tuple[str, ...]:
    """The keys of a record; none where its payload is no map."""
    try:
        return tuple(unpack_map(payload))
    except cbor.CborError:
        return ()
