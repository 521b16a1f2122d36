"""The records of one realm in the store, and what each of them opens when it is gone.

ca: a person may be asked about a first CA, so the question says that there was one (`ca_was_lost`);
nothing else trusts without `fingerprint`. local: the certificate is served from memory until that
is gone, and an application is a first one; its key pair stays while the realm is configured with
it. next: the certificate that waits is forgotten, and the one in use is renewed again. request: the
application under way is forgotten, so the CA may issue twice. outcome: the counts of attempts and
of requests begin anew. `display pki enrollment` names what cannot be read.

crl: the revocation list is no part of the engine. It comes and goes without touching an
application. A list was verified by the job that fetched it, and is verified again by each job that
uses it, so the record of a job that lied makes no certificate good. The list may be lost. With
`certificate-check crl` nothing is sent until there is another one. With `crl none` nothing is
checked any more, or only by the list before it, which rot has laid open again: each application and
the log say so. The floor below which no older list is taken is gone with it: the next fetch says
so.

alarms: each that stands is told once more as if it were new (`agent/device/alarms.py`).
"""

from __future__ import annotations

from collections.abc import Iterator

from agent import limits
from agent.appliance import Progress
from agent.device import casets, losses, reserve
from agent.device.casets import CaSets
from agent.device.shared import Shared
from agent.enrolment.actions import Stored
from agent.errors import AgentError, fail
from agent.settings import Realm
from hal import record_codec, record_keys, records
from hal.named import NamedTuple
from hal.records import AlarmsRecord, CrlRecord
from hal.store import Store

PARTS = {
    "ca": records.CaRecord,
    "request": records.RequestRecord,
    "local": records.LocalRecord,
    "next": records.LocalRecord,
    "outcome": records.OutcomeRecord,
}
_ALL = {**PARTS, "crl": CrlRecord, "alarms": AlarmsRecord}
UNCHECKED = (
    "the newest revocation list was lost: revocation is checked by an older one, or not at all;"
    " type `pki get-crl realm {}`"
)


class Held(NamedTuple):
    """A generation of a key pair that the stored records of a realm need."""

    name: str
    generation: int


def any_of(store: Store, name: str) -> bool:
    """Whether flash knows anything of a realm."""
    return any(record_keys.realm_key(name, part) in store for part in _ALL)


def passed_s(stored: Stored, wall_s: int) -> Iterator[int]:
    """The moments of the CA's clock that have passed: the notBefore of each certificate that was
    accepted. One that waits may begin within a day, by a CA whose clock is ahead; a clock that is
    further behind it is wrong."""
    if stored.local:
        yield stored.local.certificate.not_before_s
    if stored.ca and stored.ca.pin_index < len(stored.ca.certificates):
        yield stored.ca.certificates[stored.ca.pin_index].not_before_s
    waits = stored.next
    if waits and not waits.doubted and waits.certificate.not_before_s > wall_s + limits.AHEAD_S:
        yield waits.certificate.not_before_s


