"""Records that rot has taken from the store, remembered until that is settled.

Fault model. Rot takes a record. The mount sees the gap and, as a rule, whose value was in it; but
the next commit moves what is left to fresh flash, and the gap is gone. From then on nobody could
tell a value that was lost from one that never was, and each "there is none" that opens something
(no configuration: the factory's line; no CA: a first one may be trusted) would open it. So the
start that finds a gap stores the keys of what was lost, before anything else is stored.

The keys come from bytes whose CRC is wrong. They close and they warn; nothing opens by them: a key
that is none of ours counts as one that nobody can name, which may have been any record. Not
remembered are the blocks of the configuration and the sets of CA certificates: what is left tells
by itself that one is missing (`agent/device/kept.py`, `agent/device/casets.py`).
"""

from __future__ import annotations

from collections.abc import Iterable

from agent.device import casets, kept
from agent.log import Log
from hal import record_codec, record_keys, records
from hal.ports import StoreError
from hal.store import Store

KEYS = 64  # that are remembered by name
ROOMS = ("key/", "realm/")
CONFIGURATION = (record_keys.config_key(), *map(record_keys.console_key, records.COPIES))
_ANY = (record_keys.config_key(), *ROOMS)  # what a record that nobody can name may have been


def note(store: Store, log: Log) -> None:
    """At the start: tells what is damaged and remembers what may be lost by it. What rots later is
    told when it is found; its key stays."""

    def tell(what: str, keys: Iterable[str]) -> None:
        text = ", ".join(keys) or "keys unknown"
        log.report("STORE_ERR", f"damaged and left out: {what} ({text})")

    store.when_damaged(tell)
    candidates = set(_stored(store))
    for damage in store.health.damaged:
        tell(damage.what, damage.keys)
        lost = damage.lost
        if lost is None or not all(map(_is_ours, lost)):
            lost = _ANY
        candidates.update(key for key in lost if not _tells_by_itself(key))
    if candidates == set(_stored(store)):
        return
    remembered = sorted(candidates if len(candidates) <= KEYS else _ANY)
    try:
        store.commit({record_keys.lost_key(): record_codec.encode(records.LostRecord(remembered))})
    except StoreError as error:
        log.report("STORE_ERR", f"what is damaged cannot be noted: {error}")


def maybe(store: Store, key: str) -> bool:
    """Whether a record of this key may have been lost: for who finds none in the store."""
    return any(
        key == entry or (entry in ROOMS and key.startswith(entry)) for entry in _stored(store)
    )


def older(store: Store, key: str) -> bool:
    """For who finds one: whether it is the value before the one that was lost."""
    return key in _stored(store)


def settled(store: Store, settles: Iterable[str]) -> dict[str, object]:
    """Changes for a commit, so that these keys, or rooms of keys, count as lost no more."""
    entries, keys = _stored(store), set(settles)
    rooms = tuple(room for room in ROOMS if room in keys)
    rest = [key for key in entries if key not in keys and not key.startswith(rooms)]
    if rest == entries:
        return {}
    record = record_codec.encode(records.LostRecord(rest)) if rest else None
    return {record_keys.lost_key(): record}


def _stored(store: Store) -> list[str]:
    """The keys that are remembered; when they cannot be read, it may have been any."""
    value = store.get(record_keys.lost_key())
    try:
        return [] if value is None else record_codec.decode(records.LostRecord, value).keys
    except record_codec.RecordError:
        return list(_ANY)


def _is_ours(key: str) -> bool:
    others = (record_keys.clock_key(), record_keys.starts_key())
    return key in (*CONFIGURATION, *others) or key.startswith(ROOMS) or _tells_by_itself(key)


def _tells_by_itself(key: str) -> bool:
    """Whether what is left says that it is missing."""
    is_mark = key == record_keys.saving_key()  # without it the sum is wrong
    return is_mark or kept.is_block(key) or key.startswith(casets.ROOM)
