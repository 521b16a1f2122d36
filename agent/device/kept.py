"""The blocks of entities and realms in the saved configuration: a record each, kept twice.

Two copies lie in two transactions, since rot takes a transaction as a whole. Each has the
generation in which it was written, and the higher one counts; generations never come again, so what
rot lays open again is older than what it took.

Fault model. One copy is lost or cannot be read: the other serves, the start says so, and the next
save writes both anew. Power fails between the two transactions of a save: the same. Both are lost,
or rot has left an older one: the sum of the generations in `ConfigRecord` is another one then. The
sum can only be too low: the record that holds it is in the transaction of the newer copies, and is
missed itself when that is lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from agent.device import packing
from agent.limits import NAME_CHARACTERS
from agent.settings import fold
from hal import record_codec, record_keys, records
from hal.named import NamedTuple
from hal.record_codec import Record
from hal.records import BlockRecord, ConsoleRecord
from hal.store import Store

KINDS = ("entity", "realm")  # in the order of a configuration
ROOM = "config/"
STRIDE = 1 << 20  # between the places of two blocks, so that another one fits in between

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
    """A configuration without frame: the lines before, the blocks by their names, those behind."""

    front: list[str]
    blocks: dict[str, list[str]]
    behind: list[str]


# -- of a text -------------------------------------------------------------------------------------


def parted(lines: Iterable[str]) -> Parts:
    """Takes the blocks of entities and realms out of a configuration.

    A block that stands there a second time, or whose name none of ours can have, stays where it is.
    """
    parts = Parts([], {}, [])
    part = parts.front
    for line in lines:
        if not line.startswith(" "):
            name = _name(line)
            if name and name not in parts.blocks:
                part = parts.blocks[name] = []
            else:
                part = parts.behind if parts.blocks else parts.front
        part.append(line)
    for name in [name for name, block in parts.blocks.items() if _is_too_long(block)]:
        parts.behind.extend(parts.blocks.pop(name))
    return parts


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
    parts = key.split("/")
    return len(parts) == 4 and parts[0] == "config" and parts[1] in KINDS


def keys(store: Store) -> list[str]:
    """The keys of all copies."""
    return [key for key in store.keys(ROOM) if is_block(key)]


def found(store: Store) -> Blocks:
    """The blocks in the store, in the order in which the configuration has them."""
    names = dict.fromkeys(key[len(ROOM) : -2] for key in keys(store))
    blocks = {name: _block(store, name) for name in names}
    return dict(sorted(blocks.items(), key=_order))


def _block(store: Store, name: str) -> Block:
    stored = store.both(*(record_keys.block_key(name, n) for n in records.COPIES))
    first = copy_of(stored[0])
    copies = (first, first if stored[0] is stored[1] else copy_of(stored[1]))
    readable = [copy for copy in copies if isinstance(copy, BlockRecord)]
    return Block(copies, max(readable, key=worth, default=None))


def copy_of(value: object) -> Copy:
    """The record of a stored copy, or why it cannot be read, or None where there is none."""
    copy = read(BlockRecord, value)
    try:
        if isinstance(copy, BlockRecord):
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


def _order(item: tuple[str, Block]) -> tuple[int, int]:
    newest = item[1].newest
    return KINDS.index(item[0].partition("/")[0]), newest.place if newest else 0


def lines(blocks: Blocks) -> Iterator[str]:
    """The lines of all blocks of which a copy can be read. Each block is let go of when it is read,
    so that a start does not hold a thousand of them beside the settings that they become."""
    for name in list(blocks):
        newest = blocks.pop(name).newest
        if newest:
            yield from packing.unpack(newest.packed).split("\n")


# -- a save ----------------------------------------------------------------------------------------


class Changes(NamedTuple):
    """The changes of a save: those that count, those of the second copies; and the new sum."""

    first: dict[str, object]
    second: dict[str, object]
    sum: int


def changes(before: Blocks, wanted: dict[str, list[str]], generation: int) -> Changes:
    """What makes these blocks of those in the store; what differs gets this generation.

    The copy that is worth least is written first.
    """
    first: dict[str, object] = {}
    second: dict[str, object] = {}
    total, places = 0, _places(before, wanted)
    for name, block_lines in wanted.items():
        block, place, text = before.get(name, _NONE), places[name], "\n".join(block_lines)
        kept = block.newest
        if kept and block.is_whole and kept.place == place and packing.unpack(kept.packed) == text:
            total += kept.generation
            continue
        record = record_codec.encode(BlockRecord(generation, place, packing.pack(text)))
        older, newer = sorted(records.COPIES, key=lambda n: worth(block.copies[n]))
        first[record_keys.block_key(name, older)] = second[record_keys.block_key(name, newer)] = (
            record
        )
        total += generation
    for name in before.keys() - wanted.keys():
        first.update(dict.fromkeys(record_keys.block_key(name, n) for n in records.COPIES))
    return Changes(first, second, total)


def worth(copy: BlockRecord | ConsoleRecord | str | None) -> int:
    """The generation of a copy that can be read; of two copies the lesser is written first."""
    return 0 if copy is None or isinstance(copy, str) else copy.generation


def _places(before: Blocks, wanted: Iterable[str]) -> dict[str, int]:
    """Blocks keep their places as far as these are in order; a new one is put in between."""
    places = {name: block.newest.place for name, block in before.items() if block.newest}
    found: dict[str, int] = {}
    for kind in KINDS:
        names = [name for name in wanted if name.startswith(f"{kind}/")]
        found.update(_numbered(names, places))
    return found


def _numbered(names: list[str], places: dict[str, int]) -> Iterator[tuple[str, int]]:
    following, ahead = [], 0
    for name in reversed(names):
        following.append(ahead)
        ahead = places.get(name, ahead)
    last = 0
    for name in names:
        ahead, place = following.pop(), places.get(name, 0)
        if place <= last:
            place = (last + ahead) // 2 if ahead > last + 1 else last + STRIDE
        yield name, place
        last = place
