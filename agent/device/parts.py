"""The records of a realm in the store, and what each of them opens when it is gone."""

from agent.enrolment.actions import Stored
from agent.log import Log
from hal import records
from hal.store import Store

PARTS = {
    "ca": records.CaRecord,
    "request": records.RequestRecord,
    "local": records.LocalRecord,
    "outcome": records.OutcomeRecord,
}


def load(store: Store, realm: str, log: Log) -> Stored:
    """What flash holds of a realm; a record that cannot be read is reported and left out.

    Each of them opens something else when it is gone. ca: a person may be asked about a first CA,
    so the question says that there was one (`ca_was_lost`); nothing else trusts without
    `fingerprint`. local: the certificate is served from memory until that is gone, and an
    application is a first one; its key pair stays while the realm is configured with it. request:
    the application under way is forgotten, so the CA may issue twice. outcome: the count of the
    attempts begins anew. crl (`agent/device/crls.py`): told here, since nobody may look at it.
    `display pki enrollment` names what cannot be read.
    """
    found: dict[str, object] = {}
    for part, kind in {**PARTS, "crl": records.CrlRecord}.items():
        value = store.get(records.realm_key(realm, part))
        try:
            found[part] = None if value is None else records.decode(kind, value)
        except records.RecordError as error:
            log.report("STORE_ERR", f"realm {realm}: {error}; going on without it")
    return Stored(**{part: found.get(part) for part in PARTS})  # type: ignore[arg-type]
