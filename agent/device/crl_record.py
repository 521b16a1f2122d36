"""The revocation list of a realm in the store: as a record, and as the field of a job.

It is a record of its own (`realm/<realm>/crl`) and no part of the engine: it comes and goes without
touching an application. What a job says of a list was verified there; it is verified again by each
job that uses it, so a record that was written by a job that lied makes no certificate good.

Fault model. The stored list is lost or cannot be read. With `certificate-check crl` nothing is sent
until there is another one. With `crl none` nothing is checked any more, or only by the list before
it, which rot has laid open again: each application and the log say so. The floor below which no
older list is taken is gone with it: the next fetch says so.
"""

from __future__ import annotations

from agent.appliance import Progress
from agent.device import losses
from agent.device.shared import Shared
from agent.errors import fail
from agent.settings import Realm
from hal import records
from hal.records import CrlRecord
from hal.store import Store

UNCHECKED = (
    "the newest revocation list was lost: revocation is checked by an older one, or not at all;"
    " type `pki get-crl realm {}`"
)


def stored(store: Store, realm: str) -> CrlRecord | None:
    """The list of a realm; one that cannot be read is as good as none, and can be fetched anew."""
    value = store.get(records.realm_key(realm, "crl"))
    try:
        return None if value is None else records.decode(CrlRecord, value)
    except records.RecordError:
        return None


def was_lost(store: Store, realm: str) -> bool:
    """Whether there was a list that nobody can read any more, as far as one can tell."""
    key = records.realm_key(realm, "crl")
    if stored(store, realm) is not None:
        return losses.older(store, key)
    return store.get(key) is not None or losses.maybe(store, key)


def job_field(store: Store, realm: Realm) -> dict[str, object]:
    """The field `revocation` of a job that judges certificates."""
    crl = stored(store, realm.name)
    return {"check": list(realm.certificate_check), "crl": crl.der if crl else None}


def check_possible(shared: Shared, realm: Realm, progress: Progress) -> None:
    """Before anything is sent: what the CA issues could not be accepted (`crl-missing`)."""
    if realm.certificate_check == ("crl", "none") and was_lost(shared.store, realm.name):
        tell(shared, realm, UNCHECKED.format(realm.name), progress)
    if realm.certificate_check != ("crl",):
        return
    crl, now = stored(shared.store, realm.name), shared.now()
    if crl is None:
        raise fail("crl-missing", reason="there is no revocation list")
    if now.trusted and crl.next_update_s is not None and crl.next_update_s <= now.wall_s:
        raise fail("crl-missing", reason="the revocation list is out of date")


def tell(shared: Shared, realm: Realm, text: str, progress: Progress) -> None:
    """A warning about a list: to whoever waits, and to the log."""
    shared.log.report("GET_CRL_ERR", f"realm {realm.name}: {text}")
    progress.note(text)
