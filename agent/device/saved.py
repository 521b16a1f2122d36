"""The saved configuration in the store: what there is, what was lost of it, how it is written.

Each block of an entity and of a realm lies in records of its own (`agent/device/kept.py`), and so
do the blocks that say who may log in on the serial lines: `config/console/0` and
`config/console/1`, so that no single record that rots can open a line. `config` holds the rest. A
save writes one copy of what has changed in the transaction of `config`, and the other one in a
transaction of its own, since a transaction is lost as a whole. The copy of the higher generation
counts, and `config` says which generation of the console belongs to it, and what the generations of
the blocks are together.

A large save goes in commits of a bounded size. Those in front of the one of `config` write one copy
of each block that changes, under a mark (`SavingRecord`) by which nobody takes them for saved; that
of `config` removes the mark, and so all of them count at once.

Fault model. Power fails before the commit of `config`: the configuration is the one before, and of
blocks that were to change there is one copy. It fails behind it: the copies differ, and the newer
one is the one that was saved with the configuration. A record is lost or cannot be read: the others
are used, and `lost` says so where it matters, `worn` where there is another copy. All are gone:
only the mark of `agent/device/losses.py` can tell it from a device on which nobody has saved. What
is lost never counts as what was never there. The loss of a realm or an entity takes nothing from
what is known of the serial lines: it shuts none (`closes`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from agent.console.language import blocks
from agent.device import kept, losses
from agent.device.kept import Block, Blocks, Parts
from agent.pieces import Pieces, at_once
from hal import record_codec, record_keys, records
from hal.named import NamedTuple
from hal.records import ConfigRecord, ConsoleRecord, SavingRecord
from hal.store import Store

PIECE_BYTES = 8 * 1024  # of a commit of a large save: some ten milliseconds of a slow part

_ERASING = "the storage was to be erased, and that did not come to its end"
_OWN = ("user-interface console ", "aaa")  # how the blocks of the console record begin


class Saved(NamedTuple):
    """The records: absent (None), readable, or the reason why one is not. `shut`: the part of what
    was lost that may have said whom the serial lines let in, as `lost`. generation: the newest that
    anything here has had."""

    config: ConfigRecord | str | None
    copies: tuple[ConsoleRecord | str | None, ...]
    blocks: Blocks
    shut: str
    erasing: bool
    generation: int

    @property
    def exists(self) -> bool:
        """False: there is no record, so that of the factory serves."""
        return self.erasing or self.config is not None or any(self.copies) or bool(self.blocks)

    @property
    def lost(self) -> str:
        """The first that cannot be read of what somebody has saved, as part of a sentence; "" when
        all of that is here, and when nothing ever was."""
        return self.shut or self._lost_block()

    @property
    def closes(self) -> bool:
        """Whether nobody can tell whom the serial lines let in."""
        return bool(self.shut)

    def _lost_block(self) -> str:
        if not isinstance(self.config, ConfigRecord):
            return ""
        for name, block in self.blocks.items():
            if block.newest is None:
                reason = next(copy for copy in block.copies if isinstance(copy, str))
                return f"the saved configuration of {_named(name)} cannot be read ({reason})"
        if self.config.blocks != sum(map(_generation, self.blocks.values())):
            return "an entity or a realm of the saved configuration is gone, or an older one"
        return ""

    @property
    def worn(self) -> list[str]:
        """What has lost one of its copies, and is read from the other."""
        once = (name for name, block in self.blocks.items() if block.newest and not block.is_whole)
        first, second = self.copies
        console = ["the users and serial lines"] if self.newest and first != second else []
        return [*map(_named, once), *console]

    @property
    def newest(self) -> ConsoleRecord | None:
        readable = [copy for copy in self.copies if isinstance(copy, ConsoleRecord)]
        return max(readable, key=kept.worth, default=None)

    @property
    def expected(self) -> int:
        """The generation of the console that the configuration belongs to."""
        return self.config.console if isinstance(self.config, ConfigRecord) else 0

    def lines(self) -> Iterator[str]:
        """The lines of what can be read, framed; once: the blocks are let go of one by one."""
        return blocks.framed(blocks.settings_of(self._lines()))

    def _lines(self) -> Iterator[str]:
        config, console = self.config, self.newest
        front, behind = (
            (config.text, config.behind) if isinstance(config, ConfigRecord) else ("", "")
        )
        if console is None or console.generation < self.expected:
            console = None
        # A release before kept the console in here; its record has taken the place of that.
        taken = _OWN if console else ()
        yield from blocks.divided(front.splitlines(), taken)[1]
        yield from kept.lines(self.blocks)
        yield from blocks.divided(behind.splitlines(), taken)[1]
        yield from console.text.splitlines() if console else ()


def reading(store: Store) -> Pieces[Saved]:
    """All records of the saved configuration, a block a piece."""
    if record_keys.erase_key() in store:
        return Saved(None, (None, None), {}, _ERASING, True, 0)
    config = kept.read(ConfigRecord, store.get(record_keys.config_key()))
    copies = tuple(_console(store, copy) for copy in records.COPIES)
    blocks, newest = yield from kept.found(store, _since(store, config))
    saved = Saved(config, copies, blocks, "", erasing=False, generation=0)
    head = config.generation if isinstance(config, ConfigRecord) else 0
    newest = max(head, saved.expected, newest, *map(kept.worth, copies))
    return saved._replace(shut=_shut(store, saved), generation=newest)


def read(store: Store) -> Saved:
    """The same at once, for a start."""
    return at_once(reading(store))


def _since(store: Store, config: ConfigRecord | str | None) -> int:
    """The first generation of a save that has not come to its end: newer than all that the head
    knows, where there is one, and that will do for a mark that cannot be read."""
    mark = kept.read(SavingRecord, store.get(record_keys.saving_key()))
    saved = config.generation + 1 if isinstance(config, ConfigRecord) else 0
    if isinstance(mark, SavingRecord):
        return max(mark.since, saved)
    return saved if mark and saved else kept.COUNTS_ALL


def _console(store: Store, copy: int) -> ConsoleRecord | str | None:
    return kept.read(ConsoleRecord, store.get(record_keys.console_key(copy)))


def _shut(store: Store, saved: Saved) -> str:
    config, console = saved.config, saved.newest
    if isinstance(config, str):
        return f"the saved configuration cannot be read ({config})"
    if config is None and saved.exists:
        return "the saved configuration is gone"
    if config and config.console and (not console or console.generation < config.console):
        reason = next((copy for copy in saved.copies if isinstance(copy, str)), "they are gone")
        return f"the saved users and serial lines cannot be read ({reason})"
    keys = losses.CONFIGURATION[:1] if config else losses.CONFIGURATION
    if any(losses.maybe(store, key) for key in keys):
        return "damage of the flash may have taken the saved configuration"
    return ""


class Changes(NamedTuple):
    """The commits of a save: those of a large one that count from `last` on; the one that makes it
    the saved configuration, which must succeed; those of the second copies."""

    first: list[dict[str, object]]
    last: dict[str, object]
    second: list[dict[str, object]]

    @property
    def all(self) -> list[dict[str, object]]:
        """In their order."""
        return [*self.first, self.last, *self.second]


def parted(lines: Iterable[str]) -> Pieces[Parts]:
    """The lines of a configuration by the records that they lie in."""
    return kept.parted(lines, _OWN)


def changes(store: Store, parts: Parts) -> Pieces[Changes]:
    """The commits of a save; `second` is empty where the copies stay as they are."""
    saved, console = (yield from reading(store)), _text(parts.others)
    generation = saved.generation + 1
    blocks = yield from kept.changes(store, saved.blocks, parts.blocks, generation, PIECE_BYTES)
    first, second = blocks.first, blocks.second
    newest = saved.newest
    age = newest.generation if newest and newest.generation >= saved.expected else 0
    last: dict[str, object] = {}
    if not age or any(copy != ConsoleRecord(age, console) for copy in saved.copies):
        age = generation
        record = record_codec.encode(ConsoleRecord(age, console))
        older, newer = sorted(records.COPIES, key=lambda n: kept.worth(saved.copies[n]))
        last[record_keys.console_key(older)] = record
        second = [*second, {record_keys.console_key(newer): record}]
    newest_now = generation if second else saved.generation
    config = ConfigRecord(_text(parts.front), age, _text(parts.behind), newest_now, blocks.sum)
    last[record_keys.config_key()] = record_codec.encode(config)
    last |= losses.settled(store, losses.CONFIGURATION)
    mark = record_keys.saving_key()
    if len(first) > 1:
        since = min(_since(store, saved.config), generation)
        first[0][mark] = record_codec.encode(SavingRecord(since))
    else:
        last |= first.pop() if first else {}
    if first or mark in store:
        last[mark] = None
    return Changes(first, last, second)


def forgotten(store: Store) -> Changes:
    """The commits by which nothing is saved any more, and nothing lost. The first one counts: where
    there are many blocks, the rest of them go under a mark."""
    mark, keys = record_keys.saving_key(), kept.keys(store)
    last: dict[str, object] = dict.fromkeys((*losses.CONFIGURATION, mark))
    last |= losses.settled(store, losses.CONFIGURATION)
    blocks = kept.removals(keys, PIECE_BYTES)
    if len(blocks) <= 1:
        return Changes([], {**last, **dict.fromkeys(keys)}, [])
    last[mark] = record_codec.encode(SavingRecord(0))
    return Changes([], last, [*blocks, {mark: None}])


def _generation(block: Block) -> int:
    return block.newest.generation if block.newest else 0


def _named(name: str) -> str:
    """`realm abc`."""
    return name.replace("/", " ", 1)


def _text(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
