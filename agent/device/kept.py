"""The blocks of entities and realms in the saved configuration: a record each, kept twice.

Two copies lie in two transactions, since rot takes a transaction as a whole. Each has the
generation in which it was written, and the higher one counts; generations never come again, so what
rot lays open again is older than what it took.

Fault model. One copy is lost or cannot be read: the other serves, the start says so, and the next
save writes both anew. Power fails between the two transactions of a save: the same. Both are lost,
or rot has left an older one: the sum of the generations in `ConfigRecord` is another one then. The
sum can only be too low: the record that holds it is in the transaction of the newer copies, and is
missed itself when that is lost. Power fails while a large save goes in pieces: it has written one
copy of each block at most, of a generation that a mark tells from those that count
(`SavingRecord`). Such a copy is left out, and the other one serves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from agent.console.language import blocks as text_blocks
from agent.device import packing
from agent.limits import NAME_CHARACTERS
from agent.pieces import Pieces
from agent.settings import fold
from hal import record_codec, record_keys, records
from hal.named import NamedTuple
from hal.record_codec import Record
from hal.records import BlockRecord, ConsoleRecord
from hal.store import Store

KINDS = ("entity", "realm")  # in the order of a configuration
ROOM = "config/"
_ROOMS = tuple(f"{ROOM}{kind}/" for kind in KINDS)
STRIDE = 1 << 20  # between the places of two blocks, so that another one fits in between
COUNTS_ALL = 1 << 64  # as the first generation that does not count
REMOVED = b""  # the packed text of a block that goes with a large save
_RECORD_BYTES = 150  # of a block in a commit, beside its packed text, or of its removal, at most

Copy = BlockRecord | str | None  # readable, or why it is not, or not there
Blocks = dict[str, "Block"]  # by `realm/<name>`, in the order of a configuration


class Block(NamedTuple):
    """The two records of a block, and the one of them that counts."""

    copies: tuple[Copy, ...]
    newest: BlockRecord | None

    @property
    def is_whole(self) -> bool:
        """Whether one copy may be lost."""
        first, second = self.copies
        return first == second and isinstance(first, BlockRecord)


_NONE = Block((None, None), None)


class Parts(NamedTuple):
    """A configuration without frame: the lines before, the blocks by their names, those behind; and
    the blocks for which somebody else has a record."""

    front: list[str]
    blocks: dict[str, list[str]]
    behind: list[str]
    others: list[str]


# -- of a text -------------------------------------------------------------------------------------


def parted(lines: Iterable[str], others: tuple[str, ...]) -> Pieces[Parts]:
    """Takes the blocks of entities and realms out of a configuration, and those that begin like one
    of `others`. A line at the margin is a piece.

    A block that stands there a second time, or whose name none of ours can have, stays where it is.
    """
    parts = Parts([], {}, [], [])
    part = parts.front
    for line in text_blocks.settings_of(lines):
        if not line.startswith(" "):
            yield
            part = _part(parts, line, others)
        part.append(line)
    for name, block in list(parts.blocks.items()):
        yield
        if _is_too_long(block):
            parts.behind.extend(parts.blocks.pop(name))
    return parts


def _part(parts: Parts, header: str, others: tuple[str, ...]) -> list[str]:
    """The lines among which a block stands."""
    name = _name(header)
    if name and name not in parts.blocks:
        return parts.blocks.setdefault(name, [])
    if fold(header).startswith(others):
        return parts.others
    return parts.behind if parts.blocks else parts.front


def _name(header: str) -> str | None:
    """`realm/<name>`, for the line that opens the block of a realm."""
    words = fold(header).split(" ")
    if len(words) != 3 or words[0] != "pki" or words[1] not in KINDS:
        return None
    name = words[2]
    is_ours = name.isascii() and name.isprintable() and 1 <= len(name) <= NAME_CHARACTERS
    return f"{words[1]}/{name}" if is_ours and "/" not in name else None


def _is_too_long(block: list[str]) -> bool:
    return len("\n".join(block).encode()) > packing.TEXT_BYTES


# -- in the store ----------------------------------------------------------------------------------


def is_block(key: str) -> bool:
    """Whether a key of the store is that of a copy of a block."""
    return key.count("/") == 3 and key.startswith(_ROOMS)


def keys(store: Store) -> list[str]:
    """The keys of all copies."""
    return [key for room in _ROOMS for key in store.keys(room) if key.count("/") == 3]


def _names(store: Store) -> Iterable[str]:
    """The names of all blocks of which there is a copy, whether it counts or not."""
    return dict.fromkeys(key[len(ROOM) : -2] for key in keys(store))


class Found(NamedTuple):
    """The blocks that count, and the newest generation that any copy in the store has."""

    blocks: Blocks
    newest: int


def found(store: Store, since: int = COUNTS_ALL) -> Pieces[Found]:
    """The blocks in the store, in the order in which the configuration has them; one is a piece.

    since: the first generation of a save that has not come to its end; 0: none counts at all.
    """
    places: list[tuple[int, int, str]] = []
    blocks: Blocks = {}
    generation = 0
    for name in _names(store):
        whole = _block(store, name)
        block = _counting(whole, since)
        newest = block.newest
        if block != _NONE and (newest is None or newest.packed):
            kind = KINDS.index(name.partition("/")[0])
            places.append((kind, newest.place if newest else 0, name))
            blocks[name] = block
        generation = max(generation, *map(worth, whole.copies))
        yield
    return Found({name: blocks[name] for _kind, _place, name in sorted(places)}, generation)


def _counting(block: Block, since: int) -> Block:
    """The block without what a save has written that has not come to its end. Such a save never
    writes both copies: where both are late, rot has taken its end."""
    late = [worth(copy) >= since for copy in block.copies]
    if not any(late) or (since and all(late)):
        return block
    return _of(tuple(None if worth(copy) >= since else copy for copy in block.copies))


def _block(store: Store, name: str) -> Block:
    stored = store.both(*(record_keys.block_key(name, n) for n in records.COPIES))
    first = copy_of(stored[0])
    return _of((first, first if stored[0] is stored[1] else copy_of(stored[1])))


def _of(copies: tuple[Copy, ...]) -> Block:
    readable = [copy for copy in copies if isinstance(copy, BlockRecord)]
    return Block(copies, max(readable, key=worth, default=None))


def copy_of(value: object) -> Copy:
    """The record of a stored copy, or why it cannot be read, or None where there is none."""
    copy = read(BlockRecord, value)
    try:
        if isinstance(copy, BlockRecord) and copy.packed != REMOVED:
            packing.unpack(copy.packed)
    except ValueError as error:
        return str(error)
    return copy


def read(kind: type[Record], value: object) -> Record | str | None:
    """A record, or why it cannot be read, or None where there is none."""
    try:
        return None if value is None else record_codec.decode(kind, value)
    except record_codec.RecordError as error:
        return str(error)


def lines(blocks: Blocks) -> Iterator[str]:
    """The lines of all blocks of which a copy can be read. Each block is let go of when it is read,
    so that a start does not hold a thousand of them beside the settings that they become."""
    for name in list(blocks):
        newest = blocks.pop(name).newest
        if newest:
            yield from packing.unpack(newest.packed).split("\n")


# -- a save ----------------------------------------------------------------------------------------


class Changes(NamedTuple):
    """The changes of a save, in commits of a bounded size: of the copies that go first, of the
    second ones; the new sum of the generations."""

    first: list[dict[str, object]]
    second: list[dict[str, object]]
    sum: int


def changes(
    store: Store, before: Blocks, wanted: dict[str, list[str]], generation: int, most: int
) -> Pieces[Changes]:
    """What makes these blocks of those in the store; what differs gets this generation.

    The copy that is worth least is written first. A block is a piece; most: bytes of a commit.
    """
    first, second = _Commits(most), _Commits(most)
    total, places = 0, (yield from _places(before, wanted))
    for name, block_lines in wanted.items():
        yield
        block, place, text = before.get(name, _NONE), places[name], "\n".join(block_lines)
        kept = block.newest
        if kept and block.is_whole and kept.place == place and packing.unpack(kept.packed) == text:
            total += kept.generation
            continue
        total += generation
        record = BlockRecord(generation, place, packing.pack(text))
        older, newer = _by_worth(block)
        first.put(record_keys.block_key(name, older), record)
        second.put(record_keys.block_key(name, newer), record)
    names = [name for name in _names(store) if name not in wanted]
    gone = [f"{ROOM}{name}/{copy}" for name in names for copy in records.COPIES]
    if len(first.all) <= 1 and first.size + len(gone) * _RECORD_BYTES <= most:
        first.all = [{**dict.fromkeys(gone), **(first.all[0] if first.all else {})}]
        return Changes(first.all, second.all, total)
    for name in before.keys() - wanted.keys():
        yield
        older, _newer = _by_worth(before[name])
        first.put(record_keys.block_key(name, older), BlockRecord(generation, 0, REMOVED))
    return Changes(first.all, [*second.all, *removals(gone, most)], total)


class _Commits:
    """Records of blocks in commits of a bounded size."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.all: list[dict[str, object]] = []
        self.size = 0  # of the last one

    def put(self, key: str, record: BlockRecord) -> None:
        size = len(record.packed) + _RECORD_BYTES
        if not self.all or self.size + size > self._most:
            self.all.append({})
            self.size = 0
        self.size += size
        self.all[-1][key] = record_codec.encode(record)