class RealmRecords:
    """The records of a realm in flash: `stored`. An unreadable one is reported, and left out."""

    __slots__ = ("_name", "_shared", "stored")

    def __init__(self, shared: Shared, name: str) -> None:
        self._shared, self._name = shared, name
        self.stored = self._load()

    def _load(self) -> Stored:
        parts: dict[str, object] = {}
        for part, kind in _ALL.items():
            value = self._shared.store.get(record_keys.realm_key(self._name, part))
            try:
                parts[part] = None if value is None else self._decode(kind, value)
            except record_codec.RecordError as error:
                text = f"realm {self._name}: {error}; going on without it"
                self._shared.log.report("STORE_ERR", text)
        stored = Stored(**{part: parts.get(part) for part in PARTS})  # type: ignore[arg-type]
        # A chain is made of certificates of the set: they lie in memory once.
        ders = {one.der: one.der for one in stored.ca.certificates} if stored.ca else {}
        for local in filter(None, (stored.local, stored.next)):
            local.chain[:] = [ders.get(der, der) for der in local.chain]
        return stored

    def _decode(self, kind: type[record_codec.Record], value: object) -> object:
        if kind is records.CaRecord:
            return read_ca(self._shared.store, self._shared.ca_sets, value)
        return record_codec.decode(kind, value)

    def unread(self) -> list[str]:
        """The parts that flash holds and nobody can read."""
        absent = [part for part in PARTS if not getattr(self.stored, part)]
        store = self._shared.store
        return [part for part in absent if record_keys.realm_key(self._name, part) in store]

    def ca_was_lost(self) -> bool:
        """Whether a CA was trusted that flash has lost, as far as one can tell."""
        key = record_keys.realm_key(self._name, "ca")
        maybe = "ca" in self.unread() or losses.maybe(self._shared.store, key)
        return self.stored.ca is None and maybe

    def keys_held(self) -> list[Held]:
        """The key pairs that the stored certificates and the request need."""
        request, certificates = self.stored.request, (self.stored.local, self.stored.next)
        held = [Held(each.key, each.generation) for each in certificates if each]
        if request:
            held.append(Held(str(request.settings.get("key_pair")), request.generation))
        if request and request.renewal:
            held.append(Held(request.renewal.key, request.renewal.generation))
        return held

    def commit(self, stored: Stored) -> None:
        """One transaction with all that has changed; AgentError, and nothing has changed."""
        changes: dict[str, object] = {}
        for part, old, new in zip(Stored._fields, self.stored, stored, strict=True):
            if old != new:
                changes.update(self._changes(part, new))
        if changes:
            self._shared.commits.commit(changes, reserve.purpose(self.stored, stored))
        self.stored = stored

    def _changes(self, part: str, new: tuple[object, ...] | None) -> dict[str, object]:
        key = record_keys.realm_key(self._name, part)
        if not isinstance(new, records.CaRecord):
            return {key: None if new is None else record_codec.encode(new)}
        changes: dict[str, object] = {}
        store, sets = self._shared.store, self._shared.ca_sets
        number = sets.number(new)
        if number is None or record_keys.ca_set_key(number) not in store:
            number = store.health.sequence + 1
            sets.keep(number, casets.common(new))
            changes[record_keys.ca_set_key(number)] = record_codec.encode(casets.common(new))
        held = records.CaHeldRecord(number, new.fetched_s, new.next, new.lineage)
        return {key: record_codec.encode(held), **changes}


def read_ca(store: Store, sets: CaSets, value: object) -> records.CaRecord:
    """The CA of a realm, from its stored record; RecordError."""
    if isinstance(value, dict) and "certificates" in value:
        return record_codec.decode(records.CaRecord, value)  # of a release before: it is all here
    held = record_codec.decode(records.CaHeldRecord, value)
    shared = sets.get(held.set)
    if shared is None:
        stored = store.get(record_keys.ca_set_key(held.set))
        if stored is None:
            raise record_codec.RecordError(f"its CA certificates, set {held.set}, are gone")
        shared = record_codec.decode(records.CaSetRecord, stored)
        sets.keep(held.set, shared)
    return casets.joined(shared, held)


# -- the revocation list --------------------------------------------------------------------------


def stored_crl(store: Store, realm: str) -> CrlRecord | None:
    """The list of a realm; one that cannot be read is as good as none, and can be fetched anew."""
    value = store.get(record_keys.realm_key(realm, "crl"))
    try:
        return None if value is None else record_codec.decode(CrlRecord, value)
    except record_codec.RecordError:
        return None


def crl_was_lost(store: Store, realm: str) -> bool:
    """Whether there was a list that nobody can read any more, as far as one can tell."""
    key = record_keys.realm_key(realm, "crl")
    if stored_crl(store, realm) is not None:
        return losses.older(store, key)
    return key in store or losses.maybe(store, key)


def crl_field(store: Store, realm: Realm) -> dict[str, object]:
    """The field `revocation` of a job that judges certificates."""
    crl = stored_crl(store, realm.name)
    return {"check": list(realm.certificate_check), "crl": crl.der if crl else None}


def check_crl(shared: Shared, realm: Realm, progress: Progress) -> None:
    """Before anything is sent: what the CA issues could not be accepted (`crl-missing`)."""
    if realm.certificate_check == ("crl", "none") and crl_was_lost(shared.store, realm.name):
        tell_of_crl(shared, realm, UNCHECKED.format(realm.name), progress)
    if error := lacks_list(shared, realm):
        raise error


def lacks_list(shared: Shared, realm: Realm) -> AgentError | None:
    """Why nothing may be sent: a list is needed for it, and none is there that is in date."""
    if realm.certificate_check != ("crl",):
        return None
    crl, now = stored_crl(shared.store, realm.name), shared.time.now()
    if crl is None:
        return fail("crl-missing", reason="there is no revocation list")
    if now.trusted and crl.next_update_s is not None and crl.next_update_s <= now.wall_s:
        return fail("crl-missing", reason="the revocation list is out of date")
    return None


def tell_of_crl(shared: Shared, realm: Realm, text: str, progress: Progress) -> None:
    """A warning about a list: to whoever waits, and to the log."""
    shared.log.report("GET_CRL_ERR", f"realm {realm.name}: {text}")
    progress.note(text)
