"""The revocation list of a realm: fetched on request, or imported; stored and shown.

`<realm>.crl` in device storage is its projection, in the form that `pki file-format` names.
"""

from __future__ import annotations

from functools import partial

from agent import limits, pem
from agent.appliance import Done, Progress
from agent.device import realm_records
from agent.device.keypairs import KeyPairs
from agent.device.realms import Realms
from agent.device.reserve import Purpose
from agent.device.runner import RealmRunner
from agent.device.shared import Shared
from agent.device.storage import DeviceStorage
from agent.enrolment.states import Listed
from agent.errors import AgentError, fail
from agent.jobs import answers, maps
from agent.jobs.answers import Answer
from agent.settings import Realm
from hal import record_codec, record_keys
from hal.records import CaRecord, CrlRecord

NO_PLACE = "crl-no-place"
NO_FLOOR = "the newest revocation list was lost: nothing says that this one is no older"
Job = dict[str, object]


class Crls:
    """`agent.appliance.Revocation`."""

    def __init__(
        self, shared: Shared, realms: Realms, keys: KeyPairs, storage: DeviceStorage
    ) -> None:
        self._shared, self._realms, self._keys, self._storage = shared, realms, keys, storage
        self._store = shared.store

    def current(self, name: str) -> bytes | None:
        """DER of the stored list."""
        crl = realm_records.stored_crl(self._store, name)
        return crl.der if crl else None

    def delete(self, name: str) -> None:
        """From the store; the file in storage stays, as that of a certificate does."""
        realm = self._realms.realm(name)
        if self.current(realm.name) is None:
            raise fail("crl-absent", realm=realm.name)
        self._shared.commit({record_keys.realm_key(realm.name, "crl"): None})
        runner = self._realms.runner(realm.name)
        self._realms.watch.later(runner)
        if runner.engine.stored.local:
            runner.use.put(again=False)

    def fetch(
        self,
        name: str,
        progress: Progress,
        done: Done[None],
        *,
        alone: bool = False,
        behind: bool = False,
    ) -> int:
        """By HTTP where a place is known, else by SCEP; `done` with None when it is stored.

        alone: no person waits, and who asks tells of a failure; behind: nothing else waits either.
        """
        realm, runner = self._realms.realm(name), self._realms.runner(name)
        ca = self._realms.trusted_ca(realm)
        job: Job = {
            **maps.published_job(realm, ca, self._shared.interface_names.linux),
            **self._beside(realm, ca),
            "cdp_url": realm.cdp_url,
            "from_ca": realm.cdp_from_ca,
        }
        arrived = self._keeping(realm, progress, done, alone=alone)

        def nowhere(answer: Answer | AgentError) -> None:
            if not isinstance(answer, AgentError) or answer.code != NO_PLACE:
                arrived(answer)
                return
            try:
                run(self._by_scep(job, runner), arrived)
            except AgentError as error:  # the first one may name places that are of no use
                arrived(answer if error.code == NO_PLACE else error)

        run = partial(self._shared.job, attended=not alone, behind=behind)
        if not alone:
            self._shared.log.report("GETTING_CRL", f"realm {realm.name}")
        if realm.crl_scep:
            return run(self._by_scep(job, runner), arrived)
        return run({**job, "op": "fetch-crl"}, nowhere)

    def import_from(self, name: str, file: str, progress: Progress, done: Done[None]) -> int:
        """A list in a file of device storage, under the rules for one that is fetched."""
        realm = self._realms.realm(name)
        ca = self._realms.trusted_ca(realm)
        data = self._storage.read(file)
        if len(data) > limits.CRL_PEM_BYTES:
            raise fail("file-too-large", name=file, cap=limits.CRL_PEM_BYTES)
        job = {**maps.judged_job(realm, ca), **self._beside(realm, ca), "name": file, "data": data}
        arrived = self._keeping(realm, progress, done, "CRL_IMPORT")
        return self._shared.job({**job, "op": "import-crl"}, arrived)

    def _keeping(
        self,
        realm: Realm,
        progress: Progress,
        done: Done[None],
        event: str = "GET_CRL",
        *,
        alone: bool = False,
    ) -> Done[Answer]:
        """What is done with the answer of a job that brings a list, and logged as `event`."""
        stored = self._realms.runner(realm.name).engine.stored
        serials = [held.certificate.serial if held else "" for held in (stored.local, stored.next)]
        if realm_records.crl_was_lost(self._store, realm.name):
            realm_records.tell_of_crl(self._shared, realm, NO_FLOOR, progress)

        def arrived(answer: Answer | AgentError) -> None:
            try:
                answer = answers.read(answer)
                self._keep(realm, answer, progress, event)
                self._hear(realm.name, serials, answers.items(answer, "revoked", str))
                done(None)
            except AgentError as error:
                if not alone:
                    self._shared.log.report(f"{event}_ERR", f"realm {realm.name}: {error.what}")
                done(error)

        return arrived

    def _beside(self, realm: Realm, ca: CaRecord) -> Job:
        """What a list is compared with: the moment, our certificates, the list that is stored."""
        stored = self._realms.runner(realm.name).engine.stored
        local, waits = stored.local, stored.next
        before = realm_records.stored_crl(self._store, realm.name)
        same_ca = before is not None and before.issuer in {c.subject for c in ca.certificates}
        return {
            **maps.moment(self._shared.time.now()),
            "certificate": local.certificate.der if local else None,
            "waiting": waits.certificate.der if waits else None,
            "before_s": before.this_update_s if before and same_ca else None,
        }

    def _by_scep(self, job: Job, runner: RealmRunner) -> Job:
        """GetCRL is signed with the certificate in use (RFC 8894 3.3.5)."""
        local = runner.engine.stored.local
        key = self._keys.record(local.key, local.generation) if local else None
        if local is None or key is None:
            raise fail(NO_PLACE, others="")
        signer = {"certificate": local.certificate.der, "key": maps.key_map(key)}
        transaction = self._shared.hardware.chance.draw(16).hex()
        return {**job, "op": "get-crl", "signer": signer, "transaction": transaction}

    def _keep(self, realm: Realm, answer: Answer, progress: Progress, event: str) -> None:
        read = answers.field
        next_s = answer.get("next_update_s")
        crl = CrlRecord(
            der=read(answer, "crl", bytes),
            issuer=read(answer, "issuer", str),
            this_update_s=read(answer, "this_update_s", int),
            next_update_s=next_s if isinstance(next_s, int) else None,
            revoked=read(answer, "count", int),
            source=read(answer, "source", str)[:512],
            fetched_s=self._shared.time.wall_s(),
        )
        self._realms.realm(realm.name)  # it may have been removed meanwhile
        self._shared.tell(realm.name, answer, progress)
        key = record_keys.realm_key(realm.name, "crl")
        before = self.current(realm.name)
        if before == crl.der:  # each write wears flash out, and it says nothing new
            return
        again = before is not None
        purpose = Purpose.REFRESH if again else Purpose.CONFIGURING
        self._shared.commit({key: record_codec.encode(crl)}, purpose)
        self._project(realm.name, crl)
        runner = self._realms.runner(realm.name)
        self._realms.watch.later(runner)
        if runner.engine.stored.local:  # a CA may be on the list
            runner.use.put(again=False)
        text = f"{crl.revoked} revoked certificates, from {crl.source}"
        self._shared.log.report(f"{event}_OK", f"realm {realm.name}: {text}")

    def _hear(self, name: str, serials: list[str], reasons: list[str]) -> None:
        """Of the certificates that the realm had when it asked: which of them are on the list. A
        realm that checks nothing hears of nothing."""
        if self._realms.realm(name).certificate_check != ("none",):
            named = zip(serials, reasons, strict=False)
            event = Listed(tuple((serial, reason) for serial, reason in named if reason))
            self._realms.runner(name).hear(event)

    def _project(self, name: str, crl: CrlRecord) -> None:
        data = crl.der
        if self._shared.settings.file_format == "pem":
            data = pem.encode("X509 CRL", [data])
        self._storage.write(f"{name}.crl", data)
