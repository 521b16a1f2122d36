"""The conditions for a new device key: on a blank device, never beside records that one has sealed.

Fault model. Somebody has deleted it, or the store was copied without it. A key that is made anew in
silence would turn "restore the key" into "sealed with another one" for everything that is stored.
So the agent runs without one: what is in device memory is served, jobs that must unseal fail and
say why, and the operator decides (restore it, or `reset pki storage`, which makes a new one).
"""

from __future__ import annotations

from agent.device import kept, packing
from hal import record_keys
from hal.records import BlockRecord
from hal.store import Store

MISSING = (
    "the device key is missing or is none: what it has sealed cannot be opened, and a certificate"
    " is served only as long as device memory holds it; restore the key from a copy and start"
    " again, or type `reset pki storage` in the user view, then make key pairs and passwords anew"
)
_FRAME = "%^%#"  # of a sealed password in a configuration


def is_sealed(store: Store) -> bool:
    """Whether a record may need the device key; what cannot be read may."""
    if store.keys("key/") or any(key.endswith("/request") for key in store.keys("realm/")):
        return True
    if _FRAME in repr(store.get(record_keys.config_key())):
        return True
    return any(_has_password(store, key) for key in kept.keys(store))


def _has_password(store: Store, key: str) -> bool:
    copy = kept.copy_of(store.get(key))
    if not isinstance(copy, BlockRecord):
        return True
    return bool(copy.packed) and _FRAME in packing.unpack(copy.packed)
