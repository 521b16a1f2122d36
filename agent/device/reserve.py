"""The room in the store that is kept for renewals, so that configuring stops before they do. Pure.

The arithmetic. What counts is the bytes of each key with its value (`hal/store.py`): a commit
behind which they are no more than the room of the store together is never refused as full, whatever
was appended before. To look at all keys for each commit would be a thousand looks for each of a
thousand enrolments; so a ledger is made once of all keys, and is told of each key that changes. A
renewal adds a request, which holds the certificate that signs it, and an
outcome; it brings a certificate with its chain, and a key pair where each renewal makes one. The
old ones go in the commit that stores the new ones, unless the new ones wait for their turn.

Fault model. People fill the store with what they need no more; somebody who answers in the place of
a CA brings as much as a CA set may have; a CA is away, and each failure is noted. Promised: each of
these stops while there is room for renewals behind it, as `Purpose` says. So none of them shuts a
renewal out; and requests cannot do so for good, since a realm that has one needs no more room to go
on, and gives it back at the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum

from agent import limits
from agent.enrolment.actions import Stored
from agent.settings import Realm
from hal.annotations import TypeVar
from hal.named import NamedTuple
from hal.record_keys import key_pair_of

Realms = Mapping[str, Realm]  # by folded name
T = TypeVar("T")
LEFT = ("sent", "pending")  # phases of a request that the CA may have


class Purpose(Enum):
    """The purpose of a commit. The value: so many renewals must have room behind it."""

    CONFIGURING = 4  # what people do, and a realm's first application
    REFRESH = 2  # of a realm with a certificate: CA set, list, import; nobody has signed the first
    FAILURE = 1  # how an attempt failed
    RENEWAL = 0  # a request, its answer


def purpose(before: Stored, after: Stored) -> Purpose:
    """Of a commit of a realm's engine, from what flash holds before and after."""
    request = before.request
    if before.local is None and (request is None or request.phase == "fetching"):
        return Purpose.CONFIGURING
    imported = after.local != before.local and (request is None or request.phase not in LEFT)
    if imported or after.ca != before.ca:
        return Purpose.REFRESH
    return Purpose.FAILURE if failed(before, after) else Purpose.RENEWAL


def failed(before: Stored, after: Stored) -> bool:
    """Whether it notes that an attempt has failed."""
    return after.outcome != before.outcome and bool(after.outcome and after.outcome.error)


class Ledger:
    """`local`: bytes of the record of a certificate with its key, by folded realm. `requests` and
    `cas`: realms that have such a record. `pairs`: bytes of the generations of each key pair."""

    def __init__(self, sizes: Iterable[tuple[str, int]]) -> None:
        self.local: dict[str, int] = {}
        self.requests: set[str] = set()
        self.cas: set[str] = set()
        self.pairs: dict[str, dict[int, int]] = {}
        self.put(sizes)

    def put(self, sizes: Iterable[tuple[str, int]]) -> bool:
        """Keys with their bytes as they are now; 0: the key is gone. Whether that says more here
        than before: most keys are none that a reserve is counted from."""
        told = [self._put(key, size) for key, size in sizes]
        return any(told)

    def _put(self, key: str, size: int) -> bool:
        room, _, rest = key.partition("/")
        if room == "key":
            name, generation = key_pair_of(key)
            return _noted(self.pairs.setdefault(name, {}), generation, size)
        realm, _, part = rest.partition("/")
        if room != "realm" or part not in ("local", "request", "ca"):
            return False
        if part == "local":
            return _noted(self.local, realm, size)
        realms = self.requests if part == "request" else self.cas
        known = realm in realms
        (realms.add if size else realms.discard)(realm)
        return known != (realm in realms)

    @property
    def served(self) -> list[str]:
        """The realms that have a certificate or apply for one, configured or not."""
        return [*self.local, *(realm for realm in self.requests if realm not in self.local)]

    def pair(self, name: str | None) -> int:
        """The bytes of the largest generation of a key pair; 0 where there is none."""
        return max(self.pairs.get(name or "", {}).values(), default=0)


def _noted(sizes: dict[T, int], key: T, size: int) -> bool:
    """Whether it was another size before; 0 is no entry."""
    before = sizes.pop(key, 0)
    if size:
        sizes[key] = size
    return size != before


def brought_bytes(ledger: Ledger, realm: str, settings: Realm | None) -> int:
    """The bytes of a certificate with its chain, and of a key pair where the renewal makes one."""
    local = ledger.local.get(realm, limits.LOCAL_BYTES)
    auto = settings.auto_enroll if settings else None
    if settings is None or auto is None or not auto.regenerate:
        return local
    before = ledger.pair(settings.key_pair) or key_pair_bytes(limits.KEY_BITS_DEFAULT)
    return local + max(before, key_pair_bytes(auto.key_bits) if auto.key_bits else 0)


def key_pair_bytes(bits: int) -> int:
    """Of a sealed key pair of that size: 1.6 kB for 2048 bits, 3.0 kB for 4096."""
    return 256 + bits * 7 // 10


def renewal_bytes(ledger: Ledger, realm: str, settings: Realm | None) -> int:
    """The bytes that a realm's next renewal adds at most, before it gives back what it can."""
    signer = ledger.local.get(realm, limits.LOCAL_BYTES)  # with its chain: no less
    request = limits.REQUEST_BYTES + signer
    return request + limits.OUTCOME_BYTES + brought_bytes(ledger, realm, settings)


class Kept(NamedTuple):
    """A reserve in bytes: of the largest renewal, and of what is kept beside renewals."""

    largest: int
    beside: int

    def bytes(self, wanted: Purpose = Purpose.CONFIGURING) -> int:
        """What must be free behind a commit: as many renewals as its purpose says, and the rest."""
        return wanted.value * self.largest + self.beside


def kept(ledger: Ledger, realms: Realms) -> Kept:
    """Renewals as large as that of the largest realm; beside them for each realm that lets a
    certificate wait the bytes of that, and for each whose CA certificates are gone the bytes of
    these. One step for each realm that is served."""
    largest = waiting = bare = 0
    for name in ledger.served:
        settings = realms.get(name)
        largest = max(largest, renewal_bytes(ledger, name, settings))
        auto = settings.auto_enroll if settings else None
        if auto and not auto.updated_effective:
            waiting += brought_bytes(ledger, name, settings)
        bare += name not in ledger.cas
    return Kept(largest, waiting + bare * limits.CA_BYTES)


class Room(NamedTuple):
    """The state of the store, in bytes of keys and values. `kept` is the whole reserve."""

    capacity: int
    used: int
    kept: int

    @property
    def left(self) -> int:
        """Free, the reserve included."""
        return max(0, self.capacity - self.used)

    @property
    def reached(self) -> bool:
        """Whether configuring has come to the reserve."""
        return self.left < self.kept

    @property
    def free(self) -> int:
        """The room that configuring may take."""
        return max(0, self.left - self.kept)


class Need(NamedTuple):
    """The room that the next application of a realm takes at most, and its place."""

    wanted: int
    left: int
    place: str  # FREE, KEPT, MISSING


FREE, KEPT, MISSING = "free", "kept for renewals", "missing"


def need(room: Room, ledger: Ledger, realms: Realms, realm: str) -> Need:
    """Of a realm, by its folded name. Only renewals may take what is kept for them."""
    wanted = renewal_bytes(ledger, realm, realms.get(realm))
    renews = realm in ledger.local or realm in ledger.requests
    if not room.reached if renews else wanted <= room.free:
        return Need(wanted, room.left, FREE)
    return Need(wanted, room.left, KEPT if renews and wanted <= room.left else MISSING)
