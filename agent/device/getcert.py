"""A certificate that the CA has issued already, asked for by its serial number (GetCert).

RFC 8894 7.4: there is no message by which a device confirms, so a CA may hold a certificate that
never arrived here, or was deleted since. The job is that of an application but for what it asks;
what it brings was judged in it like an answer to one, and enters the engine like an import.
"""

from __future__ import annotations

from agent.appliance import Done, Progress
from agent.device import realm_records
from agent.device.application import Applications
from agent.device.keypairs import KeyPairs
from agent.device.realms import Realms
from agent.device.shared import Shared
from agent.enrolment import renewal
from agent.enrolment.actions import Stored
from agent.enrolment.states import Installed
from agent.errors import AgentError, fail
from agent.jobs import answers, maps
from agent.jobs.answers import Answer
from agent.settings import Realm
from hal.records import CaRecord, LocalRecord, RequestRecord


class GetCert:
    """`get_local` of `agent.appliance.Exchange`."""

    def __init__(
        self, shared: Shared, realms: Realms, keys: KeyPairs, applications: Applications
    ) -> None:
        self._shared, self._realms, self._keys = shared, realms, keys
        self._applications = applications

    def get(self, name: str, serial: str | None, progress: Progress, done: Done[bool]) -> int:
        """GetCert (RFC 8894 4.5); without a number (hexadecimal) that of the certificate in use.

        `done` with whether it was in use already: then nothing is written.
        """
        realm = self._realms.resting(name)
        stored, log = self._realms.runner(name).engine.stored, self._shared.log
        wanted = _number(stored, realm.name, serial)
        ca = self._realms.trusted_ca(realm)
        realm_records.check_crl(self._shared, realm, progress)
        request = self._request(realm, stored, ca)
        job = self._job(realm, ca, request, wanted)

        def arrived(answer: Answer | AgentError) -> None:
            try:
                answer = answers.read(answer)
                if self._realms.trusted_ca(realm).pin != ca.pin:
                    raise fail("ca-pin-changed")
                self._accept(realm, request, answer, progress, done)
            except AgentError as error:
                log.report("GET_LOCAL_CERT_ERR", f"realm {realm.name}: {error.what}")
                done(error)

        log.report("GETTING_LOCAL_CERT", f"realm {realm.name}: certificate {wanted} by GetCert")
        return self._shared.job(job, arrived)

    def _request(self, realm: Realm, stored: Stored, ca: CaRecord) -> RequestRecord:
        """The record that the message is made from. The certificate in use signs it, if it may and
        can; else one that is made for it, as at first (RFC 8894 2.3). No challenge goes along."""
        event, local = self._applications.event(realm), stored.local
        signer = None
        if local and event.renewable:
            usable = renewal.usable(local.certificate, ca, self._shared.time.now())
            signer = renewal.signer(local) if usable else None
        return RequestRecord(
            phase="sent",
            transaction=event.transaction,
            request_time_s=self._shared.time.wall_s(),
            generation=event.generation,
            settings=event.settings,
            password=None,
            polls=0,
            renewal=signer,
        )

    def _job(
        self, realm: Realm, ca: CaRecord, request: RequestRecord, serial: str
    ) -> dict[str, object]:
        signing, name = request.renewal, str(request.settings["key_pair"])
        key = signer = self._keys.record(name, request.generation)
        if signing:
            signer = self._keys.record(signing.key, signing.generation)
        if key is None or signer is None:
            raise fail("key-unknown", name=name)
        keys, linux_name = maps.Keys(key, signer), self._shared.interface_names.linux
        return {
            **maps.request_job("get-cert", realm, request, ca, keys, linux_name),
            "serial": serial,
            "revocation": realm_records.crl_field(self._shared.store, realm),
            **maps.moment(self._shared.time.now()),
        }

    def _accept(
        self,
        realm: Realm,
        request: RequestRecord,
        answer: Answer,
        progress: Progress,
        done: Done[bool],
    ) -> None:
        """Stores what the job brought and puts it into use, unless it is there already."""
        name, log = realm.name, self._shared.log
        self._realms.resting(name)  # an application may have begun meanwhile
        local = LocalRecord(
            certificate=answers.certificate(answer.get("certificate")),
            chain=answers.items(answer, "chain", bytes),
            key=str(request.settings["key_pair"]),
            generation=request.generation,
            issued_s=self._shared.time.wall_s(),
        )
        self._shared.tell(name, answer, progress)
        if self._keys.record(local.key, local.generation) is None:  # it was made anew meanwhile
            raise fail("key-unknown", name=local.key)
        before = self._realms.runner(name).engine.stored.local
        if before and before.certificate.der == local.certificate.der:
            done(True)
            return

        def installed(result: AgentError | None) -> None:
            done(result if isinstance(result, AgentError) else False)

        log.report("GET_LOCAL_CERT_OK", f"realm {name}: certificate {local.certificate.serial}")
        self._realms.install(name, Installed(local=local), progress, installed)


def _number(stored: Stored, name: str, serial: str | None) -> str:
    """The serial number that was typed, or that of the certificate in use."""
    if serial is not None:
        return serial
    if stored.local is None:
        raise fail("getcert-serial", realm=name)
    return stored.local.certificate.serial
