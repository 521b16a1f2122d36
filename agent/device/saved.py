"""The saved configuration in the store: what there is, what was lost of it, how it is written.

`config` holds the text without the blocks that say who may log in on the serial lines. Those lie in
`config/console/0` and `config/console/1`, so that no single record that rots can open a line. A
save writes one copy in the transaction of the configuration and the other one in a transaction of
its own, since a transaction is lost as a whole. The copy of the higher generation counts, and the
configuration says which generation belongs to it.

Fault model. Power fails between the two: the copies differ, and the newer one is the one that was
saved with the configuration. One of the three records is lost or cannot be read: the others are
used, and `lost` says so where it matters. All are gone: only the mark of `agent/device/losses.py`
can tell it from a device on which nobody has saved. What is lost never counts as what was never
there.
"""

from __future__ import annotations

from collections.abc import Iterable

from agent.console.language import blocks
from agent.device import losses
from hal import records
from hal.named import NamedTuple
from hal.records import ConfigRecord, ConsoleRecord, Record
from hal.store import Store

_OWN = ("user-interface console ", "aaa")  # how the blocks begin that have records of their own


class Saved(NamedTuple):
    """The configuration in the store. text None: there is no record, so that of the factory serves.

    lost: the part of it that cannot be read, as part of a sentence; "" when all that was saved is
    here, and when nothing ever was.
    """

    text: str | None
    lost: str


class _Found(NamedTuple):
    """The records: absent (None), readable, or the reason why one is not."""

    config: ConfigRecord | str | None
    copies: tuple[ConsoleRecord | str | None, ...]

    @property
    def newest(self) -> ConsoleRecord | None:
        readable = [copy for copy in self.copies if isinstance(copy, ConsoleRecord)]
        return max(readable, key=lambda copy: copy.generation, default=None)

    @property
    def expected(self) -> int:
        """The generation that the configuration belongs to."""
        return self.config.console if isinstance(self.config, ConfigRecord) else 0


def read(store: Store) -> Saved:
    """The saved configuration; the newer copy of the blocks console and users counts."""
    if store.get(records.erase_key()) is not None:
        return Saved("", "the storage was to be erased, and that did not come to its end")
    stored = _records(store)
    config, console = stored.config, stored.newest
    lines = config.text.splitlines() if isinstance(config, ConfigRecord) else []
    if console and console.generation >= stored.expected:
        _older, rest = blocks.divided(lines, _OWN)  # of a release that kept them in here
        lines = [*rest, *console.text.splitlines()]
    is_saved = config is not None or any(stored.copies)
    return Saved(_text(blocks.settings_of(lines)) if is_saved else None, _lost(store, stored))


def _lost(store: Store, stored: _Found) -> str:
    """The first that cannot be read of what somebody has saved."""
    config, console, copies = stored.config, stored.newest, stored.copies
    reason = next((copy for copy in copies if isinstance(copy, str)), "")
    if isinstance(config, str):
        return f"the saved configuration cannot be read ({config})"
    if config is None and any(copies):
        return "the saved configuration is gone"
    if config and config.console and (not console or console.generation < config.console):
        return f"the saved users and serial lines cannot be read ({reason or 'they are gone'})"
    keys = losses.CONFIGURATION[:1] if config else losses.CONFIGURATION
    if any(losses.maybe(store, key) for key in keys):
        return "damage of the flash may have taken the saved configuration"
    return ""


def changes(store: Store, lines: Iterable[str]) -> tuple[dict[str, object], dict[str, object]]:
    """The two transactions of a save; the second one is empty where the copies stay as they are.

    Only the first one must succeed.
    """
    stored, (block_lines, rest) = _records(store), blocks.divided(lines, _OWN)
    newest, text = stored.newest, _text(block_lines)
    generation = max(stored.expected, newest.generation if newest else 0)
    first: dict[str, object] = losses.settled(store, losses.CONFIGURATION)
    second: dict[str, object] = {}
    if any(copy != ConsoleRecord(generation, text) for copy in stored.copies):
        generation += 1
        record = records.encode(ConsoleRecord(generation, text))
        older, newer = sorted(records.CONSOLE_COPIES, key=lambda copy: _age(stored.copies[copy]))
        first[records.console_key(older)] = second[records.console_key(newer)] = record
    config = ConfigRecord(_text(rest), generation)
    return {**first, records.config_key(): records.encode(config)}, second


def forgotten(store: Store) -> dict[str, object]:
    """Changes for a commit, so that nothing is saved any more, and nothing lost."""
    removals = dict.fromkeys(losses.CONFIGURATION)
    return {**removals, **losses.settled(store, losses.CONFIGURATION)}


def _records(store: Store) -> _Found:
    copies = [_record(store, ConsoleRecord, records.console_key(n)) for n in records.CONSOLE_COPIES]
    return _Found(_record(store, ConfigRecord, records.config_key()), tuple(copies))


def _record(store: Store, kind: type[Record], key: str) -> Record | str | None:
    value = store.get(key)
    try:
        return None if value is None else records.decode(kind, value)
    except records.RecordError as error:
        return str(error)


def _age(copy: ConsoleRecord | str | None) -> int:
    """The one that is worth least is written first: it goes with the configuration."""
    return copy.generation if isinstance(copy, ConsoleRecord) else 0


def _text(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in blocks.framed(lines))
