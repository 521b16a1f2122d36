"""The revocation list of a realm: fetched on request, stored, shown, and handed to jobs.

It is a record of its own (`realm/<realm>/crl`) and no part of the engine: it comes and goes without
touching an application. `<realm>.crl` in device storage is its projection, in the form that `pki
file-format` names. What a job says of a list was verified there; it is verified again by each job
that uses it, so a record that was written by a job that lied makes no certificate good.

Fault model. The stored list is lost or cannot be read. With `certificate-check crl` nothing is sent
until there is another one. With `crl none` nothing is checked any more, or only by the list before
it, which rot has laid open again: each application and the log say so. The floor below which no
older list is taken is gone with it: the next fetch says so.
"""

import os
from typing import TYPE_CHECKING

from agent import pem
from agent.appliance import Done, Progress
from agent.device import losses
from agent.device.reserve import Purpose
from agent.errors import AgentError, fail
from agent.jobs import answers, maps
from agent.jobs.answers import Answer
from agent.settings import Realm, fold
from hal import records
from hal.records import CaRecord, CrlRecord
from hal.store import Store

if TYPE_CHECKING:
    from agent.device.device import Device
    from agent.device.runner import Enrolment

NO_PLACE = "crl-no-place"
UNCHECKED = (
    "the newest revocation list was lost: revocation is checked by an older one, or not at all;"
    " type `pki get-crl realm {}`"
)
NO_FLOOR = "the newest revocation list was lost: nothing says that this one is no older"
Job = dict[str, object]


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


def job_field(store: Store, settings: Realm) -> Job:
    """The field `revocation` of a job that judges certificates."""
    found = stored(store, settings.name)
    return {"check": list(settings.certificate_check), "crl": found.der if found else None}


class Revocation:
    """`agent.appliance.Revocation`."""

    def __init__(self, device: "Device", store: Store) -> None:
        self._device, self._store = device, store

    def current(self, realm: str) -> bytes | None:
        """DER of the stored list."""
        found = stored(self._store, realm)
        return found.der if found else None

    def job_field(self, settings: Realm) -> Job:
        return job_field(self._store, settings)

    def check_possible(self, settings: Realm, progress: Progress) -> None:
        """Before anything is sent: what the CA issues could not be accepted (`crl-missing`)."""
        if settings.certificate_check == ("crl", "none") and was_lost(self._store, settings.name):
            self._tell(settings, UNCHECKED.format(settings.name), progress)
        if settings.certificate_check != ("crl",):
            return
        found, now = stored(self._store, settings.name), self._device.now()
        if found is None:
            raise fail("crl-missing", reason="there is no revocation list")
        end_s = found.next_update_s
        if now.trusted and end_s is not None and end_s <= now.wall_s:
            raise fail("crl-missing", reason="the revocation list is out of date")

    def fetch(self, realm: str, progress: Progress, done: Done[None]) -> int:
        """By HTTP where a place is known, else by SCEP; `done` with None when it is stored."""
        settings, runner = self._device.settings.realms[fold(realm)], self._device.runner(realm)
        ca = runner.engine.stored.ca
        if ca is None or not runner.engine.pin_holds():
            raise fail("ca-untrusted", realm=settings.name)
        job = self._job(settings, ca, runner)
        if was_lost(self._store, settings.name):
            self._tell(settings, NO_FLOOR, progress)

        def arrived(answer: Answer | AgentError) -> None:
            try:
                self._keep(settings, answers.read(answer), progress)
                done(None)
            except AgentError as error:
                self._device.log.report("GET_CRL_ERR", f"realm {settings.name}: {error.what}")
                done(error)

        def nowhere(answer: Answer | AgentError) -> None:
            if not isinstance(answer, AgentError) or answer.code != NO_PLACE:
                arrived(answer)
                return
            try:
                self._device.job(self._by_scep(job, runner), arrived)
            except AgentError as error:
                arrived(error)

        self._device.log.report("GETTING_CRL", f"realm {settings.name}")
        if settings.crl_scep:
            return self._device.job(self._by_scep(job, runner), arrived)
        return self._device.job({**job, "op": "fetch-crl"}, nowhere)

    def _job(self, settings: Realm, ca: CaRecord, runner: "Enrolment") -> Job:
        local, before = runner.engine.stored.local, stored(self._store, settings.name)
        same_ca = before is not None and before.issuer in {c.subject for c in ca.certificates}
        return {
            **maps.published_job(settings, ca, self._device.linux_name),
            **self._device.moment(),
            "cdp_url": settings.cdp_url,
            "from_ca": settings.cdp_from_ca,
            "certificate": local.certificate.der if local else None,
            "before_s": before.this_update_s if before and same_ca else None,
        }

    def _tell(self, settings: Realm, text: str, progress: Progress) -> None:
        self._device.log.report("GET_CRL_ERR", f"realm {settings.name}: {text}")
        progress.note(text)

    def _by_scep(self, job: Job, runner: "Enrolment") -> Job:
        """GetCRL is signed with the certificate in use (RFC 8894 3.3.5)."""
        local = runner.engine.stored.local
        key = self._device.key(local.key) if local else None
        if local is None or key is None or key.generation != local.generation:
            raise fail(NO_PLACE)
        signer = {"certificate": local.certificate.der, "key": maps.key_map(key)}
        return {**job, "op": "get-crl", "signer": signer, "transaction": os.urandom(16).hex()}

    def _keep(self, settings: Realm, answer: Answer, progress: Progress) -> None:
        read = answers.field
        next_s = answer.get("next_update_s")
        found = CrlRecord(
            der=read(answer, "crl", bytes),
            issuer=read(answer, "issuer", str),
            this_update_s=read(answer, "this_update_s", int),
            next_update_s=next_s if isinstance(next_s, int) else None,
            revoked=read(answer, "count", int),
            source=read(answer, "source", str)[:512],
            fetched_s=self._device.wall_s(),
        )
        if fold(settings.name) not in self._device.settings.realms:  # removed meanwhile
            raise fail("realm-unknown", realm=settings.name)
        self._device.tell(settings.name, answer, progress)
        key = records.realm_key(settings.name, "crl")
        again = self.current(settings.name) is not None
        purpose = Purpose.REFRESH if again else Purpose.CONFIGURING
        changes = {key: records.encode(found), **losses.settled(self._store, [key])}
        self._device.commit(changes, purpose)
        self._project(settings.name, found)
        runner = self._device.runner(settings.name)
        if runner.engine.stored.local:  # a CA may be on the list
            runner.put_into_use(again=False)
        text = f"{found.revoked} revoked certificates, from {found.source}"
        self._device.log.report("GET_CRL_OK", f"realm {settings.name}: {text}")

    def _project(self, realm: str, found: CrlRecord) -> None:
        data = found.der
        if self._device.settings.file_format == "pem":
            data = pem.encode("X509 CRL", [data])
        self._device.storage.write(f"{realm}.crl", data)