def removals(gone: list[str], most: int) -> list[dict[str, object]]:
    """Commits of a bounded size that remove keys."""
    count = most // _RECORD_BYTES
    return [dict.fromkeys(gone[at : at + count]) for at in range(0, len(gone), count)]


def _by_worth(block: Block) -> list[int]:
    """The numbers of the copies, that of the lesser one first."""
    return sorted(records.COPIES, key=lambda n: worth(block.copies[n]))


def worth(copy: BlockRecord | ConsoleRecord | str | None) -> int:
    """The generation of a copy that can be read; of two copies the lesser is written first."""
    return 0 if copy is None or isinstance(copy, str) else copy.generation


def _places(before: Blocks, wanted: Iterable[str]) -> Pieces[dict[str, int]]:
    """Blocks keep their places as far as these are in order; a new one is put in between."""
    places: dict[str, int] = {}
    for name, block in before.items():
        yield
        if newest := block.newest:
            places[name] = newest.place
    numbered: dict[str, int] = {}
    for kind in KINDS:
        numbered |= _numbered([name for name in wanted if name.startswith(f"{kind}/")], places)
        yield
    return numbered


def _numbered(names: list[str], places: dict[str, int]) -> dict[str, int]:
    following, ahead = [], 0
    for name in reversed(names):
        following.append(ahead)
        ahead = places.get(name, ahead)
    last, numbered = 0, {}
    for name in names:
        ahead, place = following.pop(), places.get(name, 0)
        if place <= last:
            place = (last + ahead) // 2 if ahead > last + 1 else last + STRIDE
        numbered[name] = last = place
    return numbered
