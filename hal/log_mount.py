"""Reading a part: which segments there are, the state that they hold, and what is lost of it.

Writes nothing. Fault model: that of `hal/log_scan.py`; a block that cannot be read counts as bytes
that are wrong. A part may belong to something else or to a newer release, or the board file may
say other sizes than when it was written: it is refused in words, or read as it was written.

The state is a sum: the snapshot of a segment, then its transactions in the order of their numbers.
The number of a segment is the upper half of those of its records, so they rise from segment to
segment, and each segment counts its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from hal import cbor
from hal.log_format import (
    HEADER_COPIES_BYTES,
    PART,
    SEGMENT_MAGIC,
    TRANSACTION,
    Layout,
    Segment,
    layout_of,
    layout_on,
    record_at,
    told,
    unpack_segment,
)
from hal.log_records import places, unpack_map
from hal.log_scan import Scan, keys_of, magics, scan
from hal.log_values import Values
from hal.named import NamedTuple
from hal.ports import Flash, FlashError, StoreError

_READ_BYTES = 16 * 1024
_UNREADABLE = b"\x55"  # stands for bytes that the part refuses: neither erased nor a record


class Damage(NamedTuple):
    """Something that is not as it was written: `what`, and the keys concerned when one can tell.

    The keys come from bytes whose CRC is wrong: good enough for a message, not for a decision.
    lost: the keys whose values may be gone, since no other copy and no later value of them is left;
    None when nobody can tell.
    """

    what: str
    keys: tuple[str, ...] = ()
    lost: tuple[str, ...] | None = None


class Found(NamedTuple):
    """The result of a mount: the state, how to go on, what to report."""

    layout: Layout
    values: Values  # encoded
    needed: tuple[int, ...]  # segments that the state was read from, the active one first
    numbers: dict[int, int]  # of the segments that have a header
    sequence: int  # of the newest record
    end: int  # where the active segment may be appended to; 0 when it may not
    damaged: tuple[Damage, ...]
    foreign: tuple[int, ...] = ()  # blocks to be erased before anything is written
    fresh: bool = False  # nothing was ever stored: what reads as erased is


def survey(flash: Flash, take_over: bool = False) -> Found:
    """Reads a whole part; with `take_over`, only what the first commit must know about it.

    Raises StoreError, but for `take_over`, for a part that is not ours, of a newer format, of a
    geometry that it cannot have, or damaged so far that nothing of it can be found.
    """
    if take_over:
        return _taken_over(flash, layout_of(flash))
    return _surveyed(_Part(flash, _located(flash)))


def _surveyed(part: _Part) -> Found:
    """The order matters. The loss of a segment without a header is measured against the newest
    number of the chain; damage is judged after the replay, which tells what was written since."""
    part.read_headers()
    order = sorted(part.segments, key=lambda index: part.segments[index].number, reverse=True)
    chain = part.follow(order)
    part.look_for_lost_segments()
    if not order and part.damaged:
        what = "; ".join(damage.what for damage in part.damaged[:3])
        raise StoreError(f"damaged: nothing of what was stored can be found ({what})")
    if not order and not part.is_fresh():
        raise StoreError("holds neither our format nor erased flash; erase it if it may be used")
    # The log grows in place only where nothing is in doubt: erased bytes follow, all is as written,
    # and it is programmed as this part is. In every other case the next commit moves, and programs
    # nothing over bytes that are not erased.
    appendable = chain and chain[0][1].clean and not part.damaged and part.is_usual(chain[0][0])
    return Found(
        layout=part.layout,
        values=part.replay(chain),
        needed=tuple(index for index, _ in chain),
        numbers={index: segment.number for index, segment in part.segments.items()},
        sequence=part.sequence,
        end=chain[0][1].end if appendable else 0,
        damaged=part.judged(),
        fresh=not order,
    )


def _taken_over(flash: Flash, layout: Layout) -> Found:
    """An empty state over whatever lies there. Its numbers go on behind all that a later mount
    could find; what such a mount could take for a header is erased before anything else."""
    part = _Part(flash, layout)
    part.look_for_lost_segments()
    blocks = (block for block in range(flash.block_count) if SEGMENT_MAGIC in part.block(block))
    return Found(layout, Values(flash), (), {}, part.sequence, 0, (), tuple(blocks))


def _located(flash: Flash) -> Layout:
    """The geometry: that of the first header, where one is; else that of a new part.

    Usually headers lie where a new part would have them. Where none does, the board file may have
    changed, so each block is looked through. A header counts only where it says that it lies, so
    what stands in somebody's value is none.
    """
    usual = layout_of(flash)
    starts = [index * usual.segment_size for index in range(usual.segments)]
    newer = None
    for offset in (*starts, *_magic_offsets(flash)):
        try:
            header = unpack_segment(_read(flash, offset, HEADER_COPIES_BYTES), offset)
        except StoreError as error:
            newer = newer or error
        else:
            if header:
                return layout_on(flash, header[0])
    if newer:
        raise newer
    return usual


def _magic_offsets(flash: Flash) -> Iterable[int]:
    size, start = flash.block_size, 0
    for data in _pieces(
        flash, 0, flash.block_count, lambda block: _read(flash, block * size, size)
    ):
        at = -1
        while (at := data.find(SEGMENT_MAGIC, at + 1)) >= 0:
            yield start + at
        start += len(data)


def _pieces(flash: Flash, first: int, count: int, block: Callable[[int], bytes]) -> Iterator[bytes]:
    """The bytes of some blocks, several at once where the part gives them so, else by `block`.

    Not all at once: who waits for an answer of the part may not wait for a slow one.
    """
    size = flash.block_size
    step = max(1, _READ_BYTES // size)
    for start in range(first, first + count, step):
        some = range(start, min(start + step, first + count))
        try:
            yield flash.read(start * size, len(some) * size)
        except FlashError:
            yield b"".join(map(block, some))


def _read(flash: Flash, offset: int, length: int) -> bytes:
    """The bytes of a range, as far as the part has and gives them."""
    try:
        return flash.read(offset, min(length, flash.block_size * flash.block_count - offset))
    except FlashError:
        return _UNREADABLE * length


class _Part:
    """A part while it is surveyed: collects what is found and what is wrong."""

    def __init__(self, flash: Flash, layout: Layout) -> None:
        self._flash, self.layout = flash, layout
        self.segments: dict[int, Segment] = {}
        self._written_in: dict[int, Layout] = {}  # of the segments: how each was programmed
        self._one_copy: set[int] = set()
        self.sequence = 0
        self.damaged: list[Damage] = []
        self._lost: dict[Damage, int] = {}  # by their sequence numbers
        self._copied: dict[Damage, int] = {}  # of snapshots, of which there may be another copy
        self._written: dict[str, int] = {}  # keys, and the newest record that says what they are

    def read_headers(self) -> None:
        """Finds the segments that have a header. Raises StoreError for one of another geometry."""
        for index in range(self.layout.segments):
            start = index * self.layout.segment_size
            found = unpack_segment(self.block(index * self.layout.blocks), start)
            if found is None:
                continue
            layout, self.segments[index], all_copies = found
            if layout_on(self._flash, layout) != self.layout:
                raise StoreError("holds segments of two geometries")
            self._written_in[index] = self.layout._replace(program_size=layout.program_size)
            if not all_copies:
                self._one_copy.add(index)

    def is_usual(self, index: int) -> bool:
        """Whether a segment is programmed as the board says."""
        return self._written_in[index] == self.layout

    def follow(self, order: list[int]) -> list[tuple[int, Scan]]:
        """The segments that the state is made of, newest first.

        One is enough when its snapshot is whole. If not, the one before holds what was copied,
        because a move touches no segment but its target; unless it was erased since. One that is
        older still has older values, and does not count.
        """
        chain: list[tuple[int, Scan]] = []
        for index in order:
            segment, layout = self.segments[index], self._written_in[index]
            if chain and segment.number != self.segments[chain[-1][0]].before:
                continue
            contents = scan(layout, self._read(index), layout.records_at, segment.first)
            self._report(index, segment, contents)
            if contents.complete():
                chain.append((index, contents))
                self.sequence = max(self.sequence, contents.last())
                if contents.whole():
                    break
        else:  # what a snapshot has lost is nowhere else
            self.damaged = list(map(self._without_copy, self.damaged))
        return chain

    def _without_copy(self, damage: Damage) -> Damage:
        gone = damage._replace(lost=None)
        if damage in self._copied:
            self._lost[gone] = self._copied[damage]
        return gone

    def look_for_lost_segments(self) -> None:
        """Transactions newer than all others, in a segment whose header is gone.

        What a cut erase leaves behind is older than the state, and no reason for a report. The
        number is taken over, so that no later record has the number of one that was lost.
        """
        for index in range(self.layout.segments):
            if index in self.segments:
                continue
            data = self._read(index)
            records = (record_at(self.layout, data, at) for at in magics(self.layout, data, 0))
            transactions = (record for record in records if record and record.kind == TRANSACTION)
            newest = max((record.sequence for record in transactions), default=0)
            if newest > self.sequence:
                self.damaged.append(
                    Damage(f"segment {index}, with transactions up to {told(newest)}")
                )
                self.sequence = newest

    def is_fresh(self) -> bool:
        """Whether a part without any header is an empty device: blank, all FF or all 00; or one
        whose first start was cut. That leaves anything in the first block of one segment: its
        header, what stood behind that, or what an erase made of both."""
        blocks = range(self._flash.block_count)
        used = [index for index in blocks if not _is_empty(self.block(index))]
        return not used or (len(used) == 1 and used[0] % self.layout.blocks == 0)

    def replay(self, chain: list[tuple[int, Scan]]) -> Values:
        """The state: all good records in their order. Copies in a later snapshot change nothing.

        `chain`: newest first, as `follow` gives it. The next move may erase any segment but the
        first of it, so what lies in another is held.
        """
        values = Values(self._flash)
        for index, contents in reversed(chain):
            for record in contents.counting():
                try:
                    changes = unpack_map(record.payload(contents.data))
                except cbor.CborError as error:
                    self.damaged.append(Damage(f"record {told(record.sequence)}: {error}"))
                    continue
                at = index * self.layout.segment_size + record.start
                values.put(places(changes, at) if index == chain[0][0] else changes)
                if self._lost:
                    self._written.update(dict.fromkeys(changes, record.sequence))
        return values

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
        been committed: whoever was told so would miss it, with all its parts.
        """
        if contents.complete() and index in self._one_copy:
            self.damaged.append(Damage(f"a header of segment {index}", lost=()))
        parts = [] if contents.complete() else contents.counting()
        more = [
            key
            for part in parts
            if part.kind == PART
            for key in keys_of(part.payload(contents.data))
        ]
        for sequence, keys in contents.lost.items():
            if sequence >= segment.first + segment.parts:
                damage = Damage(f"transaction {told(sequence)}", (*keys, *more) if keys else ())
                self.damaged.append(damage)
                self._lost[damage] = sequence
            elif contents.complete():
                damage = Damage(f"record {told(sequence)} of a snapshot", keys, lost=())
                self.damaged.append(damage)
                self._copied[damage] = sequence

    def _read(self, index: int) -> bytes:
        """The bytes of a segment, in one buffer: small pieces of the heap would stay with us."""
        blocks, at = self.layout.blocks, 0
        data = bytearray(self.layout.segment_size)
        for piece in _pieces(self._flash, index * blocks, blocks, self.block):
            data[at : at + len(piece)] = piece
            at += len(piece)
        return bytes(data)

    def block(self, index: int) -> bytes:
        """The bytes of a block; one that cannot be read is damage."""
        size = self.layout.block_size
        try:
            return self._flash.read(index * size, size)
        except FlashError as error:
            # The scan tells which records were in it; a header takes all its segment along.
            lost = () if index % self.layout.blocks else None
            damage = Damage(f"block {index} cannot be read: {error.what}", lost=lost)
            if damage not in self.damaged:
                self.damaged.append(damage)
            return _UNREADABLE * size


def _is_empty(block: bytes) -> bool:
    """Erased, all 00, or 00 with the beginning erased: an erase was cut."""
    return not block.lstrip(b"\xff").strip(b"\0")
