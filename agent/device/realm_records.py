"""The records of one realm in the store, and what each of them opens when it is gone.

ca: a person may be asked about a first CA, so the question says that there was one (`ca_was_lost`);
nothing else trusts without `fingerprint`. local: the certificate is served from memory until that
is gone, and an application is a first one; its key pair stays while the realm is configured with
it. request: the application under way is forgotten, so the CA may issue twice. outcome: the count
of the attempts begins anew. crl (`agent/device/crl_record.py`): told here, since nobody may look at
it. `display pki enrollment` names what cannot be read.
"""

from __future__ import annotations

from agent.device import losses, reserve
from agent.device.shared import Shared
from agent.enrolment.actions import Stored
from hal import records

PARTS = {
    "ca": records.CaRecord,
    "request": records.RequestRecord,
    "local": records.LocalRecord,
    "outcome": records.OutcomeRecord,
}


class RealmRecords:
    """What flash holds of a realm: `stored`. A record that nobody can read is reported, and left
    out."""

    def __init__(self, shared: Shared, name: str) -> None:
        self._shared, self._name = shared, name
        self.stored = self._load()

    def _load(self) -> Stored:
        found: dict[str, object] = {}
        for part, kind in {**PARTS, "crl": records.CrlRecord}.items():
            value = self._shared.store.get(records.realm_key(self._name, part))
            try:
                found[part] = None if value is None else records.decode(kind, value)
            except records.RecordError as error:
                text = f"realm {self._name}: {error}; going on without it"
                self._shared.log.report("STORE_ERR", text)
        return Stored(**{part: found.get(part) for part in PARTS})  # type: ignore[arg-type]

    def unread(self) -> list[str]:
        """The parts that flash holds and nobody can read."""
        absent = [part for part in PARTS if not getattr(self.stored, part)]
        get = self._shared.store.get
        return [part for part in absent if get(records.realm_key(self._name, part)) is not None]

    def ca_was_lost(self) -> bool:
        """Whether a CA was trusted that flash has lost, as far as one can tell."""
        key = records.realm_key(self._name, "ca")
        maybe = "ca" in self.unread() or losses.maybe(self._shared.store, key)
        return self.stored.ca is None and maybe

    def keys_held(self) -> list[object]:
        """The names of the key pairs that the stored certificate and request need."""
        local, request = self.stored.local, self.stored.request
        names: list[object] = [local.key] if local else []
        if request:
            names += [request.settings.get("key_pair")]
            names += [request.renewal.key] if request.renewal else []
        return names

    def commit(self, stored: Stored) -> None:
        """One transaction with all that has changed; AgentError, and nothing has changed."""
        changes: dict[str, object] = {}
        for part, old, new in zip(Stored._fields, self.stored, stored, strict=True):
            if old != new:
                key = records.realm_key(self._name, part)
                changes[key] = None if new is None else records.encode(new)
        changes.update(losses.settled(self._shared.store, list(changes)))
        self._shared.commits.commit(changes, reserve.purpose(self.stored, stored))
        self.stored = stored
