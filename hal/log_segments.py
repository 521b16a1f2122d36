"""The segments of a part: the active one, which grows, and the next one, which is being made.

Fault model: that of `hal/store.py`. What is done beside commits, in pieces, may fail without a
loss: the segment is given up, and another one is tried. What a commit depends on is tried on all.
"""

from __future__ import annotations

from collections.abc import Iterator

from hal.annotations import NoReturn
from hal.log_format import FEWEST, NUMBER_BITS, NUMBER_MAX, PAYLOAD_BYTES
from hal.log_mount import Found
from hal.log_move import Target
from hal.log_records import (
    Entries,
    Lengths,
    group_bytes,
    groups,
    lengths,
    transaction,
    transaction_bytes,
    written,
)
from hal.log_write import Writer
from hal.ports import Flash, FlashError, StoreError

MOVE_PAUSE_NS = 50_000_000  # between two pieces of a move: the loop is for others meanwhile
ERASE_PAUSE_NS = 3_000_000_000  # between two erases beforehand: nothing waits for them


class Segments:
    """The log, and where the values of the moment lie in it."""

    record_bytes = PAYLOAD_BYTES  # at most, in each record that is written
    # Less than this part of the room is free: the next segment is erased, is erased soon, is made.
    erase_at, press_at, move_at = 2, 4, 8

    def __init__(self, flash: Flash, found: Found) -> None:
        self.layout, self.sequence, self.values = found.layout, found.sequence, found.values
        self._writer = Writer(flash)
        self.counters = self._writer.counters
        self.reason = ""  # why nothing may be written any more
        self._doubt = ""  # why the active segment may not be used any more
        self._needed, self._numbers, self._end = found.needed, found.numbers, found.end
        self._foreign, self._damaged = found.foreign, bool(found.damaged)
        self._raw = flash.can_have_bad_blocks
        self._trusting = found.fresh or not self._raw
        self._target: Target | None = None  # the next segment, while it is being made
        self._spoilt: set[int] = set()  # segments that failed while nothing depended on them

    def commit(self, changes: Entries) -> None:
        """Writes a transaction. Raises StoreError, and the state is the one before."""
        self._check()
        if not self._append(changes):
            self._move(changes)
        if self._target and self._target.begun:
            self._target.changed.update(changes)

    def settle(self) -> None:
        """What the first commit would have to do before it can be written, where nothing can be
        appended to what the mount found. Raises StoreError."""
        if self.reason or self._foreign or (self._end and not self._damaged):
            return
        if self._needed:
            self._move({})
        elif target := self._next_target():  # of a part on which nothing was ever stored
            try:
                target.erase_all()
            except FlashError:
                self._give_up(target)

    def compact(self) -> None:
        """Moves the state and erases all else. Raises StoreError."""
        self._check()
        self._target = None  # a move that runs may have copied what was replaced since
        self._move({})
        for index in self._candidates()[::-1]:  # the last one is the next target
            self._target = self._new_target(index)
            try:
                self._target.erase_all()
            except FlashError:
                self._give_up(self._target)

    def compacting(self) -> Iterator[None]:
        """The same in bounded pieces, with commits between them; those go along with the move."""
        self._check()
        self._target, before = None, self._needed
        while self._needed == before:
            target = self._target or self._next_target()
            if target is None:
                self._move({})
                break
            try:
                self._piece(target)
            except FlashError:
                self._give_up(target)
            self._check()
            yield
        for index in self._candidates():
            target = self._new_target(index)
            while not (target.is_erased or self._is_used(index)):
                try:
                    target.erase()
                except FlashError:
                    self._spoilt.add(index)
                    break
                yield

    def _is_used(self, index: int) -> bool:
        """Whether commits have made a segment the active one, or the next one, meanwhile."""
        target = self._target
        return index in self._needed or bool(target and target.begun and target.index == index)

    def leave(self) -> None:
        """The active segment rots: its state moves, before a start finds whole records lost."""
        self._end = 0

    # -- work that need not wait for a commit ------------------------------------------------------

    def work(self) -> int | None:
        """One bounded piece of what is due: at most one erase of a block, or one record. The ns
        after which the next piece is due; None while nothing is.

        What the mount found damaged is left to a commit: somebody may want to note it first.
        """
        free = self.layout.segment_size - self._end if self._end else 0
        room = max(
            0, self.layout.sure_bytes - self.values.used_bytes
        )  # that is free just behind a move
        moves = self._begun or free * self.move_at < room or not self._end
        if self.reason or self._damaged or not self._needed:
            return None
        if not (moves or self._is_erase_due(free, room)):
            return None
        target = self._target or self._next_target()
        if target is None:
            return None
        presses = moves or free * self.press_at < room
        try:
            return self._piece(target, MOVE_PAUSE_NS if presses else ERASE_PAUSE_NS)
        except FlashError:
            self._give_up(target)
        except StoreError:
            return None  # it is read-only, and tells so
        return MOVE_PAUSE_NS

    def make_way(self, changes: Lengths) -> bool:
        """One bounded piece of the move that a commit of these would have to make; False when it
        is appended, or when no piece helps."""
        size = transaction_bytes(self.layout, changes, self.record_bytes)
        free = self.layout.segment_size - self._end if self._end else 0
        room = self.layout.sure_bytes - self.values.used_bytes
        if self.reason or self._damaged or not self._needed or not free < size <= room:
            return False
        target = self._target or self._next_target()
        if target is None:
            return False
        try:
            self._piece(target)
        except FlashError:
            self._give_up(target)
        except StoreError:
            return False  # it is read-only, and the commit tells so
        return True

    def _is_erase_due(self, free: int, room: int) -> bool:
        """At once where the segment before stays too, which has a second copy of what was moved;
        else when so much of the room is used up."""
        if self._target and self._target.is_erased:
            return False
        return self.layout.segments > FEWEST or free * self.erase_at < room

    @property
    def _begun(self) -> bool:
        return self._target is not None and self._target.begun

    def _next_target(self) -> Target | None:
        spare = (index for index in self._candidates() if index not in self._spoilt)
        index = next(spare, None)
        self._target = None if index is None else self._new_target(index)
        return self._target

    def _piece(self, target: Target, pause_ns: int = MOVE_PAUSE_NS) -> int | None:
        if not target.is_erased:
            return pause_ns if target.erase() else MOVE_PAUSE_NS
        if not target.begun:
            self._begin(target, list(groups(self.values.lengths(), self.record_bytes)))
        elif not target.copy(self.values):
            self._end_alone(target)
        return MOVE_PAUSE_NS

    def _end_alone(self, target: Target) -> None:
        """The end of a move that fails may be there all the same: another move at once."""
        try:
            self._end_move(target, target.changes(self.values))
        except FlashError as error:
            self._target, self._doubt, self._end = None, str(error), 0
            self._move({})

    def _give_up(self, target: Target) -> None:
        self._spoilt.add(target.index)
        self._target = None

    # -- what a commit needs -----------------------------------------------------------------------

    def _check(self) -> None:
        if self.reason:
            raise StoreError(f"read-only: {self.reason}")

    def _append(self, changes: Entries) -> bool:
        """Adds a transaction to the active segment; False when it must go into a fresh one."""
        if not self._end:
            return False
        records = transaction(self.layout, self.sequence + 1, changes, self.record_bytes)
        size = sum(map(len, records))
        if self._end + size > self.layout.segment_size:
            return False
        start = self._needed[0] * self.layout.segment_size + self._end
        try:
            self._writer.write_transaction(start, records)
        except FlashError as error:
            self._doubt, self._end = str(error), 0
            return False
        self.values.put(written(self.layout, b"".join(records), start))
        self.sequence += len(records)
        self._end += size
        return True

    def _move(self, changes: Entries) -> None:
        """Puts the state with these changes into another segment, now: ends the move that runs, or
        makes one whose copies leave out what changes, so that old and new need not fit together.

        When all segments fail, one of them may look complete at the next mount, and be newer than
        the active one: from then on that must not grow.
        """
        if self._end_begun(changes):
            return
        stays = {key: length for key, length in self.values.lengths() if key not in changes}
        copies = list(groups(stays.items(), self.record_bytes))
        size = sum(group_bytes(self.layout, stays, keys) for keys in copies)
        end = transaction_bytes(self.layout, lengths(changes), self.record_bytes)
        if size + end > self.layout.record_space:
            if self._doubt:
                self._fail(self._doubt)
            room = self.layout.record_space
            raise StoreError(f"full: {size + end} bytes, there is room for {room}")
        self._erase_foreign()
        reason, erased = self._doubt, None if self._begun else self._target
        for index in self._candidates():
            target = erased if erased and erased.index == index else self._new_target(index)
            try:
                target.erase_all()
                self._begin(target, copies)
                self._end_move(target, changes)
            except FlashError as error:
                reason = str(error)
            else:
                return
        self._fail(reason)

    def _end_begun(self, changes: Entries) -> bool:
        """Ends the move that runs with these changes; False when there is none, or no room."""
        target = self._target
        if target is None or not target.begun:
            return False
        carried = {**target.changes(self.values), **changes}
        end = transaction_bytes(self.layout, lengths(carried), self.record_bytes)
        if target.end + target.left(self.values) + end > self.layout.segment_size:
            return False
        try:
            self._end_move(target, carried)
        except FlashError as error:
            self._target, self._doubt = None, str(error)
            return False
        return True

    def _new_target(self, index: int) -> Target:
        return Target(self._writer, self.layout, index, self._trusting)

    def _begin(self, target: Target, copies: list[list[str]]) -> None:
        others = (number for at, number in self._numbers.items() if at != target.index)
        number = max(self.sequence >> NUMBER_BITS, *others, 0) + 1
        if number > NUMBER_MAX:
            self._fail("the segments have numbers that no other can follow on")
        self._numbers[target.index] = number
        before = self._numbers[self._needed[0]] if self._needed else 0
        target.begin(number, before, copies)

    def _end_move(self, target: Target, changes: Entries) -> None:
        while target.copy(self.values):
            pass
        target.complete(changes, self.record_bytes)
        self.values.take(target.values)
        self._needed, self._target, self._doubt = (target.index,), None, ""
        self.sequence, self._end = target.sequence, target.end
        self._trusting, self._damaged = not self._raw, False

    def _candidates(self) -> list[int]:
        """Round the ring from the active one, so that wear is level.

        An interrupted move is tried again in the same place. What a damaged state was put together
        from comes last.
        """
        count = self.layout.segments
        active = self._needed[0] if self._needed else -1
        ring = [(active + step) % count for step in range(1, count + 1)]
        spare = [index for index in ring if index not in self._needed]
        return spare + [index for index in ring if index in self._needed[1:]]

    def _erase_foreign(self) -> None:
        """What was there before a take-over and a later mount could take for ours."""
        try:
            self._writer.erase(self._foreign)
        except FlashError as error:
            self._fail(str(error))
        self._foreign = ()

    def _fail(self, reason: str) -> NoReturn:
        self.reason = reason
        raise StoreError(f"read-only: {reason}")
